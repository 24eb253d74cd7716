//! What the targets say of a ledger that is not to be trusted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::System;
use crate::graph::{GraphBuilder, id};
use crate::handler::{Clock, Fault, Fence, Found, Hello, PrintKey, Reach, Registry, Session, Token};
use crate::state::{Change, End, Row, RowKey, SUSPECT, Snapshot};

use super::super::Error;
use super::super::engine::machine::LOOK;
use super::super::operate::order;
use super::super::target::{Target, Targets};
use super::rows::{self, Learned, Wanted};

/// Who searches, and where.
pub(in super::super) struct Search<'a> {
    pub ledger: &'a Snapshot,
    pub targets: &'a Targets,
    pub registry: &'a Registry,
    pub reach: &'a dyn Reach,
    pub project: Arc<dyn System>,
    /// The name by which targets know whose ledger it is.
    pub name: &'a EcoString,
    pub nonce: Token,
    pub clock: &'a dyn Clock,
}

/// What the ledger is to learn.
#[derive(Debug)]
pub(in super::super) struct Taken {
    /// Whose marks these are.
    pub lineage: EcoString,
    /// The last epoch that a target has accepted.
    pub epoch: u64,
    /// What is taken back.
    pub rows: Vec<Row>,
    /// What is not there any more: something newer that is taken back is in its place.
    replaced: Vec<RowKey>,
    /// What is to be said of the rest.
    pub said: Vec<String>,
    /// Targets that keep which run they accepted.
    keeping: Vec<EcoString>,
}

impl Taken {
    /// As changes of the ledger. What may still be under way to a target nobody knows, so the next run
    /// searches it again once nothing of an earlier one can land there.
    pub(in super::super) fn changes(self) -> Vec<Change> {
        let suspects = self.keeping.into_iter().map(|identity| Change::Suspect { identity });
        let dropped = self.replaced.into_iter().map(|key| {
            let evidence = "something newer with this ledger's mark is in its place".into();
            Change::Drop { key, end: End::Replaced, evidence }
        });
        dropped.chain(self.rows.into_iter().map(Change::Put)).chain(suspects).collect()
    }
}

impl Search<'_> {
    fn reached(&self) -> impl Iterator<Item = &Target> {
        (0..).map_while(|at| self.targets.get(at)).filter(|target| target.waits_for.is_none())
    }

    /// All that the ledger does not know of what has its mark; nothing if it knows everything. `lineage`
    /// says whose marks, where there are those of several lost ledgers.
    pub(in super::super) fn taken(
        &self,
        graph: &GraphBuilder,
        lineage: Option<&str>,
    ) -> Result<Option<Taken>, Error> {
        let mut finds = self.all();
        let wanted = rows::wanted(graph, self.registry)?;
        let lineage = whose(self.ledger, &finds, &wanted, lineage)?;
        finds.found.retain(|(_, _, found)| found.mark.lineage == lineage);
        finds.each_once(self.targets);
        finds.leave_copies(&wanted, self.ledger);
        let Learned { rows, replaced } =
            rows::rows(self.ledger, self.registry, self.targets, &wanted, &finds.found);
        let is_own = lineage == self.ledger.lineage;
        let fences = if is_own { std::mem::take(&mut finds.fences) } else { self.fences_of(&lineage) };
        if rows.is_empty() && is_own && fences.iter().all(|(at, fence)| self.knows(at, fence)) {
            return Ok(None);
        }
        let epoch = fences.iter().map(|(_, fence)| fence.epoch).max().unwrap_or(0);
        let Finds { said, keeping, .. } = finds;
        Ok(Some(Taken { lineage, epoch, rows, replaced, said, keeping }))
    }

    /// Whether what a target accepted last was a run with this ledger, or one before it was rebuilt. A
    /// run with another one may have had the number that one of this ledger has.
    fn knows(&self, identity: &EcoString, fence: &Fence) -> bool {
        match self.ledger.greeted.get(identity) {
            Some(&SUSPECT) => self.ledger.may_have_had(fence.epoch, &fence.nonce),
            _ => self.ledger.epochs.get(&fence.epoch) == Some(&fence.nonce),
        }
    }

    fn hello(
        &self,
        target: &Target,
        lineage: &EcoString,
    ) -> Result<crate::handler::Greeting, crate::handler::Fault> {
        self.reach.hello(&Hello {
            target: &target.place.target,
            identity: &target.place.identity,
            lineage,
            project: self.name,
            fence: &self.fence(),
            key: &PrintKey::new([0; 32]),
            enter: false,
        })
    }

    fn fence(&self) -> Fence {
        let revision = self.ledger.revision;
        Fence { epoch: revision.epoch, nonce: self.nonce.clone(), serial: revision.serial }
    }

    fn all(&self) -> Finds {
        let mut finds = Finds::default();
        let mut machines = BTreeSet::new();
        for target in self.reached() {
            match self.hello(target, &self.ledger.lineage) {
                Ok(greeting) if greeting.identity != target.place.identity => {
                    finds.away(target, &Fault::new("another machine answers at its address"));
                    continue;
                }
                Ok(greeting) => {
                    finds.others.extend(greeting.others);
                    if greeting.keeps {
                        finds.keeping.push(target.place.identity.clone());
                    }
                    let identity = &target.place.identity;
                    finds.fences.extend(greeting.fence.map(|fence| (identity.clone(), fence)));
                }
                Err(fault) => {
                    finds.away(target, &fault);
                    continue;
                }
            }
            // Two names of one machine show the same things.
            if machines.insert(target.place.identity.clone())
                && let Err(fault) = self.marks(target, &mut finds)
            {
                finds.away(target, &fault);
            }
        }
        finds
    }

    fn marks(&self, target: &Target, finds: &mut Finds) -> Result<(), Fault> {
        let session = Session {
            target: target.place.target.clone(),
            identity: target.place.identity.clone(),
            root: target.root.clone(),
            lineage: self.ledger.lineage.clone(),
            fence: self.fence(),
            // No secret is read.
            key: PrintKey::new([0; 32]),
            clock: self.clock,
            patience: LOOK,
            until: None,
            project: self.project.clone(),
        };
        for name in self.registry.names() {
            let Some(here) = self.registry.get(name) else { continue };
            let hands = self.reach.hands(&target.place.target, here);
            let found = hands.marked(&session).transpose()?.into_iter().flatten();
            finds.found.extend(found.map(|found| (name.into(), target.place.target.clone(), found)));
        }
        Ok(())
    }

    /// What targets accepted last of a ledger that was lost.
    fn fences_of(&self, lineage: &EcoString) -> Vec<(EcoString, Fence)> {
        let of = |target: &Target| {
            let fence = self.hello(target, lineage).ok()?.fence?;
            Some((target.place.identity.clone(), fence))
        };
        self.reached().filter_map(of).collect()
    }
}

/// What the targets say.
#[derive(Default)]
struct Finds {
    /// What has a mark, with the name of its handler and the id of its target.
    found: Vec<(EcoString, EcoString, Found)>,
    /// Other ledgers of the project that targets know.
    others: BTreeSet<EcoString>,
    /// What targets accepted last of this ledger.
    fences: Vec<(EcoString, Fence)>,
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
    /// Not all is known of what is on a target.
    fn away(&mut self, target: &Target, fault: &Fault) {
        let shown = id::shown(&target.place.target);
        self.said.push(format!("what is on {shown} is not: {fault}; run this again for it"));
    }

    fn has_marks_of(&self, lineage: &str) -> bool {
        self.found.iter().any(|(_, _, found)| found.mark.lineage == lineage)
    }

    /// The folder of one target may lie in that of another: what is in both is the inner one's.
    fn each_once(&mut self, targets: &Targets) {
        let folder =
            |target: &str| targets.named(target).and_then(|at| targets.get(at)?.root.folder.as_deref());
        let depth = |target: &str| folder(target).map_or(0, |folder| folder.as_os_str().len());
        self.found.sort_by_key(|(_, target, _)| std::cmp::Reverse(depth(target)));
        let identity =
            |target: &str| targets.named(target).and_then(|at| Some(&targets.get(at)?.place.identity));
        let mut seen: BTreeSet<(EcoString, PathBuf)> = BTreeSet::new();
        self.found.retain(|(_, target, found)| {
            let claim = found.claims.first().map_or("", |claim| claim);
            // The same path may be claimed as several kinds of things.
            let kind = claim.strip_suffix(bare(claim)).unwrap_or_default();
            seen.insert(match folder(target) {
                Some(folder) => (kind.into(), folder.join(bare(claim).trim_start_matches('/'))),
                None => (identity(target).cloned().unwrap_or_default(), claim.into()),
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

/// Whose marks are to be taken for the ledger's own.
fn whose(ledger: &Snapshot, finds: &Finds, wanted: &Wanted, said: Option<&str>) -> Result<EcoString, Error> {
    let own = !ledger.rows.is_empty()
        || !ledger.intents.is_empty()
        || !finds.fences.is_empty()
        || finds.has_marks_of(&ledger.lineage);
    if own {
        let help =
            "deploy a project with nothing in it, so that it takes away what it made, and run this again";
        return match said.is_none_or(|said| ledger.lineage == said) {
            true => Ok(ledger.lineage.clone()),
            false => Err(order("the ledger has made things of its own since the other one was lost", help)),
        };
    }
    if let Some(said) = said {
        let help = "leave `--lineage` out to see whose there are";
        return match finds.has_marks_of(said) || finds.others.contains(said) {
            true => Ok(said.into()),
            false => Err(order(format!("nothing has a mark of `{said}`"), help)),
        };
    }
    // Targets know which ledgers were this project's.
    let with_marks = finds.others.iter().filter(|other| finds.has_marks_of(other));
    let mut candidates: BTreeSet<&EcoString> = with_marks.collect();
    if candidates.is_empty() {
        candidates.extend(&finds.others);
    }
    let is_wanted =
        |target: &EcoString, claim: &EcoString| wanted.contains_key(&(target.clone(), claim.clone()));
    let at_wanted = finds
        .found
        .iter()
        .filter(|(_, target, found)| found.claims.iter().any(|claim| is_wanted(target, claim)));
    let strangers: BTreeSet<&EcoString> = at_wanted.map(|(_, _, found)| &found.mark.lineage).collect();
    let named = |all: &BTreeSet<&EcoString>| {
        all.iter().map(|l| format!("`--lineage {l}`")).collect::<Vec<_>>().join(" or ")
    };
    match (candidates.iter().next(), candidates.len(), strangers.is_empty()) {
        (Some(one), 1, _) => Ok((*one).clone()),
        (Some(_), ..) => {
            let help = format!("say which was this project's: {}", named(&candidates));
            Err(order("there are marks of several ledgers", help))
        }
        (None, _, false) => Err(order(
            "what this project wants has marks of a ledger that no target knows as this project's",
            format!("they may be another project's; if its ledger was this one's: {}", named(&strangers)),
        )),
        (None, _, true) => Err(order(
            "nothing that this project wants has the mark of a lost ledger",
            "`--lineage` names a ledger whose marks are on other things; `--root` names where it was deployed to",
        )),
    }
}
