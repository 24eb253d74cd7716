//! The YAML parser's errors in our words: what is wrong, and what to write.

use granit_parser::{ErrorKind, ScanError};

use crate::base::{FileId, Span};
use crate::diag::codes::data as codes;
use crate::diag::{Code, Diagnostic, Place};

use super::super::json::name_of;
use super::super::text::Text;

/// The diagnostic for an error of the parser.
pub(super) fn diagnostic(file: FileId, text: Text<'_>, error: &ScanError, depth: usize) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or_default().min(text.text.len());
    let found = text.text.get(at..).and_then(|rest| rest.chars().next());
    let length = found.filter(|&c| c != '\n' && c != '\r').map_or(0, char::len_utf8);
    let span = Span::new(text.base + at, text.base + at + length);
    let Told { code, message, help } = tell(error.kind(), found, depth);
    let diagnostic = Diagnostic::new(code, Place::span(file, span), message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
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
        E::ExpectedFlowMappingSeparator => syntax("expected `,` or `}`", ""),
        E::ExpectedFlowSequenceSeparator => syntax("expected `,` or `]`", ""),
        E::UnexpectedEofFlowSequence => syntax("a `[` is not closed", "write `]`"),
        E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping => {
            syntax("a `{` is not closed", "write `}`")
        }
        E::UnclosedFlowCollection { open } => {
            let close = if *open == '{' { '}' } else { ']' };
            syntax(&format!("this `{open}` is not closed"), &format!("write `{close}`"))
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            syntax(&format!("`{close}` closes what `{open}` opened"), "")
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
