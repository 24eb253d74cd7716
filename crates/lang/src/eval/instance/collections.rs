//! Lists, sets and maps, with the identity of their elements, and `any`.

use std::cmp::Ordering;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::data::NodeKind;
use crate::diag::{Diagnostic, Place};
use crate::eval::compare::rank;
use crate::eval::value::{Record, Value};
use crate::model::{RecordDef, Type, TypeDef};

use super::layers::{Layers, Src};
use super::problems;
use super::reader::{Context, Reader, as_struct, is_nested, key_value};
use super::records::REMOVE;

/// What tells an element from the others: its variant and its key.
pub type Identity = (Option<u16>, Vec<Value>);

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
        if !as_struct(self.program, item).is_some_and(|def| self.is_keyed(def)) {
            for pair in items.windows(2) {
                let [(a, first), (b, second)] = pair else { continue };
                if !matches!(a, Value::Wrong) && order(a, b) == Ordering::Equal {
                    self.report(problems::repeated(*first, *second, context.field));
                }
            }
            items.dedup_by(|b, a| order(&a.0, &b.0) == Ordering::Equal);
        }
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
        let context = Context { listed: true, alias: None, ..context };
        let keyed = as_struct(self.program, item).filter(|def| self.is_keyed(def));
        let mut items = Vec::with_capacity(*len as usize);
        match keyed {
            Some(def) if !layers.is_single() => {
                for layers in self.by_identity(def, layers) {
                    let child = layers.last();
                    items.push((self.value(item, &layers, context), child));
                }
            }
            _ => {
                for child in joined(layers) {
                    items.push((self.value(item, &Layers::one(child), context), child));
                }
            }
        }
        if let Some(def) = keyed {
            self.unique_elements(def, &items, context);
        }
        Some(items)
    }

    /// Whether elements of a struct or union have an identity.
    pub fn is_keyed(&self, def: &TypeDef) -> bool {
        let has_key = |record: &RecordDef| is_nested(record) && !record.keys.is_empty();
        match def {
            TypeDef::Record(record) => has_key(record),
            TypeDef::Union(union) => {
                let payloads = union.variants.iter().filter_map(|v| v.payload.as_ref()?.record());
                payloads.filter_map(|id| self.program.record(id)).any(has_key)
            }
            TypeDef::Enum(_) => false,
        }
    }

    /// The elements of several files, paired by what tells them apart, in the order in which they
    /// come first. An overlay takes one out with `$remove: true`.
    fn by_identity(&mut self, def: &'a TypeDef, layers: &Layers<'a>) -> Vec<Layers<'a>> {
        let mut order: Vec<Option<Layers<'a>>> = Vec::new();
        let mut index: FxHashMap<EcoString, usize> = FxHashMap::default();
        for (depth, sequence) in layers.sequences().enumerate() {
            // Within one file two with one identity are a mistake, which is found when they are
            // read: they stay apart.
            let mut here = FxHashSet::default();
            for child in sequence.children() {
                let identity = self.raw_identity(def, child);
                let again = !here.insert(identity.clone());
                let known = index.get(&identity).copied().filter(|_| !again);
                let known = known.and_then(|at| order.get_mut(at));
                if depth > 0 && child.get(REMOVE).is_some() {
                    match known {
                        Some(found @ Some(_)) => *found = None,
                        _ => self.report(problems::nothing_to_remove(child)),
                    }
                    let problem = check_removal(&self.removal_fields(def), child);
                    problem.into_iter().for_each(|p| self.report(p));
                    continue;
                }
                match known {
                    Some(Some(found)) => found.push(child),
                    Some(gone) => *gone = Some(Layers::one(child)),
                    None => {
                        index.entry(identity).or_insert(order.len());
                        order.push(Some(Layers::one(child)));
                    }
                }
            }
        }
        order.into_iter().flatten().collect()
    }

    /// What may stand in an element that is taken out.
    fn removal_fields(&self, def: &'a TypeDef) -> Vec<&'a str> {
        let mut allowed: Vec<&str> = vec![REMOVE];
        match def {
            TypeDef::Record(record) => allowed.extend(key_fields(record)),
            TypeDef::Union(union) => {
                allowed.push(union.tag.as_str());
                let payloads = union.variants.iter().filter_map(|v| v.payload.as_ref()?.record());
                let records = payloads.filter_map(|id| self.program.record(id));
                allowed.extend(records.flat_map(key_fields));
            }
            TypeDef::Enum(_) => {}
        }
        allowed
    }

    /// The identity of an element as it is written.
    fn raw_identity(&self, def: &TypeDef, src: Src<'a>) -> EcoString {
        match def {
            TypeDef::Record(record) => raw_key(record, src),
            TypeDef::Union(union) => {
                let tag = src.get(union.tag.as_str()).and_then(|t| t.doc.document.str(t.node));
                let variant = tag.and_then(|tag| union.variants.iter().find(|v| v.data_name == *tag));
                let payload = variant.and_then(|v| v.payload.as_ref()).and_then(Type::record);
                let mut text = tag.cloned().unwrap_or_default();
                if let Some(record) = payload.and_then(|id| self.program.record(id)) {
                    text.push_str(&raw_key(record, src));
                }
                text
            }
            TypeDef::Enum(_) => EcoString::new(),
        }
    }

    fn unique_elements(&mut self, def: &TypeDef, items: &[(Value, Src<'a>)], context: Context<'a>) {
        let mut seen: FxHashMap<Identity, Src<'a>> = FxHashMap::default();
        for (value, src) in items {
            let Some(identity) = self.identity(value) else { continue };
            if let Some(first) = seen.get(&identity) {
                let at = |src: &Src<'a>| self.key_place(def, *src);
                let problem = problems::duplicate_element(&identity.1, at(first), at(src), context.field);
                self.report(problem);
            } else {
                seen.insert(identity, *src);
            }
        }
    }

    /// Where the key of an element stands.
    fn key_place(&self, def: &TypeDef, src: Src<'a>) -> Place {
        let record = match def {
            TypeDef::Record(record) => Some(record),
            TypeDef::Union(union) => {
                let payload = union.variants.iter().find_map(|v| v.payload.as_ref()?.record());
                payload.and_then(|id| self.program.record(id))
            }
            TypeDef::Enum(_) => None,
        };
        let key = record.and_then(|r| r.keys.first()).and_then(|k| src.at_path(&k.name));
        key.map_or(src.head(), Src::head)
    }

    /// What tells an element from the others; none of what has no key.
    pub fn identity(&self, value: &Value) -> Option<Identity> {
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
        let context = Context { listed: true, alias: None, ..context };
        let mut entries: Vec<(Value, Value)> = Vec::new();
        for (name, layers) in self.by_key(layers) {
            let entry = layers.last();
            // Null in an overlay removes the key.
            if entry.is_null() && self.is_overlay(entry) {
                continue;
            }
            let Some(found) = super::scalars::from_text(self.program, self.shapes, key, name) else {
                self.report(problems::map_key(self.program, key, entry, context.field));
                continue;
            };
            let found = self.refined_key(key, found, entry, context);
            let read = self.entry(value, name, &layers, context);
            if !matches!(found, Value::Wrong) {
                entries.push((found, read));
            }
        }
        entries.sort_by(|a, b| order(&a.0, &b.0));
        Value::Map(entries.into())
    }

    /// The entries of mappings, those with one key in several files together.
    fn by_key(&mut self, layers: &Layers<'a>) -> Vec<(&'a EcoString, Layers<'a>)> {
        let single = layers.is_single();
        let mut found: Vec<(&'a EcoString, Option<Layers<'a>>)> = Vec::new();
        let mut index: FxHashMap<&'a EcoString, usize> = FxHashMap::default();
        for mapping in layers.mappings() {
            let sops = mapping.doc.document.sops();
            for entry in mapping.children().filter(|e| sops != Some(e.node)) {
                let Some(name) = entry.key() else { continue };
                // Only where several files are merged can a key be there already.
                let known = if single { None } else { index.get(name).copied() };
                match known.and_then(|at| found.get_mut(at)) {
                    Some((_, below)) => self.stack(below, entry),
                    None => {
                        if !single {
                            index.insert(name, found.len());
                        }
                        found.push((name, Some(Layers::one(entry))));
                    }
                }
            }
        }
        found.into_iter().filter_map(|(name, layers)| Some((name, layers?))).collect()
    }

    /// A map's value: the map's key fills the one key field of a struct.
    fn entry(&mut self, ty: &Type, name: &'a EcoString, layers: &Layers<'a>, context: Context<'a>) -> Value {
        if as_struct(self.program, ty).is_some() {
            self.map_key = Some(name.clone());
        }
        let value = self.value(ty, layers, context);
        self.map_key = None;
        value
    }

    /// The refinements of a map's key, shown at the key.
    fn refined_key(&mut self, ty: &Type, value: Value, entry: Src<'a>, context: Context<'a>) -> Value {
        let before = self.diagnostics.len();
        let value = self.refine_all(ty, value, entry, context);
        for problem in self.diagnostics.iter_mut().skip(before) {
            if let Some(label) = problem.labels.first_mut() {
                label.place = entry.key_place();
            }
        }
        value
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

/// The items of a list in several files: an overlay replaces those below it, a file for sops adds
/// to them.
fn joined<'a>(layers: &Layers<'a>) -> Vec<Src<'a>> {
    let mut items = Vec::new();
    for (depth, sequence) in layers.sequences().enumerate() {
        if depth > 0 && !sequence.is_sops() {
            items.clear();
        }
        items.extend(sequence.children());
    }
    items
}

/// The key of an element as it is written, before it is typed.
pub fn raw_key(record: &RecordDef, src: Src<'_>) -> EcoString {
    let mut text = EcoString::new();
    for key in &record.keys {
        match src.at_path(&key.name).map(Src::kind) {
            Some(NodeKind::Str(part)) => {
                text.push_str("|s");
                text.push_str(&part.len().to_string());
                text.push(':');
                text.push_str(part);
            }
            Some(other) => text.push_str(&format!("|{other:?}")),
            None => text.push('|'),
        }
    }
    text
}

/// An element that is taken out has nothing but its key.
pub fn check_removal(allowed: &[&str], element: Src<'_>) -> Option<Diagnostic> {
    let wrong = element.children().find(|entry| match entry.key() {
        Some(key) if key == REMOVE => !matches!(entry.kind(), NodeKind::Bool(true)),
        Some(key) => !allowed.contains(&key.as_str()),
        None => false,
    });
    wrong.map(problems::misplaced_remove)
}

/// The fields in data that a record's keys lead through.
pub fn key_fields(record: &RecordDef) -> impl Iterator<Item = &str> {
    record.keys.iter().filter_map(|k| k.name.split('.').next())
}

/// The order of values that can be keys or elements of a set: null first, false before true,
/// numbers by value, strings by their bytes, variants as declared, references by their keys.
pub fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b))
        | (Value::Duration(a), Value::Duration(b))
        | (Value::Size(a), Value::Size(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Str(a), Value::Str(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Enum(_, a), Value::Enum(_, b)) => a.cmp(b),
        (Value::Ref(a), Value::Ref(b)) => orders(&a.key, &b.key),
        (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => orders(a, b),
        (Value::Map(a), Value::Map(b)) => {
            let pair = |((ka, va), (kb, vb)): (&(Value, Value), &(Value, Value))| {
                order(ka, kb).then_with(|| order(va, vb))
            };
            let differing = a.iter().zip(b.iter()).map(pair).find(|o| o.is_ne());
            differing.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Record(a), Value::Record(b)) => orders(&a.fields, &b.fields),
        (Value::Variant(_, a, c), Value::Variant(_, b, d)) => a.cmp(b).then_with(|| match (c, d) {
            (Some(c), Some(d)) => orders(&c.fields, &d.fields),
            (c, d) => c.is_some().cmp(&d.is_some()),
        }),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn orders(a: &[Value], b: &[Value]) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| order(a, b)).find(|o| o.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}
