//! Files and folders: `Directory`, `TextFile`, `CopyFile`, `Symlink`.
//!
//! Invariants: nothing outside the target's roots is touched, and no link is followed; what is
//! seen at a path is the old file or the new one, never less; nobody can read it who may not
//! read it in the end; and nothing is removed that is not as it was when the removal was planned.

mod look;
mod path;
mod principal;
mod reach;
mod record;
mod remove;
mod spec;
mod stamp;
mod sync;
mod write;

#[cfg(test)]
mod tests;

use ecow::EcoString;

use crate::graph::{GraphValue, Node};

use super::{
    Actual, Apply, Cost, Delete, Diff, Done, Effect, Examined, Fault, FieldChange, Handler, Look, Need,
    Problem, Recorded, Seen, Session, Shown,
};
use look::Looker;
use record::{Last, wanted_sha256};
use remove::Remover;
use spec::{Content, Kind, Spec};
use write::Writer;

/// The handler `file`.
pub(super) struct FileHandler;

impl Handler for FileHandler {
    fn name(&self) -> &'static str {
        "file"
    }

    fn version(&self) -> u32 {
        1
    }

    fn validate(&self, node: &Node) -> Vec<Problem> {
        Spec::mistakes(node)
    }

    fn claims(&self, node: &Node) -> Vec<EcoString> {
        Spec::path_of(node).map(|path| vec![spec::claim(path)]).unwrap_or_default()
    }

    fn needs(&self, node: &Node) -> Vec<Need> {
        Spec::path_of(node).map(spec::needs).unwrap_or_default()
    }

    fn examine(&self, node: &Node) -> Examined {
        let problems = Spec::mistakes(node);
        let path = node.fields.get("path").and_then(GraphValue::as_str).filter(|_| problems.is_empty());
        match path {
            Some(path) => Examined { problems, claims: vec![spec::claim(path)], needs: spec::needs(path) },
            None => Examined { problems, ..Examined::default() },
        }
    }

    fn within(&self, claim: &str) -> Vec<EcoString> {
        spec::folders_of(claim)
    }

    fn remember(&self, node: &Node) -> EcoString {
        Spec::read(node).map(|spec| record::remember(&spec)).unwrap_or_default()
    }

    fn observe(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Result<Seen, Fault>> {
        match Looker::new(session) {
            Ok(mut looker) => batch.iter().map(|look| looker.look(look)).collect(),
            Err(fault) => batch.iter().map(|_| Err(fault.clone())).collect(),
        }
    }

    fn diff(&self, node: &Node, _last: Option<&Recorded>, actual: &Actual) -> Diff {
        let Ok(spec) = Spec::read(node) else { return Diff::default() };
        let mut changes: Vec<FieldChange> = content_change(&spec, node, actual).into_iter().collect();
        for (name, shown) in [("owner", Shown::Plain), ("group", Shown::Plain), ("mode", Shown::Octal)] {
            // Null is not managed. What a file had before gops set its owner nobody knows, so an
            // owner that is no longer given stays.
            let Some(to) = node.fields.get(name).filter(|value| **value != GraphValue::Null) else {
                continue;
            };
            let from = actual.fields.get(name);
            if spec.kind == Kind::Link && name == "mode" || from == Some(to) {
                continue;
            }
            changes.push(change(name, from.cloned(), Some(to.clone()), shown));
        }
        Diff { changes }
    }

    fn apply(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>> {
        match Writer::new(session, batch.len()) {
            Ok(mut writer) => writer.write(batch),
            Err(fault) => batch.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
        }
    }

    fn delete(&self, session: &Session<'_>, batch: &[Delete<'_>]) -> Vec<Effect<Done>> {
        match Remover::new(session, batch.len()) {
            Ok(mut remover) => remover.remove(batch),
            Err(fault) => batch.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
        }
    }

    fn discard(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Result<(), Fault>> {
        let mut remover = match Remover::new(session, batch.len()) {
            Ok(remover) => remover,
            Err(fault) => return batch.iter().map(|_| Err(fault.clone())).collect(),
        };
        let mut one = |request: &Apply<'_>| {
            let Some(recorded) = request.recorded else { return Ok(()) };
            let last = Last::read(recorded)?;
            let kind = Kind::of(request.kind).unwrap_or(Kind::Text);
            remover.discard(last.path()?, kind, request.token.as_str())
        };
        batch.iter().map(&mut one).collect()
    }

    fn concurrency(&self) -> usize {
        4096
    }
}

fn change(field: &str, from: Option<GraphValue>, to: Option<GraphValue>, shown: Shown) -> FieldChange {
    FieldChange { field: field.into(), from, to, cost: Cost::Live, shown }
}

fn content_change(spec: &Spec<'_>, node: &Node, actual: &Actual) -> Option<FieldChange> {
    let found = |name: &str| actual.fields.get(name).cloned();
    let digest = || {
        let parts = ["sha256", "size"].map(|name| found(name).map(|value| (name.into(), value)));
        GraphValue::map(parts.into_iter().flatten().collect())
    };
    let has = actual.fields.get("sha256").and_then(GraphValue::as_str);
    let (field, same, from, shown) = match spec.content {
        Content::Entries => return None,
        Content::Link(to) => {
            let same = actual.fields.get("to").and_then(GraphValue::as_str) == Some(to);
            ("to", same, found("to"), Shown::Plain)
        }
        Content::Text(_) => {
            let same = has == wanted_sha256(spec).as_deref();
            ("content", same, Some(found("content").unwrap_or_else(digest)), Shown::Lines)
        }
        Content::Project { sha256, .. } => ("sha256", has == Some(sha256), found("sha256"), Shown::Plain),
    };
    (!same).then(|| change(field, from, node.fields.get(field).cloned(), shown))
}
