//! Statements: bodies of `impl`s and tests, checks.

use super::body::{Cx, Mode, Typed};
use super::coerce::Why;
use crate::base::Span;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::model::hir::HirKind;
use crate::model::schema::{AtDef, CheckDef};
use crate::model::{FieldKind, Hir, Type};
use crate::syntax::ast::{Check, Expr, ExprKind, Ident, RecordKind, Stmt, StmtKind, TypeExpr};
use crate::types::marks;

impl<'a> Cx<'_, 'a> {
    /// A statement; none if it leaves nothing to run. In a block that has a value, what makes
    /// objects stands in its expressions.
    pub fn statement(&mut self, stmt: &'a Stmt, in_value: bool) -> Option<Hir> {
        match &stmt.kind {
            StmtKind::Let { name, ty, value } => {
                Some(self.let_statement(*name, ty.as_ref(), value, stmt.span))
            }
            StmtKind::For { names, over, body } => {
                if in_value && !self.mode.constructs() {
                    let problem = self
                        .problem(
                            codes::NO_EFFECT,
                            stmt.span,
                            "this goes through values and makes nothing".to_owned(),
                        )
                        .help("write a comprehension: `[… for x in xs]`");
                    self.report(problem);
                }
                let scope = self.enter();
                let (over, locals) = self.go_through(names, over);
                let body = Box::new(self.statements(body));
                self.leave(scope);
                Some(self.hir(stmt.span, HirKind::For { locals, over: Box::new(over), body }))
            }
            StmtKind::Expr(e) => {
                if in_value && !self.mode.constructs() {
                    let value = self.expr(e, None);
                    if !value.is_error() {
                        let problem = self
                            .problem(codes::NO_EFFECT, e.span, "the value of this goes nowhere".to_owned())
                            .help("give it a name with `let`, or remove it");
                        self.report(problem);
                    }
                    return None;
                }
                Some(self.effect(e))
            }
            StmtKind::Check(check) => {
                let def = self.check_def(check);
                Some(self.hir(stmt.span, HirKind::Check(Box::new(def))))
            }
            StmtKind::Expect(e) => self.expect(e, stmt.span),
            StmtKind::ExpectError { message, body } => {
                self.only_in_tests(stmt.span, "expect error");
                let message = Box::new(self.check(message, &Type::Str, Why::Plain));
                let body = Box::new(self.statements(body));
                Some(self.hir(stmt.span, HirKind::ExpectError { message, body }))
            }
            StmtKind::Given { target, value } => self.given_output(target, value, stmt.span),
            StmtKind::Before(body) => {
                self.only_in_tests(stmt.span, "before");
                let body = Box::new(self.statements(body));
                Some(self.hir(stmt.span, HirKind::Before(body)))
            }
        }
    }

    fn let_statement(&mut self, name: Ident, ty: Option<&'a TypeExpr>, value: &'a Expr, span: Span) -> Hir {
        let (hir, ty, from) = match ty {
            Some(ty) => {
                let wanted = self.ck.lower_type(self.module, ty);
                let value_typed = self.expr(value, Some(&wanted));
                let from = value_typed.from;
                let hir = self.coerce(value_typed, value.span, &wanted, Why::Written(ty.span));
                (hir, wanted, from)
            }
            None => {
                let Typed { hir, ty, from } = self.expr(value, None);
                (hir, ty, from)
            }
        };
        let local = self.declare(name, ty, from);
        self.hir(span, HirKind::Let { local, value: Box::new(hir) })
    }

    fn only_in_tests(&mut self, span: Span, what: &str) {
        if self.mode != Mode::Test {
            let message = format!("`{what}` cannot stand in {}", self.mode.noun());
            let problem = self.problem(codes::ONLY_IN_TESTS, span, message).help("write it in a `test`");
            self.report(problem);
        }
    }

    fn expect(&mut self, e: &'a Expr, span: Span) -> Option<Hir> {
        self.only_in_tests(span, "expect");
        let (value, facts) = self.condition(e, Some(&Type::Bool));
        let (_, plain) = marks::split(&value.ty);
        let hir = self.coerce(Typed { ty: plain, ..value }, e.span, &Type::Bool, Why::Plain);
        self.assume_facts(facts.yes);
        Some(self.hir(span, HirKind::Expect(Box::new(hir))))
    }

    /// `given T[k].output = e`.
    fn given_output(&mut self, target: &'a Expr, value: &'a Expr, span: Span) -> Option<Hir> {
        self.only_in_tests(span, "given");
        let found = match &target.kind {
            ExprKind::Field(base, field) => {
                let object = self.expr(base, None);
                let output = object.ty.record().and_then(|id| {
                    let (slot, def) = self.record(id)?.field(field.name)?;
                    (def.kind == FieldKind::Output).then_some((id, slot, def.ty.clone()))
                });
                if object.is_error() {
                    self.expr(value, None);
                    return None;
                }
                output.map(|output| (object, output))
            }
            _ => {
                self.expr(target, None);
                None
            }
        };
        let Some((object, (id, slot, ty))) = found else {
            self.expr(value, None);
            let problem = self
                .problem(
                    codes::NOT_AN_OUTPUT,
                    target.span,
                    "only an output of a resource can be given".to_owned(),
                )
                .help("write `given T[…].output = …`");
            self.report(problem);
            return None;
        };
        let value = self.check(value, &ty, Why::Field(id, slot));
        Some(self.hir(span, HirKind::Given { object: Box::new(object.hir), slot, value: Box::new(value) }))
    }

    // Checks.

    /// A check.
    pub fn check_def(&mut self, check: &'a Check) -> CheckDef {
        let node = self.node(check.span);
        let scope = self.enter();
        let facts = self.facts.len();
        let said = self.ck.decls.diagnostics.len();
        let quantifier = check.quantifier.as_ref().map(|q| {
            let (over, locals) = self.go_through(&q.names, &q.over);
            (locals, over)
        });
        let (condition, narrowed) = self.decision(&check.condition, "a check");
        // Where the message is made, the condition does not hold.
        self.assume_facts(narrowed.no);
        let message = self.message(&check.message);
        self.forget(facts);
        let at = check.at.as_ref().and_then(|at| self.blame(at));
        self.leave(scope);
        // What is wrong with it says nothing of the data: it does not run.
        let wrong = self.ck.decls.diagnostics.iter().skip(said).any(Diagnostic::is_error);
        let condition = if wrong { self.hir(check.condition.span, HirKind::Error) } else { condition };
        CheckDef { file: self.file, node, quantifier, condition, message, at, locals: self.frame }
    }

    /// The message of a check: a string that no mark reaches.
    pub fn message(&mut self, e: &'a Expr) -> Hir {
        let value = self.expr(e, Some(&Type::Str));
        let value = self.plain(value, e.span, "a message");
        self.coerce(value, e.span, &Type::Str, Why::Plain)
    }

    /// `at m.name`: the record whose data is shown, and the fields to go through in it.
    fn blame(&mut self, at: &'a Expr) -> Option<AtDef> {
        let mut steps: Vec<Ident> = Vec::new();
        let mut base = at;
        loop {
            match &base.kind {
                ExprKind::Paren(inner) => base = inner,
                ExprKind::Field(inner, field) | ExprKind::OptField(inner, field) => {
                    steps.push(*field);
                    base = inner;
                    // Behind a reference it is another record's data.
                    let ty = self.path_of(base).and_then(|p| self.path_type(&p));
                    if ty.is_some_and(|ty| self.is_reference(&ty)) {
                        break;
                    }
                }
                // Which element of a list it is, is not known here: the list's line is shown.
                ExprKind::Index(inner, _) if self.as_type(inner).is_none() => {
                    steps.clear();
                    base = inner;
                }
                _ => break,
            }
        }
        let own_field = match &base.kind {
            ExprKind::Name(ident) if !self.has_local(ident.name) && self.this_field(ident.name).is_some() => {
                let ty = self.path_of(base).and_then(|p| self.path_type(&p));
                let behind = !steps.is_empty() && ty.is_some_and(|ty| self.is_reference(&ty));
                (!behind).then_some(*ident)
            }
            _ => None,
        };
        let value = match own_field {
            Some(ident) => {
                steps.push(ident);
                self.this_value(ident.span)?
            }
            None => self.expr(base, None),
        };
        if value.is_error() {
            return None;
        }
        steps.reverse();
        let path = self.blamed_path(&value.ty.clone(), &steps)?;
        if value.ty.non_null().record().is_none() && path.is_empty() {
            let problem = self
                .problem(
                    codes::BAD_BLAME,
                    at.span,
                    format!("a `{}` has no place in data", self.show(&value.ty)),
                )
                .help("`at` names a field of `self`, or of a record that is gone through");
            self.report(problem);
            return None;
        }
        Some(AtDef { base: value.hir, path })
    }

    /// The data names of the fields that are gone through.
    fn blamed_path(&mut self, ty: &Type, steps: &[Ident]) -> Option<Vec<ecow::EcoString>> {
        let mut path = Vec::with_capacity(steps.len());
        let mut ty = ty.clone();
        for step in steps {
            let (_, plain) = marks::split(&ty);
            let plain = plain.non_null().clone();
            let found = plain.record().and_then(|id| {
                let (_, field) = self.record(id)?.field(step.name)?;
                Some((field.kind.is_stored(), field.data_name.clone(), field.ty.clone()))
            });
            match found {
                Some((true, name, next)) => {
                    path.push(name);
                    ty = next;
                }
                Some((false, ..)) => {
                    let problem = self
                        .problem(
                            codes::BAD_BLAME,
                            step.span,
                            format!("`{}` does not stand in data", step.name),
                        )
                        .help("`at` names a field of the data that is to blame");
                    self.report(problem);
                    return None;
                }
                None if plain.record().is_some() => {
                    let hir = self.hir(step.span, HirKind::Error);
                    self.member(Typed::new(hir, plain), *step, step.span);
                    return None;
                }
                None => {
                    path.push(step.name.as_str().into());
                    ty = Type::Any;
                }
            }
        }
        Some(path)
    }

    fn is_reference(&self, ty: &Type) -> bool {
        let id = match ty.non_null().bare() {
            Type::Ref(id) | Type::Record(id) => *id,
            _ => return false,
        };
        !matches!(self.record(id).map(|r| r.kind), Some(RecordKind::Struct | RecordKind::Plain) | None)
    }
}
