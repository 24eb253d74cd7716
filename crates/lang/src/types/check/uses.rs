//! What a body uses: which functions, fields and objects. The order of evaluation and the rules
//! about recursion follow from it.

use crate::base::{FileId, Span};
use crate::model::schema::Slot;
use crate::model::ty::RefineId;
use crate::model::{Body, Program, TypeDef, TypeId};

/// Where a value comes from, as far as the order of evaluation is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::types) enum Origin {
    /// `self`.
    Here,
    /// `parent`, or the parent's parent.
    Up,
    /// A value nested in `self`.
    Down,
    /// An object, or a collection of objects, that this body constructs.
    Own,
    /// Anything else.
    Other,
}

impl Origin {
    /// Of a value that is either.
    pub fn or(self, other: Origin) -> Origin {
        if self == other { self } else { Origin::Other }
    }
}

/// A body that others can use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::types) enum BodyId {
    /// A default, a derived field's value.
    Value(TypeId, Slot),
    /// `where P`.
    Refinement(RefineId),
    /// A constant.
    Const(u32),
    /// A function.
    Function(u32),
    /// An `impl`.
    Impl(u32),
}

impl BodyId {
    /// The body of a value, a refinement or a function.
    pub fn body_mut(self, program: &mut Program) -> Option<&mut Body> {
        match self {
            BodyId::Value(ty, slot) => match program.types.get_mut(ty.0 as usize)? {
                TypeDef::Record(record) => record.fields.get_mut(slot as usize)?.value.as_mut(),
                _ => None,
            },
            BodyId::Refinement(id) => program.refinements.get_mut(id.0 as usize).map(|r| &mut r.body),
            BodyId::Const(index) => program.consts.get_mut(index as usize).map(|c| &mut c.body),
            BodyId::Function(index) => program.functions.get_mut(index as usize).map(|f| &mut f.body),
            BodyId::Impl(_) => None,
        }
    }
}

/// One use, and where it is.
#[derive(Clone, Debug)]
pub(in crate::types) struct Use {
    pub file: FileId,
    pub span: Span,
    pub kind: UseKind,
}

/// What is used.
#[derive(Clone, Debug)]
pub(in crate::types) enum UseKind {
    /// A body is evaluated. For a derived field, of which element.
    Body(BodyId, Origin),
    /// Defaults of the fields that a constructor does not give.
    Defaults(TypeId, Vec<Slot>),
    /// Objects of a type are read: `all(T)`, an inverse, `T[k]?`, a field of an object.
    Reads(TypeId),
    /// An object is made.
    Creates(TypeId),
}
