//! A ledger that is lost or old, brought up to date from the marks on the targets, and what must hold
//! then (I23).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;

use crate::base::MemorySystem;
use crate::handler::fake::{At, Object};
use crate::handler::{Clock as _, Token};
use crate::state::{Coord as _, Holder, MemoryStore, Rebuilt, Snapshot, Store as _};

use super::super::Error;
use super::super::reclaim::Search;
use super::case::{Loss, Spec};
use super::check::places;
use super::lab::Lab;
use super::nodes;

/// The name of the project to targets.
const NAME: EcoString = EcoString::inline("sim");

impl Lab {
    /// What is left of the ledger is `left`; it is rebuilt, and life goes on with it.
    pub(super) fn loses(&self, left: &MemoryStore, loss: &Loss, wanted: &[Spec]) {
        let lineage = self.store.look(|ledger| ledger.lineage.clone());
        self.store.restore(left);
        let before = self.store.look(Snapshot::clone);
        let objects = self.world.inner().objects.clone();
        let fences = self.world.inner().fences.clone();
        let mut away: BTreeSet<EcoString> = BTreeSet::new();
        if !loss.down.is_empty() || !loss.unmounted.is_empty() {
            let all = |targets: &[u8]| targets.iter().copied().map(nodes::identity).collect::<Vec<_>>();
            let mut inner = self.world.inner();
            inner.down.extend(all(&loss.down));
            inner.unmounted.extend(all(&loss.unmounted));
            away.extend([all(&loss.down), all(&loss.unmounted)].concat());
            drop(inner);
            self.recovers(&lineage, wanted);
            self.taken_back(&lineage, &before, &away);
            let mut inner = self.world.inner();
            inner.down.clear();
            inner.unmounted.clear();
        }
        self.recovers(&lineage, wanted);
        self.taken_back(&lineage, &before, &BTreeSet::new());
        let inner = self.world.inner();
        if inner.objects != objects || inner.fences != fences {
            self.report("I23", "rebuilding a ledger changed a target");
        }
        drop(inner);
        self.forget(&lineage, &objects);
    }

    /// Rebuilds it, as an operator does: who is asked whose marks it is about knows that.
    fn recovers(&self, lineage: &EcoString, wanted: &[Spec]) {
        let rebuilt = match self.rebuilds(None, wanted) {
            Err(Error::Order { .. }) => self.rebuilds(Some(lineage), wanted),
            other => other,
        };
        if let Err(error) = rebuilt {
            // Where nothing is there to say whose it was, there is nothing to get back.
            let knows = self.world.inner().fences.keys().any(|(_, of)| of == lineage);
            let marked = self.world.inner().objects.values().any(|object| is_marked(object, lineage));
            let up = self.world.inner().down.is_empty() && self.world.inner().unmounted.is_empty();
            if up && (knows || marked) {
                self.report("I23", format!("the ledger cannot be rebuilt: {error}"));
            }
        }
    }

    fn rebuilds(&self, lineage: Option<&str>, wanted: &[Spec]) -> Result<(), Error> {
        let mut store = self.store.reopen();
        let nonce = Token::new(&self.random);
        let holder = Holder { process: 2, machine: "lab".into(), since: self.clock.now() };
        store.acquire(&holder, &nonce)?;
        let ledger = store.load()?;
        let search = Search {
            ledger: &ledger,
            targets: &self.targets,
            registry: &self.registry,
            reach: &self.world,
            project: Arc::new(MemorySystem::default()),
            name: &NAME,
            nonce,
            clock: &self.clock,
        };
        let Some(taken) = search.taken(&nodes::graph(wanted), lineage)? else { return Ok(()) };
        let lineage = taken.lineage.clone();
        let rebuilt = Rebuilt { lineage: &lineage, epoch: taken.epoch, author: "lab" };
        store.rebuild(ledger.revision, self.clock.now(), &rebuilt, &taken.changes())?;
        Ok(())
    }

    /// I23: what has a mark of this ledger is known again, and no row came of anything else.
    fn taken_back(&self, lineage: &EcoString, before: &Snapshot, away: &BTreeSet<EcoString>) {
        let ledger = self.store.look(Snapshot::clone);
        let inner = self.world.inner();
        let intended = ledger.intents.values().map(|intent| &intent.row);
        let known: BTreeSet<At> = ledger.rows.values().chain(intended).flat_map(places).collect();
        for (at, object) in &inner.objects {
            if is_marked(object, lineage) && !known.contains(at) && !away.contains(&at.0) {
                self.report("I23", format!("{at:?} has a mark, and the rebuilt ledger does not know it"));
            }
        }
        let came = ledger.rows.values().filter(|row| before.rows.get(&row.key) != Some(row));
        for row in came {
            let ours = |at: At| inner.objects.get(&at).is_some_and(|object| is_marked(object, lineage));
            if !places(row).all(ours) {
                self.report("I23", format!("{} is in the rebuilt ledger, and not gops' there", row.key.id));
            }
        }
        let left = before.rows.values().filter(|row| !ledger.rows.contains_key(&row.key));
        for row in left {
            if !places(row).any(|at| known.contains(&at)) {
                self.report("I23", format!("{} left the ledger while it was rebuilt", row.key.id));
            }
        }
    }

    /// What has no mark is not known any more, and what is under way is known once it was looked for.
    fn forget(&self, lineage: &EcoString, objects: &BTreeMap<At, Object>) {
        let known: BTreeSet<At> = self.store.look(|ledger| ledger.rows.values().flat_map(places).collect());
        let made = objects.iter().filter(|(at, object)| object.mark.is_none() && !known.contains(*at));
        let tokens = made.filter_map(|(_, object)| object.maker.clone());
        let tokens = tokens.filter(|maker| maker.lineage == *lineage).map(|maker| maker.token);
        self.let_go.borrow_mut().extend(tokens);
        // Where there was nothing to get back, other copies are of another ledger.
        if self.store.look(|ledger| ledger.lineage != *lineage) {
            self.past.borrow_mut().clear();
        }
        let late = self.world.inner();
        self.back.borrow_mut().extend(late.late.iter().map(|request| request.at().clone()));
    }
}

fn is_marked(object: &Object, lineage: &EcoString) -> bool {
    object.mark.as_ref().is_some_and(|mark| mark.lineage == *lineage)
}
