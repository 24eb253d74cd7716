//! What earlier versions of instances were: the identity of elements, and the fold of versions.
//!
//! An instance is a tree of elements. [`fold()`] merges the current version of it with the earlier
//! ones that are not settled yet: each element gets an [`Operation`] and the newest record that an
//! earlier version has of it. What follows for the graph is worked out in `project::history`.

mod fold;
pub mod lock;
pub mod migrate;
pub mod receipt;
mod same;
pub mod store;

pub use crate::eval::Operation;
pub use fold::{Folded, FoldedElement, Seen, fold};
