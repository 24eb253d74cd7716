//! Looking at what is there, first as far as stamps tell and then closely, and reading what became
//! of the effects of a run that did not end.

use std::collections::BTreeSet;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::handler::{Fault, Seen, Timestamp};
use crate::state::{Change, Intent, RowKey};

use super::super::planning::look::LookRequest;
use super::super::planning::survey::{Sources, Subject, Survey};
use super::super::{Error, Mode};
use super::machine::{Batch, Effect, Engine, Phase, group};
use super::recover::recover;
use super::task::ApplyRequest;

/// How far a run has looked.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Looking {
    round: Round,
    /// Whether everything was looked at again after a recovery.
    again: bool,
    /// Intents whose leftovers could not be cleared; they stay open.
    uncleared: BTreeSet<u64>,
}

/// What is being looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Round {
    /// Everything, as far as stamps tell.
    #[default]
    All,
    /// What the stamps left unsure, closely.
    Unsure,
    /// The places that things are to go to.
    There,
}

impl Engine<'_> {
    /// Everybody that is to be greeted has been. What an earlier run has begun may still land where
    /// nothing keeps it out but time.
    pub(in crate::deploy) fn look(&mut self) -> Vec<Effect> {
        if let Some(until) = self.rest() {
            return vec![Effect::Rest(until)];
        }
        self.phase = Phase::Looking;
        let all: Vec<usize> = (0..self.survey.subjects.len()).collect();
        self.look_at(all)
    }

    /// Pairs what is wanted with what is known once more: the ledger has learned of things.
    pub(in crate::deploy) fn survey_again(&mut self) -> Result<(), Error> {
        let sources = Sources {
            graph: self.graph,
            ledger: &self.ledger,
            targets: self.targets,
            registry: self.registry,
            verify: self.verify,
            scope: self.scope,
            prints: &self.prints,
        };
        self.survey = Survey::new(&sources)?;
        Ok(())
    }

    fn look_at(&mut self, subjects: Vec<usize>) -> Vec<Effect> {
        let mut known = Vec::with_capacity(subjects.len());
        for at in subjects {
            let Some(subject) = self.survey.subjects.get_mut(at) else { continue };
            if self.targets.waits_for(subject.target).is_some() {
                // What is on it is new: nobody could have been there.
                subject.seen = Some(Ok(Seen::Absent));
            } else if let Some(fault) = self.hall.away(subject.target) {
                subject.closely = true;
                subject.seen = Some(Err(fault.clone()));
            } else if self.registry.get(&subject.handler).is_some() {
                known.push(((subject.target, subject.handler.clone()), at));
            } else {
                subject.seen =
                    Some(Err(Fault::new(format!("this gops has no handler `{}`", subject.handler))));
            }
        }
        let batches = group(self.registry, known);
        self.waiting = batches.len();
        if batches.is_empty() { self.all_seen() } else { batches.into_iter().map(Effect::Observe).collect() }
    }

    /// What a batch asks its handler.
    pub(in crate::deploy) fn looks(&self, batch: &Batch) -> Vec<LookRequest> {
        let subject = |at: &usize| self.survey.subjects.get(*at);
        let look = |subject| match self.looking.round {
            Round::There => self.survey.look_there(subject),
            _ => self.survey.look(&self.ledger, subject),
        };
        batch.items.iter().filter_map(subject).map(look).collect()
    }

    pub(in crate::deploy) fn observed(
        &mut self,
        batch: &Batch,
        answers: Vec<Result<Seen, Fault>>,
    ) -> Result<Vec<Effect>, Error> {
        self.waiting = self.waiting.saturating_sub(1);
        for (at, seen) in batch.items.iter().zip(answers) {
            let Some(subject) = self.survey.subjects.get_mut(*at) else { continue };
            match self.looking.round {
                Round::There => subject.there = Some(Box::new(seen)),
                _ => subject.seen = Some(seen),
            }
        }
        match self.waiting {
            0 => self.looked(),
            _ => Ok(Vec::new()),
        }
    }

    /// A round is over.
    fn looked(&mut self) -> Result<Vec<Effect>, Error> {
        if self.looking.round == Round::All {
            self.looking.round = Round::Unsure;
            let unsure = self.unsure()?;
            if !unsure.is_empty() {
                return Ok(self.look_at(unsure));
            }
        }
        if self.looking.round == Round::Unsure {
            self.looking.round = Round::There;
            let batches = group(self.registry, self.elsewhere());
            self.waiting = batches.len();
            if !batches.is_empty() {
                return Ok(batches.into_iter().map(Effect::Observe).collect());
            }
        }
        Ok(self.all_seen())
    }

    /// What is to go elsewhere, where that can be looked at.
    fn elsewhere(&self) -> Vec<((usize, EcoString), usize)> {
        let subjects = self.survey.subjects.iter().enumerate();
        let goes = |subject: &Subject| {
            matches!(subject.seen, Some(Ok(_)))
                && self.targets.waits_for(subject.target).is_none()
                && self.survey.goes_elsewhere(&self.ledger, subject)
        };
        let going = subjects.filter(|(_, subject)| goes(subject));
        going.map(|(at, subject)| ((subject.target, subject.handler.clone()), at)).collect()
    }

    /// What differs from its stamp, which has to be looked at closely. That, and what is gone,
    /// has to be read now.
    fn unsure(&mut self) -> Result<Vec<usize>, Error> {
        let mut unsure = Vec::new();
        for (at, subject) in self.survey.subjects.iter_mut().enumerate() {
            if subject.closely || matches!(subject.seen, Some(Ok(Seen::AsRecorded))) {
                continue;
            }
            if let Some(wanted) = &mut subject.wanted {
                wanted.read()?;
            }
            if matches!(subject.seen, Some(Ok(Seen::Unsure))) {
                subject.closely = true;
                unsure.push(at);
            }
        }
        Ok(unsure)
    }

    // Reading what became of the effects of a run that did not end.

    fn all_seen(&mut self) -> Vec<Effect> {
        self.phase = Phase::Recovering;
        if self.mode == Mode::Plan {
            return self.recovered();
        }
        let open = self.ledger.intents.iter().filter_map(|(number, intent)| {
            self.registry.get(&intent.row.handler)?;
            if !self.scope.has(&intent.row.key.id, &intent.row.place.target) {
                return None;
            }
            let target = self.targets.holding(&intent.row.place)?;
            if self.hall.away(target).is_some() {
                return None;
            }
            Some(((target, intent.row.handler.clone()), usize::try_from(*number).ok()?))
        });
        let batches = group(self.registry, open);
        self.waiting = batches.len();
        if batches.is_empty() { self.recovered() } else { batches.into_iter().map(Effect::Discard).collect() }
    }

    /// What a batch tells its handler to clear.
    pub(in crate::deploy) fn leftovers(&self, batch: &Batch) -> Vec<ApplyRequest> {
        batch.items.iter().filter_map(|number| self.leftover(*number as u64)).collect()
    }

    fn leftover(&self, number: u64) -> Option<ApplyRequest> {
        let Intent { row, token, .. } = self.ledger.intents.get(&number)?;
        let (kind, token) = (row.kind.clone(), token.clone());
        let recorded = Some(row.recorded.clone());
        Some(ApplyRequest { kind, node: None, recorded, before: None, token, mark: true })
    }

    pub(in crate::deploy) fn discarded(
        &mut self,
        batch: &Batch,
        answers: Vec<Result<(), Fault>>,
    ) -> Vec<Effect> {
        self.waiting = self.waiting.saturating_sub(1);
        let mut uncleared: FxHashMap<RowKey, Fault> = FxHashMap::default();
        for (number, answer) in batch.items.iter().zip(answers) {
            let number = *number as u64;
            let Err(fault) = answer else { continue };
            self.looking.uncleared.insert(number);
            let intent = self.ledger.intents.get(&number);
            uncleared.extend(intent.map(|intent| (intent.row.key.clone(), fault)));
        }
        if !uncleared.is_empty() {
            for subject in &mut self.survey.subjects {
                if let Some(fault) = subject.row.as_ref().and_then(|key| uncleared.get(key)) {
                    subject.seen = Some(Err(fault.clone()));
                }
            }
        }
        if self.waiting > 0 { Vec::new() } else { self.recovered() }
    }

    fn recovered(&mut self) -> Vec<Effect> {
        let mut changes = recover(&self.ledger, &self.survey, self.registry, self.targets);
        changes.retain(
            |change| !matches!(change, Change::Close { number, .. } if self.looking.uncleared.contains(number)),
        );
        if changes.is_empty() {
            return self.make_plan();
        }
        if self.mode == Mode::Plan {
            self.ledger.apply(changes, Timestamp::default());
            return self.recovered_durably();
        }
        self.commit(changes)
    }

    /// The ledger says what became of the effects of a run that did not end. What is wanted is
    /// paired with what is known once more, and looked at as it is now.
    pub(in crate::deploy) fn recovered_durably(&mut self) -> Vec<Effect> {
        if std::mem::replace(&mut self.looking.again, true) || self.survey_again().is_err() {
            return self.make_plan();
        }
        self.looking.round = Round::All;
        self.look()
    }
}
