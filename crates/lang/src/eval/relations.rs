//! Inverses, closures and `acyclic`: where a field of all values of a type leads.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::codes::project::NOT_ACYCLIC;
use crate::diag::{DataPart, Diagnostic, Place};
use crate::model::program::AcyclicDef;
use crate::model::schema::Slot;
use crate::model::{FieldKind, Program, TypeId};

use super::value::{Element, Object, Record, Reference, Value};
use super::world::{Instance, World};
use super::{Plan, compare};

/// One step along a field.
#[derive(Clone, PartialEq, Debug)]
pub struct Edge {
    /// Where it starts: a reference for a slice, entity or resource, a record for a struct.
    pub from: Value,
    /// Where it leads.
    pub to: Arc<Reference>,
    /// The field in the data, where it stands there.
    pub place: Option<Place>,
}

/// The edges of the values of a type in one instance.
pub fn edges(world: &dyn World, instance: &Arc<Instance>, source: TypeId, by: Slot, out: &mut Vec<Edge>) {
    for (index, element) in instance.elements.iter().enumerate() {
        if element.record.ty != source || element.wrong.contains(&by) {
            continue;
        }
        let from = match element.parent {
            None => Value::Ref(Arc::new(Reference { ty: instance.ty, key: instance.key.clone() })),
            Some(_) => Value::Record(element.record.clone()),
        };
        let at = element.fields.get(by as usize).copied().flatten();
        let place = at.map(|(file, node)| Place::Data { file, node, part: DataPart::Value });
        let place =
            place.or(element.place.map(|(file, node)| Place::Data { file, node, part: DataPart::Key }));
        let here = Element { instance: instance.id, index: index as u32 };
        let value = field(world, &element.record, here, by);
        targets(&value, &mut |to| out.push(Edge { from: from.clone(), to: to.clone(), place }));
    }
}

fn field(world: &dyn World, record: &Arc<Record>, element: Element, slot: Slot) -> Value {
    let def = world.program().record(record.ty).and_then(|r| r.fields.get(slot as usize));
    match def.map(|f| f.kind) {
        Some(FieldKind::Derived) => super::derived_field(world, element, slot).value.unwrap_or_default(),
        _ => record.fields.get(slot as usize).cloned().unwrap_or_default(),
    }
}

/// The edges of an entity or resource.
pub fn object_edges(object: &Object, by: Slot, out: &mut Vec<Edge>) {
    let from = Value::Ref(object.reference.clone());
    let value = object.fields.get(by as usize).cloned().unwrap_or_default();
    let place = Some(super::merge::place(object));
    targets(&value, &mut |to| out.push(Edge { from: from.clone(), to: to.clone(), place }));
}

fn targets(value: &Value, found: &mut dyn FnMut(&Arc<Reference>)) {
    match value {
        Value::Ref(reference) => found(reference),
        Value::List(items) | Value::Set(items) => items.iter().for_each(|v| targets(v, found)),
        _ => {}
    }
}

/// All steps along a field.
#[derive(PartialEq, Debug, Default)]
pub struct Edges {
    /// In the order of the shards; those of one value in the order of its field.
    all: Vec<Edge>,
}

type Related = FxHashMap<Arc<Reference>, Arc<[Value]>>;

impl Edges {
    /// These steps.
    pub fn new(all: Vec<Edge>) -> Self {
        Edges { all }
    }

    /// For each value that is led to, those that lead there: references in the order of their
    /// keys without repeats, or, as a `list`, records in the order of instance and path.
    pub fn inverse(&self, plan: &Plan, list: bool) -> Related {
        let mut by_target: FxHashMap<Arc<Reference>, Vec<Value>> = FxHashMap::default();
        for edge in &self.all {
            by_target.entry(edge.to.clone()).or_default().push(edge.from.clone());
        }
        let finish = |mut values: Vec<Value>| -> Arc<[Value]> {
            if list {
                values.sort_by_key(position);
            } else {
                values.sort_by(|a, b| compare::compare(plan, a, b));
                values.dedup();
            }
            values.into()
        };
        by_target.into_iter().map(|(to, values)| (to, finish(values))).collect()
    }

    /// For each value all that are reached from it in one step or more.
    pub fn closure(&self, plan: &Plan) -> Related {
        let next = self.next();
        let mut related = Related::default();
        for start in next.keys() {
            let mut seen: FxHashSet<&Arc<Reference>> = FxHashSet::default();
            let mut open: VecDeque<&Arc<Reference>> =
                next.get(start).into_iter().flatten().copied().collect();
            while let Some(at) = open.pop_front() {
                if seen.insert(at) {
                    open.extend(next.get(at).into_iter().flatten().copied());
                }
            }
            let mut values: Vec<Value> = seen.into_iter().cloned().map(Value::Ref).collect();
            values.sort_by(|a, b| compare::compare(plan, a, b));
            related.insert((*start).clone(), values.into());
        }
        related
    }

    fn next(&self) -> FxHashMap<&Arc<Reference>, Vec<&Arc<Reference>>> {
        let mut next: FxHashMap<&Arc<Reference>, Vec<&Arc<Reference>>> = FxHashMap::default();
        for edge in &self.all {
            if let Value::Ref(from) = &edge.from {
                next.entry(from).or_default().push(&edge.to);
            }
        }
        next
    }

    /// One error for each cycle: a label an edge.
    pub fn cycles(&self, plan: &Plan, program: &Program, def: &AcyclicDef) -> Vec<Diagnostic> {
        let next = self.next();
        let mut starts: Vec<&Arc<Reference>> = next.keys().copied().collect();
        starts.sort_by(|a, b| compare::references(plan, a, b));
        let mut done: FxHashSet<&Arc<Reference>> = FxHashSet::default();
        let mut problems = Vec::new();
        for start in starts {
            if let Some(cycle) = find_cycle(start, &next, &mut done) {
                problems.extend(self.cycle(program, def, &cycle));
            }
        }
        problems
    }

    fn cycle(&self, program: &Program, def: &AcyclicDef, cycle: &[&Arc<Reference>]) -> Option<Diagnostic> {
        let name = program.ty(def.owner).decl().name;
        let mut problem: Option<Diagnostic> = None;
        let used = cycle.iter().cycle().skip(1);
        for (from, to) in cycle.iter().zip(used) {
            let is = |e: &&Edge| e.to == **to && matches!(&e.from, Value::Ref(r) if r == *from);
            let place = self.all.iter().find(is).and_then(|e| e.place);
            let place = place.unwrap_or(Place::Model { file: def.file, node: def.node.0 });
            let text = format!("{} leads to {}", key_text(from), key_text(to));
            problem = Some(match problem {
                None => Diagnostic::new(NOT_ACYCLIC, place, format!("{}: a circle of `{name}`", def.message))
                    .at(text),
                Some(problem) => problem.label(place, text),
            });
        }
        let declared = Place::Model { file: def.file, node: def.node.0 };
        problem.map(|p| p.label(declared, "declared acyclic here").help("take one of these references out"))
    }
}

/// A cycle that is reached from a start, with its least place first; none if there is none that
/// has not been found.
fn find_cycle<'e>(
    start: &'e Arc<Reference>,
    next: &FxHashMap<&'e Arc<Reference>, Vec<&'e Arc<Reference>>>,
    done: &mut FxHashSet<&'e Arc<Reference>>,
) -> Option<Vec<&'e Arc<Reference>>> {
    let mut path: Vec<(&Arc<Reference>, usize)> = vec![(start, 0)];
    let mut on_path: FxHashMap<&Arc<Reference>, usize> = FxHashMap::default();
    if done.contains(start) {
        return None;
    }
    on_path.insert(start, 0);
    let mut found = None;
    while let Some((at, turn)) = path.last_mut() {
        let at = *at;
        let step = next.get(at).and_then(|all| all.get(*turn)).copied();
        *turn += 1;
        match step {
            None => {
                path.pop();
                on_path.remove(at);
                done.insert(at);
            }
            Some(to) if found.is_none() && on_path.contains_key(to) => {
                let from = on_path.get(to).copied().unwrap_or_default();
                found = path.get(from..).map(|cycle| cycle.iter().map(|(r, _)| *r).collect::<Vec<_>>());
            }
            Some(to) if done.contains(to) || on_path.contains_key(to) => {}
            Some(to) => {
                on_path.insert(to, path.len());
                path.push((to, 0));
            }
        }
    }
    found
}

fn key_text(reference: &Reference) -> String {
    let parts: Vec<String> = reference
        .key
        .iter()
        .map(|v| match v {
            Value::Str(text) => format!("`{text}`"),
            Value::Int(i) => format!("`{i}`"),
            Value::Ref(r) => key_text(r),
            _ => "`…`".to_owned(),
        })
        .collect();
    parts.join(", ")
}

/// Where an element stands among all.
fn position(value: &Value) -> (&'static str, u32, u32) {
    match value {
        Value::Record(record) => match record.element {
            Some(e) => (e.instance.file.path(), e.instance.item, e.index),
            None => ("", 0, 0),
        },
        _ => ("", 0, 0),
    }
}
