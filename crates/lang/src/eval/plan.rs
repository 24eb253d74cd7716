//! What is worked out from a model once, for all runs.

use crate::model::schema::{FieldDef, RecordDef, Slot};
use crate::model::{FieldKind, Program, Type, TypeDef, TypeId};

/// What is worked out from a model once, for all runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    types: Vec<TypePlan>,
    /// By function: whether its result says `secret` somewhere.
    secret_results: Vec<bool>,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct TypePlan {
    /// The `impl`s of the type, in order, without those about history.
    impls: Vec<u32>,
    /// Those about history.
    transient: Vec<u32>,
    /// By stored slot: what a run has to know of it.
    slots: Vec<SlotPlan>,
    /// Indexes of the keys in the order of their names: the order in which they compare.
    key_order: Vec<u16>,
}

/// What a run has to know of a slot.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct SlotPlan {
    /// Its type says `secret` somewhere, so that a plain value must be masked.
    pub secret: bool,
    /// It is a whole key: the index of that key.
    pub key: Option<u16>,
}

impl Plan {
    /// The plan of a model.
    pub fn new(program: &Program) -> Self {
        let mut types: Vec<TypePlan> = program.types.iter().map(TypePlan::new).collect();
        for (at, def) in program.impls.iter().enumerate() {
            if let Some(plan) = types.get_mut(def.ty.0 as usize) {
                if def.transient { &mut plan.transient } else { &mut plan.impls }.push(at as u32);
            }
        }
        let secret_results = program.functions.iter().map(|f| says_secret(&f.result)).collect();
        Plan { types, secret_results }
    }

    /// The `impl`s of a type: indexes into `Program::impls`.
    pub fn impls(&self, ty: TypeId) -> &[u32] {
        self.types.get(ty.0 as usize).map_or(&[], |t| &t.impls)
    }

    /// The `impl`s of a type that are about history.
    pub fn transient_impls(&self, ty: TypeId) -> &[u32] {
        self.types.get(ty.0 as usize).map_or(&[], |t| &t.transient)
    }

    /// Whether any `impl` is about history.
    pub fn looks_back(&self) -> bool {
        self.types.iter().any(|t| !t.transient.is_empty())
    }

    /// The indexes of a type's keys in the order in which they compare: by name.
    pub fn key_order(&self, ty: TypeId) -> &[u16] {
        self.types.get(ty.0 as usize).map_or(&[], |t| &t.key_order)
    }

    pub(super) fn slot(&self, ty: TypeId, slot: Slot) -> SlotPlan {
        let plan = self.types.get(ty.0 as usize).and_then(|t| t.slots.get(slot as usize));
        plan.copied().unwrap_or_default()
    }

    pub(super) fn has_secret_result(&self, function: u32) -> bool {
        self.secret_results.get(function as usize).copied().unwrap_or_default()
    }
}

impl TypePlan {
    fn new(def: &TypeDef) -> Self {
        let TypeDef::Record(record) = def else { return TypePlan::default() };
        let slots = record.fields.iter().enumerate();
        let mut key_order: Vec<u16> = (0..record.keys.len() as u16).collect();
        key_order.sort_by(|a, b| record.keys[*a as usize].name.cmp(&record.keys[*b as usize].name));
        TypePlan {
            impls: Vec::new(),
            transient: Vec::new(),
            slots: slots.map(|(slot, field)| SlotPlan::new(record, slot as Slot, field)).collect(),
            key_order,
        }
    }
}

impl SlotPlan {
    fn new(record: &RecordDef, slot: Slot, field: &FieldDef) -> Self {
        let key = match field.kind {
            FieldKind::Key => record.keys.iter().position(|k| k.path == [slot]),
            _ => None,
        };
        SlotPlan { secret: says_secret(&field.ty), key: key.map(|k| k as u16) }
    }
}

/// Whether a type says `secret` itself, not in a declared type that it names.
pub fn says_secret(ty: &Type) -> bool {
    match ty {
        Type::Secret(_) => true,
        Type::Alias(_, inner) | Type::Refined(inner, _) | Type::Optional(inner) => says_secret(inner),
        Type::List(inner) | Type::Set(inner) | Type::Later(inner) => says_secret(inner),
        Type::Map(_, value) => says_secret(value),
        Type::OneOf(types) => types.iter().any(says_secret),
        Type::Anon(fields) => fields.iter().any(|(_, ty)| says_secret(ty)),
        _ => false,
    }
}
