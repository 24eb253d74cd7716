//! From the trees of all modules to declarations: every type with its fields, every signature,
//! and the list of bodies that are still to be checked.
//!
//! [`declare`] goes through the modules in the order of their files, and through each in the
//! order of its items, so that numbers depend on nothing but the trees.

mod collect;
mod imports;
mod items;
mod keys;
mod lints;
mod members;
mod records;
mod relations;
mod shape;
mod sources;
mod types;

#[cfg(test)]
mod tests;

use ecow::EcoString;

use crate::base::{FileId, Name, Span};
use crate::diag::codes::model as codes;
use crate::diag::{Code, Diagnostic, Place, nearest};
use crate::syntax::ast;

use super::hir::{Body, Hir, HirKind, Node};
use super::nodes::NodeBuilder;
use super::program::Program;
use super::schema::Slot;
use super::scopes::{ModuleId, Scopes, TypeItem};
use super::ty::{RefineId, Type, TypeId};

pub use collect::full_path;
pub use lints::is_allowed;
pub use types::lower_type;

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
    /// The trees of the modules, by [`ModuleId`].
    pub modules: Vec<&'a ast::Module>,
    alternatives: Vec<types::Alternatives>,
    /// Whether all keys are known, so that kinds of data can be compared.
    complete: bool,
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
pub fn declare<'a>(modules: &[ModuleSource<'a>], settings: &Settings) -> Declarations<'a> {
    let mut d = Declarations::default();
    d.program.name = settings.project.clone();
    collect::modules(&mut d, modules);
    let collected = collect::items(&mut d, settings);
    imports::imports(&mut d);
    items::aliases(&mut d, &collected);
    records::variants(&mut d, &collected.types);
    let parts = members::all(&mut d, &collected.types);
    let records = records::all(&mut d, &collected.types, parts);
    relations::all(&mut d);
    keys::all(&mut d, &records);
    types::check_all_alternatives(&mut d);
    records::tag_clashes(&mut d, &collected.types);
    shape::all(&mut d, &records);
    sources::all(&mut d, &records);
    items::bodies(&mut d, &collected);
    lints::all(&mut d);
    d
}

/// The body that stands where the checker will put one.
fn stand_in(file: FileId, node: Node) -> Body {
    Body { file, root: Hir { node, kind: HirKind::Error }, locals: 0 }
}

impl<'a> Declarations<'a> {
    /// The file of a module.
    pub fn file(&self, module: ModuleId) -> FileId {
        self.scopes.module(module).file
    }

    /// Bytes of a module, as a place that a diagnostic can point at.
    pub fn place(&mut self, module: ModuleId, span: Span) -> Place {
        let file = self.file(module);
        self.nodes.place(file, span)
    }

    /// A diagnostic at a place of a module.
    pub fn problem(
        &mut self,
        code: Code,
        module: ModuleId,
        span: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(code, self.place(module, span), message)
    }

    /// Adds a lint, unless a comment at `span` allows it.
    pub fn lint(&mut self, module: ModuleId, span: Span, problem: Diagnostic) {
        let tree = self.modules.get(module.0 as usize);
        if !tree.is_some_and(|tree| lints::is_allowed(tree, problem.code, span)) {
            self.diagnostics.push(problem);
        }
    }

    /// The record behind a name for a type: itself, or what an alias stands for.
    fn record_of(&self, item: TypeItem) -> Option<TypeId> {
        let id = match item {
            TypeItem::Declared(id) => id,
            TypeItem::Alias(index) => self.scopes.aliases.get(index as usize)?.ty.record()?,
            TypeItem::Builtin(_) => return None,
        };
        self.program.record(id).map(|r| r.decl.id)
    }

    /// The record at a path; says so if there is none.
    fn record_at(&mut self, module: ModuleId, path: &ast::Path) -> Option<TypeId> {
        match self.scopes.resolve_type(&mut self.nodes, module, path) {
            Err(problem) => {
                self.diagnostics.push(*problem);
                None
            }
            Ok(item) => {
                self.warn_if_deprecated(module, path, item);
                let found = self.record_of(item);
                if found.is_none() {
                    let name = path.parts.last().map_or("", |p| p.name.as_str());
                    let message = format!("`{name}` is no slice, struct or entity");
                    let problem = self.problem(codes::WRONG_KIND, module, path.span, message);
                    self.diagnostics.push(problem.help("name a type that has fields"));
                }
                found
            }
        }
    }

    fn warn_if_deprecated(&mut self, module: ModuleId, path: &ast::Path, item: TypeItem) {
        let (reason, file, node) = match item {
            TypeItem::Declared(id) => {
                let decl = self.program.ty(id).decl();
                (decl.deprecated.clone(), decl.file, decl.node)
            }
            TypeItem::Alias(index) => match self.scopes.aliases.get(index as usize) {
                Some(alias) => (alias.deprecated.clone(), self.file(alias.module), alias.node),
                None => return,
            },
            TypeItem::Builtin(_) => return,
        };
        let Some(reason) = reason else { return };
        let name = path.parts.last().map_or("", |p| p.name.as_str());
        let message = format!("`{name}` is deprecated");
        let problem = self.problem(codes::DEPRECATED, module, path.span, message);
        let place = Place::Model { file, node: node.0 };
        self.lint(module, path.span, problem.help(reason).label(place, "declared here"));
    }

    /// Says that a name is there twice.
    fn duplicate(&mut self, name: ast::Ident, module: ModuleId, first_module: ModuleId, first: Span) {
        let message = format!("the name `{}` is there twice", name.name);
        let place = self.place(first_module, first);
        let problem = self.problem(codes::DUPLICATE_NAME, module, name.span, message);
        self.diagnostics.push(
            problem.at("the second").label(place, "the first").help("rename one of them, or take one away"),
        );
    }

    /// Says that a name cannot be imported, as it is there already.
    fn import_clash(&mut self, local: ast::Ident, module: ModuleId, first: Span) {
        let message = format!("the name `{}` is there already", local.name);
        let place = self.place(module, first);
        let problem = self.problem(codes::DUPLICATE_NAME, module, local.span, message);
        let help = format!("import it under another name: `as Other{}`", local.name);
        self.diagnostics.push(problem.at("imported here").label(place, "it means this one").help(help));
    }

    /// Says that a type has no such field.
    fn unknown_field(
        &mut self,
        module: ModuleId,
        name: ast::Ident,
        owner: Name,
        known: impl IntoIterator<Item = &'static str>,
    ) {
        let message = format!("`{owner}` has no field `{}`", name.name);
        let mut problem = self.problem(codes::UNKNOWN_NAME, module, name.span, message);
        if let Some(near) = nearest(name.name.as_str(), known) {
            let place = problem.labels.first().map(|l| l.place);
            problem = problem.help(format!("did you mean `{near}`?"));
            if let Some(place) = place {
                problem = problem.fix(format!("write `{near}`"), false, place, near);
            }
        }
        self.diagnostics.push(problem);
    }
}
