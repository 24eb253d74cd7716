//! What a default brings: its structs are elements, as those that stand in the data are.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashSet;

use crate::diag::Place;
use crate::eval::value::{Record, Value};
use crate::eval::world::{InstanceElement, PendingReference};
use crate::model::schema::FieldDef;
use crate::model::{RecordDef, TypeId};

use super::problems;
use super::reader::{Context, Reader, is_nested};
use super::records::model_place;
use super::unions::Carrier;

impl<'a> Reader<'a> {
    /// Takes the value of a field's default into the instance.
    pub fn adopt(&mut self, field: &'a FieldDef, value: Value, context: Context<'a>) -> Value {
        let place = match &field.value {
            Some(body) => Place::Model { file: body.file, node: body.root.node.0 },
            None => model_place(field),
        };
        Adoption { reader: self, default: place }.value(value, context, None)
    }
}

/// A default that is being taken in.
struct Adoption<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// Where it is written.
    default: Place,
}

impl<'a> Adoption<'_, 'a> {
    /// `key` is that of the map that holds the value.
    fn value(&mut self, value: Value, context: Context<'a>, key: Option<EcoString>) -> Value {
        match value {
            Value::Record(record) => match self.reader.program.record(record.ty).filter(|r| is_nested(r)) {
                Some(def) => Value::Record(self.record(def, &record, context, None, key)),
                None => Value::Record(record),
            },
            Value::Variant(union, variant, payload) => self.variant(union, variant, payload, context, key),
            Value::List(items) => Value::List(self.items(&items, context)),
            Value::Set(items) => Value::Set(self.items(&items, context)),
            Value::Map(entries) => {
                let context = Context { listed: true, ..context };
                let entry = |(k, v): &(Value, Value)| {
                    let name = self.map_key(k);
                    (k.clone(), self.value(v.clone(), context, name))
                };
                Value::Map(entries.iter().map(entry).collect())
            }
            Value::Ref(reference) => {
                let place = self.default;
                self.reader.references.push(PendingReference {
                    reference: reference.clone(),
                    place,
                    data: None,
                });
                Value::Ref(reference)
            }
            other => other,
        }
    }

    fn items(&mut self, items: &[Value], context: Context<'a>) -> Arc<[Value]> {
        let context = Context { listed: true, ..context };
        let taken: Arc<[Value]> = items.iter().map(|item| self.value(item.clone(), context, None)).collect();
        let mut seen = FxHashSet::default();
        for item in taken.iter() {
            if self.is_keyed(item)
                && let Some(identity) = self.reader.identity(item)
                && let Some(twice) = seen.replace(identity)
            {
                let problem = problems::duplicate_in_default(&twice.1, self.default, context.field);
                self.reader.report(problem);
            }
        }
        taken
    }

    fn is_keyed(&self, item: &Value) -> bool {
        match item {
            Value::Record(record) => self.reader.is_keyed(self.reader.program.ty(record.ty)),
            Value::Variant(union, ..) => self.reader.is_keyed(self.reader.program.ty(*union)),
            _ => false,
        }
    }

    fn record(
        &mut self,
        def: &'a RecordDef,
        record: &Record,
        context: Context<'a>,
        carrier: Option<&Carrier<'a>>,
        key: Option<EcoString>,
    ) -> Arc<Record> {
        let index = self.reader.elements.len() as u32;
        self.reader.elements.push(None);
        let field = |(field, value): (&'a FieldDef, &Value)| {
            let context = Context {
                field: model_place(field),
                name: &field.data_name,
                parent: Some(index),
                listed: false,
                secret: false,
                alias: None,
            };
            self.value(value.clone(), context, None)
        };
        let fields: Box<[Value]> = def.fields.iter().zip(record.fields.iter()).map(field).collect();
        let element = Some(self.reader.element(index));
        let made = Arc::new(Record { ty: record.ty, fields, element });
        let taken = InstanceElement {
            record: made.clone(),
            parent: context.parent,
            variant: carrier.map(|c| (c.union, c.variant)),
            step: self.reader.step(def, &made, context, carrier, key),
            place: None,
            fields: vec![None; made.fields.len()].into(),
            wrong: Vec::new(),
        };
        if let Some(slot) = self.reader.elements.get_mut(index as usize) {
            *slot = Some(taken);
        }
        made
    }

    fn variant(
        &mut self,
        union: TypeId,
        variant: u16,
        payload: Option<Arc<Record>>,
        context: Context<'a>,
        key: Option<EcoString>,
    ) -> Value {
        let def = self.reader.program.union(union);
        let Some((def, found)) = def.and_then(|d| Some((d, d.variants.get(variant as usize)?))) else {
            return Value::Variant(union, variant, payload);
        };
        let carrier = Carrier { union, variant, tag: def.tag.as_str(), name: &found.data_name };
        let payload = match payload {
            None => return self.reader.bare(&carrier, None, context),
            Some(payload) => payload,
        };
        match self.reader.program.record(payload.ty) {
            Some(record) => {
                let taken = self.record(record, &payload, context, Some(&carrier), key);
                Value::Variant(union, variant, Some(taken))
            }
            None => Value::Variant(union, variant, Some(payload)),
        }
    }

    /// The text of a map's key.
    fn map_key(&self, key: &Value) -> Option<EcoString> {
        match key {
            Value::Str(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string().into()),
            Value::Enum(ty, variant) => {
                let variants = &self.reader.program.enumeration(*ty)?.variants;
                Some(variants.get(*variant as usize)?.data_name.clone())
            }
            _ => None,
        }
    }
}
