//! `gops sync`: what the sources say is activated, all of it or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId, LineIndex};
use crate::data::{Document, Limits, NodeKind, parse_json, parse_yaml};
use crate::db::SourceFile;
use crate::diag::codes::project::UNEXPLAINED;
use crate::diag::{Diagnostic, Place};
use crate::eval::Reference;
use crate::eval::instance::{Doc, items as apart};
use crate::history::store::{self, Content, Part, State, Store, Version};
use crate::project::queries;
use crate::project::render::Renderer;
use crate::project::session::{Options, Report, Session};
use crate::project::units::{files_of, parse};

use super::items;

/// What became of an instance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Became {
    /// It is there no more.
    Deleted,
    /// It is another.
    Changed,
    /// It is there, and was not before.
    Created,
    /// It is the same, in files of another name.
    Renamed,
}

/// An instance that was activated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activated {
    /// Its id.
    pub instance: EcoString,
    /// The environment, in a project that has some.
    pub env: Option<EcoString>,
    /// The number of its version.
    pub version: u64,
    /// What became of it.
    pub became: Became,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Synced {
    /// What is wrong. With an error nothing is to be written.
    pub report: Report,
    /// What was activated, by environment and instance.
    pub activated: Vec<Activated>,
    /// Instances that two branches had activated, with `--resolve`.
    pub resolved: Vec<EcoString>,
}

/// Checks everything, and puts what changed into the store, in memory. The session was opened over
/// `edited`, and looks at the sources. `resolve` first puts in order what two branches activated.
pub fn sync(session: &mut Session, edited: &Arc<Edited>, resolve: bool) -> Synced {
    let mut synced = Synced { report: session.check(), ..Synced::default() };
    if synced.report.has_errors() {
        return synced;
    }
    let environments: Vec<EcoString> =
        session.config().iter().flat_map(|c| &c.environments).map(|e| e.name.clone()).collect();
    if environments.is_empty() {
        one(session, None, edited, resolve, &mut synced);
    }
    for env in environments {
        let options = Options { env: Some(env.to_string()), ..session.options().clone() };
        let mut view = Session::open(edited.clone(), options);
        one(&mut view, Some(&env), edited, resolve, &mut synced);
    }
    crate::diag::sort_and_dedup(&mut synced.report.diagnostics);
    synced
}

/// Activates one environment, or a project without any.
fn one(
    session: &mut Session,
    env: Option<&EcoString>,
    edited: &Arc<Edited>,
    resolve: bool,
    synced: &mut Synced,
) {
    let name = env.map(EcoString::as_str);
    if resolve {
        let resolved = store::resolve(&**edited, name);
        for (path, bytes) in resolved.changes {
            edited.set(&path, bytes.as_deref());
        }
        synced.resolved.extend(resolved.instances);
    }
    let (store, problems) = Store::read(&**edited, name);
    if !problems.is_empty() {
        let resolved = problems.into_iter().map(|d| d.resolved(&crate::project::origins::Nowhere));
        synced.report.diagnostics.extend(resolved);
        return;
    }
    let store = store.unwrap_or_default();
    let mut sources = sources(session);
    let swaps = session.swapped_instances();
    let moved = |instance: &EcoString| -> Vec<EcoString> {
        let of = swaps.iter().filter(|swap| swap.instances.contains(instance));
        of.map(|swap| swap.line.clone()).collect()
    };
    for (instance, versions) in &store.instances {
        let Some(kept) = versions.last() else { continue };
        let (number, previous) = (kept.version.number + 1, Some(kept.version.digest()));
        let next = |state| {
            let moved = moved(instance);
            Version { instance: instance.clone(), number, previous, state, moved }
        };
        let (version, became) = match (kept.version.parts(), sources.remove(instance)) {
            (None, None) => continue,
            (Some(_), None) => (next(State::Deleted), Became::Deleted),
            (None, Some(parts)) => (next(State::Active(parts)), Became::Created),
            (Some(before), Some(parts)) if !is_same(before, &parts) => {
                (next(State::Active(parts)), Became::Changed)
            }
            (Some(before), Some(parts)) => match renamed(before, &parts) {
                Some(parts) => {
                    (Version { state: State::Active(parts), ..kept.version.clone() }, Became::Renamed)
                }
                None => continue,
            },
        };
        write(version, became, env, edited, synced);
    }
    for (instance, parts) in sources {
        let moved = moved(&instance);
        let version = Version { instance, number: 1, previous: None, state: State::Active(parts), moved };
        write(version, Became::Created, env, edited, synced);
    }
    verify(session, edited, synced);
}

fn write(version: Version, became: Became, env: Option<&EcoString>, edited: &Edited, synced: &mut Synced) {
    let path = store::path(env.map(EcoString::as_str), &version.instance, version.number);
    edited.set(&path, Some(version.text().as_bytes()));
    let Version { instance, number, .. } = version;
    synced.activated.push(Activated { instance, env: env.cloned(), version: number, became });
}

/// What is read from the store must be what was read from the sources; else nothing is written.
fn verify(sources: &mut Session, edited: &Arc<Edited>, synced: &mut Synced) {
    let options = Options { active: true, ..sources.options().clone() };
    let mut session = Session::open(edited.clone(), options);
    let activated = session.compile_plainly();
    let failed = activated.report.has_errors();
    let same = match (sources.compile_plainly().graph, activated.graph) {
        (Some(from_sources), Some(from_store)) => from_sources.desired() == from_store.desired(),
        _ => false,
    };
    if !same {
        if failed {
            synced.report.diagnostics.extend(activated.report.diagnostics);
        }
        let place = Place::File(FileId::new(store::STORE_FOLDER));
        let problem = Diagnostic::new(UNEXPLAINED, place, "what was activated is not what the sources say");
        let problem = problem.help("this is a fault of gops: please report it");
        synced.report.diagnostics.push(problem.resolved(&crate::project::origins::Nowhere));
    }
}

/// The files of all instances, by id.
fn sources(session: &mut Session) -> BTreeMap<EcoString, Vec<Part>> {
    session.load_instances();
    let program = session.program();
    let renderer = Renderer::new(&program);
    let mut all = BTreeMap::new();
    let shards: Vec<_> = session.all_shards().collect();
    for shard in shards {
        let units = shard.units(&session.db);
        for (file, unit) in units.iter().zip(queries::shard_instances(&session.db, shard).iter()) {
            let mut parts = parts(session, *file);
            for instance in &unit.instances {
                let id = renderer.id(&Reference { ty: instance.ty, key: instance.key.clone() });
                if let Some(parts) = parts.get_mut(instance.id.item as usize).map(std::mem::take) {
                    all.insert(id, parts);
                }
            }
        }
    }
    all
}

/// The files of the instances of a unit, by their numbers in it.
fn parts(session: &Session, file: SourceFile) -> Vec<Vec<Part>> {
    let db = &session.db;
    let Some(unit) = file.unit(db) else { return Vec::new() };
    let files = files_of(db, file, unit);
    if !unit.each {
        let whole = |file: &SourceFile| {
            let bytes = file.content(db).as_ref().ok()?;
            let text = std::str::from_utf8(bytes).ok()?;
            Some(Part { path: file.path(db).path().into(), content: Content::File(text.into()) })
        };
        return vec![files.iter().filter_map(whole).collect()];
    }
    let program = session.program();
    let slice = program.find(&unit.slice).and_then(|id| program.record(id));
    let Some(slice) = slice else { return Vec::new() };
    let read: Vec<_> = files
        .iter()
        .filter_map(|file| {
            let parsed = parse(db, *file, true);
            let text = String::from_utf8_lossy(file.content(db).as_ref().ok()?).into_owned();
            let index = LineIndex::new(&text);
            Some((file.path(db), parsed.document?, parsed.spans, parsed.empty, text, index))
        })
        .collect();
    let documents: Vec<Doc<'_>> = read
        .iter()
        .map(|(file, document, _, empty, ..)| Doc { file: *file, document, empty: *empty })
        .collect();
    let item = |(doc, node): (Doc<'_>, u32)| {
        let path = doc.file.path();
        let (_, document, spans, _, text, index) = read.iter().find(|(file, ..)| *file == doc.file)?;
        let line = index.line_column(text, spans.value(node).range().start).line;
        let text = items::text(document, node, path.ends_with(".json"))?;
        Some(Part { path: path.into(), content: Content::Item { line, text } })
    };
    let items = apart(slice, &documents).items;
    items.into_iter().map(|parts| parts.into_iter().filter_map(item).collect()).collect()
}

/// Whether two versions say the same, but for white space, comments, quotes and the order of what
/// has none.
fn is_same(before: &[Part], now: &[Part]) -> bool {
    let same = |(before, now): (&Part, &Part)| match (&before.content, &now.content) {
        _ if is_json(before) != is_json(now) => false,
        (Content::File(a), Content::File(b)) if a == b => true,
        (a, b) => match (read(before, a), read(now, b)) {
            (Some(a), Some(b)) => same_node((&a, Document::ROOT), (&b, Document::ROOT)),
            _ => false,
        },
    };
    before.len() == now.len() && before.iter().zip(now).all(same)
}

fn is_json(part: &Part) -> bool {
    part.path.ends_with(".json")
}

fn read(part: &Part, content: &Content) -> Option<Document> {
    let (Content::File(text) | Content::Item { text, .. }) = content;
    let file = FileId::new(&part.path);
    let parsed = match is_json(part) {
        true => parse_json(file, text.as_bytes(), &Limits::default()),
        false => parse_yaml(file, text.as_bytes(), &Limits::default()),
    };
    parsed.document
}

/// Whether two nodes are the same, in whatever order the entries of mappings stand. (The parsers
/// limit how deep that goes.)
fn same_node(a: (&Document, u32), b: (&Document, u32)) -> bool {
    let (x, y) = (a.0.node(a.1), b.0.node(b.1));
    if x.octal != y.octal || x.value != y.value {
        return false;
    }
    match x.value {
        NodeKind::Sequence(_) => {
            a.0.children(a.1).zip(b.0.children(b.1)).all(|(m, n)| same_node((a.0, m), (b.0, n)))
        }
        NodeKind::Mapping(_) => {
            let entries: BTreeMap<_, _> = b.0.children(b.1).map(|n| (b.0.key(n), n)).collect();
            a.0.children(a.1)
                .all(|m| entries.get(&a.0.key(m)).is_some_and(|n| same_node((a.0, m), (b.0, *n))))
        }
        _ => true,
    }
}

/// The files under their names of now, if those are others. The text stays: a comment that was
/// changed is no reason to touch a version.
fn renamed(before: &[Part], now: &[Part]) -> Option<Vec<Part>> {
    let moves = before.iter().zip(now).any(|(a, b)| a.path != b.path);
    moves.then(|| now.iter().zip(before).map(|(n, b)| Part { path: n.path.clone(), ..b.clone() }).collect())
}
