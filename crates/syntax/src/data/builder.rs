//! Puts the nodes of a document together, whichever format they come from.

use ecow::EcoString;

use crate::base::{FileId, Span};
use crate::diag::codes::data as codes;
use crate::diag::{Code, Diagnostic, Place};

use super::fragment::Anchors;
use super::text::quote;
use super::{Document, Limits, Node, NodeKind, Parsed, Spans, sops};

/// The error at which reading ends. Boxed, since it is rare and results of it are many.
pub(super) type Stop = Box<Diagnostic>;

/// The end of a node whose container is still open.
pub(super) const OPEN: u32 = u32::MAX;

/// A document in the making.
pub(super) struct Builder {
    pub file: FileId,
    pub limits: Limits,
    pub nodes: Vec<Node>,
    pub spans: Spans,
    pub diagnostics: Vec<Diagnostic>,
    /// The containers around the next node, the outermost first.
    pub open: Vec<Open>,
    pub anchors: Anchors,
    /// How many nodes aliases and merge keys have made.
    pub alias_nodes: usize,
    pending: Option<(EcoString, Span)>,
    scratch: Vec<u32>,
}

/// A container that has not ended.
pub(super) struct Open {
    pub node: u32,
    count: u32,
    /// Where the last thing in it ends.
    last: u32,
    /// Entries that were refused, in their order; they go when the mapping ends.
    pub refused: Vec<u32>,
    /// The value of the merge key, `<<`.
    pub merge: Option<u32>,
    /// How many anchors stand before it.
    pub anchors: usize,
}

impl Builder {
    /// An empty one; `bytes` is the size of the text, from which the number of nodes is guessed.
    pub fn new(file: FileId, limits: Limits, bytes: usize) -> Self {
        let guess = (bytes / 16 + 4).min(limits.nodes).min(4096);
        Builder {
            file,
            limits,
            nodes: Vec::with_capacity(guess),
            spans: Spans { values: Vec::with_capacity(guess), keys: Vec::with_capacity(guess) },
            diagnostics: Vec::new(),
            open: Vec::with_capacity(8),
            anchors: Anchors::default(),
            alias_nodes: 0,
            pending: None,
            scratch: Vec::new(),
        }
    }

    /// The number of the next node.
    pub fn next(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// Where the node that was added last starts.
    pub fn start_of_last(&self) -> usize {
        self.spans.values.last().map_or(0, |span| span.start as usize)
    }

    /// Gives the next node its key.
    pub fn key(&mut self, key: EcoString, span: Span) {
        self.pending = Some((key, span));
    }

    /// Marks the next node, an entry of the innermost mapping, as one that goes when it ends.
    pub fn refuse_next(&mut self) {
        let next = self.next();
        if let Some(open) = self.open.last_mut() {
            open.refused.push(next);
        }
    }

    /// Marks the next node as the value of the merge key.
    pub fn merge_next(&mut self) {
        let next = self.next();
        if let Some(open) = self.open.last_mut() {
            open.merge.get_or_insert(next);
        }
    }

    /// Adds a scalar.
    pub fn scalar(&mut self, value: NodeKind, span: Span) -> Result<u32, Stop> {
        let node = self.next();
        self.push(value, span, node + 1)?;
        self.reached(span.end);
        Ok(node)
    }

    /// Notes that an integer is written with zeros before it, and not as the same number in octal.
    pub fn padded(&mut self, node: u32) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.padded = matches!(node.value, NodeKind::Int(_));
        }
    }

    /// Notes that an integer is written in octal.
    pub fn octal(&mut self, node: u32) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.octal = matches!(node.value, NodeKind::Int(_));
        }
    }

    /// Begins a sequence or mapping, whose size is not known yet.
    pub fn open(&mut self, value: NodeKind, span: Span) -> Result<u32, Stop> {
        if self.open.len() >= self.limits.depth {
            return Err(self.too_deep(span));
        }
        let node = self.next();
        self.push(value, span, OPEN)?;
        let anchors = self.anchors.len();
        self.open.push(Open { node, count: 0, last: span.end, refused: Vec::new(), merge: None, anchors });
        Ok(node)
    }

    /// Ends the innermost container. `end` is the byte after its closing bracket; without one it
    /// ends with the last thing in it.
    pub fn close(&mut self, end: Option<usize>) -> Result<(), Stop> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        let node = open.node;
        let end = end.map_or(open.last, |end| end as u32);
        if matches!(self.value(node), NodeKind::Mapping(_)) && open.count > 0 {
            self.find_duplicates(&mut open);
            if let Some(merge) = open.merge.take() {
                self.merge(&mut open, merge)?;
            } else if !open.refused.is_empty() {
                open.count -= open.refused.len() as u32;
                self.remove(&open.refused, open.anchors);
            }
        }
        let next = self.next();
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.end = next;
            match &mut node.value {
                NodeKind::Sequence(count) | NodeKind::Mapping(count) => *count = open.count,
                _ => {}
            }
            let keyed = node.key.is_some();
            let number = open.node as usize;
            if let Some(span) = self.spans.values.get_mut(number) {
                span.end = span.end.max(end);
                let span = *span;
                if let (false, Some(key)) = (keyed, self.spans.keys.get_mut(number)) {
                    *key = span;
                }
            }
        }
        self.reached(end);
        Ok(())
    }

    /// The finished document.
    pub fn finish(mut self) -> Parsed {
        if self.nodes.is_empty() {
            self.nodes.push(Node { key: None, value: NodeKind::Null, octal: false, padded: false, end: 1 });
            self.spans.values.push(Span::default());
            self.spans.keys.push(Span::default());
        }
        let mut document = Document { nodes: self.nodes };
        sops::mark_encrypted(&mut document);
        Parsed { document: Some(document), spans: self.spans, diagnostics: self.diagnostics, empty: false }
    }

    /// What could be said before reading ended early.
    pub fn stopped(mut self, stop: Diagnostic) -> Parsed {
        self.diagnostics.push(stop);
        Parsed { document: None, spans: Spans::default(), diagnostics: self.diagnostics, empty: false }
    }

    /// A diagnostic at bytes of this file.
    pub fn error(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Place::span(self.file, span), message)
    }

    /// The value of a node.
    pub fn value(&self, node: u32) -> &NodeKind {
        self.nodes.get(node as usize).map_or(&NodeKind::Null, |node| &node.value)
    }

    /// The numbers of the nodes directly below one that has ended, or of the innermost open one.
    pub fn children(&self, node: u32) -> impl Iterator<Item = u32> {
        let end = self.nodes.get(node as usize).map_or(0, |n| n.end).min(self.next());
        let mut next = node + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.nodes.get(child as usize)?.end.max(child + 1);
            Some(child)
        })
    }

    /// Takes the key of the next node, with the place at which its label goes.
    pub fn take_key(&mut self) -> Option<(EcoString, Span)> {
        self.pending.take()
    }

    /// Counts one more item of the innermost container.
    pub fn count_item(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.count += 1;
        }
    }

    /// Makes sure that the document may have `more` nodes.
    pub fn check_nodes(&self, more: usize, span: Span) -> Result<(), Stop> {
        let most = self.limits.nodes.min(OPEN as usize - 1);
        if self.nodes.len() + more <= most {
            return Ok(());
        }
        let message = format!("the document has more than {most} values");
        let error = self.error(codes::TOO_MANY_NODES, span, message);
        Err(Box::new(error.help("split it into several instances")))
    }

    /// The error of a container below too many others.
    pub fn too_deep(&self, span: Span) -> Stop {
        let message = format!("lists and mappings nest more than {} deep here", self.limits.depth);
        let error = self.error(codes::TOO_DEEP, span, message);
        Box::new(error.help("make the structure flatter, and let values refer to each other by key"))
    }

    /// Notes where the last thing in the innermost container ends.
    pub fn reached(&mut self, end: u32) {
        if let Some(open) = self.open.last_mut() {
            open.last = open.last.max(end);
        }
    }

    fn push(&mut self, value: NodeKind, span: Span, end: u32) -> Result<(), Stop> {
        self.check_nodes(1, span)?;
        self.count_item();
        let (key, key_span) = match self.pending.take() {
            Some((key, span)) => (Some(key), span),
            None => (None, span),
        };
        self.nodes.push(Node { key, value, octal: false, padded: false, end });
        self.spans.values.push(span);
        self.spans.keys.push(key_span);
        Ok(())
    }

    /// Reports each key that stands a second time in a mapping, and marks its entry.
    fn find_duplicates(&mut self, open: &mut Open) {
        let mut children = std::mem::take(&mut self.scratch);
        children.clear();
        children.extend(self.children(open.node).filter(|c| open.refused.binary_search(c).is_err()));
        let key = |n: u32| self.nodes.get(n as usize).and_then(|n| n.key.as_deref()).unwrap_or_default();
        let mut found: Vec<(u32, u32)> = Vec::new();
        if let Some(quick) = self.quick(&children) {
            for (i, &child) in children.iter().enumerate() {
                let Some((known, alike)) = quick.get(..i).zip(quick.get(i)) else { break };
                let earlier = children.iter().zip(known).filter(|(_, k)| *k == alike);
                let mut earlier = earlier.map(|(&other, _)| other).filter(|&other| key(other) == key(child));
                found.extend(earlier.next().map(|first| (first, child)));
            }
        } else {
            children.sort_unstable_by(|&a, &b| key(a).cmp(key(b)).then(a.cmp(&b)));
            let mut first = None;
            for &child in &children {
                match first {
                    Some(first) if key(first) == key(child) => found.push((first, child)),
                    _ => first = Some(child),
                }
            }
            found.sort_unstable_by_key(|&(_, child)| child);
        }
        self.scratch = children;
        for &(first, again) in &found {
            let error = self.duplicate(first, again);
            self.diagnostics.push(error);
        }
        if !found.is_empty() {
            open.refused.extend(found.iter().map(|&(_, child)| child));
            open.refused.sort_unstable();
        }
    }

    /// Of the keys of a few entries what differs between nearly any two: their length and their first
    /// bytes. None if there are more than a few.
    fn quick(&self, children: &[u32]) -> Option<[u64; 16]> {
        let mut quick = [0; 16];
        for (at, &child) in children.iter().enumerate() {
            let key = self.nodes.get(child as usize).and_then(|n| n.key.as_deref()).unwrap_or_default();
            let first = key.bytes().take(7).fold(key.len() as u64, |sum, byte| sum << 8 | u64::from(byte));
            *quick.get_mut(at)? = first;
        }
        Some(quick)
    }

    fn duplicate(&self, first: u32, again: u32) -> Diagnostic {
        let key = self.nodes.get(again as usize).and_then(|n| n.key.as_deref()).unwrap_or_default();
        let message = format!("the key {} stands twice in this mapping", quote(key));
        self.error(codes::DUPLICATE_KEY, self.spans.key(again), message)
            .at("again here")
            .label(Place::span(self.file, self.spans.key(first)), "first here")
            .help("a mapping has each key once: remove one of the two, or rename it")
    }

    /// Changes how many items the container has that is about to end.
    pub fn recount(open: &mut Open, removed: usize, added: usize) {
        open.count = open.count.saturating_sub(removed as u32).saturating_add(added as u32);
    }
}
