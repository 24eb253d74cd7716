//! What was changed since it was deployed: the last generation of the ledger, compared with what is
//! there. The sources have no say in it, so that a change of the model is no drift.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::System;
use crate::graph::{Drift as Policy, Graph, GraphBuilder, Origin, State};
use crate::handler::{Fault, FieldChange};
use crate::state::{SqliteStore, Store as _, ledger_folder};

use super::engine::foreign::Foreign;
use super::planning::parts::owner;
use super::planning::plan::{Action, Entry, Kept};
use super::run::{Mode, Observer, Options, run};
use super::{Error, past};

/// How what is there differs from what was deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The generation that was compared with; none if nothing was deployed.
    pub generation: Option<u64>,
    /// What differs, by id.
    pub differences: Vec<Difference>,
    /// What somebody else put into what gops made.
    pub foreign: Vec<Foreign>,
    /// How many resources are as they were deployed.
    pub same: usize,
    /// How many of the generation are not deployed yet, or are to go and are still there.
    pub pending: usize,
    /// What is to be said.
    pub notes: Vec<String>,
}

/// One resource that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its id.
    pub id: EcoString,
    /// The full path of its type.
    pub kind: EcoString,
    /// The id of its target.
    pub target: EcoString,
    /// How it differs.
    pub what: Differs,
    /// What the model says is to be done about it.
    pub policy: Policy,
    /// What in the sources it came from.
    pub origin: Option<Origin>,
}

/// How a resource differs.
#[derive(Clone, Debug, PartialEq)]
pub enum Differs {
    /// Fields are not as they were deployed: `to` is what was deployed, `from` what is there.
    Changed(Vec<FieldChange>),
    /// It is not there any more.
    Missing,
    /// Something else is in its place, or it cannot be seen.
    Unlike(Fault),
}

impl Difference {
    /// Whether all that differs is what the model says to leave as it is.
    pub fn is_ignored(&self) -> bool {
        match (&self.what, &self.policy) {
            (Differs::Changed(changes), Policy::Ignore(fields)) => {
                changes.iter().all(|change| Policy::covers(fields, &change.field))
            }
            _ => false,
        }
    }
}

impl Drift {
    /// Whether anything is not as it was deployed that the model does not say to leave so. What
    /// somebody else put beside it does not count: no deploy would do anything about it.
    pub fn differs(&self) -> bool {
        self.differences.iter().any(|difference| !difference.is_ignored())
    }
}

/// Compares what was deployed last with what is there; changes nothing.
pub fn drift(
    project: Arc<dyn System>,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Drift, Error> {
    let nothing = Drift {
        generation: None,
        differences: Vec::new(),
        foreign: Vec::new(),
        same: 0,
        pending: 0,
        notes: Vec::new(),
    };
    let folder = ledger_folder(options.state.as_deref(), &options.project, options.environment.as_deref())?;
    let Some(mut store) = SqliteStore::open_existing(&folder)? else { return Ok(nothing) };
    let ledger = store.load()?;
    let Some(number) = ledger.generations.last().map(|generation| generation.number) else {
        return Ok(nothing);
    };
    let Some(deployed) = past::kept_graph(&mut store, number)? else { return Ok(nothing) };
    let (mut graph, policies) = repairing(&deployed)?;
    let options =
        Options { mode: Mode::Plan, limit: None, repository: None, foreign: true, ..options.clone() };
    let outcome = run(&mut graph, project, &options, observer)?;
    if let Some(error) = outcome.stopped {
        return Err(error);
    }
    // Of a row that was made from another generation, a difference is not drift.
    let applied = |id: &EcoString| {
        // What a part is made from follows from what it is a part of.
        if owner(id) != id {
            return true;
        }
        let wanted = deployed.get(id).map(|node| node.desired.to_string());
        ledger.rows_of(id).any(|row| row.digest.is_empty() || Some(row.digest.as_str()) == wanted.as_deref())
    };
    let mut drift = Drift {
        generation: Some(number),
        foreign: outcome.foreign,
        same: outcome.plan.unchanged,
        notes: outcome.plan.notes,
        ..nothing
    };
    for entry in outcome.plan.entries {
        match differs(&entry.action).filter(|_| applied(&entry.id)) {
            Some(what) => drift.differences.push(difference(entry, what, &policies)),
            None => drift.pending += usize::from(is_pending(&entry)),
        }
    }
    drift.differences.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(drift)
}

fn difference(entry: Entry, what: Differs, policies: &BTreeMap<EcoString, Policy>) -> Difference {
    let policy = policies.get(&entry.id).cloned().unwrap_or(Policy::Repair);
    let Entry { id, kind, target, origin, .. } = entry;
    Difference { id, kind, target, what, policy, origin }
}

/// What an action says of something that was deployed.
fn differs(action: &Action) -> Option<Differs> {
    match action {
        Action::Update { changes, was: None, .. }
        | Action::Replace { changes, .. }
        | Action::Report { changes } => Some(Differs::Changed(changes.clone())),
        Action::Create { again: true, .. } => Some(Differs::Missing),
        Action::Refuse { fault } => Some(Differs::Unlike(fault.clone())),
        _ => None,
    }
}

/// What was to be kept is as it is to be.
fn is_pending(entry: &Entry) -> bool {
    !matches!(
        entry.action,
        Action::Keep {
            why: Kept::Protected | Kept::Doubt | Kept::Holds(_) | Kept::Inside(_) | Kept::Folded(_)
        }
    )
}

/// The same resources, all of which a deploy would repair: so that a plan shows what the model says
/// to leave as it is, too. With that what the model says.
fn repairing(deployed: &GraphBuilder) -> Result<(GraphBuilder, BTreeMap<EcoString, Policy>), Error> {
    let damaged = |id: &EcoString, problem: String| Error::Graph { id: id.to_string(), problem };
    let mut policies = BTreeMap::new();
    let mut nodes = Vec::new();
    for sealed in deployed.sorted().into_iter().filter(|node| node.state != State::Transient) {
        let mut node = sealed.read().map_err(|e| damaged(&sealed.id, e.to_string()))?;
        if node.drift != Policy::Repair {
            policies.insert(node.id.clone(), std::mem::replace(&mut node.drift, Policy::Repair));
        }
        nodes.push(node);
    }
    let mut targets = Vec::new();
    for sealed in deployed.sorted_targets() {
        targets.push(sealed.read().map_err(|e| damaged(&sealed.id, e.to_string()))?);
    }
    let graph = Graph::new(deployed.header().clone(), targets, nodes);
    Ok((graph.map_err(|e| damaged(&EcoString::new(), e.to_string()))?.seal(), policies))
}
