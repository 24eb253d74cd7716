//! What `moved` needs: identities as they are written, and the slots of objects: which constructor
//! made one, in which round of which loops.

use std::sync::Arc;

use ecow::EcoString;

use crate::model::hir::{Body, Hir, HirKind};
use crate::model::schema::Slot;
use crate::model::{Type, TypeDef, TypeId};

use super::instance::steps::{step, step_by_keys};
use super::machine::{Eval, Machine, This};
use super::plan::Plan;
use super::print;
use super::value::{Key, Object, Reference, Value};
use super::world::{Instance, World};

/// An identity in a `moved`: an instance or an object, and the way to an element of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// The instance, or an entity or resource.
    pub reference: Reference,
    /// From it down to the element: `pages[path=/x]`.
    pub steps: Vec<EcoString>,
}

/// The identity that a checked body names; none if it could not be computed, and that is said.
pub fn identity<'w>(world: &'w dyn World, body: &'w Body) -> (Option<Identity>, super::RunOutput) {
    let mut machine = Machine::new(world);
    machine.enter(body.file, Some(&body.root), body.locals, This::None);
    let found = machine.identity(&body.root);
    machine.leave();
    (found.ok(), machine.finish())
}

/// An object with its slot: the loop elements of the rounds that it was made in, as text.
pub type Slotted = (Arc<Object>, Vec<EcoString>);

/// What the `impl`s of an instance make, with slots.
pub fn instance_slots(world: &dyn World, instance: &Arc<Instance>) -> Vec<Slotted> {
    let mut machine = Machine::new(world);
    machine.slots = Some(Box::default());
    machine.about(instance);
    for index in 0..instance.elements.len() as u32 {
        if machine.run_element(instance, index, Plan::impls).is_err() {
            break;
        }
    }
    machine.slotted()
}

/// What the `impl`s of an entity make, with slots.
pub fn entity_slots(world: &dyn World, entity: &Arc<Object>) -> Vec<Slotted> {
    let mut machine = Machine::new(world);
    machine.slots = Some(Box::default());
    machine.run_entity_impls(entity);
    machine.slotted()
}

/// The rounds of loops that a run is in, and was in for each object that it made.
#[derive(Default)]
pub(super) struct Slots {
    open: Vec<EcoString>,
    of: Vec<Vec<EcoString>>,
}

impl Slots {
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// An object was made.
    pub fn made(&mut self) {
        self.of.push(self.open.clone());
    }
}

impl<'w> Machine<'w> {
    /// A round of a loop that is in so many others begins.
    #[inline]
    pub fn enter_round(&mut self, depth: usize, element: &Value) {
        if self.slots.is_some() {
            let name = self.loop_element(element);
            if let Some(slots) = &mut self.slots {
                slots.open.truncate(depth);
                slots.open.push(name);
            }
        }
    }

    /// A loop ends.
    #[inline]
    pub fn leave_rounds(&mut self, depth: usize) {
        if let Some(slots) = &mut self.slots {
            slots.open.truncate(depth);
        }
    }

    /// What tells a loop element from the others: an element's way from what holds it, else the
    /// value.
    fn loop_element(&self, value: &Value) -> EcoString {
        if let Value::Record(record) | Value::Variant(_, _, Some(record)) = value
            && let Some(element) = record.element
            && let Some(instance) = self.instance_of(element)
            && let Some(found) = instance.elements.get(element.index as usize)
        {
            return found.step.clone();
        }
        print::whole(self.program, value).into()
    }

    fn slotted(mut self) -> Vec<Slotted> {
        let slots = self.slots.take().map(|s| s.of).unwrap_or_default();
        self.finish().objects.into_iter().zip(slots).collect()
    }

    fn identity(&mut self, hir: &'w Hir) -> Eval<Identity> {
        match &hir.kind {
            HirKind::Ref { ty, keys } => {
                let key: Key = self.identity_keys(keys)?.into();
                Ok(Identity { reference: Reference { ty: *ty, key }, steps: Vec::new() })
            }
            HirKind::Field { base, ty, slot } => {
                let mut identity = self.identity(base)?;
                let name = self.data_name(*ty, *slot);
                identity.steps.push(step(self.program, name, false, None, None, None));
                Ok(identity)
            }
            HirKind::Keyed { base, variant, keys } => {
                let HirKind::Field { base, ty, slot } = &base.kind else { return Err(self.unexpected(hir)) };
                let mut identity = self.identity(base)?;
                let keys = self.identity_keys(keys)?;
                let Some(found) = self.step_to(*ty, *slot, *variant, &keys) else {
                    return Err(self.unexpected(hir));
                };
                identity.steps.push(found);
                Ok(identity)
            }
            _ => Err(self.unexpected(hir)),
        }
    }

    fn identity_keys(&mut self, keys: &'w [Hir]) -> Eval<Vec<Value>> {
        keys.iter().map(|key| self.eval(key)).collect()
    }

    fn data_name(&self, ty: TypeId, slot: Slot) -> &'w str {
        let field = self.program.record(ty).and_then(|r| r.fields.get(slot as usize));
        field.map_or("", |f| f.data_name.as_str())
    }

    /// The step to an element of a list, set or map.
    fn step_to(&self, ty: TypeId, slot: Slot, variant: Option<u16>, keys: &[Value]) -> Option<EcoString> {
        let field = self.program.record(ty)?.fields.get(slot as usize)?;
        let item = match field.ty.non_null().bare() {
            Type::List(item) | Type::Set(item) | Type::Map(_, item) => item.non_null().bare().clone(),
            _ => return None,
        };
        let (record, tag) = match item {
            Type::Record(id) => (self.program.record(id)?, None),
            Type::Union(id) => {
                let TypeDef::Union(union) = self.program.ty(id) else { return None };
                let variant = union.variants.get(variant? as usize)?;
                let payload = variant.payload.as_ref()?.record()?;
                (self.program.record(payload)?, Some((union.tag.as_str(), variant.data_name.as_str())))
            }
            _ => return None,
        };
        Some(step_by_keys(self.program, &field.data_name, tag, record, keys))
    }
}
