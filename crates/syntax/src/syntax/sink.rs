//! Where the diagnostics of one text go.

use crate::base::{FileId, Span};
use crate::diag::codes::syntax as codes;
use crate::diag::{Code, Diagnostic, Place};

/// More mistakes than this in one text are counted, not shown: it is not a model then.
const MAX: usize = 200;

/// So many more are counted: then it is garbage, and not read to its end.
const COUNTED: usize = 2000;

/// Collects diagnostics, up to a limit.
#[derive(Debug)]
pub struct Sink {
    file: FileId,
    list: Vec<Diagnostic>,
    more: usize,
}

impl Sink {
    /// For diagnostics of this file.
    pub fn new(file: FileId) -> Self {
        Sink { file, list: Vec::new(), more: 0 }
    }

    /// The file.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// Whether so much is wrong that nothing more needs to be looked for.
    pub fn is_full(&self) -> bool {
        self.more >= COUNTED
    }

    /// How much is wrong so far.
    pub fn count(&self) -> usize {
        self.list.len() + self.more
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What was taken last.
    pub fn last(&self) -> Option<&Diagnostic> {
        self.list.last()
    }

    /// Takes one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.list.len() < MAX {
            self.list.push(diagnostic);
        } else {
            self.more += 1;
        }
    }

    /// Takes back what was said of a place that was taken for something else.
    pub fn retract(&mut self, span: Span) {
        let inside = |d: &Diagnostic| match d.labels.first().map(|l| l.place) {
            Some(Place::Span(at)) => at.span.start >= span.start && at.span.end <= span.end,
            _ => false,
        };
        self.list.retain(|d| !inside(d));
    }

    /// Takes an error at a place.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.push(self.at(code, span, message));
    }

    /// Makes a diagnostic, to be pushed.
    pub fn at(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Place::span(self.file, span), message)
    }

    /// All of them, in the order of their places.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        if self.more > 0 {
            let message = match self.more {
                COUNTED.. => "too much is wrong with this file: the rest is not shown".to_owned(),
                1 => "too much is wrong with this file: one more mistake is not shown".to_owned(),
                more => format!("too much is wrong with this file: {more} more mistakes are not shown"),
            };
            let last = self.list.last().and_then(|d| d.labels.first()).map(|l| l.place);
            let place = last.unwrap_or(Place::File(self.file));
            let help = "mend what is shown, or see whether this is a model at all";
            self.list.push(Diagnostic::new(codes::TOO_MANY, place, message).help(help));
        }
        crate::diag::sort_and_dedup(&mut self.list);
        self.list
    }
}
