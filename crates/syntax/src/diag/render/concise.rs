//! A line for each diagnostic.

use std::fmt::Write as _;

use super::{Texts, severity_word};
use crate::diag::{Diagnostic, Severity};

/// `path:line:column: error[G0101]: message`
pub(super) fn render(diagnostics: &[Diagnostic], texts: &Texts<'_>, color: bool) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        if let Some(at) = texts.primary(diagnostic) {
            let _ = write!(out, "{at}: ");
        }
        let (on, off) = match (color, diagnostic.severity) {
            (false, _) => ("", ""),
            (true, Severity::Error) => ("\x1b[31m", "\x1b[0m"),
            (true, Severity::Warning) => ("\x1b[33m", "\x1b[0m"),
            (true, Severity::Info) => ("\x1b[36m", "\x1b[0m"),
        };
        let word = severity_word(diagnostic.severity);
        let message = one_line(&diagnostic.message);
        let _ = writeln!(out, "{on}{word}[{}]{off}: {message}", diagnostic.code.id());
    }
    out
}

/// A message may quote what a user wrote; a line of this format stays a line.
fn one_line(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}
