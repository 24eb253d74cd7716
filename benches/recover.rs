//! How what it costs to plan after a deploy that did not end grows with its size: the exponent between
//! two sizes, 1 where twice as much costs twice as much.
//!
//! `cargo bench --bench recover -- [N]`: N and 4 N open intents (by default 2,000 and 8,000), in a
//! ledger of as many files. The quickest of several runs counts, in processor time.

// A bench prints what it measured.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gops::base::MemorySystem;
use gops::deploy::{self, Mode, Observer, Plan};
use gops::graph::{Graph, GraphBuilder, GraphValue, Header, LOCAL, Node};
use gops::handler::{Clock as _, SystemClock, SystemRandom, Token};
use gops::state::{
    Change, Condition, Coord, Holder, Holding, Intent, Operation, Place, Row, RowKey, SqliteStore, Store,
};

/// How often each size is planned.
const RUNS: usize = 5;

struct Yes;

impl Observer for Yes {
    fn planned(&mut self, _plan: &Plan) -> bool {
        true
    }
}

fn main() {
    let small = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(2_000);
    let (one, four) = (quickest(small), quickest(4 * small));
    let exponent = (four.as_secs_f64() / one.as_secs_f64()).log(4.0);
    println!("{small} open intents in {one:.2?}, {} in {four:.2?}: exponent {exponent:.2}", 4 * small);
}

fn quickest(n: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("root")).expect("a root");
    let options = deploy::Options {
        mode: Mode::Plan,
        project: "recover".into(),
        state: Some(folder.path().join("state")),
        root: Some(folder.path().join("root")),
        ..deploy::Options::default()
    };
    crash(folder.path(), n);
    let run = |_| {
        let mut graph = graph(n);
        let project = Arc::new(MemorySystem::default());
        let started = processor_time();
        let outcome = deploy::run(&mut graph, project, &options, &mut Yes).expect("a plan");
        let time = processor_time() - started;
        assert_eq!(outcome.plan.entries.len(), n);
        time
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}

/// A ledger of a deploy that ended after its first commit: everything was about to be made.
fn crash(folder: &Path, n: usize) {
    let ledger = gops::state::ledger_folder(Some(&folder.join("state")), "recover", None).expect("a ledger");
    let mut store = SqliteStore::open(&ledger, &SystemRandom).expect("a store");
    let holder = Holder { process: 1, machine: "bench".into(), since: Default::default() };
    store.acquire(&holder, &Token::new(&SystemRandom)).expect("the lock");
    let revision = store.load().expect("a snapshot").revision;
    let identity = gops::agent::Machine::this().identity(Some(&folder.join("root")));
    let changes: Vec<Change> = (0..n)
        .map(|number| {
            let node = node(number);
            Change::Open(Intent {
                number: number as u64 + 1,
                epoch: revision.epoch,
                operation: Operation::Create,
                row: Row {
                    key: RowKey { id: node.id.clone(), incarnation: 1 },
                    holding: Holding::Made,
                    condition: Condition::Ok,
                    kind: node.type_.clone(),
                    handler: "file".into(),
                    handler_version: 1,
                    place: Place {
                        target: LOCAL.into(),
                        identity: identity.clone(),
                        reach: Default::default(),
                    },
                    claims: [ecow::eco_format!("path:/f{number}")].into(),
                    digest: Default::default(),
                    recorded: Default::default(),
                    requires: Default::default(),
                    protect: false,
                    keep: false,
                    generation: 1,
                    ready: true,
                },
                before: None,
                token: Token::new(&SystemRandom),
                moved: None,
                deadline: Default::default(),
            })
        })
        .collect();
    store.commit(revision, SystemClock.now(), &changes).expect("a commit");
}

fn node(number: usize) -> Node {
    let fields = vec![
        ("path".into(), GraphValue::Str(ecow::eco_format!("/f{number}"))),
        ("content".into(), GraphValue::Str("x".into())),
    ];
    Node::new(ecow::eco_format!("std::files::TextFile[path=/f{number}]"), "file", GraphValue::map(fields))
}

fn graph(n: usize) -> GraphBuilder {
    let header = Header { project: "recover".into(), ..Header::default() };
    Graph::new(header, Vec::new(), (0..n).map(node).collect()).expect("a graph").seal()
}

/// The time that this thread has had of a processor: what others do on the machine does not count.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok()).expect("nanoseconds first");
    Duration::from_nanos(nanoseconds)
}
