//! What a deferred value comes to, once what it waits for is known.

use ecow::EcoString;

use crate::model::Program;
use crate::model::prelude::BUILTINS;
use crate::syntax::ast::BinaryOp;

use super::budget::Cost;
use super::builtins::{self, Cx, Fault};
use super::collections::{find_entry, set_of};
use super::operators;
use super::plan::Plan;
use super::print;
use super::value::{DeferredExpr, Value};

/// Why a deferred value is not known.
#[derive(Clone, PartialEq, Debug)]
pub enum Unknown {
    /// It waits for this: an output, or a secret that was not decrypted.
    Waits(DeferredExpr),
    /// The operation does not go with these values: an index that is not there, a text that is no
    /// number.
    Fails(String),
}

/// Computes a value of which parts are deferred. `known` gives outputs and secrets.
pub fn resolve(
    program: &Program,
    plan: &Plan,
    value: &Value,
    known: &dyn Fn(&DeferredExpr) -> Option<Value>,
) -> Result<Value, Unknown> {
    let mut resolver = Resolver { program, plan, known, cost: Cost::default(), regexes: Default::default() };
    resolver.value(value)
}

/// Applies a builtin or an operator, by the name that the graph has for it, to values that are
/// known.
pub fn apply(program: &Program, plan: &Plan, name: &str, args: &[Value]) -> Result<Value, Unknown> {
    let known = |_: &DeferredExpr| None;
    let mut resolver =
        Resolver { program, plan, known: &known, cost: Cost::default(), regexes: Default::default() };
    resolver.operation(name, args)
}

struct Resolver<'a> {
    program: &'a Program,
    plan: &'a Plan,
    known: &'a dyn Fn(&DeferredExpr) -> Option<Value>,
    cost: Cost,
    regexes: builtins::Regexes,
}

type Resolved = Result<Value, Unknown>;

fn fails<T>(message: impl Into<String>) -> Result<T, Unknown> {
    Err(Unknown::Fails(message.into()))
}

impl Resolver<'_> {
    fn value(&mut self, value: &Value) -> Resolved {
        match value {
            Value::Deferred(deferred) => match &deferred.expr {
                DeferredExpr::Plain(value) => self.value(value),
                DeferredExpr::Operation { name, args } => self.operation(name, args),
                source => match (self.known)(source) {
                    Some(value) => Ok(value),
                    None => Err(Unknown::Waits(source.clone())),
                },
            },
            Value::List(items) => Ok(Value::List(self.all(items)?.into())),
            Value::Set(items) => {
                let items = self.all(items)?;
                Ok(set_of(self.plan, items))
            }
            Value::Map(entries) => {
                let each = entries.iter().map(|(k, v)| Ok((k.clone(), self.value(v)?)));
                Ok(Value::Map(each.collect::<Result<Vec<_>, _>>()?.into()))
            }
            Value::Anon(fields) => {
                let each = fields.iter().map(|(name, v)| Ok((*name, self.value(v)?)));
                Ok(Value::Anon(each.collect::<Result<Vec<_>, _>>()?.into()))
            }
            other => Ok(other.clone()),
        }
    }

    fn all(&mut self, values: &[Value]) -> Result<Vec<Value>, Unknown> {
        values.iter().map(|v| self.value(v)).collect()
    }

    fn operation(&mut self, name: &str, args: &[Value]) -> Resolved {
        if name == "coalesce" {
            return match self.all(args)?.as_slice() {
                [Value::Null, other] => Ok(other.clone()),
                [first, ..] => Ok(first.clone()),
                [] => fails("nothing to choose from"),
            };
        }
        let args = self.all(args)?;
        if let [a, b] = args.as_slice()
            && let Some(op) = operator(name)
        {
            return self.operator(op, a, b);
        }
        match (name, args.as_slice()) {
            ("not", [Value::Bool(v)]) => Ok(Value::Bool(!v)),
            ("neg", [v]) => operators::negate(v).or_else(|_| fails("a number does not fit")),
            ("interpolate", parts) => self.interpolated(parts),
            ("indent_lines", [Value::Str(text), Value::Str(indent)]) => {
                Ok(Value::Str(text.as_str().replace('\n', &format!("\n{indent}")).into()))
            }
            ("field" | "get", [value, key]) => self.entry(value, key).map(Option::unwrap_or_default),
            ("index", [value, key]) => match self.entry(value, key)? {
                Some(found) => Ok(found),
                None => fails(format!("there is no element {}", print::shown(self.program, key))),
            },
            ("slice", [value, Value::Range(range)]) => {
                let range = (range.start, range.end, range.inclusive);
                slice(value, range).map_or_else(|| fails("the slice is outside of the value"), Ok)
            }
            _ => self.builtin(name, &args),
        }
    }

    fn operator(&mut self, op: BinaryOp, a: &Value, b: &Value) -> Resolved {
        match (op, a, b) {
            (BinaryOp::And, Value::Bool(a), Value::Bool(b)) => Ok(Value::Bool(*a && *b)),
            (BinaryOp::Or, Value::Bool(a), Value::Bool(b)) => Ok(Value::Bool(*a || *b)),
            _ => operators::apply(self.plan, op, a, b)
                .or_else(|_| fails(format!("`{}` gives nothing for these values", op.symbol()))),
        }
    }

    fn interpolated(&mut self, parts: &[Value]) -> Resolved {
        let mut text = String::new();
        for part in parts {
            print::text(&mut text, self.program, part);
        }
        Ok(Value::Str(text.into()))
    }

    fn entry(&mut self, value: &Value, key: &Value) -> Result<Option<Value>, Unknown> {
        Ok(match (value, key) {
            (Value::Map(entries), key) => find_entry(self.plan, entries, key).cloned(),
            (Value::Anon(fields), Value::Str(name)) => {
                fields.iter().find(|(n, _)| n.as_str() == name.as_str()).map(|(_, v)| v.clone())
            }
            (Value::Record(record), Value::Str(name)) => {
                let def = self.program.record(record.ty);
                let slot = def.and_then(|d| d.fields.iter().position(|f| f.data_name == *name));
                slot.and_then(|slot| record.fields.get(slot)).cloned()
            }
            (Value::List(items) | Value::Set(items), Value::Int(at)) => {
                usize::try_from(*at).ok().and_then(|at| items.get(at)).cloned()
            }
            (Value::Str(text), Value::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| text.chars().nth(at));
                found.map(|c| Value::Str(EcoString::from(c)))
            }
            _ => None,
        })
    }

    /// The builtin of this name that goes with these values: several share a name.
    fn builtin(&mut self, name: &str, args: &[Value]) -> Resolved {
        for row in BUILTINS.iter().filter(|row| row.name == name) {
            let mut cx = Cx {
                program: self.program,
                plan: self.plan,
                cost: &mut self.cost,
                regexes: &mut self.regexes,
            };
            match builtins::apply(&mut cx, row.builtin, args) {
                Ok(value) => return Ok(value),
                Err(Fault::Kinds) => {}
                Err(Fault::Budget) => return fails("this takes more than it may"),
                Err(Fault::Argument { message, .. }) => return fails(message),
            }
        }
        fails(format!("`{name}` gives nothing for these values"))
    }
}

fn operator(name: &str) -> Option<BinaryOp> {
    use BinaryOp::{Add, And, Div, Eq, Ge, Gt, In, Le, Lt, Mul, Ne, NotIn, Or, Rem, Sub};
    let all = [Add, And, Div, Eq, Ge, Gt, In, Le, Lt, Mul, Ne, NotIn, Or, Rem, Sub];
    all.into_iter().find(|op| operators::name(*op) == name)
}

fn slice(value: &Value, (start, end, inclusive): (Option<i64>, Option<i64>, bool)) -> Option<Value> {
    let count = match value {
        Value::List(items) => items.len(),
        Value::Str(text) => text.chars().count(),
        _ => return None,
    };
    let from = usize::try_from(start.unwrap_or(0)).ok()?;
    let to = match end {
        Some(end) => usize::try_from(end.checked_add(i64::from(inclusive))?).ok()?,
        None => count,
    };
    if from > to || to > count {
        return None;
    }
    Some(match value {
        Value::Str(text) => Value::Str(text.chars().skip(from).take(to - from).collect()),
        Value::List(items) => Value::List(items.get(from..to)?.into()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Name;
    use crate::eval::deferred::operation;
    use crate::eval::value::{Deferred, Reference};
    use crate::model::TypeId;

    fn output(name: &str) -> Value {
        let object = Arc::new(Reference { ty: TypeId(0), key: Arc::from([]) });
        let expr = DeferredExpr::Output { object, field: Name::new(name) };
        Value::Deferred(Arc::new(Deferred { secret: false, later: true, expr }))
    }

    fn known(value: &Value) -> Resolved {
        let given = |expr: &DeferredExpr| match expr {
            DeferredExpr::Output { field, .. } if field.as_str() == "digest" => Some(Value::Str("ab".into())),
            _ => None,
        };
        resolve(&Program::default(), &Plan::default(), value, &given)
    }

    #[test]
    fn operators_and_builtins_are_applied() {
        let text = operation("interpolate", vec![Value::Str("x ".into()), output("digest")]);
        assert_eq!(known(&text), Ok(Value::Str("x ab".into())));
        let upper = operation("upper", vec![text.clone()]);
        assert_eq!(known(&upper), Ok(Value::Str("X AB".into())));
        assert_eq!(known(&operation("len", vec![upper])), Ok(Value::Int(4)));
        assert_eq!(known(&operation("eq", vec![text, Value::Null])), Ok(Value::Bool(false)));
        let list = operation("len", vec![Value::List([output("digest"), Value::Null].into())]);
        assert_eq!(known(&list), Ok(Value::Int(2)));
        assert_eq!(
            known(&operation("coalesce", vec![output("digest"), Value::Null])),
            Ok(Value::Str("ab".into()))
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let waits = known(&operation("upper", vec![output("other")]));
        assert!(
            matches!(waits, Err(Unknown::Waits(DeferredExpr::Output { field, .. })) if field.as_str() == "other")
        );
        let fails = known(&operation("int", vec![output("digest")]));
        assert_eq!(fails, Err(Unknown::Fails("`ab` is no int in base 10".into())));
    }
}
