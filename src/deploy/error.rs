//! What stops a deploy as a whole.

use crate::handler::Fault;
use crate::state::{LockError, StoreError};

/// Why nothing, or nothing more, is done.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum Error {
    /// The ledger could not be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// Another deployer is at work.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockError),
    /// A resource names a handler that this program does not have.
    #[error("this gops has no handler `{handler}`, which {} needs{}", .id, others(*.more))]
    #[diagnostic(code(gops::deploy::handler), help("it has {known}; nothing was done"))]
    Handler {
        /// The handler.
        handler: String,
        /// A resource that names it.
        id: String,
        /// How many more there are.
        more: usize,
        /// The handlers that there are.
        known: String,
    },
    /// A target that cannot be reached in the way that it says.
    #[error("{target}: {problem}")]
    #[diagnostic(code(gops::deploy::target))]
    Target {
        /// The id of the target.
        target: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        #[help]
        help: Option<String>,
    },
    /// The graph holds what no compiler makes.
    #[error("the graph is damaged at {id}: {problem}")]
    #[diagnostic(code(gops::deploy::graph), help("compile again; nothing was done"))]
    Graph {
        /// The node.
        id: String,
        /// What is wrong.
        problem: String,
    },
}

fn others(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more)") }
}

impl Error {
    pub(super) fn target(target: &str, fault: Fault) -> Self {
        Error::Target { target: target.to_owned(), problem: fault.message, help: fault.help }
    }
}
