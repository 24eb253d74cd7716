//! What filling a field sees: the project, with the values that were filled before.

use std::cell::Cell;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::eval::value::FileValue;
use crate::eval::{Element, Instance, InstanceId, Key, Object, Plan, Reference, Value, World};
use crate::model::{Program, TypeDef, TypeId};
use crate::project::queries;
use crate::project::world::DbWorld;
use crate::syntax::ast::RecordKind;

/// Instances that were filled since the database was told of the files.
pub(super) type Patched = FxHashMap<InstanceId, Arc<Instance>>;

/// The world of the database with some instances as they are by now. Telling the database of
/// each value would have it look at everything after each; so it is told when it has to answer
/// something that may depend on them, and the question is asked again.
pub(super) struct Filled<'a> {
    world: DbWorld<'a>,
    patched: &'a Patched,
    stale: Cell<bool>,
}

impl<'a> Filled<'a> {
    pub fn new(world: DbWorld<'a>, patched: &'a Patched) -> Self {
        Filled { world, patched, stale: Cell::new(false) }
    }

    /// Whether an answer may be of before the last values.
    pub fn is_stale(&self) -> bool {
        self.stale.get()
    }

    fn depends_on_all(&self) {
        if !self.patched.is_empty() {
            self.stale.set(true);
        }
    }

    fn current(&self, found: Arc<Instance>) -> Arc<Instance> {
        self.patched.get(&found.id).cloned().unwrap_or(found)
    }
}

impl World for Filled<'_> {
    fn program(&self) -> &Program {
        self.world.program()
    }
    fn plan(&self) -> &Plan {
        self.world.plan()
    }
    fn environment(&self) -> Option<u16> {
        self.world.environment()
    }
    fn instance(&self, ty: TypeId, key: &Key) -> Option<Arc<Instance>> {
        self.world.instance(ty, key).map(|found| self.current(found))
    }
    fn instance_at(&self, id: InstanceId) -> Option<Arc<Instance>> {
        self.patched.get(&id).cloned().or_else(|| self.world.instance_at(id))
    }
    fn object(&self, reference: &Reference) -> Option<Arc<Object>> {
        self.depends_on_all();
        self.world.object(reference)
    }
    fn all(&self, ty: TypeId) -> Arc<[Value]> {
        // Which instances there are, and their keys, no value that is filled changes.
        let is_slice = matches!(self.program().ty(ty), TypeDef::Record(r) if r.kind == RecordKind::Slice);
        if !is_slice {
            self.depends_on_all();
        }
        self.world.all(ty)
    }
    fn related(&self, relation: u32, owner: &Reference) -> Arc<[Value]> {
        self.depends_on_all();
        let found = self.world.related(relation, owner);
        let is_patched = |value: &Value| match value {
            Value::Record(record) => record.element.is_some_and(|e| self.patched.contains_key(&e.instance)),
            _ => false,
        };
        debug_assert!(self.is_stale() || !found.iter().any(is_patched));
        found
    }
    fn derived(&self, _: Element, _: u16) -> Option<Result<Value, ()>> {
        None
    }
    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString> {
        self.world.file(path)
    }
    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString> {
        self.world.files(folder, pattern)
    }
}

/// An instance by its key.
pub(super) fn instance(
    db: &dyn crate::db::Db,
    patched: &Patched,
    ty: TypeId,
    key: &Key,
) -> Option<(crate::db::SourceFile, Arc<Instance>)> {
    let program = queries::program(db);
    let (file, item) = queries::find(db, &program, ty, key)?;
    let found = queries::instances(db, file).instances.iter().find(|i| i.id.item == item)?;
    Some((file, patched.get(&found.id).unwrap_or(found).clone()))
}
