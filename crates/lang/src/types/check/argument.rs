//! The arguments of builtins: values and function values.

use super::body::{Cx, Origin, Typed};
use super::builtin::decides;
use super::coerce::Why;
use super::expr::alternatives;
use super::unify::Binding;
use crate::base::Span;
use crate::diag::codes::types as codes;
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{Expr, ExprKind};
use crate::types::marks::{self};
use crate::types::signature::{Param, Sig, Signature};

impl<'a> Cx<'_, 'a> {
    /// One argument that is no function value.
    pub fn argument(&mut self, sig: &Sig, value: Typed, span: Span, binding: &mut Binding) -> Hir {
        if value.is_error() {
            return value.hir;
        }
        match sig {
            Sig::Of(Type::Any) => {
                binding.marks = binding.marks.and(marks::deep(self.program(), &value.ty));
                match crate::types::relation::is_data(&value.ty) {
                    true => value.hir,
                    false => self.hir(span, HirKind::ToAny(Box::new(value.hir))),
                }
            }
            Sig::Of(ty) => {
                let (marks, plain) = marks::split(&value.ty);
                binding.marks = binding.marks.and(marks);
                self.coerce(Typed { ty: plain, ..value }, span, ty, Why::Plain)
            }
            _ => {
                // An int literal beside floats is one.
                if let Some(wanted) = binding.wanted(sig)
                    && matches!(value.ty.bare(), Type::IntLit(_))
                    && alternatives(&wanted, |t| matches!(t, Type::Float))
                {
                    return self.coerce(value, span, &Type::Float, Why::Plain);
                }
                let before = binding.clone();
                if !binding.unify(self.program(), sig, &value.ty) {
                    *binding = before;
                    let wanted = binding.shown(sig);
                    self.mismatch(&value.ty, span, &wanted, Why::Plain);
                    return self.hir(span, HirKind::Error);
                }
                if matches!((sig, value.ty.bare()), (Sig::Map(..), Type::Anon(_))) {
                    let map = binding.result(sig);
                    return self.coerce(value, span, &map, Why::Plain);
                }
                value.hir
            }
        }
    }

    /// `x => e` as an argument.
    pub fn function_value(
        &mut self,
        row: &'static Signature,
        param: &Param,
        e: &'a Expr,
        from: Origin,
        binding: &mut Binding,
    ) -> Hir {
        let Sig::Function(params, result) = &param.ty else { return self.hir(e.span, HirKind::Error) };
        let ExprKind::Lambda { params: names, body } = &e.kind else {
            return self.no_function_value(e, params.len());
        };
        if names.len() != params.len() {
            let wanted =
                if params.len() == 1 { "one value".to_owned() } else { format!("{} values", params.len()) };
            let problem = self
                .problem(
                    codes::BAD_CALL,
                    e.span,
                    format!("this function is given {wanted}, and takes {}", names.len()),
                )
                .help(if params.len() == 1 { "write `x => …`" } else { "write `(a, b) => …`" });
            self.report(problem);
            return self.hir(e.span, HirKind::Error);
        }
        // The result may widen what a parameter is (`fold`): checked again until it is stable.
        for round in 0..3 {
            let (said, uses) = (self.ck.decls.diagnostics.len(), self.uses.len());
            let scope = self.enter();
            let types: Vec<Type> = params.iter().map(|p| binding.result(p)).collect();
            let locals: Vec<u32> = names
                .iter()
                .zip(&types)
                .map(|(name, ty)| self.declare_used(*name, ty.clone(), from))
                .collect();
            let want = binding.wanted(result);
            let value = self.expr(body, want.as_ref());
            self.leave(scope);
            let mut next = binding.clone();
            let fits = value.is_error() || next.unify_result(self.program(), result, &value.ty);
            let changed = params.iter().zip(&types).any(|(p, ty)| next.result(p) != *ty);
            if fits && changed && round < 2 && self.retries > 0 {
                self.retries -= 1;
                self.ck.decls.diagnostics.truncate(said);
                self.uses.truncate(uses);
                *binding = next;
                continue;
            }
            let marks = marks::top(&value.ty);
            let body = if !fits {
                let wanted = binding.shown(result);
                self.coerce(value, body.span, &wanted, Why::Plain)
            } else {
                if !marks.is_none() && decides(result) {
                    self.refuse_mark(
                        marks,
                        body.span,
                        &format!("what `{}` decides by", row.builtin.info().name),
                    );
                }
                *binding = next;
                value.hir
            };
            let kind = HirKind::Lambda { params: locals, body: Box::new(body) };
            return self.hir(e.span, kind);
        }
        self.hir(e.span, HirKind::Error)
    }

    fn no_function_value(&mut self, e: &'a Expr, params: usize) -> Hir {
        let help = match (&e.kind, params) {
            (ExprKind::Name(ident), 1) => format!("write `x => {}(x)`", ident.name),
            (_, 1) => "write `x => …`".to_owned(),
            _ => "write `(a, b) => …`".to_owned(),
        };
        let problem =
            self.problem(codes::BAD_CALL, e.span, "a function value is expected here".to_owned()).help(help);
        self.report(problem);
        self.hir(e.span, HirKind::Error)
    }
}
