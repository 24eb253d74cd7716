//! Files and folders: `Directory`, `TextFile`, `CopyFile`, `Symlink`; and parts of files, in
//! [`part`].
//!
//! Invariants: nothing outside the target's roots is touched, and no link is followed; what is
//! seen at a path is the old file or the new one, never less; nobody can read it who may not
//! read it in the end; and nothing is removed that is not as it was when the removal was planned.

mod drift;
mod look;
mod part;
mod path;
mod principal;
mod reach;
mod record;
mod remove;
mod rights;
mod search;
mod spec;
mod stamp;
mod sync;
mod write;

#[cfg(test)]
mod tests;

use ecow::EcoString;

use crate::graph::{GraphValue, Node};

use super::{
    Actual, Apply, Cost, Delete, Diff, Done, Effect, Examined, Fault, FieldChange, Found, Handler, Look,
    Need, Problem, Recorded, Rights, Seen, Session, Shown, Thing,
};
use drift::LetBe;
use look::Looker;
use part::{Asked, PartLooker, PartWriter};
use record::{Last, wanted_sha256};
use remove::Remover;
use spec::{Content, Kind, Spec, print_of};
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
        let mut problems =
            if part::is_part(&node.type_) { part::validate(node) } else { Spec::mistakes(node) };
        problems.extend(rights::problem(node));
        problems
    }

    fn claims(&self, node: &Node) -> Vec<EcoString> {
        if part::is_part(&node.type_) {
            return part::claims(node);
        }
        Spec::path_of(node).map(|path| vec![spec::claim(path)]).unwrap_or_default()
    }

    fn needs(&self, node: &Node) -> Vec<Need> {
        if part::is_part(&node.type_) {
            return part::needs(node);
        }
        Spec::path_of(node).map(spec::needs).unwrap_or_default()
    }

    fn examine(&self, node: &Node) -> Examined {
        let mut examined = match part::is_part(&node.type_) {
            true => part::examine(node),
            false => examine(node),
        };
        examined.problems.extend(rights::problem(node));
        examined
    }

    fn rights(&self, thing: Thing<'_>) -> Option<Rights> {
        rights::rights(thing)
    }

    fn sources(&self, node: &Node) -> Vec<(String, String)> {
        match Spec::read(node).map(|spec| spec.content) {
            Ok(Content::Project { path, sha256 }) => {
                vec![(path.trim_start_matches('/').to_owned(), sha256.to_owned())]
            }
            _ => Vec::new(),
        }
    }

    fn lists(&self, kind: &str) -> bool {
        Kind::of(kind) == Some(Kind::Directory)
    }

    fn within(&self, claim: &str) -> Vec<EcoString> {
        let folders = spec::folders_of(claim);
        if folders.is_empty() { part::within(claim) } else { folders }
    }

    fn remember(&self, node: &Node) -> EcoString {
        let fields = match part::is_part(&node.type_) {
            true => part::remember(node),
            false => Spec::read(node).map(|spec| record::remember(&spec)).unwrap_or_default(),
        };
        rights::keep(fields, [Thing::Wanted(node)])
    }

    fn merge(&self, last: &Recorded, intended: &Recorded) -> EcoString {
        rights::keep(part::merge(last, intended), [Thing::Known(intended), Thing::Known(last)])
    }

    fn marked(&self, session: &Session<'_>) -> Option<Result<Vec<Found>, Fault>> {
        Some(search::marked(session))
    }

    fn may_be(&self, found: &str, kind: &str) -> bool {
        // A file does not say where its bytes came from.
        let form = |kind| Kind::of(kind).map(Kind::file_type);
        form(found).is_some() && form(found) == form(kind)
    }

    fn observe(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Result<Seen, Fault>> {
        let files = |batch: &[Look<'_>]| match Looker::new(session) {
            Ok(mut looker) => batch.iter().map(|look| looker.look(look)).collect(),
            Err(fault) => batch.iter().map(|_| Err(fault.clone())).collect::<Vec<_>>(),
        };
        let parts = |batch: &[Look<'_>]| match PartLooker::new(session) {
            Ok(mut looker) => batch.iter().map(|look| looker.look(look)).collect(),
            Err(fault) => batch.iter().map(|_| Err(fault.clone())).collect(),
        };
        split(batch, |look| part::is_part(look.kind), parts, files)
    }

    fn diff(&self, node: &Node, last: Option<&Recorded>, actual: &Actual) -> Diff {
        if part::is_part(&node.type_) {
            return part::diff(node, last, actual);
        }
        let Ok(spec) = Spec::read(node) else { return Diff::default() };
        let last = last.and_then(|last| Last::read(last).ok());
        let let_be = LetBe::of(node, &spec, last.as_ref());
        let content = content_change(&spec, node, last.as_ref(), actual).filter(|_| !let_be.content);
        let mut changes: Vec<FieldChange> = content.into_iter().collect();
        let left = [("owner", let_be.owner), ("group", let_be.group), ("mode", let_be.mode)];
        for (name, shown) in [("owner", Shown::Plain), ("group", Shown::Plain), ("mode", Shown::Octal)] {
            // Null is not managed. What a file had before gops set its owner nobody knows, so an
            // owner that is no longer given stays.
            let Some(to) = node.fields.get(name).filter(|value| **value != GraphValue::Null) else {
                continue;
            };
            let from = actual.fields.get(name);
            if spec.kind == Kind::Link && name == "mode" || from == Some(to) || left.contains(&(name, true)) {
                continue;
            }
            changes.push(change(name, from.cloned(), Some(to.clone()), shown));
        }
        Diff { changes }
    }

    fn apply(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>> {
        let files = |batch: &[Apply<'_>]| match Writer::new(session, batch.len()) {
            Ok(mut writer) => writer.write(batch),
            Err(fault) => batch.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
        };
        let parts = |batch: &[Apply<'_>]| {
            let asked: Vec<Asked<'_>> = batch.iter().copied().map(Asked::Put).collect();
            match PartWriter::new(session, batch.len(), true) {
                Ok(writer) => writer.write(&asked).into_iter().map(part::put).collect(),
                Err(fault) => batch.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
            }
        };
        let ended = split(batch, |apply| part::is_part(apply.kind), parts, files);
        let record = |(effect, request): (Effect<Recorded>, &Apply<'_>)| match effect {
            Effect::Done(recorded) => Effect::Done(rights::kept(recorded, request.node)),
            other => other,
        };
        ended.into_iter().zip(batch).map(record).collect()
    }

    fn delete(&self, session: &Session<'_>, batch: &[Delete<'_>]) -> Vec<Effect<Done>> {
        let files = |batch: &[Delete<'_>]| match Remover::new(session, batch.len()) {
            Ok(mut remover) => remover.remove(batch),
            Err(fault) => batch.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
        };
        let parts = |batch: &[Delete<'_>]| {
            let asked: Vec<Asked<'_>> = batch.iter().copied().map(Asked::Take).collect();
            match PartWriter::new(session, batch.len(), false) {
                Ok(writer) => writer.write(&asked).into_iter().map(part::taken).collect(),
                Err(fault) => batch.iter().map(|_| Effect::NoEffect(fault.clone())).collect(),
            }
        };
        split(batch, |delete| part::is_part(delete.kind), parts, files)
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

    /// What is made durable together.
    fn concurrency(&self) -> usize {
        16_384
    }
}

/// Has those of a batch that are something done in one way, and the others in another; the answers
/// are in the order of the batch.
fn split<R: Copy, E>(
    batch: &[R],
    is: impl Fn(&R) -> bool,
    some: impl Fn(&[R]) -> Vec<E>,
    others: impl Fn(&[R]) -> Vec<E>,
) -> Vec<E> {
    if !batch.iter().any(&is) {
        return others(batch);
    }
    let (these, rest): (Vec<R>, Vec<R>) = batch.iter().partition(|request| is(request));
    let rest = if rest.is_empty() { Vec::new() } else { others(&rest) };
    let (mut these, mut rest) = (some(&these).into_iter(), rest.into_iter());
    batch.iter().filter_map(|request| if is(request) { these.next() } else { rest.next() }).collect()
}

/// What is said of a whole file.
fn examine(node: &Node) -> Examined {
    let problems = Spec::mistakes(node);
    let path = node.fields.get("path").and_then(GraphValue::as_str).filter(|_| problems.is_empty());
    match path {
        Some(path) => {
            let (claims, needs) = (vec![spec::claim(path)], spec::needs(path));
            Examined { problems, claims, needs, ..Examined::default() }
        }
        None => Examined { problems, ..Examined::default() },
    }
}

fn change(field: &str, from: Option<GraphValue>, to: Option<GraphValue>, shown: Shown) -> FieldChange {
    FieldChange { field: field.into(), from, to, cost: Cost::Live, shown }
}

fn content_change(spec: &Spec<'_>, node: &Node, last: Option<&Last>, actual: &Actual) -> Option<FieldChange> {
    let found = |name: &str| actual.fields.get(name).cloned();
    let digest = || {
        let parts = ["sha256", "size"].map(|name| found(name).map(|value| (name.into(), value)));
        GraphValue::map(parts.into_iter().flatten().collect())
    };
    let has = actual.fields.get("sha256").and_then(GraphValue::as_str);
    let (field, same, from, shown) = match spec.content {
        Content::Entries | Content::Later { .. } => return None,
        Content::Link(to) => {
            let same = actual.fields.get("to").and_then(GraphValue::as_str) == Some(to);
            ("to", same, found("to"), Shown::Plain)
        }
        Content::Text(_) => {
            let same = has == wanted_sha256(spec).as_deref();
            ("content", same, Some(found("content").unwrap_or_else(digest)), Shown::Lines)
        }
        Content::Secret(secret) => {
            let print = actual.fields.get("print").and_then(GraphValue::as_str);
            // Until it is opened, it is what was applied last if it is made of the same.
            let known = print_of(secret).or_else(|| {
                let last = last.filter(|last| last.secret().is_some_and(|name| secret.name() == name))?;
                last.print().map(EcoString::from)
            });
            let same = known.is_some() && known.as_deref() == print;
            ("content", same, found("content"), Shown::Plain)
        }
        Content::Project { sha256, .. } => ("sha256", has == Some(sha256), found("sha256"), Shown::Plain),
    };
    (!same).then(|| change(field, from, node.fields.get(field).cloned(), shown))
}
