//! The YAML parser's errors in our words: what is wrong, and what to write.

use granit_parser::{ErrorKind, ScanError};

use crate::base::{FileId, Span};
use crate::diag::codes::data as codes;
use crate::diag::{Code, Diagnostic, Place};

use super::super::json::name_of;
use super::super::text::Text;
use super::{opener, slip};

/// The diagnostic for an error of the parser.
pub(super) fn diagnostic(file: FileId, text: Text<'_>, error: &ScanError, depth: usize) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or_default().min(text.text.len());
    let found = text.text.get(at..).and_then(|rest| rest.chars().next());
    let length = found.filter(|&c| c != '\n' && c != '\r').map_or(0, char::len_utf8);
    let place = |start: usize, end: usize| Place::span(file, Span::new(text.base + start, text.base + end));
    if let Some(slip) = slip::slip(text.text, at, error.kind()) {
        let at = place(slip.start, slip.start + slip.len);
        return Diagnostic::new(codes::YAML_SYNTAX, at, slip.message).help(slip.help);
    }
    let Told { code, message, help } = match (error.kind(), found) {
        // A list begun beside the keys of a mapping.
        (ErrorKind::ExpectedBlockMappingKey, _) if dash_before(text.text, at).is_some() => Told {
            code: codes::YAML_SYNTAX,
            message: "an item of a list stands where a key of the mapping is expected".to_owned(),
            help: Some("write `name:` above the list, and indent the list below it".to_owned()),
        },
        // The parser takes a comma without an item before it for the end.
        (kind, Some(','))
            if is_about_an_end(kind) && opener::open_at(text.text, text.text.len()).is_none() =>
        {
            Told {
                code: codes::YAML_SYNTAX,
                message: "nothing stands before this comma".to_owned(),
                help: Some("remove the comma, or write a value before it".to_owned()),
            }
        }
        (kind, found) => tell(kind, found, depth),
    };
    let (at, length) = match error.kind() {
        ErrorKind::ExpectedBlockMappingKey => {
            dash_before(text.text, at).map_or((at, length), |dash| (dash, 1))
        }
        _ => (at, length),
    };
    if code == codes::TAB_INDENTATION
        && let Some(tab) = tab_near(text.text, at)
    {
        let diagnostic = Diagnostic::new(code, place(tab, tab + 1), message);
        return diagnostic.help(help.unwrap_or_default());
    }
    let until = if is_about_an_end(error.kind()) { text.text.len() } else { at };
    if is_about_what_is_open(error.kind())
        && let Some(open) = opener::open_at(text.text, until)
    {
        return unclosed(text.text, open, at, place);
    }
    // Near the end of the file there may be nothing to show but the end of its last line.
    let at = if at == text.text.len() { text.text.trim_end().len() } else { at };
    let diagnostic = Diagnostic::new(code, place(at, at + length), message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The dash that starts a line, if an error is there or at what follows it.
fn dash_before(text: &str, at: usize) -> Option<usize> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    let line = text.get(start..)?;
    let dash = start + (line.len() - line.trim_start_matches(' ').len());
    let is_dash = text.get(dash..)?.starts_with("- ") && dash <= at && at <= dash + 2;
    is_dash.then_some(dash)
}

/// The tab that an error at a place is about: in the indentation of the line, else behind it.
fn tab_near(text: &str, at: usize) -> Option<usize> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    let line = text.get(start..)?.lines().next()?;
    let indentation = line.len() - line.trim_start().len();
    let before = line.get(..at - start).and_then(|l| l.rfind('\t'));
    let found = line.get(..indentation).and_then(|l| l.find('\t')).or(before);
    // A text of several lines is read to the tab before that is found wrong.
    found.or_else(|| text.get(start..)?.find('\t')).map(|tab| start + tab)
}

/// Whether the parser found the end of the text within brackets, or what it takes for it.
fn is_about_an_end(kind: &ErrorKind) -> bool {
    use ErrorKind as E;
    matches!(
        kind,
        E::UnexpectedEofFlowSequence | E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping
    )
}

/// Whether an error arises where something above it has not been closed.
fn is_about_what_is_open(kind: &ErrorKind) -> bool {
    use ErrorKind as E;
    matches!(
        kind,
        E::InvalidIndentation
            | E::InvalidFlowScalarIndent
            | E::InvalidQuotedScalarIndent
            | E::UnexpectedEofFlowSequence
            | E::UnexpectedEofFlowMapping
            | E::UnexpectedEofImplicitFlowMapping
            | E::UnclosedFlowCollection { .. }
            | E::UnclosedQuotedScalar
            | E::DocumentIndicatorInQuotedScalar
    )
}

/// A bracket or a quote that is not closed, and where that is noticed.
fn unclosed(
    text: &str,
    open: std::ops::Range<usize>,
    at: usize,
    place: impl Fn(usize, usize) -> Place,
) -> Diagnostic {
    let opener = text.get(open.clone()).unwrap_or_default();
    let close = match opener {
        "[" => "]",
        "{" => "}",
        quote => quote,
    };
    let problem = Diagnostic::new(
        codes::YAML_SYNTAX,
        place(open.start, open.end),
        format!("this `{opener}` is not closed"),
    )
    .help(format!("close it with `{close}`"));
    let first = |c: char| c.len_utf8();
    match text.get(at..).map(str::trim_start).and_then(|rest| rest.chars().next()) {
        Some(c) if !text[at..].starts_with(char::is_whitespace) => {
            problem.label(place(at, at + first(c)), "it must end before this")
        }
        _ => problem,
    }
}

struct Told {
    code: Code,
    message: String,
    help: Option<String>,
}

fn tell(kind: &ErrorKind, found: Option<char>, depth: usize) -> Told {
    use ErrorKind as E;
    let syntax = |message: &str, help: &str| Told {
        code: codes::YAML_SYNTAX,
        message: message.to_owned(),
        help: (!help.is_empty()).then(|| help.to_owned()),
    };
    match kind {
        E::RecursionLimitExceeded => Told {
            code: codes::TOO_DEEP,
            message: format!("lists and mappings nest more than {depth} deep here"),
            help: Some("make the structure flatter, and let values refer to each other by key".to_owned()),
        },
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabAtBlockScalarStart
        | E::TabInIndentation
        | E::TabInPlainScalar => Told {
            code: codes::TAB_INDENTATION,
            message: "a tab stands where YAML counts spaces".to_owned(),
            help: Some("indent with spaces".to_owned()),
        },
        E::UnexpectedCharacter { character } => unexpected(*character),
        E::MappingValueNotAllowed => syntax(
            "a `:` stands where no key can end",
            "put quotes around a value that holds `: `; a nested mapping starts on a line of its own",
        ),
        E::MappingKeyNotAllowed => syntax("a key cannot stand here", "start it on a line of its own"),
        E::ExpectedBlockMappingKey => syntax(
            "expected a key of the mapping",
            "the keys of one mapping start in one column; put quotes around a value that starts with a special character",
        ),
        E::ExpectedBlockSequenceEntry => {
            syntax("expected `- ` and the next item of the list", "the items of one list start in one column")
        }
        E::BlockSequenceEntryNotAllowed => {
            syntax("a list item cannot start here", "start the list on a line of its own")
        }
        E::BlockEntryInFlowCollection => {
            syntax("`- ` stands inside of brackets", "separate the items by commas, without `- `")
        }
        E::ExpectedFlowMappingSeparator => syntax(
            "expected `,` or `}`",
            "a comma stands between two entries; put quotes around a text that holds `{`, `}`, `[` or `]`",
        ),
        E::ExpectedFlowSequenceSeparator => syntax(
            "expected `,` or `]`",
            "a comma stands between two items; put quotes around a text that holds `{`, `}`, `[` or `]`",
        ),
        E::UnexpectedEofFlowSequence => syntax("a `[` is not closed", "write `]`"),
        E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping => {
            syntax("a `{` is not closed", "write `}`")
        }
        E::UnclosedFlowCollection { open } => {
            let close = if *open == '{' { '}' } else { ']' };
            syntax(&format!("this `{open}` is not closed"), &format!("close it with `{close}`"))
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            let right = if *open == '{' { '}' } else { ']' };
            syntax(&format!("`{close}` closes what `{open}` opened"), &format!("write `{right}`"))
        }
        E::MisplacedFlowCollectionEnd => {
            syntax("this bracket closes nothing", "put quotes around a text that starts with it")
        }
        E::UnclosedQuotedScalar => {
            syntax("a string is not closed", "end it with the quote that it starts with")
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey => syntax(
            "expected `:` after the key",
            "write `key: value`; a text of several lines follows `|`, or is indented more than its key",
        ),
        E::InvalidIndentation | E::InvalidFlowScalarIndent | E::InvalidQuotedScalarIndent => syntax(
            "this line is not indented enough",
            "close the `[`, `{` or quote above it, or indent it more than its key",
        ),
        E::InvalidBlockScalarIndent => syntax(
            "this line of the text is indented less than its first line",
            "indent all lines of it alike",
        ),
        E::InvalidMappingValueWhitespace => {
            syntax("no value can follow this `:`", "write one space after it")
        }
        E::CommentNotSeparated => {
            syntax("a comment starts right behind a value", "write a space before the `#`")
        }
        E::CommentInterceptedScalar => {
            syntax("a comment stands within a text of several lines", "move it before or behind the text")
        }
        E::UnknownQuotedScalarEscape => syntax(
            "no such escape in a string",
            "write `\\\\` for a backslash, or use single quotes, in which nothing is escaped",
        ),
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            syntax("something follows a quoted string", "put all of the value into the quotes")
        }
        E::BomInsideDocument => syntax("a byte order mark stands inside of the document", "remove it"),
        E::PlainScalarStartsWithDashFlowIndicator => {
            syntax("a text cannot start like this", "put quotes around it")
        }
        E::ExpectedDocumentStart | E::InvalidDocumentEnd => syntax(
            "something follows the end of the document",
            "a file holds one value; check the indentation",
        ),
        E::InvalidColonPlacement => {
            syntax("this `:` belongs to no key", "a key and its `:` stand on one line")
        }
        E::InvalidBlockEntryWhitespace => syntax("a space must follow this `-`", "write one space after it"),
        E::InvalidTagTerminator => {
            syntax("a space must follow a tag", "put quotes around a text that starts with `!`")
        }
        E::DocumentIndicatorInQuotedScalar => {
            syntax("a string ends with the document", "close it before the `---` or `...`")
        }
        E::UndeclaredTagHandle => Told {
            code: codes::UNKNOWN_TAG,
            message: "no `%TAG` line declares the handle of this tag".to_owned(),
            help: Some("remove the tag".to_owned()),
        },
        E::UnpairedLowSurrogate | E::MissingLowSurrogate | E::InvalidLowSurrogate => syntax(
            "one half of a surrogate pair is no character",
            "write both halves, or the character itself",
        ),
        _ if found.is_some_and(is_unprintable) => unexpected(found.unwrap_or_default()),
        other => {
            let message = other.to_string();
            let message =
                message.strip_prefix("while ").and_then(|m| m.split_once(", ")).map_or(&*message, |(_, m)| m);
            syntax(message, "")
        }
    }
}

fn unexpected(character: char) -> Told {
    if is_unprintable(character) {
        return Told {
            code: codes::CONTROL_CHARACTER,
            message: format!("the character {} cannot stand in YAML", name_of(character)),
            help: Some(format!(
                "remove it, or write `\"\\u{:04x}\"` in a double-quoted string",
                u32::from(character)
            )),
        };
    }
    Told {
        code: codes::YAML_SYNTAX,
        message: format!("a value cannot start with `{character}`"),
        help: Some("put quotes around it".to_owned()),
    }
}

/// Whether YAML allows a character in escaped form only (`c-printable`).
fn is_unprintable(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')) || matches!(c, '\u{fffe}' | '\u{ffff}')
}
