//! What a transient object is there for: the ids that its elements made, or make.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashSet;

use crate::eval::{Element, Operation, Reference, Version};
use crate::graph::{GraphBuilder, State};
use crate::model::Program;
use crate::project::origins::element_text;
use crate::project::render::Renderer;
use crate::syntax::ast::RecordKind;

use super::compared::Compared;

/// Finds out what transient objects are there for.
pub(super) struct Until<'a> {
    pub program: &'a Program,
    pub compared: &'a Compared<'a>,
    pub graph: &'a GraphBuilder,
    renderer: Renderer<'a>,
    /// The absent nodes by the element that their origin names.
    by_element: BTreeMap<EcoString, Vec<EcoString>>,
}

impl<'a> Until<'a> {
    pub(super) fn new(program: &'a Program, compared: &'a Compared<'a>, graph: &'a GraphBuilder) -> Self {
        let mut by_element: BTreeMap<EcoString, Vec<EcoString>> = BTreeMap::new();
        for sealed in graph.iter().filter(|n| n.state == State::Absent) {
            if let Ok(node) = sealed.read()
                && !node.origin.element.is_empty()
            {
                by_element.entry(node.origin.element).or_default().push(node.id);
            }
        }
        Until { program, compared, graph, renderer: Renderer::new(program), by_element }
    }

    /// The ids that an element, what lies below it and the entities of these made and nothing makes
    /// now; of an element that is not deleted also those that they make.
    pub(super) fn of(&self, version: usize, element: Element) -> BTreeSet<EcoString> {
        let mut ids = BTreeSet::new();
        if self.compared.operation(version, element) == Operation::Delete {
            self.made(version, element, State::Absent, &mut ids);
        } else {
            self.made(version, element, State::Present, &mut ids);
            if let Some((version, element)) = self.compared.earlier(version, element) {
                self.made(version, element, State::Absent, &mut ids);
            }
        }
        self.named(version, element, &mut ids);
        ids
    }

    /// What the current model makes of an element as it is in a version, as far as the graph has it
    /// in this state.
    fn made(&self, version: usize, element: Element, state: State, ids: &mut BTreeSet<EcoString>) {
        let Some(of) = self.compared.version(version) else { return };
        for reference in made_below(self.program, of, element) {
            let id = self.renderer.id(&reference);
            if self.graph.get(&id).is_some_and(|n| n.state == state) {
                ids.insert(id);
            }
        }
    }

    /// The absent nodes whose origin names the element or one below it.
    fn named(&self, version: usize, element: Element, ids: &mut BTreeSet<EcoString>) {
        let Some(of) = self.compared.version(version) else { return };
        let Some(instance) = of.world().instance_at(element.instance) else { return };
        let text = element_text(&self.renderer, &instance, element.index);
        let from = self.by_element.range::<str, _>((Bound::Included(text.as_str()), Bound::Unbounded));
        for (name, found) in from.take_while(|(name, _)| name.starts_with(text.as_str())) {
            let rest = &name[text.len()..];
            if rest.is_empty() || rest.starts_with('.') {
                ids.extend(found.iter().cloned());
            }
        }
    }
}

/// The resources that an element, what lies below it and the entities of these make.
fn made_below(program: &Program, version: &dyn Version, element: Element) -> Vec<Arc<Reference>> {
    let Some(instance) = version.world().instance_at(element.instance) else { return Vec::new() };
    let mut below = vec![false; instance.elements.len()];
    for (at, inner) in instance.elements.iter().enumerate() {
        let held = inner.parent.and_then(|p| below.get(p as usize).copied()).unwrap_or_default();
        if let Some(is_below) = below.get_mut(at) {
            *is_below = held || at == element.index as usize;
        }
    }
    let mut open: Vec<Arc<Reference>> = Vec::new();
    version.each_made(&instance, &mut |object| {
        let by = object.origin.element.map(|e| e.index as usize);
        if by.and_then(|at| below.get(at).copied()).unwrap_or_default() {
            open.push(object.reference.clone());
        }
    });
    let mut seen: FxHashSet<Arc<Reference>> = open.iter().cloned().collect();
    let mut made = Vec::new();
    while let Some(reference) = open.pop() {
        version.each_made_by(&reference, &mut |object| {
            if seen.insert(object.reference.clone()) {
                open.push(object.reference.clone());
            }
        });
        if program.record(reference.ty).is_some_and(|r| r.kind == RecordKind::Resource) {
            made.push(reference);
        }
    }
    made
}
