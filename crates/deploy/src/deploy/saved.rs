//! A plan that is kept in a file, to be agreed to by somebody and done by something else.
//!
//! It binds what it was made from: which ledger, and where that was at, what is wanted, and the
//! approvals. It says for each resource what is done, and of the values only a print, keyed with
//! what the ledger alone knows: whoever reads the file learns no value, and cannot try values either.

use ecow::EcoString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::graph::{Allow, id};
use crate::project::config::Limit;
use crate::state::Snapshot;

use super::Error;
use super::planning::plan::{Action, Entry, Plan};
use super::run::Observer;

/// The format of the file.
pub const PLAN_FORMAT: u32 = 1;

/// How many resources a message names.
const NAMED: usize = 5;

/// A plan as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// [`PLAN_FORMAT`]
    pub format: u32,
    /// The gops that made it: another one may plan otherwise.
    pub version: String,
    /// What it was made for, for whoever is to do it.
    pub made_for: MadeFor,
    /// The digest of the ledger's lineage; none if there was no ledger.
    pub ledger: Option<String>,
    /// How many commits the ledger had.
    pub serial: u64,
    /// How often its lock had been taken.
    pub epoch: u64,
    /// The revision of the sources, if they are in Git.
    pub revision: Option<String>,
    /// The digest of what is to exist.
    pub desired: String,
    /// How many deletions the sources allow: the limit, and what was approved.
    pub approvals: Vec<String>,
    /// What is done, in the order of the plan.
    pub entries: Vec<SavedEntry>,
}

/// What a plan was made for, as it was said on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeFor {
    /// The project's ledger.
    pub project: String,
    /// The environment.
    pub env: Option<String>,
    /// `--root`, as an absolute path.
    pub root: Option<String>,
    /// `--only`
    pub only: Vec<String>,
    /// `--target`
    pub targets: Vec<String>,
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedEntry {
    /// Its id.
    pub id: String,
    /// What happens.
    pub action: String,
    /// The fields that change.
    pub fields: Vec<String>,
    /// Tells whether all else is the same: from what to what each changes, and what it waits for.
    pub print: String,
}

/// What a plan is bound to besides what is in it.
pub(super) struct Bound<'a> {
    pub made_for: MadeFor,
    pub ledger: &'a Snapshot,
    pub revision: Option<&'a EcoString>,
    pub allow: &'a [Allow],
    pub limit: Option<Limit>,
}

impl SavedPlan {
    /// Keeps a plan.
    pub(super) fn of(plan: &Plan, bound: &Bound<'_>) -> Self {
        let ledger = bound.ledger;
        let is_new = ledger.generations.is_empty() && ledger.rows.is_empty() && ledger.revision.epoch == 0;
        SavedPlan {
            format: PLAN_FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_for: bound.made_for.clone(),
            ledger: (!is_new).then(|| digest(&["ledger", &ledger.lineage])),
            serial: ledger.revision.serial,
            epoch: ledger.revision.epoch,
            revision: bound.revision.map(EcoString::to_string),
            desired: plan.desired.to_string(),
            approvals: approvals(bound),
            entries: entries(plan, (!is_new).then_some(&ledger.lineage)),
        }
    }

    /// Refuses it if the ledger, whose lock was just taken, is not where it was.
    pub(super) fn fits_ledger(&self, ledger: &Snapshot) -> Result<(), Error> {
        let moved = |what: String| Err(Error::SavedPlan { what });
        if self.version != env!("CARGO_PKG_VERSION") {
            let ours = env!("CARGO_PKG_VERSION");
            return moved(format!("gops {} made it, and this is gops {ours}", self.version));
        }
        let is_new = ledger.generations.is_empty() && ledger.rows.is_empty();
        match &self.ledger {
            None if is_new => return Ok(()),
            None => return moved("there was no ledger when it was made, and now there is one".to_owned()),
            Some(known) if *known != digest(&["ledger", &ledger.lineage]) => {
                return moved("it was made with another ledger".to_owned());
            }
            Some(_) => {}
        }
        // Taking the lock is a commit of its own, and alone changes nothing: a try that was refused
        // does not use a plan up.
        let commits = |serial: u64, epoch: u64| serial.saturating_sub(epoch);
        let now = commits(ledger.revision.serial, ledger.revision.epoch);
        match now.checked_sub(commits(self.serial, self.epoch)) {
            Some(0) => Ok(()),
            Some(more) => {
                let s = if more == 1 { "" } else { "s" };
                moved(format!("the ledger has {more} commit{s} more than when it was made"))
            }
            None => moved("the ledger is older than the one that it was made with".to_owned()),
        }
    }

    /// Refuses it if the sources are not what they were.
    pub(super) fn fits_sources(&self, plan: &str, bound: &Bound<'_>) -> Result<(), Error> {
        let moved = |what: String| Err(Error::SavedPlan { what });
        let revision = bound.revision.map(EcoString::as_str);
        if self.desired != plan {
            let name = |revision: Option<&str>| {
                revision.map_or("outside Git".to_owned(), |r| r.chars().take(12).collect())
            };
            let of = match self.revision.as_deref() == revision {
                true => String::new(),
                false => format!(" ({} then, {} now)", name(self.revision.as_deref()), name(revision)),
            };
            return moved(format!("the project wants something else than when it was made{of}"));
        }
        if self.revision.as_deref() != revision {
            return moved("the sources are of another revision than when it was made".to_owned());
        }
        if self.approvals != approvals(bound) {
            return moved("gops.toml allows other deletions than when it was made".to_owned());
        }
        Ok(())
    }

    /// What is to be done now and is not what it says, or the other way round, by id.
    fn differences(&self, now: &Plan, lineage: &EcoString) -> Vec<String> {
        let now = entries(now, self.ledger.is_some().then_some(lineage));
        let missing = self.entries.iter().filter(|entry| !now.contains(entry));
        let new = now.iter().filter(|entry| !self.entries.contains(entry));
        let mut ids: Vec<String> =
            missing.chain(new).map(|entry| id::shown(&entry.id).into_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// Agrees to a plan if it is the one that was kept, and asks nobody else.
pub(super) struct Same<'a> {
    pub observer: &'a mut dyn Observer,
    pub saved: &'a SavedPlan,
    pub lineage: EcoString,
    pub differences: Vec<String>,
}

impl Observer for Same<'_> {
    fn planned(&mut self, plan: &Plan) -> bool {
        self.differences = self.saved.differences(plan, &self.lineage);
        self.differences.is_empty() && self.observer.planned(plan)
    }

    fn progress(&mut self, progress: &super::Progress<'_>) {
        self.observer.progress(progress);
    }
}

impl Same<'_> {
    /// Why the plan was not done, if that is why.
    pub(super) fn error(&self) -> Option<Error> {
        if self.differences.is_empty() {
            return None;
        }
        let named: Vec<String> = self.differences.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
        let more = match self.differences.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let what = format!(
            "something else is to be done with {}{more}: what is there has changed",
            named.join(", ")
        );
        Some(Error::SavedPlan { what })
    }
}

fn approvals(bound: &Bound<'_>) -> Vec<String> {
    let limit = bound.limit.map(|limit| match limit {
        Limit::Count(count) => format!("{count}"),
        Limit::Percent(share) => format!("{share}%"),
    });
    let allow = bound.allow.iter().map(|allow| format!("{} from {}", allow.deletions, allow.base));
    limit.into_iter().chain(allow).collect()
}

fn entries(plan: &Plan, lineage: Option<&EcoString>) -> Vec<SavedEntry> {
    plan.entries.iter().map(|entry| saved(entry, lineage)).collect()
}

fn saved(entry: &Entry, lineage: Option<&EcoString>) -> SavedEntry {
    let fields: Vec<String> = entry.action.changes().iter().map(|change| change.field.to_string()).collect();
    // Without a ledger there is no key, and nothing of ours from which anything could change.
    let all = match (lineage, &entry.action) {
        (None, _) => format!("{:?}", entry.blocked),
        // What is made is part of what is wanted, which is bound as a whole.
        (Some(_), Action::Create { again, .. }) => format!("{again} {:?}", entry.blocked),
        (Some(_), Action::Transient { .. }) => format!("{:?}", entry.blocked),
        (Some(_), action) => format!("{action:?} {:?}", entry.blocked),
    };
    SavedEntry {
        id: entry.id.to_string(),
        action: entry.action.word().to_owned(),
        fields,
        print: digest(&["entry", lineage.map_or("", |l| l), &entry.target, &all]),
    }
}

/// The SHA-256 of texts, each with its length.
fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
