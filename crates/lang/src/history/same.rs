//! Whether an element's own values are what they were.

use std::sync::Arc;

use crate::eval::{Deferred, DeferredExpr, Record, Value};

use super::fold::Version;

/// A record or value with the version that it is of.
type Of<'a, T> = (&'a T, &'a Version);

/// Whether the fields of two records are the same, but for the elements that they hold: those are
/// compared by themselves, whatever their order.
pub(super) fn same_fields(a: Of<'_, Record>, b: Of<'_, Record>) -> bool {
    a.0.ty == b.0.ty
        && a.0.fields.len() == b.0.fields.len()
        && a.0.fields.iter().zip(&b.0.fields).all(|(x, y)| same((x, a.1), (y, b.1)))
}

/// Whether a record is an element of its own in its version.
fn is_element(record: &Arc<Record>, version: &Version) -> bool {
    record.element.is_some_and(|element| version.has(element.index))
}

/// The element that a value is, if it is one.
fn element<'a>(value: &'a Value, version: &Version) -> Option<&'a Arc<Record>> {
    match value {
        Value::Record(record) | Value::Variant(_, _, Some(record)) => {
            is_element(record, version).then_some(record)
        }
        _ => None,
    }
}

fn same(a: Of<'_, Value>, b: Of<'_, Value>) -> bool {
    match (a.0, b.0) {
        (Value::Record(x), Value::Record(y)) => same_record((x, a.1), (y, b.1)),
        (Value::Variant(t, v, x), Value::Variant(u, w, y)) => {
            (t, v) == (u, w)
                && match (x, y) {
                    (Some(x), Some(y)) => same_record((x, a.1), (y, b.1)),
                    (x, y) => x.is_none() && y.is_none(),
                }
        }
        (Value::List(x), Value::List(y)) | (Value::Set(x), Value::Set(y)) => same_items((x, a.1), (y, b.1)),
        (Value::Map(x), Value::Map(y)) => same_entries((x, a.1), (y, b.1)),
        (Value::Deferred(x), Value::Deferred(y)) => same_secret(x, y),
        (x, y) => x == y,
    }
}

fn same_record(a: Of<'_, Arc<Record>>, b: Of<'_, Arc<Record>>) -> bool {
    match (is_element(a.0, a.1), is_element(b.0, b.1)) {
        (true, true) => true,
        (false, false) => same_fields((a.0, a.1), (b.0, b.1)),
        _ => false,
    }
}

/// Lists: what are no elements, in its order.
fn same_items(a: Of<'_, Arc<[Value]>>, b: Of<'_, Arc<[Value]>>) -> bool {
    let mut left = a.0.iter().filter(|v| element(v, a.1).is_none());
    let mut right = b.0.iter().filter(|v| element(v, b.1).is_none());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if same((x, a.1), (y, b.1)) => {}
            _ => return false,
        }
    }
}

/// Maps: what are no elements. An element that comes or goes is seen by itself.
fn same_entries(a: Of<'_, Arc<[(Value, Value)]>>, b: Of<'_, Arc<[(Value, Value)]>>) -> bool {
    let mut left = a.0.iter().filter(|(_, v)| element(v, a.1).is_none());
    let mut right = b.0.iter().filter(|(_, v)| element(v, b.1).is_none());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some((k, x)), Some((l, y))) if k == l && same((x, a.1), (y, b.1)) => {}
            _ => return false,
        }
    }
}

/// A secret is what its ciphertext is: where it stands does not matter, or else a file that is
/// renamed and a list in another order would be changes. One that stands plain is not looked at.
fn same_secret(a: &Deferred, b: &Deferred) -> bool {
    match (&a.expr, &b.expr) {
        (DeferredExpr::Secret { cipher: x, .. }, DeferredExpr::Secret { cipher: y, .. }) => x == y,
        _ => a == b,
    }
}
