//! Which documents a migration has still to be applied to.

use ecow::EcoString;

use crate::data::{Document, NodeKind};
use crate::diag::Diagnostic;
use crate::eval::Value;
use crate::eval::World;
use crate::eval::builtins::any_of_document;
use crate::model::program::{MigrationDef, MigrationStep};
use crate::model::schema::RecordDef;
use crate::model::{Program, Type, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

/// A migration that is pending for an element of a document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pending {
    /// Index into `Program::migrations`, which are in order of their names.
    pub migration: usize,
    /// The element.
    pub node: u32,
}

/// What is pending for the instance at a node of a document, the first migration first; what
/// went wrong in a `when`.
pub fn pending(
    world: &dyn World,
    slice: TypeId,
    document: &Document,
    root: u32,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Pending> {
    let program = world.program();
    let mut found = Vec::new();
    let mut elements = Vec::new();
    Walk { program, document }.record(slice, root, 0, &mut elements);
    for (ty, node) in elements {
        for (migration, def) in program.migrations.iter().enumerate().filter(|(_, m)| m.ty == ty) {
            match is_pending(world, def, document, node) {
                Ok(true) => found.push(Pending { migration, node }),
                Ok(false) => {}
                Err(said) => problems.extend(said),
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether a migration is pending for an element.
pub fn is_pending(
    world: &dyn World,
    def: &MigrationDef,
    document: &Document,
    node: u32,
) -> Result<bool, Vec<Diagnostic>> {
    let has_drops = def.steps.iter().any(|step| matches!(step, MigrationStep::Drop { .. }));
    let is_there = |step: &MigrationStep| match step {
        MigrationStep::Drop { path } => at(document, node, path).is_some(),
        MigrationStep::Set { .. } => false,
    };
    if has_drops && !def.steps.iter().any(is_there) {
        return Ok(false);
    }
    match &def.when {
        Some(when) => {
            let old = any_of_document(document, node);
            Ok(crate::eval::migrate::value(world, when, &old)? == Value::Bool(true))
        }
        None => Ok(has_drops),
    }
}

/// The node at the end of a path of keys.
pub fn at(document: &Document, node: u32, path: &[EcoString]) -> Option<u32> {
    path.iter().try_fold(node, |node, key| document.get(node, key))
}

/// Goes through a document along the types of now, as far as they fit.
struct Walk<'a> {
    program: &'a Program,
    document: &'a Document,
}

/// Documents nest no deeper.
const DEEPEST: u32 = 128;

impl Walk<'_> {
    fn record(&self, ty: TypeId, node: u32, depth: u32, found: &mut Vec<(TypeId, u32)>) {
        let Some(record) = self.program.record(ty) else { return };
        if depth > DEEPEST || !matches!(self.document.value(node), NodeKind::Mapping(_)) {
            return;
        }
        found.push((ty, node));
        for field in record.fields.iter().take(record.stored) {
            let names = std::iter::once(&field.data_name).chain(&field.was);
            for child in names.filter_map(|name| self.document.get(node, name)) {
                self.value(&field.ty, child, depth + 1, found);
            }
        }
    }

    fn value(&self, ty: &Type, node: u32, depth: u32, found: &mut Vec<(TypeId, u32)>) {
        match ty {
            Type::Record(id) if self.program.record(*id).is_some_and(is_nested) => {
                self.record(*id, node, depth, found);
            }
            Type::Union(id) | Type::Variant(id, _) => self.union(*id, node, depth, found),
            Type::Alias(_, t)
            | Type::Refined(t, _)
            | Type::Optional(t)
            | Type::Secret(t)
            | Type::Later(t) => {
                self.value(t, node, depth, found);
            }
            Type::List(t) | Type::Set(t) | Type::Map(_, t) => {
                self.document.children(node).for_each(|child| self.value(t, child, depth + 1, found));
            }
            Type::OneOf(all) => all.iter().for_each(|t| self.value(t, node, depth, found)),
            _ => {}
        }
    }

    fn union(&self, id: TypeId, node: u32, depth: u32, found: &mut Vec<(TypeId, u32)>) {
        let Some(TypeDef::Union(union)) = self.program.types.get(id.0 as usize) else { return };
        let tag = self.document.get(node, union.tag.as_str()).and_then(|tag| self.document.str(tag));
        let variant = union.variants.iter().find(|v| tag.is_some_and(|tag| *tag == v.data_name));
        if let Some(payload) = variant.and_then(|v| v.payload.as_ref()) {
            self.value(payload, node, depth, found);
        }
    }
}

fn is_nested(record: &RecordDef) -> bool {
    matches!(record.kind, RecordKind::Struct | RecordKind::Plain)
}
