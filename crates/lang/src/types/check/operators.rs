//! Operators, casts.

use super::body::{Cx, Origin, Typed, list_of};
use super::coerce::Why;
use super::expr::alternatives;
use crate::base::Span;
use crate::diag::Place;
use crate::diag::codes::types as codes;
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, TypeExpr, UnaryOp};
use crate::types::marks::{self, Marks};
use crate::types::relation::{self, widened};

impl<'a> Cx<'_, 'a> {
    /// A value that decides, or goes where no mark may.
    pub fn plain(&mut self, value: Typed, span: Span, what: &str) -> Typed {
        let marks = marks::top(&value.ty);
        if marks.is_none() || self.mode == super::body::Mode::Test && what == "`expect`" {
            return value;
        }
        let source = self.secret_field(&value.hir).filter(|_| marks.secret);
        self.refuse_mark_from(marks, span, what, source);
        Typed { ty: Type::Error, ..value }
    }

    /// The field that makes a value secret: where it is declared, and its name.
    fn secret_field(&self, hir: &Hir) -> Option<(Place, String)> {
        if let HirKind::Field { ty, slot, .. } = &hir.kind
            && let Some(field) = self.field_def(*ty, *slot)
            && marks::deep(self.program(), &field.ty).secret
        {
            let text = format!("`{}` is declared as a secret here", field.name);
            return Some((self.ck.field_place(*ty, *slot), text));
        }
        let mut found = None;
        hir.each_child(&mut |child| {
            if found.is_none() {
                found = self.secret_field(child);
            }
        });
        found
    }

    pub fn refuse_mark(&mut self, marks: Marks, span: Span, what: &str) {
        self.refuse_mark_from(marks, span, what, None);
    }

    fn refuse_mark_from(&mut self, marks: Marks, span: Span, what: &str, source: Option<(Place, String)>) {
        let message = if marks.secret {
            format!("a secret cannot reach {what}")
        } else {
            format!("this is known only after a deploy: it cannot reach {what}")
        };
        let mut problem = self.problem(codes::MARK_DECIDES, span, message);
        if let Some((place, text)) = source {
            problem = problem.label(place, text);
        }
        let problem = if marks.secret && what.contains("key") {
            problem
                .help("keys are names, which are shown and stored everywhere: make it of what is no secret")
        } else if marks.secret {
            problem.help("only whether an optional secret is null can be asked: `x == null`")
        } else {
            problem.help("it can go into fields of resources and hosts that are no keys, and nowhere else")
        };
        self.report(problem);
    }

    pub fn unary(&mut self, op: UnaryOp, inner: &'a Expr, span: Span, want: Option<&Type>) -> Typed {
        let UnaryOp::Neg = op else {
            let (value, _) = self.condition(inner, Some(&Type::Bool));
            let (marks, plain) = marks::split(&value.ty);
            let hir = self.coerce(Typed { ty: plain, ..value }, inner.span, &Type::Bool, Why::Plain);
            return self.typed(span, HirKind::Unary(op, Box::new(hir)), marks.on(Type::Bool));
        };
        let value = self.expr(inner, want);
        let (marks, plain) = marks::split(&value.ty);
        match (plain.bare(), &value.hir.kind) {
            (Type::IntLit(v), HirKind::Int(_)) => {
                let v = v.wrapping_neg();
                self.typed(span, HirKind::Int(v), Type::IntLit(v))
            }
            (Type::Float, HirKind::Float(v)) => {
                // There is no negative zero.
                let v = 0.0 - v;
                self.typed(span, HirKind::Float(v), Type::Float)
            }
            (Type::Error, _) => self.wrong(span),
            (Type::Int | Type::IntLit(_) | Type::Float | Type::Duration | Type::OneOf(_), _)
                if is_number(&plain) =>
            {
                let ty = widened(plain.bare());
                self.typed(span, HirKind::Unary(op, Box::new(value.hir)), marks.on(ty))
            }
            _ => {
                let shown = self.show(&widened(&value.ty));
                let problem = self.problem(codes::BAD_OPERANDS, span, format!("a `{shown}` has no negative"));
                self.report(problem);
                self.wrong(span)
            }
        }
    }

    /// Both sides of a comparison: a bare variant of one side is of the other side's type.
    pub fn operands(&mut self, left: &'a Expr, right: &'a Expr) -> (Typed, Typed) {
        if self.is_bare(left) && !self.is_bare(right) {
            let r = self.expr(right, None);
            // Of what the other side should have been, nobody knows whether it has this variant.
            if r.is_error() && is_name(left) {
                return (self.wrong(left.span), r);
            }
            let want = other_side(&r.ty);
            let l = self.expr(left, Some(&want));
            return (l, r);
        }
        let l = self.expr(left, None);
        if l.is_error() && is_name(right) && self.is_bare(right) {
            return (l, self.wrong(right.span));
        }
        let want = other_side(&l.ty);
        let r = self.expr(right, Some(&want));
        (l, r)
    }

    /// Whether an expression is a name that means no value: a variant, if anything.
    fn is_bare(&mut self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Name(ident) => {
                !matches!(ident.name.as_str(), "self" | "parent")
                    && !self.has_local(ident.name)
                    && self.this_field(ident.name).is_none()
                    && self.value_item(ident.name).is_none()
            }
            ExprKind::Construct { .. } | ExprKind::Brace(_) | ExprKind::Int(_) => true,
            ExprKind::Paren(inner) => self.is_bare(inner),
            _ => false,
        }
    }

    /// An int literal beside a float is one.
    pub fn same_number(&mut self, l: Typed, r: Typed) -> (Typed, Typed) {
        let float = |t: &Type| matches!(t.non_null().bare(), Type::Float);
        if matches!(l.ty.bare(), Type::IntLit(_)) && float(&r.ty) {
            return (self.floated(l), r);
        }
        if matches!(r.ty.bare(), Type::IntLit(_)) && float(&l.ty) {
            let r = self.floated(r);
            return (l, r);
        }
        (l, r)
    }

    fn floated(&mut self, value: Typed) -> Typed {
        let kind = match value.hir.kind {
            HirKind::Int(v) => HirKind::Float(v as f64),
            kind => HirKind::ToFloat(Box::new(Hir { node: value.hir.node, kind })),
        };
        Typed { hir: Hir { node: value.hir.node, kind }, ty: Type::Float, from: Origin::Other }
    }

    /// Says so if two values are never equal.
    pub fn comparable(&mut self, a: &Type, b: &Type, span: Span) -> bool {
        if overlap(self.program(), a, b) {
            return true;
        }
        let (x, y) = (self.show(&shown(a, b)), self.show(&shown(b, a)));
        let mut problem = self.problem(codes::NEVER, span, format!("a `{x}` and a `{y}` are never equal"));
        if let (Type::StrLit(text), Type::OneOf(_)) | (Type::OneOf(_), Type::StrLit(text)) =
            (a.bare(), b.bare())
        {
            let all = if matches!(a.bare(), Type::OneOf(_)) { a } else { b };
            problem.help = literal_near(text, all);
        } else if let (Type::StrLit(text), other) | (other, Type::StrLit(text)) = (a.bare(), b.bare())
            && let Some(&ty) = self.variant_types(other).first()
        {
            let variants = self.variants(ty);
            let named = variants.iter().find(|v| v.name.as_str() == text || v.data_name == *text);
            problem.help = match named {
                Some(variant) => Some(format!("write the variant without quotes: `{}`", variant.name)),
                None => crate::diag::did_you_mean(text, variants.iter().map(|v| v.name.as_str())),
            };
        } else if let (Type::Str | Type::StrLit(_), Type::Int | Type::IntLit(_))
        | (Type::Int | Type::IntLit(_), Type::Str | Type::StrLit(_)) = (a.bare(), b.bare())
        {
            problem.help =
                Some("write the number without quotes, or convert one side: `.int()`, `.string()`".into());
        }
        self.report(problem);
        false
    }

    pub fn binary(
        &mut self,
        op: BinaryOp,
        at: Span,
        left: &'a Expr,
        right: &'a Expr,
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        match op {
            BinaryOp::Coalesce => self.coalesce(left, right, span, want),
            BinaryOp::In | BinaryOp::NotIn => self.contains(op, left, right, span),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                self.ordering(op, at, left, right, span)
            }
            _ => self.arithmetic(op, at, left, right, span, want),
        }
    }

    fn coalesce(&mut self, left: &'a Expr, right: &'a Expr, span: Span, want: Option<&Type>) -> Typed {
        let wanted = want.map(|w| w.clone().optional());
        let l = self.expr(left, wanted.as_ref());
        let (lm, lp) = marks::split(&l.ty);
        let inner = match lp.bare() {
            Type::Null => Type::Never,
            _ => lp.non_null().clone(),
        };
        let hint = want.cloned().unwrap_or_else(|| inner.clone());
        let r = self.expr(right, Some(&hint));
        let (rm, rp) = marks::split(&r.ty);
        let literal = matches!(rp.bare(), Type::IntLit(_)) && matches!(inner.bare(), Type::Float);
        let r = if literal { self.floated(r) } else { r };
        let rp = if literal { Type::Float } else { rp };
        let from = l.from.or(r.from);
        let Some(ty) = relation::join(self.program(), &inner, &rp) else {
            self.nothing_in_common(&inner, &rp, left.span, right.span);
            return self.wrong(span);
        };
        let hir = self.hir(span, HirKind::Binary(BinaryOp::Coalesce, Box::new(l.hir), Box::new(r.hir)));
        Typed { hir, ty: lm.and(rm).on(ty), from }
    }

    /// Says that two values that stand in for each other have no type in common.
    pub fn nothing_in_common(&mut self, a: &Type, b: &Type, first: Span, second: Span) {
        if matches!(a.bare(), Type::Error) || matches!(b.bare(), Type::Error) {
            return;
        }
        let (a, b) = (self.show(&widened(a)), self.show(&widened(b)));
        let problem = self
            .problem(codes::NOTHING_IN_COMMON, second, format!("this is a `{b}`, the other value is a `{a}`"))
            .label(self.at(first), format!("a `{a}`"))
            .help(format!(
                "convert one of them, such as with `.string()`, or write `{a} | {b}` where the type is declared"
            ));
        self.report(problem);
    }

    fn contains(&mut self, op: BinaryOp, left: &'a Expr, right: &'a Expr, span: Span) -> Typed {
        let (l, r) = if self.is_bare(left) && !matches!(right.kind, ExprKind::List(_)) {
            let r = self.expr(right, None);
            let element = self.searched(&r.ty);
            let want = element.as_ref().map(other_side);
            (self.expr(left, want.as_ref()), r)
        } else {
            let l = self.expr(left, None);
            let literal = matches!(right.kind, ExprKind::List(_) | ExprKind::ListComp { .. });
            let want = literal.then(|| list_of(other_side(&l.ty)));
            let r = match &right.kind {
                ExprKind::Brace(entries) => self.brace_as_map(entries, right.span),
                _ => self.expr(right, want.as_ref()),
            };
            (l, r)
        };
        if l.is_error() || r.is_error() {
            return self.wrong(span);
        }
        let (lm, lp) = marks::split(&l.ty);
        let Some(element) = self.searched(&r.ty) else {
            let shown = self.show(&r.ty);
            let help = match r.ty.non_null().bare() {
                Type::Str | Type::StrLit(_) => "write `….contains(…)`",
                Type::Optional(_) => "check it with `!= null` first",
                _ => "`in` looks into lists, sets, maps and ranges",
            };
            let problem = self
                .problem(codes::BAD_OPERANDS, right.span, format!("a `{shown}` has nothing to look into"))
                .help(if r.ty.is_nullable() { "check it with `!= null` first" } else { help });
            self.report(problem);
            return self.wrong(span);
        };
        let marks = lm.and(marks::deep(self.program(), &r.ty)).and(marks::deep(self.program(), &l.ty));
        let (_, ep) = marks::split(&element);
        self.comparable(&lp, &ep, span);
        let kind = HirKind::Binary(op, Box::new(l.hir), Box::new(r.hir));
        self.typed(span, kind, marks.on(Type::Bool))
    }

    /// What `in` compares with: elements, keys.
    fn searched(&self, ty: &Type) -> Option<Type> {
        let (_, plain) = marks::split(ty);
        match plain.bare() {
            Type::List(t) | Type::Set(t) | Type::Map(t, _) => Some(t.as_ref().clone()),
            Type::Range => Some(Type::Int),
            Type::Any | Type::Error => Some(Type::Error),
            _ => None,
        }
    }

    fn ordering(&mut self, op: BinaryOp, at: Span, left: &'a Expr, right: &'a Expr, span: Span) -> Typed {
        let (l, r) = self.operands(left, right);
        let (l, r) = self.same_number(l, r);
        let ((lm, lp), (rm, rp)) = (marks::split(&l.ty), marks::split(&r.ty));
        if l.is_error() || r.is_error() {
            return self.wrong(span);
        }
        for (ty, e) in [(&lp, left), (&rp, right)] {
            if matches!(ty.bare(), Type::Optional(_) | Type::Null) && is_ordered(ty.non_null()) {
                return self.null_operand(ty, e);
            }
        }
        let (a, b) = (widened(lp.bare()), widened(rp.bare()));
        let fits = is_ordered(&a) && is_ordered(&b) && overlap(self.program(), &a, &b);
        if !fits {
            return self.bad_operands(op, at, (&l.ty, left.span), (&r.ty, right.span));
        }
        let kind = HirKind::Binary(op, Box::new(l.hir), Box::new(r.hir));
        self.typed(span, kind, lm.and(rm).on(Type::Bool))
    }

    fn null_operand(&mut self, ty: &Type, e: &Expr) -> Typed {
        let shown = self.show(ty);
        let what = super::access::written(e).map_or("this".to_owned(), |p| format!("`{p}`"));
        let check = super::access::written(e)
            .map_or("it with `let`, and that".to_owned(), |p| format!("`{p} != null`"));
        let problem = self
            .problem(codes::MAY_BE_NULL, e.span, format!("{what} may be null"))
            .at(format!("this is a `{shown}`"))
            .help(format!("check {check} first, or give another value: `… ?? x`"));
        self.report(problem);
        self.wrong(e.span)
    }

    fn bad_operands(&mut self, op: BinaryOp, at: Span, l: (&Type, Span), r: (&Type, Span)) -> Typed {
        let (a, b) = (l.0, r.0);
        let (x, y) = (self.show(&widened(a)), self.show(&widened(b)));
        let verb = match op {
            BinaryOp::Add => format!("`+` does not join a `{x}` and a `{y}`"),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                format!("a `{x}` and a `{y}` have no order")
            }
            _ => format!("`{}` is not for a `{x}` and a `{y}`", op.symbol()),
        };
        let mut problem = self
            .problem(codes::BAD_OPERANDS, at, verb)
            .label(self.at(l.1), format!("a `{x}`"))
            .label(self.at(r.1), format!("a `{y}`"));
        problem.help = match (op, a.bare(), b.bare()) {
            (BinaryOp::Add, Type::Str | Type::StrLit(_), _)
            | (BinaryOp::Add, _, Type::Str | Type::StrLit(_)) => Some("write a string: \"…${…}\"".to_owned()),
            (BinaryOp::Add, Type::Map(..), Type::Map(..)) => Some("write `a.merge(b)`".to_owned()),
            (BinaryOp::Add, Type::Set(_), Type::Set(_)) => Some("write `a.union(b)`".to_owned()),
            (BinaryOp::Sub, Type::Set(_), Type::Set(_)) => Some("write `a.difference(b)`".to_owned()),
            (_, Type::Int | Type::IntLit(_), Type::Float) | (_, Type::Float, Type::Int | Type::IntLit(_)) => {
                Some("write `….float()` after the int".to_owned())
            }
            _ => None,
        };
        self.report(problem);
        self.wrong(l.1.to(r.1))
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        at: Span,
        left: &'a Expr,
        right: &'a Expr,
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let hint = want.filter(|w| alternatives(w, |t| matches!(t, Type::Float | Type::List(_))));
        let l = self.expr(left, hint);
        let list = match l.ty.bare() {
            Type::List(t) if !matches!(t.bare(), Type::Never) => Some(l.ty.clone()),
            _ => None,
        };
        let r = self.expr(right, list.as_ref().or(hint));
        let (l, r) = self.same_number(l, r);
        if l.is_error() || r.is_error() {
            return self.wrong(span);
        }
        let ((lm, lp), (rm, rp)) = (marks::split(&l.ty), marks::split(&r.ty));
        let result = self.arithmetic_type(op, &lp, &rp);
        let Some(ty) = result else {
            for (ty, e) in [(&lp, left), (&rp, right)] {
                if matches!(ty.bare(), Type::Optional(_)) {
                    return self.null_operand(ty, e);
                }
            }
            return self.bad_operands(op, at, (&l.ty, left.span), (&r.ty, right.span));
        };
        let from = l.from.or(r.from);
        let hir = self.hir(span, HirKind::Binary(op, Box::new(l.hir), Box::new(r.hir)));
        Typed { hir, ty: lm.and(rm).on(ty), from }
    }

    fn arithmetic_type(&self, op: BinaryOp, a: &Type, b: &Type) -> Option<Type> {
        use BinaryOp::{Add, Div, Mul, Rem, Sub};
        let (x, y) = (widened(a.bare()), widened(b.bare()));
        let (x, y) = (number(x), number(y));
        match (op, &x, &y) {
            (Add | Sub | Mul | Div | Rem, Type::Int, Type::Int) => Some(Type::Int),
            (Add | Sub | Mul | Div | Rem, Type::Float, Type::Float) => Some(Type::Float),
            (Add, Type::Str, Type::Str) => Some(Type::Str),
            (Add, Type::List(s), Type::List(t)) => Some(list_of(relation::join(self.program(), s, t)?)),
            (Add | Sub | Rem, Type::Duration, Type::Duration) => Some(Type::Duration),
            (Add | Sub | Rem, Type::Size, Type::Size) => Some(Type::Size),
            (Div, Type::Duration, Type::Duration) | (Div, Type::Size, Type::Size) => Some(Type::Int),
            (Mul | Div, Type::Duration, Type::Int) => Some(Type::Duration),
            (Mul | Div, Type::Size, Type::Int) => Some(Type::Size),
            (Mul, Type::Int, Type::Duration) => Some(Type::Duration),
            (Mul, Type::Int, Type::Size) => Some(Type::Size),
            _ => None,
        }
    }

    // Casts.

    pub fn cast(&mut self, inner: &'a Expr, ty: &'a TypeExpr, span: Span) -> Typed {
        let wanted = self.ck.lower_type(self.module, ty);
        let literal = matches!(inner.kind, ExprKind::Brace(_) | ExprKind::List(_) | ExprKind::Name(_));
        let value = self.expr(inner, literal.then_some(&wanted));
        if matches!(wanted, Type::Error) || value.is_error() {
            return Typed { ty: wanted, ..value };
        }
        let (marks, plain) = marks::split(&value.ty);
        let fits = relation::fit(self.program(), &value.ty, &wanted).is_some_and(|f| !f.to_any);
        if fits {
            let from = value.from;
            let hir = self.coerce(value, span, &wanted, Why::Plain);
            return Typed { hir, ty: wanted, from };
        }
        if !castable(self.program(), &plain, &wanted) {
            let message = format!("a `{}` is never a `{}`", self.show(&value.ty), self.show(&wanted));
            let mut problem = self.problem(codes::NEVER, span, message);
            problem.help = match (plain.bare(), wanted.bare()) {
                (Type::Str | Type::StrLit(_), Type::Int) => Some("write `….int()`".to_owned()),
                (Type::Str | Type::StrLit(_), Type::Float) | (Type::Int, Type::Float) => {
                    Some("write `….float()`".to_owned())
                }
                (_, Type::Str) => Some("write `….string()`".to_owned()),
                _ => None,
            };
            self.report(problem);
            return self.wrong(span);
        }
        self.use_refinements(&wanted, ty.span);
        let hir = self.hir(span, HirKind::As(Box::new(value.hir), wanted.clone()));
        Typed::new(hir, marks.on(wanted))
    }
}

fn is_name(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Paren(inner) => is_name(inner),
        kind => matches!(kind, ExprKind::Name(_)),
    }
}

/// What a bare variant, a literal, on the other side of a comparison is taken to be.
fn other_side(ty: &Type) -> Type {
    let (_, plain) = marks::split(ty);
    match plain.bare() {
        Type::Null | Type::Never => Type::Error,
        Type::Optional(inner) => other_side(inner),
        Type::Variant(id, _) => Type::Union(*id),
        bare => widened_but_alternatives(bare),
    }
}

/// A single literal's type in general; alternatives stay, so that what is none of them is seen.
fn widened_but_alternatives(ty: &Type) -> Type {
    match ty {
        Type::StrLit(_) | Type::IntLit(_) => widened(ty),
        _ => ty.clone(),
    }
}

fn number(ty: Type) -> Type {
    if matches!(ty, Type::FileMode) { Type::Int } else { ty }
}

fn is_number(ty: &Type) -> bool {
    matches!(widened(ty.bare()), Type::Int | Type::Float | Type::Duration)
}

/// Whether values of a type have an order.
pub(super) fn is_ordered(ty: &Type) -> bool {
    matches!(
        widened(ty.bare()),
        Type::Int | Type::Float | Type::Str | Type::Duration | Type::Size | Type::FileMode | Type::Enum(_)
    )
}

/// Whether a value can be of both types.
pub(super) fn overlap(program: &crate::model::Program, a: &Type, b: &Type) -> bool {
    let (a, b) = (a.bare(), b.bare());
    match (a, b) {
        (Type::Error | Type::Any | Type::Never, _) | (_, Type::Error | Type::Any | Type::Never) => true,
        (Type::Optional(_), Type::Optional(_)) => true,
        (Type::Optional(x), y) | (y, Type::Optional(x)) => matches!(y, Type::Null) || overlap(program, x, y),
        (Type::OneOf(all), literal @ (Type::StrLit(_) | Type::IntLit(_)))
        | (literal @ (Type::StrLit(_) | Type::IntLit(_)), Type::OneOf(all)) => {
            all.iter().any(|t| relation::is_subtype(program, literal, t))
        }
        (Type::OneOf(all), other) | (other, Type::OneOf(all)) => {
            all.iter().any(|t| overlap(program, t, other))
        }
        (Type::Secret(x) | Type::Later(x), y) | (y, Type::Secret(x) | Type::Later(x)) => {
            overlap(program, x, y)
        }
        (Type::StrLit(_), Type::StrLit(_)) | (Type::IntLit(_), Type::IntLit(_)) => true,
        (Type::List(x), Type::List(y)) | (Type::Set(x), Type::Set(y)) => overlap(program, x, y),
        (Type::Map(k, x), Type::Map(l, y)) => overlap(program, k, l) && overlap(program, x, y),
        (Type::Variant(x, _) | Type::Union(x), Type::Variant(y, _) | Type::Union(y)) => x == y,
        (Type::FileMode, Type::Int | Type::IntLit(_)) | (Type::Int | Type::IntLit(_), Type::FileMode) => true,
        (Type::Anon(x), Type::Anon(y)) => {
            x.len() == y.len()
                && x.iter().zip(y.iter()).all(|((n, t), (m, u))| n == m && overlap(program, t, u))
        }
        _ => {
            let fits = |a, b| relation::fit(program, a, b).is_some_and(|f| !f.to_any);
            fits(a, b) || fits(b, a)
        }
    }
}

/// Whether a value of one type may be one of another, as it looks in data.
fn castable(program: &crate::model::Program, from: &Type, to: &Type) -> bool {
    if overlap(program, from, to) {
        return true;
    }
    match (from.bare(), to.bare()) {
        (Type::Optional(x), y) => castable(program, x, y.non_null()),
        (x, Type::Optional(y)) => castable(program, x, y),
        (Type::Str, Type::Enum(_) | Type::StrLit(_)) | (Type::Int, Type::IntLit(_)) => true,
        (Type::Map(..) | Type::Anon(_), Type::Record(_) | Type::Union(_) | Type::Map(..)) => true,
        (Type::List(x), Type::List(y) | Type::Set(y)) => castable(program, x, y),
        (x, Type::OneOf(all)) => all.iter().any(|y| castable(program, x, y)),
        (Type::OneOf(all), y) => all.iter().any(|x| castable(program, x, y)),
        (x, Type::Secret(y)) => castable(program, x, y),
        _ => false,
    }
}

fn shown(ty: &Type, beside: &Type) -> Type {
    match beside.bare() {
        Type::OneOf(_) | Type::StrLit(_) | Type::IntLit(_) => ty.clone(),
        _ => widened(ty),
    }
}

fn literal_near(text: &str, all: &Type) -> Option<String> {
    let Type::OneOf(all) = all.bare() else { return None };
    let literals = all.iter().filter_map(|t| match t {
        Type::StrLit(s) => Some(s.as_str()),
        _ => None,
    });
    crate::diag::did_you_mean(text, literals)
}
