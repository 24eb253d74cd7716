//! The versions of instances, for people: what each changed, and all of them merged.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::LineIndex;
use crate::diag::Diagnostic;
use crate::eval::print::shown;
use crate::eval::world::InstanceElement;
use crate::eval::{DeferredExpr, Instance, Operation, Reference, Value, Version};
use crate::history::{Folded, FoldedElement, fold};
use crate::model::{Program, TypeId};
use crate::project::origins::Texts;
use crate::project::queries;
use crate::project::render::Renderer;
use crate::project::session::Session;
use crate::project::update::key_words;

use super::compared::by_identity;
use super::frozen::Frozen;
use super::moves;
use super::version::DbVersion;
use super::{EarlierProject, then};

/// An instance, with all of its versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    /// Its id.
    pub instance: EcoString,
    /// What became of it.
    pub operation: Operation,
    /// Its versions, the current one first.
    pub versions: Vec<InspectedVersion>,
    /// Its elements in all versions, merged, the instance itself first.
    pub elements: Vec<InspectedElement>,
}

/// A version of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InspectedVersion {
    /// What it is called: `version 3`, `main`.
    pub name: EcoString,
    /// Its file; none if there was no such instance.
    pub file: Option<EcoString>,
    /// What it changed of the version before it; nothing is known of the oldest.
    pub changed: Vec<InspectedElement>,
}

/// An element, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct InspectedElement {
    /// The way to it from the instance: `pages[path=/x]`; empty for that itself.
    pub path: EcoString,
    /// What became of it.
    pub operation: Operation,
    /// Where it stands, or stood: file and line.
    pub place: EcoString,
    /// The version that it was last in, if it is gone.
    pub last: Option<EcoString>,
    /// Its own fields that are others now: name, what it was, what it is.
    pub fields: Vec<(EcoString, String, String)>,
}

/// One version of one instance, and where its places are looked up.
type One<'a> = (Option<Arc<Instance>>, Option<&'a dyn Texts>);

impl Session {
    /// The instances of a slice in all versions, by their ids; with `key`, a word for
    /// each of its fields, the one that has it. What is
    /// wrong with an earlier version is a warning.
    pub fn inspect(
        &mut self,
        slice: TypeId,
        earlier: &[EarlierProject],
        key: Option<&[String]>,
    ) -> (Vec<Inspected>, Vec<Diagnostic>) {
        let mut said = Vec::new();
        self.load_instances();
        let seen = self.look_at(earlier, &|_| true);
        let frozen = seen.into_iter().zip(earlier).map(|(seen, project)| {
            let seen = seen?;
            said.extend(then::warnings(&project.name, seen.problems));
            Some(seen.frozen)
        });
        let frozen: Vec<Option<Frozen>> = frozen.collect();
        let runs = self.runs();
        let now = DbVersion::new(self, &runs);
        let then = || frozen.iter().map(|v| v.as_ref().map(|v| v as &dyn Version));
        let model = queries::checked_model(&self.db);
        let program = &*model.program;
        let lines: Vec<_> = earlier.iter().map(|project| &*project.moved).collect();
        let moves = moves::moves(program, &now, then().collect(), &lines);
        let all: Vec<Option<&dyn Version>> =
            std::iter::once(Some(&now as &dyn Version)).chain(then()).collect();
        let renderer = Renderer::new(program);
        let mut found = Vec::new();
        for ((ty, of), instances) in by_identity(&all, &moves) {
            let is_it = |wanted: &[String]| key_words(program, &of) == wanted;
            if ty != slice || !key.is_none_or(is_it) {
                continue;
            }
            let id = renderer.id(&Reference { ty, key: of });
            let then = frozen.iter().map(|f| f.as_ref().map(|f| f as &dyn Texts));
            let readers = std::iter::once(Some(&self.db as &dyn Texts)).chain(then);
            let mut all: Vec<One<'_>> = instances.into_iter().zip(readers).collect();
            let names = self.version_names(&id, earlier);
            // One that has not so many versions stands in the others as it is now.
            all.truncate(names.len());
            found.push(inspected(program, id, &all, &names));
        }
        found.sort_by(|a, b| a.instance.cmp(&b.instance));
        (found, said)
    }

    /// What the versions of an instance are called, the current one first.
    fn version_names(&self, instance: &EcoString, earlier: &[EarlierProject]) -> Vec<EcoString> {
        match &self.view {
            Some(view) => {
                let names = view.names.get(instance).map(Vec::as_slice).unwrap_or_default();
                names.iter().rev().cloned().collect()
            }
            None => std::iter::once("now".into()).chain(earlier.iter().map(|e| e.name.clone())).collect(),
        }
    }
}

fn inspected(program: &Program, instance: EcoString, all: &[One<'_>], names: &[EcoString]) -> Inspected {
    let current = all.first().and_then(|(instance, _)| instance.as_deref());
    let earlier: Vec<Option<&Instance>> =
        all.iter().skip(1).map(|(instance, _)| instance.as_deref()).collect();
    let folded = fold(program, current, &earlier);
    let elements = elements(program, &folded, all, names);
    let operation = match (current, all.len()) {
        (None, _) => Operation::Delete,
        // Nothing is known of what was before.
        (Some(_), 1) => Operation::Keep,
        _ => folded.elements.first().map_or(Operation::Keep, |e| e.operation),
    };
    let versions = all.iter().enumerate().map(|(at, (one, _))| {
        let pair = all.get(at..at + 2).unwrap_or_default();
        let changed = match pair {
            [(now, _), (before, _)] => {
                let folded = fold(program, now.as_deref(), &[before.as_deref()]);
                let names = names.get(at..).unwrap_or_default();
                let mut changed = self::elements(program, &folded, pair, names);
                changed.retain(|e| e.operation != Operation::Keep && !e.is_touched_below());
                changed
            }
            _ => Vec::new(),
        };
        let file = one.as_ref().map(|instance| instance.id.file.path().into());
        InspectedVersion { name: names.get(at).cloned().unwrap_or_default(), file, changed }
    });
    Inspected { instance, operation, versions: versions.collect(), elements }
}

impl InspectedElement {
    /// Whether it is an update because of what it holds alone.
    fn is_touched_below(&self) -> bool {
        self.operation == Operation::Update && self.fields.is_empty()
    }
}

fn elements(
    program: &Program,
    folded: &Folded,
    all: &[One<'_>],
    names: &[EcoString],
) -> Vec<InspectedElement> {
    let element = |folded: &FoldedElement| {
        let (version, number) = match (folded.current, folded.earlier) {
            (Some(number), _) => (0, number),
            (None, Some(seen)) => (seen.version as usize + 1, seen.element),
            (None, None) => return None,
        };
        let (instance, texts) = all.get(version)?;
        let instance = instance.as_ref()?;
        let here = instance.elements.get(number as usize)?;
        let before = folded.earlier.filter(|_| folded.operation == Operation::Update).and_then(|seen| {
            all.get(seen.version as usize + 1)?.0.as_ref()?.elements.get(seen.element as usize)
        });
        // With one version alone nothing was created.
        let operation = if all.len() == 1 { Operation::Keep } else { folded.operation };
        Some(InspectedElement {
            path: way(instance, number),
            operation,
            place: texts.and_then(|texts| place(texts, instance, here)).unwrap_or_default(),
            last: folded.current.is_none().then(|| names.get(version).cloned()).flatten(),
            fields: before.map(|before| fields(program, before, here)).unwrap_or_default(),
        })
    };
    folded.elements.iter().filter_map(element).collect()
}

/// The way to an element from its instance.
fn way(instance: &Instance, index: u32) -> EcoString {
    let mut steps = Vec::new();
    let mut at = Some(index);
    while let Some(element) = at.and_then(|i| instance.elements.get(i as usize)) {
        if element.parent.is_some() {
            steps.push(element.step.as_str());
        }
        at = element.parent;
    }
    steps.reverse();
    steps.join(".").into()
}

/// File and line of an element.
fn place(texts: &dyn Texts, instance: &Instance, element: &InstanceElement) -> Option<EcoString> {
    let (file, node) = element.place?;
    let unit = texts.unit(instance.id.file)?;
    let (_, spans) = unit.spans.iter().find(|(of, _)| *of == file)?;
    let text = texts.text(file)?;
    let line = LineIndex::new(&text).line_column(&text, spans.value(node).range().start).line;
    Some(ecow::eco_format!("{file}:{line}"))
}

/// The stored fields of an element that are others now, but for the elements that it holds.
fn fields(
    program: &Program,
    before: &InstanceElement,
    now: &InstanceElement,
) -> Vec<(EcoString, String, String)> {
    let Some(record) = program.record(now.record.ty) else { return Vec::new() };
    let stored = record.fields.iter().take(record.stored);
    let values = before.record.fields.iter().zip(now.record.fields.iter());
    let differ = stored.zip(values).filter(|(_, (old, new))| !is_same(old, new));
    differ
        .filter(|(_, (old, new))| !holds_elements(old) && !holds_elements(new))
        .map(|(field, (old, new))| {
            let (old, mut new) = (shown(program, old), shown(program, new));
            if old == new {
                // Two secrets look alike: that one changed is all that may be said.
                new = "(another)".to_owned();
            }
            (field.data_name.clone(), old, new)
        })
        .collect()
}

fn is_same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Deferred(old), Value::Deferred(new)) => match (&old.expr, &new.expr) {
            (DeferredExpr::Secret { cipher: a, .. }, DeferredExpr::Secret { cipher: b, .. }) => a == b,
            _ => old == new,
        },
        _ => old == new,
    }
}

fn holds_elements(value: &Value) -> bool {
    match value {
        Value::Record(record) | Value::Variant(_, _, Some(record)) => record.element.is_some(),
        Value::List(items) | Value::Set(items) => items.iter().any(holds_elements),
        Value::Map(entries) => entries.iter().any(|(_, value)| holds_elements(value)),
        _ => false,
    }
}
