//! Who can make objects of a type.

use std::collections::BTreeSet;

use crate::eval::Object;
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
    let mut open: Vec<TypeId> =
        program.impls.iter().filter(|i| i.creates.binary_search(&ty).is_ok()).map(|i| i.ty).collect();
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

/// One object of several equal ones: the first by origin, with everything that `after` says.
/// That they are equal is checked when the graph is put together.
pub fn merged(one: Object, others: impl IntoIterator<Item = Object>) -> Object {
    others.into_iter().fold(one, |kept, other| {
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
        first
    })
}

/// An order of makers that does not depend on the order in which they ran.
pub fn origin_order(object: &Object) -> (&'static str, u32, u32, &'static str, u32) {
    let origin = &object.origin;
    let (file, item, index) = match &origin.element {
        Some(element) => (element.instance.file.path(), element.instance.item, element.index),
        None => ("", 0, 0),
    };
    (file, item, index, origin.file.path(), origin.node.0)
}
