//! One value in several files.

use ecow::EcoString;

use crate::data::NodeKind;
use crate::diag::{DataPart, Place};

use super::Doc;

/// A node of a document.
#[derive(Clone, Copy, Debug)]
pub struct Src<'a> {
    pub doc: Doc<'a>,
    pub node: u32,
}

impl<'a> Src<'a> {
    pub fn kind(self) -> &'a NodeKind {
        self.doc.document.value(self.node)
    }

    pub fn key(self) -> Option<&'a EcoString> {
        self.doc.document.key(self.node)
    }

    pub fn children(self) -> impl Iterator<Item = Src<'a>> {
        self.doc.document.children(self.node).map(move |node| Src { doc: self.doc, node })
    }

    pub fn get(self, key: &str) -> Option<Src<'a>> {
        self.doc.document.get(self.node, key).map(|node| Src { doc: self.doc, node })
    }

    /// What stands at the end of a path of mapping keys.
    pub fn at_path(self, path: &str) -> Option<Src<'a>> {
        path.split('.').try_fold(self, |at, part| at.get(part))
    }

    /// A node that is not there, in the same document.
    pub fn nowhere(self) -> Src<'a> {
        Src { doc: self.doc, node: u32::MAX }
    }

    pub fn place(self) -> Place {
        Place::Data { file: self.doc.file, node: self.node, part: DataPart::Value }
    }

    pub fn key_place(self) -> Place {
        Place::Data { file: self.doc.file, node: self.node, part: DataPart::Key }
    }

    /// Where to point for the value as a whole: a mapping or list of many lines is shown by its
    /// key, or by its first entry.
    pub fn head(self) -> Place {
        if !self.is_container() {
            return self.place();
        }
        if self.key().is_some() {
            return self.key_place();
        }
        match self.children().next() {
            Some(first) if first.key().is_some() => first.key_place(),
            Some(first) => first.head(),
            None => self.place(),
        }
    }

    /// Where the value itself begins, also that of a key.
    pub fn start(self) -> Place {
        match self.children().next() {
            Some(first) if first.key().is_some() => first.key_place(),
            Some(first) => first.start(),
            None => self.place(),
        }
    }

    pub fn is_null(self) -> bool {
        matches!(self.kind(), NodeKind::Null)
    }

    pub fn is_mapping(self) -> bool {
        matches!(self.kind(), NodeKind::Mapping(_))
    }

    pub fn is_sequence(self) -> bool {
        matches!(self.kind(), NodeKind::Sequence(_))
    }

    pub fn is_container(self) -> bool {
        self.is_mapping() || self.is_sequence()
    }

    /// Whether it stands in a file for sops beside another one, which adds and replaces nothing.
    pub fn is_sops(self) -> bool {
        let path = self.doc.file.path();
        let name = path.rsplit('/').next().unwrap_or(path);
        name.contains(".sops.") || self.doc.document.sops().is_some()
    }
}

/// The places of one value: the base first. Nearly always there is one.
#[derive(Clone, Debug)]
pub struct Layers<'a> {
    first: Src<'a>,
    more: Vec<Src<'a>>,
}

impl<'a> Layers<'a> {
    pub fn one(first: Src<'a>) -> Self {
        Layers { first, more: Vec::new() }
    }

    pub fn push(&mut self, src: Src<'a>) {
        self.more.push(src);
    }

    /// The lowest one.
    pub fn first(&self) -> Src<'a> {
        self.first
    }

    /// The one that counts where values are not merged.
    pub fn last(&self) -> Src<'a> {
        self.more.last().copied().unwrap_or(self.first)
    }

    /// All of them, the base first.
    pub fn all(&self) -> impl Iterator<Item = Src<'a>> + '_ {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }

    /// Those that are merged as mappings, the base first: what lies below the last one that is
    /// no mapping does not count. Empty if the last is no mapping.
    pub fn mappings(&self) -> impl Iterator<Item = Src<'a>> + '_ {
        self.top(Src::is_mapping)
    }

    /// As [`Layers::mappings`], for sequences.
    pub fn sequences(&self) -> impl Iterator<Item = Src<'a>> + '_ {
        self.top(Src::is_sequence)
    }

    fn top(&self, fits: impl Fn(Src<'a>) -> bool) -> impl Iterator<Item = Src<'a>> + '_ {
        let skip = match self.more.iter().rposition(|&s| !fits(s)) {
            Some(at) => at + 2,
            None => usize::from(!fits(self.first)),
        };
        self.all().skip(skip)
    }

    pub fn is_single(&self) -> bool {
        self.more.is_empty()
    }
}
