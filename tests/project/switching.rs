//! One session over two revisions: it says and makes what a new one over each does, and what
//! differs leads from one to the other and back.

use std::sync::{Arc, Mutex};

use gops::base::{Entry, MemorySystem, System, SystemError};
use gops::graph::diff::Diff;
use gops::project::{Options, Session};
use proptest::prelude::*;

use super::incremental::{Edit, apply, edit, everything};
use super::shop::{CONFIG, MODEL, machine};

fn project(edits: &[Edit]) -> Arc<MemorySystem> {
    let system = MemorySystem::new([("gops.toml", CONFIG), ("model/main.gops", MODEL)]);
    for name in 0..4 {
        system.write(&format!("machines/m{name}.yaml"), machine(name, name).as_bytes());
    }
    for edit in edits {
        apply(&system, edit);
    }
    Arc::new(system)
}

/// The paths that the two do not have alike.
fn changed(old: &MemorySystem, new: &MemorySystem) -> Vec<String> {
    let mut paths = [old.paths(), new.paths()].concat();
    paths.sort();
    paths.dedup();
    paths.retain(|path| old.read(path) != new.read(path));
    paths
}

/// Writes down what is read.
#[derive(Debug)]
struct Watched(Arc<MemorySystem>, Mutex<Vec<String>>);

impl System for Watched {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        self.1.lock().unwrap().push(path.to_owned());
        self.0.read(path)
    }
    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError> {
        self.0.list(path)
    }
}

#[test]
fn what_is_equal_is_not_read_again() {
    let (a, b) = (project(&[]), project(&[]));
    b.write("machines/m2.yaml", machine(2, 7).as_bytes());
    // A deploy and a compile look at what was activated, where a project says so; this one does not.
    for active in [false, true] {
        let mut open = Session::open(a.clone(), Options { active, ..Options::default() });
        open.compile();
        let watched = Arc::new(Watched(b.clone(), Mutex::default()));
        open.switch(watched.clone(), Some(&["machines/m2.yaml".to_owned()]));
        open.compile();
        assert_eq!(*watched.1.lock().unwrap(), ["machines/m2.yaml"], "active: {active}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn switching_equals_opening(
        old in proptest::collection::vec(edit(), 0..8),
        new in proptest::collection::vec(edit(), 0..8),
        told in any::<bool>(),
    ) {
        let (a, b) = (project(&old), project(&new));
        let changed = changed(&a, &b);
        let changed = told.then_some(changed.as_slice());
        let mut open = Session::open(a.clone(), Options::default());
        let cold = |system: &Arc<MemorySystem>| everything(&mut Session::open(system.clone(), Options::default()));
        let (wanted_a, wanted_b) = (cold(&a), cold(&b));
        prop_assert_eq!(everything(&mut open), wanted_a.clone());
        open.switch(b.clone(), changed);
        prop_assert_eq!(everything(&mut open), wanted_b);
        open.switch(a.clone(), changed);
        prop_assert_eq!(everything(&mut open), wanted_a);
    }

    #[test]
    fn there_and_back_are_inverse(
        old in proptest::collection::vec(edit(), 0..8),
        new in proptest::collection::vec(edit(), 0..8),
    ) {
        let graph = |edits: &[Edit]| Session::open(project(edits), Options::default()).compile().graph;
        let (Some(mut a), Some(mut b)) = (graph(&old), graph(&new)) else { return Ok(()) };
        let there = Diff::of_builders(&mut a, &mut b).unwrap();
        let back = Diff::of_builders(&mut b, &mut a).unwrap();
        prop_assert_eq!(&there.clone().inverse(), &back);
        let applied = there.apply(&a.to_graph().unwrap()).unwrap();
        prop_assert_eq!(applied.desired, b.desired());
        let applied = back.apply(&applied).unwrap();
        prop_assert_eq!(applied.to_canonical_json(), a.to_graph().unwrap().to_canonical_json());
    }
}
