//! Statements, and checks.

use chumsky::prelude::*;

use crate::syntax::ast::*;
use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

use super::expr::Exprs;
use super::fault::Fault;
use super::group::names;
use super::primitive::{name, tok, token};
use super::{Ex, In, P};

/// `check [x in E:] condition, message [at path]`.
pub(super) fn check(all: &Exprs) -> P<Check> {
    let quantifier = names()
        .then_ignore(tok(Kind::In))
        .then(all.expr.clone())
        .then_ignore(tok(Kind::Colon))
        .map(|(names, over)| Quantifier { names, over });
    // A `:` outside of brackets is that of a quantifier: nothing needs to be read twice.
    let quantifier =
        choice((colon_ahead(true).ignore_then(quantifier).map(Some), colon_ahead(false).to(None)));
    tok(Kind::Check)
        .ignore_then(quantifier.boxed())
        .then(all.expr.clone())
        .then_ignore(tok(Kind::Comma))
        .then(all.expr.clone())
        .then(tok(Kind::At).ignore_then(all.expr.clone()).or_not())
        .map_with(|(((quantifier, condition), message), at), e| Check {
            span: e.span(),
            quantifier,
            condition,
            message,
            at,
        })
        .boxed()
}

fn colon_ahead(wanted: bool) -> impl Parser<'static, In, (), Ex> + Clone {
    custom::<_, In, _, Ex>(move |inp| {
        let start = inp.save();
        let mut found = false;
        while let Some(tok) = inp.next() {
            found |= tok.kind == Kind::Colon;
        }
        inp.rewind(start);
        if found == wanted { Ok(()) } else { Err(Fault::new(0, inp.peek())) }
    })
}

/// A statement.
pub(super) fn stmt(all: &Exprs, check: &P<Check>) -> P<Stmt> {
    let block = tok(Kind::Brace).map_with(|tok, e| e.state().block(tok)).boxed();
    let binding = tok(Kind::Let)
        .ignore_then(name())
        .then(tok(Kind::Colon).ignore_then(all.ty.clone()).or_not())
        .then_ignore(tok(Kind::Assign))
        .then(all.expr.clone())
        .map(|((name, ty), value)| StmtKind::Let { name, ty, value });
    let each = tok(Kind::For)
        .ignore_then(names())
        .then_ignore(tok(Kind::In))
        .then(all.head.clone())
        .then(block.clone())
        .map(|((names, over), body)| StmtKind::For { names, over, body });
    let expect_error = tok(Kind::Expect)
        .then(tok(Kind::ErrorWord))
        .ignore_then(all.head.clone())
        .then(block.clone())
        .map(|(message, body)| StmtKind::ExpectError { message, body });
    let expect =
        tok(Kind::Expect).ignore_then(not_error()).ignore_then(all.expr.clone()).map(StmtKind::Expect);
    let given = tok(Kind::Given)
        .ignore_then(all.expr.clone())
        .then_ignore(tok(Kind::Assign))
        .then(all.expr.clone())
        .map(|(target, value)| StmtKind::Given { target, value });
    let before = tok(Kind::Before).ignore_then(block).map(StmtKind::Before);
    let value = not_statement().ignore_then(all.expr.clone()).map(StmtKind::Expr);
    choice((
        binding.boxed(),
        each.boxed(),
        check.clone().map(StmtKind::Check),
        expect_error.boxed(),
        expect.boxed(),
        given.boxed(),
        before.boxed(),
        value.boxed(),
    ))
    .map_with(|kind, e| Stmt { span: e.span(), kind })
    .boxed()
}

/// `expect error "m" {` is no value that is called `error`.
fn not_error() -> impl Parser<'static, In, (), Ex> + Clone {
    custom::<_, In, _, Ex>(|inp| {
        let start = inp.save();
        let first = inp.next();
        let second: Option<Tok> = inp.next();
        inp.rewind(start);
        let error = first.is_some_and(|t| t.kind == Kind::ErrorWord)
            && second.is_some_and(|t| matches!(t.kind, Kind::Str | Kind::RawStr));
        if error { Err(Fault::new(0, first)) } else { Ok(()) }
    })
}

/// These words begin a statement and never a value; so no value is read twice.
fn not_statement() -> impl Parser<'static, In, (), Ex> + Clone {
    token(0, |k| !matches!(k, Kind::Check | Kind::Expect | Kind::Given | Kind::Let | Kind::For))
        .rewind()
        .ignored()
}
