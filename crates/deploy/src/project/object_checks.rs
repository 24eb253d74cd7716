//! The checks of what models make: entities, resources, and the structs in them.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::base::FileId;
use crate::db::Database;
use crate::diag::Diagnostic;
use crate::eval::Object;
use crate::model::{Program, RecordDef, Type, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::world::DbWorld;

/// Runs the checks of objects, and gives the files that they have read. Most models have none,
/// and most objects then are not looked at.
pub fn run<'a>(
    db: &Database,
    program: &Program,
    objects: impl Iterator<Item = &'a Arc<Object>>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<FileId> {
    let checked = checked(program);
    if checked.is_empty() {
        return Vec::new();
    }
    let world = DbWorld::new(db);
    for object in objects.filter(|o| checked.contains(&o.reference.ty)) {
        crate::eval::check_object(&world, object, diagnostics);
    }
    world.into_files()
}

/// The types of objects that may have something to check: themselves, or structs in their fields.
fn checked(program: &Program) -> FxHashSet<TypeId> {
    let records = || {
        program.types.iter().filter_map(|def| match def {
            TypeDef::Record(record) => Some(record),
            _ => None,
        })
    };
    let in_structs = records().any(|r| is_struct(r.kind) && !r.checks.is_empty());
    let may_hold = |r: &RecordDef| in_structs && r.fields.iter().any(|f| holds_struct(program, &f.ty));
    let is_object = |kind| matches!(kind, RecordKind::Entity | RecordKind::Target | RecordKind::Resource);
    let checked = records().filter(|r| is_object(r.kind) && (!r.checks.is_empty() || may_hold(r)));
    checked.map(|r| r.decl.id).collect()
}

fn is_struct(kind: RecordKind) -> bool {
    matches!(kind, RecordKind::Struct | RecordKind::Plain)
}

/// Whether a struct can stand in a value of a type.
fn holds_struct(program: &Program, ty: &Type) -> bool {
    match ty {
        Type::Record(id) => program.record(*id).is_some_and(|r| is_struct(r.kind)),
        Type::Union(_) | Type::Variant(..) | Type::Any => true,
        Type::OneOf(all) => all.iter().any(|t| holds_struct(program, t)),
        Type::Optional(t)
        | Type::List(t)
        | Type::Set(t)
        | Type::Map(_, t)
        | Type::Secret(t)
        | Type::Later(t)
        | Type::Refined(t, _)
        | Type::Alias(_, t) => holds_struct(program, t),
        _ => false,
    }
}
