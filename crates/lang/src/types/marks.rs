//! The marks `secret` and `later`: which a type carries, at its top and anywhere below.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::model::{FieldKind, Program, Type, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

/// Which marks something carries, or may carry.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Marks {
    /// Must not be shown.
    pub secret: bool,
    /// Known only after a deploy.
    pub later: bool,
}

impl Marks {
    /// None.
    pub const NONE: Marks = Marks { secret: false, later: false };

    /// Whether there is none.
    pub fn is_none(self) -> bool {
        self == Marks::NONE
    }

    /// Those of either.
    pub fn and(self, other: Marks) -> Marks {
        Marks { secret: self.secret || other.secret, later: self.later || other.later }
    }

    /// The type with these marks put on it.
    pub fn on(self, ty: Type) -> Type {
        let ty = if self.later { ty.later() } else { ty };
        if self.secret { ty.secret() } else { ty }
    }

    /// The type with these marks put on all of it: of what is computed from a marked value even
    /// how much there is, or whether there is anything, is not to be told.
    pub fn on_whole(self, ty: Type) -> Type {
        let ty = if self.later { ty.later() } else { ty };
        match ty.bare() {
            Type::Optional(_) | Type::List(_) | Type::Set(_) | Type::Map(..) if self.secret => {
                Type::Secret(Arc::new(ty))
            }
            _ if self.secret => ty.secret(),
            _ => ty,
        }
    }

    /// The word for it in messages.
    pub fn word(self) -> &'static str {
        if self.secret { "secret" } else { "known only after a deploy" }
    }
}

/// The marks at the top of a type, and the type without them. `T | secret<T>` counts as marked,
/// and is T.
pub fn split(ty: &Type) -> (Marks, Type) {
    match ty {
        Type::Secret(inner) => {
            let (marks, inner) = split(inner);
            (Marks { secret: true, ..marks }, inner)
        }
        Type::Later(inner) => {
            let (marks, inner) = split(inner);
            (Marks { later: true, ..marks }, inner)
        }
        Type::Alias(_, inner) | Type::Refined(inner, _) => match split(inner) {
            (Marks::NONE, _) => (Marks::NONE, ty.clone()),
            marked => marked,
        },
        Type::Optional(inner) => match split(inner) {
            (Marks::NONE, _) => (Marks::NONE, ty.clone()),
            (marks, inner) => (marks, inner.optional()),
        },
        Type::OneOf(all) if all.iter().any(|t| !split(t).0.is_none()) => {
            let mut marks = Marks::NONE;
            let mut kept: Vec<Type> = Vec::new();
            for (own, inner) in all.iter().map(split) {
                marks = marks.and(own);
                if !kept.contains(&inner) {
                    kept.push(inner);
                }
            }
            let inner = if kept.len() == 1 { kept.remove(0) } else { Type::OneOf(kept.into()) };
            (marks, inner)
        }
        _ => (Marks::NONE, ty.clone()),
    }
}

/// The marks at the top of a type.
pub fn top(ty: &Type) -> Marks {
    match ty {
        Type::Secret(inner) => Marks { secret: true, ..top(inner) },
        Type::Later(inner) => Marks { later: true, ..top(inner) },
        Type::Alias(_, inner) | Type::Refined(inner, _) | Type::Optional(inner) => top(inner),
        Type::OneOf(all) => all.iter().fold(Marks::NONE, |m, t| m.and(top(t))),
        _ => Marks::NONE,
    }
}

/// The marks anywhere in a value of this type, those of the stored fields of structs too.
pub fn deep(program: &Program, ty: &Type) -> Marks {
    deep_in(program, ty, &mut FxHashSet::default())
}

fn deep_in(program: &Program, ty: &Type, seen: &mut FxHashSet<TypeId>) -> Marks {
    match ty {
        Type::Secret(inner) => Marks { secret: true, ..deep_in(program, inner, seen) },
        Type::Later(inner) => Marks { later: true, ..deep_in(program, inner, seen) },
        Type::Alias(_, inner)
        | Type::Refined(inner, _)
        | Type::Optional(inner)
        | Type::List(inner)
        | Type::Set(inner) => deep_in(program, inner, seen),
        Type::Map(key, value) => deep_in(program, key, seen).and(deep_in(program, value, seen)),
        Type::OneOf(all) => all.iter().fold(Marks::NONE, |m, t| m.and(deep_in(program, t, seen))),
        Type::Anon(fields) => fields.iter().fold(Marks::NONE, |m, (_, t)| m.and(deep_in(program, t, seen))),
        Type::Record(id) | Type::Union(id) | Type::Variant(id, _) if seen.insert(*id) => {
            match program.types.get(id.0 as usize) {
                Some(TypeDef::Record(record))
                    if matches!(record.kind, RecordKind::Struct | RecordKind::Plain) =>
                {
                    let stored = record.fields.iter().filter(|f| FieldKind::is_stored(f.kind));
                    stored.fold(Marks::NONE, |m, f| m.and(deep_in(program, &f.ty, seen)))
                }
                Some(TypeDef::Union(union)) => {
                    let payloads = union.variants.iter().filter_map(|v| v.payload.as_ref());
                    payloads.fold(Marks::NONE, |m, t| m.and(deep_in(program, t, seen)))
                }
                _ => Marks::NONE,
            }
        }
        _ => Marks::NONE,
    }
}

/// The type without the given marks, in lists, maps and optionals too (not in the fields of
/// declared types). The second is whether there was one.
pub fn without(ty: &Type, marks: Marks) -> (Type, bool) {
    let mut found = false;
    let ty = strip(ty, marks, &mut found);
    (ty, found)
}

fn strip(ty: &Type, marks: Marks, found: &mut bool) -> Type {
    let mut inner = |t: &Arc<Type>| Arc::new(strip(t, marks, found));
    match ty {
        Type::Secret(t) if marks.secret => {
            let stripped = strip(t, marks, found);
            *found = true;
            stripped
        }
        Type::Later(t) if marks.later => {
            let stripped = strip(t, marks, found);
            *found = true;
            stripped
        }
        Type::Secret(t) => Type::Secret(inner(t)),
        Type::Later(t) => Type::Later(inner(t)),
        Type::Optional(t) => strip(t, marks, found).optional(),
        Type::List(t) => Type::List(inner(t)),
        Type::Set(t) => Type::Set(inner(t)),
        Type::Map(k, v) => Type::Map(inner(k), inner(v)),
        Type::Alias(_, t) | Type::Refined(t, _) => {
            let mut here = false;
            let stripped = strip(t, marks, &mut here);
            *found |= here;
            if here { stripped } else { ty.clone() }
        }
        Type::OneOf(all) => {
            let mut kept: Vec<Type> = Vec::new();
            for t in all.iter() {
                let t = strip(t, marks, found);
                if !kept.contains(&t) {
                    kept.push(t);
                }
            }
            if kept.len() == 1 { kept.remove(0) } else { Type::OneOf(kept.into()) }
        }
        Type::Anon(fields) => Type::Anon(fields.iter().map(|(n, t)| (*n, strip(t, marks, found))).collect()),
        _ => ty.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_split_off_at_the_top() {
        let either = Type::OneOf([Type::Str, Type::Str.secret()].into());
        assert_eq!(split(&either), (Marks { secret: true, later: false }, Type::Str));
        let optional = Type::Str.secret().optional();
        assert_eq!(split(&optional), (Marks { secret: true, later: false }, Type::Str.optional()));
        let list = Type::List(Arc::new(Type::Str)).secret();
        assert_eq!(split(&list).0, Marks::NONE);
        assert_eq!(deep(&Program::default(), &list), Marks { secret: true, later: false });
    }

    #[test]
    fn later_is_taken_off_at_any_depth_and_secret_stays() {
        let ty = Type::List(Arc::new(Type::Str.later().secret()));
        let (plain, found) = without(&ty, Marks { secret: false, later: true });
        assert!(found);
        assert_eq!(plain, Type::List(Arc::new(Type::Str.secret())));
        assert!(!without(&plain, Marks { secret: false, later: true }).1);
    }
}
