//! Earlier projects share what is equal with the current one: what comes of it is what comes of each
//! evaluated on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use gops::base::MemorySystem;
use gops::project::{EarlierProject, Options, Session};
use proptest::prelude::*;

use super::earlier::CONFIG;

/// Entities that stand between, a target, what several make, what is needed if it is there, `all`, an
/// inverse, a derived field that looks at others, and objects that are there on the way.
const MODEL: &str = r#"
use std::host::Host
use std::files::{Directory, TextFile}

slice Zone in "zones" { key name: string, on: string = "h1", folder: bool = false, note: string = "" }
slice Site in "sites" each {
    key name: string
    zone: ref<Zone>?
    pages: list<Page> = []
    let title: string = "${name} of ${all(Zone).len()}"
}
struct Page { key path: string, body: string = "" }
inverse Zone.sites: set<Site> by zone
entity Vhost { key name: string, host: Host, text: string }

impl Zone {
    let host = Host { name: on }
    if folder { Directory { host, path: "/zones/${name}" } }
    TextFile { host, path: "/zones/${name}/list", content: "${[s.name for s in sites].join(" ")}${note}" }
}
impl Site {
    TextFile { path: "/sites", content: "all" }
    if zone != null { Vhost { name, host: Host[name: zone.on], text: title } }
}
impl Page { TextFile { path: "/pages/${parent.name}/${path}", content: body } after parent.zone }
impl Vhost { TextFile { host, path: "/vhosts/${name}", content: text } }
impl Page when deleted(self) { TextFile { path: "/gone/${parent.name}/${path}", content: parent.title } }
impl Zone when operation(self) == update {
    TextFile { path: "/drain/${name}", content: "${sites.len()} ${previous(note) ?? "-"}" }
}
"#;

const MOVED: &str = r#"
moved Zone["p"] to Zone["q"]
moved Site["a"] to Site["b"]
moved Site["b"] to Site["a"]
"#;

type Zones = BTreeMap<String, (bool, bool, String)>;
type Sites = BTreeMap<String, (Option<String>, Vec<String>)>;

fn zones() -> impl Strategy<Value = Zones> {
    proptest::collection::btree_map("[pqr]", (any::<bool>(), any::<bool>(), "[xy]?"), 1..4)
}

fn sites() -> impl Strategy<Value = Sites> {
    let pages = proptest::collection::btree_set("[mn]", 0..3).prop_map(|p| p.into_iter().collect());
    proptest::collection::btree_map("[abc]", (proptest::option::of("[pqr]"), pages), 0..4)
}

/// The files of a project. What leads nowhere is left out.
fn files(model: &str, zones: &Zones, sites: &Sites) -> Vec<(String, String)> {
    let mut files =
        vec![(CONFIG.0.to_owned(), CONFIG.1.to_owned()), ("model/main.gops".into(), model.into())];
    for (name, (folder, far, note)) in zones {
        let on = if *far { "h2" } else { "h1" };
        let text = format!("{{ name: {name}, on: {on}, folder: {folder}, note: \"{note}\" }}\n");
        files.push((format!("zones/{name}.yaml"), text));
    }
    let mut list = String::from("[]\n");
    for (number, (name, (zone, pages))) in sites.iter().enumerate() {
        if number == 0 {
            list.clear();
        }
        let zone = zone.as_ref().filter(|z| zones.contains_key(*z)).map_or("null", String::as_str);
        let pages: String = pages.iter().map(|p| format!("{{ path: {p} }},")).collect();
        list += &format!("- {{ name: {name}, zone: {zone}, pages: [{pages}] }}\n");
    }
    files.push(("sites/all.yaml".into(), list));
    files
}

fn system(files: &[(String, String)]) -> Arc<MemorySystem> {
    Arc::new(MemorySystem::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))))
}

fn open(files: &[(String, String)]) -> Session {
    Session::open(system(files), Options::default())
}

/// The paths on which two projects differ.
fn changed(one: &[(String, String)], other: &[(String, String)]) -> Arc<[ecow::EcoString]> {
    let (one, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (one.iter().cloned().collect(), other.iter().cloned().collect());
    let paths = one.keys().chain(other.keys());
    let mut paths: Vec<ecow::EcoString> =
        paths.filter(|p| one.get(*p) != other.get(*p)).map(ecow::EcoString::from).collect();
    paths.sort();
    paths.dedup();
    paths.into()
}

/// What a session makes with these earlier projects: the whole document, and what it says.
fn made(session: &mut Session, earlier: &[EarlierProject]) -> (Option<String>, Vec<String>) {
    let compiled = session.compile_with(earlier);
    let said = compiled.report.diagnostics.iter().map(|d| format!("{d:?}")).collect();
    let document = compiled.graph.map(|graph| String::from_utf8(graph.to_canonical_json()).expect("JSON"));
    (document, said)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn shared_and_apart_are_the_same(
        versions in proptest::collection::vec((zones(), sites()), 2..5),
        moved in any::<bool>(),
    ) {
        let model = format!("{MODEL}{}", if moved { MOVED } else { "" });
        let all: Vec<_> = versions.iter().map(|(zones, sites)| files(&model, zones, sites)).collect();
        let (now, then) = all.split_first().expect("there are some");
        let earlier = |apart: bool, known: bool| -> Vec<EarlierProject> {
            let one = |files: &Vec<(String, String)>| EarlierProject {
                name: "then".into(),
                files: Some(system(files)),
                graph: apart.then(|| open(files).as_it_was().0).flatten(),
                changed: known.then(|| changed(now, files)),
                ..EarlierProject::default()
            };
            then.iter().map(one).collect()
        };
        let expected = made(&mut open(now), &earlier(true, false));
        // Two that swap, of which one is not there, are an error.
        prop_assert!(moved || expected.0.is_some(), "{:?}", expected.1);
        prop_assert_eq!(&made(&mut open(now), &earlier(false, false)), &expected);
        let mut session = open(now);
        prop_assert_eq!(&made(&mut session, &earlier(false, true)), &expected);
        // It is where it was before.
        prop_assert_eq!(&made(&mut session, &earlier(false, true)), &expected);
        prop_assert_eq!(made(&mut session, &[]), made(&mut open(now), &[]));
        let graphs = [session.compile().graph, open(now).compile().graph];
        let [again, cold] = graphs.map(|graph| graph.map(|g| g.to_canonical_json()));
        prop_assert_eq!(again, cold);
    }
}
