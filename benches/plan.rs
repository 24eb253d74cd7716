//! What planning costs beside looking: a plan of many files of which a few have changed, and what it takes
//! the handler alone to look at all of them.
//!
//! `cargo bench --bench plan -- [N [CHANGED]]`: by default 10,000 files, 100 of them changed in the project.
//! The files and the ledger are real ones. Medians of several runs, in processor time, which others on the
//! machine disturb less.

// A bench prints what it measured.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gops::base::MemorySystem;
use gops::deploy::{self, Mode, Observer, Plan, Progress};
use gops::graph::{Graph, GraphBuilder, GraphValue, Header, LOCAL, Node};
use gops::handler::{Fence, Look, PrintKey, Registry, Root, Seen, Session, SystemClock, SystemRandom, Token};
use gops::state::{Snapshot, SqliteStore, Store as _};

/// How often each is done.
const RUNS: usize = 9;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let (n, changed) = (numbers.next().unwrap_or(10_000), numbers.next().unwrap_or(100));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("root")).expect("a root");
    run(folder.path(), Mode::Deploy, graph(n, 0));
    let (mut looking, mut planning, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        looking.push(look(folder.path(), n, changed));
        let times = run(folder.path(), Mode::Plan, graph(n, changed));
        planning.push(times.planned - times.looking);
        whole.push(times.whole);
    }
    let [looking, planning, whole] = [looking, planning, whole].map(median);
    let to = |time: Duration| time.as_secs_f64() / looking.as_secs_f64();
    println!("{n} files, {changed} changed; looking at them: {looking:.2?}");
    println!("looking and planning: {planning:.2?}, {:.2} of that", to(planning));
    println!(
        "the run from the graph to the plan, with the ledger read: {whole:.2?}, {:.2} of that",
        to(whole)
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// When what began.
#[derive(Default)]
struct Times {
    looking: Duration,
    planned: Duration,
    whole: Duration,
}

impl Observer for Times {
    fn planned(&mut self, _plan: &Plan) -> bool {
        self.planned = processor_time();
        true
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        if matches!(progress, Progress::Looking(_)) && self.looking.is_zero() {
            self.looking = processor_time();
        }
    }
}

fn run(folder: &Path, mode: Mode, mut graph: GraphBuilder) -> Times {
    let options = deploy::Options {
        mode,
        project: "plan".into(),
        state: Some(folder.join("state")),
        root: Some(folder.join("root")),
        ..deploy::Options::default()
    };
    let mut times = Times::default();
    let started = processor_time();
    let project = Arc::new(MemorySystem::default());
    let outcome = deploy::run(&mut graph, project, &options, &mut times).expect("a plan");
    times.whole = processor_time() - started;
    assert!(outcome.stopped.is_none() && outcome.plan.is_whole());
    times
}

/// What it takes to look at everything: by its stamp, and closely at what has changed.
fn look(folder: &Path, n: usize, changed: usize) -> Duration {
    let registry = Registry::standard();
    let handler = registry.get("file").expect("the handler");
    let nodes: Vec<Node> = (0..changed).map(|number| node(number, "new")).collect();
    let ledger = ledger(folder);
    let session = Session {
        target: LOCAL.into(),
        identity: "bench".into(),
        root: Root { folder: Some(folder.join("root")), allowed: vec!["/".into()] },
        lineage: ledger.lineage.clone(),
        fence: Fence { epoch: 1, nonce: Token::new(&SystemRandom), serial: 0 },
        key: PrintKey::new([0; 32]),
        clock: &SystemClock,
        patience: Duration::from_secs(60),
        until: None,
        project: Arc::new(MemorySystem::default()),
    };
    let looks: Vec<Look<'_>> = ledger
        .rows
        .values()
        .map(|row| {
            let node = nodes.iter().find(|node| node.id == row.key.id);
            let recorded = Some(&row.recorded);
            let closely = node.is_some();
            Look { kind: &row.kind, node, recorded, intended: None, token: None, closely, entries: false }
        })
        .collect();
    let started = processor_time();
    let seen = handler.observe(&session, &looks);
    let time = processor_time() - started;
    let same = seen.iter().filter(|seen| matches!(seen, Ok(Seen::AsRecorded))).count();
    assert_eq!((seen.len(), same), (n, n - changed));
    time
}

fn ledger(folder: &Path) -> Snapshot {
    let ledger = gops::state::ledger_folder(Some(&folder.join("state")), "plan", None).expect("a ledger");
    SqliteStore::open_existing(&ledger).expect("a store").expect("a ledger").load().expect("a snapshot")
}

fn node(number: usize, content: &str) -> Node {
    let text = format!("# managed file {number}\nname = service-{number}\nenv = {content}\n");
    let path = ecow::eco_format!("/f{number:06}.conf");
    let fields = vec![
        ("path".into(), GraphValue::Str(path.clone())),
        ("content".into(), GraphValue::Str(text.into())),
        ("mode".into(), GraphValue::Int(0o644)),
    ];
    Node::new(ecow::eco_format!("std::files::TextFile[path={path}]"), "file", GraphValue::map(fields))
}

fn graph(n: usize, changed: usize) -> GraphBuilder {
    let header = Header { project: "plan".into(), ..Header::default() };
    let node = |number| node(number, if number < changed { "new" } else { "prod" });
    Graph::new(header, Vec::new(), (0..n).map(node).collect()).expect("a graph").seal()
}

/// The time that this thread has had of a processor: what others do on the machine does not count.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok()).expect("nanoseconds first");
    Duration::from_nanos(nanoseconds)
}
