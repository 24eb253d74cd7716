//! What reading instances needs to know of a model's types, worked out once.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::eval::Value;
use crate::eval::plan::says_secret;
use crate::model::hir::{Body, Hir, HirKind};
use crate::model::schema::{FieldKind, Slot};
use crate::model::{Program, RecordDef, Type, TypeDef, TypeId};

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
    fn new(record: &RecordDef, known: &dyn Fn(&Body) -> Option<Value>) -> Self {
        let stored = &record.fields[..record.stored.min(record.fields.len())];
        let mut shape = RecordShape::default();
        for (slot, field) in stored.iter().enumerate() {
            if field.kind != FieldKind::Rest {
                shape.names.insert(field.data_name.clone(), slot as Slot);
                shape.old.extend(field.was.iter().map(|old| (old.clone(), slot as Slot)));
            }
            shape.defaults.push(match &field.value {
                // A secret is masked by whoever evaluates it.
                Some(body) if field.kind != FieldKind::Assigned && !says_secret(&field.ty) => known(body),
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

/// The value of a literal, if nothing refuses it.
fn literal(program: &Program, fast: &[Fast], hir: &Hir) -> Option<Value> {
    Some(match &hir.kind {
        HirKind::Refine(inner, ty) => {
            let value = literal(program, fast, inner)?;
            if !satisfies(program, fast, ty, &value) {
                return None;
            }
            value
        }
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

/// Whether a value is known to satisfy what a type says of it.
fn satisfies(program: &Program, fast: &[Fast], ty: &Type, value: &Value) -> bool {
    match ty {
        Type::Alias(_, inner) => satisfies(program, fast, inner, value),
        Type::Refined(inner, id) => {
            let holds = fast.get(id.0 as usize).and_then(|f| f.holds(program, value));
            holds == Some(true) && satisfies(program, fast, inner, value)
        }
        Type::Int | Type::Str | Type::Bool | Type::Float | Type::Duration | Type::Size => true,
        _ => false,
    }
}

impl Shapes {
    /// The tables of a program.
    pub fn new(program: &Program) -> Self {
        let fast: Vec<Fast> = program.refinements.iter().map(Fast::new).collect();
        let known = |body: &Body| literal(program, &fast, &body.root);
        let mut shapes = Shapes::default();
        for def in &program.types {
            let (record, variants) = match def {
                TypeDef::Record(record) => (RecordShape::new(record, &known), &[][..]),
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
        shapes.fast = fast;
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
