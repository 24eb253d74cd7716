//! Annotations of GitHub Actions: workflow commands on standard output.

use std::fmt::Write as _;

use super::Texts;
use crate::diag::{Diagnostic, Severity};

pub(super) fn render(diagnostics: &[Diagnostic], texts: &Texts<'_>) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let _ = write!(out, "::{command} ");
        if let Some(at) = texts.primary(diagnostic) {
            let _ = write!(out, "file={},line={},", property(&at.path), at.start.line);
            let _ = write!(out, "endLine={},col={},", at.end.line, at.start.column);
            // GitHub refuses an end column where the annotation spans lines.
            if at.end.line == at.start.line {
                let _ = write!(out, "endColumn={},", at.end.column);
            }
        }
        let title = format!("{} {}", diagnostic.code.id(), diagnostic.code.info().name);
        let _ = writeln!(out, "title={}::{}", property(&title), data(&message(diagnostic, texts)));
    }
    out
}

/// An annotation shows one place; the others are named in its text.
fn message(diagnostic: &Diagnostic, texts: &Texts<'_>) -> String {
    let mut text = diagnostic.message.clone();
    for label in &diagnostic.labels {
        if label.primary && !label.message.is_empty() {
            let _ = write!(text, "\n{}", label.message);
        } else if !label.primary {
            let _ = write!(text, "\n{}: {}", texts.show(label.place), label.message);
        }
    }
    if let Some(help) = &diagnostic.help {
        let _ = write!(text, "\nhelp: {help}");
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
