//! Moves over all that is kept, against what a naive reader of the whole history says.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::sync;
use crate::base::{Edited, MemorySystem, System};
use crate::graph::{GraphBuilder, State};
use crate::project::{EarlierProject, Options, Session};

const MODEL: &str = r#"
use std::files::TextFile

slice Site in "sites" { key name: string, text: string = "" }
impl Site { TextFile { path: "/s/${name}", content: text } }
impl Site when deleted(self) { TextFile { path: "/gone/${name}", content: text } }
"#;

/// One step of a history; the numbers say which of those that are there.
#[derive(Clone, Debug)]
enum Step {
    Create,
    Edit(usize),
    Delete(usize),
    /// It goes under another name, which the model says; in the same file or in another one.
    Move(usize, bool),
    /// Another key in the same file, of which the model says nothing.
    Rekey(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Create),
        (0..9_usize).prop_map(Step::Edit),
        (0..9_usize).prop_map(Step::Delete),
        (0..9_usize, any::<bool>()).prop_map(|(at, same)| Step::Move(at, same)),
        (0..9_usize, any::<bool>()).prop_map(|(at, same)| Step::Move(at, same)),
        (0..9_usize).prop_map(Step::Rekey),
    ]
}

/// A site, whatever it is called.
#[derive(Clone, PartialEq, Debug)]
struct Site {
    name: String,
    file: String,
    text: u32,
}

/// The history as it really was: of each site what it was after each step.
#[derive(Default)]
struct History {
    sites: Vec<Vec<Option<Site>>>,
    lines: String,
    names: u32,
    texts: u32,
}

impl History {
    fn name(&mut self) -> String {
        self.names += 1;
        // Not in the order of the alphabet.
        format!("n{}", self.names * 7 % 10)
    }

    fn now(&self) -> Vec<(usize, Site)> {
        let last = |(at, site): (usize, &Vec<Option<Site>>)| Some((at, site.last().cloned()??));
        self.sites.iter().enumerate().filter_map(last).collect()
    }

    fn take(&mut self, step: &Step) {
        let there = self.now();
        let length = self.sites.first().map_or(0, Vec::len);
        self.sites.iter_mut().for_each(|site| site.push(site.last().cloned().flatten()));
        let chosen = |at: &usize| there.get(at % there.len().max(1)).cloned();
        match step {
            Step::Create => {
                let name = self.name();
                let site = Site { file: format!("sites/{name}.yaml"), name, text: 0 };
                self.sites.push([vec![None; length], vec![Some(site)]].concat());
            }
            Step::Edit(at) => {
                self.texts += 1;
                let text = self.texts;
                self.set(chosen(at).map(|(at, site)| (at, Some(Site { text, ..site }))));
            }
            Step::Delete(at) => self.set(chosen(at).map(|(at, _)| (at, None))),
            Step::Move(at, same) => {
                let Some((at, site)) = chosen(at) else { return };
                let name = self.name();
                self.lines += &format!("moved Site[\"{}\"] to Site[\"{name}\"]\n", site.name);
                let file = if *same { site.file.clone() } else { format!("sites/{name}.yaml") };
                self.set(Some((at, Some(Site { name, file, ..site }))));
            }
            Step::Rekey(at) => {
                let Some((at, site)) = chosen(at) else { return };
                let name = self.name();
                self.set(Some((at, None)));
                let new = Site { name, ..site };
                self.sites.push([vec![None; length], vec![Some(new)]].concat());
            }
        }
    }

    fn set(&mut self, to: Option<(usize, Option<Site>)>) {
        if let Some((at, site)) = to
            && let Some(last) = self.sites.get_mut(at).and_then(|of| of.last_mut())
        {
            *last = site;
        }
    }

    /// The files after a step, with the model of now.
    fn files(&self, step: usize) -> Arc<MemorySystem> {
        let config = "name = \"t\"\nedition = \"2026\"\nhistory = \"active\"\n";
        let system = Arc::new(MemorySystem::new([("gops.toml", config)]));
        system.write("model/main.gops", format!("{MODEL}{}", self.lines).as_bytes());
        for site in self.sites.iter().filter_map(|of| of.get(step)?.as_ref()) {
            let text = format!("name: {}\ntext: t{}\n", site.name, site.text);
            system.write(&site.file, text.as_bytes());
        }
        system
    }

    /// What is there, what is absent, what is made on the way, and the moves: by the whole history.
    /// `last` says what a site was in the newest earlier version of it.
    fn expected(&self, last: impl Fn(&[Option<Site>]) -> Option<Site>) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let names: BTreeSet<String> = self.now().into_iter().map(|(_, site)| site.name).collect();
        let mut from = BTreeSet::new();
        for site in &self.sites {
            let Some(Some(now)) = site.last() else { continue };
            if let Some(before) = last(site).filter(|before| before.name != now.name) {
                all.insert(format!("/s/{} -> /s/{}", before.name, now.name));
                from.insert(before.name);
            }
        }
        for site in &self.sites {
            for name in site.iter().flatten().map(|site| &site.name) {
                if !names.contains(name) && !from.contains(name) {
                    all.insert(format!("absent /s/{name}"));
                }
            }
            if let (Some(None), Some(was)) = (site.last(), site.iter().rev().flatten().next()) {
                all.insert(format!("transient /gone/{} t{}", was.name, was.text));
            }
        }
        all.extend(names.iter().map(|name| format!("present /s/{name}")));
        all
    }
}

/// The same of a graph.
fn found(graph: &GraphBuilder) -> BTreeSet<String> {
    let path = |id: &str| id.rsplit_once("path=").unwrap().1.trim_end_matches(']').to_owned();
    let mut all = BTreeSet::new();
    for node in graph.iter() {
        let content = match node.state {
            State::Transient => {
                let node = node.read().unwrap();
                format!(" {}", crate::project::review::json(node.fields.get("content")).trim_matches('"'))
            }
            _ => String::new(),
        };
        all.insert(format!("{} {}{content}", node.state.as_str(), path(&node.id)));
    }
    all.extend(graph.header().moves.iter().map(|m| format!("{} -> {}", path(&m.from), path(&m.to))));
    all
}

/// Writes what the sources say into the store.
fn activate(sources: &Arc<MemorySystem>, store: &MemorySystem) -> Arc<MemorySystem> {
    for path in store.paths().into_iter().filter(|path| path.starts_with("active/")) {
        sources.write(&path, &store.read(&path).unwrap());
    }
    let edited = Arc::new(Edited::new(sources.clone()));
    let mut session = Session::open(edited.clone(), Options::default());
    let made = sync(&mut session, &edited, false);
    assert!(!made.report.has_errors(), "{:#?}", made.report.diagnostics);
    for (path, bytes) in edited.changes() {
        sources.write(&path, &bytes.expect("nothing is removed"));
    }
    sources.clone()
}

fn graph(compiled: crate::project::Compiled) -> GraphBuilder {
    compiled.graph.unwrap_or_else(|| panic!("{:#?}", compiled.report.diagnostics))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn one_thing_under_several_names_is_one_thing(steps in proptest::collection::vec(step(), 1..9)) {
        let mut history = History::default();
        let mut store = Arc::new(MemorySystem::default());
        for (number, step) in steps.iter().enumerate() {
            history.take(step);
            let at = history.sites.first().map_or(0, |site| site.len());
            if at == 0 {
                continue;
            }
            // What was activated: every version of each is kept.
            let sources = history.files(at - 1);
            store = activate(&sources, &store);
            let mut session = Session::open(store.clone(), Options { active: true, ..Options::default() });
            let newest = |site: &[Option<Site>]| {
                let now = site.last()?.clone();
                site.iter().rev().find(|was| **was != now).cloned().flatten()
            };
            prop_assert_eq!(found(&graph(session.compile())), history.expected(newest), "{} {:?}", number, steps);
            // Revisions, each a project as it really was: as bases, or generations.
            let then = |back: usize| EarlierProject {
                name: "then".into(),
                files: Some(history.files(at - 1 - back)),
                ..EarlierProject::default()
            };
            let earlier: Vec<EarlierProject> = (1..at).map(then).collect();
            let text = String::from_utf8(sources.read("gops.toml").unwrap().to_vec()).unwrap();
            sources.write("gops.toml", text.replace("history = \"active\"\n", "").as_bytes());
            let mut session = Session::open(sources.clone(), Options::default());
            let compiled = if earlier.is_empty() { session.compile() } else { session.compile_with(&earlier) };
            let newest = |site: &[Option<Site>]| site.iter().rev().skip(1).flatten().next().cloned();
            prop_assert_eq!(found(&graph(compiled)), history.expected(newest), "{} {:?}", number, steps);
            sources.write("gops.toml", text.as_bytes());
        }
    }
}
