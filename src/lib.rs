//! gops compiles typed models and plain YAML and JSON instances into a resource graph, and
//! makes that graph true.
//!
//! The layers below the command line are crates of their own, and are named from here.

pub use gops_deploy::{agent, deploy, git, handler, project, secret, state};
pub use gops_lang::{db, eval, graph, history, model, types};
pub use gops_syntax::{base, data, diag, syntax};

pub mod cli;
