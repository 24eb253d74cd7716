//! Real files, below a folder that stands for `/`.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::Digest as _;

use crate::base::{Entry as DirectoryEntry, MemorySystem, System, SystemError};
use crate::graph::{self, GraphValue, LOCAL, Node};
use crate::handler::{ManualClock, Registry, Root, SeededRandom};
use crate::state::{MemoryStore, Place, Store as _};

use super::super::engine::driver::Driver;
use super::super::target::{Target, Targets};
use super::super::*;
use super::{Run, Trial, Yes, graph, graph_on, node, requiring, text};

pub(super) fn directory(path: &str) -> Node {
    node("std::files::Directory", "file", ("path", path), vec![("mode", GraphValue::Int(0o755))])
}

pub(super) fn file(path: &str, content: &str) -> Node {
    let fields = vec![("content", text(content)), ("mode", GraphValue::Int(0o644))];
    node("std::files::TextFile", "file", ("path", path), fields)
}

pub(super) fn link(path: &str, to: &str) -> Node {
    node("std::files::Symlink", "file", ("path", path), vec![("to", text(to))])
}

pub(super) fn inside(node: Node, directory: &str) -> Node {
    requiring(node, &[&format!("std::files::Directory[path={directory}]")])
}

/// A machine with a ledger of its own.
pub(super) struct Host {
    _folder: tempfile::TempDir,
    root: PathBuf,
    state: PathBuf,
    pub(super) project: Arc<MemorySystem>,
}

impl Host {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let state = folder.path().join("state");
        Host { _folder: folder, root, state, project: Arc::new(MemorySystem::default()) }
    }

    pub(super) fn options(&self, mode: Mode) -> Options {
        Options {
            mode,
            project: "test".into(),
            state: Some(self.state.clone()),
            root: Some(self.root.clone()),
            ..Options::default()
        }
    }

    pub(super) fn plan(&self, nodes: Vec<Node>) -> Plan {
        run(&mut graph(nodes), self.project.clone(), &self.options(Mode::Plan), &mut Yes).unwrap().plan
    }

    pub(super) fn deploy(&self, nodes: Vec<Node>) -> Outcome {
        let outcome =
            run(&mut graph(nodes), self.project.clone(), &self.options(Mode::Deploy), &mut Yes).unwrap();
        assert!(outcome.stopped.is_none(), "{:?}", outcome.stopped);
        outcome
    }

    /// Deploys, and sees that everything was done and nothing is left to do.
    pub(super) fn converge(&self, nodes: Vec<Node>) -> Totals {
        let outcome = self.deploy(nodes.clone());
        assert_eq!(outcome.end(), End::Fine, "{:#?}", outcome);
        let again = self.deploy(nodes);
        assert_eq!(again.plan.entries, [], "a second run does nothing");
        outcome.plan.totals()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(super) fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).unwrap().permissions().mode() & 0o7777
    }

    /// All paths below the root.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.root, &self.root, &mut found);
        found.sort();
        found
    }
}

fn walk(root: &Path, at: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        found.push(format!("/{}", path.strip_prefix(root).unwrap().display()));
        if path.is_dir() && !path.is_symlink() {
            walk(root, &path, found);
        }
    }
}

/// The message of the one entry that is refused.
pub(super) fn refusal(outcome: &Outcome) -> String {
    let refused = outcome.plan.entries.iter().find_map(|entry| match &entry.action {
        Action::Refuse { fault } => Some(fault.clone()),
        _ => None,
    });
    let failed = outcome.verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Failed(fault) => Some(fault.clone()),
        _ => None,
    });
    let fault = refused.or(failed).unwrap_or_else(|| panic!("{outcome:#?}"));
    format!("{} | {}", fault.message, fault.help.unwrap_or_default())
}

#[test]
fn files_appear_change_and_go() {
    let host = Host::new();
    let site = |content: &str| {
        vec![directory("/srv"), inside(file("/srv/a", content), "/srv"), link("/l", "/srv/a")]
    };
    let totals = host.converge(site("one"));
    assert_eq!(totals.create, 3);
    assert_eq!(host.read("/srv/a"), "one");
    assert_eq!(host.mode("/srv/a"), 0o644);
    assert_eq!(fs::read_link(host.path("/l")).unwrap(), Path::new("/srv/a"));

    let totals = host.converge(site("two"));
    assert_eq!((totals.update, totals.unchanged), (1, 2));
    assert_eq!(host.read("/srv/a"), "two");

    let totals = host.converge(vec![directory("/srv")]);
    assert_eq!(totals.delete, 2);
    assert_eq!(host.paths(), ["/srv"]);

    host.converge(Vec::new());
    assert_eq!(host.paths(), [""; 0]);
}

#[test]
fn a_plan_writes_nothing() {
    let host = Host::new();
    let plan = host.plan(vec![file("/a", "x")]);
    assert_eq!(plan.totals().create, 1);
    assert!(!host.state.exists());
    assert_eq!(host.paths(), [""; 0]);
}

#[test]
fn what_exists_needs_adopt() {
    let host = Host::new();
    fs::write(host.path("/motd"), "theirs").unwrap();
    let outcome = host.deploy(vec![file("/motd", "ours"), file("/other", "x")]);
    assert_eq!(outcome.end(), End::Partly);
    assert!(refusal(&outcome).contains("`adopt`"), "{outcome:?}");
    assert_eq!(host.read("/motd"), "theirs");

    let adopting = Node { adopt: true, ..file("/motd", "ours") };
    host.converge(vec![adopting]);
    assert_eq!(host.read("/motd"), "ours");
    // What was taken over is released, never deleted.
    let outcome = host.deploy(Vec::new());
    assert!(matches!(outcome.plan.entries[0].action, Action::Release { why: Released::Adopted }));
    assert_eq!(host.read("/motd"), "ours");
    assert_eq!(host.deploy(Vec::new()).plan.entries, []);
}

#[test]
fn drift_is_mended_whatever_drifted() {
    let host = Host::new();
    let nodes = || vec![directory("/d"), inside(file("/d/a", "x"), "/d"), file("/b", "y"), file("/c", "z")];
    host.converge(nodes());
    fs::write(host.path("/d/a"), "changed in place").unwrap();
    fs::set_permissions(host.path("/b"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(host.path("/d"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::remove_file(host.path("/c")).unwrap();
    let totals = host.converge(nodes());
    assert_eq!((totals.update, totals.create), (3, 1));
    assert_eq!(host.read("/d/a"), "x");
    assert_eq!((host.mode("/b"), host.mode("/d")), (0o644, 0o755));
    assert_eq!(host.read("/c"), "z");
    // An editor that writes another file and renames it over ours.
    fs::write(host.path("/new"), "edited").unwrap();
    fs::rename(host.path("/new"), host.path("/b")).unwrap();
    host.converge(nodes());
    assert_eq!(host.read("/b"), "y");
}

#[test]
fn a_directory_with_foreign_entries_stays_and_names_them() {
    let host = Host::new();
    host.converge(vec![directory("/d"), inside(file("/d/a", "x"), "/d")]);
    fs::write(host.path("/d/theirs"), "").unwrap();
    let outcome = host.deploy(Vec::new());
    assert_eq!(outcome.end(), End::Partly);
    assert!(refusal(&outcome).contains("`theirs`"), "{outcome:?}");
    assert_eq!(host.paths(), ["/d", "/d/theirs"]);
    fs::remove_file(host.path("/d/theirs")).unwrap();
    host.converge(Vec::new());
    assert_eq!(host.paths(), [""; 0]);
}

#[test]
fn a_directory_that_holds_something_wanted_stays() {
    let host = Host::new();
    host.converge(vec![directory("/d"), inside(file("/d/a", "x"), "/d")]);
    for _ in 0..2 {
        let outcome = host.deploy(vec![file("/d/a", "x")]);
        assert_eq!(outcome.end(), End::Fine, "{outcome:#?}");
        let kept = |entry: &Entry| matches!(entry.action, Action::Keep { why: Kept::Holds(_) });
        assert!(outcome.plan.entries.iter().all(kept), "{outcome:#?}");
    }
    host.converge(Vec::new());
}

#[test]
fn what_was_replaced_by_somebody_is_not_removed() {
    let host = Host::new();
    host.converge(vec![file("/a", "x")]);
    fs::remove_file(host.path("/a")).unwrap();
    fs::write(host.path("/a"), "theirs").unwrap();
    let outcome = host.deploy(Vec::new());
    assert!(
        matches!(outcome.plan.entries[0].action, Action::Release { why: Released::Replaced }),
        "{outcome:#?}"
    );
    assert_eq!(host.read("/a"), "theirs");
}

#[test]
fn a_file_takes_the_place_of_a_directory() {
    let host = Host::new();
    host.converge(vec![directory("/x"), inside(file("/x/a", "1"), "/x")]);
    let totals = host.converge(vec![file("/x", "now a file")]);
    assert_eq!((totals.delete, totals.create), (2, 1));
    assert_eq!(host.read("/x"), "now a file");
}

#[test]
fn protected_and_kept_things_stay() {
    let host = Host::new();
    host.converge(vec![Node { protect: true, ..file("/p", "x") }, Node { keep: true, ..file("/k", "x") }]);
    let outcome = host.deploy(Vec::new());
    assert_eq!(outcome.end(), End::Fine);
    assert_eq!(host.paths(), ["/k", "/p"]);
    let outcome = host.deploy(Vec::new());
    let [entry] = outcome.plan.entries.as_slice() else { panic!("{outcome:#?}") };
    assert!(matches!(entry.action, Action::Keep { why: Kept::Protected }));
    // Protection is lifted by a deploy in which it is present and unprotected.
    host.converge(vec![file("/p", "x")]);
    host.converge(Vec::new());
    assert_eq!(host.paths(), ["/k"]);
}

#[test]
fn a_failure_stays_local() {
    let host = Host::new();
    let outcome = host.deploy(vec![
        file("/no/such/folder", "x"),
        requiring(file("/user", "y"), &["std::files::TextFile[path=/no/such/folder]"]),
        file("/fine", "z"),
    ]);
    assert_eq!(outcome.end(), End::Partly);
    assert!(refusal(&outcome).contains("declare a `Directory` with the path `/no`"), "{outcome:?}");
    assert_eq!(host.paths(), ["/fine"]);
    let skipped = outcome
        .verdicts
        .iter()
        .filter(|v| matches!(v, Verdict::Skipped(cause) if cause.id.contains("/no/such")));
    assert_eq!(skipped.count(), 1);
}

#[test]
fn a_plan_names_a_folder_that_nobody_makes() {
    let host = Host::new();
    let plan = host.plan(vec![
        file("/no/such/folder", "x"),
        directory("/made"),
        requiring(directory("/made/here"), &["std::files::Directory[path=/made]"]),
        requiring(file("/made/here/a", "x"), &["std::files::Directory[path=/made/here]"]),
        requiring(file("/mounted/a", "x"), &["shop::Mount[path=/mounted]"]),
    ]);
    assert_eq!((plan.totals().create, plan.totals().refuse), (4, 1), "{plan:#?}");
    let made_by_hand = host.path("/no/such");
    std::fs::create_dir_all(made_by_hand).unwrap();
    assert_eq!(host.plan(vec![file("/no/such/folder", "x")]).totals().create, 1);
}

#[test]
fn bytes_of_the_project_are_copied() {
    let host = Host::new();
    host.project.write("conf/logo.png", b"\x89PNG\xff\0bytes");
    let sha256 = crate::graph::Digest::of(b"\x89PNG\xff\0bytes").to_string();
    let copy = |digest: &str| {
        let digest = text(digest.trim_start_matches("sha256:"));
        let fields = vec![("source", text("conf/logo.png")), ("sha256", digest)];
        node("std::files::CopyFile", "file", ("path", "/logo.png"), fields)
    };
    host.converge(vec![copy(&sha256)]);
    assert_eq!(fs::read(host.path("/logo.png")).unwrap(), b"\x89PNG\xff\0bytes");
    let outcome = host.deploy(vec![copy(&"0".repeat(64))]);
    assert!(refusal(&outcome).contains("has changed since it was compiled"));
}

/// A project with one file, which is larger than what anybody wants in memory.
#[derive(Debug)]
struct Large(u64);

impl System for Large {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        Err(SystemError::Io(path.into(), "it is not read as a whole".into()))
    }

    fn open(&self, _path: &str) -> Result<Box<dyn Read>, SystemError> {
        Ok(Box::new(std::io::repeat(b'x').take(self.0)))
    }

    fn list(&self, _path: &str) -> Result<Vec<DirectoryEntry>, SystemError> {
        Ok(Vec::new())
    }
}

#[test]
fn a_large_file_is_copied_bit_by_bit() {
    let host = Host::new();
    let size = 24 << 20;
    let mut hasher = sha2::Sha256::new();
    for _ in 0..size >> 20 {
        hasher.update([b'x'; 1 << 20]);
    }
    let sha256: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let copy = || {
        let fields =
            vec![("source", text("large")), ("sha256", text(&sha256)), ("mode", GraphValue::Int(0o600))];
        graph(vec![node("std::files::CopyFile", "file", ("path", "/large"), fields)])
    };
    let deploy = |project| run(&mut copy(), project, &host.options(Mode::Deploy), &mut Yes).unwrap();
    // It is another one than when it was compiled: nothing is left of the attempt.
    assert!(refusal(&deploy(Arc::new(Large(size - 1)))).contains("has changed since it was compiled"));
    assert_eq!(host.paths(), [""; 0]);
    assert_eq!(deploy(Arc::new(Large(size))).end(), End::Fine);
    assert_eq!(fs::metadata(host.path("/large")).unwrap().len(), size);
    assert_eq!(deploy(Arc::new(Large(size))).plan.entries, []);
    // Of the same size, and with another byte.
    let mut bytes = fs::read(host.path("/large")).unwrap();
    bytes[12 << 20] = b'y';
    fs::write(host.path("/large"), bytes).unwrap();
    assert_eq!(deploy(Arc::new(Large(size))).plan.totals().update, 1);
    assert!(fs::read(host.path("/large")).unwrap().iter().all(|byte| *byte == b'x'));
}

#[test]
fn nobody_reads_what_nobody_may_read() {
    let host = Host::new();
    let secret = |mode: i64| {
        let fields = vec![("content", text("x")), ("mode", GraphValue::Int(mode))];
        node("std::files::TextFile", "file", ("path", "/s"), fields)
    };
    host.converge(vec![secret(0o600)]);
    assert_eq!(host.mode("/s"), 0o600);
    let before = fs::metadata(host.path("/s")).unwrap().ino();
    host.converge(vec![secret(0o4750)]);
    assert_eq!(host.mode("/s"), 0o4750);
    assert_eq!(fs::metadata(host.path("/s")).unwrap().ino(), before, "only the mode changes");
}

#[test]
fn a_lost_ledger_is_noticed() {
    let host = Host::new();
    host.converge(vec![file("/a", "x")]);
    fs::remove_dir_all(&host.state).unwrap();
    let outcome = host.deploy(vec![Node { adopt: true, ..file("/a", "y") }]);
    assert!(refusal(&outcome).contains("the mark of another ledger"), "{outcome:#?}");
    assert_eq!(host.read("/a"), "x");
}

#[test]
fn who_may_gives_files_away() {
    let host = Host::new();
    let owned = |owner: &str| {
        let fields = vec![("content", text("x")), ("mode", GraphValue::Int(0o640)), ("owner", text(owner))];
        node("std::files::TextFile", "file", ("path", "/a"), fields)
    };
    let unknown = host.deploy(vec![owned("nobody at all")]);
    assert!(refusal(&unknown).contains("there is no user `nobody at all`"), "{unknown:#?}");
    assert_eq!(host.paths(), [""; 0]);
    if rustix::process::geteuid().is_root() {
        host.converge(vec![owned("65534")]);
        assert_eq!(fs::metadata(host.path("/a")).unwrap().uid(), 65534);
        host.converge(vec![owned("root")]);
        assert_eq!(fs::metadata(host.path("/a")).unwrap().uid(), 0);
        // No longer managed: it stays as it is.
        let fields = vec![("content", text("y")), ("mode", GraphValue::Int(0o640))];
        fs::set_permissions(host.path("/a"), fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(host.path("/a"), Some(1), None).unwrap();
        host.converge(vec![node("std::files::TextFile", "file", ("path", "/a"), fields)]);
        assert_eq!(fs::metadata(host.path("/a")).unwrap().uid(), 1);
    }
}

#[test]
fn a_target_that_is_another_folder_now_is_built_fresh() {
    let host = Host::new();
    host.converge(vec![file("/a", "x")]);
    let elsewhere = host.root.with_file_name("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let options = Options { root: Some(elsewhere.clone()), ..host.options(Mode::Deploy) };
    let outcome = run(&mut graph(vec![file("/b", "y")]), host.project.clone(), &options, &mut Yes).unwrap();
    assert_eq!(outcome.plan.totals().create, 1);
    assert_eq!(outcome.plan.notes.len(), 1);
    assert!(elsewhere.join("b").exists());
    assert_eq!(host.paths(), ["/a"]);
}

#[test]
fn the_second_deployer_is_told_who_is_at_work() {
    struct Second<'h>(&'h Host, Option<String>);
    impl Observer for Second<'_> {
        fn planned(&mut self, _plan: &Plan) -> bool {
            let options = self.0.options(Mode::Deploy);
            let refused = run(&mut graph(Vec::new()), self.0.project.clone(), &options, &mut Yes);
            self.1 = Some(refused.unwrap_err().to_string());
            false
        }
    }
    let host = Host::new();
    let mut second = Second(&host, None);
    let mut nodes = graph(vec![file("/a", "x")]);
    let outcome = run(&mut nodes, host.project.clone(), &host.options(Mode::Deploy), &mut second).unwrap();
    assert!(second.1.unwrap().contains(&format!("process {}", std::process::id())));
    assert_eq!(outcome.end(), End::Pending);
    assert_eq!(host.paths(), [""; 0]);
}

#[test]
fn an_unknown_handler_stops_everything() {
    let host = Host::new();
    let strange = node("shop::Service", "systemd", ("name", "x"), Vec::new());
    let nodes = vec![file("/a", "x"), strange];
    let error =
        run(&mut graph(nodes), host.project.clone(), &host.options(Mode::Deploy), &mut Yes).unwrap_err();
    assert!(error.to_string().contains("no handler `systemd`"), "{error}");
    assert_eq!(host.paths(), [""; 0]);
}

#[test]
fn each_machine_has_a_folder_of_its_own_below_the_root() {
    let host = |name: &str| graph::Target {
        id: format!("std::host::Host[name={name}]").into(),
        type_: "std::host::Host".into(),
        fields: GraphValue::map(vec![("name".into(), text(name))]),
        origin: graph::Origin::default(),
    };
    let on = |name: &str| {
        let id = format!("std::files::TextFile[host={name},path=/motd]").into();
        Node { id, target: format!("std::host::Host[name={name}]").into(), ..file("/motd", name) }
    };
    let here = Host::new();
    let nodes = || graph_on(vec![host("h1"), host("h2")], vec![on("h1"), on("h2"), file("/motd", "local")]);
    let plan = run(&mut nodes(), here.project.clone(), &here.options(Mode::Plan), &mut Yes).unwrap().plan;
    assert_eq!(plan.totals().create, 3);
    assert_eq!(here.paths(), [""; 0], "a plan makes no folder");
    let outcome = run(&mut nodes(), here.project.clone(), &here.options(Mode::Deploy), &mut Yes).unwrap();
    assert_eq!(outcome.end(), End::Fine, "{outcome:#?}");
    assert_eq!(here.paths(), ["/h1", "/h1/motd", "/h2", "/h2/motd", "/motd"]);
    assert_eq!(here.read("/h2/motd"), "h2");
    // On the machine itself they would be one place.
    let options = Options { root: None, mode: Mode::Plan, ..here.options(Mode::Plan) };
    let mut both = graph_on(vec![host("h1"), host("h2")], vec![on("h1"), on("h2")]);
    let outcome = run(&mut both, here.project.clone(), &options, &mut Yes).unwrap();
    assert_eq!(outcome.plan.totals().refuse, 2);
    assert!(refusal(&outcome).contains("wants the same place"), "{outcome:#?}");
}

/// Deploys with the ledger in memory and the files on disk, dying after so many effects.
pub(super) fn dying(host: &Host, store: &MemoryStore, nodes: Vec<Node>, fuel: Option<usize>) -> Run {
    let registry = Registry::standard();
    let place = Place { target: LOCAL.into(), identity: "m".into(), reach: "".into() };
    let root = Root { folder: Some(host.root.clone()), allowed: vec!["/".into()] };
    let targets = Targets::only(vec![Target { place, root, waits_for: None }]);
    let clock = ManualClock::default();
    // Tokens of different runs differ.
    let random = SeededRandom::new(store.reopen().load().unwrap().revision.serial);
    let secrets = crate::deploy::secrets::Secrets::none();
    let driver = Driver {
        project: host.project.clone(),
        name: "test".into(),
        targets: &targets,
        registry: &registry,
        reach: &crate::agent::Remotes::default(),
        clock: &clock,
        secrets: &secrets,
    };
    let trial = Trial { driver: &driver, registry: &registry, random: &random, clock: &clock };
    trial.run(store, &mut graph(nodes), fuel, |_| true)
}

#[test]
fn a_crash_anywhere_leaves_no_file_behind() {
    let first = || vec![directory("/d"), inside(file("/d/a", "1"), "/d"), file("/b", "1"), file("/c", "1")];
    let second = || vec![file("/b", "2"), directory("/c"), inside(file("/c/x", "1"), "/c")];
    let mut crashes = 0;
    for fuel in 0..40 {
        let host = Host::new();
        let store = MemoryStore::new(&SeededRandom::new(1));
        dying(&host, &store, first(), Some(fuel / 2));
        let crashed = dying(&host, &store, second(), Some(fuel));
        crashes += usize::from(matches!(crashed, Run::Crashed));
        for _ in 0..2 {
            dying(&host, &store, second(), None);
        }
        assert_eq!(host.paths(), ["/b", "/c", "/c/x"], "after {fuel}");
        assert_eq!(host.read("/b"), "2");
        match dying(&host, &store, second(), None) {
            Run::Ended(outcome) => assert_eq!(outcome.plan.entries, [], "after {fuel}"),
            Run::Crashed => panic!("nobody died"),
        }
        dying(&host, &store, Vec::new(), None);
        assert_eq!(host.paths(), [""; 0], "after {fuel}");
    }
    assert!(crashes > 15);
}

#[test]
fn what_lies_beside_its_place_is_cleared() {
    // A crash between making a file beside its place and renaming it: the intent is open, and
    // the file has the name that follows from its token.
    let host = Host::new();
    let store = MemoryStore::new(&SeededRandom::new(1));
    let nodes = || vec![directory("/d"), inside(file("/d/a", "1"), "/d")];
    for fuel in 0..30 {
        dying(&host, &store, nodes(), Some(fuel));
        let ledger = store.reopen().load().unwrap();
        for intent in ledger.intents.values() {
            let beside = format!(".gops-{}", intent.token);
            if intent.row.kind.ends_with("TextFile") && host.path("/d").exists() {
                fs::write(host.path("/d").join(beside), "half").unwrap();
            } else if intent.row.kind.ends_with("Directory") {
                fs::create_dir(host.path(&beside)).unwrap();
            }
        }
        dying(&host, &store, nodes(), None);
        assert_eq!(host.paths(), ["/d", "/d/a"], "after {fuel}");
        dying(&host, &store, Vec::new(), None);
        assert_eq!(host.paths(), [""; 0], "after {fuel}");
    }
}

/// A source that must not be asked anything once it was let go of.
struct Brief {
    graph: crate::graph::GraphBuilder,
    gone: bool,
}

impl Source for Brief {
    fn graph(&mut self, _: Option<&[crate::project::EarlierProject]>) -> Option<crate::graph::GraphBuilder> {
        assert!(!self.gone, "it was let go of, and is compiled again");
        Some(self.graph.clone())
    }

    fn looks_at_data(&self) -> bool {
        assert!(!self.gone);
        false
    }

    fn kept_files(&self) -> crate::project::history::KeptFiles {
        assert!(!self.gone);
        Default::default()
    }

    fn changed_files(&self) -> Vec<String> {
        assert!(!self.gone);
        Vec::new()
    }

    fn known(&self) -> crate::history::receipt::Known {
        assert!(!self.gone);
        Default::default()
    }

    fn let_go(&mut self) {
        self.gone = true;
    }
}

/// What a graph was compiled from takes as much memory as all that a deploy needs: it is let go of
/// before anything is looked at, and nothing is asked of it after that, with a history or without.
#[test]
fn a_source_is_let_go_of_before_anything_is_done() {
    let host = Host::new();
    for nodes in [vec![file("/a", "one"), file("/b", "one")], vec![file("/a", "two")], vec![]] {
        for mode in [Mode::Plan, Mode::Deploy, Mode::Deploy] {
            let mut source = Brief { graph: graph(nodes.clone()), gone: false };
            let outcome = run(&mut source, host.project.clone(), &host.options(mode), &mut Yes).unwrap();
            assert!(source.gone && outcome.stopped.is_none());
        }
    }
    assert_eq!(host.paths(), Vec::<String>::new());
}

/// A plan says of what it makes all that the graph does, without a copy.
#[test]
fn a_plan_tells_the_fields_of_what_it_makes() {
    let wanted = file("/a", "one");
    let plan = Host::new().plan(vec![wanted.clone()]);
    let Action::Create { what, again: false } = &plan.entries[0].action else { panic!("{plan:?}") };
    assert!(matches!(what, Made::Sealed(_)));
    assert_eq!(what.fields(), wanted.fields);
}
