//! What happens in a life, in lines: for somebody who looks for why one fails.

use std::cell::RefCell;

use ecow::EcoString;

use crate::state::{Change, Closed, Row, RowKey};

use super::super::planning::plan::{Action, Entry, Kept, Plan};
use super::case::{Faults, Spec};
use super::{model, nodes};

/// The lines so far, if anybody wants them.
#[derive(Debug, Default)]
pub(super) struct Tale(Option<RefCell<Vec<String>>>);

impl Tale {
    /// One that is told.
    pub(super) fn told() -> Self {
        Tale(Some(RefCell::default()))
    }

    /// What was told.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.as_ref().map(|lines| lines.borrow().clone()).unwrap_or_default()
    }

    fn tell(&self, lines: impl FnOnce() -> Vec<String>) {
        if let Some(told) = &self.0 {
            told.borrow_mut().extend(lines());
        }
    }

    /// A run begins.
    pub(super) fn run(&self, wanted: &[Spec], faults: &Faults) {
        self.tell(|| {
            let mut lines = vec![format!("run with {faults:?}")];
            for node in nodes::nodes(wanted) {
                let requires: Vec<&EcoString> = node.requires.iter().map(|r| &r.id).collect();
                let until: Vec<&EcoString> = node.until.iter().collect();
                let text = String::from_utf8(node.fields.to_json()).unwrap_or_default();
                lines.push(format!("  wants {} on {} {text}", node.id, node.target));
                lines.push(format!("    requires {requires:?} until {until:?}"));
            }
            lines
        });
    }

    /// It has a plan.
    pub(super) fn plan(&self, plan: &Plan) {
        let line = |entry: &Entry| {
            let why = match &entry.action {
                Action::Refuse { fault } | Action::Keep { why: Kept::Unseen(fault) } => {
                    fault.message.as_str()
                }
                _ => "",
            };
            let blocked = entry.blocked.as_ref().map(|cause| format!(", but {} {}", cause.id, cause.what));
            let word = model::word(&entry.action);
            format!("  plan {}: {word} {why}{}", entry.id, blocked.unwrap_or_default()).trim_end().to_owned()
        };
        self.tell(|| {
            plan.entries.iter().map(line).chain(plan.notes.iter().map(|n| format!("  note {n}"))).collect()
        });
    }

    /// Something is written to the ledger.
    pub(super) fn commit(&self, changes: &[Change]) {
        self.tell(|| changes.iter().map(|change| format!("  commit {}", shown(change))).collect());
    }

    /// Effects happened.
    pub(super) fn log(&self, log: &[String]) {
        self.tell(|| log.iter().map(|line| format!("  effect {line}")).collect());
    }
}

fn key(key: &RowKey) -> String {
    format!("{}/{}", key.id, key.incarnation)
}

fn row(row: &Row) -> String {
    let Row { condition, holding, ready, protect, keep, requires, .. } = row;
    let flags = [(*protect, " protected"), (*keep, " keep"), (!*ready, " not ready")];
    let flags: String = flags.into_iter().filter(|(is, _)| *is).map(|(_, flag)| flag).collect();
    format!("{} {condition:?} {holding:?}{flags} at {:?} uses {requires:?}", key(&row.key), row.claims)
}

fn shown(change: &Change) -> String {
    match change {
        Change::Open(intent) => {
            format!("intent {} {:?} {}", intent.number, intent.operation, row(&intent.row))
        }
        Change::Close { number, outcome, evidence } => {
            let outcome = match outcome {
                Closed::Done => "done",
                Closed::NoEffect => "no effect",
            };
            format!("intent {number}: {outcome}, {evidence}")
        }
        Change::Put(put) => format!("row {}", row(put)),
        Change::Drop { key: dropped, end, evidence } => format!("drop {} {end:?}: {evidence}", key(dropped)),
        other => {
            let text = format!("{other:?}");
            text.chars().take(60).collect()
        }
    }
}
