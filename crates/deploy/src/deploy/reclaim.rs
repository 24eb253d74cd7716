//! A ledger that was lost, or is older than its targets, brought up to date from the marks of what it
//! made. Nothing on a target is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::agent::Remotes;
use crate::base::System;
use crate::graph::{GraphBuilder, Node, State, id};
use crate::handler::{
    Clock as _, Fence, Found, Hello, PrintKey, Reach as _, Registry, Session, SystemClock, SystemRandom,
    Token,
};
use crate::state::{
    Change, Condition, Holding, Place, Rebuilt, Row, RowKey, Snapshot, SqliteStore, Store as _,
};

use super::Error;
use super::engine::LOOK;
use super::operate::{Nobody, Orders, folder, many, order};
use super::run::{Options, take_lock};
use super::target::{Target, Targets};

/// Brings the ledger of a project up to date with the marks on its targets, if `agree` says so to what
/// it would learn. `lineage` says whose marks, where there are those of several lost ledgers. Gives the
/// path of the copy of the ledger as it was.
pub fn reclaim(
    graph: &GraphBuilder,
    project: &Arc<dyn System>,
    options: &Options,
    lineage: Option<&str>,
    agree: &mut dyn FnMut(&Orders) -> bool,
) -> Result<Option<PathBuf>, Error> {
    let mut store = SqliteStore::open(&folder(options)?, &SystemRandom)?;
    let nonce = Token::new(&SystemRandom);
    take_lock(&mut store, &nonce, None, &SystemClock, &mut Nobody)?;
    let ledger = store.load()?;
    let mut targets = Targets::of(graph, &ledger, options.root.as_deref())?;
    let registry = Registry::standard();
    let remotes = Remotes::connect(targets.remote(), &registry, project);
    targets.identify(|target| remotes.identity(target));
    let name = match &options.environment {
        Some(environment) => eco_format!("{}/{environment}", options.project),
        None => options.project.clone(),
    };
    let search =
        Search { ledger: &ledger, targets: &targets, registry: &registry, reach: &remotes, project, nonce };
    let mut finds = search.all(&name)?;
    let wanted = wanted(graph, &registry)?;
    let lineage = whose(&ledger, &finds, &wanted, lineage)?;
    finds.found.retain(|(_, _, found)| found.mark.lineage == lineage);
    finds.each_once(&targets);
    finds.leave_copies(&wanted, &ledger);
    let rows = rows(&ledger, &registry, &targets, &wanted, &finds.found);
    let epoch = match lineage == ledger.lineage {
        true => finds.epochs.get(&lineage).copied().unwrap_or(0),
        // Of the one that was lost.
        false => search.epoch_of(&name, &lineage),
    };
    if rows.is_empty() && lineage == ledger.lineage && epoch <= ledger.revision.epoch {
        return Err(order(
            "there is nothing on the targets that the ledger does not know",
            "nothing was done",
        ));
    }
    if !agree(&said(&rows, &finds.said)) {
        return Ok(None);
    }
    let copy = store.copy()?;
    let mut changes: Vec<Change> = rows.into_iter().map(Change::Put).collect();
    changes.extend(finds.keeping.into_iter().map(|identity| Change::Suspect { identity }));
    let rebuilt = Rebuilt { lineage: &lineage, epoch, author: &options.author };
    store.rebuild(ledger.revision, SystemClock.now(), &rebuilt, &changes)?;
    Ok(Some(copy))
}

fn said(rows: &[Row], more: &[String]) -> Orders {
    let mut lines = vec![format!(
        "{} taken back into the ledger:",
        match rows.len() {
            1 => "1 resource is".to_owned(),
            n => format!("{} are", many(n, "resource")),
        }
    )];
    lines.extend(rows.iter().map(|row| format!("  {}", id::shown(&row.key.id))));
    lines.extend(more.iter().cloned());
    Orders { lines }
}

/// What is wanted, by where it is to be: the id of its target, and its claim.
type Wanted = FxHashMap<(EcoString, EcoString), Node>;

fn wanted(graph: &GraphBuilder, registry: &Registry) -> Result<Wanted, Error> {
    let mut wanted = Wanted::default();
    for sealed in graph.sorted().into_iter().filter(|node| node.state == State::Present) {
        let damaged =
            |e: crate::graph::ReadError| Error::Graph { id: sealed.id.to_string(), problem: e.to_string() };
        let node = sealed.read().map_err(damaged)?;
        let claims = registry.get(&node.handler).map(|handler| handler.claims(&node)).unwrap_or_default();
        // Only what is held by one claim is found again by it.
        if let [claim] = claims.as_slice() {
            wanted.insert((node.target.clone(), claim.clone()), node);
        }
    }
    Ok(wanted)
}

/// Whose marks are to be taken for the ledger's own.
fn whose(ledger: &Snapshot, finds: &Finds, wanted: &Wanted, said: Option<&str>) -> Result<EcoString, Error> {
    let own = !ledger.rows.is_empty() || !ledger.intents.is_empty();
    if own {
        let is_own = said.is_none_or(|said| ledger.lineage == said);
        let help =
            "deploy a project with nothing in it, so that it takes away what it made, and run this again";
        return match is_own {
            true => Ok(ledger.lineage.clone()),
            false => Err(order("the ledger has made things of its own since the other one was lost", help)),
        };
    }
    let at_wanted = finds.found.iter().filter(|(_, target, found)| {
        found.claims.iter().any(|claim| wanted.contains_key(&(target.clone(), claim.clone())))
    });
    let mut candidates: BTreeMap<&EcoString, usize> = BTreeMap::new();
    for (_, _, found) in at_wanted {
        *candidates.entry(&found.mark.lineage).or_default() += 1;
    }
    for other in &finds.others {
        candidates.entry(other).or_default();
    }
    if let Some(said) = said {
        let there = finds.found.iter().any(|(_, _, found)| found.mark.lineage == said);
        let none = || {
            order(format!("nothing has a mark of `{said}`"), "leave `--lineage` out to see whose there are")
        };
        return if there { Ok(said.into()) } else { Err(none()) };
    }
    match candidates.keys().copied().collect::<Vec<_>>().as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(order(
            "nothing that this project wants has the mark of a lost ledger",
            "`--lineage` names a ledger whose marks are on other things; `--root` names where it was deployed to",
        )),
        several => {
            let named: Vec<String> = several.iter().map(|l| format!("`--lineage {l}`")).collect();
            Err(order(
                "there are marks of several ledgers",
                format!("say which was this project's: {}", named.join(" or ")),
            ))
        }
    }
}

/// The rows of what has a mark and none.
fn rows(
    ledger: &Snapshot,
    registry: &Registry,
    targets: &Targets,
    wanted: &Wanted,
    found: &[(EcoString, EcoString, Found)],
) -> Vec<Row> {
    let known = ledger.rows.values().chain(ledger.intents.values().map(|intent| &intent.row));
    let known: FxHashSet<(&str, &str)> = known
        .flat_map(|row| row.claims.iter().map(|claim| (row.place.identity.as_str(), claim.as_str())))
        .collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut taken: BTreeSet<EcoString> = ledger.rows.keys().map(|key| key.id.clone()).collect();
    for (handler, target, found) in found {
        let Some(place) = targets.named(target).and_then(|at| targets.get(at)).map(|t| &t.place) else {
            continue;
        };
        let Some(version) = registry.get(handler).map(|handler| handler.version()) else { continue };
        if found.claims.iter().any(|claim| known.contains(&(place.identity.as_str(), claim))) {
            continue;
        }
        let claim = found.claims.first().cloned().unwrap_or_default();
        let node = wanted.get(&(target.clone(), claim.clone())).filter(|node| node.handler == *handler);
        let row = row(handler, version, place, found, node, &claim);
        if taken.insert(row.key.id.clone()) {
            rows.push(row);
        }
    }
    rows
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

/// What the targets say.
#[derive(Default)]
struct Finds {
    /// What has a mark, with the name of its handler and the id of its target.
    found: Vec<(EcoString, EcoString, Found)>,
    /// Other ledgers of the project that targets know.
    others: BTreeSet<EcoString>,
    /// By lineage the last epoch that a target has accepted.
    epochs: BTreeMap<EcoString, u64>,
    /// Targets that keep which run they accepted.
    keeping: Vec<EcoString>,
    /// What is to be said of what is not taken back.
    said: Vec<String>,
}

/// A claim without its kind: of `path:/etc/motd` the path.
fn bare(claim: &str) -> &str {
    claim.split_once(':').map_or(claim, |(_, rest)| rest)
}

impl Finds {
    /// The folder of one target may lie in that of another: what is in both is the inner one's.
    fn each_once(&mut self, targets: &Targets) {
        let folder =
            |target: &str| targets.named(target).and_then(|at| targets.get(at)?.root.folder.as_deref());
        let depth = |target: &str| folder(target).map_or(0, |folder| folder.as_os_str().len());
        self.found.sort_by_key(|(_, target, _)| std::cmp::Reverse(depth(target)));
        let mut seen: BTreeSet<(EcoString, PathBuf)> = BTreeSet::new();
        self.found.retain(|(_, target, found)| {
            let path = bare(found.claims.first().map_or("", |claim| claim));
            let identity =
                || targets.named(target).and_then(|at| Some(targets.get(at)?.place.identity.clone()));
            seen.insert(match folder(target) {
                Some(folder) => (EcoString::new(), folder.join(path.trim_start_matches('/'))),
                None => (identity().unwrap_or_default(), path.into()),
            })
        });
        self.found.sort_by(|a, b| (&a.1, &a.2.claims).cmp(&(&b.1, &b.2.claims)));
    }

    /// One mark is of one object: what else has it is a copy that somebody made, mark and all. Where
    /// the project, or the ledger, does not say which is which, none is taken for it.
    fn leave_copies(&mut self, wanted: &Wanted, ledger: &Snapshot) {
        let mut by_token: BTreeMap<Token, Vec<usize>> = BTreeMap::new();
        for (at, (_, _, found)) in self.found.iter().enumerate() {
            by_token.entry(found.mark.token.clone()).or_default().push(at);
        }
        let mut left: BTreeSet<usize> = BTreeSet::new();
        for same in by_token.values().filter(|same| same.len() > 1) {
            let is_meant = |at: &&usize| {
                self.found.get(**at).is_some_and(|(_, target, found)| {
                    found.claims.iter().any(|claim| {
                        let is_row = |row: &Row| row.place.target == *target && row.claims.contains(claim);
                        wanted.contains_key(&(target.clone(), claim.clone()))
                            || ledger.rows.values().any(is_row)
                    })
                })
            };
            let meant: Vec<usize> = same.iter().filter(is_meant).copied().collect();
            left.extend(same.iter().filter(|at| meant.len() != 1 || !meant.contains(at)));
        }
        for (_, target, found) in left.iter().filter_map(|at| self.found.get(*at)) {
            let path = bare(found.claims.first().map_or("", |claim| claim));
            let target = id::shown(target);
            self.said.push(format!(
                "{path} on {target} is not: something else has the same mark, so one is a copy"
            ));
        }
        let mut at = 0;
        self.found.retain(|_| {
            at += 1;
            !left.contains(&(at - 1))
        });
    }
}

struct Search<'a> {
    ledger: &'a Snapshot,
    targets: &'a Targets,
    registry: &'a Registry,
    reach: &'a Remotes<'a>,
    project: &'a Arc<dyn System>,
    nonce: Token,
}

impl Search<'_> {
    fn reached(&self) -> impl Iterator<Item = &Target> {
        (0..).map_while(|at| self.targets.get(at)).filter(|target| target.waits_for.is_none())
    }

    fn hello(
        &self,
        target: &Target,
        project: &EcoString,
        lineage: &EcoString,
    ) -> Result<crate::handler::Greeting, crate::handler::Fault> {
        self.reach.hello(&Hello {
            target: &target.place.target,
            identity: &target.place.identity,
            lineage,
            project,
            fence: &self.fence(),
            key: &PrintKey::new([0; 32]),
            enter: false,
        })
    }

    fn fence(&self) -> Fence {
        let revision = self.ledger.revision;
        Fence { epoch: revision.epoch, nonce: self.nonce.clone(), serial: revision.serial }
    }

    fn all(&self, project: &EcoString) -> Result<Finds, Error> {
        let mut finds = Finds::default();
        let mut machines = BTreeSet::new();
        for target in self.reached() {
            let shown = id::shown(&target.place.target).into_owned();
            match self.hello(target, project, &self.ledger.lineage) {
                Ok(greeting) => {
                    finds.others.extend(greeting.others);
                    if greeting.keeps {
                        finds.keeping.push(target.place.identity.clone());
                    }
                    if let Some(fence) = greeting.fence {
                        let epoch = finds.epochs.entry(self.ledger.lineage.clone()).or_default();
                        *epoch = fence.epoch.max(*epoch);
                    }
                }
                Err(fault) => {
                    finds.said.push(format!("what is on {shown} is not: {fault}; run this again for it"));
                    continue;
                }
            }
            // Two names of one machine show the same things.
            if machines.insert(target.place.identity.clone()) {
                self.marks(target, &mut finds)?;
            }
        }
        Ok(finds)
    }

    fn marks(&self, target: &Target, finds: &mut Finds) -> Result<(), Error> {
        let session = Session {
            target: target.place.target.clone(),
            identity: target.place.identity.clone(),
            root: target.root.clone(),
            lineage: self.ledger.lineage.clone(),
            fence: self.fence(),
            // No secret is read.
            key: PrintKey::new([0; 32]),
            clock: &SystemClock,
            patience: LOOK,
            until: None,
            project: self.project.clone(),
        };
        for name in self.registry.names() {
            let Some(here) = self.registry.get(name) else { continue };
            let hands = self.reach.hands(&target.place.target, here);
            let found = hands.marked(&session).transpose();
            let found = found.map_err(|fault| Error::target(&target.place.target, fault))?;
            let found = found.into_iter().flatten();
            finds.found.extend(found.map(|found| (name.into(), target.place.target.clone(), found)));
        }
        Ok(())
    }

    /// The last epoch of a lost ledger that any target has accepted.
    fn epoch_of(&self, project: &EcoString, lineage: &EcoString) -> u64 {
        let greeted = self.reached().filter_map(|target| self.hello(target, project, lineage).ok()?.fence);
        greeted.map(|fence| fence.epoch).max().unwrap_or(0)
    }
}
