//! Who can make objects of a type.

use std::collections::BTreeSet;

use crate::model::{Program, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

/// The types whose `impl`s can make something of a type.
#[derive(Debug, Default)]
pub struct Creators {
    /// Slices: themselves, or through the structs and unions that they hold.
    pub slices: Vec<TypeId>,
    /// Entities.
    pub entities: Vec<TypeId>,
}

/// Who can make objects of this type.
pub fn creators(program: &Program, ty: TypeId) -> Creators {
    let creating = program.impls.iter().filter(|i| !i.transient && i.creates.binary_search(&ty).is_ok());
    makers(program, creating.map(|i| i.ty).collect())
}

fn makers(program: &Program, mut open: Vec<TypeId>) -> Creators {
    let mut seen = BTreeSet::new();
    let mut found = Creators::default();
    while let Some(maker) = open.pop() {
        if !seen.insert(maker) {
            continue;
        }
        match program.ty(maker) {
            TypeDef::Record(record) => match record.kind {
                RecordKind::Slice => found.slices.push(maker),
                RecordKind::Struct | RecordKind::Plain => open.extend(&record.holders),
                RecordKind::Entity | RecordKind::Target | RecordKind::Resource => found.entities.push(maker),
            },
            TypeDef::Union(_) => open.extend(union_holders(program, maker)),
            TypeDef::Enum(_) => {}
        }
    }
    found.slices.sort();
    found.entities.sort();
    found
}

/// The slices whose instances hold values of a type: itself, if it is one.
pub fn holding_slices(program: &Program, ty: TypeId) -> Vec<TypeId> {
    makers(program, vec![ty]).slices
}

/// The records whose fields hold a union.
fn union_holders(program: &Program, union: TypeId) -> Vec<TypeId> {
    let holds = |t: &&TypeDef| match t {
        TypeDef::Record(r) => r.fields.iter().any(|f| mentions(&f.ty, union)),
        _ => false,
    };
    program.types.iter().filter(holds).map(|t| t.decl().id).collect()
}

fn mentions(ty: &crate::model::Type, union: TypeId) -> bool {
    use crate::model::Type;
    match ty {
        Type::Union(id) | Type::Variant(id, _) => *id == union,
        Type::OneOf(all) => all.iter().any(|t| mentions(t, union)),
        Type::Optional(t)
        | Type::List(t)
        | Type::Set(t)
        | Type::Secret(t)
        | Type::Later(t)
        | Type::Refined(t, _)
        | Type::Alias(_, t) => mentions(t, union),
        Type::Map(_, t) => mentions(t, union),
        _ => false,
    }
}
