//! Text to a flat list of tokens. Strings are taken apart here: the text between the quotes and
//! the expressions of `${…}` are tokens of the same list, so that nothing is ever read twice.

use logos::Logos;

use crate::base::{FileId, Span};
use crate::diag::codes::syntax as codes;
use crate::diag::{Diagnostic, Place};

use super::sink::Sink;
use super::token::{Kind, NONE, Token};

/// What a comment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommentKind {
    /// `//`.
    Plain,
    /// `///`.
    Doc,
    /// `//!`.
    Module,
}

/// A comment.
#[derive(Clone, Copy, Debug)]
pub struct Comment {
    /// What it is.
    pub kind: CommentKind,
    /// With its slashes.
    pub span: Span,
    /// The index of the first token after it.
    pub before: u32,
    /// Whether it begins its line.
    pub own_line: bool,
}

/// The tokens and comments of a text.
#[derive(Debug, Default)]
pub struct Lexed {
    /// The tokens; strings are balanced, other delimiters need not be.
    pub tokens: Vec<Token>,
    /// In order.
    pub comments: Vec<Comment>,
}

/// What encloses the place that is being read.
enum Frame {
    /// A string; `open` is the index of its opening token.
    Str { block: bool, open: usize },
    /// A `${`, with the number of `{` that are open in it.
    Interp { braces: u32, open: usize },
}

/// Reads a model file.
pub fn lex(file: FileId, text: &str, sink: &mut Sink) -> Lexed {
    let mut driver = Driver::new(file, text);
    driver.run();
    driver.finish(sink)
}

/// Reads the text of a template: as if it stood in quotes, to its end.
pub fn lex_template(file: FileId, text: &str, sink: &mut Sink) -> Lexed {
    let mut driver = Driver::new(file, text);
    driver.template = true;
    driver.push(Kind::BlockQuote, Span::at(0));
    driver.frames.push(Frame::Str { block: true, open: 0 });
    driver.run();
    driver.finish(sink)
}

struct Driver<'t> {
    file: FileId,
    text: &'t str,
    lexer: logos::Lexer<'t, Kind>,
    lexed: Lexed,
    frames: Vec<Frame>,
    newline: bool,
    template: bool,
    errors: Vec<Diagnostic>,
}

impl<'t> Driver<'t> {
    fn new(file: FileId, text: &'t str) -> Self {
        Driver {
            file,
            text,
            lexer: Kind::lexer(text),
            lexed: Lexed::default(),
            frames: Vec::new(),
            newline: true,
            template: false,
            errors: Vec::new(),
        }
    }

    fn finish(self, sink: &mut Sink) -> Lexed {
        for error in self.errors {
            sink.push(error);
        }
        self.lexed
    }

    fn push(&mut self, kind: Kind, span: Span) -> usize {
        let index = self.lexed.tokens.len();
        let newline = std::mem::take(&mut self.newline);
        self.lexed.tokens.push(Token { kind, newline, span, partner: NONE });
        index
    }

    /// Closes the string or interpolation that was opened by token `open`.
    fn close(&mut self, open: usize, kind: Kind, span: Span) {
        let index = self.push(kind, span);
        if let Some(token) = self.lexed.tokens.get_mut(open) {
            token.partner = index as u32;
        }
        if let Some(token) = self.lexed.tokens.get_mut(index) {
            token.partner = open as u32;
        }
    }

    fn error(&mut self, code: crate::diag::Code, span: Span, message: String) -> &mut Diagnostic {
        let at = self.errors.len();
        self.errors.push(Diagnostic::new(code, Place::span(self.file, span), message));
        &mut self.errors[at]
    }

    fn run(&mut self) {
        loop {
            if let Some(&Frame::Str { block, open }) = self.frames.last() {
                if !self.string_part(block, open) {
                    break;
                }
                continue;
            }
            let Some(token) = self.lexer.next() else { break };
            let span = self.lexer.span();
            let span = Span::new(span.start, span.end);
            match token {
                Ok(kind) => self.token(kind, span),
                Err(()) => self.strange(span),
            }
        }
        self.end_of_text();
    }

    fn token(&mut self, kind: Kind, span: Span) {
        match kind {
            Kind::Newline => self.newline = true,
            Kind::Comment => self.comment(span),
            Kind::Quote | Kind::BlockQuote => {
                let open = self.push(kind, span);
                self.frames.push(Frame::Str { block: kind == Kind::BlockQuote, open });
            }
            Kind::ForeignWord => {
                let word = self.text.get(span.range()).unwrap_or_default().to_owned();
                self.error(codes::UNEXPECTED_CHARACTER, span, format!("a name cannot be written `{word}`"))
                    .help = Some("names are made of the letters A to Z, digits and `_`".into());
                self.push(Kind::Ident, span);
            }
            Kind::BraceOpen => {
                if let Some(Frame::Interp { braces, .. }) = self.frames.last_mut() {
                    *braces += 1;
                }
                self.push(kind, span);
            }
            Kind::BraceClose => match self.frames.last_mut() {
                Some(Frame::Interp { braces: 0, open }) => {
                    let open = *open;
                    self.frames.pop();
                    self.close(open, Kind::InterpClose, span);
                }
                frame => {
                    if let Some(Frame::Interp { braces, .. }) = frame {
                        *braces -= 1;
                    }
                    self.push(kind, span);
                }
            },
            _ => {
                self.push(kind, span);
            }
        }
    }

    fn comment(&mut self, span: Span) {
        let text = self.text.get(span.range()).unwrap_or_default();
        let kind = match text.as_bytes() {
            [b'/', b'/', b'/', b'/', ..] => CommentKind::Plain,
            [b'/', b'/', b'/', ..] => CommentKind::Doc,
            [b'/', b'/', b'!', ..] => CommentKind::Module,
            _ => CommentKind::Plain,
        };
        let before = self.lexed.tokens.len() as u32;
        self.lexed.comments.push(Comment { kind, span, before, own_line: self.newline });
    }

    /// Reads one part of a string: text, or the opening of a `${`, or the closing quotes. Says
    /// whether there is more to read.
    fn string_part(&mut self, block: bool, open: usize) -> bool {
        let rest = self.lexer.remainder();
        let start = self.text.len() - rest.len();
        let bytes = rest.as_bytes();
        let mut i = 0;
        let stop = loop {
            match bytes.get(i) {
                None => break None,
                Some(b'\\') => {
                    // What follows is part of the escape, whatever it is; a line end is not.
                    let wide = rest.get(i + 1..).and_then(|r| r.chars().next());
                    i += 1 + wide.filter(|&c| block || (c != '\n' && c != '\r')).map_or(0, char::len_utf8);
                    // In a template only `\${` is an escape.
                    if self.template && self.frames.len() == 1 && wide != Some('$') {
                        i -= wide.map_or(0, char::len_utf8);
                    }
                }
                Some(b'"') if self.template && self.frames.len() == 1 => i += 1,
                Some(b'"') if block => {
                    if bytes.get(i..i + 3) == Some(b"\"\"\"") {
                        // Further quotes belong to the text: `""""` ends with a quote.
                        let more = bytes.iter().skip(i + 3).take_while(|&&b| b == b'"').count().min(2);
                        break Some((Kind::StrClose, i + more, 3));
                    }
                    i += 1;
                }
                Some(b'"') => break Some((Kind::StrClose, i, 1)),
                Some(b'$') if bytes.get(i + 1) == Some(&b'{') => break Some((Kind::InterpOpen, i, 2)),
                Some(b'\n' | b'\r') if !block => break Some((Kind::Newline, i, 0)),
                Some(_) => i += 1,
            }
        };
        let (kind, at, len) = stop.unwrap_or((Kind::End, bytes.len(), 0));
        if at > 0 {
            self.push(Kind::StrText, Span::new(start, start + at));
        }
        self.lexer.bump(at + len);
        let span = Span::new(start + at, start + at + len);
        match kind {
            Kind::StrClose => {
                self.frames.pop();
                self.close(open, kind, span);
            }
            Kind::InterpOpen => {
                let open = self.push(kind, span);
                self.frames.push(Frame::Interp { braces: 0, open });
            }
            Kind::Newline => self.unclosed_line(start + at),
            _ => return false,
        }
        true
    }

    /// A line ends in a string that stands on one line. It and whatever encloses it on this
    /// line end here; the outermost is the one to speak of.
    fn unclosed_line(&mut self, end: usize) {
        let mut outermost = None;
        let mut first = true;
        let inner = self.frames.last().map(|f| match *f {
            Frame::Str { open, .. } | Frame::Interp { open, .. } => open,
        });
        while let Some(frame) = self.frames.last() {
            let open = match *frame {
                Frame::Str { block: true, .. } => break,
                Frame::Str { open, .. } | Frame::Interp { open, .. } => open,
            };
            let Some(token) = self.lexed.tokens.get(open).copied() else { break };
            let on_line = self.text.get(token.span.start as usize..end);
            if !first && on_line.is_none_or(|t| t.contains(['\n', '\r'])) {
                break;
            }
            first = false;
            if token.kind == Kind::InterpOpen || outermost.is_none() {
                outermost = Some((token.kind, token.span));
            }
            if token.kind == Kind::InterpOpen
                && let Some(inner) = inner
            {
                // The quotes that seemed to open a string in `${` are those that close the one
                // around it.
                self.lexed.tokens.truncate(inner.max(open + 1));
            }
            self.pop_frame(end);
        }
        match outermost {
            Some((Kind::InterpOpen, span)) => self.unclosed_interpolation(span),
            Some((_, span)) => {
                let line = Span::new(span.start as usize, end);
                self.error(codes::UNCLOSED_STRING, line, "this string is not closed".into()).help =
                    Some("close it with `\"` on the same line, or write a block string with `\"\"\"`".into());
            }
            None => {}
        }
    }

    fn unclosed_interpolation(&mut self, span: Span) {
        let help = "close it with `}`; write `\\${` for the text itself";
        self.error(codes::UNCLOSED_STRING, span, "this `${` is not closed".into()).help = Some(help.into());
    }

    /// Closes the innermost string or interpolation where nothing closes it.
    fn pop_frame(&mut self, end: usize) {
        match self.frames.pop() {
            Some(Frame::Str { open, .. }) => self.close(open, Kind::StrClose, Span::at(end)),
            Some(Frame::Interp { open, .. }) => self.close(open, Kind::InterpClose, Span::at(end)),
            None => {}
        }
    }

    fn end_of_text(&mut self) {
        let end = self.text.len();
        let keep = usize::from(self.template);
        if let Some(frame) = self.frames.get(keep) {
            let open = match *frame {
                Frame::Str { open, .. } | Frame::Interp { open, .. } => open,
            };
            match self.lexed.tokens.get(open).copied() {
                Some(token) if token.kind == Kind::InterpOpen => self.unclosed_interpolation(token.span),
                Some(token) => {
                    let quotes = if token.kind == Kind::BlockQuote { "\"\"\"" } else { "\"" };
                    self.error(codes::UNCLOSED_STRING, token.span, "this string is not closed".into()).help =
                        Some(format!("close it with `{quotes}`"));
                }
                None => {}
            }
        }
        while !self.frames.is_empty() {
            self.pop_frame(end);
        }
    }

    /// Something that begins no token: said once for a run of it, and left out.
    fn strange(&mut self, span: Span) {
        let rest = self.text.get(span.start as usize..).unwrap_or_default();
        if rest.starts_with("r\"") || rest.starts_with("r#") {
            self.unclosed_raw(span);
            return;
        }
        if let Some(last) = self.lexed.tokens.last_mut()
            && rest.starts_with('!')
            && last.kind == Kind::Assign
            && last.span.end == span.start
        {
            last.kind = Kind::Ne;
            last.span = last.span.to(span);
            let whole = last.span;
            self.error(codes::UNEXPECTED_CHARACTER, whole, "unexpected `=!`".into()).help =
                Some("write `!=`".into());
            return;
        }
        if let Some((len, kind, help)) = known_mistake(rest) {
            let bump = len.saturating_sub(span.len());
            self.lexer.bump(bump.min(self.lexer.remainder().len()));
            let span = Span::new(span.start as usize, span.start as usize + len.max(span.len()));
            let shown: String =
                rest.lines().next().unwrap_or_default().chars().take(if len > 3 { 2 } else { len }).collect();
            self.error(codes::UNEXPECTED_CHARACTER, span, format!("unexpected `{shown}`")).help =
                Some(help.into());
            match kind {
                Some(Kind::Newline) => self.newline = true,
                Some(kind) => {
                    self.push(kind, span);
                }
                None => {}
            }
            return;
        }
        if let Some(last) = self.errors.last_mut()
            && last.code == codes::UNEXPECTED_CHARACTER
            && let Some(label) = last.labels.first_mut()
            && let Place::Span(at) = &mut label.place
            && at.span.end == span.start
            && last.message.starts_with("unexpected character")
        {
            at.span.end = span.end;
            last.message = "unexpected characters".into();
            return;
        }
        let shown = self.text.get(span.range()).unwrap_or_default().escape_debug().to_string();
        self.error(codes::UNEXPECTED_CHARACTER, span, format!("unexpected character `{shown}`"));
    }

    /// A raw string without end: it is taken to end with its line.
    fn unclosed_raw(&mut self, span: Span) {
        let start = span.start as usize;
        let line = self.text.get(start..).and_then(|r| r.split(['\n', '\r']).next()).unwrap_or_default();
        let hashes = line.bytes().skip(1).take_while(|&b| b == b'#').count();
        let bump = line.len().saturating_sub(span.len());
        self.lexer.bump(bump);
        let span = Span::new(start, start + line.len().max(span.len()));
        self.error(codes::UNCLOSED_STRING, span, "this raw string is not closed".into()).help =
            Some(format!("close it with `\"{}`", "#".repeat(hashes)));
        self.push(Kind::RawStr, span);
    }
}

/// What people who know other languages write: how long it is, the token that is meant, help.
fn known_mistake(rest: &str) -> Option<(usize, Option<Kind>, &'static str)> {
    let line = rest.split(['\n', '\r']).next().unwrap_or_default();
    Some(match rest.as_bytes() {
        [b'&', b'&', ..] => (2, Some(Kind::And), "write `and`"),
        [b'!', ..] => (1, Some(Kind::Not), "write `not`"),
        [b';', ..] => (1, Some(Kind::Newline), "statements end with their line, without `;`"),
        [b'#', ..] => (line.len(), None, "comments begin with `//`"),
        [b'\'', after @ ..] => {
            let len = line.as_bytes().iter().skip(1).position(|&b| b == b'\'').map(|p| p + 2)?;
            let _ = after;
            (len, Some(Kind::RawStr), "strings stand in double quotes")
        }
        _ => return None,
    })
}
