//! From the evaluator's values to those of the graph.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::id;
use crate::eval::{Deferred, DeferredExpr, Record, Reference, Value, print};
use crate::graph::{Call, GraphValue, Later, Secret};
use crate::model::{Program, TypeDef, TypeId};

/// Renders values of one program. Holds what is the same for all values of a type.
#[derive(Debug)]
pub struct Renderer<'a> {
    program: &'a Program,
    /// For each type the stored slots in the order of their data names.
    order: Vec<Vec<u16>>,
    /// For each type the names of its keys as an id has them, in its order, and which key it is.
    keys: Vec<Vec<(EcoString, u16)>>,
    scratch: RefCell<String>,
}

impl<'a> Renderer<'a> {
    /// A renderer for the values of this program.
    pub fn new(program: &'a Program) -> Self {
        let order = |t: &TypeDef| match t {
            TypeDef::Record(record) => {
                let mut slots: Vec<u16> = (0..record.stored as u16).collect();
                slots.sort_by(|&a, &b| {
                    let name = |slot: u16| &record.fields[slot as usize].data_name;
                    name(a).as_bytes().cmp(name(b).as_bytes())
                });
                slots
            }
            _ => Vec::new(),
        };
        Renderer {
            program,
            order: program.types.iter().map(order).collect(),
            keys: program.types.iter().map(key_names).collect(),
            scratch: RefCell::default(),
        }
    }

    /// The id of what a reference means.
    pub fn id(&self, reference: &Reference) -> EcoString {
        let mut scratch = self.scratch.borrow_mut();
        scratch.clear();
        self.write_id(&mut scratch, reference);
        scratch.as_str().into()
    }

    /// Appends the id of what a reference means, as [`id::write`] does: without a list of its keys,
    /// since there are as many ids to write as objects, times those that refer to them.
    pub fn write_id(&self, out: &mut String, reference: &Reference) {
        out.push_str(&self.program.ty(reference.ty).decl().path);
        if self.program.record(reference.ty).is_some() {
            out.push('[');
            self.write_keys(out, reference.ty, &reference.key);
            out.push(']');
        }
    }

    fn write_keys(&self, out: &mut String, ty: TypeId, key: &[Value]) {
        let names = self.keys.get(ty.0 as usize).map(Vec::as_slice).unwrap_or_default();
        for (at, (name, index)) in names.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(name);
            out.push('=');
            self.write_key(out, key.get(*index as usize).unwrap_or(&Value::Null));
        }
    }

    /// What is referred to stands by its own keys; types are finite, and so is the depth.
    fn write_key(&self, out: &mut String, value: &Value) {
        match value {
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Int(i) | Value::Duration(i) | Value::Size(i) => {
                // Writing to a string does not fail.
                let _ = write!(out, "{i}");
            }
            Value::Str(s) => id::write_str(out, s),
            Value::Enum(ty, variant) => id::write_str(out, &self.variant_name(*ty, *variant)),
            Value::Ref(reference) => self.write_reference(out, reference.ty, &reference.key),
            Value::Record(record) => self.write_reference(out, record.ty, &self.key_of(record)),
            _ => out.push_str("null"),
        }
    }

    /// The value of a reference's one key; its keys if there are several, or if the one is null:
    /// that differs from no reference at all.
    fn write_reference(&self, out: &mut String, ty: TypeId, key: &[Value]) {
        let start = out.len();
        if let [only] = key {
            self.write_key(out, only);
            if out.get(start..) != Some("null") {
                return;
            }
            out.truncate(start);
        }
        out.push('{');
        self.write_keys(out, ty, key);
        out.push('}');
    }

    /// The key values of a record.
    pub fn key_of(&self, record: &Record) -> Arc<[Value]> {
        let Some(def) = self.program.record(record.ty) else { return Arc::default() };
        def.keys.iter().map(|key| key_value(&record.fields, &key.path)).collect()
    }

    fn variant_name(&self, ty: TypeId, variant: u16) -> EcoString {
        let variants = match self.program.ty(ty) {
            TypeDef::Enum(e) => &e.variants,
            TypeDef::Union(u) => &u.variants,
            TypeDef::Record(_) => return EcoString::new(),
        };
        variants.get(variant as usize).map(|v| v.data_name.clone()).unwrap_or_default()
    }

    /// The stored fields of an object or struct, nulls left out.
    pub fn fields(&self, ty: TypeId, fields: &[Value]) -> Vec<(EcoString, GraphValue)> {
        let Some(def) = self.program.record(ty) else { return Vec::new() };
        let mut out = Vec::with_capacity(fields.len() + 1);
        for &slot in &self.order[ty.0 as usize] {
            let (Some(field), Some(value)) = (def.fields.get(slot as usize), fields.get(slot as usize))
            else {
                continue;
            };
            if def.rest == Some(slot) {
                if let Value::Map(entries) = value {
                    let entry = |(k, v): &(Value, Value)| (map_key(k), self.value(v));
                    out.extend(entries.iter().map(entry));
                }
            } else if !matches!(value, Value::Null) {
                out.push((field.data_name.clone(), self.value(value)));
            }
        }
        if def.rest.is_some() {
            out.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        }
        out
    }

    /// A value.
    pub fn value(&self, value: &Value) -> GraphValue {
        match value {
            Value::Null | Value::Wrong | Value::Range(..) => GraphValue::Null,
            Value::Bool(b) => GraphValue::Bool(*b),
            Value::Int(i) | Value::Duration(i) | Value::Size(i) => GraphValue::Int(*i),
            Value::Float(f) => GraphValue::Float(*f),
            Value::Str(s) => GraphValue::Str(s.clone()),
            Value::Enum(ty, variant) => GraphValue::Str(self.variant_name(*ty, *variant)),
            Value::List(items) | Value::Set(items) => {
                GraphValue::List(items.iter().map(|v| self.value(v)).collect())
            }
            Value::Map(entries) => {
                GraphValue::map(entries.iter().map(|(k, v)| (map_key(k), self.value(v))).collect())
            }
            Value::Record(record) => self.record(record),
            Value::Variant(ty, variant, payload) => self.variant(*ty, *variant, payload.as_deref()),
            Value::Ref(reference) => GraphValue::Ref(self.id(reference)),
            Value::Anon(fields) => GraphValue::map(
                fields
                    .iter()
                    .filter(|(_, v)| !matches!(v, Value::Null))
                    .map(|(name, v)| (name.as_str().into(), self.value(v)))
                    .collect(),
            ),
            Value::File(file) => GraphValue::map(vec![
                ("name".into(), GraphValue::Str(file.name.clone())),
                ("path".into(), GraphValue::Str(file.path.clone())),
                ("sha256".into(), GraphValue::Str(file.sha256.clone())),
            ]),
            Value::Deferred(deferred) => self.deferred(deferred),
        }
    }

    /// A struct by its fields; a slice, entity or resource as a reference.
    fn record(&self, record: &Record) -> GraphValue {
        use crate::syntax::ast::RecordKind;
        match self.program.record(record.ty).map(|r| r.kind) {
            Some(RecordKind::Struct | RecordKind::Plain) | None => {
                GraphValue::Map(self.fields(record.ty, &record.fields))
            }
            Some(_) => GraphValue::Ref(self.id(&Reference { ty: record.ty, key: self.key_of(record) })),
        }
    }

    fn variant(&self, ty: TypeId, variant: u16, payload: Option<&Record>) -> GraphValue {
        let tag = self.program.union(ty).map(|u| u.tag.as_str()).unwrap_or("type");
        let mut entries = payload.map(|p| self.fields(p.ty, &p.fields)).unwrap_or_default();
        entries.push((tag.into(), GraphValue::Str(self.variant_name(ty, variant))));
        GraphValue::map(entries)
    }

    fn deferred(&self, deferred: &Deferred) -> GraphValue {
        let call = |name: &str, args: Vec<GraphValue>| Call { function: name.into(), args };
        let marked = |call: Call| match deferred.later {
            true => GraphValue::Later(Later::Call(call)),
            false => GraphValue::Secret(Secret::Call(call)),
        };
        match &deferred.expr {
            DeferredExpr::Secret { file, pointer, cipher } => GraphValue::Secret(Secret::Source {
                source: EcoString::from(format!("{}#{pointer}", file.path())),
                sha256: cipher.clone(),
            }),
            DeferredExpr::Output { object, field } => {
                GraphValue::Later(Later::Output { id: self.id(object), output: field.as_str().into() })
            }
            // Whoever deploys has no types: a text is made of what a text is made from.
            DeferredExpr::Operation { name: "interpolate", args } => {
                let part = |arg: &Value| {
                    let mut text = String::new();
                    match print::text(&mut text, self.program, arg) {
                        true => GraphValue::Str(text.into()),
                        false => self.value(arg),
                    }
                };
                marked(call("interpolate", args.iter().map(part).collect()))
            }
            DeferredExpr::Operation { name, args } => {
                marked(call(name, args.iter().map(|a| self.value(a)).collect()))
            }
            // Masked: the graph says that there is a secret, and nothing of it. Whoever deploys
            // evaluates the model again.
            DeferredExpr::Plain(_) => marked(call("plain", Vec::new())),
        }
    }
}

/// The names of a type's keys, as and in the order in which an id has them.
fn key_names(ty: &TypeDef) -> Vec<(EcoString, u16)> {
    let TypeDef::Record(record) = ty else { return Vec::new() };
    let mut names: Vec<(&str, u16)> = record.keys.iter().map(|k| k.name.as_str()).zip(0..).collect();
    names.sort_unstable();
    let written = |(name, index): (&str, u16)| {
        let mut text = String::new();
        id::write_name(&mut text, name);
        (text.into(), index)
    };
    names.into_iter().map(written).collect()
}

/// The value that a path of slots leads to.
pub fn key_value(fields: &[Value], path: &[u16]) -> Value {
    let Some((&first, rest)) = path.split_first() else { return Value::Null };
    match (fields.get(first as usize), rest) {
        (Some(value), []) => value.clone(),
        (Some(Value::Record(record)), rest) => key_value(&record.fields, rest),
        _ => Value::Null,
    }
}

fn map_key(key: &Value) -> EcoString {
    match key {
        Value::Str(s) => s.clone(),
        Value::Int(i) => EcoString::from(i.to_string()),
        Value::Bool(b) => EcoString::from(b.to_string()),
        _ => EcoString::new(),
    }
}
