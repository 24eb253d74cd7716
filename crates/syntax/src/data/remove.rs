//! An entry of a mapping taken out of a file that people wrote.
//!
//! As in [`insert`](super::insert) there are several ways, and the first is taken after which the
//! file says what it said before, without the entry.

use crate::base::{Span, TextEdit};

use super::edit::{Refused, Source, Whole};
use super::layout::Lines;
use super::{Document, NodeKind, Parsed};

/// The replacements that take out the entry whose value is a node, and change nothing else.
pub fn remove(source: Source<'_>, entry: u32) -> Result<Vec<TextEdit>, Refused> {
    let whole = Whole::read(source)?;
    let (parsed, document) = whole.chosen()?;
    if document.sops().is_some() {
        return Err(Refused::Encrypted);
    }
    let mapping = holder(document, entry).ok_or(Refused::NoSuchPlace)?;
    let wanted = without(document, mapping, entry);
    let remover = Remover { source, parsed, document, lines: Lines::new(source.bytes), mapping, entry };
    for edit in remover.ways() {
        let edits = vec![edit];
        if whole.becomes(&edits, &wanted) {
            return Ok(edits);
        }
    }
    Err(Refused::NoPlace)
}

/// The mapping that an entry is of.
fn holder(document: &Document, entry: u32) -> Option<u32> {
    document.key(entry)?;
    let holds = |node: &u32| {
        matches!(document.value(*node), NodeKind::Mapping(_)) && document.children(*node).any(|c| c == entry)
    };
    (0..entry).rev().find(holds)
}

fn without(document: &Document, mapping: u32, entry: u32) -> Document {
    let end = document.node(entry).end;
    let gone = end.saturating_sub(entry);
    let mut nodes = document.nodes.clone();
    nodes.drain(entry as usize..(end as usize).min(nodes.len()));
    for node in &mut nodes {
        if node.end >= end {
            node.end -= gone;
        }
    }
    if let Some(NodeKind::Mapping(count)) = nodes.get_mut(mapping as usize).map(|n| &mut n.value) {
        *count = count.saturating_sub(1);
    }
    Document { nodes }
}

struct Remover<'a> {
    source: Source<'a>,
    parsed: &'a Parsed,
    document: &'a Document,
    lines: Lines<'a>,
    mapping: u32,
    entry: u32,
}

impl Remover<'_> {
    fn edit(&self, start: usize, end: usize, text: &str) -> TextEdit {
        TextEdit { file: self.source.file, span: Span::new(start, end.max(start)), text: text.to_owned() }
    }

    fn key_start(&self, node: u32) -> usize {
        self.parsed.spans.key(node).start as usize
    }

    fn value_end(&self, node: u32) -> usize {
        self.parsed.spans.value(node).end.max(self.parsed.spans.key(node).end) as usize
    }

    fn ways(&self) -> Vec<TextEdit> {
        let (start, end) = (self.key_start(self.entry), self.value_end(self.entry));
        let siblings: Vec<u32> = self.document.children(self.mapping).collect();
        let at = siblings.iter().position(|s| *s == self.entry).unwrap_or(0);
        let next = siblings.get(at + 1).copied();
        let before = at.checked_sub(1).and_then(|b| siblings.get(b)).copied();
        let flow = self.source.bytes.get(self.parsed.spans.value(self.mapping).start as usize) == Some(&b'{');
        let mut ways = Vec::new();
        if flow {
            ways.extend(next.map(|next| self.edit(start, self.key_start(next), "")));
            ways.extend(before.map(|before| self.edit(self.value_end(before), end, "")));
            ways.push(self.edit(start, end, ""));
            return ways;
        }
        let line = self.lines.line_start(start);
        if line + self.lines.indent(start).len() == start {
            let column = self.lines.column(start);
            let list = matches!(self.document.value(self.entry), NodeKind::Sequence(_));
            ways.push(self.edit(line, self.lines.after_deeper_comments(end, column, list), ""));
            // The last line of a file that ends without a newline.
            let break_before = line.saturating_sub(if self.lines.newline() == "\r\n" { 2 } else { 1 });
            ways.push(self.edit(break_before, end, ""));
        }
        ways.extend(next.map(|next| self.edit(start, self.key_start(next), "")));
        ways.push(self.edit(start, end, "{}"));
        ways
    }
}
