//! Structs, the root of an instance, and tagged unions.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::{FileId, id};
use crate::data::NodeKind;
use crate::diag::{Place, nearest};
use crate::eval::value::{Record, Value};
use crate::eval::world::InstanceElement;
use crate::model::schema::{FieldDef, FieldKind, Slot};
use crate::model::{RecordDef, Type, TypeId};

use super::layers::{Layers, Src};
use super::problems;
use super::reader::{Context, Reader, key_value};

/// What an element is besides a record: the variant that carries it, and its step.
pub struct Carrier<'a> {
    pub union: TypeId,
    pub variant: u16,
    /// The field that holds the tag, to be passed over.
    pub tag: &'static str,
    /// What the tag says.
    pub name: &'a str,
}

/// The record that a field is read for.
struct Owner<'a, 'm> {
    record: &'a RecordDef,
    element: u32,
    /// Where it stands.
    here: Place,
    /// The fields that a slip of the pen was meant for.
    mistyped: &'m [Slot],
}

/// What stands in the data for each slot.
type Given<'a> = Vec<Option<Layers<'a>>>;

impl<'a> Reader<'a> {
    /// A record: its fields, defaults for those that are not given. None only if it could not be
    /// made at all.
    pub fn record(
        &mut self,
        record: &'a RecordDef,
        layers: &Layers<'a>,
        context: Context<'a>,
        carrier: Option<&Carrier<'a>>,
        bindings: &[(EcoString, EcoString)],
    ) -> Option<Arc<Record>> {
        let index = self.elements.len() as u32;
        self.elements.push(None);
        let mut rest = Vec::new();
        let mut mistyped = Vec::new();
        let mut given = self.given(record, layers, carrier, &mut rest, &mut mistyped);
        let layers_here = layers.last().place();
        let stored = record.stored;
        let mut values: Vec<Value> = Vec::with_capacity(stored);
        let mut places: Vec<Option<(FileId, u32)>> = Vec::with_capacity(stored);
        let mut wrong = Vec::new();
        for slot in 0..stored {
            let Some(field) = record.fields.get(slot) else { break };
            let given = given.get_mut(slot).and_then(Option::take);
            places.push(given.as_ref().map(|l| (l.last().doc.file, l.last().node)));
            let value = if field.kind == FieldKind::Rest {
                Value::Map(std::mem::take(&mut rest).into())
            } else {
                let bound = bindings.iter().find(|(name, _)| *name == field.data_name).map(|(_, text)| text);
                let owner = Owner { record, element: index, here: layers_here, mistyped: &mistyped };
                self.field(&owner, field, slot as Slot, given, &values, bound)
            };
            if holds_wrong(&value) {
                wrong.push(slot as Slot);
            }
            values.push(value);
        }
        let made = Arc::new(Record {
            ty: record.decl.id,
            fields: values.into(),
            element: Some(self.element(index)),
        });
        let src = layers.last();
        let step = self.step(record, &made, context, carrier);
        if let Some(slot) = self.elements.get_mut(index as usize) {
            *slot = Some(InstanceElement {
                record: made.clone(),
                parent: context.parent,
                variant: carrier.map(|c| (c.union, c.variant)),
                step,
                place: Some((src.doc.file, src.node)),
                fields: places.into(),
                wrong,
            });
        }
        Some(made)
    }

    /// The way to an element from the one that holds it: its field, and what tells it from others.
    fn step(
        &self,
        record: &RecordDef,
        made: &Record,
        context: Context<'a>,
        carrier: Option<&Carrier<'a>>,
    ) -> EcoString {
        if context.parent.is_none() {
            return EcoString::new();
        }
        let mut owned = Vec::new();
        if context.listed {
            owned.extend(record.keys.iter().map(|k| (&k.name, key_value(&made.fields, &k.path))));
        }
        let keys: Vec<(&str, id::Key<'_>)> =
            owned.iter().map(|(name, value)| (name.as_str(), self.id_key(value))).collect();
        let tag = carrier.filter(|_| context.listed).map(|c| (c.tag, c.name));
        let mut out = String::new();
        id::write_element(&mut out, context.name, tag, &keys);
        out.strip_prefix('.').unwrap_or(&out).into()
    }

    fn id_key<'v>(&self, value: &'v Value) -> id::Key<'v>
    where
        'a: 'v,
    {
        match value {
            Value::Bool(b) => id::Key::Bool(*b),
            Value::Int(i) | Value::Duration(i) | Value::Size(i) => id::Key::Int(*i),
            Value::Str(text) => id::Key::Str(text),
            Value::Enum(ty, variant) => {
                let variants = self.program.enumeration(*ty).map(|e| &e.variants);
                let found = variants.and_then(|v| v.get(*variant as usize));
                id::Key::Str(found.map_or("", |v| &v.data_name))
            }
            Value::Ref(reference) if reference.key.len() == 1 => self.id_key(&reference.key[0]),
            _ => id::Key::Null,
        }
    }

    /// Sorts the entries of all layers into slots. What is not declared goes to `rest`, or is
    /// reported; `mistyped` are the fields that a slip of the pen was meant for.
    fn given(
        &mut self,
        record: &'a RecordDef,
        layers: &Layers<'a>,
        carrier: Option<&Carrier<'a>>,
        rest: &mut Vec<(Value, Value)>,
        mistyped: &mut Vec<Slot>,
    ) -> Given<'a> {
        let mut given: Given<'a> = vec![None; record.stored];
        let shape = self.shapes.record(record.decl.id);
        for src in layers.mappings() {
            let mut guess = 0;
            for entry in src.children() {
                let Some(name) = entry.key() else { continue };
                if carrier.is_some_and(|c| c.tag == name.as_str()) {
                    continue;
                }
                let mut slot = shape.and_then(|s| s.slot(record, guess, name));
                if slot.is_none()
                    && let Some(old) = shape.and_then(|s| s.old(name))
                {
                    self.report(problems::old_name(record, old, entry));
                    slot = Some(old);
                }
                match slot {
                    Some(slot) => {
                        guess = slot as usize + 1;
                        match given.get_mut(slot as usize) {
                            Some(Some(below)) => below.push(entry),
                            Some(empty) => *empty = Some(Layers::one(entry)),
                            None => {}
                        }
                    }
                    None if self.is_exempt(entry) => {}
                    None if record.rest.is_some() => self.rest(record, entry, rest),
                    None => self.unknown(record, entry, mistyped),
                }
            }
        }
        given
    }

    /// What sops adds, and the mark with which an overlay removes an element, are no fields.
    fn is_exempt(&self, entry: Src<'a>) -> bool {
        let document = entry.doc.document;
        document.sops() == Some(entry.node) || entry.key().is_some_and(|k| k == "$remove")
    }

    fn rest(&mut self, record: &'a RecordDef, entry: Src<'a>, rest: &mut Vec<(Value, Value)>) {
        let (Some(name), Some(slot)) = (entry.key(), record.rest) else { return };
        let Some(field) = record.fields.get(slot as usize) else { return };
        let Type::Map(_, ty) = field.ty.bare() else { return };
        let context = Context { field: model_place(field), name, parent: None, listed: false, secret: false };
        let value = self.value(ty, &Layers::one(entry), context);
        let key = Value::Str(name.clone());
        match rest.binary_search_by(|(k, _)| super::collections::order(k, &key)) {
            Ok(at) => rest[at].1 = value,
            Err(at) => rest.insert(at, (key, value)),
        }
    }

    fn unknown(&mut self, record: &'a RecordDef, entry: Src<'a>, mistyped: &mut Vec<Slot>) {
        let Some(name) = entry.key() else { return };
        let stored = record.fields.iter().take(record.stored);
        let near = nearest(name, stored.map(|f| f.data_name.as_str()));
        if let Some(slot) = record.fields.iter().position(|f| Some(f.data_name.as_str()) == near) {
            mistyped.push(slot as Slot);
        }
        self.report(problems::unknown_field(record, entry, near));
    }

    fn field(
        &mut self,
        owner: &Owner<'a, '_>,
        field: &'a FieldDef,
        slot: Slot,
        given: Option<Layers<'a>>,
        earlier: &[Value],
        bound: Option<&EcoString>,
    ) -> Value {
        // Null is as good as nothing, but where nothing is no choice.
        let can_be_absent = field.ty.is_nullable() || field.value.is_some();
        let given = given.filter(|l| !(l.last().is_null() && can_be_absent));
        match (given, bound) {
            (Some(layers), bound) => {
                let src = layers.last();
                if let Some(text) = &field.deprecated {
                    self.report(problems::deprecated(field, text, src));
                }
                let context = Context {
                    field: model_place(field),
                    name: &field.data_name,
                    parent: Some(owner.element),
                    listed: false,
                    secret: false,
                };
                let value = self.value(&field.ty, &layers, context);
                match bound {
                    Some(text) => self.agree(field, text, value, src),
                    None => value,
                }
            }
            (None, Some(text)) => self.bound(field, text),
            (None, None) => self.absent(owner, field, slot, earlier),
        }
    }

    /// A field that is not given: its default, null, or an error.
    fn absent(&mut self, owner: &Owner<'a, '_>, field: &'a FieldDef, slot: Slot, earlier: &[Value]) -> Value {
        let ty = owner.record.decl.id;
        let shape = self.shapes.record(ty);
        if let Some(Some(value)) = shape.and_then(|s| s.defaults.get(slot as usize)) {
            return value.clone();
        }
        let meant = owner.mistyped.contains(&slot);
        if field.value.is_some() && field.kind != FieldKind::Assigned {
            return self.ask.default(ty, slot, earlier).unwrap_or_else(|problems| {
                problems.into_iter().for_each(|p| self.report(p));
                self.errors += 1;
                Value::Wrong
            });
        }
        if field.ty.is_nullable() && field.kind != FieldKind::Assigned {
            return Value::Null;
        }
        match (meant, field.kind) {
            (true, _) => self.errors += 1,
            (false, FieldKind::Assigned) => {
                self.report(problems::unassigned(owner.record, field, owner.here))
            }
            (false, _) => self.report(problems::missing(owner.record, field, owner.here)),
        }
        Value::Wrong
    }

    /// A key that the path gives.
    fn bound(&mut self, field: &'a FieldDef, text: &EcoString) -> Value {
        match super::scalars::from_text(self.program, self.shapes, &field.ty, text) {
            Some(value) => value,
            None => {
                self.report(problems::bound_type(self.program, field, text, self.id.file));
                Value::Wrong
            }
        }
    }

    /// A key that both the path and the data give.
    fn agree(&mut self, field: &'a FieldDef, text: &EcoString, value: Value, src: Src<'a>) -> Value {
        let from_path = super::scalars::from_text(self.program, self.shapes, &field.ty, text);
        if matches!(value, Value::Wrong) || from_path.as_ref() == Some(&value) {
            return value;
        }
        self.report(problems::path_disagrees(field, text, src));
        value
    }

    /// A value of a tagged union.
    pub fn union(&mut self, id: TypeId, ty: &Type, layers: &Layers<'a>, context: Context<'a>) -> Value {
        let src = layers.last();
        let Some(def) = self.program.union(id) else { return Value::Wrong };
        // A union that carries nothing may stand as the bare tag.
        if let NodeKind::Str(name) = src.kind()
            && let Some(variant) = self.shapes.variant(id, name)
            && def.variants.get(variant as usize).is_some_and(|v| v.payload.is_none())
        {
            return Value::Variant(id, variant, None);
        }
        if !src.is_mapping() {
            return self.wrong(ty, src, context);
        }
        let tag = def.tag.as_str();
        let mut tags: Vec<Src<'a>> = layers.mappings().filter_map(|s| s.get(tag)).collect();
        let Some(last) = tags.pop() else {
            self.report(problems::no_tag(def, src));
            return Value::Wrong;
        };
        let NodeKind::Str(name) = last.kind() else {
            self.report(problems::bad_tag(def, last));
            return Value::Wrong;
        };
        let Some(variant) = self.shapes.variant(id, name) else {
            self.report(problems::bad_tag(def, last));
            return Value::Wrong;
        };
        let Some(found) = def.variants.get(variant as usize) else { return Value::Wrong };
        if let Some(text) = &found.deprecated {
            self.report(problems::deprecated_variant(&def.decl, found, text, last));
        }
        // An overlay that changes the tag starts anew: the other variant's fields are not its.
        let changed = tags.iter().any(|t| !matches!(t.kind(), NodeKind::Str(other) if other == name));
        let fresh = Layers::one(src);
        let layers = if changed { &fresh } else { layers };
        match found.payload.as_ref().map(Type::bare) {
            None => {
                let extra = src.children().find(|c| c.key().is_some_and(|k| k != tag));
                if let Some(extra) = extra {
                    self.report(problems::empty_variant(def, found, extra));
                }
                Value::Variant(id, variant, None)
            }
            Some(Type::Record(payload)) => {
                let Some(record) = self.program.record(*payload) else { return Value::Wrong };
                let carrier = Carrier { union: id, variant, tag, name };
                let made = self.record(record, layers, context, Some(&carrier), &[]);
                made.map_or(Value::Wrong, |r| Value::Variant(id, variant, Some(r)))
            }
            Some(_) => Value::Wrong,
        }
    }
}

/// Where a field is declared.
pub fn model_place(field: &FieldDef) -> Place {
    Place::Model { file: field.file, node: field.node.0 }
}

/// Whether a value is a stand-in, or holds one.
fn holds_wrong(value: &Value) -> bool {
    match value {
        Value::Wrong => true,
        Value::List(items) | Value::Set(items) => items.iter().any(holds_wrong),
        Value::Map(entries) => entries.iter().any(|(_, v)| holds_wrong(v)),
        Value::Record(record) => record.element.is_none() && record.fields.iter().any(holds_wrong),
        _ => false,
    }
}
