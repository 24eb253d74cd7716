//! What an effect asks of a target, with all that it takes: it can be done elsewhere while the engine
//! goes on.

use std::sync::Arc;
use std::time::Duration;

use ecow::EcoString;

use crate::graph::Node;
use crate::handler::{Apply, Delete, Fence, Recorded, Timestamp, Token};

use super::super::planning::look::LookRequest;
use super::machine::Batch;

/// Something to be done on a target.
#[derive(Debug)]
pub(in crate::deploy) struct Task {
    /// The target, by number.
    pub target: usize,
    /// The lineage of the ledger.
    pub lineage: EcoString,
    /// The run.
    pub fence: Fence,
    /// How long a target may be silent.
    pub patience: Duration,
    /// When it is too late to begin, where nothing else keeps what is late out.
    pub until: Option<Timestamp>,
    /// What is to be done.
    pub work: Work,
}

/// What is to be done on a target.
#[derive(Debug)]
pub(in crate::deploy) enum Work {
    /// Say hello.
    Greet {
        /// Whether the target is to accept the run.
        enter: bool,
    },
    /// Search it for marks.
    Search(Batch),
    /// Look.
    Observe(Batch, Vec<LookRequest>),
    /// Clear leftovers.
    Discard(Batch, Vec<ApplyRequest>),
    /// Take things away.
    Delete(Batch, Vec<DeleteRequest>),
    /// Make or change things.
    Apply(Batch, Vec<ApplyRequest>),
    /// Ask whether things can be used.
    AskReady(Batch, Vec<LookRequest>),
}

/// [`Apply`], with what it is about.
#[derive(Clone, Debug)]
pub(in crate::deploy) struct ApplyRequest {
    pub kind: EcoString,
    pub node: Option<Arc<Node>>,
    pub recorded: Option<Recorded>,
    pub before: Option<EcoString>,
    pub token: Token,
    pub mark: bool,
}

/// [`Delete`], with what it is about.
#[derive(Clone, Debug)]
pub(in crate::deploy) struct DeleteRequest {
    pub kind: EcoString,
    pub recorded: Recorded,
    pub before: EcoString,
    pub token: Token,
}

impl ApplyRequest {
    /// As handlers take it.
    pub(in crate::deploy) fn apply(&self) -> Apply<'_> {
        Apply {
            kind: &self.kind,
            node: self.node.as_deref(),
            recorded: self.recorded.as_ref(),
            before: self.before.as_deref(),
            token: &self.token,
            mark: self.mark,
        }
    }
}

impl DeleteRequest {
    /// As handlers take it.
    pub(in crate::deploy) fn delete(&self) -> Delete<'_> {
        Delete { kind: &self.kind, recorded: &self.recorded, before: &self.before, token: &self.token }
    }
}
