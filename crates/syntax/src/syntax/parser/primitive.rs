//! The smallest parsers: one token, a name, a path, a literal string.

use chumsky::prelude::*;

use crate::base::Span;
use crate::syntax::ast::*;
use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

use super::fault::Fault;
use super::{Ex, In, P};

/// One token for which `accept` holds; `expected` is what a message calls it.
pub(super) fn token(
    expected: u128,
    accept: impl Fn(Kind) -> bool + Clone + 'static,
) -> impl Parser<'static, In, Tok, Ex> + Clone {
    custom::<_, In, _, Ex>(move |inp| match inp.next() {
        Some(tok) if accept(tok.kind) => Ok(tok),
        found => Err(Fault::new(expected, found)),
    })
}

/// One token of this kind.
pub(super) fn tok(kind: Kind) -> impl Parser<'static, In, Tok, Ex> + Clone {
    token(bit(kind), move |k| k == kind)
}

/// One token of these kinds.
pub(super) fn one(kinds: &'static [Kind]) -> impl Parser<'static, In, Tok, Ex> + Clone {
    token(kinds.iter().fold(0, |set, &k| set | bit(k)), move |k| kinds.contains(&k))
}

/// The kind as a member of a set of expected kinds.
pub(super) const fn bit(kind: Kind) -> u128 {
    1 << kind as u8
}

/// A name where one is declared or follows `.`: any word.
pub(super) fn name() -> impl Parser<'static, In, Ident, Ex> + Clone {
    token(bit(Kind::Ident), |k| k == Kind::Ident || k.is_keyword()).map_with(|tok, e| e.state().ident(tok))
}

/// A name where a value is wanted. Words of the grammar are names there only where nothing else
/// can be meant: at the end of what holds them.
pub(super) fn operand_name() -> impl Parser<'static, In, Ident, Ex> + Clone {
    custom::<_, In, _, Ex>(|inp| {
        let found = inp.next();
        if let Some(tok) = found {
            let name = tok.kind == Kind::Ident
                || tok.kind.is_keyword()
                    && (!is_reserved(tok.kind)
                        || !is_literal(tok.kind) && inp.peek().is_none_or(|t: Tok| t.kind == Kind::Comma));
            if name {
                return Ok(inp.state().ident(tok));
            }
        }
        Err(Fault::new(bit(Kind::Ident), found))
    })
}

/// The word `not` before an operand; where nothing follows it is a name.
pub(super) fn not_word() -> impl Parser<'static, In, Tok, Ex> + Clone {
    custom::<_, In, _, Ex>(|inp| match inp.next() {
        Some(tok) if tok.kind == Kind::Not && inp.peek().is_some_and(|t: Tok| t.kind != Kind::Comma) => {
            Ok(tok)
        }
        found => Err(Fault::new(bit(Kind::Not), found)),
    })
}

fn is_literal(kind: Kind) -> bool {
    matches!(kind, Kind::True | Kind::False | Kind::Null)
}

/// Words that mean something before or between values.
pub(super) fn is_reserved(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        If | Else | Match | For | Let | And | Or | Not | In | Is | As | Where | When | True | False | Null
    )
}

/// `a::b::C`.
pub(super) fn path() -> P<Path> {
    name().separated_by(tok(Kind::PathSep)).at_least(1).collect::<Vec<_>>().map(path_of).boxed()
}

/// A path of these parts.
pub(super) fn path_of(parts: Vec<Ident>) -> Path {
    let span = parts.iter().map(|p| p.span).reduce(Span::to).unwrap_or_default();
    Path { parts, span }
}

/// `a.b.c`.
pub(super) fn field_path() -> P<Vec<Ident>> {
    name().separated_by(tok(Kind::Dot)).at_least(1).collect().boxed()
}

/// A string that stands for itself: without interpolation.
pub(super) fn plain_string() -> P<StrLit> {
    one(&[Kind::Str, Kind::RawStr]).map_with(|tok, e| e.state().plain_string(tok)).boxed()
}
