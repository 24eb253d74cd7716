//! The history of a deployer: the generations of its ledger, never Git, where history can be
//! rewritten.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::{EcoString, eco_format};

use crate::graph::{Graph, GraphBuilder, State};
use crate::history::receipt::{Known, Receipt};
use crate::project::EarlierProject;
use crate::project::history::KeptFiles;
use crate::state::{Condition, Generation, Snapshot, Store, StoreError};

use super::Error;
use super::planning::parts::owner;

/// Compiles a project, once the ledger has said what was before.
pub trait Source {
    /// The graph, with this history; without one, as the project is now. `None` if the project has
    /// mistakes, which have been said.
    fn graph(&mut self, history: Option<&[EarlierProject]>) -> Option<GraphBuilder>;

    /// Whether the model asks what became of elements.
    fn looks_at_data(&self) -> bool;

    /// The files that are kept with a generation.
    fn kept_files(&self) -> KeptFiles;

    /// The files that differ from the commit that the graph says it is of.
    fn changed_files(&self) -> Vec<String> {
        Vec::new()
    }

    /// What whoever deploys this has seen of the history: for its receipt.
    fn known(&self) -> Known {
        Known::default()
    }

    /// Nothing more is asked of it: what the graph was made from can go.
    fn let_go(&mut self) {}
}

/// A graph that was compiled before.
impl Source for GraphBuilder {
    fn graph(&mut self, _: Option<&[EarlierProject]>) -> Option<GraphBuilder> {
        Some(self.clone())
    }

    fn looks_at_data(&self) -> bool {
        false
    }

    fn kept_files(&self) -> KeptFiles {
        KeptFiles::default()
    }
}

/// What a run knows of the time before it, for the generation that it may start.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// The generations that the graph was compiled with; 0 stands for nothing.
    pub history: Vec<u64>,
    /// The digest of the data, if the model asks what became of it.
    pub data: EcoString,
    /// The files that are kept.
    pub files: Vec<(EcoString, Arc<[u8]>)>,
    /// Who deploys.
    pub author: EcoString,
    /// Why, if not because the sources are so.
    pub cause: EcoString,
    /// What is to be said.
    pub notes: Vec<String>,
    /// The files of the projects that the graph was compiled with.
    pub systems: Vec<Arc<dyn crate::base::System>>,
}

/// The number that stands for a project in which there was nothing.
const NOTHING: u64 = 0;

/// How many generations are searched for what is not settled.
const SEARCHED: usize = 50;

/// Compiles with the history that the ledger has.
pub(super) fn compile(
    source: &mut dyn Source,
    ledger: &Snapshot,
    store: &mut dyn Store,
) -> Result<(GraphBuilder, Past), Error> {
    let graph = source.graph(None).ok_or(Error::Mistakes)?;
    let data = match source.looks_at_data() {
        true => graph.header().source.data.clone(),
        false => EcoString::new(),
    };
    let desired = graph.desired().to_string();
    let last = ledger.generations.last();
    let resumed = last.filter(|last| last.desired == desired && last.data == data);
    if resumed.is_some_and(|last| last.finished.is_some()) {
        return Ok((graph, Past { data, ..Past::default() }));
    }
    // A generation that was started is never compiled again with another history.
    let history = match resumed {
        Some(last) => last.history.clone(),
        None => history(&graph, ledger, store)?,
    };
    let mut past = Past { history, data, ..Past::default() };
    // What a later model asks of this one is not known: it may say that something moved since.
    let kept = if resumed.is_none() { source.kept_files() } else { KeptFiles::default() };
    if !past.data.is_empty() {
        past.notes = kept.left_out.iter().map(|path| left_out(path)).collect();
    }
    past.files = kept.files;
    // With nothing before, only what asks for what became of elements makes a difference.
    if past.history.is_empty() && past.data.is_empty() {
        return Ok((graph, past));
    }
    let earlier: Vec<EarlierProject> = past
        .history
        .iter()
        .map(|number| match *number {
            NOTHING => {
                Ok(Some(EarlierProject { name: "the first deploy".into(), ..EarlierProject::default() }))
            }
            number => earlier(store, number),
        })
        .filter_map(Result::transpose)
        .collect::<Result<_, Error>>()?;
    let graph = source.graph(Some(&earlier)).ok_or(Error::Mistakes)?;
    past.systems = earlier.iter().filter_map(|earlier| earlier.files.clone()).collect();
    Ok((graph, past))
}

fn left_out(path: &str) -> String {
    format!(
        "{path} has a secret that stands plain, so it is not kept: encrypt that, or what helps to take down what it makes is left out"
    )
}

/// The newest generation that was finished, then the others that are not settled.
fn history(graph: &GraphBuilder, ledger: &Snapshot, store: &mut dyn Store) -> Result<Vec<u64>, Error> {
    if ledger.generations.is_empty() {
        return Ok(Vec::new());
    }
    let finished = ledger.generations.iter().rev().find(|generation| generation.finished.is_some());
    let finished = finished.map_or(NOTHING, |generation| generation.number);
    let mut open = unsettled_ids(graph, ledger);
    let mut history = vec![finished];
    for generation in ledger.generations.iter().rev().take(SEARCHED) {
        // What was deployed last is always there: whatever became of it, it was the last word.
        let is_last = ledger.generations.last().is_some_and(|last| last.number == generation.number);
        if open.is_empty() && !is_last {
            break;
        }
        if generation.number == finished {
            if let Some(was) = kept_graph(store, generation.number)? {
                open.retain(|id| !made(&was, id));
            }
            continue;
        }
        let Some(was) = kept_graph(store, generation.number)? else { continue };
        let found: Vec<EcoString> = open.iter().filter(|id| made(&was, id)).cloned().collect();
        if !found.is_empty() || is_last {
            history.push(generation.number);
            open.retain(|id| !found.contains(id));
        }
    }
    Ok(history)
}

/// What the ledger has that is not wanted any more, is about to go, or is under way.
fn unsettled_ids(graph: &GraphBuilder, ledger: &Snapshot) -> BTreeSet<EcoString> {
    let moved: BTreeSet<&str> = graph.header().moves.iter().map(|m| m.from.as_str()).collect();
    let wanted = |id: &EcoString| moved.contains(owner(id)) || made(graph, owner(id));
    let rows = ledger.rows.values().filter(|row| row.condition == Condition::Deposed || !wanted(&row.key.id));
    let intents = ledger.intents.values().map(|intent| &intent.row.key.id);
    rows.map(|row| &row.key.id).chain(intents).map(|id| owner(id).into()).collect()
}

/// What is to be said of a ledger to those who have no access to it. Of what was seen of the
/// history, `Source::known` tells.
pub(super) fn receipt(
    graph: &GraphBuilder,
    ledger: &Snapshot,
    scope: Option<BTreeSet<EcoString>>,
) -> Option<Receipt> {
    let last = ledger.generations.last()?;
    let header = graph.header();
    let wanted = |id: &EcoString| made(graph, owner(id));
    let rows = ledger.rows.values().filter(|row| row.condition == Condition::Deposed || !wanted(&row.key.id));
    let intents = ledger.intents.values().map(|intent| &intent.row);
    Some(Receipt {
        project: header.project.clone(),
        env: header.env.clone(),
        lineage: ledger.lineage.clone(),
        scope,
        generation: last.number,
        finished: last.finished.is_some(),
        revision: (!last.revision.is_empty()).then(|| last.revision.clone()),
        desired: last.desired.clone(),
        known: Known::default(),
        pending: rows.chain(intents).map(|row| owner(&row.key.id).into()).collect(),
    })
}

/// Says in a receipt what was seen of the history: of moves those alone that are carried out.
pub(super) fn seen(receipt: &mut Receipt, graph: &GraphBuilder, known: Known) {
    let left = graph.header().moves.iter().any(|moved| receipt.pending.contains(&moved.from));
    let moves = if left || !receipt.finished { BTreeSet::new() } else { known.moves };
    receipt.known = Known { moves, ..known };
}

fn made(graph: &GraphBuilder, id: &str) -> bool {
    graph.get(id).is_some_and(|node| node.state == State::Present)
}

pub(super) fn kept_graph(store: &mut dyn Store, number: u64) -> Result<Option<GraphBuilder>, Error> {
    let Some(generation) = store.generation(number)? else { return Ok(None) };
    read_graph(&generation)
}

fn read_graph(generation: &Generation) -> Result<Option<GraphBuilder>, Error> {
    let Some(text) = &generation.graph else { return Ok(None) };
    match Graph::parse(text.as_bytes()) {
        Ok(graph) => Ok(Some(graph.seal())),
        Err(error) => {
            Err(StoreError::Damaged(format!("the graph of generation {}: {error}", generation.number)).into())
        }
    }
}

fn earlier(store: &mut dyn Store, number: u64) -> Result<Option<EarlierProject>, Error> {
    let Some(generation) = store.generation(number)? else { return Ok(None) };
    let graph = read_graph(&generation)?;
    let name = eco_format!("generation {number}");
    // One that an older gops started may have kept nothing.
    let kept = !generation.data.is_empty() || !generation.files.is_empty();
    Ok(Some(match kept {
        false => EarlierProject { name, graph, ..EarlierProject::default() },
        true => EarlierProject { graph, ..EarlierProject::kept(name, &generation.files) },
    }))
}
