//! Which row is which node's.

use ecow::EcoString;

use crate::graph::{Node, State};
use crate::state::{Condition, Intent, Row};

use super::super::super::planning::parts::{as_part, owner};
use super::{Fold, Model};

impl Model<'_> {
    /// The row that a wanted node goes on with, by its id: the one that it has, or the one of what
    /// it was before it moved.
    pub(super) fn row_by_id(&self, node: &Node) -> Option<&Row> {
        let (identity, _) = Self::place(node);
        if let Some(own) = self.live(&node.id, &identity).filter(|_| !self.goes_on(&node.id)) {
            return Some(own);
        }
        let from = self.was(&node.id)?;
        self.live(&from, &identity).filter(|_| self.goes_on(&from) && node.state == State::Present)
    }

    pub(super) fn live(&self, id: &EcoString, identity: &EcoString) -> Option<&Row> {
        let rows = self.ledger.rows.values().filter(|row| row.key.id == *id);
        rows.filter(|row| row.condition != Condition::Deposed && row.place.identity == *identity)
            .max_by_key(|row| row.key.incarnation)
    }

    /// Whether what an id stood for is something else now: somewhere on the way of its moves
    /// something is wanted that has nothing yet.
    pub(super) fn goes_on(&self, id: &EcoString) -> bool {
        let mut way = vec![id.clone()];
        while let Some(to) = way.last().and_then(|at| self.moved_to(at)) {
            let node = self.whole.iter().find(|node| node.id == owner(&to));
            let Some(node) = node.filter(|_| !way.contains(&to)) else { return false };
            if self.live(&to, &Self::place(node).0).is_none() {
                return true;
            }
            way.push(to);
        }
        false
    }

    /// What an id is now: of a part the part of that name.
    pub(super) fn moved_to(&self, id: &EcoString) -> Option<EcoString> {
        self.moves.get(owner(id)).map(|to| as_part(to, id))
    }

    /// What an id was.
    pub(super) fn was(&self, id: &EcoString) -> Option<EcoString> {
        let (from, _) = self.moves.iter().find(|(_, to)| to.as_str() == owner(id))?;
        Some(as_part(from, id))
    }

    /// The row that a wanted node takes over because it holds its place.
    pub(super) fn row_by_claim(&self, node: &Node) -> Option<&Row> {
        let place = Self::place(node);
        // It may have something already that nobody could look at.
        let implied = |intent: &Intent| {
            let row = &intent.row;
            row.key.id == node.id && row.place.identity == place.0 && !self.ledger.rows.contains_key(&row.key)
        };
        if self.ledger.intents.values().any(implied) {
            return None;
        }
        self.ledger.rows.values().find(|row| {
            Self::at(row) == place
                && row.kind == node.type_
                && row.condition != Condition::Deposed
                && !self.wanted.iter().any(|n| self.row_by_id(n).is_some_and(|r| r.key == row.key))
        })
    }

    pub(super) fn row_of(&self, node: &Node) -> Option<&Row> {
        self.row_by_id(node).or_else(|| self.row_by_claim(node))
    }

    pub(super) fn node_of(&self, row: &Row) -> Option<&Node> {
        let known = |node: &&Node| self.fold(&node.id) != Some(Fold::Unknown);
        self.wanted.iter().filter(known).find(|node| self.row_of(node).is_some_and(|r| r.key == row.key))
    }

    /// The row that holds the place of a node and is not its own.
    pub(super) fn in_the_way(&self, node: &Node) -> Option<&Row> {
        let place = Self::place(node);
        let own = self.row_of(node).map(|row| &row.key);
        let mut rows = self.ledger.rows.values();
        // What is not there any more is in nobody's way.
        rows.find(|row| Self::at(row) == place && Some(&row.key) != own && self.objects.contains_key(&place))
    }
}
