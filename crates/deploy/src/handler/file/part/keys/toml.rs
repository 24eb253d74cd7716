//! TOML, changed by `toml_edit`, which keeps what it does not touch.

use ecow::EcoString;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::graph::GraphValue;

use super::{Edit, foreign};

/// What of a value TOML cannot say.
pub(super) fn refuses(value: &GraphValue) -> Option<&'static str> {
    match value {
        GraphValue::Null => Some("null"),
        GraphValue::List(items) => items.iter().find_map(refuses),
        GraphValue::Map(entries) => entries.iter().find_map(|(_, value)| refuses(value)),
        _ => None,
    }
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    let document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.message().to_owned())?;
    // Its line breaks, for one, are not kept.
    if document.to_string() != text {
        return Err("its lines end in a way that would not be kept".to_owned());
    }
    Ok(document)
}

pub(super) fn read(text: &str) -> Result<GraphValue, String> {
    Ok(table(parse(&unix(text)?)?.as_table()))
}

/// With `\n` alone. A file of which some lines end with `\r\n` and others do not is refused.
fn unix(text: &str) -> Result<String, String> {
    let plain = text.replace("\r\n", "\n");
    if plain.len() != text.len() && plain.replace('\n', "\r\n") != text {
        return Err("some of its lines end with CRLF and some do not".to_owned());
    }
    Ok(plain)
}

fn table(table: &dyn TableLike) -> GraphValue {
    GraphValue::map(table.iter().map(|(key, found)| (key.into(), item(found))).collect())
}

fn item(item: &Item) -> GraphValue {
    match item {
        Item::None => GraphValue::Null,
        Item::Value(found) => value(found),
        Item::Table(found) => table(found),
        Item::ArrayOfTables(tables) => GraphValue::List(tables.iter().map(|t| table(t)).collect()),
    }
}

fn value(found: &Value) -> GraphValue {
    match found {
        Value::String(text) => GraphValue::Str(text.value().as_str().into()),
        Value::Integer(number) => GraphValue::Int(*number.value()),
        Value::Float(number) if number.value().is_finite() => GraphValue::Float(*number.value()),
        Value::Float(number) => foreign(&number.value().to_string()),
        Value::Boolean(truth) => GraphValue::Bool(*truth.value()),
        Value::Datetime(time) => foreign(&time.value().to_string()),
        Value::Array(items) => GraphValue::List(items.iter().map(value).collect()),
        Value::InlineTable(entries) => table(entries),
    }
}

fn written(value: &GraphValue) -> Result<Value, String> {
    Ok(match value {
        GraphValue::Bool(truth) => (*truth).into(),
        GraphValue::Int(number) => (*number).into(),
        GraphValue::Float(number) => (*number).into(),
        GraphValue::Str(text) => text.as_str().into(),
        GraphValue::List(items) => {
            Value::Array(items.iter().map(written).collect::<Result<toml_edit::Array, String>>()?)
        }
        GraphValue::Map(entries) => {
            let mut inline = toml_edit::InlineTable::new();
            for (key, value) in entries {
                inline.insert(key, written(value)?);
            }
            Value::InlineTable(inline)
        }
        GraphValue::Null => return Err("TOML has no null".to_owned()),
        GraphValue::Ref(_) | GraphValue::Secret(_) | GraphValue::Later(_) => {
            return Err("the value is not known".to_owned());
        }
    })
}

pub(super) fn edit(text: &str, edit: &Edit<'_>) -> Result<String, String> {
    let plain = unix(text)?;
    let mut document = parse(&plain)?;
    match edit {
        Edit::Set(pointer, value) => set(document.as_table_mut(), &pointer.0, value)?,
        Edit::Unset(pointer) => unset(document.as_table_mut(), &pointer.0),
    }
    let changed = document.to_string();
    Ok(if plain.len() == text.len() { changed } else { changed.replace('\n', "\r\n") })
}

fn set(table: &mut dyn TableLike, path: &[EcoString], value: &GraphValue) -> Result<(), String> {
    let Some((key, rest)) = path.split_first() else { return Ok(()) };
    if !rest.is_empty() {
        if !table.contains_key(key) {
            // A table of its own, with a header only if it holds more than tables.
            let mut new = Table::new();
            new.set_implicit(true);
            table.insert(key, Item::Table(new));
        }
        let held = table.get_mut(key).and_then(Item::as_table_like_mut);
        return set(held.ok_or_else(|| format!("`{key}` is no table"))?, rest, value);
    }
    let mut new = written(value)?;
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            // What stands around the value stays: white space, a comment behind it.
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        Some(_) => return Err(format!("`{key}` is a table, and a value is wanted there")),
        None => {
            table.insert(key, Item::Value(new));
        }
    }
    Ok(())
}

fn unset(table: &mut dyn TableLike, path: &[EcoString]) {
    let Some((key, rest)) = path.split_first() else { return };
    if !rest.is_empty() {
        let Some(held) = table.get_mut(key).and_then(Item::as_table_like_mut) else { return };
        let had = !held.is_empty();
        unset(held, rest);
        if !had || !held.is_empty() {
            return;
        }
    }
    table.remove(key);
}
