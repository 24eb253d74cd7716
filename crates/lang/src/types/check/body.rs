//! One body while it is checked: its locals, what is known of its values, what it uses.

use std::sync::Arc;

use super::Checker;
pub(super) use super::uses::Origin;
use super::uses::{Use, UseKind};
use crate::base::{FileId, Name, Span};
use crate::diag::{Code, Diagnostic, Place, Severity, codes::lint, codes::types as codes};
use crate::model::schema::Slot;
use crate::model::scopes::{FunctionItem, ModuleId, ValueItem};
use crate::model::{Body, FieldDef, Hir, HirKind, Node, Program, RecordDef, Type, TypeId};
use crate::syntax::ast;

/// What kind of body it is: what may stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// The default of a field: may read the fields before it.
    Default(Slot),
    /// What fills an `assigned` field.
    Assigned,
    /// A derived field.
    Derived,
    /// A refinement.
    Where,
    /// A constant, or a message that is constant.
    Const,
    /// A function.
    Function,
    /// An `impl`; a transient one may ask about history.
    Impl {
        /// Its condition asks about history.
        transient: bool,
    },
    /// A check of a record or of the project.
    Check,
    /// A migration, which sees one document as it was.
    Migration,
    /// A test.
    Test,
}

impl Mode {
    /// What it is called in messages.
    pub fn noun(self) -> &'static str {
        match self {
            Mode::Default(_) => "a default",
            Mode::Assigned => "an assigned field's value",
            Mode::Derived => "a derived field",
            Mode::Where => "a refinement",
            Mode::Const => "a constant",
            Mode::Function => "a function",
            Mode::Impl { .. } => "an `impl`",
            Mode::Check => "a check",
            Mode::Migration => "a migration",
            Mode::Test => "a test",
        }
    }

    /// Whether entities and resources can be constructed.
    pub fn constructs(self) -> bool {
        matches!(self, Mode::Impl { .. } | Mode::Test)
    }
}

/// An expression with its type.
#[derive(Debug)]
pub(super) struct Typed {
    pub hir: Hir,
    pub ty: Type,
    pub from: Origin,
}

impl Typed {
    /// A value from nowhere in particular.
    pub fn new(hir: Hir, ty: Type) -> Self {
        Typed { hir, ty, from: Origin::Other }
    }

    /// What stands in for a value that was moved out.
    pub fn taken() -> Self {
        Typed::new(Hir { node: Node(0), kind: HirKind::Error }, Type::Error)
    }

    /// Whether something was wrong with it and has been said.
    pub fn is_error(&self) -> bool {
        matches!(self.ty.bare(), Type::Error)
    }
}

/// A local.
#[derive(Debug)]
pub(super) struct Local {
    pub name: Name,
    pub id: u32,
    pub ty: Type,
    pub from: Origin,
    pub span: Span,
    pub used: bool,
}

/// The start of a path that can be narrowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Root {
    Local(u32),
    This,
}

/// `tls.cert`, `x`, `parent.a`: something whose type a condition can narrow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Path {
    pub root: Root,
    pub steps: Vec<Name>,
}

/// What is known of a path.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub path: Path,
    pub ty: Type,
}

/// One body while it is checked. `'a` is the life of the trees.
pub(super) struct Cx<'c, 'a> {
    pub ck: &'c mut Checker<'a>,
    pub module: ModuleId,
    pub file: FileId,
    pub mode: Mode,
    /// The type of `self`.
    pub this: Option<Type>,
    /// The locals in scope, the innermost last.
    pub scope: Vec<Local>,
    /// How many locals there are so far.
    pub frame: u32,
    pub facts: Vec<Fact>,
    pub uses: Vec<Use>,
    /// What a relative path of `file()` is relative to.
    pub folder: Folder,
    /// Names mean locals alone: in a template.
    pub sealed: bool,
    /// Elements of the literal that is checked may be `later` without its type saying so, and
    /// whether one of them was.
    pub later_ok: bool,
    pub later_seen: bool,
    /// For a struct that is made as the value of a map: its key field, the map's key that fills
    /// it, and the type of the map.
    pub held_under: Option<(TypeId, Slot, Hir, Type)>,
    /// How many function values may still be checked again with wider types. It bounds the time
    /// where they are nested.
    pub retries: u32,
}

/// What a relative path of `file()` is relative to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Folder {
    /// The folder of the instance of `self`.
    This,
    /// That of the instance that a parameter is, or is a part of.
    Local(u32),
    /// The folder of the module, in tests.
    Module,
    /// Nothing: only paths from the root.
    None,
}

impl<'c, 'a> Cx<'c, 'a> {
    pub fn new(ck: &'c mut Checker<'a>, module: ModuleId, mode: Mode, this: Option<Type>) -> Self {
        let file = ck.decls.scopes.module(module).file;
        let folder = match (mode, &this) {
            (Mode::Test, _) => Folder::Module,
            (_, Some(ty)) if ck.is_data(ty) => Folder::This,
            _ => Folder::None,
        };
        Cx {
            ck,
            module,
            file,
            mode,
            this,
            scope: Vec::new(),
            frame: 0,
            facts: Vec::new(),
            uses: Vec::new(),
            folder,
            sealed: false,
            later_ok: false,
            later_seen: false,
            held_under: None,
            retries: 32,
        }
    }

    /// The body, with what it uses.
    pub fn finish(mut self, root: Hir) -> (Body, Vec<Use>) {
        self.leave(0);
        (Body { file: self.file, root, locals: self.frame }, self.uses)
    }

    pub fn program(&self) -> &Program {
        &self.ck.decls.program
    }

    // Places and expressions.

    pub fn node(&mut self, span: Span) -> Node {
        self.ck.decls.nodes.node(self.file, span)
    }

    pub fn hir(&mut self, span: Span, kind: HirKind) -> Hir {
        Hir { node: self.node(span), kind }
    }

    pub fn typed(&mut self, span: Span, kind: HirKind, ty: Type) -> Typed {
        Typed::new(self.hir(span, kind), ty)
    }

    /// Something was wrong and has been said.
    pub fn wrong(&mut self, span: Span) -> Typed {
        self.typed(span, HirKind::Error, Type::Error)
    }

    pub fn at(&self, span: Span) -> Place {
        Place::span(self.file, span)
    }

    pub fn problem(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.at(span), message)
    }

    pub fn report(&mut self, problem: Diagnostic) {
        if problem.severity == Severity::Warning
            && let Some(Place::Span(at)) = problem.labels.first().map(|l| l.place)
        {
            // A comment can silence it.
            self.ck.decls.lint(self.module, at.span, problem);
        } else {
            self.ck.decls.diagnostics.push(problem);
        }
    }

    pub fn show(&self, ty: &Type) -> String {
        self.ck.show(ty)
    }

    pub fn record_use(&mut self, span: Span, kind: UseKind) {
        self.uses.push(Use { file: self.file, span, kind });
    }

    // Locals.

    /// A local that no name means.
    pub fn hidden_local(&mut self) -> u32 {
        self.frame += 1;
        self.frame - 1
    }

    /// Declares a local.
    pub fn declare(&mut self, name: ast::Ident, ty: Type, from: Origin) -> u32 {
        let id = self.hidden_local();
        if name.name.as_str() == "_" {
            return id;
        }
        if let Some(before) = self.scope.iter().find(|l| l.name == name.name) {
            let problem = self
                .problem(
                    codes::SHADOWED_LOCAL,
                    name.span,
                    format!("there is a local `{}` already", name.name),
                )
                .label(self.at(before.span), "this one")
                .help("give one of them another name");
            self.report(problem);
        } else {
            self.lint_shadowing(name);
        }
        self.scope.push(Local { name: name.name, id, ty, from, span: name.span, used: false });
        id
    }

    /// Declares a local that need not be used: a parameter, a name of a `for`.
    pub fn declare_used(&mut self, name: ast::Ident, ty: Type, from: Origin) -> u32 {
        let id = self.declare(name, ty, from);
        if let Some(local) = self.scope.last_mut().filter(|l| l.id == id) {
            local.used = true;
        }
        id
    }

    fn lint_shadowing(&mut self, name: ast::Ident) {
        let field = self.this_field(name.name).is_some();
        let item = self.value_item(name.name).is_some();
        if field || item {
            let what = if field { "a field of `self`" } else { "an item" };
            let problem = self
                .problem(lint::SHADOWED_NAME, name.span, format!("the local `{}` hides {what}", name.name))
                .help("give the local another name");
            self.report(problem);
        }
    }

    /// Where the scope is, for [`Cx::leave`].
    pub fn enter(&self) -> usize {
        self.scope.len()
    }

    /// Leaves the scopes entered since.
    pub fn leave(&mut self, mark: usize) {
        while self.scope.len() > mark {
            let Some(local) = self.scope.pop() else { break };
            if !local.used && !local.name.as_str().starts_with('_') && self.mode != Mode::Test {
                let problem = self
                    .problem(lint::UNUSED_LOCAL, local.span, format!("`{}` is not used", local.name))
                    .help(format!("remove it, or name it `_{}`", local.name));
                self.report(problem);
            }
        }
    }

    /// The local of this name.
    pub fn local(&mut self, name: Name) -> Option<&Local> {
        let local = self.scope.iter_mut().rev().find(|l| l.name == name)?;
        local.used = true;
        Some(local)
    }

    pub fn has_local(&self, name: Name) -> bool {
        self.scope.iter().any(|l| l.name == name)
    }

    // What is known.

    /// Adds what holds from here on; give the result to [`Cx::forget`].
    pub fn assume(&mut self, facts: Vec<Fact>) -> usize {
        let mark = self.facts.len();
        self.facts.extend(facts);
        mark
    }

    pub fn forget(&mut self, mark: usize) {
        self.facts.truncate(mark);
    }

    /// Whether something in the module is meant by a value's name; never in a template.
    pub fn value_item(&self, name: Name) -> Option<ValueItem> {
        if self.sealed { None } else { self.ck.decls.scopes.value_named(self.module, name) }
    }

    /// The function of the module with this name; never in a template.
    pub fn function_item(&self, name: Name) -> Option<FunctionItem> {
        if self.sealed { None } else { self.ck.decls.scopes.function_named(self.module, name) }
    }

    /// The type that a path is known to have here.
    pub fn known(&self, path: &Path) -> Option<&Type> {
        self.facts.iter().rev().find(|f| f.path == *path).map(|f| &f.ty)
    }

    // Declared types.

    pub fn record(&self, id: TypeId) -> Option<&RecordDef> {
        self.program().record(id)
    }

    /// A field of `self`, if it is a record.
    pub fn this_field(&self, name: Name) -> Option<(TypeId, Slot)> {
        let id = match self.this.as_ref()?.bare() {
            Type::Record(id) => *id,
            _ => return None,
        };
        self.record(id)?.field(name).map(|(slot, _)| (id, slot))
    }

    pub fn field_def(&self, ty: TypeId, slot: Slot) -> Option<&FieldDef> {
        self.record(ty)?.fields.get(slot as usize)
    }

    /// The value of `self`.
    pub fn this_value(&mut self, span: Span) -> Option<Typed> {
        let ty = self.this.clone()?;
        let ty = self.known(&Path { root: Root::This, steps: Vec::new() }).cloned().unwrap_or(ty);
        let hir = self.hir(span, HirKind::SelfValue);
        Some(Typed { hir, ty, from: Origin::Here })
    }

    /// Reads a local that lowering made.
    pub fn read_hidden(&mut self, span: Span, local: u32) -> Hir {
        self.hir(span, HirKind::Local(local))
    }
}

/// `list<T>`.
pub(super) fn list_of(ty: Type) -> Type {
    Type::List(Arc::new(ty))
}

/// `map<K, T>`.
pub(super) fn map_of(key: Type, ty: Type) -> Type {
    Type::Map(Arc::new(key), Arc::new(ty))
}

/// `any?`: what an entry of `any` is.
pub(super) fn maybe_any() -> Type {
    Type::Optional(Arc::new(Type::Any))
}
