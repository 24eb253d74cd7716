//! Keys.

use crate::base::Span;
use crate::diag::codes::model as codes;
use crate::model::order;
use crate::model::schema::{FieldKind, KeyDef, Slot, TypeDef};
use crate::model::scopes::ModuleId;
use crate::model::show;
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::{Ident, RecordKind};

use super::Declarations;
use super::records::{Assembled, KeyDecl};

/// Gives all records their keys.
pub(super) fn all(d: &mut Declarations<'_>, records: &[Assembled<'_>]) {
    for record in records {
        let keys: Vec<KeyDef> = record.keys.iter().filter_map(|key| resolve(d, record, key)).collect();
        if keys.is_empty() && record.keys.is_empty() && needs_key(record.tree.kind) {
            let name = record.tree.name;
            let message = format!("`{}` has no key", name.name);
            let problem = d.problem(codes::NO_KEY, record.module, name.span, message);
            d.diagnostics.push(problem.help("write `key` before the fields that tell one from another"));
        }
        if let Some(TypeDef::Record(def)) = d.program.types.get_mut(record.id.0 as usize) {
            def.keys = keys;
        }
    }
    endless(d, records);
}

fn needs_key(kind: RecordKind) -> bool {
    matches!(kind, RecordKind::Entity | RecordKind::Target | RecordKind::Resource)
}

fn resolve(d: &mut Declarations<'_>, owner: &Assembled<'_>, key: &KeyDecl<'_>) -> Option<KeyDef> {
    match key {
        KeyDecl::Field(slot) => {
            let record = d.program.record(owner.id)?;
            let field = record.fields.get(*slot as usize)?;
            let (name, ty) = (field.data_name.clone(), field.ty.clone());
            let (module, span) = *owner.places.get(*slot as usize)?;
            // What cannot be a key is meant as one all the same.
            let ty = check_type(d, module, span, &ty).map_or(Type::Error, |()| ty);
            Some(KeyDef { path: vec![*slot], name, ty })
        }
        KeyDecl::Path { module, span, path } => resolve_path(d, owner, *module, *span, path),
    }
}

/// `key metadata.name`: through required structs to a stored field.
fn resolve_path(
    d: &mut Declarations<'_>,
    owner: &Assembled<'_>,
    module: ModuleId,
    span: Span,
    path: &[Ident],
) -> Option<KeyDef> {
    let mut at = owner.id;
    let mut slots: Vec<Slot> = Vec::with_capacity(path.len());
    let mut name = String::new();
    let mut ty = Type::Error;
    for (i, step) in path.iter().enumerate() {
        let record = d.program.record(at)?;
        let Some((slot, field)) = record.field(step.name) else {
            let known: Vec<&str> = record.fields.iter().map(|f| f.name.as_str()).collect();
            let owner = record.decl.name;
            d.unknown_field(module, *step, owner, known);
            return None;
        };
        let stored = field.kind.is_stored();
        let required = !field.ty.is_nullable();
        if i > 0 {
            name.push('.');
        }
        name.push_str(&field.data_name);
        slots.push(slot);
        ty = field.ty.clone();
        let last = i + 1 == path.len();
        let inner = match ty.bare() {
            Type::Record(id) if is_struct(d, *id) && required => Some(*id),
            Type::Error => return None,
            _ => None,
        };
        if !stored || (!last && inner.is_none()) {
            let shown = show(&d.program, &ty).to_string();
            let message = format!("the path of a key cannot go through `{}`, a `{shown}`", step.name);
            let problem = d.problem(codes::KEY_TYPE, module, step.span, message);
            d.diagnostics.push(problem.help("each step but the last is a required struct"));
            return None;
        }
        if let (false, Some(inner)) = (last, inner) {
            at = inner;
        }
    }
    check_type(d, module, span, &ty)?;
    let first = *slots.first()?;
    if let Some(TypeDef::Record(record)) = d.program.types.get_mut(owner.id.0 as usize)
        && let Some(field) = record.fields.get_mut(first as usize)
        && field.kind == FieldKind::Plain
    {
        field.kind = FieldKind::Key;
    }
    Some(KeyDef { path: slots, name: name.into(), ty })
}

fn is_struct(d: &Declarations<'_>, id: TypeId) -> bool {
    d.program.record(id).is_some_and(|r| matches!(r.kind, RecordKind::Struct | RecordKind::Plain))
}

/// Strings, ints, bools, enums, what refines them, references, and `?`.
fn check_type(d: &mut Declarations<'_>, module: ModuleId, span: Span, ty: &Type) -> Option<()> {
    let fits = match ty.non_null().bare() {
        Type::Error => return None,
        Type::Str | Type::Int | Type::Bool | Type::Enum(_) | Type::StrLit(_) | Type::IntLit(_) => true,
        Type::Ref(_) => true,
        Type::Record(id) => !is_struct(d, *id),
        Type::OneOf(all) => all.iter().all(|t| matches!(t.bare(), Type::StrLit(_) | Type::IntLit(_))),
        _ => false,
    };
    if fits {
        return Some(());
    }
    let shown = show(&d.program, ty).to_string();
    let message = format!("a `{shown}` cannot be a key");
    let problem = d.problem(codes::KEY_TYPE, module, span, message);
    d.diagnostics.push(
        problem.help("a key is a string, an int, a bool, an enum, or a reference to a slice or an entity"),
    );
    None
}

/// Types whose keys refer to each other so that none could ever be written down.
fn endless(d: &mut Declarations<'_>, records: &[Assembled<'_>]) {
    let mut needs = vec![Vec::new(); d.program.types.len()];
    for def in &d.program.types {
        let TypeDef::Record(record) = def else { continue };
        for key in &record.keys {
            let only = record.keys.len() == 1;
            if let Some(to) = key.ty.non_null().record()
                && (only || !key.ty.is_nullable())
                && let Some(edges) = needs.get_mut(record.decl.id.0 as usize)
            {
                edges.push(to.0);
            }
        }
    }
    for cycle in order::cycles(&needs) {
        let way = order::way_round(&needs, &cycle);
        let name = |t: &u32| d.program.ty(TypeId(*t)).decl().name.as_str();
        let names: Vec<&str> = way.iter().chain(way.first()).map(name).collect();
        let message = format!(
            "the key of `{}` contains itself: `{}`",
            names.first().copied().unwrap_or_default(),
            names.join(" -> ")
        );
        let Some(owner) = records.iter().find(|r| way.first() == Some(&r.id.0)) else { continue };
        let problem = d.problem(codes::KEY_TYPE, owner.module, owner.tree.name.span, message);
        d.diagnostics.push(problem.help("add a key of a simple type, or make the reference a field"));
        for id in cycle {
            if let Some(TypeDef::Record(record)) = d.program.types.get_mut(id as usize) {
                record.keys.iter_mut().for_each(|k| k.ty = Type::Error);
            }
        }
    }
}
