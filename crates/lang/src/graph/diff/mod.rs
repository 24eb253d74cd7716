//! What differs between two graphs.

mod changes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ecow::EcoString;

pub use changes::{Change, Path, Step, changes, patch};

use super::node::{Node, State, Target};
use super::read::ReadError;
use super::sealed::{GraphBuilder, Move};
use super::value::GraphValue;
use super::{Graph, GraphError};

/// What happens to an object, as a reviewer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It is to exist, and was not.
    Created,
    /// It was to exist, and is not.
    Deleted,
    /// It exists on both sides, and something of what is to be differs.
    Changed,
    /// It goes under another id, with or without changes.
    Moved,
    /// Only what says nothing of what is to be differs: origins, reasons, or how an object that
    /// exists on neither side is explained.
    Quiet,
}

/// A node or a target.
pub trait Object: Clone + PartialEq {
    /// Its id.
    fn id(&self) -> &EcoString;
    /// Whether it is to exist.
    fn exists(&self) -> bool;
    /// Its parts by name, those of [`QUIET`] among them; `requires` by id.
    fn parts(&self) -> GraphValue;
}

/// Parts that say nothing of what is to be.
pub const QUIET: [&str; 2] = ["origin", "reasons"];

/// One object on which two graphs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    /// What happens to it.
    pub kind: Kind,
    /// What was there, under this id or the one that it moved from; an absent node too.
    pub old: Option<T>,
    /// What is there; an absent node too.
    pub new: Option<T>,
    /// If it is on both sides: part by part what differs, by path.
    pub changes: Vec<Change>,
}

/// What differs between two graphs, besides what is said of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The nodes, by their new ids, or, if they have none, their old ones.
    pub nodes: Vec<Entry<Node>>,
    /// The targets, likewise.
    pub targets: Vec<Entry<Target>>,
}

impl<T: Object> Entry<T> {
    /// What differs between two objects. None: nothing.
    fn new(old: Option<T>, new: Option<T>) -> Option<Self> {
        if old == new {
            return None;
        }
        let is = |side: &Option<T>| side.as_ref().is_some_and(T::exists);
        let changes = match (&old, &new) {
            (Some(old), Some(new)) => changes(&old.parts(), &new.parts()),
            _ => Vec::new(),
        };
        let moved = matches!((&old, &new), (Some(old), Some(new)) if old.id() != new.id());
        let kind = match (is(&old), is(&new)) {
            (false, true) => Kind::Created,
            (true, false) => Kind::Deleted,
            (true, true) if moved => Kind::Moved,
            (true, true) if changes.iter().any(|c| !c.is_quiet()) => Kind::Changed,
            _ => Kind::Quiet,
        };
        Some(Entry { kind, old, new, changes })
    }

    /// Its id: the new one, or, if it has none, the old one.
    pub fn id(&self) -> &str {
        self.new.as_ref().or(self.old.as_ref()).map_or("", |object| object.id())
    }

    /// Something may move onto the id of what goes.
    fn order(&self) -> (&str, Option<&str>) {
        (self.id(), self.old.as_ref().map(|old| old.id().as_str()))
    }

    fn inverse(self) -> Option<Self> {
        Self::new(self.new, self.old)
    }
}

impl Diff {
    /// What makes `new` of `old`.
    pub fn new(old: &Graph, new: &Graph) -> Self {
        Diff {
            nodes: pair(old.nodes.iter(), new.nodes.iter(), &new.header.moves),
            targets: pair(old.targets.iter(), new.targets.iter(), &new.header.moves),
        }
    }

    /// The same of two graphs as bytes: reads only what differs. (Both are borrowed to fill in
    /// hashes that were not computed yet.)
    pub fn of_builders(old: &mut GraphBuilder, new: &mut GraphBuilder) -> Result<Self, ReadError> {
        let moves = new.header().moves.clone();
        let (nodes, targets) = GraphBuilder::differing(old, new);
        let read =
            |side: Vec<&super::SealedNode>| side.into_iter().map(|n| n.read()).collect::<Result<Vec<_>, _>>();
        let old_nodes = read(nodes.iter().filter_map(|(a, _)| *a).collect())?;
        let new_nodes = read(nodes.iter().filter_map(|(_, b)| *b).collect())?;
        let read = |side: Vec<&super::SealedTarget>| {
            side.into_iter().map(|t| t.read()).collect::<Result<Vec<_>, _>>()
        };
        let old_targets = read(targets.iter().filter_map(|(a, _)| *a).collect())?;
        let new_targets = read(targets.iter().filter_map(|(_, b)| *b).collect())?;
        Ok(Diff {
            nodes: pair(old_nodes.iter(), new_nodes.iter(), &moves),
            targets: pair(old_targets.iter(), new_targets.iter(), &moves),
        })
    }

    /// Whether nothing differs of what is to be.
    pub fn is_quiet(&self) -> bool {
        self.nodes.iter().all(|e| e.kind == Kind::Quiet) && self.targets.iter().all(|e| e.kind == Kind::Quiet)
    }

    /// How many nodes there are of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.nodes.iter().filter(|e| e.kind == kind).count()
    }

    /// What leads back.
    pub fn inverse(self) -> Self {
        fn back<T: Object>(entries: Vec<Entry<T>>) -> Vec<Entry<T>> {
            let mut entries: Vec<_> = entries.into_iter().filter_map(Entry::inverse).collect();
            entries.sort_by(|a, b| a.order().cmp(&b.order()));
            entries
        }
        Diff { nodes: back(self.nodes), targets: back(self.targets) }
    }

    /// The graph that `old` becomes, with what is said of the whole from `old`.
    pub fn apply(&self, old: &Graph) -> Result<Graph, GraphError> {
        fn all<T: Object>(old: &[T], entries: &[Entry<T>]) -> Vec<T> {
            let gone: BTreeSet<&str> =
                entries.iter().filter_map(|e| e.old.as_ref()).map(|o| o.id().as_str()).collect();
            let kept = old.iter().filter(|o| !gone.contains(o.id().as_str())).cloned();
            kept.chain(entries.iter().filter_map(|e| e.new.clone())).collect()
        }
        Graph::new(old.header.clone(), all(&old.targets, &self.targets), all(&old.nodes, &self.nodes))
    }
}

/// Pairs old with new: by move, then by id.
fn pair<'a, T: Object + 'a>(
    old: impl Iterator<Item = &'a T>,
    new: impl Iterator<Item = &'a T>,
    moves: &[Move],
) -> Vec<Entry<T>> {
    let mut old: BTreeMap<&str, &T> = old.map(|o| (o.id().as_str(), o)).collect();
    let new: BTreeMap<&str, &T> = new.map(|o| (o.id().as_str(), o)).collect();
    let exists = |side: &BTreeMap<&str, &T>, id: &str| side.get(id).is_some_and(|o| o.exists());
    let mut moved = BTreeMap::new();
    for one in moves {
        if exists(&old, &one.from) && exists(&new, &one.to) {
            moved.insert(one.to.as_str(), one.from.as_str());
        }
    }
    // First the moves: what moved away is not the old side of what is there now.
    let mut sides: BTreeMap<&str, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for (to, from) in moved {
        if let Some(from) = old.remove(from) {
            sides.insert(to, (Some(from), new.get(to).copied()));
        }
    }
    for (&id, &object) in &new {
        sides.entry(id).or_insert_with(|| (old.remove(id), Some(object)));
    }
    let rest = old.into_values().map(|object| (Some(object), None));
    let sides = sides.into_values().chain(rest);
    let mut entries: Vec<_> = sides.filter_map(|(a, b)| entry(a, b)).collect();
    entries.sort_by(|a, b| a.order().cmp(&b.order()));
    entries
}

fn entry<T: Object>(old: Option<&T>, new: Option<&T>) -> Option<Entry<T>> {
    if old == new { None } else { Entry::new(old.cloned(), new.cloned()) }
}

fn text(text: &str) -> GraphValue {
    GraphValue::Str(text.into())
}

fn texts(texts: &[EcoString]) -> GraphValue {
    GraphValue::List(texts.iter().cloned().map(GraphValue::Str).collect())
}

fn origin(origin: &super::Origin) -> GraphValue {
    GraphValue::Map(vec![
        ("element".into(), text(&origin.element)),
        ("instance".into(), text(&origin.instance)),
        ("model".into(), text(&origin.model)),
    ])
}

impl Object for Target {
    fn id(&self) -> &EcoString {
        &self.id
    }

    fn exists(&self) -> bool {
        true
    }

    fn parts(&self) -> GraphValue {
        GraphValue::Map(vec![("fields".into(), self.fields.clone()), ("origin".into(), origin(&self.origin))])
    }
}

impl Object for Node {
    fn id(&self) -> &EcoString {
        &self.id
    }

    fn exists(&self) -> bool {
        self.state != State::Absent
    }

    fn parts(&self) -> GraphValue {
        let drift = match &self.drift {
            super::Drift::Repair => text("repair"),
            super::Drift::Report => text("report"),
            super::Drift::Ignore(paths) => GraphValue::Map(vec![("ignore".into(), texts(paths))]),
        };
        let reasons = self.requires.iter().map(|r| (r.id.clone(), GraphValue::Str(r.why.clone()))).collect();
        let requires = self.requires.iter().map(|r| (r.id.clone(), GraphValue::Bool(true))).collect();
        GraphValue::Map(vec![
            ("adopt".into(), GraphValue::Bool(self.adopt)),
            ("drift".into(), drift),
            ("fields".into(), self.fields.clone()),
            ("handler".into(), GraphValue::Str(self.handler.clone())),
            ("keep".into(), GraphValue::Bool(self.keep)),
            ("origin".into(), origin(&self.origin)),
            ("protect".into(), GraphValue::Bool(self.protect)),
            ("reasons".into(), GraphValue::Map(reasons)),
            ("requires".into(), GraphValue::Map(requires)),
            ("state".into(), text(self.state.as_str())),
            ("target".into(), GraphValue::Str(self.target.clone())),
            ("timeout".into(), self.timeout.map_or(GraphValue::Null, GraphValue::Int)),
            ("until".into(), texts(&self.until)),
        ])
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Created => "created",
            Kind::Deleted => "deleted",
            Kind::Changed => "changed",
            Kind::Moved => "moved",
            Kind::Quiet => "unchanged",
        })
    }
}

#[cfg(test)]
mod tests;
