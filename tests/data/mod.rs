//! The parsers of documents against the test suites of their formats, and against each other.

mod edits;
mod json_suite;
mod laws;
mod outcomes;
mod pages;
mod properties;
mod sops_files;
mod tree;
mod write_back;
mod yaml_events;
mod yaml_suite;

use gops::base::FileId;
use gops::data::Parsed;

/// A file to name in diagnostics.
fn file() -> FileId {
    FileId::new("slices/test/a")
}

/// The ids of what was reported, sorted, each once.
fn codes(parsed: &Parsed) -> Vec<&'static str> {
    let mut codes: Vec<_> = parsed.diagnostics.iter().map(|d| d.code.id()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}
