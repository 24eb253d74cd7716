//! Maps.

use std::sync::Arc;

use crate::base::Name;
use crate::eval::collections::{find_entry, merged};
use crate::eval::compare::equal;
use crate::eval::convert::to_map;
use crate::eval::value::Value;

use super::{Args, Cx, Done, Fault};

pub(super) fn len(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(args.map(0)?.len() as i64))
}

pub(super) fn is_empty(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(args.map(0)?.is_empty()))
}

pub(super) fn contains(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(find_entry(cx.plan, args.map(0)?, args.get(1)).is_some()))
}

pub(super) fn get(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    match find_entry(cx.plan, args.map(0)?, args.get(1)) {
        Some(Value::Wrong) => Err(Fault::Kinds),
        Some(value) => Ok(value.clone()),
        None => Ok(Value::Null),
    }
}

pub(super) fn keys(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.list(args.map(0)?.iter().map(|(k, _)| k.clone()).collect())
}

pub(super) fn values(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.list(args.map(0)?.iter().map(|(_, v)| v.clone()).collect())
}

pub(super) fn entries(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (key, value) = (Name::new("key"), Name::new("value"));
    let entry = |(k, v): &(Value, Value)| Value::Anon([(key, k.clone()), (value, v.clone())].into());
    cx.list(args.map(0)?.iter().map(entry).collect())
}

pub(super) fn merge(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let a = args.map(0)?;
    let b = match to_map(cx.program, args.get(1)) {
        Some(Value::Map(entries)) => entries,
        _ => return Err(Fault::Kinds),
    };
    cx.charge(a.len() + b.len(), (a.len() + b.len()) * size_of::<Value>() * 2)?;
    Ok(Value::Map(merged(cx.plan, a, &b)))
}

/// Mappings are merged at every level, `b` before `a`.
pub(super) fn merge_deep(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    deep(cx, args.get(0), args.get(1), DEPTH)
}

/// Values that nest deeper are not gone through.
const DEPTH: u32 = 128;

fn deep(cx: &mut Cx<'_>, a: &Value, b: &Value, depth: u32) -> Done {
    let (Some(Value::Map(x)), Some(Value::Map(y))) = (to_map(cx.program, a), to_map(cx.program, b)) else {
        return Ok(b.clone());
    };
    let Some(depth) = depth.checked_sub(1) else { return Err(Fault::Budget) };
    cx.charge(x.len() + y.len(), (x.len() + y.len()) * size_of::<Value>() * 2)?;
    let mut over = Vec::with_capacity(y.len());
    for (key, value) in y.iter() {
        let value = match find_entry(cx.plan, &x, key) {
            Some(below) => deep(cx, below, value, depth)?,
            None => value.clone(),
        };
        over.push((key.clone(), value));
    }
    Ok(Value::Map(merged(cx.plan, &x, &over)))
}

/// As RFC 7396 says it.
pub(super) fn merge_patch(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    patched(cx, args.get(0), args.get(1), DEPTH)
}

fn patched(cx: &mut Cx<'_>, value: &Value, patch: &Value, depth: u32) -> Done {
    let Some(Value::Map(patch)) = to_map(cx.program, patch) else { return Ok(patch.clone()) };
    let Some(depth) = depth.checked_sub(1) else { return Err(Fault::Budget) };
    let old = match to_map(cx.program, value) {
        Some(Value::Map(entries)) => entries,
        _ => Arc::default(),
    };
    cx.charge(old.len() + patch.len(), (old.len() + patch.len()) * size_of::<Value>() * 2)?;
    let (mut over, mut gone) = (Vec::with_capacity(patch.len()), Vec::new());
    for (key, change) in patch.iter() {
        match change {
            Value::Null => gone.push((key.clone(), Value::Null)),
            change => {
                let below = find_entry(cx.plan, &old, key).cloned().unwrap_or_default();
                over.push((key.clone(), patched(cx, &below, change, depth)?));
            }
        }
    }
    let all = merged(cx.plan, &old, &over);
    if gone.is_empty() {
        return Ok(Value::Map(all));
    }
    let plan = cx.plan;
    kept(cx, &all, |(key, _)| find_entry(plan, &gone, key).is_none())
}

pub(super) fn prune(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    pruned(cx, args.get(0), DEPTH)
}

fn pruned(cx: &mut Cx<'_>, value: &Value, depth: u32) -> Done {
    let Some(depth) = depth.checked_sub(1) else { return Err(Fault::Budget) };
    let is_left = |value: &Value| match value {
        Value::Null => false,
        Value::List(items) | Value::Set(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        _ => true,
    };
    if let Value::List(items) = value {
        let mut left = Vec::with_capacity(items.len());
        for item in items.iter() {
            left.push(pruned(cx, item, depth)?);
        }
        left.retain(is_left);
        return cx.list(left);
    }
    let Some(Value::Map(entries)) = to_map(cx.program, value) else { return Ok(value.clone()) };
    let mut left = Vec::with_capacity(entries.len());
    for (key, value) in entries.iter() {
        left.push((key.clone(), pruned(cx, value, depth)?));
    }
    left.retain(|(_, value)| is_left(value));
    cx.charge(left.len(), left.len() * size_of::<Value>() * 2)?;
    Ok(Value::Map(left.into()))
}

pub(super) fn without(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let gone = args.seq(cx, 1)?;
    let entries = args.map(0)?;
    cx.charge(entries.len().saturating_mul(gone.len()), 0)?;
    let plan = cx.plan;
    kept(cx, entries, |(key, _)| !gone.iter().any(|g| equal(plan, g, key)))
}

pub(super) fn without_key(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let plan = cx.plan;
    kept(cx, args.map(0)?, |(key, _)| !equal(plan, args.get(1), key))
}

pub(super) fn compact(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    kept(cx, args.map(0)?, |(_, value)| !matches!(value, Value::Null))
}

fn kept(cx: &mut Cx<'_>, entries: &Arc<[(Value, Value)]>, keep: impl Fn(&(Value, Value)) -> bool) -> Done {
    cx.charge(entries.len(), entries.len() * size_of::<Value>() * 2)?;
    Ok(Value::Map(entries.iter().filter(|entry| keep(entry)).cloned().collect()))
}
