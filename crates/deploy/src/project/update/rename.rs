//! Another key for an instance, and everything that goes with it in one reviewed step: its file,
//! the references of others, `assigned.lock`, and the line that tells that it is the same thing.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId, System as _};
use crate::data::edit::{Change, Format, Source, apply, edits};
use crate::data::{Document, Limits, NodeKind, parse_json, parse_yaml_documents};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::{Instance, Key, Reference, Value};
use crate::history::lock::{Given, Holder, Lock};
use crate::model::{Program, Type, TypeId};
use crate::project::queries;
use crate::project::session::{Report, Session};
use crate::project::units::within_document;

/// What came of a rename.
#[derive(Debug, Default)]
pub struct Renamed {
    /// What is wrong. With an error nothing is to be written.
    pub report: Report,
    /// How many references of others follow.
    pub references: usize,
    /// The lines that were added to models, and the files.
    pub moved: Vec<(FileId, String)>,
}

/// Gives the instance of a slice with the key `old` the key `new`, in memory: a word for each
/// field of the key.
pub fn rename(
    session: &mut Session,
    edited: &Arc<Edited>,
    slice: TypeId,
    old: &[String],
    new: &[String],
) -> Renamed {
    let mut renamed = Renamed { report: session.check(), ..Renamed::default() };
    if renamed.report.has_errors() {
        return renamed;
    }
    if let Err(problem) = carry_out(session, edited, slice, (old, new), &mut renamed) {
        renamed.report.diagnostics.push(*problem);
    }
    renamed
}

fn carry_out(
    session: &mut Session,
    edited: &Arc<Edited>,
    slice: TypeId,
    (old, new): (&[String], &[String]),
    renamed: &mut Renamed,
) -> Result<(), Box<Diagnostic>> {
    let program = session.program();
    let before = identities(session);
    let plan = Plan::make(session, &program, slice, old, new)?;
    plan.write(edited)?;
    renamed.references = plan.references;
    reread(session, edited);
    // An instance whose key refers to it has another key now, too.
    let after = identities(session);
    let mut ids = Vec::new();
    for (at, was) in before {
        let Some(is) = after.get(&at).filter(|is| **is != was) else { continue };
        let Some(record) = program.record(was.ty) else { continue };
        let line = format!("moved {} to {}", written(&program, &was), written(&program, is));
        renamed.moved.push((record.decl.file, line));
        ids.push((id(&program, &was), id(&program, is)));
    }
    write_models(edited, &renamed.moved)?;
    write_lock(edited, &ids)?;
    reread(session, edited);
    renamed.report = session.check();
    Ok(())
}

fn reread(session: &mut Session, edited: &Edited) {
    let paths: Vec<String> = edited.changes().into_keys().collect();
    session.refresh(&paths);
    session.load_instances();
}

/// All instances, by where they stand.
fn identities(session: &Session) -> BTreeMap<(&'static str, u32), Reference> {
    let mut found = BTreeMap::new();
    for shard in session.all_shards() {
        for unit in queries::shard_instances(&session.db, shard).iter() {
            for instance in &unit.instances {
                let at = (instance.id.file.path(), instance.id.item);
                found.insert(at, Reference { ty: instance.ty, key: instance.key.clone() });
            }
        }
    }
    found
}

/// A scalar that changes: the node, or the entry of the mapping that the node is.
struct Spot {
    node: u32,
    entry: Option<EcoString>,
    value: NodeKind,
}

struct Plan {
    /// What changes, by file.
    places: BTreeMap<&'static str, Vec<Spot>>,
    references: usize,
}

fn refused(file: FileId, message: impl Into<String>, help: &str) -> Box<Diagnostic> {
    Box::new(super::at_file(codes::NOT_WRITTEN, file.path(), message).help(help))
}

impl Plan {
    fn make(
        session: &Session,
        program: &Program,
        slice: TypeId,
        old: &[String],
        new: &[String],
    ) -> Result<Self, Box<Diagnostic>> {
        let Some(record) = program.record(slice) else {
            return Err(refused(FileId::new(""), "no slice", ""));
        };
        let (model, name) = (record.decl.file, record.decl.name);
        let Some((instance, others)) = with_key(session, program, slice, old, new) else {
            let message = format!("there is no `{name}` with the key `{}`", old.join(" "));
            return Err(refused(
                model,
                message,
                "`gops slice inspect` and `gops slice list` say what there is",
            ));
        };
        if others {
            let message = format!("there is a `{name}` with the key `{}` already", new.join(" "));
            return Err(refused(instance.id.file, message, "choose another key"));
        }
        let mut plan = Plan { places: BTreeMap::new(), references: 0 };
        let mut entries = Vec::new();
        for (at, key) in record.keys.iter().enumerate() {
            let (Some(old), Some(new)) = (old.get(at), new.get(at)) else { continue };
            if old == new {
                continue;
            }
            let Some(to) = scalar(program, &key.ty, new) else {
                let message = format!("`{new}` is no `{}` of `{name}`", key.name);
                return Err(refused(model, message, "the field of the key has another type"));
            };
            plan.own(&instance, &key.path, &to)?;
            entries.push((key.name.clone(), to));
        }
        let of = Reference { ty: slice, key: instance.key.clone() };
        plan.others(session, &of, record.keys.len() == 1, &entries)?;
        Ok(plan)
    }

    /// Where the instance has a field of its key.
    fn own(&mut self, instance: &Instance, path: &[u16], to: &NodeKind) -> Result<(), Box<Diagnostic>> {
        let mut element = instance.elements.first();
        let mut at = 0_u32;
        let (slot, above) = path.split_last().map_or((0, path), |(slot, above)| (*slot, above));
        for slot in above {
            // The struct at this field: the element below that stands where the field's value does.
            let place = element.and_then(|e| *e.fields.get(usize::from(*slot))?);
            let below = instance.elements.iter().position(|e| e.parent == Some(at) && e.place == place);
            at = below.map_or(at, |below| below as u32);
            element = below.and_then(|below| instance.elements.get(below));
        }
        let Some((file, node)) = element.and_then(|e| *e.fields.get(usize::from(slot))?) else {
            let message = "the key is not in the data: it comes from the path of the file";
            return Err(refused(instance.id.file, message, "rename the file, and write a `moved` line"));
        };
        if file != instance.id.file {
            let message = "the key stands in an overlay or an encrypted file too";
            return Err(refused(file, message, "change the files by hand, and write a `moved` line"));
        }
        let spot = Spot { node, entry: None, value: to.clone() };
        self.places.entry(file.path()).or_default().push(spot);
        Ok(())
    }

    /// Where others refer to it.
    fn others(
        &mut self,
        session: &Session,
        old: &Reference,
        alone: bool,
        entries: &[(EcoString, NodeKind)],
    ) -> Result<(), Box<Diagnostic>> {
        for shard in session.all_shards() {
            for unit in queries::shard_instances(&session.db, shard).iter() {
                for pending in unit.references.iter().filter(|p| *p.reference == *old) {
                    match pending.data {
                        Some(Place::Data { file, node, .. }) => {
                            let spots = self.places.entry(file.path()).or_default();
                            spots.extend(entries.iter().map(|(name, value)| Spot {
                                node,
                                entry: (!alone).then(|| name.clone()),
                                value: value.clone(),
                            }));
                            self.references += 1;
                        }
                        Some(other) => {
                            let message = "a reference to it comes from the path of this file";
                            return Err(refused(other.file(), message, "rename the file first"));
                        }
                        None => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn write(&self, edited: &Edited) -> Result<(), Box<Diagnostic>> {
        for (path, spots) in &self.places {
            let file = FileId::new(path);
            let cannot =
                |why: String| refused(file, format!("it cannot be changed: {why}"), "change it by hand");
            let mut bytes = edited.read(path).map_err(|e| cannot(e.to_string()))?;
            let format = Format::of(path).ok_or_else(|| cannot("it is neither YAML nor JSON".into()))?;
            let limits = Limits::default();
            for spot in spots {
                let (document, mut node) = within_document(file, &bytes, spot.node);
                if let Some(entry) = &spot.entry {
                    let there = nth_document(file, &bytes, document).and_then(|d| part(&d, node, entry));
                    node = there.ok_or_else(|| cannot(format!("a reference has no `{entry}`")))?;
                }
                let source = Source { file, format, bytes: &bytes, limits: &limits, document };
                let change = Change::ReplaceScalar { node, value: spot.value.clone() };
                let edits = edits(source, &[change]).map_err(|why| cannot(why.to_string()))?;
                bytes = apply(&bytes, &edits).ok_or_else(|| cannot("it does not parse".into()))?.into();
            }
            edited.set(path, Some(&bytes));
        }
        Ok(())
    }
}

/// A part of a reference: of the mapping at a node, or, for an item of a list, of the one that the
/// node is the first entry of.
fn part(document: &Document, node: u32, entry: &str) -> Option<u32> {
    let above = || (0..node).rev().find(|above| document.node(*above).end > node);
    document.get(node, entry).or_else(|| document.get(above()?, entry))
}

fn nth_document(file: FileId, bytes: &[u8], number: usize) -> Option<Document> {
    let limits = Limits::default();
    match file.path().ends_with(".json") {
        true => parse_json(file, bytes, &limits).document,
        false => parse_yaml_documents(file, bytes, &limits).into_iter().nth(number)?.document,
    }
}

/// The instance whose key these words are, and whether another one has the new key.
fn with_key(
    session: &Session,
    program: &Program,
    slice: TypeId,
    old: &[String],
    new: &[String],
) -> Option<(Arc<Instance>, bool)> {
    let mut found = None;
    let mut taken = false;
    for shard in session.all_shards() {
        for unit in queries::shard_instances(&session.db, shard).iter() {
            for instance in unit.instances.iter().filter(|i| i.ty == slice) {
                let words = key_words(program, &instance.key);
                taken |= words == new;
                if words == old {
                    found = Some(instance.clone());
                }
            }
        }
    }
    Some((found?, taken))
}

/// A key as it is written on the command line: a word for each of its fields.
pub(in crate::project) fn key_words(program: &Program, key: &Key) -> Vec<String> {
    key.iter().map(|value| word(program, value)).collect()
}

/// A field of a key as it is written on the command line.
fn word(program: &Program, value: &Value) -> String {
    match value {
        Value::Ref(reference) => {
            reference.key.iter().map(|value| word(program, value)).collect::<Vec<_>>().join(" ")
        }
        value => {
            let mut text = String::new();
            crate::eval::print::text(&mut text, program, value);
            text
        }
    }
}

/// Puts lines at the ends of models.
fn write_models(edited: &Edited, lines: &[(FileId, String)]) -> Result<(), Box<Diagnostic>> {
    for (number, (file, line)) in lines.iter().enumerate() {
        let model = file.path();
        let text = edited.read(model).map_err(|e| refused(*file, e.to_string(), ""))?;
        let mut text = text.to_vec();
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        let first = !lines.iter().take(number).any(|(other, _)| other == file);
        let gap = if first { "\n" } else { "" };
        text.extend_from_slice(format!("{gap}{line}\n").as_bytes());
        edited.set(model, Some(&text));
    }
    Ok(())
}

fn write_lock(edited: &Edited, ids: &[(EcoString, EcoString)]) -> Result<(), Box<Diagnostic>> {
    let mut lock = super::reserve::read(edited)?;
    if lock.is_empty() {
        return Ok(());
    }
    let follow = |entries: BTreeMap<Holder, Given>| -> BTreeMap<Holder, Given> {
        entries.into_iter().map(|(holder, given)| (followed(ids, &holder), given)).collect()
    };
    lock = Lock { held: follow(lock.held), reserved: follow(lock.reserved) };
    super::reserve::write(edited, lock);
    Ok(())
}

fn followed(ids: &[(EcoString, EcoString)], holder: &Holder) -> Holder {
    let Some((field, element)) = holder.split_once(" of ") else { return holder.clone() };
    let moved = ids.iter().find_map(|(old, new)| {
        let rest = element.strip_prefix(old.as_str())?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{field} of {new}{rest}"))
    });
    moved.map_or_else(|| holder.clone(), Into::into)
}

fn id(program: &Program, reference: &Reference) -> EcoString {
    crate::project::render::Renderer::new(program).id(reference)
}

/// A word of the command line as a field of a key.
fn scalar(program: &Program, ty: &Type, text: &str) -> Option<NodeKind> {
    match ty.bare() {
        Type::Int => text.parse().ok().map(NodeKind::Int),
        Type::Bool => text.parse().ok().map(NodeKind::Bool),
        // The name of an enum's variant is a string in data, and so is that of an instance, mostly.
        Type::Str | Type::Enum(_) | Type::OneOf(_) => Some(NodeKind::Str(text.into())),
        Type::Ref(slice) => match program.record(*slice)?.keys.as_slice() {
            [only] => scalar(program, &only.ty, text),
            _ => None,
        },
        _ => None,
    }
}

/// `Site[name: "a"]`, as a model has it.
fn written(program: &Program, reference: &Reference) -> String {
    // `${` would be an interpolation.
    crate::eval::print::reference(program, reference).replace("${", "\\${")
}
