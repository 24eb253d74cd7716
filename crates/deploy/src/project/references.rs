//! That what is referred to is there.

use rustc_hash::FxHashSet;

use crate::db::{Database, Db as _};
use crate::diag::codes::{instance, project as codes};
use crate::diag::{Diagnostic, nearest, nearest_few};
use crate::eval::world::PendingReference;
use crate::eval::{Reference, Value};
use crate::model::{Program, TypeId};
use crate::syntax::ast::RecordKind;

use super::assemble::Objects;
use super::creators::creators;
use super::graphs::{Maker, Runs};
use super::queries::{self, Evaluation, UnitInstances};
use super::render::Renderer;
use super::world::DbWorld;

/// Reports references, in data and in models, to what is not there.
pub(super) fn check(db: &Database, runs: &Runs, objects: &Objects, problems: &mut Vec<Diagnostic>) {
    let program = runs.program();
    let mut seen = FxHashSet::default();
    let data = runs.units.iter().flat_map(|(_, unit, _)| &unit.references);
    let mut unread = None;
    let mut may_be_unread = |pending: &PendingReference| {
        unread.get_or_insert_with(|| Unread::new(db, runs)).has(&pending.reference)
    };
    for pending in data.filter(|p| !is_there(db, program, objects, p)) {
        // The same key in a model is a consequence of the one in the data.
        seen.insert(pending.reference.clone());
        if !may_be_unread(pending) {
            problems.push(dangling(db, program, objects, pending));
        }
    }
    let mut unfinished = None;
    for (maker, output) in runs.makers() {
        if output.references.iter().all(|p| is_there(db, program, objects, p)) {
            continue;
        }
        let unfinished = unfinished.get_or_insert_with(|| unfinished_makers(db, runs));
        for pending in traced(db, maker).iter().filter(|p| !is_there(db, program, objects, p)) {
            let consequence = seen.contains(&pending.reference)
                || may_be_made(program, unfinished, pending.reference.ty)
                || may_be_unread(pending);
            if !consequence {
                problems.push(dangling(db, program, objects, pending));
            }
        }
    }
}

/// Files of which no instance, or not every one, could be read: with their texts, in which a key
/// that is missed may stand.
struct Unread {
    texts: Vec<Text>,
}

impl Unread {
    fn new(db: &Database, runs: &Runs) -> Self {
        let mut texts = Vec::new();
        for (file, unit, _) in &runs.units {
            let Some(declared) = db.source(*file).unit(db) else { continue };
            let whole = !unit.instances.is_empty() && !declared.each;
            let wrong = unit.diagnostics.iter().any(Diagnostic::is_error);
            // Without an error of its own, it has none because of one in the model.
            if whole || (declared.each && !wrong) {
                continue;
            }
            let Some(slice) = runs.program().find(&declared.slice) else { continue };
            let refused = unit.diagnostics.iter().any(|d| d.code == instance::REFINEMENT);
            texts.extend(super::origins::text(db, *file).map(|text| Text { slice, text, refused }));
        }
        Unread { texts }
    }

    /// Whether the instance that is meant may be in a file that could not be read: enough is said
    /// of that file.
    fn has(&self, reference: &Reference) -> bool {
        let mut texts = self.texts.iter().filter(|text| text.slice == reference.ty);
        texts.any(|text| reference.key.iter().all(|part| stands_in(part, text)))
    }
}

/// A file that could not be read.
struct Text {
    slice: TypeId,
    text: String,
    /// Whether a value in it was refused: a key perhaps, for how it is spelt.
    refused: bool,
}

/// Whether a part of a key stands in a text, as a word of its own.
fn stands_in(part: &Value, whole: &Text) -> bool {
    let text = whole.text.as_str();
    let word = match part {
        Value::Str(word) => word.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Ref(reference) => return reference.key.iter().all(|part| stands_in(part, whole)),
        _ => return true,
    };
    let apart = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let as_it_is = text.match_indices(&word).any(|(at, _)| {
        apart(text[..at].chars().next_back()) && apart(text[at + word.len()..].chars().next())
    });
    if as_it_is || !whole.refused || text.len() > LONG {
        return as_it_is;
    }
    // A key that was refused for its spelling is written in another way where it is meant.
    let words = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
    let mut words = words.filter(|w| !w.is_empty());
    match word.len() {
        0..4 => words.any(|w| w.eq_ignore_ascii_case(&word)),
        _ => nearest(&word, words).is_some(),
    }
}

/// A text in which near words are no longer looked for.
const LONG: usize = 64 << 10;

/// The references that a run makes, with the places in the data that their keys come from.
fn traced(db: &Database, maker: Maker<'_>) -> Vec<PendingReference> {
    let world = DbWorld::tracing(db);
    let output = match maker {
        Maker::Instance(instance) => crate::eval::run_instance(&world, instance),
        Maker::Entity(entity) => match queries::objects(db, entity.ty).by_reference.get(entity) {
            Some(object) => crate::eval::run_entity(&world, object),
            None => return Vec::new(),
        },
    };
    output.references
}

/// The slices and entities of which an instance could not be read, or an `impl` not be run, to
/// the end.
fn unfinished_makers(db: &Database, runs: &Runs) -> FxHashSet<TypeId> {
    let stopped = |e: &Evaluation, at: usize| {
        e.outputs.get(at).is_some_and(|o| o.stopped.is_some() || !o.diagnostics.is_empty())
    };
    let mut found = FxHashSet::default();
    for (file, unit, evaluation) in &runs.units {
        let instances = unit.instances.iter().enumerate();
        let wrong = !unit.diagnostics.is_empty();
        found.extend(instances.filter(|(at, _)| wrong || stopped(evaluation, *at)).map(|(_, i)| i.ty));
        if wrong {
            let slice = db.source(*file).unit(db).as_ref().and_then(|u| runs.program().find(&u.slice));
            found.extend(slice);
        }
    }
    found.extend(runs.entities.iter().filter(|(_, e)| stopped(e, 0)).map(|(r, _)| r.ty));
    found
}

/// Whether an object that is not there may be missing for no other reason than that what makes it
/// has a mistake: enough is said of that.
fn may_be_made(program: &Program, unfinished: &FxHashSet<TypeId>, ty: TypeId) -> bool {
    if unfinished.is_empty() || is_slice(program, ty) {
        return false;
    }
    let makers = creators(program, ty);
    makers.slices.iter().chain(&makers.entities).any(|maker| unfinished.contains(maker))
}

/// Whether everything that a unit refers to is there.
pub(super) fn all_there(
    db: &Database,
    program: &Program,
    objects: &Objects,
    unit: &UnitInstances,
    evaluation: &Evaluation,
) -> Option<()> {
    let made = evaluation.outputs.iter().flat_map(|o| &o.references);
    unit.references.iter().chain(made).all(|p| is_there(db, program, objects, p)).then_some(())
}

fn is_slice(program: &Program, ty: TypeId) -> bool {
    program.record(ty).is_some_and(|r| r.kind == RecordKind::Slice)
}

fn is_there(db: &Database, program: &Program, objects: &Objects, pending: &PendingReference) -> bool {
    let reference = &pending.reference;
    match is_slice(program, reference.ty) {
        true => queries::find(db, program, reference.ty, &reference.key).is_some(),
        false => objects.contains_key(reference),
    }
}

fn dangling(db: &Database, program: &Program, objects: &Objects, pending: &PendingReference) -> Diagnostic {
    let reference = &pending.reference;
    let renderer = Renderer::new(program);
    let id = renderer.id(reference);
    let name = program.ty(reference.ty).decl().name;
    let (primary, other) = match pending.data {
        Some(data) => (data, Some(pending.place)),
        None => (pending.place, None),
    };
    let message = format!("there is no `{}`", crate::graph::id::shown(&id));
    let mut problem = Diagnostic::new(codes::DANGLING_REFERENCE, primary, message);
    if let Some(place) = other {
        problem = problem.label(place, format!("this refers to a `{name}` by its key"));
    }
    let near = written(&reference.key).map(|key| nearest_keys(db, program, objects, reference.ty, &key));
    match near.unwrap_or_default().as_slice() {
        [near] if pending.data.is_some() => {
            let text = crate::base::id::is_plain(near).then_some(near.as_str());
            let problem = problem.help(format!("did you mean `{near}`?"));
            match text {
                Some(text) => problem.fix(format!("write `{text}`"), false, primary, text),
                None => problem,
            }
        }
        [first @ .., last] => {
            let first: String = first.iter().map(|near| format!("`{near}`, ")).collect();
            let first = first.strip_suffix(", ").map_or_else(String::new, |f| format!("{f} or "));
            problem.help(format!("did you mean {first}`{last}`?"))
        }
        [] if is_slice(program, reference.ty) => {
            problem.help(format!("add an instance of `{name}` with this key, or refer to one that there is"))
        }
        [] => problem.help(format!("no `impl` makes it: construct it, or refer to a `{name}` that exists")),
    }
}

fn written(key: &[Value]) -> Option<String> {
    match key {
        [Value::Str(text)] => Some(text.to_string()),
        _ => None,
    }
}

/// The keys that are nearest to one that is not there.
fn nearest_keys(db: &Database, program: &Program, objects: &Objects, ty: TypeId, key: &str) -> Vec<String> {
    let mut keys: Vec<String> = match is_slice(program, ty) {
        true => queries::slice_instances(db, ty)
            .iter()
            .filter_map(|v| if let Value::Ref(r) = v { written(&r.key) } else { None })
            .collect(),
        false => objects.keys().filter(|r| r.ty == ty).filter_map(|r| written(&r.key)).collect(),
    };
    keys.sort();
    keys.dedup();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    nearest_few(key, &keys).into_iter().map(str::to_owned).collect()
}
