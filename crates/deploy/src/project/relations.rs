//! Inverses and closures, and what must hold over all instances: `unique`, `acyclic`, checks at
//! the top of modules.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::db::{Db, Project, Shard};
use crate::eval::relations::{Edge, Edges};
use crate::eval::{Instance, Reference, Value};
use crate::model::schema::Slot;
use crate::model::{Program, TypeId};
use crate::syntax::ast::RecordKind;

use super::queries::{self, Checks};
use super::world::DbWorld;

/// What a shard contributes to a relation or to `acyclic`: for each value of a type where its
/// field leads.
#[salsa::tracked(returns(ref))]
fn shard_edges(db: &dyn Db, shard: Shard, source: TypeId, by: Slot) -> Arc<[Edge]> {
    let world = DbWorld::new(db);
    let mut edges = Vec::new();
    for instance in queries::shard_instances(db, shard).iter().flat_map(|unit| &unit.instances) {
        crate::eval::relations::edges(&world, instance, source, by, &mut edges);
    }
    edges.into()
}

/// All edges of a field.
#[salsa::tracked(returns(ref))]
fn edges(db: &dyn Db, source: TypeId, by: Slot) -> Arc<Edges> {
    let program = queries::program(db);
    let mut all = Vec::new();
    let kind = program.record(source).map(|r| r.kind);
    if matches!(kind, Some(RecordKind::Entity | RecordKind::Target | RecordKind::Resource)) {
        for object in queries::objects(db, source).by_reference.values() {
            crate::eval::relations::object_edges(object, by, &mut all);
        }
    } else {
        for shard in shards_of(db, &program, source) {
            all.extend(shard_edges(db, shard, source, by).iter().cloned());
        }
    }
    Arc::new(Edges::new(all))
}

/// The shards whose instances hold values of a type.
fn shards_of(db: &dyn Db, program: &Program, ty: TypeId) -> Vec<Shard> {
    let shards = Project::get(db).shards(db);
    let slices = super::creators::holding_slices(program, ty);
    let mut found: Vec<Shard> = Vec::new();
    for slice in slices {
        found.extend(shards.get(&program.ty(slice).decl().path).into_iter().flat_map(|s| s.iter().copied()));
    }
    found
}

/// The values of a relation's field for all owners.
#[salsa::tracked(returns(ref))]
fn relation(db: &dyn Db, _project: Project, index: u32) -> Arc<FxHashMap<Arc<Reference>, Arc<[Value]>>> {
    let program = queries::program(db);
    let Some(def) = program.relations.get(index as usize) else { return Arc::default() };
    let edges = edges(db, def.source, def.by);
    Arc::new(match def.closure {
        true => edges.closure(&queries::ready(db).plan),
        false => edges.inverse(&queries::ready(db).plan, def.list),
    })
}

/// The values of a relation's field for one owner.
pub fn related(db: &dyn Db, index: u32, owner: &Reference) -> Arc<[Value]> {
    of_owner(db, index, queries::EntityKey::new(db, Arc::new(owner.clone()))).clone()
}

#[salsa::tracked(returns(ref))]
fn of_owner<'db>(db: &'db dyn Db, index: u32, owner: queries::EntityKey<'db>) -> Arc<[Value]> {
    relation(db, Project::get(db), index).get(owner.reference(db)).cloned().unwrap_or_default()
}

/// What a shard's instances have in the fields of a `unique`.
#[salsa::tracked(returns(ref))]
fn shard_uniques(db: &dyn Db, shard: Shard, ty: TypeId, index: u32) -> Arc<[(Vec<Value>, Arc<Instance>)]> {
    let program = queries::program(db);
    let mut found = Vec::new();
    for instance in queries::shard_instances(db, shard).iter().flat_map(|unit| &unit.instances) {
        found.extend(crate::eval::unique::values(&program, instance, ty, index));
    }
    found.into()
}

/// What is wrong over all instances.
#[salsa::tracked(returns(ref), no_eq)]
pub fn problems(db: &dyn Db) -> Arc<Checks> {
    let ready = queries::ready(db);
    let program = &ready.program;
    let mut problems = Vec::new();
    for slice in program.slices() {
        for index in 0..slice.uniques.len() as u32 {
            let shards = shards_of(db, program, slice.decl.id);
            let all = shards.iter().flat_map(|&s| shard_uniques(db, s, slice.decl.id, index).iter());
            problems.extend(crate::eval::unique::clashes(program, slice.decl.id, index, all));
        }
    }
    for def in &program.acyclics {
        problems.extend(edges(db, def.owner, def.by).cycles(&ready.plan, program, def));
    }
    let world = DbWorld::new(db);
    for check in &program.checks {
        crate::eval::check_global(&world, check, &mut problems);
    }
    let (files, reads) = world.into_read();
    Arc::new(Checks { diagnostics: problems, files, reads })
}
