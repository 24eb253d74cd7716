//! Marks: values that must not be shown, or are known only after a deploy.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::model::Type;

use super::compare;
use super::plan::Plan;
use super::value::{Deferred, DeferredExpr, Record, Value};

/// Which marks a value carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Must not be shown.
    pub secret: bool,
    /// Known only after a deploy.
    pub later: bool,
}

impl Marks {
    /// Whether there is one.
    pub fn any(self) -> bool {
        self.secret || self.later
    }

    fn add(&mut self, other: Marks) {
        self.secret |= other.secret;
        self.later |= other.later;
    }
}

/// The marks of a value and of everything in it.
pub fn marks(value: &Value) -> Marks {
    let mut found = Marks::default();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Marks) {
    match value {
        Value::Deferred(d) => found.add(Marks { secret: d.secret, later: d.later }),
        Value::List(items) | Value::Set(items) => items.iter().for_each(|v| collect(v, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, v)| collect(v, found)),
        Value::Anon(fields) => fields.iter().for_each(|(_, v)| collect(v, found)),
        Value::Record(record) | Value::Variant(_, _, Some(record)) => {
            record.fields.iter().for_each(|v| collect(v, found));
        }
        _ => {}
    }
}

/// What a builtin or operator gives over values of which at least one is marked.
pub fn operation(name: &'static str, args: Vec<Value>) -> Value {
    let mut found = Marks::default();
    args.iter().for_each(|v| collect(v, &mut found));
    let expr = DeferredExpr::Operation { name, args };
    Value::Deferred(Arc::new(Deferred { secret: found.secret, later: found.later, expr }))
}

/// A value as a place of this type holds it: where the type says `secret<T>`, plain leaves are
/// masked.
pub fn masked(value: Value, ty: &Type) -> Value {
    match (ty, value) {
        (_, v @ (Value::Null | Value::Deferred(_) | Value::Wrong)) => v,
        (Type::Alias(_, inner) | Type::Refined(inner, _) | Type::Optional(inner), v) => masked(v, inner),
        (Type::Later(inner), v) => masked(v, inner),
        (Type::Secret(_), v) => mask_leaves(v),
        (Type::List(inner), Value::List(items)) => {
            Value::List(items.iter().map(|v| masked(v.clone(), inner)).collect())
        }
        (Type::Map(_, inner), Value::Map(entries)) => {
            Value::Map(entries.iter().map(|(k, v)| (k.clone(), masked(v.clone(), inner))).collect())
        }
        (Type::Anon(types), Value::Anon(fields)) => {
            let ty = |name| types.iter().find(|(n, _)| *n == name).map(|(_, ty)| ty);
            let field = |(name, v): &(_, Value)| match ty(*name) {
                Some(ty) => (*name, masked(v.clone(), ty)),
                None => (*name, v.clone()),
            };
            Value::Anon(fields.iter().map(field).collect())
        }
        // `T | secret<T>`: what was computed plain stays plain. `A | secret<B>` differ in kind.
        (Type::OneOf(types), v) => match types.iter().find_map(secret_alternative) {
            Some(inner) if !types.iter().any(|t| !super::plan::says_secret(t) && same_kind(t, inner)) => {
                if fits_kind(&v, inner) {
                    mask_leaves(v)
                } else {
                    v
                }
            }
            _ => v,
        },
        (_, v) => v,
    }
}

fn secret_alternative(ty: &Type) -> Option<&Type> {
    match ty.bare() {
        Type::Secret(inner) => Some(inner.bare()),
        _ => None,
    }
}

fn same_kind(a: &Type, b: &Type) -> bool {
    std::mem::discriminant(a.bare()) == std::mem::discriminant(b.bare())
}

fn fits_kind(value: &Value, ty: &Type) -> bool {
    match ty {
        Type::Str | Type::StrLit(_) => matches!(value, Value::Str(_)),
        Type::Int | Type::IntLit(_) => matches!(value, Value::Int(_)),
        Type::Bool => matches!(value, Value::Bool(_)),
        Type::Float => matches!(value, Value::Float(_)),
        _ => true,
    }
}

/// Marks are marks on leaves: the shape of a secret list or mapping is plain.
fn mask_leaves(value: Value) -> Value {
    match value {
        Value::Null | Value::Deferred(_) | Value::Wrong => value,
        Value::List(items) => Value::List(items.iter().map(|v| mask_leaves(v.clone())).collect()),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(k, v)| (k.clone(), mask_leaves(v.clone()))).collect())
        }
        Value::Anon(fields) => {
            Value::Anon(fields.iter().map(|(n, v)| (*n, mask_leaves(v.clone()))).collect())
        }
        Value::Record(record) => Value::Record(mask_record(&record)),
        Value::Variant(ty, variant, Some(record)) => Value::Variant(ty, variant, Some(mask_record(&record))),
        plain => {
            let expr = DeferredExpr::Plain(plain);
            Value::Deferred(Arc::new(Deferred { secret: true, later: false, expr }))
        }
    }
}

fn mask_record(record: &Record) -> Arc<Record> {
    let fields = record.fields.iter().map(|v| mask_leaves(v.clone())).collect();
    Arc::new(Record { ty: record.ty, fields, element: record.element })
}

/// An order of marked values, so that sets and sorts of what holds them are deterministic. It
/// means nothing.
pub(super) fn compare(plan: &Plan, a: &Deferred, b: &Deferred) -> Ordering {
    let marks = (a.secret, a.later).cmp(&(b.secret, b.later));
    marks.then_with(|| match (&a.expr, &b.expr) {
        (
            DeferredExpr::Secret { file, pointer, cipher },
            DeferredExpr::Secret { file: f, pointer: p, cipher: c },
        ) => (file.path(), pointer, cipher).cmp(&(f.path(), p, c)),
        (DeferredExpr::Output { object, field }, DeferredExpr::Output { object: o, field: f }) => {
            compare::references(plan, object, o).then_with(|| field.as_str().cmp(f.as_str()))
        }
        (DeferredExpr::Operation { name, args }, DeferredExpr::Operation { name: n, args: x }) => {
            let each = args.iter().zip(x).map(|(a, b)| compare::compare(plan, a, b));
            name.cmp(n).then_with(|| args.len().cmp(&x.len())).then_with(|| {
                let mut each = each;
                each.find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
            })
        }
        (DeferredExpr::Plain(a), DeferredExpr::Plain(b)) => compare::compare(plan, a, b),
        (a, b) => rank(a).cmp(&rank(b)),
    })
}

fn rank(expr: &DeferredExpr) -> u8 {
    match expr {
        DeferredExpr::Secret { .. } => 0,
        DeferredExpr::Output { .. } => 1,
        DeferredExpr::Operation { .. } => 2,
        DeferredExpr::Plain(_) => 3,
    }
}
