//! `history = "active"`: the project as it was activated, and what activates it.
//!
//! The instance files that people edit are the *sources*. [`sync()`] copies what changed in them into
//! the store ([`crate::history::store`]), and whoever wants a graph reads the store alone: a system in
//! which the instance files are those of the newest versions, under the paths of their sources. So
//! everything else, from the line of an origin to overlays, works as it does with the sources.

mod items;
mod prune;
mod sync;
mod view;

pub use prune::{Dropped, Pruned, Unsettled, prune};
pub use sync::{Activated, Became, Synced, sync};
pub(super) use view::{Moved, View, view};

use super::config::{Config, History};

/// What the paths of the store's files start with.
pub(super) const STORE: &str = "active/";

/// Whether a project keeps an active store.
pub(super) fn is_active(config: &Config) -> bool {
    config.history == History::Active
}

#[cfg(test)]
mod moves;
#[cfg(test)]
mod tests;
