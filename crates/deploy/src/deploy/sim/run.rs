//! One run of the engine: its effects are carried out in any order in which they may happen, until it
//! ends or is cut off.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::base::MemorySystem;
use crate::handler::{Clock as _, Token};
use crate::state::{Change, Coord as _, Holder, MemoryStore, Revision, Store as _, StoreError};

use super::super::engine::driver::Driver;
use super::super::engine::machine::{Effect, Engine, Event, Request};
use super::super::{Error, Mode};
use super::case::{Faults, Spec};
use super::chance::Chance;
use super::lab::{Ended, LEASE, Lab};
use super::{check, model, nodes};

impl Lab {
    /// Deploys, as `faults` say.
    pub(super) fn drive(&self, wanted: &[Spec], faults: &Faults, mode: Mode, meanwhile: &[Spec]) -> Ended {
        let mut store = self.store.reopen();
        let nonce = Token::new(&self.random);
        let holder = Holder { process: 1, machine: "lab".into(), since: self.clock.now() };
        if mode == Mode::Deploy
            && let Err(error) = store.acquire(&holder, &nonce)
        {
            return Ended::Refused(error.into());
        }
        let mut graph = self.graph(wanted);
        let snapshot = match store.load() {
            Ok(snapshot) => snapshot,
            Err(error) => return Ended::Refused(error.into()),
        };
        let scope = nodes::scope(faults);
        let request = Request {
            graph: &mut graph,
            nonce,
            targets: &self.targets,
            registry: &self.registry,
            random: &self.random,
            mode,
            verify: false,
            limit: None,
            past: Default::default(),
            scope: &scope,
            prints: Default::default(),
        };
        let driver = Driver {
            secrets: &self.secrets,
            project: Arc::new(MemorySystem::default()),
            name: "sim".into(),
            targets: &self.targets,
            registry: &self.registry,
            reach: &self.world,
            clock: &self.clock,
        };
        let engine = match Engine::new(request, snapshot) {
            Ok(engine) => engine,
            Err(error) => return Ended::Refused(error),
        };
        let chance = Chance::new(faults.schedule);
        let run =
            Run { lab: self, driver, engine, store, effects: Vec::new(), faults, chance, commits: 0, mode };
        run.to_end(meanwhile)
    }
}

/// One run, while it goes on.
struct Run<'a> {
    lab: &'a Lab,
    driver: Driver<'a>,
    engine: Engine<'a>,
    store: MemoryStore,
    effects: Vec<Effect>,
    faults: &'a Faults,
    chance: Chance,
    commits: u32,
    mode: Mode,
}

impl Run<'_> {
    fn to_end(mut self, meanwhile: &[Spec]) -> Ended {
        let mut stopped = None;
        let mut paused = None;
        match self.engine.step(Event::Start, self.lab.clock.now()) {
            Ok(effects) => self.effects = effects,
            Err(error) => return Ended::Refused(error),
        }
        for number in 0..10_000 {
            if self.faults.pause == Some(number) {
                paused = Some(self.pause(meanwhile));
            }
            self.lab.cut(|| Faults { crash: Some(2 * number), ..Faults::default() });
            if self.faults.crash == Some(2 * number) {
                return Ended::Crashed;
            }
            let Some(effect) = self.next() else { break };
            let event = match effect {
                Effect::Finish => break,
                Effect::Decide => {
                    check::in_scope(self.lab, &self.engine);
                    if let Some(plan) = self.engine.plan() {
                        self.lab.tale.plan(plan);
                    }
                    let whole = paused.is_none() && self.engine.scope.is_everything();
                    if let Some(plan) = self.engine.plan().filter(|_| whole) {
                        model::agrees(self.lab, &self.engine, plan);
                    }
                    Event::Decided(self.mode == Mode::Deploy)
                }
                Effect::Commit(changes) => match self.commit(&changes) {
                    Ok(revision) => Event::Committed(revision),
                    Err(error) => {
                        stopped = Some(Error::Store(error));
                        break;
                    }
                },
                other => {
                    check::before(self.lab, &self.engine, &other);
                    self.driver.on_target(&self.engine, other)
                }
            };
            self.lab.count(|stats| stats.steps += 1);
            check::known(self.lab);
            self.lab.cut(|| Faults { crash: Some(2 * number + 1), ..Faults::default() });
            if self.lab.world.inner().dead || self.faults.crash == Some(2 * number + 1) {
                return Ended::Crashed;
            }
            match self.engine.step(event, self.lab.clock.now()) {
                Ok(effects) => self.effects.extend(effects),
                Err(error) => return Ended::Refused(error),
            }
        }
        if let Some(effects) = paused {
            let log = self.lab.world.inner().log.clone();
            if let Some(what) = log.get(effects) {
                self.lab.report("I12", format!("{what}: by a deployer whose lease was over"));
            }
        }
        Ended::Done(Box::new(self.engine.outcome(stopped)))
    }

    /// The process is paused for longer than its lease, and another one deploys. How many effects there
    /// were when it goes on.
    fn pause(&self, meanwhile: &[Spec]) -> usize {
        self.lab.clock.sleep(LEASE + Duration::from_secs(1));
        if let Ended::Refused(error) = self.lab.run(meanwhile, &Faults::default(), Mode::Deploy, &[]) {
            self.lab.report("LEASE", format!("nobody else can deploy: {error}"));
        }
        self.lab.world.inner().log.len()
    }

    /// The next effect: any of those that wait for nothing.
    fn next(&mut self) -> Option<Effect> {
        let ready: Vec<usize> =
            self.effects.iter().enumerate().filter(|(_, e)| e.wait().is_zero()).map(|(at, _)| at).collect();
        let at = match (self.faults.schedule, ready.as_slice()) {
            (_, []) => 0,
            (0, ready) => *ready.first()?,
            (_, ready) => *ready.get(self.chance.below(ready.len() as u64) as usize)?,
        };
        (at < self.effects.len()).then(|| self.effects.remove(at))
    }

    fn commit(&mut self, changes: &[Change]) -> Result<Revision, StoreError> {
        let full = || StoreError::File {
            doing: "write",
            path: "ledger".into(),
            source: io::Error::from(io::ErrorKind::StorageFull),
        };
        self.lab.tale.commit(changes);
        check::dropped(self.lab, changes);
        let fault = self.faults.store.filter(|(number, _)| *number == self.commits);
        self.commits += 1;
        if fault.is_some_and(|(_, durable)| !durable) {
            return Err(full());
        }
        let revision = self.store.commit(self.engine.ledger.revision, self.lab.clock.now(), changes)?;
        if fault.is_some() { Err(full()) } else { Ok(revision) }
    }
}
