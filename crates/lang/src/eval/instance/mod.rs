//! From documents to typed instances: one pass over the data along the types of the slice.
//!
//! A value may stand in several files: the base file, what sops encrypted beside it, the overlay
//! of the environment. They are not merged first; the reader carries the places of all of them
//! (`layers::Layers`) down the types, so that each mistake is found in the file that it is in.

mod adopted;
mod collections;
mod each;
mod fast;
mod layers;
mod modes;

mod problems;
mod reader;
mod records;
mod scalars;
mod shapes;
mod spelling;
pub(in crate::eval) mod steps;
#[cfg(test)]
mod tests;
mod unions;

use std::sync::Arc;

use ecow::EcoString;

use crate::base::FileId;
use crate::data::Document;
use crate::diag::Diagnostic;
use crate::model::schema::Slot;
use crate::model::ty::RefineId;
use crate::model::{Program, TypeId};

use super::value::Value;
use super::world::{Instance, PendingReference};

pub use each::{Items, items};
pub(super) use problems::refinement_help;
pub use shapes::Shapes;

/// What reading asks of the evaluator.
pub trait Ask {
    /// Whether a value satisfies a refinement; the diagnostics of an evaluation that failed.
    fn holds(&self, refinement: RefineId, value: &Value) -> Result<bool, Vec<Diagnostic>>;

    /// The default of a field of an instance that is in `file`. `fields` are the values of the
    /// earlier ones.
    fn default(
        &self,
        file: FileId,
        ty: TypeId,
        slot: Slot,
        fields: &[Value],
    ) -> Result<Value, Vec<Diagnostic>>;
}

/// A parsed document and the file that it is of.
#[derive(Clone, Copy, Debug)]
pub struct Doc<'a> {
    /// The file.
    pub file: FileId,
    /// What it holds.
    pub document: &'a Document,
    /// Whether its file holds nothing but comments and blanks, which reads as null.
    pub empty: bool,
}

/// What one instance is read from.
#[derive(Clone, Debug)]
pub struct InstanceSource<'a> {
    /// The number of the instance in its file.
    pub item: u32,
    /// The base, then what is laid over it in order: each with the node where the instance is.
    pub documents: Vec<(Doc<'a>, u32)>,
    /// Keys that the path gives: name and text.
    pub bindings: &'a [(EcoString, EcoString)],
}

/// What reading an instance yields.
#[derive(Debug, Default)]
pub struct ReadInstance {
    /// The instance; none if it has no key that it could be known by.
    pub instance: Option<Arc<Instance>>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// The references to other instances in it.
    pub references: Vec<PendingReference>,
}

/// Reads one instance of a slice.
pub fn read(
    program: &Program,
    shapes: &Shapes,
    ask: &dyn Ask,
    slice: TypeId,
    source: &InstanceSource<'_>,
) -> ReadInstance {
    reader::Reader::new(program, shapes, ask, source).instance(slice, source)
}
