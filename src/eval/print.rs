//! Values as text: what an interpolation and `string()` write, and how messages show a value.

use std::fmt::Write as _;

use ecow::EcoString;

use crate::base::canonical;
use crate::base::quantity::{show_duration, show_size};
use crate::model::{Program, TypeDef, TypeId};

use super::strings;
use super::value::{Record, Reference, Value};

/// Appends a value as an interpolation has it: text as it is, floats as ECMAScript does with
/// `.0` if integral, durations as `1h30m`, sizes as `1536KiB`, enums by their data name;
/// anything with parts as JSON. False if it holds something that must not be shown.
pub fn text(out: &mut String, program: &Program, value: &Value) -> bool {
    match value {
        Value::Str(v) => out.push_str(v),
        Value::Int(v) => {
            let _ = write!(out, "{v}");
        }
        Value::Null => out.push_str("null"),
        Value::Bool(v) => out.push_str(if *v { "true" } else { "false" }),
        Value::Float(v) => float(out, *v),
        Value::Duration(v) => out.push_str(&show_duration(*v)),
        Value::Size(v) => out.push_str(&show_size(*v)),
        Value::Enum(ty, variant) => out.push_str(&variant_name(program, *ty, *variant)),
        Value::Ref(reference) => return key(out, program, reference),
        Value::Variant(ty, variant, None) => out.push_str(&variant_name(program, *ty, *variant)),
        Value::Deferred(_) | Value::Wrong => return false,
        _ => return json(out, program, value),
    }
    true
}

fn float(out: &mut String, value: f64) {
    let mut bytes = Vec::with_capacity(24);
    canonical::float_text(&mut bytes, value);
    out.push_str(&String::from_utf8_lossy(&bytes));
}

fn json(out: &mut String, program: &Program, value: &Value) -> bool {
    let mut bytes = Vec::new();
    let shown = strings::write_json(&mut bytes, program, value);
    out.push_str(&String::from_utf8_lossy(&bytes));
    shown
}

/// A reference is its key, as in data.
fn key(out: &mut String, program: &Program, reference: &Reference) -> bool {
    match &*reference.key {
        [only] => text(out, program, only),
        _ => json(out, program, &Value::Ref(reference.clone().into())),
    }
}

/// The data name of a variant of an enum or union.
pub fn variant_name(program: &Program, ty: TypeId, variant: u16) -> EcoString {
    let variants = match program.types.get(ty.0 as usize) {
        Some(TypeDef::Enum(def)) => def.variants.as_slice(),
        Some(TypeDef::Union(def)) => def.variants.as_slice(),
        _ => &[],
    };
    variants.get(variant as usize).map(|v| v.data_name.clone()).unwrap_or_default()
}

/// A value as a message shows it: strings in quotes, secrets hidden, long ones cut short.
pub fn shown(program: &Program, value: &Value) -> String {
    const LONGEST: usize = 60;
    let mut out = whole(program, value);
    if out.chars().count() > LONGEST {
        let cut = out.char_indices().nth(LONGEST - 1).map_or(out.len(), |(at, _)| at);
        out.truncate(cut);
        out.push('…');
    }
    out
}

/// A value as a message shows it, whole.
pub fn whole(program: &Program, value: &Value) -> String {
    let mut out = String::new();
    model_text(&mut out, program, value);
    out
}

/// As a model would write it.
fn model_text(out: &mut String, program: &Program, value: &Value) {
    match value {
        Value::Str(_) => {
            json(out, program, value);
        }
        Value::List(items) | Value::Set(items) => {
            out.push('[');
            separated(out, items.iter(), |out, v| model_text(out, program, v));
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            separated(out, entries.iter(), |out, (k, v)| {
                model_text(out, program, k);
                out.push_str(": ");
                model_text(out, program, v);
            });
            out.push('}');
        }
        Value::Anon(fields) => {
            out.push('{');
            separated(out, fields.iter(), |out, (name, v)| {
                let _ = write!(out, "{name}: ");
                model_text(out, program, v);
            });
            out.push('}');
        }
        Value::Record(record) => {
            if let Some(TypeDef::Record(def)) = program.types.get(record.ty.0 as usize) {
                let _ = write!(out, "{} ", def.decl.name);
            }
            record_text(out, program, record);
        }
        Value::Variant(ty, variant, payload) => {
            out.push_str(&variant_name(program, *ty, *variant));
            if let Some(record) = payload {
                out.push(' ');
                record_text(out, program, record);
            }
        }
        Value::Ref(reference) => reference_text(out, program, reference),
        Value::Range(range) => {
            let end = |v: Option<i64>| v.map(|v| v.to_string()).unwrap_or_default();
            let dots = if range.inclusive { "..=" } else { ".." };
            let _ = write!(out, "{}{dots}{}", end(range.start), end(range.end));
        }
        Value::File(file) => {
            let _ = write!(out, "file({:?})", file.path);
        }
        Value::Deferred(deferred) => {
            out.push_str(if deferred.secret { "(secret)" } else { "(known after deploy)" });
        }
        Value::Wrong => out.push_str("(wrong)"),
        _ => {
            text(out, program, value);
        }
    }
}

fn record_text(out: &mut String, program: &Program, record: &Record) {
    let fields = match program.types.get(record.ty.0 as usize) {
        Some(TypeDef::Record(def)) => def.fields.as_slice(),
        _ => &[],
    };
    out.push('{');
    let given = fields.iter().zip(&record.fields).filter(|(_, v)| !matches!(v, Value::Null));
    separated(out, given, |out, (field, v)| {
        let _ = write!(out, "{}: ", field.name);
        model_text(out, program, v);
    });
    out.push('}');
}

/// `Host[name: "h1"]`.
fn reference_text(out: &mut String, program: &Program, reference: &Reference) {
    let def = match program.types.get(reference.ty.0 as usize) {
        Some(TypeDef::Record(def)) => def,
        _ => return,
    };
    let _ = write!(out, "{}[", def.decl.name);
    separated(out, def.keys.iter().zip(reference.key.iter()), |out, (key, v)| {
        let _ = write!(out, "{}: ", key.name);
        model_text(out, program, v);
    });
    out.push(']');
}

/// `Host[name: "h1"]`, for messages.
pub fn reference(program: &Program, reference: &Reference) -> String {
    let mut out = String::new();
    reference_text(&mut out, program, reference);
    out
}

fn separated<T>(out: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
}
