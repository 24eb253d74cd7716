//! Diagnostics as text, for people and for machines.
//!
//! Every renderer is a pure function from resolved diagnostics and the texts they point into.

mod concise;
mod excerpt;
mod github;
mod human;
mod json;
mod sarif;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Diagnostic, Place, Severity};
use crate::base::{FileId, LineColumn, LineIndex, Span};

/// Knows the texts that diagnostics point into.
pub trait Sources {
    /// The text of a file; `None` where it is gone or is no UTF-8, which is then shown by its path alone.
    fn text(&self, file: FileId) -> Option<Arc<str>>;

    /// The path as the reader of the output can open it: from the folder that they stand in.
    fn shown(&self, file: FileId) -> String {
        file.path().to_owned()
    }

    /// The path from the root of the repository, as services that show a repository want it.
    fn in_repository(&self, file: FileId) -> String {
        file.path().to_owned()
    }
}

/// How diagnostics are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// With the lines of the files, for a terminal.
    Human,
    /// A line each: `path:line:column: error[G0101]: message`.
    Concise,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// All `diagnostics` in one text that ends with a newline, or is empty. `color` concerns
/// [`Format::Human`] and [`Format::Concise`] alone.
pub fn render(format: Format, diagnostics: &[Diagnostic], sources: &dyn Sources, color: bool) -> String {
    let texts = Texts::new(sources, matches!(format, Format::Sarif | Format::Github));
    match format {
        Format::Human => human::render(diagnostics, &texts, color),
        Format::Concise => concise::render(diagnostics, &texts, color),
        Format::Json => json::render(diagnostics, &texts),
        Format::Sarif => sarif::render(diagnostics, &texts),
        Format::Github => github::render(diagnostics, &texts),
    }
}

/// How many errors and warnings there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// The number of errors.
    pub errors: usize,
    /// The number of warnings.
    pub warnings: usize,
    /// How many of both have a fix that can be applied without a look.
    pub fixable: usize,
}

impl Totals {
    /// Counts.
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
        Totals {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            fixable: diagnostics.iter().filter(|d| d.fixes.iter().any(|f| f.safe)).count(),
        }
    }
}

impl std::fmt::Display for Totals {
    /// `2 errors, 1 warning`; `no errors` where there is neither.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let Totals { errors, warnings, .. } = *self;
        match (errors, warnings) {
            (0, 0) => write!(f, "no errors"),
            (_, 0) => write!(f, "{errors} error{}", plural(errors)),
            (0, _) => write!(f, "{warnings} warning{}", plural(warnings)),
            _ => write!(f, "{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings)),
        }
    }
}

/// A text and its lines.
pub(super) struct Text {
    text: Arc<str>,
    lines: LineIndex,
}

/// Bytes of a text that are not shown.
pub(super) type HiddenSpans<'a> = &'a [Span];

impl Text {
    /// The bytes of a line (from 1) without its end, as a range.
    fn line(&self, line: u32) -> std::ops::Range<usize> {
        let start = self.lines.line_start(line).unwrap_or(self.text.len());
        let end = self.lines.line_start(line + 1).unwrap_or(self.text.len());
        let bare = self.text[start..end].trim_end_matches(['\n', '\r']);
        start..start + bare.len()
    }
}

/// The texts of one rendering, each read and indexed once.
struct Texts<'a> {
    sources: &'a dyn Sources,
    /// Whether paths start at the root of the repository, not where the reader stands.
    in_repository: bool,
    read: RefCell<FxHashMap<FileId, Option<Rc<Text>>>>,
}

/// A place as it is shown.
struct Shown {
    file: FileId,
    path: String,
    start: LineColumn,
    end: LineColumn,
    span: Span,
}

impl<'a> Texts<'a> {
    fn new(sources: &'a dyn Sources, in_repository: bool) -> Self {
        Texts { sources, in_repository, read: RefCell::default() }
    }

    fn get(&self, file: FileId) -> Option<Rc<Text>> {
        let read = || {
            let text = self.sources.text(file)?;
            let lines = LineIndex::new(&text);
            Some(Rc::new(Text { text, lines }))
        };
        self.read.borrow_mut().entry(file).or_insert_with(read).clone()
    }

    /// Where a place is. One that was not resolved to bytes counts as the start of its file.
    fn show(&self, place: Place) -> Shown {
        let file = place.file();
        let span = match place {
            Place::Span(at) => Span { start: at.span.start, end: at.span.end.max(at.span.start) },
            _ => Span::default(),
        };
        let first = LineColumn { line: 1, column: 1 };
        // Of a whole file, which may be too large to look at, the text is not needed.
        let text = if let Place::Span(_) = place { self.get(file) } else { None };
        let (start, end) = text.map_or((first, first), |t| {
            let at = |offset: u32| t.lines.line_column(&t.text, offset as usize);
            (at(span.start), at(span.end))
        });
        let path = match self.in_repository {
            true => self.sources.in_repository(file),
            false => self.sources.shown(file),
        };
        Shown { file, path, start, end, span }
    }

    /// The primary place of a diagnostic.
    fn primary(&self, diagnostic: &Diagnostic) -> Option<Shown> {
        let labels = &diagnostic.labels;
        let label = labels.iter().find(|l| l.primary).or(labels.first())?;
        Some(self.show(label.place))
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.start.line, self.start.column)
    }
}

/// The word for a severity that people and machines are shown.
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

#[cfg(test)]
mod tests;
