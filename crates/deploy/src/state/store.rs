//! Where ledgers are kept: the two traits, and what can go wrong.

use std::path::PathBuf;

use ecow::EcoString;

use crate::handler::{Timestamp, Token};

use super::journal::Entry;
use super::{Change, Generation, Revision, Snapshot};

/// Keeps one ledger.
pub trait Store: Send {
    /// All of it but the journal and the graphs.
    fn load(&mut self) -> Result<Snapshot, StoreError>;

    /// Makes all changes, durably, or none. Refused if the ledger is not at `at`, which also
    /// fences off a holder whose lock somebody else has taken since. Yields the new revision.
    fn commit(&mut self, at: Revision, now: Timestamp, changes: &[Change]) -> Result<Revision, StoreError>;

    /// Makes changes to a ledger that was old or lost, which from then on is that of a lineage, and later
    /// than all that its targets have accepted: what they accepted before is forgotten.
    fn rebuild(
        &mut self,
        at: Revision,
        now: Timestamp,
        rebuilt: &Rebuilt<'_>,
        changes: &[Change],
    ) -> Result<Revision, StoreError>;

    /// A generation with its graph.
    fn generation(&mut self, number: u64) -> Result<Option<Generation>, StoreError>;

    /// The journal's entries after this number, in order.
    fn journal(&mut self, after: u64) -> Result<Vec<Entry>, StoreError>;
}

/// What a ledger is once it is rebuilt.
#[derive(Clone, Copy, Debug)]
pub struct Rebuilt<'a> {
    /// The lineage that the marks on the targets carry.
    pub lineage: &'a str,
    /// The last epoch that a target has accepted.
    pub epoch: u64,
    /// Who said so.
    pub author: &'a str,
}

/// Makes deployers exclude each other.
pub trait Coord: Send {
    /// Takes the lock, if it is free, and counts the epoch up; `nonce` is kept with the new epoch.
    /// Held until dropped.
    fn acquire(&mut self, holder: &Holder, nonce: &Token) -> Result<Revision, LockError>;
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The number of the process.
    pub process: u32,
    /// The name of the machine.
    pub machine: EcoString,
    /// Since when.
    pub since: Timestamp,
}

/// Why a ledger could not be read or written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum StoreError {
    /// The database says no.
    #[error("cannot {doing} the ledger {path}")]
    #[diagnostic(code(gops::state::database))]
    Database {
        /// `read`, `write`, `open`.
        doing: &'static str,
        /// The file.
        path: String,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The file system says no.
    #[error("cannot {doing} {path}")]
    #[diagnostic(code(gops::state::file))]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The ledger is not at the revision that the commit was computed from.
    #[error("the ledger was changed by another process (serial {found}, expected {expected})")]
    #[diagnostic(
        code(gops::state::changed),
        help("nothing was written; run the command again to see what is to be done now")
    )]
    Changed {
        /// The serial that the commit was computed from.
        expected: u64,
        /// The serial that it has.
        found: u64,
    },
    /// Somebody else has taken the lock since.
    #[error("another deployer has taken over this ledger (epoch {found}, ours is {ours})")]
    #[diagnostic(code(gops::state::fenced), help("nothing more is done by this run"))]
    Fenced {
        /// The epoch of this run.
        ours: u64,
        /// The epoch of the ledger.
        found: u64,
    },
    /// The files of the ledger were moved or deleted while it was open.
    #[error("{path} was moved or deleted while it was in use")]
    #[diagnostic(code(gops::state::displaced), help("nothing more is done by this run"))]
    Displaced {
        /// The file.
        path: String,
    },
    /// A newer gops made the ledger.
    #[error("the ledger {path} has version {found}; this gops knows up to {known}")]
    #[diagnostic(code(gops::state::version), help("use the newer gops that wrote it"))]
    Version {
        /// The file.
        path: String,
        /// The version that it has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The ledger holds what no gops writes.
    #[error("the ledger is damaged: {0}")]
    #[diagnostic(
        code(gops::state::damaged),
        help("restore the ledger from a copy; nothing was changed by this run")
    )]
    Damaged(String),
    /// What was to be imported is no ledger.
    #[error("this is no ledger that can be imported: {0}")]
    #[diagnostic(
        code(gops::state::import),
        help("`gops state export FILE` writes one; the ledger is as it was")
    )]
    Import(String),
    /// Locks do not work there.
    #[error("{path} is on a network file system ({kind}), where locks cannot be relied on")]
    #[diagnostic(
        code(gops::state::network),
        help("keep the ledger on a local disk: `--state DIR` names the place")
    )]
    Network {
        /// The folder.
        path: String,
        /// `NFS`.
        kind: &'static str,
    },
    /// There is no place for it.
    #[error("neither XDG_STATE_HOME nor HOME says where ledgers are kept")]
    #[diagnostic(code(gops::state::homeless), help("name the place with `--state DIR`"))]
    Homeless,
}

impl StoreError {
    /// Turns an error of the file system into one that says what was tried, where.
    pub(super) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> StoreError {
        let path = path.into().display().to_string();
        move |source| StoreError::File { doing, path, source }
    }
}

/// Why the lock could not be taken.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LockError {
    /// Another deployer is at work.
    #[error("another gops holds this ledger: {}", said(.holder))]
    #[diagnostic(
        code(gops::state::locked),
        help("wait until it is done; a lock never outlives the process that holds it")
    )]
    Held {
        /// What the lock's file says about the holder.
        holder: Option<Holder>,
    },
    /// The ledger could not be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

fn said(holder: &Option<Holder>) -> String {
    match holder {
        Some(h) => format!("process {} on {}, since {}", h.process, h.machine, h.since),
        None => "it does not say who it is".to_owned(),
    }
}
