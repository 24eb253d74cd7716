//! Values of `assigned` fields that were given out twice: two branches, merged.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::db::{Db, Project};
use crate::diag::codes::history as codes;
use crate::diag::{DataPart, Diagnostic, Place};
use crate::eval::assign::{free_ints, used};
use crate::eval::{Element, Instance, Value, World};
use crate::model::schema::Slot;
use crate::model::{Hir, HirKind, Program, TypeDef, TypeId};

use super::lenient::Lenient;
use super::queries;
use super::world::DbWorld;

/// A field that takes an int that nobody else has.
pub(super) struct Pool {
    pub ty: TypeId,
    pub slot: Slot,
    pub depends: Depends,
}

/// What a body depends on of the element that it is evaluated for: elements that agree in it are
/// given the same answer.
#[derive(Default)]
pub(super) struct Depends {
    /// These stored fields.
    pub slots: Vec<Slot>,
    /// What holds the element.
    pub parent: bool,
    /// Anything else of it.
    pub whole: bool,
}

/// What `used` says, once for all elements that agree in what it depends on.
type Answers = FxHashMap<(usize, Vec<Value>, Option<Element>), Option<Answer>>;

#[derive(Default)]
struct Answer {
    counts: FxHashMap<i64, u32>,
    /// The same for equal answers: elements that share one are told of together.
    fingerprint: u64,
}

impl Answer {
    fn add(&mut self, value: i64) {
        *self.counts.entry(value).or_insert(0) += 1;
        // A sum, so that the order does not count.
        let mixed = (value as u64 ^ (value as u64 >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.fingerprint = self.fingerprint.wrapping_add(mixed ^ (mixed >> 29));
    }
}

/// An element that has a value.
struct Holder {
    instance: Arc<Instance>,
    index: u32,
    slot: Slot,
}

/// What was given out twice, in the order of the files.
#[salsa::tracked(returns(ref), no_eq)]
pub fn problems(db: &dyn Db, project: Project) -> Arc<[Diagnostic]> {
    let program = queries::program(db);
    let pools = pools(&program);
    if pools.is_empty() {
        return Arc::from([]);
    }
    let world = DbWorld::new(db);
    let world = Lenient::new(&world);
    let mut answers = Answers::default();
    let mut twice: FxHashMap<(usize, i64, u64), Vec<Holder>> = FxHashMap::default();
    for &shard in project.shards(db).values().flat_map(|s| s.iter()) {
        for unit in queries::shard_instances(db, shard).iter() {
            for instance in &unit.instances {
                held_twice(&world, &pools, instance, &mut answers, &mut twice);
            }
        }
    }
    let mut found: Vec<Diagnostic> = twice
        .into_iter()
        .filter_map(|((pool, value, _), holders)| problem(&program, pools.get(pool)?, value, holders))
        .collect();
    crate::diag::sort_and_dedup(&mut found);
    found.into()
}

pub(super) fn pools(program: &Program) -> Vec<Pool> {
    let mut pools = Vec::new();
    for def in &program.types {
        let TypeDef::Record(record) = def else { continue };
        for (slot, field) in free_ints(program, record.decl.id) {
            let mut depends = Depends::default();
            if let Some(body) = &field.value {
                depends.look(&body.root, record.stored);
            }
            pools.push(Pool { ty: record.decl.id, slot, depends });
        }
    }
    pools
}

impl Depends {
    fn look(&mut self, hir: &Hir, stored: usize) {
        match &hir.kind {
            HirKind::SelfValue => self.whole = true,
            // A path relative to the folder of the instance.
            HirKind::File { .. } => self.whole = true,
            HirKind::Parent(base) if matches!(base.kind, HirKind::SelfValue) => self.parent = true,
            HirKind::Field { base, slot, .. }
                if matches!(base.kind, HirKind::SelfValue) && usize::from(*slot) < stored =>
            {
                if !self.slots.contains(slot) {
                    self.slots.push(*slot);
                }
            }
            _ => hir.each_child(&mut |child| self.look(child, stored)),
        }
    }

    pub fn key(&self, instance: &Instance, index: u32) -> (Vec<Value>, Option<Element>) {
        let Some(element) = instance.elements.get(index as usize) else { return (Vec::new(), None) };
        let fields = &element.record.fields;
        let values = self.slots.iter().filter_map(|slot| fields.get(usize::from(*slot)).cloned()).collect();
        let of = match (self.whole, self.parent) {
            (true, _) => Some(index),
            (false, true) => element.parent,
            (false, false) => None,
        };
        (values, of.map(|index| Element { instance: instance.id, index }))
    }
}

fn held_twice(
    world: &dyn World,
    pools: &[Pool],
    instance: &Arc<Instance>,
    answers: &mut Answers,
    twice: &mut FxHashMap<(usize, i64, u64), Vec<Holder>>,
) {
    for (index, element) in (0..).zip(&instance.elements) {
        for (at, pool) in pools.iter().enumerate().filter(|(_, p)| p.ty == element.record.ty) {
            let Some(Value::Int(value)) = element.record.fields.get(usize::from(pool.slot)) else { continue };
            let (values, of) = pool.depends.key(instance, index);
            let answer = answers.entry((at, values, of)).or_insert_with(|| {
                let mut answer = Answer::default();
                used(world, instance, index, pool.slot)?.into_iter().for_each(|value| answer.add(value));
                Some(answer)
            });
            if let Some(answer) = answer
                && answer.counts.get(value).is_some_and(|&count| count > 1)
            {
                let group = (at, *value, answer.fingerprint);
                let holder = Holder { instance: instance.clone(), index, slot: pool.slot };
                twice.entry(group).or_default().push(holder);
            }
        }
    }
}

fn problem(program: &Program, pool: &Pool, value: i64, mut holders: Vec<Holder>) -> Option<Diagnostic> {
    let record = program.record(pool.ty)?;
    let name = &record.fields.get(usize::from(pool.slot))?.data_name;
    holders.sort_by_key(|h| (h.instance.id.file.path(), h.instance.id.item, h.index));
    let (last, others) = holders.split_last()?;
    let message = match others.len() {
        0 => format!("the `{name}` {value} of this `{}` is used by something else too", record.decl.name),
        1 => format!("two `{}` have the `{name}` {value}", record.decl.name),
        more => format!("{} `{}` have the `{name}` {value}", more + 1, record.decl.name),
    };
    let mut problem = Diagnostic::new(codes::GIVEN_OUT_TWICE, last.place(), message).at("given out here");
    for other in others {
        problem = problem.label(other.place(), "and here");
    }
    Some(problem.help(
        "keep it where it is deployed, remove the line from the other file and run `gops update`, which gives a free one",
    ))
}

impl Holder {
    fn place(&self) -> Place {
        let element = self.instance.elements.get(self.index as usize);
        match element.and_then(|e| *e.fields.get(usize::from(self.slot))?) {
            Some((file, node)) => Place::Data { file, node, part: DataPart::Value },
            None => Place::File(self.instance.id.file),
        }
    }
}
