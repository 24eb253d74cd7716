//! What holds for every text that is given as a model. The fuzz targets use this file too.

use std::sync::Arc;

use gops::base::{FileId, MemorySystem};
use gops::diag::render::{Format, Sources, render};
use gops::diag::{Diagnostic, Place};
use gops::project::{Options, Session};
use gops::syntax;

const MODEL: &str = "model/main.gops";
const FORMATS: [Format; 5] = [Format::Human, Format::Concise, Format::Json, Format::Sarif, Format::Github];

/// Instances for slices in `slices/a` and `slices/b`, which models of the corpus are given.
const INSTANCES: [(&str, &str); 3] = [
    ("gops.toml", "name = \"fuzz\"\nedition = \"2026\"\n"),
    ("slices/a/a.yaml", "name: a\nport: 80\ntags: [x, y]\non: b\nparts:\n  - name: p\n    type: http\n"),
    ("slices/b/b.yaml", "name: b\naddress: 192.0.2.1\nlabels: { k: v }\nsize: 1GiB\n"),
];

struct Shown(Session);

impl Sources for Shown {
    fn text(&self, file: FileId) -> Option<Arc<str>> {
        self.0.source(file)
    }
}

/// Holds labels to the text that they point into.
fn assert_inside(text: &str, diagnostics: &[Diagnostic]) {
    for label in diagnostics.iter().flat_map(|d| &d.labels) {
        if let Place::Span(at) = label.place
            && at.file == FileId::new(MODEL)
        {
            assert!(text.get(at.span.range()).is_some(), "{:?} of {text:?}", at.span);
        }
    }
}

/// Parses, lowers, checks and evaluates a model, and shows what is wrong in every format: no
/// panic, and no place outside of the text.
pub fn assert_sound_as_model(text: &str) {
    assert_inside(text, &syntax::parse(FileId::new(MODEL), text).diagnostics);
    let system = MemorySystem::new(INSTANCES);
    system.write(MODEL, text.as_bytes());
    let mut session = Session::open(Arc::new(system), Options::default());
    let mut found = session.check().diagnostics;
    if !found.iter().any(Diagnostic::is_error) {
        found.extend(session.test(None).into_iter().flat_map(|outcome| outcome.diagnostics));
    }
    assert_inside(text, &found);
    let shown = Shown(session);
    for format in FORMATS {
        let _ = render(format, &found, &shown, false);
    }
}

/// Formats a model: what is formatted stays so, and keeps its meaning and its comments; only a
/// text with errors is not formatted.
pub fn assert_formatted_for_good(text: &str) {
    let faulty = syntax::parse(FileId::new(MODEL), text).diagnostics.iter().any(Diagnostic::is_error);
    let once = match syntax::format(text) {
        Ok(once) => once,
        Err(_) => return assert!(faulty, "{text:?} is not formatted"),
    };
    assert!(!faulty, "{text:?} has errors");
    assert_eq!(syntax::format(&once).as_ref(), Ok(&once), "of {text:?}");
    assert!(syntax::same_meaning(text, &once), "{text:?} and {once:?}");
    assert_eq!(once.matches("//").count(), text.matches("//").count(), "{text:?} and {once:?}");
    // The formatter gives back what it cannot format; it must not come to that.
    let loose = format!("{text}\n\n\n");
    if let Ok(new) = syntax::format(&loose) {
        assert!(!new.ends_with("\n\n"), "{text:?} was given back as it is");
    }
}
