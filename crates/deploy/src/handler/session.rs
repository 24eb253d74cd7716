//! What a handler is given to work with on one target.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ecow::EcoString;
use serde::{Deserialize, Serialize};

use crate::base::System;

use super::{Clock, Fault, Handler, PrintKey, Timestamp, Token};

/// Where the absolute paths of a target's files begin on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The folder that stands for `/`, made with the first file in it; `None` for the machine
    /// itself.
    pub folder: Option<PathBuf>,
    /// Below which paths a deploy may touch anything.
    pub allowed: Vec<EcoString>,
}

/// One target, reached.
pub struct Session<'a> {
    /// The id of the target.
    pub target: EcoString,
    /// What it is, whatever its id: two targets with one identity are one.
    pub identity: EcoString,
    /// Where its files are.
    pub root: Root,
    /// The lineage of the ledger, which marks carry.
    pub lineage: EcoString,
    /// Which run it is that speaks: a target checks it just before each irrevocable step.
    pub fence: Fence,
    /// With what secrets are hashed, where it has to be told later whether they changed.
    pub key: PrintKey,
    /// The target's clock.
    pub clock: &'a dyn Clock,
    /// How long who asked waits for a sign of life.
    pub patience: Duration,
    /// After that time an effect must not land: given for targets where nothing else keeps what comes
    /// late out. A handler sees to it that a request does not outlive it.
    pub until: Option<Timestamp>,
    /// The files of the project, for what is copied from it.
    pub project: Arc<dyn System>,
}

/// What tells one run of a ledger from another, on the targets that keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// One more each time the ledger's lock is taken.
    pub epoch: u64,
    /// Random: a copy of the ledger has other ones for the same epochs.
    pub nonce: Token,
    /// How many commits the ledger had when this run began.
    pub serial: u64,
}

impl Fence {
    /// Whether a target that has accepted this one accepts another: one of a later run, or of
    /// the same.
    pub fn admits(&self, other: &Fence) -> bool {
        other.epoch > self.epoch || (other.epoch == self.epoch && other.nonce == self.nonce)
    }
}

/// What is said to a target before anything else.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// The id of the target.
    pub target: &'a EcoString,
    /// What it should be.
    pub identity: &'a EcoString,
    /// The lineage of the ledger.
    pub lineage: &'a EcoString,
    /// The ledger's project and environment.
    pub project: &'a EcoString,
    /// The run.
    pub fence: &'a Fence,
    /// With what secrets are hashed there.
    pub key: &'a PrintKey,
    /// Whether the target is to accept it, which ends or waits out the workers of earlier runs;
    /// else nothing changes there.
    pub enter: bool,
}

/// What a target answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// What it is.
    pub identity: EcoString,
    /// The last run of this ledger that it accepted before this one.
    pub fence: Option<Fence>,
    /// Whether it keeps such things at all: the machine that deploys needs none, where a lock does.
    pub keeps: bool,
    /// Whether effects of an earlier run may still land on it, until their deadlines: it has no agent
    /// that would keep them out, and is not the machine that deploys.
    pub late: bool,
    /// The lineages of other ledgers of the same project that it knows.
    pub others: Vec<EcoString>,
}

/// Speaks to targets.
pub trait Reach: Send + Sync {
    /// Says hello. An error means that it cannot be reached.
    fn hello(&self, hello: &Hello<'_>) -> Result<Greeting, Fault>;

    /// Who does on a target what a handler does: the handler itself on this machine, and what
    /// speaks to its like there on another one.
    fn hands<'a>(&'a self, _target: &str, handler: &'a dyn Handler) -> &'a dyn Handler {
        handler
    }
}
