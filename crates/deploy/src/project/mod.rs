//! One call for everybody: a project in, diagnostics and a graph out.
//!
//! A [`Session`] loads a project into the database, asks the queries, and puts their answers
//! together. What is computed from what:
//!
//! ```text
//! gops.toml, *.gops ── parsed_model ── checked_model ── program ─┐
//! slices/** ── instances (a file) ── shard_keys ── KeyBucket ────┤
//!                   └── evaluation (a file) ── shard_objects ── objects (a type)
//!                             └── graphs: gathered, merged, assembled ── the graph
//! ```

pub mod active;
mod assemble;
mod assigned;
pub mod config;
mod cost;
mod creators;
mod draft;
mod duplicates;
#[cfg(test)]
mod faulty;
mod graphs;
pub mod guard;
mod hidden;
pub mod history;
mod index;
pub mod layout;
mod lenient;
mod migrations;
mod object_checks;
mod origins;
mod queries;
mod reach;
pub mod receipts;
mod references;
mod relations;
mod render;
pub mod review;
pub mod revision;
pub mod scaffold;
pub mod schema;
pub mod session;
mod sources;
pub mod stdlib;
mod testing;
pub mod transaction;
mod units;
pub mod update;
pub mod walk;
mod world;

pub use config::Config;
pub use history::EarlierProject;
pub use session::{Compiled, Options, Report, Session, TestOutcome};

use crate::model::Program;

/// Whether a model calls `files()`, so that the list of all files is an input.
fn uses_files(program: &Program) -> bool {
    program.uses_files
}
