//! The diagnostic as a value.

use std::sync::Arc;

use crate::base::{FileId, FileSpan, Span};

use super::Code;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Something to know.
    Info,
    /// Works, but is likely not what is meant.
    Warning,
    /// Nothing is compiled or deployed.
    Error,
}

/// Which part of an entry of a document a label points at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DataPart {
    /// The value, or an item of a sequence.
    Value,
    /// The key of the mapping entry whose value is the node; the value itself where the node
    /// is not the value of an entry.
    Key,
}

/// Where a label points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// Bytes of a text.
    Span(FileSpan),
    /// A node of a model file, by its number in the side table that lowering made.
    Model {
        /// The model file.
        file: FileId,
        /// The number of the node.
        node: u32,
    },
    /// A node of an instance document, by its number in document order (the root is 0; each
    /// mapping entry's value and each sequence item counts one, depth first).
    Data {
        /// The instance file.
        file: FileId,
        /// The number of the node.
        node: u32,
        /// The value or its key.
        part: DataPart,
    },
    /// A file as a whole: shown at its start.
    File(FileId),
}

impl Place {
    /// Bytes of a file.
    pub fn span(file: FileId, span: Span) -> Self {
        Place::Span(FileSpan { file, span })
    }

    /// The file that it is in.
    pub fn file(self) -> FileId {
        match self {
            Place::Span(at) => at.file,
            Place::Model { file, .. } | Place::Data { file, .. } | Place::File(file) => file,
        }
    }
}

/// Knows the bytes of places that are given by number.
pub trait Resolver {
    /// The bytes of a place; the start of the file where it is not known.
    fn resolve(&self, place: Place) -> FileSpan;
}

/// One place of a diagnostic, with what is to be said about it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What; may be empty.
    pub message: String,
    /// Whether this is the place of the mistake, and not the other side.
    pub primary: bool,
}

/// One replacement of a [`Fix`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SourceEdit {
    /// What is replaced.
    pub place: Place,
    /// What stands there afterwards.
    pub text: String,
}

/// A change that mends the problem.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fix {
    /// What it does, in the imperative: ``write `port` ``.
    pub title: String,
    /// Whether it can be applied without a look (`gops check --fix`).
    pub safe: bool,
    /// The replacements; they do not overlap.
    pub edits: Vec<SourceEdit>,
}

/// Something that is wrong, or worth a word.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Diagnostic {
    /// The kind.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in one line that starts in lower case and has no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The places; the first one is the primary.
    pub labels: Vec<Label>,
    /// Changes that would mend it.
    pub fixes: Vec<Fix>,
    /// Whether the last label is the subject: one of those for which the mistake was found. The
    /// same mistake for others is said once.
    pub has_subject: bool,
    /// What must not be shown of the files that it points into; nearly always nothing.
    pub hidden: Option<Arc<Vec<Hidden>>>,
}

/// What must not be shown of a file: secrets that stand in it in plain.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hidden {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub spans: Arc<[Span]>,
}

impl Diagnostic {
    /// A diagnostic of this kind at `place`, with the severity that its code has by default.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: code.info().severity,
            message: message.into(),
            help: None,
            labels: vec![Label { place, message: String::new(), primary: true }],
            fixes: Vec::new(),
            has_subject: false,
            hidden: None,
        }
    }

    /// Says more at the primary place.
    pub fn at(mut self, message: impl Into<String>) -> Self {
        if let Some(primary) = self.labels.first_mut() {
            primary.message = message.into();
        }
        self
    }

    /// Moves the primary label to a place that says more.
    pub fn moved_to(mut self, place: Place) -> Self {
        if let Some(primary) = self.labels.first_mut() {
            primary.place = place;
        }
        self
    }

    /// Adds a second place.
    pub fn label(mut self, place: Place, message: impl Into<String>) -> Self {
        self.labels.push(Label { place, message: message.into(), primary: false });
        self
    }

    /// Adds, as the last label, for what the mistake was found.
    pub fn subject(self, place: Place, message: impl Into<String>) -> Self {
        Diagnostic { has_subject: true, ..self.label(place, message) }
    }

    /// Says what to write instead.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a change that mends it, of one replacement.
    pub fn fix(
        mut self,
        title: impl Into<String>,
        safe: bool,
        place: Place,
        text: impl Into<String>,
    ) -> Self {
        let edits = vec![SourceEdit { place, text: text.into() }];
        self.fixes.push(Fix { title: title.into(), safe, edits });
        self
    }

    /// Says what must not be shown of a file, if that has not been said.
    pub fn hide(&mut self, file: FileId, spans: &Arc<[Span]>) {
        if self.hidden(file).is_none() {
            let all = Arc::make_mut(self.hidden.get_or_insert_default());
            all.push(Hidden { file, spans: spans.clone() });
        }
    }

    /// What must not be shown of a file.
    pub fn hidden(&self, file: FileId) -> Option<&[Span]> {
        self.hidden.as_ref()?.iter().find(|h| h.file == file).map(|h| &*h.spans)
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same with every place given in bytes, but for those that are a whole file.
    pub fn resolved(mut self, resolver: &dyn Resolver) -> Self {
        // The message of a check is its author's.
        let own = (self.code != super::codes::eval::CHECK).then_some(&mut self.message);
        let labels = self.labels.iter_mut().map(|l| &mut l.message);
        labels.chain(self.help.as_mut()).chain(own).for_each(with_articles);
        for label in &mut self.labels {
            if !matches!(label.place, Place::File(_)) {
                label.place = Place::Span(resolver.resolve(label.place));
            }
        }
        for edit in self.fixes.iter_mut().flat_map(|f| &mut f.edits) {
            edit.place = Place::Span(resolver.resolve(edit.place));
        }
        self
    }

    fn subject_key(&self) -> Option<(&'static str, Span)> {
        match self.labels.last().filter(|_| self.has_subject)?.place {
            Place::Span(at) => Some((at.file.path(), at.span)),
            place => Some((place.file().path(), Span::default())),
        }
    }

    /// Whether the other one is the same for another subject. What is found for nobody comes
    /// first, and says it for everybody.
    fn differs_in_subject(&self, other: &Diagnostic) -> bool {
        let but_subject = |d: &Diagnostic| d.labels.len().saturating_sub(usize::from(d.has_subject));
        other.has_subject
            && self.help == other.help
            && self.fixes == other.fixes
            && self.labels.get(..but_subject(self)) == other.labels.get(..but_subject(other))
    }

    fn sort_key(&self) -> (&'static str, Span, Code, &str) {
        let (file, span) = match self.labels.first().map(|l| l.place) {
            Some(Place::Span(at)) => (at.file.path(), at.span),
            Some(place) => (place.file().path(), Span::default()),
            None => ("", Span::default()),
        };
        (file, span, self.code, &self.message)
    }
}

/// Writes "an `int`" for "a `int`": the name of a type is not known where a message is written.
fn with_articles(text: &mut String) {
    let mut from = 0;
    while let Some(at) = text[from..].find("a `").map(|at| at + from) {
        from = at + "a `".len();
        let word = at == 0 || text[..at].ends_with([' ', '(']);
        if word && text[from..].starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) {
            text.insert(at + 1, 'n');
        }
    }
}

/// Puts resolved diagnostics into the one order in which they are shown: by file, place, code
/// and message. The same thing said twice is said once, and so is what differs in its subject
/// alone.
pub fn sort_and_dedup(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics
        .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()).then_with(|| a.subject_key().cmp(&b.subject_key())));
    diagnostics.dedup();
    if diagnostics.iter().any(|d| d.has_subject) {
        fold_subjects(diagnostics);
    }
    if diagnostics.iter().any(|d| d.code == super::codes::eval::REFINEMENT) {
        fold_values(diagnostics);
    }
}

/// Of values that one place of a model makes and that its type refuses, keeps the first with the
/// number of the others: what makes them is to be mended once.
fn fold_values(diagnostics: &mut Vec<Diagnostic>) {
    let mut kept: Vec<(Diagnostic, usize)> = Vec::with_capacity(diagnostics.len());
    for next in diagnostics.drain(..) {
        let place = |d: &Diagnostic| d.labels.first().map(|l| l.place);
        match kept.last_mut() {
            Some((last, more))
                if next.code == super::codes::eval::REFINEMENT
                    && last.code == next.code
                    && place(last) == place(&next) =>
            {
                // Said once without and once with what it was found for, it is one value.
                *more += usize::from(last.message != next.message);
            }
            _ => kept.push((next, 0)),
        }
    }
    diagnostics.extend(kept.into_iter().map(|(mut diagnostic, more)| {
        if let Some(first) = diagnostic.labels.first_mut().filter(|_| more > 0) {
            first.message =
                format!("here, and so for {more} more {}", if more == 1 { "value" } else { "values" });
        }
        diagnostic
    }));
}

/// Keeps of those that differ in their subject alone the first, with the number of the others.
fn fold_subjects(diagnostics: &mut Vec<Diagnostic>) {
    let mut kept: Vec<(Diagnostic, usize)> = Vec::with_capacity(diagnostics.len());
    for next in diagnostics.drain(..) {
        // What is at one place stands together.
        let mut alike = kept.iter_mut().rev().take_while(|(d, _)| d.sort_key() == next.sort_key());
        match alike.find(|(d, _)| d.differs_in_subject(&next)) {
            Some((kept, more)) => *more += usize::from(kept.has_subject),
            None => kept.push((next, 0)),
        }
    }
    diagnostics.extend(kept.into_iter().map(|(mut diagnostic, more)| {
        if let Some(subject) = diagnostic.labels.last_mut().filter(|_| more > 0) {
            subject.message.push_str(&format!(", and {more} more"));
        }
        diagnostic
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_go_with_the_names_of_types() {
        let mut text = "a `int` and a `string` beside extra `any`, (a `Item`)".to_owned();
        with_articles(&mut text);
        assert_eq!(text, "an `int` and a `string` beside extra `any`, (an `Item`)");
    }
}
