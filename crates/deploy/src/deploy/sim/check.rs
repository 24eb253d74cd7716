//! What must hold: after each step of the engine, before each effect, and after healing.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;

use crate::graph::{Node, State};
use crate::handler::Handler as _;
use crate::handler::fake::{At, FakeHandler, World};
use crate::state::{Change, Condition, End, Holding, Row, Snapshot, Store as _};

use super::super::engine::machine::{Effect, Engine};
use super::super::planning::parts::{owner, rows_of_all};
use super::super::planning::survey::Subject;
use super::super::{Action, Entry, Outcome};
use super::case::Spec;
use super::lab::{Ended, Lab};
use super::nodes;

/// Where a row's object is.
pub(super) fn places(row: &Row) -> impl Iterator<Item = At> {
    row.claims.iter().map(|claim| (row.place.identity.clone(), claim.clone()))
}

/// Where the object of a node is.
pub(super) fn places_of(node: &Node) -> Vec<At> {
    let identity = (0..super::chance::TARGETS).find(|t| nodes::target_id(*t) == node.target);
    let identity = nodes::identity(identity.unwrap_or_default());
    FakeHandler(World::default()).claims(node).into_iter().map(|claim| (identity.clone(), claim)).collect()
}

/// I1, I20: whatever is there and was made by this ledger is known; one open intent a claim.
pub(super) fn known(lab: &Lab) {
    lab.store.look(|ledger| known_to(lab, ledger));
}

fn known_to(lab: &Lab, ledger: &Snapshot) {
    let mut open: BTreeSet<At> = BTreeSet::new();
    for at in ledger.intents.values().flat_map(|intent| places(&intent.row)) {
        if open.contains(&at) {
            lab.report("I20", format!("two open intents for {at:?}"));
        }
        open.insert(at);
    }
    // What came back where an effect is under way may be something else than that.
    let rows: BTreeSet<At> = ledger.rows.values().flat_map(places).collect();
    let mut back = lab.back.borrow_mut();
    back.retain(|at| !rows.contains(at));
    let known: BTreeSet<At> = rows.into_iter().chain(open).collect();
    for (at, object) in &lab.world.inner().objects {
        let Some(maker) = object.maker.as_ref().filter(|maker| maker.lineage == ledger.lineage) else {
            continue;
        };
        if !known.contains(at) && !back.contains(at) && !lab.let_go.borrow().contains(&maker.token) {
            lab.report("I1", format!("{at:?} was made by gops, and the ledger does not know it"));
        }
    }
}

/// Rows that are about to leave while their objects stay: from then on nobody has to know these.
pub(super) fn dropped(lab: &Lab, changes: &[Change]) {
    let inner = lab.world.inner();
    for change in changes {
        let Change::Drop { key, end: End::Released | End::Replaced, .. } = change else { continue };
        let at: Vec<At> =
            lab.store.look(|ledger| ledger.rows.get(key).into_iter().flat_map(places).collect());
        let objects = at.iter().filter_map(|at| inner.objects.get(at));
        lab.let_go
            .borrow_mut()
            .extend(objects.filter_map(|object| Some(object.maker.as_ref()?.token.clone())));
    }
}

/// After a run: what came back with a restored target is known, where it can be.
pub(super) fn ended(lab: &Lab, wanted: &[Spec], ended: &Ended, whole: bool) {
    if let Ended::Done(outcome) = ended
        && outcome.stopped.is_none()
        && outcome.verdicts.iter().all(|verdict| !verdict.is_bad())
        && outcome.plan.is_whole()
    {
        let inner = lab.world.inner();
        let Ok(ledger) = lab.store.reopen().load() else { return };
        // What is no business of a run stays as it is.
        if whole && !ledger.intents.is_empty() {
            lab.report("I4", "a run that was fine leaves an open intent");
        }
        let nodes = nodes::nodes(wanted);
        for node in nodes.iter().filter(|node| whole && node.state == State::Transient) {
            // What may not be deleted stays, and is named once nothing needs it.
            if let Some(row) = ledger.rows_of(&node.id).find(|row| row.condition != Condition::Doubt) {
                lab.report("I25", format!("{} is still there after a run that was fine", row.key.id));
            }
        }
        let mut tokens = BTreeSet::new();
        for (at, object) in &inner.objects {
            if let Some(mark) = &object.mark
                && !tokens.insert(mark.token.clone())
            {
                lab.report("I3", format!("{at:?} has the token of another object"));
            }
        }
    }
}

/// I17: a plan says nothing of what is outside of its scope.
pub(super) fn in_scope(lab: &Lab, engine: &Engine<'_>) {
    for entry in engine.plan().into_iter().flat_map(|plan| &plan.entries) {
        if !engine.scope.has(&entry.id, &entry.target) {
            lab.report("I17", format!("{} is no business of the run, and planned", entry.id));
        }
    }
}

/// I4 and the order: what is used is there before its users, and goes after them.
pub(super) fn before(lab: &Lab, engine: &Engine<'_>, effect: &Effect) {
    let ledger = &engine.ledger;
    match effect {
        Effect::Apply(batch) => {
            for apply in engine.applies(batch) {
                let Some(node) = &apply.node else { continue };
                accompanied(lab, engine, &node.id);
                for required in &node.requires {
                    if let Some(problem) = unmet(engine, ledger, &required.id) {
                        lab.report("I4", format!("{} is made, and {} {problem}", node.id, required.id));
                    }
                }
            }
        }
        Effect::Delete(batch) => {
            let wanted =
                |id: &EcoString| engine.graph.get(owner(id)).is_some_and(|node| node.state == State::Present);
            for key in engine.deleting(batch) {
                // What goes on as something else is not taken down.
                let goes_on = |s: &Subject| s.lasts() && s.row.as_ref() == Some(&key) && *s.id() != key.id;
                if !engine.survey.subjects.iter().any(goes_on) {
                    accompanied(lab, engine, &key.id);
                }
                if wanted(&key.id) {
                    continue;
                }
                let id = EcoString::from(owner(&key.id));
                // What goes on under another id is not taken down either; it may need the place.
                let moves = |row: &Row| {
                    engine.survey.subjects.iter().any(|s| s.lasts() && s.row.as_ref() == Some(&row.key))
                };
                let users = ledger.rows.values().filter(|row| row.requires.contains(&id) && !moves(row));
                let users = users.filter(|row| row.condition != Condition::Retained && !wanted(&row.key.id));
                let users =
                    users.filter(|row| row.holding == Holding::Made && row.condition == Condition::Ok);
                let along = |user: &&Row| {
                    let holder = ledger.rows.get(&key).and_then(|row| row.claims.first());
                    user.claims
                        .iter()
                        .any(|claim| claim.rsplit_once('/').map(|(h, _)| h) == holder.map(|c| c.as_str()))
                };
                for user in users.filter(|user| user.key != key && !along(user)) {
                    lab.report("I4", format!("{} goes before its user {}", key.id, user.key.id));
                }
            }
        }
        _ => {}
    }
}

/// I25: what passes is in place before what it is there for is touched.
fn accompanied(lab: &Lab, engine: &Engine<'_>, id: &EcoString) {
    let entries = engine.plan().into_iter().flat_map(|plan| &plan.entries);
    let passing = entries.filter(|entry| matches!(entry.action, Action::Transient { .. }));
    let nodes = passing.filter_map(|entry| engine.graph.get(&entry.id)?.read().ok());
    for node in nodes.filter(|node| node.until.iter().any(|until| until == owner(id))) {
        let row = engine.ledger.rows_of(&node.id).find(|row| row.condition != Condition::Deposed);
        if row.is_none_or(|row| !row.ready) {
            lab.report("I25", format!("{id} is touched, and {} is not in place", node.id));
        }
    }
}

fn unmet(engine: &Engine<'_>, ledger: &Snapshot, id: &EcoString) -> Option<&'static str> {
    let node = engine.graph.get(id)?;
    if node.state != State::Present {
        return None;
    }
    if let Some(compound) = engine.survey.compounds.get(id) {
        let parts = compound.parts.iter().filter_map(|at| engine.survey.subjects.get(*at));
        let unmet = parts.filter_map(|part| not_there(ledger, part.id())).next();
        return unmet.or(compound.folded.as_ref().map(|_| "is not complete"));
    }
    // Of what is outside of the run it is enough that there is some of it.
    let any = rows_of_all(ledger, id).any(|row| row.key.id != *id && row.ready);
    if any { None } else { not_there(ledger, id) }
}

fn not_there(ledger: &Snapshot, id: &EcoString) -> Option<&'static str> {
    let row = ledger.rows_of(id).filter(|row| row.condition != Condition::Deposed).last();
    match row {
        None => Some("is not there"),
        Some(row) if !row.ready => Some("is not ready"),
        Some(_) => None,
    }
}

/// The fields of which nobody knows what they are to be: they wait for what is named as not as wanted.
fn unsettled(wanted: &[Spec], named: &dyn Fn(&EcoString) -> bool) -> BTreeSet<(EcoString, EcoString)> {
    let nodes = nodes::expanded(nodes::nodes(wanted));
    let mut fields: BTreeSet<(EcoString, EcoString)> = BTreeSet::new();
    for _ in 0..nodes.len() {
        for node in &nodes {
            if let Some((field, producer)) = nodes::waits_for(node)
                && (named(producer) || fields.contains(&(producer.clone(), "value".into())))
            {
                fields.insert((node.id.clone(), field.clone()));
            }
        }
    }
    fields
}

/// I2, I14: everything is as wanted, or what differs is named.
pub(super) fn healed(lab: &Lab, wanted: &[Spec], last: &Outcome) {
    let nodes = nodes::expanded(nodes::settled(wanted));
    let lasting = nodes.iter().filter(|node| node.state == State::Present);
    let by_place: BTreeMap<At, &Node> =
        lasting.flat_map(|node| places_of(node).into_iter().map(move |at| (at, node))).collect();
    let Ok(ledger) = lab.store.reopen().load() else { return };
    let named = |id: &EcoString| {
        let was = |action: &Action| matches!(action, Action::Update { was: Some(was), .. } | Action::Replace { was: Some(was), .. } if was == id);
        let about = |entry: &Entry| entry.id == *id || entry.id == owner(id) || was(&entry.action);
        let entries = last.plan.entries.iter().zip(&last.verdicts).filter(|(entry, _)| about(entry));
        entries.into_iter().any(|(entry, verdict)| {
            let stays =
                matches!(entry.action, Action::Keep { .. } | Action::Refuse { .. } | Action::Report { .. });
            entry.blocked.is_some() || stays || verdict.is_bad()
        })
    };
    let inner = lab.world.inner();
    let back = lab.back.borrow();
    for (at, object) in &inner.objects {
        let let_go = lab.let_go.borrow();
        let ours = object
            .maker
            .as_ref()
            .is_some_and(|maker| maker.lineage == ledger.lineage && !let_go.contains(&maker.token));
        // What came back with a restored target nobody can know without a mark, or without a
        // reason to go there.
        let used = by_place.keys().any(|place| place.0 == at.0)
            || ledger.rows.values().any(|row| row.place.identity == at.0);
        let unknown = back.contains(at) && (object.mark.is_none() || !used);
        if !ours || by_place.contains_key(at) || unknown {
            continue;
        }
        let mut rows = ledger.rows.values().filter(|row| places(row).any(|place| place == *at));
        // What cannot go on as what it has moved to is named as that.
        let moved = |id: &EcoString| nodes::moved_to(wanted, id).is_some_and(|to| named(&to));
        // What something that passes has taken up is named as that.
        let mut passing = nodes.iter().filter(|node| node.state == State::Transient);
        let passes = passing.any(|node| places_of(node).contains(at) && named(&node.id));
        if !passes && !rows.any(|row| named(&row.key.id) || moved(&row.key.id)) {
            lab.report("I2", format!("{at:?} is not wanted, is there, and nothing is said of it"));
        }
    }
    let unsettled = unsettled(wanted, &named);
    for (at, node) in by_place {
        let found = inner.objects.get(&at);
        let field = |name: &str| node.fields.get(name).and_then(|value| value.as_str());
        let is = |name: &str, value: &EcoString| field(name).unwrap_or_default() == value;
        let same = found.is_some_and(|object| {
            let mut all =
                [("value", &object.value), ("extra", &object.extra), ("shape", &object.shape)].into_iter();
            all.all(|(name, value)| is(name, value) || unsettled.contains(&(node.id.clone(), name.into())))
        });
        if !same && !named(&node.id) {
            lab.report("I14", format!("{} is not as wanted, and nothing is said of it: {found:?}", node.id));
        }
    }
}
