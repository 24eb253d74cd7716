//! One object, made in several places.

use std::sync::Arc;

use crate::diag::codes::project::{DIFFERENT_OBJECTS, DIFFERENT_POLICY};
use crate::diag::{DataPart, Diagnostic, Place};
use crate::model::Program;

use super::value::{DriftPolicy, Object, Value};

/// An order of makers that does not depend on the order in which they ran: by instance file,
/// number, element, model file, place.
pub fn origin_order(object: &Object) -> (&'static str, u32, u32, &'static str, u32) {
    let origin = &object.origin;
    let (file, item, index) = match &origin.element {
        Some(element) => (element.instance.file.path(), element.instance.item, element.index),
        None => ("", 0, 0),
    };
    (file, item, index, origin.file.path(), origin.node.0)
}

/// One object of several with one key, as the first maker has it, with what the others add:
/// `after`, `protect`, `adopt`, `keep`.
pub fn merged(one: Arc<Object>, others: impl IntoIterator<Item = Arc<Object>>) -> Object {
    others.into_iter().fold(Arc::unwrap_or_clone(one), |kept, other| {
        let other = Arc::unwrap_or_clone(other);
        let swap = origin_order(&other) < origin_order(&kept);
        let (mut first, second) = if swap { (other, kept) } else { (kept, other) };
        for after in second.after {
            if !first.after.contains(&after) {
                first.after.push(after);
            }
        }
        first.protect |= second.protect;
        first.adopt |= second.adopt;
        first.keep |= second.keep;
        first.timeout = first.timeout.or(second.timeout);
        if first.drift == DriftPolicy::Repair {
            first.drift = second.drift;
        }
        first
    })
}

/// The object that several makers made, and an error for each maker whose fields differ from
/// those of the first.
pub fn merge(program: &Program, made: &[Arc<Object>]) -> Option<(Object, Vec<Diagnostic>)> {
    let mut sorted: Vec<&Arc<Object>> = made.iter().collect();
    sorted.sort_by_key(|o| origin_order(o));
    let (first, others) = sorted.split_first()?;
    let problems = others.iter().filter_map(|other| difference(program, first, other)).collect();
    Some((merged(Arc::clone(first), others.iter().map(|&o| o.clone())), problems))
}

fn difference(program: &Program, first: &Object, other: &Object) -> Option<Diagnostic> {
    let record = program.record(first.reference.ty)?;
    let differing: Vec<String> = record
        .fields
        .iter()
        .zip(first.fields.iter().zip(other.fields.iter()))
        .filter(|(_, (a, b))| a != b && !matches!((a, b), (Value::Wrong, _) | (_, Value::Wrong)))
        .map(|(field, _)| format!("`{}`", field.name))
        .collect();
    if !differing.is_empty() {
        let message =
            format!("one `{}` is made twice, with different {}", record.decl.name, differing.join(" and "));
        let help = "make it in one place, or with the same fields; objects are one if their keys are";
        return Some(
            both(Diagnostic::new(DIFFERENT_OBJECTS, place(other), message), first, other).help(help),
        );
    }
    let timeouts = first.timeout.zip(other.timeout).is_some_and(|(a, b)| a != b);
    let drifts = first.drift != other.drift
        && first.drift != DriftPolicy::Repair
        && other.drift != DriftPolicy::Repair;
    let what = match (timeouts, drifts) {
        (true, _) => "timeout",
        (_, true) => "drift",
        _ => return None,
    };
    let message = format!("one `{}` is made twice, with a different `{what}`", record.decl.name);
    let problem = Diagnostic::new(DIFFERENT_POLICY, place(other), message);
    Some(both(problem, first, other).help(format!("say the same `{what}` in both places, or in one of them")))
}

fn both(mut problem: Diagnostic, first: &Object, other: &Object) -> Diagnostic {
    problem = problem.at("made here");
    if let Some(data) = data(other) {
        problem = problem.label(data, "for this");
    }
    problem = problem.label(place(first), "and here");
    match data(first) {
        Some(data) => problem.label(data, "for this"),
        None => problem,
    }
}

/// Where the constructor of an object is written.
pub fn place(object: &Object) -> Place {
    Place::Model { file: object.origin.file, node: object.origin.node.0 }
}

/// The file that caused an object: its root, since the element's node is known to the reader
/// of the file alone.
fn data(object: &Object) -> Option<Place> {
    let element = object.origin.element?;
    Some(Place::Data { file: element.instance.file, node: 0, part: DataPart::Value })
}
