//! Operators.

use std::cmp::Ordering;

use ecow::EcoString;

use crate::diag::codes::eval as codes;
use crate::model::Hir;
use crate::syntax::ast::BinaryOp;

use super::collections;
use super::compare::{compare, equal};
use super::deferred::{marks, operation};
use super::machine::{Eval, Machine, Stop};
use super::plan::Plan;
use super::print;
use super::value::Value;

/// Why an operator gives nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperatorFault {
    /// The result does not fit into 64 bits, or is no finite float.
    Overflow,
    /// Division by zero.
    Zero,
    /// Not for values of these kinds.
    Kinds,
}

impl<'w> Machine<'w> {
    pub fn binary(&mut self, hir: &'w Hir, op: BinaryOp, a: &'w Hir, b: &'w Hir) -> Eval {
        match op {
            BinaryOp::And | BinaryOp::Or => self.logic(hir, op, a, b),
            BinaryOp::Coalesce => self.coalesce(hir, a, b),
            _ => {
                let x = self.eval(a)?;
                let y = self.eval(b)?;
                let whole = op != BinaryOp::Add;
                if self.is_marked(hir, &x, whole)? || self.is_marked(hir, &y, whole)? {
                    return self.marked_operation(hir, op, x, y);
                }
                match apply(self.plan, op, &x, &y) {
                    Ok(value) => {
                        if let Value::Str(text) = &value {
                            self.charge(hir, 0, text.len())?;
                        } else if let Value::List(_) = &value {
                            return self.made(hir, value);
                        }
                        Ok(value)
                    }
                    Err(OperatorFault::Zero) => {
                        let problem = self.problem_with(codes::DIVISION_BY_ZERO, hir, b, "division by zero");
                        Err(self
                            .report(problem.help("check the divisor first: `if n != 0 { … } else { … }`")))
                    }
                    Err(OperatorFault::Overflow) => Err(self.overflow(hir, op, a, &x, &y)),
                    Err(OperatorFault::Kinds) => Err(self.unexpected(hir)),
                }
            }
        }
    }

    fn logic(&mut self, hir: &'w Hir, op: BinaryOp, a: &'w Hir, b: &'w Hir) -> Eval {
        let x = self.eval(a)?;
        match (&x, op) {
            (Value::Bool(false), BinaryOp::And) | (Value::Bool(true), BinaryOp::Or) => Ok(x),
            (Value::Bool(_), _) => self.eval(b),
            (Value::Deferred(_), _) => {
                let y = self.eval(b)?;
                self.made(hir, operation(name(op), vec![x, y]))
            }
            _ => Err(self.unexpected(hir)),
        }
    }

    /// A secret is not null: what may be null is plain about it. What is known later may still
    /// turn out to be null.
    fn coalesce(&mut self, hir: &'w Hir, a: &'w Hir, b: &'w Hir) -> Eval {
        match self.eval(a)? {
            Value::Null => self.eval(b),
            Value::Deferred(d) if d.later => {
                let y = self.eval(b)?;
                self.made(hir, operation("coalesce", vec![Value::Deferred(d), y]))
            }
            value => Ok(value),
        }
    }

    /// An operator over a marked value. Whether an optional secret is there is plain.
    fn marked_operation(&mut self, hir: &Hir, op: BinaryOp, x: Value, y: Value) -> Eval {
        let null = matches!(x, Value::Null) || matches!(y, Value::Null);
        let later = [&x, &y].iter().any(|v| matches!(v, Value::Deferred(d) if d.later));
        match op {
            BinaryOp::Eq if null && !later => Ok(Value::Bool(false)),
            BinaryOp::Ne if null && !later => Ok(Value::Bool(true)),
            _ => self.made(hir, operation(name(op), vec![x, y])),
        }
    }

    /// Whether an operand is marked. A scalar shows it; a container is looked through, unless
    /// the operator leaves its elements as they are.
    fn is_marked(&mut self, hir: &Hir, value: &Value, whole: bool) -> Eval<bool> {
        Ok(match value {
            Value::Deferred(_) => true,
            Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Anon(_) | Value::Record(_) if whole => {
                self.walk(hir, value)?;
                marks(value).any()
            }
            Value::Variant(_, _, Some(_)) => {
                self.walk(hir, value)?;
                marks(value).any()
            }
            _ => false,
        })
    }

    #[cold]
    fn overflow(&mut self, hir: &'w Hir, op: BinaryOp, a: &'w Hir, x: &Value, y: &Value) -> Stop {
        let show = |v| print::shown(self.program, v);
        let (x, y) = (show(x), show(y));
        let message = format!("`{x} {} {y}` does not fit", op.symbol());
        let problem = self.problem_with(codes::OVERFLOW, hir, a, message);
        self.report(problem.help("ints, durations and sizes have 64 bits; floats are finite"))
    }

    /// Says why an operator of one operand gave nothing.
    #[cold]
    pub fn fault(&mut self, hir: &'w Hir, value: &'w Hir, fault: OperatorFault) -> Stop {
        if fault == OperatorFault::Kinds {
            return self.unexpected(hir);
        }
        let problem = self.problem_with(codes::OVERFLOW, hir, value, "the negative of this does not fit");
        self.report(problem.help("ints, durations and sizes have 64 bits"))
    }
}

/// What an operator gives, `and`, `or` and `??` excepted.
pub fn apply(plan: &Plan, op: BinaryOp, a: &Value, b: &Value) -> Result<Value, OperatorFault> {
    let ordered = |wanted: fn(Ordering) -> bool| Ok(Value::Bool(wanted(compare(plan, a, b))));
    match op {
        BinaryOp::Eq => Ok(Value::Bool(equal(plan, a, b))),
        BinaryOp::Ne => Ok(Value::Bool(!equal(plan, a, b))),
        BinaryOp::Lt => ordered(Ordering::is_lt),
        BinaryOp::Le => ordered(Ordering::is_le),
        BinaryOp::Gt => ordered(Ordering::is_gt),
        BinaryOp::Ge => ordered(Ordering::is_ge),
        BinaryOp::In | BinaryOp::NotIn => {
            let found = collections::contains(plan, b, a).ok_or(OperatorFault::Kinds)?;
            Ok(Value::Bool(found == (op == BinaryOp::In)))
        }
        BinaryOp::Add => add(a, b),
        BinaryOp::Sub => subtract(a, b),
        BinaryOp::Mul => multiply(a, b),
        BinaryOp::Div | BinaryOp::Rem => divide(op, a, b),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => Err(OperatorFault::Kinds),
    }
}

fn int(value: Option<i64>, make: fn(i64) -> Value) -> Result<Value, OperatorFault> {
    value.map(make).ok_or(OperatorFault::Overflow)
}

/// A float that a model may have: finite, and no negative zero.
pub(super) fn float(value: f64) -> Result<Value, OperatorFault> {
    if value.is_finite() { Ok(Value::Float(value + 0.0)) } else { Err(OperatorFault::Overflow) }
}

pub(super) fn add(a: &Value, b: &Value) -> Result<Value, OperatorFault> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(a.checked_add(*b), Value::Int),
        (Value::Duration(a), Value::Duration(b)) => int(a.checked_add(*b), Value::Duration),
        (Value::Size(a), Value::Size(b)) => int(a.checked_add(*b), Value::Size),
        (Value::Float(a), Value::Float(b)) => float(a + b),
        (Value::Str(a), Value::Str(b)) => {
            let mut text = EcoString::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            Ok(Value::Str(text))
        }
        (Value::List(a), Value::List(b)) => Ok(Value::List(a.iter().chain(b.iter()).cloned().collect())),
        _ => Err(OperatorFault::Kinds),
    }
}

fn subtract(a: &Value, b: &Value) -> Result<Value, OperatorFault> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(a.checked_sub(*b), Value::Int),
        (Value::Duration(a), Value::Duration(b)) => int(a.checked_sub(*b), Value::Duration),
        (Value::Size(a), Value::Size(b)) => int(a.checked_sub(*b), Value::Size),
        (Value::Float(a), Value::Float(b)) => float(a - b),
        _ => Err(OperatorFault::Kinds),
    }
}

fn multiply(a: &Value, b: &Value) -> Result<Value, OperatorFault> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(a.checked_mul(*b), Value::Int),
        (Value::Duration(a), Value::Int(b)) | (Value::Int(b), Value::Duration(a)) => {
            int(a.checked_mul(*b), Value::Duration)
        }
        (Value::Size(a), Value::Int(b)) | (Value::Int(b), Value::Size(a)) => {
            int(a.checked_mul(*b), Value::Size)
        }
        (Value::Float(a), Value::Float(b)) => float(a * b),
        _ => Err(OperatorFault::Kinds),
    }
}

/// Towards zero; a remainder has the sign of the left side. A duration by a duration is a number.
fn divide(op: BinaryOp, a: &Value, b: &Value) -> Result<Value, OperatorFault> {
    let rem = op == BinaryOp::Rem;
    let ints = |a: &i64, b: &i64| match *b {
        0 => Err(OperatorFault::Zero),
        // The remainder of the least int by -1 is 0, though the quotient does not fit.
        _ if rem => Ok(a.wrapping_rem(*b)),
        _ => a.checked_div(*b).ok_or(OperatorFault::Overflow),
    };
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => ints(a, b).map(Value::Int),
        (Value::Duration(a), Value::Int(b)) => ints(a, b).map(Value::Duration),
        (Value::Size(a), Value::Int(b)) => ints(a, b).map(Value::Size),
        (Value::Duration(a), Value::Duration(b)) if rem => ints(a, b).map(Value::Duration),
        (Value::Size(a), Value::Size(b)) if rem => ints(a, b).map(Value::Size),
        (Value::Duration(a), Value::Duration(b)) | (Value::Size(a), Value::Size(b)) => {
            ints(a, b).map(Value::Int)
        }
        (Value::Float(_), Value::Float(b)) if *b == 0.0 => Err(OperatorFault::Zero),
        (Value::Float(a), Value::Float(b)) => float(if rem { a % b } else { a / b }),
        _ => Err(OperatorFault::Kinds),
    }
}

/// `-e`.
pub fn negate(value: &Value) -> Result<Value, OperatorFault> {
    match value {
        Value::Int(v) => int(v.checked_neg(), Value::Int),
        Value::Duration(v) => int(v.checked_neg(), Value::Duration),
        Value::Size(v) => int(v.checked_neg(), Value::Size),
        Value::Float(v) => float(-v),
        _ => Err(OperatorFault::Kinds),
    }
}

/// What an operator is called in a deferred value.
pub fn name(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Coalesce => "coalesce",
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Eq => "eq",
        BinaryOp::Ne => "ne",
        BinaryOp::Lt => "lt",
        BinaryOp::Le => "le",
        BinaryOp::Gt => "gt",
        BinaryOp::Ge => "ge",
        BinaryOp::In => "in",
        BinaryOp::NotIn => "not_in",
        BinaryOp::Add => "add",
        BinaryOp::Sub => "sub",
        BinaryOp::Mul => "mul",
        BinaryOp::Div => "div",
        BinaryOp::Rem => "rem",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Value::{Duration, Float, Int, Size};

    fn run(op: BinaryOp, a: Value, b: Value) -> Result<Value, OperatorFault> {
        apply(&Plan::default(), op, &a, &b)
    }

    #[test]
    fn ints_do_not_wrap() {
        assert_eq!(run(BinaryOp::Add, Int(i64::MAX), Int(1)), Err(OperatorFault::Overflow));
        assert_eq!(run(BinaryOp::Mul, Int(i64::MIN), Int(-1)), Err(OperatorFault::Overflow));
        assert_eq!(run(BinaryOp::Div, Int(i64::MIN), Int(-1)), Err(OperatorFault::Overflow));
        assert_eq!(run(BinaryOp::Rem, Int(i64::MIN), Int(-1)), Ok(Int(0)));
        assert_eq!(negate(&Int(i64::MIN)), Err(OperatorFault::Overflow));
        assert_eq!(run(BinaryOp::Mul, Float(1e200), Float(1e200)), Err(OperatorFault::Overflow));
    }

    #[test]
    fn division_truncates() {
        assert_eq!(run(BinaryOp::Div, Int(-7), Int(2)), Ok(Int(-3)));
        assert_eq!(run(BinaryOp::Rem, Int(-7), Int(2)), Ok(Int(-1)));
        assert_eq!(run(BinaryOp::Rem, Int(7), Int(-2)), Ok(Int(1)));
        assert_eq!(run(BinaryOp::Div, Int(1), Int(0)), Err(OperatorFault::Zero));
        assert_eq!(run(BinaryOp::Div, Float(1.0), Float(0.0)), Err(OperatorFault::Zero));
    }

    #[test]
    fn durations_and_sizes_have_units() {
        assert_eq!(run(BinaryOp::Mul, Int(3), Duration(5)), Ok(Duration(15)));
        assert_eq!(run(BinaryOp::Div, Size(10), Size(3)), Ok(Int(3)));
        assert_eq!(run(BinaryOp::Div, Size(10), Int(3)), Ok(Size(3)));
        assert_eq!(run(BinaryOp::Add, Size(10), Int(3)), Err(OperatorFault::Kinds));
        assert_eq!(run(BinaryOp::Rem, Duration(10), Duration(4)), Ok(Duration(2)));
    }

    #[test]
    fn zero_has_no_sign() {
        let Ok(Float(zero)) = negate(&Float(0.0)) else { panic!() };
        assert!(zero.is_sign_positive());
    }
}
