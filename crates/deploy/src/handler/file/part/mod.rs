//! Parts of files that others own: a line, a block of lines, keys of a document.
//!
//! Invariants: whatever of a file is not a managed part keeps its bytes, and the file its owner,
//! mode and attributes; several parts of one file are one write; what is taken out leaves the file
//! as it would be without it, and a file that was made for a part goes with the last one.

mod block;
mod body;
mod keys;
mod line;
mod look;
mod mark;
mod open;
mod record;
mod spec;
mod state;
mod words;
mod write;

use ecow::EcoString;

use crate::graph::Node;
use crate::handler::{Actual, Diff, Examined, Need, Problem, Recorded};

use super::spec::{claim, folders_of, needs as needs_of};
use record::Known;
use spec::PartSpec;

pub(super) use look::PartLooker;
pub(super) use spec::{Kind, TYPES};
pub(super) use write::{Asked, PartWriter, put, taken};

/// Whether a type is one of parts.
pub(super) fn is_part(kind: &str) -> bool {
    Kind::of(kind).is_some()
}

/// What is wrong with the fields of a part.
pub(super) fn validate(node: &Node) -> Vec<Problem> {
    spec::mistakes(node)
}

/// What a part holds for itself, if nothing is wrong with it.
pub(super) fn claims(node: &Node) -> Vec<EcoString> {
    if spec::mistakes(node).is_empty() { spec::claims(node) } else { Vec::new() }
}

/// The folders that the file of a part lies in.
pub(super) fn needs(node: &Node) -> Vec<Need> {
    node.fields.get("path").and_then(crate::graph::GraphValue::as_str).map(needs_of).unwrap_or_default()
}

/// All of it in one.
pub(super) fn examine(node: &Node) -> Examined {
    let problems = spec::mistakes(node);
    if !problems.is_empty() {
        return Examined { problems, ..Examined::default() };
    }
    Examined { problems, claims: spec::claims(node), shares: spec::shares(node), needs: needs(node) }
}

/// The file that something with this claim is in, and the folders of that.
pub(super) fn within(claimed: &str) -> Vec<EcoString> {
    let Some(path) = spec::file_of(claimed) else { return Vec::new() };
    let file = claim(&path);
    let folders = folders_of(&file);
    std::iter::once(file).chain(folders).collect()
}

/// What the ledger keeps of a part.
pub(super) fn remember(node: &Node) -> EcoString {
    PartSpec::read(node).map(|spec| Known::of(&spec).write()).unwrap_or_default()
}

/// What has to be cleared once an update may have happened.
pub(super) fn merge(last: &Recorded, intended: &Recorded) -> EcoString {
    match (Known::read(last), Known::read(intended)) {
        (Ok(last), Ok(intended)) if last.is_part() => last.merged(intended).write(),
        _ => last.fields.clone(),
    }
}

/// What has to change.
pub(super) fn diff(node: &Node, last: Option<&Recorded>, actual: &Actual) -> Diff {
    let Ok(spec) = PartSpec::read(node) else { return Diff::default() };
    let last = last.and_then(|last| Known::read(last).ok());
    Diff { changes: state::changes(&spec, last.as_ref(), &actual.fields) }
}
