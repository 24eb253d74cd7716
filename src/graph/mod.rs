//! The resource graph: ids, dependencies, canonical JSON, digests, drawings.

pub use crate::base::{canonical, id};
