//! What stands in brackets, braces and strings.

use chumsky::prelude::*;

use crate::base::Span;
use crate::diag::codes::syntax as codes;
use crate::syntax::ast::*;
use crate::syntax::literal::{self, Dedented, Number, Piece};
use crate::syntax::split::{Body, Tok};
use crate::syntax::token::{Kind, Token};

use super::expr::Exprs;
use super::message::What;
use super::primitive::{field_path, name, one, plain_string, tok};
use super::{Cx, P};

/// An entry of a brace literal.
pub(super) fn entry(all: &Exprs) -> P<Entry> {
    let value = tok(Kind::Colon).ignore_then(all.expr.clone()).boxed();
    let spread = tok(Kind::Ellipsis).ignore_then(all.expr.clone()).map(EntryKind::Spread);
    // The key is read once `:` is seen.
    let computed = tok(Kind::Bracket)
        .then_ignore(tok(Kind::Colon).rewind())
        .map_with(|tok, e| e.state().bracketed(tok))
        .then(value.clone())
        .map(|(key, value)| EntryKind::Computed { key, value });
    let quoted = plain_string().then(value.clone()).map(|(key, value)| EntryKind::Quoted { key, value });
    let field = name().then(value.or_not()).map(|(name, value)| EntryKind::Field { name, value });
    choice((spread, computed, quoted, field)).map_with(|kind, e| Entry { span: e.span(), kind }).boxed()
}

/// An argument.
pub(super) fn arg(all: &Exprs) -> P<Arg> {
    let one_param = name().then_ignore(tok(Kind::FatArrow)).map(|name| vec![name]);
    let params = tok(Kind::Paren).then_ignore(tok(Kind::FatArrow)).map_with(|params, e| {
        e.state().parts(params, Body::Elements, |cx, part, end| cx.part(What::Name, part, end, |g| &g.name))
    });
    let lambda = one_param.or(params).then(body(all)).map_with(|(params, body), e| Expr {
        span: e.span(),
        kind: ExprKind::Lambda { params, body: Box::new(body) },
    });
    field_path()
        .then_ignore(tok(Kind::Colon))
        .or_not()
        .then(lambda.or(all.expr.clone()))
        .map(|(name, value)| Arg { name, value })
        .boxed()
}

/// What follows `=>`: a block, or a value.
fn body(all: &Exprs) -> P<Expr> {
    let block = tok(Kind::Brace).map_with(|tok, e| {
        let block = e.state().block(tok);
        Expr { span: block.span, kind: ExprKind::Block(block) }
    });
    block.or(all.expr.clone()).boxed()
}

/// An arm of a `match`.
pub(super) fn arm(all: &Exprs) -> P<Arm> {
    let number = tok(Kind::Minus)
        .or_not()
        .then(tok(Kind::Number))
        .map_with(|(minus, number), e| e.state().signed_number(number, minus));
    let text =
        plain_string().map(|s| Expr { span: s.span, kind: ExprKind::Str(vec![StrPart::Text(s.text)]) });
    let truth = one(&[Kind::True, Kind::False]).map_with(|tok, e| e.state().literal(tok));
    let literal = choice((number, text, truth)).map(|e| PatternKind::Literal(Box::new(e)));
    let null = tok(Kind::Null).to(PatternKind::Null);
    let named =
        name().separated_by(one(&[Kind::PathSep, Kind::Dot])).at_least(1).collect::<Vec<_>>().map(|parts| {
            match parts.as_slice() {
                [only] if only.name.as_str() == "_" => PatternKind::Any,
                _ => PatternKind::Name(super::primitive::path_of(parts)),
            }
        });
    let pattern = choice((literal, null, named)).map_with(|kind, e| Pattern { span: e.span(), kind });
    pattern
        .separated_by(tok(Kind::Pipe))
        .at_least(1)
        .allow_leading()
        .collect::<Vec<_>>()
        .then_ignore(tok(Kind::FatArrow))
        .then(body(all))
        .map_with(|(patterns, body), e| Arm { span: e.span(), patterns, body })
        .boxed()
}

/// One name, or two.
pub(super) fn names() -> P<Vec<Ident>> {
    name()
        .then(tok(Kind::Comma).ignore_then(name()).or_not())
        .map(|(first, second)| std::iter::once(first).chain(second).collect())
        .boxed()
}

fn clauses(all: &Exprs) -> P<Vec<Clause>> {
    let each = tok(Kind::For)
        .ignore_then(names())
        .then_ignore(tok(Kind::In))
        .then(all.expr.clone())
        .map(|(names, over)| Clause::For { names, over })
        .boxed();
    let only = tok(Kind::If).ignore_then(all.expr.clone()).map(Clause::If);
    each.clone()
        .then(each.or(only).repeated().collect::<Vec<_>>())
        .map(|(first, more)| std::iter::once(first).chain(more).collect())
        .boxed()
}

/// `e for x in xs if c`.
pub(super) fn list_comprehension(all: &Exprs) -> P<ExprKind> {
    all.expr
        .clone()
        .then(clauses(all))
        .map(|(element, clauses)| ExprKind::ListComp { element: Box::new(element), clauses })
        .boxed()
}

/// `k: v for k, v in m`.
pub(super) fn map_comprehension(all: &Exprs) -> P<ExprKind> {
    all.expr
        .clone()
        .then_ignore(tok(Kind::Colon))
        .then(all.expr.clone())
        .then(clauses(all))
        .map(|((key, value), clauses)| ExprKind::MapComp {
            key: Box::new(key),
            value: Box::new(value),
            clauses,
        })
        .boxed()
}

/// `for x in` and `for k, v in` stand in no other group.
fn is_comprehension(toks: &[Tok]) -> bool {
    let kind = |i: usize| toks.get(i).map(|t| t.kind);
    let is_for = |i: usize| {
        kind(i) == Some(Kind::For)
            && (kind(i + 2) == Some(Kind::In)
                || (kind(i + 2) == Some(Kind::Comma) && kind(i + 4) == Some(Kind::In)))
    };
    (1..toks.len()).any(is_for)
}

impl Cx {
    fn failed(&self, span: Span) -> Expr {
        Expr { span, kind: ExprKind::Error }
    }

    /// `(…)`, `[…]` or `{…}` as a value.
    pub(super) fn group(&mut self, tok: Tok) -> Expr {
        let kind = match tok.kind {
            Kind::Paren => {
                let inner = self.inside(tok, |cx, toks, end| cx.expr_of(&toks, end));
                ExprKind::Paren(Box::new(inner.unwrap_or(self.failed(tok.span))))
            }
            Kind::Bracket => self
                .comprehension(tok, |g| &g.list_comprehension)
                .unwrap_or_else(|| ExprKind::List(self.elements(tok))),
            _ => self
                .comprehension(tok, |g| &g.map_comprehension)
                .unwrap_or_else(|| ExprKind::Brace(self.entries(tok))),
        };
        Expr { span: tok.span, kind }
    }

    /// None if the group holds no comprehension.
    fn comprehension(&mut self, tok: Tok, pick: fn(&super::Grammar) -> &P<ExprKind>) -> Option<ExprKind> {
        let tokens = &self.lexed.tokens;
        let end = crate::syntax::split::group_end(tokens, tok.at);
        // A look at the level before it is read costs what reading it costs.
        let toks = crate::syntax::split::level(tokens, tok.at as usize + 1, end.inside);
        if !is_comprehension(&toks) {
            return None;
        }
        self.note(tok, Body::Comprehension);
        let kind = self.inside(tok, |cx, toks, end| cx.part(What::Comprehension, &toks, end, pick));
        Some(kind.flatten().unwrap_or(ExprKind::Error))
    }

    /// `[e]` of a computed key.
    pub(super) fn bracketed(&mut self, tok: Tok) -> Expr {
        self.inside(tok, |cx, toks, end| cx.expr_of(&toks, end)).unwrap_or(self.failed(tok.span))
    }

    /// The values of `[a, b]`.
    pub(super) fn elements(&mut self, tok: Tok) -> Vec<Expr> {
        self.parts(tok, Body::Elements, |cx, part, end| Some(cx.expr_of(part, end)))
    }

    /// The arguments of `(…)` and `[…]`.
    pub(super) fn args(&mut self, tok: Tok) -> Vec<Arg> {
        self.elements_of(tok, Body::Elements, What::Arg, |g| &g.arg)
    }

    /// The entries of `{…}`.
    pub(super) fn entries(&mut self, tok: Tok) -> Vec<Entry> {
        self.several_parts(tok, Body::Entries, |cx, part, end, found| cx.entry_into(part, end, found))
    }

    fn entry_into(&mut self, part: &[Tok], end: Span, found: &mut Vec<Entry>) {
        let fault = match self.try_part(What::Entry, part, end, |g| &g.entry) {
            Ok(entry) => return found.push(entry),
            Err(fault) => fault,
        };
        self.report(fault, What::Entry, part, end);
        // `a: 1 b: 2` is two entries, and only what separates them is missing.
        let at = fault.map_or(0, |f| f.index(part));
        let another = at > 1
            && part.get(at + 1).is_some_and(|t| t.kind == Kind::Colon)
            && self.word(part.get(at)).is_some();
        if another && self.afford(part) {
            let (one, other) = part.split_at(at);
            self.entry_into(one, super::end_of(one, end), found);
            return self.entry_into(other, end, found);
        }
        found.extend(self.broken_entry(part, end));
    }

    fn broken_entry(&mut self, part: &[Tok], end: Span) -> Option<Entry> {
        // The name is known: nobody shall say that the field is missing.
        let first = part.first().filter(|t| t.kind == Kind::Ident || t.kind.is_keyword())?;
        let value = Some(self.failed(Span::at(end.start as usize)));
        let kind = EntryKind::Field { name: self.ident(*first), value };
        Some(Entry { span: first.span, kind })
    }

    /// The arms of a `match`.
    pub(super) fn arms(&mut self, tok: Tok) -> Vec<Arm> {
        self.parts(tok, Body::Arms, |cx, part, end| cx.part(What::Arm, part, end, |g| &g.arm))
    }

    /// `(T)`.
    pub(super) fn paren_type(&mut self, tok: Tok) -> TypeExpr {
        let inner = self.inside(tok, |cx, toks, end| cx.part(What::Type, &toks, end, |g| &g.ty));
        inner.flatten().unwrap_or(TypeExpr { span: tok.span, kind: TypeKind::Error })
    }

    /// `{ statements }`.
    pub(super) fn block(&mut self, tok: Tok) -> Block {
        Block { span: tok.span, stmts: self.parts(tok, Body::Stmts, Self::stmt) }
    }

    fn stmt(&mut self, part: &[Tok], end: Span) -> Option<Stmt> {
        let before = self.sink.count();
        if let Some(mut found) = self.part(What::Stmt, part, end, |g| &g.stmt) {
            if let StmtKind::Check(check) = &mut found.kind {
                self.distrust(check, before);
            }
            return Some(found);
        }
        let span = part.iter().map(|t| t.span).reduce(Span::to)?;
        let value = self.failed(span);
        let kind = match part {
            [word, name, ..]
                if word.kind == Kind::Let && (name.kind == Kind::Ident || name.kind.is_keyword()) =>
            {
                StmtKind::Let { name: self.ident(*name), ty: None, value }
            }
            _ => StmtKind::Expr(value),
        };
        Some(Stmt { span, kind })
    }

    /// A literal of one token.
    pub(super) fn literal(&mut self, tok: Tok) -> Expr {
        let kind = match tok.kind {
            Kind::Number => return self.signed_number(tok, None),
            Kind::True => ExprKind::Bool(true),
            Kind::False => ExprKind::Bool(false),
            Kind::Null => ExprKind::Null,
            _ => ExprKind::Str(self.string(tok)),
        };
        Expr { span: tok.span, kind }
    }

    fn number(&mut self, tok: Tok) -> Option<Number> {
        match literal::number(self.text(tok.span)) {
            Ok(number) => Some(number),
            Err(error) => {
                self.literal_error(error, tok.span);
                None
            }
        }
    }

    fn literal_error(&mut self, error: literal::LiteralError, span: Span) {
        let mut diagnostic = self.sink.at(error.code, span, error.message);
        diagnostic.help = error.help;
        self.sink.push(diagnostic);
    }

    /// A number, and a sign that belongs to it.
    pub(super) fn signed_number(&mut self, tok: Tok, minus: Option<Tok>) -> Expr {
        let span = minus.map_or(tok.span, |m| m.span.to(tok.span));
        let sign = if minus.is_some() { -1 } else { 1 };
        let kind = match self.number(tok) {
            Some(Number::Int(value)) => match i64::try_from(value) {
                Ok(value) => ExprKind::Int(sign * value),
                // The one number that has no positive twin.
                Err(_) if value == 1 << 63 && (minus.is_some() || self.follows_minus(tok)) => {
                    ExprKind::Int(i64::MIN)
                }
                Err(_) => {
                    let text = self.text(tok.span).to_owned();
                    let message = format!("`{text}` is too large");
                    let help = "an int has 64 bits: from -9223372036854775808 to 9223372036854775807";
                    self.sink.push(self.sink.at(codes::BAD_NUMBER, tok.span, message).help(help));
                    ExprKind::Error
                }
            },
            Some(Number::Float(value)) => ExprKind::Float(sign as f64 * value),
            Some(Number::Duration(value)) => ExprKind::Duration(sign * value),
            Some(Number::Size(value)) => ExprKind::Size(sign * value),
            None => ExprKind::Error,
        };
        Expr { span, kind }
    }

    fn follows_minus(&self, tok: Tok) -> bool {
        let before = (tok.at as usize).checked_sub(1).and_then(|i| self.lexed.tokens.get(i));
        before.is_some_and(|t| t.kind == Kind::Minus)
    }

    /// An int where only an int may stand.
    pub(super) fn int_literal(&mut self, tok: Tok, negative: bool) -> Option<i64> {
        let minus = negative.then_some(tok);
        let found = self.signed_number(tok, minus);
        match found.kind {
            ExprKind::Int(value) => Some(value),
            ExprKind::Error => None,
            _ => {
                let message = "only an int or a string can be a type";
                self.sink.error(codes::BAD_NUMBER, tok.span, message);
                None
            }
        }
    }

    /// A string that may not have interpolation.
    pub(super) fn plain_string(&mut self, tok: Tok) -> StrLit {
        let mut text = String::new();
        for part in self.string(tok) {
            match part {
                StrPart::Text(part) => text.push_str(&part),
                StrPart::Expr { expr, .. } => {
                    let error = self
                        .sink
                        .at(codes::PLAIN_STRING, expr.span, "there is nothing to interpolate here")
                        .help("this string stands for itself; write `\\${` for the text `${`");
                    self.sink.push(error);
                    // Whoever reads the text shall not stumble over what is left of it.
                    text.push('_');
                }
            }
        }
        StrLit { text, span: tok.span }
    }

    /// The parts of a string.
    fn string(&mut self, tok: Tok) -> Vec<StrPart> {
        if tok.kind == Kind::RawStr {
            return vec![StrPart::Text(self.raw_string(tok))];
        }
        let block = self.lexed.tokens.get(tok.at as usize).is_some_and(|t| t.kind == Kind::BlockQuote);
        let parts = self.string_tokens(tok);
        if block { self.block_string(&parts) } else { self.line_string(&parts) }
    }

    fn raw_string(&mut self, tok: Tok) -> String {
        let text = self.text(tok.span);
        let inner = if let Some(quoted) = text.strip_prefix('\'') {
            quoted.strip_suffix('\'').unwrap_or(quoted)
        } else {
            let hashes = text.bytes().skip(1).take_while(|&b| b == b'#').count();
            text.get(hashes + 2..text.len().saturating_sub(hashes + 1)).unwrap_or_default()
        };
        inner.replace("\r\n", "\n")
    }

    /// The tokens of a string: text and openings of `${`.
    pub(super) fn string_tokens(&self, tok: Tok) -> Vec<Token> {
        let tokens = &self.lexed.tokens;
        let Some(close) = tokens.get(tok.at as usize).map(|t| t.partner as usize) else { return Vec::new() };
        let mut found = Vec::new();
        let mut i = tok.at as usize + 1;
        while i < close {
            let Some(token) = tokens.get(i).copied() else { break };
            let at = i as u32;
            i = match token.kind {
                Kind::InterpOpen => token.partner as usize + 1,
                _ => i + 1,
            }
            .max(i + 1);
            // The index of the opening is what reading it needs.
            found.push(Token { partner: at, ..token });
        }
        found
    }

    fn line_string(&mut self, parts: &[Token]) -> Vec<StrPart> {
        let mut found = Vec::new();
        for part in parts {
            found.push(match part.kind {
                Kind::StrText => StrPart::Text(self.unescaped(part.span)),
                _ => StrPart::Expr { expr: Box::new(self.hole(part)), indent: None },
            });
        }
        found
    }

    fn unescaped(&mut self, span: Span) -> String {
        let mut errors = Vec::new();
        let text = literal::unescape(self.text(span), &mut errors);
        for (at, len, error) in errors {
            let start = span.start as usize + at;
            self.literal_error(error, Span::new(start, start + len));
        }
        text
    }

    /// The expression of `${…}`.
    pub(super) fn hole(&mut self, open: &Token) -> Expr {
        let at = open.partner;
        let end = crate::syntax::split::group_end(&self.lexed.tokens, at);
        let tok = Tok { kind: Kind::InterpOpen, newline: false, span: open.span.to(end.close), at };
        let expr = self.inside(tok, |cx, toks, end| {
            if toks.is_empty() {
                let span = open.span.to(end);
                cx.sink.push(
                    cx.sink
                        .at(codes::UNEXPECTED_TOKEN, span, "this interpolation is empty")
                        .help("write an expression in it, or `\\${` for the text itself"),
                );
                return cx.failed(span);
            }
            cx.expr_of(&toks, end)
        });
        expr.unwrap_or(self.failed(tok.span))
    }

    fn block_string(&mut self, parts: &[Token]) -> Vec<StrPart> {
        let dedented = {
            let pieces: Vec<_> = parts
                .iter()
                .map(|p| match p.kind {
                    Kind::StrText => Piece::Text(self.text(p.span)),
                    _ => Piece::Hole,
                })
                .collect();
            literal::dedent(&pieces)
        };
        // Escapes are looked at where they stand, and replaced where the text ends up.
        for part in parts.iter().filter(|p| p.kind == Kind::StrText) {
            self.unescaped(part.span);
        }
        let mut holes = parts.iter().filter(|p| p.kind != Kind::StrText);
        let mut found = Vec::new();
        for piece in dedented {
            match piece {
                Dedented::Text(text) => {
                    found.push(StrPart::Text(literal::unescape(&text, &mut Vec::new())));
                }
                Dedented::Hole(indent) => {
                    let Some(open) = holes.next() else { continue };
                    found.push(StrPart::Expr { expr: Box::new(self.hole(open)), indent });
                }
            }
        }
        found
    }

    /// The parts of a template: nothing is taken from its text but `\` before `${`.
    pub(in crate::syntax) fn template(&mut self) -> Vec<StrPart> {
        let end = Span::at(self.text.len());
        let parts = self.string_tokens(Tok { kind: Kind::Str, newline: false, span: end, at: 0 });
        let mut found = Vec::new();
        for part in &parts {
            found.push(match part.kind {
                Kind::StrText => StrPart::Text(self.text(part.span).replace("\\${", "${")),
                _ => {
                    let end = crate::syntax::split::group_end(&self.lexed.tokens, part.partner).close;
                    let indent = self.alone_on_line(part.span.to(end));
                    StrPart::Expr { expr: Box::new(self.hole(part)), indent }
                }
            });
        }
        found
    }

    /// The indentation of a `${…}` that stands alone on a line of a template.
    fn alone_on_line(&self, hole: Span) -> Option<String> {
        let before = self.text.get(..hole.start as usize)?;
        let before = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        let after = self.text.get(hole.end as usize..)?;
        let after = after.split_once('\n').map_or(after, |(line, _)| line);
        let alone = before.trim().is_empty() && after.trim().is_empty() && !before.is_empty();
        alone.then(|| before.to_owned())
    }

    /// Only what makes an object can have modifiers.
    pub(super) fn may_be_modified(&mut self, base: &Expr, modifiers: &[Modifier]) -> bool {
        let mut made = base;
        while let ExprKind::Paren(inner) = &made.kind {
            made = inner;
        }
        if matches!(made.kind, ExprKind::Construct { .. } | ExprKind::Error) {
            return true;
        }
        let Some(first) = modifiers.first() else { return true };
        let word = self.text(first.span).split_whitespace().next().unwrap_or_default().to_owned();
        let error = self
            .sink
            .at(
                codes::MISPLACED_MODIFIER,
                first.span,
                format!("`{word}` stands after a constructor, `T {{ … }}`"),
            )
            .help(format!("if it is a field, write `{word}: …`"));
        self.sink.push(error);
        false
    }
}
