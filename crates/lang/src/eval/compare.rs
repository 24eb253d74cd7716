//! What `==` and `<` mean, and the order of sets, maps and `all(T)`.
//!
//! Null first, false before true, numbers by value, strings by UTF-8 bytes, enums as declared,
//! several keys by name, a tag first. Slices, entities and resources compare by type and key,
//! all else structurally.

use std::cmp::Ordering;

use crate::model::TypeId;

use super::plan::Plan;
use super::value::{Record, Reference, Value};

/// Whether two values are equal, as `==` has it. A marked value equals another one if they are
/// computed in the same way.
pub fn equal(plan: &Plan, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Null, Value::Null) => true,
        _ => compare(plan, a, b) == Ordering::Equal,
    }
}

/// The order of two values.
pub fn compare(plan: &Plan, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b))
        | (Value::Duration(a), Value::Duration(b))
        | (Value::Size(a), Value::Size(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Int(a), Value::Float(b)) => int_with_float(*a, *b),
        (Value::Float(a), Value::Int(b)) => int_with_float(*b, *a).reverse(),
        (Value::Str(a), Value::Str(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Enum(t, a), Value::Enum(u, b)) => (t, a).cmp(&(u, b)),
        (Value::Range(a), Value::Range(b)) => {
            (a.start, a.end, a.inclusive).cmp(&(b.start, b.end, b.inclusive))
        }
        (Value::List(a) | Value::Set(a), Value::List(b) | Value::Set(b)) => lists(plan, a, b),
        (Value::Map(a), Value::Map(b)) => {
            let pair = |(x, y): (&(Value, Value), &(Value, Value))| {
                compare(plan, &x.0, &y.0).then_with(|| compare(plan, &x.1, &y.1))
            };
            first_difference(a.iter().zip(b.iter()).map(pair), a.len(), b.len())
        }
        (Value::Record(a), Value::Record(b)) => records(plan, a, b),
        (Value::Variant(t, v, a), Value::Variant(u, w, b)) => {
            (t, v).cmp(&(u, w)).then_with(|| match (a, b) {
                (Some(a), Some(b)) => records(plan, a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
        }
        (Value::Ref(a), Value::Ref(b)) => references(plan, a, b),
        (Value::Anon(a), Value::Anon(b)) => {
            let field = |(x, y): (&(crate::base::Name, Value), &(crate::base::Name, Value))| {
                x.0.as_str().cmp(y.0.as_str()).then_with(|| compare(plan, &x.1, &y.1))
            };
            first_difference(a.iter().zip(b.iter()).map(field), a.len(), b.len())
        }
        (Value::File(a), Value::File(b)) => (&a.path, &a.sha256).cmp(&(&b.path, &b.sha256)),
        (Value::Deferred(a), Value::Deferred(b)) => super::deferred::compare(plan, a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The order of two references: by type, then by key.
pub fn references(plan: &Plan, a: &Reference, b: &Reference) -> Ordering {
    a.ty.cmp(&b.ty).then_with(|| keys(plan, a.ty, &a.key, &b.key))
}

/// The order of two keys of one type: several by name.
pub fn keys(plan: &Plan, ty: TypeId, a: &[Value], b: &[Value]) -> Ordering {
    if let ([a], [b]) = (a, b) {
        return compare(plan, a, b);
    }
    let order = plan.key_order(ty).iter().filter_map(|&at| Some((a.get(at as usize)?, b.get(at as usize)?)));
    first_difference(order.map(|(x, y)| compare(plan, x, y)), a.len(), b.len())
}

fn records(plan: &Plan, a: &Record, b: &Record) -> Ordering {
    if std::ptr::eq(a, b) {
        return Ordering::Equal;
    }
    a.ty.cmp(&b.ty).then_with(|| lists(plan, &a.fields, &b.fields))
}

fn lists(plan: &Plan, a: &[Value], b: &[Value]) -> Ordering {
    first_difference(a.iter().zip(b).map(|(x, y)| compare(plan, x, y)), a.len(), b.len())
}

fn first_difference(mut pairs: impl Iterator<Item = Ordering>, a: usize, b: usize) -> Ordering {
    pairs.find(|o| o.is_ne()).unwrap_or_else(|| a.cmp(&b))
}

/// Exact: an int is not rounded to a float.
fn int_with_float(int: i64, float: f64) -> Ordering {
    // 2^63 is a float; no int reaches it.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float >= LIMIT {
        return Ordering::Less;
    }
    if float < -LIMIT {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    int.cmp(&(whole as i64)).then_with(|| 0.0_f64.total_cmp(&(float - whole)))
}

/// The order of kinds.
pub fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) => 2,
        Value::Duration(_) => 3,
        Value::Size(_) => 4,
        Value::Str(_) => 5,
        Value::Enum(..) => 6,
        Value::Range(_) => 7,
        Value::List(_) | Value::Set(_) => 8,
        Value::Map(_) => 9,
        Value::Anon(_) => 10,
        Value::Record(_) => 11,
        Value::Variant(..) => 12,
        Value::Ref(_) => 13,
        Value::File(_) => 14,
        Value::Deferred(_) => 15,
        Value::Wrong => 16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(a: Value, b: Value) -> Ordering {
        compare(&Plan::default(), &a, &b)
    }

    fn list(items: &[i64]) -> Value {
        Value::List(items.iter().map(|i| Value::Int(*i)).collect())
    }

    #[test]
    fn the_canonical_order() {
        assert_eq!(order(Value::Null, Value::Bool(false)), Ordering::Less);
        assert_eq!(order(Value::Bool(false), Value::Bool(true)), Ordering::Less);
        assert_eq!(order(Value::Int(2), Value::Int(10)), Ordering::Less);
        assert_eq!(order(Value::Str("10".into()), Value::Str("2".into())), Ordering::Less);
        assert_eq!(order(Value::Str("Z".into()), Value::Str("ä".into())), Ordering::Less);
        assert_eq!(order(list(&[1, 2]), list(&[1, 3])), Ordering::Less);
        assert_eq!(order(list(&[1]), list(&[1, 0])), Ordering::Less);
        assert_eq!(order(Value::Int(1), Value::Str("1".into())), Ordering::Less);
    }

    #[test]
    fn ints_and_floats_compare_exactly() {
        assert_eq!(order(Value::Int(1), Value::Float(1.0)), Ordering::Equal);
        assert_eq!(order(Value::Int(i64::MAX), Value::Float(i64::MAX as f64)), Ordering::Less);
        assert_eq!(order(Value::Int(i64::MIN), Value::Float(i64::MIN as f64)), Ordering::Equal);
        assert_eq!(order(Value::Int(-1), Value::Float(-1.5)), Ordering::Greater);
        assert_eq!(order(Value::Float(0.5), Value::Int(0)), Ordering::Greater);
        assert_eq!(
            order(Value::Int(9_007_199_254_740_993), Value::Float(9_007_199_254_740_992.0)),
            Ordering::Greater
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-3_i64..3).prop_map(Value::Int),
            (-3.0_f64..3.0).prop_map(|f| Value::Float(if f == 0.0 { 0.0 } else { f })),
            "[ab]{0,2}".prop_map(|s| Value::Str(s.into())),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            proptest::collection::vec(inner, 0..3).prop_map(|v| Value::List(v.into()))
        })
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in any_value(), b in any_value(), c in any_value()) {
            let plan = Plan::default();
            prop_assert_eq!(compare(&plan, &a, &b), compare(&plan, &b, &a).reverse());
            prop_assert_eq!(compare(&plan, &a, &a), Ordering::Equal);
            if compare(&plan, &a, &b).is_le() && compare(&plan, &b, &c).is_le() {
                prop_assert!(compare(&plan, &a, &c).is_le());
            }
        }
    }
}
