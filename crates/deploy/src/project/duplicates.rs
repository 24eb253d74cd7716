//! Two instances of a slice with one key.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::FileId;
use crate::db::{Database, SourceFile};
use crate::diag::codes::project as codes;
use crate::diag::{DataPart, Diagnostic, Place};
use crate::eval::Instance;
use crate::model::RecordDef;

use super::index::Keys;
use super::queries;

/// One error for each instance whose key an instance that is first by path has.
pub fn duplicates(db: &Database, slices: &[(&EcoString, Vec<&Keys>)]) -> Vec<Diagnostic> {
    let program = queries::program(db);
    let mut problems = Vec::new();
    for (slice, shards) in slices {
        let Some(slice) = program.slices().find(|s| s.decl.path == **slice) else { continue };
        let total = shards.iter().map(|k| k.len()).sum();
        let mut by_key: FxHashMap<EcoString, Vec<(SourceFile, u32)>> = FxHashMap::default();
        by_key.reserve(total);
        for (key, file, item) in shards.iter().flat_map(|k| k.iter()) {
            by_key.entry(queries::key_text(key)).or_default().push((*file, *item));
        }
        for mut places in by_key.into_values().filter(|p| p.len() > 1) {
            places.sort_by_key(|(file, item)| (file.path(db).path(), *item));
            let instances: Vec<Arc<Instance>> = places.iter().filter_map(|p| instance(db, *p)).collect();
            let Some((first, others)) = instances.split_first() else { continue };
            problems.extend(others.iter().map(|other| duplicate(slice, first, other)));
        }
    }
    problems
}

fn instance(db: &Database, (file, item): (SourceFile, u32)) -> Option<Arc<Instance>> {
    queries::instances(db, file).instances.iter().find(|i| i.id.item == item).cloned()
}

fn duplicate(slice: &RecordDef, first: &Instance, other: &Instance) -> Diagnostic {
    let place = key_place(slice, other);
    if slice.keys.is_empty() {
        let message = format!("`{}` has no key, so it has one instance, and there are more", slice.decl.name);
        return Diagnostic::new(codes::SINGLETON, Place::File(other.id.file), message)
            .label(Place::File(first.id.file), "the first one")
            .label(declared(slice), "declared here, without a key")
            .help("give the slice a key, or keep one of the files");
    }
    let key = queries::key_shown(slice, &other.key);
    let message = format!("two instances of `{}` have the key {key}", slice.decl.name);
    Diagnostic::new(codes::DUPLICATE_INSTANCE, place, message)
        .at("this one")
        .label(key_place(slice, first), "and this one")
        .help(match first.id.file == other.id.file {
            true => "the key is the identity: change one of them, or remove it",
            false => {
                "the key is the identity, not the file's name: change one of them, or remove one of the files"
            }
        })
}

/// Where an instance's key stands in its data; the file, if it comes from the path.
pub fn key_place(slice: &RecordDef, instance: &Instance) -> Place {
    let slot = slice.keys.first().and_then(|k| k.path.first());
    field_place(instance, 0, slot.copied()).unwrap_or(Place::File(instance.id.file))
}

/// Where a field of an element stands in its data.
pub fn field_place(instance: &Instance, element: u32, slot: Option<u16>) -> Option<Place> {
    let element = instance.elements.get(element as usize)?;
    let (file, node): (FileId, u32) = (*element.fields.get(slot? as usize)?)?;
    Some(Place::Data { file, node, part: DataPart::Value })
}

fn declared(slice: &RecordDef) -> Place {
    Place::Model { file: slice.decl.file, node: slice.decl.node.0 }
}
