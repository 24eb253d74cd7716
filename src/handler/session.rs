//! What a handler is given to work with on one target.

use std::path::PathBuf;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::System;

use super::Clock;

/// Where the absolute paths of a target's files begin on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The target's clock.
    pub clock: &'a dyn Clock,
    /// The files of the project, for what is copied from it.
    pub project: Arc<dyn System>,
}
