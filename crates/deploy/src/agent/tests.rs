//! The real agent and the real handler of files, on pipes of this process instead of ssh's.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::{MemorySystem, System};
use crate::graph::{GraphValue, Node};
use crate::handler::{
    Apply, Clock, Effect, Fault, Fence, Hello, Look, ManualClock, Reach as _, Registry, Root, Seen, Session,
    Token,
};

use super::link::{Connect, Pipes, Stage};
use super::remote::Remotes;
use super::serve::serve_on;

/// A host: connections to it end after so many bytes from the agent.
struct Host {
    gates: PathBuf,
    cut: AtomicUsize,
    stall: Arc<Mutex<()>>,
    agents: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

struct Cut(UnixStream, usize);

/// The end of a connection that is written to: the other end sees when it is let go.
struct Output(UnixStream);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.0.shutdown(std::net::Shutdown::Write);
    }
}

/// What an agent reads comes to it only while nobody holds it up.
struct Stalls(UnixStream, Arc<Mutex<()>>);

impl Read for Stalls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        drop(self.1.lock());
        Ok(read)
    }
}

impl Read for Cut {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.1);
        let read = self.0.read(&mut buffer[..most])?;
        self.1 -= read;
        Ok(read)
    }
}

impl Connect for Host {
    fn host(&self) -> &str {
        "`h1`"
    }

    fn connect(&self) -> Result<Pipes, Fault> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (gates, stall) = (self.gates.clone(), self.stall.clone());
        let agent = std::thread::spawn(move || {
            let (input, output) = (Stalls(theirs.try_clone().unwrap(), stall), theirs);
            let _ = serve_on(Box::new(input), Box::new(output), &Registry::standard(), &gates);
        });
        self.agents.lock().unwrap().push(agent);
        let cut = self.cut.swap(usize::MAX, Ordering::SeqCst);
        let (input, socket) = (Cut(ours.try_clone().unwrap(), cut), ours.try_clone().unwrap());
        let why = move |_: Stage| {
            let _ = socket.shutdown(std::net::Shutdown::Both);
            Fault::new("the connection to `h1` broke off").again()
        };
        Ok(Pipes { input: Box::new(input), output: Box::new(Output(ours)), why: Box::new(why) })
    }
}

/// How long a host may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

struct Lab {
    folder: tempfile::TempDir,
    registry: Registry,
    project: Arc<dyn System>,
    agents: Arc<Mutex<Vec<JoinHandle<()>>>>,
    /// Held, it keeps agents from reading.
    stall: Arc<Mutex<()>>,
}

impl Lab {
    fn new() -> Self {
        let project = MemorySystem::default();
        project.write("logo.bin", &[0, 255, 10, 13]);
        Lab {
            folder: tempfile::tempdir().unwrap(),
            registry: Registry::standard(),
            project: Arc::new(project),
            agents: Arc::default(),
            stall: Arc::default(),
        }
    }

    fn root(&self) -> Root {
        Root { folder: Some(self.folder.path().join("root")), allowed: vec!["/".into()] }
    }

    fn of(project: Arc<dyn System>) -> Self {
        Lab { project, ..Lab::new() }
    }

    fn reach(&self, cut: usize) -> Remotes<'_> {
        let host = Host {
            gates: self.folder.path().join("gates"),
            cut: AtomicUsize::new(cut),
            stall: self.stall.clone(),
            agents: self.agents.clone(),
        };
        let wanted = vec![("h1".into(), Box::new(host) as Box<dyn Connect>, self.root())];
        Remotes::over(wanted, &self.registry, &self.project)
    }

    fn session<'a>(&self, fence: &Fence, clock: &'a dyn Clock) -> Session<'a> {
        Session {
            target: "h1".into(),
            identity: "unused".into(),
            root: self.root(),
            lineage: "l1".into(),
            fence: fence.clone(),
            key: crate::handler::PrintKey::new([7; 32]),
            clock,
            patience: PATIENCE,
            until: None,
            project: self.project.clone(),
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join("root").join(path)
    }

    /// All agents have ended, with their connections.
    fn all_ended(&self) {
        self.agents.lock().unwrap().drain(..).for_each(|agent| agent.join().unwrap());
    }
}

fn fence(epoch: u64) -> Fence {
    Fence { epoch, nonce: token(epoch), serial: epoch }
}

fn token(number: u64) -> Token {
    Token::parse(&format!("{number:032x}")).unwrap()
}

fn hello(reach: &Remotes<'_>, fence: &Fence, enter: bool) -> Result<crate::handler::Greeting, Fault> {
    let identity = reach.identity("h1").unwrap();
    let hello = Hello {
        target: &"h1".into(),
        identity: &identity,
        lineage: &"l1".into(),
        project: &"p".into(),
        fence,
        key: &crate::handler::PrintKey::new([7; 32]),
        enter,
    };
    reach.hello(&hello)
}

fn file(path: &str, content: &str) -> Node {
    let text = |text: &str| GraphValue::Str(text.into());
    Node {
        target: "h1".into(),
        ..Node::new(
            ecow::eco_format!("std::files::TextFile[path={path}]"),
            "file",
            GraphValue::map(vec![("path".into(), text(path)), ("content".into(), text(content))]),
        )
    }
}

fn put<'a>(node: &'a Node, token: &'a Token) -> Apply<'a> {
    Apply { node: Some(node), kind: &node.type_, recorded: None, before: None, token, mark: true }
}

fn look<'a>(node: &'a Node) -> Look<'a> {
    let kind = &node.type_;
    Look {
        kind,
        node: Some(node),
        recorded: None,
        intended: None,
        token: None,
        closely: true,
        entries: false,
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_a_handler_does_here_it_does_there() {
    let lab = Lab::new();
    let clock = ManualClock::default();
    let (run, session) = (fence(1), lab.session(&fence(1), &clock));
    let reach = lab.reach(usize::MAX);
    let files = reach.hands("h1", lab.registry.get("file").unwrap());
    // More than one request, with everything that JSON could get wrong.
    let nodes: Vec<Node> = (0..40)
        .map(|n| file(&format!("/f{n}"), &format!("{n} \u{0}\"\\\u{1f600}$ref{}", "x".repeat(60_000))))
        .collect();
    assert_eq!(hello(&reach, &run, false).unwrap().fence, None);
    let looks: Vec<Look<'_>> = nodes.iter().map(look).collect();
    assert!(files.observe(&session, &looks).iter().all(|seen| *seen == Ok(Seen::Absent)));
    let tokens: Vec<Token> = (0..40).map(|n| token(100 + n)).collect();
    let puts: Vec<Apply<'_>> = nodes.iter().zip(&tokens).map(|(node, token)| put(node, token)).collect();
    // Nobody was let in so far.
    assert!(files.apply(&session, &puts).iter().all(|ended| matches!(ended, Effect::NoEffect(_))));
    assert!(!lab.at("").exists());

    let greeting = hello(&reach, &run, true).unwrap();
    assert!(greeting.keeps && greeting.fence.is_none(), "{greeting:?}");
    for (node, ended) in nodes.iter().zip(files.apply(&session, &puts)) {
        let Effect::Done(recorded) = ended else { panic!("{ended:?}") };
        assert!(recorded.token.is_some());
        let path = node.fields.get("path").and_then(GraphValue::as_str).unwrap();
        let on_disk = std::fs::read_to_string(lab.at(path.trim_start_matches('/'))).unwrap();
        assert_eq!(Some(on_disk.as_str()), node.fields.get("content").and_then(GraphValue::as_str));
    }
    for (node, seen) in nodes.iter().zip(files.observe(&session, &looks)) {
        let Ok(Seen::Present(actual)) = seen else { panic!("{seen:?}") };
        assert!(files.diff(node, None, &actual).changes.is_empty());
    }
    drop(reach);
    lab.all_ended();
}

#[test]
fn files_of_the_project_come_over_the_connection() {
    let lab = Lab::new();
    let clock = ManualClock::default();
    let (run, session) = (fence(1), lab.session(&fence(1), &clock));
    let reach = lab.reach(usize::MAX);
    hello(&reach, &run, true).unwrap();
    let files = reach.hands("h1", lab.registry.get("file").unwrap());
    let copy = |path: &str, from: &str| {
        let sha256 = "a9f9b2ae4ee4a2bd1e0ac3a6d4a3ac1b4cd4bd8d2b5b3b2b0000000000000000";
        let mut node = file(path, "");
        node.type_ = "std::files::CopyFile".into();
        node.id = ecow::eco_format!("std::files::CopyFile[path={path}]");
        node.fields = GraphValue::map(
            [("path", path), ("source", from), ("sha256", sha256)]
                .map(|(name, value)| (name.into(), GraphValue::Str(value.into())))
                .to_vec(),
        );
        node
    };
    let (there, gone) = (copy("/logo", "logo.bin"), copy("/none", "none.bin"));
    let (one, two) = (token(1), token(2));
    let ended = files.apply(&session, &[put(&there, &one), put(&gone, &two)]);
    // The digest is not that of the file, which only whoever has its bytes can tell.
    let said = format!("{ended:?}");
    assert!(said.contains("has changed since it was compiled") && said.contains("none.bin"), "{said}");
    drop(reach);
    lab.all_ended();
}

/// A project with a file that nobody may want as a whole.
#[derive(Debug, Default)]
struct Large(AtomicUsize);

/// Not a whole number of pieces.
const LARGE: u64 = (9 << 20) + 17;

impl System for Large {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, crate::base::SystemError> {
        panic!("all of `{path}` is read at once");
    }

    fn open(&self, _path: &str) -> Result<Box<dyn Read>, crate::base::SystemError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(io::repeat(b'x').take(LARGE)))
    }

    fn list(&self, _path: &str) -> Result<Vec<crate::base::Entry>, crate::base::SystemError> {
        Ok(Vec::new())
    }
}

#[test]
fn a_large_file_of_the_project_comes_in_pieces() {
    use sha2::Digest as _;
    let project = Arc::new(Large::default());
    let lab = Lab::of(project.clone());
    let clock = ManualClock::default();
    let (run, session) = (fence(1), lab.session(&fence(1), &clock));
    let reach = lab.reach(usize::MAX);
    hello(&reach, &run, true).unwrap();
    let digest = sha2::Sha256::digest(vec![b'x'; LARGE as usize]);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut node = file("/large", "");
    node.type_ = "std::files::CopyFile".into();
    node.id = "std::files::CopyFile[path=/large]".into();
    node.fields = GraphValue::map(
        [("path", "/large"), ("source", "large.bin"), ("sha256", sha256.as_str())]
            .map(|(name, value)| (name.into(), GraphValue::Str(value.into())))
            .to_vec(),
    );
    let token = token(1);
    let ended = reach.hands("h1", lab.registry.get("file").unwrap()).apply(&session, &[put(&node, &token)]);
    assert!(matches!(ended.as_slice(), [Effect::Done(_)]), "{ended:?}");
    assert_eq!(std::fs::metadata(lab.at("large")).unwrap().len(), LARGE);
    assert_eq!(project.0.load(Ordering::SeqCst), 1, "it is read once, one piece after the other");
    drop(reach);
    lab.all_ended();
}

#[test]
fn a_host_that_says_nothing_any_more_is_given_up_once() {
    let lab = Lab::new();
    let clock = ManualClock::default();
    let reach = lab.reach(usize::MAX);
    hello(&reach, &fence(1), true).unwrap();
    let node = file("/a", "x");
    let stalled = lab.stall.lock().unwrap();
    let patience = Duration::from_millis(50);
    let session = Session { patience, ..lab.session(&fence(1), &clock) };
    let files = reach.hands("h1", lab.registry.get("file").unwrap());
    let seen = files.observe(&session, &[look(&node)]);
    let Err(fault) = &seen[0] else { panic!("{seen:?}") };
    assert!(fault.message.contains("`h1` has not said anything for 50ms") && !fault.passing, "{fault:?}");
    // It is not waited for again.
    let long = lab.session(&fence(1), &clock);
    let token = token(1);
    let ended = files.apply(&long, &[put(&node, &token)]);
    assert!(matches!(ended.as_slice(), [Effect::NoEffect(_)]), "{ended:?}");
    drop((stalled, reach));
    lab.all_ended();
}

#[test]
fn a_later_run_keeps_an_earlier_one_out() {
    let lab = Lab::new();
    let clock = ManualClock::default();
    let node = file("/a", "x");
    let token = token(9);
    let (first, second) = (fence(1), fence(2));
    {
        let reach = lab.reach(usize::MAX);
        hello(&reach, &first, true).unwrap();
    }
    lab.all_ended();
    let reach = lab.reach(usize::MAX);
    assert_eq!(hello(&reach, &second, true).unwrap().fence, Some(first.clone()));
    let late = lab.reach(usize::MAX);
    assert_eq!(hello(&late, &first, true).unwrap().fence, Some(second.clone()));
    let session = lab.session(&first, &clock);
    let ended = late.hands("h1", lab.registry.get("file").unwrap()).apply(&session, &[put(&node, &token)]);
    assert!(matches!(ended.as_slice(), [Effect::NoEffect(_)]), "{ended:?}");
    // A copy of the ledger has the epoch, and another nonce.
    let copy = Fence { nonce: token.clone(), ..second.clone() };
    assert_eq!(hello(&lab.reach(usize::MAX), &copy, true).unwrap().fence, Some(second.clone()));
    // Another ledger of the project learns whose this is.
    let identity = late.identity("h1").unwrap();
    let other = Hello {
        target: &"h1".into(),
        identity: &identity,
        lineage: &"l2".into(),
        project: &"p".into(),
        fence: &first,
        key: &crate::handler::PrintKey::new([7; 32]),
        enter: false,
    };
    assert_eq!(late.hello(&other).unwrap().others, ["l1"]);
    drop((reach, late));
    lab.all_ended();
    // Which runs were accepted stays, and no badge of those that worked for them.
    let kept = names(&lab.folder.path().join("gates"));
    assert!(kept.iter().all(|name| name.ends_with(".json") || name.ends_with(".lock")), "{kept:?}");
}
