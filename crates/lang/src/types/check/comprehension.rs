//! Comprehensions, and what `for` goes through.

use super::body::{Cx, Typed, map_of};
use super::expr::collection;
use super::map_literal::map_types;
use crate::base::Span;
use crate::diag::codes::types as codes;
use crate::model::hir::Clause;
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{self, Expr, Ident};
use crate::types::relation;

impl<'a> Cx<'_, 'a> {
    pub fn list_comprehension(
        &mut self,
        element: &'a Expr,
        clauses: &'a [ast::Clause],
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let wanted = want.and_then(collection);
        let (scope, facts) = (self.enter(), self.facts.len());
        let clauses = self.clauses(clauses);
        let value = self.expr(element, wanted.as_ref().map(|(ty, _)| ty));
        let from = value.from;
        let (hir, ty) = match &wanted {
            Some((ty, _)) => (self.element(value, element.span, ty), ty.clone()),
            None => {
                let ty = relation::widened(&value.ty);
                (value.hir, ty)
            }
        };
        self.forget(facts);
        self.leave(scope);
        let kind = HirKind::Comprehension { clauses, key: None, value: Box::new(hir) };
        let list = self.hir(span, kind);
        let mut made = self.collected(list, ty, wanted.is_some_and(|(_, set)| set), span);
        made.from = from;
        made
    }

    pub fn map_comprehension(
        &mut self,
        key: &'a Expr,
        value: &'a Expr,
        clauses: &'a [ast::Clause],
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let wanted = want.and_then(map_types);
        let (scope, facts) = (self.enter(), self.facts.len());
        let clauses = self.clauses(clauses);
        let (key_hir, key_ty) = self.computed_key(key, wanted.as_ref().map(|(k, _)| k));
        self.held_under = wanted.as_ref().and_then(|(_, v)| {
            let (id, slot) = self.key_field(v, value)?;
            Some((id, slot, key_hir.clone(), map_of(key_ty.clone(), v.clone())))
        });
        let value_typed = self.expr(value, wanted.as_ref().map(|(_, v)| v));
        self.held_under = None;
        let from = value_typed.from;
        let (value_hir, value_ty) = match &wanted {
            Some((_, ty)) => (self.element(value_typed, value.span, ty), ty.clone()),
            None => {
                let ty = relation::widened(&value_typed.ty);
                (value_typed.hir, ty)
            }
        };
        self.forget(facts);
        self.leave(scope);
        let kind =
            HirKind::Comprehension { clauses, key: Some(Box::new(key_hir)), value: Box::new(value_hir) };
        let hir = self.hir(span, kind);
        Typed { hir, ty: map_of(key_ty, value_ty), from }
    }

    fn clauses(&mut self, clauses: &'a [ast::Clause]) -> Vec<Clause> {
        let mut lowered = Vec::with_capacity(clauses.len());
        for clause in clauses {
            match clause {
                ast::Clause::For { names, over } => {
                    let (over, locals) = self.go_through(names, over);
                    lowered.push(Clause::For { locals, over });
                }
                ast::Clause::If(condition) => {
                    let (hir, facts) = self.decision(condition, "the `if` of a comprehension");
                    self.assume_facts(facts.yes);
                    lowered.push(Clause::If(hir));
                }
            }
        }
        lowered
    }

    /// `for x in xs`, `for k, v in m`: declares the locals.
    pub fn go_through(&mut self, names: &[Ident], over: &'a Expr) -> (Hir, Vec<u32>) {
        let value = self.expr(over, None);
        let value = self.plain(value, over.span, "`for`");
        let from = value.from;
        let types = self.elements(&value.ty.clone(), names.len(), over);
        if let HirKind::Range { start: None, .. } | HirKind::Range { end: None, .. } = &value.hir.kind {
            let problem = self
                .problem(codes::NOT_ITERABLE, over.span, "this range has no start or no end".to_owned())
                .help("write both: `1..=3`");
            self.report(problem);
        }
        let locals = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let ty = types.as_ref().and_then(|t| t.get(at).cloned()).unwrap_or(Type::Error);
                self.declare_used(*name, ty, from)
            })
            .collect();
        (value.hir, locals)
    }

    /// What the names of a `for` stand for; none if one cannot go through it.
    fn elements(&mut self, ty: &Type, names: usize, over: &Expr) -> Option<Vec<Type>> {
        let pair = names == 2;
        let found = match ty.bare() {
            Type::Error | Type::Never => return None,
            Type::List(t) | Type::Set(t) if !pair => Some(vec![t.as_ref().clone()]),
            Type::Range if !pair => Some(vec![Type::Int]),
            Type::Map(_, v) if !pair => Some(vec![v.as_ref().clone()]),
            Type::Map(k, v) => Some(vec![k.as_ref().clone(), v.as_ref().clone()]),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        let shown = self.show(ty);
        let problem = match ty.bare() {
            Type::Optional(_) | Type::Null => {
                let problem = self.problem(codes::MAY_BE_NULL, over.span, format!("a `{shown}` may be null"));
                match super::access::written(over) {
                    Some(path) => {
                        problem.help(format!("check `{path} != null` first, or write `{path} ?? []`"))
                    }
                    None => problem.help("write `… ?? []`"),
                }
            }
            Type::List(_) | Type::Set(_) | Type::Range => self
                .problem(codes::NOT_ITERABLE, over.span, format!("a `{shown}` gives one value at a time"))
                .help("for the index too write `for i, x in ….enumerate()`"),
            Type::Any => self
                .problem(codes::NOT_ITERABLE, over.span, "one cannot go through `any`".to_owned())
                .help("say what it is: `… as list<any>`, `… as map<string, any>`"),
            Type::Str | Type::StrLit(_) => self
                .problem(codes::NOT_ITERABLE, over.span, "one cannot go through a `string`".to_owned())
                .help("write `….chars()`, `….lines()` or `….split(…)`"),
            _ => self
                .problem(codes::NOT_ITERABLE, over.span, format!("one cannot go through a `{shown}`"))
                .help("`for` goes through lists, sets, maps and ranges"),
        };
        self.report(problem);
        None
    }
}
