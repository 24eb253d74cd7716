//! From what all runs made to the graph: equal objects merged, references resolved, handlers
//! asked, nodes written.

use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::base::FileId;
use crate::diag::{Diagnostic, Place};
use crate::eval::value::DriftPolicy;
use crate::eval::{Object, Reference};
use crate::graph::claims::{Claims, Made, clash_error};
use crate::graph::order::{Edge, are_acyclic, cycle_error};
use crate::graph::{
    Drift, GraphBuilder, GraphValue, Header, Node, NodeHead, Origin, Require, SealedNode, SealedTarget, State,
};
use crate::model::TypeId;
use crate::syntax::ast::RecordKind;

use super::draft::{Draft, Drafter, Use, references};
use super::render::Renderer;

/// Everything that runs made, by reference, in the order in which it was made: what one element
/// made stands together. Objects that several made are merged already.
pub type Objects = IndexMap<Arc<Reference>, Arc<Object>, FxBuildHasher>;

/// What nodes are made from.
pub struct Assembly<'a> {
    /// What makes drafts of them.
    pub drafter: &'a Drafter<'a>,
    /// Everything that exists.
    pub objects: &'a Objects,
    /// What the `impl`s of an entity or of a slice's instance made: for `after`.
    pub made_by: &'a FxHashMap<Arc<Reference>, Vec<Arc<Reference>>>,
}

/// The graph, and what is wrong with it.
pub struct Assembled {
    /// The graph; as far as there is one, where something is wrong.
    pub builder: GraphBuilder,
    /// Who holds what.
    pub claims: Claims,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Makes the nodes of all resources.
pub fn assemble(assembly: &Assembly<'_>, header: Header) -> Assembled {
    let drafts = assembly.drafter.drafts(assembly.objects.values());
    assemble_drafts(assembly, vec![drafts], header)
}

/// Makes the nodes of all resources, whose drafts these are: many lists, so that each is freed as soon
/// as its nodes are there.
pub fn assemble_drafts(
    assembly: &Assembly<'_>,
    mut drafts: Vec<Vec<Draft<'_>>>,
    header: Header,
) -> Assembled {
    let mut maker = Maker::new(assembly);
    let mut builder = GraphBuilder::new(header);
    let mut claims = Claims::expecting(drafts.iter().flatten().map(|d| d.claims.len()).sum());
    for draft in drafts.iter_mut().flatten() {
        claims.add(&draft.id, &draft.target, std::mem::take(&mut draft.claims));
        claims.share(&draft.id, &draft.target, std::mem::take(&mut draft.shares));
    }
    for object in assembly.objects.values() {
        if maker.is_target(object.reference.ty) {
            builder.upsert_target(Arc::new(maker.target(object)));
        }
    }
    let mut scratch = Vec::with_capacity(1024);
    let mut nodes = Vec::with_capacity(drafts.iter().map(Vec::len).sum());
    for draft in drafts.into_iter().flatten() {
        nodes.push(Arc::new(maker.seal(
            draft,
            &|target, claim| claims.holder(target, claim).cloned(),
            &mut scratch,
        )));
    }
    let circular = !are_acyclic(nodes.iter().map(|node| &**node));
    builder.extend(nodes);
    let mut diagnostics = maker.diagnostics;
    diagnostics.extend(problems(assembly, &builder, &claims, circular));
    Assembled { builder, claims, diagnostics }
}

/// Makes the nodes of some resources anew, whose ids, targets and claims are those that they had.
/// None if something is wrong with one of them or one of them claims something else: then all
/// are to be assembled.
pub fn reassemble(
    assembly: &Assembly<'_>,
    changed: &[(Arc<Object>, Arc<Object>)],
    claims: &Claims,
    builder: &mut GraphBuilder,
) -> Option<()> {
    let mut maker = Maker::new(assembly);
    let mut scratch = Vec::new();
    for (old, new) in changed {
        let before = assembly.drafter.draft(old)?;
        let after = assembly.drafter.draft(new)?;
        let same = before.claims == after.claims && before.shares == after.shares;
        if !same || before.target != after.target {
            return None;
        }
        let id = after.id.clone();
        let node = maker.seal(after, &|target, claim| claims.holder(target, claim).cloned(), &mut scratch);
        let known = builder.get(&id)?;
        let same_edges = known.requires == node.requires;
        builder.upsert(Arc::new(node));
        if !same_edges && builder.cycle_through(&id).is_some() {
            return None;
        }
    }
    maker.diagnostics.is_empty().then_some(())
}

/// A node that is there only on the way, with what it claims on its target.
pub struct PassingNode {
    /// Which object it is.
    pub object: Arc<Object>,
    /// The node, with the state of a lasting one.
    pub node: Node,
    /// Its target, unless it is the machine that deploys.
    pub target: Option<SealedTarget>,
    /// What it claims.
    pub claims: Vec<EcoString>,
}

/// Says which node holds a claim on a target.
pub type Held<'h> = &'h dyn Fn(&EcoString, &EcoString) -> Option<EcoString>;

/// Makes nodes of resources that are not of the lasting graph. `held` is what others hold; what these
/// nodes hold is added to it.
pub fn passing(
    assembly: &Assembly<'_>,
    objects: &[Arc<Object>],
    held: Held<'_>,
) -> (Vec<PassingNode>, Vec<Diagnostic>) {
    let mut maker = Maker::new(assembly);
    let mut own = Claims::default();
    let mut drafts = Vec::new();
    for object in objects {
        let Some(mut draft) = assembly.drafter.draft(object) else { continue };
        let claims = std::mem::take(&mut draft.claims);
        own.add(&draft.id, &draft.target, claims.iter().cloned());
        let target = assembly.drafter.target(object).and_then(|target| assembly.objects.get(target));
        let target = target.map(|target| maker.target(target));
        drafts.push((object, draft, target, claims));
    }
    let held = |target: &EcoString, claim: &EcoString| {
        held(target, claim).or_else(|| own.holder(target, claim).cloned())
    };
    let mut scratch = Vec::new();
    let nodes = drafts.into_iter().filter_map(|(object, draft, target, claims)| {
        let sealed = maker.seal(draft, &held, &mut scratch);
        // What this program has sealed, it can read.
        Some(PassingNode { object: object.clone(), node: sealed.read().ok()?, target, claims })
    });
    let nodes = nodes.collect();
    (nodes, maker.diagnostics)
}

/// Claims that clash, and circles of requirements.
fn problems(
    assembly: &Assembly<'_>,
    builder: &GraphBuilder,
    claims: &Claims,
    circular: bool,
) -> Vec<Diagnostic> {
    let clashes = claims.clashes();
    let cycles = if circular { builder.cycles() } else { Vec::new() };
    if clashes.is_empty() && cycles.is_empty() {
        return Vec::new();
    }
    let (renderer, origins) = (&assembly.drafter.renderer, assembly.drafter.origins);
    let by_id: FxHashMap<EcoString, &Object> =
        assembly.objects.iter().map(|(r, o)| (renderer.id(r), &**o)).collect();
    let made = |id: &EcoString| match by_id.get(id) {
        Some(object) => Made { model: model_place(object), data: origins.data_place(object) },
        None => Made { model: Place::File(FileId::new("")), data: None },
    };
    let clashes = clashes.iter().filter_map(|c| clash_error(c, &mut |id| made(id)));
    let cycles = cycles.iter().filter_map(|cycle| {
        cycle_error(cycle, &mut |user, used| {
            let made = made(user);
            Edge { why: why(builder, user, used), model: made.model, data: made.data }
        })
    });
    clashes.chain(cycles).collect()
}

/// Why one node requires another, as the graph says it.
fn why(builder: &GraphBuilder, user: &EcoString, used: &EcoString) -> EcoString {
    let node = builder.get(user).and_then(|n| n.read().ok());
    let require = node.and_then(|n| n.requires.into_iter().find(|r| r.id == *used));
    require.map_or_else(|| "required".into(), |r| r.why)
}

struct Maker<'a> {
    assembly: &'a Assembly<'a>,
    renderer: &'a Renderer<'a>,
    /// For each entity the resources that its fields refer to.
    reached: FxHashMap<Arc<Reference>, Arc<[Arc<Reference>]>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Maker<'a> {
    fn new(assembly: &'a Assembly<'a>) -> Self {
        let renderer = &assembly.drafter.renderer;
        Maker { assembly, renderer, reached: FxHashMap::default(), diagnostics: Vec::new() }
    }

    fn seal(&mut self, draft: Draft<'_>, held: Held<'_>, scratch: &mut Vec<u8>) -> SealedNode {
        let object = &*draft.object;
        self.diagnostics.extend(draft.problems);
        let mut requires = Vec::with_capacity(2);
        for used in &draft.uses {
            self.used(used, &mut requires);
        }
        let mut later = Vec::new();
        for need in &draft.needs {
            let holder = need.any_of.iter().find_map(|claim| held(&draft.target, claim));
            if let Some(id) = holder.filter(|id| *id != draft.id) {
                requires.push(Require { id, why: need.why.into() });
            }
        }
        for after in &object.after {
            self.after(after, &mut later);
        }
        requires.extend(later.iter().map(|r| Require { id: self.renderer.id(r), why: "after".into() }));
        for (reference, output) in &draft.outputs {
            let why = EcoString::from(format!("its `{output}`"));
            requires.push(Require { id: self.renderer.id(reference), why });
        }
        requires.retain(|r| r.id != draft.id);
        Require::normalise(&mut requires);
        let drift = match &object.drift {
            DriftPolicy::Repair => Drift::Repair,
            DriftPolicy::Report => Drift::Report,
            DriftPolicy::Ignore(paths) => {
                let mut paths = paths.clone();
                paths.sort();
                paths.dedup();
                Drift::Ignore(paths)
            }
        };
        let origin = draft.origin.unwrap_or_else(|| self.origin(object));
        let head = NodeHead {
            id: &draft.id,
            handler: draft.handler,
            target: &draft.target,
            state: State::Present,
            until: &[],
            requires: &requires,
            protect: object.protect,
            adopt: object.adopt,
            keep: object.keep,
            timeout: object.timeout,
            drift: &drift,
            origin: &origin,
        };
        SealedNode::new(&head, scratch, |out| out.raw(&draft.fields))
    }

    fn target(&mut self, object: &Object) -> SealedTarget {
        let fields = GraphValue::Map(self.renderer.fields(object.reference.ty, &object.fields));
        let target = crate::graph::Target {
            id: self.renderer.id(&object.reference),
            type_: self.assembly.drafter.program.ty(object.reference.ty).decl().path.clone(),
            fields,
            origin: self.origin(object),
        };
        target.seal(&mut Vec::new())
    }

    fn origin(&self, object: &Object) -> Origin {
        self.assembly.drafter.origins.origin(object, self.assembly.objects, self.renderer)
    }

    /// The resource that a field refers to, or those that the fields of an entity do.
    fn used(&mut self, used: &Use<'_>, requires: &mut Vec<Require>) {
        let why = || EcoString::from(format!("field `{}`", used.field));
        if self.is_resource(used.reference.ty) {
            requires.push(Require { id: self.renderer.id(&used.reference), why: why() });
            return;
        }
        for reached in self.through(&used.reference, 0).iter() {
            requires.push(Require { id: self.renderer.id(reached), why: why() });
        }
    }

    /// The resources that an entity's fields refer to.
    fn through(&mut self, entity: &Arc<Reference>, depth: usize) -> Arc<[Arc<Reference>]> {
        if let Some(known) = self.reached.get(entity) {
            return known.clone();
        }
        // What refers to itself in a circle is cut here, and by the table.
        self.reached.insert(entity.clone(), Arc::default());
        let mut reached = Vec::new();
        if let Some(object) = self.assembly.objects.get(entity)
            && depth < 64
        {
            let mut found = Vec::new();
            object.fields.iter().for_each(|v| references(v, &mut |r| found.push(r.clone())));
            for reference in found {
                match self.is_resource(reference.ty) {
                    true => reached.push(reference),
                    false => reached.extend(self.through(&reference, depth + 1).iter().cloned()),
                }
            }
        }
        let reached: Arc<[Arc<Reference>]> = reached.into();
        self.reached.insert(entity.clone(), reached.clone());
        reached
    }

    fn after(&self, reference: &Arc<Reference>, found: &mut Vec<Arc<Reference>>) {
        if self.is_resource(reference.ty) {
            found.push(reference.clone());
        } else if let Some(made) = self.assembly.made_by.get(reference) {
            found.extend(made.iter().filter(|r| self.is_resource(r.ty)).cloned());
        }
    }

    fn is_resource(&self, ty: TypeId) -> bool {
        self.assembly.drafter.program.record(ty).is_some_and(|r| r.kind == RecordKind::Resource)
    }

    fn is_target(&self, ty: TypeId) -> bool {
        self.assembly.drafter.program.record(ty).is_some_and(|r| r.kind == RecordKind::Target)
    }
}

/// Where the constructor of an object is written.
pub fn model_place(object: &Object) -> Place {
    Place::Model { file: object.origin.file, node: object.origin.node.0 }
}
