//! Where the value of a field of an object came from: in the model, and in the data.

use crate::diag::Place;
use crate::model::hir::{Clause, Construct, MapEntry};
use crate::model::{Hir, HirKind};

use super::machine::{Frame, Machine, This};
use super::value::Object;
use super::world::World;

/// So deep a constructor is looked for in a body.
const DEPTH: u32 = 64;

/// What a field was given in the constructor that made an object, and where that came from in the
/// data. None where it was not given there.
pub fn field_source(world: &dyn World, object: &Object, field: &str) -> Option<(Place, Option<Place>)> {
    let program = world.program();
    let record = program.record(object.reference.ty)?;
    let slot = record.fields.iter().position(|f| f.data_name == field)?;
    let here = |hir: &Hir| hir.node == object.origin.node;
    let bodies = program.impls.iter().map(|i| &i.body).filter(|b| b.file == object.origin.file);
    let (body, construct) = bodies.into_iter().find_map(|b| Some((b, find(&b.root, &here, DEPTH)?)))?;
    let (_, value) = construct.fields.iter().find(|(at, _)| usize::from(*at) == slot)?;
    let place = Place::Model { file: body.file, node: value.node.0 };
    let Some(element) = object.origin.element else { return Some((place, None)) };
    let Some(instance) = world.instance_at(element.instance) else { return Some((place, None)) };
    let mut machine = Machine::new(world);
    machine.about(&instance);
    if let Some(found) = instance.elements.get(element.index as usize) {
        let this = This::Record(found.record.clone());
        machine.frame = Frame { root: Some(&body.root), file: body.file, base: usize::MAX, this, call: None };
    }
    Some((place, machine.data_place(value)))
}

/// The constructor within an expression of which a condition holds.
fn find<'h>(hir: &'h Hir, here: &dyn Fn(&Hir) -> bool, depth: u32) -> Option<&'h Construct> {
    let depth = depth.checked_sub(1)?;
    if let HirKind::Construct(construct) = &hir.kind
        && here(hir)
    {
        return Some(construct);
    }
    inner(hir).into_iter().find_map(|hir| find(hir, here, depth))
}

/// The expressions within one in which a constructor may stand.
fn inner(hir: &Hir) -> Vec<&Hir> {
    match &hir.kind {
        HirKind::Block { stmts, value } => stmts.iter().chain(value.as_deref()).collect(),
        HirKind::Let { value, .. } => vec![value],
        HirKind::For { over, body, .. } => vec![over, body],
        HirKind::IfSome { base, body, .. } => vec![base, body],
        HirKind::If { condition, then, otherwise } => {
            [&**condition, then].into_iter().chain(otherwise.as_deref()).collect()
        }
        HirKind::Match { subject, arms } => {
            std::iter::once(&**subject).chain(arms.iter().map(|(_, body)| body)).collect()
        }
        HirKind::Construct(construct) => {
            construct.fields.iter().map(|(_, v)| v).chain(&construct.rest).chain(&construct.after).collect()
        }
        HirKind::Struct { fields, .. } => fields.iter().map(|(_, v)| v).collect(),
        HirKind::Variant { payload: Some(payload), .. } => vec![payload],
        HirKind::List(items) | HirKind::Call { args: items, .. } => items.iter().collect(),
        HirKind::Builtin { args, .. } => args.iter().flatten().collect(),
        HirKind::Lambda { body, .. } => vec![body],
        HirKind::Comprehension { clauses, key, value } => clauses
            .iter()
            .map(|clause| match clause {
                Clause::For { over: hir, .. } | Clause::If(hir) | Clause::Let { value: hir, .. } => hir,
            })
            .chain(key.as_deref())
            .chain([&**value])
            .collect(),
        HirKind::Map(entries) => entries
            .iter()
            .flat_map(|entry| match entry {
                MapEntry::Pair(key, value) => vec![key, value],
                MapEntry::Spread(value) => vec![value],
            })
            .collect(),
        HirKind::Field { base, .. }
        | HirKind::SharedField { base, .. }
        | HirKind::ToAny(base)
        | HirKind::ToSet(base)
        | HirKind::ToFloat(base)
        | HirKind::Refine(base, _)
        | HirKind::As(base, _)
        | HirKind::Unary(_, base) => vec![base],
        HirKind::Binary(_, a, b) => vec![a, b],
        _ => Vec::new(),
    }
}
