//! Values of the graph within other serialised things: as a text, their canonical JSON, which
//! alone tells integers from floats and references from maps.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

use crate::graph::GraphValue;

pub(super) fn serialize<S: Serializer>(value: &GraphValue, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&String::from_utf8_lossy(&value.to_json()))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<GraphValue, D::Error> {
    let text = String::deserialize(from)?;
    GraphValue::parse(text.as_bytes()).map_err(D::Error::custom)
}
