//! Transient nodes in the graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::Diagnostic;
use crate::eval::{Element, Object, Reference, Version};
use crate::graph::claims::Claims;
use crate::graph::{GraphBuilder, Node, SealedTarget, State};
use crate::handler::Registry;
use crate::model::program::NodeTables;
use crate::model::{Program, TypeId};
use crate::project::assemble::{Assembly, Objects, passing};
use crate::project::draft::Drafter;
use crate::project::graphs::MadeBy;
use crate::project::origins::{Origins, Texts};
use crate::syntax::ast::RecordKind;

use super::compared::Compared;
use super::moves::Moves;
use super::passing::{Passed, passed};
use super::until::Until;

/// A version with all that lasts in it.
#[derive(Clone, Copy)]
pub(in crate::project) struct Side<'a> {
    pub version: &'a dyn Version,
    pub objects: &'a Objects,
    /// Where places are looked up.
    pub texts: &'a dyn Texts,
}

/// What all versions share.
pub(in crate::project) struct Shared<'a> {
    pub program: &'a Program,
    pub nodes: &'a NodeTables,
    pub handlers: &'a Registry,
    /// Who holds what in the lasting graph.
    pub claims: &'a Claims,
}

/// What came of it.
#[derive(Default)]
pub(in crate::project) struct Transients {
    /// The transient objects that are made, entities among them.
    pub objects: FxHashMap<Arc<Reference>, Arc<Object>>,
    /// What is wrong in the current version.
    pub diagnostics: Vec<Diagnostic>,
    /// What is wrong in an earlier one, by its number.
    pub earlier: Vec<(usize, Vec<Diagnostic>)>,
}

/// A node that may become one of the graph.
struct Candidate {
    node: Node,
    target: Option<SealedTarget>,
    claims: Vec<EcoString>,
    until: BTreeSet<EcoString>,
    object: Arc<Object>,
}

/// Puts the transient nodes into a graph that has the present and the absent ones. The first of
/// `then` is the version that the current one is compared with; none stands for one in which there
/// was nothing.
pub(in crate::project) fn add(
    shared: &Shared<'_>,
    now: Side<'_>,
    then: &[Option<Side<'_>>],
    moves: &Moves,
    graph: &mut GraphBuilder,
) -> Transients {
    let versions = then.iter().map(|side| side.as_ref().map(|s| s.version));
    let compared = Compared::new(shared.program, now.version, versions, moves);
    let absent = absent_claims(shared.handlers, graph);
    let mut out = Transients::default();
    let mut candidates: BTreeMap<EcoString, Candidate> = BTreeMap::new();
    let mut all: Vec<(Arc<Object>, Vec<(usize, Element)>)> = Vec::new();
    for (number, side) in std::iter::once(Some(&now)).chain(then.iter().map(Option::as_ref)).enumerate() {
        let Some(side) = side else { continue };
        let mut made = passed(&compared, number);
        let diagnostics = std::mem::take(&mut made.diagnostics);
        let until = Until::new(shared.program, &compared, graph);
        let (found, more) = nodes(shared, side, &made, &absent);
        for mut candidate in found {
            let elements = made.objects.get(&candidate.object.reference).map(|(_, e)| e.as_slice());
            let ids = elements.unwrap_or_default().iter().flat_map(|&e| until.of(number, e));
            candidate.until.extend(ids);
            // The newest version tells what it is; it is there for all of them.
            match candidates.get_mut(&candidate.node.id) {
                Some(known) => known.until.extend(candidate.until),
                None => {
                    candidates.insert(candidate.node.id.clone(), candidate);
                }
            }
        }
        let numbered = |(object, elements): (Arc<Object>, Vec<Element>)| {
            (object, elements.into_iter().map(|e| (number, e)).collect())
        };
        all.extend(made.objects.into_values().map(numbered));
        let said: Vec<Diagnostic> = diagnostics.into_iter().chain(more).collect();
        let origins = Origins::new(side.texts, shared.nodes);
        let said: Vec<Diagnostic> = said.into_iter().map(|d| d.resolved(&origins)).collect();
        match number {
            0 => out.diagnostics = said,
            _ if said.is_empty() => {}
            _ => out.earlier.push((number, said)),
        }
    }
    let kept = chosen(shared, candidates, &absent, graph);
    out.objects = kept.iter().map(|c| (c.object.reference.clone(), c.object.clone())).collect();
    // An entity is there as long as a resource is that is made for the same elements.
    let there = all.iter().filter(|(object, _)| out.objects.contains_key(&object.reference));
    let made_for: FxHashSet<(usize, Element)> =
        there.flat_map(|(_, elements)| elements.iter().copied()).collect();
    for (object, elements) in all {
        let resource = is_resource(shared.program, object.reference.ty);
        if !resource && elements.iter().any(|e| made_for.contains(e)) {
            out.objects.entry(object.reference.clone()).or_insert(object);
        }
    }
    put(kept, graph);
    out
}

fn is_resource(program: &Program, ty: TypeId) -> bool {
    program.record(ty).is_some_and(|r| r.kind == RecordKind::Resource)
}

/// What absent nodes held.
fn absent_claims(handlers: &Registry, graph: &GraphBuilder) -> Claims {
    let mut claims = Claims::default();
    for sealed in graph.iter().filter(|n| n.state == State::Absent) {
        if let Ok(node) = sealed.read()
            && let Some(handler) = handlers.get(&node.handler)
        {
            claims.add(&node.id, &node.target, handler.claims(&node));
        }
    }
    claims
}

/// The nodes of the transient objects of one version.
fn nodes(
    shared: &Shared<'_>,
    side: &Side<'_>,
    made: &Passed,
    absent: &Claims,
) -> (Vec<Candidate>, Vec<Diagnostic>) {
    if made.objects.is_empty() {
        return Default::default();
    }
    let mut objects = side.objects.clone();
    for (reference, (object, _)) in &made.objects {
        objects.entry(reference.clone()).or_insert_with(|| object.clone());
    }
    let origins = Origins::new(side.texts, shared.nodes);
    let drafter = Drafter::new(shared.program, shared.handlers, &origins);
    let assembly = Assembly { drafter: &drafter, objects: &objects, made_by: &made_by(side.version, made) };
    let passing_objects: Vec<Arc<Object>> = made.objects.values().map(|(o, _)| o.clone()).collect();
    let held = |target: &EcoString, claim: &EcoString| {
        [shared.claims, absent].iter().find_map(|claims| claims.holder(target, claim)).cloned()
    };
    let (found, diagnostics) = passing(&assembly, &passing_objects, &held);
    let found = found.into_iter().map(|found| Candidate {
        node: found.node,
        target: found.target,
        claims: found.claims,
        until: BTreeSet::new(),
        object: found.object,
    });
    (found.collect(), diagnostics)
}

/// What stands behind the `after`s of transient objects.
fn made_by(version: &dyn Version, made: &Passed) -> MadeBy {
    let mut made_by = MadeBy::default();
    for after in made.objects.values().flat_map(|(o, _)| &o.after) {
        if made_by.contains_key(after) {
            continue;
        }
        let mut found: Vec<Arc<Reference>> = made.made_by.get(after).cloned().unwrap_or_default();
        match version.world().instance(after.ty, &after.key) {
            Some(instance) => version.each_made(&instance, &mut |o| found.push(o.reference.clone())),
            None => version.each_made_by(after, &mut |o| found.push(o.reference.clone())),
        }
        made_by.insert(after.clone(), found);
    }
    made_by
}

/// Those that something is left to be there for, and that nothing lasting takes the place of.
fn chosen(
    shared: &Shared<'_>,
    mut candidates: BTreeMap<EcoString, Candidate>,
    absent: &Claims,
    graph: &GraphBuilder,
) -> Vec<Candidate> {
    candidates.retain(|id, candidate| {
        let present = graph.get(id).is_some_and(|n| n.state == State::Present);
        let holder = |claim: &EcoString| shared.claims.holder(&candidate.node.target, claim);
        !present && !candidate.claims.iter().any(|claim| holder(claim).is_some())
    });
    let ids: BTreeSet<EcoString> = candidates.keys().cloned().collect();
    let requires: BTreeMap<EcoString, Vec<EcoString>> = candidates
        .iter()
        .map(|(id, c)| (id.clone(), c.node.requires.iter().map(|r| r.id.clone()).collect()))
        .collect();
    let mut kept = Vec::new();
    for (id, mut candidate) in candidates {
        // What it is, claims, requires or lies within goes only after it.
        let mut later: BTreeSet<EcoString> = BTreeSet::new();
        let mut open = vec![id];
        for claim in &candidate.claims {
            open.extend(absent.holder(&candidate.node.target, claim).cloned());
        }
        while let Some(next) = open.pop() {
            let of_graph = graph.get(&next).map(|n| n.requires.to_vec());
            let of_candidate = requires.get(&next).cloned();
            if later.insert(next) {
                open.extend(of_candidate.into_iter().chain(of_graph).flatten());
            }
        }
        candidate.until.retain(|id| !later.contains(id) && !ids.contains(id));
        if !candidate.until.is_empty() {
            kept.push(candidate);
        }
    }
    kept
}

/// Puts the nodes into the graph.
fn put(kept: Vec<Candidate>, graph: &mut GraphBuilder) {
    let ids: BTreeSet<EcoString> = kept.iter().map(|c| c.node.id.clone()).collect();
    let mut scratch = Vec::new();
    for Candidate { mut node, target, until, .. } in kept {
        node.state = State::Transient;
        node.until = until.into_iter().collect();
        // One that is not made can be required by nothing.
        node.requires.retain(|r| ids.contains(&r.id) || graph.get(&r.id).is_some());
        if let Some(target) = target
            && graph.target(&target.id).is_none()
        {
            graph.upsert_target(Arc::new(target));
        }
        graph.upsert(Arc::new(node.seal(&mut scratch)));
    }
}
