//! The open intents of a ledger, by what they are about: after a large deploy that did not end there
//! are as many of them as resources, and each resource asks.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::handler::Token;
use crate::state::{Intent, Operation, RowKey, Snapshot};

/// The open intents of a ledger, by what they are about.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Intents {
    /// By row the first intent that makes or changes it.
    making: FxHashMap<RowKey, u64>,
    /// All rows that an intent names, those that something leaves among them.
    concerned: FxHashSet<RowKey>,
    tokens: FxHashSet<Token>,
}

impl Intents {
    /// Those of a ledger, gone through once.
    pub(in crate::deploy) fn of(ledger: &Snapshot) -> Self {
        let mut intents = Intents::default();
        for (number, intent) in &ledger.intents {
            if intent.operation != Operation::Delete {
                intents.making.entry(intent.row.key.clone()).or_insert(*number);
            }
            intents.concerned.extend(std::iter::once(&intent.row.key).chain(&intent.moved).cloned());
            intents.tokens.insert(intent.token.clone());
        }
        intents
    }

    /// The open intent that would make something of a row.
    pub(in crate::deploy) fn making<'a>(&self, ledger: &'a Snapshot, key: &RowKey) -> Option<&'a Intent> {
        ledger.intents.get(self.making.get(key)?)
    }

    /// Whether an intent is about a row.
    pub(in crate::deploy) fn concern(&self, key: &RowKey) -> bool {
        self.concerned.contains(key)
    }

    /// Whether one of them has this token.
    pub(in crate::deploy) fn has(&self, token: &Token) -> bool {
        self.tokens.contains(token)
    }
}
