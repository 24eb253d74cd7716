//! States that no run can tell apart: what differs in tokens, revisions of objects and numbers alone
//! leads on to the same.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ecow::{EcoString, eco_format};

use crate::handler::fake::{At, Inner, Object};
use crate::handler::{Recorded, Timestamp, Token};
use crate::state::{Intent, Row, RowKey, Snapshot};

/// A state, but for the names that chance gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State(u64);

impl State {
    /// Of what is on the targets, what these remember, and the ledger.
    pub(super) fn of(inner: &Inner, objects: &BTreeMap<At, Object>, ledger: &Snapshot) -> Self {
        let mut hash = DefaultHasher::new();
        text(inner, objects, ledger).hash(&mut hash);
        State(hash.finish())
    }
}

/// Names by their first appearance.
#[derive(Default)]
struct Names {
    tokens: BTreeMap<Token, usize>,
    /// The incarnations of each id that there are.
    incarnations: BTreeMap<EcoString, BTreeSet<u32>>,
    /// The revisions that objects have.
    stamps: BTreeMap<EcoString, usize>,
}

impl Names {
    fn token(&mut self, token: &Token) -> usize {
        let next = self.tokens.len();
        *self.tokens.entry(token.clone()).or_insert(next)
    }

    fn key(&self, key: &RowKey) -> RowKey {
        let known = self.incarnations.get(&key.id).into_iter().flatten();
        let rank = known.filter(|other| **other < key.incarnation).count();
        RowKey { id: key.id.clone(), incarnation: rank.try_into().unwrap_or(u32::MAX) }
    }

    /// A stamp, by what has it; all that nothing has are one.
    fn stamp(&self, stamp: &EcoString) -> Option<usize> {
        self.stamps.get(stamp).copied()
    }

    fn row(&mut self, row: &Row) -> String {
        let recorded = Recorded { token: None, stamp: EcoString::new(), ..row.recorded.clone() };
        let token = row.recorded.token.as_ref().map(|token| self.token(token));
        let stamp = self.stamp(&row.recorded.stamp);
        let row = Row { key: self.key(&row.key), recorded, ..row.clone() };
        format!("{row:?} {token:?} {stamp:?}\n")
    }

    fn intent(&mut self, intent: &Intent) -> String {
        let row = self.row(&intent.row);
        let before = intent.before.as_ref().map(|before| self.stamp(before));
        let token = self.token(&intent.token);
        let moved = intent.moved.as_ref().map(|key| self.key(key));
        format!("{:?} {row} {before:?} {token} {moved:?}\n", intent.operation)
    }
}

fn text(inner: &Inner, objects: &BTreeMap<At, Object>, ledger: &Snapshot) -> String {
    let mut names = Names::default();
    let intents = ledger.intents.values();
    let moved = intents.clone().filter_map(|intent| intent.moved.as_ref());
    for key in ledger.rows.keys().chain(intents.clone().map(|intent| &intent.row.key)).chain(moved) {
        names.incarnations.entry(key.id.clone()).or_default().insert(key.incarnation);
    }
    for (number, object) in objects.values().enumerate() {
        names.stamps.insert(object.stamp(), number);
    }
    let mut text = String::new();
    for (at, object) in objects {
        let Object { kind, value, extra, shape, mark, maker, revision: _ } = object;
        let mut known = |mark: &Option<crate::handler::Mark>| {
            mark.as_ref().map(|mark| (mark.lineage == ledger.lineage, names.token(&mark.token)))
        };
        let marks = (known(mark), known(maker));
        text.push_str(&format!("{at:?} {kind} {value} {extra} {shape} {marks:?}\n"));
    }
    for row in ledger.rows.values() {
        text.push_str(&names.row(row));
    }
    for intent in intents {
        text.push_str(&names.intent(intent));
    }
    for generation in &ledger.generations {
        let generation = crate::state::Generation {
            started: Timestamp::default(),
            finished: generation.finished.map(|_| Timestamp::default()),
            ..generation.clone()
        };
        text.push_str(&format!("{generation:?}\n"));
    }
    // Whether a target knows of a later run than the ledger says it does.
    let identities: BTreeSet<&EcoString> =
        inner.fences.keys().map(|(identity, _)| identity).chain(ledger.greeted.keys()).collect();
    for identity in identities {
        let at = (identity.clone(), ledger.lineage.clone());
        let fence = inner.fences.get(&at).map(|(_, fence)| fence);
        let greeted = ledger.greeted.get(identity).copied();
        let is_known = fence.map(|fence| ledger.epochs.get(&fence.epoch) == Some(&fence.nonce));
        let order = fence.zip(greeted).map(|(fence, greeted)| fence.epoch.cmp(&greeted));
        let suspect = greeted == Some(crate::state::SUSPECT);
        text.push_str(&eco_format!("{identity} {is_known:?} {order:?} {suspect}\n"));
    }
    text
}
