//! JSON, as RFC 8259 has it and nothing more.
//!
//! A plain document is read at one go (see `plain_json`). Of all others, those with mistakes among
//! them, the tokens are jsonc-parser's. Its tree is not used: it would be built only to be copied into
//! ours. Its scanner accepts some things even with every leniency off, white space that JSON does
//! not have and control characters in strings, and those are looked for here.

use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::tokens::Token;
use jsonc_parser::{ParseStringErrorKind, Scanner, ScannerOptions};

use crate::base::{FileId, Span};
use crate::diag::codes::data as codes;
use crate::diag::{Diagnostic, Place};

use super::builder::{Builder, Stop};
use super::text::{self, Text, quote};
use super::{Limits, NodeKind, Parsed, scalar};

/// Parses a JSON document. A byte order mark before it is accepted, as RFC 8259 allows.
pub fn parse_json(file: FileId, bytes: &[u8], limits: &Limits) -> Parsed {
    let Text { text, base } = match text::decode(file, bytes, limits) {
        Ok(text) => text,
        Err(error) => return Parsed::failed(error),
    };
    super::plain_json::read(file, text, base, limits)
        .unwrap_or_else(|| scan(file, text, base, limits).or_conflict(file, text))
}

/// Reads any text, and says what is wrong with it.
pub(super) fn scan(file: FileId, text: &str, base: usize, limits: &Limits) -> Parsed {
    let mut reader = Reader {
        text,
        base,
        scanner: Scanner::new(text, &STRICT),
        builder: Builder::new(file, *limits, text.len()),
        last: 0,
    };
    match reader.document() {
        Ok(()) => reader.builder.finish(),
        Err(stop) => {
            let empty = text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
            Parsed { empty, ..reader.builder.stopped(*stop) }
        }
    }
}

const STRICT: ScannerOptions = ScannerOptions {
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

struct Reader<'a> {
    text: &'a str,
    base: usize,
    scanner: Scanner<'a>,
    builder: Builder,
    /// Where the last token ended.
    last: usize,
}

/// A list or a mapping that is open, and its bracket.
#[derive(Clone, Copy)]
struct Container {
    mapping: bool,
    span: Span,
}

impl Container {
    /// Whether a token closes a container of the other kind.
    fn is_other_end(self, token: &Token<'_>) -> bool {
        matches!((self.mapping, token), (true, Token::CloseBracket) | (false, Token::CloseBrace))
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A value.
    Value,
    /// A value or `]`, after `[`.
    FirstItem,
    /// A key or `}`, after `{`.
    FirstKey,
    /// A key, after `,`.
    Key,
    /// What may follow a value.
    After,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<(), Stop> {
        let mut expect = Expect::Value;
        let mut open: Vec<Container> = Vec::with_capacity(8);
        while let Some(token) = self.token()? {
            let in_mapping = open.last().map(|o| o.mapping);
            expect = match (expect, token) {
                (Expect::Value | Expect::FirstItem, Token::OpenBrace) => {
                    self.builder.open(NodeKind::Mapping(0), self.span())?;
                    open.push(Container { mapping: true, span: self.span() });
                    Expect::FirstKey
                }
                (Expect::Value | Expect::FirstItem, Token::OpenBracket) => {
                    self.builder.open(NodeKind::Sequence(0), self.span())?;
                    open.push(Container { mapping: false, span: self.span() });
                    Expect::FirstItem
                }
                (Expect::Value | Expect::FirstItem, token) if is_scalar(&token) => {
                    let span = self.span();
                    let value = self.scalar(token, span)?;
                    self.builder.scalar(value, span)?;
                    Expect::After
                }
                (Expect::FirstItem, Token::CloseBracket) | (Expect::FirstKey, Token::CloseBrace) => {
                    self.close(&mut open)?
                }
                (Expect::After, Token::CloseBracket) if in_mapping == Some(false) => self.close(&mut open)?,
                (Expect::After, Token::CloseBrace) if in_mapping == Some(true) => self.close(&mut open)?,
                (Expect::After, Token::Comma) if in_mapping == Some(true) => Expect::Key,
                (Expect::After, Token::Comma) if in_mapping == Some(false) => Expect::Value,
                (Expect::Key | Expect::FirstKey, Token::String(key)) => {
                    let span = self.span();
                    self.check_string(span)?;
                    self.builder.key(key.as_ref().into(), span);
                    match self.token()? {
                        Some(Token::Colon) => Expect::Value,
                        found => return Err(self.unexpected("`:` after the key", found.as_ref(), None)),
                    }
                }
                (_, token) if let Some(open) = open.last().filter(|o| o.is_other_end(&token)) => {
                    let place = Place::span(self.builder.file, self.span());
                    return Err(Box::new(self.open_still(*open).label(place, "it must end before this")));
                }
                (expect, token) => return Err(self.misplaced(expect, &token, in_mapping)),
            };
        }
        match (expect, open.last()) {
            (Expect::After, None) => Ok(()),
            (Expect::Value, None) => {
                let error = self.error(self.at_end(), "the file is empty, and JSON needs a value");
                Err(Box::new(error.help("write a mapping, `{}` at the least")))
            }
            (_, Some(innermost)) => Err(self.unclosed(*innermost)),
            (expect, None) => Err(self.unexpected(wanted(expect, None), None, None)),
        }
    }

    fn close(&mut self, open: &mut Vec<Container>) -> Result<Expect, Stop> {
        self.builder.close(Some(self.base + self.scanner.token_end()))?;
        open.pop();
        Ok(Expect::After)
    }

    /// The file ends within a container.
    fn unclosed(&self, innermost: Container) -> Stop {
        Box::new(self.open_still(self.closed_by_another().unwrap_or(innermost)))
    }

    /// A container that is not closed where it should be.
    fn open_still(&self, Container { mapping, span }: Container) -> Diagnostic {
        let (open, close) = if mapping { ('{', '}') } else { ('[', ']') };
        self.error(span, format!("this `{open}` is not closed")).help(format!("close it with `{close}`"))
    }

    /// The first container whose closing bracket starts a line that is indented otherwise than
    /// the line of its opening one: it seems to be that of another.
    fn closed_by_another(&self) -> Option<Container> {
        let mut scanner = Scanner::new(self.text, &STRICT);
        let mut open: Vec<(Container, usize, usize)> = Vec::new();
        // Where the current line starts, and how far it is indented.
        let (mut line, mut indent, mut last) = (0, 0, 0);
        while let Ok(Some(token)) = scanner.scan() {
            let start = scanner.token_start();
            let gap = self.text.get(last..start).unwrap_or_default();
            let first = last == 0 || gap.contains('\n');
            if first {
                line = gap.rfind('\n').map_or(last, |n| last + n + 1);
                indent = start - line;
            }
            last = scanner.token_end();
            let span = Span::new(self.base + start, self.base + last);
            match token {
                Token::OpenBrace => open.push((Container { mapping: true, span }, line, indent)),
                Token::OpenBracket => open.push((Container { mapping: false, span }, line, indent)),
                Token::CloseBrace | Token::CloseBracket => {
                    let (container, opened, at) = open.pop()?;
                    if first && opened != line && at != indent {
                        return Some(container);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The next token, after white space that JSON has.
    fn token(&mut self) -> Result<Option<Token<'a>>, Stop> {
        let token = match self.scanner.scan() {
            Ok(token) => token,
            Err(error) => {
                self.check_gap(self.scanner.token_start())?;
                return Err(self.scan_error(&error));
            }
        };
        let end = if token.is_some() { self.scanner.token_start() } else { self.text.len() };
        if end > self.last {
            self.check_gap(end)?;
        }
        self.last = self.scanner.token_end();
        Ok(token)
    }

    fn span(&self) -> Span {
        Span::new(self.base + self.scanner.token_start(), self.base + self.scanner.token_end())
    }

    fn at_end(&self) -> Span {
        Span::at(self.base + self.text.len())
    }

    fn scalar(&mut self, token: Token<'a>, span: Span) -> Result<NodeKind, Stop> {
        Ok(match token {
            Token::String(text) => {
                self.check_string(span)?;
                NodeKind::Str(text.as_ref().into())
            }
            Token::Number(text) => match scalar::json_number(text) {
                Ok(value) => value,
                Err(scalar::OutOfRange) => {
                    let error = self.builder.out_of_range(text, span);
                    self.builder.diagnostics.push(error);
                    NodeKind::Invalid
                }
            },
            Token::Boolean(value) => NodeKind::Bool(value),
            _ => NodeKind::Null,
        })
    }

    /// Refuses white space between the last token and `end` that only JavaScript has.
    fn check_gap(&self, end: usize) -> Result<(), Stop> {
        let gap = self.text.get(self.last..end).unwrap_or_default();
        let Some(at) = gap.bytes().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')) else {
            return Ok(());
        };
        let start = self.last + at;
        let found = self.text.get(start..).and_then(|t| t.chars().next()).unwrap_or_default();
        let span = Span::new(self.base + start, self.base + start + found.len_utf8());
        let message = format!("the character {} is no white space of JSON", name_of(found));
        Err(Box::new(self.error(span, message).help("write a space, a tab or a line break")))
    }

    /// Refuses control characters in a string.
    fn check_string(&self, span: Span) -> Result<(), Stop> {
        let start = span.start as usize - self.base;
        let raw = self.text.as_bytes().get(start..span.end as usize - self.base).unwrap_or_default();
        let Some(at) = raw.iter().position(|&b| b < 0x20) else { return Ok(()) };
        let byte = raw.get(at).copied().unwrap_or_default();
        let place = Span::new(span.start as usize + at, span.start as usize + at + 1);
        let escape = match byte {
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            _ => format!("\\u{byte:04x}"),
        };
        let message = format!("a string cannot hold {} as it is", name_of(char::from(byte)));
        let error = self.builder.error(codes::CONTROL_CHARACTER, place, message);
        Err(Box::new(error.help(format!("write `{escape}`"))))
    }

    fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.builder.error(codes::JSON_SYNTAX, span, message)
    }

    fn misplaced(&self, expect: Expect, token: &Token<'_>, in_mapping: Option<bool>) -> Stop {
        let help = match (expect, token) {
            (_, Token::CommentLine(_) | Token::CommentBlock(_)) => Some(
                "JSON has no comments: remove it, or rename the file to `.yaml`, where comments start with `#`",
            ),
            (Expect::Key, Token::CloseBrace) => Some("remove the comma before it"),
            (Expect::Value, Token::CloseBracket) if in_mapping == Some(false) => {
                Some("remove the comma before it")
            }
            (Expect::Key | Expect::FirstKey, _) => Some("a key is a string in double quotes"),
            (Expect::After, Token::String(_)) if in_mapping.is_some() => {
                Some("a comma stands between two entries")
            }
            (Expect::After, _) if in_mapping.is_none() => Some("a file holds one value: remove the rest"),
            (_, Token::Word(word)) => Some(word_help(word)),
            (Expect::After, Token::Number(_)) if self.after_zero() => {
                Some("a number does not start with `0`")
            }
            _ => None,
        };
        self.unexpected(wanted(expect, in_mapping), Some(token), help)
    }

    /// Whether the token stands right behind a `0`.
    fn after_zero(&self) -> bool {
        let start = self.scanner.token_start();
        start > 0 && self.text.as_bytes().get(start - 1) == Some(&b'0')
    }

    fn unexpected(&self, wanted: &str, found: Option<&Token<'_>>, help: Option<&str>) -> Stop {
        let (span, found) = match found {
            Some(token) => (self.span(), describe(token)),
            None => (self.at_end(), "the end of the file".to_owned()),
        };
        let error = self.error(span, format!("expected {wanted}, found {found}"));
        Box::new(match help {
            Some(help) => error.help(help),
            None => error,
        })
    }

    fn scan_error(&self, error: &ParseError) -> Stop {
        use ParseErrorKind as E;
        let range = error.range();
        let span = Span::new(self.base + range.start, self.base + range.end);
        let (message, help) = match error.kind() {
            E::SingleQuotedStringsNotAllowed => {
                ("a string of JSON stands in double quotes", "write `\"` instead of `'`")
            }
            E::UnaryPlusNumbersNotAllowed => ("a number of JSON has no `+`", "remove it"),
            E::HexadecimalNumbersNotAllowed => {
                ("a number of JSON is decimal", "write it with the digits `0` to `9`")
            }
            E::BareDecimalPointNumbersNotAllowed => {
                ("a number of JSON has digits on both sides of its `.`", "write `0.5` or `1.0`")
            }
            E::NonFiniteNumbersNotAllowed => {
                ("JSON has no infinity and no not-a-number", "write `null`, or a number")
            }
            E::ExpectedDigit | E::ExpectedPlusMinusOrDigitInNumberLiteral => {
                ("a number is not complete", "write digits after the `e`")
            }
            E::ExpectedDigitFollowingNegativeSign => {
                ("a number is not complete", "write digits after the `-`")
            }
            E::String(kind) => string_error(kind),
            _ => return self.no_value(range.start),
        };
        let error = self.error(span, message);
        Box::new(if help.is_empty() { error } else { error.help(help) })
    }

    /// The error of a text that is no token.
    fn no_value(&self, start: usize) -> Stop {
        let rest = self.text.get(start..).unwrap_or_default();
        let word =
            rest.find(|c: char| !c.is_alphanumeric()).map_or(rest, |end| rest.get(..end).unwrap_or_default());
        let first = rest.chars().next().unwrap_or_default();
        let shown = if word.is_empty() { rest.get(..first.len_utf8()).unwrap_or_default() } else { word };
        let span = Span::new(self.base + start, self.base + start + shown.len());
        let visible = word.len() > 1 || first.is_alphanumeric() || first.is_ascii_graphic();
        let (message, help) = if visible {
            (format!("{} is no value of JSON", quote(shown)), word_help(shown))
        } else {
            (format!("the character {} is no part of JSON", name_of(first)), "remove it")
        };
        Box::new(self.error(span, message).help(help))
    }
}

/// What to write instead of a word.
fn word_help(word: &str) -> &'static str {
    match word {
        "True" | "TRUE" => "write `true`",
        "False" | "FALSE" => "write `false`",
        "None" | "Null" | "NULL" | "nil" | "undefined" => "write `null`",
        _ => "a string stands in double quotes",
    }
}

fn string_error(kind: &ParseStringErrorKind) -> (&'static str, &'static str) {
    use ParseStringErrorKind as E;
    match kind {
        E::UnterminatedStringLiteral => ("a string is not closed", "write `\"` at its end"),
        E::ExpectedFourHexDigits | E::ExpectedTwoHexDigits => {
            ("an escape is not complete", "write four hexadecimal digits after `\\u`")
        }
        E::InvalidUnicodeEscapeSequence(_) => {
            ("one half of a surrogate pair is no character", "write both halves, or the character itself")
        }
        _ => ("no such escape in a string", "write `\\\\` for a backslash"),
    }
}

impl Builder {
    /// The error of a number that no 64-bit float comes near.
    pub fn out_of_range(&self, text: &str, span: Span) -> Diagnostic {
        let message = format!("{} is beyond the range of a 64-bit float", quote(text));
        self.error(codes::NUMBER_RANGE, span, message).help("write it as a string if it is no quantity")
    }
}

fn is_scalar(token: &Token<'_>) -> bool {
    matches!(token, Token::String(_) | Token::Number(_) | Token::Boolean(_) | Token::Null)
}

fn wanted(expect: Expect, in_mapping: Option<bool>) -> &'static str {
    match (expect, in_mapping) {
        (Expect::Value, _) => "a value",
        (Expect::FirstItem, _) => "a value or `]`",
        (Expect::FirstKey, _) => "a key or `}`",
        (Expect::Key, _) => "a key",
        (Expect::After, Some(true)) => "`,` or `}`",
        (Expect::After, Some(false)) => "`,` or `]`",
        (Expect::After, None) => "the end of the file",
    }
}

fn describe(token: &Token<'_>) -> String {
    match token {
        Token::String(_) => "a string".to_owned(),
        Token::Number(text) => format!("the number {}", quote(text)),
        Token::CommentLine(_) | Token::CommentBlock(_) => "a comment".to_owned(),
        token => quote(token.as_str()),
    }
}

/// A character for a message, though it may not be visible.
pub(super) fn name_of(c: char) -> String {
    match c {
        '\n' => "a line break".to_owned(),
        '\r' => "a carriage return".to_owned(),
        '\t' => "a tab".to_owned(),
        '\0' => "NUL".to_owned(),
        c => format!("U+{:04X}", u32::from(c)),
    }
}
