//! Instances that a test makes.

use std::sync::Arc;

use ecow::EcoString;

use crate::eval::instance::steps::step;
use crate::eval::machine::{Eval, Machine};
use crate::eval::print;
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
        elements.add(construct.ty, fields, None, None, EcoString::new());
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

/// Where a value stands: the element that holds it and the field of that; whether it is one of
/// several, and under which key of a map.
#[derive(Clone, Copy)]
struct Spot<'n> {
    parent: u32,
    field: &'n str,
    listed: bool,
    key: Option<&'n EcoString>,
}

impl Elements<'_, '_> {
    fn add(
        &mut self,
        ty: TypeId,
        fields: Vec<Value>,
        parent: Option<u32>,
        variant: Option<(TypeId, u16)>,
        step: EcoString,
    ) -> Arc<Record> {
        let index = self.all.len() as u32;
        self.all.push(None);
        let program = self.machine.program;
        let names = program.record(ty).map(|def| def.fields.as_slice()).unwrap_or_default();
        let fields: Vec<Value> = fields
            .into_iter()
            .enumerate()
            .map(|(slot, value)| {
                let field = names.get(slot).map_or("", |f| f.data_name.as_str());
                self.value(value, Spot { parent: index, field, listed: false, key: None })
            })
            .collect();
        let places = vec![None; fields.len()].into();
        let element = Some(Element { instance: self.id, index });
        let record = Arc::new(Record { ty, fields: fields.into(), element });
        let made = InstanceElement {
            record: record.clone(),
            parent,
            variant,
            step,
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
    fn value(&mut self, value: Value, spot: Spot<'_>) -> Value {
        let one = Spot { listed: true, ..spot };
        match value {
            Value::Record(record) if self.is_struct(record.ty) => {
                let step = self.step(spot, None, record.ty, &record.fields);
                Value::Record(self.add(record.ty, record.fields.to_vec(), Some(spot.parent), None, step))
            }
            Value::Variant(ty, variant, Some(record)) => {
                let variant_of = Some((ty, variant));
                let step = self.step(spot, variant_of, record.ty, &record.fields);
                let parent = Some(spot.parent);
                let record = self.add(record.ty, record.fields.to_vec(), parent, variant_of, step);
                Value::Variant(ty, variant, Some(record))
            }
            Value::Variant(ty, variant, None) => {
                // No struct, but an element where the union has `impl`s.
                let plan = self.machine.plan;
                if !plan.impls(ty).is_empty() || !plan.transient_impls(ty).is_empty() {
                    let variant_of = Some((ty, variant));
                    let step = self.step(spot, variant_of, ty, &[]);
                    self.add(ty, Vec::new(), Some(spot.parent), variant_of, step);
                }
                Value::Variant(ty, variant, None)
            }
            Value::List(items) => Value::List(items.iter().map(|v| self.value(v.clone(), one)).collect()),
            Value::Set(items) => Value::Set(items.iter().map(|v| self.value(v.clone(), one)).collect()),
            Value::Map(entries) => {
                let entry = |(k, v): &(Value, Value)| {
                    let mut key = String::new();
                    print::text(&mut key, self.machine.program, k);
                    let key = EcoString::from(key);
                    (k.clone(), self.value(v.clone(), Spot { key: Some(&key), ..one }))
                };
                Value::Map(entries.iter().map(entry).collect())
            }
            other => other,
        }
    }

    /// The way to an element, as reading data gives it.
    fn step(
        &self,
        spot: Spot<'_>,
        variant: Option<(TypeId, u16)>,
        ty: TypeId,
        fields: &[Value],
    ) -> EcoString {
        let program = self.machine.program;
        let tag = variant.and_then(|(union, variant)| {
            let union = program.union(union)?;
            Some((union.tag.as_str(), union.variants.get(variant as usize)?.data_name.as_str()))
        });
        let record = program.record(ty).map(|def| (def, fields));
        step(program, spot.field, spot.listed, tag, record, spot.key.cloned())
    }

    fn is_struct(&self, ty: TypeId) -> bool {
        let kind = self.machine.program.record(ty).map(|r| r.kind);
        matches!(kind, Some(RecordKind::Struct | RecordKind::Plain))
    }
}
