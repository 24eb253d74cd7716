//! Elements of lists, maps and strings: by index, by key, by identity, and parts of them.

use super::compare;
use super::deferred::operation;
use super::machine::{Eval, Machine};
use super::print;
use super::value::Value;
use crate::diag::{codes::eval as codes, did_you_mean};
use crate::model::Hir;
use ecow::EcoString;

impl<'w> Machine<'w> {
    /// `a.k` and `a["k"]` of an `any`: null if it is not there.
    pub fn get(&mut self, hir: &'w Hir, base: &'w Hir, key: &'w Hir) -> Eval {
        let value = self.eval(base)?;
        let key = self.eval(key)?;
        match (&value, &key) {
            (Value::Null, _) => Ok(Value::Null),
            (Value::Deferred(_), _) => self.made(hir, operation("get", vec![value, key])),
            (Value::List(items) | Value::Set(items), Value::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
                self.unless_wrong(hir, found.cloned().unwrap_or_default())
            }
            (_, Value::Str(name)) => self.entry(hir, &value, name),
            (Value::Map(entries), key) => {
                let found = super::collections::find_entry(self.plan, entries, key);
                self.unless_wrong(hir, found.cloned().unwrap_or_default())
            }
            _ => Ok(Value::Null),
        }
    }

    pub fn entry(&mut self, hir: &Hir, value: &Value, name: &str) -> Eval {
        let found = match value {
            Value::Map(entries) => {
                let at = entries.binary_search_by(|(k, _)| match k {
                    Value::Str(k) => k.as_bytes().cmp(name.as_bytes()),
                    _ => std::cmp::Ordering::Less,
                });
                at.ok().and_then(|at| entries.get(at)).map(|(_, v)| v.clone())
            }
            Value::Anon(fields) => fields.iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| v.clone()),
            Value::File(file) => {
                return match name {
                    "path" => Ok(Value::Str(file.path.clone())),
                    "name" => Ok(Value::Str(file.name.clone())),
                    "sha256" => Ok(Value::Str(file.sha256.clone())),
                    _ => match &file.text {
                        Some(text) => Ok(Value::Str(text.clone())),
                        None => {
                            let message = format!("`{}` is not UTF-8 text", file.path);
                            let problem = self.problem(codes::FILE, hir, message);
                            Err(self.report(problem.help("use its `.sha256`, or copy it with `CopyFile`")))
                        }
                    },
                };
            }
            _ => None,
        };
        self.unless_wrong(hir, found.unwrap_or_default())
    }

    /// `xs[i]`, `m[k]`; what is missing is an error, or null.
    pub fn index(&mut self, hir: &'w Hir, base: &'w Hir, index: &'w Hir, or_null: bool) -> Eval {
        let value = self.eval(base)?;
        let at = self.eval(index)?;
        let found = match (&value, &at) {
            (Value::Deferred(_), _) | (_, Value::Deferred(_)) => {
                let name = if or_null { "get" } else { "index" };
                return self.made(hir, operation(name, vec![value, at]));
            }
            (Value::List(items) | Value::Set(items), Value::Int(i)) => {
                usize::try_from(*i).ok().and_then(|i| items.get(i)).cloned()
            }
            (Value::Map(entries), key) => super::collections::find_entry(self.plan, entries, key).cloned(),
            (Value::Anon(_), Value::Str(name)) => match self.entry(hir, &value, name)? {
                Value::Null => None,
                found => Some(found),
            },
            (Value::Str(text), Value::Int(i)) => {
                let found = usize::try_from(*i).ok().and_then(|i| text.chars().nth(i));
                found.map(|c| Value::Str(EcoString::from(c)))
            }
            _ => return Err(self.unexpected(hir)),
        };
        match found {
            Some(value) => self.unless_wrong(hir, value),
            None if or_null => Ok(Value::Null),
            None => Err(self.missing(hir, base, index, &value, &at)),
        }
    }

    #[cold]
    fn missing(
        &mut self,
        hir: &Hir,
        base: &Hir,
        index: &Hir,
        value: &Value,
        at: &Value,
    ) -> super::machine::Stop {
        let count = match value {
            Value::Map(entries) => return self.missing_key(hir, index, entries, at),
            Value::List(items) | Value::Set(items) => items.len(),
            Value::Str(text) => text.chars().count(),
            _ => 0,
        };
        let shown = print::shown(self.program, at);
        let message = match count {
            0 => format!("there is no element {shown}: it is empty"),
            1 => format!("there is no element {shown}: it has one, with the index 0"),
            n => format!("there is no element {shown}: it has {n}, with the indexes 0 to {}", n - 1),
        };
        let problem = self.problem_with(codes::MISSING_INDEX, hir, base, message);
        self.report(problem.help("`.get(i)` gives null where there is none"))
    }

    fn missing_key(
        &mut self,
        hir: &Hir,
        index: &Hir,
        entries: &[(Value, Value)],
        key: &Value,
    ) -> super::machine::Stop {
        let shown = print::shown(self.program, key);
        let problem =
            self.problem_with(codes::MISSING_KEY, hir, index, format!("the map has no key {shown}"));
        let near = match key {
            Value::Str(written) => did_you_mean(written, entries.iter().filter_map(|(k, _)| text_of(k))),
            _ => None,
        };
        let help = near.unwrap_or_else(|| "`.get(k)` gives null where there is none".to_owned());
        self.report(problem.help(help))
    }

    /// `xs[a..b]` of lists and strings.
    pub fn slice_of(&mut self, hir: &'w Hir, base: &'w Hir, range: &'w Hir) -> Eval {
        let value = self.eval(base)?;
        let bounds = self.eval(range)?;
        let Value::Range(range) = &bounds else {
            return if matches!(value, Value::Deferred(_)) || matches!(bounds, Value::Deferred(_)) {
                self.made(hir, operation("slice", vec![value, bounds]))
            } else {
                Err(self.unexpected(hir))
            };
        };
        let count = match &value {
            Value::Deferred(_) => return self.made(hir, operation("slice", vec![value, bounds])),
            Value::List(items) | Value::Set(items) => items.len(),
            Value::Str(text) => text.chars().count(),
            _ => return Err(self.unexpected(hir)),
        };
        let start = range.start.unwrap_or(0);
        let end = match (range.end, range.inclusive) {
            (Some(end), true) => end.saturating_add(1),
            (Some(end), false) => end,
            (None, _) => count as i64,
        };
        let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
            return Err(self.bad_slice(hir, base, &bounds, count));
        };
        if from > to || to > count {
            return Err(self.bad_slice(hir, base, &bounds, count));
        }
        self.charge(hir, to - from, (to - from) * 8)?;
        Ok(match &value {
            Value::Str(text) => Value::Str(text.chars().skip(from).take(to - from).collect()),
            Value::List(items) | Value::Set(items) => Value::List(items[from..to].iter().cloned().collect()),
            _ => value,
        })
    }

    #[cold]
    fn bad_slice(&mut self, hir: &Hir, base: &Hir, range: &Value, count: usize) -> super::machine::Stop {
        let shown = print::shown(self.program, range);
        let message = format!("the slice {shown} is outside of 0..{count}");
        let problem = self.problem_with(codes::MISSING_INDEX, hir, base, message);
        self.report(problem.help("`.take(n)` and `.skip(n)` go as far as there is something"))
    }

    /// `ports[number: 3]`.
    pub fn keyed(
        &mut self,
        hir: &'w Hir,
        base: &'w Hir,
        variant: Option<u16>,
        keys: &'w [Hir],
        or_null: bool,
    ) -> Eval {
        let over = self.eval(base)?;
        let mut wanted = Vec::with_capacity(keys.len());
        for key in keys {
            wanted.push(self.eval(key)?);
        }
        let found = match &over {
            Value::List(items) | Value::Set(items) => {
                self.charge(hir, items.len(), 0)?;
                items.iter().find(|item| self.has_identity(item, variant, &wanted)).cloned()
            }
            Value::Map(entries) => match wanted.as_slice() {
                [key] => super::collections::find_entry(self.plan, entries, key).cloned(),
                _ => None,
            },
            _ => return Err(self.unexpected(hir)),
        };
        match found {
            Some(value) => self.unless_wrong(hir, value),
            None if or_null => Ok(Value::Null),
            None => {
                let shown: Vec<_> = wanted.iter().map(|v| print::shown(self.program, v)).collect();
                let message = format!("there is no element with the key {}", shown.join(", "));
                let problem = match keys.first() {
                    Some(key) => self.problem_with(codes::MISSING_KEY, hir, key, message),
                    None => self.problem(codes::MISSING_KEY, hir, message),
                };
                Err(self.report(problem.help("a `?` after the `]` gives null where there is none")))
            }
        }
    }

    fn has_identity(&self, item: &Value, variant: Option<u16>, wanted: &[Value]) -> bool {
        let equal = |key: &[Value]| {
            key.len() == wanted.len() && key.iter().zip(wanted).all(|(a, b)| compare::equal(self.plan, a, b))
        };
        match item {
            Value::Ref(reference) => equal(&reference.key),
            Value::Record(record) => self.key_of(record.ty, &record.fields).is_some_and(|k| equal(&k)),
            Value::Variant(_, v, payload) if variant.is_none_or(|wanted| wanted == *v) => match payload {
                Some(record) => self.key_of(record.ty, &record.fields).is_some_and(|k| equal(&k)),
                None => wanted.is_empty(),
            },
            _ => false,
        }
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Str(text) => Some(text),
        _ => None,
    }
}
