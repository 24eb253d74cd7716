//! Conditions, and what is known of values where they hold or do not.

use super::body::{Cx, Fact, Path, Root, Typed, maybe_any};
use crate::base::{Name, Span};
use crate::diag::{codes::types as codes, did_you_mean};
use crate::model::hir::TypeTest;
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, TypeExpr, TypeKind, UnaryOp};
use crate::types::marks;
use crate::types::relation::{self, is_subtype};

/// What is known where a condition holds, and where it does not.
#[derive(Clone, Default, Debug)]
pub(super) struct Facts {
    pub yes: Vec<Fact>,
    pub no: Vec<Fact>,
}

impl Facts {
    fn swapped(self) -> Facts {
        Facts { yes: self.no, no: self.yes }
    }
}

impl<'a> Cx<'_, 'a> {
    /// A condition that decides something: a bool that no mark reaches.
    pub fn decision(&mut self, e: &'a Expr, what: &str) -> (Hir, Facts) {
        let (value, facts) = self.condition(e, Some(&Type::Bool));
        let value = self.plain(value, e.span, what);
        (self.coerce(value, e.span, &Type::Bool, super::coerce::Why::Plain), facts)
    }

    /// An expression, with what follows from it.
    pub fn condition(&mut self, e: &'a Expr, want: Option<&Type>) -> (Typed, Facts) {
        super::expr::on_stack(|| self.condition_of_kind(e, want))
    }

    fn condition_of_kind(&mut self, e: &'a Expr, want: Option<&Type>) -> (Typed, Facts) {
        match &e.kind {
            ExprKind::Paren(inner) => self.condition(inner, want),
            ExprKind::Unary(UnaryOp::Not, inner) => {
                let (value, facts) = self.condition(inner, Some(&Type::Bool));
                let (hir, marks) = self.operand_bool(value, inner.span);
                let kind = HirKind::Unary(UnaryOp::Not, Box::new(hir));
                (self.typed(e.span, kind, marks.on(Type::Bool)), facts.swapped())
            }
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), _, left, right) => {
                let (l, lf) = self.condition(left, Some(&Type::Bool));
                let is_and = *op == BinaryOp::And;
                let mark = self.assume(if is_and { lf.yes.clone() } else { lf.no.clone() });
                let (r, rf) = self.condition(right, Some(&Type::Bool));
                self.forget(mark);
                let ((l, lm), (r, rm)) = (self.operand_bool(l, left.span), self.operand_bool(r, right.span));
                let facts = if is_and {
                    Facts { yes: all(lf.yes, rf.yes), no: self.either(lf.no, rf.no) }
                } else {
                    Facts { yes: self.either(lf.yes, rf.yes), no: all(lf.no, rf.no) }
                };
                let kind = HirKind::Binary(*op, Box::new(l), Box::new(r));
                (self.typed(e.span, kind, lm.and(rm).on(Type::Bool)), facts)
            }
            ExprKind::Binary(op @ (BinaryOp::Eq | BinaryOp::Ne), _, left, right) => {
                let (value, facts) = self.equality(*op, left, right, e.span);
                (value, if *op == BinaryOp::Eq { facts } else { facts.swapped() })
            }
            ExprKind::Binary(op, at, left, right) => {
                (self.binary(*op, *at, left, right, e.span, want), Facts::default())
            }
            ExprKind::Is(inner, ty) => self.is(inner, ty, e.span),
            _ => (self.expr(e, want), Facts::default()),
        }
    }

    /// An operand of `and`, `or`, `not`.
    fn operand_bool(&mut self, value: Typed, span: Span) -> (Hir, marks::Marks) {
        let (marks, plain) = marks::split(&value.ty);
        let hir = self.coerce(Typed { ty: plain, ..value }, span, &Type::Bool, super::coerce::Why::Plain);
        (hir, marks)
    }

    /// What is known if one of two holds: of paths that both know, either type.
    fn either(&self, a: Vec<Fact>, b: Vec<Fact>) -> Vec<Fact> {
        let mut both = Vec::new();
        for fact in a {
            let Some(other) = b.iter().rev().find(|f| f.path == fact.path) else { continue };
            if let Some(ty) = relation::join(self.program(), &fact.ty, &other.ty) {
                both.push(Fact { path: fact.path, ty });
            }
        }
        both
    }

    /// `a == b`, with what follows where it is true and where not.
    fn equality(&mut self, op: BinaryOp, left: &'a Expr, right: &'a Expr, span: Span) -> (Typed, Facts) {
        let (l, r) = self.operands(left, right);
        let null = |e: &Expr| matches!(unparenthesised(e).kind, ExprKind::Null);
        let (lt, rt) = (l.ty.clone(), r.ty.clone());
        let (lm, lp) = marks::split(&lt);
        let (rm, rp) = marks::split(&rt);
        let about_null = null(left) || null(right);
        if about_null {
            let (of, ty) = if null(right) { (left, &lt) } else { (right, &rt) };
            let (_, plain) = marks::split(ty);
            if !plain.is_nullable() && !matches!(plain.bare(), Type::Never) {
                let problem = self.problem(
                    codes::NEVER,
                    of.span,
                    format!("this is a `{}`, which is never null", self.show(ty)),
                );
                self.report(problem);
            }
        } else {
            self.comparable(&lp, &rp, span);
        }
        // Whether an optional secret is null is plain: the mark stands on what it holds.
        let plain_null =
            about_null && [&lt, &rt].into_iter().all(|t| matches!(t.bare(), Type::Optional(_) | Type::Null));
        let deep = marks::deep(self.program(), &lt).and(marks::deep(self.program(), &rt));
        let marks = if plain_null { marks::Marks::NONE } else { lm.and(rm).and(deep) };
        let (l, r) = self.same_number(l, r);
        let kind = HirKind::Binary(op, Box::new(l.hir), Box::new(r.hir));
        let value = self.typed(span, kind, marks.on(Type::Bool));
        let facts =
            if marks.is_none() { self.equality_facts(left, &lt, right, &rt) } else { Facts::default() };
        (value, facts)
    }

    fn equality_facts(&self, left: &Expr, lt: &Type, right: &Expr, rt: &Type) -> Facts {
        let mut facts = Facts::default();
        for (e, ty, other) in [(left, lt, rt), (right, rt, lt)] {
            let Some(path) = self.path_of(e) else { continue };
            match other.bare() {
                Type::Null => {
                    facts.yes.push(Fact { path: path.clone(), ty: Type::Null });
                    self.not_null(e, path, ty, &mut facts.no);
                }
                Type::StrLit(_) | Type::IntLit(_) if matches!(ty.non_null().bare(), Type::OneOf(_)) => {
                    let no = minus(self.program(), ty, other);
                    facts.yes.push(Fact { path: path.clone(), ty: other.clone() });
                    facts.no.push(Fact { path, ty: no });
                }
                _ if !other.is_nullable() => self.not_null(e, path, ty, &mut facts.yes),
                _ => {}
            }
        }
        facts
    }

    /// That a path, and whatever `?.` on the way to it asks about, is not null.
    fn not_null(&self, e: &Expr, path: Path, ty: &Type, facts: &mut Vec<Fact>) {
        if matches!(ty.bare(), Type::Optional(_)) {
            facts.push(Fact { path, ty: ty.non_null().clone() });
        }
        let mut at = e;
        loop {
            match &at.kind {
                ExprKind::Paren(inner) => at = inner,
                ExprKind::Field(base, _) => at = base,
                ExprKind::OptField(base, _) => {
                    if let Some(path) = self.path_of(base)
                        && let Some(ty) = self.path_type(&path)
                        && matches!(ty.bare(), Type::Optional(_))
                    {
                        facts.push(Fact { path, ty: ty.non_null().clone() });
                    }
                    at = base;
                }
                _ => return,
            }
        }
    }

    /// The type of a path, where it is known without checking anything.
    pub fn path_type(&self, path: &Path) -> Option<Type> {
        if let Some(ty) = self.known(path) {
            return Some(ty.clone());
        }
        match path.steps.split_last() {
            None => match path.root {
                Root::This => self.this.clone(),
                Root::Local(id) => self.scope.iter().find(|l| l.id == id).map(|l| l.ty.clone()),
            },
            Some((last, before)) => {
                let base = self.path_type(&Path { root: path.root, steps: before.to_vec() })?;
                self.peek(base.non_null(), *last)
            }
        }
    }

    /// The type of a field, without a word.
    fn peek(&self, ty: &Type, name: Name) -> Option<Type> {
        match ty.bare() {
            Type::Record(id) | Type::Ref(id) => self.record(*id)?.field(name).map(|(_, f)| f.ty.clone()),
            Type::Union(_) | Type::Variant(..) | Type::OneOf(_) => {
                self.shared_field(ty, name).map(|(t, _)| t)
            }
            Type::Anon(fields) => fields.iter().find(|(n, _)| *n == name).map(|(_, t)| t.clone()),
            Type::Any => Some(maybe_any()),
            _ => None,
        }
    }

    // `is`.

    fn is(&mut self, inner: &'a Expr, ty: &'a TypeExpr, span: Span) -> (Typed, Facts) {
        let value = self.expr(inner, None);
        if value.is_error() {
            return (self.wrong(span), Facts::default());
        }
        let (marks, plain) = marks::split(&value.ty);
        let path = self.path_of(inner);
        let Some((test, yes, no)) = self.test(&value.ty, &plain, ty) else {
            return (self.wrong(span), Facts::default());
        };
        let about_null = matches!(yes.bare(), Type::Null) && matches!(value.ty.bare(), Type::Optional(_));
        let marks = if about_null { marks::Marks::NONE } else { marks };
        let mut facts = Facts::default();
        if let Some(path) = path.filter(|_| marks.is_none()) {
            facts.yes.push(Fact { path: path.clone(), ty: yes });
            facts.no.push(Fact { path, ty: no });
        }
        let kind = HirKind::Is(Box::new(value.hir), test);
        (self.typed(span, kind, marks.on(Type::Bool)), facts)
    }

    /// What `is T` asks of a value, and its types where it is so and where not.
    fn test(&mut self, full: &Type, plain: &Type, ty: &'a TypeExpr) -> Option<(TypeTest, Type, Type)> {
        if let TypeKind::Named { path, args } = &ty.kind
            && let ([name], true) = (path.parts.as_slice(), args.is_empty())
        {
            let found = self.variants_named(plain, name.name);
            if let Some(&(id, at)) = found.first()
                && matches!(plain.non_null().bare(), Type::Union(_) | Type::Variant(..))
            {
                let yes = Type::Variant(id, [at].into());
                let no = self.without_variant(plain, at);
                return Some((TypeTest::Variant(id, [at].into()), yes, no));
            }
            let union = matches!(plain.non_null().bare(), Type::Union(_) | Type::Variant(..));
            if union && self.ck.decls.scopes.type_named(self.module, name.name).is_none() {
                let id = *self.variant_types(plain).first()?;
                let near =
                    did_you_mean(name.name.as_str(), self.variants(id).iter().map(|v| v.name.as_str()));
                let message = format!("`{}` has no variant `{}`", self.type_name(id), name.name);
                let mut problem = self
                    .problem(codes::UNKNOWN_VARIANT, name.span, message)
                    .label(self.ck.declaration(id), "declared here");
                problem.help = near;
                self.report(problem);
                return None;
            }
        }
        let wanted = match ty.kind {
            TypeKind::Null => Type::Null,
            _ => self.ck.lower_type(self.module, ty),
        };
        if matches!(wanted, Type::Error) {
            return None;
        }
        let from = if matches!(wanted, Type::Null) { full } else { plain };
        let Some(yes) = narrow_to(self.program(), from, &wanted) else {
            let message = format!("this is a `{}`, never a `{}`", self.show(full), self.show(&wanted));
            let problem = self.problem(codes::NEVER, ty.span, message);
            self.report(problem);
            return None;
        };
        let no = minus(self.program(), from, &wanted);
        self.use_refinements(&wanted, ty.span);
        Some((TypeTest::Type(wanted), yes, no))
    }

    /// A union without one of its variants.
    pub fn without_variant(&self, ty: &Type, at: u16) -> Type {
        match ty.bare() {
            Type::Optional(inner) => self.without_variant(inner, at).optional(),
            Type::Union(id) => {
                let rest = (0..self.variants(*id).len() as u16).filter(|v| *v != at);
                variant_of(*id, rest.collect())
            }
            Type::Variant(id, some) => variant_of(*id, some.iter().copied().filter(|v| *v != at).collect()),
            _ => ty.clone(),
        }
    }
}

fn variant_of(id: crate::model::TypeId, some: Vec<u16>) -> Type {
    if some.is_empty() { Type::Never } else { Type::Variant(id, some.into()) }
}

fn all(mut a: Vec<Fact>, b: Vec<Fact>) -> Vec<Fact> {
    a.extend(b);
    a
}

/// The expression without parentheses around it.
pub(super) fn unparenthesised(mut e: &Expr) -> &Expr {
    while let ExprKind::Paren(inner) = &e.kind {
        e = inner;
    }
    e
}

/// What values of `from` are if they are of type `to`; none if they cannot be.
pub(super) fn narrow_to(program: &crate::model::Program, from: &Type, to: &Type) -> Option<Type> {
    match from {
        Type::Alias(_, inner) if !is_subtype(program, from, to) => return narrow_to(program, inner, to),
        Type::OneOf(all) => {
            let mut kept: Vec<Type> = all.iter().filter_map(|t| narrow_to(program, t, to)).collect();
            kept.dedup();
            return match kept.len() {
                0 => None,
                1 => Some(kept.remove(0)),
                _ => Some(Type::OneOf(kept.into())),
            };
        }
        Type::Optional(inner) => {
            if matches!(to.bare(), Type::Null) {
                return Some(Type::Null);
            }
            let narrowed = narrow_to(program, inner, to.non_null())?;
            let null = matches!(to.bare(), Type::Optional(_));
            return Some(if null { narrowed.optional() } else { narrowed });
        }
        Type::Any => return Some(to.clone()),
        _ => {}
    }
    if is_subtype(program, from, to) {
        return Some(from.clone());
    }
    let fits = |a: &Type, b: &Type| {
        relation::fit(program, a, b)
            .is_some_and(|f| f.is_identity() || (f.refine && !f.to_any && !f.to_float))
    };
    if fits(to, from) || fits(from, to) {
        return Some(to.clone());
    }
    None
}

/// What values of `from` are if they are not of type `to`.
pub(super) fn minus(program: &crate::model::Program, from: &Type, to: &Type) -> Type {
    match from {
        Type::Alias(_, inner) if is_subtype(program, inner, to) => Type::Never,
        Type::OneOf(all) => {
            let mut kept: Vec<Type> = all.iter().filter(|t| !is_subtype(program, t, to)).cloned().collect();
            match kept.len() {
                0 => Type::Never,
                1 => kept.remove(0),
                _ => Type::OneOf(kept.into()),
            }
        }
        Type::Optional(inner) => match to.bare() {
            Type::Null => inner.as_ref().clone(),
            Type::Optional(to) => minus(program, inner, to),
            _ => minus(program, inner, to).optional(),
        },
        Type::Alias(_, inner) if matches!(inner.bare(), Type::OneOf(_) | Type::Optional(_)) => {
            minus(program, inner.bare(), to)
        }
        Type::Any | Type::Error => from.clone(),
        _ if is_subtype(program, from, to) => Type::Never,
        _ => from.clone(),
    }
}
