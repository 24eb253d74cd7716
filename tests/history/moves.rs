//! `moved A to B`: what A made goes on under the ids of B.

use gops::graph::Graph;
use gops::project::EarlierProject;

use super::earlier::{by_files, by_graph, graph, session, states};

const MODEL: &str = r#"
use std::files::{Directory, TextFile}

slice Site in "sites" { key name: string, ports: list<int> = [], pages: list<Page> = [] }
struct Page { key path: string, body: string = "" }
entity Vhost { key site: Site, port: int }

impl Site {
    Directory { path: "/srv/${name}" }
    for port in ports { Vhost { site: self, port } }
    for x in ["a", "b"] { TextFile { path: "/srv/${name}-${x}", content: "" } }
}
impl Vhost { TextFile { path: "/vhosts/${site.name}", content: "${port}" } }
impl Page { TextFile { path: "/srv/${parent.name}/${path}", content: body } }
"#;

fn files<'a>(model: &'a str, sites: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("model/main.gops", model)];
    all.extend(sites);
    all
}

fn with(moves: &str) -> String {
    format!("{MODEL}\n{moves}\n")
}

fn then(sites: &[(&str, &str)]) -> EarlierProject {
    by_files(&files(MODEL, sites))
}

/// Old and new paths.
fn moves(graph: &Graph) -> Vec<String> {
    let path = |id: &str| id.split("path=").nth(1).unwrap_or(id).trim_end_matches(']').to_owned();
    graph.header.moves.iter().map(|m| format!("{} -> {}", path(&m.from), path(&m.to))).collect()
}

fn compiled(moves: &str, now: &[(&str, &str)], earlier: &[EarlierProject]) -> Graph {
    let model = with(moves);
    graph(session(&files(&model, now)).compile_with(earlier))
}

#[test]
fn what_a_moved_instance_makes_pairs_up_by_slot() {
    let sites = |name: &str| format!("{{ name: {name}, ports: [80], pages: [{{ path: x }}] }}");
    let (old, new) = (sites("a"), sites("z"));
    let graph = compiled(
        "moved Site[name: \"a\"] to Site[name: \"z\"]",
        &[("sites/a.yaml", &new)],
        &[then(&[("sites/a.yaml", &old)])],
    );
    let expected = [
        "/srv/a -> /srv/z",
        "/srv/a-a -> /srv/z-a",
        "/srv/a-b -> /srv/z-b",
        "/srv/a/x -> /srv/z/x",
        "/vhosts/a -> /vhosts/z",
    ];
    assert_eq!(moves(&graph), expected);
    assert!(states(&graph).iter().all(|s| s.starts_with("present")), "{:?}", states(&graph));
}

#[test]
fn what_does_not_pair_is_absent() {
    let graph = compiled(
        "moved Site[\"a\"] to Site[\"z\"]",
        &[("sites/a.yaml", "{ name: z, pages: [{ path: new }] }")],
        &[then(&[("sites/a.yaml", "{ name: a, pages: [{ path: x }] }")])],
    );
    assert_eq!(moves(&graph).len(), 3);
    let absent: Vec<_> = states(&graph).into_iter().filter(|s| s.starts_with("absent")).collect();
    assert_eq!(absent, ["absent /srv/a/x"]);
}

#[test]
fn chains_end_where_something_is() {
    let graph = compiled(
        "moved Site[\"a\"] to Site[\"b\"]\nmoved Site[\"b\"] to Site[\"c\"]",
        &[("sites/a.yaml", "name: c\n")],
        &[then(&[("sites/a.yaml", "name: a\n")])],
    );
    assert_eq!(moves(&graph), ["/srv/a -> /srv/c", "/srv/a-a -> /srv/c-a", "/srv/a-b -> /srv/c-b"]);
}

#[test]
fn two_can_swap() {
    let swap = "moved Site[\"a\"] to Site[\"b\"]\nmoved Site[\"b\"] to Site[\"a\"]";
    let both: &[(&str, &str)] = &[("sites/a.yaml", "name: a\n"), ("sites/b.yaml", "name: b\n")];
    let graph = compiled(swap, both, &[then(both)]);
    assert!(moves(&graph).contains(&"/srv/a -> /srv/b".to_owned()), "{:?}", moves(&graph));
    assert!(moves(&graph).contains(&"/srv/b -> /srv/a".to_owned()), "{:?}", moves(&graph));
}

#[test]
fn there_and_back_is_no_move() {
    let lines = "moved Site[\"a\"] to Site[\"b\"]\nmoved Site[\"b\"] to Site[\"a\"]";
    let then = [then(&[("sites/a.yaml", "name: a\n")])];
    assert_eq!(moves(&compiled(lines, &[("sites/a.yaml", "name: a\n")], &then)), [""; 0]);
    // What has the name of the way now is another one.
    let now: &[(&str, &str)] = &[("sites/a.yaml", "name: a\n"), ("sites/b.yaml", "name: b\n")];
    assert_eq!(moves(&compiled(lines, now, &then)), [""; 0]);
    let lines = "moved Site[\"a\"] to Site[\"b\"]\nmoved Site[\"b\"] to Site[\"c\"]";
    let now: &[(&str, &str)] = &[("sites/a.yaml", "name: c\n"), ("sites/b.yaml", "name: b\n")];
    assert!(moves(&compiled(lines, now, &then)).contains(&"/srv/a -> /srv/c".to_owned()));
    // The other way round the one that is there has come, and what it was before is long done.
    let lines = "moved Site[\"b\"] to Site[\"c\"]\nmoved Site[\"a\"] to Site[\"b\"]";
    assert!(moves(&compiled(lines, now, &then)).contains(&"/srv/a -> /srv/b".to_owned()));
}

#[test]
fn a_swap_is_made_once() {
    let swap = "moved Site[\"a\"] to Site[\"b\"]\nmoved Site[\"b\"] to Site[\"a\"]
impl Site when operation(self) == update { TextFile { path: \"/now/${name}\", content: previous(name) ?? \"-\" } }
impl Site when deleted(self) { TextFile { path: \"/gone/${name}\", content: \"\" } }";
    let both: &[(&str, &str)] =
        &[("sites/a.yaml", "{ name: a, ports: [1] }"), ("sites/b.yaml", "{ name: b, ports: [2] }")];
    let swapped: &[(&str, &str)] =
        &[("sites/a.yaml", "{ name: b, ports: [1] }"), ("sites/b.yaml", "{ name: a, ports: [2] }")];
    let lines = session(&files(&with(swap), both)).moved_lines();
    assert_eq!(lines.len(), 2);
    let knew = |sites| EarlierProject { moved: lines.clone().into(), ..then(sites) };
    let passing = |graph: &Graph| -> Vec<String> {
        states(graph).into_iter().filter(|s| !s.starts_with("present")).collect()
    };
    // Whoever did not know the lines sees the swap, and both are others only by what they are called.
    let first = compiled(swap, swapped, &[then(both)]);
    assert_eq!(moves(&first).len(), 8, "{:?}", moves(&first));
    // Whoever knew them does not, and what it has from before is not mistaken for the other one.
    for earlier in [vec![knew(swapped)], vec![knew(swapped), then(both)]] {
        let again = compiled(swap, swapped, &earlier);
        assert_eq!(moves(&again), [""; 0]);
        assert_eq!(passing(&again), [""; 0]);
    }
    // One of them goes, later: it is that one.
    let left = compiled(swap, &swapped[1..], &[knew(swapped), then(both)]);
    assert_eq!(moves(&left), [""; 0]);
    assert!(passing(&left).iter().any(|s| s.starts_with("transient /gone/b")), "{:?}", passing(&left));
}

#[test]
fn a_move_is_inert_once_nothing_has_the_old_id() {
    let line = "moved Site[\"a\"] to Site[\"z\"]";
    let now: &[(&str, &str)] = &[("sites/a.yaml", "name: z\n")];
    assert_eq!(moves(&compiled(line, now, &[then(now)])), [""; 0]);
    // An older version that still had it was there before the move.
    let old = then(&[("sites/a.yaml", "name: a\n")]);
    let graph = compiled(line, now, &[then(now), old]);
    assert_eq!(moves(&graph), [""; 0]);
    assert_eq!(compiled(line, now, &[]).header.moves, []);
}

#[test]
fn an_element_moves() {
    let graph = compiled(
        "moved Site[\"a\"].pages[path: \"x\"] to Site[\"a\"].pages[path: \"y\"]",
        &[("sites/a.yaml", "{ name: a, pages: [{ path: y }] }")],
        &[then(&[("sites/a.yaml", "{ name: a, pages: [{ path: x }] }")])],
    );
    assert_eq!(moves(&graph), ["/srv/a/x -> /srv/a/y"]);
}

#[test]
fn what_moved_is_an_update() {
    let changes = r#"
impl Site when operation(self) == update { TextFile { path: "/now/${name}", content: previous(name) ?? "-" } }
impl Site when deleted(self) { TextFile { path: "/gone/${name}", content: "" } }
impl Page when operation(self) == keep { TextFile { path: "/kept/${path}", content: "" } }
moved Site["a"] to Site["z"]
"#;
    let graph = compiled(
        changes,
        &[("sites/a.yaml", "{ name: z, pages: [{ path: x }] }")],
        &[then(&[("sites/a.yaml", "{ name: a, pages: [{ path: x }] }")])],
    );
    let transient: Vec<_> = graph.nodes.iter().filter(|n| n.state == gops::graph::State::Transient).collect();
    let ids: Vec<_> = transient.iter().map(|n| n.id.as_str()).collect();
    assert_eq!(
        ids,
        ["std::files::TextFile[host=null,path=/kept/x]", "std::files::TextFile[host=null,path=/now/z]"]
    );
    assert!(format!("{:?}", transient[1].fields).contains("\"a\""));
}

#[test]
fn a_type_that_is_renamed_takes_its_resources_along() {
    let typed = |name: &str| {
        format!(
            "resource {name} handled by \"thing\" {{ key id: string }}\nslice S in \"s\" {{ key k: string }}\nimpl S {{ {name} {{ id: k }} }}\n"
        )
    };
    let (old, new) = (typed("Old"), format!("{}moved type Old to New\n", typed("New")));
    let data = ("s/a.yaml", "k: a\n");
    let now = [("model/main.gops", new.as_str()), data];
    let graph = graph(session(&now).compile_with(&[by_graph(&[("model/main.gops", &old), data])]));
    let ids: Vec<_> = graph.header.moves.iter().map(|m| format!("{} -> {}", m.from, m.to)).collect();
    assert_eq!(ids, ["main::Old[id=a] -> main::New[id=a]"]);
    assert_eq!(graph.nodes.len(), 1);
}

#[test]
fn what_cannot_be_is_refused() {
    let said = |line: &str, now: &[(&str, &str)], before: &[(&str, &str)]| {
        let model = with(line);
        let compiled = session(&files(&model, now)).compile_with(&[then(before)]);
        assert!(compiled.graph.is_none());
        compiled.report.diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>()
    };
    let (a, b, z) =
        (("sites/a.yaml", "name: a\n"), ("sites/b.yaml", "name: b\n"), ("sites/z.yaml", "name: z\n"));
    let two = "moved Site[\"a\"] to Site[\"z\"]\nmoved Site[\"b\"] to Site[\"z\"]";
    assert_eq!(said(two, &[z], &[a, b]), ["two have moved to `Site[name: \"z\"]`"]);
    let line = "moved Site[\"a\"] to Site[\"b\"]";
    assert_eq!(said(line, &[b], &[a, b]), ["`Site[name: \"b\"]` was there already, with a life of its own"]);
    assert_eq!(said(line, &[a, b], &[a]), ["`Site[name: \"a\"]` is still there, so it has not moved"]);
}
