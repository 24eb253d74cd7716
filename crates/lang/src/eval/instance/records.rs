//! Structs, and the root of an instance.

use std::sync::Arc;

use ecow::EcoString;

use crate::diag::{Place, nearest};
use crate::eval::value::{Record, Value};
use crate::eval::world::{InstanceElement, PendingReference};
use crate::model::schema::{FieldDef, FieldKind, Slot};
use crate::model::{RecordDef, Type};

use super::layers::{Layers, Src};
use super::problems;
use super::reader::{Context, Reader, is_nested};
use super::unions::Carrier;

/// The record that a field is read for.
struct Owner<'a, 'm> {
    record: &'a RecordDef,
    element: u32,
    /// Where it stands: of several files the base.
    here: Src<'a>,
    /// The fields that a slip of the pen was meant for.
    mistyped: &'m [Slot],
    /// Keys that do not come from the data.
    bound: &'m [Bound],
    /// Whether they come from the map that holds the element, and not from the path.
    in_map: bool,
}

impl<'a> Owner<'a, '_> {
    fn context(&self, field: &'a FieldDef) -> Context<'a> {
        Context {
            field: model_place(field),
            name: &field.data_name,
            parent: Some(self.element),
            listed: false,
            secret: false,
            alias: None,
        }
    }
}

/// A key that the path of the file, or the map that holds an element, gives: the name of the key,
/// which may lead into structs, and its text.
pub type Bound = (EcoString, EcoString);

/// What stands in the data for each slot.
type Given<'a> = Vec<Option<Layers<'a>>>;

impl<'a> Reader<'a> {
    /// A record: its fields, defaults for those that are not given.
    pub fn record(
        &mut self,
        record: &'a RecordDef,
        layers: &Layers<'a>,
        context: Context<'a>,
        carrier: Option<&Carrier<'a>>,
    ) -> Arc<Record> {
        let index = self.elements.len() as u32;
        self.elements.push(None);
        let mut bound = std::mem::take(&mut self.bound);
        let map_key = self.map_key.take();
        if let (Some(text), [key]) = (&map_key, record.keys.as_slice()) {
            bound.push((key.name.clone(), text.clone()));
        }
        let mut rest = Vec::new();
        let mut unknown = Vec::new();
        let mut given = self.given(record, layers, carrier, &mut rest, &mut unknown);
        let mistyped = self.unknown(record, &given, &bound, &unknown);
        let owner = Owner {
            record,
            element: index,
            here: layers.first(),
            mistyped: &mistyped,
            bound: &bound,
            in_map: map_key.is_some(),
        };
        let mut values: Vec<Value> = Vec::with_capacity(record.stored);
        let mut places = Vec::with_capacity(record.stored);
        let mut wrong = Vec::new();
        for (slot, field) in record.fields.iter().enumerate().take(record.stored) {
            let given = given.get_mut(slot).and_then(Option::take);
            places.push(given.as_ref().map(|l| (l.last().doc.file, l.last().node)));
            let value = match field.kind {
                FieldKind::Rest => Value::Map(std::mem::take(&mut rest).into()),
                _ => self.field(&owner, field, slot as Slot, given, &values),
            };
            if holds_wrong(&value) {
                wrong.push(slot as Slot);
            }
            values.push(value);
        }
        let element = Some(self.element(index));
        let made = Arc::new(Record { ty: record.decl.id, fields: values.into(), element });
        let src = layers.last();
        let step = self.step(record, &made, context, carrier, map_key);
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
        made
    }

    /// Sorts the entries of all layers into slots. What is not declared goes to `rest`, or to
    /// `unknown`.
    fn given(
        &mut self,
        record: &'a RecordDef,
        layers: &Layers<'a>,
        carrier: Option<&Carrier<'a>>,
        rest: &mut Vec<(Value, Value)>,
        unknown: &mut Vec<Src<'a>>,
    ) -> Given<'a> {
        let mut given: Given<'a> = vec![None; record.stored];
        let shape = self.shapes.record(record.decl.id);
        for src in layers.mappings() {
            let sops = src.doc.document.sops();
            let mut guess = 0;
            for entry in src.children() {
                let Some(name) = entry.key() else { continue };
                if carrier.is_some_and(|c| c.tag == name.as_str()) || sops == Some(entry.node) {
                    continue;
                }
                let mut slot = shape.and_then(|s| s.slot(record, guess, name));
                if slot.is_none()
                    && let Some(old) = shape.and_then(|s| s.old(name))
                {
                    self.report(problems::old_name(record, old, entry));
                    slot = Some(old);
                }
                match slot.map(|slot| (slot, given.get_mut(slot as usize))) {
                    Some((slot, Some(below))) => {
                        guess = slot as usize + 1;
                        self.stack(below, entry);
                    }
                    Some((_, None)) => {}
                    None if record.rest.is_some() && name != REMOVE => self.rest(record, entry, rest),
                    None => unknown.push(entry),
                }
            }
        }
        given
    }

    /// Puts a value over the one that other files, or another name in the same file, give. What a
    /// file for sops adds stands nowhere else.
    pub fn stack(&mut self, below: &mut Option<Layers<'a>>, entry: Src<'a>) {
        let Some(layers) = below else {
            *below = Some(Layers::one(entry));
            return;
        };
        let last = layers.last();
        let same_file = last.doc.file == entry.doc.file;
        let merged = (last.is_mapping() && entry.is_mapping()) || (last.is_sequence() && entry.is_sequence());
        // The key of an element stands in both, and is the same.
        let equal = last.is_null() || (!last.is_container() && last.kind() == entry.kind());
        if same_file || (entry.is_sops() && !merged && !equal) {
            self.report(problems::given_twice(last, entry));
        } else {
            layers.push(entry);
        }
    }

    fn rest(&mut self, record: &'a RecordDef, entry: Src<'a>, rest: &mut Vec<(Value, Value)>) {
        let (Some(name), Some(slot)) = (entry.key(), record.rest) else { return };
        let Some(field) = record.fields.get(slot as usize) else { return };
        let Type::Map(_, ty) = field.ty.bare() else { return };
        let key = Value::Str(name.clone());
        let known = rest.binary_search_by(|(k, _)| super::collections::order(k, &key));
        if entry.is_null() && self.is_overlay(entry) {
            known.into_iter().for_each(|at| drop(rest.remove(at)));
            return;
        }
        let context = Context {
            field: model_place(field),
            name,
            parent: None,
            listed: true,
            secret: false,
            alias: None,
        };
        let value = self.value(ty, &Layers::one(entry), context);
        match known {
            Ok(at) => {
                if let Some(slot) = rest.get_mut(at) {
                    slot.1 = value;
                }
            }
            Err(at) => rest.insert(at, (key, value)),
        }
    }

    /// Reports entries that are no fields; yields the fields that slips of the pen were meant for.
    fn unknown(
        &mut self,
        record: &'a RecordDef,
        given: &Given<'a>,
        bound: &[Bound],
        entries: &[Src<'a>],
    ) -> Vec<Slot> {
        let mut mistyped = Vec::new();
        for &entry in entries {
            let Some(name) = entry.key() else { continue };
            if name == REMOVE {
                self.report(problems::misplaced_remove(entry));
                continue;
            }
            let free = |(slot, field): &(usize, &FieldDef)| {
                field.kind != FieldKind::Rest
                    && given.get(*slot).is_some_and(Option::is_none)
                    && !bound.iter().any(|(name, _)| *name == field.data_name)
            };
            let stored = || record.fields.iter().enumerate().take(record.stored).filter(free);
            let near = nearest(name, stored().map(|(_, f)| f.data_name.as_str()));
            let field = near.and_then(|near| stored().find(|(_, f)| f.data_name == near));
            mistyped.extend(field.map(|(slot, _)| slot as Slot));
            self.report(problems::unknown_field(record, entry, field.map(|(_, f)| f)));
        }
        mistyped
    }

    fn field(
        &mut self,
        owner: &Owner<'a, '_>,
        field: &'a FieldDef,
        slot: Slot,
        given: Option<Layers<'a>>,
        earlier: &[Value],
    ) -> Value {
        // In an overlay null gives the default back.
        let given = given.filter(|l| !(l.last().is_null() && self.is_overlay(l.last())));
        let bound = owner.bound.iter().find(|(name, _)| *name == field.data_name).map(|(_, text)| text);
        self.bound = below(owner.bound, &field.data_name);
        let given = match given {
            None if !self.bound.is_empty() && self.is_struct(&field.ty) => {
                Some(Layers::one(owner.here.nowhere()))
            }
            given => given,
        };
        let value = match (given, bound) {
            (Some(layers), bound) => {
                let src = layers.last();
                if let Some(text) = &field.deprecated {
                    self.report(problems::deprecated(field, text, src));
                }
                let value = self.given_field(owner, field, &layers);
                match bound {
                    Some(text) => self.agree(owner, field, text, value, src),
                    None => value,
                }
            }
            (None, Some(text)) => self.bound_field(owner, field, text),
            (None, None) => self.absent(owner, field, slot, earlier),
        };
        self.bound.clear();
        value
    }

    fn given_field(&mut self, owner: &Owner<'a, '_>, field: &'a FieldDef, layers: &Layers<'a>) -> Value {
        let src = layers.last();
        let context = owner.context(field);
        if src.is_null() && !field.ty.is_nullable() && src.node != u32::MAX {
            self.report(problems::null(self.program, field, src));
            return Value::Wrong;
        }
        self.value(&field.ty, layers, context)
    }

    fn is_struct(&self, ty: &Type) -> bool {
        matches!(ty.bare(), Type::Record(id) if self.program.record(*id).is_some_and(is_nested))
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
            return match self.ask.default(self.id.file, ty, slot, earlier) {
                Ok(value) => self.adopt(field, value, owner.context(field)),
                Err(problems) => {
                    problems.into_iter().for_each(|p| self.report(p));
                    self.errors += 1;
                    Value::Wrong
                }
            };
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

    /// A key that the path, or the map that holds the element, gives.
    fn bound_field(&mut self, owner: &Owner<'a, '_>, field: &'a FieldDef, text: &EcoString) -> Value {
        let Some(value) = super::scalars::from_text(self.program, self.shapes, &field.ty, text) else {
            self.report(problems::bound_type(self.program, field, text, owner.here, owner.in_map));
            return Value::Wrong;
        };
        if let Value::Ref(reference) = &value {
            self.references.push(PendingReference {
                reference: reference.clone(),
                place: model_place(field),
                data: Some(owner.here.head()),
            });
        }
        if owner.in_map {
            // The key of a map has been looked at where it stands.
            return value;
        }
        let before = self.diagnostics.len();
        let value = self.refine_all(&field.ty, value, owner.here, owner.context(field));
        for problem in self.diagnostics.iter_mut().skip(before) {
            if let Some(label) = problem.labels.first_mut() {
                label.place = Place::File(owner.here.doc.file);
                label.message = format!("the path gives `{}` the value `{text}`", field.data_name);
            }
            problem.help = Some("rename the file or folder".to_owned());
        }
        value
    }

    /// A key that both the data and the path, or the map, give.
    fn agree(
        &mut self,
        owner: &Owner<'a, '_>,
        field: &'a FieldDef,
        text: &EcoString,
        value: Value,
        src: Src<'a>,
    ) -> Value {
        let bound = super::scalars::from_text(self.program, self.shapes, &field.ty, text);
        if matches!(value, Value::Wrong) || bound.as_ref() == Some(&value) {
            return value;
        }
        self.report(problems::path_disagrees(field, text, src, owner.here, owner.in_map));
        value
    }
}

/// What an overlay writes beside the key of an element that it takes out.
pub const REMOVE: &str = "$remove";

/// The keys that lead into a field, from there on.
fn below(bound: &[Bound], field: &str) -> Vec<Bound> {
    let inner = |(name, text): &Bound| {
        let rest = name.strip_prefix(field)?.strip_prefix('.')?;
        Some((rest.into(), text.clone()))
    };
    bound.iter().filter_map(inner).collect()
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
