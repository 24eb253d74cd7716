//! Diagnostics as one JSON object.

use serde_json::{Value, json};

use super::{Texts, Totals, severity_word};
use crate::diag::{Diagnostic, Fix, Label};

pub(super) fn render(diagnostics: &[Diagnostic], texts: &Texts<'_>) -> String {
    let totals = Totals::of(diagnostics);
    let all: Vec<Value> = diagnostics.iter().map(|d| diagnostic(d, texts)).collect();
    let document = json!({
        "diagnostics": all,
        "errors": totals.errors,
        "warnings": totals.warnings,
    });
    format!("{document:#}\n")
}

fn diagnostic(d: &Diagnostic, texts: &Texts<'_>) -> Value {
    json!({
        "code": d.code.id(),
        "severity": severity_word(d.severity),
        "message": d.message,
        "help": d.help,
        "labels": d.labels.iter().map(|l| label(l, texts)).collect::<Vec<_>>(),
        "fixes": d.fixes.iter().map(|f| fix(f, texts)).collect::<Vec<_>>(),
    })
}

/// Files are named from the project's root here, wherever the reader stands.
fn label(label: &Label, texts: &Texts<'_>) -> Value {
    let at = texts.show(label.place);
    json!({
        "file": at.file.path(),
        "line": at.start.line,
        "column": at.start.column,
        "end_line": at.end.line,
        "end_column": at.end.column,
        "message": label.message,
        "primary": label.primary,
    })
}

fn fix(fix: &Fix, texts: &Texts<'_>) -> Value {
    let edits = fix.edits.iter().map(|edit| {
        let at = texts.show(edit.place);
        json!({
            "file": at.file.path(),
            "start": at.span.start,
            "end": at.span.end,
            "text": edit.text,
        })
    });
    json!({ "title": fix.title, "safe": fix.safe, "edits": edits.collect::<Vec<_>>() })
}
