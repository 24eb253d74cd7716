//! What is in places that gops made and that it did not make: nothing is ever done about it, and
//! whoever asks for drift wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use ecow::EcoString;

use crate::base::System;
use crate::graph::GraphValue;
use crate::handler::{Clock, Fence, Look, PrintKey, Reach, Registry, Seen, Session, Token};
use crate::state::{Condition, Holding, Row, Snapshot};

use super::super::scope::Scope;
use super::super::target::Targets;
use super::machine::LOOK;

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

/// What one handler on one target is asked for at once.
struct Batch<'a> {
    target: usize,
    handler: &'a str,
    /// The numbers of the rows.
    rows: Vec<usize>,
    asked: Vec<&'a Row>,
}

/// What a search needs.
pub(in crate::deploy) struct Search<'a> {
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
    pub(in crate::deploy) fn find(&self) -> Vec<Foreign> {
        let known = self.known();
        let holders: Vec<&Row> = self.ledger.rows.values().filter(|row| self.may_hold(row)).collect();
        // A target far away is asked for all of them at once.
        let mut batches: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
        for (at, row) in holders.iter().enumerate() {
            if let Some(target) = self.targets.holding(&row.place) {
                batches.entry((target, &row.handler)).or_default().push(at);
            }
        }
        let batches: Vec<Batch<'_>> = batches
            .into_iter()
            .map(|((target, handler), rows)| {
                let asked = rows.iter().filter_map(|at| holders.get(*at).copied()).collect();
                Batch { target, handler, rows, asked }
            })
            .collect();
        let mut found: BTreeMap<usize, Foreign> = BTreeMap::new();
        for (batch, answers) in batches.iter().zip(self.ask(&batches)) {
            for ((at, row), entries) in batch.rows.iter().zip(&batch.asked).zip(answers) {
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

    /// What is in the things of each batch. All machines are asked at once, so that one that is slow, or
    /// does not answer, keeps no other waiting.
    fn ask(&self, batches: &[Batch<'_>]) -> Vec<Vec<Option<Vec<EcoString>>>> {
        let mut lanes: BTreeMap<&EcoString, Vec<usize>> = BTreeMap::new();
        for (at, batch) in batches.iter().enumerate() {
            if let Some(target) = self.targets.get(batch.target) {
                lanes.entry(&target.place.identity).or_default().push(at);
            }
        }
        let all = |lane: Vec<usize>| -> Vec<(usize, Vec<Option<Vec<EcoString>>>)> {
            let batches = lane.into_iter().filter_map(|at| Some((at, batches.get(at)?)));
            batches.map(|(at, batch)| (at, self.entries(batch.target, batch.handler, &batch.asked))).collect()
        };
        let answers: Vec<_> = match lanes.len() {
            0 | 1 => lanes.into_values().flat_map(all).collect(),
            _ => std::thread::scope(|scope| {
                let asked: Vec<_> = lanes.into_values().map(|lane| scope.spawn(move || all(lane))).collect();
                let answer =
                    |asked: ScopedJoinHandle<'_, _>| asked.join().unwrap_or_else(|p| resume_unwind(p));
                asked.into_iter().flat_map(answer).collect()
            }),
        };
        let mut by_batch: Vec<_> = batches.iter().map(|_| Vec::new()).collect();
        for (at, entries) in answers {
            if let Some(of_batch) = by_batch.get_mut(at) {
                *of_batch = entries;
            }
        }
        by_batch
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
