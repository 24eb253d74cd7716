//! Expressions.

use chumsky::pratt::{infix, left, prefix};
use chumsky::prelude::*;

use crate::base::Span;
use crate::syntax::ast::*;
use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

use super::primitive::{name, not_word, one, operand_name, path_of, tok, token};
use super::types::Types;
use super::{Ex, In, P};

/// What an expression of the same level is made of.
pub(super) struct Parts {
    /// An expression in a head.
    pub head: P<Expr>,
    /// Types after `is` and `as`.
    pub types: Types,
}

/// The finished parsers.
pub(super) struct Exprs {
    /// Anywhere.
    pub expr: P<Expr>,
    /// In the head of `if`, `for`, `match`, `when`: no brace literal.
    pub head: P<Expr>,
    /// In a field's default and after `where`: no cast.
    pub bare: P<Expr>,
    /// A type.
    pub ty: P<TypeExpr>,
    /// A type before a block.
    pub result: P<TypeExpr>,
}

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere.
    Free,
    /// In a head, where `{` opens the body.
    Head,
    /// Where a suffix of a field may follow, of which one is `as "…"`.
    Field,
}

fn boxed(kind: fn(Box<Expr>, Ident) -> ExprKind, base: Expr, name: Ident, span: Span) -> Expr {
    Expr { span, kind: kind(Box::new(base), name) }
}

/// An expression, with what may follow a constructor.
pub(super) fn expr(parts: &Parts, place: Place) -> P<Expr> {
    let value = logic(range(arithmetic(cast(postfixes(atom(parts, place)), parts, place))), parts);
    if place != Place::Free {
        return value;
    }
    let modifiers = modifier(value.clone()).repeated().collect::<Vec<_>>();
    value
        .then(modifiers)
        .map_with(|(base, modifiers), e| {
            if modifiers.is_empty() {
                return base;
            }
            let span = e.span();
            if !e.state().may_be_modified(&base, &modifiers) {
                return base;
            }
            Expr { span, kind: ExprKind::Modified { base: Box::new(base), modifiers } }
        })
        .boxed()
}

fn modifier(value: P<Expr>) -> P<Modifier> {
    let after = tok(Kind::After).ignore_then(value.clone()).map(ModifierKind::After);
    let timeout = tok(Kind::Timeout).ignore_then(value).map(ModifierKind::Timeout);
    let drift = tok(Kind::Drift).ignore_then(choice((
        tok(Kind::Report).to(ModifierKind::DriftReport),
        tok(Kind::Repair).to(ModifierKind::DriftRepair),
        tok(Kind::Ignore)
            .ignore_then(tok(Kind::Bracket))
            .map_with(|list, e| ModifierKind::DriftIgnore(e.state().elements(list))),
    )));
    let word = choice((
        tok(Kind::Protect).to(ModifierKind::Protect),
        tok(Kind::Adopt).to(ModifierKind::Adopt),
        tok(Kind::Keep).to(ModifierKind::Keep),
    ));
    choice((after, timeout, drift, word)).map_with(|kind, e| Modifier { span: e.span(), kind }).boxed()
}

fn atom(parts: &Parts, place: Place) -> P<Expr> {
    let literal = one(&[Kind::Number, Kind::Str, Kind::RawStr, Kind::True, Kind::False, Kind::Null])
        .map_with(|tok, e| e.state().literal(tok));
    let group = one(if place == Place::Head {
        &[Kind::Paren, Kind::Bracket]
    } else {
        &[Kind::Paren, Kind::Bracket, Kind::Brace]
    })
    .map_with(|tok, e| e.state().group(tok));
    // Any name could be that of a type: that a literal may follow is not worth a word.
    let braces = token(0, move |k| k == Kind::Brace && place != Place::Head).or_not();
    let value_path = operand_name()
        .then(tok(Kind::PathSep).ignore_then(name()).repeated().collect::<Vec<_>>())
        .map(|(first, rest)| {
            let mut path = vec![first];
            path.extend(rest);
            path
        });
    // `Transport.ssh { … }`: elsewhere braces never follow a field.
    let qualified = value_path
        .clone()
        .filter(|path| path.last().is_some_and(|name| names_a_type(*name)))
        .then(tok(Kind::Dot).ignore_then(name()))
        .then(token(0, move |k| k == Kind::Brace && place != Place::Head))
        .map_with(|((path, variant), braces), e| {
            let (path, entries) = (path_of(path), e.state().entries(braces));
            let kind = ExprKind::Construct { path, variant: Some(variant), body_span: braces.span, entries };
            Expr { span: e.span(), kind }
        });
    let named =
        value_path.then(braces).map_with(|(path, braces), e| named(path, braces, e.span(), e.state()));
    choice((literal, group, if_expr(parts), match_expr(parts), qualified, named)).boxed()
}

fn names_a_type(name: Ident) -> bool {
    name.name.as_str().starts_with(|c: char| c.is_ascii_uppercase())
}

fn named(path: Vec<Ident>, braces: Option<Tok>, span: Span, cx: &mut super::Cx) -> Expr {
    let path = path_of(path);
    let kind = match (braces, path.parts.as_slice()) {
        (Some(braces), _) => {
            let entries = cx.entries(braces);
            ExprKind::Construct { path, variant: None, body_span: braces.span, entries }
        }
        (None, [name]) => ExprKind::Name(*name),
        (None, _) => ExprKind::Path(path),
    };
    Expr { span, kind }
}

fn block() -> impl Parser<'static, In, Block, Ex> + Clone {
    tok(Kind::Brace).map_with(|tok, e| e.state().block(tok))
}

fn if_expr(parts: &Parts) -> P<Expr> {
    let branch = tok(Kind::If).then(parts.head.clone()).then(block()).boxed();
    let else_if = tok(Kind::Else).ignore_then(branch.clone());
    let otherwise = tok(Kind::Else).ignore_then(block());
    branch
        .then(else_if.repeated().collect::<Vec<_>>())
        .then(otherwise.or_not())
        .map(|((first, more), mut otherwise)| {
            // From the last `else if` on: each is the other branch of the one before.
            for branch in more.into_iter().rev() {
                let inner = if_of(branch, otherwise);
                let span = inner.span;
                let stmt = Stmt { span, kind: StmtKind::Expr(inner) };
                otherwise = Some(Block { span, stmts: vec![stmt] });
            }
            if_of(first, otherwise)
        })
        .boxed()
}

fn if_of(((word, condition), then): ((Tok, Expr), Block), otherwise: Option<Block>) -> Expr {
    let end = otherwise.as_ref().map_or(then.span, |b| b.span);
    let span = word.span.to(end);
    Expr { span, kind: ExprKind::If { condition: Box::new(condition), then, otherwise } }
}

fn match_expr(parts: &Parts) -> P<Expr> {
    tok(Kind::Match)
        .ignore_then(parts.head.clone())
        .then(tok(Kind::Brace))
        .map_with(|(subject, braces), e| {
            let arms = e.state().arms(braces);
            Expr { span: e.span(), kind: ExprKind::Match { subject: Box::new(subject), arms } }
        })
        .boxed()
}

/// What follows a value.
enum Post {
    Field(bool, Ident),
    Method(bool, Ident, Tok),
    Call(Tok),
    Index(Tok, bool),
    /// `?[…]`.
    OptIndex(Tok),
}

fn postfixes(atom: P<Expr>) -> P<Expr> {
    let member = one(&[Kind::Dot, Kind::OptDot]).then(name()).then(tok(Kind::Paren).or_not()).map(
        |((dot, name), args)| {
            let optional = dot.kind == Kind::OptDot;
            match args {
                Some(args) => Post::Method(optional, name, args),
                None => Post::Field(optional, name),
            }
        },
    );
    let post = choice((
        member,
        tok(Kind::Paren).map(Post::Call),
        tok(Kind::Bracket)
            .then(tok(Kind::Question).or_not())
            .map(|(args, lookup)| Post::Index(args, lookup.is_some())),
        tok(Kind::Question).ignore_then(tok(Kind::Bracket)).map(Post::OptIndex),
    ));
    atom.foldl_with(post.repeated(), |base, post, e| {
        let span = base.span.to(e.span());
        let cx = e.state();
        let kind = match post {
            Post::Field(false, name) => return boxed(ExprKind::Field, base, name, span),
            Post::Field(true, name) => return boxed(ExprKind::OptField, base, name, span),
            Post::Method(optional, name, args) => {
                ExprKind::Method { base: Box::new(base), optional, name, args: cx.args(args) }
            }
            Post::Call(args) => ExprKind::Call(Box::new(base), cx.args(args)),
            Post::OptIndex(args) => {
                let asked = Expr { span: base.span, kind: ExprKind::Lookup(Box::new(base)) };
                ExprKind::Index(Box::new(asked), cx.args(args))
            }
            Post::Index(args, lookup) => {
                let found = ExprKind::Index(Box::new(base), cx.args(args));
                if !lookup {
                    return Expr { span, kind: found };
                }
                // Without the `?`.
                let end = args.span.end;
                let inner = Span { start: span.start, end };
                ExprKind::Lookup(Box::new(Expr { span: inner, kind: found }))
            }
        };
        Expr { span, kind }
    })
    .boxed()
}

fn cast(value: P<Expr>, parts: &Parts, place: Place) -> P<Expr> {
    if place == Place::Field {
        return value;
    }
    value
        .foldl(tok(Kind::As).ignore_then(parts.types.simple.clone()).repeated(), |base, ty| Expr {
            span: base.span.to(ty.span),
            kind: ExprKind::As(Box::new(base), ty),
        })
        .boxed()
}

fn binary(l: Expr, op: BinaryOp, at: Span, r: Expr) -> Expr {
    Expr { span: l.span.to(r.span), kind: ExprKind::Binary(op, at, Box::new(l), Box::new(r)) }
}

fn arithmetic(operand: P<Expr>) -> P<Expr> {
    let of = |kind| match kind {
        Kind::Star => BinaryOp::Mul,
        Kind::Slash => BinaryOp::Div,
        Kind::Percent => BinaryOp::Rem,
        Kind::Plus => BinaryOp::Add,
        _ => BinaryOp::Sub,
    };
    operand
        .pratt((
            prefix(3, tok(Kind::Minus), |minus: Tok, e: Expr, _| negative(minus.span, e)),
            infix(left(2), one(&[Kind::Star, Kind::Slash, Kind::Percent]), move |l, op: Tok, r, _| {
                binary(l, of(op.kind), op.span, r)
            }),
            infix(left(1), one(&[Kind::Plus, Kind::Minus]), move |l, op: Tok, r, _| {
                binary(l, of(op.kind), op.span, r)
            }),
        ))
        .boxed()
}

fn negative(minus: Span, e: Expr) -> Expr {
    let span = minus.to(e.span);
    match e.kind {
        // Its absolute value is no int, so it is read with its sign.
        ExprKind::Int(i64::MIN) => Expr { span, kind: ExprKind::Int(i64::MIN) },
        _ => Expr { span, kind: ExprKind::Unary(UnaryOp::Neg, Box::new(e)) },
    }
}

fn range(bound: P<Expr>) -> P<Expr> {
    let rest = choice((
        tok(Kind::RangeInclusive).then(bound.clone().map(Some)),
        tok(Kind::Range).then(token(0, |k| !ends_range(k)).rewind().ignore_then(bound.clone()).or_not()),
    ))
    .boxed();
    let range = |start: Option<Expr>, (dots, end): (Tok, Option<Expr>)| {
        let from = start.as_ref().map_or(dots.span, |s| s.span);
        let to = end.as_ref().map_or(dots.span, |e| e.span);
        let inclusive = dots.kind == Kind::RangeInclusive;
        let kind = ExprKind::Range { start: start.map(Box::new), end: end.map(Box::new), inclusive };
        Expr { span: from.to(to), kind }
    };
    choice((
        bound.then(rest.clone().or_not()).map(move |(start, rest)| match rest {
            Some(rest) => range(Some(start), rest),
            None => start,
        }),
        rest.map(move |rest| range(None, rest)),
    ))
    .boxed()
}

/// Words that follow a value: after `..`, which may be the end of one, they are not the name of
/// its other end.
fn ends_range(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        If | After | Protect | Adopt | Keep | Timeout | Drift | At | By | To | Live | Restart | Replace | Was
    )
}

/// Level by level, and not with `pratt`: there the operand of `not` ends before an operator whose
/// right side cannot be read, and each `not` around it reads that side once more; a chain of such
/// operators takes as long as the product of their `not`s.
fn logic(operand: P<Expr>, parts: &Parts) -> P<Expr> {
    let denied = denied(operand, parts);
    let and = level(denied, Kind::And, BinaryOp::And);
    let or = level(and, Kind::Or, BinaryOp::Or);
    level(or, Kind::Coalesce, BinaryOp::Coalesce)
}

/// Operands joined by one operator, from the left.
fn level(operand: P<Expr>, kind: Kind, op: BinaryOp) -> P<Expr> {
    let rest = tok(kind).then(operand.clone()).repeated();
    operand.foldl(rest, move |l, (sign, r): (Tok, Expr)| binary(l, op, sign.span, r)).boxed()
}

/// A comparison after any number of `not`.
fn denied(operand: P<Expr>, parts: &Parts) -> P<Expr> {
    let mut denied = Recursive::declare();
    let comparison = comparison(operand, parts, denied.clone().boxed());
    let deny = |not: Tok, e: Expr| Expr {
        span: not.span.to(e.span),
        kind: ExprKind::Unary(UnaryOp::Not, Box::new(e)),
    };
    denied.define(not_word().repeated().foldr(comparison, deny));
    denied.boxed()
}

/// `a == b`, `a is T`. On the right a `not` may stand: it takes what follows with it, and so
/// ends the comparison.
fn comparison(operand: P<Expr>, parts: &Parts, denied: P<Expr>) -> P<Expr> {
    let comparator = one(&[Kind::Eq, Kind::Ne, Kind::Lt, Kind::Le, Kind::Gt, Kind::Ge, Kind::In])
        .map(|t| (t.kind, t.span))
        .or(tok(Kind::Not).then(tok(Kind::In)).map(|(n, i)| (Kind::Not, n.span.to(i.span))))
        .boxed();
    let is = tok(Kind::Is).ignore_then(parts.types.simple.clone()).map(Compared::Is);
    let with = comparator.clone().then(operand.clone()).map(|(op, right)| Compared::With(op, right));
    let with_denied =
        comparator.then(not_word().rewind().ignore_then(denied)).map(|(op, right)| Compared::With(op, right));
    let compared = choice((is, with, with_denied)).boxed();
    operand.then(compared.or_not()).map(|(left, compared)| compare(left, compared)).boxed()
}

/// What a value is compared with.
enum Compared {
    Is(TypeExpr),
    With((Kind, Span), Expr),
}

fn compare(left: Expr, compared: Option<Compared>) -> Expr {
    let (kind, at, right) = match compared {
        None => return left,
        Some(Compared::Is(ty)) => {
            return Expr { span: left.span.to(ty.span), kind: ExprKind::Is(Box::new(left), ty) };
        }
        Some(Compared::With((kind, at), right)) => (kind, at, right),
    };
    let op = match kind {
        Kind::Eq => BinaryOp::Eq,
        Kind::Ne => BinaryOp::Ne,
        Kind::Lt => BinaryOp::Lt,
        Kind::Le => BinaryOp::Le,
        Kind::Gt => BinaryOp::Gt,
        Kind::Ge => BinaryOp::Ge,
        Kind::In => BinaryOp::In,
        _ => BinaryOp::NotIn,
    };
    binary(left, op, at, right)
}
