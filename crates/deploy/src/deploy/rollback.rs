//! Back to what was deployed before: a new deploy of an old generation, from the graph that the
//! ledger keeps. What came since goes, as it does in any deploy.
//!
//! Nothing is compiled: neither the model nor the data of then need be there. What the resources
//! themselves need besides the graph (the bytes of copied files, secrets) is looked for in the files
//! that the generation kept, in the commit that it was of, and in the project as it is now; what is
//! nowhere is named before anything is done.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use sha2::{Digest as _, Sha256};

use crate::base::{Entry as Listed, MemorySystem, System, SystemError};
use crate::graph::{Allow, Graph, GraphBuilder, GraphValue, Secret, State, id};
use crate::handler::Registry;
use crate::history::receipt::Known;
use crate::project::EarlierProject;
use crate::project::history::KeptFiles;
use crate::secret::{SecretError, Vault};
use crate::state::{Generation, SqliteStore, Store as _, ledger_folder};

use super::engine::outcome::Outcome;
use super::planning::plan::{Action, Plan};
use super::run::{Observer, Options, Progress, run};
use super::{Error, Source, past};

/// How many resources a message names.
const NAMED: usize = 5;

/// How much of a file is in memory while its digest is taken.
const BUFFER: usize = 1 << 16;

/// Deploys an old generation again. `allow` are the approvals of the project as it is now, `moves` its
/// `moved` lines: for the receipt.
pub fn rollback(
    number: u64,
    project: Arc<dyn System>,
    allow: Vec<Allow>,
    moves: BTreeSet<EcoString>,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let (generation, then, now) = generations(number, options)?;
    let graph = again(&then, now.as_ref(), allow)?;
    let mut places = Places::of(&generation, options.repository.as_deref(), project);
    let missing = places.find_all(&graph)?;
    let options = Options {
        // It need follow nothing, and the work tree has no say in it.
        repository: None,
        cause: eco_format!("rollback to generation {number}"),
        ..options.clone()
    };
    let mut guarded = Guarded { observer, missing, wanted: Vec::new() };
    let looks_at_data = !generation.data.is_empty();
    let mut again = Again { graph, moves, files: generation.files, looks_at_data };
    let outcome = run(&mut again, Arc::new(places), &options, &mut guarded)?;
    match guarded.wanted.is_empty() {
        true => Ok(outcome),
        false => Err(unavailable(number, &guarded.wanted)),
    }
}

/// What was to exist then, wanted again.
struct Again {
    graph: GraphBuilder,
    moves: BTreeSet<EcoString>,
    /// The files of then, so that what comes next can ask what was before it.
    files: Vec<(EcoString, Arc<[u8]>)>,
    /// Whether the model of then asked what became of elements.
    looks_at_data: bool,
}

impl Source for Again {
    fn graph(&mut self, _: Option<&[EarlierProject]>) -> Option<GraphBuilder> {
        Some(self.graph.clone())
    }

    fn looks_at_data(&self) -> bool {
        self.looks_at_data
    }

    fn kept_files(&self) -> KeptFiles {
        KeptFiles { files: self.files.clone(), left_out: Vec::new() }
    }

    fn known(&self) -> Known {
        // What is older than the newest versions is there again: none of them has settled.
        Known { versions: BTreeMap::new(), moves: self.moves.clone() }
    }
}

/// The generation, its graph, and the graph of the last one.
fn generations(
    number: u64,
    options: &Options,
) -> Result<(Generation, GraphBuilder, Option<GraphBuilder>), Error> {
    let none = |help: String| Error::NoGeneration { number, help };
    let folder = ledger_folder(options.state.as_deref(), &options.project, options.environment.as_deref())?;
    let Some(mut store) = SqliteStore::open_existing(&folder)? else {
        return Err(none("nothing was deployed yet".to_owned()));
    };
    let known: Vec<u64> = store.load()?.generations.iter().map(|generation| generation.number).collect();
    let Some(generation) = store.generation(number)? else {
        let help = match (known.first(), known.last()) {
            (Some(first), Some(last)) if first < last => {
                format!("there are {first} to {last}: `gops history` lists them")
            }
            (Some(only), _) => format!("{only} is the only one"),
            _ => "nothing was deployed yet".to_owned(),
        };
        return Err(none(help));
    };
    let then = past::kept_graph(&mut store, number)?;
    let then = then.ok_or_else(|| none("an older gops kept no graph of it".to_owned()))?;
    let now = known.last().map(|last| past::kept_graph(&mut store, *last)).transpose()?.flatten();
    Ok((generation, then, now))
}

/// What was to exist then. What came since is absent: that tells where it came from.
fn again(then: &GraphBuilder, now: Option<&GraphBuilder>, allow: Vec<Allow>) -> Result<GraphBuilder, Error> {
    let damaged = |id: &EcoString, problem: String| Error::Graph { id: id.to_string(), problem };
    let mut nodes = Vec::new();
    let mut targets = BTreeMap::new();
    for (graph, state) in [(Some(then), State::Present), (now, State::Absent)] {
        let Some(graph) = graph else { continue };
        let present = graph.sorted().into_iter().filter(|node| node.state == State::Present);
        let is_new = |id: &EcoString| then.get(id).is_none_or(|node| node.state != State::Present);
        for sealed in present.filter(|node| state == State::Present || is_new(&node.id)) {
            let mut node = sealed.read().map_err(|e| damaged(&sealed.id, e.to_string()))?;
            node.state = state;
            nodes.push(node);
        }
        for sealed in graph.sorted_targets() {
            if !targets.contains_key(&sealed.id) {
                let target = sealed.read().map_err(|e| damaged(&sealed.id, e.to_string()))?;
                targets.insert(sealed.id.clone(), target);
            }
        }
    }
    // Only the targets that are named count for what is wanted.
    let named = |id: &EcoString| nodes.iter().any(|node| node.target == *id);
    let targets =
        targets.into_iter().filter(|(id, _)| then.sorted_targets().iter().any(|t| t.id == *id) || named(id));
    let targets: Vec<_> = targets.map(|(_, target)| target).collect();
    let mut header = then.header().clone();
    // Moves of then were made then.
    header.moves.clear();
    header.allow = allow;
    let graph = Graph::new(header, targets, nodes);
    Ok(graph.map_err(|e| damaged(&EcoString::new(), e.to_string()))?.seal())
}

/// Where the files of then may be, the surest place first.
#[derive(Debug)]
struct Places {
    all: Vec<Arc<dyn System>>,
    /// By path the place whose file has the bytes that are wanted.
    chosen: BTreeMap<String, usize>,
}

impl Places {
    fn of(generation: &Generation, repository: Option<&Path>, project: Arc<dyn System>) -> Self {
        let kept = MemorySystem::default();
        generation.files.iter().for_each(|(path, bytes)| kept.write(path, bytes));
        let mut all: Vec<Arc<dyn System>> = vec![Arc::new(kept)];
        all.extend(repository.and_then(|folder| commit(folder, generation.revision.trim_end_matches('+'))));
        all.push(project);
        Places { all, chosen: BTreeMap::new() }
    }

    /// Finds what the resources of a graph need; what is nowhere by the id of who needs it.
    fn find_all(&mut self, graph: &GraphBuilder) -> Result<BTreeMap<EcoString, String>, Error> {
        let registry = Registry::standard();
        let mut vault: Option<Vault> = None;
        let mut missing = BTreeMap::new();
        for sealed in graph.iter().filter(|node| node.state == State::Present) {
            let damaged = |e: crate::graph::ReadError| Error::Graph {
                id: sealed.id.to_string(),
                problem: e.to_string(),
            };
            let node = sealed.read().map_err(damaged)?;
            let sources =
                registry.get(&node.handler).map(|handler| handler.sources(&node)).unwrap_or_default();
            for (path, sha256) in sources {
                if !self.find(&path, &sha256) {
                    missing.insert(node.id.clone(), format!("the bytes of `{path}` as they were then"));
                }
            }
            let mut secrets = Vec::new();
            if node.fields.is_marked() {
                collect(&node.fields, &mut secrets);
            }
            for (source, sha256) in secrets {
                let vault = vault.get_or_insert_with(|| self.vault());
                // Whether there is a key for it the deploy itself says.
                if let Err(
                    SecretError::Missing { .. } | SecretError::Changed { .. } | SecretError::Unread { .. },
                ) = vault.value(&source, sha256.as_deref())
                {
                    missing.insert(node.id.clone(), format!("the secret {source} as it was then"));
                }
            }
        }
        Ok(missing)
    }

    fn vault(&self) -> Vault {
        let mut all = self.all.iter().cloned();
        let first: Arc<dyn System> = all.next().unwrap_or_else(|| Arc::new(MemorySystem::default()));
        let mut vault = Vault::new(first);
        all.for_each(|system| vault.add(system));
        vault
    }

    fn find(&mut self, path: &str, sha256: &str) -> bool {
        let has = |system: &Arc<dyn System>| digest(&**system, path).as_deref() == Some(sha256);
        let found = self.all.iter().position(has);
        if let Some(at) = found {
            self.chosen.insert(path.to_owned(), at);
        }
        found.is_some()
    }

    /// The place of a file: the one that was chosen, else the first that has it.
    fn place<T>(
        &self,
        path: &str,
        ask: impl Fn(&dyn System) -> Result<T, SystemError>,
    ) -> Result<T, SystemError> {
        if let Some(system) = self.chosen.get(path).and_then(|at| self.all.get(*at)) {
            return ask(&**system);
        }
        let mut last = Err(SystemError::NotFound(path.to_owned()));
        for system in &self.all {
            last = ask(&**system);
            if last.is_ok() {
                break;
            }
        }
        last
    }
}

impl System for Places {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        self.place(path, |system| system.read(path))
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read>, SystemError> {
        self.place(path, |system| system.open(path))
    }

    fn list(&self, path: &str) -> Result<Vec<Listed>, SystemError> {
        self.place(path, |system| system.list(path))
    }
}

/// The SHA-256 of a file, in hex, as far as it can be read.
fn digest(system: &dyn System, path: &str) -> Option<String> {
    let mut file = system.open(path).ok()?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => hasher.update(buffer.get(..length)?),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The files of a commit, if it is still there.
#[cfg(feature = "git")]
fn commit(folder: &Path, revision: &str) -> Option<Arc<dyn System>> {
    let repository = crate::git::Repository::open(folder).ok()?;
    let commit = repository.find(revision).ok().filter(|_| !revision.is_empty())?;
    Some(Arc::new(repository.tree(&commit).ok()?))
}

#[cfg(not(feature = "git"))]
fn commit(_: &Path, _: &str) -> Option<Arc<dyn System>> {
    None
}

/// The secrets in a value, by source and hash.
fn collect(value: &GraphValue, into: &mut Vec<(EcoString, Option<EcoString>)>) {
    match value {
        GraphValue::Secret(Secret::Source { source, sha256 }) => into.push((source.clone(), sha256.clone())),
        GraphValue::Secret(Secret::Call(call)) => call.args.iter().for_each(|arg| collect(arg, into)),
        GraphValue::Later(crate::graph::Later::Call(call)) => {
            call.args.iter().for_each(|arg| collect(arg, into))
        }
        GraphValue::List(items) => items.iter().for_each(|item| collect(item, into)),
        GraphValue::Map(entries) => entries.iter().for_each(|(_, value)| collect(value, into)),
        _ => {}
    }
}

/// Does not agree to a plan that needs what is not there any more.
struct Guarded<'a> {
    observer: &'a mut dyn Observer,
    missing: BTreeMap<EcoString, String>,
    /// What it needs of that.
    wanted: Vec<(EcoString, String)>,
}

impl Observer for Guarded<'_> {
    fn planned(&mut self, plan: &Plan) -> bool {
        let writes = |action: &Action| {
            matches!(
                action,
                Action::Create { .. } | Action::Update { .. } | Action::Replace { .. } | Action::Adopt { .. }
            )
        };
        let written = plan.entries.iter().filter(|entry| entry.blocked.is_none() && writes(&entry.action));
        let wanted =
            written.filter_map(|entry| Some((entry.id.clone(), self.missing.get(&entry.id)?.clone())));
        self.wanted = wanted.collect();
        self.wanted.is_empty() && self.observer.planned(plan)
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        self.observer.progress(progress);
    }
}

fn unavailable(number: u64, wanted: &[(EcoString, String)]) -> Error {
    let mut named: Vec<String> =
        wanted.iter().take(NAMED).map(|(id, what)| format!("{} needs {what}", id::shown(id))).collect();
    named.extend(
        wanted.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!("{more} more do so")),
    );
    Error::Unavailable { number, what: named.join("; ") }
}
