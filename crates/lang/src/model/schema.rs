//! Declared types.

use ecow::EcoString;

use crate::base::{FileId, Name};
use crate::syntax::ast::{Cost, RecordKind};

use super::hir::{Body, Hir, Node};
use super::source::SourcePattern;
use super::ty::{Type, TypeId};

/// A declared type. There are few of them, so their size does not matter.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum TypeDef {
    /// Slice, struct, entity, target, resource.
    Record(RecordDef),
    /// Enum.
    Enum(EnumDef),
    /// Tagged union.
    Union(UnionDef),
}

/// What every declared type has.
#[derive(Clone, PartialEq, Debug)]
pub struct Decl {
    /// Its number.
    pub id: TypeId,
    /// The name in its module.
    pub name: Name,
    /// The full path, of the module and the name: `std::files::TextFile`, `net::vlan::Vlan`,
    /// `main::Site`. The project's name is no part of it.
    pub path: EcoString,
    /// The model file.
    pub file: FileId,
    /// Its name, where it is declared.
    pub node: Node,
    /// Documentation, lines joined by newlines.
    pub docs: EcoString,
    /// `deprecated "…"`.
    pub deprecated: Option<EcoString>,
}

/// Slice, struct, entity, target, resource.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordDef {
    /// Name, path, place.
    pub decl: Decl,
    /// Which kind.
    pub kind: RecordKind,
    /// All fields, in order of declaration, those of included structs in place; [`Slot`] is the
    /// index.
    pub fields: Vec<FieldDef>,
    /// How many of the fields are stored (have a slot in a value): they come first.
    pub stored: usize,
    /// The keys in order of declaration; empty for a singleton slice, a plain struct, a struct
    /// without a key.
    pub keys: Vec<KeyDef>,
    /// `in "…"` of a slice.
    pub source: Option<SourceDef>,
    /// `handled by`.
    pub handler: Option<EcoString>,
    /// The one field of a resource whose type is a target.
    pub target: Option<Slot>,
    /// The stored field that takes what is not declared (`...rest`).
    pub rest: Option<Slot>,
    /// Checks of each value, in order.
    pub checks: Vec<CheckDef>,
    /// `unique`: fields by slot.
    pub uniques: Vec<UniqueDef>,
    /// Relations (inverse, closure) whose field is in this type: index into `Program::relations`.
    pub relations: Vec<u32>,
    /// For a struct: the records and unions whose fields hold it, and so may be its `parent`.
    pub holders: Vec<TypeId>,
}

/// The index of a field in [`RecordDef::fields`], and of a stored one in a value.
pub type Slot = u16;

/// One key.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyDef {
    /// The slots to go through: one, or several for `key metadata.name`.
    pub path: Vec<Slot>,
    /// `name`, `metadata.name`.
    pub name: EcoString,
    /// The type of the key's value.
    pub ty: Type,
}

/// Where the instances of a slice are.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceDef {
    /// Folder, file or pattern, as written.
    pub path: EcoString,
    /// The same, taken apart.
    pub pattern: SourcePattern,
    /// For each placeholder of the pattern, in order, the key that it binds: an index into
    /// [`RecordDef::keys`].
    pub bindings: Vec<u16>,
    /// A file holds a list of instances.
    pub each: bool,
    /// Where it is written.
    pub node: Node,
}

/// `unique (a, b)`.
#[derive(Clone, PartialEq, Debug)]
pub struct UniqueDef {
    /// The fields.
    pub slots: Vec<Slot>,
    /// Where it is written.
    pub node: Node,
}

/// A field.
#[derive(Clone, PartialEq, Debug)]
pub struct FieldDef {
    /// Its name in models.
    pub name: Name,
    /// Its name in data and in the graph.
    pub data_name: EcoString,
    /// What kind.
    pub kind: FieldKind,
    /// Its type.
    pub ty: Type,
    /// What it is if it is not given: a body over the earlier fields of `self`. None and a type
    /// that takes null: null. Of an assigned field, what fills it; of a derived one, its value.
    pub value: Option<Body>,
    /// Whether the type has refinements somewhere (so a given value must be looked through).
    pub refined: bool,
    /// `restart`, `replace`.
    pub cost: Cost,
    /// Old names in data.
    pub was: Vec<EcoString>,
    /// The name, where it is declared: the file may be another one if it was included.
    pub file: FileId,
    /// The name, where it is declared.
    pub node: Node,
    /// Documentation.
    pub docs: EcoString,
    /// `deprecated "…"`.
    pub deprecated: Option<EcoString>,
}

/// What kind of field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FieldKind {
    /// Stored, without a word before it.
    Plain,
    /// Stored, a key (or the first step of a key's path).
    Key,
    /// Stored, filled by `gops update`.
    Assigned,
    /// Stored: takes every field that is not declared.
    Rest,
    /// Known after a deploy. Not stored.
    Output,
    /// `let f = e`. Not stored.
    Derived,
    /// Made by an inverse or closure: index into `Program::relations`. Not stored.
    Relation(u32),
}

impl FieldKind {
    /// Whether a value has a slot for it.
    pub fn is_stored(self) -> bool {
        matches!(self, FieldKind::Plain | FieldKind::Key | FieldKind::Assigned | FieldKind::Rest)
    }
}

/// An enum.
#[derive(Clone, PartialEq, Debug)]
pub struct EnumDef {
    /// Name, path, place.
    pub decl: Decl,
    /// In order; payloads are none.
    pub variants: Vec<VariantDef>,
}

/// A tagged union.
#[derive(Clone, PartialEq, Debug)]
pub struct UnionDef {
    /// Name, path, place.
    pub decl: Decl,
    /// `by type`: the field in data that tells the variant.
    pub tag: Name,
    /// In order.
    pub variants: Vec<VariantDef>,
}

/// A variant.
#[derive(Clone, PartialEq, Debug)]
pub struct VariantDef {
    /// In models.
    pub name: Name,
    /// In data and in the graph.
    pub data_name: EcoString,
    /// The struct it carries.
    pub payload: Option<Type>,
    /// Where it is declared.
    pub node: Node,
    /// Documentation.
    pub docs: EcoString,
    /// `deprecated "…"`.
    pub deprecated: Option<EcoString>,
}

/// A check of a record, of the project (`self` is not bound) or in a body.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckDef {
    /// The file that it is written in.
    pub file: FileId,
    /// All of it.
    pub node: Node,
    /// `x in E:`: the locals (one or two) and what is gone through.
    pub quantifier: Option<(Vec<u32>, Hir)>,
    /// What must hold.
    pub condition: Hir,
    /// What is said if it does not.
    pub message: Hir,
    /// Who is to blame: a record (`self` if left out) and the fields to go through in its data.
    pub at: Option<AtDef>,
    /// How many locals a frame needs.
    pub locals: u32,
}

/// `at m.name`.
#[derive(Clone, PartialEq, Debug)]
pub struct AtDef {
    /// The record whose data is shown.
    pub base: Hir,
    /// The fields (data names) to go through; keyed steps have been left out.
    pub path: Vec<EcoString>,
}
