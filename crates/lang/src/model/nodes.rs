//! Gives places their numbers.

use crate::base::{FileId, Span};
use crate::diag::Place;

use super::hir::Node;
use super::program::NodeTables;

/// Numbers the places of model files. Numbers are given in the order of the requests, so whoever
/// lowers must ask in an order that depends on the tree alone: then a layout edit moves bytes in
/// the side tables and changes no number.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NodeBuilder {
    tables: NodeTables,
}

impl NodeBuilder {
    /// A new number for these bytes.
    pub fn node(&mut self, file: FileId, span: Span) -> Node {
        let spans = &mut self.tables.entry(file).or_default().spans;
        spans.push(span);
        Node(spans.len() as u32 - 1)
    }

    /// A new number, as a place that a diagnostic can point at.
    pub fn place(&mut self, file: FileId, span: Span) -> Place {
        let node = self.node(file, span);
        Place::Model { file, node: node.0 }
    }

    /// The bytes behind a number.
    pub fn span(&self, file: FileId, node: Node) -> Option<Span> {
        self.tables.get(&file)?.spans.get(node.0 as usize).copied()
    }

    /// The tables, once everything has its number.
    pub fn finish(self) -> NodeTables {
        self.tables
    }
}
