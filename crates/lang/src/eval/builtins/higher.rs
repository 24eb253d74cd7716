//! Builtins that take a function value.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::eval::deferred::operation;
use crate::eval::machine::{Eval, Machine};
use crate::eval::value::Value;
use crate::model::prelude::Builtin as B;
use crate::model::{Hir, HirKind};

use super::{Cx, Fault, fail, list, seq};

/// What the call of one such builtin has at hand.
struct Call<'m, 'w> {
    m: &'m mut Machine<'w>,
    hir: &'w Hir,
    args: &'w [Option<Hir>],
}

/// Calls a builtin with a function value.
pub(super) fn call<'w>(m: &mut Machine<'w>, hir: &'w Hir, builtin: B, args: &'w [Option<Hir>]) -> Eval {
    let Some(Some(receiver)) = args.first() else { return Err(m.unexpected(hir)) };
    let over = m.eval(receiver)?;
    if let Value::Deferred(_) = over {
        // A function value cannot be handed to whoever applies a deferred value; the checker
        // refuses it.
        return Err(m.unexpected(hir));
    }
    let mut call = Call { m, hir, args };
    if let B::MapFilter | B::MapValues = builtin {
        let map = call.over_map(builtin, &over)?;
        return m.made(hir, map);
    }
    let items = call.with_cx(|cx| seq(cx, &over))?;
    let value = call.over_list(builtin, &items)?;
    match value {
        Value::List(_) | Value::Map(_) | Value::Deferred(_) => m.made(hir, value),
        _ => Ok(value),
    }
}

impl<'w> Call<'_, 'w> {
    fn over_list(&mut self, builtin: B, items: &[Value]) -> Eval {
        match builtin {
            B::ListMap => self.map(items),
            B::FlatMap => self.flat_map(items),
            B::ListFilter => self.filter(items),
            B::FilterMap => self.filter_map(items),
            B::Fold => self.fold(items),
            B::Any => self.first_where(items, true).map(|at| Value::Bool(at.is_some())),
            B::All => self.first_where(items, false).map(|at| Value::Bool(at.is_none())),
            B::Find => {
                let at = self.first_where(items, true)?;
                Ok(at.and_then(|at| items.get(at)).cloned().unwrap_or_default())
            }
            B::ListCount => self.count(items),
            B::SortedBy => self.sorted(items),
            B::UniqueBy => self.unique(items),
            B::GroupBy => self.group_by(items),
            B::IndexBy => self.index_by(items),
            B::ListMinBy => self.extreme(items, Ordering::Less),
            B::ListMaxBy => self.extreme(items, Ordering::Greater),
            _ => Err(self.m.unexpected(self.hir)),
        }
    }

    /// Runs what needs no evaluation.
    fn with_cx<T>(&mut self, f: impl FnOnce(&mut Cx<'_>) -> Result<T, Fault>) -> Eval<T> {
        let m = &mut *self.m;
        let mut cx = Cx { program: m.program, plan: m.plan, cost: &mut m.cost, regexes: &mut m.regexes };
        f(&mut cx).map_err(|fault| fail(self.m, self.hir, self.args, fault))
    }

    /// The function value: the last argument that is one.
    fn function(&mut self) -> Eval<&'w Hir> {
        let found = self.args.iter().flatten().rfind(|arg| matches!(arg.kind, HirKind::Lambda { .. }));
        found.ok_or_else(|| self.m.unexpected(self.hir))
    }

    fn each(&mut self, items: &[Value]) -> Eval<Vec<Value>> {
        let f = self.function()?;
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            made.push(self.m.apply(f, std::slice::from_ref(item))?);
        }
        self.m.charge(self.hir, 0, made.len() * size_of::<Value>())?;
        Ok(made)
    }

    /// What the function makes of each element, without those that meet a value that is not
    /// assigned yet.
    fn each_known(&mut self, items: &[Value]) -> Eval<Vec<Value>> {
        if self.m.supply.is_none() {
            return self.each(items);
        }
        let f = self.function()?;
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            made.extend(self.m.round(|m| m.apply(f, std::slice::from_ref(item)))?);
        }
        self.m.charge(self.hir, 0, made.len() * size_of::<Value>())?;
        Ok(made)
    }

    fn test(&mut self, f: &'w Hir, args: &[Value]) -> Eval<bool> {
        match self.m.apply(f, args)? {
            Value::Bool(holds) => Ok(holds),
            _ => Err(self.m.unexpected(self.hir)),
        }
    }

    /// Whether the function holds; it does not where that depends on a value that is not
    /// assigned yet.
    fn test_known(&mut self, f: &'w Hir, item: &Value) -> Eval<bool> {
        match self.m.round(|m| m.apply(f, std::slice::from_ref(item)))? {
            Some(Value::Bool(holds)) => Ok(holds),
            None => Ok(false),
            Some(_) => Err(self.m.unexpected(self.hir)),
        }
    }

    fn map(&mut self, items: &[Value]) -> Eval {
        Ok(Value::List(self.each_known(items)?.into()))
    }

    fn flat_map(&mut self, items: &[Value]) -> Eval {
        let made = self.each_known(items)?;
        if made.iter().any(|v| matches!(v, Value::Deferred(_))) {
            return Ok(operation("flatten", vec![Value::List(made.into())]));
        }
        let mut all = Vec::new();
        for value in &made {
            let inner = self.with_cx(|cx| seq(cx, value))?;
            all.extend(inner.iter().cloned());
        }
        self.with_cx(|cx| cx.list(all))
    }

    fn filter(&mut self, items: &[Value]) -> Eval {
        let f = self.function()?;
        let mut kept = Vec::new();
        for item in items {
            if self.test_known(f, item)? {
                kept.push(item.clone());
            }
        }
        self.with_cx(|cx| cx.list(kept))
    }

    fn filter_map(&mut self, items: &[Value]) -> Eval {
        let mut made = self.each_known(items)?;
        made.retain(|v| !matches!(v, Value::Null));
        Ok(Value::List(made.into()))
    }

    fn fold(&mut self, items: &[Value]) -> Eval {
        let f = self.function()?;
        let Some(Some(start)) = self.args.get(1) else { return Err(self.m.unexpected(self.hir)) };
        let mut so_far = self.m.eval(start)?;
        for item in items {
            so_far = self.m.apply(f, &[so_far, item.clone()])?;
        }
        Ok(so_far)
    }

    fn first_where(&mut self, items: &[Value], wanted: bool) -> Eval<Option<usize>> {
        let f = self.function()?;
        for (at, item) in items.iter().enumerate() {
            if self.test(f, std::slice::from_ref(item))? == wanted {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn count(&mut self, items: &[Value]) -> Eval {
        let f = self.function()?;
        let mut n = 0;
        for item in items {
            n += i64::from(self.test(f, std::slice::from_ref(item))?);
        }
        Ok(Value::Int(n))
    }

    fn sorted(&mut self, items: &[Value]) -> Eval {
        let keys = self.each(items)?;
        self.with_cx(|cx| {
            list::sort_cost(cx, keys.len())?;
            let order = list::groups(cx, &keys).into_iter().flatten();
            cx.list(order.filter_map(|at| items.get(at).cloned()).collect())
        })
    }

    fn unique(&mut self, items: &[Value]) -> Eval {
        let keys = self.each(items)?;
        self.with_cx(|cx| {
            let keep = list::firsts(cx, &keys)?;
            cx.list(items.iter().zip(keep).filter(|(_, keep)| *keep).map(|(v, _)| v.clone()).collect())
        })
    }

    fn group_by(&mut self, items: &[Value]) -> Eval {
        let keys = self.each(items)?;
        self.with_cx(|cx| {
            list::sort_cost(cx, keys.len())?;
            let mut entries = Vec::new();
            for group in list::groups(cx, &keys) {
                let Some(key) = group.first().and_then(|at| keys.get(*at)) else { continue };
                let members: Arc<[Value]> = group.iter().filter_map(|at| items.get(*at).cloned()).collect();
                entries.push((key.clone(), Value::List(members)));
            }
            cx.charge(0, size_of_val(items))?;
            Ok(Value::Map(entries.into()))
        })
    }

    fn index_by(&mut self, items: &[Value]) -> Eval {
        let keys = self.each(items)?;
        let entries = keys.into_iter().zip(items.iter().cloned()).collect();
        self.with_cx(|cx| list::map_of(cx, entries))
    }

    fn extreme(&mut self, items: &[Value], wanted: Ordering) -> Eval {
        let keys = self.each(items)?;
        self.with_cx(|cx| {
            let at = list::extreme(cx, &keys, wanted);
            Ok(at.and_then(|at| items.get(at)).cloned().unwrap_or_default())
        })
    }

    fn over_map(&mut self, builtin: B, over: &Value) -> Eval {
        let f = self.function()?;
        let map = crate::eval::convert::to_map(self.m.program, over);
        let Some(Value::Map(entries)) = map else { return Err(self.m.unexpected(self.hir)) };
        let mut made = Vec::with_capacity(entries.len());
        for (key, value) in entries.iter() {
            if builtin == B::MapValues {
                made.push((key.clone(), self.m.apply(f, std::slice::from_ref(value))?));
            } else if self.test(f, &[key.clone(), value.clone()])? {
                made.push((key.clone(), value.clone()));
            }
        }
        self.m.charge(self.hir, 0, made.len() * size_of::<Value>() * 2)?;
        Ok(Value::Map(made.into()))
    }
}
