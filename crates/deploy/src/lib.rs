//! What gops does with projects and graphs: reads and compares projects, and makes a graph true.

pub use gops_lang::{db, eval, graph, history, model, types};
pub use gops_syntax::{base, data, diag, syntax};

pub mod agent;
pub mod deploy;
pub mod git;
pub mod handler;
pub mod project;
pub mod secret;
pub mod state;
