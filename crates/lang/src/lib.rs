//! The language of gops: from the trees of models and data to the graph.

pub use gops_syntax::{base, data, diag, syntax};

pub mod db;
pub mod eval;
pub mod graph;
pub mod history;
pub mod model;
pub mod types;
