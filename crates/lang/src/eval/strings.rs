//! Values as canonical JSON text, and the way through a value that every writer shares.
//!
//! A struct's null fields are left out and a union has its tag first; the names are those of
//! data. What a leaf looks like (a duration as `1h30m` or as nanoseconds, a reference as a key or
//! as `{"$ref": …}`) is the visitor's business.

use ecow::EcoString;

use crate::base::Name;
use crate::base::canonical::Writer;
use crate::base::quantity::{show_duration, show_size};
use crate::model::schema::{KeyDef, RecordDef};
use crate::model::{Program, TypeDef, TypeId};

use super::print;
use super::value::{Deferred, FileValue, Record, Reference, Value};

/// What a writer is told about a value, in order. Mappings have their keys in the order of their
/// UTF-8 bytes.
pub trait Visitor {
    /// `null`.
    fn null(&mut self);
    /// A bool.
    fn bool(&mut self, value: bool);
    /// An int.
    fn int(&mut self, value: i64);
    /// A float.
    fn float(&mut self, value: f64);
    /// A string, or the data name of an enum's variant.
    fn str(&mut self, value: &str);
    /// Nanoseconds.
    fn duration(&mut self, value: i64);
    /// Bytes.
    fn size(&mut self, value: i64);
    /// A reference to an instance or object.
    fn reference(&mut self, reference: &Reference);
    /// A marked value.
    fn deferred(&mut self, deferred: &Deferred);
    /// A value that is wrong; nothing is written that holds one.
    fn wrong(&mut self);
    /// A list starts.
    fn begin_list(&mut self);
    /// The list is over.
    fn end_list(&mut self);
    /// A mapping starts.
    fn begin_map(&mut self);
    /// The key of what comes next.
    fn key(&mut self, key: &str);
    /// The mapping is over.
    fn end_map(&mut self);
}

/// Takes a visitor through a value.
pub fn visit(program: &Program, value: &Value, v: &mut dyn Visitor) {
    match value {
        Value::Null => v.null(),
        Value::Bool(b) => v.bool(*b),
        Value::Int(i) => v.int(*i),
        Value::Float(f) => v.float(*f),
        Value::Str(s) => v.str(s),
        Value::Duration(d) => v.duration(*d),
        Value::Size(s) => v.size(*s),
        Value::Enum(ty, variant) => v.str(&print::variant_name(program, *ty, *variant)),
        Value::Range(range) => {
            let mut text = range.start.map(|s| s.to_string()).unwrap_or_default();
            text.push_str(if range.inclusive { "..=" } else { ".." });
            text.push_str(&range.end.map(|e| e.to_string()).unwrap_or_default());
            v.str(&text);
        }
        Value::List(items) | Value::Set(items) => {
            v.begin_list();
            items.iter().for_each(|item| visit(program, item, v));
            v.end_list();
        }
        Value::Map(entries) => visit_map(program, entries, v),
        Value::Record(record) => visit_fields(program, record.ty, &record.fields, None, v),
        Value::Variant(ty, variant, payload) => visit_variant(program, *ty, *variant, payload.as_deref(), v),
        Value::Ref(reference) => v.reference(reference),
        Value::Anon(fields) => {
            v.begin_map();
            for (name, value) in fields.iter().filter(|(_, value)| !matches!(value, Value::Null)) {
                v.key(name.as_str());
                visit(program, value, v);
            }
            v.end_map();
        }
        Value::File(file) => visit_file(file, v),
        Value::Deferred(deferred) => v.deferred(deferred),
        Value::Wrong => v.wrong(),
    }
}

/// The text of a map's key.
pub fn key_text(program: &Program, key: &Value) -> EcoString {
    if let Value::Str(text) = key {
        return text.clone();
    }
    let mut out = String::new();
    print::text(&mut out, program, key);
    out.into()
}

fn visit_map(program: &Program, entries: &[(Value, Value)], v: &mut dyn Visitor) {
    v.begin_map();
    // A map is in the order of its keys as values; as text, ints and enums may go otherwise.
    if entries.iter().all(|(k, _)| matches!(k, Value::Str(_))) {
        for (key, value) in entries {
            v.key(&key_text(program, key));
            visit(program, value, v);
        }
    } else {
        let mut by_text: Vec<_> = entries.iter().map(|(k, value)| (key_text(program, k), value)).collect();
        by_text.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, value) in by_text {
            v.key(&key);
            visit(program, value, v);
        }
    }
    v.end_map();
}

fn visit_variant(program: &Program, ty: TypeId, variant: u16, payload: Option<&Record>, v: &mut dyn Visitor) {
    let tag = program.types.get(ty.0 as usize).and_then(|def| match def {
        TypeDef::Union(def) => Some((def.tag, def.variants.get(variant as usize)?.data_name.clone())),
        _ => None,
    });
    match payload {
        Some(record) => visit_fields(program, record.ty, &record.fields, tag, v),
        None => {
            v.begin_map();
            if let Some((name, text)) = tag {
                v.key(name.as_str());
                v.str(&text);
            }
            v.end_map();
        }
    }
}

/// The stored fields of a record or object: null ones left out, those of the `...rest` field
/// among the others.
pub fn visit_fields(
    program: &Program,
    ty: TypeId,
    fields: &[Value],
    tag: Option<(Name, EcoString)>,
    v: &mut dyn Visitor,
) {
    let Some(TypeDef::Record(def)) = program.types.get(ty.0 as usize) else { return v.null() };
    let tag_value = tag.map(|(name, text)| (name, Value::Str(text)));
    let mut entries: Vec<(&str, &Value)> = Vec::with_capacity(fields.len() + 1);
    entries.extend(tag_value.as_ref().map(|(name, value)| (name.as_str(), value)));
    for (slot, (field, value)) in def.fields.iter().zip(fields).enumerate() {
        match value {
            Value::Null => {}
            Value::Map(rest) if def.rest == Some(slot as u16) => {
                entries.extend(rest.iter().filter_map(|(k, value)| match k {
                    Value::Str(k) => Some((k.as_str(), value)),
                    _ => None,
                }));
            }
            value => entries.push((field.data_name.as_str(), value)),
        }
    }
    entries.sort_by(|a, b| a.0.cmp(b.0));
    v.begin_map();
    for (name, value) in entries {
        v.key(name);
        visit(program, value, v);
    }
    v.end_map();
}

fn visit_file(file: &FileValue, v: &mut dyn Visitor) {
    v.begin_map();
    for (name, text) in [("name", &file.name), ("path", &file.path), ("sha256", &file.sha256)] {
        v.key(name);
        v.str(text);
    }
    if let Some(text) = &file.text {
        v.key("text");
        v.str(text);
    }
    v.end_map();
}

/// Appends a value as `to_json` has it. False if something in it must not be shown; then what
/// was written means nothing.
pub fn write_json(out: &mut Vec<u8>, program: &Program, value: &Value) -> bool {
    let mut visitor = Text { program, writer: Writer::new(out), plain: true };
    visit(program, value, &mut visitor);
    visitor.plain
}

struct Text<'a> {
    program: &'a Program,
    writer: Writer<'a>,
    plain: bool,
}

impl Visitor for Text<'_> {
    fn null(&mut self) {
        self.writer.null();
    }
    fn bool(&mut self, value: bool) {
        self.writer.bool(value);
    }
    fn int(&mut self, value: i64) {
        self.writer.int(value);
    }
    fn float(&mut self, value: f64) {
        self.writer.float(value);
    }
    fn str(&mut self, value: &str) {
        self.writer.str(value);
    }
    fn duration(&mut self, value: i64) {
        self.writer.str(&show_duration(value));
    }
    fn size(&mut self, value: i64) {
        self.writer.str(&show_size(value));
    }
    fn reference(&mut self, reference: &Reference) {
        visit_key(self.program, reference, self);
    }
    fn deferred(&mut self, _: &Deferred) {
        self.plain = false;
        self.writer.null();
    }
    fn wrong(&mut self) {
        self.plain = false;
        self.writer.null();
    }
    fn begin_list(&mut self) {
        self.writer.begin_list();
    }
    fn end_list(&mut self) {
        self.writer.end_list();
    }
    fn begin_map(&mut self) {
        self.writer.begin_map();
    }
    fn key(&mut self, key: &str) {
        // Text for people's programs, not the graph: a `$` is not doubled.
        self.writer.plain_key(key);
    }
    fn end_map(&mut self) {
        self.writer.end_map();
    }
}

/// A reference as it stands in data: its key, or a mapping of several.
pub fn visit_key(program: &Program, reference: &Reference, v: &mut dyn Visitor) {
    if let [only] = &*reference.key {
        return visit(program, only, v);
    }
    let keys: &[KeyDef] = match program.types.get(reference.ty.0 as usize) {
        Some(TypeDef::Record(RecordDef { keys, .. })) => keys,
        _ => &[],
    };
    let mut entries: Vec<_> = keys.iter().map(|k| k.name.as_str()).zip(reference.key.iter()).collect();
    entries.sort_by(|a, b| a.0.cmp(b.0));
    v.begin_map();
    for (name, value) in entries {
        v.key(name);
        visit(program, value, v);
    }
    v.end_map();
}
