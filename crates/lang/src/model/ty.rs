//! Types.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::Name;

/// A declared type: a record (slice, struct, entity, target, resource), an enum or a union.
/// An index into [`Program::types`](super::Program::types), which are ordered by full path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeId(pub u32);

/// A refinement `where P`: an index into [`Program::refinements`](super::Program::refinements).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RefineId(pub u32);

/// What values something may have.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// Something is wrong with it and has been said; goes with everything.
    Error,
    /// Has no value: the type of an empty list's elements.
    Never,
    /// `null`.
    Null,
    /// `bool`.
    Bool,
    /// `int`: 64 bits.
    Int,
    /// `float`: finite.
    Float,
    /// `string`.
    Str,
    /// `duration`, in nanoseconds.
    Duration,
    /// `size`, in bytes.
    Size,
    /// `FileMode`: the permission bits of a file. Its values are ints from 0 to 0o7777; data and
    /// literals may spell it `0o644`, `"0644"` or `"644"`. Goes where an `int` is wanted.
    FileMode,
    /// `any`.
    Any,
    /// A range of ints, as an expression.
    Range,
    /// What `file()` gives: `.path .name .sha256 .text`.
    File,
    /// A literal of string type.
    StrLit(EcoString),
    /// A literal of int type.
    IntLit(i64),
    /// An enum.
    Enum(TypeId),
    /// A record: struct, slice, entity, target, resource. A value of a slice, entity, target or
    /// resource is a reference to it.
    Record(TypeId),
    /// `ref<S>`: goes wherever [`Type::Record`] of S goes and back; in data it is S's key.
    Ref(TypeId),
    /// A tagged union.
    Union(TypeId),
    /// A tagged union that is known to be one of these variants (sorted indexes).
    Variant(TypeId, Arc<[u16]>),
    /// `A | B`: two or more, none of them null, optional, or a `OneOf`.
    OneOf(Arc<[Type]>),
    /// `T?`: T is neither null nor optional.
    Optional(Arc<Type>),
    /// `list<T>`.
    List(Arc<Type>),
    /// `set<T>`.
    Set(Arc<Type>),
    /// `map<K, T>`.
    Map(Arc<Type>, Arc<Type>),
    /// A brace literal where no type is expected: fields by name as text.
    Anon(Arc<[(Name, Type)]>),
    /// `secret<T>`.
    Secret(Arc<Type>),
    /// `later<T>`.
    Later(Arc<Type>),
    /// `T where P`.
    Refined(Arc<Type>, RefineId),
    /// An alias that was declared: only for messages and documentation; means what it holds.
    Alias(Name, Arc<Type>),
}

impl Type {
    /// The type without the names of aliases and refinements around it.
    pub fn bare(&self) -> &Type {
        let mut ty = self;
        while let Type::Alias(_, inner) | Type::Refined(inner, _) = ty {
            ty = inner;
        }
        ty
    }

    /// `T?`, flattened. `any?` stays apart from `any`: what an entry of `any` is must be checked
    /// for null before it is looked into.
    pub fn optional(self) -> Type {
        match self.bare() {
            Type::Null | Type::Optional(_) | Type::Error => self,
            Type::Never => Type::Null,
            _ => Type::Optional(Arc::new(self)),
        }
    }

    /// The T of `T?`, or the type itself.
    pub fn non_null(&self) -> &Type {
        match self.bare() {
            Type::Optional(inner) => inner,
            _ => self,
        }
    }

    /// Whether null is a value.
    pub fn is_nullable(&self) -> bool {
        matches!(self.bare(), Type::Null | Type::Optional(_) | Type::Any | Type::Error)
    }

    /// `secret<T>`. The mark stands on leaves: that an optional value is null, how long a list is
    /// and the keys of a map are plain.
    pub fn secret(self) -> Type {
        match self.bare() {
            Type::Error | Type::Never | Type::Null | Type::Secret(_) => self,
            Type::Optional(inner) => Type::Optional(Arc::new(inner.as_ref().clone().secret())),
            Type::List(inner) => Type::List(Arc::new(inner.as_ref().clone().secret())),
            Type::Map(key, inner) => Type::Map(key.clone(), Arc::new(inner.as_ref().clone().secret())),
            Type::OneOf(all) if all.iter().any(|t| matches!(t.bare(), Type::Secret(_))) => {
                let plain = all.iter().map(|t| match t.bare() {
                    Type::Secret(inner) => inner.as_ref().clone(),
                    _ => t.clone(),
                });
                let mut kept: Vec<Type> = Vec::new();
                for ty in plain {
                    if !kept.contains(&ty) {
                        kept.push(ty);
                    }
                }
                let inner = if kept.len() == 1 { kept.remove(0) } else { Type::OneOf(kept.into()) };
                Type::Secret(Arc::new(inner))
            }
            _ => Type::Secret(Arc::new(self)),
        }
    }

    /// `later<T>`. Nothing of a later value is known, not even its length; a secret one is
    /// `secret<later<T>>`.
    pub fn later(self) -> Type {
        match self.bare() {
            Type::Error | Type::Never | Type::Later(_) => self,
            Type::Secret(inner) => Type::Secret(Arc::new(inner.as_ref().clone().later())),
            _ => Type::Later(Arc::new(self)),
        }
    }

    /// The declared record behind a record or a reference.
    pub fn record(&self) -> Option<TypeId> {
        match self.bare() {
            Type::Record(id) | Type::Ref(id) => Some(*id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_marks_leaves() {
        let list = Type::List(Arc::new(Type::Str.optional()));
        let leaf = Type::Secret(Arc::new(Type::Str));
        assert_eq!(list.secret(), Type::List(Arc::new(Type::Optional(Arc::new(leaf.clone())))));
        assert_eq!(Type::OneOf([Type::Str, leaf.clone()].into()).secret(), leaf);
    }

    #[test]
    fn a_later_secret_is_a_secret_first() {
        let both = Type::Str.secret().later();
        assert_eq!(both, Type::Str.later().secret());
        assert_eq!(both.clone().later().secret(), both);
    }
}
