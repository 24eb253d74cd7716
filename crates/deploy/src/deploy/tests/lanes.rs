//! Several machines at once: one that does not answer keeps no other waiting.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ecow::eco_format;

use super::super::engine::driver::Driver;
use super::super::engine::machine::Request;
use super::super::secrets::Secrets;
use super::super::target::{Target, Targets};
use super::super::*;
use super::{graph_on, node, requiring, text};
use crate::base::MemorySystem;
use crate::graph::{GraphBuilder, GraphValue, Node, Origin, Target as Machine};
use crate::handler::fake::{FakeHandler, World};
use crate::handler::{Clock as _, ManualClock, Registry, Root, SeededRandom, Timestamp, Token};
use crate::state::{
    Change, Coord as _, Generation, Holder, MemoryStore, Place, Rebuilt, Revision, Snapshot, Store,
    StoreError,
};

fn host(number: usize) -> String {
    format!("fake::Host[name=h{number}]")
}

fn thing(number: usize, name: &str, requires: &[&str]) -> Node {
    let name = format!("{name}{number}");
    let mut node = node("fake::Thing", "fake", ("name", &name), vec![("value", text("v"))]);
    node.target = host(number).into();
    let ids: Vec<String> = requires.iter().map(|name| format!("fake::Thing[name={name}{number}]")).collect();
    requiring(node, &ids.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Three things on each of so many machines, each after the one before.
fn project(machines: usize) -> GraphBuilder {
    let nodes = (0..machines)
        .flat_map(|number| [thing(number, "a", &[]), thing(number, "b", &["a"]), thing(number, "c", &["b"])]);
    let target = |number| Machine {
        id: host(number).into(),
        type_: "fake::Host".into(),
        fields: GraphValue::map(Vec::new()),
        origin: Origin::default(),
    };
    graph_on((0..machines).map(target).collect(), nodes.collect())
}

/// Counts the commits of a ledger, and notes who is at work on one.
struct Counting(MemoryStore, VecDeque<usize>);

impl Store for Counting {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.0.load()
    }
    fn commit(&mut self, at: Revision, now: Timestamp, changes: &[Change]) -> Result<Revision, StoreError> {
        self.1.push_back(changes.len());
        self.0.commit(at, now, changes)
    }
    fn rebuild(
        &mut self,
        at: Revision,
        now: Timestamp,
        rebuilt: &Rebuilt<'_>,
        changes: &[Change],
    ) -> Result<Revision, StoreError> {
        self.0.rebuild(at, now, rebuilt, changes)
    }
    fn generation(&mut self, number: u64) -> Result<Option<Generation>, StoreError> {
        self.0.generation(number)
    }
    fn journal(&mut self, after: u64) -> Result<Vec<crate::state::Entry>, StoreError> {
        self.0.journal(after)
    }
}

/// Lets a machine answer once all others are done.
struct Unblocks {
    world: World,
    left: usize,
    before: Vec<String>,
}

impl Observer for Unblocks {
    fn planned(&mut self, _plan: &Plan) -> bool {
        true
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        let Progress::Ended(plan, entry, verdict) = progress else { return };
        assert_eq!(**verdict, Verdict::Done);
        if self.left > 0 {
            self.before.push(plan.entries[*entry].id.to_string());
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.world.unblock();
        }
    }
}

/// Deploys to so many machines, the first of which does not answer until the others are done.
fn deploy(machines: usize, one: bool) -> (Outcome, Unblocks, usize) {
    let world = World::default();
    let random = SeededRandom::new(1);
    let registry = Registry::of(vec![Box::new(FakeHandler(world.clone()))]);
    let target = |number: usize| {
        let identity = if one { "machine".into() } else { eco_format!("machine{number}") };
        let place = Place { target: host(number).into(), identity, reach: Default::default() };
        Target { place, root: Root { folder: None, allowed: vec!["/".into()] }, waits_for: None }
    };
    let targets = Targets::only((0..machines).map(target).collect());
    let clock = ManualClock::default();
    let secrets = Secrets::none();
    let driver = Driver {
        secrets: &secrets,
        project: Arc::new(MemorySystem::default()),
        name: "test".into(),
        targets: &targets,
        registry: &registry,
        reach: &world,
        clock: &clock,
    };
    let left = if one { 0 } else { 3 * (machines - 1) };
    if !one {
        world.inner().blocked.insert("machine0".into());
    }
    let mut store = MemoryStore::new(&random);
    let nonce = Token::new(&random);
    let holder = Holder { process: 1, machine: "lab".into(), since: clock.now() };
    store.acquire(&holder, &nonce).unwrap();
    let snapshot = store.load().unwrap();
    let mut graph = project(machines);
    let scope = Scope::default();
    let request = Request {
        graph: &mut graph,
        nonce,
        targets: &targets,
        registry: &registry,
        random: &random,
        mode: Mode::Deploy,
        verify: false,
        limit: None,
        past: Default::default(),
        scope: &scope,
        prints: Default::default(),
    };
    let mut store = Counting(store, VecDeque::new());
    let mut observer = Unblocks { world: world.clone(), left, before: Vec::new() };
    let outcome = driver.drive(request, snapshot, &mut store, &mut observer).unwrap();
    // Each machine in its order, whatever the order of the machines.
    let log = world.inner().log.clone();
    for number in 0..machines {
        let suffix = number.to_string();
        let of: Vec<&str> = log.iter().map(String::as_str).filter(|did| did.ends_with(&suffix)).collect();
        assert_eq!(of, ["a", "b", "c"].map(|name| format!("+thing:{name}{number}")));
    }
    (outcome, observer, store.1.len())
}

#[test]
fn a_machine_that_does_not_answer_keeps_no_other_waiting() {
    let (outcome, observer, _) = deploy(4, false);
    assert_eq!(outcome.end(), End::Fine, "{outcome:#?}");
    assert_eq!(observer.before.len(), 9, "{:?}", observer.before);
    assert!(observer.before.iter().all(|id| !id.ends_with("0]")), "{:?}", observer.before);
}

#[test]
fn targets_that_are_one_machine_take_turns_and_share_commits() {
    let (outcome, _, commits) = deploy(4, true);
    assert_eq!(outcome.end(), End::Fine, "{outcome:#?}");
    // What targets have to say, the generation, a wave for each of the three, and the end.
    assert!(commits <= 7, "{commits} commits");
}

#[test]
fn what_is_tried_again_is_not_tried_beyond_its_deadline() {
    let world = World::default();
    let mut node = thing(0, "a", &[]);
    node.target = crate::graph::LOCAL.into();
    // The second attempt would be after one second, and the third after three.
    node.timeout = Some(2_500_000_000);
    world.inner().mishaps.extend((0..8).map(|n| (n, crate::handler::fake::Mishap::Again)));
    let (clock, outcome) = super::engine::deploy_once(&world, &[node]);
    let failed =
        |verdict: &Verdict| matches!(verdict, Verdict::Failed(fault) if fault.message.contains("busy"));
    assert!(outcome.verdicts.iter().all(failed), "{outcome:#?}");
    assert_eq!(clock.now().since(Timestamp(0)), Duration::from_secs(1));
}
