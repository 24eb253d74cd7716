//! What becomes of what is known and not wanted.

use crate::graph::Node;
use crate::state::{Condition, Holding, Row};

use super::super::super::planning::parts::owner;
use super::{Fold, Model};

impl Model<'_> {
    /// What becomes of a row that is not wanted; `wanted` for one that is.
    pub(super) fn row(&self, row: &Row) -> Option<&'static str> {
        if let Some(node) = self.node_of(row) {
            let stays = node.id != row.key.id && self.fold(&node.id)? == Fold::Soon;
            return Some(if stays { "folded" } else { "wanted" });
        }
        let is_live = row.condition != Condition::Deposed;
        // It may go on as something that passes.
        let takes = |node: &&Node| node.id != row.key.id && Self::place(node) == Self::at(row);
        if let Some(node) = self.passing.iter().find(takes).filter(|_| is_live)
            && self.is_needed(node)?
        {
            return None;
        }
        if let Some(node) = self.passing.iter().find(|node| node.id == row.key.id && is_live)
            && self.live(&row.key.id, &Self::place(node).0).is_some_and(|live| live.key == row.key)
            && self.is_needed(node)?
        {
            return Some("wanted");
        }
        let alone = self.alone(row);
        if !matches!(alone, "forget" | "replaced") && self.stays_folded(row)? {
            return Some("folded");
        }
        // What it is in goes, and it with that.
        if alone == "delete"
            && let Some(holder) = self.holder(row)
            && (self.node_of(holder).is_some() || !self.is_used_by_what_stays(holder)?)
            && self.ends(holder)?
        {
            return Some("goes");
        }
        if alone == "delete" && self.holds_what_stays(row)? {
            return Some("holds");
        }
        Some(alone)
    }

    /// Whether something that stays uses a row, directly or through others.
    pub(super) fn is_used_by_what_stays(&self, row: &Row) -> Option<bool> {
        let users = self.ledger.rows.values();
        for user in users.filter(|user| user.requires.iter().any(|id| id == owner(&row.key.id))) {
            let stays = match (self.node_of(user), self.alone(user)) {
                (Some(node), _) => matches!(self.wanted(node)?, "refuse" | "folded"),
                (None, "forget" | "replaced") => false,
                (None, _) if self.stays_folded(user)? => true,
                (None, "release") => false,
                (None, "delete") => self.is_used_by_what_stays(user)?,
                (None, _) => true,
            };
            if stays {
                return Some(true);
            }
        }
        Some(false)
    }

    /// What becomes of a row, were there no others.
    pub(super) fn alone(&self, row: &Row) -> &'static str {
        if row.condition != Condition::Deposed {
            if row.holding == Holding::Adopted || row.keep {
                let inside = self.holder(row).is_some_and(|holder| {
                    let let_go = self.node_of(holder).is_none() && self.alone(holder) == "release";
                    holder.kind == "fake::Box" && !let_go
                });
                return match inside {
                    true => "inside",
                    false if self.is_under_way(row) => "unseen",
                    false => "release",
                };
            }
            if row.protect {
                return "retain";
            }
        }
        if self.blind.contains(&row.place.identity) {
            return if row.condition == Condition::Doubt { "doubt" } else { "unseen" };
        }
        match self.objects.get(&Self::at(row)) {
            None => "forget",
            Some(_) if row.condition == Condition::Doubt => "doubt",
            Some(object) if self.is_ours(row, object) => "delete",
            Some(_) => "replaced",
        }
    }

    /// Whether an effect on a place is not accounted for.
    pub(super) fn is_under_way(&self, row: &Row) -> bool {
        self.ledger.intents.values().any(|intent| Self::at(&intent.row) == Self::at(row))
    }

    /// The box that a row is in.
    pub(super) fn holder(&self, row: &Row) -> Option<&Row> {
        let (identity, claim) = Self::at(row);
        let (holder, _) = claim.rsplit_once('/')?;
        self.ledger.rows.values().find(|row| Self::at(row) == (identity.clone(), holder.into()))
    }

    pub(super) fn inside<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a Row> {
        self.ledger.rows.values().filter(|other| self.holder(other).is_some_and(|h| h.key == row.key))
    }

    /// Whether a box holds what must not go with it.
    pub(super) fn holds_what_stays(&self, row: &Row) -> Option<bool> {
        if row.kind != "fake::Box" {
            return Some(false);
        }
        let (identity, claim) = Self::at(row);
        let wanted = self.wanted.iter().any(|node| {
            let (at, place) = Self::place(node);
            at == identity && place.rsplit_once('/').is_some_and(|(holder, _)| holder == claim)
        });
        let replaced = self.wanted.iter().any(|node| {
            Self::place(node) == Self::at(row) && self.row_of(node).is_none_or(|r| r.key != row.key)
        });
        if wanted && !replaced {
            return Some(true);
        }
        for held in self.inside(row) {
            let stays = match (self.node_of(held), self.alone(held)) {
                (Some(node), _) => matches!(self.wanted(node)?, "refuse" | "folded"),
                (None, "forget" | "replaced") => false,
                (None, "delete") => self.stays_folded(held)?,
                (None, _) => true,
            };
            if stays {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Whether a box is taken away.
    pub(super) fn ends(&self, row: &Row) -> Option<bool> {
        match self.node_of(row) {
            Some(node) => Some(self.wanted(node)? == "replace"),
            None => Some(self.row(row)? == "delete"),
        }
    }
}
