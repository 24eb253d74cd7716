//! Token trees: which delimiter belongs to which. What is not closed is closed by indentation
//! and by the keywords of items, so that a missing bracket costs one field and not the file.

use crate::base::Span;
use crate::diag::Place;
use crate::diag::codes::syntax as codes;

use super::sink::Sink;
use super::token::{Kind, NONE, Token};

/// Sets the partner of every delimiter. An opening delimiter that nothing closes has as partner
/// the index of the first token after what it holds; a closing one that closes nothing becomes
/// a [`Kind::Comment`], which no reader sees.
pub fn match_delimiters(text: &str, tokens: &mut [Token], sink: &mut Sink) {
    if !match_plain(tokens) {
        Recovery { text, tokens, open: Vec::new(), sink }.run();
    }
}

fn closer(kind: Kind) -> Option<Kind> {
    Some(match kind {
        Kind::ParenOpen => Kind::ParenClose,
        Kind::BracketOpen => Kind::BracketClose,
        Kind::BraceOpen => Kind::BraceClose,
        Kind::Quote | Kind::BlockQuote => Kind::StrClose,
        Kind::InterpOpen => Kind::InterpClose,
        _ => return None,
    })
}

fn is_closer(kind: Kind) -> bool {
    use Kind::*;
    matches!(kind, ParenClose | BracketClose | BraceClose | StrClose | InterpClose)
}

/// Texts without mistakes never depend on their indentation.
fn match_plain(tokens: &mut [Token]) -> bool {
    let mut open: Vec<(u32, Kind)> = Vec::new();
    for i in 0..tokens.len() {
        let Some(token) = tokens.get(i) else { break };
        if let Some(close) = closer(token.kind) {
            open.push((i as u32, close));
        } else if is_closer(token.kind) {
            match open.pop() {
                Some((at, close)) if close == token.kind => join(tokens, at, i as u32),
                _ => return false,
            }
        }
    }
    open.is_empty()
}

fn join(tokens: &mut [Token], open: u32, close: u32) {
    if let Some(token) = tokens.get_mut(open as usize) {
        token.partner = close;
    }
    if let Some(token) = tokens.get_mut(close as usize) {
        token.partner = open;
    }
}

struct Open {
    at: u32,
    kind: Kind,
    /// The indentation of the line that it stands on.
    indent: usize,
    /// The number of that line.
    line: u32,
    span: Span,
}

struct Recovery<'a> {
    text: &'a str,
    tokens: &'a mut [Token],
    open: Vec<Open>,
    sink: &'a mut Sink,
}

impl Recovery<'_> {
    fn run(mut self) {
        for token in self.tokens.iter_mut() {
            token.partner = NONE;
        }
        let (mut indent, mut line) = (0, 0);
        for i in 0..self.tokens.len() {
            let Some(token) = self.tokens.get(i).copied() else { break };
            line += u32::from(token.newline);
            if token.newline && !matches!(token.kind, Kind::StrText | Kind::StrClose | Kind::InterpOpen) {
                indent = self.indent(token.span.start as usize);
                self.close_by_line(i, indent, &token);
            }
            if closer(token.kind).is_some() {
                self.open.push(Open { at: i as u32, kind: token.kind, indent, line, span: token.span });
            } else if is_closer(token.kind) {
                self.close(i, &token);
            }
        }
        let end = self.tokens.len();
        self.close_while(end, Span::at(self.text.len()), |_| true);
    }

    fn indent(&self, offset: usize) -> usize {
        let bytes = self.text.as_bytes().get(..offset).unwrap_or_default();
        bytes.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    /// The first token of a line that is indented no more than the line of a bracket is not in
    /// that bracket.
    fn close_by_line(&mut self, at: usize, indent: usize, token: &Token) {
        let item = indent == 0 && starts_item(token.kind) && self.word_follows(at);
        let kind = token.kind;
        self.close_while(at, token.span, |open| {
            item || indent < open.indent || (indent == open.indent && closer(open.kind) != Some(kind))
        });
    }

    fn word_follows(&self, at: usize) -> bool {
        let next = self.tokens.get(at + 1).map(|t| t.kind);
        next.is_some_and(|k| k == Kind::Ident || k.is_keyword() || k == Kind::Quote)
    }

    /// Closes brackets from the innermost on; strings are left alone.
    fn close_while(&mut self, at: usize, before: Span, mut stop: impl FnMut(&Open) -> bool) {
        let mut said = None;
        while let Some(open) = self.open.last() {
            let bracket = matches!(open.kind, Kind::ParenOpen | Kind::BracketOpen | Kind::BraceOpen);
            if !bracket || !stop(open) {
                break;
            }
            let (index, kind, line, span) = (open.at, open.kind, open.line, open.span);
            // Several on one line are one mistake.
            if said != Some(line) {
                self.unclosed(kind, span, before);
            }
            said = Some(line);
            if let Some(token) = self.tokens.get_mut(index as usize) {
                token.partner = at as u32;
            }
            self.open.pop();
        }
    }

    fn unclosed(&mut self, kind: Kind, span: Span, before: Span) {
        let close = closer(kind).map_or("", Kind::text);
        let error = self
            .sink
            .at(codes::UNCLOSED_DELIMITER, span, format!("this `{}` is not closed", kind.text()))
            .help(format!("close it with `{close}`"));
        let place = Place::span(self.sink.file(), Span::at(before.start as usize));
        self.sink.push(error.label(place, "it must end before this"));
    }

    fn close(&mut self, at: usize, token: &Token) {
        let kind = token.kind;
        // Strings are balanced; what is open in them ends with them.
        let bounded = |open: &Open| matches!(open.kind, Kind::Quote | Kind::BlockQuote | Kind::InterpOpen);
        let found = self
            .open
            .iter()
            .rev()
            .take_while(|o| closer(o.kind) == Some(kind) || !bounded(o))
            .any(|o| closer(o.kind) == Some(kind));
        if !found {
            self.sink.push(
                self.sink
                    .at(codes::STRAY_DELIMITER, token.span, format!("this `{}` closes nothing", kind.text()))
                    .help("take it away, or open what it closes"),
            );
            if let Some(token) = self.tokens.get_mut(at) {
                token.kind = Kind::Comment;
            }
            return;
        }
        self.close_while(at, token.span, |open| closer(open.kind) != Some(kind));
        if let Some(open) = self.open.pop() {
            join(self.tokens, open.at, at as u32);
        }
    }
}

/// The keywords that begin an item at the top of a module.
pub fn starts_item(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        Use | Const
            | Type
            | Enum
            | Slice
            | Struct
            | Plain
            | Entity
            | Target
            | Resource
            | Union
            | Impl
            | Fn
            | Test
            | Check
            | Inverse
            | Closure
            | Acyclic
            | Moved
            | Migration
            | Deprecated
    )
}
