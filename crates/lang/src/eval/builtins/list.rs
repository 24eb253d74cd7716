//! Lists and sets.

use std::cmp::Ordering;

use crate::base::Name;
use crate::diag::codes::eval as codes;
use crate::eval::collections::{contains as holds, set_of, sorted_entries};
use crate::eval::compare::{compare, equal};
use crate::eval::operators::{OperatorFault, add};
use crate::eval::print;
use crate::eval::value::Value;

use super::{Args, Cx, Done, Fault, count, overflow, wrong};

pub(super) fn len(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    match args.get(0) {
        Value::List(items) | Value::Set(items) => Ok(Value::Int(items.len() as i64)),
        Value::Range(range) => match range.bounds() {
            Some((first, last)) => Ok(Value::Int(last.saturating_sub(first).saturating_add(1).max(0))),
            None => Err(Fault::Kinds),
        },
        _ => Err(Fault::Kinds),
    }
}

pub(super) fn is_empty(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Bool(matches!(len(cx, args)?, Value::Int(0))))
}

pub(super) fn contains(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    if let Value::List(items) = args.get(0) {
        cx.charge(items.len(), 0)?;
    }
    holds(cx.plan, args.get(0), args.get(1)).map(Value::Bool).ok_or(Fault::Kinds)
}

pub(super) fn index_of(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let at = items.iter().position(|item| equal(cx.plan, item, args.get(1)));
    Ok(at.map_or(Value::Null, |at| Value::Int(at as i64)))
}

pub(super) fn first(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(args.seq(cx, 0)?.first().cloned().unwrap_or_default())
}

pub(super) fn last(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(args.seq(cx, 0)?.last().cloned().unwrap_or_default())
}

pub(super) fn get(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let found = usize::try_from(args.int(1)?).ok().and_then(|at| items.get(at));
    Ok(found.cloned().unwrap_or_default())
}

pub(super) fn compact(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    cx.list(items.iter().filter(|v| !matches!(v, Value::Null)).cloned().collect())
}

pub(super) fn sorted(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut items = args.seq(cx, 0)?.to_vec();
    sort_cost(cx, items.len())?;
    items.sort_by(|a, b| compare(cx.plan, a, b));
    cx.list(items)
}

/// A sort takes about n log n comparisons.
pub(super) fn sort_cost(cx: &mut Cx<'_>, n: usize) -> Result<(), Fault> {
    cx.charge(n.saturating_mul(n.checked_ilog2().unwrap_or(0) as usize), 0)
}

pub(super) fn unique(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let keep = firsts(cx, &items)?;
    cx.list(items.iter().zip(keep).filter(|(_, keep)| *keep).map(|(v, _)| v.clone()).collect())
}

/// For each value whether it is the first of those that equal it.
pub(super) fn firsts(cx: &mut Cx<'_>, values: &[Value]) -> Result<Vec<bool>, Fault> {
    sort_cost(cx, values.len())?;
    let mut keep = vec![true; values.len()];
    for group in groups(cx, values) {
        for at in group.iter().skip(1) {
            if let Some(place) = keep.get_mut(*at) {
                *place = false;
            }
        }
    }
    Ok(keep)
}

/// The indexes of equal values together, each group in order; the groups in the order of values.
pub(super) fn groups(cx: &Cx<'_>, values: &[Value]) -> Vec<Vec<usize>> {
    let at = |i: usize| values.get(i).unwrap_or(&Value::Null);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| compare(cx.plan, at(*a), at(*b)));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in order {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| equal(cx.plan, at(*first), at(index))) => {
                group.push(index);
            }
            _ => groups.push(vec![index]),
        }
    }
    groups
}

pub(super) fn duplicates(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    sort_cost(cx, items.len())?;
    let mut found: Vec<usize> =
        groups(cx, &items).into_iter().filter(|g| g.len() > 1).filter_map(|g| g.first().copied()).collect();
    found.sort_unstable();
    cx.list(found.into_iter().filter_map(|at| items.get(at).cloned()).collect())
}

pub(super) fn flatten(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let mut all = Vec::new();
    for inner in args.seq(cx, 0)?.iter() {
        if let Value::Deferred(_) = inner {
            return Ok(crate::eval::deferred::operation("flatten", args.0.to_vec()));
        }
        all.extend(super::seq(cx, inner)?.iter().cloned());
    }
    cx.list(all)
}

pub(super) fn reversed(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    cx.list(items.iter().rev().cloned().collect())
}

pub(super) fn zip(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (a, b) = (args.seq(cx, 0)?, args.seq(cx, 1)?);
    let (first, second) = (Name::new("first"), Name::new("second"));
    let pair = |(x, y): (&Value, &Value)| Value::Anon([(first, x.clone()), (second, y.clone())].into());
    cx.list(a.iter().zip(b.iter()).map(pair).collect())
}

pub(super) fn enumerate(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let start = args.opt_int(1)?.unwrap_or(0);
    if start.checked_add(items.len() as i64).is_none() {
        return overflow("the last index does not fit");
    }
    cx.charge(0, items.len() * size_of::<Value>() * 2)?;
    let entry = |(at, v): (usize, &Value)| (Value::Int(start + at as i64), v.clone());
    Ok(Value::Map(items.iter().enumerate().map(entry).collect()))
}

pub(super) fn take(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let n = count(args.int(1)?, "the count")?;
    cx.list(items.iter().take(n).cloned().collect())
}

pub(super) fn skip(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let n = count(args.int(1)?, "the count")?;
    cx.list(items.iter().skip(n).cloned().collect())
}

pub(super) fn chunks(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    match count(args.int(1)?, "the size")? {
        0 => wrong("the size is 0, and must be at least 1"),
        size => {
            cx.charge(0, items.len() * size_of::<Value>())?;
            cx.list(items.chunks(size).map(|chunk| Value::List(chunk.into())).collect())
        }
    }
}

pub(super) fn without(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let gone = sorted_set(cx, args, 1)?;
    cx.list(items.iter().filter(|v| !is_in(cx, &gone, v)).cloned().collect())
}

pub(super) fn without_at(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let index = args.int(1)?;
    let Some(at) = usize::try_from(index).ok().filter(|at| *at < items.len()) else {
        return wrong(format!("there is no element {index}: it has {}", items.len()));
    };
    cx.list(items.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, v)| v.clone()).collect())
}

/// An argument as a set.
fn sorted_set(cx: &mut Cx<'_>, args: Args<'_>, at: usize) -> Result<Value, Fault> {
    let items = args.seq(cx, at)?;
    sort_cost(cx, items.len())?;
    Ok(match args.get(at) {
        set @ Value::Set(_) => set.clone(),
        _ => set_of(cx.plan, items.to_vec()),
    })
}

fn is_in(cx: &Cx<'_>, set: &Value, value: &Value) -> bool {
    holds(cx.plan, set, value).unwrap_or_default()
}

pub(super) fn repeat(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let times = count(args.int(1)?, "the count")?;
    let all = items.len().saturating_mul(times);
    cx.charge(all, all.saturating_mul(size_of::<Value>()))?;
    Ok(Value::List((0..times).flat_map(|_| items.iter().cloned()).collect()))
}

pub(super) fn sum(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let Some((first, rest)) = items.split_first() else { return Ok(Value::Int(0)) };
    rest.iter().try_fold(first.clone(), |sum, v| add(&sum, v)).map_err(|fault| match fault {
        OperatorFault::Kinds => Fault::Kinds,
        _ => Fault::Argument { code: codes::OVERFLOW, message: "the sum does not fit".into(), help: None },
    })
}

pub(super) fn min(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    Ok(extreme(cx, &items, Ordering::Less).and_then(|at| items.get(at)).cloned().unwrap_or_default())
}

pub(super) fn max(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    Ok(extreme(cx, &items, Ordering::Greater).and_then(|at| items.get(at)).cloned().unwrap_or_default())
}

/// The index of the first of the least, or greatest, values.
pub(super) fn extreme(cx: &Cx<'_>, values: &[Value], wanted: Ordering) -> Option<usize> {
    let mut best = (0, values.first()?);
    for (at, value) in values.iter().enumerate().skip(1) {
        if compare(cx.plan, value, best.1) == wanted {
            best = (at, value);
        }
    }
    Some(best.0)
}

pub(super) fn average(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    if items.is_empty() {
        return Ok(Value::Null);
    }
    let mut sum = 0.0;
    for item in items.iter() {
        let Value::Float(v) = item else { return Err(Fault::Kinds) };
        sum += v;
    }
    let average = sum / items.len() as f64;
    if average.is_finite() { Ok(Value::Float(average + 0.0)) } else { overflow("the sum does not fit") }
}

pub(super) fn join(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let separator = args.opt_str(1)?.map_or("", |s| s.as_str());
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        let before = out.len();
        if !print::text(&mut out, cx.program, item) {
            return Err(Fault::Kinds);
        }
        cx.charge(1, out.len() - before + separator.len())?;
    }
    cx.string(out)
}

pub(super) fn to_set(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    sorted_set(cx, args, 0)
}

pub(super) fn to_list(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::List(args.seq(cx, 0)?))
}

pub(super) fn to_map(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let items = args.seq(cx, 0)?;
    let mut entries = Vec::with_capacity(items.len());
    for item in items.iter() {
        let Value::Anon(fields) = item else { return Err(Fault::Kinds) };
        let field = |name: &str| fields.iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| v.clone());
        let (Some(key), Some(value)) = (field("key"), field("value")) else { return Err(Fault::Kinds) };
        entries.push((key, value));
    }
    map_of(cx, entries)
}

/// A map of entries; the same key twice is an error.
pub(super) fn map_of(cx: &mut Cx<'_>, entries: Vec<(Value, Value)>) -> Done {
    sort_cost(cx, entries.len())?;
    cx.charge(0, entries.len() * size_of::<Value>() * 2)?;
    sorted_entries(cx.plan, entries).map_err(|key| Fault::Argument {
        code: codes::DUPLICATE_KEY,
        message: format!("the key {} is there twice", print::shown(cx.program, &key)),
        help: Some("`.group_by(…)` gathers what has the same key".to_owned()),
    })
}

pub(super) fn union(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (a, b) = (args.seq(cx, 0)?, args.seq(cx, 1)?);
    sort_cost(cx, a.len() + b.len())?;
    cx.charge(0, (a.len() + b.len()) * size_of::<Value>())?;
    Ok(set_of(cx.plan, a.iter().chain(b.iter()).cloned().collect()))
}

fn kept(cx: &mut Cx<'_>, args: Args<'_>, in_both: bool) -> Done {
    let a = args.seq(cx, 0)?;
    let b = sorted_set(cx, args, 1)?;
    sort_cost(cx, a.len())?;
    Ok(set_of(cx.plan, a.iter().filter(|v| is_in(cx, &b, v) == in_both).cloned().collect()))
}

pub(super) fn intersection(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    kept(cx, args, true)
}

pub(super) fn difference(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    kept(cx, args, false)
}

pub(super) fn is_subset(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let a = args.seq(cx, 0)?;
    let b = sorted_set(cx, args, 1)?;
    sort_cost(cx, a.len())?;
    Ok(Value::Bool(a.iter().all(|v| is_in(cx, &b, v))))
}

pub(super) fn range(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (start, end) = (args.int(0)?, args.int(1)?);
    let step = args.opt_int(2)?.unwrap_or(1);
    if step == 0 {
        return wrong("the step is 0, and the range has no end");
    }
    let distance = (i128::from(end) - i128::from(start)) * i128::from(step.signum());
    let width = i128::from(step).abs();
    let n = if distance <= 0 { 0 } else { (distance + width - 1) / width };
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    cx.charge(n, n.saturating_mul(size_of::<Value>()))?;
    let mut items = Vec::with_capacity(n);
    let mut at = start;
    for _ in 0..n {
        items.push(Value::Int(at));
        // The one after the last may not fit, and is not used.
        at = at.wrapping_add(step);
    }
    Ok(Value::List(items.into()))
}
