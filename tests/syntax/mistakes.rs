//! A file full of mistakes: each is reported at its place, with few that are only consequences.

use std::collections::BTreeSet;

use gops::base::{FileId, LineIndex};
use gops::diag::Place;
use gops::syntax;

#[test]
fn seeded_mistakes() {
    let text = include_str!("mistakes.gops");
    let index = LineIndex::new(text);
    let mut seeded: BTreeSet<usize> =
        text.lines().enumerate().filter(|(_, l)| l.contains("//~")).map(|(n, _)| n + 1).collect();
    seeded.insert(1 + text.lines().position(|l| l.starts_with("entity Vhost")).unwrap_or_default());
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
    assert!(consequences.len() <= 5, "consequences: {consequences:#?}");
}
