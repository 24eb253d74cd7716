//! Transient nodes of the graph, and what they are there for.

use gops::graph::{Graph, State};
use gops::project::EarlierProject;

use super::earlier::{by_files, by_graph, graph, session, states, system};

const MODEL: &str = r#"
use std::host::Host
use std::files::{Directory, TextFile}

slice Pool in "pools" { key name: string, on: string = "h1", members: list<Member> = [] }
struct Member { key host: string, weight: int = 1 }
entity Entry { key pool: Pool, key host: string }

impl Pool {
    let host = Host { name: on }
    Directory { host, path: "/pools/${name}" }
}
impl Member { Entry { pool: parent, host } }
impl Entry {
    TextFile { host: Host[name: pool.on], path: "/pools/${pool.name}/${host}", content: "" }
}
impl Member when deleted(self) {
    TextFile { host: Host[name: parent.on], path: "/drain/${host}", content: "${weight}" }
}
impl Member when operation(self) == update {
    TextFile { host: Host[name: parent.on], path: "/weight/${host}", content: "${previous(weight) ?? 0}" }
}
"#;

const ONE: &str = "{ name: p, members: [{ host: a }] }";
const TWO: &str = "{ name: p, members: [{ host: a }, { host: b, weight: 2 }] }";

fn files<'a>(model: &'a str, pool: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("model/main.gops", model), ("pools/p.yaml", pool)]
}

fn compiled(now: &str, earlier: &[EarlierProject]) -> Graph {
    graph(session(&files(MODEL, now)).compile_with(earlier))
}

fn then(pool: &str) -> EarlierProject {
    by_files(&files(MODEL, pool))
}

#[test]
fn a_transient_node_says_what_it_is_there_for() {
    let graph = compiled(ONE, &[then(TWO)]);
    let gone = "std::files::TextFile[host=h1,path=/pools/p/b]";
    let expected = [
        "present /pools/p".to_owned(),
        format!("transient /drain/b {gone}"),
        "present /pools/p/a".to_owned(),
        "absent /pools/p/b".to_owned(),
    ];
    assert_eq!(states(&graph), expected);
    let drain = graph.nodes.iter().find(|n| n.state == State::Transient).expect("it is there");
    assert_eq!(drain.origin.element, "main::Pool[name=p].members[host=b]");
    assert_eq!(drain.origin.instance, "pools/p.yaml:1:35");
}

#[test]
fn for_an_update_the_present_ones_count_too() {
    let now = "{ name: p, members: [{ host: a, weight: 5 }] }";
    let graph = compiled(now, &[then(ONE)]);
    let there = "std::files::TextFile[host=h1,path=/pools/p/a]";
    let expected = [
        "present /pools/p".to_owned(),
        "present /pools/p/a".to_owned(),
        format!("transient /weight/a {there}"),
    ];
    assert_eq!(states(&graph), expected);
}

#[test]
fn the_lasting_graph_does_not_depend_on_history() {
    let plain = session(&files(MODEL, ONE)).compile().graph.unwrap();
    let with = session(&files(MODEL, ONE)).compile_with(&[then(TWO)]).graph.unwrap();
    assert_eq!(plain.desired(), with.desired());
    // A second deploy compares with what it has made: nothing is left to do.
    let again = session(&files(MODEL, ONE)).compile_with(&[then(ONE)]).graph.unwrap();
    assert_eq!(plain.to_canonical_json(), again.to_canonical_json());
}

#[test]
fn what_the_base_made_by_its_own_model_is_found_by_its_origin() {
    // Then the file of an entry stood elsewhere: the current model would not make it there.
    let other = MODEL.replace("/pools/${pool.name}/${host}", "/old/${host}");
    let mut earlier = by_graph(&files(&other, TWO));
    earlier.files = Some(system(&files(&other, TWO)));
    let graph = compiled(ONE, &[earlier]);
    let of_b = "std::files::TextFile[host=h1,path=/old/b]";
    assert!(states(&graph).contains(&format!("transient /drain/b {of_b}")), "{:?}", states(&graph));
}

#[test]
fn a_graph_alone_says_nothing_of_elements() {
    let graph = compiled(ONE, &[by_graph(&files(MODEL, TWO))]);
    assert_eq!(states(&graph), ["present /pools/p", "present /pools/p/a", "absent /pools/p/b"]);
}

#[test]
fn what_it_requires_and_lies_within_is_not_what_it_waits_for() {
    let model = MODEL.replace("path: \"/drain/${host}\"", "path: \"/pools/${parent.name}/drain-${host}\"");
    let now: &[(&str, &str)] = &[("model/main.gops", &model)];
    let earlier = by_files(&[("model/main.gops", &model), ("pools/p.yaml", ONE)]);
    let graph = graph(session(now).compile_with(&[earlier]));
    // The folder goes after what lies in it.
    let gone = "std::files::TextFile[host=h1,path=/pools/p/a]";
    let expected = [
        "absent /pools/p".to_owned(),
        "absent /pools/p/a".to_owned(),
        format!("transient /pools/p/drain-a {gone}"),
    ];
    assert_eq!(states(&graph), expected);
    let drain = graph.nodes.iter().find(|n| n.state == State::Transient).expect("it is there");
    assert_eq!(drain.requires.len(), 1);
    assert_eq!(drain.requires[0].id, "std::files::Directory[host=h1,path=/pools/p]");
    // Its target is gone from the project, and known all the same.
    assert_eq!(graph.targets.len(), 1);
}

#[test]
fn in_a_first_run_everything_is_created() {
    let model = MODEL.replace("operation(self) == update", "operation(self) == create");
    for earlier in [vec![], vec![EarlierProject::default()]] {
        let graph = graph(session(&files(&model, ONE)).compile_with(&earlier));
        assert_eq!(states(&graph).iter().filter(|s| s.starts_with("transient /weight/a")).count(), 1);
    }
    let plain = graph(session(&files(&model, ONE)).compile());
    assert!(plain.nodes.iter().all(|n| n.state == State::Present));
}

#[test]
fn started_and_never_finished_generations_tell_of_deletions_alone() {
    // Nothing was finished, and one that was started had both.
    let graph = compiled(ONE, &[EarlierProject::default(), then(TWO)]);
    assert!(states(&graph).iter().any(|s| s.starts_with("transient /drain/b")), "{:?}", states(&graph));
    assert!(!states(&graph).iter().any(|s| s.contains("/weight/")));
}

#[test]
fn the_subtree_of_a_parent_that_is_gone_has_the_values_of_the_newest_that_held_it() {
    let first = "{ name: p, members: [{ host: a }, { host: b, weight: 7 }] }";
    let graph = compiled("{ name: q }", &[then(ONE), then(first)]);
    let content = |path: &str| {
        let found = graph.nodes.iter().find(|n| n.id.contains(path)).unwrap_or_else(|| panic!("{path}"));
        format!("{:?}", found.fields)
    };
    assert!(content("/drain/b").contains("\"7\"") && content("/drain/a").contains("\"1\""));
}
