//! Questions about history: `operation(x)`, `deleted(x)`, `previous(x.f)`, `state(x)`.

use super::body::{Cx, Mode, Typed};
use crate::base::Span;
use crate::diag::{Diagnostic, codes::history as codes, codes::types};
use crate::model::hir::HistoryQuestion;
use crate::model::{FieldKind, Hir, HirKind, Type, TypeId};
use crate::syntax::ast::{Arg, Expr, Ident, RecordKind};
use crate::types::marks;

/// The enum of `operation(x)`.
const OPERATION: &str = "std::history::Operation";
/// The enum of `state(x)`.
const STATE: &str = "std::history::State";

/// The field that `previous` is asked for.
enum Asked {
    /// Of an element.
    Field,
    /// Of something that is no element of the data.
    Of(String),
    /// No field, or one that has no earlier value.
    Nothing,
}

impl<'a> Cx<'_, 'a> {
    /// A question about history.
    pub fn history(&mut self, question: HistoryQuestion, args: &'a [Arg], name: Ident, span: Span) -> Typed {
        self.asked_where_it_has_an_answer(question, name);
        let Some(e) = self.only_arg(args, name, span) else { return self.wrong(span) };
        let value = self.expr(e, None);
        if value.is_error() {
            return self.wrong(span);
        }
        let ty = match question {
            HistoryQuestion::Deleted => Type::Bool,
            HistoryQuestion::Previous => value.ty.clone().optional(),
            HistoryQuestion::State => self.history_enum(STATE, &["present", "absent", "transient"]),
            HistoryQuestion::Operation => {
                self.history_enum(OPERATION, &["create", "update", "delete", "keep"])
            }
        };
        let problem = match question {
            HistoryQuestion::State => self.no_object(&value.ty, e.span),
            HistoryQuestion::Previous => self.no_earlier_value(&value.hir, e.span),
            HistoryQuestion::Operation | HistoryQuestion::Deleted => self.no_element(&value.ty, e.span, name),
        };
        if let Some(problem) = problem {
            self.report(problem);
            // What the answer is compared with is still checked.
            return self.typed(span, HirKind::Error, ty);
        }
        self.typed(span, HirKind::History(question, Box::new(value.hir)), ty)
    }

    fn asked_where_it_has_an_answer(&mut self, question: HistoryQuestion, name: Ident) {
        let allowed = match question {
            HistoryQuestion::State => self.mode == Mode::Test,
            _ => self.mode == Mode::Impl { transient: true },
        };
        if allowed {
            return;
        }
        let help = match question {
            HistoryQuestion::State => "it can be asked in a `test`",
            _ => "it can be asked in `impl X when deleted(self)` and `impl X when operation(self) == …`",
        };
        let message = format!("`{}` cannot be asked in {}", name.name, self.mode.noun());
        let problem = self.problem(types::HISTORY_NOT_HERE, name.span, message).help(help);
        self.report(problem);
    }

    /// An enum of the standard library; without that, as the names of its variants.
    fn history_enum(&self, path: &str, variants: &[&str]) -> Type {
        match self.program().find(path) {
            Some(id) => Type::Enum(id),
            None => Type::OneOf(variants.iter().map(|s| Type::StrLit((*s).into())).collect()),
        }
    }

    /// `state` is of objects.
    fn no_object(&mut self, ty: &Type, span: Span) -> Option<Diagnostic> {
        let record = marks::split(ty).1.record().and_then(|id| self.record(id));
        let kind = record.map(|r| r.kind);
        if matches!(kind, Some(RecordKind::Entity | RecordKind::Target | RecordKind::Resource)) {
            return None;
        }
        let message = format!("a `{}` has no state", self.show(ty));
        let problem = self.problem(codes::NO_HISTORY_OF, span, message);
        Some(problem.help("ask for an object by its key: `state(TextFile[…])`"))
    }

    /// `operation` and `deleted` are of elements.
    fn no_element(&mut self, ty: &Type, span: Span, name: Ident) -> Option<Diagnostic> {
        let (_, plain) = marks::split(ty);
        let what = match plain.bare() {
            Type::Union(_) | Type::Variant(..) => return None,
            Type::Optional(_) => {
                let problem = self.problem(types::MAY_BE_NULL, span, "this may be null".to_owned());
                return Some(problem.help(format!(
                    "ask first: `x != null and {}(x) …`, or ask for what holds it",
                    name.name
                )));
            }
            ty => ty.record().and_then(|id| self.why_no_element(id)),
        };
        let is_record = plain.record().is_some();
        match what {
            None if is_record => None,
            what => {
                let what = what.unwrap_or_else(|| format!("a `{}` is no element of the data", self.show(ty)));
                Some(self.no_history_of(what, span))
            }
        }
    }

    /// Why values of a record type are no elements; none if they are.
    fn why_no_element(&self, id: TypeId) -> Option<String> {
        let record = self.record(id)?;
        let name = record.decl.name;
        match record.kind {
            RecordKind::Slice | RecordKind::Struct => None,
            RecordKind::Plain => {
                Some(format!("a plain struct has no identity: `{name}` is a part of a value"))
            }
            RecordKind::Entity | RecordKind::Target | RecordKind::Resource => {
                Some(format!("`{name}` is not read from data, so it has no history"))
            }
        }
    }

    fn no_history_of(&mut self, message: String, span: Span) -> Diagnostic {
        let problem = self.problem(codes::NO_HISTORY_OF, span, message);
        problem.help("ask for an instance, a struct or a union's value: in an `impl` of that it is `self`")
    }

    /// `previous` is of a field of an element.
    fn no_earlier_value(&mut self, hir: &Hir, span: Span) -> Option<Diagnostic> {
        match self.asked(hir) {
            Asked::Field => None,
            Asked::Of(why) => Some(self.no_history_of(why, span)),
            Asked::Nothing => {
                let message = "only a field of an element has an earlier value".to_owned();
                let problem = self.problem(codes::NO_EARLIER_VALUE, span, message);
                Some(problem.help("write `previous(self.port)`, and compute with what it gives"))
            }
        }
    }

    fn asked(&self, hir: &Hir) -> Asked {
        match &hir.kind {
            HirKind::Field { ty, slot, .. } => {
                let Some(record) = self.record(*ty) else { return Asked::Nothing };
                if let Some(why) = self.why_no_element(*ty) {
                    return Asked::Of(why);
                }
                let kind = record.fields.get(*slot as usize).map(|f| f.kind);
                match kind {
                    Some(kind) if kind.is_stored() || kind == FieldKind::Derived => Asked::Field,
                    _ => Asked::Nothing,
                }
            }
            HirKind::SharedField { .. } => Asked::Field,
            HirKind::IfSome { body, .. } => self.asked(body),
            _ => Asked::Nothing,
        }
    }

    /// One side of a `moved`: an instance, an entity or resource, or an element, by its keys.
    pub fn identity(&mut self, e: &'a Expr) -> Typed {
        let value = self.expr(e, None);
        if value.is_error() {
            return value;
        }
        let record = value.ty.non_null().record().and_then(|id| self.record(id)).map(|r| r.kind);
        let union = matches!(value.ty.non_null().bare(), Type::Union(_) | Type::Variant(..));
        let named = crate::model::hir::is_identity(&value.hir);
        if named && (union || record.is_some_and(|kind| kind != RecordKind::Plain)) {
            return value;
        }
        let message = "this names nothing that has an identity".to_owned();
        let problem = self.problem(codes::NO_IDENTITY, e.span, message);
        self.report(problem.help("write an instance or object by its key, `Site[name: \"a\"]`, and the way to an element of it, `.pages[path: \"/x\"]`"));
        self.wrong(e.span)
    }
}
