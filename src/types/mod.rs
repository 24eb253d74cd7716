//! Types, the checking of models, the shapes of instances.

pub mod marks;
pub mod relation;

pub use crate::model::show;
