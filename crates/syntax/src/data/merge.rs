//! The merge key of YAML 1.1, `<<: *base`: not in YAML 1.2, and in use everywhere.

use std::collections::BTreeSet;

use ecow::EcoString;

use crate::base::Span;
use crate::diag::codes::data as codes;

use super::NodeKind;
use super::builder::{Builder, Open, Stop};
use super::fragment::Fragment;

impl Builder {
    /// Replaces the entry `<<` of the mapping that is about to end by the entries of what it
    /// names. What the mapping says itself wins; of several sources the first one does. The
    /// merged entries come last.
    ///
    /// See <https://yaml.org/type/merge.html>.
    pub fn merge(&mut self, open: &mut Open, merge: u32) -> Result<(), Stop> {
        let span = self.spans.value(merge);
        let sources = self.merge_sources(merge);
        let mut keys: BTreeSet<EcoString> = self
            .children(open.node)
            .filter(|&child| child != merge && open.refused.binary_search(&child).is_err())
            .filter_map(|child| self.nodes.get(child as usize)?.key.clone())
            .collect();
        let mut merged: Vec<Fragment> = Vec::new();
        for source in sources {
            for child in self.children(source) {
                let Some(node) = self.nodes.get(child as usize) else { continue };
                if node.key.as_ref().is_some_and(|key| keys.insert(key.clone())) {
                    merged.push(self.cut(child, node.end));
                }
            }
        }
        let at = open.refused.partition_point(|&node| node < merge);
        open.refused.insert(at, merge);
        self.remove(&open.refused, open.anchors);
        Self::recount(open, open.refused.len(), merged.len());
        for fragment in merged {
            self.append(fragment, span)?;
        }
        Ok(())
    }

    /// The mappings that a merge key names: one, or a list of them.
    fn merge_sources(&mut self, merge: u32) -> Vec<u32> {
        let candidates: Vec<u32> = match self.value(merge) {
            NodeKind::Sequence(_) => self.children(merge).collect(),
            _ => vec![merge],
        };
        let is_mapping = |&n: &u32| matches!(self.value(n), NodeKind::Mapping(_) | NodeKind::Invalid);
        if let Some(&wrong) = candidates.iter().find(|&n| !is_mapping(n)) {
            let found = self.value(wrong).describe();
            let message = format!("`<<` merges a mapping or a list of mappings, not {found}");
            let error = self.error(codes::MERGE_KIND, self.spans.value(wrong), message);
            self.diagnostics.push(error.help("write `<<: *name`, where `&name` stands before a mapping"));
        }
        candidates.into_iter().filter(|&n| matches!(self.value(n), NodeKind::Mapping(_))).collect()
    }

    fn append(&mut self, mut fragment: Fragment, span: Span) -> Result<(), Stop> {
        self.count_alias_nodes(fragment.nodes.len(), span)?;
        self.check_nodes(fragment.nodes.len(), span)?;
        Fragment::rebase(&mut fragment.nodes, 0, self.next());
        self.nodes.append(&mut fragment.nodes);
        self.spans.values.append(&mut fragment.values);
        self.spans.keys.append(&mut fragment.keys);
        Ok(())
    }
}
