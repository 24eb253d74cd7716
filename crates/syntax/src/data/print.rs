//! Documents as text again: one style, and reading it yields the same document.
//!
//! For new files, tests and the values of fixes. A file that people wrote is changed by
//! [`edit`](super::edit), which keeps all that they wrote.

use std::fmt::Write as _;

use super::{Document, NodeKind, scalar};

/// Why a document has no text in a format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrintError {
    /// JSON has no infinity and no not-a-number.
    #[error("JSON has no infinity and no not-a-number")]
    NotFinite,
    /// YAML has integers in hexadecimal and octal, JSON has not.
    #[error("JSON has decimal integers only")]
    NotDecimal,
    /// The node was refused when it was read.
    #[error("an invalid value has no text")]
    Invalid,
}

/// The document as JSON, indented by two spaces, with a newline at the end.
pub fn to_json(document: &Document) -> Result<String, PrintError> {
    let mut out = String::new();
    json_node(&mut out, document, Document::ROOT, 0)?;
    out.push('\n');
    Ok(out)
}

/// The document as YAML in block style, with a newline at the end.
pub fn to_yaml(document: &Document) -> Result<String, PrintError> {
    let mut out = String::new();
    yaml_node(&mut out, document, Document::ROOT, 0, After::Nothing)?;
    Ok(out)
}

/// A scalar as JSON. Nothing for a container.
pub fn json_scalar(value: &NodeKind) -> Result<String, PrintError> {
    Ok(match value {
        NodeKind::Null => "null".to_owned(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Int(value) => value.to_string(),
        NodeKind::Float(value) if value.is_finite() => format!("{value:?}"),
        NodeKind::Float(_) => return Err(PrintError::NotFinite),
        NodeKind::BigInt(text) if scalar::is_canonical_integer(text) => text.to_string(),
        NodeKind::BigInt(_) => return Err(PrintError::NotDecimal),
        NodeKind::Str(text) => quoted(text),
        NodeKind::Encrypted(encrypted) => quoted(&encrypted.text),
        NodeKind::Invalid => return Err(PrintError::Invalid),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => String::new(),
    })
}

/// A scalar as YAML on one line. Nothing for a container.
pub fn yaml_scalar(value: &NodeKind) -> Result<String, PrintError> {
    Ok(match value {
        NodeKind::Float(value) if value.is_nan() => ".nan".to_owned(),
        NodeKind::Float(value) if value.is_infinite() => {
            if *value > 0.0 { ".inf" } else { "-.inf" }.to_owned()
        }
        NodeKind::BigInt(text) => text.to_string(),
        NodeKind::Str(text) => yaml_string(text),
        NodeKind::Encrypted(encrypted) => yaml_string(&encrypted.text),
        other => json_scalar(other)?,
    })
}

/// A string as YAML on one line: plain where it can be, else in double quotes.
pub fn yaml_string(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// A string in double quotes, as JSON and YAML both read it.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_invisible(c) && u32::from(c) <= 0xffff => {
                // Writing into a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters that YAML does not let stand as they are, breaks lines at in some version, or that
/// nobody sees.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a string stands without quotes as itself, for readers of YAML 1.1 too, and in flow
/// collections too.
pub(super) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    let starts_well =
        first >= 0x80 || first.is_ascii_alphanumeric() || matches!(first, b'/' | b'_' | b'.' | b'$' | b'(');
    starts_well
        && !matches!(last, b' ' | b':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("...")
        && !text.chars().any(|c| is_invisible(c) || matches!(c, ',' | '[' | ']' | '{' | '}'))
        && matches!(scalar::resolve(text), Ok(NodeKind::Str(_)))
        && !is_read_otherwise_by_yaml_1_1(text)
}

/// `yes`, `1_000`, `12:30:45`, `2001-01-01` and the like.
fn is_read_otherwise_by_yaml_1_1(text: &str) -> bool {
    let word = ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.chars().all(|c| {
            c.is_ascii_hexdigit()
                || matches!(c, '_' | ':' | '.' | '-' | '+' | 'b' | 'x' | 'o' | 'T' | 't' | 'Z' | 'z' | ' ')
        });
    word || numeric
}

fn json_node(out: &mut String, document: &Document, node: u32, depth: usize) -> Result<(), PrintError> {
    let (open, close) = match document.value(node) {
        NodeKind::Sequence(_) => ('[', ']'),
        NodeKind::Mapping(_) => ('{', '}'),
        scalar => {
            out.push_str(&json_scalar(scalar)?);
            return Ok(());
        }
    };
    out.push(open);
    let mut empty = true;
    for child in document.children(node) {
        if !empty {
            out.push(',');
        }
        empty = false;
        line(out, depth + 1);
        if let Some(key) = document.key(child) {
            out.push_str(&quoted(key));
            out.push_str(": ");
        }
        json_node(out, document, child, depth + 1)?;
    }
    if !empty {
        line(out, depth);
    }
    out.push(close);
    Ok(())
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    indent(out, depth);
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// What stands before a value on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing: it is the root.
    Nothing,
    /// `- `, behind which a list or mapping can start.
    Dash,
    /// `key:`, behind which it cannot.
    Key,
}

fn yaml_node(
    out: &mut String,
    document: &Document,
    node: u32,
    depth: usize,
    after: After,
) -> Result<(), PrintError> {
    let value = document.value(node);
    let space = if after == After::Key { " " } else { "" };
    match value {
        NodeKind::Sequence(_) if document.children(node).next().is_none() => {
            out.push_str(space);
            out.push_str("[]\n");
        }
        NodeKind::Mapping(_) if document.children(node).next().is_none() => {
            out.push_str(space);
            out.push_str("{}\n");
        }
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            if after == After::Key {
                out.push('\n');
            }
            for (i, child) in document.children(node).enumerate() {
                if i > 0 || after != After::Dash {
                    indent(out, depth);
                }
                let after = match document.key(child) {
                    Some(key) => {
                        out.push_str(&yaml_key(key, depth));
                        After::Key
                    }
                    None => {
                        out.push_str("- ");
                        After::Dash
                    }
                };
                yaml_node(out, document, child, depth + 1, after)?;
            }
        }
        NodeKind::Str(text) if is_block(text) => {
            out.push_str(space);
            block(out, text, depth);
        }
        scalar => {
            out.push_str(space);
            out.push_str(&yaml_scalar(scalar)?);
            out.push('\n');
        }
    }
    Ok(())
}

/// A key with its colon. One that is too long for YAML to find its colon stands behind `?`.
fn yaml_key(key: &str, depth: usize) -> String {
    let mut text = yaml_string(key);
    if text.chars().count() < 1000 {
        text.push(':');
        return text;
    }
    let mut long = format!("? {text}\n");
    indent(&mut long, depth);
    long.push(':');
    long
}

/// Whether a text of several lines is exactly what a literal block of it says.
fn is_block(text: &str) -> bool {
    let starts_well = !text.starts_with(['\n', ' ', '\t']);
    let of_lines = text.trim_end_matches('\n').contains('\n') || (text.ends_with('\n') && text.len() > 1);
    starts_well
        && of_lines
        && text.lines().all(|line| !line.ends_with([' ', '\t']))
        && text.chars().all(|c| c == '\n' || c == '\t' || !is_invisible(c))
}

fn block(out: &mut String, text: &str, depth: usize) {
    out.push_str(match text.strip_suffix('\n') {
        None => "|-\n",
        Some(rest) if rest.ends_with('\n') => "|+\n",
        Some(_) => "|\n",
    });
    for line in text.split_inclusive('\n') {
        if line != "\n" {
            // The root has depth 0, and a block must be indented all the same.
            indent(out, depth.max(1));
        }
        out.push_str(line);
    }
    if !text.ends_with('\n') {
        out.push('\n');
    }
}
