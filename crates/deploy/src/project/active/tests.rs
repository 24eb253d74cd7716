//! The guarantees of the store.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::base::{DiskSystem, Edited, MemorySystem, System};
use crate::history::store::Store;
use crate::project::faulty::Faulty;
use crate::project::transaction::{Change, DiskFolder, before, commit, recover};
use crate::project::{Options, Session};

const CONFIG: &str = "name = \"t\"\nedition = \"2026\"\nhistory = \"active\"\n";
const MODEL: &str = r#"
use std::files::TextFile

slice Site in "sites" { key name: string, text: string = "", pages: list<Page> = [] }
struct Page { key path: string }
slice Port in "ports.yaml" each { key number: int, mode: FileMode = 0o644 }

impl Site { TextFile { path: "/s/${name}", content: text } }
impl Page { TextFile { path: "/s/${parent.name}/${path}", content: "" } }
impl Port { TextFile { path: "/p/${number}", content: "", mode: mode } }
"#;

fn project(files: &[(&str, &str)]) -> Arc<MemorySystem> {
    let fixed = [("gops.toml", CONFIG), ("model/main.gops", MODEL)];
    Arc::new(MemorySystem::new(fixed.into_iter().chain(files.iter().copied())))
}

/// What `gops sync` would write, as lines, and the files.
fn synced(system: Arc<dyn System>) -> (Vec<String>, Vec<Change>) {
    let edited = Arc::new(Edited::new(system));
    let mut session = Session::open(edited.clone(), Options::default());
    let made = sync(&mut session, &edited, false);
    assert!(!made.report.has_errors(), "{:#?}", made.report.diagnostics);
    let line = |one: &Activated| format!("{:?} {} {}", one.became, one.instance, one.version);
    let changes = edited.changes().into_iter().map(|(path, bytes)| Change { path, bytes });
    (made.activated.iter().map(line).collect(), changes.collect())
}

/// Activates what the sources say.
fn activate(system: &Arc<MemorySystem>) -> Vec<String> {
    let (lines, changes) = synced(system.clone());
    for Change { path, bytes } in changes {
        system.write(&path, &bytes.expect("nothing is removed"));
    }
    lines
}

/// The nodes that are there, and those that are absent.
fn nodes(system: Arc<dyn System>) -> Vec<String> {
    let mut session = Session::open(system, Options { active: true, ..Options::default() });
    let compiled = session.compile();
    let graph = compiled.graph.unwrap_or_else(|| panic!("{:#?}", compiled.report.diagnostics));
    let path = |id: &str| id.rsplit_once("path=").unwrap().1.trim_end_matches(']').to_owned();
    let mut all: Vec<String> = graph
        .iter()
        .map(|n| match n.state {
            crate::graph::State::Present => path(&n.id),
            _ => format!("- {}", path(&n.id)),
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_is_not_activated_is_not_there() {
    let system = project(&[("sites/a.yaml", "name: a\n"), ("ports.yaml", "- number: 1\n- {number: 2}\n")]);
    assert_eq!(
        activate(&system),
        ["Created main::Port[number=1] 1", "Created main::Port[number=2] 1", "Created main::Site[name=a] 1"]
    );
    assert_eq!(nodes(system.clone()), ["/p/1", "/p/2", "/s/a"]);
    system.write("sites/b.yaml", b"name: b\n");
    system.write("sites/a.yaml", b"name: a\npages: [{path: x}]\n");
    system.write("ports.yaml", b"- number: 2\n  mode: 0o600\n- number: 3\n");
    assert_eq!(nodes(system.clone()), ["/p/1", "/p/2", "/s/a"]);
    assert_eq!(
        activate(&system),
        [
            "Deleted main::Port[number=1] 2",
            "Changed main::Port[number=2] 2",
            "Changed main::Site[name=a] 2",
            "Created main::Port[number=3] 1",
            "Created main::Site[name=b] 1",
        ]
    );
    assert_eq!(nodes(system.clone()), ["- /p/1", "/p/2", "/p/3", "/s/a", "/s/a/x", "/s/b"]);
    assert_eq!(activate(&system), [] as [&str; 0]);
}

/// The first, the tenth and the eleventh of the known ways to get this wrong.
#[test]
fn a_deletion_is_carried_until_it_is_settled() {
    let system = project(&[("sites/a.yaml", "name: a\npages: [{path: x}, {path: y}]\n")]);
    activate(&system);
    system.write("sites/a.yaml", b"name: a\npages: [{path: y}]\n");
    activate(&system);
    assert_eq!(nodes(system.clone()), ["- /s/a/x", "/s/a", "/s/a/y"]);
    // The parent goes next: both are still known.
    system.remove("sites/a.yaml");
    assert_eq!(activate(&system), ["Deleted main::Site[name=a] 3"]);
    assert_eq!(nodes(system.clone()), ["- /s/a", "- /s/a/x", "- /s/a/y"]);
    // Back again, under another name: a create, with a number that grows.
    system.write("sites/other.yml", b"name: a\n");
    assert_eq!(activate(&system), ["Created main::Site[name=a] 4"]);
    assert_eq!(nodes(system.clone()), ["- /s/a/x", "- /s/a/y", "/s/a"]);
    system.write("sites/other.yml", b"name: a\npages: [{path: x}]\n");
    activate(&system);
    assert_eq!(nodes(system), ["- /s/a/y", "/s/a", "/s/a/x"]);
}

/// The fourth: another key in the same file is another instance, and what the old one made is known.
#[test]
fn a_changed_root_key_removes_what_the_old_one_made() {
    let system = project(&[("sites/a.yaml", "name: a\npages: [{path: x}]\n")]);
    activate(&system);
    system.write("sites/a.yaml", b"name: b\npages: [{path: x}]\n");
    assert_eq!(activate(&system), ["Deleted main::Site[name=a] 2", "Created main::Site[name=b] 1"]);
    assert_eq!(nodes(system), ["- /s/a", "- /s/a/x", "/s/b", "/s/b/x"]);
}

#[test]
fn delete_and_create_again_is_a_create() {
    let model = MODEL.to_owned()
        + "impl Site when operation(self) == create { TextFile { path: \"/new/${name}\", content: \"\" } }\n";
    let system = project(&[("sites/a.yaml", "name: a\n")]);
    system.write("model/main.gops", model.as_bytes());
    activate(&system);
    system.remove("sites/a.yaml");
    activate(&system);
    system.write("sites/a.yaml", b"name: a\n");
    activate(&system);
    assert_eq!(nodes(system), ["- /new/a", "/s/a"]);
}

/// The fifth: a renamed file, a comment, another order of keys are no change.
#[test]
fn what_says_the_same_keeps_its_version() {
    let system = project(&[("sites/a.yaml", "name: a\ntext: x\npages: [{path: x}]\n")]);
    activate(&system);
    system.write("sites/a.yaml", b"# hello\ntext: \"x\"\nname:   a\npages:\n  - path: x\n");
    assert_eq!(activate(&system), [] as [&str; 0]);
    let text = system.read("sites/a.yaml").unwrap();
    system.remove("sites/a.yaml");
    system.write("sites/deep/b.yaml", &text);
    assert_eq!(activate(&system), ["Renamed main::Site[name=a] 1"]);
    assert_eq!(activate(&system), [] as [&str; 0]);
    assert_eq!(nodes(system.clone()), ["/s/a", "/s/a/x"]);
    system.remove("sites/deep/b.yaml");
    system.write("sites/a.json", br#"{"name": "a", "text": "x", "pages": [{"path": "x"}]}"#);
    assert_eq!(activate(&system), ["Changed main::Site[name=a] 2"]);
    assert_eq!(nodes(system), ["/s/a", "/s/a/x"]);
}

#[test]
fn what_moved_is_not_deleted() {
    let system = project(&[("sites/a.yaml", "name: a\n")]);
    activate(&system);
    system.write("sites/a.yaml", b"name: b\n");
    let model = MODEL.to_owned() + "moved Site[name: \"a\"] to Site[name: \"b\"]\n";
    system.write("model/main.gops", model.as_bytes());
    assert_eq!(activate(&system), ["Deleted main::Site[name=a] 2", "Created main::Site[name=b] 1"]);
    let mut session = Session::open(system, Options { active: true, ..Options::default() });
    let compiled = session.compile();
    let graph = compiled.graph.unwrap_or_else(|| panic!("{:#?}", compiled.report.diagnostics));
    let moves: Vec<_> = graph.header().moves.iter().map(|m| format!("{} > {}", m.from, m.to)).collect();
    assert_eq!(
        moves,
        ["std::files::TextFile[host=null,path=/s/a] > std::files::TextFile[host=null,path=/s/b]"]
    );
}

#[test]
fn without_a_store_nothing_is_compiled() {
    let system = project(&[("sites/a.yaml", "name: a\n")]);
    let mut session = Session::open(system, Options { active: true, ..Options::default() });
    let compiled = session.compile();
    assert!(compiled.graph.is_none());
    let said: Vec<_> = compiled.report.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(said, ["nothing was activated: there is no folder `active`"]);
}

/// The second: whatever is wrong anywhere, nothing is written.
#[test]
fn a_mistake_anywhere_activates_nothing() {
    let system = project(&[
        ("sites/a.yaml", "name: a\n"),
        ("sites/b.yaml", "name: b\npages: [{path: x}, {path: x}]\n"),
    ]);
    let edited = Arc::new(Edited::new(system as Arc<dyn System>));
    let mut session = Session::open(edited.clone(), Options::default());
    let made = sync(&mut session, &edited, false);
    assert!(made.report.has_errors());
    assert!(edited.changes().is_empty());
}

#[test]
fn each_environment_has_its_own() {
    let system = project(&[("sites/a.yaml", "name: a\n"), ("sites/a.prod.yaml", "text: prod\n")]);
    let environments = format!("{CONFIG}[environments]\ndev = {{}}\nprod = {{ overlay = \"prod\" }}\n");
    system.write("gops.toml", environments.as_bytes());
    assert_eq!(activate(&system).len(), 2);
    system.write("sites/a.prod.yaml", b"text: other\n");
    assert_eq!(activate(&system), ["Changed main::Site[name=a] 2"]);
    assert!(
        system
            .paths()
            .iter()
            .any(|path| path.starts_with("active/prod/main.Site/a-") && path.ends_with("@v2.json"))
    );
    let content = |env: &str| {
        let options = Options { env: Some(env.to_owned()), active: true, ..Options::default() };
        let graph = Session::open(system.clone(), options).compile().graph.unwrap();
        let json = String::from_utf8(graph.to_canonical_json()).unwrap();
        json.contains("other")
    };
    assert_eq!((content("dev"), content("prod")), (false, true));
}

fn write(folder: &Path, system: &MemorySystem) {
    for path in system.paths() {
        let full = folder.join(&path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, system.read(&path).unwrap()).unwrap();
    }
}

/// A crash, or a full disk, at each step of what `gops sync` writes: the store is as it was, or
/// all of it is new, for who reads it meanwhile, after the next writer, and in the end.
#[test]
fn all_is_activated_or_nothing() {
    let system = project(&[
        ("sites/a.yaml", "name: a\n"),
        ("sites/b.yaml", "name: b\n"),
        ("ports.yaml", "- number: 1\n"),
    ]);
    activate(&system);
    system.remove("sites/b.yaml");
    system.write("sites/a.yaml", b"name: a\ntext: x\n");
    system.write("sites/c.yaml", b"name: c\n");
    system.write("ports.yaml", b"- number: 2\n");
    let old = store(&*system);
    assert_eq!(nodes(system.clone()), ["/p/1", "/s/a", "/s/b"]);
    let (lines, changes) = synced(system.clone());
    assert_eq!((lines.len(), changes.len()), (5, 5));
    let edited = Edited::new(system.clone());
    changes.iter().for_each(|change| edited.set(&change.path, change.bytes.as_deref()));
    let new = store(&edited);
    assert_eq!(nodes(Arc::new(edited)), ["- /p/1", "- /s/b", "/p/2", "/s/a", "/s/c"]);
    let mut ends = [0, 0];
    for crash in [false, true] {
        for step in 0.. {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), &system);
            let disk = || DiskFolder::new(folder.path());
            let faulty = Faulty::new(disk(), step, crash);
            let result = commit(&faulty, &changes);
            let seen = || store(&*before(Arc::new(DiskSystem::new(folder.path()))));
            let now = seen();
            assert!(now == old || now == new, "{crash} {step}: {now:?}");
            assert!(result.is_err() || now == new, "{crash} {step}");
            ends[usize::from(now == new)] += 1;
            // The next writer heals it, also when it crashes on the way.
            let _ = recover(&Faulty::new(disk(), step % 7, true));
            assert_eq!(seen(), now, "{crash} {step}");
            recover(&disk()).unwrap();
            assert_eq!(store(&DiskSystem::new(folder.path())), now, "{crash} {step}");
            if faulty.has_not_failed(step) {
                break;
            }
        }
    }
    assert!(ends[0] > 40 && ends[1] > 10, "{ends:?}");
}

/// What the store holds, for who reads it.
fn store(system: &dyn System) -> Store {
    let (store, problems) = Store::read(system, None);
    assert_eq!(problems, []);
    store.unwrap_or_default()
}

/// Each version says which swaps it came after: both names stand in all of them.
#[test]
fn a_swap_is_between_the_versions_that_it_was_made_between() {
    let lines = "moved Site[\"a\"] to Site[\"b\"]\nmoved Site[\"b\"] to Site[\"a\"]\n";
    let moves = |system: &Arc<MemorySystem>| -> Vec<String> {
        let mut session = Session::open(system.clone(), Options { active: true, ..Options::default() });
        let compiled = session.compile();
        let graph = compiled.graph.unwrap_or_else(|| panic!("{:#?}", compiled.report.diagnostics));
        graph.header().moves.iter().map(|m| format!("{} -> {}", m.from, m.to)).collect()
    };
    let system = project(&[("sites/1.yaml", "name: a\ntext: one\n"), ("sites/2.yaml", "name: b\n")]);
    activate(&system);
    system.write("sites/1.yaml", b"name: b\ntext: one\n");
    system.write("sites/2.yaml", b"name: a\n");
    system.write("model/main.gops", format!("{MODEL}{lines}").as_bytes());
    assert_eq!(activate(&system), ["Changed main::Site[name=a] 2", "Changed main::Site[name=b] 2"]);
    let swap = ["std::files::TextFile[host=null,path=/s/a] -> std::files::TextFile[host=null,path=/s/b]"];
    assert_eq!(moves(&system)[..1], swap);
    assert_eq!(moves(&system).len(), 2);
    // One of them changes again: that is all.
    system.write("sites/1.yaml", b"name: b\ntext: two\n");
    assert_eq!(activate(&system), ["Changed main::Site[name=b] 3"]);
    let (store, problems) = Store::read(&*system, None);
    assert_eq!(problems, []);
    let known = |id: &str| -> Vec<usize> {
        store.as_ref().unwrap().instances[id].iter().map(|kept| kept.version.moved.len()).collect()
    };
    assert_eq!((known("main::Site[name=a]"), known("main::Site[name=b]")), (vec![0, 2], vec![0, 2, 2]));
}
