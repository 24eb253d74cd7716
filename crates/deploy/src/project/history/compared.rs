//! All versions of all instances, folded.

use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::eval::{Element, Instance, InstanceId, Key, Operation, Value, Version};
use crate::history::{Folded, FoldedElement, fold};
use crate::model::{Program, TypeId};

use super::moves::{Moves, renamed};

/// One instance with its versions.
struct One {
    /// By version: the current one first.
    instances: Vec<Option<Arc<Instance>>>,
    folded: Folded,
}

/// The current version and the earlier ones, compared. Versions are numbered: 0 is the current one,
/// 1 the newest earlier one.
pub(super) struct Compared<'a> {
    versions: Vec<Option<&'a dyn Version>>,
    all: Vec<One>,
    /// By version, which of `all` an instance is. What is equal in all versions is in none.
    by: Vec<FxHashMap<InstanceId, u32>>,
}

/// The instances of all versions, by slice and key, in each version; what moved stands under what
/// it is now. The current version is the first.
pub(super) fn by_identity(versions: &[Option<&dyn Version>], moves: &Moves) -> ByIdentity {
    let mut found = ByIdentity::default();
    for (at, version) in versions.iter().enumerate() {
        let moved: Vec<_> = moves.renamed.iter().filter(|(from, ..)| *from <= at).cloned().collect();
        for instance in version.iter().flat_map(|v| v.instances()) {
            let instance = if moved.is_empty() { instance } else { renamed(&instance, &moved) };
            let key = (instance.ty, instance.key.clone());
            let of = found.entry(key).or_insert_with(|| vec![None; versions.len()]);
            // Of two with one key the first is meant.
            if let Some(place @ None) = of.get_mut(at) {
                *place = Some(instance);
            }
        }
    }
    found
}

/// Of each instance its versions; none where it was not there.
pub(super) type ByIdentity = IndexMap<(TypeId, Key), Vec<Option<Arc<Instance>>>, FxBuildHasher>;

/// Whether two versions of an instance are equal. What nobody changed is the same value.
fn is_same(one: &Option<Arc<Instance>>, other: &Option<Arc<Instance>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
        _ => one.is_none() && other.is_none(),
    }
}

impl<'a> Compared<'a> {
    /// Folds the versions of each instance. None stands for a version in which there was nothing.
    pub(super) fn new(
        program: &Program,
        now: &'a dyn Version,
        then: impl Iterator<Item = Option<&'a dyn Version>>,
        moves: &Moves,
    ) -> Self {
        let versions: Vec<Option<&dyn Version>> = std::iter::once(Some(now)).chain(then).collect();
        let count = versions.len();
        let found = by_identity(&versions, moves);
        let mut compared = Compared { versions, all: Vec::new(), by: vec![FxHashMap::default(); count] };
        for instances in found.into_values() {
            if count > 1 && instances.windows(2).all(|pair| is_same(&pair[0], &pair[1])) {
                continue;
            }
            compared.add(program, instances);
        }
        compared
    }

    fn add(&mut self, program: &Program, instances: Vec<Option<Arc<Instance>>>) {
        let number = self.all.len() as u32;
        for (by, instance) in self.by.iter_mut().zip(&instances) {
            if let Some(instance) = instance {
                by.insert(instance.id, number);
            }
        }
        let mut earlier = instances.iter().map(Option::as_deref);
        let current = earlier.next().flatten();
        let folded = fold(program, current, &earlier.collect::<Vec<_>>());
        self.all.push(One { instances, folded });
    }

    /// One of the versions.
    pub(super) fn version(&self, number: usize) -> Option<&'a dyn Version> {
        self.versions.get(number).copied().flatten()
    }

    fn folded(&self, version: usize, element: Element) -> Option<(&One, &FoldedElement)> {
        let number = *self.by.get(version)?.get(&element.instance)?;
        let one = self.all.get(number as usize)?;
        Some((one, one.folded.of(version, element.index)?))
    }

    /// What became of an element, by its number in a version.
    pub(super) fn operation(&self, version: usize, element: Element) -> Operation {
        self.folded(version, element).map_or(Operation::Keep, |(_, folded)| folded.operation)
    }

    /// The newest earlier record of an element: the version, and its number there.
    pub(super) fn earlier(&self, version: usize, element: Element) -> Option<(usize, Element)> {
        if self.versions.len() < 2 {
            return None;
        }
        let Some((one, folded)) = self.folded(version, element) else {
            // Equal in all versions.
            return Some((version, element));
        };
        let seen = folded.earlier?;
        let version = seen.version as usize + 1;
        let instance = one.instances.get(version)?.as_ref()?;
        Some((version, Element { instance: instance.id, index: seen.element }))
    }

    /// What a field of an element was.
    pub(super) fn previous(&self, version: usize, element: Element, slot: u16) -> Option<Value> {
        let (version, element) = self.earlier(version, element)?;
        let world = self.version(version)?.world();
        let instance = world.instance_at(element.instance)?;
        let record = &instance.elements.get(element.index as usize)?.record;
        match record.fields.get(slot as usize) {
            Some(value) => Some(value.clone()),
            None => crate::eval::derived_field(world, element, slot).value.ok(),
        }
    }

    /// The elements whose `impl`s about history are run in a version: in the current one all, in an
    /// earlier one those that are deleted and that no newer version had.
    pub(super) fn elements(&self, version: usize) -> Vec<(Arc<Instance>, Vec<u32>)> {
        let Some(of) = self.version(version) else { return Vec::new() };
        if version == 0 {
            let all = |i: Arc<Instance>| {
                let elements = (0..i.elements.len() as u32).collect();
                (i, elements)
            };
            return of.instances().into_iter().map(all).collect();
        }
        let mut found = Vec::new();
        for one in &self.all {
            let Some(instance) = one.instances.get(version).and_then(Option::as_ref) else { continue };
            let deleted = one.folded.elements.iter().filter(|e| e.operation == Operation::Delete);
            let here = deleted.filter_map(|e| e.earlier).filter(|seen| seen.version as usize + 1 == version);
            let elements: Vec<u32> = here.map(|seen| seen.element).collect();
            if !elements.is_empty() {
                found.push((instance.clone(), elements));
            }
        }
        found
    }
}
