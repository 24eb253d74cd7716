//! Text to a flat list of tokens. Strings are taken apart here: the text between the quotes and
//! the expressions of `${…}` are tokens of the same list, so that nothing is ever read twice.

use logos::Logos;

use crate::base::Span;
use crate::diag::codes::syntax as codes;
use crate::diag::{Code, Place};

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
pub fn lex(text: &str, sink: &mut Sink) -> Lexed {
    let mut driver = Driver::new(text, sink);
    driver.run();
    driver.lexed
}

/// Reads the text of a template: as if it stood in quotes, to its end.
pub fn lex_template(text: &str, sink: &mut Sink) -> Lexed {
    let mut driver = Driver::new(text, sink);
    driver.template = true;
    driver.push(Kind::BlockQuote, Span::at(0));
    driver.frames.push(Frame::Str { block: true, open: 0 });
    driver.run();
    driver.lexed
}

struct Driver<'t, 's> {
    text: &'t str,
    lexer: logos::Lexer<'t, Kind>,
    lexed: Lexed,
    frames: Vec<Frame>,
    newline: bool,
    template: bool,
    sink: &'s mut Sink,
    /// A run of characters that begin nothing, not yet reported.
    strange: Option<Span>,
    /// How many more block strings without end are looked for: what bounds the time.
    blocks_left: u32,
}

impl<'t, 's> Driver<'t, 's> {
    fn new(text: &'t str, sink: &'s mut Sink) -> Self {
        Driver {
            text,
            lexer: Kind::lexer(text),
            lexed: Lexed::default(),
            frames: Vec::new(),
            newline: true,
            template: false,
            sink,
            strange: None,
            blocks_left: 4,
        }
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

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let error = self.sink.at(code, span, message).help(help);
        self.sink.push(error);
    }

    fn run(&mut self) {
        loop {
            if let Some(&Frame::Str { block, open }) = self.frames.last() {
                if !self.string_part(block, open) {
                    break;
                }
                continue;
            }
            // What is so wrong is not read to its end.
            let Some(token) = self.lexer.next().filter(|_| !self.sink.is_full()) else { break };
            let span = self.lexer.span();
            let span = Span::new(span.start, span.end);
            match token {
                Ok(kind) => {
                    self.report_strange();
                    self.token(kind, span);
                }
                Err(()) => self.strange(span),
            }
        }
        self.report_strange();
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
                let help = "names are made of the letters A to Z, digits and `_`";
                self.error(
                    codes::UNEXPECTED_CHARACTER,
                    span,
                    format!("a name cannot be written `{word}`"),
                    help,
                );
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
        let before = self.text.as_bytes().get(..end).unwrap_or_default();
        let line = before.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |p| p + 1);
        while let Some(frame) = self.frames.last() {
            let open = match *frame {
                Frame::Str { block: true, .. } => break,
                Frame::Str { open, .. } | Frame::Interp { open, .. } => open,
            };
            let Some(token) = self.lexed.tokens.get(open).copied() else { break };
            if !first && (token.span.start as usize) < line {
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
                let help = "close it with `\"` on the same line, or write a block string with `\"\"\"`";
                self.error(codes::UNCLOSED_STRING, line, "this string is not closed", help);
            }
            None => {}
        }
    }

    /// At the end of a text in which a block string is not closed: finds it, says so, ends it
    /// where its indentation does and goes back there. What was read since then took texts for
    /// code and code for texts.
    fn reread_after_block(&mut self) -> bool {
        let outermost = self.frames.first().map(|frame| match *frame {
            Frame::Str { open, .. } | Frame::Interp { open, .. } => open,
        });
        let Some(last) = outermost.filter(|_| self.blocks_left > 0) else { return false };
        let Some(open) = self.unclosed_block(last) else { return false };
        let Some(span) = self.lexed.tokens.get(open).map(|t| t.span) else { return false };
        self.blocks_left -= 1;
        let end = self.end_by_indent(span);
        self.sink.retract(Span::new(span.end as usize, self.text.len()));
        self.lexed.tokens.truncate(open + 1);
        self.lexed.comments.retain(|c| c.before as usize <= open);
        self.frames.clear();
        self.strange = None;
        self.newline = false;
        let text = Span::new(span.end as usize, end);
        if !text.is_empty() {
            self.push(Kind::StrText, text);
        }
        self.close(open, Kind::StrClose, Span::at(end));
        let help = "close it with `\"\"\"` below its last line";
        self.error(codes::UNCLOSED_STRING, span, "this block string is not closed", help);
        self.lexer = Kind::lexer(self.text);
        self.lexer.bump(end);
        true
    }

    /// The first block string that is closed by what looks like the opening quotes of another:
    /// an operator or a bracket before them, and nothing behind. Else the one that is open, at
    /// `last`, if it is one.
    fn unclosed_block(&self, last: usize) -> Option<usize> {
        let mut at = 0;
        while at < last {
            let token = self.lexed.tokens.get(at)?;
            let close = match token.kind {
                Kind::Quote | Kind::BlockQuote => self.lexed.tokens.get(token.partner as usize)?,
                _ => {
                    at += 1;
                    continue;
                }
            };
            if token.kind == Kind::BlockQuote && self.looks_like_opening(token.span, close.span) {
                return Some(at);
            }
            at = (token.partner as usize).max(at) + 1;
        }
        (self.lexed.tokens.get(last)?.kind == Kind::BlockQuote).then_some(last)
    }

    fn looks_like_opening(&self, open: Span, close: Span) -> bool {
        let inside = self.text.get(open.end as usize..close.start as usize).unwrap_or_default();
        let Some((_, before)) = inside.rsplit_once('\n') else { return false };
        let rest = self.text.get(close.end as usize..).unwrap_or_default();
        let rest = rest.split('\n').next().unwrap_or_default();
        before.trim_end().ends_with([':', '=', '(', '[', ',', '+', '>', '?']) && rest.trim().is_empty()
    }

    /// Where the lines below an opening quote are no longer indented more than its own; the end
    /// of the line before.
    fn end_by_indent(&self, open: Span) -> usize {
        let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
        let before = self.text.get(..open.start as usize).unwrap_or_default();
        let own = before.rfind('\n').map_or(before, |n| before.get(n + 1..).unwrap_or_default());
        let own = indent(own);
        let start = open.end as usize;
        let rest = self.text.get(start..).unwrap_or_default();
        let mut end = start;
        for (i, line) in rest.split_inclusive('\n').enumerate() {
            let text = line.trim_end_matches(['\n', '\r']);
            if i > 0 && !text.trim().is_empty() && indent(text) <= own {
                break;
            }
            if i == 0 || !text.trim().is_empty() {
                // What lies between is of blank lines.
                let from = line.as_ptr() as usize - rest.as_ptr() as usize;
                end = start + from + text.len();
            }
        }
        end
    }

    fn unclosed_interpolation(&mut self, span: Span) {
        let help = "close it with `}`; write `\\${` for the text itself";
        self.error(codes::UNCLOSED_STRING, span, "this `${` is not closed", help);
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
        if keep == 0 && self.reread_after_block() {
            return self.run();
        }
        if let Some(frame) = self.frames.get(keep) {
            let open = match *frame {
                Frame::Str { open, .. } | Frame::Interp { open, .. } => open,
            };
            match self.lexed.tokens.get(open).copied() {
                Some(token) if token.kind == Kind::InterpOpen => self.unclosed_interpolation(token.span),
                Some(token) => {
                    let quotes = if token.kind == Kind::BlockQuote { "\"\"\"" } else { "\"" };
                    let help = format!("close it with `{quotes}`");
                    self.error(codes::UNCLOSED_STRING, token.span, "this string is not closed", help);
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
            return self.unclosed_raw(span);
        }
        let said = (rest.starts_with("${") && self.interpolation_in_interpolation(span))
            || (rest.starts_with('!') && self.not_equal(span));
        if said {
            return;
        }
        if let Some(slip) = slip(rest) {
            self.slip(span, &slip);
        } else if let Some(run) = self.strange.as_mut().filter(|r| r.end == span.start) {
            run.end = span.end;
        } else {
            self.report_strange();
            self.strange = Some(span);
        }
    }

    fn report_strange(&mut self) {
        let Some(span) = self.strange.take() else { return };
        let text = self.text.get(span.range()).unwrap_or_default();
        let mut shown = text.chars();
        let message = match (shown.next(), shown.next()) {
            (Some(only), None) => format!("unexpected character `{}`", only.escape_debug()),
            _ => "unexpected characters".to_owned(),
        };
        self.sink.error(codes::UNEXPECTED_CHARACTER, span, message);
    }

    /// `=!`.
    fn not_equal(&mut self, span: Span) -> bool {
        let Some(last) = self.lexed.tokens.last_mut() else { return false };
        if last.kind != Kind::Assign || last.span.end != span.start {
            return false;
        }
        last.kind = Kind::Ne;
        last.span = last.span.to(span);
        let span = last.span;
        let place = Place::span(self.sink.file(), span);
        let error = self.sink.at(codes::UNEXPECTED_CHARACTER, span, "unexpected `=!`").help("write `!=`");
        self.sink.push(error.fix("write `!=`", true, place, "!="));
        true
    }

    /// What is meant is clear: it is read as if it stood there.
    fn slip(&mut self, span: Span, slip: &Slip) {
        self.report_strange();
        let start = span.start as usize;
        let len = slip.len.max(span.len());
        self.lexer.bump(len.saturating_sub(span.len()).min(self.lexer.remainder().len()));
        let span = Span::new(start, start + len);
        let shown: String = self.text.get(start..).unwrap_or_default().chars().take(slip.shown).collect();
        let mut error =
            self.sink.at(codes::UNEXPECTED_CHARACTER, span, format!("unexpected `{shown}`")).help(slip.help);
        if let Some(text) = slip.fix {
            let end = if slip.shown < len { start + slip.shown } else { start + len };
            let title = if text.is_empty() { "take it away" } else { slip.help };
            let text = self.apart(start, end, text);
            let place = Place::span(self.sink.file(), Span::new(start, end));
            error = error.fix(title, true, place, text);
        }
        self.sink.push(error);
        match slip.kind {
            Some(Kind::Newline) => self.newline = true,
            Some(kind) => {
                self.push(kind, span);
            }
            None => {}
        }
    }

    /// A word that takes the place of a sign must not run into its neighbours.
    fn apart(&self, start: usize, end: usize, text: &str) -> String {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let wordy = text.ends_with(word);
        let left = self.text.get(..start).and_then(|t| t.chars().next_back()).is_some_and(word);
        let right = self.text.get(end..).and_then(|t| t.chars().next()).is_some_and(word);
        let space = |here: bool| if wordy && here { " " } else { "" };
        format!("{}{text}{}", space(left), space(right))
    }

    /// `"${a, ${b}"`: the first one is not closed. It is taken to hold one token, and what
    /// follows is text again.
    fn interpolation_in_interpolation(&mut self, span: Span) -> bool {
        let Some(&Frame::Interp { open, braces: 0 }) = self.frames.last() else { return false };
        let Some(token) = self.lexed.tokens.get(open).copied() else { return false };
        self.unclosed_interpolation(token.span);
        self.lexed.tokens.truncate(open + 2);
        self.pop_frame(span.start as usize);
        let hole = self.push(Kind::InterpOpen, Span::new(span.start as usize, span.start as usize + 2));
        self.lexer.bump(2usize.saturating_sub(span.len()));
        self.frames.push(Frame::Interp { braces: 0, open: hole });
        true
    }

    /// A raw string without end: it is taken to end with its line.
    fn unclosed_raw(&mut self, span: Span) {
        let start = span.start as usize;
        let line = self.text.get(start..).and_then(|r| r.split(['\n', '\r']).next()).unwrap_or_default();
        let hashes = line.bytes().skip(1).take_while(|&b| b == b'#').count();
        let bump = line.len().saturating_sub(span.len());
        self.lexer.bump(bump);
        let span = Span::new(start, start + line.len().max(span.len()));
        let help = format!("close it with `\"{}`", "#".repeat(hashes));
        self.error(codes::UNCLOSED_STRING, span, "this raw string is not closed", help);
        self.push(Kind::RawStr, span);
    }
}

/// What people who know other languages write.
struct Slip {
    /// How many bytes belong to it.
    len: usize,
    /// How many bytes of them are the sign.
    shown: usize,
    /// The token that is meant.
    kind: Option<Kind>,
    /// What to write.
    help: &'static str,
    /// What replaces the sign.
    fix: Option<&'static str>,
}

fn slip(rest: &str) -> Option<Slip> {
    let sign = |len, kind, help, fix| Slip { len, shown: len, kind: Some(kind), help, fix: Some(fix) };
    let line = || rest.find(['\n', '\r']).unwrap_or(rest.len());
    Some(match rest.as_bytes() {
        [b'&', b'&', ..] => sign(2, Kind::And, "write `and`", "and"),
        [b'!', ..] => sign(1, Kind::Not, "write `not`", "not"),
        [b';', ..] => sign(1, Kind::Newline, "statements end with their line, without `;`", ""),
        [b'#', ..] => {
            let help = "comments begin with `//`";
            Slip { len: line(), shown: 1, kind: None, help, fix: Some("//") }
        }
        [b'\'', after @ ..] => {
            let close = after.iter().take(4096).position(|b| matches!(b, b'\'' | b'\n'))?;
            let closed = after.get(close) == Some(&b'\'');
            let help = "strings stand in double quotes";
            closed.then_some(Slip { len: close + 2, shown: 1, kind: Some(Kind::RawStr), help, fix: None })?
        }
        _ => return None,
    })
}
