//! Lists, sets and maps, with the identity of their elements, and `any`.

use std::cmp::Ordering;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::data::NodeKind;
use crate::eval::value::{Record, Value};
use crate::model::{RecordDef, Type, TypeDef};

use super::layers::{Layers, Src};
use super::problems;
use super::reader::{Context, Reader, as_struct, is_nested, key_value};

/// What tells an element from the others: its variant and its key.
type Identity = (Option<u16>, Vec<Value>);

impl<'a> Reader<'a> {
    /// A list.
    pub fn list(&mut self, ty: &Type, item: &Type, layers: &Layers<'a>, context: Context<'a>) -> Value {
        match self.items(ty, item, layers, context) {
            Some(items) => Value::List(items.into_iter().map(|(value, _)| value).collect()),
            None => Value::Wrong,
        }
    }

    /// A set: in the order of its elements, none of them twice.
    pub fn set(&mut self, ty: &Type, item: &Type, layers: &Layers<'a>, context: Context<'a>) -> Value {
        let Some(mut items) = self.items(ty, item, layers, context) else { return Value::Wrong };
        // Stable, so that of two equal ones the first in the data comes first.
        items.sort_by(|a, b| order(&a.0, &b.0));
        let keyed = as_struct(self.program, item).is_some();
        for pair in items.windows(2) {
            let same = !keyed && order(&pair[0].0, &pair[1].0) == Ordering::Equal;
            if same && !matches!(pair[0].0, Value::Wrong) {
                let problem = problems::repeated(pair[0].1, pair[1].1, context.field);
                self.errors += 1;
                self.diagnostics.push(problem);
            }
        }
        items.dedup_by(|b, a| !keyed && order(&a.0, &b.0) == Ordering::Equal);
        Value::Set(items.into_iter().map(|(value, _)| value).collect())
    }

    /// The items of a list or set, each with its place.
    fn items(
        &mut self,
        ty: &Type,
        item: &Type,
        layers: &Layers<'a>,
        context: Context<'a>,
    ) -> Option<Vec<(Value, Src<'a>)>> {
        let src = layers.last();
        let NodeKind::Sequence(len) = src.kind() else {
            self.wrong(ty, src, context);
            return None;
        };
        let context = Context { listed: true, ..context };
        let keyed = as_struct(self.program, item).filter(|def| self.is_keyed(def));
        let mut items = Vec::with_capacity(*len as usize);
        if layers.is_single() || keyed.is_none() {
            for child in src.children() {
                items.push((self.value(item, &Layers::one(child), context), child));
            }
        } else if let Some(def) = keyed {
            for layers in self.by_identity(def, layers) {
                let child = layers.last();
                items.push((self.value(item, &layers, context), child));
            }
        }
        if keyed.is_some() {
            self.unique_elements(&items, context);
        }
        Some(items)
    }

    /// Whether elements of a struct or union have an identity.
    fn is_keyed(&self, def: &TypeDef) -> bool {
        match def {
            TypeDef::Record(record) => is_nested(record) && !record.keys.is_empty(),
            TypeDef::Union(union) => union.variants.iter().any(|v| v.payload.is_some()),
            TypeDef::Enum(_) => false,
        }
    }

    /// The elements of several files, paired by what tells them apart, in the order in which they
    /// come first. An overlay takes one out with `$remove: true`.
    fn by_identity(&mut self, def: &'a TypeDef, layers: &Layers<'a>) -> Vec<Layers<'a>> {
        let mut order: Vec<(EcoString, Option<Layers<'a>>)> = Vec::new();
        for (depth, sequence) in layers.sequences().enumerate() {
            // Within one file two with one identity are a mistake, which is found when they are
            // read: they stay apart.
            let mut here: Vec<EcoString> = Vec::new();
            for child in sequence.children() {
                let identity = self.raw_identity(def, child);
                let removed = child.get("$remove").is_some_and(|r| matches!(r.kind(), NodeKind::Bool(true)));
                let known = order.iter_mut().find(|(text, _)| *text == identity && !here.contains(text));
                match (known, removed) {
                    (Some((_, found)), true) => *found = None,
                    (Some((_, Some(found))), false) => found.push(child),
                    (Some((_, found)), false) => *found = Some(Layers::one(child)),
                    (None, true) if depth > 0 => self.report(problems::nothing_to_remove(child)),
                    (None, _) => order.push((identity.clone(), Some(Layers::one(child)))),
                }
                here.push(identity);
            }
        }
        order.into_iter().filter_map(|(_, layers)| layers).collect()
    }

    /// The identity of an element as it is written.
    fn raw_identity(&self, def: &TypeDef, src: Src<'a>) -> EcoString {
        let (record, tag): (Option<&RecordDef>, EcoString) = match def {
            TypeDef::Record(record) => (Some(record), EcoString::new()),
            TypeDef::Union(union) => {
                let tag = src.get(union.tag.as_str()).and_then(|t| t.doc.document.str(t.node).cloned());
                let tag = tag.unwrap_or_default();
                let variant = union.variants.iter().find(|v| v.data_name == tag);
                let payload = variant.and_then(|v| v.payload.as_ref()).and_then(Type::record);
                (payload.and_then(|id| self.program.record(id)), tag)
            }
            TypeDef::Enum(_) => (None, EcoString::new()),
        };
        let mut text = tag;
        for key in record.into_iter().flat_map(|r| &r.keys) {
            let mut at = Some(src);
            for part in key.name.split('.') {
                at = at.and_then(|s| s.get(part));
            }
            let part = match at.map(Src::kind) {
                Some(NodeKind::Str(s)) => format!("|s{}:{s}", s.len()),
                Some(other) => format!("|{other:?}"),
                None => "|".to_owned(),
            };
            text.push_str(&part);
        }
        text
    }

    fn unique_elements(&mut self, items: &[(Value, Src<'a>)], context: Context<'a>) {
        let mut seen: FxHashMap<Identity, Src<'a>> = FxHashMap::default();
        for (value, src) in items {
            let Some(identity) = self.identity(value) else { continue };
            if let Some(first) = seen.get(&identity) {
                let problem = problems::duplicate_element(&identity.1, *first, *src, context.field);
                self.errors += 1;
                self.diagnostics.push(problem);
            } else {
                seen.insert(identity, *src);
            }
        }
    }

    fn identity(&self, value: &Value) -> Option<Identity> {
        let (record, variant): (&Record, Option<u16>) = match value {
            Value::Record(record) => (record, None),
            Value::Variant(_, variant, Some(record)) => (record, Some(*variant)),
            Value::Variant(_, variant, None) => return Some((Some(*variant), Vec::new())),
            _ => return None,
        };
        let def = self.program.record(record.ty)?;
        if def.keys.is_empty() {
            return None;
        }
        let key: Vec<Value> = def.keys.iter().map(|k| key_value(&record.fields, &k.path)).collect();
        (!key.iter().any(|v| matches!(v, Value::Wrong))).then_some((variant, key))
    }

    /// A map.
    pub fn map(
        &mut self,
        ty: &Type,
        key: &Type,
        value: &Type,
        layers: &Layers<'a>,
        context: Context<'a>,
    ) -> Value {
        let src = layers.last();
        if !src.is_mapping() {
            return self.wrong(ty, src, context);
        }
        let context = Context { listed: true, ..context };
        let mut by_key: Vec<(&'a EcoString, Layers<'a>)> = Vec::new();
        for mapping in layers.mappings() {
            for entry in mapping.children() {
                let Some(name) = entry.key() else { continue };
                // Only where several files are merged can a key be there already.
                let known = match layers.is_single() {
                    true => None,
                    false => by_key.iter_mut().find(|(k, _)| *k == name),
                };
                match known {
                    Some((_, layers)) => layers.push(entry),
                    None => by_key.push((name, Layers::one(entry))),
                }
            }
        }
        let mut entries: Vec<(Value, Value)> = Vec::with_capacity(by_key.len());
        for (name, layers) in by_key {
            let entry = layers.last();
            // Null in an overlay removes the key.
            if entry.is_null() && !layers.is_single() {
                continue;
            }
            let Some(found) = super::scalars::from_text(self.program, self.shapes, key, name) else {
                self.report(problems::map_key(self.program, key, entry, context.field));
                continue;
            };
            let found = self.refined_key(key, found, entry);
            let read = self.entry(value, name, &layers, context);
            entries.push((found, read));
        }
        entries.sort_by(|a, b| order(&a.0, &b.0));
        Value::Map(entries.into())
    }

    /// A map's value: of a struct whose one key field the map's key fills.
    fn entry(&mut self, ty: &Type, name: &'a EcoString, layers: &Layers<'a>, context: Context<'a>) -> Value {
        let src = layers.last();
        if let Type::Record(id) = ty.bare()
            && let Some(record) = self.program.record(*id)
            && is_nested(record)
            && let [key] = record.keys.as_slice()
            && src.is_mapping()
        {
            let bindings = [(key.name.clone(), name.clone())];
            return self.record(record, layers, context, None, &bindings).map_or(Value::Wrong, Value::Record);
        }
        self.value(ty, layers, context)
    }

    fn refined_key(&mut self, ty: &Type, value: Value, src: Src<'a>) -> Value {
        match ty {
            Type::Alias(_, inner) => self.refined_key(inner, value, src),
            Type::Refined(inner, id) => {
                let value = self.refined_key(inner, value, src);
                self.refine(*id, ty, value, src)
            }
            _ => value,
        }
    }

    /// `any`: the data as it is; mappings of several files are merged.
    pub fn any(&mut self, layers: &Layers<'a>, context: Context<'a>) -> Value {
        let src = layers.last();
        match src.kind() {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(b) => Value::Bool(*b),
            NodeKind::Int(i) => Value::Int(*i),
            NodeKind::Float(f) if f.is_finite() => Value::Float(if *f == 0.0 { 0.0 } else { *f }),
            NodeKind::Str(text) => Value::Str(text.clone()),
            NodeKind::Sequence(_) => {
                Value::List(src.children().map(|c| self.any(&Layers::one(c), context)).collect())
            }
            NodeKind::Mapping(_) => self.map(&Type::Any, &Type::Str, &Type::Any, layers, context),
            NodeKind::Float(_) | NodeKind::BigInt(_) | NodeKind::Encrypted(_) | NodeKind::Invalid => {
                self.wrong(&Type::Any, src, context)
            }
        }
    }
}

/// The order of values that can be keys or elements of a set: null first, false before true,
/// numbers by value, strings by their bytes, variants as declared, references by their keys.
pub fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b))
        | (Value::Duration(a), Value::Duration(b))
        | (Value::Size(a), Value::Size(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Str(a), Value::Str(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Enum(_, a), Value::Enum(_, b)) => a.cmp(b),
        (Value::Ref(a), Value::Ref(b)) => orders(&a.key, &b.key),
        (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => orders(a, b),
        (Value::Record(a), Value::Record(b)) => orders(&a.fields, &b.fields),
        (Value::Variant(_, a, c), Value::Variant(_, b, d)) => a.cmp(b).then_with(|| match (c, d) {
            (Some(c), Some(d)) => orders(&c.fields, &d.fields),
            (c, d) => c.is_some().cmp(&d.is_some()),
        }),
        _ => Ordering::Equal,
    }
}

fn orders(a: &[Value], b: &[Value]) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| order(a, b)).find(|o| o.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}
