//! What a run is for. Nothing outside of it is looked at, planned or deleted.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::id::{self, KeyValue};
use crate::diag::did_you_mean;
use crate::graph::{GraphBuilder, LOCAL, State};
use crate::state::Snapshot;

use super::Error;
use super::planning::parts::owner;
use super::selector::{Selector, Universe};

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
            && self.only.as_ref().is_none_or(|only| only.selects(owner(id)))
    }
}

/// What a run is to be for, as people say it; by default everything.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Targets, each by its id or its key.
    pub targets: Vec<String>,
    /// Resources.
    pub only: Vec<Selector>,
}

impl Choice {
    /// The scope that is meant, with what is to be said of it; refused where something is meant that
    /// neither the project nor the ledger has.
    pub(super) fn scope(
        &self,
        graph: &GraphBuilder,
        ledger: &Snapshot,
    ) -> Result<(Scope, Option<String>), Error> {
        let mut scope = Scope::default();
        if !self.targets.is_empty() {
            let mut known: BTreeSet<&EcoString> = graph.sorted_targets().iter().map(|t| &t.id).collect();
            known.extend(ledger.rows.values().map(|row| &row.place.target));
            let local: EcoString = LOCAL.into();
            known.insert(&local);
            let named = self.targets.iter().map(|written| target(written, &known));
            scope.targets = Some(named.collect::<Result<_, _>>()?);
        }
        let wanted = graph.iter().filter(|node| node.state != State::Absent).map(|node| &node.id);
        let intents = ledger.intents.values().map(|intent| &intent.row.key.id);
        let known = ledger.rows.keys().map(|key| &key.id).chain(intents);
        if self.only.is_empty() {
            return Ok((scope, None));
        }
        // Parts go with what they are parts of.
        let known: Vec<EcoString> = known.map(|id| owner(id).into()).collect();
        let universe = Universe::of(wanted.chain(&known));
        let chosen = universe.choose(&self.only)?;
        let note = format!(
            "this is for {} of {} resources: the rest is not looked at",
            universe.count(&chosen),
            universe.size()
        );
        scope.only = Some(Arc::new(chosen));
        Ok((scope, Some(note)))
    }
}

/// The target that somebody means.
fn target(written: &str, known: &BTreeSet<&EcoString>) -> Result<EcoString, Error> {
    let names = |id: &str| -> Vec<String> { vec![id.to_owned(), id::shown(id).into_owned(), key(id)] };
    let meant: Vec<&&EcoString> =
        known.iter().filter(|id| names(id).iter().any(|name| name == written)).collect();
    match meant.as_slice() {
        [one] => Ok((**one).clone()),
        [] => {
            let keys: Vec<String> = known.iter().map(|id| key(id)).collect();
            let listed = || {
                format!("there is {}", keys.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
            };
            let help = did_you_mean(written, keys.iter().map(String::as_str)).unwrap_or_else(listed);
            Err(Error::NoTarget { written: written.to_owned(), help })
        }
        several => {
            let ids: Vec<String> = several.iter().map(|id| format!("`{id}`")).collect();
            Err(Error::NoTarget {
                written: written.to_owned(),
                help: format!("it may be {}", ids.join(" or ")),
            })
        }
    }
}

/// The key of a target, as people write it.
fn key(id: &str) -> String {
    match id::parse(id) {
        Ok(parsed) => match parsed.keys.as_slice() {
            [(_, KeyValue::Str(key))] => key.clone(),
            _ => id::shown(id).into_owned(),
        },
        Err(_) => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_by_their_key() {
        let ids: Vec<EcoString> = ["std::host::Host[name=h1]", "a::Box[name=h1]", "a::Box[name=h2]", "local"]
            .map(EcoString::from)
            .to_vec();
        let known: BTreeSet<&EcoString> = ids.iter().collect();
        let named = |written: &str| {
            target(written, &known).map_err(|error| match error {
                Error::NoTarget { help, .. } => help,
                other => other.to_string(),
            })
        };
        assert_eq!(named("h2").as_deref(), Ok("a::Box[name=h2]"));
        assert_eq!(named("Host[name=h1]").as_deref(), Ok("std::host::Host[name=h1]"));
        assert_eq!(named("local").as_deref(), Ok("local"));
        assert_eq!(named("h3"), Err("did you mean `h1`?".to_owned()));
        assert_eq!(named("h1"), Err("it may be `a::Box[name=h1]` or `std::host::Host[name=h1]`".to_owned()));
    }
}
