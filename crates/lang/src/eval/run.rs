//! The runs: `impl`s of an instance or an entity, checks, and what is computed on its own.

use std::sync::Arc;

use crate::base::FileId;
use crate::diag::{Code, DataPart, Diagnostic, Place, codes::eval as codes};
use crate::model::schema::{AtDef, CheckDef, Slot};
use crate::model::ty::RefineId;
use crate::model::{Body, Hir, HirKind, Program, TypeDef, TypeId};
use crate::syntax::ast::{BinaryOp, UnaryOp};

use super::Plan;
use super::budget::Cost;
use super::files::folder_of;
use super::machine::{Eval, Machine, Stop, Subject, This};
use super::provenance::{element_place, field_place};
use super::value::{Element, Object, Record, Value};
use super::world::{Instance, RunOutput, World};

/// Runs the `impl`s of an instance: of its root and of each struct or union below it, in their
/// order; each with those written for its type, in the order of the model.
pub fn run_instance(world: &dyn World, instance: &Arc<Instance>) -> RunOutput {
    let mut machine = Machine::new(world);
    machine.about(instance);
    for index in 0..instance.elements.len() as u32 {
        if machine.run_element(instance, index, Plan::impls) == Err(Stop::Run) {
            break;
        }
    }
    machine.finish()
}

/// Runs the `impl`s about history of some elements of an instance: what they make is transient.
pub fn run_transient(world: &dyn World, instance: &Arc<Instance>, elements: &[u32]) -> RunOutput {
    let mut machine = Machine::new(world);
    machine.about(instance);
    for &index in elements {
        if machine.run_element(instance, index, Plan::transient_impls) == Err(Stop::Run) {
            break;
        }
    }
    machine.finish()
}

/// Runs the `impl`s of an entity.
pub fn run_entity(world: &dyn World, entity: &Arc<Object>) -> RunOutput {
    let mut machine = Machine::new(world);
    machine.run_entity_impls(entity);
    machine.finish()
}

/// Runs the checks of an instance: of its root and of each struct below it. One that reads a
/// value that is wrong says nothing.
pub fn check_instance(world: &dyn World, instance: &Arc<Instance>, out: &mut Vec<Diagnostic>) {
    let mut machine = Machine::new(world);
    machine.about(instance);
    let program = world.program();
    for (index, element) in instance.elements.iter().enumerate() {
        let Some(TypeDef::Record(def)) = program.types.get(element.record.ty.0 as usize) else { continue };
        machine.subject.element = Some(Element { instance: instance.id, index: index as u32 });
        for check in &def.checks {
            machine.check_apart(check, This::Record(element.record.clone()));
        }
    }
    out.append(&mut machine.finish().diagnostics);
}

/// Runs the checks of an entity or resource, and of the structs in its fields.
pub fn check_object(world: &dyn World, object: &Arc<Object>, out: &mut Vec<Diagnostic>) {
    let mut machine = Machine::new(world);
    machine.subject.maker = Some(object.clone());
    let program = world.program();
    if let Some(TypeDef::Record(def)) = program.types.get(object.reference.ty.0 as usize) {
        for check in &def.checks {
            machine.check_apart(check, This::Object(object.clone()));
        }
    }
    let mut records = Vec::new();
    object.fields.iter().for_each(|value| nested_records(value, &mut records));
    for record in records {
        let Some(TypeDef::Record(def)) = program.types.get(record.ty.0 as usize) else { continue };
        for check in &def.checks {
            machine.check_apart(check, This::Record(record.clone()));
        }
    }
    out.append(&mut machine.finish().diagnostics);
}

/// The structs in a value that no instance has (those were checked with it).
fn nested_records(value: &Value, found: &mut Vec<Arc<Record>>) {
    match value {
        Value::Record(record) | Value::Variant(_, _, Some(record)) => {
            if record.element.is_none() {
                found.push(record.clone());
                record.fields.iter().for_each(|v| nested_records(v, found));
            }
        }
        Value::List(items) | Value::Set(items) => items.iter().for_each(|v| nested_records(v, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, v)| nested_records(v, found)),
        Value::Anon(fields) => fields.iter().for_each(|(_, v)| nested_records(v, found)),
        _ => {}
    }
}

/// Runs a check at the top of a module.
pub fn check_global<'w>(world: &'w dyn World, check: &'w CheckDef, out: &mut Vec<Diagnostic>) {
    let mut machine = Machine::new(world);
    machine.check_apart(check, This::None);
    out.append(&mut machine.finish().diagnostics);
}

/// A value that was computed on its own.
#[derive(Clone, Debug)]
pub struct Computed {
    /// The value, if there is one.
    pub value: Result<Value, ()>,
    /// What was wrong, the references made, what it took.
    pub output: RunOutput,
}

impl Computed {
    pub(super) fn new(machine: Machine<'_>, value: Eval) -> Self {
        Computed { value: value.map_err(|_| ()), output: machine.finish() }
    }
}

/// Computes a derived field of an element.
pub fn derived_field(world: &dyn World, element: Element, slot: Slot) -> Computed {
    let mut machine = Machine::new(world);
    let instance = world.instance_at(element.instance);
    let record =
        instance.as_ref().and_then(|i| i.elements.get(element.index as usize)).map(|e| e.record.clone());
    let value = match (instance, record) {
        (Some(instance), Some(record)) => {
            machine.about(&instance);
            machine.subject.element = Some(element);
            machine.derived(record.ty, slot, This::Record(record))
        }
        _ => Err(Stop::Value),
    };
    Computed::new(machine, value)
}

/// Computes a derived field of an object.
pub fn derived_of_object(world: &dyn World, object: &Arc<Object>, slot: Slot) -> Computed {
    let mut machine = Machine::new(world);
    machine.subject.maker = Some(object.clone());
    let value = machine.derived(object.reference.ty, slot, This::Object(object.clone()));
    Computed::new(machine, value)
}

/// Computes a constant (index into `Program::consts`).
pub fn constant(world: &dyn World, index: u32) -> Computed {
    let mut machine = Machine::new(world);
    let value = match world.program().consts.get(index as usize) {
        Some(def) => machine.constant_body(def),
        None => Err(Stop::Value),
    };
    Computed::new(machine, value)
}

/// Computes the result of a function without parameters (index into `Program::functions`).
pub fn function(world: &dyn World, index: u32) -> Computed {
    let mut machine = Machine::new(world);
    let value = machine.function_body(index);
    Computed::new(machine, value)
}

/// Computes a body that stands alone: an identity in a `moved`.
pub fn body<'w>(world: &'w dyn World, body: &'w Body) -> Computed {
    let mut machine = Machine::new(world);
    let value = machine.run_body(body, This::None);
    Computed::new(machine, value)
}

/// Whether a value satisfies a refinement; or what went wrong while it was looked at.
pub fn holds(world: &dyn World, refinement: RefineId, value: &Value) -> Result<bool, Vec<Diagnostic>> {
    let mut reader = Reader::new(world);
    reader.holds(refinement, value).map_err(|()| reader.take_diagnostics())
}

/// What a field of an instance in `file` is that is not given, over the fields before it; or what
/// went wrong.
pub fn default_value(
    world: &dyn World,
    file: FileId,
    ty: TypeId,
    slot: Slot,
    before: &[Value],
) -> Result<Value, Vec<Diagnostic>> {
    let mut reader = Reader::new(world);
    reader.default(ty, slot, before, Some(file)).map_err(|()| reader.take_diagnostics())
}

/// Evaluates defaults and refinements while an instance is being read: one after the other, with
/// what they need kept between them.
pub struct Reader<'w> {
    machine: Machine<'w>,
}

impl<'w> Reader<'w> {
    /// A reader over a world, which needs neither instances nor objects: see
    /// [`ModelWorld`](super::ModelWorld).
    pub fn new(world: &'w dyn World) -> Self {
        Reader { machine: Machine::new(world) }
    }

    /// What a field is that is not given: the default, or null. `before` are the fields of the
    /// record before this one; `file` is the instance's, for `file()` in a default.
    ///
    /// An error has been said (see [`Reader::take_diagnostics`]), or there is no default.
    pub fn default(
        &mut self,
        ty: TypeId,
        slot: Slot,
        before: &[Value],
        file: Option<FileId>,
    ) -> Result<Value, ()> {
        let program: &'w Program = self.machine.program;
        let field = program.record(ty).and_then(|r| r.fields.get(slot as usize)).ok_or(())?;
        let Some(body) = &field.value else {
            return if field.ty.is_nullable() { Ok(Value::Null) } else { Err(()) };
        };
        if let Some(value) = super::make::literal(&body.root) {
            return Ok(self.masked(ty, slot, value));
        }
        self.machine.subject.folder = file.map(|f| folder_of(f.path()));
        let start = self.machine.stack.len();
        self.machine.stack.extend_from_slice(before);
        let this = This::Partial { start, stored: before.len() };
        let value = self.machine.apart(|m| m.run_body(body, this));
        self.machine.stack.truncate(start);
        value.map(|value| self.masked(ty, slot, value)).map_err(|_| ())
    }

    fn masked(&self, ty: TypeId, slot: Slot, value: Value) -> Value {
        if !self.machine.plan.slot(ty, slot).secret {
            return value;
        }
        match self.machine.program.record(ty).and_then(|r| r.fields.get(slot as usize)) {
            Some(field) => super::deferred::masked(value, &field.ty),
            None => value,
        }
    }

    /// Whether a value satisfies a refinement. An error has been said.
    pub fn holds(&mut self, refinement: RefineId, value: &Value) -> Result<bool, ()> {
        let before = std::mem::take(&mut self.machine.cost);
        let holds = self.machine.holds(refinement, value);
        self.machine.out.cost += std::mem::replace(&mut self.machine.cost, before);
        holds.map_err(|_| ())
    }

    /// What was wrong since the last time.
    pub fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.machine.out.diagnostics)
    }

    /// What all of it took.
    pub fn cost(&self) -> Cost {
        self.machine.out.cost
    }
}

impl<'w> Machine<'w> {
    /// Sets the instance that the run is about.
    pub fn about(&mut self, instance: &Arc<Instance>) {
        self.instance = Some(instance.clone());
        self.instance_ref = None;
        self.subject =
            Subject { element: None, maker: None, folder: Some(folder_of(instance.id.file.path())) };
    }

    /// Runs the `impl`s of an entity.
    pub fn run_entity_impls(&mut self, entity: &Arc<Object>) {
        self.subject.maker = Some(entity.clone());
        for index in self.plan.impls(entity.reference.ty) {
            if self.run_impl(*index, This::Object(entity.clone())) == Err(Stop::Run) {
                break;
            }
        }
    }

    /// Runs those `impl`s of an element that `which` gives for a type.
    pub fn run_element(
        &mut self,
        instance: &Arc<Instance>,
        index: u32,
        which: fn(&Plan, TypeId) -> &[u32],
    ) -> Eval<()> {
        let Some(element) = instance.elements.get(index as usize) else { return Ok(()) };
        let plan = self.plan;
        let ty = element.record.ty;
        let of_union = element.variant.map_or(&[][..], |(union, _)| which(plan, union));
        // A variant without a payload stands there as a record of the union's own type.
        let bare = element.variant.is_some_and(|(union, _)| union == ty);
        let own = if bare { &[][..] } else { which(plan, ty) };
        if own.is_empty() && of_union.is_empty() {
            return Ok(());
        }
        self.subject.element = Some(Element { instance: instance.id, index });
        for at in own {
            self.run_impl(*at, This::Record(element.record.clone()))?;
        }
        for at in of_union {
            let Some((union, variant)) = element.variant else { break };
            let payload = (!bare).then(|| element.record.clone());
            self.run_impl(*at, This::Value(Value::Variant(union, variant, payload)))?;
        }
        Ok(())
    }

    /// Runs one `impl`, with a budget of its own. What goes wrong in it stops no other one.
    fn run_impl(&mut self, index: u32, this: This) -> Eval<()> {
        let program = self.program;
        let Some(def) = program.impls.get(index as usize) else { return Ok(()) };
        self.enter(def.body.file, Some(&def.body.root), def.body.locals, this);
        let holds = match &def.when {
            Some(when) => self.condition(when),
            None => Ok(true),
        };
        let _ = match holds {
            Ok(true) => self.eval(&def.body.root).map(|_| ()),
            Ok(false) => Ok(()),
            Err(stop) => Err(stop),
        };
        self.leave();
        self.out.cost += std::mem::take(&mut self.cost);
        let full = self.out.diagnostics.len() >= super::machine::MOST_PROBLEMS;
        if full { Err(Stop::Run) } else { Ok(()) }
    }

    /// Runs a check of its own, with a budget of its own.
    fn check_apart(&mut self, check: &'w CheckDef, this: This) {
        self.enter(check.file, None, check.locals, this);
        let _ = self.check(check);
        self.leave();
        self.out.cost += std::mem::take(&mut self.cost);
    }

    /// A check in a body, in the frame of the body.
    pub fn check_in_body(&mut self, check: &'w CheckDef) -> Eval {
        self.check(check).map(|()| Value::Null)
    }

    fn check(&mut self, check: &'w CheckDef) -> Eval<()> {
        match &check.quantifier {
            None => self.check_once(check),
            Some((locals, over)) => self.each(over, locals, &mut |m| match m.check_once(check) {
                Err(Stop::Run) => Err(Stop::Run),
                _ => Ok(()),
            }),
        }
    }

    fn check_once(&mut self, check: &'w CheckDef) -> Eval<()> {
        if self.condition(&check.condition)? {
            return Ok(());
        }
        let message = match self.eval(&check.message)? {
            Value::Str(text) => text,
            _ => return Err(self.unexpected(&check.message)),
        };
        let model = Place::Model { file: check.file, node: check.node.0 };
        let code: Code = codes::CHECK;
        let problem = match self.blamed(check.at.as_ref()) {
            Some(place) => {
                Diagnostic::new(code, place, message.as_str()).label(model, "this check does not hold")
            }
            None => Diagnostic::new(code, model, message.as_str()).at("this check does not hold"),
        };
        let mut values = Vec::new();
        self.compared(&check.condition, &mut values);
        let problem = values.into_iter().fold(problem, |problem, (place, text)| problem.label(place, text));
        Err(self.report(problem))
    }

    /// The values that a condition which does not hold has compared, each with its place.
    fn compared(&mut self, hir: &'w Hir, found: &mut Vec<(Place, String)>) {
        const MOST: usize = 4;
        match &hir.kind {
            HirKind::Binary(BinaryOp::And, a, b) => match self.quietly(a) {
                Some(Value::Bool(true)) => self.compared(b, found),
                _ => self.compared(a, found),
            },
            HirKind::Binary(BinaryOp::Or, a, b) => {
                self.compared(a, found);
                self.compared(b, found);
            }
            HirKind::Unary(UnaryOp::Not, inner) => self.compared(inner, found),
            HirKind::Binary(op, a, b) if !matches!(op, BinaryOp::Coalesce) => {
                for side in [a, b] {
                    if found.len() < MOST
                        && !matches!(side.kind, HirKind::Null)
                        && !super::literals::is_literal(side)
                        && let Some(value) = self.quietly(side).filter(tells)
                    {
                        let shown = super::print::shown(self.program, &value);
                        found.push((self.place(side.node), format!("this is {shown}")));
                    }
                }
            }
            _ => {}
        }
    }

    /// The value of an expression that was evaluated before, without a word.
    fn quietly(&mut self, hir: &'w Hir) -> Option<Value> {
        let said = self.out.diagnostics.len();
        let value = self.eval(hir).ok();
        self.out.diagnostics.truncate(said);
        value
    }

    /// Where the data is to blame: the key of the field that `at` names; without `at`, the
    /// element. None for what is not about data.
    fn blamed(&mut self, at: Option<&'w AtDef>) -> Option<Place> {
        let Some(at) = at else { return self.subject_place() };
        let element = match self.blamed_element(&at.base) {
            Some(element) => element,
            None => return self.subject_place(),
        };
        let instance = self.instance_of(element)?;
        Some(field_at(self.program, &instance, element.index, &at.path))
    }

    fn blamed_element(&mut self, base: &'w Hir) -> Option<Element> {
        if let Some(element) = self.traced_element(base) {
            return Some(element);
        }
        // The base is an expression like any other; that it fails was said before.
        let said = self.out.diagnostics.len();
        let value = self.eval(base).ok();
        self.out.diagnostics.truncate(said);
        self.element_of(&value?)
    }

    fn subject_place(&self) -> Option<Place> {
        if let Some(element) = self.subject.element {
            let instance = self.instance_of(element)?;
            // The root is the whole file: its start says the same with less ink.
            return Some(match element.index {
                0 => root_place(&instance),
                index => element_place(&instance, index),
            });
        }
        let origin = &self.subject.maker.as_ref()?.origin;
        Some(Place::Model { file: origin.file, node: origin.node.0 })
    }
}

/// Whether a value says something in a word or two.
fn tells(value: &Value) -> bool {
    match value {
        Value::List(items) | Value::Set(items) => items.iter().all(tells),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Str(_)
        | Value::Enum(..)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Ref(_) => true,
        _ => false,
    }
}

/// The start of an instance: its file, or its item in a file of several.
fn root_place(instance: &Instance) -> Place {
    match instance.elements.first().and_then(|e| e.place) {
        Some((_, 0)) | None => Place::File(instance.id.file),
        Some((file, node)) => Place::Data { file, node, part: DataPart::Value },
    }
}

/// The key of the field at the end of a path of data names, as far as it is in the data; else
/// the start of its element.
fn field_at(program: &Program, instance: &Instance, index: u32, path: &[ecow::EcoString]) -> Place {
    let mut index = index;
    let mut place = None;
    for (at, name) in path.iter().enumerate() {
        let Some(element) = instance.elements.get(index as usize) else { break };
        let Some(def) = program.record(element.record.ty) else { break };
        let Some(slot) = def.fields.iter().position(|f| f.data_name == *name) else { break };
        place = field_place(element, slot as Slot, DataPart::Key);
        let nested = match element.record.fields.get(slot) {
            Some(Value::Record(record) | Value::Variant(_, _, Some(record))) => record.element,
            _ => None,
        };
        match nested {
            Some(nested) if at + 1 < path.len() => index = nested.index,
            _ => break,
        }
    }
    if path.is_empty() {
        return if index == 0 { root_place(instance) } else { element_place(instance, index) };
    }
    place.unwrap_or_else(|| match index {
        0 => root_place(instance),
        index => element_place(instance, index),
    })
}
