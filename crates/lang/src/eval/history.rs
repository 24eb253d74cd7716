//! Questions about history: `operation(x)`, `deleted(x)`, `previous(x.f)`; `state(x)` in tests.

use std::sync::Arc;

use crate::model::hir::HistoryQuestion;
use crate::model::schema::Slot;
use crate::model::{Hir, HirKind};

use super::machine::{Eval, Machine};
use super::value::{Element, Record, Value};
use super::world::Operation;

impl<'w> Machine<'w> {
    /// The answer to a question about history.
    pub fn history(&mut self, hir: &'w Hir, question: HistoryQuestion, about: &'w Hir) -> Eval {
        match question {
            HistoryQuestion::Operation => {
                let operation = self.operation_of(about)?;
                Ok(self.answer("std::history::Operation", operation as u16, operation.name()))
            }
            HistoryQuestion::Deleted => Ok(Value::Bool(self.operation_of(about)? == Operation::Delete)),
            HistoryQuestion::Previous => self.previous_of(hir, about),
            HistoryQuestion::State => self.state_of(hir, about),
        }
    }

    /// A variant of an enum of the standard library.
    pub fn answer(&self, path: &str, variant: u16, name: &str) -> Value {
        match self.program.find(path) {
            Some(ty) => Value::Enum(ty, variant),
            None => Value::Str(name.into()),
        }
    }

    fn operation_of(&mut self, about: &'w Hir) -> Eval<Operation> {
        match self.element_at(about)? {
            Some(element) => Ok(self.world.operation(element)),
            None => Err(self.silent(about)),
        }
    }

    /// The element that an expression stands for. `self` in the `impl` of a union is one also where
    /// the variant carries nothing.
    fn element_at(&mut self, about: &'w Hir) -> Eval<Option<Element>> {
        if let HirKind::SelfValue = about.kind {
            return Ok(self.subject.element);
        }
        let value = match self.record_at(about)? {
            Some(record) => Value::Record(record),
            None => self.eval(about)?,
        };
        Ok(self.element_of(&value))
    }

    fn previous_of(&mut self, hir: &'w Hir, about: &'w Hir) -> Eval {
        let (element, slot) = match &about.kind {
            HirKind::Field { base, slot, .. } => (self.element_at(base)?, Some(*slot)),
            HirKind::SharedField { base, name } => {
                let element = self.element_at(base)?;
                let slot = element.and_then(|e| self.slot_named(e, *name));
                (element, slot)
            }
            HirKind::IfSome { base, local, body } => {
                return match self.eval(base)? {
                    Value::Null => Ok(Value::Null),
                    value => {
                        self.set_local(*local, value);
                        self.previous_of(hir, body)
                    }
                };
            }
            _ => return Err(self.unexpected(hir)),
        };
        let (Some(element), Some(slot)) = (element, slot) else { return Ok(Value::Null) };
        let value = self.world.previous(element, slot).unwrap_or_default();
        self.unless_wrong(hir, detached(&value))
    }

    fn slot_named(&self, element: Element, name: crate::base::Name) -> Option<Slot> {
        let instance = self.instance_of(element)?;
        let ty = instance.elements.get(element.index as usize)?.record.ty;
        self.program.record(ty)?.field(name).map(|(slot, _)| slot)
    }
}

impl Operation {
    /// As the standard library's enum has it.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
            Operation::Keep => "keep",
        }
    }
}

/// A value without its elements: those of another version are numbered by that version, so that
/// nothing of this one may be looked up by them.
fn detached(value: &Value) -> Value {
    let record = |record: &Arc<Record>| {
        let fields = record.fields.iter().map(detached).collect();
        Arc::new(Record { ty: record.ty, fields, element: None })
    };
    match value {
        Value::Record(inner) => Value::Record(record(inner)),
        Value::Variant(ty, variant, Some(payload)) => Value::Variant(*ty, *variant, Some(record(payload))),
        Value::List(items) => Value::List(items.iter().map(detached).collect()),
        Value::Set(items) => Value::Set(items.iter().map(detached).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(k, v)| (k.clone(), detached(v))).collect()),
        other => other.clone(),
    }
}
