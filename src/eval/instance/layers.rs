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

    pub fn place(self) -> Place {
        Place::Data { file: self.doc.file, node: self.node, part: DataPart::Value }
    }

    pub fn key_place(self) -> Place {
        Place::Data { file: self.doc.file, node: self.node, part: DataPart::Key }
    }

    pub fn is_null(self) -> bool {
        matches!(self.kind(), NodeKind::Null)
    }

    pub fn is_mapping(self) -> bool {
        matches!(self.kind(), NodeKind::Mapping(_))
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

    /// The one that counts where values are not merged.
    pub fn last(&self) -> Src<'a> {
        self.more.last().copied().unwrap_or(self.first)
    }

    /// Those that are merged as mappings, the base first: what lies below the last one that is
    /// no mapping does not count. Empty if the last is no mapping.
    pub fn mappings(&self) -> impl Iterator<Item = Src<'a>> + '_ {
        self.from(|s| s.is_mapping())
    }

    /// As [`Layers::mappings`], for sequences.
    pub fn sequences(&self) -> impl Iterator<Item = Src<'a>> + '_ {
        self.from(|s| matches!(s.kind(), NodeKind::Sequence(_)))
    }

    fn from(&self, fits: impl Fn(Src<'a>) -> bool) -> impl Iterator<Item = Src<'a>> + '_ {
        let all = || std::iter::once(self.first).chain(self.more.iter().copied());
        let skip = all().collect::<Vec<_>>().iter().rposition(|&s| !fits(s)).map_or(0, |at| at + 1);
        all().skip(skip)
    }

    pub fn is_single(&self) -> bool {
        self.more.is_empty()
    }
}
