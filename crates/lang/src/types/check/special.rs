//! Templates, paths that drift is not looked at in, what a default may read, deprecated names.

use ecow::EcoString;

use super::body::{Cx, Mode, Origin, Typed};
use super::coerce::Why;
use crate::base::{FileId, Name, Span};
use crate::diag::{codes::model::DEPRECATED, codes::types as codes, did_you_mean};
use crate::model::hir::{DriftPath, DriftStep};
use crate::model::program::TemplateDef;
use crate::model::schema::Slot;
use crate::model::{FieldKind, HirKind, Type, TypeId};
use crate::syntax::ast::{Arg, Entry, EntryKind, Expr, ExprKind, Ident, RecordKind};
use crate::types::marks;

impl<'a> Cx<'_, 'a> {
    // Templates.

    /// `template("motd.tmpl", { name, port })`.
    pub fn template(&mut self, args: &'a [Arg], name: Ident, span: Span) -> Typed {
        let [Arg { name: None, value: path }, Arg { name: None, value: given }] = args else {
            self.check_loosely(args);
            let problem = self
                .problem(codes::BAD_CALL, span, format!("`{}` takes a path and the values", name.name))
                .help("write `template(\"motd.tmpl\", { name, port })`");
            self.report(problem);
            return self.wrong(span);
        };
        let given = match &given.kind {
            ExprKind::Brace(entries) => self.template_values(entries),
            _ => {
                self.expr(given, None);
                let problem = self
                    .problem(
                        codes::BAD_CALL,
                        given.span,
                        "the values of a template are written out".to_owned(),
                    )
                    .help("write `{ name, port }`");
                self.report(problem);
                return self.wrong(span);
            }
        };
        let Some((file, parts)) = self.template_file(path) else { return self.wrong(span) };
        let params: Vec<(Name, Type)> = given.iter().map(|(n, v, _)| (n.name, v.ty.clone())).collect();
        let (body, marks, uses) = self.ck.template_body(self.module, file, parts, &params);
        self.uses.extend(uses);
        let index = self.program().templates.len() as u32;
        self.ck.decls.program.templates.push(TemplateDef { file, params, body });
        let args = given.into_iter().map(|(_, v, _)| v.hir).collect();
        self.typed(span, HirKind::Template { template: index, args }, marks.on(Type::Str))
    }

    fn template_values(&mut self, entries: &'a [Entry]) -> Vec<(Ident, Typed, Span)> {
        let mut values: Vec<(Ident, Typed, Span)> = Vec::with_capacity(entries.len());
        for entry in entries {
            match &entry.kind {
                EntryKind::Field { name, value } => {
                    let value = match value {
                        Some(e) => self.expr(e, None),
                        None => self.short(*name, None),
                    };
                    if let Some((first, ..)) = values.iter().find(|(n, ..)| n.name == name.name) {
                        let problem = self
                            .problem(codes::TWICE, name.span, format!("`{}` is given twice", name.name))
                            .label(self.at(first.span), "the first time");
                        self.report(problem);
                        continue;
                    }
                    values.push((*name, value, entry.span));
                }
                _ => {
                    let problem = self
                        .problem(
                            codes::BAD_CALL,
                            entry.span,
                            "a value of a template has a plain name".to_owned(),
                        )
                        .help("write `name: value`");
                    self.report(problem);
                }
            }
        }
        values
    }

    /// The template that a literal path names: relative to the folder of the module.
    fn template_file(&mut self, e: &'a Expr) -> Option<(FileId, &'a [crate::syntax::ast::StrPart])> {
        let Some(path) = Self::literal_text(e) else {
            self.expr(e, Some(&Type::Str));
            let problem = self
                .problem(codes::TEMPLATE, e.span, "the path of a template is written out".to_owned())
                .help("write a string without `${}`: a template is checked like a model");
            self.report(problem);
            return None;
        };
        let Some(path) = resolve_path(self.file.path(), &path) else {
            let problem = self
                .problem(codes::TEMPLATE, e.span, "this path leads out of the project".to_owned())
                .help("a path starts at the folder of the module, or with `/` at the project's root");
            self.report(problem);
            return None;
        };
        match self.ck.template_parts(&path) {
            Some(parts) => Some((FileId::new(&path), parts)),
            None => {
                let problem = self
                    .problem(codes::TEMPLATE, e.span, format!("there is no file `{path}`"))
                    .help("a path starts at the folder of the module, or with `/` at the project's root");
                self.report(problem);
                None
            }
        }
    }

    // `drift ignore`.

    pub fn drift_path(&mut self, id: TypeId, e: &'a Expr) -> Option<DriftPath> {
        let mut steps = Vec::new();
        self.drift_steps(id, e, &mut steps)?;
        Some(DriftPath { steps })
    }

    fn drift_steps(&mut self, id: TypeId, e: &'a Expr, steps: &mut Vec<DriftStep>) -> Option<Type> {
        match &e.kind {
            ExprKind::Paren(inner) => self.drift_steps(id, inner, steps),
            ExprKind::Name(name) => self.drift_field(&Type::Record(id), *name, steps),
            ExprKind::Field(base, name) => {
                let ty = self.drift_steps(id, base, steps)?;
                self.drift_field(&ty, *name, steps)
            }
            ExprKind::Index(base, args) => {
                let ty = self.drift_steps(id, base, steps)?;
                let element = match ty.bare() {
                    Type::List(t) | Type::Set(t) | Type::Map(_, t) => t.as_ref().clone(),
                    _ => Type::Any,
                };
                if args.iter().all(|a| a.name.is_some()) && !args.is_empty() {
                    let keys = args.iter().map(|arg| self.drift_key(&element, arg)).collect();
                    steps.push(DriftStep::Keyed(keys));
                } else {
                    let [arg] = args.as_slice() else {
                        self.check_loosely(args);
                        return None;
                    };
                    let value = self.expr(&arg.value, None);
                    let value = self.plain(value, arg.value.span, "a path");
                    let wanted = Type::OneOf([Type::Str, Type::Int].into());
                    steps.push(DriftStep::Index(self.coerce(value, arg.value.span, &wanted, Why::Plain)));
                }
                Some(element)
            }
            _ => {
                let problem = self
                    .problem(codes::BAD_PATH, e.span, "this is no path of fields".to_owned())
                    .help("write `mode`, `spec.replicas`, `ports[name: \"x\"].port`");
                self.report(problem);
                None
            }
        }
    }

    fn drift_key(&mut self, element: &Type, arg: &'a Arg) -> (EcoString, crate::model::Hir) {
        let name = arg.name.iter().flatten().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
        let key =
            element.record().and_then(|id| self.record(id)?.keys.iter().find(|k| k.name == name).cloned());
        let ty = key.map_or(Type::Any, |k| k.ty);
        (name.as_str().into(), self.key_value(&arg.value, &ty, Why::Plain, "a path"))
    }

    fn drift_field(&mut self, ty: &Type, name: Ident, steps: &mut Vec<DriftStep>) -> Option<Type> {
        let (_, plain) = marks::split(ty);
        let Some(id) = plain.non_null().record() else {
            steps.push(DriftStep::Field(name.name.as_str().into()));
            return Some(Type::Any);
        };
        let field = self.record(id).and_then(|r| r.field(name.name)).map(|(_, f)| f);
        if let Some(field) = field.filter(|f| f.kind.is_stored()) {
            let (data_name, ty) = (field.data_name.clone(), field.ty.clone());
            steps.push(DriftStep::Field(data_name));
            return Some(ty);
        }
        let names =
            self.record(id).map(|r| r.fields.iter().filter(|f| f.kind.is_stored()).map(|f| f.name.as_str()));
        let near = names.and_then(|names| did_you_mean(name.name.as_str(), names));
        let message = format!("`{}` has no field `{}`", self.type_name(id), name.name);
        let mut problem = self
            .problem(codes::UNKNOWN_FIELD, name.span, message)
            .label(self.ck.declaration(id), "declared here");
        problem.help = near;
        self.report(problem);
        None
    }

    // What may be read where.

    /// A default sees the fields before it and nothing else of its value.
    pub fn readable(&mut self, id: TypeId, slot: Slot, from: Origin, field: Ident) {
        let Mode::Default(own) = self.mode else { return };
        let Some(kind) = self.field_def(id, slot).map(|f| f.kind) else { return };
        let here = from == Origin::Here && self.this.as_ref().and_then(Type::record) == Some(id);
        let why = if here && kind == FieldKind::Derived {
            "a derived field is computed after the defaults"
        } else if here && !kind.is_stored() {
            "it is not known yet"
        } else if here && slot >= own {
            "it is declared after this one"
        } else if from == Origin::Other && self.reads_other_instance(id, slot) {
            "another instance may not be read yet"
        } else {
            return;
        };
        let problem = self
            .problem(
                codes::NOT_READABLE,
                field.span,
                format!("a default cannot read `{}`: {why}", field.name),
            )
            .label(self.ck.field_place(id, slot), "declared here")
            .help("a default reads the stored fields before it; a derived field (`let`) reads anything");
        self.report(problem);
    }

    /// Whether a field is one of another instance's that is no key of it.
    fn reads_other_instance(&self, id: TypeId, slot: Slot) -> bool {
        let data = self.this.as_ref().is_some_and(|ty| self.ck.is_data(ty));
        let slice = self.record(id).is_some_and(|r| r.kind == RecordKind::Slice);
        let key = self.record(id).is_some_and(|r| r.keys.iter().any(|k| k.path.first() == Some(&slot)));
        data && slice && !key
    }

    /// Warns of a deprecated name.
    pub fn deprecated(&mut self, span: Span, what: &str, text: &str) {
        let problem = self.problem(DEPRECATED, span, format!("{what} is deprecated")).help(text.to_owned());
        self.report(problem);
    }
}

/// A path below the project's root, from a module's folder or, with `/`, from the root. None if
/// it leads out of the project.
fn resolve_path(module: &str, path: &str) -> Option<String> {
    let (mut parts, rest): (Vec<&str>, &str) = match path.strip_prefix('/') {
        Some(rest) => (Vec::new(), rest),
        None => {
            let folder = module.rsplit_once('/').map_or("", |(folder, _)| folder);
            (folder.split('/').filter(|p| !p.is_empty()).collect(), path)
        }
    };
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_paths_start_at_the_module_or_the_root() {
        let resolved = |path| resolve_path("model/net/vlan.gops", path);
        assert_eq!(resolved("motd.tmpl").as_deref(), Some("model/net/motd.tmpl"));
        assert_eq!(resolved("../a.tmpl").as_deref(), Some("model/a.tmpl"));
        assert_eq!(resolved("/files/a.tmpl").as_deref(), Some("files/a.tmpl"));
        assert_eq!(resolved("../../../a"), None);
    }
}
