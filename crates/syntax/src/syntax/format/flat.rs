//! What would stand on one line.

use std::rc::Rc;

use crate::syntax::split::{Body, Tok, group_end, level, split};
use crate::syntax::token::Kind;

use super::WIDTH;
use super::spacing::Spacing;
use super::write::Writer;

/// A part or a group on one line.
#[derive(Clone, Debug)]
pub enum Flat {
    /// It fits, as far as its own length goes.
    Text(Rc<str>),
    /// It is longer than a line.
    Long,
    /// It has a comment, or the author broke it.
    Broken,
}

impl Flat {
    fn of(text: String) -> Flat {
        if text.chars().count() > WIDTH { Flat::Long } else { Flat::Text(text.into()) }
    }
}

impl Writer<'_> {
    /// Whether a comment stands before one of these tokens.
    pub(super) fn has_comments(&self, from: usize, to: usize) -> bool {
        let first = self.comments.partition_point(|c| (c.before as usize) < from);
        self.comments.get(first).is_some_and(|c| c.before as usize <= to)
    }

    /// What the group holds.
    pub(super) fn body(&self, tok: Tok) -> Body {
        self.bodies.get(&tok.at).copied().unwrap_or(Body::Elements)
    }

    /// The tokens of a group.
    pub(super) fn inside(&self, tok: Tok) -> Vec<Tok> {
        let end = group_end(self.tokens, tok.at);
        level(self.tokens, tok.at as usize + 1, end.inside)
    }

    /// A token or a group on one line.
    pub(super) fn flat(&mut self, tok: Tok) -> Flat {
        match tok.kind {
            Kind::Paren | Kind::Bracket | Kind::Brace | Kind::Str => {}
            _ => return Flat::Text(self.text.get(tok.span.range()).unwrap_or_default().into()),
        }
        if let Some(known) = self.flats.get(&tok.at) {
            return known.clone();
        }
        let flat = match tok.kind {
            Kind::Str => match self.flat_string(tok) {
                // A string cannot be broken: its length is nobody's fault.
                Some(text) => Flat::Text(text.into()),
                None => Flat::Broken,
            },
            _ => self.flat_group(tok),
        };
        self.flats.insert(tok.at, flat.clone());
        flat
    }

    fn flat_group(&mut self, tok: Tok) -> Flat {
        let end = group_end(self.tokens, tok.at);
        let first = tok.at as usize + 1;
        let broken = self.tokens.get(first).is_some_and(|t| t.newline && first < end.inside);
        if broken || self.has_comments(first, end.inside) {
            return Flat::Broken;
        }
        let toks = self.inside(tok);
        let body = self.body(tok);
        let parts = split(&toks, body).parts;
        // Statements stand one below the other.
        if body == Body::Stmts && parts.len() > 1 {
            return Flat::Broken;
        }
        let mut texts = Vec::new();
        let mut long = false;
        for part in parts {
            match self.flat_part(part) {
                Flat::Text(text) => texts.push(text),
                Flat::Long => long = true,
                Flat::Broken => return Flat::Broken,
            }
        }
        if long {
            return Flat::Long;
        }
        let inner = texts.iter().map(|t| &**t).collect::<Vec<_>>().join(", ");
        let padded = tok.kind == Kind::Brace && !self.is_import(tok) && !inner.is_empty();
        let (open, close) = delimiters(tok.kind);
        let space = if padded { " " } else { "" };
        Flat::of(format!("{open}{space}{inner}{space}{close}"))
    }

    /// `use a::{B, C}`.
    fn is_import(&self, tok: Tok) -> bool {
        let before = (tok.at as usize).checked_sub(1).and_then(|i| self.tokens.get(i));
        before.is_some_and(|t| t.kind == Kind::PathSep)
    }

    /// A part on one line.
    pub(super) fn flat_part(&mut self, toks: &[Tok]) -> Flat {
        let (Some(first), Some(last)) = (toks.first(), toks.last()) else { return Flat::Text("".into()) };
        if self.has_comments(first.at as usize + 1, last.at as usize) {
            return Flat::Broken;
        }
        let mut text = String::new();
        let mut spacing = Spacing::default();
        let mut long = false;
        for &tok in toks {
            if spacing.before(&tok) {
                text.push(' ');
            }
            match self.flat(tok) {
                Flat::Text(part) => text.push_str(&part),
                Flat::Long => long = true,
                Flat::Broken => return Flat::Broken,
            }
        }
        // A part may be as long as it is: only groups are given up early.
        if long { Flat::Long } else { Flat::Text(text.into()) }
    }
}

/// How a group begins and ends.
pub fn delimiters(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Paren => ("(", ")"),
        Kind::Bracket => ("[", "]"),
        _ => ("{", "}"),
    }
}
