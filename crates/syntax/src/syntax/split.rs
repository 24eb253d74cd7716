//! One level of the token trees, and the newline rule: where fields, statements and entries end.

use crate::base::Span;

use super::token::{Kind, Token};
use super::trees::starts_item;

/// A token of one level: a whole group is one.
#[derive(Clone, Copy, Debug)]
pub struct Tok {
    /// What it is; a group is [`Kind::Paren`], [`Kind::Bracket`], [`Kind::Brace`] or
    /// [`Kind::Str`].
    pub kind: Kind,
    /// Whether a line ends before it.
    pub newline: bool,
    /// All of it.
    pub span: Span,
    /// Its index in the flat list; of a group that of the opening delimiter.
    pub at: u32,
}

/// What stands between the braces: it decides what a newline and a comma mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// The items of a module.
    Items,
    /// The members of a record.
    Members,
    /// The variants of an enum or a union.
    Variants,
    /// Statements.
    Stmts,
    /// The steps of a migration.
    Steps,
    /// The entries of a brace literal.
    Entries,
    /// The arms of a `match`.
    Arms,
    /// What stands in `(…)` and `[…]`: only commas separate.
    Elements,
    /// `e for x in xs` in brackets or braces: nothing separates.
    Comprehension,
}

/// The tokens from `from` up to `to` of the flat list, groups as one token each.
pub fn level(tokens: &[Token], from: usize, to: usize) -> Vec<Tok> {
    let mut found = Vec::new();
    let mut i = from;
    while i < to {
        let Some(token) = tokens.get(i) else { break };
        let at = i as u32;
        let group = match token.kind {
            Kind::ParenOpen => Some(Kind::Paren),
            Kind::BracketOpen => Some(Kind::Bracket),
            Kind::BraceOpen => Some(Kind::Brace),
            Kind::Quote | Kind::BlockQuote => Some(Kind::Str),
            Kind::InterpOpen => Some(Kind::InterpOpen),
            _ => None,
        };
        i += 1;
        let mut tok = Tok { kind: token.kind, newline: token.newline, span: token.span, at };
        if let Some(kind) = group {
            let end = group_end(tokens, at);
            tok.kind = kind;
            tok.span = token.span.to(end.close);
            i = end.after.max(i);
        } else if token.kind == Kind::Comment {
            continue;
        } else if tok.kind.is_keyword() && !is_constant(tok.kind) && is_plain_name(tokens, at) {
            tok.kind = Kind::Ident;
        }
        found.push(tok);
    }
    found
}

/// `true`, `false`, `null`: they may be keys of a comprehension, and so are themselves before `:`.
fn is_constant(kind: Kind) -> bool {
    matches!(kind, Kind::True | Kind::False | Kind::Null)
}

/// "Any name may be a field when `:` follows or `.` precedes."
fn is_plain_name(tokens: &[Token], at: u32) -> bool {
    let near = |i: Option<u32>| i.and_then(|i| tokens.get(i as usize)).map(|t| t.kind);
    near(at.checked_add(1)) == Some(Kind::Colon)
        || matches!(near(at.checked_sub(1)), Some(Kind::Dot | Kind::OptDot))
}

/// Where a group ends.
pub struct GroupEnd {
    /// The closing delimiter; empty where nothing closes the group.
    pub close: Span,
    /// The index of the first token that is not inside.
    pub inside: usize,
    /// The index of the first token after it.
    pub after: usize,
}

/// Where the group that opens at `at` ends.
pub fn group_end(tokens: &[Token], at: u32) -> GroupEnd {
    let partner = tokens.get(at as usize).map_or(0, |t| t.partner) as usize;
    match tokens.get(partner) {
        Some(close) if close.partner == at => {
            GroupEnd { close: close.span, inside: partner, after: partner + 1 }
        }
        _ => {
            // Nothing closes it: it ends with the last token that it holds.
            let end = partner.min(tokens.len());
            let last = tokens.get(end.wrapping_sub(1));
            let close = last.map_or(Span::default(), |t| Span::at(t.span.end as usize));
            GroupEnd { close, inside: end, after: end }
        }
    }
}

/// The parts of a level.
pub struct Parts<'t> {
    /// Each with at least one token.
    pub parts: Vec<&'t [Tok]>,
    /// Commas with nothing before them.
    pub stray: Vec<Tok>,
}

/// Cuts a level into its parts, by the newline rule and by commas.
pub fn split(toks: &[Tok], body: Body) -> Parts<'_> {
    let mut parts = Vec::new();
    let mut stray = Vec::new();
    let mut start = 0;
    // A comma may stand on the line after what it ends, but two are one too many.
    let mut comma = true;
    let mut rule = Rule::new(body);
    for (i, tok) in toks.iter().enumerate() {
        if body == Body::Comprehension {
            break;
        }
        if i > start && tok.newline && body != Body::Elements && rule.separates(toks, start, i) {
            parts.push(start..i);
            start = i;
            rule = Rule::new(body);
        }
        if tok.kind == Kind::Comma && rule.comma_separates(toks, start, i) {
            if comma && i == start {
                stray.push(*tok);
            }
            comma = true;
            parts.push(start..i);
            start = i + 1;
            rule = Rule::new(body);
            continue;
        }
        comma = false;
        rule.see(toks, start, i);
    }
    parts.push(start..toks.len());
    let parts = parts.into_iter().filter_map(|r| toks.get(r)).filter(|p| !p.is_empty()).collect();
    Parts { parts, stray }
}

/// Before which tokens of a part a newline means nothing.
pub fn breakable(part: &[Tok], body: Body) -> Vec<bool> {
    if matches!(body, Body::Elements | Body::Comprehension) {
        return vec![true; part.len()];
    }
    let mut rule = Rule::new(body);
    let mut found = Vec::with_capacity(part.len());
    for i in 0..part.len() {
        found.push(i > 0 && !rule.separates(part, 0, i));
        rule.see(part, 0, i);
    }
    found
}

/// Whether a part that begins a line would be taken to go on with the part before it: then only
/// a comma separates the two.
pub fn needs_comma(next: &[Tok], body: Body) -> bool {
    Rule::new(body).would_join(next, 0)
}

/// What has been seen of the current part.
struct Rule {
    body: Body,
    /// How many `<` of types are open.
    angles: u32,
    /// Whether the last token is the `>` of a type.
    closed_angle: bool,
    /// A `check` has a comma of its own, before its message.
    commas: u32,
}

impl Rule {
    fn new(body: Body) -> Self {
        Rule { body, angles: 0, closed_angle: false, commas: 0 }
    }

    fn see(&mut self, toks: &[Tok], start: usize, i: usize) {
        let generic = i > start && kind(toks, i - 1).is_some_and(Kind::is_generic);
        self.closed_angle = false;
        match kind(toks, i) {
            Some(Kind::Lt) if generic => self.angles += 1,
            Some(Kind::Gt) if self.angles > 0 => {
                self.angles -= 1;
                self.closed_angle = true;
            }
            _ => {}
        }
    }

    /// Whether the comma at `i` ends the part.
    fn comma_separates(&mut self, toks: &[Tok], start: usize, i: usize) -> bool {
        if self.angles > 0 {
            return false;
        }
        // `for k, v in m` and `check k, v in m`: the comma of two names.
        let pair = i > start + 1
            && matches!(kind(toks, i - 2), Some(Kind::For | Kind::Check))
            && kind(toks, i + 2) == Some(Kind::In)
            && is_word(toks, i - 1)
            && is_word(toks, i + 1);
        if pair {
            return false;
        }
        match self.body {
            Body::Items => false,
            Body::Members | Body::Stmts if is_check(toks, start) => {
                self.commas += 1;
                self.commas > 1
            }
            _ => true,
        }
    }

    /// Whether the newline before the token at `i` ends the part.
    fn separates(&self, toks: &[Tok], start: usize, i: usize) -> bool {
        // `deprecated "x"` may stand on a line of its own.
        if i == start + 2 && is_deprecated(toks, start) {
            return false;
        }
        if self.begins_declaration(toks, i) {
            return true;
        }
        if self.angles > 0 {
            return false;
        }
        !(self.joins_next(toks, start, i - 1) || self.joins_previous(toks, i))
    }

    /// Whether what stands at `i` cannot go on with anything: a mistake in the line before
    /// (an operator at its end) shall not reach further. No text without mistakes has one of
    /// these after an operator.
    fn begins_declaration(&self, toks: &[Tok], i: usize) -> bool {
        let Some(first) = kind(toks, i) else { return false };
        let next = toks.get(i + 1).filter(|t| !t.newline).map(|t| t.kind);
        let word_next = next.is_some_and(|k| k == Kind::Ident || k.is_keyword() && !is_infix_word(k));
        match self.body {
            Body::Items => starts_item(first) && (word_next || next == Some(Kind::Str)),
            Body::Members => {
                (is_word(toks, i) && next == Some(Kind::Colon))
                    || (matches!(first, Kind::Let | Kind::Key | Kind::Output | Kind::Assigned) && word_next)
            }
            Body::Stmts => first == Kind::Let && word_next,
            Body::Arms => is_word(toks, i) && next == Some(Kind::FatArrow),
            Body::Entries => is_word(toks, i) && next == Some(Kind::Colon),
            _ => false,
        }
    }

    /// An operator, a comma or an opener at the end of a line: what it wants is on the next.
    fn joins_next(&self, toks: &[Tok], start: usize, i: usize) -> bool {
        let Some(kind) = kind(toks, i) else { return false };
        use Kind::*;
        match kind {
            Comma | Colon | PathSep | Dot | OptDot | Ellipsis | RangeInclusive | Coalesce | FatArrow
            | Arrow | Eq | Ne | Le | Ge | Lt | Gt | Assign | Plus | Minus | Star | Slash | Percent | Pipe => {
                // The `>` of a type is no operator.
                kind != Gt || !self.closed_angle
            }
            And | Or | In | Is | As | Where | Not | After | Timeout | Drift | Else | At => {
                i > start && (kind == Not || is_operand_end(toks, i - 1))
            }
            _ => false,
        }
    }

    /// Whether the line break before `i` would be none if it stood there.
    fn would_join(&self, toks: &[Tok], i: usize) -> bool {
        !self.begins_declaration(toks, i) && self.joins_previous(toks, i)
    }

    /// A word or sign at the start of a line that goes on with the line before.
    fn joins_previous(&self, toks: &[Tok], i: usize) -> bool {
        let Some(kind) = kind(toks, i) else { return false };
        use Kind::*;
        match kind {
            Dot | OptDot | Coalesce | Eq | Ne | Lt | Le | Gt | Ge | Pipe => true,
            // A variant may have any name.
            _ if self.body == Body::Variants => kind == Where,
            Else | And | Or | After | Protect | Adopt | Keep | Timeout | Drift | At | Where => true,
            For | If => self.body == Body::Entries,
            _ => false,
        }
    }
}

fn kind(toks: &[Tok], i: usize) -> Option<Kind> {
    toks.get(i).map(|t| t.kind)
}

fn is_text(toks: &[Tok], i: usize) -> bool {
    matches!(kind(toks, i), Some(Kind::Str | Kind::RawStr))
}

fn is_word(toks: &[Tok], i: usize) -> bool {
    kind(toks, i).is_some_and(|k| k == Kind::Ident || k.is_keyword())
}

/// Whether the part is a `check` and no field of that name.
pub fn is_check(toks: &[Tok], start: usize) -> bool {
    let first = if is_deprecated(toks, start) { start + 2 } else { start };
    kind(toks, first) == Some(Kind::Check) && kind(toks, first + 1) != Some(Kind::Comma)
}

/// Whether the part begins with `deprecated "…"`.
pub fn is_deprecated(toks: &[Tok], start: usize) -> bool {
    kind(toks, start) == Some(Kind::Deprecated) && is_text(toks, start + 1)
}

fn is_infix_word(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        And | Or | In | Is | As | Where | Not | Else | After | Protect | Adopt | Keep | Timeout | Drift | At
    )
}

fn is_operand_end(toks: &[Tok], i: usize) -> bool {
    use Kind::*;
    kind(toks, i).is_some_and(|k| {
        matches!(k, Ident | Number | Str | RawStr | Paren | Bracket | Brace | Question) || k.is_keyword()
    })
}
