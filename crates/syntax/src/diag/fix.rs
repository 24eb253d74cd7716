//! The changes that diagnostics suggest, applied to texts.

use std::collections::BTreeMap;

use super::render::Sources;
use super::{Diagnostic, Fix, Place};
use crate::base::{FileId, Span};

/// What applying fixes made.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The new text of each file that changes, by path.
    pub files: BTreeMap<&'static str, String>,
    /// How many fixes are in them.
    pub applied: usize,
    /// How many were left out because they touch the place of another, or no text that is
    /// there: after the next check they may fit.
    pub left_out: usize,
}

/// Applies the first safe fix of each diagnostic, whole or not at all. Files of the standard
/// library are never changed.
pub fn apply_safe(diagnostics: &[Diagnostic], sources: &dyn Sources) -> Applied {
    let mut plan = Plan { sources, edits: BTreeMap::new() };
    let mut result = Applied::default();
    for diagnostic in diagnostics {
        let Some(fix) = diagnostic.fixes.iter().find(|f| f.safe) else { continue };
        match plan.add(fix) {
            true => result.applied += 1,
            false => result.left_out += 1,
        }
    }
    result.files = plan.write();
    result
}

/// The edits that were accepted so far, by path.
struct Plan<'a> {
    sources: &'a dyn Sources,
    edits: BTreeMap<&'static str, Vec<(Span, String)>>,
}

impl Plan<'_> {
    fn add(&mut self, fix: &Fix) -> bool {
        let Some(edits) = fix.edits.iter().map(|e| self.locate(e.place, &e.text)).collect() else {
            return false;
        };
        let edits: Vec<(FileId, Span, String)> = edits;
        let among_themselves =
            |i: usize| edits[..i].iter().all(|a| a.0 != edits[i].0 || apart(a.1, edits[i].1));
        let fits = |(i, (file, span, text)): (usize, &(FileId, Span, String))| {
            let accepted = self.edits.get(file.path()).map_or(&[][..], Vec::as_slice);
            // Two diagnostics may suggest the same change.
            let ok = |(s, t): &(Span, String)| apart(*s, *span) || (s == span && t == text);
            among_themselves(i) && accepted.iter().all(ok)
        };
        if edits.is_empty() || !edits.iter().enumerate().all(fits) {
            return false;
        }
        for (file, span, text) in edits {
            let accepted = self.edits.entry(file.path()).or_default();
            if !accepted.contains(&(span, text.clone())) {
                accepted.push((span, text));
            }
        }
        true
    }

    /// The edit, if it is one of characters that are there in a file of the project.
    fn locate(&self, place: Place, text: &str) -> Option<(FileId, Span, String)> {
        let Place::Span(at) = place else { return None };
        if at.file.path().starts_with("std:") {
            return None;
        }
        let old = self.sources.text(at.file)?;
        old.get(at.span.start as usize..at.span.end as usize)?;
        Some((at.file, at.span, text.to_owned()))
    }

    fn write(mut self) -> BTreeMap<&'static str, String> {
        let mut files = BTreeMap::new();
        for (&path, edits) in &mut self.edits {
            let Some(old) = self.sources.text(FileId::new(path)) else { continue };
            edits.sort();
            let mut new = String::with_capacity(old.len());
            let mut done = 0;
            for (span, text) in edits.iter() {
                new.push_str(&old[done..span.start as usize]);
                new.push_str(text);
                done = span.end as usize;
            }
            new.push_str(&old[done..]);
            files.insert(path, new);
        }
        files
    }
}

/// Whether two replacements can both be made, in one way only: they may meet, but two that
/// start at one byte would have no order.
fn apart(a: Span, b: Span) -> bool {
    a.start != b.start && (a.end <= b.start || b.end <= a.start)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::diag::{Code, CodeInfo, Severity};

    static CODE: CodeInfo =
        CodeInfo { id: "G0001", name: "x", severity: Severity::Error, summary: "", page: "" };

    struct One(&'static str, &'static str);

    impl Sources for One {
        fn text(&self, file: FileId) -> Option<Arc<str>> {
            (file.path() == self.0).then(|| self.1.into())
        }
    }

    fn with_fix(safe: bool, start: usize, end: usize, text: &str) -> Diagnostic {
        in_file("a.yaml", safe, start, end, text)
    }

    fn in_file(path: &str, safe: bool, start: usize, end: usize, text: &str) -> Diagnostic {
        let place = Place::span(FileId::new(path), Span { start: start as u32, end: end as u32 });
        Diagnostic::new(Code::outside(&CODE), place, "m").fix("t", safe, place, text)
    }

    fn text_after(diagnostics: &[Diagnostic]) -> (String, usize, usize) {
        let applied = apply_safe(diagnostics, &One("a.yaml", "prot: 80ä\n"));
        let text = applied.files.get("a.yaml").cloned().unwrap_or_default();
        (text, applied.applied, applied.left_out)
    }

    #[test]
    fn safe_ones_are_applied_and_others_left() {
        assert_eq!(
            text_after(&[
                with_fix(true, 6, 8, "8080"),
                with_fix(true, 0, 4, "port"),
                with_fix(false, 4, 5, "")
            ]),
            ("port: 8080ä\n".into(), 2, 0)
        );
    }

    #[test]
    fn of_two_at_one_place_the_first_wins_and_equal_ones_are_one() {
        assert_eq!(
            text_after(&[
                with_fix(true, 0, 4, "port"),
                with_fix(true, 0, 4, "ports"),
                with_fix(true, 3, 6, ""),
                with_fix(true, 0, 4, "port"),
                with_fix(true, 0, 0, "x"),
            ]),
            ("port: 80ä\n".into(), 2, 3)
        );
    }

    #[test]
    fn what_is_no_place_in_the_project_is_left() {
        let half_a_character = with_fix(true, 9, 10, "");
        let past_the_end = with_fix(true, 400, 500, "");
        let library = in_file("std:net.gops", true, 0, 1, "");
        assert_eq!(text_after(&[half_a_character, past_the_end, library]), (String::new(), 0, 3));
    }

    #[test]
    fn a_fix_of_several_edits_is_whole_or_not_at_all() {
        let mut two = with_fix(true, 0, 1, "P");
        let taken = Place::span(FileId::new("a.yaml"), Span::new(6, 7));
        two.fixes[0].edits.push(crate::diag::SourceEdit { place: taken, text: "9".into() });
        assert_eq!(text_after(&[with_fix(true, 6, 8, "7"), two]), ("prot: 7ä\n".into(), 1, 1));
    }

    proptest! {
        /// What was accepted is there, and no byte outside of the accepted places changed.
        #[test]
        fn nothing_else_changes(edits in prop::collection::vec((0usize..12, 0usize..4), 0..6)) {
            let all: Vec<_> = edits.iter().map(|&(start, len)| with_fix(true, start, start + len, "_")).collect();
            let old = "prot: 80ä\n";
            let (new, applied, left) = text_after(&all);
            prop_assert_eq!(applied + left, all.len());
            let kept: String = new.chars().filter(|&c| c != '_').collect();
            let mut rest = old.chars();
            prop_assert!(kept.chars().all(|c| rest.any(|o| o == c)), "{}", new);
        }
    }
}
