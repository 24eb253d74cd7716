//! What is said of a call of a builtin that fits no row: an unknown name, a receiver or arguments of
//! other types.

use super::body::{Cx, Typed};
use super::builtin::Given;
use crate::base::Span;
use crate::diag::codes::types as codes;
use crate::diag::did_you_mean;
use crate::model::Type;
use crate::syntax::ast::{Arg, ExprKind, Ident};
use crate::types::signature::{Param, Signature};

impl<'a> Cx<'_, 'a> {
    pub fn unknown_method(&mut self, ty: &Type, name: Ident) -> Typed {
        let text = name.name.as_str();
        let shown = self.show(&crate::types::relation::widened(ty));
        let mut problem =
            self.problem(codes::UNKNOWN_METHOD, name.span, format!("a `{shown}` has no function `{text}`"));
        let field = ty.record().and_then(|id| self.record(id)?.field(name.name)).is_some();
        let function = self.function_item(name.name).is_some();
        problem.help = if field {
            Some(format!("`{text}` is a field: write `.{text}`"))
        } else if function {
            Some(format!("`{text}` is declared with `fn`: write `{text}(…)`"))
        } else {
            let fitting = self
                .ck
                .signatures
                .names()
                .filter(|n| self.ck.signatures.named(n).iter().any(|r| self.receives(r, ty)));
            let mut names: Vec<&'static str> = fitting.collect();
            names.sort_unstable();
            let known = other_name(text).filter(|n| names.contains(n));
            known.map(|n| format!("did you mean `{n}`?")).or_else(|| did_you_mean(text, names))
        };
        self.report(problem);
        self.wrong(name.span)
    }

    pub fn wrong_receiver(&mut self, rows: &[&Signature], ty: &Type, name: Ident) -> Typed {
        let text = name.name.as_str();
        let shown = self.show(&crate::types::relation::widened(ty));
        let on: Vec<String> = rows.iter().map(|r| format!("`{}`", r.builtin.info().signature)).collect();
        let mut help = format!("there is {}", on.join(" and "));
        if matches!(ty.bare(), Type::Any) {
            help = format!("say what it is: `(… as T).{text}(…)`");
        } else if matches!((ty.bare(), text), (Type::Int | Type::IntLit(_), "len")) {
            help = "an int has no length: compare it with a range".to_owned();
        }
        let problem = self
            .problem(codes::UNKNOWN_METHOD, name.span, format!("a `{shown}` has no function `{text}`"))
            .help(help);
        self.report(problem);
        self.wrong(name.span)
    }

    pub fn wrong_arguments(
        &mut self,
        rows: &[&'static Signature],
        given: Vec<Given<'a>>,
        name: Ident,
        args: &'a [Arg],
        span: Span,
    ) -> Typed {
        for one in given {
            if one.value.is_none() && !matches!(one.expr.kind, ExprKind::Lambda { .. }) {
                self.expr(one.expr, Some(&Type::Error));
            }
        }
        let forms: Vec<String> = rows.iter().map(|r| format!("`{}`", r.builtin.info().signature)).collect();
        let params: Vec<&'static str> =
            rows.iter().flat_map(|r| r.params.iter().map(|p| p.name.as_str())).collect();
        let unknown =
            args.iter().filter_map(|a| a.name.as_ref()?.first()).find(|n| !params.contains(&n.name.as_str()));
        let problem = match unknown {
            Some(unknown) => {
                let message = format!("`{}` has no parameter `{}`", name.name, unknown.name);
                let near = did_you_mean(unknown.name.as_str(), params.iter().copied());
                let problem = self.problem(codes::BAD_CALL, unknown.span, message);
                match near {
                    Some(near) => problem.help(near),
                    None => problem.help(format!("it is {}", forms.join(" or "))),
                }
            }
            None => {
                let message = match rows {
                    [row] => arguments_problem(row, args, name),
                    _ => format!("these are not the arguments of `{}`", name.name),
                };
                self.problem(codes::BAD_CALL, span, message).help(format!("it is {}", forms.join(" or ")))
            }
        };
        self.report(problem);
        self.wrong(span)
    }
}

/// What is wrong with the arguments of a function that has one form.
fn arguments_problem(row: &Signature, args: &[Arg], name: Ident) -> String {
    let unnamed = args.iter().filter(|a| a.name.is_none()).count();
    if args.len() > row.params.len() {
        let count = match row.params.len() {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            n => format!("{n} arguments"),
        };
        return format!("`{}` takes {count}", name.name);
    }
    let named = |p: &Param| args.iter().any(|a| matches!(a.name.as_deref(), Some([n]) if n.name == p.name));
    let missing: Vec<String> = row
        .params
        .iter()
        .enumerate()
        .filter(|(at, p)| *at >= unnamed && !p.optional && !named(p))
        .map(|(_, p)| format!("`{}`", p.name))
        .collect();
    if missing.is_empty() {
        return format!("these are not the arguments of `{}`", name.name);
    }
    format!("`{}` is called without {}", name.name, missing.join(", "))
}

/// What a function is called here, if it is known by another name elsewhere.
pub(super) fn other_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "length" | "size" | "count" => "len",
        "includes" | "has" | "has_key" | "contains_key" => "contains",
        "reduce" | "inject" => "fold",
        "select" | "where" => "filter",
        "each" | "collect" => "map",
        "strip" => "trim",
        "lstrip" => "trim_start",
        "rstrip" => "trim_end",
        "startswith" | "startsWith" => "starts_with",
        "endswith" | "endsWith" => "ends_with",
        "uppercase" | "to_upper" | "toUpperCase" => "upper",
        "lowercase" | "to_lower" | "toLowerCase" => "lower",
        "sort" | "sort_by" => "sorted",
        "reverse" => "reversed",
        "uniq" | "distinct" => "unique",
        "some" => "any",
        "every" => "all",
        "items" => "entries",
        "to_string" | "str" => "string",
        "to_int" => "int",
        "flatMap" => "flat_map",
        _ => return None,
    })
}
