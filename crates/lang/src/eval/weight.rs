//! How large a value is when all of it is written out.
//!
//! A value is cheap to clone, so a model can make one that shares its parts and is far larger
//! than what it cost: a list of twice a list of twice a list. Whoever makes a container pays for
//! all that is in it; so a way through any value takes no longer than making it was charged for.

use crate::model::Hir;

use super::budget;
use super::machine::{Eval, Machine};
use super::value::{DeferredExpr, Value};

/// What is left to count.
struct Scale {
    nodes: usize,
    bytes: usize,
    limit: usize,
}

/// The number of values in a value, and the bytes that they take, as far as `limit` bytes.
pub(super) fn weigh(value: &Value, limit: usize) -> (usize, usize) {
    let mut scale = Scale { nodes: 0, bytes: 0, limit };
    scale.add(value);
    (scale.nodes, scale.bytes)
}

impl Scale {
    /// False once the limit is passed.
    fn add(&mut self, value: &Value) -> bool {
        if self.bytes > self.limit {
            return false;
        }
        self.nodes += 1;
        self.bytes += size_of::<Value>();
        match value {
            Value::Str(text) => self.bytes += text.len(),
            Value::List(items) | Value::Set(items) => return items.iter().all(|v| self.add(v)),
            Value::Map(entries) => return entries.iter().all(|(k, v)| self.add(k) && self.add(v)),
            Value::Record(record) | Value::Variant(_, _, Some(record)) => {
                return record.fields.iter().all(|v| self.add(v));
            }
            Value::Anon(fields) => return fields.iter().all(|(_, v)| self.add(v)),
            Value::File(file) => self.bytes += file.text.as_ref().map_or(0, |t| t.len()),
            Value::Deferred(deferred) => match &deferred.expr {
                DeferredExpr::Operation { args, .. } => return args.iter().all(|v| self.add(v)),
                DeferredExpr::Plain(value) => return self.add(value),
                DeferredExpr::Secret { .. } | DeferredExpr::Output { .. } => {}
            },
            _ => {}
        }
        self.bytes <= self.limit
    }
}

impl Machine<'_> {
    /// A value that was made of others: pays for all of it.
    pub fn made(&mut self, hir: &Hir, value: Value) -> Eval {
        let left = budget::RUN.bytes.saturating_sub(self.cost.bytes);
        let (_, bytes) = weigh(&value, usize::try_from(left).unwrap_or(usize::MAX));
        self.charge(hir, 0, bytes)?;
        Ok(value)
    }

    /// Pays for a way through a value.
    pub fn walk(&mut self, hir: &Hir, value: &Value) -> Eval<()> {
        match value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Str(_) => Ok(()),
            _ => {
                let (nodes, _) = weigh(value, usize::MAX);
                self.charge(hir, nodes, 0)
            }
        }
    }
}
