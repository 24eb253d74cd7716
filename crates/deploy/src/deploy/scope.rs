//! What a run is for. Nothing outside of it is looked at, planned or deleted.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ecow::EcoString;

/// Selects resources by their ids.
pub trait Select: fmt::Debug + Send + Sync {
    /// Whether a resource is meant, of the project or of the ledger alone.
    fn selects(&self, id: &str) -> bool;
}

/// What a run is for; by default everything.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The ids of the targets that it is for.
    pub targets: Option<BTreeSet<EcoString>>,
    /// The resources that it is for, of these targets.
    pub only: Option<Arc<dyn Select>>,
}

impl Scope {
    /// Whether it leaves nothing out.
    pub fn is_everything(&self) -> bool {
        self.targets.is_none() && self.only.is_none()
    }

    /// Whether a resource on a target belongs to it.
    pub fn has(&self, id: &str, target: &str) -> bool {
        self.targets.as_ref().is_none_or(|targets| targets.contains(target))
            && self.only.as_ref().is_none_or(|only| only.selects(id))
    }
}
