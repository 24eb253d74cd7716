//! The world of a run, over the incremental database.

use std::cell::RefCell;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::FileId;
use crate::db::{Db, Project, SourceFile};
use crate::eval::convert::Step;
use crate::eval::value::FileValue;
use crate::eval::{Element, Instance, InstanceId, Key, Object, Plan, Reference, Value, World};
use crate::model::{Program, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::queries::{self, Ready};

/// Answers from queries, so that whatever a run asks is remembered as what it depends on.
pub struct DbWorld<'a> {
    db: &'a dyn Db,
    ready: Arc<Ready>,
    files: RefCell<Vec<FileId>>,
    reads: RefCell<Reads>,
    traces: bool,
}

/// What a run has read that an edit may change, beside the unit that it is of.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reads {
    /// The files that it has read from.
    pub files: Vec<SourceFile>,
    /// Whether it has read what many files make together.
    pub wide: bool,
}

impl Reads {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && !self.wide
    }

    fn add(&mut self, file: SourceFile) {
        if self.files.last() != Some(&file) {
            self.files.push(file);
        }
    }
}

impl<'a> DbWorld<'a> {
    /// The world of one run.
    pub fn new(db: &'a dyn Db) -> Self {
        DbWorld {
            db,
            ready: queries::ready(db),
            files: RefCell::default(),
            reads: RefCell::default(),
            traces: false,
        }
    }

    /// The world of a run that says where the keys of its references come from.
    pub fn tracing(db: &'a dyn Db) -> Self {
        DbWorld { traces: true, ..DbWorld::new(db) }
    }

    /// The files that the run has asked for by `file()` and `files()`, sorted.
    pub fn into_files(self) -> Vec<FileId> {
        self.into_read().0
    }

    /// The same, and all that it has read.
    pub fn into_read(self) -> (Vec<FileId>, Reads) {
        let mut files = self.files.into_inner();
        files.sort_by_key(|f| f.path());
        files.dedup();
        (files, self.reads.into_inner())
    }

    fn reads(&self, file: SourceFile) -> SourceFile {
        self.reads.borrow_mut().add(file);
        file
    }

    fn reads_many(&self) {
        self.reads.borrow_mut().wide = true;
    }

    /// The value of something that is computed once for everybody.
    fn once(&self, once: &queries::Once) -> Result<Value, ()> {
        if !once.reads.is_empty() {
            self.reads_many();
        }
        once.value.clone()
    }

    fn is_slice(&self, ty: TypeId) -> bool {
        matches!(self.ready.program.ty(ty), TypeDef::Record(r) if r.kind == RecordKind::Slice)
    }
}

impl World for DbWorld<'_> {
    fn program(&self) -> &Program {
        &self.ready.program
    }

    fn plan(&self) -> &Plan {
        &self.ready.plan
    }

    fn environment(&self) -> Option<u16> {
        Project::get(self.db).environment(self.db)
    }

    fn instance(&self, ty: TypeId, key: &Key) -> Option<Arc<Instance>> {
        let (file, item) = queries::find(self.db, &self.ready.program, ty, key)?;
        let unit = queries::instances(self.db, self.reads(file));
        unit.instances.iter().find(|i| i.id.item == item).cloned()
    }

    fn instance_at(&self, id: InstanceId) -> Option<Arc<Instance>> {
        let unit = queries::instances(self.db, self.reads(self.db.source(id.file)));
        unit.instances.iter().find(|i| i.id.item == id.item).cloned()
    }

    fn object(&self, reference: &Reference) -> Option<Arc<Object>> {
        self.reads_many();
        queries::objects(self.db, reference.ty).by_reference.get(reference).cloned()
    }

    fn all(&self, ty: TypeId) -> Arc<[Value]> {
        self.reads_many();
        if self.is_slice(ty) {
            queries::slice_instances(self.db, ty).clone()
        } else {
            queries::objects(self.db, ty).sorted.clone()
        }
    }

    fn related(&self, relation: u32, owner: &Reference) -> Arc<[Value]> {
        self.reads_many();
        super::relations::related(self.db, relation, owner)
    }

    fn derived(&self, _element: Element, _slot: u16) -> Option<Result<Value, ()>> {
        None
    }

    fn constant(&self, index: u32) -> Option<Result<Value, ()>> {
        Some(self.once(queries::constant(self.db, Project::get(self.db), index)))
    }

    fn function(&self, index: u32) -> Option<Result<Value, ()>> {
        Some(self.once(queries::function(self.db, Project::get(self.db), index)))
    }

    fn descend(&self, file: FileId, node: u32, steps: &[Step]) -> Option<u32> {
        let source = self.reads(self.db.source(file));
        let each = source.unit(self.db).as_ref().is_some_and(|u| u.each);
        let document = super::units::parse(self.db, source, each).document?;
        steps.iter().rev().try_fold(node, |node, step| match step {
            Step::Key(name) => document.get(node, name),
            Step::Item(at) => document.children(node).nth(*at),
        })
    }

    fn traces(&self) -> bool {
        self.traces
    }

    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString> {
        let file = FileId::new(path);
        if queries::is_ignored(self.db, path) {
            return Err(format!("`{path}` is no file of the project: a `.gitignore` leaves it out").into());
        }
        self.files.borrow_mut().push(file);
        let source = self.reads(self.db.source(file));
        match source.content(self.db) {
            Ok(bytes) => Ok(Arc::new(file_value(path, bytes))),
            Err(error) => Err(EcoString::from(error.to_string())),
        }
    }

    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString> {
        let found = matching(Project::get(self.db).listing(self.db), folder, pattern)?;
        self.files.borrow_mut().extend(&found);
        Ok(found.into_iter().map(|f| f.path().into()).collect())
    }
}

/// Those of a list of files that `files()` is asked for.
pub(super) fn matching(listing: &[FileId], folder: &str, pattern: &str) -> Result<Vec<FileId>, EcoString> {
    let glob = globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|e| EcoString::from(format!("`{pattern}` is no pattern: {}", e.kind())))?
        .compile_matcher();
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let matches = |f: &&FileId| f.path().strip_prefix(&prefix).is_some_and(|inside| glob.is_match(inside));
    Ok(listing.iter().filter(matches).copied().collect())
}

/// What `file()` gives.
pub(super) fn file_value(path: &str, bytes: &[u8]) -> FileValue {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    FileValue {
        path: path.into(),
        name: path.rsplit('/').next().unwrap_or(path).into(),
        sha256: hex.into(),
        text: std::str::from_utf8(bytes).ok().map(EcoString::from),
    }
}
