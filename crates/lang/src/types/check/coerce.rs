//! A value of one type where another is wanted: what is done to it, or what is said.

use super::body::Origin;
use super::body::{Cx, Typed};
use super::uses::{BodyId, UseKind};
use crate::base::{FileId, Span};
use crate::diag::{Diagnostic, Place, codes::types as codes, did_you_mean};
use crate::model::schema::Slot;
use crate::model::ty::RefineId;
use crate::model::{Hir, HirKind, Type, TypeId};
use crate::syntax::ast::Expr;
use crate::types::{marks, relation};

/// Why a type is expected: the second label of a mismatch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Why {
    /// Nothing to point at.
    Plain,
    /// A field is declared with it.
    Field(TypeId, Slot),
    /// A function's parameter is declared with it.
    Param(u32, usize),
    /// The function's result is declared with it.
    Result(Place),
    /// It is written here.
    Written(Span),
}

impl<'a> Cx<'_, 'a> {
    /// An expression where a type is expected.
    pub fn check(&mut self, e: &'a Expr, to: &Type, why: Why) -> Hir {
        let value = self.expr(e, Some(to));
        self.coerce(value, e.span, to, why)
    }

    /// Makes a value one of the wanted type, or says that it is none.
    pub fn coerce(&mut self, value: Typed, span: Span, to: &Type, why: Why) -> Hir {
        if let Type::FileMode = to.non_null().bare()
            && let Some(mode) = self.file_mode(&value, span)
        {
            return mode;
        }
        let Some(fit) = relation::fit(self.program(), &value.ty, to) else {
            if let Some(hir) = self.anon_into(&value, span, to, why) {
                return hir;
            }
            let mut problem = self.mismatch_problem(&value.ty, span, to, why);
            if let HirKind::If { otherwise: None, .. } = &value.hir.kind {
                problem.help = Some(
                    "without `else` it is null where the condition does not hold: add `else { … }`"
                        .to_owned(),
                );
            }
            self.report(problem);
            return self.hir(span, HirKind::Error);
        };
        let mut hir = value.hir;
        if fit.payload {
            hir = self.hir(span, HirKind::Payload(Box::new(hir)));
        }
        if fit.to_float {
            hir = match hir.kind {
                HirKind::Int(v) => Hir { node: hir.node, kind: HirKind::Float(v as f64) },
                _ => self.hir(span, HirKind::ToFloat(Box::new(hir))),
            };
        }
        if fit.to_any {
            hir = self.hir(span, HirKind::ToAny(Box::new(hir)));
        }
        if fit.refine {
            self.use_refinements(to, span);
            hir = self.hir(span, HirKind::Refine(Box::new(hir), to.clone()));
        }
        hir
    }

    /// A file mode from a literal, checked here; from an int, checked when it is known.
    fn file_mode(&mut self, value: &Typed, span: Span) -> Option<Hir> {
        if let Some((number, place)) = self.decimal(&value.hir, self.file, 8) {
            self.decimal_mode(number, place, span);
            return Some(self.hir(span, HirKind::Error));
        }
        let mode = match value.ty.bare() {
            Type::IntLit(v) => Some(*v).filter(|v| (0..=0o7777).contains(v)),
            Type::StrLit(text) => {
                let digits = text.strip_prefix("0o").unwrap_or(text);
                let octal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                i64::from_str_radix(digits, 8).ok().filter(|v| octal && (0..=0o7777).contains(v))
            }
            Type::Int => {
                let inner = Box::new(value.hir.clone());
                return Some(self.hir(span, HirKind::Refine(inner, Type::FileMode)));
            }
            _ => return None,
        };
        if let Some(mode) = mode {
            return Some(self.hir(span, HirKind::Int(mode)));
        }
        let problem = self
            .problem(codes::TYPE_MISMATCH, span, "this is no file mode")
            .help("write `0o644`, or the octal digits as a string: \"0644\"");
        self.report(problem);
        Some(self.hir(span, HirKind::Error))
    }

    /// An int that is written in decimal, where a value is no more than that: a literal, a
    /// constant, one of the sides of an `if`.
    fn decimal(&self, hir: &Hir, file: FileId, depth: u32) -> Option<(i64, Place)> {
        let depth = depth.checked_sub(1)?;
        match &hir.kind {
            // Digits in octal, and their `0o`, are never fewer.
            HirKind::Int(v) if *v >= 0 => {
                let span = self.ck.decls.nodes.span(file, hir.node)?;
                let fewest = format!("0o{v:o}").len();
                (span.len() < fewest).then_some((*v, Place::Model { file, node: hir.node.0 }))
            }
            HirKind::Const(index) => {
                let body = &self.program().consts.get(*index as usize)?.body;
                self.decimal(&body.root, body.file, depth)
            }
            HirKind::If { then, otherwise, .. } => self
                .decimal(then, file, depth)
                .or_else(|| otherwise.as_deref().and_then(|other| self.decimal(other, file, depth))),
            HirKind::Match { arms, .. } => arms.iter().find_map(|(_, body)| self.decimal(body, file, depth)),
            HirKind::Block { value: Some(value), .. } => self.decimal(value, file, depth),
            HirKind::Binary(crate::syntax::ast::BinaryOp::Coalesce, _, other) => {
                self.decimal(other, file, depth)
            }
            _ => None,
        }
    }

    fn decimal_mode(&mut self, number: i64, place: Place, span: Span) {
        let digits = number.to_string();
        let octal = digits.bytes().all(|b| (b'0'..=b'7').contains(&b)) && digits.len() <= 4;
        let message = format!("`{digits}` is a decimal number, and permission bits are written in octal");
        let mut problem = Diagnostic::new(codes::TYPE_MISMATCH, place, message);
        let here = self.at(span);
        let literal = match place {
            Place::Model { file, node } => self.ck.decls.nodes.span(file, crate::model::Node(node)),
            _ => None,
        };
        if literal != Some(span) {
            problem = problem.label(here, "a file mode is wanted here");
        }
        let problem = match octal {
            true => problem.help(format!("write `0o{digits}`")).fix(
                format!("write `0o{digits}`"),
                false,
                place,
                format!("0o{digits}"),
            ),
            false => problem.help("write `0o644`, or the octal digits as a string: \"0644\""),
        };
        self.report(problem);
    }

    /// Notes that the refinements of a type are evaluated.
    pub fn use_refinements(&mut self, ty: &Type, span: Span) {
        let mut ids = Vec::new();
        refinements(ty, &mut ids);
        for id in ids {
            self.record_use(span, UseKind::Body(BodyId::Refinement(id), Origin::Other));
        }
    }

    /// Where a type is expected from, for a second label.
    pub fn because(&self, why: Why, to: &Type) -> Option<(Place, String)> {
        match why {
            Why::Plain => None,
            Why::Field(ty, slot) => {
                let field = self.field_def(ty, slot)?;
                let place = Place::Model { file: field.file, node: field.node.0 };
                Some((place, format!("`{}` is declared as `{}` here", field.name, self.show(&field.ty))))
            }
            Why::Param(function, index) => {
                let def = self.program().functions.get(function as usize)?;
                let (name, ty) = def.params.get(index)?;
                let place = Place::Model { file: def.body.file, node: def.node.0 };
                Some((place, format!("the parameter `{name}` is a `{}`", self.show(ty))))
            }
            Why::Result(place) => {
                Some((place, format!("the result is declared as `{}` here", self.show(to))))
            }
            Why::Written(span) => Some((self.at(span), format!("`{}` is written here", self.show(to)))),
        }
    }

    /// Says that a value of one type is no value of another.
    pub fn mismatch(&mut self, from: &Type, span: Span, to: &Type, why: Why) {
        let problem = self.mismatch_problem(from, span, to, why);
        self.report(problem);
    }

    fn mismatch_problem(&self, from: &Type, span: Span, to: &Type, why: Why) -> Diagnostic {
        let program = self.program();
        let (own, plain) = marks::split(from);
        let allowed = marks::top(to);
        let lost = (own.secret && !allowed.secret) || (own.later && !allowed.later);
        let mut problem = if lost && relation::fit(program, &plain, to).is_some() {
            self.mark_lost(own, span, to)
        } else if matches!(from.bare(), Type::Optional(_) | Type::Null)
            && !to.is_nullable()
            && relation::fit(program, from.non_null(), to).is_some()
        {
            let problem = self.problem(
                codes::MAY_BE_NULL,
                span,
                format!("expected `{}`, found `{}`", self.show(to), self.show(from)),
            );
            problem.at("may be null").help("check it with `!= null` first, or give another value: `… ?? x`")
        } else {
            let found = if has_literal(to) { from.clone() } else { relation::widened(from) };
            let message = format!("expected `{}`, found `{}`", self.show(to), self.show(&found));
            let problem = self.problem(codes::TYPE_MISMATCH, span, message);
            match self.mismatch_help(from, to) {
                Some(help) => problem.help(help),
                None => problem,
            }
        };
        if let Some((place, text)) = self.because(why, to) {
            problem = problem.label(place, text);
        }
        problem
    }

    fn mark_lost(&self, own: marks::Marks, span: Span, to: &Type) -> Diagnostic {
        let wanted = self.show(to);
        let (what, mark) =
            if own.secret { ("secret", "secret") } else { ("known only after a deploy", "later") };
        let problem = self.problem(
            codes::MARK_NOT_DECLARED,
            span,
            format!("this is {what}, and a `{wanted}` is expected"),
        );
        match to.bare() {
            // How many there are would be told by every list, wherever the marks stand.
            Type::List(_) | Type::Set(_) | Type::Map(..) if own.secret => problem
                .at("not even how many there are may be told")
                .help("no type says that: take a part with `[…]` or join them, or hand on what is taken apart and take it apart there"),
            Type::List(_) | Type::Set(_) | Type::Map(..) => problem.help(
                "what a marked value is taken apart into stays one: take a part with `[…]`, or join them",
            ),
            _ => problem.help(format!("declare it as `{mark}<{wanted}>`, if it may be")),
        }
    }

    fn mismatch_help(&self, from: &Type, to: &Type) -> Option<String> {
        let wanted = to.non_null().bare();
        match (from.bare(), wanted) {
            (Type::Null, _) => {
                let shown = self.show(to);
                Some(format!("give it a value, or let it be null: `{shown}?`"))
            }
            (Type::StrLit(text), _) if !self.variant_types(to).is_empty() => {
                let ty = *self.variant_types(to).first()?;
                let names = self.variants(ty).iter().map(|v| v.name.as_str());
                let near = crate::diag::nearest(text, names)?;
                Some(format!("write the variant without quotes: `{near}`"))
            }
            (Type::StrLit(text), Type::OneOf(all)) => {
                let literals = all.iter().filter_map(|t| match t {
                    Type::StrLit(s) => Some(s.as_str()),
                    _ => None,
                });
                did_you_mean(text, literals)
            }
            (Type::Int | Type::IntLit(_), Type::Float) => Some("write `….float()`".to_owned()),
            (Type::Float, Type::Int) => Some("write `….round()`, `….floor()` or `….ceil()`".to_owned()),
            (
                Type::Int
                | Type::IntLit(_)
                | Type::Float
                | Type::Bool
                | Type::Duration
                | Type::Size
                | Type::Enum(_),
                Type::Str,
            ) => Some("write it into a string: \"${…}\"".to_owned()),
            (Type::Str | Type::StrLit(_), Type::Int) => {
                Some("write `….int()`, or the number without quotes".to_owned())
            }
            (Type::List(_), Type::Set(_)) => Some("write `….to_set()`".to_owned()),
            (Type::Set(_), Type::List(_)) => Some("write `….to_list()`".to_owned()),
            (a, Type::List(inner)) if relation::fit(self.program(), a, inner).is_some() => {
                Some("write a list: `[…]`".to_owned())
            }
            (Type::Any, _) | (Type::Optional(_), _) if is_any(from) => {
                Some(format!("check it with `as {}`", self.show(to.non_null())))
            }
            (Type::IntLit(_) | Type::Int, Type::Duration) => Some("write the unit: `30s`, `5m`".to_owned()),
            (Type::IntLit(_) | Type::Int, Type::Size) => Some("write the unit: `512MiB`, `2GB`".to_owned()),
            _ => None,
        }
    }
}

fn is_any(ty: &Type) -> bool {
    matches!(ty.non_null().bare(), Type::Any)
}

fn has_literal(ty: &Type) -> bool {
    match ty {
        Type::StrLit(_) | Type::IntLit(_) => true,
        Type::OneOf(all) => all.iter().any(has_literal),
        Type::Optional(inner) | Type::Alias(_, inner) | Type::Refined(inner, _) => has_literal(inner),
        _ => false,
    }
}

/// The refinements in a type, not those in the declarations of records.
pub(super) fn refinements(ty: &Type, ids: &mut Vec<RefineId>) {
    match ty {
        Type::Refined(inner, id) => {
            ids.push(*id);
            refinements(inner, ids);
        }
        Type::Alias(_, t)
        | Type::Optional(t)
        | Type::List(t)
        | Type::Set(t)
        | Type::Secret(t)
        | Type::Later(t) => refinements(t, ids),
        Type::Map(k, v) => {
            refinements(k, ids);
            refinements(v, ids);
        }
        Type::OneOf(all) => all.iter().for_each(|t| refinements(t, ids)),
        _ => {}
    }
}
