//! What a ledger says: rows, intents, generations, and the changes that a commit makes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ecow::EcoString;

use crate::handler::{Recorded, Timestamp, Token};

use super::{Rows, StoreError};

/// Declares an enum that a ledger stores by name.
macro_rules! stored {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// How the ledger writes it.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// Reads what the ledger wrote.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

stored! {
    /// How a resource came to be ours.
    Holding {
        /// gops made it: it is deleted when it is no longer wanted.
        Made = "made",
        /// It was there and was taken over: it is released, never deleted.
        Adopted = "adopted",
    }
}

stored! {
    /// How sure we are of a row.
    Condition {
        /// As it should be.
        Ok = "ok",
        /// It may be ours or not: updated, never deleted.
        Doubt = "doubt",
        /// Another incarnation takes its place: deleted once that is made.
        Deposed = "deposed",
        /// No longer wanted, and protected.
        Retained = "retained",
    }
}

stored! {
    /// What an intent is about to do.
    Operation {
        /// Make what is not there.
        Create = "create",
        /// Change what is there.
        Update = "update",
        /// Take over what is there and was not ours.
        Adopt = "adopt",
        /// Bring what is there to another place.
        Move = "move",
        /// Take away what is there.
        Delete = "delete",
    }
}

stored! {
    /// Why a row leaves the ledger.
    End {
        /// It was seen not to be there any more.
        Gone = "gone",
        /// It stays where it is and is no longer ours.
        Released = "released",
        /// The same object goes on under another id.
        HandedOver = "handed over",
        /// The same object goes on in another place, under another id.
        Moved = "moved",
        /// Somebody else's object stands in its place.
        Replaced = "replaced by another",
        /// What it was in is gone, and it with it.
        Within = "gone with what held it",
        /// Its target is no more.
        Retired = "retired",
        /// An operator said so.
        Forgotten = "forgotten",
    }
}

stored! {
    /// How an intent was closed.
    Closed {
        /// The effect happened.
        Done = "done",
        /// The effect certainly did not happen.
        NoEffect = "no effect",
    }
}

/// Names a row: a resource may have an incarnation that goes and one that comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// The id of the resource.
    pub id: EcoString,
    /// Counts from 1.
    pub incarnation: u32,
}

/// Where a row's object is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The id of the target: `local`, or the id of a host.
    pub target: EcoString,
    /// What the target said that it is when the object was made. The same id with another
    /// identity is another machine.
    pub identity: EcoString,
    /// How to reach it: the fields of the target as JSON; empty for the machine that deploys.
    pub reach: EcoString,
}

/// One thing that gops made or took over, with all that is needed to delete it without the
/// graph it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which resource, and which incarnation of it.
    pub key: RowKey,
    /// Made or adopted.
    pub holding: Holding,
    /// How sure we are.
    pub condition: Condition,
    /// The full path of its type.
    pub kind: EcoString,
    /// The name of the handler.
    pub handler: EcoString,
    /// The version of what the handler recorded.
    pub handler_version: u32,
    /// Where it is.
    pub place: Place,
    /// What it holds on its target: `path:/etc/motd`.
    pub claims: Box<[EcoString]>,
    /// Digest of the fields that were last applied; empty if that is not sure.
    pub digest: EcoString,
    /// What the handler wants to know the next time.
    pub recorded: Recorded,
    /// The ids of the resources that it uses.
    pub requires: Box<[EcoString]>,
    /// Not deleted while this says so.
    pub protect: bool,
    /// Released, not deleted, when it is no longer wanted.
    pub keep: bool,
    /// The generation that last changed it.
    pub generation: u64,
    /// Whether its users may rely on it: false from its effect on until its handler says so.
    pub ready: bool,
}

/// An effect that is about to happen, written down before it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Counts up within the ledger.
    pub number: u64,
    /// The lock under which it was made.
    pub epoch: u64,
    /// What will be done.
    pub operation: Operation,
    /// The row as it will be; for a deletion as it is.
    pub row: Row,
    /// What was there when it was planned; `None` for nothing.
    pub before: Option<EcoString>,
    /// What marks the object if the effect happens.
    pub token: Token,
    /// The row that the object leaves, if it goes on in another place under another id.
    pub moved: Option<RowKey>,
    /// When it is given up. Where nothing else keeps late effects out, none lands after that.
    pub deadline: Timestamp,
}

/// One deploy: what was to exist, from which sources, and whether it was finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// Counts from 1.
    pub number: u64,
    /// The Git revision, with `+` if a file differed from it; empty outside Git.
    pub revision: EcoString,
    /// The digest of what is to exist.
    pub desired: EcoString,
    /// The graph, as canonical JSON. Left out where a snapshot is loaded.
    pub graph: Option<Box<str>>,
    /// When it was started: when the change was committed.
    pub started: Timestamp,
    /// When everything in it was done.
    pub finished: Option<Timestamp>,
    /// How many rows were in scope when it was started: what a guard's percentage is of.
    pub rows: u64,
    /// How many of them were deleted, replaced or moved to another place since.
    pub removed: u64,
    /// The numbers of the generations that it was compiled with, the newest finished one first; 0
    /// stands for nothing.
    pub history: Vec<u64>,
    /// The digest of the data that it was compiled from, where the model asks what became of that.
    pub data: EcoString,
    /// What evaluation read, by path. Left out where a snapshot is loaded.
    pub files: Vec<(EcoString, Arc<[u8]>)>,
    /// Who started it: `alice@box`; empty if an older gops did.
    pub author: EcoString,
    /// Why, if not because the sources are so: `rollback to generation 3`.
    pub cause: EcoString,
}

/// What a commit changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An effect is about to happen.
    Open(Intent),
    /// An effect happened, or certainly did not.
    Close {
        /// The intent.
        number: u64,
        /// Which of the two.
        outcome: Closed,
        /// How we know.
        evidence: EcoString,
    },
    /// A row is new or changed.
    Put(Row),
    /// What the handler saw is remembered, so that it need not look so closely again. Not in
    /// the journal: it says nothing that anybody would ask about.
    Refresh {
        /// The row.
        key: RowKey,
        /// The new stamp.
        stamp: EcoString,
    },
    /// A row goes.
    Drop {
        /// The row.
        key: RowKey,
        /// Why.
        end: End,
        /// How we know.
        evidence: EcoString,
    },
    /// A generation is started.
    Start(Generation),
    /// A target has accepted this run's epoch, and no lower one since.
    Greeted {
        /// What the target is.
        identity: EcoString,
    },
    /// A target is new, or knows less than the ledger does: until it is greeted, after a search for
    /// what is on it, it may name any earlier run.
    Suspect {
        /// What the target is.
        identity: EcoString,
    },
    /// So many rows more were taken away for a generation.
    Removed {
        /// The generation.
        number: u64,
        /// How many.
        rows: u64,
    },
    /// Everything in a generation is done.
    Finish {
        /// The generation.
        number: u64,
    },
}

impl Change {
    /// The number of the intent that it opens.
    pub fn opens(&self) -> Option<u64> {
        match self {
            Change::Open(intent) => Some(intent.number),
            _ => None,
        }
    }
}

/// Where a ledger is at: a commit names what it was computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// One more with each commit.
    pub serial: u64,
    /// One more each time the lock is taken.
    pub epoch: u64,
}

impl Revision {
    /// Refuses a commit that was computed from another revision than this one.
    pub(super) fn admit(self, at: Revision) -> Result<(), StoreError> {
        if self.epoch != at.epoch {
            return Err(StoreError::Fenced { ours: at.epoch, found: self.epoch });
        }
        if self.serial != at.serial {
            return Err(StoreError::Changed { expected: at.serial, found: self.serial });
        }
        Ok(())
    }
}

/// The epoch that stands for a target of which nothing is sure: no target has accepted it.
pub const SUSPECT: u64 = u64::MAX;

/// All of a ledger but its journal and the graphs of its generations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Random, made once with the ledger.
    pub lineage: EcoString,
    /// Where the ledger was at when this was loaded.
    pub revision: Revision,
    /// By id and incarnation.
    pub rows: Rows,
    /// Open intents, by number.
    pub intents: BTreeMap<u64, Intent>,
    /// By number.
    pub generations: Vec<Generation>,
    /// The number that the next intent has at least.
    pub next_intent: u64,
    /// What tells each lock that was taken from one of a copied ledger with the same number. A
    /// target that names another pair than these was used with a ledger that is not this one.
    pub epochs: BTreeMap<u64, Token>,
    /// By identity of a target the last epoch that it accepted.
    pub greeted: BTreeMap<EcoString, u64>,
}

impl Snapshot {
    /// Whether a target of which nothing is sure, and which last accepted a run of this number, can have
    /// been used with this ledger alone: with that run, or with one so early that it is forgotten.
    pub fn may_have_had(&self, epoch: u64, nonce: &Token) -> bool {
        let is_forgotten = || self.epochs.keys().next().is_some_and(|oldest| epoch < *oldest);
        self.epochs.get(&epoch) == Some(nonce) || is_forgotten()
    }

    /// All incarnations of a resource, the oldest first.
    pub fn rows_of<'a>(&'a self, id: &'a EcoString) -> impl Iterator<Item = &'a Row> {
        let key = |incarnation| RowKey { id: id.clone(), incarnation };
        self.rows.range(key(0)..=key(u32::MAX)).map(|(_, row)| row)
    }

    /// Makes the changes of a commit, as a store does. Every store is held to this by the
    /// conformance suite, and the engine keeps its own copy of the ledger with it.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>, now: Timestamp) {
        for change in changes {
            self.apply_one(change, now);
        }
    }

    fn apply_one(&mut self, change: Change, now: Timestamp) {
        match change {
            Change::Open(intent) => {
                self.next_intent = self.next_intent.max(intent.number + 1);
                self.intents.insert(intent.number, intent);
            }
            Change::Close { number, .. } => {
                self.intents.remove(&number);
            }
            Change::Put(row) => {
                self.rows.insert(row);
            }
            Change::Refresh { key, stamp } => {
                if let Some(row) = self.rows.get_mut(&key) {
                    row.recorded.stamp = stamp;
                }
            }
            Change::Drop { key, .. } => {
                self.rows.remove(&key);
            }
            Change::Start(generation) => {
                let started = Generation { graph: None, files: Vec::new(), started: now, ..generation };
                self.generations.push(started);
            }
            Change::Greeted { identity } => {
                self.greeted.insert(identity, self.revision.epoch);
                // A target of which nothing is sure may name any of them.
                let oldest = match self.greeted.values().any(|epoch| *epoch == SUSPECT) {
                    true => 0,
                    false => self.greeted.values().copied().min().unwrap_or(0),
                };
                self.epochs.retain(|epoch, _| *epoch >= oldest);
            }
            Change::Suspect { identity } => {
                self.greeted.insert(identity, SUSPECT);
            }
            Change::Removed { number, rows } => {
                for generation in self.generations.iter_mut().filter(|g| g.number == number) {
                    generation.removed += rows;
                }
            }
            Change::Finish { number } => {
                for generation in &mut self.generations {
                    if generation.number == number {
                        generation.finished = Some(now);
                    }
                }
            }
        }
    }
}
