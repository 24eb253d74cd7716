//! `if`, `match`, blocks with a value.

use super::body::{Cx, Fact, Origin, Typed};
use super::coerce::Why;
use super::narrow::Facts;
use crate::base::Span;
use crate::diag::codes::types as codes;
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{Block, Expr, Stmt, StmtKind};
use crate::types::relation;

/// One branch, checked.
pub(super) struct Branch {
    pub value: Typed,
    pub span: Span,
}

impl<'a> Cx<'_, 'a> {
    pub fn if_value(
        &mut self,
        condition: &'a Expr,
        then: &'a Block,
        otherwise: Option<&'a Block>,
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let (condition, Facts { yes, no }) = self.decision(condition, "the condition of `if`");
        let mark = self.assume(yes);
        let first = Branch { value: self.block_value(then, want), span: value_span(then) };
        self.forget(mark);
        let condition = Box::new(condition);
        let Some(otherwise) = otherwise else {
            let Branch { value, .. } = first;
            let kind = HirKind::If { condition, then: Box::new(value.hir), otherwise: None };
            return Typed { hir: self.hir(span, kind), ty: value.ty.optional(), from: value.from };
        };
        let mark = self.assume(no);
        let second = Branch { value: self.block_value(otherwise, want), span: value_span(otherwise) };
        self.forget(mark);
        let (mut hirs, ty, from) = self.joined(vec![first, second], want);
        let otherwise = hirs.pop().map(Box::new);
        let then = hirs.pop().unwrap_or_else(|| self.hir(span, HirKind::Null));
        let kind = HirKind::If { condition, then: Box::new(then), otherwise };
        Typed { hir: self.hir(span, kind), ty, from }
    }

    /// The values of branches as values of one type.
    pub fn joined(&mut self, branches: Vec<Branch>, want: Option<&Type>) -> (Vec<Hir>, Type, Origin) {
        let mut from = branches.first().map_or(Origin::Other, |b| b.value.from);
        for branch in &branches {
            from = match branch.value.ty {
                Type::Null => from,
                _ => from.or(branch.value.from),
            };
        }
        let mut joined = Some(Type::Never);
        for branch in &branches {
            joined = joined.and_then(|ty| relation::join(self.program(), &ty, &branch.value.ty));
        }
        if let Some(ty) = joined {
            return (branches.into_iter().map(|b| b.value.hir).collect(), ty, from);
        }
        if let Some(want) = want.filter(|w| !matches!(w, Type::Error)) {
            let coerce = |b: Branch| self.coerce(b.value, b.span, want, Why::Plain);
            return (branches.into_iter().map(coerce).collect(), want.clone(), from);
        }
        let mut ty = Type::Never;
        let mut hirs = Vec::with_capacity(branches.len());
        let first = branches.first().map(|b| b.span);
        for Branch { value, span } in branches {
            ty = match relation::join(self.program(), &ty, &value.ty) {
                Some(ty) => ty,
                None => {
                    self.nothing_in_common(&ty, &value.ty, first.unwrap_or(span), span);
                    Type::Error
                }
            };
            hirs.push(value.hir);
        }
        (hirs, ty, from)
    }

    /// A block that has a value: `let`s, then an expression.
    pub fn block_value(&mut self, block: &'a Block, want: Option<&Type>) -> Typed {
        let mark = self.enter();
        let Some((last, before)) = block.stmts.split_last() else {
            return self.no_value(block.span);
        };
        let mut stmts = Vec::with_capacity(before.len());
        for stmt in before {
            if let Some(hir) = self.statement(stmt, true) {
                stmts.push(hir);
            }
        }
        let value = match &last.kind {
            StmtKind::Expr(e) => self.expr(e, want),
            _ => {
                self.statement(last, true);
                self.leave(mark);
                return self.no_value(last.span);
            }
        };
        self.leave(mark);
        if stmts.is_empty() {
            return value;
        }
        let Typed { hir, ty, from } = value;
        let kind = HirKind::Block { stmts, value: Some(Box::new(hir)) };
        Typed { hir: self.hir(block.span, kind), ty, from }
    }

    fn no_value(&mut self, span: Span) -> Typed {
        let problem = self
            .problem(codes::NO_VALUE, span, "this block has no value")
            .help("its last line is to be an expression");
        self.report(problem);
        self.wrong(span)
    }

    // Statements.

    /// `if` as a statement.
    pub fn if_statement(
        &mut self,
        condition: &'a Expr,
        then: &'a Block,
        otherwise: Option<&'a Block>,
        span: Span,
    ) -> Hir {
        let (condition, Facts { yes, no }) = self.decision(condition, "the condition of `if`");
        let mark = self.assume(yes);
        let then = Box::new(self.statements(then));
        self.forget(mark);
        let mark = self.assume(no);
        let otherwise = otherwise.map(|b| Box::new(self.statements(b)));
        self.forget(mark);
        self.hir(span, HirKind::If { condition: Box::new(condition), then, otherwise })
    }

    /// A block of statements.
    pub fn statements(&mut self, block: &'a Block) -> Hir {
        let mark = self.enter();
        let statement = |s| super::expr::on_stack(|| self.statement(s, false));
        let stmts = block.stmts.iter().filter_map(statement).collect();
        self.leave(mark);
        self.hir(block.span, HirKind::Block { stmts, value: None })
    }

    /// What follows from a condition, for the rest of the body.
    pub fn assume_facts(&mut self, facts: Vec<Fact>) {
        self.facts.extend(facts);
    }
}

/// Where a block's value stands.
fn value_span(block: &Block) -> Span {
    match block.stmts.last() {
        Some(Stmt { kind: StmtKind::Expr(e), .. }) => e.span,
        _ => block.span,
    }
}
