//! The way to an element from the one that holds it: `pages[path=/x]`.

use ecow::EcoString;

use crate::base::id;
use crate::eval::value::{Record, Value};
use crate::model::{Program, RecordDef};

use super::reader::{Context, Reader, key_value};
use super::unions::Carrier;

/// A key's value, owned, as [`id::Key`] borrows it.
enum Part {
    Plain(Value),
    Name(EcoString),
    Keys(Vec<(EcoString, Part)>),
}

impl<'a> Reader<'a> {
    /// The field of an element, and what tells it from others: its key, or the key of the map
    /// that holds it if it has none itself.
    pub fn step(
        &self,
        record: &RecordDef,
        made: &Record,
        context: Context<'a>,
        carrier: Option<&Carrier<'a>>,
        map_key: Option<EcoString>,
    ) -> EcoString {
        if context.parent.is_none() {
            return EcoString::new();
        }
        let tag = carrier.map(|c| (c.tag, c.name));
        let fields = Some((record, &*made.fields));
        step(self.program, context.name, context.listed, tag, fields, map_key)
    }
}

/// The way to an element from the one that holds it: the field's data name, and, for one of
/// several (`listed`), the tag of its union and its key, or that of the map that holds it.
pub(in crate::eval) fn step(
    program: &Program,
    field: &str,
    listed: bool,
    tag: Option<(&str, &str)>,
    record: Option<(&RecordDef, &[Value])>,
    map_key: Option<EcoString>,
) -> EcoString {
    let mut owned: Vec<(EcoString, Part)> = Vec::new();
    if listed {
        if let Some((record, fields)) = record {
            let part = |value: Value| part(program, &value, 0);
            owned.extend(record.keys.iter().map(|k| (k.name.clone(), part(key_value(fields, &k.path)))));
        }
        if let (true, Some(key)) = (owned.is_empty(), map_key) {
            owned.push(("key".into(), Part::Name(key)));
        }
    }
    written(field, tag.filter(|_| listed), &owned)
}

/// The same for an element that is named by its keys, in the order of the type.
pub(in crate::eval) fn step_by_keys(
    program: &Program,
    field: &str,
    tag: Option<(&str, &str)>,
    record: &RecordDef,
    keys: &[Value],
) -> EcoString {
    let names = record.keys.iter().map(|k| k.name.clone());
    let owned: Vec<_> = names.zip(keys.iter().map(|value| part(program, value, 0))).collect();
    written(field, tag, &owned)
}

fn written(field: &str, tag: Option<(&str, &str)>, owned: &[(EcoString, Part)]) -> EcoString {
    let mut out = String::new();
    with_keys(owned, &mut |keys| id::write_element(&mut out, field, tag, keys));
    out.strip_prefix('.').unwrap_or(&out).into()
}

/// The way to a variant that carries nothing.
pub(super) fn bare_step(carrier: &Carrier<'_>, context: Context<'_>) -> EcoString {
    let mut out = String::new();
    let tag = context.listed.then_some((carrier.tag, carrier.name));
    id::write_element(&mut out, context.name, tag, &[]);
    out.strip_prefix('.').unwrap_or(&out).into()
}

/// References whose keys are references again are followed this far; the model has no cycle of
/// them, and data nests no deeper.
const DEEPEST: usize = 128;

fn part(program: &Program, value: &Value, depth: usize) -> Part {
    match value {
        Value::Enum(ty, variant) => {
            let variants = program.enumeration(*ty).map(|e| &e.variants);
            let found = variants.and_then(|v| v.get(*variant as usize));
            Part::Name(found.map(|v| v.data_name.clone()).unwrap_or_default())
        }
        Value::Ref(reference) if depth < DEEPEST => {
            let names = program.record(reference.ty).map(|r| r.keys.as_slice()).unwrap_or_default();
            let keys = names.iter().zip(reference.key.iter());
            Part::Keys(keys.map(|(k, v)| (k.name.clone(), part(program, v, depth + 1))).collect())
        }
        other => Part::Plain(other.clone()),
    }
}

/// What is done with the parts of a key once they are borrowed.
type Then<'t> = &'t mut dyn FnMut(&[(&str, id::Key<'_>)]);

/// Borrows the parts of a key, and those of the keys in it, while `then` runs.
fn with_keys(parts: &[(EcoString, Part)], then: Then<'_>) {
    fn go<'p>(parts: &'p [(EcoString, Part)], mut done: Vec<(&'p str, id::Key<'p>)>, then: Then<'_>) {
        let Some(((name, part), rest)) = parts.split_first() else { return then(&done) };
        let simple = match part {
            Part::Plain(Value::Bool(b)) => id::Key::Bool(*b),
            Part::Plain(Value::Int(i) | Value::Duration(i) | Value::Size(i)) => id::Key::Int(*i),
            Part::Plain(Value::Str(text)) => id::Key::Str(text),
            Part::Plain(_) => id::Key::Null,
            Part::Name(text) => id::Key::Str(text),
            Part::Keys(keys) => {
                return go(keys, Vec::with_capacity(keys.len()), &mut |inner| {
                    let mut done: Vec<(&str, id::Key<'_>)> = done.clone();
                    done.push((name, id::Key::Keys(inner)));
                    go(rest, done, then);
                });
            }
        };
        done.push((name, simple));
        go(rest, done, then);
    }
    go(parts, Vec::with_capacity(parts.len()), then);
}
