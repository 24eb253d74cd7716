//! Driving the engine: its effects are done here, on real stores and targets.

use std::collections::VecDeque;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::System;
use crate::handler::{
    Clock, Effect as Ended, Fault, Handler, Hello, Reach, Readiness, Registry, Session, Timestamp,
};
use crate::state::{Change, Snapshot, Store};

use super::super::run::{Observer, Progress};
use super::super::secrets::Secrets;
use super::super::target::Targets;
use super::super::{Error, Mode};
use super::lanes::Lanes;
use super::machine::{Batch, Effect, Engine, Event, Request};
use super::outcome::Outcome;
use super::task::{Task, Work};

/// Does the effects of an engine.
pub(in crate::deploy) struct Driver<'a> {
    pub project: Arc<dyn System>,
    /// The ledger's project and environment.
    pub name: EcoString,
    pub targets: &'a Targets,
    pub registry: &'a Registry,
    pub reach: &'a dyn Reach,
    pub clock: &'a dyn Clock,
    pub secrets: &'a Secrets,
}

impl Driver<'_> {
    /// Runs an engine to its end.
    pub(in crate::deploy) fn drive(
        &self,
        request: Request<'_>,
        snapshot: Snapshot,
        store: &mut dyn Store,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Error> {
        let mode = request.mode;
        let engine = Engine::new(request, snapshot)?;
        let (engine, stopped) = std::thread::scope(|scope| {
            let lanes = Lanes::new(scope, self);
            let course = Course {
                driver: self,
                mode,
                engine,
                lanes,
                effects: VecDeque::new(),
                waiting: Vec::new(),
                store,
                observer,
            };
            course.to_end()
        })?;
        match (engine.plan().is_some(), stopped) {
            (false, Some(error)) => Err(error),
            (_, stopped) => Ok(engine.outcome(stopped)),
        }
    }

    /// Has a handler do an effect here and now.
    pub(in crate::deploy) fn on_target(&self, engine: &Engine<'_>, effect: Effect) -> Event {
        self.clock.sleep(effect.wait());
        match effect {
            Effect::Rest(until) => {
                self.rest(until);
                Event::Rested
            }
            Effect::Reveal(subjects) => self.reveal(engine, &subjects),
            other => match engine.task(other) {
                Some(task) => self.does(task),
                // Whoever drives the engine does these itself.
                None => Event::Decided(false),
            },
        }
    }

    /// The fields of what is wanted, its secrets opened.
    fn reveal(&self, engine: &Engine<'_>, subjects: &[usize]) -> Event {
        let reveal = |at: &usize| {
            let target = self.targets.get(engine.survey.subjects.get(*at)?.target)?;
            Some((*at, self.secrets.reveal(engine.fields_of(*at)?, &target.place.identity)))
        };
        Event::Revealed(subjects.iter().filter_map(reveal).collect())
    }

    fn rest(&self, until: Timestamp) {
        self.clock.sleep(until.since(self.clock.now()));
    }

    /// Does a task.
    pub(in crate::deploy) fn does(&self, task: Task) -> Event {
        let session = |batch: &Batch| self.session(&task, batch);
        let missing = || Fault::new("the handler is missing");
        // What came too late to be accounted for by whoever comes next is not begun.
        let late = task.until.is_some_and(|until| self.clock.now() > until).then(|| {
            Fault::new("its time was over before it was begun").help("run it again: it is planned anew")
        });
        match &task.work {
            Work::Greet { enter } => Event::Greeted(task.target, self.greet(&task, *enter)),
            Work::Search(batch) => {
                let found = session(batch).and_then(|(handler, session)| handler.marked(&session));
                Event::Searched(batch.clone(), found)
            }
            Work::Observe(batch, requests) => {
                let looks: Vec<_> = requests.iter().map(|request| request.look()).collect();
                let answers = match session(batch) {
                    Some((handler, session)) => handler.observe(&session, &looks),
                    None => looks.iter().map(|_| Err(missing())).collect(),
                };
                Event::Observed(batch.clone(), answers)
            }
            Work::Discard(batch, requests) => {
                let requests: Vec<_> = requests.iter().map(|request| request.apply()).collect();
                let answers = match session(batch) {
                    Some((handler, session)) => handler.discard(&session, &requests),
                    None => requests.iter().map(|_| Err(missing())).collect(),
                };
                Event::Discarded(batch.clone(), answers)
            }
            Work::Delete(batch, requests) => {
                let requests: Vec<_> = requests.iter().map(|request| request.delete()).collect();
                let ended = match (session(batch), late) {
                    (Some((handler, session)), None) => handler.delete(&session, &requests),
                    (_, late) => {
                        let fault = late.unwrap_or_else(missing);
                        requests.iter().map(|_| Ended::NoEffect(fault.clone())).collect()
                    }
                };
                Event::Deleted(batch.clone(), ended)
            }
            Work::Apply(batch, requests) => {
                let requests: Vec<_> = requests.iter().map(|request| request.apply()).collect();
                let ended = match (session(batch), late) {
                    (Some((handler, session)), None) => handler.apply(&session, &requests),
                    (_, late) => {
                        let fault = late.unwrap_or_else(missing);
                        requests.iter().map(|_| Ended::NoEffect(fault.clone())).collect()
                    }
                };
                Event::Applied(batch.clone(), ended)
            }
            Work::AskReady(batch, requests) => {
                let looks: Vec<_> = requests.iter().map(|request| request.look()).collect();
                let answers = match session(batch) {
                    Some((handler, session)) => handler.ready(&session, &looks),
                    None => looks.iter().map(|_| Readiness::Failed(missing())).collect(),
                };
                Event::Readiness(batch.clone(), answers)
            }
        }
    }

    fn greet(&self, task: &Task, enter: bool) -> Result<crate::handler::Greeting, Fault> {
        let Some(found) = self.targets.get(task.target) else {
            return Err(Fault::new("there is no such target"));
        };
        self.reach.hello(&Hello {
            target: &found.place.target,
            identity: &found.place.identity,
            lineage: &task.lineage,
            project: &self.name,
            fence: &task.fence,
            key: &self.secrets.key_of(&found.place.identity),
            enter,
        })
    }

    /// The handler of a batch, and what it works with.
    fn session(&self, task: &Task, batch: &Batch) -> Option<(&dyn Handler, Session<'_>)> {
        let target = self.targets.get(batch.target)?;
        let handler = self.reach.hands(&target.place.target, self.registry.get(&batch.handler)?);
        let session = Session {
            target: target.place.target.clone(),
            identity: target.place.identity.clone(),
            root: target.root.clone(),
            lineage: task.lineage.clone(),
            fence: task.fence.clone(),
            key: self.secrets.key_of(&target.place.identity),
            clock: self.clock,
            patience: task.patience,
            until: task.until,
            project: self.project.clone(),
        };
        Some((handler, session))
    }
}

/// A run, while it goes on.
struct Course<'scope, 'env, 'run> {
    driver: &'env Driver<'env>,
    mode: Mode,
    engine: Engine<'run>,
    lanes: Lanes<'scope, 'env>,
    effects: VecDeque<Effect>,
    /// What is for later, and when.
    waiting: Vec<(Timestamp, Effect)>,
    store: &'run mut dyn Store,
    observer: &'run mut dyn Observer,
}

impl<'run> Course<'_, '_, 'run> {
    fn to_end(mut self) -> Result<(Engine<'run>, Option<Error>), Error> {
        self.effects.extend(self.engine.take(Event::Start, self.driver.clock.now())?);
        loop {
            while let Some(event) = self.lanes.ended() {
                self.happened(event)?;
            }
            let Some(effect) = self.effects.pop_front() else {
                // All that has ended by now is written down at once.
                self.effects.extend(self.engine.go_on());
                match !self.effects.is_empty() || self.wait()? {
                    true => continue,
                    false => break,
                }
            };
            match effect {
                Effect::Finish => break,
                Effect::Decide => {
                    let guard = self.engine.plan().and_then(|plan| self.engine.guard(plan));
                    if let Some(guard) = guard.filter(|_| self.mode == Mode::Deploy) {
                        return Ok((self.engine, Some(guard)));
                    }
                    let agreed = self.engine.plan().is_some_and(|plan| self.observer.planned(plan));
                    self.happened(Event::Decided(agreed && self.mode == Mode::Deploy))?;
                }
                Effect::Commit(changes) => {
                    let committed = self.commit(&changes);
                    // The engine takes them over.
                    drop(changes);
                    match committed {
                        Ok(event) => self.happened(event)?,
                        // Nothing that is not written down is done.
                        Err(error) => return Ok((self.engine, Some(error))),
                    }
                }
                Effect::Reveal(subjects) => {
                    let revealed = self.driver.reveal(&self.engine, &subjects);
                    self.happened(revealed)?;
                }
                Effect::Rest(until) => {
                    self.driver.rest(until);
                    self.happened(Event::Rested)?;
                }
                later if !later.wait().is_zero() => {
                    let due = self.driver.clock.now().after(later.wait());
                    self.waiting.push((due, later));
                }
                other => self.start(other),
            }
        }
        Ok((self.engine, None))
    }

    fn commit(&mut self, changes: &[Change]) -> Result<Event, Error> {
        let now = self.driver.clock.now();
        Ok(Event::Committed(self.store.commit(self.engine.ledger.revision, now, changes)?))
    }

    /// Waits for what is under way, or for the time of what is for later; whether there is anything.
    fn wait(&mut self) -> Result<bool, Error> {
        let now = self.driver.clock.now();
        let next =
            self.waiting.iter().enumerate().min_by_key(|(_, (due, _))| *due).map(|(at, (due, _))| (at, *due));
        let Some((at, due)) = next else {
            return match self.lanes.wait(None) {
                Some(event) => self.happened(event).map(|()| true),
                None => Ok(false),
            };
        };
        if due > now {
            if self.lanes.is_idle() {
                self.driver.rest(due);
            } else if let Some(event) = self.lanes.wait(Some(due.since(now))) {
                return self.happened(event).map(|()| true);
            }
        }
        if self.driver.clock.now() >= due {
            let (_, effect) = self.waiting.swap_remove(at);
            self.start(effect);
        }
        Ok(true)
    }

    fn start(&mut self, effect: Effect) {
        match &effect {
            Effect::Observe(batch) => self.observer.progress(&Progress::Looking(batch.items.len())),
            Effect::Apply(batch) | Effect::Delete(batch) => {
                if let Some(plan) = self.engine.plan() {
                    self.observer.progress(&Progress::Begun(plan, &self.engine.entries(batch)));
                }
            }
            _ => {}
        }
        if let Some(task) = self.engine.task(effect) {
            self.lanes.start(task);
        }
    }

    fn happened(&mut self, event: Event) -> Result<(), Error> {
        let batch = match &event {
            Event::Applied(batch, _) | Event::Deleted(batch, _) | Event::Readiness(batch, _) => {
                Some(batch.clone())
            }
            _ => None,
        };
        self.effects.extend(self.engine.take(event, self.driver.clock.now())?);
        if let (Some(batch), Some(plan)) = (batch, self.engine.plan()) {
            for (entry, verdict) in self.engine.ended(&batch) {
                self.observer.progress(&Progress::Ended(plan, entry, &verdict));
            }
        }
        Ok(())
    }
}
