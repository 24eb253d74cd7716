//! Instances that a test makes.

use std::sync::Arc;

use ecow::EcoString;

use crate::eval::machine::{Eval, Machine};
use crate::eval::value::{Element, InstanceId, Record, Reference, Value};
use crate::eval::world::{Instance, InstanceElement};
use crate::model::hir::Construct;
use crate::model::schema::RecordDef;
use crate::model::{Hir, TypeId};
use crate::syntax::ast::RecordKind;

impl<'w> Machine<'w> {
    /// An instance of a slice, with its defaults; it exists from now on.
    pub fn test_instance(&mut self, hir: &'w Hir, construct: &'w Construct, def: &'w RecordDef) -> Eval {
        let Some(bench) = self.bench else { return Err(self.unexpected(hir)) };
        let start = self.stack.len();
        let made = self.fields(hir, construct.ty, def, &construct.fields);
        let made = made.and_then(|()| self.rest(hir, construct, def, start));
        let fields: Vec<Value> = self.stack.drain(start..).collect();
        made?;
        let Some(key) = self.key_of(construct.ty, &fields) else { return Err(self.unexpected(hir)) };
        let id = bench.next_instance();
        let mut elements = Elements { machine: self, id, all: Vec::new() };
        elements.add(construct.ty, fields, None, None);
        let elements: Option<Vec<InstanceElement>> = elements.all.into_iter().collect();
        let Some(elements) = elements else { return Err(self.unexpected(hir)) };
        let instance = Instance { id, ty: construct.ty, key: key.clone(), elements, broken: false };
        let place = self.place(hir.node);
        bench.add_instance(Arc::new(instance), place);
        Ok(Value::Ref(Arc::new(Reference { ty: construct.ty, key })))
    }
}

/// Makes elements of the structs of an instance, in the order of the fields.
struct Elements<'m, 'w> {
    machine: &'m Machine<'w>,
    id: InstanceId,
    /// By number; none while the elements below it are being made.
    all: Vec<Option<InstanceElement>>,
}

impl Elements<'_, '_> {
    fn add(
        &mut self,
        ty: TypeId,
        fields: Vec<Value>,
        parent: Option<u32>,
        variant: Option<(TypeId, u16)>,
    ) -> Arc<Record> {
        let index = self.all.len() as u32;
        self.all.push(None);
        let fields: Box<[Value]> = fields.into_iter().map(|v| self.value(v, index)).collect();
        let places = vec![None; fields.len()].into();
        let element = Some(Element { instance: self.id, index });
        let record = Arc::new(Record { ty, fields, element });
        let made = InstanceElement {
            record: record.clone(),
            parent,
            variant,
            step: EcoString::new(),
            place: None,
            fields: places,
            wrong: Vec::new(),
        };
        if let Some(place) = self.all.get_mut(index as usize) {
            *place = Some(made);
        }
        record
    }

    /// A value of an element, with the structs in it made elements.
    fn value(&mut self, value: Value, parent: u32) -> Value {
        match value {
            Value::Record(record) if self.is_struct(record.ty) => {
                Value::Record(self.add(record.ty, record.fields.to_vec(), Some(parent), None))
            }
            Value::Variant(ty, variant, Some(record)) => {
                let variant_of = Some((ty, variant));
                let record = self.add(record.ty, record.fields.to_vec(), Some(parent), variant_of);
                Value::Variant(ty, variant, Some(record))
            }
            Value::Variant(ty, variant, None) => {
                // No struct, but an element where the union has `impl`s.
                if !self.machine.plan.impls(ty).is_empty() {
                    self.add(ty, Vec::new(), Some(parent), Some((ty, variant)));
                }
                Value::Variant(ty, variant, None)
            }
            Value::List(items) => Value::List(items.iter().map(|v| self.value(v.clone(), parent)).collect()),
            Value::Set(items) => Value::Set(items.iter().map(|v| self.value(v.clone(), parent)).collect()),
            Value::Map(entries) => {
                Value::Map(entries.iter().map(|(k, v)| (k.clone(), self.value(v.clone(), parent))).collect())
            }
            other => other,
        }
    }

    fn is_struct(&self, ty: TypeId) -> bool {
        let kind = self.machine.program.record(ty).map(|r| r.kind);
        matches!(kind, Some(RecordKind::Struct | RecordKind::Plain))
    }
}
