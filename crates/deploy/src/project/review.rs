//! What a change does, as a reviewer reads it: both sides of a diff, and why.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use rustc_hash::FxHashSet;

use crate::graph::diff::{Diff, Entry, Kind};
use crate::graph::{Digest, Graph, GraphBuilder, GraphValue, Node, Origin, ReadError, State};
use crate::handler::{Actual, Cost, Marked, Registry};
use crate::model::Program;

use super::queries;
use super::render::Renderer;
use super::session::Session;

/// What becomes of a resource, from the gravest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// It goes.
    Delete,
    /// It goes and is made again.
    Replace,
    /// It would have to be replaced, and is protected: a deploy refuses that.
    Refuse,
    /// It is not wanted any more and stays where it is: it was to be kept, or is protected.
    Leave,
    /// It goes under another id.
    Move,
    /// It changes where it is.
    Change,
    /// It comes.
    Create,
    /// It is there on the way alone: while something is taken down or changed over.
    Transient,
}

impl What {
    /// All of them.
    pub const ALL: [What; 8] = [
        What::Delete,
        What::Replace,
        What::Refuse,
        What::Leave,
        What::Move,
        What::Change,
        What::Create,
        What::Transient,
    ];

    /// `2 to delete`; `1 refused`; `1 on the way`.
    pub fn counted(self, count: usize) -> String {
        match self {
            What::Transient => format!("{count} on the way"),
            What::Refuse => format!("{count} refused"),
            _ => format!("{count} to {}", self.verb()),
        }
    }

    /// `delete`.
    pub fn verb(self) -> &'static str {
        match self {
            What::Delete => "delete",
            What::Replace => "replace",
            What::Refuse => "refuse",
            What::Leave => "leave",
            What::Move => "move",
            What::Change => "change",
            What::Create => "create",
            What::Transient => "transient",
        }
    }
}

/// Why something goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// This element is in the data no more: `Vlan[name=guest]`, `Switch[name=a].ports[number=3]`.
    Gone(EcoString),
    /// This element is still there and does not make it any more.
    NotMade(EcoString),
    /// Nothing in the data made it: the model does not any more.
    Model,
}

/// One resource of a review.
#[derive(Clone, Debug)]
pub struct Item {
    /// What differs.
    pub entry: Entry<Node>,
    /// What becomes of it.
    pub what: What,
    /// What a change costs; none where it does not change, or where only this program knows of it.
    pub cost: Option<Cost>,
    /// Why it goes, if it does.
    pub why: Option<Why>,
    /// Whether the old one stays where it is although the new one is made: the model says `keep`.
    pub keeps_old: bool,
}

impl Item {
    /// Whether it is not wanted any more.
    pub fn goes(&self) -> bool {
        matches!(self.what, What::Delete | What::Leave)
    }

    /// Its id: the new one, or, if it has none, the old one.
    pub fn id(&self) -> &str {
        self.entry.id()
    }

    /// What made it; of what goes, what did.
    pub fn origin(&self) -> Option<&Origin> {
        let present = self.entry.new.as_ref().filter(|_| !self.goes());
        present.or(self.entry.old.as_ref()).map(|node| &node.origin)
    }
}

/// One side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// How many resources it has that are to exist.
    pub resources: usize,
    /// The digest of what is to exist.
    pub desired: Digest,
}

impl Side {
    fn of(graph: &mut GraphBuilder) -> Self {
        let present = graph.iter().filter(|n| n.state == State::Present).count();
        Side { resources: present, desired: graph.desired() }
    }
}

/// What a change does.
#[derive(Clone, Debug)]
pub struct Review {
    /// The resources on which the two differ, by what becomes of them, then by id.
    pub items: Vec<Item>,
    /// The targets that change.
    pub targets: Vec<Entry<crate::graph::Target>>,
    /// The base.
    pub old: Side,
    /// What is now.
    pub new: Side,
}

/// Who can say what a change costs and why something goes: an open project, in its new state.
pub trait Witness {
    /// The model.
    fn program(&self) -> Option<std::sync::Arc<Program>>;

    /// Which of these elements (`shop::Site[name=a].pages[path=/x]`) are in the data, and of the
    /// others the least that is not: the instance, or something on the way down.
    fn missing(&self, elements: &BTreeSet<EcoString>) -> BTreeMap<EcoString, EcoString>;
}

impl Review {
    /// Compares two graphs. (Both are borrowed to fill in hashes that were not computed yet.)
    pub fn new(
        old: &mut GraphBuilder,
        new: &mut GraphBuilder,
        handlers: &Registry,
        witness: &dyn Witness,
    ) -> Result<Self, ReadError> {
        let diff = Diff::of_builders(old, new)?;
        let program = witness.program();
        let mut items: Vec<Item> = Vec::new();
        let rounds = Rounds::of(&diff.nodes);
        for entry in diff.nodes.into_iter().filter(|e| e.kind != Kind::Quiet) {
            let anew = makes_anew(handlers, &rounds, &entry);
            let keeps_old = anew && entry.old.as_ref().is_some_and(|old| old.keep);
            let cost = match anew {
                true => Some(Cost::Replace),
                false => cost(handlers, program.as_deref(), &entry),
            };
            let what = match (lasts(&entry.old), lasts(&entry.new)) {
                (true, false) if stays(&entry.old) => What::Leave,
                (true, false) => What::Delete,
                (false, true) => What::Create,
                (false, false) if is_transient(&entry.new) => What::Transient,
                (false, false) => continue,
                _ if cost == Some(Cost::Replace) => match is_protected(&entry) {
                    true => What::Refuse,
                    false => What::Replace,
                },
                _ if entry.kind == Kind::Moved => What::Move,
                _ => What::Change,
            };
            items.push(Item { entry, what, cost, why: None, keeps_old });
        }
        explain(&mut items, witness);
        items.sort_by(|a, b| (a.what, a.id()).cmp(&(b.what, b.id())));
        let targets = diff.targets.into_iter().filter(|t| t.kind == Kind::Changed).collect();
        Ok(Review { items, targets, old: Side::of(old), new: Side::of(new) })
    }

    /// The same for somebody who stands elsewhere: `lead` stands before the paths of its files.
    pub fn seen_from(&self, lead: &str) -> Self {
        let mut seen = self.clone();
        let place = |place: &mut EcoString| {
            if !place.is_empty() && !place.starts_with("std:") {
                *place = ecow::eco_format!("{lead}{place}");
            }
        };
        let nodes = seen.items.iter_mut().flat_map(|i| [&mut i.entry.old, &mut i.entry.new]);
        for node in nodes.flatten() {
            place(&mut node.origin.instance);
            place(&mut node.origin.model);
        }
        seen
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.targets.is_empty()
    }

    /// How many become this.
    pub fn count(&self, what: What) -> usize {
        self.items.iter().filter(|i| i.what == what).count()
    }

    /// How many count for the guard: what goes, and what goes and is made again.
    pub fn deletions(&self) -> usize {
        self.count(What::Delete) + self.count(What::Replace)
    }
}

/// Whether a side is to exist, and to stay.
fn lasts(side: &Option<Node>) -> bool {
    side.as_ref().is_some_and(|node| node.state == State::Present)
}

/// Whether what is not wanted any more is not deleted for that: who declared it has said so.
fn stays(side: &Option<Node>) -> bool {
    side.as_ref().is_some_and(|node| node.keep || node.protect)
}

/// Whether it is protected on either side: protection is lifted by a deploy of its own.
fn is_protected(entry: &Entry<Node>) -> bool {
    [&entry.old, &entry.new].into_iter().flatten().any(|node| node.protect)
}

fn is_transient(side: &Option<Node>) -> bool {
    side.as_ref().is_some_and(|node| node.state == State::Transient)
}

/// What moved, old ids and new ones.
struct Rounds(BTreeMap<EcoString, EcoString>);

impl Rounds {
    fn of(entries: &[Entry<Node>]) -> Self {
        let moved = entries.iter().filter(|e| e.kind == Kind::Moved);
        Rounds(moved.filter_map(|e| Some((e.old.as_ref()?.id.clone(), e.new.as_ref()?.id.clone()))).collect())
    }

    /// Whether all names stay, as in a swap: then each thing is changed where it is.
    fn is_closed(&self, id: &EcoString) -> bool {
        let mut at = id;
        for _ in 0..self.0.len() {
            match self.0.get(at) {
                Some(next) if next == id => return true,
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    }
}

/// Whether what moved is deleted and made again: it is at another place, and its handler cannot
/// bring it there.
fn makes_anew(handlers: &Registry, rounds: &Rounds, entry: &Entry<Node>) -> bool {
    let (Some(old), Some(new), Kind::Moved) = (&entry.old, &entry.new, entry.kind) else { return false };
    handlers.get(&new.handler).is_some_and(|handler| {
        handler.claims(old) != handler.claims(new)
            && !handler.relocates(&new.type_)
            && !rounds.is_closed(&old.id)
    })
}

/// What a change costs: as the handler says it, who may know better than the model.
fn cost(handlers: &Registry, program: Option<&Program>, entry: &Entry<Node>) -> Option<Cost> {
    let (Some(old), Some(new)) = (&entry.old, &entry.new) else { return None };
    if !matches!(entry.kind, Kind::Changed | Kind::Moved) {
        return None;
    }
    if old.target != new.target || old.type_ != new.type_ {
        return Some(Cost::Replace);
    }
    let actual = Actual {
        fields: old.fields.clone(),
        marked: Marked::Not,
        as_recorded: true,
        as_intended: false,
        stamp: EcoString::new(),
        physical: EcoString::new(),
    };
    let known = handlers.get(&new.handler).map(|h| h.diff(new, None, &actual)).unwrap_or_default();
    let of_field = |path: crate::graph::diff::Path| {
        let name = path.0.first().map(|step| match step {
            crate::graph::diff::Step::Key(name) => name.clone(),
            crate::graph::diff::Step::Item(_) => EcoString::new(),
        });
        let said = known.changes.iter().find(|c| Some(&c.field) == name.as_ref()).map(|c| c.cost);
        let declared = || program.map(|p| super::cost::declared(p, &new.type_, &path));
        said.or_else(declared).unwrap_or(Cost::Live)
    };
    let costs = entry.changes.iter().filter_map(|c| c.field()).map(of_field);
    Some(costs.max().unwrap_or(Cost::Live))
}

/// Says of what goes, why.
fn explain(items: &mut [Item], witness: &dyn Witness) {
    let gone = |item: &&mut Item| item.goes();
    let element = |item: &Item| item.origin().map(|o| o.element.clone()).unwrap_or_default();
    let elements: BTreeSet<EcoString> =
        items.iter().filter(|i| i.goes()).map(element).filter(|e| !e.is_empty()).collect();
    if elements.is_empty() && !items.iter().any(Item::goes) {
        return;
    }
    let missing = witness.missing(&elements);
    for item in items.iter_mut().filter(gone) {
        let element = element(item);
        item.why = Some(match missing.get(&element) {
            _ if element.is_empty() => Why::Model,
            Some(least) => Why::Gone(least.clone()),
            None => Why::NotMade(element),
        });
    }
}

/// The instance of an element: what stands before the first `.` that is in no brackets.
pub fn root_of(element: &str) -> &str {
    steps(element).next().unwrap_or(element)
}

/// An element, and all that it lies in, from the instance on.
fn steps(element: &str) -> impl Iterator<Item = &str> {
    let bytes = element.as_bytes();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut ends: Vec<usize> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 => ends.push(at),
            _ => {}
        }
    }
    ends.push(element.len());
    ends.into_iter().filter_map(|end| element.get(..end))
}

/// The least part of an element that a set does not have.
fn least_missing(element: &EcoString, there: &FxHashSet<EcoString>) -> Option<EcoString> {
    steps(element).find(|part| !there.contains(*part)).map(EcoString::from)
}

impl Witness for Session {
    fn program(&self) -> Option<std::sync::Arc<Program>> {
        Some(Session::program(self))
    }

    fn missing(&self, elements: &BTreeSet<EcoString>) -> BTreeMap<EcoString, EcoString> {
        let roots: FxHashSet<&str> = elements.iter().map(|e| root_of(e)).collect();
        let program = Session::program(self);
        let renderer = Renderer::new(&program);
        let mut there: FxHashSet<EcoString> = FxHashSet::default();
        let mut text = String::new();
        for shard in self.all_shards() {
            for unit in queries::shard_instances(&self.db, shard).iter() {
                for instance in &unit.instances {
                    text.clear();
                    let reference = crate::eval::Reference { ty: instance.ty, key: instance.key.clone() };
                    renderer.write_id(&mut text, &reference);
                    if !roots.contains(text.as_str()) {
                        continue;
                    }
                    // Elements stand after what they lie in.
                    let mut texts: Vec<EcoString> = Vec::with_capacity(instance.elements.len());
                    for element in instance.elements.iter() {
                        let parent = element.parent.and_then(|p| texts.get(p as usize));
                        texts.push(match parent {
                            Some(parent) => ecow::eco_format!("{parent}.{}", element.step),
                            None => EcoString::from(text.as_str()),
                        });
                    }
                    there.extend(texts);
                }
            }
        }
        missing_of(elements, &there)
    }
}

fn missing_of(
    elements: &BTreeSet<EcoString>,
    there: &FxHashSet<EcoString>,
) -> BTreeMap<EcoString, EcoString> {
    elements.iter().filter_map(|e| Some((e.clone(), least_missing(e, there)?))).collect()
}

/// A graph alone: an element is there if something comes from it, or from below it.
impl Witness for Graph {
    fn program(&self) -> Option<std::sync::Arc<Program>> {
        None
    }

    fn missing(&self, elements: &BTreeSet<EcoString>) -> BTreeMap<EcoString, EcoString> {
        let present = self.nodes.iter().filter(|n| n.state == State::Present);
        let there = present.flat_map(|n| steps(&n.origin.element)).map(EcoString::from).collect();
        missing_of(elements, &there)
    }
}

/// A value of a field on one side, as the document has it.
pub fn json(value: Option<&GraphValue>) -> String {
    value.map_or_else(|| "null".to_owned(), |v| String::from_utf8_lossy(&v.to_json()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_lies_in_its_instance() {
        let all = |element: &'static str| steps(element).collect::<Vec<_>>();
        assert_eq!(
            all("shop::Site[name=a.b].pages[path=/x.y].tls"),
            [
                "shop::Site[name=a.b]",
                "shop::Site[name=a.b].pages[path=/x.y]",
                "shop::Site[name=a.b].pages[path=/x.y].tls"
            ]
        );
        assert_eq!(root_of(r#"m::S[k="].\".x"].a"#), r#"m::S[k="].\".x"]"#);
        assert_eq!(root_of("m::S"), "m::S");
        let there = FxHashSet::from_iter(["m::S[k=1]".into(), "m::S[k=1].a[n=1]".into()]);
        assert_eq!(least_missing(&"m::S[k=1].a[n=2].b".into(), &there), Some("m::S[k=1].a[n=2]".into()));
        assert_eq!(least_missing(&"m::S[k=2].a[n=2]".into(), &there), Some("m::S[k=2]".into()));
        assert_eq!(least_missing(&"m::S[k=1].a[n=1]".into(), &there), None);
    }
}
