//! gops compiles typed models and plain YAML and JSON instances into a resource graph, and
//! makes that graph true.
//!
//! The layers, each using only those above it in this list:

pub mod agent;
pub mod base;
pub mod cli;
pub mod data;
pub mod db;
pub mod deploy;
pub mod diag;
pub mod eval;
pub mod git;
pub mod graph;
pub mod handler;
pub mod history;
pub mod model;
pub mod project;
pub mod secret;
pub mod state;
pub mod syntax;
pub mod types;
