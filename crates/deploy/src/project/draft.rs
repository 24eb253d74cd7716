//! The part of a node that its object alone tells: its id, its fields, what it claims and needs. It is
//! made as soon as the object is, while that lies near; what others tell is added at the end.

use std::cell::RefCell;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Name, canonical::Writer};
use crate::diag::Diagnostic;
use crate::diag::codes::project as codes;
use crate::eval::{Deferred, DeferredExpr, Object, Reference, Value};
use crate::graph::{Drift, GraphValue, LOCAL, Node, Origin, State};
use crate::handler::{Examined, Handler, Need, Registry};
use crate::model::{Program, RecordDef};
use crate::syntax::ast::RecordKind;

use super::assemble::model_place;
use super::origins::Origins;
use super::render::Renderer;

/// A node but for what others tell of it.
pub struct Draft<'a> {
    pub(super) object: Arc<Object>,
    pub(super) id: EcoString,
    pub(super) handler: &'a str,
    pub(super) target: EcoString,
    /// The fields, in canonical JSON.
    pub(super) fields: Box<[u8]>,
    /// What the fields refer to.
    pub(super) uses: Vec<Use<'a>>,
    /// The outputs of resources that fields are computed from.
    pub(super) outputs: Vec<(Arc<Reference>, Name)>,
    pub(super) needs: Vec<Need>,
    pub(super) claims: Vec<EcoString>,
    pub(super) shares: Vec<EcoString>,
    /// Who made it, if it was made for an element.
    pub(super) origin: Option<Origin>,
    /// What its handler says is wrong.
    pub(super) problems: Vec<Diagnostic>,
}

/// A reference that stands in a field.
pub(super) struct Use<'a> {
    pub field: &'a str,
    pub reference: Arc<Reference>,
}

/// Makes drafts of the nodes of one project.
pub struct Drafter<'a> {
    pub(super) program: &'a Program,
    handlers: &'a Registry,
    pub(super) origins: &'a Origins<'a>,
    pub(super) renderer: Renderer<'a>,
    /// One buffer for the fields of all.
    scratch: RefCell<Vec<u8>>,
}

impl<'a> Drafter<'a> {
    /// For a model, the handlers of this program, and lines and columns.
    pub fn new(program: &'a Program, handlers: &'a Registry, origins: &'a Origins<'a>) -> Self {
        Drafter { program, handlers, origins, renderer: Renderer::new(program), scratch: RefCell::default() }
    }

    /// The drafts of those of the objects that are resources.
    pub fn drafts<'o>(&self, objects: impl Iterator<Item = &'o Arc<Object>> + Clone) -> Vec<Draft<'a>> {
        let mut drafts = Vec::with_capacity(objects.clone().count());
        drafts.extend(objects.filter_map(|object| self.draft(object)));
        drafts
    }

    /// The target that an object names, unless it is the machine that deploys.
    pub(super) fn target<'o>(&self, object: &'o Object) -> Option<&'o Arc<Reference>> {
        let record = self.program.record(object.reference.ty)?;
        match object.fields.get(record.target? as usize)? {
            Value::Ref(target) => Some(target),
            _ => None,
        }
    }

    /// The draft of a resource. None if the object is none.
    pub fn draft(&self, object: &Arc<Object>) -> Option<Draft<'a>> {
        let record = self.program.record(object.reference.ty).filter(|r| r.kind == RecordKind::Resource)?;
        let id = self.renderer.id(&object.reference);
        let target = self.target(object).map_or_else(|| LOCAL.into(), |target| self.renderer.id(target));
        let handler = record.handler.as_deref().unwrap_or("");
        let fields = GraphValue::Map(self.renderer.fields(object.reference.ty, &object.fields));
        let mut scratch = self.scratch.borrow_mut();
        scratch.clear();
        fields.write(&mut Writer::new(&mut scratch));
        let json: Box<[u8]> = scratch.as_slice().into();
        drop(scratch);
        let (uses, outputs) = used(object, record);
        let mut problems = Vec::new();
        let (claims, shares, needs) = match self.handlers.get(handler) {
            Some(found) => self.ask(found, object, &id, &target, fields, &mut problems),
            None => Default::default(),
        };
        let origin = self.origins.of_element(object, &self.renderer);
        let object = object.clone();
        Some(Draft {
            object,
            id,
            handler,
            target,
            fields: json,
            uses,
            outputs,
            needs,
            claims,
            shares,
            origin,
            problems,
        })
    }

    /// Asks the handler: is it valid, what does it claim, what does it need?
    fn ask(
        &self,
        handler: &dyn Handler,
        object: &Object,
        id: &EcoString,
        target: &EcoString,
        fields: GraphValue,
        found: &mut Vec<Diagnostic>,
    ) -> (Vec<EcoString>, Vec<EcoString>, Vec<Need>) {
        let node = Node {
            id: id.clone(),
            type_: self.program.ty(object.reference.ty).decl().path.clone(),
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
            let source = self.origins.field_source(object, &problem.field);
            let (model, data) = source.unwrap_or_else(|| (model_place(object), None));
            let mut diagnostic = Diagnostic::new(codes::INVALID_RESOURCE, model, message);
            let element = self.origins.data_place(object);
            diagnostic = match (data, element) {
                (Some(place), _) => diagnostic.label(place, "the value comes from here"),
                (None, Some(place)) => diagnostic.label(place, "made for this"),
                (None, None) => diagnostic,
            };
            diagnostic.help = problem.help;
            found.push(diagnostic);
        }
        (claims, shares, needs)
    }
}

/// The references that stand in the fields, and the outputs of resources that they are computed from.
fn used<'a>(object: &Object, record: &'a RecordDef) -> (Vec<Use<'a>>, Vec<(Arc<Reference>, Name)>) {
    let (mut uses, mut found) = (Vec::new(), Vec::new());
    for (field, value) in record.fields.iter().zip(object.fields.iter()) {
        references(value, &mut |r| uses.push(Use { field: field.name.as_str(), reference: r.clone() }));
        outputs(value, &mut |reference, output| found.push((reference.clone(), output)));
    }
    (uses, found)
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
fn outputs(value: &Value, found: &mut dyn FnMut(&Arc<Reference>, Name)) {
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

fn deferred_outputs(deferred: &Deferred, found: &mut dyn FnMut(&Arc<Reference>, Name)) {
    match &deferred.expr {
        DeferredExpr::Output { object, field } => found(object, *field),
        DeferredExpr::Operation { args, .. } => args.iter().for_each(|a| outputs(a, found)),
        DeferredExpr::Plain(value) => outputs(value, found),
        DeferredExpr::Secret { .. } => {}
    }
}
