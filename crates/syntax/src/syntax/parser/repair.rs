//! Mistakes of one token are mended after they are reported, so that what follows is still read
//! and nobody complains of what is missing: a keyword with a slip, `=` for `:`, a `:` left out.

use crate::base::{FileId, Span};
use crate::diag::{Diagnostic, Place, nearest};
use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

use super::Cx;
use super::fault::Fault;
use super::message::What;

/// How a part is mended.
pub(super) enum Repair {
    /// The token at this index is of this kind.
    Replace(usize, Kind),
    /// A token of this kind is missing before this index.
    Insert(usize, Kind),
    /// The token at this index is too much.
    Remove(usize),
}

impl Repair {
    /// The same as a change of the text. A sign that is left out or mistaken is safe to write;
    /// a word may be meant otherwise.
    pub fn as_fix(&self, part: &[Tok], file: FileId, error: Diagnostic) -> Diagnostic {
        let (span, text, safe) = match *self {
            Repair::Replace(at, kind) => match part.get(at) {
                Some(tok) => (tok.span, kind.text().to_owned(), !kind.is_keyword()),
                None => return error,
            },
            Repair::Insert(at, kind) => match at.checked_sub(1).and_then(|i| part.get(i)) {
                Some(before) => {
                    let space = if kind == Kind::Colon { "" } else { " " };
                    (Span::at(before.span.end as usize), format!("{space}{}", kind.text()), true)
                }
                None => return error,
            },
            Repair::Remove(_) => return error,
        };
        let title = format!("write `{}`", text.trim());
        error.fix(title, safe, Place::span(file, span), text)
    }

    /// The part as it was meant.
    pub fn apply(&self, part: &[Tok]) -> Vec<Tok> {
        let mut toks = part.to_vec();
        match *self {
            Repair::Replace(at, kind) => {
                if let Some(tok) = toks.get_mut(at) {
                    tok.kind = kind;
                }
            }
            Repair::Remove(at) => {
                if at < toks.len() {
                    toks.remove(at);
                }
            }
            Repair::Insert(at, kind) => {
                let before = at.checked_sub(1).and_then(|i| part.get(i)).or_else(|| part.get(at));
                if let Some(before) = before {
                    let span = Span::at(before.span.end as usize);
                    toks.insert(at.min(toks.len()), Tok { kind, newline: false, span, at: before.at });
                }
            }
        }
        toks
    }
}

/// What is written for what.
const CONFUSED: &[(Kind, Kind)] = &[
    (Kind::Assign, Kind::Colon),
    (Kind::Colon, Kind::Assign),
    (Kind::Assign, Kind::Eq),
    (Kind::Eq, Kind::Assign),
    (Kind::Arrow, Kind::FatArrow),
    (Kind::FatArrow, Kind::Arrow),
    (Kind::Colon, Kind::FatArrow),
    (Kind::Colon, Kind::Arrow),
    (Kind::Colon, Kind::In),
    (Kind::Dot, Kind::PathSep),
    (Kind::Slash, Kind::PathSep),
    (Kind::PathSep, Kind::Dot),
    (Kind::Colon, Kind::PathSep),
    (Kind::Colon, Kind::By),
];

/// What may be left out, the likeliest first.
const LEFT_OUT: &[Kind] =
    &[Kind::Colon, Kind::Assign, Kind::Arrow, Kind::FatArrow, Kind::In, Kind::By, Kind::Struct, Kind::To];

impl Cx {
    /// How the part could have been meant.
    pub(super) fn repair(&self, fault: &Fault, what: What, part: &[Tok]) -> Option<Repair> {
        let index = fault.index(part);
        let found = fault.found?;
        if self.quote_in_text(fault, part).is_some() || self.misplaced_item(fault, what, part).is_some() {
            return None;
        }
        // `a: T b: U`: the next field begins here.
        if index > 1 && part.get(index + 1).is_some_and(|t| t.kind == Kind::Colon) {
            return None;
        }
        if found.kind == Kind::Ident
            && let Some(word) = self.word(Some(&found))
            && let Some(kind) = near_keyword(word, fault.kinds().filter(|k| k.is_keyword()))
        {
            return Some(Repair::Replace(index, kind));
        }
        if self.word(Some(&found)) == Some("of") && fault.expects(Kind::In) {
            return Some(Repair::Replace(index, Kind::In));
        }
        // `sturct Page {`: the first word is taken for a name, or for nothing.
        if let Some(kind) = self.mistyped_starter(fault, what, part) {
            return Some(Repair::Replace(0, kind));
        }
        if self.is_strange_role(fault, what, part) {
            return Some(Repair::Remove(0));
        }
        if default_type(fault, what, part).is_some() {
            return None;
        }
        for &(written, meant) in CONFUSED {
            if found.kind == written && fault.expects(meant) {
                return Some(Repair::Replace(index, meant));
            }
        }
        // Where the part could end, what follows is too much, and nothing is missing.
        let whole = fault.expects(Kind::End);
        if whole || found.kind == Kind::Comma || found.kind == Kind::Colon || fault.wants_value() {
            return None;
        }
        let missing = LEFT_OUT.iter().copied().find(|&k| fault.expects(k))?;
        // `in` is an operator too.
        if missing == Kind::In && fault.after_value() {
            return None;
        }
        (index > 0).then_some(Repair::Insert(index, missing))
    }
}

impl Cx {
    /// `optional a: T`: a word before a field that is none of those that may stand there.
    pub(super) fn is_strange_role(&self, fault: &Fault, what: What, part: &[Tok]) -> bool {
        what == What::Member
            && fault.index(part) == 1
            && part.first().is_some_and(|t| t.kind == Kind::Ident)
            && self.word(part.get(1)).is_some()
            && part.get(2).is_some_and(|t| t.kind == Kind::Colon)
    }
}

/// The type of `a = 5`, a field with a default and without a type; empty if it takes more to
/// know it.
pub(super) fn default_type(fault: &Fault, what: What, part: &[Tok]) -> Option<&'static str> {
    let index = fault.index(part);
    let is_default = what == What::Member
        && part.get(index).is_some_and(|t| t.kind == Kind::Assign)
        && fault.expects(Kind::Colon);
    // `a = "x" | "y"` is a type.
    let only = part.get(index + 2).is_none_or(|t| !matches!(t.kind, Kind::Pipe | Kind::Question));
    let value = part.get(index + 1).filter(|_| is_default && only)?;
    match value.kind {
        Kind::Str | Kind::RawStr => Some("string"),
        Kind::True | Kind::False => Some("bool"),
        Kind::Number | Kind::Minus | Kind::Null | Kind::Bracket | Kind::Brace => Some(""),
        _ => None,
    }
}

fn near_keyword(word: &str, kinds: impl Iterator<Item = Kind>) -> Option<Kind> {
    let kinds: Vec<_> = kinds.collect();
    let text = nearest(word, kinds.iter().map(|k| k.text()))?;
    kinds.into_iter().find(|k| k.text() == text && text != word)
}
