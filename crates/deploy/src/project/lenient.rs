//! The world in which `assigned` fields are filled.

use std::sync::Arc;

use ecow::EcoString;

use crate::eval::value::FileValue;
use crate::eval::{Element, Instance, InstanceId, Key, Object, Plan, Reference, Value, World};
use crate::model::{Program, TypeId};

/// Another world in which functions and constants are computed anew: what is not assigned yet is
/// left out of them, while elsewhere it makes them fail.
pub struct Lenient<'a> {
    world: &'a dyn World,
}

impl<'a> Lenient<'a> {
    /// Such a view of a world.
    pub fn new(world: &'a dyn World) -> Self {
        Lenient { world }
    }
}

impl World for Lenient<'_> {
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
        self.world.instance(ty, key)
    }
    fn instance_at(&self, id: InstanceId) -> Option<Arc<Instance>> {
        self.world.instance_at(id)
    }
    fn object(&self, reference: &Reference) -> Option<Arc<Object>> {
        self.world.object(reference)
    }
    fn all(&self, ty: TypeId) -> Arc<[Value]> {
        self.world.all(ty)
    }
    fn related(&self, relation: u32, owner: &Reference) -> Arc<[Value]> {
        self.world.related(relation, owner)
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
