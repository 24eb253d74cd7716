//! Expressions: one arm for each kind, and the literals.

use std::sync::Arc;

use ecow::EcoString;

use super::body::{Cx, Origin, Typed};
use super::coerce::Why;
use crate::base::Span;
use crate::diag::codes::types as codes;
use crate::model::hir::Part;
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{Expr, ExprKind, StrPart};
use crate::types::marks::{self, Marks};
use crate::types::relation;

impl<'a> Cx<'_, 'a> {
    /// An expression. `want` is the type that is expected: what a literal becomes, and where bare
    /// variants are looked for; the result need not be of it.
    pub fn expr(&mut self, e: &'a Expr, want: Option<&Type>) -> Typed {
        // What is later may stand in a literal, not in what is computed from it.
        let later_ok = self.later_ok;
        self.later_ok &= is_literal(e);
        let value = on_stack(|| self.expr_of_kind(e, want));
        self.later_ok = later_ok;
        self.ck.note(self.file, value.hir.node, &value.ty);
        value
    }

    fn expr_of_kind(&mut self, e: &'a Expr, want: Option<&Type>) -> Typed {
        match &e.kind {
            ExprKind::Null => self.typed(e.span, HirKind::Null, Type::Null),
            ExprKind::Bool(v) => self.typed(e.span, HirKind::Bool(*v), Type::Bool),
            ExprKind::Int(v) => self.int(*v, e.span, want),
            ExprKind::Float(v) => self.typed(e.span, HirKind::Float(*v), Type::Float),
            ExprKind::Duration(v) => self.typed(e.span, HirKind::Duration(*v), Type::Duration),
            ExprKind::Size(v) => self.typed(e.span, HirKind::Size(*v), Type::Size),
            ExprKind::Str(parts) => self.string(parts, e.span),
            ExprKind::Name(ident) => {
                let value = self.name(*ident, want);
                self.narrowed(e, value)
            }
            ExprKind::Path(path) => self.path_value(path),
            ExprKind::Field(..)
            | ExprKind::OptField(..)
            | ExprKind::Index(..)
            | ExprKind::Lookup(..)
            | ExprKind::Method { .. } => self.postfix(e, want),
            ExprKind::Call(callee, args) => self.call(e, callee, args, want),
            ExprKind::Unary(op, inner) => self.unary(*op, inner, e.span, want),
            ExprKind::Binary(..) | ExprKind::Is(..) => self.condition(e, want).0,
            ExprKind::Range { start, end, inclusive } => {
                let start = start.as_deref().map(|s| Box::new(self.bound(s)));
                let end = end.as_deref().map(|s| Box::new(self.bound(s)));
                self.typed(e.span, HirKind::Range { start, end, inclusive: *inclusive }, Type::Range)
            }
            ExprKind::As(inner, ty) => self.cast(inner, ty, e.span),
            ExprKind::If { condition, then, otherwise } => {
                self.if_value(condition, then, otherwise.as_ref(), e.span, want)
            }
            ExprKind::Match { subject, arms } => self.match_value(subject, arms, e.span, want),
            ExprKind::List(elements) => self.list(elements, e.span, want),
            ExprKind::ListComp { element, clauses } => {
                self.list_comprehension(element, clauses, e.span, want)
            }
            ExprKind::Brace(entries) => self.brace(entries, e.span, want),
            ExprKind::MapComp { key, value, clauses } => {
                self.map_comprehension(key, value, clauses, e.span, want)
            }
            ExprKind::Construct { path, variant: Some(variant), entries, .. } => {
                self.construct_variant(path, *variant, entries, e.span)
            }
            ExprKind::Construct { path, entries, .. } => self.construct(path, entries, e.span, want),
            ExprKind::Lambda { .. } => {
                let problem = self
                    .problem(
                        codes::LAMBDA_NOT_HERE,
                        e.span,
                        "a function value can only be an argument of a builtin",
                    )
                    .help("declare a function with `fn`");
                self.report(problem);
                self.wrong(e.span)
            }
            ExprKind::Block(block) => self.block_value(block, want),
            ExprKind::Modified { base, modifiers } => self.modified(base, modifiers, want),
            ExprKind::Paren(inner) => self.expr(inner, want),
            ExprKind::Error => self.wrong(e.span),
        }
    }

    fn int(&mut self, value: i64, span: Span, want: Option<&Type>) -> Typed {
        if want.is_some_and(|w| wants_float(w) && !wants_int(w)) {
            return self.typed(span, HirKind::Float(value as f64), Type::Float);
        }
        self.typed(span, HirKind::Int(value), Type::IntLit(value))
    }

    /// An int of a range, an index.
    pub fn bound(&mut self, e: &'a Expr) -> Hir {
        let value = self.expr(e, Some(&Type::Int));
        let value = self.plain(value, e.span, "a range");
        self.coerce(value, e.span, &Type::Int, Why::Plain)
    }

    // Strings.

    /// The text of a string without interpolation.
    pub fn literal_text(e: &Expr) -> Option<EcoString> {
        match &e.kind {
            ExprKind::Str(parts) => match parts.as_slice() {
                [] => Some(EcoString::new()),
                [StrPart::Text(text)] => Some(text.as_str().into()),
                _ => None,
            },
            ExprKind::Paren(inner) => Self::literal_text(inner),
            _ => None,
        }
    }

    fn string(&mut self, parts: &'a [StrPart], span: Span) -> Typed {
        self.placeholders(parts, span);
        match parts {
            [] => self.typed(span, HirKind::Str(EcoString::new()), Type::StrLit(EcoString::new())),
            [StrPart::Text(text)] => {
                let text = EcoString::from(text.as_str());
                self.typed(span, HirKind::Str(text.clone()), Type::StrLit(text))
            }
            _ => {
                let (parts, marks) = self.parts(parts);
                self.typed(span, HirKind::Interpolate(parts), marks.on(Type::Str))
            }
        }
    }

    /// The parts of an interpolation, with the marks of its values.
    pub fn parts(&mut self, parts: &'a [StrPart]) -> (Vec<Part>, Marks) {
        let mut all = Marks::NONE;
        let mut lowered = Vec::with_capacity(parts.len());
        for part in parts {
            lowered.push(match part {
                StrPart::Text(text) => Part::Text(text.as_str().into()),
                StrPart::Expr { expr, indent } => {
                    let value = self.expr(expr, None);
                    let (marks, plain) = marks::split(&value.ty);
                    all = all.and(marks);
                    let value = match self.interpolated(&plain, expr.span) {
                        true => value.hir,
                        false => self.hir(expr.span, HirKind::Error),
                    };
                    Part::Value { value, indent: indent.as_deref().map(EcoString::from) }
                }
            });
        }
        (lowered, all)
    }

    /// Whether a value of this type can stand in a string; says what is wrong if not.
    fn interpolated(&mut self, ty: &Type, span: Span) -> bool {
        if has_text(ty) {
            return true;
        }
        let shown = self.show(ty);
        let problem = if ty.is_nullable() && has_text(ty.non_null()) {
            self.problem(codes::MAY_BE_NULL, span, format!("a `{shown}` may be null"))
                .help("give another value for it: `${… ?? \"\"}`")
        } else {
            let help = match ty.non_null().bare() {
                Type::List(_) | Type::Set(_) => "write `….join(\", \")`, or `….to_json()`",
                Type::Any => "say what it is: `… as string`",
                Type::Record(_) | Type::Ref(_) => "write one of its fields, or `….to_json()`",
                Type::File => "write its `.text` or `.path`",
                Type::Null => "leave it out",
                _ => "write `….to_json()`",
            };
            self.problem(codes::NO_TEXT, span, format!("a `{shown}` has no text of its own")).help(help)
        };
        self.report(problem);
        false
    }

    // Lists.

    fn list(&mut self, elements: &'a [Expr], span: Span, want: Option<&Type>) -> Typed {
        let wanted = want.and_then(collection);
        let element = wanted.as_ref().map(|(ty, _)| ty);
        let mut from = Origin::Own;
        let mut joined = Type::Never;
        let mut hirs = Vec::with_capacity(elements.len());
        let mut first: Option<Span> = None;
        for e in elements {
            let value = self.expr(e, element);
            from = if hirs.is_empty() { value.from } else { from.or(value.from) };
            if let Some(element) = element {
                hirs.push(self.element(value, e.span, element));
                continue;
            }
            joined = match relation::join(self.program(), &joined, &relation::widened(&value.ty)) {
                Some(ty) => ty,
                None => {
                    let (a, b) = (self.show(&joined), self.show(&relation::widened(&value.ty)));
                    let mut problem = self
                        .problem(
                            codes::NOTHING_IN_COMMON,
                            e.span,
                            format!("this is a `{b}`, and what stands before it a `{a}`"),
                        )
                        .help("write the type of the list where it is declared");
                    if let Some(first) = first {
                        problem = problem.label(self.at(first), "the first one");
                    }
                    self.report(problem);
                    Type::Error
                }
            };
            first = first.or(Some(e.span));
            hirs.push(value.hir);
        }
        let is_set = wanted.as_ref().is_some_and(|(_, set)| *set);
        let ty = wanted.map_or(joined, |(ty, _)| ty);
        let hir = self.hir(span, HirKind::List(hirs));
        let mut list = self.collected(hir, ty, is_set, span);
        list.from = if elements.is_empty() { Origin::Other } else { from };
        list
    }

    /// One element of a list or set whose elements are to be of a type. What is wrong is said
    /// here, so that the whole is of that type.
    pub fn element(&mut self, mut value: Typed, span: Span, element: &Type) -> Hir {
        if self.later_ok && !marks::top(element).later {
            let (plain, found) = marks::without(&value.ty, super::construct::LATER);
            value.ty = plain;
            self.later_seen |= found;
        }
        self.coerce(value, span, element, Why::Plain)
    }

    /// A value where its parts may be later without the type saying so. The second is whether
    /// one is, and the type is without the mark.
    pub fn maybe_later(&mut self, e: &'a Expr, want: &Type) -> (Typed, bool) {
        let before = (self.later_ok, self.later_seen);
        (self.later_ok, self.later_seen) = (true, false);
        let mut value = self.expr(e, Some(want));
        let seen = self.later_seen;
        (self.later_ok, self.later_seen) = before;
        let (plain, found) = marks::without(&value.ty, super::construct::LATER);
        value.ty = plain;
        (value, seen || found)
    }

    /// A list that was made, or the set of its elements.
    pub fn collected(&mut self, list: Hir, element: Type, set: bool, span: Span) -> Typed {
        if !set {
            return Typed::new(list, Type::List(Arc::new(element)));
        }
        let marks = marks::deep(self.program(), &element);
        if !marks.is_none() {
            self.refuse_mark(marks, span, "an element of a set");
        }
        self.typed(span, HirKind::ToSet(Box::new(list)), Type::Set(Arc::new(element)))
    }
}

/// Runs what recurses once for each level of a tree. The levels are limited, but a level takes
/// much of a thread's stack in a debug build.
pub(super) fn on_stack<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(128 * 1024, 1024 * 1024, run)
}

/// Whether the parts of an expression are written out, and go into it as they are.
fn is_literal(e: &Expr) -> bool {
    matches!(
        e.kind,
        ExprKind::Brace(_)
            | ExprKind::List(_)
            | ExprKind::ListComp { .. }
            | ExprKind::MapComp { .. }
            | ExprKind::Paren(_)
            | ExprKind::If { .. }
            | ExprKind::Match { .. }
            | ExprKind::Block(_)
    )
}

/// What the elements of a wanted list or set are, and whether it is a set.
pub(super) fn collection(ty: &Type) -> Option<(Type, bool)> {
    match ty {
        Type::List(inner) => Some((inner.as_ref().clone(), false)),
        Type::Set(inner) => Some((inner.as_ref().clone(), true)),
        Type::Any => Some((Type::Any, false)),
        Type::Alias(_, t) | Type::Refined(t, _) | Type::Optional(t) => collection(t),
        Type::Secret(t) => collection(t).map(|(t, set)| (t.secret(), set)),
        Type::Later(t) => collection(t).map(|(t, set)| (t.later(), set)),
        Type::OneOf(all) => all.iter().find_map(collection),
        _ => None,
    }
}

fn wants_float(ty: &Type) -> bool {
    alternatives(ty, |t| matches!(t, Type::Float))
}

fn wants_int(ty: &Type) -> bool {
    alternatives(ty, |t| matches!(t, Type::Int | Type::IntLit(_) | Type::Any | Type::FileMode))
}

/// Whether one of the alternatives of a type is so.
pub(super) fn alternatives(ty: &Type, is: impl Fn(&Type) -> bool + Copy) -> bool {
    match ty {
        Type::Alias(_, t) | Type::Refined(t, _) | Type::Optional(t) | Type::Secret(t) | Type::Later(t) => {
            alternatives(t, is)
        }
        Type::OneOf(all) => all.iter().any(|t| alternatives(t, is)),
        _ => is(ty),
    }
}

/// Whether values of a type have one text.
fn has_text(ty: &Type) -> bool {
    match ty {
        Type::Error
        | Type::Never
        | Type::Bool
        | Type::Int
        | Type::Float
        | Type::Str
        | Type::Duration
        | Type::Size
        | Type::FileMode
        | Type::StrLit(_)
        | Type::IntLit(_)
        | Type::Enum(_) => true,
        Type::Alias(_, t) | Type::Refined(t, _) | Type::Secret(t) | Type::Later(t) => has_text(t),
        Type::OneOf(all) => all.iter().all(has_text),
        _ => false,
    }
}
