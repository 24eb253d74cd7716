//! Checks bodies: every expression of a model gets its type, and becomes HIR.

mod access;
mod arena;
mod argument;
mod body;
mod brace;
mod branch;
mod builtin;
mod call;
mod coerce;
mod comprehension;
mod construct;
mod expr;
mod history;
mod index;
mod items;
mod map_literal;
mod matching;
mod modifiers;
mod names;
mod narrow;
mod operators;
mod placeholder;
mod refused_call;
mod special;
mod stmt;
mod unify;
pub(super) mod uses;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use self::arena::Arena;
use self::body::Cx;
use self::uses::{BodyId, Use};
use super::signature::Signatures;
use crate::base::{FileId, Name, Span};
use crate::diag::{Diagnostic, Place, codes::model::DEPRECATED};
use crate::model::program::{NodeTables, Regex};
use crate::model::schema::Slot;
use crate::model::scopes::{ModuleId, TypeItem};
use crate::model::{Body, Declarations, HirKind, Node, PendingKind, Program, Type, TypeDef, TypeId};
use crate::syntax::ast::{RecordKind, StrPart, TypeExpr};

/// Gives the text of a file of the project, by its path from the root; the error says why not.
pub type Templates<'t> = dyn Fn(&str) -> Result<String, EcoString> + 't;

/// Where a value that is known only after a deploy goes into something that does not say so, but
/// may hold it: what reads it gives a `later` value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Taint {
    /// A field of a resource.
    Field(TypeId, Slot),
    /// The result of a function.
    Result(u32),
}

/// What checking all bodies yields.
pub(super) struct Bodies {
    pub program: Program,
    pub nodes: NodeTables,
    /// The type of each numbered expression.
    pub types: FxHashMap<FileId, Vec<Type>>,
    pub diagnostics: Vec<Diagnostic>,
    /// What each body uses.
    pub uses: Vec<(BodyId, Vec<Use>)>,
    /// Bodies whose type could not be found out: that they need themselves has been said.
    pub untyped: FxHashSet<BodyId>,
}

/// All bodies of a program while they are checked. `'a` is the life of the trees.
pub(super) struct Checker<'a> {
    pub decls: Declarations<'a>,
    pub signatures: &'static Signatures,
    templates: &'a Templates<'a>,
    arena: &'a Arena<Vec<StrPart>>,
    known_templates: FxHashMap<String, Option<&'a [StrPart]>>,
    /// Bodies that were checked, and those that are being checked.
    done: Vec<Progress>,
    /// The pending body of each field.
    of_field: FxHashMap<(TypeId, Slot), usize>,
    of_const: FxHashMap<u32, usize>,
    /// Stored fields with a default.
    defaults: FxHashSet<(TypeId, Slot)>,
    union_holders: FxHashMap<TypeId, Vec<TypeId>>,
    regexes: FxHashMap<EcoString, u32>,
    /// What an earlier round found.
    tainted: FxHashSet<Taint>,
    found: FxHashSet<Taint>,
    types: FxHashMap<FileId, Vec<Type>>,
    uses: Vec<(BodyId, Vec<Use>)>,
    untyped: FxHashSet<BodyId>,
    /// How many bodies wait for the type of another one.
    depth: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    Running,
    Done,
}

/// How long a chain of types that are found out from one another may be. It bounds the stack.
const MAX_INFERENCE: u32 = 24;

/// Checks every body that was declared.
pub(super) fn bodies(decls: Declarations<'_>, templates: &Templates<'_>) -> Bodies {
    let arena = Arena::new();
    rounds(decls, templates, &arena)
}

fn rounds<'a>(
    mut decls: Declarations<'a>,
    templates: &'a Templates<'a>,
    arena: &'a Arena<Vec<StrPart>>,
) -> Bodies {
    let saved = (decls.program.clone(), decls.nodes.clone(), decls.diagnostics.clone(), decls.pending.len());
    let mut tainted = FxHashSet::default();
    // Each round but the last finds more that is tainted; of fields there are finitely many.
    for _ in 0..MAX_ROUNDS {
        let mut checker = Checker::new(decls, templates, arena, tainted);
        checker.all();
        if checker.found.is_subset(&checker.tainted) {
            return checker.finish();
        }
        tainted = checker.tainted;
        tainted.extend(checker.found);
        decls = checker.decls;
        decls.program = saved.0.clone();
        decls.nodes = saved.1.clone();
        decls.diagnostics = saved.2.clone();
        decls.pending.truncate(saved.3);
    }
    let mut checker = Checker::new(decls, templates, arena, tainted);
    checker.all();
    checker.finish()
}

/// How often all bodies are checked because a later value reached further than was known.
const MAX_ROUNDS: usize = 16;

impl<'a> Checker<'a> {
    fn new(
        decls: Declarations<'a>,
        templates: &'a Templates<'a>,
        arena: &'a Arena<Vec<StrPart>>,
        tainted: FxHashSet<Taint>,
    ) -> Self {
        let mut of_field = FxHashMap::default();
        let mut of_const = FxHashMap::default();
        let mut defaults = FxHashSet::default();
        for (at, pending) in decls.pending.iter().enumerate() {
            match pending.kind {
                PendingKind::Default { owner, slot, .. } => {
                    defaults.insert((owner, slot));
                }
                PendingKind::Derived { owner, slot, .. } => {
                    of_field.insert((owner, slot), at);
                }
                PendingKind::Const { index, .. } => {
                    of_const.insert(index, at);
                }
                _ => {}
            }
        }
        let union_holders = union_holders(&decls.program);
        let done = vec![Progress::Open; decls.pending.len()];
        Checker {
            decls,
            signatures: Signatures::get(),
            templates,
            arena,
            known_templates: FxHashMap::default(),
            done,
            of_field,
            of_const,
            defaults,
            union_holders,
            regexes: FxHashMap::default(),
            tainted,
            found: FxHashSet::default(),
            types: FxHashMap::default(),
            uses: Vec::new(),
            untyped: FxHashSet::default(),
            depth: 0,
        }
    }

    fn all(&mut self) {
        // Types that are lowered in bodies may add refinements at the end.
        let mut at = 0;
        while at < self.decls.pending.len() {
            self.run(at);
            at += 1;
        }
    }

    /// Checks one body, unless that was done.
    fn run(&mut self, at: usize) {
        if self.done.len() < self.decls.pending.len() {
            self.done.resize(self.decls.pending.len(), Progress::Open);
        }
        if self.done.get(at) != Some(&Progress::Open) {
            return;
        }
        self.done[at] = Progress::Running;
        let pending = self.decls.pending[at].clone();
        self.pending(pending);
        self.done[at] = Progress::Done;
    }

    fn finish(self) -> Bodies {
        Bodies {
            program: self.decls.program,
            nodes: self.decls.nodes.finish(),
            types: self.types,
            diagnostics: self.decls.diagnostics,
            uses: self.uses,
            untyped: self.untyped,
        }
    }

    fn cx(&mut self, module: ModuleId, mode: body::Mode, this: Option<Type>) -> Cx<'_, 'a> {
        Cx::new(self, module, mode, this)
    }

    pub fn show(&self, ty: &Type) -> String {
        super::show::show(&self.decls.program, ty).to_string()
    }

    /// Notes the type of a numbered expression.
    pub fn note(&mut self, file: FileId, node: Node, ty: &Type) {
        let types = self.types.entry(file).or_default();
        let at = node.0 as usize;
        if types.len() <= at {
            types.resize(at + 1, Type::Never);
        }
        types[at] = ty.clone();
    }

    // Types.

    pub fn lower_type(&mut self, module: ModuleId, ty: &'a TypeExpr) -> Type {
        let lowered = crate::model::lower_type(&mut self.decls, module, ty);
        if self.done.len() < self.decls.pending.len() {
            self.done.resize(self.decls.pending.len(), Progress::Open);
        }
        lowered
    }

    pub fn alias(&self, at: u32) -> Type {
        self.decls.scopes.aliases.get(at as usize).map_or(Type::Error, |a| a.ty.clone())
    }

    /// The type that a name means; of a generic one, nothing.
    pub fn item_type(&self, item: TypeItem) -> Type {
        use crate::model::scopes::BuiltinType;
        match item {
            TypeItem::Declared(id) => match self.decls.program.types.get(id.0 as usize) {
                Some(TypeDef::Record(_)) => Type::Record(id),
                Some(TypeDef::Enum(_)) => Type::Enum(id),
                Some(TypeDef::Union(_)) => Type::Union(id),
                None => Type::Error,
            },
            TypeItem::Alias(at) => self.alias(at),
            TypeItem::Builtin(builtin) => match builtin {
                BuiltinType::Bool => Type::Bool,
                BuiltinType::Int => Type::Int,
                BuiltinType::Float => Type::Float,
                BuiltinType::String => Type::Str,
                BuiltinType::Duration => Type::Duration,
                BuiltinType::Size => Type::Size,
                BuiltinType::Any => Type::Any,
                BuiltinType::FileMode => Type::FileMode,
                BuiltinType::List => Type::List(std::sync::Arc::new(Type::Any)),
                BuiltinType::Set => Type::Set(std::sync::Arc::new(Type::Any)),
                BuiltinType::Map => Type::Map(std::sync::Arc::new(Type::Str), std::sync::Arc::new(Type::Any)),
                _ => Type::Error,
            },
        }
    }

    /// Warns of a deprecated type that a body names.
    pub fn type_used(&mut self, file: FileId, item: TypeItem, span: Span) {
        let (reason, place, name) = match item {
            TypeItem::Declared(id) => {
                let Some(def) = self.decls.program.types.get(id.0 as usize) else { return };
                let decl = def.decl();
                (decl.deprecated.clone(), self.declaration(id), decl.name)
            }
            TypeItem::Alias(at) => {
                let Some(alias) = self.decls.scopes.aliases.get(at as usize) else { return };
                let file = self.decls.scopes.module(alias.module).file;
                (alias.deprecated.clone(), Place::Model { file, node: alias.node.0 }, alias.name)
            }
            TypeItem::Builtin(_) => return,
        };
        let Some(reason) = reason else { return };
        let problem = Diagnostic::new(DEPRECATED, Place::span(file, span), format!("`{name}` is deprecated"))
            .help(reason)
            .label(place, "declared here");
        self.decls.diagnostics.push(problem);
    }

    /// Whether a value of this type stands in an instance.
    pub fn is_data(&self, ty: &Type) -> bool {
        match ty.bare() {
            Type::Record(id) | Type::Ref(id) => {
                let kind = self.decls.program.record(*id).map(|r| r.kind);
                matches!(kind, Some(RecordKind::Slice | RecordKind::Struct | RecordKind::Plain))
            }
            Type::Union(_) | Type::Variant(..) => true,
            _ => false,
        }
    }

    /// An enum or union with a variant of this name, for suggestions: the first by path.
    pub fn enum_with(&self, name: Name) -> Option<TypeId> {
        let has = |def: &&TypeDef| match def {
            TypeDef::Enum(e) => e.variants.iter().any(|v| v.name == name),
            TypeDef::Union(u) => u.variants.iter().any(|v| v.name == name),
            TypeDef::Record(_) => false,
        };
        self.decls.program.types.iter().find(has).map(|def| def.decl().id)
    }

    /// The records whose fields hold a union.
    pub fn union_holders(&self, union: TypeId) -> Vec<TypeId> {
        self.union_holders.get(&union).cloned().unwrap_or_default()
    }

    // Places.

    pub fn declaration(&self, id: TypeId) -> Place {
        match self.decls.program.types.get(id.0 as usize) {
            Some(def) => Place::Model { file: def.decl().file, node: def.decl().node.0 },
            None => Place::File(FileId::new("")),
        }
    }

    pub fn field_place(&self, id: TypeId, slot: Slot) -> Place {
        match self.decls.program.record(id).and_then(|r| r.fields.get(slot as usize)) {
            Some(field) => Place::Model { file: field.file, node: field.node.0 },
            None => self.declaration(id),
        }
    }

    pub fn variant_place(&self, id: TypeId, at: u16) -> Place {
        let Some(def) = self.decls.program.types.get(id.0 as usize) else { return self.declaration(id) };
        let variants = match def {
            TypeDef::Enum(e) => &e.variants,
            TypeDef::Union(u) => &u.variants,
            TypeDef::Record(_) => return self.declaration(id),
        };
        match variants.get(at as usize) {
            Some(variant) => Place::Model { file: def.decl().file, node: variant.node.0 },
            None => self.declaration(id),
        }
    }

    pub fn function_place(&self, index: u32) -> Place {
        match self.decls.program.functions.get(index as usize) {
            Some(def) => Place::Model { file: def.body.file, node: def.node.0 },
            None => Place::File(FileId::new("")),
        }
    }

    // Types that are found out.

    /// The type of a field; of a derived one without a declared type, what its value has.
    pub fn field_type(&mut self, id: TypeId, slot: Slot) -> Type {
        let open = self.of_field.get(&(id, slot)).copied();
        if let Some(at) = open
            && matches!(self.decls.pending[at].kind, PendingKind::Derived { declared: None, .. })
        {
            self.infer(at, self.field_place(id, slot));
        }
        let field = self.decls.program.record(id).and_then(|r| r.fields.get(slot as usize));
        field.map_or(Type::Error, |f| f.ty.clone())
    }

    /// The type of a constant.
    pub fn const_type(&mut self, index: u32) -> Type {
        if let Some(&at) = self.of_const.get(&index)
            && matches!(self.decls.pending[at].kind, PendingKind::Const { declared: None, .. })
        {
            let def = self.decls.program.consts.get(index as usize);
            let place = def.map_or(Place::File(FileId::new("")), |d| Place::Model {
                file: d.body.file,
                node: d.body.root.node.0,
            });
            self.infer(at, place);
        }
        self.decls.program.consts.get(index as usize).map_or(Type::Error, |c| c.ty.clone())
    }

    fn infer(&mut self, at: usize, place: Place) {
        let running = self.done.get(at) == Some(&Progress::Running);
        if running || (self.depth >= MAX_INFERENCE && self.done.get(at) == Some(&Progress::Open)) {
            let problem = Diagnostic::new(
                crate::diag::codes::types::NEEDS_TYPE,
                place,
                "the type of this cannot be found out from its value",
            )
            .help("write the type after its name: `NAME: int = …`");
            self.decls.diagnostics.push(problem);
            self.untyped.extend(match self.decls.pending.get(at).map(|p| &p.kind) {
                Some(PendingKind::Derived { owner, slot, .. }) => Some(BodyId::Value(*owner, *slot)),
                Some(PendingKind::Const { index, .. }) => Some(BodyId::Const(*index)),
                _ => None,
            });
            return;
        }
        self.depth += 1;
        self.run(at);
        self.depth -= 1;
    }

    pub fn has_default(&self, id: TypeId, slot: Slot) -> bool {
        self.defaults.contains(&(id, slot))
    }

    // Later values.

    pub fn taint(&mut self, id: TypeId, slot: Slot) {
        self.found.insert(Taint::Field(id, slot));
    }

    pub fn taint_result(&mut self, function: u32) {
        self.found.insert(Taint::Result(function));
    }

    pub fn is_tainted(&self, id: TypeId, slot: Slot) -> bool {
        self.tainted.contains(&Taint::Field(id, slot))
    }

    pub fn is_result_tainted(&self, function: u32) -> bool {
        self.tainted.contains(&Taint::Result(function))
    }

    // Regular expressions and templates.

    /// The number of a regular expression that matches whole strings.
    pub fn regex(&mut self, text: &EcoString) -> Result<u32, String> {
        if let Some(&at) = self.regexes.get(text) {
            return Ok(at);
        }
        let compiled = regex::Regex::new(&format!(r"\A(?:{text})\z")).map_err(|e| regex_error(&e))?;
        let at = self.decls.program.regexes.len() as u32;
        self.decls.program.regexes.push(Regex { text: text.clone(), compiled });
        self.regexes.insert(text.clone(), at);
        Ok(at)
    }

    /// The parts of a template file; none if it cannot be read.
    pub fn template_parts(&mut self, path: &str) -> Option<&'a [StrPart]> {
        if let Some(known) = self.known_templates.get(path) {
            return *known;
        }
        let parts = match (self.templates)(path) {
            Ok(text) => {
                let (parts, problems) = crate::syntax::parse_template(FileId::new(path), &text);
                self.decls.diagnostics.extend(problems);
                let kept: &'a [StrPart] = self.arena.keep(parts);
                Some(kept)
            }
            Err(_) => None,
        };
        self.known_templates.insert(path.to_owned(), parts);
        parts
    }

    /// The body of a template with values of these types.
    pub fn template_body(
        &mut self,
        module: ModuleId,
        file: FileId,
        parts: &'a [StrPart],
        params: &[(Name, Type)],
    ) -> (Body, super::marks::Marks, Vec<Use>) {
        let mut cx = self.cx(module, body::Mode::Function, None);
        cx.file = file;
        cx.sealed = true;
        for (name, ty) in params {
            let ident = crate::syntax::ast::Ident { name: *name, span: Span::default() };
            cx.declare_used(ident, ty.clone(), uses::Origin::Other);
        }
        let (parts, marks) = cx.parts(parts);
        let root = cx.hir(Span::default(), HirKind::Interpolate(parts));
        let (body, uses) = cx.finish(root);
        (body, marks, uses)
    }
}

/// The first line of what the library says, which names the mistake.
fn regex_error(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().rev().find(|l| l.starts_with("error: "));
    last.map_or_else(|| text.clone(), |l| l.trim_start_matches("error: ").to_owned())
}

fn union_holders(program: &Program) -> FxHashMap<TypeId, Vec<TypeId>> {
    let mut holders: FxHashMap<TypeId, Vec<TypeId>> = FxHashMap::default();
    for def in &program.types {
        let TypeDef::Record(record) = def else { continue };
        for field in record.fields.iter().filter(|f| f.kind.is_stored()) {
            each_union(&field.ty, &mut |union| {
                let of = holders.entry(union).or_default();
                if !of.contains(&record.decl.id) {
                    of.push(record.decl.id);
                }
            });
        }
    }
    holders
}

fn each_union(ty: &Type, f: &mut impl FnMut(TypeId)) {
    match ty {
        Type::Union(id) | Type::Variant(id, _) => f(*id),
        Type::Alias(_, t)
        | Type::Refined(t, _)
        | Type::Optional(t)
        | Type::List(t)
        | Type::Set(t)
        | Type::Map(_, t)
        | Type::Secret(t)
        | Type::Later(t) => each_union(t, f),
        Type::OneOf(all) => all.iter().for_each(|t| each_union(t, f)),
        _ => {}
    }
}
