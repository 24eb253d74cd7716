//! The version that a session has.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::FileId;
use crate::db::Database;
use crate::eval::{Instance, Object, Reference, Version, World};
use crate::project::graphs::Runs;
use crate::project::queries;
use crate::project::session::Session;
use crate::project::world::DbWorld;

/// All that a session's runs gave.
pub(super) struct DbVersion<'a> {
    db: &'a Database,
    world: DbWorld<'a>,
    runs: &'a Runs,
    by_file: FxHashMap<FileId, usize>,
}

impl<'a> DbVersion<'a> {
    /// The version of a session.
    pub(super) fn new(session: &'a Session, runs: &'a Runs) -> Self {
        let by_file = runs.units.iter().enumerate().map(|(at, (file, ..))| (*file, at)).collect();
        DbVersion { db: &session.db, world: DbWorld::new(&session.db), runs, by_file }
    }
}

impl Version for DbVersion<'_> {
    fn world(&self) -> &dyn World {
        &self.world
    }

    fn instances(&self) -> Vec<Arc<Instance>> {
        let units = self.runs.units.iter().map(|(_, unit, _)| unit);
        units.flat_map(|unit| unit.instances.iter()).filter(|i| !i.broken).cloned().collect()
    }

    fn each_made(&self, instance: &Arc<Instance>, found: &mut dyn FnMut(&Arc<Object>)) {
        let unit = self.by_file.get(&instance.id.file).and_then(|at| self.runs.units.get(*at));
        let Some((_, unit, evaluation)) = unit else { return };
        let at = unit.instances.iter().position(|i| i.id == instance.id);
        if let Some(output) = at.and_then(|at| evaluation.outputs.get(at)) {
            output.objects.iter().for_each(found);
        }
    }

    fn each_made_by(&self, entity: &Arc<Reference>, found: &mut dyn FnMut(&Arc<Object>)) {
        let world = &self.world;
        if world.plan().impls(entity.ty).is_empty() || world.object(entity).is_none() {
            return;
        }
        let key = queries::EntityKey::new(self.db, entity.clone());
        let evaluation = queries::entity_evaluation(self.db, key);
        evaluation.outputs.iter().flat_map(|o| &o.objects).for_each(found);
    }
}
