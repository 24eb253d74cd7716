//! What is to be done, as a value: everything that is needed to show it and to do it.

use std::fmt;
use std::sync::Arc;

use ecow::EcoString;

use crate::graph::{Digest, GraphValue, Node, Origin, SealedNode};
use crate::handler::{Cost, Fault, FieldChange};
use crate::state::{Revision, RowKey};

/// What a deploy does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One for each resource to which something happens or of which something is to be said:
    /// deletions first, then replacements, updates, creations, then what is only said; within
    /// each by id.
    pub entries: Vec<Entry>,
    /// How many resources are as they should be.
    pub unchanged: usize,
    /// What is to be said of the whole, a line each.
    pub notes: Vec<String>,
    /// Where the ledger was at.
    pub revision: Revision,
    /// The digest of what is to exist.
    pub desired: Digest,
    /// What is done for the entries, in an order of which `after` is the essence.
    pub(in crate::deploy) steps: Vec<Step>,
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id, with the full path of its type.
    pub id: EcoString,
    /// The full path of its type.
    pub kind: EcoString,
    /// The id of its target.
    pub target: EcoString,
    /// What happens.
    pub action: Action,
    /// What in the sources it comes from; for a deletion, what it came from, if that is known.
    pub origin: Option<Origin>,
    /// Why it is not done, if it is not.
    pub blocked: Option<Cause>,
}

/// What happens to a resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// It is taken away.
    Delete {
        /// The resource that takes its place, if it goes for that.
        for_: Option<EcoString>,
    },
    /// It goes with what it is in.
    Goes {
        /// What that is.
        with: EcoString,
    },
    /// It is taken away and made again, or the other way round.
    Replace {
        /// What differs.
        changes: Vec<FieldChange>,
        /// The id that it had, if it had another one.
        was: Option<EcoString>,
        /// Whether the old one is left where it is.
        keeps: bool,
    },
    /// It is changed.
    Update {
        /// What differs; may be nothing if only the id changes.
        changes: Vec<FieldChange>,
        /// What the whole costs.
        cost: Cost,
        /// The id that it had, if that changes.
        was: Option<EcoString>,
    },
    /// It was there and is taken over.
    Adopt {
        /// What differs.
        changes: Vec<FieldChange>,
    },
    /// It is made.
    Create {
        /// What is made.
        what: Made,
        /// Whether it was made before and is gone.
        again: bool,
    },
    /// What it consists of is not known yet; it is blocked by that.
    Expand,
    /// It is made for as long as something is taken down or changed over, and goes after that.
    Transient {
        /// Its fields.
        fields: GraphValue,
    },
    /// It was made before, and was not ready then: it is asked again.
    Await,
    /// It stays where it is, and is no longer ours.
    Release {
        /// Why.
        why: Released,
    },
    /// It is gone already; the ledger forgets it.
    Forget,
    /// It is no longer wanted and stays.
    Keep {
        /// Why.
        why: Kept,
    },
    /// It differs from what is wanted, and that is only reported.
    Report {
        /// What differs.
        changes: Vec<FieldChange>,
    },
    /// Nothing can be done.
    Refuse {
        /// Why, and what to do about it.
        fault: Fault,
    },
}

impl Action {
    /// The place of the action in a plan.
    pub(in crate::deploy) fn rank(&self) -> u8 {
        match self {
            Action::Delete { .. } | Action::Goes { .. } => 0,
            Action::Replace { .. } => 1,
            Action::Adopt { .. } => 2,
            Action::Update { .. } => 3,
            Action::Create { .. } => 4,
            Action::Transient { .. } => 5,
            Action::Expand => 6,
            Action::Await => 7,
            Action::Release { .. } => 8,
            Action::Forget => 9,
            Action::Keep { .. } => 10,
            Action::Report { .. } => 11,
            Action::Refuse { .. } => 12,
        }
    }

    /// In one word: for scripts.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Delete { .. } | Action::Goes { .. } => "delete",
            Action::Replace { .. } => "replace",
            Action::Update { .. } => "update",
            Action::Adopt { .. } => "adopt",
            Action::Create { .. } => "create",
            Action::Expand => "expand",
            Action::Transient { .. } => "transient",
            Action::Release { .. } => "release",
            Action::Forget => "forget",
            Action::Keep { .. } => "keep",
            Action::Await => "await",
            Action::Report { .. } => "report",
            Action::Refuse { .. } => "refuse",
        }
    }

    /// What differs, field by field.
    pub fn changes(&self) -> &[FieldChange] {
        match self {
            Action::Replace { changes, .. }
            | Action::Update { changes, .. }
            | Action::Adopt { changes }
            | Action::Report { changes } => changes,
            _ => &[],
        }
    }

    /// Whether it is about something that is not wanted, or not any more.
    pub(in crate::deploy) fn leaves(&self) -> bool {
        matches!(
            self,
            Action::Delete { .. }
                | Action::Goes { .. }
                | Action::Release { .. }
                | Action::Forget
                | Action::Keep { .. }
        )
    }

    /// Whether anything is done: on a target, or in the ledger.
    pub fn is_work(&self) -> bool {
        !matches!(self, Action::Keep { .. } | Action::Report { .. } | Action::Refuse { .. })
    }
}

/// What is made. There may be a hundred thousand of them in a plan, so what the graph says is not said
/// once more.
#[derive(Clone, Debug)]
pub enum Made {
    /// What the graph has, which need not be read until somebody asks.
    Sealed(Arc<SealedNode>),
    /// More is known of it than the graph says.
    Known(Arc<Node>),
}

impl Made {
    /// Its fields.
    pub fn fields(&self) -> GraphValue {
        match self {
            Made::Sealed(sealed) => sealed.read().map(|node| node.fields).unwrap_or(GraphValue::Null),
            Made::Known(node) => node.fields.clone(),
        }
    }
}

impl PartialEq for Made {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Made::Sealed(one), Made::Sealed(other)) => one.id == other.id && one.hash == other.hash,
            (Made::Known(one), Made::Known(other)) => one == other,
            _ => false,
        }
    }
}

/// Why something is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It was taken over, not made.
    Adopted,
    /// The model said `keep`.
    Keep,
    /// Somebody else's object stands in its place.
    Replaced,
}

/// Why something that is not wanted stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The model said `protect`.
    Protected,
    /// Nobody knows whether it is ours.
    Doubt,
    /// It holds this, which is wanted.
    Holds(EcoString),
    /// It is in this, and nobody would keep that for it once it is forgotten.
    Inside(EcoString),
    /// It is a part of this, of which nobody knows yet what it consists of.
    Folded(EcoString),
    /// It could not be seen.
    Unseen(Fault),
}

/// Why something is not done: because of something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The resource that it comes from.
    pub id: EcoString,
    /// What is the matter with that.
    pub what: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.what)
    }
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Made.
    pub create: usize,
    /// Changed, taken over among them.
    pub update: usize,
    /// Taken away and made again.
    pub replace: usize,
    /// Taken away.
    pub delete: usize,
    /// Made for the change-over, and taken away after it.
    pub transient: usize,
    /// Left where they are, no longer ours, or forgotten.
    pub release: usize,
    /// Not wanted, and staying.
    pub keep: usize,
    /// Not to be done.
    pub refuse: usize,
    /// As they should be.
    pub unchanged: usize,
}

impl Plan {
    /// The plan that says nothing.
    pub(in crate::deploy) fn empty(revision: Revision, desired: Digest) -> Self {
        Plan { entries: Vec::new(), unchanged: 0, notes: Vec::new(), revision, desired, steps: Vec::new() }
    }

    /// Whether a deploy would do something.
    pub fn has_work(&self) -> bool {
        self.entries.iter().any(|e| e.action.is_work() && e.blocked.is_none())
    }

    /// Whether everything that is wanted can be done.
    pub fn is_whole(&self) -> bool {
        self.entries.iter().all(|e| e.blocked.is_none() && !e.is_refused())
    }

    /// How many of each.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { unchanged: self.unchanged, ..Totals::default() };
        for entry in &self.entries {
            let count = match &entry.action {
                _ if entry.blocked.is_some() => &mut totals.refuse,
                Action::Delete { .. } | Action::Goes { .. } => &mut totals.delete,
                Action::Replace { .. } => &mut totals.replace,
                Action::Update { .. } | Action::Adopt { .. } => &mut totals.update,
                Action::Create { .. } | Action::Expand => &mut totals.create,
                Action::Transient { .. } => &mut totals.transient,
                Action::Await => &mut totals.unchanged,
                Action::Release { .. } | Action::Forget => &mut totals.release,
                Action::Keep { .. } | Action::Report { .. } => &mut totals.keep,
                Action::Refuse { .. } => &mut totals.refuse,
            };
            *count += 1;
        }
        totals
    }
}

impl Entry {
    /// Whether something is wrong with the resource itself.
    pub fn is_refused(&self) -> bool {
        matches!(&self.action, Action::Refuse { .. } | Action::Keep { why: Kept::Unseen(_) })
    }
}

/// What is done at once for an entry.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::deploy) struct Step {
    /// The entry that it is for.
    pub entry: usize,
    /// What is done.
    pub what: What,
    /// The steps that come before, by number.
    pub after: Vec<usize>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::deploy) enum What {
    /// Makes or changes what is wanted.
    Make {
        /// The subject, by number.
        subject: usize,
        /// As what the intent is written down.
        operation: crate::state::Operation,
        /// The row as it will be, all but what the handler records.
        key: RowKey,
        /// The stamp of what is there.
        before: Option<EcoString>,
        /// The row that the object leaves, if it is brought here from another place.
        from: Option<RowKey>,
    },
    /// Asks whether what was made before is ready by now.
    Ask {
        /// The subject, by number.
        subject: usize,
        /// The row.
        key: RowKey,
    },
    /// Takes away what a row stands for.
    Unmake {
        /// The subject, by number.
        subject: usize,
        /// The row.
        key: RowKey,
        /// The stamp of what is there; `None` for what this plan makes first.
        before: Option<EcoString>,
    },
}

impl What {
    /// Whether it takes something away.
    pub(in crate::deploy) fn unmakes(&self) -> bool {
        matches!(self, What::Unmake { .. })
    }

    /// Whether it makes place where something was: by taking it away, or by bringing it elsewhere.
    pub(in crate::deploy) fn leaves(&self) -> bool {
        match self {
            What::Unmake { .. } => true,
            What::Make { from, .. } => from.is_some(),
            What::Ask { .. } => false,
        }
    }
}
