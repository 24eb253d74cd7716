//! The engine on the fake handler, with crashes, mishaps and foreign hands.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ecow::EcoString;
use proptest::prelude::*;

use super::super::engine::driver::Driver;
use super::super::target::{Target, Targets};
use super::super::*;
use super::{Run, Trial, graph, graph_on, node, requiring, text};
use crate::base::MemorySystem;
use crate::graph::{Drift, LOCAL, Node};
use crate::handler::fake::{FakeHandler, World};
use crate::handler::{Clock as _, Handler as _, ManualClock, Registry, Root, SeededRandom};
use crate::state::{Condition, MemoryStore, Place, Snapshot, Store as _};

pub(super) const IDENTITY: &str = "machine";

/// One deploy to one target of a world, by a clock that then says how long it took.
pub(super) fn deploy_once(world: &World, nodes: &[Node]) -> (ManualClock, Outcome) {
    let registry = Registry::of(vec![Box::new(FakeHandler(world.clone()))]);
    let lab = Lab { world: world.clone(), registry, ..Lab::new(1) };
    let outcome = lab.done(nodes);
    (lab.clock, outcome)
}

/// A project, its ledger and its target.
pub(super) struct Lab {
    pub(super) world: World,
    registry: Registry,
    targets: Targets,
    store: MemoryStore,
    random: SeededRandom,
    clock: ManualClock,
}

impl Lab {
    pub(super) fn new(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let world = World::default();
        let place = Place { target: LOCAL.into(), identity: IDENTITY.into(), reach: EcoString::new() };
        let root = Root { folder: None, allowed: vec!["/".into()] };
        Lab {
            registry: Registry::of(vec![Box::new(FakeHandler(world.clone()))]),
            targets: Targets::only(vec![Target { place, root, waits_for: None }]),
            store: MemoryStore::new(&random),
            world,
            random,
            clock: ManualClock::default(),
        }
    }

    /// Deploys; dies after so many effects of the engine.
    pub(super) fn deploy(&self, nodes: &[Node], fuel: Option<usize>) -> Run {
        self.run(nodes, fuel, |_| {})
    }

    /// Deploys, and shows the ledger as it is on the way.
    fn watched(&self, nodes: &[Node], watch: impl FnMut(&Snapshot)) {
        assert!(matches!(self.run(nodes, None, watch), Run::Ended(_)));
    }

    fn run(&self, nodes: &[Node], fuel: Option<usize>, mut watch: impl FnMut(&Snapshot)) -> Run {
        let project = Arc::new(MemorySystem::default());
        let secrets = crate::deploy::secrets::Secrets::none();
        let driver = Driver {
            project,
            name: "test".into(),
            targets: &self.targets,
            registry: &self.registry,
            reach: &self.world,
            clock: &self.clock,
            secrets: &secrets,
        };
        let (registry, random, clock) = (&self.registry, &self.random, &self.clock);
        let trial = Trial { driver: &driver, registry, random, clock };
        trial.run(&self.store, &mut graph(nodes.to_vec()), fuel, |ledger| {
            self.all_known(ledger);
            watch(ledger);
            let mut inner = self.world.inner();
            let lives = !inner.dead;
            if !lives {
                inner.dead = false;
                inner.dies_after = None;
            }
            lives
        })
    }

    /// Deploys to targets as the ledger and the graph say how they are reached, below a folder.
    pub(super) fn done_on(&self, hosts: Vec<crate::graph::Target>, nodes: &[Node], root: &Path) -> Outcome {
        let mut graph = graph_on(hosts, nodes.to_vec());
        let ledger = self.store.reopen().load().unwrap();
        let targets = Targets::of(&graph, &ledger, Some(root)).unwrap();
        let secrets = crate::deploy::secrets::Secrets::none();
        let driver = Driver {
            project: Arc::new(MemorySystem::default()),
            name: "test".into(),
            targets: &targets,
            registry: &self.registry,
            reach: &self.world,
            clock: &self.clock,
            secrets: &secrets,
        };
        let (registry, random, clock) = (&self.registry, &self.random, &self.clock);
        let trial = Trial { driver: &driver, registry, random, clock };
        match trial.run(&self.store, &mut graph, None, |_| true) {
            Run::Ended(outcome) => *outcome,
            Run::Crashed => panic!("nobody died"),
        }
    }

    pub(super) fn done(&self, nodes: &[Node]) -> Outcome {
        match self.deploy(nodes, None) {
            Run::Ended(outcome) => *outcome,
            Run::Crashed => panic!("nobody died"),
        }
    }

    /// Everything that was made is known, at any time.
    fn all_known(&self, ledger: &Snapshot) {
        let rows = ledger.rows.values();
        let intents = ledger.intents.values();
        let fields: Vec<&str> = rows
            .map(|row| &row.claims)
            .chain(intents.map(|intent| &intent.row.claims))
            .flat_map(|claims| claims.iter().map(EcoString::as_str))
            .collect();
        for ((_, claim), object) in &self.world.inner().objects {
            assert!(object.maker.is_none() || fields.contains(&claim.as_str()), "{claim} is orphaned");
        }
    }

    /// Runs without mishaps until nothing is left to do, which is at most twice; then sees that
    /// the world is as wanted.
    fn heal(&self, nodes: &[Node]) {
        self.world.misbehave(0, 0);
        for _ in 0..2 {
            let outcome = self.done(nodes);
            assert!(outcome.stopped.is_none());
        }
        let log = self.world.inner().log.len();
        let last = self.done(nodes);
        assert_eq!(self.world.inner().log.len(), log, "the third run has effects: {last:#?}");
        assert!(last.plan.steps.is_empty(), "{last:#?}");
        let wanted: BTreeMap<EcoString, &Node> = nodes.iter().map(|node| (claim(node), node)).collect();
        let ledger = self.store.reopen().load().unwrap();
        let named = |id: &EcoString| {
            let stays = |action: &Action| matches!(action, Action::Keep { .. } | Action::Refuse { .. });
            let kept = |entry: &Entry| entry.blocked.is_some() || stays(&entry.action);
            last.plan.entries.iter().any(|entry| entry.id == *id && kept(entry))
        };
        let excused = |claim: &EcoString| {
            let mut rows = ledger.rows.values().filter(|row| row.claims.contains(claim));
            rows.any(|row| row.protect || row.condition == Condition::Doubt || named(&row.key.id))
        };
        for ((_, claim), object) in &self.world.inner().objects {
            if object.maker.is_some() && !wanted.contains_key(claim) {
                assert!(excused(claim), "{claim} should be gone: {last:#?}");
            }
        }
        for (claim, node) in wanted {
            let inner = self.world.inner();
            let found = inner.objects.get(&(IDENTITY.into(), claim.clone()));
            let value = found.map(|object| object.value.as_str());
            let named = last.plan.entries.iter().any(|entry| entry.id == node.id);
            let wanted = node.fields.get("value").and_then(|v| v.as_str());
            assert!(value == wanted || named, "{claim} is {value:?}, {wanted:?} is wanted: {last:#?}");
        }
    }
}

fn claim(node: &Node) -> EcoString {
    FakeHandler(World::default()).claims(node).remove(0)
}

pub(super) fn thing(name: &str, value: &str) -> Node {
    node("fake::Thing", "fake", ("name", name), vec![("value", text(value))])
}

fn floating(name: &str, slot: &str) -> Node {
    node("fake::Floating", "fake", ("name", name), vec![("value", text("v")), ("slot", text(slot))])
}

fn after(node: Node, names: &[&str]) -> Node {
    let ids: Vec<String> = names.iter().map(|name| format!("fake::Thing[name={name}]")).collect();
    requiring(node, &ids.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What the handler did, since the last time.
fn log(lab: &Lab) -> Vec<String> {
    std::mem::take(&mut lab.world.inner().log)
}

#[test]
fn makes_in_order_and_takes_away_in_reverse() {
    let lab = Lab::new(1);
    let nodes = [after(thing("a", "1"), &["b"]), after(thing("b", "1"), &["c"]), thing("c", "1")];
    lab.done(&nodes);
    assert_eq!(log(&lab), ["+thing:c", "+thing:b", "+thing:a"]);
    lab.done(&[]);
    assert_eq!(log(&lab), ["-thing:a", "-thing:b", "-thing:c"]);
}

#[test]
fn no_more_is_begun_than_two_batches() {
    let lab = Lab::new(1);
    let together = FakeHandler(World::default()).concurrency();
    let nodes: Vec<Node> = (0..9).map(|n| thing(&n.to_string(), "1")).collect();
    let most = |nodes: &[Node]| {
        let mut most = 0;
        lab.watched(nodes, |ledger| most = most.max(ledger.intents.len()));
        most
    };
    assert_eq!(most(&nodes), 2 * together);
    assert_eq!(log(&lab).len(), 9);
    assert_eq!(most(&[]), 2 * together);
    assert_eq!(log(&lab).len(), 9);
}

#[test]
fn a_deletion_waits_for_the_update_of_its_user() {
    let lab = Lab::new(1);
    lab.done(&[after(thing("user", "1"), &["old"]), thing("old", "1")]);
    log(&lab);
    lab.done(&[thing("user", "2")]);
    assert_eq!(log(&lab), ["~thing:user", "-thing:old"]);

    lab.done(&[after(thing("user", "2"), &["old"]), thing("old", "1")]);
    log(&lab);
    // The update is impossible, so what it uses stays.
    let outcome = lab.done(&[thing("user", "invalid")]);
    assert_eq!(log(&lab), [""; 0]);
    let blocked: Vec<String> =
        outcome.plan.entries.iter().filter_map(|e| Some(e.blocked.as_ref()?.to_string())).collect();
    assert_eq!(blocked, ["fake::Thing[name=user] was not updated"]);
}

#[test]
fn a_replacement_comes_first_where_it_can() {
    let lab = Lab::new(1);
    lab.done(&[floating("f", "1")]);
    log(&lab);
    lab.done(&[floating("f", "2")]);
    assert_eq!(log(&lab), ["+slot:2", "-slot:1"]);
    let reshaped = |shape: &str| {
        let fields = vec![("value", text("v")), ("slot", text("2")), ("shape", text(shape))];
        node("fake::Floating", "fake", ("name", "f"), fields)
    };
    lab.done(&[reshaped("round")]);
    assert_eq!(log(&lab), ["-slot:2", "+slot:2"]);
}

#[test]
fn two_that_swap_their_places_both_go_first() {
    let lab = Lab::new(1);
    lab.done(&[floating("a", "1"), floating("b", "2")]);
    log(&lab);
    let swapped = [floating("a", "2"), floating("b", "1")];
    lab.done(&swapped);
    let mut did = log(&lab);
    did[..2].sort();
    did[2..].sort();
    assert_eq!(did, ["-slot:1", "-slot:2", "+slot:1", "+slot:2"]);
    lab.heal(&swapped);
}

#[test]
fn the_same_thing_under_another_id_is_handed_over() {
    let mut lab = Lab::new(1);
    let target = |id: &str| {
        let place = Place { target: id.into(), identity: IDENTITY.into(), reach: EcoString::new() };
        Target { place, root: Root { folder: None, allowed: vec!["/".into()] }, waits_for: None }
    };
    lab.targets = Targets::only(vec![target(LOCAL), target("h1")]);
    lab.done(&[thing("a", "1")]);
    log(&lab);
    let moved = Node { target: "h1".into(), id: "fake::Thing[host=h1,name=a]".into(), ..thing("a", "1") };
    let outcome = lab.done(std::slice::from_ref(&moved));
    assert_eq!(outcome.end(), End::Fine);
    let [Entry { action: Action::Update { was: Some(was), .. }, .. }] = outcome.plan.entries.as_slice()
    else {
        panic!("{outcome:#?}");
    };
    assert_eq!(was, "fake::Thing[name=a]");
    assert_eq!(log(&lab), [""; 0]);
    assert_eq!(lab.done(std::slice::from_ref(&moved)).plan.entries, []);
    lab.done(&[]);
    assert_eq!(log(&lab), ["-thing:a"]);
}

#[test]
fn drift_is_mended_reported_or_ignored() {
    let drifted = |drift: Drift| {
        let lab = Lab::new(1);
        let nodes = [Node { drift, ..thing("a", "1") }];
        lab.done(&nodes);
        log(&lab);
        let mut inner = lab.world.inner();
        for object in inner.objects.values_mut() {
            object.value = "drifted".into();
            object.revision += 100;
        }
        drop(inner);
        let outcome = lab.done(&nodes);
        assert_eq!(outcome.end(), End::Fine);
        (log(&lab).len(), outcome.plan.entries.len(), lab.done(&nodes).plan.entries.len())
    };
    assert_eq!(drifted(Drift::Repair), (1, 1, 0));
    assert_eq!(drifted(Drift::Report), (0, 1, 1));
    assert_eq!(drifted(Drift::Ignore(vec!["value".into()])), (0, 0, 0));
}

#[test]
fn users_wait_until_what_they_use_is_ready() {
    let lab = Lab::new(1);
    lab.world.inner().ready_after = 3;
    let outcome = lab.done(&[after(thing("a", "1"), &["b"]), thing("b", "1")]);
    assert_eq!(outcome.end(), End::Fine);
    assert_eq!(lab.clock.now().0, 6_000_000_000);
    // Never ready: the user is skipped, and the next run asks nothing of what is there.
    let lab = Lab::new(1);
    lab.world.inner().ready_after = u32::MAX - 1;
    let outcome = lab.done(&[after(thing("a", "1"), &["b"]), thing("b", "1")]);
    assert_eq!(outcome.end(), End::Partly);
    assert_eq!(log(&lab), ["+thing:b"]);
}

#[test]
fn a_crash_anywhere_loses_nothing() {
    let first = [after(thing("a", "1"), &["b"]), thing("b", "1"), floating("f", "1"), thing("c", "1")];
    let second = [after(thing("a", "2"), &["d"]), thing("d", "1"), floating("f", "2")];
    for fuel in 0..60 {
        for again in [None, Some(3), Some(9)] {
            let lab = Lab::new(fuel as u64);
            lab.done(&first);
            lab.deploy(&second, Some(fuel));
            if again.is_some() {
                lab.deploy(&first, again);
            }
            lab.heal(&second);
            lab.heal(&first);
        }
    }
}

#[test]
fn dying_between_two_effects_of_a_batch_loses_nothing() {
    let first = [thing("a", "1"), thing("b", "1"), thing("c", "1"), thing("d", "1")];
    let second = [thing("a", "2"), thing("b", "2"), thing("x", "1")];
    for effects in 0..10 {
        let lab = Lab::new(7);
        lab.world.inner().dies_after = Some(effects);
        lab.deploy(&first, None);
        lab.world.inner().dies_after = Some(effects);
        lab.deploy(&second, None);
        lab.heal(&second);
    }
}

#[test]
fn what_is_left_of_a_user_does_not_keep_what_the_new_one_waits_for() {
    let lab = Lab::new(1);
    let floating = |slot: &str| {
        node("fake::Floating", "fake", ("name", "c"), vec![("value", text("1")), ("slot", text(slot))])
    };
    let shaped = |shape: &str| {
        node("fake::Thing", "fake", ("name", "a"), vec![("value", text("1")), ("shape", text(shape))])
    };
    let (a, b) = ("fake::Thing[name=a]", "fake::Thing[name=b]");
    lab.done(&[shaped("1"), requiring(thing("b", "1"), &[a]), requiring(floating("1"), &[b])]);
    // The new c waits for the new a, that for the old a to be gone, that for b, and b for the old c.
    let outcome = lab.done(&[shaped("2"), requiring(floating("2"), &[a])]);
    assert_eq!(outcome.end(), End::Fine, "{outcome:#?}");
}

/// What a random model says of one name.
#[derive(Clone, Debug)]
struct Spec {
    kind: u8,
    value: u8,
    shape: u8,
    requires: u8,
    protect: bool,
}

/// What happens in a random life.
#[derive(Clone, Debug)]
struct Turn {
    specs: Vec<Option<Spec>>,
    fuel: Option<usize>,
    dies_after: Option<u32>,
    fail_one_in: u32,
    /// Somebody else puts something there.
    foreign: Option<(u8, u8)>,
}

fn spec() -> impl Strategy<Value = Spec> {
    (0u8..4, 0u8..3, 0u8..2, any::<u8>(), prop::bool::weighted(0.1))
        .prop_map(|(kind, value, shape, requires, protect)| Spec { kind, value, shape, requires, protect })
}

fn turn() -> impl Strategy<Value = Turn> {
    (
        prop::collection::vec(prop::option::weighted(0.7, spec()), 5),
        prop::option::weighted(0.5, 0usize..40),
        prop::option::weighted(0.2, 0u32..6),
        prop::sample::select(vec![0, 0, 3, 5]),
        prop::option::weighted(0.2, (0u8..5, 0u8..3)),
    )
        .prop_map(|(specs, fuel, dies_after, fail_one_in, foreign)| Turn {
            specs,
            fuel,
            dies_after,
            fail_one_in,
            foreign,
        })
}

fn kind(spec: &Spec) -> &'static str {
    // Things are the common case.
    ["fake::Thing", "fake::Thing", "fake::Bare", "fake::Floating"][usize::from(spec.kind)]
}

fn nodes(specs: &[Option<Spec>]) -> Vec<Node> {
    let id = |at: usize, spec: &Spec| format!("{}[name=n{at}]", kind(spec));
    let mut nodes = Vec::new();
    for (at, spec) in specs.iter().enumerate() {
        let Some(spec) = spec else { continue };
        let mut fields =
            vec![("value", text(&format!("v{}", spec.value))), ("shape", text(&format!("s{}", spec.shape)))];
        if kind(spec) == "fake::Floating" {
            // Two may not want one slot; they may want one that the other had.
            fields.push(("slot", text(&format!("{}", (at + usize::from(spec.value)) % 5 + 10 * at))));
        }
        let requires = (0..at).filter(|before| spec.requires & (1 << before) != 0);
        let requires: Vec<String> = requires.filter_map(|b| Some(id(b, specs[b].as_ref()?))).collect();
        let made = node(kind(spec), "fake", ("name", &format!("n{at}")), fields);
        let made = Node { protect: spec.protect, ..made };
        nodes.push(requiring(made, &requires.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    nodes
}

/// How many random lives; `PROPTEST_CASES` says otherwise for a long run.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// Whatever happens on the way: what was made is known at any time, what is somebody else's
    /// stays, and two runs after the last mishap the world is as wanted.
    #[test]
    fn any_life_converges(seed: u64, turns in prop::collection::vec(turn(), 1..6)) {
        let lab = Lab::new(seed);
        let mut foreign = BTreeMap::new();
        for turn in &turns {
            if let Some((at, value)) = turn.foreign {
                let claim = format!("thing:n{at}");
                let value = format!("v{value}");
                lab.world.put_foreign(IDENTITY, &claim, &value);
                foreign.insert(claim, value);
            }
            lab.world.misbehave(turn.fail_one_in, seed);
            lab.world.inner().dies_after = turn.dies_after;
            lab.deploy(&nodes(&turn.specs), turn.fuel);
            lab.world.inner().dies_after = None;
        }
        let last = nodes(&turns.last().unwrap().specs);
        lab.heal(&last);
        lab.heal(&[]);
        for claim in foreign.keys() {
            let inner = lab.world.inner();
            let found = inner.objects.get(&(IDENTITY.into(), claim.as_str().into()));
            prop_assert!(found.is_some(), "{} was somebody else's, and is gone", claim);
        }
    }

    /// A, then B, then A again ends in A.
    #[test]
    fn there_and_back(a in prop::collection::vec(prop::option::weighted(0.7, spec()), 5),
                      b in prop::collection::vec(prop::option::weighted(0.7, spec()), 5)) {
        let unprotected = |specs: &[Option<Spec>]| {
            let specs: Vec<_> = specs.iter().map(|s| s.clone().map(|s| Spec { protect: false, ..s })).collect();
            nodes(&specs)
        };
        let lab = Lab::new(3);
        let state = || -> Vec<_> {
            let inner = lab.world.inner();
            inner.objects.iter().map(|(k, o)| (k.clone(), o.kind.clone(), o.value.clone(), o.shape.clone())).collect()
        };
        prop_assert_eq!(lab.done(&unprotected(&a)).end(), End::Fine);
        let before = state();
        prop_assert_eq!(lab.done(&unprotected(&b)).end(), End::Fine);
        prop_assert_eq!(lab.done(&unprotected(&a)).end(), End::Fine);
        prop_assert_eq!(state(), before);
        let did = lab.world.inner().log.len();
        lab.done(&unprotected(&a));
        prop_assert_eq!(lab.world.inner().log.len(), did);
    }
}
