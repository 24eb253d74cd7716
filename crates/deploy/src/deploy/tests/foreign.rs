//! What somebody else put into what gops made.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::graph::{LOCAL, Node};
use crate::handler::{
    Actual, Apply, Delete, Diff, Done, Effect, Fault, Greeting, Handler, Hello, Look, ManualClock, Need,
    Problem, Reach, Recorded, Registry, Root, SeededRandom, Seen, Session, Token,
};
use crate::state::{MemoryStore, Place, Row, RowKey, Store as _};

use super::super::engine::foreign::Search;
use super::super::target::{Target, Targets};
use super::files::{Host, directory, dying, file, inside};

/// How long a target waits for the others to be asked, too.
const GIVES_UP: Duration = Duration::from_secs(60);

/// The handler of files, far away: each batch that is asked of it is a way there and back.
struct Far<'a> {
    here: &'a dyn Handler,
    batches: Mutex<Vec<usize>>,
    /// So many have to be asked before any answers.
    together: usize,
    asked: Condvar,
}

impl<'a> Far<'a> {
    fn new(here: &'a dyn Handler, together: usize) -> Self {
        Far { here, batches: Mutex::default(), together, asked: Condvar::new() }
    }
}

impl Reach for Far<'_> {
    fn hello(&self, _hello: &Hello<'_>) -> Result<Greeting, Fault> {
        Err(Fault::new("nobody says hello"))
    }

    fn hands<'a>(&'a self, _target: &str, _handler: &'a dyn Handler) -> &'a dyn Handler {
        self
    }
}

impl Handler for Far<'_> {
    fn observe(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Result<Seen, Fault>> {
        let mut batches = self.batches.lock().unwrap();
        batches.push(batch.len());
        self.asked.notify_all();
        let alone = |batches: &mut Vec<usize>| batches.len() < self.together;
        let (batches, waited) = self.asked.wait_timeout_while(batches, GIVES_UP, alone).unwrap();
        drop(batches);
        if waited.timed_out() {
            return batch.iter().map(|_| Err(Fault::new("the others were not asked meanwhile"))).collect();
        }
        self.here.observe(session, batch)
    }

    fn name(&self) -> &'static str {
        self.here.name()
    }
    fn version(&self) -> u32 {
        self.here.version()
    }
    fn validate(&self, node: &Node) -> Vec<Problem> {
        self.here.validate(node)
    }
    fn claims(&self, node: &Node) -> Vec<ecow::EcoString> {
        self.here.claims(node)
    }
    fn needs(&self, node: &Node) -> Vec<Need> {
        self.here.needs(node)
    }
    fn remember(&self, node: &Node) -> ecow::EcoString {
        self.here.remember(node)
    }
    fn diff(&self, node: &Node, last: Option<&Recorded>, actual: &Actual) -> Diff {
        self.here.diff(node, last, actual)
    }
    fn apply(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>> {
        self.here.apply(session, batch)
    }
    fn delete(&self, session: &Session<'_>, batch: &[Delete<'_>]) -> Vec<Effect<Done>> {
        self.here.delete(session, batch)
    }
    fn concurrency(&self) -> usize {
        self.here.concurrency()
    }
}

#[test]
fn all_folders_of_a_target_are_looked_into_at_once() {
    let host = Host::new();
    let store = MemoryStore::new(&SeededRandom::new(1));
    let mut nodes = vec![directory("/d00")];
    for n in 1..20 {
        nodes.push(inside(directory(&format!("/d00/d{n:02}")), "/d00"));
    }
    nodes.push(inside(file("/d00/ours", "x"), "/d00"));
    dying(&host, &store, nodes, None);
    for strange in ["/d00/b", "/d00/a", "/d00/d07/c"] {
        std::fs::write(host.path(strange), "").unwrap();
    }
    // One that is gone has nothing in it, and keeps nobody from looking at the others.
    std::fs::remove_dir(host.path("/d00/d03")).unwrap();

    let registry = Registry::standard();
    let place = Place { target: LOCAL.into(), identity: "m".into(), reach: "".into() };
    let root = Root { folder: Some(host.path("/")), allowed: vec!["/".into()] };
    let targets = Targets::only(vec![Target { place, root, waits_for: None }]);
    let far = Far::new(registry.get("file").unwrap(), 1);
    let clock = ManualClock::default();
    let ledger = store.reopen().load().unwrap();
    let search = Search {
        ledger: &ledger,
        targets: &targets,
        registry: &registry,
        reach: &far,
        scope: &Default::default(),
        clock: &clock,
        project: host.project.clone(),
        nonce: Token::new(&SeededRandom::new(2)),
    };
    let found = search.find();
    let found: Vec<(&str, Vec<&str>)> =
        found.iter().map(|f| (&*f.id, f.entries.iter().map(|e| &**e).collect())).collect();
    let id = |path: &str| format!("std::files::Directory[path={path}]");
    assert_eq!(found, [(&*id("/d00/d07"), vec!["/d00/d07/c"]), (&*id("/d00"), vec!["/d00/a", "/d00/b"])]);
    assert_eq!(*far.batches.lock().unwrap(), [20]);
}

#[test]
fn all_machines_are_looked_into_at_once() {
    let host = Host::new();
    let store = MemoryStore::new(&SeededRandom::new(1));
    dying(&host, &store, vec![directory("/d")], None);
    std::fs::write(host.path("/d/strange"), "").unwrap();
    let registry = Registry::standard();
    let mut ledger = store.reopen().load().unwrap();
    let here: Vec<Row> = ledger.rows.values().cloned().collect();
    let root = || Root { folder: Some(host.path("/")), allowed: vec!["/".into()] };
    let mut targets = Vec::new();
    for name in ["h1", "h2", "h3"] {
        let place = Place { target: name.into(), identity: name.into(), reach: "".into() };
        for row in &here {
            let key = RowKey { id: ecow::eco_format!("{}@{name}", row.key.id), incarnation: 1 };
            ledger.rows.insert(Row { key, place: place.clone(), ..row.clone() });
        }
        targets.push(Target { place, root: root(), waits_for: None });
    }
    let targets = Targets::only(targets);
    let far = Far::new(registry.get("file").unwrap(), 3);
    let search = Search {
        ledger: &ledger,
        targets: &targets,
        registry: &registry,
        reach: &far,
        scope: &Default::default(),
        clock: &ManualClock::default(),
        project: host.project.clone(),
        nonce: Token::new(&SeededRandom::new(2)),
    };
    let found: Vec<String> = search.find().into_iter().map(|foreign| foreign.target.to_string()).collect();
    assert_eq!(found, ["h1", "h2", "h3"]);
}
