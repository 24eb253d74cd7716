//! Refinements that need no evaluator: ranges, regular expressions, lengths, and these joined by
//! `and`. They are nearly all there are, and are asked for every value.

use crate::eval::Value;
use crate::model::Program;
use crate::model::hir::{Hir, HirKind};
use crate::model::prelude::Builtin;
use crate::model::program::Refinement;
use crate::syntax::ast::BinaryOp;

/// A refinement, recognised.
#[derive(Debug)]
pub enum Fast {
    /// An int from the first to the last.
    Int(i64, i64),
    /// A string that matches: index into `Program::regexes`.
    Regex(u32),
    /// A string or list whose length is from the first to the last.
    Len(i64, i64),
    /// All of them.
    All(Vec<Fast>),
    /// Anything else: for the evaluator.
    Ask,
}

impl Fast {
    /// Recognises a refinement.
    pub fn new(refinement: &Refinement) -> Self {
        of(&refinement.body.root)
    }

    /// Whether a value satisfies it; none if the evaluator has to be asked.
    pub fn holds(&self, program: &Program, value: &Value) -> Option<bool> {
        Some(match (self, value) {
            (Fast::Int(low, high), Value::Int(i)) => (low..=high).contains(&i),
            (Fast::Regex(regex), Value::Str(text)) => {
                program.regexes.get(*regex as usize)?.compiled.is_match(text)
            }
            (Fast::Len(low, high), Value::Str(text)) => {
                let count = if text.is_ascii() { text.len() } else { text.chars().count() };
                (low..=high).contains(&&(count as i64))
            }
            (Fast::Len(low, high), Value::List(items) | Value::Set(items)) => {
                (low..=high).contains(&&(items.len() as i64))
            }
            (Fast::All(all), value) => {
                for fast in all {
                    if !fast.holds(program, value)? {
                        return Some(false);
                    }
                }
                true
            }
            _ => return None,
        })
    }
}

fn of(hir: &Hir) -> Fast {
    match &hir.kind {
        HirKind::Range { start, end, inclusive } => range(start.as_deref(), end.as_deref(), *inclusive),
        HirKind::Matches { value, regex } if is_self(value) => Fast::Regex(*regex),
        HirKind::Binary(BinaryOp::And, left, right) => match (of(left), of(right)) {
            (Fast::Ask, _) | (_, Fast::Ask) => Fast::Ask,
            (Fast::All(mut all), right) => {
                all.push(right);
                Fast::All(all)
            }
            (left, right) => Fast::All(vec![left, right]),
        },
        HirKind::Binary(BinaryOp::In, value, over) if is_self(value) => match &over.kind {
            HirKind::Range { .. } => of(over),
            _ => Fast::Ask,
        },
        HirKind::Binary(op, left, right) => match (&right.kind, subject(left)) {
            (HirKind::Int(bound), Some(make)) => compare(*op, *bound, make),
            _ => Fast::Ask,
        },
        _ => Fast::Ask,
    }
}

fn is_self(hir: &Hir) -> bool {
    matches!(hir.kind, HirKind::SelfValue)
}

fn range(start: Option<&Hir>, end: Option<&Hir>, inclusive: bool) -> Fast {
    let int = |hir: Option<&Hir>, default: i64| match hir.map(|h| &h.kind) {
        None => Some(default),
        Some(HirKind::Int(i)) => Some(*i),
        Some(_) => None,
    };
    match (int(start, i64::MIN), int(end, i64::MAX)) {
        (Some(low), Some(high)) if inclusive || end.is_none() => Fast::Int(low, high),
        (Some(low), Some(high)) => Fast::Int(low, high.saturating_sub(1)),
        _ => Fast::Ask,
    }
}

/// What is compared: the value, or its length.
fn subject(hir: &Hir) -> Option<fn(i64, i64) -> Fast> {
    match &hir.kind {
        HirKind::SelfValue => Some(Fast::Int),
        HirKind::Builtin { builtin: Builtin::StringLen | Builtin::ListLen, args } => match args.as_slice() {
            [Some(value)] if is_self(value) => Some(Fast::Len),
            _ => None,
        },
        _ => None,
    }
}

fn compare(op: BinaryOp, bound: i64, make: fn(i64, i64) -> Fast) -> Fast {
    match op {
        BinaryOp::Le => make(i64::MIN, bound),
        BinaryOp::Lt => make(i64::MIN, bound.saturating_sub(1)),
        BinaryOp::Ge => make(bound, i64::MAX),
        BinaryOp::Gt => make(bound.saturating_add(1), i64::MAX),
        BinaryOp::Eq => make(bound, bound),
        _ => Fast::Ask,
    }
}
