//! Reads a unit: its base file, the encrypted file beside it, and the overlays of the
//! environment, into typed instances.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::FileId;
use crate::data::{
    Document, Limits, Node, NodeKind, Parsed, Spans, parse_json, parse_yaml, parse_yaml_documents,
};
use crate::db::{Db, Project, SourceFile, Unit};
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::Value;
use crate::eval::instance::{Ask, Doc, InstanceSource, items, read as read_instance};
use crate::model::TypeId;
use crate::model::schema::Slot;
use crate::model::ty::RefineId;

use super::queries::{Ready, UnitInstances};
use super::world::DbWorld;

/// A document with its file.
struct Part {
    file: FileId,
    document: Document,
    empty: bool,
}

/// How a unit is read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Without its encrypted part and its overlays.
    pub base_only: bool,
    /// The bytes of files, where they are not those that the database has.
    pub contents: &'a dyn Fn(FileId) -> Option<Arc<[u8]>>,
}

/// Reads the instances of a unit.
pub fn read(db: &dyn Db, ready: &Ready, file: SourceFile) -> UnitInstances {
    read_as(db, ready, file, Reading { base_only: false, contents: &|_| None })
}

/// Reads the instances of a unit, or a part of it, or what it may become.
pub fn read_as(db: &dyn Db, ready: &Ready, file: SourceFile, how: Reading<'_>) -> UnitInstances {
    let mut out = UnitInstances::default();
    let Some(unit) = file.unit(db) else { return out };
    let Some(slice) = ready.program.find(&unit.slice).and_then(|id| ready.program.record(id)) else {
        return out;
    };
    let mut parts = Vec::new();
    let files = if how.base_only { vec![file] } else { files_of(db, file, unit) };
    for part in files {
        let parsed = match (how.contents)(part.path(db)) {
            Some(bytes) => parse_bytes(part.path(db), &bytes, unit.each),
            None => parse(db, part, unit.each),
        };
        out.diagnostics.extend(parsed.diagnostics);
        if let Some(document) = parsed.document {
            parts.push(Part { file: part.path(db), document, empty: parsed.empty });
        }
        out.spans.push((part.path(db), parsed.spans));
    }
    // What cannot be read is not typed: every field of it would be missing.
    if parts.len() < out.spans.len() {
        return out;
    }
    let documents: Vec<Doc<'_>> =
        parts.iter().map(|p| Doc { file: p.file, document: &p.document, empty: p.empty }).collect();
    let sources = match unit.each {
        true => {
            let items = items(slice, &documents);
            out.diagnostics.extend(items.diagnostics);
            items.items
        }
        false => vec![documents.into_iter().map(|doc| (doc, 0)).collect()],
    };
    let ask = DbAsk { world: DbWorld::new(db) };
    for (item, documents) in sources.into_iter().enumerate() {
        let late = super::migrations::problems(&ask.world, slice.decl.id, &documents);
        let source = InstanceSource { item: item as u32, documents, bindings: &unit.bindings };
        let read = read_instance(&ready.program, &ready.shapes, &ask, slice.decl.id, &source);
        // What was written for another model is wrong for this one in ways that say nothing.
        out.diagnostics.extend(if late.is_empty() { read.diagnostics } else { late });
        out.references.extend(read.references);
        out.instances.extend(read.instance);
    }
    (out.files, out.reads) = ask.world.into_read();
    out
}

/// The files of a unit, in the order in which they are laid over each other.
pub fn files_of(db: &dyn Db, base: SourceFile, unit: &Unit) -> Vec<SourceFile> {
    let project = Project::get(db);
    let mut files = vec![base];
    files.extend(unit.encrypted);
    if let Some(index) = project.environment(db) {
        let name: Option<&EcoString> = project.environments(db).get(index as usize);
        files.extend(unit.overlays.iter().filter(|(env, _)| Some(env) == name).map(|(_, file)| *file));
    }
    files
}

/// The spans of a file's nodes, under the numbers that reading it gives.
pub fn spans(db: &dyn Db, file: SourceFile) -> Vec<(FileId, Spans)> {
    let each = file.unit(db).as_ref().is_some_and(|u| u.each);
    vec![(file.path(db), parse(db, file, each).spans)]
}

/// What a file holds: one document, or several as the items of one list.
pub fn parse(db: &dyn Db, file: SourceFile, each: bool) -> Parsed {
    let path = file.path(db);
    let bytes = match file.content(db) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = Diagnostic::new(codes::UNREADABLE, Place::File(path), error.to_string());
            return Parsed {
                document: None,
                spans: Spans::default(),
                diagnostics: vec![problem],
                empty: false,
            };
        }
    };
    parse_bytes(path, bytes, each)
}

fn parse_bytes(path: FileId, bytes: &[u8], each: bool) -> Parsed {
    let limits = Limits::default();
    match (path.path().ends_with(".json"), each) {
        (true, _) => parse_json(path, bytes, &limits),
        (false, false) => parse_yaml(path, bytes, &limits),
        (false, true) => together(parse_yaml_documents(path, bytes, &limits)),
    }
}

/// Which document of a file a node is in, and its number there: the inverse of [`together`].
pub fn within_document(path: FileId, bytes: &[u8], node: u32) -> (usize, u32) {
    if path.path().ends_with(".json") {
        return (0, node);
    }
    let documents = parse_yaml_documents(path, bytes, &Limits::default());
    if documents.len() < 2 {
        return (0, node);
    }
    let mut start = 1;
    for (number, parsed) in documents.iter().enumerate() {
        let count = parsed.document.as_ref().map_or(0, |d| d.nodes.len() as u32);
        if node < start + count {
            return (number, node.saturating_sub(start));
        }
        start += count;
    }
    (documents.len(), node)
}

/// Several documents as the items of one sequence, so that numbers are unique in the file. A
/// single document is left as it is: it may hold a list itself.
fn together(mut parsed: Vec<Parsed>) -> Parsed {
    if parsed.len() == 1
        && let Some(one) = parsed.pop()
    {
        return one;
    }
    let count = parsed.len() as u32;
    let mut nodes =
        vec![Node { key: None, value: NodeKind::Sequence(count), octal: false, padded: false, end: 1 }];
    let mut all = Parsed { document: None, spans: Spans::default(), diagnostics: Vec::new(), empty: false };
    all.spans.values.push(Default::default());
    all.spans.keys.push(Default::default());
    let mut complete = true;
    for part in parsed {
        let base = nodes.len() as u32;
        all.diagnostics.extend(part.diagnostics);
        match part.document {
            Some(document) => {
                nodes.extend(document.nodes.into_iter().map(|n| Node { end: n.end + base, ..n }));
                all.spans.values.extend(part.spans.values);
                all.spans.keys.extend(part.spans.keys);
            }
            None => complete = false,
        }
    }
    let total = nodes.len() as u32;
    if let Some(root) = nodes.first_mut() {
        root.end = total;
    }
    all.document = complete.then_some(Document { nodes });
    all
}

/// What reading asks of the evaluator.
struct DbAsk<'a> {
    world: DbWorld<'a>,
}

impl Ask for DbAsk<'_> {
    fn holds(&self, refinement: RefineId, value: &Value) -> Result<bool, Vec<Diagnostic>> {
        crate::eval::holds(&self.world, refinement, value)
    }

    fn default(
        &self,
        file: FileId,
        ty: TypeId,
        slot: Slot,
        fields: &[Value],
    ) -> Result<Value, Vec<Diagnostic>> {
        crate::eval::default_value(&self.world, file, ty, slot, fields)
    }
}
