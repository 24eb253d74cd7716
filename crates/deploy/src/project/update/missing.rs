//! Which fields lack their value.

use std::cmp::Ordering;
use std::sync::Arc;

use ecow::EcoString;

use crate::db::Shard;
use crate::eval::compare;
use crate::eval::{Instance, Key, Plan, Value};
use crate::model::schema::Slot;
use crate::model::{FieldKind, Program, TypeId};
use crate::project::queries;
use crate::project::session::Session;

/// A field that lacks its value.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    /// The slice.
    pub slice: TypeId,
    /// The instance.
    pub key: Key,
    /// The way to the element within it.
    pub path: EcoString,
    /// The type of the element.
    pub ty: TypeId,
    /// The field.
    pub slot: Slot,
    /// The views in which it lacks it, by number.
    pub views: Vec<usize>,
}

/// The fields that lack a value in one of the views, in the order in which they are filled.
pub(super) fn missing(views: &[&mut Session]) -> Vec<Missing> {
    let Some(first) = views.first() else { return Vec::new() };
    let ready = queries::ready(&first.db);
    let mut all = Vec::new();
    for (number, view) in views.iter().enumerate() {
        let shards: Vec<Shard> = view.all_shards().collect();
        for shard in shards {
            for unit in queries::shard_instances(&view.db, shard).iter() {
                for instance in &unit.instances {
                    of_instance(&ready.program, instance, number, &mut all);
                }
            }
        }
    }
    all.sort_by(|a, b| order(&ready.program, &ready.plan, a, b));
    let mut merged: Vec<Missing> = Vec::with_capacity(all.len());
    for one in all {
        match merged.last_mut() {
            Some(last) if order(&ready.program, &ready.plan, last, &one).is_eq() => {
                last.views.extend(one.views);
            }
            _ => merged.push(one),
        }
    }
    merged
}

fn order(program: &Program, plan: &Plan, a: &Missing, b: &Missing) -> Ordering {
    let path = |ty: TypeId| program.ty(ty).decl().path.as_str();
    path(a.slice)
        .cmp(path(b.slice))
        .then_with(|| compare::keys(plan, a.slice, &a.key, &b.key))
        .then_with(|| a.path.cmp(&b.path))
        .then_with(|| a.slot.cmp(&b.slot))
}

fn of_instance(program: &Program, instance: &Arc<Instance>, view: usize, all: &mut Vec<Missing>) {
    for (index, element) in (0..).zip(&instance.elements) {
        if element.wrong.is_empty() {
            continue;
        }
        let Some(record) = program.record(element.record.ty) else { continue };
        for &slot in &element.wrong {
            let field = record.fields.get(usize::from(slot));
            if field.is_some_and(|f| f.kind == FieldKind::Assigned) && lacks(instance, index, slot) {
                all.push(Missing {
                    slice: instance.ty,
                    key: instance.key.clone(),
                    path: path(instance, index),
                    ty: element.record.ty,
                    slot,
                    views: vec![view],
                });
            }
        }
    }
}

/// Whether a field has no value, and none in the data either.
pub(super) fn lacks(instance: &Instance, index: u32, slot: Slot) -> bool {
    let Some(element) = instance.elements.get(index as usize) else { return false };
    matches!(element.record.fields.get(usize::from(slot)), Some(Value::Wrong))
        && element.fields.get(usize::from(slot)).is_none_or(Option::is_none)
}

/// The way to an element from the root of its instance; empty for the root.
pub(super) fn path(instance: &Instance, index: u32) -> EcoString {
    let mut steps = Vec::new();
    let mut at = Some(index);
    while let Some(element) = at.and_then(|i| instance.elements.get(i as usize)) {
        if element.parent.is_some() {
            steps.push(element.step.as_str());
        }
        at = element.parent;
    }
    steps.reverse();
    steps.join(".").into()
}

/// The element at the end of a way.
pub(super) fn find(instance: &Instance, wanted: &str) -> Option<u32> {
    (0..instance.elements.len() as u32).find(|&index| match wanted.is_empty() {
        true => index == 0,
        false => path(instance, index) == wanted,
    })
}
