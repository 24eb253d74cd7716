//! What reading instances needs to know of a model's types, worked out once.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::eval::Value;
use crate::model::hir::{Body, HirKind};
use crate::model::schema::{FieldKind, Slot};
use crate::model::{Program, RecordDef, TypeDef, TypeId};

use super::fast::Fast;

/// Tables over all types of a program.
#[derive(Debug, Default)]
pub struct Shapes {
    records: Vec<RecordShape>,
    /// By type: the variants of enums and unions, by data name.
    variants: Vec<FxHashMap<EcoString, u16>>,
    /// By refinement.
    pub(super) fast: Vec<Fast>,
    /// By type: whether there are `impl`s of it.
    impls: Vec<bool>,
}

/// Tables over the fields of a record.
#[derive(Debug, Default)]
pub(super) struct RecordShape {
    /// By data name.
    names: FxHashMap<EcoString, Slot>,
    /// By old data name.
    old: FxHashMap<EcoString, Slot>,
    /// By slot: the default, where it is a literal.
    pub defaults: Vec<Option<Value>>,
}

impl RecordShape {
    fn new(record: &RecordDef) -> Self {
        let stored = &record.fields[..record.stored.min(record.fields.len())];
        let mut shape = RecordShape::default();
        for (slot, field) in stored.iter().enumerate() {
            if field.kind != FieldKind::Rest {
                shape.names.insert(field.data_name.clone(), slot as Slot);
                shape.old.extend(field.was.iter().map(|old| (old.clone(), slot as Slot)));
            }
            shape.defaults.push(match &field.value {
                Some(body) if field.kind != FieldKind::Assigned => literal(body),
                Some(_) => None,
                None => (field.kind == FieldKind::Rest).then(|| Value::Map(Default::default())),
            });
        }
        shape
    }

    /// The slot of a field by its data name. `guess` is the one that is likely next.
    pub fn slot(&self, record: &RecordDef, guess: usize, name: &str) -> Option<Slot> {
        match record.fields.get(guess) {
            Some(field) if field.data_name == name && guess < record.stored => {
                (record.rest != Some(guess as Slot)).then_some(guess as Slot)
            }
            _ => self.names.get(name).copied(),
        }
    }

    /// The slot of a field by a name that it had.
    pub fn old(&self, name: &str) -> Option<Slot> {
        self.old.get(name).copied()
    }
}

/// The value of a body that is a literal.
fn literal(body: &Body) -> Option<Value> {
    Some(match &body.root.kind {
        HirKind::Null => Value::Null,
        HirKind::Bool(b) => Value::Bool(*b),
        HirKind::Int(i) => Value::Int(*i),
        HirKind::Float(f) => Value::Float(*f),
        HirKind::Str(s) => Value::Str(s.clone()),
        HirKind::Duration(d) => Value::Duration(*d),
        HirKind::Size(s) => Value::Size(*s),
        HirKind::Enum(ty, variant) => Value::Enum(*ty, *variant),
        HirKind::List(items) if items.is_empty() => Value::List(Default::default()),
        HirKind::Map(entries) if entries.is_empty() => Value::Map(Default::default()),
        _ => return None,
    })
}

impl Shapes {
    /// The tables of a program.
    pub fn new(program: &Program) -> Self {
        let mut shapes = Shapes::default();
        for def in &program.types {
            let (record, variants) = match def {
                TypeDef::Record(record) => (RecordShape::new(record), &[][..]),
                TypeDef::Enum(e) => (RecordShape::default(), &e.variants[..]),
                TypeDef::Union(u) => (RecordShape::default(), &u.variants[..]),
            };
            shapes.records.push(record);
            let variants = variants.iter().enumerate();
            shapes.variants.push(variants.map(|(i, v)| (v.data_name.clone(), i as u16)).collect());
        }
        shapes.impls = vec![false; program.types.len()];
        for def in &program.impls {
            if let Some(has) = shapes.impls.get_mut(def.ty.0 as usize) {
                *has = true;
            }
        }
        shapes.fast = program.refinements.iter().map(Fast::new).collect();
        shapes
    }

    pub(super) fn record(&self, ty: TypeId) -> Option<&RecordShape> {
        self.records.get(ty.0 as usize)
    }

    pub(super) fn has_impls(&self, ty: TypeId) -> bool {
        self.impls.get(ty.0 as usize) == Some(&true)
    }

    pub(super) fn variant(&self, ty: TypeId, name: &str) -> Option<u16> {
        self.variants.get(ty.0 as usize)?.get(name).copied()
    }
}
