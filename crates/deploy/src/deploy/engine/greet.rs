//! Before anything is looked at: hello to every target. That is the barrier behind which no
//! effect of an earlier run can land, and it shows whether this ledger is the one that the
//! target was used with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashSet;

use crate::handler::{Fault, Fence, Found, Greeting, Timestamp};
use crate::state::{Change, Condition, Holding, Place, Row, RowKey, SUSPECT};

use super::super::Error;
use super::super::Mode;
use super::machine::{Batch, Effect, Engine, group};

/// What comes after a deadline is later than it.
const TICK: Duration = Duration::from_millis(1);

/// What was learned from targets, by their numbers.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Hall {
    /// Those that did not answer, or are not what they should be.
    away: BTreeMap<usize, Fault>,
    /// Those that keep which run they accepted, and have not accepted this one yet.
    to_enter: BTreeSet<usize>,
    /// Those that have.
    pub entered: BTreeSet<usize>,
    /// Those that know less than the ledger: restored from a snapshot.
    restored: BTreeSet<usize>,
    /// Those that nothing but time keeps effects of earlier runs out of.
    loose: BTreeSet<usize>,
    /// What has to be said.
    pub notes: Vec<String>,
    /// What the ledger has to learn of it.
    changes: Vec<Change>,
}

impl Hall {
    /// Nothing was learned yet, and this is to be said.
    pub(in crate::deploy) fn saying(notes: Vec<String>) -> Self {
        Hall { notes, ..Hall::default() }
    }

    /// Whether nothing but time keeps effects of earlier runs out of a target.
    pub(in crate::deploy) fn is_loose(&self, target: usize) -> bool {
        self.loose.contains(&target)
    }

    /// Why a target cannot be used.
    pub(in crate::deploy) fn away(&self, target: usize) -> Option<&Fault> {
        self.away.get(&target)
    }
}

impl Engine<'_> {
    /// Says hello to all targets on which there is something.
    pub(in crate::deploy) fn greet(&mut self) -> Vec<Effect> {
        let mut used: BTreeSet<usize> = self.survey.subjects.iter().map(|s| s.target).collect();
        let intents = self.ledger.intents.values().map(|intent| &intent.row);
        let intended = intents.filter(|row| self.scope.has(&row.key.id, &row.place.target));
        used.extend(intended.filter_map(|row| self.targets.holding(&row.place)));
        used.retain(|target| self.targets.waits_for(*target).is_none());
        self.waiting = used.len();
        if used.is_empty() {
            return self.look();
        }
        used.into_iter().map(|target| Effect::Greet { target, enter: false }).collect()
    }

    pub(in crate::deploy) fn greeted(
        &mut self,
        target: usize,
        answer: Result<Greeting, Fault>,
    ) -> Result<Vec<Effect>, Error> {
        self.waiting = self.waiting.saturating_sub(1);
        match answer {
            Ok(greeting) => self.judge(target, &greeting)?,
            Err(fault) => {
                self.hall.away.insert(target, fault);
            }
        }
        if self.waiting > 0 {
            return Ok(Vec::new());
        }
        if self.mode == Mode::Plan || self.hall.to_enter.is_empty() {
            return Ok(self.search());
        }
        // A crash after the target has accepted this run must not hide that it was restored, nor
        // which run it was.
        let suspects: Vec<Change> = self.suspects().collect();
        Ok(if suspects.is_empty() { self.enter() } else { self.commit(suspects) })
    }

    fn suspects(&self) -> impl Iterator<Item = Change> {
        let entered = self.hall.to_enter.iter().filter_map(|at| Some((*at, self.targets.get(*at)?)));
        let unsaid = entered.filter(|(at, target)| {
            let known = self.ledger.greeted.get(&target.place.identity);
            known.is_none() || (self.hall.restored.contains(at) && known != Some(&SUSPECT))
        });
        unsaid.map(|(_, t)| Change::Suspect { identity: t.place.identity.clone() })
    }

    pub(in crate::deploy) fn enter(&mut self) -> Vec<Effect> {
        let enter = std::mem::take(&mut self.hall.to_enter);
        self.waiting = enter.len();
        self.hall.entered.extend(&enter);
        enter.into_iter().map(|target| Effect::Greet { target, enter: true }).collect()
    }

    fn judge(&mut self, target: usize, greeting: &Greeting) -> Result<(), Error> {
        let Some(place) = self.targets.get(target).map(|t| &t.place) else { return Ok(()) };
        if greeting.identity != place.identity {
            let fault = Fault::new("another machine answers at its address");
            let help =
                "mend the address; a machine that was made anew is built afresh once its name is known";
            self.hall.away.insert(target, fault.help(help));
            return Ok(());
        }
        if greeting.late {
            self.hall.loose.insert(target);
        }
        if !greeting.keeps {
            return Ok(());
        }
        if self.hall.entered.contains(&target) {
            let ours = &self.fence;
            if greeting.fence.as_ref().is_some_and(|known| !known.admits(ours)) {
                let fault = Fault::new("another deployer is at work there");
                self.hall.away.insert(target, fault.help("nothing is done there by this run"));
            }
            return Ok(());
        }
        let ours = self.ledger.greeted.get(&place.identity).copied();
        let is_other = |known: &Fence| match ours {
            Some(SUSPECT) => !self.ledger.may_have_had(known.epoch, &known.nonce),
            Some(ours) if known.epoch < ours => false,
            _ => self.ledger.epochs.get(&known.epoch) != Some(&known.nonce),
        };
        match &greeting.fence {
            Some(known) if is_other(known) => {
                return self.refuse(Error::OldLedger {
                    target: place.target.to_string(),
                    theirs: known.epoch,
                    ours: self.ledger.revision.epoch,
                });
            }
            Some(known) if ours.is_some_and(|ours| known.epoch < ours) => {
                self.hall.restored.insert(target);
            }
            Some(_) => {}
            None if ours.is_some() => {
                self.hall.restored.insert(target);
            }
            None if self.ledger.rows.is_empty() && self.ledger.generations.is_empty() => {
                if let Some(other) = greeting.others.first() {
                    let (target, lineage) = (place.target.to_string(), other.to_string());
                    return self.refuse(Error::LostLedger { target, lineage });
                }
            }
            None => {}
        }
        self.hall.to_enter.insert(target);
        Ok(())
    }

    /// With a ledger that is not to be trusted gops only reads.
    fn refuse(&mut self, error: Error) -> Result<(), Error> {
        if self.mode == Mode::Deploy {
            return Err(error);
        }
        self.hall.notes.push(format!("{error}; a deploy would do nothing"));
        Ok(())
    }

    /// Searches the targets that were restored from a snapshot: what was deleted since is back.
    fn search(&mut self) -> Vec<Effect> {
        let restored = self.hall.restored.iter().filter(|at| !self.hall.away.contains_key(at));
        let all = restored.flat_map(|&at| self.registry.names().map(move |name| ((at, name.into()), at)));
        let batches = group(self.registry, all);
        self.waiting = batches.len();
        if batches.is_empty() { self.look() } else { batches.into_iter().map(Effect::Search).collect() }
    }

    /// Until when effects of earlier runs may land on a target that keeps none out. Who only looks need
    /// not wait.
    pub(in crate::deploy) fn rest(&self) -> Option<Timestamp> {
        let loose = |target: &usize| self.hall.is_loose(*target) && self.hall.away(*target).is_none();
        let open = self.ledger.intents.values().filter(|intent| {
            self.scope.has(&intent.row.key.id, &intent.row.place.target)
                && self.targets.holding(&intent.row.place).as_ref().is_some_and(loose)
        });
        let last = open.map(|intent| intent.deadline).max();
        last.filter(|last| self.mode == Mode::Deploy && *last >= self.now).map(|last| last.after(TICK))
    }

    pub(in crate::deploy) fn searched(
        &mut self,
        batch: &Batch,
        found: Option<Result<Vec<Found>, Fault>>,
    ) -> Result<Vec<Effect>, Error> {
        self.waiting = self.waiting.saturating_sub(1);
        match found {
            Some(Ok(found)) => self.come_back(batch, found),
            Some(Err(fault)) => {
                self.hall.away.insert(batch.target, fault);
            }
            None => {}
        }
        if self.waiting > 0 {
            return Ok(Vec::new());
        }
        self.survey_again()?;
        Ok(self.look())
    }

    /// What has this ledger's mark and nothing in the ledger stands for: a row of each comes back.
    fn come_back(&mut self, batch: &Batch, found: Vec<Found>) {
        let Some(place) = self.targets.get(batch.target).map(|t| t.place.clone()) else { return };
        let Some(version) = self.registry.get(&batch.handler).map(|handler| handler.version()) else {
            return;
        };
        let here = self.ledger.rows.values().filter(|row| row.place.identity == place.identity);
        let mut held: FxHashSet<EcoString> = here.flat_map(|row| row.claims.iter().cloned()).collect();
        for found in found {
            // What an open intent made is found by its recovery.
            let known = self.survey.intents.has(&found.mark.token)
                || found.claims.iter().any(|claim| held.contains(claim));
            if found.mark.lineage == self.ledger.lineage && !known {
                held.extend(found.claims.iter().cloned());
                self.comes_back(batch, &place, version, found);
            }
        }
    }

    fn comes_back(&mut self, batch: &Batch, place: &Place, handler_version: u32, found: Found) {
        let claim = found.claims.first().cloned().unwrap_or_default();
        let id: EcoString = eco_format!("{}[claim={claim:?},on={:?}]", found.kind, place.target);
        self.hall.notes.push(format!("{id} is back: {} was restored from a snapshot", place.target));
        let row = Row {
            key: RowKey { id, incarnation: 1 },
            holding: Holding::Made,
            condition: Condition::Ok,
            kind: found.kind,
            handler: batch.handler.clone(),
            handler_version,
            place: place.clone(),
            claims: found.claims.into(),
            digest: EcoString::new(),
            recorded: found.recorded,
            requires: Box::default(),
            protect: false,
            keep: false,
            generation: 0,
            ready: true,
        };
        let change = Change::Put(row);
        self.ledger.apply([change.clone()], Default::default());
        self.hall.changes.push(change);
    }

    /// What the ledger has to learn of targets with the next commit.
    pub(in crate::deploy) fn learned(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.hall.changes);
        for target in std::mem::take(&mut self.hall.entered) {
            if self.hall.away(target).is_some() {
                continue;
            }
            if let Some(target) = self.targets.get(target) {
                changes.push(Change::Greeted { identity: target.place.identity.clone() });
            }
        }
        changes
    }
}
