//! One life: a ledger, the targets, and one run after the other.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ecow::EcoString;

use crate::graph::GraphBuilder;
use crate::handler::fake::{At, FakeHandler, Foreign, Inner, Mishap, Object, World};
use crate::handler::{Clock as _, Fence, ManualClock, Random as _, Registry, SeededRandom, Token};
use crate::state::{Condition, MemoryStore, Row, Store as _};

use super::super::secrets::Secrets;
use super::super::target::Targets;
use super::super::{Error, Mode, Outcome};
use super::canon::State;
use super::case::{Case, Does, Faults, Goes, Hand, Happens, Spec, Turn};
use super::chance::TARGETS;
use super::tale::Tale;
use super::{Stats, Violation, check, nodes};

/// For how long a deployer has the ledger without a commit.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// Everything that lasts from run to run.
pub(super) struct Lab {
    pub world: World,
    pub registry: Registry,
    pub targets: Targets,
    pub store: MemoryStore,
    pub random: SeededRandom,
    pub clock: ManualClock,
    pub secrets: Secrets,
    pub past: RefCell<Vec<Past>>,
    /// What was let go, by its maker's token: it stays where it is, and nobody knows it.
    pub let_go: RefCell<BTreeSet<Token>>,
    /// What came back with a target that was restored, and may be unknown until that was seen.
    pub back: RefCell<BTreeSet<At>>,
    found: RefCell<Option<Violation>>,
    stats: Cell<Stats>,
    pub tale: Tale,
    /// The states in which a run may be cut off, if anybody wants to know.
    cuts: Option<RefCell<Vec<Cut>>>,
    graph: RefCell<Option<(Vec<Spec>, GraphBuilder)>>,
}

/// A state in which a run may be cut off.
pub(super) struct Cut {
    /// What cuts it off there.
    pub faults: Faults,
    /// What is left.
    pub lab: Lab,
    /// The same, but for the names that chance gave.
    pub state: State,
}

/// A state as people see it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Projection {
    objects: BTreeMap<At, ([EcoString; 4], bool)>,
    rows: Vec<(EcoString, Box<[EcoString]>, Condition, EcoString)>,
}

/// How things were before a turn.
pub(super) struct Past {
    objects: BTreeMap<At, Object>,
    fences: BTreeMap<At, (EcoString, Fence)>,
    store: MemoryStore,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// To the end.
    Done(Box<Outcome>),
    /// The process died.
    Crashed,
    /// It was refused before anything was done.
    Refused(Error),
}

impl Lab {
    pub(super) fn new() -> Self {
        let random = SeededRandom::new(1);
        let world = World::default();
        world.inner().has_readiness = true;
        Lab {
            registry: Registry::of(vec![Box::new(FakeHandler(world.clone()))]),
            targets: nodes::targets(),
            store: MemoryStore::leasing(&random, LEASE),
            world,
            random,
            clock: ManualClock::default(),
            secrets: Secrets::none(),
            past: RefCell::default(),
            let_go: RefCell::default(),
            back: RefCell::default(),
            found: RefCell::default(),
            stats: Cell::default(),
            tale: Tale::default(),
            cuts: None,
            graph: RefCell::default(),
        }
    }

    /// The same, of which all is told.
    pub(super) fn told() -> Self {
        Lab { tale: Tale::told(), ..Lab::new() }
    }

    /// Something did not hold. The first is what counts: the rest follows from it.
    pub(super) fn report(&self, rule: &str, what: impl Into<String>) {
        self.found.borrow_mut().get_or_insert_with(|| Violation::new(rule, what));
    }

    fn verdict(&self) -> Result<(), Violation> {
        if let Some(what) = self.world.inner().violations.first() {
            let (rule, what) = what.split_once(": ").unwrap_or(("?", what));
            self.report(rule, what);
        }
        self.found.borrow().clone().map_or(Ok(()), Err)
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Stats)) {
        let mut stats = self.stats.get();
        change(&mut stats);
        self.stats.set(stats);
    }

    /// Lives a life, heals, and takes everything away.
    pub(super) fn live(&self, case: &Case) -> Result<Stats, Violation> {
        let loose = case.loose.iter().filter(|target| **target < TARGETS);
        self.world.inner().loose = loose.map(|target| nodes::identity(*target)).collect();
        for (at, turn) in case.turns.iter().enumerate() {
            let past = self.as_it_is();
            self.past.borrow_mut().push(past);
            for event in &turn.events {
                self.happens(event, turn)?;
            }
            let next = case.turns.get(at + 1).unwrap_or(turn);
            self.run(&turn.wanted, &turn.faults, Mode::Deploy, &next.wanted);
            self.verdict()?;
        }
        let last = case.turns.last().map_or(&[][..], |turn| &turn.wanted);
        self.heal(last)?;
        self.heal(&[])?;
        Ok(self.stats.get())
    }

    /// What was simulated so far.
    pub(super) fn stats(&self) -> Stats {
        self.stats.get()
    }

    /// Another life that goes on from here.
    pub(super) fn copy(&self) -> Lab {
        let lab = Lab { store: self.store.copy(), ..Lab::new() };
        let here = self.world.inner();
        let mut there = lab.world.inner();
        there.objects = here.objects.clone();
        there.fences = here.fences.clone();
        there.loose = here.loose.clone();
        there.set_revision(here.revision());
        drop(there);
        let graph = self.graph.clone();
        Lab { random: SeededRandom::new(self.random.next() as u64), graph, ..lab }
    }

    /// What tells states apart that a run can tell apart.
    pub(super) fn state(&self) -> State {
        let inner = self.world.inner();
        self.store.look(|ledger| State::of(&inner, &inner.objects, ledger))
    }

    /// All states in which a run may be cut off that differ from those before them, the last of which
    /// is its end. Between two effects of a batch it may be, too.
    pub(super) fn cuts(&self, wanted: &[Spec]) -> Result<(Vec<Cut>, Stats), Violation> {
        let mut lab = self.copy();
        lab.cuts = Some(RefCell::default());
        lab.world.inner().kept = Some(Vec::new());
        lab.plain_run(wanted);
        lab.cut(Faults::default);
        lab.verdict()?;
        let stats = lab.stats();
        Ok((lab.cuts.map(RefCell::into_inner).unwrap_or_default(), stats))
    }

    /// The run might end here, by these faults.
    pub(super) fn cut(&self, faults: impl FnOnce() -> Faults) {
        let Some(cuts) = &self.cuts else { return };
        let mut states = Vec::new();
        let mut inner = self.world.inner();
        let effects = inner.kept.as_mut().map(std::mem::take).unwrap_or_default();
        let before = inner.effects as usize - effects.len();
        for (number, objects) in effects.into_iter().enumerate() {
            let dies = u32::try_from(before + number).ok();
            states.push((Faults { dies, ..Faults::default() }, objects));
        }
        states.push((faults(), inner.objects.clone()));
        drop(inner);
        for (faults, objects) in states {
            let state = self.store.look(|ledger| State::of(&self.world.inner(), &objects, ledger));
            if cuts.borrow().last().is_some_and(|last| last.state == state) {
                continue;
            }
            let lab = self.copy();
            lab.world.inner().objects = objects;
            cuts.borrow_mut().push(Cut { faults, lab, state });
        }
    }

    /// What people see of a state: no tokens, no numbers of runs, no incarnations.
    pub(super) fn projection(&self) -> Projection {
        let inner = self.world.inner();
        let object = |(at, o): (&At, &Object)| {
            let fields = [&o.kind, &o.value, &o.extra, &o.shape].map(EcoString::clone);
            (at.clone(), (fields, o.maker.is_some()))
        };
        let objects = inner.objects.iter().map(object).collect();
        let row =
            |row: &Row| (row.key.id.clone(), row.claims.clone(), row.condition, row.recorded.fields.clone());
        let rows = self.store.look(|ledger| ledger.rows.values().map(row).collect());
        Projection { objects, rows }
    }

    /// A run in which what may happen in any order happens in one that follows from a number.
    pub(super) fn scheduled_run(&self, wanted: &[Spec], schedule: u64) {
        self.run(wanted, &Faults { schedule, ..Faults::default() }, Mode::Deploy, &[]);
    }

    /// A run in which nothing goes wrong.
    pub(super) fn plain_run(&self, wanted: &[Spec]) {
        self.run(wanted, &Faults::default(), Mode::Deploy, &[]);
    }

    /// A run that is cut off.
    #[cfg(test)]
    pub(super) fn cut_run(&self, wanted: &[Spec], faults: &Faults) {
        self.run(wanted, faults, Mode::Deploy, &[]);
    }

    /// Nothing was wrong so far, and healing makes everything as wanted.
    ///
    /// States that are known to lead there, with whether the run before was fine, need not be gone on
    /// from. Whether it was such a one.
    pub(super) fn settles(
        &self,
        wanted: &[Spec],
        known: &mut BTreeSet<(State, bool)>,
    ) -> Result<bool, Violation> {
        self.verdict()?;
        self.heal_from(wanted, known)
    }

    fn as_it_is(&self) -> Past {
        let inner = self.world.inner();
        Past { objects: inner.objects.clone(), fences: inner.fences.clone(), store: self.store.copy() }
    }

    fn happens(&self, event: &Happens, turn: &Turn) -> Result<(), Violation> {
        let loose = self.world.inner().loose.clone();
        match event {
            // Only what keeps which run it let in can tell that itself, or the ledger, is an old one.
            Happens::RestoreTarget(target, _) if loose.contains(&nodes::identity(*target)) => {}
            Happens::OldLedger(_) | Happens::LostLedger if !loose.is_empty() => {}
            Happens::Land => self.world.inner().land(self.clock.now()),
            Happens::Hand(hand) => {
                let foreign = foreign(hand);
                self.world.inner().act(&foreign);
            }
            Happens::RestoreTarget(target, to) => self.restore(*target, *to),
            Happens::OldLedger(of) => {
                let store = self.past.borrow().get(*of).map(|past| past.store.copy());
                if let Some(store) = store {
                    self.with_another(store, &turn.wanted, *of);
                }
            }
            Happens::LostLedger => {
                let store = MemoryStore::new(&self.random);
                self.with_another(store, &turn.wanted, 0);
            }
            Happens::Plan => {
                let before = self.as_it_is();
                let ledger = self.store.reopen().load().ok();
                self.run(&turn.wanted, &Faults::default(), Mode::Plan, &[]);
                let inner = self.world.inner();
                if inner.objects != before.objects || inner.fences != before.fences {
                    self.report("I13", "a plan changed a target");
                }
                if self.store.reopen().load().ok() != ledger {
                    self.report("I13", "a plan changed the ledger");
                }
            }
            Happens::Recover(loss) => {
                let copy = loss.copy.and_then(|of| self.past.borrow().get(of).map(|past| past.store.copy()));
                self.loses(&copy.unwrap_or_else(|| MemoryStore::new(&self.random)), loss, &turn.wanted);
            }
        }
        self.verdict()
    }

    fn restore(&self, target: u8, to: usize) {
        let identity = nodes::identity(target);
        let past = self.past.borrow();
        let Some(past) = past.get(to) else { return };
        let mut inner = self.world.inner();
        let here = |at: &At| at.0 == identity;
        inner.objects.retain(|at, _| !here(at));
        inner.fences.retain(|at, _| !here(at));
        // What was under way on it is not any more.
        inner.late.retain(|request| request.identity() != &identity);
        let objects = past.objects.iter().filter(|(at, _)| here(at));
        let objects: Vec<_> = objects.map(|(at, object)| (at.clone(), object.clone())).collect();
        self.back.borrow_mut().extend(objects.iter().map(|(at, _)| at.clone()));
        inner.objects.extend(objects);
        let fences = past.fences.iter().filter(|(at, _)| here(at));
        inner.fences.extend(fences.map(|(at, fence)| (at.clone(), fence.clone())));
    }

    /// Somebody deploys with a ledger that is not the newest. Targets that were used since let
    /// nothing happen.
    fn with_another(&self, store: MemoryStore, wanted: &[Spec], of: usize) {
        let before = self.as_it_is();
        let old_fences = self.past.borrow().get(of).map(|past| past.fences.clone()).unwrap_or_default();
        let other = Lab { store, ..self.same_world() };
        let lineage = other.store.reopen().load().map(|ledger| ledger.lineage).unwrap_or_default();
        other.run(wanted, &Faults::default(), Mode::Deploy, &[]);
        let inner = self.world.inner();
        for (at, object) in
            before.objects.iter().map(|(at, o)| (at, Some(o))).chain(
                inner.objects.keys().filter(|at| !before.objects.contains_key(*at)).map(|at| (at, None)),
            )
        {
            let was_used = before.fences.keys().any(|(identity, _)| *identity == at.0);
            let here = (at.0.clone(), lineage.clone());
            // A target that is older still, as after a snapshot of it, cannot tell that the ledger is.
            let as_old = match (before.fences.get(&here), old_fences.get(&here)) {
                (Some((_, now)), Some((_, then))) => now == then || now.epoch < then.epoch,
                _ => false,
            };
            if was_used && !as_old && inner.objects.get(at) != object {
                self.report("LEDGER", format!("a ledger that is old or lost changed {at:?}"));
            }
        }
        drop(inner);
        // What that one did is undone: it is here to show that it does nothing where it must not.
        let mut inner = self.world.inner();
        inner.objects = before.objects;
        inner.fences = before.fences;
    }

    fn same_world(&self) -> Lab {
        Lab {
            world: self.world.clone(),
            registry: Registry::of(vec![Box::new(FakeHandler(self.world.clone()))]),
            targets: nodes::targets(),
            random: SeededRandom::new(77),
            ..Lab::new()
        }
    }

    /// Runs without faults until nothing is left to do, which is at most twice; then sees that
    /// everything is as wanted.
    fn heal(&self, wanted: &[Spec]) -> Result<(), Violation> {
        self.world.inner().land(self.clock.now());
        self.heal_from(wanted, &mut BTreeSet::new()).map(drop)
    }

    fn heal_from(&self, wanted: &[Spec], known: &mut BTreeSet<(State, bool)>) -> Result<bool, Violation> {
        let mut fine = false;
        let mut passed = Vec::new();
        for _ in 0..2 {
            let effects = self.world.inner().log.len();
            match self.run(wanted, &Faults::default(), Mode::Deploy, &[]) {
                Ended::Done(outcome) => {
                    if let Some(error) = &outcome.stopped {
                        self.report("I14", format!("healing stopped: {error}"));
                    }
                    if fine && self.world.inner().log.len() != effects {
                        self.report("I5", "a run after one that was fine had effects");
                    }
                    fine = outcome.end() == super::super::End::Fine;
                }
                Ended::Crashed => self.report("SIM", "healing crashed"),
                Ended::Refused(error) => self.report("I14", format!("healing was refused: {error}")),
            }
            self.verdict()?;
            let state = (self.state(), fine);
            if known.contains(&state) {
                known.extend(passed);
                return Ok(true);
            }
            passed.push(state);
        }
        let effects = self.world.inner().log.len();
        let Ended::Done(last) = self.run(wanted, &Faults::default(), Mode::Deploy, &[]) else {
            return self.verdict().map(|()| false);
        };
        let log = self.world.inner().log.clone();
        if log.len() != effects {
            let what = log.get(effects..).unwrap_or_default().join(" ");
            self.report("I14", format!("the third run after the last fault has effects: {what}"));
        }
        check::healed(self, wanted, &last);
        self.verdict()?;
        known.extend(passed);
        Ok(false)
    }

    /// Deploys.
    pub(super) fn run(&self, wanted: &[Spec], faults: &Faults, mode: Mode, meanwhile: &[Spec]) -> Ended {
        self.set_faults(faults);
        self.tale.run(wanted, faults);
        let effects = self.world.inner().log.len();
        let ended = self.drive(wanted, faults, mode, meanwhile);
        self.tale.log(self.world.inner().log.get(effects..).unwrap_or_default());
        self.count(|stats| {
            stats.runs += 1;
            stats.crashes += u64::from(matches!(ended, Ended::Crashed));
            stats.effects += u64::from(self.world.inner().effects);
        });
        self.set_faults(&Faults::default());
        if mode == Mode::Deploy {
            let whole = nodes::scope(faults).is_everything();
            check::ended(self, wanted, &ended, whole);
        }
        ended
    }

    fn set_faults(&self, faults: &Faults) {
        let mishaps = faults.mishaps.iter().map(|(number, goes)| (*number, mishap(*goes)));
        let meanwhile = faults.meanwhile.iter().map(|(number, hand)| (*number, foreign(hand)));
        let mut inner: std::sync::MutexGuard<'_, Inner> = self.world.inner();
        inner.begin(mishaps.collect(), meanwhile.collect());
        inner.dies_after = faults.dies;
        let known =
            |targets: &[u8]| -> Vec<u8> { targets.iter().copied().filter(|t| *t < TARGETS).collect() };
        inner.down = known(&faults.down).into_iter().map(nodes::identity).collect();
        let imposes = |target| (nodes::identity(target), EcoString::from("impostor"));
        inner.impostors = known(&faults.impostors).into_iter().map(imposes).collect();
        inner.unmounted = known(&faults.unmounted).into_iter().map(nodes::identity).collect();
        inner.folded = faults.folded.iter().map(|name| ecow::eco_format!("n{name}")).collect();
        inner.never_ready = faults.unready.iter().map(|name| ecow::eco_format!("thing:n{name}")).collect();
    }

    /// What is wanted, as a graph; the last one is kept.
    pub(super) fn graph(&self, wanted: &[Spec]) -> GraphBuilder {
        if let Some((_, graph)) = self.graph.borrow().as_ref().filter(|(of, _)| of == wanted) {
            return graph.clone();
        }
        let graph = nodes::graph(wanted);
        *self.graph.borrow_mut() = Some((wanted.to_vec(), graph.clone()));
        graph
    }
}

fn mishap(goes: Goes) -> Mishap {
    match goes {
        Goes::NoEffect => Mishap::NoEffect,
        Goes::Again => Mishap::Again,
        Goes::LostAnswer => Mishap::LostAnswer,
        Goes::LostAnswerAgain => Mishap::LostAnswerAgain,
        Goes::LostRequest => Mishap::LostRequest,
        Goes::Late => Mishap::Late,
        Goes::Half => Mishap::Half,
    }
}

fn foreign(hand: &Hand) -> Foreign {
    let at = (nodes::identity(hand.target), EcoString::from(hand.claim.as_str()));
    match hand.does {
        Does::Edit => Foreign::Edit(at, "edited".into()),
        Does::Put => Foreign::Put(at, "theirs".into()),
        Does::Mark => Foreign::Mark(at, "theirs".into()),
        Does::Remove => Foreign::Remove(at),
    }
}
