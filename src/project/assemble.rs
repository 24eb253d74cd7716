//! From what all runs made to the graph: equal objects merged, references resolved, handlers
//! asked, nodes written.

use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::base::{FileId, canonical::Writer};
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::value::DriftPolicy;
use crate::eval::{Deferred, DeferredExpr, Object, Reference, Value};
use crate::graph::claims::{Claims, Made, clash_error};
use crate::graph::order::{Edge, cycle_error};
use crate::graph::{
    Drift, GraphBuilder, GraphValue, Header, LOCAL, Node, NodeHead, Origin, Require, SealedNode,
    SealedTarget, State,
};
use crate::handler::{Examined, Handler, Need, Registry};
use crate::model::{Program, RecordDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::origins::Origins;
use super::render::Renderer;

/// Everything that runs made, by reference, in the order in which it was made: what one element
/// made stands together. Objects that several made are merged already.
pub type Objects = IndexMap<Arc<Reference>, Arc<Object>, FxBuildHasher>;

/// What nodes are made from.
pub struct Assembly<'a> {
    /// The model.
    pub program: &'a Program,
    /// Everything that exists.
    pub objects: &'a Objects,
    /// What the `impl`s of an entity or of a slice's instance made: for `after`.
    pub made_by: &'a FxHashMap<Arc<Reference>, Vec<Arc<Reference>>>,
    /// The handlers of this program.
    pub handlers: &'a Registry,
    /// Lines and columns.
    pub origins: &'a Origins<'a>,
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

/// A node but for what others tell of it.
struct Draft<'a> {
    object: &'a Object,
    id: EcoString,
    handler: &'a str,
    target: EcoString,
    fields: Box<[u8]>,
    requires: Vec<Require>,
    needs: Vec<Need>,
    claims: Vec<EcoString>,
    shares: Vec<EcoString>,
}

/// Makes the nodes of all resources.
pub fn assemble(assembly: &Assembly<'_>, header: Header) -> Assembled {
    let mut maker = Maker::new(assembly);
    let mut builder = GraphBuilder::new(header);
    let mut claims = Claims::default();
    let mut drafts = Vec::with_capacity(assembly.objects.len());
    for object in assembly.objects.values() {
        let Some(record) = assembly.program.record(object.reference.ty) else { continue };
        match record.kind {
            RecordKind::Resource => {
                let mut draft = maker.draft(object, record);
                claims.add(&draft.id, &draft.target, std::mem::take(&mut draft.claims));
                claims.share(&draft.id, &draft.target, std::mem::take(&mut draft.shares));
                drafts.push(draft);
            }
            RecordKind::Target => builder.upsert_target(Arc::new(maker.target(object))),
            _ => {}
        }
    }
    let mut scratch = Vec::with_capacity(1024);
    let mut nodes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        nodes.push(Arc::new(maker.seal(draft, &[&claims], &mut scratch)));
    }
    builder.extend(nodes);
    let mut diagnostics = maker.diagnostics;
    diagnostics.extend(problems(assembly, &builder, &claims));
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
        let record = assembly.program.record(new.reference.ty)?;
        let before = maker.draft(old, record);
        let after = maker.draft(new, record);
        let same = before.claims == after.claims && before.shares == after.shares;
        if !same || before.target != after.target {
            return None;
        }
        let id = after.id.clone();
        let node = maker.seal(after, &[claims], &mut scratch);
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

/// Makes nodes of resources that are not of the lasting graph. `held` is what others hold, those that
/// come first before the others; what these nodes hold is added to it.
pub fn passing(
    assembly: &Assembly<'_>,
    objects: &[Arc<Object>],
    held: &[&Claims],
) -> (Vec<PassingNode>, Vec<Diagnostic>) {
    let mut maker = Maker::new(assembly);
    let mut own = Claims::default();
    let mut drafts = Vec::new();
    for object in objects {
        let Some(record) = assembly.program.record(object.reference.ty) else { continue };
        if record.kind != RecordKind::Resource {
            continue;
        }
        let mut draft = maker.draft(object, record);
        let claims = std::mem::take(&mut draft.claims);
        own.add(&draft.id, &draft.target, claims.iter().cloned());
        let target = record.target.and_then(|slot| object.fields.get(slot as usize));
        let target = match target {
            Some(Value::Ref(target)) => assembly.objects.get(target).map(|t| maker.target(t)),
            _ => None,
        };
        drafts.push((object, draft, target, claims));
    }
    let held: Vec<&Claims> = held.iter().copied().chain([&own]).collect();
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
fn problems(assembly: &Assembly<'_>, builder: &GraphBuilder, claims: &Claims) -> Vec<Diagnostic> {
    let clashes = claims.clashes();
    let cycles = builder.cycles();
    if clashes.is_empty() && cycles.is_empty() {
        return Vec::new();
    }
    let renderer = Renderer::new(assembly.program);
    let by_id: FxHashMap<EcoString, &Object> =
        assembly.objects.iter().map(|(r, o)| (renderer.id(r), &**o)).collect();
    let made = |id: &EcoString| match by_id.get(id) {
        Some(object) => Made { model: model_place(object), data: assembly.origins.data_place(object) },
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
    renderer: Renderer<'a>,
    /// For each entity the resources that its fields refer to.
    reached: FxHashMap<Arc<Reference>, Arc<[Arc<Reference>]>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Maker<'a> {
    fn new(assembly: &'a Assembly<'a>) -> Self {
        Maker {
            assembly,
            renderer: Renderer::new(assembly.program),
            reached: FxHashMap::default(),
            diagnostics: Vec::new(),
        }
    }

    fn draft<'o>(&mut self, object: &'o Object, record: &'o RecordDef) -> Draft<'o> {
        let id = self.renderer.id(&object.reference);
        let target = match record.target.and_then(|slot| object.fields.get(slot as usize)) {
            Some(Value::Ref(target)) => self.renderer.id(target),
            _ => LOCAL.into(),
        };
        let handler = record.handler.as_deref().unwrap_or("");
        let fields = GraphValue::Map(self.renderer.fields(object.reference.ty, &object.fields));
        let mut json = Vec::with_capacity(256);
        fields.write(&mut Writer::new(&mut json));
        let mut requires = Vec::new();
        self.field_requires(object, record, &mut requires);
        let (claims, shares, needs) = match self.assembly.handlers.get(handler) {
            Some(found) => self.ask(found, object, &id, &target, fields),
            None => Default::default(),
        };
        Draft { object, id, handler, target, fields: json.into(), requires, needs, claims, shares }
    }

    /// Asks the handler: is it valid, what does it claim, what does it need?
    fn ask(
        &mut self,
        handler: &dyn Handler,
        object: &Object,
        id: &EcoString,
        target: &EcoString,
        fields: GraphValue,
    ) -> (Vec<EcoString>, Vec<EcoString>, Vec<Need>) {
        let node = Node {
            id: id.clone(),
            type_: self.assembly.program.ty(object.reference.ty).decl().path.clone(),
            handler: handler.name().into(),
            target: target.clone(),
            state: State::Present,
            until: Vec::new(),
            fields,
            requires: Vec::new(),
            protect: object.protect,
            adopt: object.adopt,
            keep: object.keep,
            timeout: object.timeout,
            drift: Drift::Repair,
            origin: Origin::default(),
        };
        let Examined { problems, claims, shares, needs } = handler.examine(&node);
        for problem in problems {
            let field = format!("`{}`", problem.field);
            let message = match problem.field.is_empty() || problem.message.contains(&field) {
                true => problem.message,
                false => format!("the field {field}: {}", problem.message),
            };
            let source = self.assembly.origins.field_source(object, &problem.field);
            let (model, data) = source.unwrap_or_else(|| (model_place(object), None));
            let mut diagnostic = Diagnostic::new(codes::INVALID_RESOURCE, model, message);
            let element = self.assembly.origins.data_place(object);
            diagnostic = match (data, element) {
                (Some(place), _) => diagnostic.label(place, "the value comes from here"),
                (None, Some(place)) => diagnostic.label(place, "made for this"),
                (None, None) => diagnostic,
            };
            diagnostic.help = problem.help;
            self.diagnostics.push(diagnostic);
        }
        (claims, shares, needs)
    }

    fn seal(&mut self, draft: Draft<'_>, claims: &[&Claims], scratch: &mut Vec<u8>) -> SealedNode {
        let object = draft.object;
        let mut requires = draft.requires;
        let mut later = Vec::new();
        for need in &draft.needs {
            let holder = |claim: &EcoString| claims.iter().find_map(|c| c.holder(&draft.target, claim));
            let held = need.any_of.iter().find_map(holder);
            if let Some(holder) = held.filter(|&h| *h != draft.id) {
                requires.push(Require { id: holder.clone(), why: need.why.into() });
            }
        }
        for after in &object.after {
            self.after(after, &mut later);
        }
        requires.extend(later.iter().map(|r| Require { id: self.renderer.id(r), why: "after".into() }));
        for field in object.fields.iter() {
            outputs(field, &mut |reference, output| {
                let why = EcoString::from(format!("its `{output}`"));
                requires.push(Require { id: self.renderer.id(reference), why });
            });
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
        let origin = self.assembly.origins.origin(object, &self.renderer);
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
            type_: self.assembly.program.ty(object.reference.ty).decl().path.clone(),
            fields,
            origin: self.assembly.origins.origin(object, &self.renderer),
        };
        target.seal(&mut Vec::new())
    }

    /// The resources that the fields refer to, also through the fields of entities.
    fn field_requires(&mut self, object: &Object, record: &RecordDef, requires: &mut Vec<Require>) {
        for (field, value) in record.fields.iter().zip(object.fields.iter()) {
            let mut found = Vec::new();
            references(value, &mut |r| found.push(r.clone()));
            for reference in found {
                if self.is_resource(reference.ty) {
                    let why = EcoString::from(format!("field `{}`", field.name));
                    requires.push(Require { id: self.renderer.id(&reference), why });
                } else {
                    for reached in self.through(&reference, 0).iter() {
                        let why = EcoString::from(format!("field `{}`", field.name));
                        requires.push(Require { id: self.renderer.id(reached), why });
                    }
                }
            }
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
        self.assembly.program.record(ty).is_some_and(|r| r.kind == RecordKind::Resource)
    }
}

/// Where the constructor of an object is written.
pub fn model_place(object: &Object) -> Place {
    Place::Model { file: object.origin.file, node: object.origin.node.0 }
}

/// Calls `found` for each reference in a value.
pub fn references(value: &Value, found: &mut dyn FnMut(&Arc<Reference>)) {
    match value {
        Value::Ref(reference) => found(reference),
        Value::List(items) | Value::Set(items) => items.iter().for_each(|v| references(v, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, v)| references(v, found)),
        Value::Record(record) => record.fields.iter().for_each(|v| references(v, found)),
        Value::Variant(_, _, Some(payload)) => payload.fields.iter().for_each(|v| references(v, found)),
        Value::Anon(fields) => fields.iter().for_each(|(_, v)| references(v, found)),
        _ => {}
    }
}

/// Calls `found` for each output of a resource that a value is computed from.
fn outputs(value: &Value, found: &mut dyn FnMut(&Arc<Reference>, crate::base::Name)) {
    match value {
        Value::Deferred(deferred) => deferred_outputs(deferred, found),
        Value::List(items) | Value::Set(items) => items.iter().for_each(|v| outputs(v, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, v)| outputs(v, found)),
        Value::Record(record) => record.fields.iter().for_each(|v| outputs(v, found)),
        Value::Variant(_, _, Some(payload)) => payload.fields.iter().for_each(|v| outputs(v, found)),
        Value::Anon(fields) => fields.iter().for_each(|(_, v)| outputs(v, found)),
        _ => {}
    }
}

fn deferred_outputs(deferred: &Deferred, found: &mut dyn FnMut(&Arc<Reference>, crate::base::Name)) {
    match &deferred.expr {
        DeferredExpr::Output { object, field } => found(object, *field),
        DeferredExpr::Operation { args, .. } => args.iter().for_each(|a| outputs(a, found)),
        DeferredExpr::Plain(value) => outputs(value, found),
        DeferredExpr::Secret { .. } => {}
    }
}
