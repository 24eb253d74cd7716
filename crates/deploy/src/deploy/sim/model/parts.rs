//! What nobody knows yet: outputs, and what parts something consists of.

use ecow::EcoString;

use crate::graph::{GraphValue, Node};
use crate::state::{Condition, Row};

use super::super::super::planning::parts::owner;
use super::super::nodes::waits_for;
use super::{Fold, Model};

impl Model<'_> {
    /// Whether something is a part of what consists of nobody knows what.
    pub(super) fn stays_folded(&self, row: &Row) -> Option<bool> {
        if row.key.id == owner(&row.key.id) || row.condition == Condition::Deposed {
            return Some(false);
        }
        let mut way = vec![row.key.id.clone()];
        while let Some(id) = way.last() {
            if self.fold(id)? != Fold::No {
                return Some(true);
            }
            let to = self.moved_to(id).filter(|to| !way.contains(to));
            match to.filter(|_| !self.whole.iter().any(|node| node.id == owner(id))) {
                Some(to) => way.push(to),
                None => break,
            }
        }
        Some(false)
    }

    /// What a field of a wanted node says, and nothing if it may be anything: what waits for an output
    /// of something that is about to be made or changed.
    pub(super) fn says(&self, node: &Node, field: &str) -> Option<Option<EcoString>> {
        let Some((_, id)) = waits_for(node).filter(|(name, _)| *name == field) else {
            let plain = node.fields.get(field).and_then(|v| v.as_str()).unwrap_or_default();
            return Some(Some(plain.into()));
        };
        let Some(producer) = self.wanted.iter().find(|node| node.id == *id) else { return Some(None) };
        match self.wanted(producer)? {
            "nothing" => Some(self.output(producer)),
            // What has moved and cannot be looked at has not given anything under its new id yet.
            "refuse" if self.blind.contains(&Self::place(producer).0) => match self.row_of(producer) {
                Some(row) if row.key.id != producer.id => None,
                // The one that there is is elsewhere.
                None if self.ledger.rows_of(&producer.id).next().is_some() => None,
                _ => Some(self.output(producer)),
            },
            "refuse" => None,
            _ => Some(None),
        }
    }

    /// What the ledger has of what a producer yields.
    pub(super) fn output(&self, producer: &Node) -> Option<EcoString> {
        // What goes on under another id has yielded nothing under that.
        let row = self.row_of(producer).filter(|row| row.key.id == producer.id)?;
        let outputs = GraphValue::parse(row.recorded.outputs.as_bytes()).ok()?;
        Some(outputs.get("out")?.as_str()?.into())
    }

    /// Whether it is known what parts the owner of an id consists of.
    pub(super) fn fold(&self, id: &str) -> Option<Fold> {
        let Some(node) = self.whole.iter().find(|node| node.id == owner(id)) else { return Some(Fold::No) };
        if node.fields.get("parts").is_none() {
            return Some(Fold::No);
        }
        let name = node.fields.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        if self.folded.contains(name) {
            return Some(Fold::Unknown);
        }
        let Some((field, producer)) = waits_for(node) else { return Some(Fold::No) };
        let producer = self.wanted.iter().find(|node| node.id == *producer);
        if producer.and_then(|producer| self.output(producer)).is_none() {
            return Some(Fold::Unknown);
        }
        Some(if self.says(node, field)?.is_none() { Fold::Soon } else { Fold::No })
    }

    pub(super) fn is_asked(&self, node: &Node) -> bool {
        let mut all = self.whole.iter().chain(self.passing);
        all.any(|user| waits_for(user).is_some_and(|(_, id)| *id == node.id))
    }
}
