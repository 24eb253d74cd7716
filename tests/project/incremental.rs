//! After any sequence of edits an open project says and makes what a new one does, byte for byte.

use std::sync::Arc;

use gops::base::MemorySystem;
use gops::project::{Options, Session};
use proptest::prelude::*;

use super::shop::{CONFIG, MODEL, Site, machine};

#[derive(Clone, Debug)]
pub enum Edit {
    Site(usize, Site),
    RemoveSite(usize),
    Machine(usize, usize),
    RemoveMachine(usize),
    /// A file that does not parse.
    Break(usize),
    /// A comment in the model, which moves its lines.
    Comment(usize),
    /// Another bound in the model.
    Bound(i64),
    /// A slice's folder is left out.
    Ignore(bool),
}

pub fn site() -> impl Strategy<Value = Site> {
    let port = prop_oneof![8 => 1i64..70, 1 => Just(22i64), 1 => Just(70_000i64)];
    let pages = proptest::collection::vec(0..4usize, 0..3);
    let link = proptest::option::weighted(0.3, 0..4usize);
    (0..6usize, 0..4usize, port, any::<bool>(), pages, link, 0..3usize).prop_map(
        |(name, on, port, prod, pages, link, comments)| Site { name, on, port, prod, pages, link, comments },
    )
}

pub fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        8 => (0..6usize, site()).prop_map(|(file, site)| Edit::Site(file, site)),
        2 => (0..6usize).prop_map(Edit::RemoveSite),
        3 => (0..4usize, 0..6usize).prop_map(|(file, address)| Edit::Machine(file, address)),
        1 => (0..4usize).prop_map(Edit::RemoveMachine),
        1 => (0..6usize).prop_map(Edit::Break),
        1 => (0..3usize).prop_map(Edit::Comment),
        1 => (1..5i64).prop_map(Edit::Bound),
        1 => any::<bool>().prop_map(Edit::Ignore),
    ]
}

pub fn apply(system: &MemorySystem, edit: &Edit) -> String {
    let site = |file: &usize| format!("sites/f{file}.yaml");
    let written = |path: &str, text: &str| {
        system.write(path, text.as_bytes());
        path.to_owned()
    };
    match edit {
        Edit::Site(file, content) => written(&site(file), &content.text()),
        Edit::RemoveSite(file) => {
            system.remove(&site(file));
            site(file)
        }
        Edit::Machine(name, address) => written(&format!("machines/m{name}.yaml"), &machine(*name, *address)),
        Edit::RemoveMachine(name) => {
            let path = format!("machines/m{name}.yaml");
            system.remove(&path);
            path
        }
        Edit::Break(file) => written(&site(file), "name: [\n"),
        Edit::Comment(lines) => written("model/main.gops", &("// moved\n".repeat(*lines) + MODEL)),
        Edit::Bound(most) => written(
            "model/main.gops",
            &MODEL.replace("m.sites.len() <= 4", &format!("m.sites.len() <= {most}")),
        ),
        Edit::Ignore(on) => written(".gitignore", if *on { "f3.yaml\n" } else { "\n" }),
    }
}

/// Everything that a project says and makes.
pub fn everything(session: &mut Session) -> (Vec<String>, Option<String>) {
    let compiled = session.compile();
    let said = compiled.report.diagnostics.iter().map(|d| format!("{d:?}")).collect();
    let graph = compiled.graph.map(|g| String::from_utf8(g.to_canonical_json()).unwrap());
    (said, graph)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn incremental_equals_cold(edits in proptest::collection::vec(edit(), 1..14)) {
        let system = Arc::new(MemorySystem::new([("gops.toml", CONFIG), ("model/main.gops", MODEL)]));
        for name in 0..4 {
            system.write(&format!("machines/m{name}.yaml"), machine(name, name).as_bytes());
        }
        let mut open = Session::open(system.clone(), Options::default());
        prop_assert!(everything(&mut open).1.is_some(), "the project is valid at first");
        for edit in &edits {
            let path = apply(&system, edit);
            open.refresh(&[path]);
            let incremental = everything(&mut open);
            let cold = everything(&mut Session::open(system.clone(), Options::default()));
            prop_assert_eq!(incremental, cold, "after {:?}", edit);
        }
    }
}
