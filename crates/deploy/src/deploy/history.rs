//! What a ledger tells of the deploys before: a generation for each change of what is wanted, with
//! all that was done for it, from the journal.

use std::collections::BTreeMap;

use ecow::EcoString;

use crate::base::id;
use crate::handler::Timestamp;
use crate::state::{
    Closed, Condition, End, Entry, Generation, Operation, Row, Snapshot, SqliteStore, Store as _,
    ledger_folder,
};

use super::Error;
use super::run::Options;

/// A generation, and what was done for it: by the deploy that started it, by those that went on with
/// it and by those that repaired what it had made.
#[derive(Clone, Debug, PartialEq)]
pub struct Chapter {
    /// Its graph and its files are left out.
    pub generation: Generation,
    /// In order.
    pub events: Vec<Happened>,
}

/// Something that was done, or tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When it was begun.
    pub time: Timestamp,
    /// The id of the resource.
    pub id: EcoString,
    /// What was done.
    pub what: Deed,
    /// What became of it.
    pub outcome: Ended,
}

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An effect on a target.
    Effect(Operation),
    /// A row left the ledger, without one.
    Leaves(End),
}

/// What became of something that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was done; how that is known.
    Done(EcoString),
    /// It had no effect; why.
    NoEffect(EcoString),
    /// Nobody knows yet.
    Open,
}

/// How many of each were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Made.
    pub created: usize,
    /// Changed, taken over or moved.
    pub changed: usize,
    /// Taken away.
    pub deleted: usize,
    /// Left where they were, and not known any more.
    pub left: usize,
    /// Tried without effect.
    pub failed: usize,
    /// Begun, and nobody knows what became of it.
    pub unknown: usize,
}

impl Chapter {
    /// How many of each.
    pub fn deeds(&self) -> Deeds {
        let mut deeds = Deeds::default();
        for event in &self.events {
            let count = match (&event.outcome, event.what) {
                (Ended::Open, _) => &mut deeds.unknown,
                (Ended::NoEffect(_), _) => &mut deeds.failed,
                (Ended::Done(_), Deed::Effect(Operation::Create)) => &mut deeds.created,
                (Ended::Done(_), Deed::Effect(Operation::Delete)) => &mut deeds.deleted,
                (Ended::Done(_), Deed::Effect(_)) => &mut deeds.changed,
                (Ended::Done(_), Deed::Leaves(_)) => &mut deeds.left,
            };
            *count += 1;
        }
        deeds
    }
}

/// All generations of a project's ledger, the oldest first.
pub fn history(options: &Options) -> Result<Vec<Chapter>, Error> {
    let folder = ledger_folder(options.state.as_deref(), &options.project, options.environment.as_deref())?;
    let Some(mut store) = SqliteStore::open_existing(&folder)? else { return Ok(Vec::new()) };
    let ledger = store.load()?;
    Ok(chapters(&ledger, &store.journal(0)?))
}

/// What a ledger knows of one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Its row, that of the incarnation which stays if there are several.
    pub row: Row,
    /// When it was made or taken over, with the number of the generation.
    pub made: Option<(u64, Happened)>,
    /// When it was changed last since then.
    pub last: Option<(u64, Happened)>,
    /// Why the last try had no effect, if it had none.
    pub failed: Option<EcoString>,
    /// All generations.
    pub generations: Vec<Generation>,
}

/// What a project's ledger knows of the resource with this id, in full or as it is shown.
pub fn known(options: &Options, written: &str) -> Result<Option<Known>, Error> {
    let folder = ledger_folder(options.state.as_deref(), &options.project, options.environment.as_deref())?;
    let Some(mut store) = SqliteStore::open_existing(&folder)? else { return Ok(None) };
    let ledger = store.load()?;
    let is_it = |row: &&Row| row.key.id == written || id::shown(&row.key.id) == written;
    let rank = |row: &&Row| (row.condition != Condition::Deposed, row.key.incarnation);
    let Some(row) = ledger.rows.values().filter(is_it).max_by_key(rank).cloned() else { return Ok(None) };
    let chapters = chapters(&ledger, &store.journal(0)?);
    let mut known = Known { row, made: None, last: None, failed: None, generations: ledger.generations };
    for chapter in chapters {
        let number = chapter.generation.number;
        for event in chapter.events.into_iter().filter(|event| event.id == known.row.key.id) {
            known.failed = None;
            match (&event.outcome, event.what) {
                (Ended::Done(_), Deed::Effect(Operation::Create | Operation::Adopt)) => {
                    (known.made, known.last) = (Some((number, event)), None);
                }
                (Ended::Done(_), _) => known.last = Some((number, event)),
                (Ended::NoEffect(why), _) => known.failed = Some(why.clone()),
                (Ended::Open, _) => {}
            }
        }
    }
    Ok(Some(known))
}

/// All generations of a ledger, the oldest first.
pub(super) fn chapters(ledger: &Snapshot, journal: &[Entry]) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = ledger
        .generations
        .iter()
        .map(|generation| Chapter { generation: generation.clone(), events: Vec::new() })
        .collect();
    let numbers: BTreeMap<u64, usize> =
        chapters.iter().enumerate().map(|(at, chapter)| (chapter.generation.number, at)).collect();
    let mut current: Option<usize> = None;
    // Where each intent that is open at that point of the journal stands.
    let mut open: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for entry in journal {
        if let ("started", Some(number)) = (entry.event.as_str(), entry.subject.strip_prefix("generation ")) {
            current = number.parse().ok().and_then(|number: u64| numbers.get(&number).copied());
            if let Some(chapter) = current.and_then(|at| chapters.get_mut(at))
                && chapter.generation.started == Timestamp::default()
            {
                // An older gops kept that in the journal alone.
                chapter.generation.started = entry.time;
            }
            continue;
        }
        let Some(at) = current else { continue };
        let Some(chapter) = chapters.get_mut(at) else { continue };
        if let Some(operation) = Operation::parse(&entry.event) {
            let intent = entry.detail.strip_prefix("intent ").and_then(|rest| rest.split(' ').next());
            open.extend(intent.map(|number| (number, (at, chapter.events.len()))));
            chapter.events.push(Happened {
                time: entry.time,
                id: entry.subject.clone(),
                what: Deed::Effect(operation),
                outcome: Ended::Open,
            });
        } else if let Some(closed) = Closed::parse(&entry.event) {
            let number = entry.subject.strip_prefix("intent ").unwrap_or_default();
            let Some((at, event)) = open.remove(number) else { continue };
            if let Some(event) = chapters.get_mut(at).and_then(|chapter| chapter.events.get_mut(event)) {
                event.outcome = match closed {
                    Closed::Done => Ended::Done(entry.detail.clone()),
                    Closed::NoEffect => Ended::NoEffect(entry.detail.clone()),
                };
            }
        } else if entry.event == "dropped" {
            chapter.events.extend(left(entry));
        }
    }
    chapters
}

/// A row that left the ledger without an effect; what was taken away was an effect.
fn left(entry: &Entry) -> Option<Happened> {
    let detail = entry.detail.strip_prefix("incarnation ")?;
    let (_, detail) = detail.split_once(' ')?;
    let (end, evidence) = detail.split_once(": ")?;
    let end = End::parse(end)?;
    if matches!(end, End::Gone | End::Moved | End::HandedOver) {
        return None;
    }
    Some(Happened {
        time: entry.time,
        id: entry.subject.clone(),
        what: Deed::Leaves(end),
        outcome: Ended::Done(evidence.into()),
    })
}
