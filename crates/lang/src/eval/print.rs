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
    // No character has more than four bytes: what is written beyond would be cut off anyway.
    let mut out = Shown::of(program, value, LONGEST * 4);
    if out.chars().count() > LONGEST {
        let cut = out.char_indices().nth(LONGEST - 1).map_or(out.len(), |(at, _)| at);
        out.truncate(cut);
        out.push('…');
    }
    out
}

/// A value as a message shows it, whole.
pub fn whole(program: &Program, value: &Value) -> String {
    Shown::of(program, value, usize::MAX)
}

/// `Host[name: "h1"]`, for messages.
pub fn reference(program: &Program, reference: &Reference) -> String {
    let mut shown = Shown { program, out: String::new(), most: usize::MAX };
    shown.reference(reference);
    shown.out
}

/// Writes a value as a model would, and stops once it is long enough.
struct Shown<'a> {
    program: &'a Program,
    out: String,
    most: usize,
}

impl Shown<'_> {
    fn of(program: &Program, value: &Value, most: usize) -> String {
        let mut shown = Shown { program, out: String::new(), most };
        shown.value(value);
        shown.out
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Str(string) => self.string(string),
            Value::List(items) | Value::Set(items) => {
                self.out.push('[');
                self.separated(items.iter(), |w, v| w.value(v));
                self.out.push(']');
            }
            Value::Map(entries) => {
                self.out.push('{');
                self.separated(entries.iter(), |w, (k, v)| {
                    w.value(k);
                    w.out.push_str(": ");
                    w.value(v);
                });
                self.out.push('}');
            }
            Value::Anon(fields) => {
                self.out.push('{');
                self.separated(fields.iter(), |w, (name, v)| w.named(name.as_str(), v));
                self.out.push('}');
            }
            Value::Record(record) => {
                if let Some(TypeDef::Record(def)) = self.program.types.get(record.ty.0 as usize) {
                    let _ = write!(self.out, "{} ", def.decl.name);
                }
                self.record(record);
            }
            Value::Variant(ty, variant, payload) => {
                self.out.push_str(&variant_name(self.program, *ty, *variant));
                if let Some(record) = payload {
                    self.out.push(' ');
                    self.record(record);
                }
            }
            Value::Ref(reference) => self.reference(reference),
            Value::Range(range) => {
                let end = |v: Option<i64>| v.map(|v| v.to_string()).unwrap_or_default();
                let dots = if range.inclusive { "..=" } else { ".." };
                let _ = write!(self.out, "{}{dots}{}", end(range.start), end(range.end));
            }
            Value::File(file) => {
                let _ = write!(self.out, "file({:?})", file.path);
            }
            Value::Deferred(deferred) => {
                self.out.push_str(if deferred.secret { "(secret)" } else { "(known after deploy)" });
            }
            Value::Wrong => self.out.push_str("(wrong)"),
            _ => {
                text(&mut self.out, self.program, value);
            }
        }
    }

    fn string(&mut self, string: &str) {
        let end = string.floor_char_boundary(self.most);
        let mut bytes = vec![b'"'];
        canonical::escape(&mut bytes, string.get(..end).unwrap_or_default());
        bytes.push(b'"');
        self.out.push_str(&String::from_utf8_lossy(&bytes));
    }

    fn named(&mut self, name: &str, value: &Value) {
        let _ = write!(self.out, "{name}: ");
        self.value(value);
    }

    fn record(&mut self, record: &Record) {
        let fields = match self.program.types.get(record.ty.0 as usize) {
            Some(TypeDef::Record(def)) => def.fields.as_slice(),
            _ => &[],
        };
        self.out.push('{');
        let given = fields.iter().zip(&record.fields).filter(|(_, v)| !matches!(v, Value::Null));
        self.separated(given, |w, (field, v)| w.named(field.name.as_str(), v));
        self.out.push('}');
    }

    /// `Host[name: "h1"]`.
    fn reference(&mut self, reference: &Reference) {
        let Some(TypeDef::Record(def)) = self.program.types.get(reference.ty.0 as usize) else { return };
        let _ = write!(self.out, "{}[", def.decl.name);
        self.separated(def.keys.iter().zip(reference.key.iter()), |w, (key, v)| w.named(&key.name, v));
        self.out.push(']');
    }

    fn separated<T>(&mut self, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        for (at, item) in items.enumerate() {
            if self.out.len() > self.most {
                return;
            }
            if at > 0 {
                self.out.push_str(", ");
            }
            write(self, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_short() {
        let program = Program::default();
        let list = |items: Vec<Value>| Value::List(items.into());
        assert_eq!(shown(&program, &Value::Str("a\"b".into())), r#""a\"b""#);
        assert_eq!(shown(&program, &list(vec![Value::Int(1), Value::Null])), "[1, null]");
        let long = shown(&program, &list(vec![Value::Str("ä".repeat(1_000).into()); 1_000]));
        assert_eq!(long.chars().count(), 60);
        assert!(long.ends_with('…'));
        assert!(whole(&program, &Value::Str("x".repeat(1_000).into())).len() == 1_002);
    }

    #[test]
    fn text_is_what_an_interpolation_writes() {
        let program = Program::default();
        let table = [
            (Value::Float(2.0), "2.0"),
            (Value::Duration(5_400_000_000_000), "1h30m"),
            (Value::Size(1536 * 1024), "1536KiB"),
            (Value::Bool(true), "true"),
            (Value::Null, "null"),
            (Value::Str("a\"".into()), "a\""),
            (Value::List([Value::Str("a".into()), Value::Duration(0)].into()), r#"["a","0s"]"#),
        ];
        for (value, expected) in table {
            let mut out = String::new();
            assert!(text(&mut out, &program, &value));
            assert_eq!(out, expected);
        }
    }
}
