//! From bytes to text: size, encoding, byte order mark.

use crate::base::{FileId, Span};
use crate::diag::codes::data as codes;
use crate::diag::{Diagnostic, Place};

use super::Limits;

/// The text of a file without its byte order mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub text: &'a str,
    /// How many bytes of the file stand before it.
    pub base: usize,
}

/// Refuses what is too large or not UTF-8.
pub(super) fn decode<'a>(file: FileId, bytes: &'a [u8], limits: &Limits) -> Result<Text<'a>, Diagnostic> {
    // Spans are 32 bits wide, whatever limit somebody sets.
    let most = limits.bytes.min(u32::MAX as usize);
    if bytes.len() > most {
        let message = format!("the file has {} bytes, and {most} is the most that is read", bytes.len());
        return Err(Diagnostic::new(codes::TOO_LARGE, Place::File(file), message)
            .help("split it into several instances, or keep bulk data in a file of its own and read it with `file()`"));
    }
    let base = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    match std::str::from_utf8(bytes.get(base..).unwrap_or_default()) {
        Ok(text) => Ok(Text { text, base }),
        Err(error) => Err(not_utf8(file, bytes, base + error.valid_up_to())),
    }
}

fn not_utf8(file: FileId, bytes: &[u8], at: usize) -> Diagnostic {
    let utf16 = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    let message = if utf16 { "the file is UTF-16, not UTF-8" } else { "the file is not UTF-8" };
    let byte = bytes.get(at).copied().unwrap_or_default();
    Diagnostic::new(codes::NOT_UTF8, Place::span(file, Span::new(at, at + 1)), message)
        .at(format!("the byte 0x{byte:02x} starts no character"))
        .help("save the file as UTF-8")
}

/// A part of the text for a message: in backticks, on one line, not too long.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 60;
    let mut quoted = String::from("`");
    for c in text.chars().take(MOST) {
        if c.is_control() {
            quoted.extend(c.escape_debug());
        } else {
            quoted.push(c);
        }
    }
    if text.chars().nth(MOST).is_some() {
        quoted.push('…');
    }
    quoted.push('`');
    quoted
}
