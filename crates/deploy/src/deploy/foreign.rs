//! What is in places that gops made and that it did not make: nothing is ever done about it, and
//! whoever asks for drift wants to know.

use std::collections::BTreeSet;
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
    /// Everything that is in what was made and that no row stands for. Of a target that does not
    /// answer nothing is said: the run has said that.
    pub(super) fn find(&self) -> Vec<Foreign> {
        let known = self.known();
        let mut found = Vec::new();
        for row in self.ledger.rows.values() {
            if row.holding == Holding::Made
                && row.condition == Condition::Ok
                && self.scope.has(&row.key.id, &row.place.target)
                && self.registry.get(&row.handler).is_some_and(|handler| handler.lists(&row.kind))
            {
                let entries = self.entries(row).unwrap_or_default();
                let strange = entries
                    .into_iter()
                    .filter(|claim| !known.contains(&(row.place.identity.clone(), claim.clone())));
                let entries: Vec<EcoString> = strange.map(|claim| bare(&claim)).collect();
                if !entries.is_empty() {
                    let (id, target) = (row.key.id.clone(), row.place.target.clone());
                    found.push(Foreign { id, target, entries });
                }
            }
        }
        found
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

    fn entries(&self, row: &Row) -> Option<Vec<EcoString>> {
        let target = self.targets.get(self.targets.holding(&row.place)?)?;
        let handler = self.reach.hands(&row.place.target, self.registry.get(&row.handler)?);
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
        let recorded = Some(&row.recorded);
        let look = Look {
            kind: &row.kind,
            node: None,
            recorded,
            intended: None,
            token: None,
            closely: true,
            entries: true,
        };
        match handler.observe(&session, &[look]).pop()? {
            Ok(Seen::Present(actual)) => match actual.fields.get("entries") {
                Some(GraphValue::List(entries)) => {
                    Some(entries.iter().filter_map(|entry| entry.as_str().map(EcoString::from)).collect())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// A claim without its kind: of `path:/etc/motd` the path.
fn bare(claim: &str) -> EcoString {
    claim.split_once(':').map_or(claim, |(_, rest)| rest).into()
}
