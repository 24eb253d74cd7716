//! How things stand, as the ledger knows them: read while a deploy writes, without a look at any
//! target.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ecow::EcoString;

use crate::graph::State;
use crate::handler::Timestamp;
use crate::state::{
    Condition, Generation, Holder, Operation, Revision, Row, Snapshot, SqliteStore, Store as _, holder,
    ledger_folder,
};

use super::history::{Chapter, Ended, chapters};
use super::run::Options;
use super::{Error, past};

/// How things stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The folder of the ledger.
    pub folder: PathBuf,
    /// Which ledger it is, random and made once with it.
    pub lineage: EcoString,
    /// Where it is at.
    pub revision: Revision,
    /// Who is at work, if somebody is; what is known of them.
    pub holder: Option<Option<Holder>>,
    /// The generation that was started last.
    pub generation: Option<Generation>,
    /// By id of the target how many resources are there.
    pub targets: BTreeMap<EcoString, usize>,
    /// What is not as it is to be, by id.
    pub open: Vec<Standing>,
}

/// Something that is not as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The id of the resource.
    pub id: EcoString,
    /// How it stands.
    pub how: Stands,
}

/// How something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// An effect was begun and nobody knows what became of it, or it is under way.
    Unknown(Operation, Timestamp),
    /// It was tried last with no effect; why.
    Failed(EcoString),
    /// It is to be made.
    ToMake,
    /// It is to be changed.
    ToChange,
    /// It is to be taken away.
    ToDelete,
    /// It was made, and is not ready yet.
    Unready,
    /// Nobody knows whether it is ours.
    Doubt,
    /// It is no longer wanted, and protected.
    Retained,
}

impl Status {
    /// Whether everything is as it is to be.
    pub fn is_settled(&self) -> bool {
        self.open.is_empty() && self.generation.as_ref().is_none_or(|last| last.finished.is_some())
    }
}

/// How things stand with a project; none if it was never deployed.
pub fn status(options: &Options) -> Result<Option<Status>, Error> {
    let folder = ledger_folder(options.state.as_deref(), &options.project, options.environment.as_deref())?;
    let Some(mut store) = SqliteStore::open_existing(&folder)? else { return Ok(None) };
    let ledger = store.load()?;
    let mut targets: BTreeMap<EcoString, usize> = BTreeMap::new();
    for row in ledger.rows.values() {
        *targets.entry(row.place.target.clone()).or_default() += 1;
    }
    let mut open: BTreeMap<EcoString, Stands> = BTreeMap::new();
    let last = ledger.generations.last().cloned();
    let unfinished = last.as_ref().filter(|last| last.finished.is_none());
    if let Some(graph) =
        unfinished.map(|last| past::kept_graph(&mut store, last.number)).transpose()?.flatten()
    {
        for node in graph.iter().filter(|node| node.state == State::Present) {
            match live(&ledger, &node.id) {
                None => drop(open.insert(node.id.clone(), Stands::ToMake)),
                Some(row) if row.digest != node.desired.to_string() => {
                    open.insert(node.id.clone(), Stands::ToChange);
                }
                Some(_) => {}
            }
        }
        let wanted = |id: &EcoString| graph.get(id).is_some_and(|node| node.state == State::Present);
        for row in ledger.rows.values().filter(|row| !wanted(&row.key.id)) {
            open.insert(row.key.id.clone(), Stands::ToDelete);
        }
    }
    for row in ledger.rows.values() {
        open.extend(stands(row).map(|how| (row.key.id.clone(), how)));
    }
    let journal = store.journal(0)?;
    let story = chapters(&ledger, &journal);
    tried(story.last(), &mut open);
    let since = |number: u64| {
        let begun = journal.iter().rev().find(|entry| {
            let intent = entry.detail.strip_prefix("intent ").and_then(|rest| rest.split(' ').next());
            Operation::parse(&entry.event).is_some() && intent == Some(number.to_string().as_str())
        });
        begun.map_or_else(Timestamp::default, |entry| entry.time)
    };
    for intent in ledger.intents.values() {
        open.insert(intent.row.key.id.clone(), Stands::Unknown(intent.operation, since(intent.number)));
    }
    let generation = story.into_iter().last().map(|chapter| chapter.generation);
    Ok(Some(Status {
        holder: holder(&folder),
        folder,
        lineage: ledger.lineage,
        revision: ledger.revision,
        generation,
        targets,
        open: open.into_iter().map(|(id, how)| Standing { id, how }).collect(),
    }))
}

/// The incarnation of a resource that stays.
fn live<'a>(ledger: &'a Snapshot, id: &'a EcoString) -> Option<&'a Row> {
    ledger.rows_of(id).find(|row| row.condition != Condition::Deposed)
}

fn stands(row: &Row) -> Option<Stands> {
    match row.condition {
        Condition::Doubt => Some(Stands::Doubt),
        Condition::Retained => Some(Stands::Retained),
        Condition::Deposed => Some(Stands::ToDelete),
        Condition::Ok if !row.ready => Some(Stands::Unready),
        Condition::Ok => None,
    }
}

/// What is still to be done and was tried last without effect, says why.
fn tried(last: Option<&Chapter>, open: &mut BTreeMap<EcoString, Stands>) {
    for event in last.iter().flat_map(|chapter| &chapter.events) {
        let Some(how) = open.get_mut(&event.id) else { continue };
        let is_open = matches!(how, Stands::ToMake | Stands::ToChange | Stands::ToDelete | Stands::Failed(_));
        if let (Ended::NoEffect(why), true) = (&event.outcome, is_open) {
            *how = Stands::Failed(why.clone());
        }
    }
}
