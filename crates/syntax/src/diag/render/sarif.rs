//! SARIF 2.1.0, for code scanning.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Shown, Texts};
use crate::diag::{Code, Diagnostic, Fix, Label, Severity};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(diagnostics: &[Diagnostic], texts: &Texts<'_>) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|d| d.code).collect();
    codes.sort();
    codes.dedup();
    let results: Vec<Value> = diagnostics.iter().map(|d| result(d, &codes, texts)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "gops",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|&c| rule(c)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(code: Code) -> Value {
    let info = code.info();
    json!({
        "id": info.id,
        "name": info.name,
        "shortDescription": { "text": info.summary },
        "help": { "text": info.page, "markdown": info.page },
        "defaultConfiguration": { "level": level(info.severity) },
    })
}

fn result(d: &Diagnostic, codes: &[Code], texts: &Texts<'_>) -> Value {
    let mut text = d.message.clone();
    if let Some(help) = &d.help {
        let _ = write!(text, "\n{help}");
    }
    let (primary, related): (Vec<&Label>, Vec<&Label>) = d.labels.iter().partition(|l| l.primary);
    let related = related.iter().enumerate().map(|(i, label)| {
        let mut at = location(label, texts);
        at["id"] = json!(i);
        at
    });
    json!({
        "ruleId": d.code.id(),
        "ruleIndex": codes.binary_search(&d.code).unwrap_or(0),
        "level": level(d.severity),
        "message": { "text": text },
        "locations": primary.iter().map(|l| location(l, texts)).collect::<Vec<_>>(),
        "relatedLocations": related.collect::<Vec<_>>(),
        "fixes": d.fixes.iter().map(|f| fix(f, texts)).collect::<Vec<_>>(),
    })
}

fn location(label: &Label, texts: &Texts<'_>) -> Value {
    let at = texts.show(label.place);
    let mut value = json!({ "physicalLocation": {
        "artifactLocation": artifact(&at),
        "region": {
            "startLine": at.start.line,
            "startColumn": at.start.column,
            "endLine": at.end.line,
            "endColumn": at.end.column,
        },
    }});
    if !label.message.is_empty() {
        value["message"] = json!({ "text": label.message });
    }
    value
}

fn fix(fix: &Fix, texts: &Texts<'_>) -> Value {
    // One change an artifact, as the format wants.
    let mut changes: Vec<(String, Value, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let at = texts.show(edit.place);
        let replacement = json!({
            "deletedRegion": { "byteOffset": at.span.start, "byteLength": at.span.len() },
            "insertedContent": { "text": edit.text },
        });
        match changes.iter_mut().find(|(path, ..)| *path == at.path) {
            Some((_, _, replacements)) => replacements.push(replacement),
            None => changes.push((at.path.clone(), artifact(&at), vec![replacement])),
        }
    }
    let changes = changes.into_iter().map(
        |(_, artifact, replacements)| json!({ "artifactLocation": artifact, "replacements": replacements }),
    );
    json!({
        "description": { "text": fix.title },
        "artifactChanges": changes.collect::<Vec<_>>(),
    })
}

/// A path as a relative URI.
fn artifact(at: &Shown) -> Value {
    let mut uri = String::with_capacity(at.path.len());
    for &byte in at.path.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                uri.push(byte as char)
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    json!({ "uri": uri })
}
