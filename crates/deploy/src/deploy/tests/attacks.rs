//! Paths that lead elsewhere than they say: each is refused in its own words, and nothing outside
//! of the root is made, changed or removed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::graph::{self, GraphValue, Node};

use super::super::*;
use super::files::{Host, directory, file, inside, link, refusal};
use super::{Yes, graph_on, node, text};

const SECRET: &str = "theirs\n";

/// A host, and a folder outside of its root in which a file is.
struct Attack {
    host: Host,
    outside: tempfile::TempDir,
}

impl Attack {
    fn new() -> Self {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), SECRET).unwrap();
        let host = Host::new();
        host.project.write("logo.png", b"\x89PNG");
        Attack { host, outside }
    }

    /// One of each type at a path, which may take over what is there.
    fn each(path: &str) -> Vec<Node> {
        let sha256 = graph::Digest::of(b"\x89PNG").to_string();
        let fields = vec![
            ("source", text("logo.png")),
            ("sha256", text(sha256.trim_start_matches("sha256:"))),
            ("mode", GraphValue::Int(0o644)),
        ];
        let copy = node("std::files::CopyFile", "file", ("path", path), fields);
        let nodes = vec![directory(path), file(path, "ours"), copy, link(path, "ours")];
        nodes.into_iter().map(|node| Node { adopt: true, ..node }).collect()
    }

    /// None of these is deployed, and the reason is this one.
    fn refuses(&self, nodes: Vec<Node>, message: &str) {
        for node in nodes {
            let id = node.id.clone();
            let outcome = self.host.deploy(vec![node]);
            assert_ne!(outcome.end(), End::Fine, "{id}: {outcome:#?}");
            let refusal = refusal(&outcome);
            assert!(refusal.contains(message), "{id}: {refusal}");
        }
        self.is_untouched();
    }

    /// Outside there is what was there.
    fn is_untouched(&self) {
        let names: Vec<_> =
            fs::read_dir(self.outside.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(fs::read_to_string(self.outside.path().join("secret")).unwrap(), SECRET);
    }

    fn outside(&self, name: &str) -> std::path::PathBuf {
        self.outside.path().join(name)
    }
}

#[test]
fn a_path_with_two_dots_is_refused() {
    let attack = Attack::new();
    let up = format!("/../{}/new", attack.outside.path().file_name().unwrap().to_str().unwrap());
    attack.refuses(Attack::each(&up), "has a part `..`");
    attack.refuses(Attack::each("/a/../b"), "has a part `..`");
    assert_eq!(attack.host.paths(), [""; 0]);
}

#[test]
fn a_path_with_a_nul_is_refused() {
    let attack = Attack::new();
    attack.refuses(Attack::each("/a\0b"), "holds a NUL");
    assert_eq!(attack.host.paths(), [""; 0]);
}

#[test]
fn a_path_with_a_newline_is_refused() {
    let attack = Attack::new();
    attack.refuses(Attack::each("/a\nb"), "holds a newline");
    assert_eq!(attack.host.paths(), [""; 0]);
}

#[test]
fn a_link_in_a_parent_is_not_followed() {
    let attack = Attack::new();
    symlink(attack.outside.path(), attack.host.path("/link")).unwrap();
    attack.refuses(Attack::each("/link/new"), "`/link`, in the path, is a symbolic link to");
    attack.refuses(Attack::each("/link/secret"), "`/link`, in the path, is a symbolic link to");
    // One that leads nowhere else is a link, too.
    fs::create_dir(attack.host.path("/real")).unwrap();
    symlink("real", attack.host.path("/alias")).unwrap();
    attack.refuses(Attack::each("/alias/new"), "`/alias`, in the path, is a symbolic link to `real`");
    assert_eq!(attack.host.paths(), ["/alias", "/link", "/real"]);
}

#[test]
fn a_link_deep_in_the_path_is_not_followed() {
    let attack = Attack::new();
    fs::create_dir_all(attack.host.path("/a/b")).unwrap();
    symlink(attack.outside.path(), attack.host.path("/a/b/c")).unwrap();
    attack.refuses(Attack::each("/a/b/c/d/new"), "`/a/b/c`, in the path, is a symbolic link to");
}

#[test]
fn a_link_at_the_path_is_not_followed() {
    let attack = Attack::new();
    symlink(attack.outside("secret"), attack.host.path("/file")).unwrap();
    symlink(attack.outside("new"), attack.host.path("/dangling")).unwrap();
    for path in ["/file", "/dangling"] {
        // A link may be taken over as a link: that changes nothing behind it.
        let nodes = Attack::each(path).into_iter().filter(|node| !node.id.contains("Symlink"));
        attack.refuses(nodes.collect(), &format!("`{path}` is a symbolic link to"));
    }
}

#[test]
fn a_hard_link_to_a_foreign_file_is_not_written() {
    let attack = Attack::new();
    fs::hard_link(attack.outside("secret"), attack.host.path("/file")).unwrap();
    let nodes = Attack::each("/file").into_iter().filter(|node| node.id.contains("File"));
    attack.refuses(nodes.collect(), "`/file` is a hard link: the same file has another name");
}

#[test]
fn what_is_no_file_at_all_is_left_alone() {
    let attack = Attack::new();
    let fifo = attack.host.path("/fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    attack.refuses(Attack::each("/fifo"), "`/fifo` is no file, directory or link");
}

#[test]
fn a_path_outside_the_roots_of_its_target_is_refused() {
    let attack = Attack::new();
    fs::create_dir_all(attack.host.path("/h1/srv")).unwrap();
    let roots = GraphValue::List(vec![text("/srv")]);
    let target = graph::Target {
        id: "std::host::Host[name=h1]".into(),
        type_: "std::host::Host".into(),
        fields: GraphValue::map(vec![("name".into(), text("h1")), ("roots".into(), roots)]),
        origin: graph::Origin::default(),
    };
    for path in ["/etc/new", "/srvother"] {
        let node = Node { target: target.id.clone(), ..file(path, "x") };
        let options = attack.host.options(Mode::Deploy);
        let mut graph = graph_on(vec![target.clone()], vec![node]);
        let outcome = run(&mut graph, attack.host.project.clone(), &options, &mut Yes).unwrap();
        let refusal = refusal(&outcome);
        assert!(refusal.contains("is not below the roots of its target | they are `/srv`"), "{refusal}");
    }
    assert_eq!(attack.host.paths(), ["/h1", "/h1/srv"]);
}

#[test]
fn a_folder_that_became_a_link_is_neither_written_nor_emptied() {
    let attack = Attack::new();
    let nodes = |content: &str| vec![directory("/d"), inside(file("/d/secret", content), "/d")];
    attack.host.converge(nodes("x"));
    fs::remove_dir_all(attack.host.path("/d")).unwrap();
    symlink(attack.outside.path(), attack.host.path("/d")).unwrap();
    let changed = attack.host.deploy(nodes("y"));
    assert_ne!(changed.end(), End::Fine);
    attack.is_untouched();
    attack.host.deploy(Vec::new());
    attack.is_untouched();
}

#[test]
fn a_file_that_became_a_link_is_released_and_what_it_leads_to_stays() {
    let attack = Attack::new();
    attack.host.converge(vec![file("/a", "x")]);
    fs::remove_file(attack.host.path("/a")).unwrap();
    symlink(attack.outside("secret"), attack.host.path("/a")).unwrap();
    attack.refuses(vec![file("/a", "y")], "`/a` is a symbolic link to");
    let outcome = attack.host.deploy(Vec::new());
    assert!(matches!(outcome.plan.entries[0].action, Action::Release { why: Released::Replaced }));
    attack.is_untouched();
    assert_eq!(fs::read_link(attack.host.path("/a")).unwrap(), attack.outside("secret"));
    assert_ne!(attack.host.path("/a"), Path::new("/a"));
}
