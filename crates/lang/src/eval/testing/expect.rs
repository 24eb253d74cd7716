//! `expect`, `expect error`, `given`, `before`.

use std::fmt::Write as _;

use crate::diag::Diagnostic;
use crate::diag::codes::eval as codes;
use crate::eval::deferred::marks;
use crate::eval::machine::{Eval, Machine, Stop};
use crate::eval::operators;
use crate::eval::print;
use crate::eval::resolve::Unknown;
use crate::eval::value::{DeferredExpr, Value};
use crate::model::schema::Slot;
use crate::model::{Hir, HirKind};
use crate::syntax::ast::BinaryOp;

impl<'w> Machine<'w> {
    /// A statement that stands only in tests.
    pub fn test_statement(&mut self, hir: &'w Hir) -> Eval {
        match &hir.kind {
            HirKind::Expect(condition) => self.expect(condition),
            HirKind::ExpectError { message, body } => self.expect_error(hir, message, body),
            HirKind::Given { object, slot, value } => self.given(hir, object, *slot, value),
            HirKind::Before(body) => self.before(hir, body),
            _ => Err(self.unexpected(hir)),
        }
    }

    /// Says what does not hold, with the values on both sides.
    fn expect(&mut self, hir: &'w Hir) -> Eval {
        match &hir.kind {
            HirKind::Binary(BinaryOp::And, a, b) => {
                let first = self.expect(a);
                let second = self.expect(b);
                first.and(second)
            }
            HirKind::Binary(op, a, b) if !matches!(op, BinaryOp::Or | BinaryOp::Coalesce) => {
                self.expect_comparison(hir, *op, a, b)
            }
            _ => {
                let value = self.eval(hir)?;
                match self.known(hir, &value)? {
                    Value::Bool(true) => Ok(Value::Null),
                    _ => {
                        let problem = self.problem(codes::EXPECT, hir, "this is not so").at("false");
                        Err(self.report(problem))
                    }
                }
            }
        }
    }

    fn expect_comparison(&mut self, hir: &'w Hir, op: BinaryOp, a: &'w Hir, b: &'w Hir) -> Eval {
        let (left, right) = (self.eval(a)?, self.eval(b)?);
        let secret = marks(&left).secret || marks(&right).secret;
        let (x, y) = (self.known(a, &left)?, self.known(b, &right)?);
        match operators::apply(self.plan, op, &x, &y) {
            Ok(Value::Bool(true)) => Ok(Value::Null),
            Ok(_) => {
                let shown = |v: &Value, original: &Value| match marks(original).secret {
                    true => "(secret)".to_owned(),
                    false => print::shown(self.program, v),
                };
                let (left, right) = (shown(&x, &left), shown(&y, &right));
                let message = match op {
                    BinaryOp::Eq => "the two sides are not equal".to_owned(),
                    BinaryOp::Ne => "the two sides are equal".to_owned(),
                    op => format!("`{}` does not hold between the two sides", op.symbol()),
                };
                let mut problem = self.problem(codes::EXPECT, a, message).at(format!("this is {left}"));
                problem = problem.label(self.place(b.node), format!("this is {right}"));
                if !secret && let Some(difference) = difference(self, &x, &y) {
                    problem = problem.help(difference);
                }
                Err(self.report(problem))
            }
            Err(_) => Err(self.unexpected(hir)),
        }
    }

    /// The value that a marked one comes to: a secret that the test wrote, or what was given.
    fn known(&mut self, hir: &Hir, value: &Value) -> Eval {
        if !marks(value).any() {
            return Ok(value.clone());
        }
        let Some(bench) = self.bench else { return Err(self.unexpected(hir)) };
        match bench.reveal(value) {
            Ok(value) => Ok(value),
            Err(Unknown::Fails(message)) => {
                let problem = self.problem(codes::EXPECT, hir, message);
                Err(self.report(problem))
            }
            Err(Unknown::Waits(source)) => Err(self.waits(hir, &source)),
        }
    }

    fn waits(&mut self, hir: &Hir, source: &DeferredExpr) -> Stop {
        let problem = self.problem(codes::EXPECT, hir, "this is known only after a deploy");
        let problem = match source {
            DeferredExpr::Output { object, field } => {
                let output = format!("{}.{field}", print::reference(self.program, object));
                problem.help(format!("say what it will be, before: `given {output} = …`"))
            }
            _ => problem,
        };
        self.report(problem)
    }

    /// Wants a problem whose message contains a text.
    fn expect_error(&mut self, hir: &'w Hir, message: &'w Hir, body: &'w Hir) -> Eval {
        let Some(bench) = self.bench else { return Err(self.unexpected(hir)) };
        let Value::Str(wanted) = self.eval(message)? else { return Err(self.unexpected(message)) };
        let before = bench.snapshot();
        let expected = bench.problems(&self.out.references);
        let (said, referred) = (self.out.diagnostics.len(), self.out.references.len());
        let stopped = self.out.stopped;
        let _ = self.eval(body);
        let mut problems: Vec<Diagnostic> = self.out.diagnostics.drain(said..).collect();
        problems.extend(bench.problems(&self.out.references));
        problems.retain(|p| p.is_error() && !expected.contains(p));
        self.out.references.truncate(referred);
        self.out.stopped = stopped;
        bench.restore(before);
        if problems.iter().any(|p| p.message.contains(wanted.as_str())) {
            return Ok(Value::Null);
        }
        let text = format!("no problem says `{wanted}`");
        let mut problem = self.problem(codes::EXPECT_ERROR, hir, text);
        if problems.is_empty() {
            problem = problem.at("nothing is wrong here");
        } else {
            let mut others = String::from("what is said:");
            for other in problems.iter().take(5) {
                let _ = write!(others, "\n- {}", other.message);
            }
            problem = problem.help(others);
        }
        Err(self.report(problem))
    }

    fn given(&mut self, hir: &'w Hir, object: &'w Hir, slot: Slot, value: &'w Hir) -> Eval {
        let Some(bench) = self.bench else { return Err(self.unexpected(hir)) };
        let object = self.eval(object)?;
        let value = self.eval(value)?;
        match object {
            Value::Ref(reference) => {
                bench.give(&reference, slot, value);
                Ok(Value::Null)
            }
            _ => Err(self.unexpected(hir)),
        }
    }
}

/// The lines that differ, where both sides are texts of several lines or long values.
fn difference(machine: &Machine<'_>, left: &Value, right: &Value) -> Option<String> {
    const LONG: usize = 60;
    let text = |value: &Value| match value {
        Value::Str(text) => text.to_string(),
        other => parts(machine, other),
    };
    let (left, right) = (text(left), text(right));
    let long = |text: &str| text.contains('\n') || text.chars().count() > LONG;
    if !long(&left) && !long(&right) {
        return None;
    }
    let diff = similar::TextDiff::from_lines(&left, &right);
    let mut out = String::from("from the left side to the right one:");
    for hunk in diff.unified_diff().context_radius(2).iter_hunks() {
        for change in hunk.iter_changes() {
            let _ = write!(out, "\n{} {}", change.tag(), change.value().trim_end_matches('\n'));
        }
    }
    Some(out)
}

/// A value over several lines: one for each element, entry and field.
fn parts(machine: &Machine<'_>, value: &Value) -> String {
    let show = |v: &Value| print::whole(machine.program, v);
    match value {
        Value::List(items) | Value::Set(items) => items.iter().map(|v| show(v) + "\n").collect(),
        Value::Map(entries) => entries.iter().map(|(k, v)| format!("{}: {}\n", show(k), show(v))).collect(),
        Value::Anon(fields) => fields.iter().map(|(n, v)| format!("{n}: {}\n", show(v))).collect(),
        Value::Record(record) => {
            let def = machine.program.record(record.ty);
            let names = def.into_iter().flat_map(|d| &d.fields).map(|f| f.name);
            names.zip(&record.fields).map(|(n, v)| format!("{n}: {}\n", show(v))).collect()
        }
        other => show(other),
    }
}
