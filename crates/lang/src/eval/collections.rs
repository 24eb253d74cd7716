//! Lists, sets and maps: literals, and what makes one of values.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::diag::codes::eval as codes;
use crate::model::hir::MapEntry;
use crate::model::schema::Slot;
use crate::model::{Hir, HirKind};
use crate::syntax::ast::RecordKind;

use super::compare::{compare, equal};
use super::deferred::operation;
use super::machine::{Eval, Machine};
use super::plan::Plan;
use super::print;
use super::value::Value;

/// The value of a key in the entries of a map, which are in order.
pub(super) fn find_entry<'v>(plan: &Plan, entries: &'v [(Value, Value)], key: &Value) -> Option<&'v Value> {
    let at = entries.binary_search_by(|(k, _)| compare(plan, k, key)).ok()?;
    entries.get(at).map(|(_, v)| v)
}

/// Whether a value is in a list, a set (which is in order), the keys of a map, or a range.
pub(super) fn contains(plan: &Plan, over: &Value, value: &Value) -> Option<bool> {
    Some(match (over, value) {
        (Value::List(items), v) => items.iter().any(|item| equal(plan, item, v)),
        (Value::Set(items), v) => items.binary_search_by(|item| compare(plan, item, v)).is_ok(),
        (Value::Map(entries), v) => find_entry(plan, entries, v).is_some(),
        (Value::Anon(fields), Value::Str(name)) => fields.iter().any(|(n, _)| n.as_str() == name.as_str()),
        (Value::Range(range), Value::Int(v) | Value::Duration(v) | Value::Size(v)) => range.contains(*v),
        (Value::Str(text), Value::Str(part)) => text.contains(part.as_str()),
        _ => return None,
    })
}

/// The elements in order, each once.
pub(super) fn set_of(plan: &Plan, mut items: Vec<Value>) -> Value {
    items.sort_by(|a, b| compare(plan, a, b));
    items.dedup_by(|a, b| equal(plan, a, b));
    Value::Set(items.into())
}

/// The entries in order. The first key that stands twice is an error.
pub(super) fn sorted_entries(plan: &Plan, mut entries: Vec<(Value, Value)>) -> Result<Value, Value> {
    entries.sort_by(|a, b| compare(plan, &a.0, &b.0));
    let twice = entries.windows(2).find_map(|w| match w {
        [a, b] if equal(plan, &a.0, &b.0) => Some(a.0.clone()),
        _ => None,
    });
    match twice {
        Some(key) => Err(key),
        None => Ok(Value::Map(entries.into())),
    }
}

impl<'w> Machine<'w> {
    pub fn list(&mut self, hir: &Hir, items: &'w [Hir]) -> Eval {
        let start = self.stack.len();
        for item in items {
            match self.round(|m| m.eval(item)) {
                Ok(value) => self.stack.extend(value),
                Err(stop) => {
                    self.stack.truncate(start);
                    return Err(stop);
                }
            }
        }
        let list = Value::List(Arc::from_iter(self.stack.drain(start..)));
        self.made(hir, list)
    }

    /// A map literal. A key that is written twice is an error; a spread gives what is not there.
    pub fn map(&mut self, hir: &'w Hir, entries: &'w [MapEntry]) -> Eval {
        let mut pairs = Vec::with_capacity(entries.len());
        let mut spreads = Vec::new();
        for entry in entries {
            match entry {
                MapEntry::Pair(key, value) => pairs.push(self.pair(key, value)?),
                MapEntry::Spread(value) => spreads.push(self.eval(value)?),
            }
        }
        let map = self.map_of(hir, pairs)?;
        let mut merged = map;
        for spread in spreads {
            merged = self.with_missing(hir, merged, spread)?;
        }
        Ok(merged)
    }

    /// A key and its value. A struct that is written out there has no other key of its own.
    pub fn pair(&mut self, key: &'w Hir, value: &'w Hir) -> Eval<(Value, Value)> {
        let pair = (self.eval(key)?, self.eval(value)?);
        let Some((own, slot)) = self.written_key(value) else { return Ok(pair) };
        let Value::Record(record) = &pair.1 else { return Ok(pair) };
        let Some(found) = record.fields.get(slot as usize) else { return Ok(pair) };
        if equal(self.plan, &pair.0, found)
            || matches!((&pair.0, found), (Value::Wrong, _) | (_, Value::Wrong))
        {
            return Ok(pair);
        }
        let shown = (print::shown(self.program, &pair.0), print::shown(self.program, found));
        let name =
            self.program.record(record.ty).and_then(|r| r.keys.first()).map_or("", |k| k.name.as_str());
        let problem = self
            .problem(codes::MAP_KEY, own, format!("the key of the map says that `{name}` is {}", shown.0))
            .at(format!("and this says that it is {}", shown.1))
            .label(self.place(key.node), "the key of the map")
            .help("the key of a map fills the key of the struct: leave the field out");
        Err(self.report(problem))
    }

    /// The expression of the one key field of a struct that is written out, and the field.
    fn written_key(&self, value: &'w Hir) -> Option<(&'w Hir, Slot)> {
        let mut value = value;
        while let HirKind::Refine(inner, _) = &value.kind {
            value = inner;
        }
        let HirKind::Struct { ty, fields, .. } = &value.kind else { return None };
        let record = self.program.record(*ty).filter(|r| r.kind == RecordKind::Struct)?;
        let [key] = record.keys.as_slice() else { return None };
        let [slot] = key.path.as_slice() else { return None };
        fields.iter().find(|(s, _)| s == slot).map(|(s, hir)| (hir, *s))
    }

    /// A map of pairs in any order.
    pub fn map_of(&mut self, hir: &Hir, pairs: Vec<(Value, Value)>) -> Eval {
        match sorted_entries(self.plan, pairs) {
            Ok(map) => self.made(hir, map),
            Err(key) => {
                let shown = print::shown(self.program, &key);
                let problem =
                    self.problem(codes::DUPLICATE_KEY, hir, format!("the key {shown} is there twice"));
                Err(self.report(problem.help("each key of a map stands once: give one of them another key")))
            }
        }
    }

    /// A map with the entries of another one that it does not have.
    pub fn with_missing(&mut self, hir: &Hir, map: Value, more: Value) -> Eval {
        let more = super::convert::to_map(self.program, &more);
        let (Value::Map(a), Some(Value::Map(b))) = (&map, &more) else {
            return match more {
                None => Ok(map),
                Some(_) => Err(self.unexpected(hir)),
            };
        };
        let map = Value::Map(merged(self.plan, b, a));
        self.made(hir, map)
    }

    /// A list where a set is wanted.
    pub fn to_set(&mut self, hir: &'w Hir, value: &'w Hir) -> Eval {
        match self.eval(value)? {
            Value::List(items) => {
                self.walk(hir, &Value::List(items.clone()))?;
                if items.iter().any(|v| matches!(v, Value::Wrong)) {
                    return Err(self.silent(hir));
                }
                Ok(set_of(self.plan, items.to_vec()))
            }
            value @ Value::Set(_) => Ok(value),
            value @ Value::Deferred(_) => self.made(hir, operation("to_set", vec![value])),
            _ => Err(self.unexpected(hir)),
        }
    }
}

/// The entries of two maps; where both have a key, that of the second.
pub(super) fn merged(plan: &Plan, a: &[(Value, Value)], b: &[(Value, Value)]) -> Arc<[(Value, Value)]> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) => compare(plan, &x.0, &y.0),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        if order.is_eq() {
            a.next();
        }
        let next = if order.is_lt() { a.next() } else { b.next() };
        out.extend(next.cloned());
    }
    out.into()
}
