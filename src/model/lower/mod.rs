//! From the trees of all modules to declarations: every type with its fields, every signature,
//! and the list of bodies that are still to be checked.
//!
//! [`declare`] goes through the modules in the order of their files, and through each in the
//! order of its items, so that numbers depend on nothing but the trees.

use ecow::EcoString;

use crate::base::{FileId, Name};
use crate::diag::Diagnostic;
use crate::syntax::ast;

use super::nodes::NodeBuilder;
use super::program::Program;
use super::schema::Slot;
use super::scopes::{ModuleId, Scopes};
use super::ty::{RefineId, Type, TypeId};

/// A parsed model file.
#[derive(Clone, Debug)]
pub struct ModuleSource<'a> {
    /// The file.
    pub file: FileId,
    /// `[net, vlan]` for `model/net/vlan.gops`; `[std, host]` for the standard library's.
    pub module_path: Vec<Name>,
    /// Its tree.
    pub ast: &'a ast::Module,
}

/// What gops.toml says that models depend on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// The name of the project.
    pub project: EcoString,
    /// The environments, in order of declaration.
    pub environments: Vec<EcoString>,
}

/// What declaring yields.
#[derive(Debug, Default)]
pub struct Declarations<'a> {
    /// All types with fields, keys, relations; signatures of functions. Bodies are stand-ins:
    /// `FieldDef::value` is none, checks, `impl`s, tests and moves are empty, and the bodies of
    /// constants, functions and refinements are errors until the checker replaces them.
    pub program: Program,
    /// What names mean.
    pub scopes: Scopes,
    /// Every body that is still to be checked, in the order of files and places. Lowering a type
    /// in a body may add refinements at the end.
    pub pending: Vec<Pending<'a>>,
    /// The numbers of places.
    pub nodes: NodeBuilder,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// A body that is still to be checked.
#[derive(Clone, Debug)]
pub struct Pending<'a> {
    /// The module whose names it sees, and in whose file it stands.
    pub module: ModuleId,
    /// What it is.
    pub kind: PendingKind<'a>,
}

/// What is to be checked.
///
/// Members of an included struct come once for each record that includes it, with that record as
/// `owner` and the included struct's module.
#[derive(Clone, Debug)]
pub enum PendingKind<'a> {
    /// The default of a stored field, or what fills an `assigned` one: goes into
    /// `FieldDef::value`.
    Default {
        /// The record.
        owner: TypeId,
        /// The field, whose type is declared.
        slot: Slot,
        /// The value.
        expr: &'a ast::Expr,
    },
    /// A derived field: goes into `FieldDef::value`, and its type into `FieldDef::ty` where none
    /// is declared (it is [`Type::Error`] until then).
    Derived {
        /// The record.
        owner: TypeId,
        /// The field.
        slot: Slot,
        /// The declared type.
        declared: Option<Type>,
        /// The value.
        expr: &'a ast::Expr,
    },
    /// `where P`: goes into `Program::refinements`.
    Refinement {
        /// Which.
        id: RefineId,
        /// The type of `self` in it.
        base: Type,
        /// The condition.
        expr: &'a ast::Expr,
    },
    /// A constant: its type, where none is declared, and its body.
    Const {
        /// Index into `Program::consts`.
        index: u32,
        /// The declared type.
        declared: Option<Type>,
        /// The value.
        expr: &'a ast::Expr,
    },
    /// The body of a function.
    Function {
        /// Index into `Program::functions`, where the signature is.
        index: u32,
        /// Its tree.
        decl: &'a ast::FnDecl,
    },
    /// An `impl`: to be added to `Program::impls`.
    Impl {
        /// Slice, struct, union, entity, target or resource.
        ty: TypeId,
        /// Its tree.
        decl: &'a ast::ImplDecl,
    },
    /// A check of a record: to be added to `RecordDef::checks`.
    RecordCheck {
        /// The record.
        owner: TypeId,
        /// Its tree.
        check: &'a ast::Check,
    },
    /// A check at the top of a module: to be added to `Program::checks`.
    GlobalCheck {
        /// Its tree.
        check: &'a ast::Check,
    },
    /// The message of an `acyclic`: a constant.
    AcyclicMessage {
        /// Index into `Program::acyclics`.
        index: u32,
        /// The message.
        expr: &'a ast::Expr,
    },
    /// A test: to be added to `Program::tests`.
    Test {
        /// Its tree.
        decl: &'a ast::TestDecl,
    },
    /// `moved A to B` of objects: to be added to `Program::moves`. A moved type is there already.
    Moved {
        /// The old identity.
        from: &'a ast::Expr,
        /// The new one.
        to: &'a ast::Expr,
    },
    /// A migration.
    Migration {
        /// The type.
        ty: TypeId,
        /// Its tree.
        decl: &'a ast::MigrationDecl,
    },
}

/// Lowers what all modules declare.
pub fn declare<'a>(_modules: &[ModuleSource<'a>], _settings: &Settings) -> Declarations<'a> {
    Declarations::default()
}

/// Lowers a type as it is written in a module; also for `as`, `is` and `let x: T` in bodies. What
/// is wrong is added to the diagnostics, and the type is [`Type::Error`].
pub fn lower_type<'a>(
    _declarations: &mut Declarations<'a>,
    _module: ModuleId,
    _ty: &'a ast::TypeExpr,
) -> Type {
    Type::Error
}
