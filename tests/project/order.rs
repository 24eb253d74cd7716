//! The order of files, of statements and of map keys, and the number of threads change nothing.

use std::sync::Arc;

use gops::base::MemorySystem;
use gops::project::{Options, Session};
use proptest::prelude::*;

use super::shop::{CONFIG, MODEL, Site, machine};

fn graph(files: &[(String, String)], threads: usize) -> String {
    let system = MemorySystem::new(files.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    let options = Options { threads, ..Options::default() };
    let compiled = Session::open(Arc::new(system), options).compile();
    assert_eq!(compiled.report.diagnostics, []);
    String::from_utf8(compiled.graph.expect("valid").to_canonical_json()).unwrap()
}

/// The project with a model, 100 machines and 300 sites.
pub fn project(model: &str) -> Vec<(String, String)> {
    let mut files =
        vec![("gops.toml".to_owned(), CONFIG.to_owned()), ("model/main.gops".to_owned(), model.to_owned())];
    for name in 0..100 {
        files.push((format!("machines/{name}.yaml"), machine(name, name)));
    }
    for name in 0..300 {
        let (pages, link) = ((0..name % 4).collect(), (name % 3 == 1).then(|| name - 1));
        let site = Site { name, on: name % 100, port: 80, prod: name % 2 == 0, pages, link, comments: 0 };
        files.push((format!("sites/{name}.yaml"), site.text()));
    }
    files
}

#[test]
fn one_thread_or_eight() {
    let files = project(MODEL);
    assert_eq!(graph(&files, 1), graph(&files, 8));
}

/// The items of the model, each a paragraph.
fn items() -> Vec<&'static str> {
    let mut items = Vec::new();
    let mut rest = MODEL;
    while let Some(at) = rest.find("\n\n") {
        items.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    items.push(rest);
    items
}

/// The items of the model in another order.
pub fn shuffled_items(seed: u64) -> String {
    let mut items = items();
    items.sort_by_key(|item| (item.len() as u64 + 1).wrapping_mul(seed) % 101);
    items.join("\n\n")
}

/// Gives the files other names, so another order; and turns the lines of a document round where
/// they are entries of its root.
pub fn reversed(files: &mut [(String, String)], seed: u64) {
    for (path, text) in files.iter_mut().skip(2) {
        let (folder, name) = path.split_once('/').unwrap();
        let number: u64 = name.trim_end_matches(".yaml").parse().unwrap();
        *path = format!("{folder}/{:020}.yaml", seed.wrapping_mul(2 * number + 1));
        let mut entries: Vec<String> = Vec::new();
        for line in text.lines() {
            match entries.last_mut() {
                Some(last) if line.starts_with(' ') => *last += &format!("{line}\n"),
                _ => entries.push(format!("{line}\n")),
            }
        }
        entries.reverse();
        *text = entries.concat();
    }
}

/// The graph without what names lines of the model or the model's digest.
pub fn without_lines(graph: &str) -> serde_json::Value {
    let mut graph: serde_json::Value = serde_json::from_str(graph).unwrap();
    graph["digest"] = serde_json::Value::Null;
    graph["source"] = serde_json::Value::Null;
    for part in ["nodes", "targets"] {
        for node in graph[part].as_array_mut().unwrap() {
            node["origin"]["model"] = serde_json::Value::Null;
            node["origin"]["instance"] = serde_json::Value::Null;
        }
    }
    graph
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shuffled_statements_files_and_keys(items in Just(items()).prop_shuffle(), seed in any::<u64>()) {
        let plain = project(MODEL);
        let mut shuffled = project(&items.join("\n\n"));
        reversed(&mut shuffled, seed);
        prop_assert_eq!(without_lines(&graph(&plain, 1)), without_lines(&graph(&shuffled, 1)));
    }
}
