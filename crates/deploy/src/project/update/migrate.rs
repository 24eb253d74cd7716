//! Migrations, applied to the sources.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId, System as _};
use crate::data::edit::{Change, Format, Refused, Source, apply, edits};
use crate::data::insert::{Insertion, insert};
use crate::data::remove::remove;
use crate::data::{Document, Limits, Node, NodeKind, parse_json, parse_yaml_documents};
use crate::diag::Diagnostic;
use crate::diag::codes::history as codes;
use crate::eval::builtins::any_of_document;
use crate::eval::{Value, World};
use crate::history::migrate::{Pending, at, is_pending, pending};
use crate::model::program::MigrationStep;
use crate::model::{Program, TypeId};
use crate::project::session::Session;
use crate::project::world::DbWorld;

/// What was migrated: the file and the migration.
pub(super) type Migrated = (FileId, EcoString);

/// No file needs more rounds: each applies one migration to one element.
const MOST_ROUNDS: usize = 1_000_000;

/// Applies every pending migration to each of some files, in memory.
pub(super) fn migrate(
    session: &Session,
    edited: &Edited,
    of: &dyn Fn(FileId) -> bool,
) -> (Vec<Migrated>, Vec<Diagnostic>) {
    let program = session.program();
    let (mut done, mut problems) = (Vec::new(), Vec::new());
    if program.migrations.is_empty() {
        return (done, problems);
    }
    let world = DbWorld::new(&session.db);
    let model = crate::project::queries::checked_model(&session.db);
    let origins = crate::project::origins::Origins::new(&session.db, &model.nodes);
    for (slice, units) in &session.layout.units {
        let Some(slice) = program.find(slice) else { continue };
        for unit in units {
            let overlays = unit.overlays.iter().map(|(_, file)| *file);
            for file in std::iter::once(unit.base).chain(unit.encrypted).chain(overlays).filter(|f| of(*f)) {
                let migration = Migration { program: &program, world: &world, edited, slice, file };
                match migration.run(&mut done) {
                    Ok(()) => {}
                    Err(said) => problems.extend(said.into_iter().map(|d| d.resolved(&origins))),
                }
            }
        }
    }
    (done, problems)
}

struct Migration<'a> {
    program: &'a Program,
    world: &'a dyn World,
    edited: &'a Edited,
    slice: TypeId,
    file: FileId,
}

impl Migration<'_> {
    fn run(&self, done: &mut Vec<Migrated>) -> Result<(), Vec<Diagnostic>> {
        for _ in 0..MOST_ROUNDS {
            let Ok(bytes) = self.edited.read(self.file.path()) else { return Ok(()) };
            let documents = self.parse(&bytes);
            let Some((number, one)) = self.first(&documents)? else { return Ok(()) };
            let Some(def) = self.program.migrations.get(one.migration) else { return Ok(()) };
            let Some(document) = documents.get(number) else { return Ok(()) };
            let way = Way::to(document, one.node);
            self.apply(one, number, document, &way)?;
            let after = self.edited.read(self.file.path()).map(|b| self.parse(&b)).unwrap_or_default();
            let still = after.get(number).and_then(|d| Some((d, way.find(d)?)));
            if let Some((document, node)) = still
                && is_pending(self.world, def, document, node)?
            {
                return Err(vec![self.refused(&def.name, "it is still pending once it was applied")]);
            }
            if done.last().is_none_or(|last| *last != (self.file, def.name.clone())) {
                done.push((self.file, def.name.clone()));
            }
        }
        Ok(())
    }

    fn parse(&self, bytes: &[u8]) -> Vec<Document> {
        let limits = Limits::default();
        let parsed = match Format::of(self.file.path()) {
            Some(Format::Json) => vec![parse_json(self.file, bytes, &limits)],
            _ => parse_yaml_documents(self.file, bytes, &limits),
        };
        parsed.into_iter().filter_map(|p| p.document).collect()
    }

    /// What is to be applied first: the least migration, the first document.
    fn first(&self, documents: &[Document]) -> Result<Option<(usize, Pending)>, Vec<Diagnostic>> {
        let mut found: Option<(usize, Pending)> = None;
        let mut problems = Vec::new();
        for (number, document) in documents.iter().enumerate() {
            let roots: Vec<u32> = match document.value(Document::ROOT) {
                NodeKind::Sequence(_) => document.children(Document::ROOT).collect(),
                _ => vec![Document::ROOT],
            };
            for root in roots {
                let all = pending(self.world, self.slice, document, root, &mut problems);
                let least = all.into_iter().next();
                if let Some(one) = least
                    && found.is_none_or(|(_, f)| one.migration < f.migration)
                {
                    found = Some((number, one));
                }
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    fn refused(&self, name: &str, why: &str) -> Diagnostic {
        let message = format!("the migration `{name}` cannot be applied: {why}");
        super::at_file(codes::NOT_WRITTEN, self.file.path(), message).help("change the file by hand")
    }

    fn apply(
        &self,
        one: Pending,
        number: usize,
        document: &Document,
        way: &Way,
    ) -> Result<(), Vec<Diagnostic>> {
        let Some(def) = self.program.migrations.get(one.migration) else { return Ok(()) };
        let old = any_of_document(document, one.node);
        // All steps see what was there before the first.
        let mut values = Vec::new();
        for step in &def.steps {
            values.push(match step {
                MigrationStep::Set { value, .. } => {
                    Some(crate::eval::migrate::value(self.world, value, &old)?)
                }
                MigrationStep::Drop { .. } => None,
            });
        }
        for (step, value) in def.steps.iter().zip(values) {
            let done = match (step, value) {
                (MigrationStep::Set { path, .. }, Some(value)) => self.set(number, way, path, &value),
                (MigrationStep::Drop { path } | MigrationStep::Set { path, .. }, _) => {
                    self.drop(number, way, path)
                }
            };
            done.map_err(|why| vec![self.refused(&def.name, &why)])?;
        }
        Ok(())
    }

    /// Changes the file as it is by now.
    fn change(
        &self,
        number: usize,
        change: impl FnOnce(Source<'_>, &Document) -> Result<Vec<crate::base::TextEdit>, Refused>,
    ) -> Result<(), String> {
        let bytes: Arc<[u8]> = self.edited.read(self.file.path()).map_err(|e| e.to_string())?;
        let documents = self.parse(&bytes);
        let document = documents.get(number).ok_or("the file does not parse")?;
        let limits = Limits::default();
        let format = Format::of(self.file.path()).ok_or("it is neither YAML nor JSON")?;
        let source = Source { file: self.file, format, bytes: &bytes, limits: &limits, document: number };
        let edits = change(source, document).map_err(|why| why.to_string())?;
        let changed = apply(&bytes, &edits).ok_or("the file does not parse")?;
        self.edited.set(self.file.path(), Some(&changed));
        Ok(())
    }

    fn drop(&self, number: usize, way: &Way, path: &[EcoString]) -> Result<(), String> {
        self.change(number, |source, document| match way.find(document).and_then(|n| at(document, n, path)) {
            Some(entry) => remove(source, entry),
            None => Ok(Vec::new()),
        })
    }

    fn set(&self, number: usize, way: &Way, path: &[EcoString], value: &Value) -> Result<(), String> {
        // What was not there stays so.
        if matches!(value, Value::Null) {
            return Ok(());
        }
        let written = super::data::document(self.program, value).map_err(str::to_owned)?;
        let mut replace = false;
        self.change(number, |source, document| {
            let element = way.find(document).ok_or(Refused::NoSuchPlace)?;
            if let Some(there) = at(document, element, path) {
                let is_scalar = |d: &Document, n: u32| {
                    !matches!(d.value(n), NodeKind::Sequence(_) | NodeKind::Mapping(_))
                };
                if is_scalar(document, there) && is_scalar(&written, Document::ROOT) {
                    let value = written.value(Document::ROOT).clone();
                    return edits(source, &[Change::ReplaceScalar { node: there, value }]);
                }
                replace = true;
                return remove(source, there);
            }
            insert(source, &insertion(document, element, path, &written)?)
        })?;
        if replace {
            self.change(number, |source, document| {
                let element = way.find(document).ok_or(Refused::NoSuchPlace)?;
                insert(source, &insertion(document, element, path, &written)?)
            })?;
        }
        Ok(())
    }
}

/// The entry that puts a value at the end of a path, with the mappings on the way that are not
/// there.
fn insertion(
    document: &Document,
    element: u32,
    path: &[EcoString],
    value: &Document,
) -> Result<Insertion, Refused> {
    let (mut mapping, mut rest) = (element, path);
    while let Some((first, below)) = rest.split_first()
        && !below.is_empty()
        && let Some(next) = document.get(mapping, first)
    {
        (mapping, rest) = (next, below);
    }
    let (key, below) = rest.split_first().ok_or(Refused::NoSuchPlace)?;
    let value = below.iter().rev().fold(value.clone(), |inner, key| within(key, inner));
    Ok(Insertion { mapping, key: key.clone(), value, after: None })
}

/// `{key: inner}`.
fn within(key: &EcoString, inner: Document) -> Document {
    let end = inner.nodes.len() as u32 + 1;
    let mut nodes = vec![Node { key: None, value: NodeKind::Mapping(1), octal: false, padded: false, end }];
    nodes.extend(inner.nodes.into_iter().map(|node| Node { end: node.end + 1, ..node }));
    if let Some(first) = nodes.get_mut(1) {
        first.key = Some(key.clone());
    }
    Document { nodes }
}

/// The way to an element: by key and by number, so that it is found again when entries of it
/// came or went.
pub(super) struct Way(Vec<Step>);

enum Step {
    Key(EcoString),
    Item(usize),
}

impl Way {
    /// The keys on it; what lies in a list has none of its own.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Item(_) => None,
        })
    }

    /// As `sops set` writes it: `["ports"][0]`.
    pub fn index(&self) -> String {
        let step = |step: &Step| match step {
            Step::Key(key) => format!("[{}]", crate::data::print::quoted(key)),
            Step::Item(number) => format!("[{number}]"),
        };
        self.0.iter().map(step).collect()
    }

    /// The way to a node.
    pub fn to(document: &Document, node: u32) -> Self {
        let mut steps = Vec::new();
        let mut at = Document::ROOT;
        while at != node {
            let inside = |child: &u32| *child <= node && node < document.node(*child).end;
            let Some((number, child)) = document.children(at).enumerate().find(|(_, c)| inside(c)) else {
                break;
            };
            steps.push(match document.key(child) {
                Some(key) => Step::Key(key.clone()),
                None => Step::Item(number),
            });
            at = child;
        }
        Way(steps)
    }

    fn find(&self, document: &Document) -> Option<u32> {
        self.0.iter().try_fold(Document::ROOT, |at, step| match step {
            Step::Key(key) => document.get(at, key),
            Step::Item(number) => document.children(at).nth(*number),
        })
    }
}
