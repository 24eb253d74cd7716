//! The rows of what has a mark and none.

use std::collections::BTreeSet;

use ecow::{EcoString, eco_format};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::{GraphBuilder, Node, State};
use crate::handler::{Found, Registry};
use crate::state::{Condition, Holding, Place, Row, RowKey, Snapshot};

use super::super::Error;
use super::super::planning::parts;
use super::super::target::Targets;

/// What is wanted, by where it is to be: the id of its target, and its claim.
pub(super) type Wanted = FxHashMap<(EcoString, EcoString), Node>;

pub(super) fn wanted(graph: &GraphBuilder, registry: &Registry) -> Result<Wanted, Error> {
    let mut wanted = Wanted::default();
    for sealed in graph.sorted().into_iter().filter(|node| node.state != State::Absent) {
        let damaged =
            |e: crate::graph::ReadError| Error::Graph { id: sealed.id.to_string(), problem: e.to_string() };
        let node = sealed.read().map_err(damaged)?;
        let Some(handler) = registry.get(&node.handler) else { continue };
        // What it consists of may depend on what nobody knows now: then that is known by where it is.
        let nodes = match handler.is_compound(&node.type_) {
            true => parts::nodes(handler.expand(&node).unwrap_or_default(), &node),
            false => vec![node],
        };
        for node in nodes {
            // Only what is held by one claim is found again by it.
            if let [claim] = handler.claims(&node).as_slice() {
                wanted.insert((node.target.clone(), claim.clone()), node);
            }
        }
    }
    Ok(wanted)
}

/// What a ledger learns of things that have its mark.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// The rows of what had none.
    pub rows: Vec<Row>,
    /// Rows in whose places there is something newer that has one of these.
    pub replaced: Vec<RowKey>,
}

/// The rows of what has a mark and none.
pub(super) fn rows(
    ledger: &Snapshot,
    registry: &Registry,
    targets: &Targets,
    wanted: &Wanted,
    found: &[(EcoString, EcoString, Found)],
) -> Learned {
    let at = |row: &Row, claim: &EcoString| (row.place.identity.clone(), claim.clone());
    let intended = ledger.intents.values().map(|intent| &intent.row);
    let intended: FxHashSet<_> =
        intended.flat_map(|row| row.claims.iter().map(move |claim| at(row, claim))).collect();
    let held: FxHashMap<_, &Row> = ledger
        .rows
        .values()
        .flat_map(|row| row.claims.iter().map(move |claim| (at(row, claim), row)))
        .collect();
    let mut learned = Learned::default();
    let mut taken: BTreeSet<EcoString> = ledger.rows.keys().map(|key| key.id.clone()).collect();
    for (handler, target, found) in found {
        let Some(place) = targets.named(target).and_then(|at| targets.get(at)).map(|t| &t.place) else {
            continue;
        };
        let Some(here) = registry.get(handler) else { continue };
        let place_of = |claim: &EcoString| (place.identity.clone(), claim.clone());
        if found.claims.iter().any(|claim| intended.contains(&place_of(claim))) {
            continue;
        }
        let holders: Vec<&Row> =
            found.claims.iter().filter_map(|claim| held.get(&place_of(claim)).copied()).collect();
        let is_it = |row: &&Row| row.recorded.token.as_ref() == Some(&found.mark.token);
        if holders.iter().any(is_it) {
            continue;
        }
        for old in holders {
            taken.remove(&old.key.id);
            learned.replaced.push(old.key.clone());
        }
        let claim = found.claims.first().cloned().unwrap_or_default();
        // What has that id in an old ledger is somewhere else: each is known by where it is.
        let node = wanted.get(&(target.clone(), claim.clone()));
        let node = node.filter(|node| {
            node.handler == *handler && here.may_be(&found.kind, &node.type_) && !taken.contains(&node.id)
        });
        let mut row = row(handler, here.version(), place, found, node, &claim);
        let intended = ledger.intents.values().map(|intent| &intent.row);
        let others = ledger.rows_of(&row.key.id).chain(intended.filter(|other| other.key.id == row.key.id));
        let last = others.map(|other| other.key.incarnation).max();
        row.key.incarnation = 1 + last.unwrap_or(0);
        taken.insert(row.key.id.clone());
        learned.rows.push(row);
    }
    learned
}

fn row(handler: &str, version: u32, place: &Place, found: &Found, node: Option<&Node>, claim: &str) -> Row {
    // What the project no longer says has the id that says where it is.
    let unknown = || eco_format!("{}[claim={claim:?},on={:?}]", found.kind, place.target);
    Row {
        key: RowKey { id: node.map_or_else(unknown, |node| node.id.clone()), incarnation: 1 },
        holding: Holding::Made,
        condition: Condition::Ok,
        kind: node.map_or_else(|| found.kind.clone(), |node| node.type_.clone()),
        handler: handler.into(),
        handler_version: version,
        place: place.clone(),
        claims: found.claims.clone().into(),
        digest: EcoString::new(),
        recorded: found.recorded.clone(),
        requires: node
            .into_iter()
            .flat_map(|node| &node.requires)
            .map(|require| require.id.clone())
            .collect(),
        protect: node.is_some_and(|node| node.protect),
        keep: node.is_some_and(|node| node.keep),
        generation: 0,
        ready: true,
    }
}
