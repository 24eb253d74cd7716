//! `unique`: no two instances of a slice have one value.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::diag::codes::project::NOT_UNIQUE;
use crate::diag::{DataPart, Diagnostic, Place};
use crate::model::schema::UniqueDef;
use crate::model::{Program, TypeId};

use super::value::Value;
use super::world::Instance;

/// What an instance has in the fields of a `unique`; nothing if a field is null or wrong, or the
/// value is not stored.
pub fn values(
    program: &Program,
    instance: &Arc<Instance>,
    ty: TypeId,
    index: u32,
) -> Option<(Vec<Value>, Arc<Instance>)> {
    let def = unique(program, ty, index)?;
    let root = instance.elements.first()?;
    let values: Option<Vec<Value>> =
        def.slots.iter().map(|&s| root.record.fields.get(s as usize).cloned()).collect();
    let values = values?;
    let usable = values.iter().all(|v| !matches!(v, Value::Null | Value::Wrong | Value::Deferred(_)));
    usable.then(|| (values, instance.clone()))
}

fn unique(program: &Program, ty: TypeId, index: u32) -> Option<&UniqueDef> {
    program.record(ty)?.uniques.get(index as usize)
}

/// The errors for all values that stand twice: one for each instance but the first by path.
pub fn clashes<'v>(
    program: &Program,
    ty: TypeId,
    index: u32,
    all: impl Iterator<Item = &'v (Vec<Value>, Arc<Instance>)>,
) -> Vec<Diagnostic> {
    let Some((record, def)) = program.record(ty).zip(unique(program, ty, index)) else { return Vec::new() };
    let mut by_value: FxHashMap<&[Value], Vec<&Arc<Instance>>> = FxHashMap::default();
    for (values, instance) in all {
        by_value.entry(values).or_default().push(instance);
    }
    let names: Vec<String> = def
        .slots
        .iter()
        .filter_map(|&s| record.fields.get(s as usize))
        .map(|f| format!("`{}`", f.name))
        .collect();
    let mut problems = Vec::new();
    for (_, mut instances) in by_value.into_iter().filter(|(_, i)| i.len() > 1) {
        instances.sort_by_key(|i| (i.id.file.path(), i.id.item));
        let Some((first, others)) = instances.split_first() else { continue };
        for other in others {
            let message = match names.as_slice() {
                [one] => format!("another `{}` has the same {one}", record.decl.name),
                several => {
                    format!("another `{}` has the same {} together", record.decl.name, several.join(" and "))
                }
            };
            problems.push(
                Diagnostic::new(NOT_UNIQUE, place(other, def), message)
                    .at("this value")
                    .label(place(first, def), "and this one")
                    .label(Place::Model { file: record.decl.file, node: def.node.0 }, "declared unique here")
                    .help("give one of them another value"),
            );
        }
    }
    problems
}

/// Where the first of the fields stands in the data; the file, where it is a default.
fn place(instance: &Instance, def: &UniqueDef) -> Place {
    let root = instance.elements.first();
    let node = root.and_then(|r| def.slots.iter().find_map(|&s| r.fields.get(s as usize).copied().flatten()));
    match node {
        Some((file, node)) => Place::Data { file, node, part: DataPart::Value },
        None => Place::File(instance.id.file),
    }
}
