//! What an earlier project made otherwise than the current one does.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::eval::{Object, Reference};
use crate::graph::claims::Claims;
use crate::graph::{GraphBuilder, Header};
use crate::handler::Registry;
use crate::project::assemble::{Assembly, passing};
use crate::project::draft::Drafter;
use crate::project::graphs::{Gathered, Runs};
use crate::project::origins::Origins;
use crate::project::queries::Evaluation;
use crate::syntax::ast::RecordKind;

use super::frozen::Frozen;

/// The current project.
pub(super) struct Current<'a> {
    pub runs: &'a Runs,
    pub gathered: &'a Gathered,
    pub claims: &'a Claims,
    pub handlers: &'a Registry,
}

/// What an earlier project made otherwise.
pub(super) struct Otherwise {
    /// Its resources, as they were there.
    pub graph: GraphBuilder,
    /// The ids of those of now that it did not have.
    pub came: FxHashSet<EcoString>,
}

/// The part of an earlier project's graph that can differ from the current one: the resources that
/// those made whose runs gave something else. The cost is that of what differs, and of a look at
/// who that is.
pub(super) fn otherwise(now: &Current<'_>, then: &Frozen) -> Otherwise {
    let program = &*then.runs.model.program;
    let is_resource =
        |r: &Arc<Reference>| program.record(r.ty).is_some_and(|r| r.kind == RecordKind::Resource);
    // Only what moved can be there now as well and matter.
    let moves = !program.moves.is_empty();
    let gone = |r: &Arc<Reference>| moves || !now.gathered.objects.contains_key(r);
    let mut seen: FxHashSet<&Arc<Reference>> = FxHashSet::default();
    let mut objects: Vec<Arc<Object>> = Vec::new();
    for made in differing(&then.runs, now.runs).iter().flat_map(|e| e.objects()) {
        let reference = &made.reference;
        if is_resource(reference) && gone(reference) && seen.insert(reference) {
            // What several made is in the table as one.
            objects.extend(then.gathered.objects.get(reference).cloned());
        }
    }
    let mut builder = GraphBuilder::new(Header::default());
    let origins = Origins::new(then, &then.runs.model.nodes);
    let drafter = Drafter::new(program, now.handlers, &origins);
    // What holds a claim now may not have been there.
    let came: FxHashSet<EcoString> = differing(now.runs, &then.runs)
        .iter()
        .flat_map(|e| e.objects())
        .filter(|made| is_resource(&made.reference) && !then.gathered.objects.contains_key(&made.reference))
        .map(|made| drafter.renderer.id(&made.reference))
        .collect();
    let held = |target: &EcoString, claim: &EcoString| {
        now.claims.holder(target, claim).filter(|id| !came.contains(*id)).cloned()
    };
    let gathered = &then.gathered;
    let assembly = Assembly { drafter: &drafter, objects: &gathered.objects, made_by: &gathered.made_by };
    let (nodes, _) = passing(&assembly, &objects, &held);
    let mut scratch = Vec::new();
    for found in nodes {
        if let Some(target) = found.target {
            builder.upsert_target(Arc::new(target));
        }
        builder.upsert(Arc::new(found.node.seal(&mut scratch)));
    }
    Otherwise { graph: builder, came }
}

/// The runs that gave something else than in the other project, or that it has not.
fn differing<'r>(these: &'r Runs, those: &Runs) -> Vec<&'r Evaluation> {
    let mut found: Vec<&Evaluation> = Vec::new();
    // Both are sorted by path.
    let mut others = those.units.iter().peekable();
    for (file, _, evaluation) in &these.units {
        while others.next_if(|(other, ..)| other.path() < file.path()).is_some() {}
        let same = others.peek().is_some_and(|(other, _, e)| other == file && Arc::ptr_eq(e, evaluation));
        if !same {
            found.push(evaluation);
        }
    }
    let others: FxHashMap<&Arc<Reference>, &Arc<Evaluation>> =
        those.entities.iter().map(|(reference, evaluation)| (reference, evaluation)).collect();
    for (reference, evaluation) in &these.entities {
        if !others.get(reference).is_some_and(|e| Arc::ptr_eq(e, evaluation)) {
            found.push(evaluation);
        }
    }
    found
}
