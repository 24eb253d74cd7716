//! Earlier projects in the graph: what only they made is absent.

use std::sync::Arc;

use gops::base::MemorySystem;
use gops::graph::Graph;
use gops::project::{Compiled, EarlierProject, Options, Session};

pub const CONFIG: (&str, &str) = ("gops.toml", "name = \"shop\"\nedition = \"2026\"\n");

pub const MODEL: &str = r#"
use std::host::Host
use std::files::{Directory, TextFile}

slice Site in "sites" { key name: string, on: string = "h1", pages: list<Page> = [] }
struct Page { key path: string, body: string = "" }
impl Site {
    let host = Host { name: on }
    Directory { host, path: "/srv/${name}" }
}
impl Page { TextFile { host: Host[name: parent.on], path: "/srv/${parent.name}/${path}", content: body } }
"#;

pub fn system(files: &[(&str, &str)]) -> Arc<MemorySystem> {
    Arc::new(MemorySystem::new([CONFIG].iter().chain(files).copied()))
}

pub fn session(files: &[(&str, &str)]) -> Session {
    Session::open(system(files), Options::default())
}

/// A project that is known by its files.
pub fn by_files(files: &[(&str, &str)]) -> EarlierProject {
    EarlierProject { name: "then".into(), files: Some(system(files)), ..EarlierProject::default() }
}

/// A project that is known by its graph alone.
pub fn by_graph(files: &[(&str, &str)]) -> EarlierProject {
    let (graph, problems) = session(files).as_it_was();
    assert_eq!(problems, []);
    EarlierProject { name: "then".into(), graph, ..EarlierProject::default() }
}

pub fn graph(compiled: Compiled) -> Graph {
    let mut builder = compiled.graph.unwrap_or_else(|| panic!("{:#?}", compiled.report));
    builder.to_graph().expect("it is a graph")
}

/// The nodes with their state, types left out: `absent /srv/a`.
pub fn states(graph: &Graph) -> Vec<String> {
    let of = |n: &gops::graph::Node| {
        let path = n.id.split("path=").nth(1).unwrap_or(&n.id).trim_end_matches(']').to_owned();
        let until: String = n.until.iter().map(|id| format!(" {id}")).collect();
        format!("{} {path}{until}", n.state.as_str())
    };
    graph.nodes.iter().map(of).collect()
}

fn compiled(now: &[(&str, &str)], earlier: &[EarlierProject]) -> Graph {
    graph(session(now).compile_with(earlier))
}

const NOW: &[(&str, &str)] =
    &[("model/main.gops", MODEL), ("sites/a.yaml", "{ name: a, pages: [{ path: y }] }")];
const THEN: &[(&str, &str)] = &[
    ("model/main.gops", MODEL),
    ("sites/a.yaml", "{ name: a, pages: [{ path: x }, { path: y }] }"),
    ("sites/b.yaml", "name: b\non: h2\n"),
];

#[test]
fn what_only_an_earlier_project_made_is_absent() {
    for earlier in [by_files(THEN), by_graph(THEN)] {
        let graph = compiled(NOW, &[earlier]);
        assert_eq!(
            states(&graph),
            ["present /srv/a", "absent /srv/b", "absent /srv/a/x", "present /srv/a/y"]
        );
        let gone = graph.nodes.iter().find(|n| n.id.ends_with("/srv/a/x]")).expect("it is there");
        assert_eq!(gone.origin.element, "main::Site[name=a].pages[path=x]");
        assert_eq!(gone.origin.instance, "sites/a.yaml:1:20");
        assert_eq!(gone.requires.len(), 1, "{gone:?}");
        assert_eq!(gone.requires[0].id, "std::files::Directory[host=h1,path=/srv/a]");
        // The target of what is gone is known, so that it can be reached.
        assert_eq!(graph.targets.len(), 2);
    }
}

#[test]
fn history_does_not_change_what_is_to_exist() {
    let (plain, with) =
        (session(NOW).compile().graph.unwrap(), session(NOW).compile_with(&[by_files(THEN)]).graph.unwrap());
    assert_eq!(plain.desired(), with.desired());
    assert_ne!(plain.digest(), with.digest());
}

#[test]
fn with_nothing_earlier_the_graph_is_the_same() {
    let plain = session(NOW).compile().graph.unwrap();
    for earlier in [vec![], vec![EarlierProject::default()], vec![by_files(NOW)]] {
        let with = session(NOW).compile_with(&earlier).graph.unwrap();
        assert_eq!(plain.to_canonical_json(), with.to_canonical_json());
    }
}

#[test]
fn of_several_earlier_projects_the_newest_that_made_it_tells_of_it() {
    let at = |host: &str| format!("{{ name: b, on: {host} }}");
    let then = |site: &str| by_files(&[("model/main.gops", MODEL), ("sites/b.yaml", site)]);
    let graph = compiled(NOW, &[by_files(NOW), then(&at("h3")), then(&at("h2"))]);
    let targets = graph.nodes.iter().filter(|n| n.id.contains("/srv/b")).map(|n| n.target.as_str());
    assert_eq!(targets.collect::<Vec<_>>(), ["std::host::Host[name=h2]", "std::host::Host[name=h3]"]);
}

#[test]
fn present_wins() {
    // Another element makes the object that the deleted one made.
    let then: &[(&str, &str)] = &[
        ("model/main.gops", MODEL),
        ("sites/a.yaml", "{ name: a, pages: [{ path: b/y }] }"),
        ("sites/b.yaml", "{ name: a/b }"),
    ];
    let now: &[(&str, &str)] =
        &[("model/main.gops", MODEL), ("sites/b.yaml", "{ name: a/b, pages: [{ path: y }] }")];
    assert_eq!(
        states(&compiled(now, &[by_files(then)])),
        ["present /srv/a/b", "absent /srv/a", "present /srv/a/b/y"]
    );
}

#[test]
fn a_renamed_file_changes_nothing() {
    let now: &[(&str, &str)] = &[("model/main.gops", MODEL), ("sites/new.yaml", "name: a\n")];
    let then: &[(&str, &str)] = &[("model/main.gops", MODEL), ("sites/old.yaml", "name: a\n")];
    assert_eq!(states(&compiled(now, &[by_files(then)])), ["present /srv/a"]);
}

#[test]
fn the_base_is_compiled_by_its_own_model_if_there_is_its_graph() {
    let other = MODEL.replace("/srv", "/opt");
    let then: &[(&str, &str)] = &[("model/main.gops", &other), ("sites/a.yaml", "name: a\n")];
    let now: &[(&str, &str)] = &[("model/main.gops", MODEL), ("sites/a.yaml", "name: a\n")];
    assert_eq!(states(&compiled(now, &[by_graph(then)])), ["absent /opt/a", "present /srv/a"]);
    // Without it the current model says what its instances made.
    assert_eq!(states(&compiled(now, &[by_files(then)])), ["present /srv/a"]);
}

#[test]
fn an_old_version_that_fits_no_more_is_a_warning() {
    let then: &[(&str, &str)] =
        &[("model/main.gops", MODEL), ("sites/a.yaml", "name: a\n"), ("sites/b.yaml", "nmae: b\n")];
    let now: &[(&str, &str)] = &[("model/main.gops", MODEL)];
    let compiled = session(now).compile_with(&[by_files(then)]);
    let said: Vec<String> =
        compiled.report.diagnostics.iter().map(|d| format!("{:?} {}", d.severity, d.message)).collect();
    assert_eq!(said, ["Warning in then: `Site` has no field `nmae`"]);
    assert_eq!(states(&graph(compiled)), ["absent /srv/a"]);
}

/// What is said of one thing depends on nothing that has nothing to do with it (I27).
#[test]
fn unrelated_types_files_and_instances_change_no_identity() {
    let site = ("sites/a.yaml", "{ name: a, pages: [{ path: x }] }");
    let alone = [("model/main.gops", MODEL), site];
    let more = [
        ("model/main.gops", MODEL),
        site,
        // Types of the same names in a file of its own, read and sorted before the others.
        (
            "model/aaa.gops",
            "use std::files::TextFile
slice Site in \"more\" { key name: string, pages: list<Page> = [] }
struct Page { key path: string }
entity Host { key name: string }
impl Site { TextFile { path: \"/more/${name}\", content: \"\" } }",
        ),
        ("more/a.yaml", "name: a"),
        ("sites/0.yaml", "name: \"0\""),
        ("README.md", "nothing of this"),
    ];
    let (before, after) = (compiled(&alone, &[]), compiled(&more, &[]));
    for node in &before.nodes {
        assert!(after.nodes.contains(node), "{} is another one now", node.id);
    }
    assert!(after.nodes.len() > before.nodes.len());
}
