//! Each kind of body: what it may see, what it is to give, and where the result goes.

use ecow::EcoString;

use super::Checker;
use super::body::{Cx, Folder, Mode, Origin, Typed};
use super::coerce::Why;
use super::construct::LATER;
use super::uses::{BodyId, Use, UseKind};
use crate::base::Name;
use crate::diag::codes::{history, types as codes};
use crate::model::program::{ImplDef, MigrationDef, MigrationStep, MovedDef, TestDef};
use crate::model::schema::Slot;
use crate::model::scopes::{FunctionItem, ModuleId};
use crate::model::ty::RefineId;
use crate::model::{Body, FieldKind, Hir, HirKind, Pending, PendingKind, Type, TypeDef, TypeId};
use crate::syntax::ast::{self, BinaryOp, Block, Expr, ExprKind, StmtKind};
use crate::types::{marks, relation};

impl<'a> Checker<'a> {
    /// Checks a pending body and puts the result in its place.
    pub(super) fn pending(&mut self, pending: Pending<'a>) {
        let Pending { module, kind } = pending;
        match kind {
            PendingKind::Default { owner, slot, expr } => self.default(module, owner, slot, expr),
            PendingKind::Derived { owner, slot, declared, expr } => {
                self.derived(module, owner, slot, declared, expr);
            }
            PendingKind::Refinement { id, base, expr } => self.refinement(module, id, base, expr),
            PendingKind::Const { index, declared, expr } => self.constant(module, index, declared, expr),
            PendingKind::Function { index, decl } => self.function(module, index, decl),
            PendingKind::Impl { ty, decl } => self.implementation(module, ty, decl),
            PendingKind::RecordCheck { owner, check } => {
                let mut cx = self.cx(module, Mode::Check, Some(Type::Record(owner)));
                let def = cx.check_def(check);
                if let Some(TypeDef::Record(record)) = self.decls.program.types.get_mut(owner.0 as usize) {
                    record.checks.push(def);
                }
            }
            PendingKind::GlobalCheck { check } => {
                let mut cx = self.cx(module, Mode::Check, None);
                let def = cx.check_def(check);
                self.decls.program.checks.push(def);
            }
            PendingKind::AcyclicMessage { index, expr } => self.acyclic_message(module, index, expr),
            PendingKind::Test { decl } => self.test(module, decl),
            PendingKind::Moved { from, to } => self.moved(module, from, to),
            // The next versions of the language fill these.
            PendingKind::Migration { ty, decl } => self.migration(module, ty, decl),
        }
    }

    fn used(&mut self, id: BodyId, uses: Vec<Use>) {
        self.uses.push((id, uses));
    }

    fn default(&mut self, module: ModuleId, owner: TypeId, slot: Slot, e: &'a Expr) {
        let field = self.decls.program.record(owner).and_then(|r| r.fields.get(slot as usize));
        let Some((ty, kind)) = field.map(|f| (f.ty.clone(), f.kind)) else { return };
        let mode = if kind == FieldKind::Assigned { Mode::Assigned } else { Mode::Default(slot) };
        let mut cx = self.cx(module, mode, Some(Type::Record(owner)));
        let root = cx.check(e, &ty, Why::Plain);
        let (body, uses) = cx.finish(root);
        self.put_value(owner, slot, body, None);
        self.used(BodyId::Value(owner, slot), uses);
    }

    fn put_value(&mut self, owner: TypeId, slot: Slot, body: Body, ty: Option<Type>) {
        let Some(TypeDef::Record(record)) = self.decls.program.types.get_mut(owner.0 as usize) else {
            return;
        };
        let Some(field) = record.fields.get_mut(slot as usize) else { return };
        field.value = Some(body);
        if let Some(ty) = ty {
            field.ty = ty;
        }
    }

    fn derived(&mut self, module: ModuleId, owner: TypeId, slot: Slot, declared: Option<Type>, e: &'a Expr) {
        let mut cx = self.cx(module, Mode::Derived, Some(Type::Record(owner)));
        let (root, ty) = match declared {
            Some(ty) => (cx.check(e, &ty, Why::Field(owner, slot)), None),
            None => {
                let value = cx.expr(e, None);
                let ty = relation::widened(&value.ty);
                (value.hir, Some(ty))
            }
        };
        let (body, uses) = cx.finish(root);
        self.put_value(owner, slot, body, ty);
        self.used(BodyId::Value(owner, slot), uses);
    }

    fn constant(&mut self, module: ModuleId, index: u32, declared: Option<Type>, e: &'a Expr) {
        let mut cx = self.cx(module, Mode::Const, None);
        let (root, ty) = match declared {
            Some(ty) => (cx.check(e, &ty, Why::Plain), None),
            None => {
                let value = cx.expr(e, None);
                (value.hir, Some(relation::widened(&value.ty)))
            }
        };
        let (body, uses) = cx.finish(root);
        if let Some(def) = self.decls.program.consts.get_mut(index as usize) {
            def.body = body;
            if let Some(ty) = ty {
                def.ty = ty;
            }
        }
        self.used(BodyId::Const(index), uses);
    }

    /// `where P`: a bool, or a range or list that `self` must be in.
    fn refinement(&mut self, module: ModuleId, id: RefineId, base: Type, e: &'a Expr) {
        let plain = marks::split(&base).1;
        let mut cx = self.cx(module, Mode::Where, Some(base.clone()));
        let root = cx.refinement(e, &plain);
        let (body, uses) = cx.finish(root);
        if let Some(def) = self.decls.program.refinements.get_mut(id.0 as usize) {
            def.body = body;
        }
        self.used(BodyId::Refinement(id), uses);
    }

    fn function(&mut self, module: ModuleId, index: u32, decl: &'a ast::FnDecl) {
        let Some(def) = self.decls.program.functions.get(index as usize) else { return };
        let (params, result) = (def.params.clone(), def.result.clone());
        let instance = params.iter().position(|(_, ty)| self.is_data(ty));
        let mut cx = self.cx(module, Mode::Function, None);
        cx.folder = instance.map_or(Folder::None, |at| Folder::Local(at as u32));
        for (param, (_, ty)) in decl.params.iter().zip(&params) {
            cx.declare_used(param.name, ty.clone(), Origin::Other);
        }
        let says_so = marks::top(&result).later;
        cx.later_ok = !says_so;
        let mut value = cx.block_value(&decl.body, Some(&result));
        let mut later = cx.later_seen;
        if !says_so {
            let (plain, found) = marks::without(&value.ty, LATER);
            value.ty = plain;
            later |= found;
        }
        cx.later_ok = false;
        let span = last_span(&decl.body);
        let place = cx.at(decl.result.span);
        let root = cx.coerce(value, span, &result, Why::Result(place));
        let (body, uses) = cx.finish(root);
        if let Some(def) = self.decls.program.functions.get_mut(index as usize) {
            def.body = body;
        }
        if later {
            self.taint_result(index);
        }
        self.used(BodyId::Function(index), uses);
    }

    fn implementation(&mut self, module: ModuleId, ty: TypeId, decl: &'a ast::ImplDecl) {
        let transient = decl.when.as_ref().is_some_and(asks_about_history);
        let this = self.item_type(crate::model::TypeItem::Declared(ty));
        let mut cx = self.cx(module, Mode::Impl { transient }, Some(this));
        let head = decl.when.as_ref().map_or(decl.ty.span, |w| decl.ty.span.to(w.span));
        let node = cx.node(head);
        let when = decl.when.as_ref().map(|when| {
            let (hir, facts) = cx.decision(when, "`when`");
            cx.assume_facts(facts.yes);
            hir
        });
        let root = cx.statements(&decl.body);
        let (body, uses) = cx.finish(root);
        let index = self.decls.program.impls.len() as u32;
        let def = ImplDef { ty, when, body, transient, creates: Vec::new(), reads: Vec::new(), node };
        self.decls.program.impls.push(def);
        self.used(BodyId::Impl(index), uses);
    }

    fn test(&mut self, module: ModuleId, decl: &'a ast::TestDecl) {
        let mut cx = self.cx(module, Mode::Test, None);
        let node = cx.node(decl.name.span);
        let root = cx.statements(&decl.body);
        let (body, _) = cx.finish(root);
        let name = EcoString::from(decl.name.text.as_str());
        self.decls.program.tests.push(TestDef { name, body, node });
    }

    fn migration(&mut self, module: ModuleId, ty: TypeId, decl: &'a ast::MigrationDecl) {
        let when = decl.when.as_ref().map(|when| self.over_old(module, decl, when, &Type::Bool));
        let names = |path: &[ast::Ident]| path.iter().map(|part| part.name.as_str().into()).collect();
        let mut steps = Vec::new();
        for step in &decl.steps {
            steps.push(match step {
                ast::MigrationStep::Set { path, value, .. } => {
                    let value = self.over_old(module, decl, value, &Type::Any);
                    MigrationStep::Set { path: names(path), value }
                }
                ast::MigrationStep::Drop { path, .. } => MigrationStep::Drop { path: names(path) },
            });
        }
        let mut cx = self.cx(module, Mode::Const, None);
        let (node, file) = (cx.node(decl.name.span), cx.file);
        let name = EcoString::from(decl.name.text.as_str());
        let is_open = when.is_none() && !steps.iter().any(|s| matches!(s, MigrationStep::Drop { .. }));
        if is_open {
            let problem = cx
                .problem(history::MIGRATION, decl.name.span, format!("nothing says when `{name}` is pending"))
                .help("let it drop a field, or write `when old.… == …` before its `{`");
            cx.report(problem);
        }
        let migrations = &mut self.decls.program.migrations;
        if let Some(other) = migrations.iter().find(|m| m.name == name) {
            let first = crate::diag::Place::Model { file: other.file, node: other.node.0 };
            let mut cx = self.cx(module, Mode::Const, None);
            let problem = cx
                .problem(history::MIGRATION, decl.name.span, format!("two migrations are called `{name}`"))
                .label(first, "the first one")
                .help("their names order them: give one of them another name");
            cx.report(problem);
            return;
        }
        let at = migrations.partition_point(|m| m.name < name);
        migrations.insert(at, MigrationDef { name, ty, when, steps, file, node });
    }

    /// An expression of a migration over `old`, a document as it was. It sees nothing else.
    fn over_old(&mut self, module: ModuleId, decl: &'a ast::MigrationDecl, e: &'a Expr, ty: &Type) -> Body {
        let mut cx = self.cx(module, Mode::Migration, None);
        cx.declare_used(
            ast::Ident { name: Name::new("old"), span: decl.name.span },
            Type::Any,
            Origin::Other,
        );
        let root = cx.check(e, ty, Why::Plain);
        let (body, uses) = cx.finish(root);
        let reads = uses.iter().find(|used| matches!(used.kind, UseKind::Reads(_)));
        if let Some(used) = reads {
            let place = crate::diag::Place::span(used.file, used.span);
            let problem = crate::diag::Diagnostic::new(
                codes::NOT_READABLE,
                place,
                "a migration cannot read what else there is",
            );
            self.decls
                .diagnostics
                .push(problem.at("this reads it").help("it sees `old`, one document, alone"));
        }
        body
    }

    /// `moved A to B`: two identities of one type.
    fn moved(&mut self, module: ModuleId, from: &'a Expr, to: &'a Expr) {
        let mut bodies = Vec::new();
        let mut types = Vec::new();
        for e in [from, to] {
            let mut cx = self.cx(module, Mode::Const, None);
            let value = cx.identity(e);
            types.push(value.ty.clone());
            bodies.push(cx.finish(value.hir).0);
        }
        let (Some(new), Some(old)) = (bodies.pop(), bodies.pop()) else { return };
        if types.iter().any(|ty| matches!(ty.bare(), Type::Error)) {
            return;
        }
        if let [a, b] = types.as_slice()
            && a.non_null().bare() != b.non_null().bare()
        {
            let mut cx = self.cx(module, Mode::Const, None);
            let message = format!("a `{}` cannot become a `{}`", cx.show(a), cx.show(b));
            let problem = cx.problem(history::NO_IDENTITY, to.span, message);
            cx.report(
                problem.help("`moved` is for another key; for another type: `moved type a::T to b::T`"),
            );
            return;
        }
        self.decls.program.moves.push(MovedDef::Object { from: old, to: new });
    }

    fn acyclic_message(&mut self, module: ModuleId, index: u32, e: &'a Expr) {
        let mut cx = self.cx(module, Mode::Const, None);
        cx.message(e);
        let text = Cx::literal_text(e);
        if text.is_none() {
            let problem = cx
                .problem(codes::TYPE_MISMATCH, e.span, "this message is the same for every cycle")
                .help("write a string without `${}`: the cycle is shown below it");
            cx.report(problem);
        }
        if let Some(def) = self.decls.program.acyclics.get_mut(index as usize) {
            def.message = text.unwrap_or_default();
        }
    }
}

impl<'a> Cx<'_, 'a> {
    fn refinement(&mut self, e: &'a Expr, base: &Type) -> Hir {
        // `where valid` of a function that takes the value alone.
        if let ExprKind::Name(name) = &e.kind
            && let Some(FunctionItem(index)) = self.function_item(name.name)
            && !self.has_local(name.name)
        {
            let value = self.call_function(FunctionItem(index), *name, &[], e.span);
            return self.coerce(value, e.span, &Type::Bool, Why::Plain);
        }
        let (value, _) = self.condition(e, Some(&Type::Bool));
        let (_, plain) = marks::split(&value.ty);
        let value = Typed { ty: plain.clone(), ..value };
        match plain.bare() {
            Type::Range => {
                let ints = matches!(relation::widened(base.bare()), Type::Int | Type::FileMode | Type::Error);
                if !ints {
                    let problem = self
                        .problem(
                            codes::NEVER,
                            e.span,
                            format!("a `{}` is in no range of ints", self.show(base)),
                        )
                        .help("compare: `self >= … and self <= …`, or ask for its length: `len(self) <= …`");
                    self.report(problem);
                }
                value.hir
            }
            Type::List(element) | Type::Set(element) => {
                let element = element.as_ref().clone();
                self.comparable(base, &element, e.span);
                value.hir
            }
            Type::Int if let Some((low, high)) = dashed(e) => {
                let problem = self
                    .problem(
                        codes::TYPE_MISMATCH,
                        e.span,
                        format!("`{low}-{high}` is a difference, no condition"),
                    )
                    .help(format!("a range is written `{low}..={high}`"));
                self.report(problem);
                self.hir(e.span, HirKind::Error)
            }
            _ => self.coerce(value, e.span, &Type::Bool, Why::Plain),
        }
    }
}

/// `1-254`, meant as a range.
fn dashed(e: &Expr) -> Option<(i64, i64)> {
    let ExprKind::Binary(BinaryOp::Sub, _, low, high) = &e.kind else { return None };
    match (&low.kind, &high.kind) {
        (ExprKind::Int(low), ExprKind::Int(high)) => Some((*low, *high)),
        _ => None,
    }
}

fn last_span(block: &Block) -> crate::base::Span {
    match block.stmts.last().map(|s| &s.kind) {
        Some(StmtKind::Expr(e)) => e.span,
        _ => block.span,
    }
}

/// `deleted(self)`, `operation(self) == …`, and more conditions after `and`.
fn asks_about_history(when: &Expr) -> bool {
    match &when.kind {
        ExprKind::Paren(inner) => asks_about_history(inner),
        ExprKind::Binary(BinaryOp::And, _, left, right) => {
            asks_about_history(left) || asks_about_history(right)
        }
        ExprKind::Binary(BinaryOp::Eq, _, left, _) => is_question(left, "operation"),
        _ => is_question(when, "deleted"),
    }
}

fn is_question(e: &Expr, name: &str) -> bool {
    let ExprKind::Call(callee, args) = &e.kind else { return false };
    let about_self = matches!(args.as_slice(), [arg] if matches!(&arg.value.kind, ExprKind::Name(n) if n.name.as_str() == "self"));
    about_self && matches!(&callee.kind, ExprKind::Name(n) if n.name.as_str() == name)
}
