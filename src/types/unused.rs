//! Imports that are not used.

use rustc_hash::FxHashSet;

use crate::base::Name;
use crate::diag::{Diagnostic, codes::lint};
use crate::model::Declarations;
use crate::model::scopes::ModuleId;
use crate::syntax::ast::{
    Arg, Block, Check, Clause, Entry, EntryKind, Expr, ExprKind, ItemKind, Member, MemberKind, MigrationStep,
    ModifierKind, Module, MovedKind, Path, PatternKind, Stmt, StmtKind, StrPart, TypeExpr, TypeKind, UseTree,
};

/// Warns of each import that its module does not name.
pub(super) fn imports(declarations: &mut Declarations<'_>) {
    for at in 0..declarations.modules.len() {
        let Some(module) = declarations.modules.get(at).copied() else { continue };
        let uses = module.items.iter().filter_map(|i| match &i.kind {
            ItemKind::Use(trees) => Some(trees),
            _ => None,
        });
        let trees: Vec<&UseTree> = uses.flatten().collect();
        if trees.is_empty() {
            continue;
        }
        let used = Names::of(module);
        let id = ModuleId(at as u32);
        for tree in trees {
            let Some(name) = tree.rename.or(tree.path.parts.last().copied()) else { continue };
            // Of one that means nothing that has been said.
            if used.contains(&name.name) || !means_something(declarations, id, tree, name.name) {
                continue;
            }
            let place = declarations.place(id, tree.path.span);
            let problem = Diagnostic::new(lint::UNUSED_IMPORT, place, format!("`{}` is not used", name.name));
            declarations.lint(id, tree.path.span, problem.help("remove it"));
        }
    }
}

fn means_something(declarations: &Declarations<'_>, module: ModuleId, tree: &UseTree, name: Name) -> bool {
    let scopes = &declarations.scopes;
    let path: Vec<Name> = tree.path.parts.iter().map(|p| p.name).collect();
    scopes.type_named(module, name).is_some()
        || scopes.value_named(module, name).is_some()
        || scopes.function_named(module, name).is_some()
        || scopes.find_module(&path).is_some()
}

/// The names that stand in a module: single ones, and the first part of each path.
#[derive(Default)]
struct Names {
    found: FxHashSet<Name>,
}

impl Names {
    fn of(module: &Module) -> FxHashSet<Name> {
        let mut names = Names::default();
        module.items.iter().for_each(|i| names.item(&i.kind));
        names.found
    }

    fn path(&mut self, path: &Path) {
        self.found.extend(path.parts.first().map(|p| p.name));
    }

    fn item(&mut self, item: &ItemKind) {
        match item {
            ItemKind::Use(_) => {}
            ItemKind::Const(c) => {
                c.ty.iter().for_each(|t| self.ty(t));
                self.expr(&c.value);
            }
            ItemKind::Alias(a) => self.ty(&a.ty),
            ItemKind::Enum(e) => {
                e.variants.iter().filter_map(|v| v.payload.as_ref()).for_each(|t| self.ty(t))
            }
            ItemKind::Union(u) => {
                u.variants.iter().filter_map(|v| v.payload.as_ref()).for_each(|t| self.ty(t))
            }
            ItemKind::Record(r) => r.members.iter().for_each(|m| self.member(m)),
            ItemKind::Relation(r) => {
                self.path(&r.owner);
                self.ty(&r.ty);
            }
            ItemKind::Acyclic(a) => {
                self.path(&a.owner);
                a.message.iter().for_each(|m| self.expr(m));
            }
            ItemKind::Check(c) => self.check(c),
            ItemKind::Impl(i) => {
                self.path(&i.ty);
                i.when.iter().for_each(|w| self.expr(w));
                self.block(&i.body);
            }
            ItemKind::Fn(f) => {
                f.params.iter().for_each(|p| self.ty(&p.ty));
                self.ty(&f.result);
                self.block(&f.body);
            }
            ItemKind::Test(t) => self.block(&t.body),
            ItemKind::Moved(m) => match &m.kind {
                MovedKind::Object { from, to } => {
                    self.expr(from);
                    self.expr(to);
                }
                MovedKind::Type { from, to } => {
                    self.path(from);
                    self.path(to);
                }
            },
            ItemKind::Migration(m) => {
                self.path(&m.ty);
                m.when.iter().for_each(|w| self.expr(w));
                for step in &m.steps {
                    if let MigrationStep::Set { value, .. } = step {
                        self.expr(value);
                    }
                }
            }
        }
    }

    fn member(&mut self, member: &Member) {
        match &member.kind {
            MemberKind::Field(f) => {
                self.ty(&f.ty);
                f.default.iter().for_each(|d| self.expr(d));
            }
            MemberKind::Derived { ty, value, .. } => {
                ty.iter().for_each(|t| self.ty(t));
                self.expr(value);
            }
            MemberKind::Check(c) => self.check(c),
            MemberKind::Include(path) => self.path(path),
            MemberKind::Rest { ty, .. } => self.ty(ty),
            MemberKind::KeyPath(_) | MemberKind::Unique(_) => {}
        }
    }

    fn check(&mut self, check: &Check) {
        check.quantifier.iter().for_each(|q| self.expr(&q.over));
        self.expr(&check.condition);
        self.expr(&check.message);
        check.at.iter().for_each(|a| self.expr(a));
    }

    fn block(&mut self, block: &Block) {
        block.stmts.iter().for_each(|s| self.stmt(s));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { ty, value, .. } => {
                ty.iter().for_each(|t| self.ty(t));
                self.expr(value);
            }
            StmtKind::For { over, body, .. } => {
                self.expr(over);
                self.block(body);
            }
            StmtKind::Expr(e) | StmtKind::Expect(e) => self.expr(e),
            StmtKind::Check(c) => self.check(c),
            StmtKind::ExpectError { message, body } => {
                self.expr(message);
                self.block(body);
            }
            StmtKind::Given { target, value } => {
                self.expr(target);
                self.expr(value);
            }
            StmtKind::Before(body) => self.block(body),
        }
    }

    fn ty(&mut self, ty: &TypeExpr) {
        match &ty.kind {
            TypeKind::Named { path, args } => {
                self.path(path);
                args.iter().for_each(|a| self.ty(a));
            }
            TypeKind::Union(all) => all.iter().for_each(|t| self.ty(t)),
            TypeKind::Optional(inner) => self.ty(inner),
            TypeKind::Where(inner, e) => {
                self.ty(inner);
                self.expr(e);
            }
            TypeKind::Str(_) | TypeKind::Int(_) | TypeKind::Null | TypeKind::Error => {}
        }
    }

    fn exprs<'e>(&mut self, all: impl IntoIterator<Item = &'e Expr>) {
        all.into_iter().for_each(|e| self.expr(e));
    }

    fn args(&mut self, args: &[Arg]) {
        self.exprs(args.iter().map(|a| &a.value));
    }

    fn entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            match &entry.kind {
                EntryKind::Field { name, value } => match value {
                    Some(e) => self.expr(e),
                    None => {
                        self.found.insert(name.name);
                    }
                },
                EntryKind::Quoted { value, .. } | EntryKind::Spread(value) => self.expr(value),
                EntryKind::Computed { key, value } => self.exprs([key, value]),
            }
        }
    }

    fn clauses(&mut self, clauses: &[Clause]) {
        for clause in clauses {
            match clause {
                Clause::For { over, .. } => self.expr(over),
                Clause::If(e) => self.expr(e),
            }
        }
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Name(ident) => {
                self.found.insert(ident.name);
            }
            ExprKind::Path(path) => self.path(path),
            ExprKind::Str(parts) => self.exprs(parts.iter().filter_map(|p| match p {
                StrPart::Expr { expr, .. } => Some(expr.as_ref()),
                StrPart::Text(_) => None,
            })),
            ExprKind::Field(base, _)
            | ExprKind::OptField(base, _)
            | ExprKind::Lookup(base)
            | ExprKind::Unary(_, base)
            | ExprKind::Paren(base) => self.expr(base),
            ExprKind::Index(base, args)
            | ExprKind::Call(base, args)
            | ExprKind::Method { base, args, .. } => {
                self.expr(base);
                self.args(args);
            }
            ExprKind::Binary(_, _, left, right) => self.exprs([left.as_ref(), right.as_ref()]),
            ExprKind::Range { start, end, .. } => self.exprs(start.iter().chain(end).map(AsRef::as_ref)),
            ExprKind::Is(base, ty) | ExprKind::As(base, ty) => {
                self.expr(base);
                self.ty(ty);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.block(then);
                otherwise.iter().for_each(|b| self.block(b));
            }
            ExprKind::Match { subject, arms } => {
                self.expr(subject);
                for arm in arms {
                    for pattern in &arm.patterns {
                        match &pattern.kind {
                            PatternKind::Name(path) => self.path(path),
                            PatternKind::Literal(e) => self.expr(e),
                            PatternKind::Any | PatternKind::Null => {}
                        }
                    }
                    self.expr(&arm.body);
                }
            }
            ExprKind::List(all) => self.exprs(all),
            ExprKind::ListComp { element, clauses } => {
                self.expr(element);
                self.clauses(clauses);
            }
            ExprKind::Brace(entries) => self.entries(entries),
            ExprKind::MapComp { key, value, clauses } => {
                self.exprs([key.as_ref(), value.as_ref()]);
                self.clauses(clauses);
            }
            ExprKind::Construct { path, entries, .. } => {
                self.path(path);
                self.entries(entries);
            }
            ExprKind::Lambda { body, .. } => self.expr(body),
            ExprKind::Block(block) => self.block(block),
            ExprKind::Modified { base, modifiers } => {
                self.expr(base);
                for modifier in modifiers {
                    match &modifier.kind {
                        ModifierKind::After(e) | ModifierKind::Timeout(e) => self.expr(e),
                        ModifierKind::DriftIgnore(paths) => self.exprs(paths),
                        _ => {}
                    }
                }
            }
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Duration(_)
            | ExprKind::Size(_)
            | ExprKind::Error => {}
        }
    }
}
