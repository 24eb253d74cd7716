//! The trait, and what passes through it.

use std::fmt;
use std::time::Duration;

use ecow::EcoString;
use serde::{Deserialize, Serialize};

use crate::graph::{GraphValue, Node};

use super::{Mark, Session, Token};

/// One kind of thing that can be deployed.
///
/// Pure methods are also called by `gops check` and by the editor: they touch no disk and no
/// network. The others get a batch for one target; they answer in the order of the batch, one
/// answer for each request.
pub trait Handler: Send + Sync {
    /// What a resource's type names in `handled by "…"`.
    fn name(&self) -> &'static str;

    /// The version of what it records. A newer handler reads what an older one recorded.
    fn version(&self) -> u32;

    /// Pure: what is wrong with the fields of a node.
    fn validate(&self, node: &Node) -> Vec<Problem>;

    /// Pure: what the node holds on its target, and nobody else may: `path:/etc/motd`.
    fn claims(&self, node: &Node) -> Vec<EcoString>;

    /// Pure: what the node builds on, by the claims of those who provide it.
    fn needs(&self, node: &Node) -> Vec<Need>;

    /// Pure: what is wrong with a node, what it holds and what it builds on, in one: for a handler
    /// that takes the same look at the fields for each.
    fn examine(&self, node: &Node) -> Examined {
        Examined {
            problems: self.validate(node),
            claims: self.claims(node),
            shares: Vec::new(),
            needs: self.needs(node),
        }
    }

    /// Pure: whether a close look at a thing of this type that asks for its entries is told what is
    /// in it: `entries` among what is seen, a list of claims.
    fn lists(&self, _kind: &str) -> bool {
        false
    }

    /// Pure: the files of the project whose bytes are deployed, by path, with their SHA-256 in hex.
    fn sources(&self, _node: &Node) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Pure: the claims of what would hold something with this claim inside itself: for a path
    /// its folders. What holds something is not taken away before that.
    fn within(&self, _claim: &str) -> Vec<EcoString> {
        Vec::new()
    }

    /// Pure: whether what lies within a thing of this type is gone with it, as with a machine or
    /// a namespace. Else what lies within is taken away first, as with a directory.
    fn sweeps(&self, _kind: &str) -> bool {
        false
    }

    /// Pure: whether [`Handler::apply`] brings a thing of this type to another place, where what
    /// is recorded names the one and the node the other, in one step: the object is the same.
    fn relocates(&self, _kind: &str) -> bool {
        false
    }

    /// Pure: with which rights something is done on its target, if it says so itself; else the target
    /// says it.
    fn rights(&self, _thing: Thing<'_>) -> Option<Rights> {
        None
    }

    /// Pure: what the ledger keeps of the node's fields, as JSON: enough to find the object and to
    /// compare with it, large values by digest, secrets by keyed hash.
    fn remember(&self, node: &Node) -> EcoString;

    /// What is there.
    fn observe(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Result<Seen, Fault>>;

    /// Pure: what has to change, field by field. Null is not managed; what was last applied and
    /// is null now is cleared where that means something.
    fn diff(&self, node: &Node, last: Option<&Recorded>, actual: &Actual) -> Diff;

    /// Pure: what a change of a field costs whose values are not known yet.
    fn cost(&self, _kind: &str, _field: &str) -> Cost {
        Cost::Live
    }

    /// Pure: whether things of this type consist of parts.
    fn is_compound(&self, _kind: &str) -> bool {
        false
    }

    /// Pure: the parts that a node consists of, its inputs known. `None` if that cannot be said:
    /// then the parts that there are stay.
    fn expand(&self, _node: &Node) -> Option<Vec<Part>> {
        None
    }

    /// What is recorded once an update may have happened in part: what has to be cleared later is
    /// all that was applied last and all that was to be.
    fn merge(&self, last: &Recorded, _intended: &Recorded) -> EcoString {
        last.fields.clone()
    }

    /// Everything on a target that carries a mark of gops; `None` where a target cannot be
    /// searched for marks.
    fn marked(&self, _session: &Session<'_>) -> Option<Result<Vec<Found>, Fault>> {
        None
    }

    /// Pure: whether what was found as something of one type may have been made as one of another.
    fn may_be(&self, found: &str, kind: &str) -> bool {
        found == kind
    }

    /// Makes things, or changes them. Idempotent: the same request with the same token, after
    /// any crash, ends in the same state.
    fn apply(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>>;

    /// Takes things away. What is gone already is done.
    fn delete(&self, session: &Session<'_>, batch: &[Delete<'_>]) -> Vec<Effect<Done>>;

    /// Clears what an interrupted effect may have left beside its object, such as a temporary
    /// file; never the object.
    fn discard(&self, _session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Result<(), Fault>> {
        batch.iter().map(|_| Ok(())).collect()
    }

    /// Whether things are not ready at once when they are applied, so that [`Handler::ready`] is
    /// asked before their users are touched.
    fn has_readiness(&self) -> bool {
        false
    }

    /// Whether things that were applied are ready for their users; asked again until they are.
    fn ready(&self, _session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Readiness> {
        batch.iter().map(|_| Readiness::Ready).collect()
    }

    /// How many requests one batch has at most on one target.
    fn concurrency(&self) -> usize;
}

/// Something as the model has it, or as the ledger does.
#[derive(Clone, Copy)]
pub enum Thing<'a> {
    /// What is wanted.
    Wanted(&'a Node),
    /// What was applied, or was to be.
    Known(&'a Recorded),
}

/// With which rights something is done on a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rights {
    /// Those of who logs in.
    #[default]
    Login,
    /// Those of root.
    Root,
}

impl Rights {
    /// As a model writes them.
    pub fn read(become_: &str) -> Option<Self> {
        match become_ {
            "none" => Some(Rights::Login),
            "sudo" => Some(Rights::Root),
            _ => None,
        }
    }
}

/// What a handler says of a node before anything is deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// See [`Handler::validate`].
    pub problems: Vec<Problem>,
    /// See [`Handler::claims`].
    pub claims: Vec<EcoString>,
    /// What the node uses together with others: what any number may share, and none of them may
    /// claim. Of a file with managed parts nobody manages the whole.
    pub shares: Vec<EcoString>,
    /// See [`Handler::needs`].
    pub needs: Vec<Need>,
}

/// What is wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, by its path: `path`.
    pub field: EcoString,
    /// What is wrong, in the style of diagnostics.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// What a node builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The claims that would do, the nearest first: the first of them that a node of the same
    /// target holds is the requirement. If nobody holds one, the target is expected to have it.
    pub any_of: Vec<EcoString>,
    /// `parent directory`.
    pub why: &'static str,
}

/// A part of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Names it within its node.
    pub name: EcoString,
    /// What it is: the fields of a node of the same type.
    pub fields: GraphValue,
}

/// Something with a mark, as a search finds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its mark.
    pub mark: Mark,
    /// The full path of its type.
    pub kind: EcoString,
    /// What it holds on its target.
    pub claims: Vec<EcoString>,
    /// What a row needs to know of it.
    pub recorded: Recorded,
}

/// What a handler wants to know of something the next time it sees it. All texts are the
/// handler's own; the ledger keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// What was last applied, as JSON, large values by digest.
    pub fields: EcoString,
    /// What tells cheaply that the object is as it was when it was last looked at; empty if
    /// nothing does.
    pub stamp: EcoString,
    /// What tells that a target which does not have the object could have it: for files, the
    /// file system.
    pub physical: EcoString,
    /// The token of the mark that the object has, if it can have one.
    pub token: Option<Token>,
    /// The outputs, as JSON.
    pub outputs: EcoString,
}

/// A request to look.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The full path of the type.
    pub kind: &'a str,
    /// What is wanted; `None` if it is to go, or if nothing but the stamp is asked for.
    pub node: Option<&'a Node>,
    /// What the ledger knows.
    pub recorded: Option<&'a Recorded>,
    /// What an effect that was interrupted would have made of it.
    pub intended: Option<&'a Recorded>,
    /// The token of that effect.
    pub token: Option<&'a Token>,
    /// Whether to look at the thing itself. Else its stamp is compared, which is what makes a
    /// run with nothing to do cheap, and what differs is looked at again.
    pub closely: bool,
    /// Whether to say what is in it, where [`Handler::lists`] it.
    pub entries: bool,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Seen {
    /// Certainly nothing: the target is the right one, and it could have it.
    Absent,
    /// Exactly what was recorded, by its stamp. Never the answer to a close look.
    AsRecorded,
    /// Something, and the stamp does not say what. Never the answer to a close look.
    Unsure,
    /// Something.
    Present(Box<Actual>),
}

/// Something that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Actual {
    /// Its fields, named as those of the node.
    #[serde(with = "super::canonical")]
    pub fields: GraphValue,
    /// Its mark.
    pub marked: Marked,
    /// Whether it is what was recorded, in what makes it up.
    pub as_recorded: bool,
    /// Whether it is what was intended.
    pub as_intended: bool,
    /// What an effect on it names as the state that it starts from; becomes the stamp if the
    /// object is found to be as wanted.
    pub stamp: EcoString,
    /// As in [`Recorded`].
    pub physical: EcoString,
}

/// What an object says about who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Marked {
    /// It has a mark.
    By(Mark),
    /// It could have a mark and has none.
    Not,
    /// It can have none.
    Cannot,
}

/// What a change costs, from cheap to dear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cost {
    /// In place, unnoticed.
    Live,
    /// In place, with an interruption.
    Restart,
    /// It is taken away and made again.
    Replace,
}

/// How people want to see a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shown {
    /// As it is.
    Plain,
    /// An integer in octal: a file's mode.
    Octal,
    /// A text whose lines are compared.
    Lines,
}

/// A field that has to change.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// The field.
    pub field: EcoString,
    /// What is there; `None` for nothing.
    pub from: Option<GraphValue>,
    /// What is wanted; `None` for nothing.
    pub to: Option<GraphValue>,
    /// What it costs.
    pub cost: Cost,
    /// How to show both.
    pub shown: Shown,
}

/// What has to change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// By field, in the order in which people read them.
    pub changes: Vec<FieldChange>,
}

impl Diff {
    /// What the whole costs; `None` if nothing changes.
    pub fn cost(&self) -> Option<Cost> {
        self.changes.iter().map(|c| c.cost).max()
    }
}

/// A request to make or change something.
#[derive(Clone, Copy)]
pub struct Apply<'a> {
    /// What is wanted; `None` only where leftovers are discarded of what is not wanted any more.
    pub node: Option<&'a Node>,
    /// The full path of the type.
    pub kind: &'a str,
    /// What the ledger knows.
    pub recorded: Option<&'a Recorded>,
    /// The stamp of what is there, from the last look; `None` for nothing. If something else is
    /// there now, there is no effect.
    pub before: Option<&'a str>,
    /// Names this effect.
    pub token: &'a Token,
    /// Whether what is made is marked: what was taken over is not.
    pub mark: bool,
}

/// A request to take something away.
#[derive(Clone, Copy)]
pub struct Delete<'a> {
    /// The full path of the type.
    pub kind: &'a str,
    /// What the ledger knows.
    pub recorded: &'a Recorded,
    /// The stamp of what is there, from the last look.
    pub before: &'a str,
    /// Names this effect.
    pub token: &'a Token,
}

/// How an effect ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect<T> {
    /// It happened, durably.
    Done(T),
    /// It certainly did not happen.
    NoEffect(Fault),
    /// It may have happened.
    Unknown(Fault),
}

/// It is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done;

/// Whether something can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Not yet; ask again after this time.
    Wait(Duration),
    /// It never will.
    Failed(Fault),
}

/// Why a target did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What happened, in the style of diagnostics.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether it may well go away by itself, soon: then the engine tries again.
    pub passing: bool,
}

impl Fault {
    /// A fault of which nothing more is to be said.
    pub fn new(message: impl Into<String>) -> Self {
        Fault { message: message.into(), help: None, passing: false }
    }

    /// It may well go away by itself, soon.
    pub fn again(mut self) -> Self {
        self.passing = true;
        self
    }

    /// Says what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
