//! Another key for an instance, and everything that goes with it in one reviewed step: its file,
//! the references of others, `assigned.lock`, and the line that tells that it is the same thing.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId, System as _};
use crate::data::edit::{Change, Format, Source, apply, edits};
use crate::data::{Limits, NodeKind};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::{Instance, Key, Reference, Value};
use crate::history::lock::{Given, Holder, Lock};
use crate::model::{Program, RecordDef, Type, TypeId};
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
    /// The line that was added to a model, and the file.
    pub moved: Option<(FileId, String)>,
}

/// Gives the instance of a slice with the key `old` the key `new`, in memory.
pub fn rename(session: &mut Session, edited: &Arc<Edited>, slice: TypeId, old: &str, new: &str) -> Renamed {
    let mut renamed = Renamed { report: session.check(), ..Renamed::default() };
    if renamed.report.has_errors() {
        return renamed;
    }
    let program = session.program();
    let planned =
        Plan::make(session, &program, slice, old, new).and_then(|plan| plan.write(edited).map(|()| plan));
    match planned {
        Ok(plan) => {
            renamed.references = plan.references;
            renamed.moved = Some((plan.model, plan.line));
            let paths: Vec<String> = edited.changes().into_keys().collect();
            session.refresh(&paths);
            renamed.report = session.check();
        }
        Err(problem) => renamed.report.diagnostics.push(*problem),
    }
    renamed
}

struct Plan {
    /// The scalars that change, by file, with what they become.
    places: BTreeMap<&'static str, Vec<(u32, NodeKind)>>,
    references: usize,
    model: FileId,
    line: String,
    /// The element's id in `assigned.lock`, and the new one.
    ids: (EcoString, EcoString),
}

fn refused(file: FileId, message: impl Into<String>, help: &str) -> Box<Diagnostic> {
    Box::new(super::at_file(codes::NOT_WRITTEN, file.path(), message).help(help))
}

impl Plan {
    fn make(
        session: &Session,
        program: &Program,
        slice: TypeId,
        old: &str,
        new: &str,
    ) -> Result<Self, Box<Diagnostic>> {
        let Some(record) = program.record(slice) else {
            return Err(refused(FileId::new(""), "no slice", ""));
        };
        let model = record.decl.file;
        let name = record.decl.name;
        let [key] = record.keys.as_slice() else {
            let message = format!("the key of `{name}` has not one field");
            return Err(refused(model, message, "change the files by hand, and write a `moved` line"));
        };
        let (Some(from), Some(to)) = (scalar(&key.ty, old), scalar(&key.ty, new)) else {
            return Err(refused(model, format!("`{new}` is no key of `{name}`"), "the key has another type"));
        };
        let [slot] = key.path.as_slice() else {
            let message = format!("the key of `{name}` stands in a nested struct");
            return Err(refused(model, message, "change the file by hand, and write a `moved` line"));
        };
        let keys: (Key, Key) = (vec![value(&from)].into(), vec![value(&to)].into());
        let Some((_, instance)) = super::world::instance(&session.db, &Default::default(), slice, &keys.0)
        else {
            return Err(refused(
                model,
                format!("there is no `{name}` with the key `{old}`"),
                "`gops slice list` has the slices",
            ));
        };
        if queries::find(&session.db, program, slice, &keys.1).is_some() {
            let message = format!("there is a `{name}` with the key `{new}` already");
            return Err(refused(instance.id.file, message, "choose another key"));
        }
        let mut plan = Plan {
            places: BTreeMap::new(),
            references: 0,
            model,
            line: moved_line(record, &key.name, &from, &to),
            ids: (id(program, slice, &keys.0), id(program, slice, &keys.1)),
        };
        plan.own(&instance, usize::from(*slot), &to)?;
        plan.others(session, &Reference { ty: slice, key: keys.0 }, &to)?;
        Ok(plan)
    }

    /// Where the instance has its key.
    fn own(&mut self, instance: &Instance, slot: usize, to: &NodeKind) -> Result<(), Box<Diagnostic>> {
        let root = instance.elements.first();
        let Some((file, node)) = root.and_then(|e| *e.fields.get(slot)?) else {
            let message = "the key is not in the data: it comes from the path of the file";
            return Err(refused(instance.id.file, message, "rename the file, and write a `moved` line"));
        };
        if file != instance.id.file {
            let message = "the key stands in an overlay or an encrypted file too";
            return Err(refused(file, message, "change the files by hand, and write a `moved` line"));
        }
        self.places.entry(file.path()).or_default().push((node, to.clone()));
        Ok(())
    }

    /// Where others refer to it.
    fn others(&mut self, session: &Session, old: &Reference, to: &NodeKind) -> Result<(), Box<Diagnostic>> {
        for shard in session.all_shards() {
            for unit in queries::shard_instances(&session.db, shard).iter() {
                for pending in unit.references.iter().filter(|p| *p.reference == *old) {
                    match pending.data {
                        Some(Place::Data { file, node, .. }) => {
                            self.places.entry(file.path()).or_default().push((node, to.clone()));
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
        for (path, places) in &self.places {
            let file = FileId::new(path);
            let cannot =
                |why: String| refused(file, format!("it cannot be changed: {why}"), "change it by hand");
            let mut bytes = edited.read(path).map_err(|e| cannot(e.to_string()))?;
            let format = Format::of(path).ok_or_else(|| cannot("it is neither YAML nor JSON".into()))?;
            let limits = Limits::default();
            for (node, value) in places {
                let (document, node) = within_document(file, &bytes, *node);
                let source = Source { file, format, bytes: &bytes, limits: &limits, document };
                let change = Change::ReplaceScalar { node, value: value.clone() };
                let edits = edits(source, &[change]).map_err(|why| cannot(why.to_string()))?;
                bytes = apply(&bytes, &edits).ok_or_else(|| cannot("it does not parse".into()))?.into();
            }
            edited.set(path, Some(&bytes));
        }
        let model = self.model.path();
        let text = edited.read(model).map_err(|e| refused(self.model, e.to_string(), ""))?;
        let mut text = text.to_vec();
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend_from_slice(format!("\n{}\n", self.line).as_bytes());
        edited.set(model, Some(&text));
        self.write_lock(edited)
    }

    fn write_lock(&self, edited: &Edited) -> Result<(), Box<Diagnostic>> {
        let mut lock = super::reserve::read(edited)?;
        if lock.is_empty() {
            return Ok(());
        }
        let follow = |entries: BTreeMap<Holder, Given>| -> BTreeMap<Holder, Given> {
            entries.into_iter().map(|(holder, given)| (self.followed(&holder), given)).collect()
        };
        lock = Lock { held: follow(lock.held), reserved: follow(lock.reserved) };
        super::reserve::write(edited, lock);
        Ok(())
    }

    fn followed(&self, holder: &Holder) -> Holder {
        let (old, new) = &self.ids;
        match holder
            .split_once(" of ")
            .and_then(|(f, element)| Some((f, element.strip_prefix(old.as_str())?)))
        {
            Some((field, rest)) if rest.is_empty() || rest.starts_with('.') => {
                format!("{field} of {new}{rest}").into()
            }
            _ => holder.clone(),
        }
    }
}

fn id(program: &Program, slice: TypeId, key: &Key) -> EcoString {
    crate::project::render::Renderer::new(program).id(&Reference { ty: slice, key: key.clone() })
}

/// A word of the command line as a key.
fn scalar(ty: &Type, text: &str) -> Option<NodeKind> {
    match ty.bare() {
        Type::Int => text.parse().ok().map(NodeKind::Int),
        Type::Str => Some(NodeKind::Str(text.into())),
        _ => None,
    }
}

fn value(scalar: &NodeKind) -> Value {
    match scalar {
        NodeKind::Int(value) => Value::Int(*value),
        NodeKind::Str(text) => Value::Str(text.clone()),
        _ => Value::Null,
    }
}

/// `moved Site[name: "a"] to Site[name: "b"]`.
fn moved_line(record: &RecordDef, key: &str, from: &NodeKind, to: &NodeKind) -> String {
    let name = record.decl.name;
    let shown = |value: &NodeKind| match value {
        NodeKind::Int(value) => value.to_string(),
        // `${` would be an interpolation.
        NodeKind::Str(text) => crate::data::print::quoted(text).replace("${", "\\${"),
        _ => String::new(),
    };
    format!("moved {name}[{key}: {}] to {name}[{key}: {}]", shown(from), shown(to))
}
