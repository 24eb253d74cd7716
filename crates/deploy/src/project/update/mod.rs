//! `gops update`: fills what `assigned` fields lack.
//!
//! One value after the other, in the order of slice, key, path and field; each is written into
//! its file (in memory) before the next is computed. At the end the whole project is checked as
//! it would be. Nothing is on disk by then: the caller writes [`Edited::changes`], or does not.

mod data;
mod fill;
mod migrate;
mod missing;
mod places;
mod rename;
pub(super) mod reserve;
mod sealed;
mod secrets;
mod world;

pub(super) use rename::key_words;
pub use rename::{Renamed, rename};

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId};
use crate::diag::codes::history::PENDING;
use crate::diag::codes::instance::UNASSIGNED;
use crate::diag::{Diagnostic, Place};
use crate::history::lock::{Given, Holder};

use super::session::{Options, Report, Session};

/// Random bytes that nobody can guess: of the operating system, or of a test.
pub trait Chance {
    /// Fills the bytes, or says why it cannot: then nothing is filled with what is no chance.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;
}

/// Writes secrets. They go through no file and no argument in plain.
pub trait Seal {
    /// The encrypted file at `path` with a value at the end of a way. `now` is what it holds;
    /// without it the file is made.
    fn seal(&self, path: &str, now: Option<&[u8]>, way: &[Step], secret: &str) -> Result<Vec<u8>, SealError>;
}

/// A step on the way to a value in an encrypted file.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Into a mapping.
    Key(EcoString),
    /// To the element of a list that has these fields, by which it is the same one in every file of
    /// its instance: they have to stand readable.
    Element(Vec<(EcoString, serde_json::Value)>),
}

/// Why a secret cannot be encrypted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// A value that a field got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filled {
    /// The file that it is written in.
    pub file: FileId,
    /// The element: `shop::Site[name=a].pages[path=/x]`.
    pub element: EcoString,
    /// The field, as data has it.
    pub field: EcoString,
    /// The value; none of a secret.
    pub value: Option<EcoString>,
    /// Whether the element had it before it was deleted, or before the line was.
    pub again: bool,
}

/// What an update comes to.
#[derive(Debug, Default)]
pub struct Update {
    /// What is wrong. With an error nothing is to be written.
    pub report: Report,
    /// The migrations that were applied, with the files that they changed.
    pub migrated: Vec<(FileId, EcoString)>,
    /// What was filled, in order.
    pub filled: Vec<Filled>,
    /// Values that are kept for deletions that are not settled, since this update.
    pub reserved: Vec<EcoString>,
    /// Values that are free again, since this update.
    pub released: Vec<EcoString>,
    /// Whom a value is kept for, since this update, and who has it all the same: somebody wrote it
    /// there, and no `moved` line says that it is the same thing.
    pub shared: Vec<(EcoString, EcoString)>,
}

/// What an update takes from outside.
pub struct Outside<'a> {
    /// Random bytes.
    pub chance: &'a dyn Chance,
    /// How secrets are written.
    pub seal: &'a dyn Seal,
    /// Whether the deletion of an element is settled: nothing that it made is left anywhere.
    pub is_settled: &'a dyn Fn(&str) -> bool,
}

/// Fills what is missing. The session was opened over `edited`, which has the changes in the
/// end; if something is wrong they are not to be used.
pub fn update(session: &mut Session, edited: &Arc<Edited>, outside: &Outside<'_>) -> Update {
    let pools = reserve::Pools::new(&session.program());
    // Looked at while the instances of each environment are there: nothing is read twice.
    let mut held = BTreeMap::new();
    let report = session.check_and(&mut |session| pools.hold(session, &mut held));
    let mut found = Update { report, ..Update::default() };
    if found.report.diagnostics.iter().any(|d| d.code == PENDING) {
        let (migrated, problems) = migrate::migrate(session, edited, &|_| true);
        found.migrated = migrated;
        if !problems.is_empty() {
            found.report.diagnostics = problems;
            return found;
        }
        let paths: Vec<String> = edited.changes().into_keys().collect();
        session.refresh(&paths);
        held.clear();
        found.report = session.check_and(&mut |session| pools.hold(session, &mut held));
    }
    let (missing, others): (Vec<Diagnostic>, Vec<Diagnostic>) =
        std::mem::take(&mut found.report.diagnostics).into_iter().partition(|d| d.code == UNASSIGNED);
    found.report.diagnostics = others;
    if found.report.has_errors() {
        return found;
    }
    if missing.is_empty() && pools.is_empty() {
        return found;
    }
    let lock = match reserve::read(edited) {
        Ok(lock) => lock,
        Err(problem) => {
            found.report.diagnostics.push(*problem);
            return found;
        }
    };
    if missing.is_empty() {
        let settled = fill::settle(&lock, held, outside);
        found.shared = shared(session, &settled);
        (found.reserved, found.released) = (settled.reserved, settled.released);
        if settled.lock != lock {
            reserve::write(edited, settled.lock);
        }
        return found;
    }
    // Each environment sees other instances; a project without any has one view.
    let environments: Vec<String> =
        session.config().iter().flat_map(|c| &c.environments).map(|e| e.name.to_string()).collect();
    let mut others: Vec<Session> = Vec::new();
    for name in &environments {
        let options = Options { env: Some(name.clone()), ..session.options().clone() };
        let mut one = Session::open(edited.clone(), options);
        one.load_instances();
        others.push(one);
    }
    let views: Vec<&mut Session> = match others.is_empty() {
        true => vec![&mut *session],
        false => others.iter_mut().collect(),
    };
    let mut filler = fill::Filler::new(edited, outside, views, lock, &held);
    filler.fill_all();
    let fill::Outcome { filled, problems, touched, settled } = filler.finish();
    found.shared = shared(session, &settled);
    let fill::Settled { lock, reserved, released } = settled;
    found.report.diagnostics.extend(problems);
    if !found.report.has_errors() && filled.is_empty() {
        // What cannot be reached stays missing, and is said as it was.
        found.report.diagnostics.extend(missing);
    }
    (found.filled, found.reserved, found.released) = (filled, reserved, released);
    if found.report.has_errors() {
        return found;
    }
    if !touched.is_empty() {
        session.refresh(&touched);
        found.report = session.check();
    }
    if !found.report.has_errors() {
        reserve::write(edited, lock);
    }
    found
}

/// Who has what is kept for others since this update.
fn shared(session: &Session, settled: &fill::Settled) -> Vec<(EcoString, EcoString)> {
    if settled.reserved.is_empty() {
        return Vec::new();
    }
    let moved = session.moved_instances();
    let is_moved = |from: &str, to: &str| {
        let same = |rest: &str, new: &str| to.strip_prefix(new) == Some(rest);
        moved.iter().any(|(old, new)| from.strip_prefix(old.as_str()).is_some_and(|rest| same(rest, new)))
    };
    let mut found = Vec::new();
    for gone in &settled.reserved {
        let (Some((field, element)), Some(kept)) = (gone.split_once(" of "), settled.lock.reserved.get(gone))
        else {
            continue;
        };
        let has = |(holder, given): (&Holder, &Given)| {
            let (of, other) = holder.split_once(" of ")?;
            let among = given.within.is_empty() || given.within == kept.within;
            let same = of == field && given.value == kept.value && among;
            (same && !is_moved(element, other)).then(|| other.into())
        };
        found.extend(settled.lock.held.iter().filter_map(has).map(|other| (element.into(), other)));
    }
    found
}

/// Applies every migration that is pending for some of the files, in memory, as far as that goes. Says
/// which files changed.
pub(super) fn migrate_all(session: &Session, edited: &Edited, of: &dyn Fn(FileId) -> bool) -> Vec<FileId> {
    let (migrated, _) = migrate::migrate(session, edited, of);
    migrated.into_iter().map(|(file, _)| file).collect()
}

/// A problem of a file as a whole, with its place in bytes.
fn at_file(code: crate::diag::Code, path: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(code, Place::File(FileId::new(path)), message).resolved(&super::origins::Nowhere)
}
