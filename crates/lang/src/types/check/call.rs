//! Calls: functions of the model, then what the language itself offers, then the builtins.

use super::body::{Cx, Folder, Mode, Origin, Typed};
use super::coerce::Why;
use super::uses::{BodyId, UseKind};
use crate::base::Span;
use crate::diag::{codes::model::UNKNOWN_NAME, codes::types as codes, did_you_mean};
use crate::model::hir::{self, HistoryQuestion};
use crate::model::scopes::{FunctionItem, TypeItem};
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident};

/// What the language itself offers as functions.
const LANGUAGE: [&str; 8] = ["all", "file", "files", "template", "state", "operation", "deleted", "previous"];

impl<'a> Cx<'_, 'a> {
    pub fn call(&mut self, e: &'a Expr, callee: &'a Expr, args: &'a [Arg], want: Option<&Type>) -> Typed {
        match &callee.kind {
            ExprKind::Name(name) => {
                if let Some(item) = self.function_item(name.name) {
                    return self.call_function(item, *name, args, e.span);
                }
                if let Some(value) = self.language(*name, args, e.span) {
                    return value;
                }
                match self.builtin_call(*name, args, e.span, want) {
                    Some(value) => value,
                    None => self.unknown_function(*name, args),
                }
            }
            ExprKind::Path(path) => {
                let (scopes, nodes) = (&self.ck.decls.scopes, &mut self.ck.decls.nodes);
                match scopes.resolve_function(nodes, self.module, path) {
                    Ok(item) => {
                        let last = path.parts.last().copied();
                        let name =
                            last.unwrap_or(Ident { name: crate::base::Name::new("?"), span: path.span });
                        self.call_function(item, name, args, e.span)
                    }
                    Err(problem) => {
                        self.report(*problem);
                        self.check_loosely(args);
                        self.wrong(e.span)
                    }
                }
            }
            _ => {
                self.expr(callee, None);
                self.check_loosely(args);
                let problem = self
                    .problem(codes::BAD_CALL, callee.span, "this is a value, not a function".to_owned())
                    .help("functions are declared with `fn`, and called by their name");
                self.report(problem);
                self.wrong(e.span)
            }
        }
    }

    fn unknown_function(&mut self, name: Ident, args: &'a [Arg]) -> Typed {
        self.check_loosely(args);
        let text = name.name.as_str();
        let mut problem =
            self.problem(UNKNOWN_NAME, name.span, format!("there is no function `{text}` here"));
        let mut names: Vec<&'static str> = self.ck.signatures.names().collect();
        names.extend(self.ck.decls.scopes.function_names(self.module));
        names.sort_unstable();
        problem.help = if self.has_local(name.name) || self.this_field(name.name).is_some() {
            Some(format!("`{text}` is a value"))
        } else if self.ck.decls.scopes.type_named(self.module, name.name).is_some() {
            Some(format!("`{text}` is a type: write `{text} {{ … }}` to make one"))
        } else {
            let other = super::refused_call::other_name(text).filter(|n| names.contains(n));
            other
                .map(|n| format!("did you mean `{n}`?"))
                .or_else(|| did_you_mean(text, names.into_iter().chain(LANGUAGE)))
        };
        self.report(problem);
        self.wrong(name.span)
    }

    // Functions of the model.

    pub fn call_function(&mut self, item: FunctionItem, name: Ident, args: &'a [Arg], span: Span) -> Typed {
        let FunctionItem(index) = item;
        let Some(def) = self.program().functions.get(index as usize) else { return self.wrong(span) };
        let (params, result) = (def.params.clone(), def.result.clone());
        if let Some(text) = def.deprecated.clone() {
            self.deprecated(name.span, &format!("`{}`", name.name), &text);
        }
        self.record_use(span, UseKind::Body(BodyId::Function(index), Origin::Other));
        let mut values: Vec<Option<Hir>> = params.iter().map(|_| None).collect();
        let mut next = 0;
        let implied = self.mode == Mode::Where
            && args.len() + 1 == params.len()
            && args.iter().all(|a| a.name.is_none());
        if implied && let Some(this) = self.this_value(name.span) {
            values[0] = Some(self.coerce(this, name.span, &params[0].1, Why::Param(index, 0)));
            next = 1;
        }
        let mut good = true;
        for arg in args {
            let at = match &arg.name {
                Some(path) => {
                    let wanted = path.first().map(|p| p.name);
                    params.iter().position(|(n, _)| path.len() == 1 && Some(*n) == wanted)
                }
                None => {
                    next += 1;
                    Some(next - 1).filter(|at| *at < params.len())
                }
            };
            match at {
                Some(at) if values[at].is_none() => {
                    values[at] = Some(self.check(&arg.value, &params[at].1, Why::Param(index, at)));
                }
                Some(at) => {
                    good = false;
                    let message = format!("the parameter `{}` is given twice", params[at].0);
                    let problem = self.problem(codes::BAD_CALL, arg.value.span, message);
                    self.report(problem);
                }
                None => {
                    good = false;
                    self.expr(&arg.value, Some(&Type::Error));
                    self.surplus(index, arg, name);
                }
            }
        }
        let missing: Vec<String> = params
            .iter()
            .zip(&values)
            .filter(|(_, v)| v.is_none())
            .map(|((n, _), _)| format!("`{n}`"))
            .collect();
        if good && !missing.is_empty() {
            let message = format!("`{}` is called without {}", name.name, missing.join(", "));
            let wanted = params.iter().map(|(n, t)| format!("{n}: {}", self.show(t)));
            let help = format!("it is `{}({})`", name.name, wanted.collect::<Vec<_>>().join(", "));
            let problem = self
                .problem(codes::BAD_CALL, span, message)
                .label(self.ck.function_place(index), "declared here")
                .help(help);
            self.report(problem);
        }
        let ty = if self.ck.is_result_tainted(index) { result.later() } else { result };
        if !good || !missing.is_empty() {
            return Typed { ty, ..self.wrong(span) };
        }
        let args = values.into_iter().flatten().collect();
        self.typed(span, HirKind::Call { function: index, args }, ty)
    }

    fn surplus(&mut self, index: u32, arg: &Arg, name: Ident) {
        let def = self.program().functions.get(index as usize);
        let names: Vec<&'static str> =
            def.map(|d| d.params.iter().map(|(n, _)| n.as_str()).collect()).unwrap_or_default();
        let problem = match &arg.name {
            Some(path) => {
                let text = path.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
                let span = path.iter().map(|p| p.span).reduce(Span::to).unwrap_or(arg.value.span);
                let mut problem =
                    self.problem(codes::BAD_CALL, span, format!("`{}` has no parameter `{text}`", name.name));
                problem.help = did_you_mean(&text, names);
                problem
            }
            None => {
                let count = match names.len() {
                    0 => "no arguments".to_owned(),
                    1 => "one argument".to_owned(),
                    n => format!("{n} arguments"),
                };
                self.problem(codes::BAD_CALL, arg.value.span, format!("`{}` takes {count}", name.name))
            }
        };
        self.report(problem.label(self.ck.function_place(index), "declared here"));
    }

    // What the language offers.

    fn language(&mut self, name: Ident, args: &'a [Arg], span: Span) -> Option<Typed> {
        match name.name.as_str() {
            "all" => {
                let [arg] = args else { return None };
                let item = self.as_type(&arg.value)?;
                Some(self.all_of(item, arg.value.span, span))
            }
            "file" => Some(self.file(args, name, span, false)),
            "files" => Some(self.file(args, name, span, true)),
            "template" => Some(self.template(args, name, span)),
            "state" => Some(self.history(HistoryQuestion::State, args, name, span)),
            "operation" => Some(self.history(HistoryQuestion::Operation, args, name, span)),
            "deleted" => Some(self.history(HistoryQuestion::Deleted, args, name, span)),
            "previous" => Some(self.history(HistoryQuestion::Previous, args, name, span)),
            _ => None,
        }
    }

    fn all_of(&mut self, item: TypeItem, at: Span, span: Span) -> Typed {
        let Some(id) =
            self.object_type(item, at, "`all` gives the values of a slice, an entity or a resource")
        else {
            return self.wrong(span);
        };
        self.record_use(span, UseKind::Reads(id));
        self.typed(span, HirKind::All(id), super::body::list_of(Type::Record(id)))
    }

    /// The one argument of a function of the language.
    pub fn only_arg(&mut self, args: &'a [Arg], name: Ident, span: Span) -> Option<&'a Expr> {
        match args {
            [Arg { name: None, value }] => Some(value),
            _ => {
                self.check_loosely(args);
                let problem =
                    self.problem(codes::BAD_CALL, span, format!("`{}` takes one argument", name.name));
                self.report(problem);
                None
            }
        }
    }

    fn file(&mut self, args: &'a [Arg], name: Ident, span: Span, many: bool) -> Typed {
        let Some(e) = self.only_arg(args, name, span) else { return self.wrong(span) };
        let value = self.expr(e, Some(&Type::Str));
        let value = self.plain(value, e.span, "the path of a file");
        let path = self.coerce(value, e.span, &Type::Str, Why::Plain);
        let from_root = starts_at_root(&path);
        if self.folder == Folder::None && from_root == Some(false) {
            let problem = self
                .problem(
                    codes::FILE_PATH,
                    e.span,
                    format!("{} has no folder that a path could start at", self.mode.noun()),
                )
                .help("start the path with `/`, the root of the project");
            self.report(problem);
            return self.wrong(span);
        }
        let folder = match self.folder {
            Folder::Local(local) => hir::Folder::Of(Box::new(self.read_hidden(span, local))),
            Folder::This => hir::Folder::This,
            Folder::Module => hir::Folder::Module,
            Folder::None => hir::Folder::Root,
        };
        self.ck.decls.program.uses_files |= many;
        let ty = if many { super::body::list_of(Type::File) } else { Type::File };
        self.typed(span, HirKind::File { path: Box::new(path), many, folder }, ty)
    }
}

/// Whether a path starts at the project's root; none if that is not known yet.
fn starts_at_root(path: &Hir) -> Option<bool> {
    match &path.kind {
        HirKind::Str(text) => Some(text.starts_with('/')),
        HirKind::Interpolate(parts) => match parts.first() {
            Some(crate::model::hir::Part::Text(text)) => Some(text.starts_with('/')),
            _ => None,
        },
        HirKind::Error => Some(true),
        _ => None,
    }
}
