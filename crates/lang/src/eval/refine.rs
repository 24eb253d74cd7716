//! Refinements: whether a value satisfies `where P`, and every `where` in a type.

use crate::model::ty::RefineId;
use crate::model::{Hir, HirKind, Type};

use super::collections::contains;
use super::convert::fits;
use super::machine::{Eval, Machine, This};
use super::value::{DeferredExpr, RangeValue, Value};

/// What a value does not satisfy.
#[derive(Clone, Debug)]
pub(super) struct Unmet {
    /// Which refinement.
    pub refinement: RefineId,
    /// The value, or the part of it.
    pub value: Value,
}

impl<'w> Machine<'w> {
    /// Whether a value satisfies a refinement.
    pub fn holds(&mut self, id: RefineId, value: &Value) -> Eval<bool> {
        let program = self.program;
        let Some(refinement) = program.refinements.get(id.0 as usize) else {
            return Err(super::machine::Stop::Value);
        };
        let root = &refinement.body.root;
        if let Some(known) = self.simple(root, value) {
            return Ok(known);
        }
        match self.run_body(&refinement.body, This::Value(value.clone()))? {
            Value::Bool(holds) => Ok(holds),
            over => contains(self.plan, &over, value).ok_or_else(|| self.unexpected(root)),
        }
    }

    /// The two refinements that nearly all are, without a frame: a range of literals, and
    /// `matches(r"…")`.
    fn simple(&self, root: &Hir, value: &Value) -> Option<bool> {
        match (&root.kind, value) {
            (HirKind::Range { start, end, inclusive }, Value::Int(v)) => {
                let range = RangeValue { start: bound(start)?, end: bound(end)?, inclusive: *inclusive };
                Some(range.contains(*v))
            }
            (HirKind::Matches { value: subject, regex }, Value::Str(text)) => {
                let regex = self.program.regexes.get(*regex as usize)?;
                matches!(subject.kind, HirKind::SelfValue).then(|| regex.compiled.is_match(text))
            }
            _ => None,
        }
    }

    /// The first refinement of a type that a value, or a part of it, does not satisfy. What is
    /// known later is checked once it is known; of a struct's fields each was checked when it
    /// was made.
    pub fn unmet(&mut self, value: &Value, ty: &'w Type) -> Eval<Option<Unmet>> {
        match (ty, value) {
            (_, Value::Null | Value::Wrong) => Ok(None),
            (_, Value::Deferred(deferred)) => match &deferred.expr {
                DeferredExpr::Plain(plain) => match inside_marks(ty) {
                    Some(inner) => self.unmet(plain, inner),
                    None => Ok(None),
                },
                _ => Ok(None),
            },
            (Type::Alias(_, inner) | Type::Optional(inner), _) => self.unmet(value, inner),
            (Type::Secret(inner) | Type::Later(inner), _) => self.unmet(value, inner),
            (Type::Refined(inner, id), _) => {
                if let Some(unmet) = self.unmet(value, inner)? {
                    return Ok(Some(unmet));
                }
                let unmet = Unmet { refinement: *id, value: value.clone() };
                Ok(if self.holds(*id, value)? { None } else { Some(unmet) })
            }
            (Type::List(inner) | Type::Set(inner), Value::List(items) | Value::Set(items)) => {
                if !says_where(inner) {
                    return Ok(None);
                }
                for item in items.iter() {
                    if let Some(unmet) = self.unmet(item, inner)? {
                        return Ok(Some(unmet));
                    }
                }
                Ok(None)
            }
            (Type::Map(key, inner), Value::Map(entries)) => {
                for (k, v) in entries.iter() {
                    if let Some(unmet) = self.unmet(k, key)? {
                        return Ok(Some(unmet));
                    }
                    if let Some(unmet) = self.unmet(v, inner)? {
                        return Ok(Some(unmet));
                    }
                }
                Ok(None)
            }
            (Type::Anon(types), Value::Anon(fields)) => {
                for ((_, ty), (_, v)) in types.iter().zip(fields.iter()) {
                    if let Some(unmet) = self.unmet(v, ty)? {
                        return Ok(Some(unmet));
                    }
                }
                Ok(None)
            }
            (Type::OneOf(types), _) => match types.iter().find(|t| fits(self.program, value, t)) {
                Some(ty) => self.unmet(value, ty),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Whether a value is one of a type, its refinements included: `x is T`.
    pub fn is_of(&mut self, hir: &Hir, value: &Value, ty: &'w Type) -> Eval<bool> {
        self.walk(hir, value)?;
        Ok(fits(self.program, value, ty) && self.unmet(value, ty)?.is_none())
    }
}

/// The type that a mark is put on.
fn inside_marks(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Secret(inner) | Type::Later(inner) => Some(inside_marks(inner).unwrap_or(inner)),
        Type::Alias(_, inner) | Type::Optional(inner) | Type::Refined(inner, _) => inside_marks(inner),
        _ => None,
    }
}

/// The value of a bound that is a literal, or open.
fn bound(hir: &Option<Box<Hir>>) -> Option<Option<i64>> {
    match hir.as_deref().map(|h| &h.kind) {
        None => Some(None),
        Some(HirKind::Int(v)) => Some(Some(*v)),
        _ => None,
    }
}

/// Whether a type says `where` itself, not in a declared type that it names.
fn says_where(ty: &Type) -> bool {
    match ty {
        Type::Refined(..) => true,
        Type::Alias(_, inner) | Type::Optional(inner) | Type::Secret(inner) | Type::Later(inner) => {
            says_where(inner)
        }
        Type::List(inner) | Type::Set(inner) => says_where(inner),
        Type::Map(key, value) => says_where(key) || says_where(value),
        Type::OneOf(types) => types.iter().any(says_where),
        Type::Anon(fields) => fields.iter().any(|(_, ty)| says_where(ty)),
        _ => false,
    }
}
