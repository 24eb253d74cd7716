//! What parsing yields, and how much of it there may be.

use crate::base::{FileId, Span};
use crate::diag::{Diagnostic, conflict};

use super::Document;

/// Where the nodes of a [`Document`] stand, under the same numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spans {
    /// The value of each node. That of an alias is the alias, `*a`; what lies below it stands
    /// where its anchor is. An omitted value (`key:`) is empty.
    pub values: Vec<Span>,
    /// The key of each mapping entry, and for any other node the value once more.
    pub keys: Vec<Span>,
}

impl Spans {
    /// Where the value of a node stands; the start of the file for one that is not there.
    pub fn value(&self, node: u32) -> Span {
        self.values.get(node as usize).copied().unwrap_or_default()
    }

    /// Where the key of a node stands, or its value if it has no key.
    pub fn key(&self, node: u32) -> Span {
        self.keys.get(node as usize).copied().unwrap_or_default()
    }
}

/// What parsing one document yields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// The document. With an error that leaves the rest of the text readable (a key that stands
    /// twice) there is a document as well; with a syntax error there is none.
    pub document: Option<Document>,
    /// Where its nodes stand.
    pub spans: Spans,
    /// What is wrong with it. All are errors.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the text holds no value at all, but white space and comments at the most. The
    /// document of an empty YAML text is a null; an empty JSON text is an error.
    pub empty: bool,
}

impl Parsed {
    /// The same, or nothing but a merge conflict, if that is what is wrong.
    pub(super) fn or_conflict(self, file: FileId, text: &str) -> Self {
        if self.diagnostics.is_empty() {
            return self;
        }
        match conflict::find(text) {
            Some(conflict) => Parsed::failed(conflict.diagnostic(file)),
            None => self,
        }
    }

    /// Nothing but an error.
    pub(super) fn failed(diagnostic: Diagnostic) -> Self {
        Parsed { document: None, spans: Spans::default(), diagnostics: vec![diagnostic], empty: false }
    }
}

/// How large a document may be. A document that is larger is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// The bytes of the file.
    pub bytes: usize,
    /// How deep containers may nest: a scalar at the top has depth 0, `[1]` depth 1.
    pub depth: usize,
    /// The nodes of the document, those made by aliases included.
    pub nodes: usize,
    /// The nodes that aliases and merge keys make.
    pub alias_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 16 << 20, depth: 128, nodes: 1_000_000, alias_nodes: 100_000 }
    }
}
