//! The reference: what a plan has to say, read from the rules alone, slowly and simply. Each
//! answer is one word for an id; where two things change places in a way that the rules leave to
//! the order, it gives none.

mod pairs;
mod parts;
mod rows;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;

use crate::graph::{GraphValue, Node, State};
use crate::handler::fake::{At, Object};
use crate::state::{Condition, Holding, Row, Snapshot};

use super::super::engine::machine::Engine;
use super::super::planning::parts::owner;
use super::super::planning::plan::{Action, Kept, Plan, Released};
use super::check::places_of;
use super::lab::Lab;
use super::nodes;

/// Compares a plan with the reference.
pub(super) fn agrees(lab: &Lab, engine: &Engine<'_>, plan: &Plan) {
    let wanted = engine.graph.sorted().into_iter().filter(|node| node.state == State::Present);
    let whole: Vec<Node> = wanted.filter_map(|node| node.read().ok()).collect();
    let wanted = nodes::expanded(whole.clone());
    let passing = engine.graph.sorted().into_iter().filter(|node| node.state == State::Transient);
    let passing: Vec<Node> = passing.filter_map(|node| node.read().ok()).collect();
    let moves = &engine.graph.header().moves;
    let inner = lab.world.inner();
    let away: Vec<EcoString> = inner.down.iter().chain(inner.impostors.keys()).cloned().collect();
    let unmounted: Vec<EcoString> = inner.unmounted.iter().cloned().collect();
    let model = Model {
        ledger: &engine.ledger,
        wanted: &wanted,
        passing: &passing,
        moves: moves.iter().map(|m| (m.from.clone(), m.to.clone())).collect(),
        objects: &inner.objects,
        blind: away.into_iter().chain(unmounted).collect(),
        asked: RefCell::default(),
        folded: &inner.folded,
        whole: &whole,
    };
    let mut expected: BTreeMap<EcoString, Vec<&'static str>> = BTreeMap::new();
    let mut open: Vec<EcoString> = Vec::new();
    for node in &wanted {
        match model.wanted(node) {
            Some("nothing") => {}
            Some(word) => expected.entry(node.id.clone()).or_default().push(word),
            None => open.push(node.id.clone()),
        }
    }
    for node in &whole {
        match model.fold(&node.id) {
            Some(Fold::No) => {}
            Some(_) => expected.entry(node.id.clone()).or_default().push("expand"),
            None => open.push(node.id.clone()),
        }
    }
    for node in &passing {
        match model.passing(node) {
            Some("nothing") => {}
            Some(word) => expected.entry(node.id.clone()).or_default().push(word),
            None => open.push(node.id.clone()),
        }
    }
    for row in engine.ledger.rows.values() {
        match model.row(row) {
            Some("wanted") => {}
            Some(word) => expected.entry(row.key.id.clone()).or_default().push(word),
            None => open.push(row.key.id.clone()),
        }
    }
    // What an effect may have made that nobody could look at is known, and said.
    let implied = engine.ledger.intents.values().map(|intent| &intent.row);
    for row in implied.filter(|row| !engine.ledger.rows.contains_key(&row.key)) {
        let about = |n: &Node| {
            n.id == row.key.id
                || Model::place(n) == Model::at(row)
                || model.moved_to(&row.key.id).as_ref() == Some(&n.id)
        };
        // Whether something goes on under an id depends on whether that has something already.
        open.extend(model.was(&row.key.id));
        match wanted.iter().chain(&passing).any(about) {
            true => open.push(row.key.id.clone()),
            false => expected.entry(row.key.id.clone()).or_default().push("unseen"),
        }
    }
    let mut actual: BTreeMap<EcoString, Vec<&'static str>> = BTreeMap::new();
    for entry in &plan.entries {
        if !matches!(entry.action, Action::Await) {
            actual.entry(entry.id.clone()).or_default().push(word(&entry.action));
        }
    }
    for id in open {
        expected.remove(&id);
        actual.remove(&id);
    }
    expected.values_mut().chain(actual.values_mut()).for_each(|words| words.sort());
    if expected != actual {
        let none = Vec::new();
        let of = |map: &BTreeMap<EcoString, Vec<&'static str>>, id: &EcoString| -> Vec<&'static str> {
            map.get(id).unwrap_or(&none).clone()
        };
        let differs = expected.keys().chain(actual.keys()).find(|id| of(&expected, id) != of(&actual, id));
        if let Some(id) = differs {
            let (wants, has) = (of(&expected, id), of(&actual, id));
            lab.report("MODEL", format!("{id}: the rules say {wants:?}, the plan says {has:?}"));
        }
    }
}

/// A word for what is done.
pub(super) fn word(action: &Action) -> &'static str {
    match action {
        Action::Delete { .. } => "delete",
        Action::Goes { .. } => "goes",
        Action::Replace { .. } => "replace",
        Action::Update { .. } => "update",
        Action::Adopt { .. } => "adopt",
        Action::Create { .. } => "create",
        Action::Transient { .. } => "transient",
        Action::Await => "await",
        Action::Expand => "expand",
        Action::Release { why: Released::Replaced } => "replaced",
        Action::Release { .. } => "release",
        Action::Forget => "forget",
        Action::Keep { why: Kept::Protected } => "retain",
        Action::Keep { why: Kept::Doubt } => "doubt",
        Action::Keep { why: Kept::Holds(_) } => "holds",
        Action::Keep { why: Kept::Inside(_) } => "inside",
        Action::Keep { why: Kept::Unseen(_) } => "unseen",
        Action::Keep { why: Kept::Folded(_) } => "folded",
        Action::Report { .. } => "report",
        Action::Refuse { .. } => "refuse",
    }
}

struct Model<'a> {
    ledger: &'a Snapshot,
    wanted: &'a [Node],
    /// What is wanted for a change-over alone.
    passing: &'a [Node],
    /// Old ids and new ones.
    moves: BTreeMap<EcoString, EcoString>,
    objects: &'a BTreeMap<At, Object>,
    /// Targets on which nothing can be seen.
    blind: Vec<EcoString>,
    /// What is being asked about, each for the one before. An answer that depends on itself is one
    /// that the rules leave to the order.
    asked: RefCell<Vec<EcoString>>,
    /// The names of those of which nobody can say what parts they consist of.
    folded: &'a BTreeSet<EcoString>,
    /// What is wanted, with what consists of parts as a whole.
    whole: &'a [Node],
}

/// Whether it is known what parts something consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    /// It is, or it has none.
    No,
    /// What it takes from others is known, and may be something else soon.
    Soon,
    /// It is not.
    Unknown,
}

impl Model<'_> {
    fn at(row: &Row) -> At {
        (row.place.identity.clone(), row.claims.first().cloned().unwrap_or_default())
    }

    fn place(node: &Node) -> At {
        places_of(node).into_iter().next().unwrap_or_default()
    }

    /// What becomes of something that passes.
    fn passing(&self, node: &Node) -> Option<&'static str> {
        if !self.is_needed(node)? {
            return Some("nothing");
        }
        let place = Self::place(node);
        if self.blind.contains(&place.0) {
            return Some("refuse");
        }
        match (self.row_of(node), self.objects.get(&place)) {
            _ if self.in_the_way(node).is_some() => None,
            (_, None) => Some("transient"),
            (Some(row), Some(object)) if self.is_ours(row, object) && row.condition == Condition::Ok => {
                Some("transient")
            }
            (None, Some(_)) => Some("refuse"),
            _ => None,
        }
    }

    /// Whether something that it is there for is to be done.
    fn is_needed(&self, node: &Node) -> Option<bool> {
        let mut needed = Some(false);
        for id in &node.until {
            for present in self.wanted.iter().filter(|present| owner(&present.id) == id) {
                match self.wanted(present) {
                    _ if self.row_of(present).is_some_and(|row| !row.ready) => needed = None,
                    Some("nothing" | "refuse" | "report" | "folded") => {}
                    Some(_) => return Some(true),
                    None => needed = None,
                }
            }
            for row in self.ledger.rows.values().filter(|row| owner(&row.key.id) == id) {
                match self.row(row) {
                    Some("delete" | "goes") => return Some(true),
                    Some(_) => {}
                    None => needed = None,
                }
            }
        }
        needed
    }

    fn is_ours(&self, row: &Row, object: &Object) -> bool {
        match &object.mark {
            Some(mark) => mark.lineage == self.ledger.lineage,
            None => row.recorded.token.is_none() && self.as_applied(row, object),
        }
    }

    fn as_applied(&self, row: &Row, object: &Object) -> bool {
        let fields = GraphValue::parse(row.recorded.fields.as_bytes());
        let Ok(fields) = fields else { return false };
        let field = |name: &str| fields.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        object.value == field("value")
            && object.extra == field("extra")
            && object.shape == field("shape")
            && object.kind == row.kind
    }

    /// What holds a place, by the claim of it.
    fn holding(at: &At) -> Option<&str> {
        at.1.rsplit_once('/').map(|(holder, _)| holder)
    }

    /// What becomes of what is there and no row stands for.
    fn there(&self, node: &Node, object: &Object) -> Option<&'static str> {
        match object.mark {
            Some(_) => self.let_go(node, object),
            None if node.adopt => Some("adopt"),
            None => Some("refuse"),
        }
    }

    /// What has a mark and no row: taken back if it was made from this ledger, and is no copy.
    fn let_go(&self, node: &Node, object: &Object) -> Option<&'static str> {
        let mark = object.mark.as_ref()?;
        let here = |row: &&Row| Self::at(row) == Self::place(node);
        let mut others = self.ledger.rows.values().filter(|row| !here(row));
        let known = others.any(|row| row.recorded.token.as_ref() == Some(&mark.token))
            || self.ledger.intents.values().any(|intent| intent.token == mark.token);
        if mark.lineage != self.ledger.lineage || known {
            return Some("refuse");
        }
        // What another type makes of it is for its handler to say.
        if node.type_ != object.kind {
            return None;
        }
        let shape = self.says(node, "shape")?;
        Some(if shape.is_none_or(|shape| shape != object.shape) { "refuse" } else { "adopt" })
    }

    /// What is done for a node that is wanted.
    fn wanted(&self, node: &Node) -> Option<&'static str> {
        if self.asked.borrow().contains(&node.id) {
            return None;
        }
        self.asked.borrow_mut().push(node.id.clone());
        let word = self.wanted_of(node);
        self.asked.borrow_mut().pop();
        word
    }

    fn wanted_of(&self, node: &Node) -> Option<&'static str> {
        match self.fold(&node.id)? {
            Fold::No => {}
            // What is said of those that there are, is said of their rows.
            Fold::Unknown => return Some("nothing"),
            Fold::Soon => {
                let own = self.row_of(node).is_some_and(|row| row.key.id == node.id);
                return Some(if own { "folded" } else { "nothing" });
            }
        }
        let place = Self::place(node);
        if self.blind.contains(&place.0) {
            return Some("refuse");
        }
        let row = self.row_of(node);
        if let Some(holder) = self.in_the_way(node) {
            if self.node_of(holder).is_some() {
                return None;
            }
            match self.row(holder)? {
                "delete" | "forget" | "goes" if row.is_none() => return Some("create"),
                "delete" | "forget" | "goes" => return None,
                // What is let go of stays there.
                "release" | "replaced" if row.is_some() => {}
                "release" | "replaced" => return self.there(node, self.objects.get(&place)?),
                _ => return Some("refuse"),
            }
        }
        // What it is in is made anew, and it with that.
        if let Some(holder) = row.and_then(|row| self.holder(row))
            && let Some(box_) = self.node_of(holder)
            && holder.kind == "fake::Box"
            && self.wanted(box_) != Some("nothing")
            && self.wanted(box_) != Some("update")
        {
            return None;
        }
        let Some(row) = row else {
            return match self.objects.get(&place) {
                None => Some("create"),
                Some(object) => self.there(node, object),
            };
        };
        let Some(object) = self.objects.get(&Self::at(row)) else {
            return match self.objects.get(&place).filter(|_| Self::at(row) != place) {
                None => Some("create"),
                Some(object) => self.there(node, object),
            };
        };
        if object.mark.as_ref().is_some_and(|mark| mark.lineage != self.ledger.lineage) {
            return Some("refuse");
        }
        let differs =
            |name: &str, is: &EcoString| Some(self.says(node, name)?.is_none_or(|says| says != *is));
        let moves = Self::at(row) != place;
        let other_shape = differs("shape", &object.shape)?;
        if other_shape || moves {
            let brought = row.key.id != node.id
                && Self::holding(&Self::at(row)) == Self::holding(&place)
                && node.type_ == "fake::Thing"
                && !other_shape
                && row.condition != Condition::Doubt
                && self.is_ours(row, object);
            let there = match self.objects.get(&place).filter(|_| moves) {
                None => None,
                Some(there) => Some(self.there(node, there)?),
            };
            if brought && there.is_none() {
                return Some("update");
            }
            let may = !row.protect
                && !node.protect
                && row.holding == Holding::Made
                && row.condition != Condition::Doubt
                && self.is_ours(row, object);
            if may && node.type_ == "fake::Box" {
                return None;
            }
            return Some(if may && there != Some("refuse") { "replace" } else { "refuse" });
        }
        // What was applied as something else may yield something else.
        let applied = GraphValue::parse(row.recorded.fields.as_bytes()).ok();
        let same_name = applied.is_some_and(|applied| applied.get("name") == node.fields.get("name"));
        let known = !row.recorded.outputs.is_empty() && same_name && self.as_applied(row, object);
        let owes = self.is_asked(node) && !known;
        let same = !differs("value", &object.value)? && !differs("extra", &object.extra)? && !owes;
        Some(if same && row.key.id == node.id { "nothing" } else { "update" })
    }
}
