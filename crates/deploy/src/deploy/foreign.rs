//! What is in places that gops made and that it did not make: nothing is ever done about it, and
//! whoever asks for drift wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;

use crate::base::System;
use crate::graph::GraphValue;
use crate::handler::{Clock, Fence, Look, PrintKey, Reach, Registry, Seen, Session, Token};
use crate::state::{Condition, Holding, Row, Snapshot};

use super::engine::LOOK;
use super::scope::Scope;
use super::target::Targets;

/// What somebody else put into something that gops made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The id of what holds it.
    pub id: EcoString,
    /// The id of the target.
    pub target: EcoString,
    /// What it is, by what it would claim, without the kind of that: a path. Sorted.
    pub entries: Vec<EcoString>,
}

/// What a search needs.
pub(super) struct Search<'a> {
    pub ledger: &'a Snapshot,
    pub targets: &'a Targets,
    pub registry: &'a Registry,
    pub reach: &'a dyn Reach,
    pub scope: &'a Scope,
    pub clock: &'a dyn Clock,
    pub project: Arc<dyn System>,
    pub nonce: Token,
}

impl Search<'_> {
    /// Everything that is in what was made and that no row stands for, in the order of the rows. Of a
    /// target that does not answer nothing is said: the run has said that.
    pub(super) fn find(&self) -> Vec<Foreign> {
        let known = self.known();
        let holders: Vec<&Row> = self.ledger.rows.values().filter(|row| self.may_hold(row)).collect();
        // A target far away is asked for all of them at once.
        let mut batches: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
        for (at, row) in holders.iter().enumerate() {
            if let Some(target) = self.targets.holding(&row.place) {
                batches.entry((target, &row.handler)).or_default().push(at);
            }
        }
        let mut found: BTreeMap<usize, Foreign> = BTreeMap::new();
        for ((target, handler), batch) in batches {
            let rows: Vec<&Row> = batch.iter().filter_map(|at| holders.get(*at).copied()).collect();
            for ((at, row), entries) in batch.iter().zip(&rows).zip(self.entries(target, handler, &rows)) {
                let is_strange =
                    |claim: &EcoString| !known.contains(&(row.place.identity.clone(), claim.clone()));
                let strange = entries.unwrap_or_default().into_iter().filter(is_strange);
                let entries: Vec<EcoString> = strange.map(|claim| bare(&claim)).collect();
                if !entries.is_empty() {
                    let (id, target) = (row.key.id.clone(), row.place.target.clone());
                    found.insert(*at, Foreign { id, target, entries });
                }
            }
        }
        found.into_values().collect()
    }

    /// Whether a row stands for something that somebody else can put something into.
    fn may_hold(&self, row: &Row) -> bool {
        row.holding == Holding::Made
            && row.condition == Condition::Ok
            && self.scope.has(&row.key.id, &row.place.target)
            && self.registry.get(&row.handler).is_some_and(|handler| handler.lists(&row.kind))
    }

    /// What rows and open intents claim, and what those claims lie in, by identity of the target.
    fn known(&self) -> BTreeSet<(EcoString, EcoString)> {
        let intended = self.ledger.intents.values().map(|intent| &intent.row);
        let mut known = BTreeSet::new();
        for row in self.ledger.rows.values().chain(intended) {
            let Some(handler) = self.registry.get(&row.handler) else { continue };
            for claim in &row.claims {
                let all = std::iter::once(claim.clone()).chain(handler.within(claim));
                known.extend(all.map(|claim| (row.place.identity.clone(), claim)));
            }
        }
        known
    }

    /// What is in each of these on one target; nothing where that cannot be said.
    fn entries(&self, target: usize, handler: &str, rows: &[&Row]) -> Vec<Option<Vec<EcoString>>> {
        let (Some(target), Some(here)) = (self.targets.get(target), self.registry.get(handler)) else {
            return rows.iter().map(|_| None).collect();
        };
        let session = Session {
            target: target.place.target.clone(),
            identity: target.place.identity.clone(),
            root: target.root.clone(),
            lineage: self.ledger.lineage.clone(),
            fence: Fence {
                epoch: self.ledger.revision.epoch,
                nonce: self.nonce.clone(),
                serial: self.ledger.revision.serial,
            },
            // The names in a directory are no secrets.
            key: PrintKey::new([0; 32]),
            clock: self.clock,
            patience: LOOK,
            until: None,
            project: self.project.clone(),
        };
        let looks: Vec<Look<'_>> = rows.iter().map(|row| look(row)).collect();
        let hands = self.reach.hands(&target.place.target, here);
        let batches = looks.chunks(here.concurrency().max(1));
        batches.flat_map(|batch| hands.observe(&session, batch)).map(|seen| listed(seen.ok()?)).collect()
    }
}

/// Asks what is in something.
fn look(row: &Row) -> Look<'_> {
    Look {
        kind: &row.kind,
        node: None,
        recorded: Some(&row.recorded),
        intended: None,
        token: None,
        closely: true,
        entries: true,
    }
}

/// The claims of what is in something.
fn listed(seen: Seen) -> Option<Vec<EcoString>> {
    let Seen::Present(actual) = seen else { return None };
    let Some(GraphValue::List(entries)) = actual.fields.get("entries") else { return None };
    Some(entries.iter().filter_map(|entry| entry.as_str().map(EcoString::from)).collect())
}

/// A claim without its kind: of `path:/etc/motd` the path.
fn bare(claim: &str) -> EcoString {
    claim.split_once(':').map_or(claim, |(_, rest)| rest).into()
}
