//! What became of the effects of a run that did not end: read from what is there now.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::handler::{Actual, Marked, Registry, Seen};
use crate::state::{Change, Closed, Condition, End, Intent, Operation, Row, RowKey, Snapshot};

use super::super::planning::survey::{Subject, Survey};
use super::super::target::Targets;

/// Closes every open intent whose subject could be seen.
pub(in crate::deploy) fn recover(
    ledger: &Snapshot,
    survey: &Survey,
    registry: &Registry,
    targets: &Targets,
) -> Vec<Change> {
    if ledger.intents.is_empty() {
        return Vec::new();
    }
    let subjects = survey.subjects.iter().filter_map(|s| Some((s.row.as_ref()?, s)));
    let subjects: FxHashMap<&RowKey, &Subject> = subjects.collect();
    // What is to be taken over has no row yet. Of anything else no row in sight means that it is
    // outside of what this run is for: what is wanted under its id here may be elsewhere.
    let adopted = |intent: &Intent| {
        let at = survey.wanted.get(&intent.row.key.id).filter(|_| intent.operation == Operation::Adopt)?;
        let here = |subject: &&Subject| targets.holding(&intent.row.place) == Some(subject.target);
        survey.subjects.get(*at).filter(here)
    };
    let mut changes = Vec::new();
    for intent in ledger.intents.values() {
        let subject = subjects.get(&intent.row.key).copied().or_else(|| adopted(intent));
        let seen = match subject {
            Some(Subject { seen: Some(Ok(seen)), .. }) => seen,
            // Taking over leaves no trace, and nothing of it is ever deleted: no need to look.
            None if intent.operation == Operation::Adopt => &Seen::Unsure,
            _ => continue,
        };
        if intent.operation == Operation::Move {
            let from = intent.moved.as_ref().and_then(|key| subjects.get(key)?.seen.as_ref()?.as_ref().ok());
            if let Some(from) = from {
                close_move(ledger, intent, seen, from, &mut changes);
            }
            continue;
        }
        close(ledger, registry, intent, seen, &mut changes);
    }
    changes
}

/// Both places were looked at. Where it is in both, it has moved, and what it left is taken away.
fn close_move(ledger: &Snapshot, intent: &Intent, here: &Seen, there: &Seen, changes: &mut Vec<Change>) {
    let number = intent.number;
    let closed = |outcome, evidence: &str| Change::Close { number, outcome, evidence: evidence.into() };
    let Some(from) = intent.moved.as_ref().and_then(|key| ledger.rows.get(key)) else { return };
    let came = match here {
        Seen::Present(actual) => match origin(ledger, intent, actual) {
            Made::Ours => Some(made(&intent.row, actual, intent)),
            Made::Perhaps => Some(Row { condition: Condition::Doubt, ..made(&intent.row, actual, intent) }),
            Made::No => None,
        },
        _ => None,
    };
    let Some(row) = came else { return changes.push(closed(Closed::NoEffect, "it is not there")) };
    changes.push(match there {
        Seen::Absent => {
            let evidence = ecow::eco_format!("it is now {}", row.key.id);
            Change::Drop { key: from.key.clone(), end: End::Moved, evidence }
        }
        _ => Change::Put(unsure(Row { condition: Condition::Deposed, ..from.clone() })),
    });
    changes.push(Change::Put(row));
    changes.push(closed(Closed::Done, "it is there with this intent's mark"));
}

fn close(ledger: &Snapshot, registry: &Registry, intent: &Intent, seen: &Seen, changes: &mut Vec<Change>) {
    let number = intent.number;
    let closed = |outcome, evidence: &str| Change::Close { number, outcome, evidence: evidence.into() };
    // An update of something without a row takes back what was let go of: the row comes with it, as
    // with what is made.
    let operation = match intent.operation {
        Operation::Update if !ledger.rows.contains_key(&intent.row.key) => Operation::Create,
        operation => operation,
    };
    match (operation, seen) {
        (Operation::Create, Seen::Present(actual)) => match origin(ledger, intent, actual) {
            Made::Ours => {
                changes.push(Change::Put(made(&intent.row, actual, intent)));
                changes.push(closed(Closed::Done, "it is there with this intent's mark"));
            }
            Made::Perhaps => {
                let row = Row { condition: Condition::Doubt, ..made(&intent.row, actual, intent) };
                changes.push(Change::Put(row));
                changes.push(closed(Closed::Done, "it is there without a mark and as intended: in doubt"));
            }
            Made::No => changes.push(closed(Closed::NoEffect, "what is there is not this intent's")),
        },
        (Operation::Create, _) => changes.push(closed(Closed::NoEffect, "it is not there")),
        (Operation::Update, Seen::Present(actual)) => {
            let done = match &actual.marked {
                Marked::By(mark) => mark.token == intent.token,
                Marked::Not | Marked::Cannot => actual.as_intended && !actual.as_recorded,
            };
            // In part or as a whole: what was applied last is not sure, so it is read anew.
            let base = if done { Some(made(&intent.row, actual, intent)) } else { None };
            let base = base.or_else(|| Some(either(ledger.rows.get(&intent.row.key)?, registry, intent)));
            changes.extend(base.map(|row| Change::Put(unsure(row))));
            let (outcome, evidence) = match done {
                true => (Closed::Done, "it is as this intent was to make it"),
                false => (Closed::NoEffect, "it may be as it was; it is read anew"),
            };
            changes.push(closed(outcome, evidence));
        }
        (Operation::Update, _) => changes.push(closed(Closed::NoEffect, "it is not there")),
        (Operation::Adopt | Operation::Move, _) => {
            changes.push(closed(Closed::NoEffect, "it is planned anew"))
        }
        (Operation::Delete, Seen::Absent) => {
            let key = intent.row.key.clone();
            changes.push(Change::Drop { key, end: End::Gone, evidence: "it is not there".into() });
            changes.push(closed(Closed::Done, "it is not there"));
        }
        (Operation::Delete, _) => changes.push(closed(Closed::NoEffect, "it is still there")),
    }
}

/// Whether an intent made what is there.
enum Made {
    Ours,
    Perhaps,
    No,
}

fn origin(ledger: &Snapshot, intent: &Intent, actual: &Actual) -> Made {
    match &actual.marked {
        Marked::By(mark) if mark.lineage == ledger.lineage && mark.token == intent.token => Made::Ours,
        Marked::By(_) => Made::No,
        Marked::Not | Marked::Cannot if actual.as_intended => Made::Perhaps,
        Marked::Not | Marked::Cannot => Made::No,
    }
}

fn made(row: &Row, actual: &Actual, intent: &Intent) -> Row {
    let mut row = row.clone();
    row.recorded.physical = actual.physical.clone();
    row.recorded.token = matches!(actual.marked, Marked::By(_)).then(|| intent.token.clone());
    unsure(row)
}

/// The row of something that is as it was, or as an intent was to make it: it owns what either does.
fn either(row: &Row, registry: &Registry, intent: &Intent) -> Row {
    let mut row = row.clone();
    if let Some(handler) = registry.get(&row.handler) {
        row.recorded.fields = handler.merge(&row.recorded, &intent.row.recorded);
    }
    row
}

/// The row with nothing in it that would spare a close look. Nobody heard what it yields now.
fn unsure(mut row: Row) -> Row {
    row.recorded.outputs = EcoString::new();
    row.recorded.stamp = EcoString::new();
    row.digest = EcoString::new();
    row
}
