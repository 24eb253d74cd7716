//! Puts the parts of a text on their lines.

use rustc_hash::FxHashMap;

use crate::syntax::lexer::{Comment, Lexed};
use crate::syntax::parser::Bodies;
use crate::syntax::split::{Body, Tok, breakable, group_end, is_check, level, needs_comma, split};
use crate::syntax::token::{Kind, Token};

use super::WIDTH;
use super::flat::{Flat, delimiters};
use super::spacing::Spacing;

/// Writes a module.
pub struct Writer<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token],
    pub(super) comments: &'t [Comment],
    pub(super) bodies: &'t Bodies,
    pub(super) flats: FxHashMap<u32, Flat>,
    out: String,
    /// How many comments are written.
    written: usize,
    /// Where in the text the last thing that was written ends.
    last: Option<usize>,
    /// Whether a delimiter, or nothing, stands before the place that is reached.
    fresh: bool,
}

/// Whether a line begins before a token of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Break {
    /// No.
    None,
    /// As deep as the part.
    Level,
    /// One step deeper.
    Deeper,
}

/// How a part is broken.
struct Plan {
    /// Before which tokens a line begins.
    breaks: Vec<Break>,
    /// Which groups stand on several lines.
    expanded: Vec<bool>,
    /// Before which tokens a line may begin.
    breakable: Vec<bool>,
}

impl<'t> Writer<'t> {
    pub fn new(text: &'t str, lexed: &'t Lexed, bodies: &'t Bodies) -> Self {
        Writer {
            text,
            tokens: &lexed.tokens,
            comments: &lexed.comments,
            bodies,
            flats: FxHashMap::default(),
            out: String::with_capacity(text.len() + text.len() / 8),
            written: 0,
            last: None,
            fresh: true,
        }
    }

    /// The whole text.
    pub fn module(mut self) -> String {
        let toks = level(self.tokens, 0, self.tokens.len());
        self.keep_first_line_free();
        self.parts(&toks, Body::Items, 0, self.tokens.len());
        let len = self.out.trim_end().len();
        self.out.truncate(len);
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    /// A comment on the first line may speak for the whole file; one below may not come to.
    fn keep_first_line_free(&mut self) {
        let Some(comment) = self.comments.first() else { return };
        let before = self.text.get(..comment.span.start as usize).unwrap_or_default();
        let text = self.text.get(comment.span.range()).unwrap_or_default();
        if comment.before == 0 && before.contains('\n') && text.contains("gops:") {
            self.out.push('\n');
        }
    }

    fn column(&self) -> usize {
        let line = self.out.rfind('\n').map_or(0, |p| p + 1);
        self.out.get(line..).unwrap_or_default().chars().count()
    }

    fn new_line(&mut self, indent: usize) {
        let len = self.out.trim_end_matches(' ').len();
        self.out.truncate(len);
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    pub(super) fn push_raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Begins the line of something that stands at `next` in the text, with an empty line before
    /// it if the author left one there.
    fn begin_line(&mut self, indent: usize, next: usize) {
        if self.fresh && self.last.is_none() {
            return;
        }
        let between = self.last.and_then(|last| self.text.get(last..next)).unwrap_or_default();
        if !self.fresh && between.bytes().filter(|&b| b == b'\n').count() > 1 {
            self.new_line(0);
        }
        self.new_line(indent);
    }

    /// Notes that what ends at `end` in the text is written.
    fn wrote(&mut self, end: usize) {
        self.last = Some(end);
        self.fresh = false;
    }

    /// Writes the comments before the token at this index that are not written yet. Says
    /// whether there are any.
    fn comments(&mut self, at: usize, indent: usize) -> bool {
        let mut any = false;
        while let Some(comment) = self.comments.get(self.written).filter(|c| c.before as usize <= at) {
            if comment.own_line {
                self.begin_line(indent, comment.span.start as usize);
            } else {
                self.out.push(' ');
            }
            let text = self.text.get(comment.span.range()).unwrap_or_default();
            self.out.push_str(text.trim_end());
            self.written += 1;
            self.wrote(comment.span.end as usize);
            any = true;
        }
        any
    }

    /// Whether a comment stands directly before the token.
    fn is_commented(&self, tok: Tok) -> bool {
        self.has_comments(tok.at as usize, tok.at as usize)
    }

    /// The parts of a group, each on a line of its own. `to` is the index of the first token
    /// that is not inside.
    fn parts(&mut self, toks: &[Tok], body: Body, indent: usize, to: usize) {
        let parts = split(toks, body).parts;
        for (n, part) in parts.iter().enumerate() {
            let Some(first) = part.first() else { continue };
            self.comments(first.at as usize, indent);
            self.begin_line(indent, first.span.start as usize);
            self.part(part, body, indent);
            let next = parts.get(n + 1);
            let comma = match body {
                Body::Elements => next.is_some(),
                Body::Items | Body::Comprehension => false,
                _ => next.is_some_and(|next| needs_comma(next, body)),
            };
            if comma {
                self.out.push(',');
            }
        }
        self.comments(to, indent);
    }

    /// One part, from the place that is reached.
    fn part(&mut self, toks: &[Tok], body: Body, indent: usize) {
        let room = WIDTH.saturating_sub(self.column());
        let flat = self.flat_part(toks);
        match flat {
            Flat::Text(text) if text.chars().count() <= room && !own_line_prefix(toks) => {
                self.out.push_str(&text);
            }
            _ => {
                let plan = self.plan(toks, body, indent);
                self.write_plan(toks, &plan, indent);
            }
        }
        if let Some(last) = toks.last() {
            self.skip_comments(*last);
            self.wrote(last.span.end as usize);
        }
    }

    /// Comments in `${…}` are written with their string.
    fn skip_comments(&mut self, tok: Tok) {
        let after = group_end_index(self.tokens, tok);
        let inside = self.comments.partition_point(|c| (c.before as usize) < after);
        self.written = self.written.max(inside);
    }

    fn write_plan(&mut self, toks: &[Tok], plan: &Plan, indent: usize) {
        let mut spacing = Spacing::default();
        let mut step = indent;
        for (n, &tok) in toks.iter().enumerate() {
            let space = spacing.before(&tok);
            match self.break_before(toks, plan, n, indent, step) {
                Some(deep) => {
                    step = deep;
                    self.comments(tok.at as usize, step);
                    self.new_line(step);
                }
                None if space => self.out.push(' '),
                None => {}
            }
            match self.flat(tok) {
                Flat::Text(text) if plan.expanded.get(n) != Some(&true) => self.out.push_str(&text),
                _ => self.group(tok, step),
            }
            self.skip_comments(tok);
            self.wrote(tok.span.end as usize);
        }
    }

    /// How deep the line is that begins before the token, if one does.
    fn break_before(&self, toks: &[Tok], plan: &Plan, n: usize, indent: usize, step: usize) -> Option<usize> {
        match plan.breaks.get(n) {
            Some(Break::Level) => Some(indent),
            Some(Break::Deeper) => Some(indent + 4),
            // A comment ends its line.
            _ if n > 0 && toks.get(n).is_some_and(|t| self.is_commented(*t)) => Some(step.max(indent + 4)),
            _ => None,
        }
    }

    /// A group on several lines.
    fn group(&mut self, tok: Tok, indent: usize) {
        if tok.kind == Kind::Str {
            return self.write_string(tok, indent);
        }
        let (open, close) = delimiters(tok.kind);
        self.out.push_str(open);
        self.last = Some(tok.span.start as usize + 1);
        self.fresh = true;
        let end = group_end(self.tokens, tok.at);
        let toks = self.inside(tok);
        let body = self.body(tok);
        self.parts(&toks, body, indent + 4, end.inside);
        self.new_line(indent);
        self.out.push_str(close);
    }

    /// Where to break a part that does not fit on its line.
    fn plan(&mut self, toks: &[Tok], body: Body, indent: usize) -> Plan {
        let forced: Vec<bool> = toks.iter().map(|&t| matches!(self.flat(t), Flat::Broken)).collect();
        let breakable = breakable(toks, body);
        let breaks = vec![Break::None; toks.len()];
        let mut plan = Plan { breaks, expanded: forced, breakable };
        self.expand_branches(toks, &mut plan);
        if own_line_prefix(toks)
            && let Some(first) = plan.breaks.get_mut(2)
        {
            *first = Break::Level;
        }
        let place = (self.column(), indent);
        if self.first_long(toks, &plan, place).is_none() {
            return plan;
        }
        let clauses: &[Class] = if body == Body::Comprehension { &[Class::Clauses] } else { &[] };
        let methods = (0..toks.len()).filter(|&n| Class::Methods.breaks_before(toks, n)).count();
        let chain: &[Class] = if methods > 2 { &[Class::Methods] } else { &[] };
        for class in clauses.iter().chain(CLASSES_BEFORE_GROUPS).chain(chain) {
            if self.break_at(toks, &mut plan, *class) && self.first_long(toks, &plan, place).is_none() {
                return plan;
            }
        }
        // Which is better, if one of them does.
        for class in [Class::Compare, Class::Modifiers] {
            let breaks = plan.breaks.clone();
            if class.is_kept(toks) || !self.break_at(toks, &mut plan, class) {
                continue;
            }
            if self.first_long(toks, &plan, place).is_none() {
                return plan;
            }
            plan.breaks = breaks;
        }
        if self.expand_last(toks, &mut plan, place) {
            return plan;
        }
        for class in CLASSES_AFTER_GROUPS {
            if self.break_at(toks, &mut plan, *class) && self.first_long(toks, &plan, place).is_none() {
                return plan;
            }
        }
        self.expand_where_long(toks, &mut plan, place);
        plan
    }

    /// The branches of one `if` look alike: if one has several lines, all have.
    fn expand_branches(&self, toks: &[Tok], plan: &mut Plan) {
        let is_branch = |i: usize| {
            toks.get(i).is_some_and(|t| t.kind == Kind::Brace && self.body(*t) == Body::Stmts)
                && (toks.get(i + 1).is_some_and(|t| t.kind == Kind::Else)
                    || toks.iter().take(i).any(|t| t.kind == Kind::Else))
        };
        let branches: Vec<usize> = (0..toks.len()).filter(|&i| is_branch(i)).collect();
        if branches.iter().any(|&i| plan.expanded.get(i) == Some(&true)) {
            for i in branches {
                let empty = toks.get(i).is_some_and(|t| self.inside(*t).is_empty());
                if let Some(expanded) = plan.expanded.get_mut(i) {
                    *expanded |= !empty;
                }
            }
        }
    }

    /// The index of the first token at which a line is too long, as far as the part itself makes
    /// its lines. `place` is the column that is reached, and how deep the part stands.
    fn first_long(&mut self, toks: &[Tok], plan: &Plan, place: (usize, usize)) -> Option<usize> {
        let (mut at, indent) = place;
        let mut spacing = Spacing::default();
        let mut step = indent;
        for (n, &tok) in toks.iter().enumerate() {
            let space = usize::from(spacing.before(&tok));
            match self.break_before(toks, plan, n, indent, step) {
                Some(deep) => (step, at) = (deep, deep),
                None => at += space,
            }
            if plan.expanded.get(n) == Some(&true) {
                if at + 1 > WIDTH {
                    return Some(n);
                }
                at = step + 1;
                continue;
            }
            match self.flat(tok) {
                Flat::Text(text) => at += text.chars().count(),
                _ => return Some(n),
            }
            if at > WIDTH {
                return Some(n);
            }
        }
        None
    }

    /// Breaks the part before every token of a class. Says whether there is one.
    fn break_at(&self, toks: &[Tok], plan: &mut Plan, class: Class) -> bool {
        let mut found = false;
        for n in 1..toks.len() {
            if class.breaks_before(toks, n)
                && plan.breakable.get(n) == Some(&true)
                && let Some(at) = plan.breaks.get_mut(n)
            {
                *at = if matches!(class, Class::Clauses) { Break::Level } else { Break::Deeper };
                found = true;
            }
        }
        found
    }

    /// Expands the last group whose expansion makes everything fit. Says whether one does.
    fn expand_last(&mut self, toks: &[Tok], plan: &mut Plan, place: (usize, usize)) -> bool {
        for n in (0..toks.len()).rev() {
            if !self.can_expand(toks, plan, n) {
                continue;
            }
            if let Some(expanded) = plan.expanded.get_mut(n) {
                *expanded = true;
            }
            if self.first_long(toks, plan, place).is_none() {
                return true;
            }
            if let Some(expanded) = plan.expanded.get_mut(n) {
                *expanded = false;
            }
        }
        false
    }

    fn can_expand(&self, toks: &[Tok], plan: &Plan, n: usize) -> bool {
        let group = |t: &Tok| matches!(t.kind, Kind::Paren | Kind::Bracket | Kind::Brace);
        toks.get(n).is_some_and(|t| group(t) && !self.inside(*t).is_empty())
            && plan.expanded.get(n) == Some(&false)
    }

    /// Expands groups, from the first on, until every line fits or no group is left.
    fn expand_where_long(&mut self, toks: &[Tok], plan: &mut Plan, place: (usize, usize)) {
        while let Some(long) = self.first_long(toks, plan, place) {
            // The group at which the line is too long, or the last one before it on that line.
            let mut n = Some(long);
            while let Some(at) = n {
                if self.can_expand(toks, plan, at) {
                    break;
                }
                n = at.checked_sub(1).filter(|_| plan.breaks.get(at) == Some(&Break::None));
            }
            let Some(at) = n.filter(|&at| self.can_expand(toks, plan, at)) else { return };
            if let Some(expanded) = plan.expanded.get_mut(at) {
                *expanded = true;
            }
        }
    }
}

/// `deprecated "…"` stands on a line of its own where it can.
fn own_line_prefix(toks: &[Tok]) -> bool {
    matches!(toks, [word, text, _, ..] if word.kind == Kind::Deprecated
        && matches!(text.kind, Kind::Str | Kind::RawStr))
}

fn group_end_index(tokens: &[Token], tok: Tok) -> usize {
    match tok.kind {
        Kind::Paren | Kind::Bracket | Kind::Brace | Kind::Str => group_end(tokens, tok.at).after,
        _ => tok.at as usize + 1,
    }
}

/// Places at which a part may be broken, by what stands there.
#[derive(Clone, Copy)]
enum Class {
    /// After the comma of a check, and before its `at`.
    Check,
    /// Before `for` and `if` of a comprehension.
    Clauses,
    /// Before `??`.
    Coalesce,
    /// Before `or`.
    Or,
    /// Before `and`.
    And,
    /// Before `|`.
    Pipe,
    /// Before a comparison.
    Compare,
    /// Before modifiers.
    Modifiers,
    /// After `+` and `-`.
    Plus,
    /// Before `.name(`.
    Methods,
    /// After `=`.
    Assign,
}

const CLASSES_BEFORE_GROUPS: &[Class] = &[Class::Check, Class::Coalesce, Class::Or, Class::And, Class::Pipe];
const CLASSES_AFTER_GROUPS: &[Class] = &[Class::Modifiers, Class::Plus, Class::Methods, Class::Assign];

impl Class {
    /// Whether the group before the place is to be opened first: a long constructor, and not a
    /// short one with many modifiers.
    fn is_kept(self, toks: &[Tok]) -> bool {
        let first = (1..toks.len()).find(|&n| self.breaks_before(toks, n));
        let braces = first.and_then(|n| toks.get(n - 1)).filter(|t| t.kind == Kind::Brace);
        matches!(self, Class::Modifiers) && braces.is_some_and(|b| b.span.len() > WIDTH / 2)
    }

    fn breaks_before(self, toks: &[Tok], n: usize) -> bool {
        use Kind::*;
        let kind = |i: usize| toks.get(i).map(|t| t.kind);
        let here = kind(n);
        let before = n.checked_sub(1).and_then(kind);
        match self {
            Class::Check => {
                is_check(toks, 0) && (before == Some(Comma) && here != Some(In) && kind(n + 1) != Some(In))
            }
            Class::Clauses => here == Some(For) || (here == Some(If) && before.is_some_and(ends_value)),
            Class::Coalesce => here == Some(Kind::Coalesce),
            Class::Or => here == Some(Kind::Or),
            Class::And => here == Some(Kind::And),
            Class::Compare => matches!(here, Some(Eq | Ne | Le | Ge)),
            Class::Pipe => here == Some(Kind::Pipe),
            Class::Modifiers => {
                matches!(here, Some(After | Protect | Adopt | Keep | Timeout | Drift))
                    && matches!(
                        before,
                        Some(
                            Brace
                                | Ident
                                | Bracket
                                | Number
                                | Paren
                                | Protect
                                | Adopt
                                | Keep
                                | Report
                                | Repair
                        )
                    )
            }
            Class::Plus => {
                before == Some(Kind::Plus)
                    || (before == Some(Minus) && n > 1 && kind(n - 2).is_some_and(ends_value))
            }
            Class::Methods => matches!(here, Some(Dot | OptDot)) && kind(n + 2) == Some(Paren),
            Class::Assign => before == Some(Kind::Assign),
        }
    }
}

/// Kinds that end a value.
fn ends_value(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        Ident | Number | Str | RawStr | Paren | Bracket | Brace | Question | True | False | Null | Range
    )
}
