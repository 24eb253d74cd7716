//! Moves: what goes under another identity now, and the ids of what it makes, old with new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::moved::{Identity, Slotted, entity_slots, identity, instance_slots};
use crate::eval::{Element, Instance, Reference, Version, World};
use crate::graph::{GraphBuilder, Move, State};
use crate::model::program::MovedDef;
use crate::model::{Program, TypeId};
use crate::project::origins::element_text;
use crate::project::render::Renderer;
use crate::syntax::ast::RecordKind;

/// What moved from one version to the current one.
#[derive(Default)]
pub(in crate::project) struct Moves {
    /// Of the version with a number: what has moved, from and to. The first is 1.
    pub active: Vec<(usize, Identity, Identity)>,
    /// The same for all that goes, or went, on under another identity, also where the move was made
    /// before the newest version: from which version on there was the old identity. It was not deleted.
    pub renamed: Vec<(usize, Identity, Identity)>,
    /// The ids of resources, old and new.
    pub ids: BTreeMap<EcoString, EcoString>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// A declared move.
struct Declared {
    from: Identity,
    to: Identity,
    place: Place,
}

struct Finder<'a> {
    program: &'a Program,
    renderer: Renderer<'a>,
    now: &'a dyn Version,
    then: Vec<Option<&'a dyn Version>>,
    /// By version, the lines that its model had.
    lines: &'a [&'a BTreeSet<EcoString>],
    declared: Vec<Declared>,
    moves: Moves,
}

/// Whether a model says of anything that it moved.
pub(super) fn declares_moves(program: &Program) -> bool {
    program.moves.iter().any(|moved| matches!(moved, MovedDef::Object { .. }))
}

impl Moves {
    /// Says in a graph what moved from an earlier one. (The ids of both are looked at: what one of
    /// them does not have has not moved.) Of a part of an earlier graph `came` says what is there
    /// since then: all else that the graph has was there, too.
    pub(in crate::project) fn note(
        &self,
        program: &Program,
        earlier: &GraphBuilder,
        came: Option<&FxHashSet<EcoString>>,
        graph: &mut GraphBuilder,
    ) {
        let present =
            |graph: &GraphBuilder, id: &str| graph.get(id).is_some_and(|n| n.state == State::Present);
        let stayed = |id: &EcoString| came.is_some_and(|came| !came.contains(id) && present(graph, id));
        let was = |id: &EcoString| present(earlier, id) || stayed(id);
        let mut moves = of_types(program, earlier, graph);
        for (from, to) in &self.ids {
            if was(from) && present(graph, to) {
                moves.push(Move { from: from.clone(), to: to.clone() });
            }
        }
        if moves.is_empty() {
            return;
        }
        let mut header = graph.header().clone();
        moves.retain(|m| header.moves.iter().all(|known| known.from != m.from && known.to != m.to));
        header.moves.extend(moves);
        header.moves.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        graph.set_header(header);
    }
}

/// A `moved` line, by ids.
pub(in crate::project) fn line(program: &Program, from: &Identity, to: &Identity) -> EcoString {
    ecow::eco_format!("{} to {}", shown(program, from), shown(program, to))
}

/// What a `moved` line names, by its id.
pub(in crate::project) fn shown(program: &Program, identity: &Identity) -> String {
    let mut text = String::new();
    Renderer::new(program).write_id(&mut text, &identity.reference);
    for step in &identity.steps {
        text.push('.');
        text.push_str(step);
    }
    text
}

/// Finds what has moved between the earlier versions and the current one, and pairs what it makes.
/// `lines`: by version, the `moved` lines that its own model had, as far as that is known.
pub(in crate::project) fn moves<'a>(
    program: &'a Program,
    now: &'a dyn Version,
    then: Vec<Option<&'a dyn Version>>,
    lines: &'a [&'a BTreeSet<EcoString>],
) -> Moves {
    let mut finder = Finder {
        program,
        renderer: Renderer::new(program),
        now,
        then,
        lines,
        declared: Vec::new(),
        moves: Moves::default(),
    };
    finder.declare();
    finder.find();
    finder.pair();
    finder.moves
}

/// The ids of resources whose type has another name now.
fn of_types(program: &Program, earlier: &GraphBuilder, graph: &GraphBuilder) -> Vec<Move> {
    let mut moves = Vec::new();
    for moved in &program.moves {
        let MovedDef::Type { from, to } = moved else { continue };
        let new = &program.ty(*to).decl().path;
        for node in earlier.iter().filter(|n| n.state == State::Present) {
            let rest = node.id.strip_prefix(from.as_str()).filter(|rest| rest.starts_with('['));
            let Some(to) = rest.map(|rest| ecow::eco_format!("{new}{rest}")) else { continue };
            if graph.get(&to).is_some_and(|n| n.state == State::Present) && graph.get(&node.id).is_none() {
                moves.push(Move { from: node.id.clone(), to });
            }
        }
    }
    moves
}

impl<'a> Finder<'a> {
    fn declare(&mut self) {
        let program = self.program;
        for moved in &program.moves {
            let MovedDef::Object { from, to } = moved else { continue };
            let place = Place::Model { file: to.file, node: to.root.node.0 };
            let mut found = Vec::new();
            for body in [from, to] {
                let (identity, said) = identity(self.now.world(), body);
                self.moves.diagnostics.extend(said.diagnostics);
                found.extend(identity);
            }
            if let (Some(to), Some(from)) = (found.pop(), found.pop()) {
                self.declared.push(Declared { from, to, place });
            }
        }
    }

    /// Where a version has what an identity names.
    fn there(&self, version: &dyn Version, identity: &Identity) -> bool {
        let world = version.world();
        let Reference { ty, key } = &identity.reference;
        match self.program.record(*ty).map(|r| r.kind) {
            Some(RecordKind::Slice) => {
                world.instance(*ty, key).is_some_and(|i| element_at(&i, &identity.steps).is_some())
            }
            _ => world.object(&identity.reference).is_some(),
        }
    }

    /// Which moves are active: the newest version that has the old identity tells.
    fn find(&mut self) {
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for at in 0..self.declared.len() {
            let Some(one) = self.declared.get(at) else { continue };
            let first = self.first_with(&one.from);
            let then = first.and_then(|first| self.then.get(first - 1).copied().flatten());
            let to = self.target(at, one, then);
            if to == one.from {
                // There and back.
                continue;
            }
            if let Some(first) = first {
                if self.swapped_by(first - 1, one) {
                    if let Some(before) = self.before_swap(first, one) {
                        self.moves.renamed.push((before, one.from.clone(), one.to.clone()));
                    }
                    continue;
                }
                if !self.there(self.now, &one.from) {
                    self.moves.renamed.push((first, one.from.clone(), to.clone()));
                }
            }
            let Some((number, then)) = self.newest_with(&one.from, &one.to) else { continue };
            let from = one.from.clone();
            let moves_away = |identity: &Identity| self.declared.iter().any(|d| d.from == *identity);
            let arrives = |identity: &Identity| self.declared.iter().any(|d| d.to == *identity);
            let name = |identity: &Identity| self.name(identity);
            let problem = if self.there(self.now, &from) && !arrives(&from) {
                Some((
                    format!("`{}` is still there, so it has not moved", name(&from)),
                    "remove the line, or what has the old identity",
                ))
            } else if self.there(then, &to) && !moves_away(&to) {
                Some((
                    format!("`{}` was there already, with a life of its own", name(&to)),
                    "only something new can go on from something old",
                ))
            } else if taken.contains_key(&format!("{number} {}", name(&to))) {
                Some((
                    format!("two have moved to `{}`", name(&to)),
                    "one of them is deleted: remove its line",
                ))
            } else {
                None
            };
            let place = one.place;
            if let Some((message, help)) = problem {
                self.moves.diagnostics.push(Diagnostic::new(codes::MOVE_CLASH, place, message).help(help));
                continue;
            }
            taken.insert(format!("{number} {}", self.name(&to)), at);
            if self.there(self.now, &to) {
                // Of two that swap both are there now.
                if self.there(self.now, &from) {
                    self.moves.renamed.push((number, from.clone(), to.clone()));
                }
                self.moves.active.push((number, from, to));
            }
        }
    }

    /// The newest earlier version that has an identity.
    fn first_with(&self, identity: &Identity) -> Option<usize> {
        let has = |version: &Option<&dyn Version>| version.is_some_and(|v| self.there(v, identity));
        self.then.iter().position(has).map(|at| at + 1)
    }

    /// The newest earlier version that has the old identity, unless a newer one has the new one: there
    /// the move was made already.
    fn newest_with(&self, from: &Identity, to: &Identity) -> Option<(usize, &'a dyn Version)> {
        for (at, version) in self.then.iter().enumerate() {
            let Some(version) = version else { continue };
            if self.there(*version, from) {
                return Some((at + 1, *version));
            }
            if self.there(*version, to) {
                return None;
            }
        }
        None
    }

    /// Whether an earlier version came after a swap, or a longer round, that a line is of: it has
    /// both names, as all versions have, and knew the line.
    fn swapped_by(&self, at: usize, one: &Declared) -> bool {
        let both = |version: &dyn Version| self.there(version, &one.from) && self.there(version, &one.to);
        self.then.get(at).copied().flatten().is_some_and(both)
            && self.lines.get(at).is_some_and(|l| l.contains(&line(self.program, &one.from, &one.to)))
    }

    /// The newest version from before a swap, of those that are older than one that came after it.
    fn before_swap(&self, after: usize, one: &Declared) -> Option<usize> {
        let before = |at: &usize| {
            let has = |version: &dyn Version| self.there(version, &one.from);
            self.then.get(*at).copied().flatten().is_some_and(has) && !self.swapped_by(*at, one)
        };
        (after..self.then.len()).find(before).map(|at| at + 1)
    }

    /// Where a move ends: through others, until something is there. Where something is there, and
    /// another line further down moves that on, what is there is new, unless the name was taken
    /// in the earlier version: then two changed places. (A tool that renames adds lines at the end.)
    fn target(&self, at: usize, one: &Declared, then: Option<&dyn Version>) -> Identity {
        let (mut at, mut to) = (at, &one.to);
        for _ in 0..self.declared.len() {
            let from_here = |d: &&(usize, &Declared)| d.1.from == *to;
            let lines: Vec<(usize, &Declared)> = self.declared.iter().enumerate().collect();
            let later = lines.iter().filter(from_here).find(|(number, _)| *number > at);
            let next = match self.there(self.now, to) {
                true if then.is_some_and(|then| !self.there(then, to)) => later,
                true => None,
                false => later.or_else(|| lines.iter().find(from_here)),
            };
            let Some((number, next)) = next else { break };
            (at, to) = (*number, &next.to);
        }
        to.clone()
    }

    fn name(&self, identity: &Identity) -> String {
        let mut text = crate::eval::print::reference(self.program, &identity.reference);
        for step in &identity.steps {
            text.push('.');
            text.push_str(step);
        }
        text
    }

    // Objects.

    /// Pairs what the two sides of each active move make.
    fn pair(&mut self) {
        for (number, from, to) in self.moves.active.clone() {
            let Some(then) = self.then.get(number - 1).copied().flatten() else { continue };
            let mut open: Vec<(Arc<Reference>, Arc<Reference>)> = Vec::new();
            if self.program.record(from.reference.ty).is_some_and(|r| r.kind == RecordKind::Slice) {
                open.extend(self.of_elements(then, &from, &to));
            } else {
                open.push((Arc::new(from.reference.clone()), Arc::new(to.reference.clone())));
            }
            let mut seen = BTreeSet::new();
            while let Some((old, new)) = open.pop() {
                let ids = (self.renderer.id(&old), self.renderer.id(&new));
                if !seen.insert(ids.clone()) {
                    continue;
                }
                if old != new && self.is_resource(old.ty) {
                    self.moves.ids.entry(ids.0).or_insert(ids.1);
                }
                if old != new {
                    open.extend(self.of_entities(then, &old, &new));
                }
            }
        }
    }

    fn is_resource(&self, ty: TypeId) -> bool {
        self.program.record(ty).is_some_and(|r| r.kind == RecordKind::Resource)
    }

    fn of_elements(
        &self,
        then: &dyn Version,
        from: &Identity,
        to: &Identity,
    ) -> Vec<(Arc<Reference>, Arc<Reference>)> {
        let slots = |version: &dyn Version, identity: &Identity| {
            let world = version.world();
            let Some(instance) = world.instance(identity.reference.ty, &identity.reference.key) else {
                return FxHashMap::default();
            };
            let text = element_text(&self.renderer, &instance, 0);
            let above: String = identity.steps.iter().map(|step| format!(".{step}")).collect();
            let above = format!("{text}{above}");
            // The way from what moved to the element that made it.
            let way = |element: Option<Element>| {
                let text = element_text(&self.renderer, &instance, element?.index);
                let rest = text.strip_prefix(&above)?;
                (rest.is_empty() || rest.starts_with('.')).then(|| rest.to_owned())
            };
            by_slot(instance_slots(world, &instance), &|object| way(object.origin.element))
        };
        paired(slots(then, from), slots(self.now, to))
    }

    fn of_entities(
        &self,
        then: &dyn Version,
        old: &Reference,
        new: &Reference,
    ) -> Vec<(Arc<Reference>, Arc<Reference>)> {
        let slots = |world: &dyn World, reference: &Reference| match world.object(reference) {
            Some(entity) => by_slot(entity_slots(world, &entity), &|_| Some(String::new())),
            None => FxHashMap::default(),
        };
        paired(slots(then.world(), old), slots(self.now.world(), new))
    }
}

/// The constructor that made an object, for what, and in which rounds of loops.
type SlotKey = (String, TypeId, &'static str, u32, Vec<EcoString>);

/// Objects by slot; a slot with several is none.
fn by_slot(
    made: Vec<Slotted>,
    way: &dyn Fn(&crate::eval::Object) -> Option<String>,
) -> FxHashMap<SlotKey, Option<Arc<Reference>>> {
    let mut slots: FxHashMap<SlotKey, Option<Arc<Reference>>> = FxHashMap::default();
    for (object, rounds) in made {
        let Some(way) = way(&object) else { continue };
        let origin = &object.origin;
        let key = (way, object.reference.ty, origin.file.path(), origin.node.0, rounds);
        slots.entry(key).and_modify(|slot| *slot = None).or_insert(Some(object.reference.clone()));
    }
    slots
}

fn paired(
    old: FxHashMap<SlotKey, Option<Arc<Reference>>>,
    mut new: FxHashMap<SlotKey, Option<Arc<Reference>>>,
) -> Vec<(Arc<Reference>, Arc<Reference>)> {
    let pair = |(key, old): (SlotKey, Option<Arc<Reference>>)| Some((old?, new.remove(&key).flatten()?));
    let mut pairs: Vec<_> = old.into_iter().filter_map(pair).collect();
    // In an order that does not depend on chance.
    pairs.sort_by_cached_key(|(old, new)| (format!("{old:?}"), format!("{new:?}")));
    pairs
}

/// The element that steps lead to.
pub(super) fn element_at(instance: &Instance, steps: &[EcoString]) -> Option<u32> {
    let mut at = 0;
    for step in steps {
        let child = |e: &crate::eval::world::InstanceElement| e.parent == Some(at) && e.step == *step;
        at = instance.elements.iter().position(child)? as u32;
    }
    Some(at)
}

/// An earlier instance under the identity that it has now, and with its elements under theirs: what
/// is compared is the same element. One that another element holds now stays where it was.
pub(super) fn renamed(instance: &Arc<Instance>, active: &[(usize, Identity, Identity)]) -> Arc<Instance> {
    let is_of =
        |identity: &Identity| identity.reference.ty == instance.ty && identity.reference.key == instance.key;
    let mut moves = active.iter().filter(|(_, from, _)| is_of(from)).peekable();
    if moves.peek().is_none() {
        return instance.clone();
    }
    let mut renamed = (**instance).clone();
    for (_, from, to) in moves {
        match (from.steps.split_last(), to.steps.split_last()) {
            (None, None) => renamed.key = to.reference.key.clone(),
            (Some((_, above)), Some((step, above_now)))
                if above == above_now && from.reference == to.reference =>
            {
                let at = element_at(instance, &from.steps);
                if let Some(element) = at.and_then(|at| renamed.elements.get_mut(at as usize)) {
                    element.step = step.clone();
                }
            }
            _ => {}
        }
    }
    Arc::new(renamed)
}
