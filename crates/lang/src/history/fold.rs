//! The fold of the versions of an instance.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::eval::{Instance, Operation, Value};
use crate::model::{Program, RecordDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::same::same_fields;

/// One instance, all of its versions merged.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Folded {
    /// In merged order: each element before those that it holds; of these the live ones in the
    /// current order, then the deleted ones in their old order.
    pub elements: Vec<FoldedElement>,
    /// For each version, the current one first, which of these each of its elements is; none for
    /// what is no element of its own but a part of a value.
    pub numbers: Vec<Vec<Option<u32>>>,
}

impl Folded {
    /// What an element of a version is merged into. The current version has the number 0, the
    /// newest earlier one 1.
    pub fn of(&self, version: usize, element: u32) -> Option<&FoldedElement> {
        let number = self.numbers.get(version)?.get(element as usize).copied().flatten()?;
        self.elements.get(number as usize)
    }
}

/// An element of any of the versions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FoldedElement {
    /// What holds it: an index into [`Folded::elements`].
    pub parent: Option<u32>,
    /// What became of it.
    pub operation: Operation,
    /// Its number in the current version; none if it is deleted.
    pub current: Option<u32>,
    /// Of a live element its record in the newest earlier version, if that has it; of a deleted
    /// one that of the newest version that has it.
    pub earlier: Option<Seen>,
}

/// An element of an earlier version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Which version: an index into what [`fold`] was given.
    pub version: u32,
    /// Its number in it.
    pub element: u32,
}

/// Merges the versions of one instance, that is, of one slice and one key.
///
/// `earlier` has the newest version first. None stands for a version in which there was no such
/// instance: the current one is compared with the first of `earlier` and no other, so what was
/// removed and is back is a `create`. The others tell of deletions alone.
///
/// All versions are of the same program. The time is linear in all elements of all versions.
pub fn fold(program: &Program, current: Option<&Instance>, earlier: &[Option<&Instance>]) -> Folded {
    let mut merge = Merge { program, elements: Vec::new(), known: FxHashMap::default() };
    let now = current.map(|instance| {
        let version = merge.version(instance, |element, at, _| {
            element.current.get_or_insert(at);
        });
        (instance, version)
    });
    let mut versions = Vec::with_capacity(earlier.len());
    for (at, instance) in earlier.iter().enumerate() {
        let Some(instance) = instance else {
            versions.push(Version(Vec::new()));
            continue;
        };
        let newest = at == 0;
        let version = merge.version(instance, |element, number, is_new| {
            if is_new || (newest && element.current.is_some() && element.earlier.is_none()) {
                element.earlier = Some(Seen { version: at as u32, element: number });
            }
        });
        if newest && let Some((current, now)) = &now {
            merge.compare((current, now), (instance, &version));
        }
        versions.push(version);
    }
    merge.spread();
    let now = now.map_or_else(|| Version(Vec::new()), |(_, version)| version);
    merge.finish(std::iter::once(now).chain(versions))
}

/// Which merged element each element of a version is; none for what is no element of its own but
/// a part of a value: a plain struct, and what such a one holds.
pub(super) struct Version(Vec<Option<u32>>);

impl Version {
    /// Whether this element of the version is one of its own.
    pub(super) fn has(&self, element: u32) -> bool {
        self.0.get(element as usize).is_some_and(Option::is_some)
    }
}

/// What tells an element from the others of the same holder.
#[derive(PartialEq, Eq, Hash)]
struct Identity<'a> {
    parent: Option<u32>,
    /// The field, and in a list or map the tag and the key: see `eval::instance::steps`.
    step: &'a EcoString,
    variant: Option<(TypeId, u16)>,
    ty: TypeId,
    /// The key of what is no element of a list, which `step` leaves out.
    key: Vec<&'a Value>,
}

/// An element while versions are merged.
struct Merged {
    parent: Option<u32>,
    current: Option<u32>,
    earlier: Option<Seen>,
    /// It differs from the newest earlier version, in itself or below.
    touched: bool,
}

struct Merge<'a> {
    program: &'a Program,
    /// Each after what holds it.
    elements: Vec<Merged>,
    known: FxHashMap<Identity<'a>, u32>,
}

impl<'a> Merge<'a> {
    /// Finds or adds each element of a version and lets `see` note it: by its number, and whether
    /// no version had it so far.
    fn version(&mut self, instance: &'a Instance, see: impl Fn(&mut Merged, u32, bool)) -> Version {
        let mut numbers: Vec<Option<u32>> = Vec::with_capacity(instance.elements.len());
        for (at, element) in instance.elements.iter().enumerate() {
            // What holds an element stands before it.
            let parent = element.parent.and_then(|p| numbers.get(p as usize).copied().flatten());
            let def = self.program.record(element.record.ty);
            let plain = def.is_some_and(|def| def.kind == RecordKind::Plain);
            if plain || (at > 0 && parent.is_none()) {
                numbers.push(None);
                continue;
            }
            let key = match def {
                // All are versions of one instance, which may have moved from another key.
                _ if at == 0 => Vec::new(),
                Some(def) if !element.step.ends_with(']') => key_of(def, &element.record.fields),
                _ => Vec::new(),
            };
            let ty = element.record.ty;
            let identity = Identity { parent, step: &element.step, variant: element.variant, ty, key };
            let next = self.elements.len() as u32;
            let number = *self.known.entry(identity).or_insert(next);
            let is_new = number == next;
            if is_new {
                self.elements.push(Merged { parent, current: None, earlier: None, touched: false });
            }
            if let Some(merged) = self.elements.get_mut(number as usize) {
                see(merged, at as u32, is_new);
            }
            numbers.push(Some(number));
        }
        Version(numbers)
    }

    /// Marks the elements whose own values differ. What they hold is compared by itself.
    fn compare(&mut self, now: (&Instance, &Version), then: (&Instance, &Version)) {
        for merged in &mut self.elements {
            let (Some(current), Some(earlier)) = (merged.current, merged.earlier) else { continue };
            let here = now.0.elements.get(current as usize);
            let there = then.0.elements.get(earlier.element as usize);
            if let (Some(here), Some(there)) = (here, there) {
                merged.touched = !same_fields((&here.record, now.1), (&there.record, then.1));
            }
        }
    }

    /// Carries what differs from the newest earlier version up to what holds it.
    fn spread(&mut self) {
        for at in (0..self.elements.len()).rev() {
            let Some(element) = self.elements.get(at) else { continue };
            let newest = element.earlier.is_some_and(|seen| seen.version == 0);
            // Of those that are on one side alone, the ones that only older versions have count
            // for nothing: they were gone before.
            let one_sided = element.current.is_some() != newest;
            if (element.touched || one_sided)
                && let Some(parent) = element.parent
                && let Some(parent) = self.elements.get_mut(parent as usize)
            {
                parent.touched = true;
            }
        }
    }

    /// Puts the elements in merged order.
    fn finish(self, versions: impl Iterator<Item = Version>) -> Folded {
        let mut held: Vec<Vec<u32>> = vec![Vec::new(); self.elements.len()];
        let mut open = Vec::new();
        // Live ones were met first, so they stand first; what comes later off the stack was put
        // on it earlier.
        for (at, element) in self.elements.iter().enumerate().rev() {
            match element.parent.and_then(|p| held.get_mut(p as usize)) {
                Some(held) => held.push(at as u32),
                None => open.push((at as u32, None)),
            }
        }
        let mut elements = Vec::with_capacity(self.elements.len());
        let mut places = vec![0; self.elements.len()];
        while let Some((at, parent)) = open.pop() {
            let Some(merged) = self.elements.get(at as usize) else { continue };
            let number = elements.len() as u32;
            if let Some(place) = places.get_mut(at as usize) {
                *place = number;
            }
            elements.push(FoldedElement {
                parent,
                operation: merged.operation(),
                current: merged.current,
                earlier: merged.earlier,
            });
            let held = held.get_mut(at as usize).map(std::mem::take).unwrap_or_default();
            open.extend(held.into_iter().map(|child| (child, Some(number))));
        }
        let place = |at: Option<u32>| places.get(at? as usize).copied();
        let numbers = versions.map(|v| v.0.into_iter().map(place).collect()).collect();
        Folded { elements, numbers }
    }
}

impl Merged {
    fn operation(&self) -> Operation {
        match (self.current, self.earlier) {
            (None, _) => Operation::Delete,
            (Some(_), None) => Operation::Create,
            (Some(_), Some(_)) if self.touched => Operation::Update,
            (Some(_), Some(_)) => Operation::Keep,
        }
    }
}

/// The key values of a record.
fn key_of<'a>(def: &RecordDef, fields: &'a [Value]) -> Vec<&'a Value> {
    let value = |path: &[u16]| {
        let (first, rest) = path.split_first()?;
        let mut value = fields.get(*first as usize)?;
        for slot in rest {
            let Value::Record(record) = value else { return None };
            value = record.fields.get(*slot as usize)?;
        }
        Some(value)
    };
    def.keys.iter().filter_map(|key| value(&key.path)).collect()
}
