//! Types.

use chumsky::prelude::*;

use crate::syntax::ast::*;
use crate::syntax::token::Kind;

use super::P;
use super::primitive::{bit, one, path, path_of, plain_string, tok, token};

/// The parsers of types.
#[derive(Clone)]
pub(super) struct Types {
    /// With `|` and `where`.
    pub full: P<TypeExpr>,
    /// The same before a block: no brace literal after `where`.
    pub result: P<TypeExpr>,
    /// Without: what follows `is` and `as`.
    pub simple: P<TypeExpr>,
}

/// `bare` and `head` parse what follows `where`.
pub(super) fn types(bare: P<Expr>, head: P<Expr>) -> Types {
    let mut union = Recursive::declare();
    let arguments = union
        .clone()
        .separated_by(tok(Kind::Comma))
        .at_least(1)
        .allow_trailing()
        .collect::<Vec<TypeExpr>>()
        .delimited_by(tok(Kind::Lt), tok(Kind::Gt));
    let null = tok(Kind::Null).to(TypeKind::Null);
    let number = tok(Kind::Minus).or_not().then(tok(Kind::Number)).map_with(|(minus, number), e| {
        match e.state().int_literal(number, minus.is_some()) {
            Some(value) => TypeKind::Int(value),
            None => TypeKind::Error,
        }
    });
    let text = plain_string().map(|s| TypeKind::Str(s.text));
    let generic = token(bit(Kind::Ident), Kind::is_generic)
        .map_with(|tok, e| e.state().ident(tok))
        .then(arguments)
        .map(|(name, args)| TypeKind::Named { path: path_of(vec![name]), args });
    let named = not_null(path()).map(|path| TypeKind::Named { path, args: Vec::new() });
    let paren = tok(Kind::Paren).map_with(|tok, e| e.state().paren_type(tok));
    let atom = choice((
        paren,
        choice((null, number, text, generic, named)).map_with(|kind, e| TypeExpr { span: e.span(), kind }),
    ))
    .boxed();
    let simple = atom
        .then(one(&[Kind::Question]).or_not())
        .map_with(|(ty, optional), e| match optional {
            Some(_) => TypeExpr { span: e.span(), kind: TypeKind::Optional(Box::new(ty)) },
            None => ty,
        })
        .boxed();
    union.define(
        tok(Kind::Pipe)
            .or_not()
            .ignore_then(simple.clone().separated_by(tok(Kind::Pipe)).at_least(1).collect::<Vec<_>>())
            .map_with(|mut types, e| match types.pop() {
                Some(only) if types.is_empty() => only,
                last => {
                    types.extend(last);
                    TypeExpr { span: e.span(), kind: TypeKind::Union(types) }
                }
            }),
    );
    let union = union.boxed();
    Types { full: refined(union.clone(), bare), result: refined(union, head), simple }
}

/// `T where P`.
fn refined(ty: P<TypeExpr>, condition: P<Expr>) -> P<TypeExpr> {
    ty.then(tok(Kind::Where).ignore_then(condition).or_not())
        .map_with(|(ty, condition), e| match condition {
            Some(condition) => {
                TypeExpr { span: e.span(), kind: TypeKind::Where(Box::new(ty), Box::new(condition)) }
            }
            None => ty,
        })
        .boxed()
}

/// `null` is a type of its own, and no path.
fn not_null(path: P<Path>) -> P<Path> {
    token(bit(Kind::Ident), |k| k != Kind::Null).rewind().ignore_then(path).boxed()
}
