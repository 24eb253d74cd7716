//! Literals that their type refuses: they need no data to be found.

use crate::base::FileId;
use crate::diag::Diagnostic;
use crate::model::schema::CheckDef;
use crate::model::{Body, Hir, HirKind, Program, Type, TypeDef};
use crate::syntax::ast::BinaryOp;

use super::machine::{Machine, This};
use super::world::World;

/// Whatever a literal of the model is refused for. Tests may make mistakes on purpose, so they are
/// not looked at.
pub fn refused_literals(world: &dyn World) -> Vec<Diagnostic> {
    let mut machine = Machine::new(world);
    each_expression(world.program(), &mut |file, hir| machine.literals(file, hir));
    machine.finish().diagnostics
}

impl<'w> Machine<'w> {
    fn literals(&mut self, file: FileId, hir: &'w Hir) {
        match &hir.kind {
            HirKind::Refine(value, ty) if is_literal(value) => self.literal(file, hir, value, ty),
            HirKind::Refine(value, ty) => {
                branches(value, &mut |branch| self.literal(file, branch, branch, ty));
                self.literals(file, value);
            }
            _ => hir.each_child(&mut |child| self.literals(file, child)),
        }
    }

    fn literal(&mut self, file: FileId, hir: &'w Hir, value: &'w Hir, ty: &'w Type) {
        self.enter(file, None, 0, This::None);
        // What is wrong has been said.
        let _ = self.refined(hir, value, ty);
        self.leave();
        self.out.cost += std::mem::take(&mut self.cost);
    }
}

/// Calls `f` for each literal that the value of an expression may be.
fn branches<'h>(hir: &'h Hir, f: &mut dyn FnMut(&'h Hir)) {
    match &hir.kind {
        HirKind::If { then, otherwise: Some(otherwise), .. } => {
            branches(then, f);
            branches(otherwise, f);
        }
        HirKind::Match { arms, .. } => arms.iter().for_each(|(_, body)| branches(body, f)),
        HirKind::Block { value: Some(value), .. } => branches(value, f),
        HirKind::Binary(BinaryOp::Coalesce, _, other) => branches(other, f),
        _ if is_literal(hir) => f(hir),
        _ => {}
    }
}

/// Whether a value stands in the model as it is.
pub(super) fn is_literal(hir: &Hir) -> bool {
    match &hir.kind {
        HirKind::Bool(_)
        | HirKind::Int(_)
        | HirKind::Float(_)
        | HirKind::Str(_)
        | HirKind::Duration(_)
        | HirKind::Size(_)
        | HirKind::Enum(..) => true,
        HirKind::Refine(value, _) => is_literal(value),
        HirKind::List(items) => items.iter().all(is_literal),
        _ => false,
    }
}

/// Calls `f` for the root of each body but those of tests, with the file that it is in.
fn each_expression<'p>(program: &'p Program, f: &mut dyn FnMut(FileId, &'p Hir)) {
    let mut body = |body: &'p Body| f(body.file, &body.root);
    program.impls.iter().for_each(|i| body(&i.body));
    program.consts.iter().for_each(|c| body(&c.body));
    program.functions.iter().for_each(|c| body(&c.body));
    program.refinements.iter().for_each(|r| body(&r.body));
    for def in &program.types {
        let TypeDef::Record(record) = def else { continue };
        record.fields.iter().filter_map(|field| field.value.as_ref()).for_each(&mut body);
    }
    for def in &program.impls {
        def.when.iter().for_each(|when| f(def.body.file, when));
    }
    let mut check = |check: &'p CheckDef| {
        check.quantifier.iter().for_each(|(_, over)| f(check.file, over));
        f(check.file, &check.condition);
        f(check.file, &check.message);
    };
    program.checks.iter().for_each(&mut check);
    for def in &program.types {
        if let TypeDef::Record(record) = def {
            record.checks.iter().for_each(&mut check);
        }
    }
}
