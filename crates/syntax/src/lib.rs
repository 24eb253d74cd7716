//! What every part of gops stands on, and texts: models, YAML and JSON, with the places of everything in them.

pub mod base;
pub mod data;
pub mod diag;
pub mod syntax;
