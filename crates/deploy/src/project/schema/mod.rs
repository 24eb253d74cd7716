//! JSON Schema of the instance files of a project: for the editors of people who write YAML.
//!
//! Draft 7, which every such editor knows. A schema never refuses what `gops check` takes; what
//! it cannot say (a reference that leads nowhere, a check of several fields) is in the
//! descriptions, or left to `gops check`. Overlay files are parts of instances and have none.

mod refine;
mod types;

use serde_json::{Map, Value, json};

use crate::model::schema::RecordDef;
use crate::model::{Program, TypeId};

use types::Definitions;

/// The dialect.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of a file of one slice.
pub fn of_slice(program: &Program, slice: TypeId) -> Option<Value> {
    let record = program.record(slice)?;
    let mut definitions = Definitions::new(program);
    let body = file_of(record, &mut definitions);
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!(DRAFT));
    schema.insert("title".into(), json!(record.decl.name.as_str()));
    schema.extend(body);
    schema.insert("definitions".into(), definitions.finish());
    Some(Value::Object(schema))
}

/// One schema for a file of any slice.
pub fn of_all(program: &Program) -> Value {
    let mut definitions = Definitions::new(program);
    let slices: Vec<Value> = program.slices().map(|s| Value::Object(file_of(s, &mut definitions))).collect();
    json!({
        "$schema": DRAFT,
        "title": program.name.as_str(),
        "anyOf": slices,
        "definitions": definitions.finish(),
    })
}

/// What a file holds: an instance, or with `each` one or a list of them.
fn file_of(record: &RecordDef, definitions: &mut Definitions<'_>) -> Map<String, Value> {
    let instance = definitions.record(record.decl.id, types::Use::Instance);
    let each = record.source.as_ref().is_some_and(|s| s.each);
    let schema = match each {
        false => json!({ "allOf": [instance] }),
        true => json!({ "anyOf": [instance, { "type": "array", "items": instance }] }),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}
