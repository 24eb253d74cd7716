//! The ids of objects and elements: `std::files::TextFile[host=h1,path=/etc/motd]`.
//!
//! An id is the full path of a type and the object's keys, sorted by the bytes of their names;
//! a type without a key has `[]`. A key's value is
//!
//! - `null`, `true`, `false` or an integer in decimal;
//! - a string as it is, if all of it is of `[A-Za-z0-9_./:@+-]` and the core schema of YAML 1.2
//!   reads it as a string, else as a canonical JSON string;
//! - for a reference with one key the value of that key, else `{a=1,b=2}`. A reference whose one
//!   key is `null` stands as `{name=null}`, so that it differs from no reference at all.
//!
//! Two different keys of one type never have one id, and an id holds nothing that depends on
//! other types, on files or on the project.

mod parse;
mod plain;

use std::borrow::Cow;

pub use parse::{Id, IdError, KeyValue, has_key, parse};
pub use plain::{is_plain, reads_as_string};

use super::canonical;

/// The value of a key, borrowed, for [`write()`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key<'a> {
    /// An optional key that is not there.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string, or the name of an enum's variant.
    Str(&'a str),
    /// A reference, by the id of what is meant.
    Id(&'a str),
    /// A reference, by the keys of what is meant, in any order.
    Keys(&'a [(&'a str, Key<'a>)]),
}

/// Appends the id of an object: the type's full path and its keys, in any order. The name of a
/// key in a nested struct is its path, `metadata.name`.
pub fn write(out: &mut String, type_path: &str, keys: &[(&str, Key<'_>)]) {
    out.push_str(type_path);
    out.push('[');
    write_keys(out, keys);
    out.push(']');
}

/// The id of an object; see [`write()`].
pub fn id(type_path: &str, keys: &[(&str, Key<'_>)]) -> String {
    let mut out = String::with_capacity(type_path.len() + 16 * keys.len() + 2);
    write(&mut out, type_path, keys);
    out
}

/// Appends a step from an element into one of its fields: `.field` for a single struct,
/// `.field[path=/x]` for an element of a list, set or map. A union's tag goes first and under
/// its own name: `.content[type=folder,name=a]`.
pub fn write_element(out: &mut String, field: &str, tag: Option<(&str, &str)>, keys: &[(&str, Key<'_>)]) {
    out.push('.');
    write_name(out, field);
    if tag.is_none() && keys.is_empty() {
        return;
    }
    out.push('[');
    if let Some((by, variant)) = tag {
        write_name(out, by);
        out.push('=');
        write_str(out, variant);
        if !keys.is_empty() {
            out.push(',');
        }
    }
    write_keys(out, keys);
    out.push(']');
}

fn write_keys(out: &mut String, keys: &[(&str, Key<'_>)]) {
    let write_one = |out: &mut String, (name, value): (&str, Key<'_>)| {
        write_name(out, name);
        out.push('=');
        write_value(out, value);
    };
    if keys.is_sorted_by(|a, b| a.0 <= b.0) {
        for (at, &key) in keys.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_one(out, key);
        }
        return;
    }
    let mut sorted: Vec<_> = keys.to_vec();
    sorted.sort_by(|a, b| a.0.cmp(b.0));
    write_keys(out, &sorted);
}

/// Appends the name of a key: in quotes if it is not plain.
pub fn write_name(out: &mut String, name: &str) {
    // Data names may hold anything; those of models never need quotes.
    if is_plain(name) {
        out.push_str(name);
    } else {
        write_quoted(out, name);
    }
}

fn write_value(out: &mut String, value: Key<'_>) {
    match value {
        Key::Null => out.push_str("null"),
        Key::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Key::Int(value) => out.push_str(&value.to_string()),
        Key::Str(text) => write_str(out, text),
        Key::Id(id) => write_reference(out, body(id)),
        Key::Keys(&[(_, Key::Null)]) => {
            out.push('{');
            if let Key::Keys(keys) = value {
                write_keys(out, keys);
            }
            out.push('}');
        }
        // Also through references: that to a Site whose one key is a Host is that of the Host.
        Key::Keys(&[(_, only)]) => write_value(out, only),
        Key::Keys(keys) => {
            out.push('{');
            write_keys(out, keys);
            out.push('}');
        }
    }
}

fn write_reference(out: &mut String, body: &str) {
    match parse::only_value(body) {
        Some(value) if value != "null" => out.push_str(value),
        _ => {
            out.push('{');
            out.push_str(body);
            out.push('}');
        }
    }
}

/// Appends a string as the value of a key: in quotes if it is not plain, or reads as something
/// else than a string.
pub fn write_str(out: &mut String, text: &str) {
    if is_plain(text) && reads_as_string(text) {
        out.push_str(text);
    } else {
        write_quoted(out, text);
    }
}

fn write_quoted(out: &mut String, text: &str) {
    let mut bytes = Vec::with_capacity(text.len() + 2);
    canonical::Writer::new(&mut bytes).str(text);
    // Escaping replaces ASCII bytes by ASCII bytes.
    out.push_str(&String::from_utf8_lossy(&bytes));
}

/// The keys of an id, as they stand between its brackets.
fn body(id: &str) -> &str {
    match id.split_once('[') {
        Some((_, rest)) => rest.strip_suffix(']').unwrap_or(rest),
        None => "",
    }
}

/// The full path of an id's type.
pub fn type_path(id: &str) -> &str {
    id.split_once('[').map_or(id, |(path, _)| path)
}

/// The id as people see it: with the last part of its type's path alone.
pub fn short(id: &str) -> &str {
    let path = type_path(id);
    match path.rfind("::") {
        Some(at) => id.get(at + 2..).unwrap_or(id),
        None => id,
    }
}

/// The short id without the keys that are null, which nobody writes: `host=null` of what lies on
/// the machine that deploys.
pub fn shown(id: &str) -> Cow<'_, str> {
    let short = short(id);
    match short.contains("=null") {
        true => without_nulls(short).map_or(Cow::Borrowed(short), Cow::Owned),
        false => Cow::Borrowed(short),
    }
}

/// None if the text is no id.
fn without_nulls(id: &str) -> Option<String> {
    let (path, rest) = id.split_once('[')?;
    let given: Vec<&str> = parse::parts(rest.strip_suffix(']')?)?;
    let given: Vec<&str> = given.into_iter().filter(|key| !key.ends_with("=null")).collect();
    Some(format!("{path}[{}]", given.join(",")))
}

#[cfg(test)]
mod tests;
