//! All modules together.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::{FileId, Name};

use super::hir::{Body, Hir, Node};
use super::schema::{CheckDef, EnumDef, FieldDef, RecordDef, Slot, TypeDef, UnionDef};
use super::ty::{RefineId, Type, TypeId};

/// The model of a project, checked. Compares equal when nothing but layout changed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// The project's name.
    pub name: EcoString,
    /// Declared types, ordered by path.
    pub types: Vec<TypeDef>,
    /// Refinements.
    pub refinements: Vec<Refinement>,
    /// Compiled regular expressions of the models.
    pub regexes: Vec<Regex>,
    /// Constants.
    pub consts: Vec<ConstDef>,
    /// Functions.
    pub functions: Vec<FunctionDef>,
    /// `impl`s, ordered by file and place.
    pub impls: Vec<ImplDef>,
    /// Inverses and closures.
    pub relations: Vec<RelationDef>,
    /// `acyclic`.
    pub acyclics: Vec<AcyclicDef>,
    /// Checks at the top of modules.
    pub checks: Vec<CheckDef>,
    /// Tests, in order of file and place.
    pub tests: Vec<TestDef>,
    /// Templates.
    pub templates: Vec<TemplateDef>,
    /// `moved`.
    pub moves: Vec<MovedDef>,
    /// Migrations, in order of their names.
    pub migrations: Vec<MigrationDef>,
    /// Whether a body calls `files()`, so that the list of all files is needed.
    pub uses_files: bool,
    /// The environments' names, in order of declaration; empty without any.
    pub environments: Vec<EcoString>,
    /// The enum of the environments; none without any.
    pub environment: Option<TypeId>,
    /// The types whose sets and `impl`s are evaluated one after the other: see `types::strata`.
    pub strata: Vec<Stratum>,
}

/// `where P`: a condition over `self`.
#[derive(Clone, PartialEq, Debug)]
pub struct Refinement {
    /// Bool; or a range or list that `self` must be in.
    pub body: Body,
    /// As it is written, for messages.
    pub text: EcoString,
    /// The alias that it is written in, if it is in one.
    pub alias: Option<Name>,
    /// The documentation of that alias.
    pub docs: EcoString,
}

/// A regular expression, anchored at both ends. Compares by its text.
#[derive(Clone, Debug)]
pub struct Regex {
    /// As written.
    pub text: EcoString,
    /// Compiled.
    pub compiled: regex::Regex,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// A constant.
#[derive(Clone, PartialEq, Debug)]
pub struct ConstDef {
    /// The name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Its value.
    pub body: Body,
    /// `deprecated "…"`.
    pub deprecated: Option<EcoString>,
}

/// A function.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionDef {
    /// The name.
    pub name: Name,
    /// The full path.
    pub path: EcoString,
    /// Names and types; parameter i is local i.
    pub params: Vec<(Name, Type)>,
    /// The type of the result.
    pub result: Type,
    /// The body.
    pub body: Body,
    /// Documentation.
    pub docs: EcoString,
    /// `deprecated "…"`.
    pub deprecated: Option<EcoString>,
    /// Its name, where it is declared.
    pub node: Node,
}

/// An `impl`.
#[derive(Clone, PartialEq, Debug)]
pub struct ImplDef {
    /// Slice, struct, union or entity.
    pub ty: TypeId,
    /// The condition, in the frame of the body.
    pub when: Option<Hir>,
    /// The body.
    pub body: Body,
    /// Whether it may ask about history (its condition does): made only as a transient.
    pub transient: bool,
    /// What it may create, sorted.
    pub creates: Vec<TypeId>,
    /// What it reads, sorted.
    pub reads: Vec<TypeId>,
    /// Its head, where it is written.
    pub node: Node,
}

/// `inverse A.f: set<B> by g`, `closure A.f: set<A> by g`.
#[derive(Clone, PartialEq, Debug)]
pub struct RelationDef {
    /// Transitive closure, not inverse.
    pub closure: bool,
    /// The type that has the field.
    pub owner: TypeId,
    /// The field in the owner.
    pub slot: Slot,
    /// The type whose field is followed: B.
    pub source: TypeId,
    /// The field that is followed: g.
    pub by: Slot,
    /// A list (over structs), not a set.
    pub list: bool,
    /// The file it is written in.
    pub file: FileId,
    /// All of it.
    pub node: Node,
}

/// `acyclic A by f, "m"`.
#[derive(Clone, PartialEq, Debug)]
pub struct AcyclicDef {
    /// The type.
    pub owner: TypeId,
    /// The field.
    pub by: Slot,
    /// The message, constant.
    pub message: EcoString,
    /// The file it is written in.
    pub file: FileId,
    /// All of it.
    pub node: Node,
}

/// A test.
#[derive(Clone, PartialEq, Debug)]
pub struct TestDef {
    /// The name.
    pub name: EcoString,
    /// The body.
    pub body: Body,
    /// Its name, where it is written.
    pub node: Node,
}

/// A template file with the types of what it is given.
#[derive(Clone, PartialEq, Debug)]
pub struct TemplateDef {
    /// The file.
    pub file: FileId,
    /// The given names, in the order of the locals.
    pub params: Vec<(Name, Type)>,
    /// An interpolation; its nodes are numbers of the template's file.
    pub body: Body,
}

/// `migration "…" for T { … }`. In its bodies local 0 is `old`, an `any`.
#[derive(Clone, PartialEq, Debug)]
pub struct MigrationDef {
    /// Its name.
    pub name: EcoString,
    /// A slice or a struct.
    pub ty: TypeId,
    /// `when`.
    pub when: Option<Body>,
    /// In order.
    pub steps: Vec<MigrationStep>,
    /// Where it is declared.
    pub file: FileId,
    /// Where in it.
    pub node: Node,
}

/// A step of a migration. Paths are of data names.
#[derive(Clone, PartialEq, Debug)]
pub enum MigrationStep {
    /// `set a.b = e`.
    Set {
        /// The field.
        path: Vec<EcoString>,
        /// What it gets: an `any`.
        value: Body,
    },
    /// `drop a.b`.
    Drop {
        /// The field.
        path: Vec<EcoString>,
    },
}

/// `moved`.
#[derive(Clone, PartialEq, Debug)]
pub enum MovedDef {
    /// From one identity to another.
    Object {
        /// The old reference.
        from: Body,
        /// The new one.
        to: Body,
    },
    /// A renamed type: the old path.
    Type {
        /// The old full path.
        from: EcoString,
        /// The type now.
        to: TypeId,
    },
}

/// One step of the evaluation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stratum {
    /// All values of a type are known.
    Set(TypeId),
    /// The `impl`s of a type are run.
    Impl(TypeId),
}

impl Program {
    /// A declared type.
    pub fn ty(&self, id: TypeId) -> &TypeDef {
        &self.types[id.0 as usize]
    }

    /// A record, where the type is known to be one.
    pub fn record(&self, id: TypeId) -> Option<&RecordDef> {
        match self.ty(id) {
            TypeDef::Record(record) => Some(record),
            _ => None,
        }
    }

    /// An enum, where the type is known to be one.
    pub fn enumeration(&self, id: TypeId) -> Option<&EnumDef> {
        match self.ty(id) {
            TypeDef::Enum(e) => Some(e),
            _ => None,
        }
    }

    /// A union, where the type is known to be one.
    pub fn union(&self, id: TypeId) -> Option<&UnionDef> {
        match self.ty(id) {
            TypeDef::Union(u) => Some(u),
            _ => None,
        }
    }

    /// A refinement.
    pub fn refinement(&self, id: RefineId) -> &Refinement {
        &self.refinements[id.0 as usize]
    }

    /// The type with this full path.
    pub fn find(&self, path: &str) -> Option<TypeId> {
        let at = self.types.binary_search_by(|t| t.decl().path.as_str().cmp(path)).ok()?;
        Some(TypeId(at as u32))
    }

    /// All slices, ordered by path.
    pub fn slices(&self) -> impl Iterator<Item = &RecordDef> {
        self.types.iter().filter_map(|t| match t {
            TypeDef::Record(r) if r.kind == crate::syntax::ast::RecordKind::Slice => Some(r),
            _ => None,
        })
    }
}

impl TypeDef {
    /// What every declared type has.
    pub fn decl(&self) -> &super::schema::Decl {
        match self {
            TypeDef::Record(r) => &r.decl,
            TypeDef::Enum(e) => &e.decl,
            TypeDef::Union(u) => &u.decl,
        }
    }
}

impl RecordDef {
    /// The field with this name in models.
    pub fn field(&self, name: Name) -> Option<(Slot, &FieldDef)> {
        let at = self.fields.iter().position(|f| f.name == name)?;
        Some((at as Slot, &self.fields[at]))
    }
}

/// The side tables of all modules, by file: bytes of numbered places.
pub type NodeTables = FxHashMap<FileId, super::hir::Nodes>;
