//! What happens in one simulated life, as data: made from a seed, shrunk, written down, replayed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A life: what is wanted, turn by turn, and what goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The turns, in order. What the last one wants is what has to be there in the end.
    pub turns: Vec<Turn>,
    /// Targets without an agent: they keep no earlier run out, and what is under way to them lands by its
    /// deadline or never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loose: Vec<u8>,
}

/// One run of the deployer, and what comes before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Turn {
    /// What happens since the last run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Happens>,
    /// What the project says.
    pub wanted: Vec<Spec>,
    /// What goes wrong.
    #[serde(skip_serializing_if = "Faults::is_none")]
    pub faults: Faults,
}

/// Something that a project says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spec {
    /// Its name is a number; what has the same name and type is the same.
    pub name: u8,
    /// Its type.
    pub kind: Kind,
    /// The number of its target.
    #[serde(skip_serializing_if = "is_default")]
    pub target: u8,
    /// Three fields, of which the last makes it anew.
    #[serde(skip_serializing_if = "is_default")]
    pub value: u8,
    #[serde(skip_serializing_if = "is_default")]
    #[allow(missing_docs)]
    pub extra: u8,
    #[serde(skip_serializing_if = "is_default")]
    #[allow(missing_docs)]
    pub shape: u8,
    /// Where a floating one is.
    #[serde(skip_serializing_if = "is_default")]
    pub slot: u8,
    /// The box that it is in, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub inside: Option<u8>,
    /// What must be there first, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub requires: Vec<u8>,
    /// The one whose output is its value, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub input: Option<u8>,
    /// That is its shape instead: another output makes it anew.
    #[serde(skip_serializing_if = "is_default")]
    pub deep: bool,
    /// The parts of a crowd.
    #[serde(skip_serializing_if = "is_default")]
    pub parts: Vec<u8>,
    /// It is there while this one is taken down or changed over.
    #[serde(skip_serializing_if = "is_default")]
    pub until: Option<u8>,
    /// The name that it had before, if it was moved.
    #[serde(skip_serializing_if = "is_default")]
    pub was: Option<u8>,
    #[serde(skip_serializing_if = "is_default")]
    #[allow(missing_docs)]
    pub protect: bool,
    #[serde(skip_serializing_if = "is_default")]
    #[allow(missing_docs)]
    pub keep: bool,
    #[serde(skip_serializing_if = "is_default")]
    #[allow(missing_docs)]
    pub adopt: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The types of the fake handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Kind {
    #[default]
    Thing,
    Bare,
    Floating,
    Box,
    Crowd,
}

/// What happens between two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Happens {
    /// Effects that were under way land now.
    Land,
    /// Somebody else does something.
    Hand(Hand),
    /// A target is restored from what it was before this turn.
    RestoreTarget(u8, usize),
    /// Somebody deploys with the ledger as it was before this turn.
    OldLedger(usize),
    /// Somebody deploys with an empty ledger.
    LostLedger,
    /// Somebody only looks.
    Plan,
    /// The ledger is lost, or a copy of it is put in its place, and it is brought up to date from the
    /// marks on the targets.
    Recover(Loss),
}

/// How a ledger is lost, and got back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Loss {
    /// There is a copy of what it was before this turn.
    #[serde(skip_serializing_if = "is_default")]
    pub copy: Option<usize>,
    /// Targets that do not answer at first, so that it has to be asked for twice.
    #[serde(skip_serializing_if = "is_default")]
    pub down: Vec<u8>,
    /// Targets that answer and whose things are not mounted at first.
    #[serde(skip_serializing_if = "is_default")]
    pub unmounted: Vec<u8>,
}

/// What somebody else does, on a target, where something of this name and type would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hand {
    /// The number of the target.
    pub target: u8,
    /// The claim.
    pub claim: String,
    /// What is done.
    pub does: Does,
}

/// What somebody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Does {
    /// Changes what is there.
    Edit,
    /// Puts something else there.
    Put,
    /// Puts something there that another project made.
    Mark,
    /// Takes it away.
    Remove,
}

/// What goes wrong in a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    /// In which order things happen that may happen in any; 0 for one after the other.
    #[serde(skip_serializing_if = "is_default")]
    pub schedule: u64,
    /// The deployer dies after so many steps of the engine.
    #[serde(skip_serializing_if = "is_default")]
    pub crash: Option<u32>,
    /// The deployer dies after so many effects, between two of a batch.
    #[serde(skip_serializing_if = "is_default")]
    pub dies: Option<u32>,
    /// A commit, by its number, fails: with `true` it is durable all the same.
    #[serde(skip_serializing_if = "is_default")]
    pub store: Option<(u32, bool)>,
    /// Effects that go wrong, by number.
    #[serde(skip_serializing_if = "is_default")]
    pub mishaps: BTreeMap<u32, Goes>,
    /// What somebody else does just before an effect, by its number.
    #[serde(skip_serializing_if = "is_default")]
    pub meanwhile: BTreeMap<u32, Hand>,
    /// Targets that do not answer.
    #[serde(skip_serializing_if = "is_default")]
    pub down: Vec<u8>,
    /// Targets at whose address another machine answers.
    #[serde(skip_serializing_if = "is_default")]
    pub impostors: Vec<u8>,
    /// Targets whose things are not mounted.
    #[serde(skip_serializing_if = "is_default")]
    pub unmounted: Vec<u8>,
    /// Things that do not become ready, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub unready: Vec<u8>,
    /// Those of which nobody can say what parts they consist of, by name.
    #[serde(skip_serializing_if = "is_default")]
    pub folded: Vec<u8>,
    /// The run is for these names alone.
    #[serde(skip_serializing_if = "is_default")]
    pub only: Option<Vec<u8>>,
    /// The run is for this target alone.
    #[serde(skip_serializing_if = "is_default")]
    pub target: Option<u8>,
    /// The deployer is paused after so many steps of the engine; its lease runs out, another one
    /// deploys, and then it goes on.
    #[serde(skip_serializing_if = "is_default")]
    pub pause: Option<u32>,
}

/// How an effect goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Goes {
    NoEffect,
    Again,
    LostAnswer,
    LostAnswerAgain,
    LostRequest,
    Late,
    Half,
}

impl Faults {
    /// Whether nothing goes wrong.
    pub fn is_none(&self) -> bool {
        *self == Faults::default()
    }
}

impl Case {
    /// What it is as one line.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Case::text`] wrote.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }
}
