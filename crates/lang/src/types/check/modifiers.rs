//! What follows a constructor: `after`, `protect`, `timeout` and the like.

use super::body::{Cx, Typed};
use super::coerce::Why;
use crate::diag::codes::types as codes;
use crate::model::hir::{Construct, Drift};
use crate::model::{Hir, HirKind, Type, TypeDef, TypeId};
use crate::syntax::ast::{Expr, ExprKind, Modifier, ModifierKind, RecordKind};

impl<'a> Cx<'_, 'a> {
    pub fn modified(&mut self, base: &'a Expr, modifiers: &'a [Modifier], want: Option<&Type>) -> Typed {
        let mut value = self.expr(base, want);
        let mut made = None;
        if let Some(construct) = construct_in(&mut value.hir) {
            made = Some(construct.ty);
        }
        let object = made.filter(|id| self.is_object(*id));
        let Some(id) = object else {
            // That something else than a constructor stands before it, the parser has said.
            let literal = matches!(super::narrow::unparenthesised(base).kind, ExprKind::Construct { .. });
            if literal
                && !value.is_error()
                && let Some(first) = modifiers.first()
            {
                let problem = self
                    .problem(
                        codes::MODIFIER_NOT_HERE,
                        first.span,
                        "this can only follow the constructor of an entity or resource",
                    )
                    .help("write it directly after the `}` of the constructor");
                self.report(problem);
            }
            for modifier in modifiers {
                if let ModifierKind::After(e) | ModifierKind::Timeout(e) = &modifier.kind {
                    self.expr(e, Some(&Type::Error));
                }
            }
            return value;
        };
        for modifier in modifiers {
            let done = self.modifier(id, modifier);
            if let Some(construct) = construct_in(&mut value.hir) {
                done(construct);
            }
        }
        value
    }

    /// What stands after `after`: the elements of a list literal need have nothing in common.
    fn after(&mut self, e: &'a Expr, found: &mut Vec<Hir>) {
        if let ExprKind::List(items) = &super::narrow::unparenthesised(e).kind {
            return items.iter().for_each(|item| self.after(item, found));
        }
        let value = self.expr(e, None);
        let value = self.plain(value, e.span, "`after`");
        if !value.is_error() && !self.can_be_after(&value.ty) {
            let message = format!("`after` a `{}` means nothing", self.show(&value.ty));
            let problem = self.problem(codes::TYPE_MISMATCH, e.span, message);
            self.report(problem.help("write an object, an instance, or a list of them"));
        }
        found.push(value.hir);
    }

    fn modifier(&mut self, id: TypeId, modifier: &'a Modifier) -> Box<dyn FnOnce(&mut Construct)> {
        match &modifier.kind {
            ModifierKind::After(e) => {
                let mut found = Vec::new();
                self.after(e, &mut found);
                Box::new(move |c| c.after.extend(found))
            }
            ModifierKind::Protect => Box::new(|c| c.protect = true),
            ModifierKind::Adopt => Box::new(|c| c.adopt = true),
            ModifierKind::Keep => Box::new(|c| c.keep = true),
            ModifierKind::Timeout(e) => {
                let value = self.expr(e, Some(&Type::Duration));
                let value = self.plain(value, e.span, "`timeout`");
                let hir = self.coerce(value, e.span, &Type::Duration, Why::Plain);
                Box::new(move |c| c.timeout = Some(hir))
            }
            ModifierKind::DriftReport => Box::new(|c| c.drift = Some(Drift::Report)),
            ModifierKind::DriftRepair => Box::new(|c| c.drift = Some(Drift::Repair)),
            ModifierKind::DriftIgnore(paths) => {
                let paths = paths.iter().filter_map(|p| self.drift_path(id, p)).collect();
                Box::new(move |c| c.drift = Some(Drift::Ignore(paths)))
            }
        }
    }

    /// Whether a value can stand after `after`: an object, an instance, null, or a list of them.
    fn can_be_after(&self, ty: &Type) -> bool {
        match ty {
            Type::Alias(_, t) | Type::Refined(t, _) | Type::Optional(t) | Type::List(t) | Type::Set(t) => {
                self.can_be_after(t)
            }
            Type::Error | Type::Never | Type::Null | Type::Ref(_) => true,
            Type::OneOf(all) => all.iter().all(|t| self.can_be_after(t)),
            Type::Record(id) => match self.program().types.get(id.0 as usize) {
                Some(TypeDef::Record(r)) => !matches!(r.kind, RecordKind::Plain),
                _ => false,
            },
            _ => false,
        }
    }
}

/// The constructor that an expression is, through what was bound before it.
fn construct_in(hir: &mut Hir) -> Option<&mut Construct> {
    match &mut hir.kind {
        HirKind::Construct(construct) => Some(construct),
        HirKind::Block { value: Some(value), .. } => construct_in(value),
        _ => None,
    }
}
