//! Parts of a document that stand in it more than once, or not any more: aliases.

use ecow::EcoString;

use crate::base::Span;
use crate::diag::codes::data as codes;

use super::builder::{Builder, OPEN, Stop};
use super::{Node, NodeKind};

/// A value and all below it, cut loose: the ends of its nodes count from its own start.
#[derive(Default)]
pub(super) struct Fragment {
    pub nodes: Vec<Node>,
    pub values: Vec<Span>,
    pub keys: Vec<Span>,
}

/// What the anchors of a document stand for.
#[derive(Default)]
pub(super) struct Anchors {
    /// By the parser's number of the anchor, which only grows.
    targets: Vec<(usize, Target)>,
    /// Values that were removed from the document and still have anchors.
    kept: Vec<Fragment>,
}

#[derive(Clone, Copy)]
enum Target {
    Node(u32),
    Kept { fragment: usize, node: u32 },
}

impl Anchors {
    /// Notes that the next aliases with this number stand for a node.
    pub fn define(&mut self, id: usize, node: u32) {
        self.targets.push((id, Target::Node(node)));
    }

    /// Notes the same of the key of an entry, which is no node.
    pub fn define_key(&mut self, id: usize, key: EcoString, span: Span) {
        let fragment = self.kept.len();
        let node = Node { key: None, value: NodeKind::Str(key), octal: false, padded: false, end: 1 };
        self.kept.push(Fragment { nodes: vec![node], values: vec![span], keys: vec![span] });
        self.targets.push((id, Target::Kept { fragment, node: 0 }));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    fn find(&self, id: usize) -> Option<Target> {
        let at = self.targets.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        self.targets.get(at).map(|&(_, target)| target)
    }
}

impl Fragment {
    /// Moves the ends of the nodes by a distance, and the key and place of the root elsewhere.
    pub fn rebase(nodes: &mut [Node], from: u32, to: u32) {
        for node in nodes {
            node.end = node.end.wrapping_sub(from).wrapping_add(to);
        }
    }

    /// How deep containers nest in these nodes, which make up one value that starts at `start`.
    fn height(nodes: &[Node], start: u32) -> usize {
        let mut ends: Vec<u32> = Vec::new();
        let mut height = 0;
        for (number, node) in (start..).zip(nodes) {
            while ends.last().is_some_and(|&end| end <= number) {
                ends.pop();
            }
            if matches!(node.value, NodeKind::Sequence(_) | NodeKind::Mapping(_)) {
                ends.push(node.end);
                height = height.max(ends.len());
            }
        }
        height
    }
}

impl Builder {
    /// Adds what an alias stands for.
    pub fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let Some(target) = self.anchors.find(id) else {
            // The anchor was on something that was refused.
            return self.scalar(NodeKind::Invalid, span).map(drop);
        };
        let (nodes, start) = match self.anchored(target) {
            Some(found) => found,
            None => {
                let error = self.error(codes::UNKNOWN_ALIAS, span, "an alias stands inside of what it names");
                let error = error.help("a value cannot contain itself: write the part that is meant");
                self.diagnostics.push(error);
                return self.scalar(NodeKind::Invalid, span).map(drop);
            }
        };
        let (length, height) = (nodes.len(), Fragment::height(nodes, start));
        self.count_alias_nodes(length, span)?;
        self.check_nodes(length, span)?;
        if self.open.len() + height > self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.count_item();
        let to = self.nodes.len();
        self.copy(target, length);
        Fragment::rebase(self.nodes.get_mut(to..).unwrap_or_default(), start, to as u32);
        let (key, key_span) = match self.take_key() {
            Some((key, span)) => (Some(key), span),
            None => (None, span),
        };
        if let Some(node) = self.nodes.get_mut(to) {
            node.key = key;
        }
        if let (Some(value), Some(key)) = (self.spans.values.get_mut(to), self.spans.keys.get_mut(to)) {
            (*value, *key) = (span, key_span);
        }
        self.reached(span.end);
        Ok(())
    }

    /// The value that an alias stands for, if it is a scalar; else what it is.
    pub fn alias_scalar(&self, id: usize) -> Option<&NodeKind> {
        let (nodes, _) = self.anchored(self.anchors.find(id)?)?;
        nodes.first().map(|node| &node.value)
    }

    /// Makes sure that aliases may make `more` nodes.
    pub fn count_alias_nodes(&mut self, more: usize, span: Span) -> Result<(), Stop> {
        self.alias_nodes += more;
        let most = self.limits.alias_nodes;
        if self.alias_nodes <= most {
            return Ok(());
        }
        let message = format!("aliases and merge keys make more than {most} values of this document");
        let error = self.error(codes::ALIAS_EXPANSION, span, message);
        Err(Box::new(
            error.help("write fewer aliases of aliases; what many instances share belongs in the model"),
        ))
    }

    /// Takes entries of the mapping that is about to end out of the document. `removed` holds
    /// their numbers, ascending; `anchors` is the number of anchors before the mapping.
    pub fn remove(&mut self, removed: &[u32], anchors: usize) {
        let Some(&first) = removed.first() else { return };
        let end_of = |node: u32| self.nodes.get(node as usize).map_or(node + 1, |n| n.end);
        let ranges: Vec<(u32, u32)> = removed.iter().map(|&node| (node, end_of(node))).collect();
        self.keep_anchored(&ranges, anchors);
        let mut gone = 0;
        let mut upcoming = ranges.iter().copied().peekable();
        let mut number = first;
        while number < self.nodes.len() as u32 {
            if let Some((start, end)) = upcoming.next_if(|&(start, _)| start == number) {
                gone += end - start;
                number = end;
                continue;
            }
            let (from, to) = (number as usize, (number - gone) as usize);
            self.nodes.swap(from, to);
            self.spans.values.swap(from, to);
            self.spans.keys.swap(from, to);
            if let Some(node) = self.nodes.get_mut(to) {
                node.end -= gone;
            }
            number += 1;
        }
        let left = self.nodes.len().saturating_sub(gone as usize);
        self.nodes.truncate(left);
        self.spans.values.truncate(left);
        self.spans.keys.truncate(left);
    }

    /// Points the anchors at or behind removed values to where their values are going to be.
    fn keep_anchored(&mut self, ranges: &[(u32, u32)], anchors: usize) {
        let Some(&(first, _)) = ranges.first() else { return };
        let mut fragments: Vec<Option<usize>> = vec![None; ranges.len()];
        let mut before = Vec::with_capacity(ranges.len());
        let mut gone = 0;
        for &(start, end) in ranges {
            before.push(gone);
            gone += end - start;
        }
        let mut targets = std::mem::take(&mut self.anchors.targets);
        for (_, target) in targets.iter_mut().skip(anchors) {
            let Target::Node(node) = target else { continue };
            let node = *node;
            if node < first {
                continue;
            }
            let at = ranges.partition_point(|&(start, _)| start <= node).saturating_sub(1);
            let (Some(&(start, end)), Some(slot)) = (ranges.get(at), fragments.get_mut(at)) else { continue };
            *target = if node < end {
                let fragment = *slot.get_or_insert_with(|| self.keep(start, end));
                Target::Kept { fragment, node: node - start }
            } else {
                let before = before.get(at).copied().unwrap_or_default();
                Target::Node(node - before - (end - start))
            };
        }
        self.anchors.targets = targets;
    }

    fn keep(&mut self, start: u32, end: u32) -> usize {
        let fragment = self.cut(start, end);
        self.anchors.kept.push(fragment);
        self.anchors.kept.len() - 1
    }

    /// A copy of the nodes of one value.
    pub fn cut(&self, start: u32, end: u32) -> Fragment {
        let range = start as usize..end as usize;
        let mut nodes = self.nodes.get(range.clone()).unwrap_or_default().to_vec();
        Fragment::rebase(&mut nodes, start, 0);
        Fragment {
            nodes,
            values: self.spans.values.get(range.clone()).unwrap_or_default().to_vec(),
            keys: self.spans.keys.get(range).unwrap_or_default().to_vec(),
        }
    }

    /// The nodes of an anchored value and the number at which their ends start to count; nothing
    /// if the value has not ended yet.
    fn anchored(&self, target: Target) -> Option<(&[Node], u32)> {
        let (all, start) = match target {
            Target::Node(node) => (&self.nodes, node),
            Target::Kept { fragment, node } => (&self.anchors.kept.get(fragment)?.nodes, node),
        };
        let end = all.get(start as usize)?.end;
        if end == OPEN {
            return None;
        }
        Some((all.get(start as usize..end as usize)?, start))
    }

    fn copy(&mut self, target: Target, length: usize) {
        match target {
            Target::Node(node) => {
                let range = node as usize..node as usize + length;
                self.nodes.extend_from_within(range.clone());
                self.spans.values.extend_from_within(range.clone());
                self.spans.keys.extend_from_within(range);
            }
            Target::Kept { fragment, node } => {
                let Some(kept) = self.anchors.kept.get(fragment) else { return };
                let range = node as usize..node as usize + length;
                self.nodes.extend_from_slice(kept.nodes.get(range.clone()).unwrap_or_default());
                self.spans.values.extend_from_slice(kept.values.get(range.clone()).unwrap_or_default());
                self.spans.keys.extend_from_slice(kept.keys.get(range).unwrap_or_default());
            }
        }
    }
}
