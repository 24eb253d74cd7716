//! A file full of mistakes: each is reported at its place, with few that are only consequences.

use std::collections::BTreeSet;

use gops::base::{FileId, LineIndex};
use gops::diag::Place;
use gops::syntax;

/// Of 30 seeded mistakes 28 are found, with 5 consequences.
fn judge(text: &str, extra: Option<&str>) {
    let index = LineIndex::new(text);
    let mut seeded: BTreeSet<usize> =
        text.lines().enumerate().filter(|(_, l)| l.contains("//~")).map(|(n, _)| n + 1).collect();
    seeded.extend(extra.and_then(|e| text.lines().position(|l| l.starts_with(e))).map(|n| n + 1));
    let mut found = BTreeSet::new();
    let mut consequences = Vec::new();
    for d in syntax::parse(FileId::new("model/mistakes.gops"), text).diagnostics {
        let Some(Place::Span(at)) = d.labels.first().map(|l| l.place) else { continue };
        let place = index.line_column(text, at.span.start as usize);
        let line = place.line as usize;
        if !(seeded.contains(&line) && found.insert(line)) {
            consequences.push(format!("{line}:{} {:?} {}", place.column, d.code, d.message));
        }
    }
    let missed: Vec<_> = seeded.difference(&found).collect();
    assert!(missed.len() * 30 <= seeded.len() * 2, "missed: {missed:?}");
    assert!(consequences.len() * 30 <= seeded.len() * 5, "consequences: {consequences:#?}");
}

#[test]
fn seeded_mistakes() {
    judge(include_str!("mistakes.gops"), Some("entity Vhost"));
}

#[test]
fn more_mistakes() {
    judge(include_str!("more_mistakes.gops"), None);
}
