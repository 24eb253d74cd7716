//! The ledger of what was made, and its journal.
//!
//! A ledger belongs to one project in one environment. It holds a row for each thing that gops
//! made or took over, an intent for each effect that is under way, and a generation for each
//! deploy. [`Store`] keeps it; a commit is atomic, durable, computed from one revision and
//! refused at any other. [`Coord`] lets one deployer in at a time.
//!
//! Deliberately absent: any decision. What a row means for a run, `deploy` knows.

mod columns;
mod journal;
mod ledger;
mod memory;
mod place;
mod rows;
mod sqlite;
mod store;
mod transfer;

#[cfg(test)]
mod conformance;

pub use journal::{Entry, broken};
pub use ledger::{
    Change, Closed, Condition, End, Generation, Holding, Intent, Operation, Place, Revision, Row, RowKey,
    SUSPECT, Snapshot,
};
pub use memory::MemoryStore;
pub use place::{holder, ledger_folder, print_key, project_id};
pub use rows::Rows;
pub use sqlite::SqliteStore;
pub use store::{Coord, Holder, LockError, Rebuilt, Store, StoreError};
