//! `[…]`: elements, slices, elements by key, references and look-ups.

use super::body::{Cx, Typed, maybe_any};
use super::coerce::Why;
use super::uses::UseKind;
use crate::base::Span;
use crate::diag::{codes::types as codes, did_you_mean};
use crate::model::schema::KeyDef;
use crate::model::scopes::TypeItem;
use crate::model::{Hir, HirKind, Type, TypeId};
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident, RecordKind};
use crate::types::marks;

impl<'a> Cx<'_, 'a> {
    /// `e[…]`.
    pub fn index(&mut self, value: Typed, base: &'a Expr, args: &'a [Arg], span: Span) -> Typed {
        if value.is_error() {
            self.check_loosely(args);
            return self.wrong(span);
        }
        let (marks, plain) = marks::split(&value.ty);
        if matches!(plain.bare(), Type::Optional(_) | Type::Null) {
            self.check_loosely(args);
            return self.null_index(&value.ty.clone(), base);
        }
        if args.iter().any(|a| a.name.is_some()) {
            let mut found = self.keyed(value, &plain, args, span);
            found.ty = marks.on(found.ty);
            return found;
        }
        let [arg] = args else {
            self.check_loosely(args);
            let problem = self
                .problem(codes::BAD_INDEX, span, "one index or key stands between `[` and `]`")
                .help("to find an element by its key write `[name: …]`");
            self.report(problem);
            return self.wrong(span);
        };
        let from = value.from;
        match plain.bare() {
            Type::List(element) => {
                let element = element.as_ref().clone();
                match self.position(&arg.value) {
                    Position::One(index) => {
                        let hir = self
                            .hir(span, HirKind::Index { base: Box::new(value.hir), index: Box::new(index) });
                        Typed { hir, ty: marks.on(element), from }
                    }
                    Position::Range(range) => {
                        let hir = self.hir(
                            span,
                            HirKind::SliceOf { base: Box::new(value.hir), range: Box::new(range) },
                        );
                        Typed { hir, ty: value.ty, from }
                    }
                }
            }
            Type::Str | Type::StrLit(_) => {
                let kind = match self.position(&arg.value) {
                    Position::One(index) => {
                        HirKind::Index { base: Box::new(value.hir), index: Box::new(index) }
                    }
                    Position::Range(range) => {
                        HirKind::SliceOf { base: Box::new(value.hir), range: Box::new(range) }
                    }
                };
                self.typed(span, kind, marks.on(Type::Str))
            }
            Type::Map(key, element) => {
                let (key, element) = (key.as_ref().clone(), element.as_ref().clone());
                let key = self.key_value(&arg.value, &key, Why::Plain, "a key");
                let hir = self.hir(span, HirKind::Index { base: Box::new(value.hir), index: Box::new(key) });
                Typed { hir, ty: marks.on(element), from }
            }
            Type::Any => {
                let key = self.expr(&arg.value, Some(&Type::Str));
                let key = self.plain(key, arg.value.span, "a key");
                let wanted = Type::OneOf([Type::Str, Type::Int].into());
                let key = self.coerce(key, arg.value.span, &wanted, Why::Plain);
                let kind = HirKind::Get { base: Box::new(value.hir), key: Box::new(key) };
                self.typed(span, kind, marks.on_whole(maybe_any()))
            }
            _ => {
                self.check_loosely(args);
                self.no_index(&plain, base.span, span)
            }
        }
    }

    /// Checks arguments of which nothing is known, for what is wrong in themselves.
    pub fn check_loosely(&mut self, args: &'a [Arg]) {
        for arg in args {
            if !matches!(arg.value.kind, ExprKind::Lambda { .. }) {
                self.expr(&arg.value, Some(&Type::Error));
            }
        }
    }

    fn null_index(&mut self, ty: &Type, base: &Expr) -> Typed {
        let shown = self.show(ty);
        let problem = match super::access::written(base) {
            Some(path) => self
                .problem(codes::MAY_BE_NULL, base.span, format!("`{path}` may be null"))
                .help(format!("check `{path} != null` first")),
            None => self
                .problem(codes::MAY_BE_NULL, base.span, "this may be null".to_owned())
                .help("give it a name with `let`, and check that first"),
        };
        self.report(problem.at(format!("this is a `{shown}`")));
        self.wrong(base.span)
    }

    fn no_index(&mut self, ty: &Type, base: Span, span: Span) -> Typed {
        let help = match ty.bare() {
            Type::Set(_) => "write `.to_list()[…]`, or find the element by its key: `[name: …]`",
            Type::Record(_) | Type::Ref(_) => "write `.` and the name of the field",
            _ => "only lists, maps, strings and `any` have elements",
        };
        let problem = self
            .problem(codes::BAD_INDEX, base, format!("a `{}` has no elements by index", self.show(ty)))
            .help(help);
        self.report(problem);
        self.wrong(span)
    }

    fn position(&mut self, e: &'a Expr) -> Position {
        let value = self.expr(e, Some(&Type::Int));
        let value = self.plain(value, e.span, "an index");
        if matches!(value.ty.bare(), Type::Range) {
            return Position::Range(value.hir);
        }
        Position::One(self.coerce(value, e.span, &Type::Int, Why::Plain))
    }

    /// A value of a key; no mark may reach it.
    pub fn key_value(&mut self, e: &'a Expr, ty: &Type, why: Why, what: &str) -> Hir {
        let value = self.expr(e, Some(ty));
        let value = self.plain(value, e.span, what);
        self.coerce(value, e.span, ty, why)
    }

    // By key.

    /// `ports[number: 3]`, `content[type: folder, name: "a"]`.
    fn keyed(&mut self, value: Typed, plain: &Type, args: &'a [Arg], span: Span) -> Typed {
        let element = match plain.bare() {
            Type::List(t) | Type::Set(t) | Type::Map(_, t) => t.as_ref().clone(),
            _ => {
                self.check_loosely(args);
                let problem = self
                    .problem(
                        codes::BAD_INDEX,
                        span,
                        format!("a `{}` has no elements by key", self.show(plain)),
                    )
                    .help("elements of a list, set or map of structs are found by key");
                self.report(problem);
                return self.wrong(span);
            }
        };
        let from = value.from;
        let (element_marks, bare) = marks::split(&element);
        match bare.bare() {
            Type::Record(id) => {
                let id = *id;
                let keys = self.keys_of(id);
                let given: Vec<&'a Arg> = args.iter().collect();
                let Some(keys) = self.key_args(id, &keys, &given, span) else { return self.wrong(span) };
                let hir = self.hir(span, HirKind::Keyed { base: Box::new(value.hir), variant: None, keys });
                Typed { hir, ty: element, from }
            }
            Type::Union(id) | Type::Variant(id, _) => {
                let id = *id;
                let mut found = self.keyed_union(value.hir, id, args, span);
                found.ty = element_marks.on(found.ty);
                found.from = from;
                found
            }
            Type::Error => {
                self.check_loosely(args);
                self.wrong(span)
            }
            _ => {
                self.check_loosely(args);
                let problem =
                    self.problem(codes::BAD_INDEX, span, format!("a `{}` has no key", self.show(&element)));
                self.report(problem);
                self.wrong(span)
            }
        }
    }

    fn keyed_union(&mut self, base: Hir, id: TypeId, args: &'a [Arg], span: Span) -> Typed {
        let tag = self.program().union(id).map(|u| u.tag);
        let is_tag = |a: &&'a Arg| matches!(a.name.as_deref(), Some([one]) if Some(one.name) == tag);
        let (tags, keys): (Vec<&'a Arg>, Vec<&'a Arg>) = args.iter().partition(is_tag);
        let variant = match tags.first() {
            Some(arg) => match self.tag_value(id, &arg.value) {
                Some(at) => Some(at),
                None => return self.wrong(span),
            },
            None => None,
        };
        let payload =
            |at: usize| self.variants(id).get(at).and_then(|v| v.payload.as_ref()).and_then(Type::record);
        let record = match variant {
            Some(at) => payload(at as usize),
            None => (0..self.variants(id).len()).find_map(payload),
        };
        let ty = match variant {
            Some(at) => Type::Variant(id, [at].into()),
            None => Type::Union(id),
        };
        let keys = match record {
            Some(record) => {
                let defs = self.keys_of(record);
                match self.key_args(record, &defs, &keys, span) {
                    Some(keys) => keys,
                    None => return self.wrong(span),
                }
            }
            None => Vec::new(),
        };
        self.typed(span, HirKind::Keyed { base: Box::new(base), variant, keys }, ty)
    }

    /// The variant that `type: folder` names.
    fn tag_value(&mut self, id: TypeId, e: &'a Expr) -> Option<u16> {
        let name = match &e.kind {
            ExprKind::Name(ident) => ident.name.to_string(),
            _ => Self::literal_text(e)?.to_string(),
        };
        let found = self.variants(id).iter().position(|v| v.name.as_str() == name || v.data_name == name);
        if found.is_none() {
            let near = did_you_mean(&name, self.variants(id).iter().map(|v| v.name.as_str()));
            let message = format!("`{}` has no variant `{name}`", self.type_name(id));
            let mut problem = self
                .problem(codes::UNKNOWN_VARIANT, e.span, message)
                .label(self.ck.declaration(id), "declared here");
            problem.help = near;
            self.report(problem);
        }
        found.map(|at| at as u16)
    }

    fn keys_of(&self, id: TypeId) -> Vec<KeyDef> {
        self.record(id).map(|r| r.keys.clone()).unwrap_or_default()
    }

    /// The values of all keys, in their order.
    fn key_args(&mut self, id: TypeId, keys: &[KeyDef], args: &[&'a Arg], span: Span) -> Option<Vec<Hir>> {
        let mut values: Vec<Option<Hir>> = keys.iter().map(|_| None).collect();
        let mut good = true;
        for arg in args {
            let at = match &arg.name {
                Some(path) => {
                    let name = dotted(path);
                    let found = keys.iter().position(|k| k.name == name);
                    if found.is_none() {
                        self.unknown_key(id, keys, &name, path);
                    }
                    found
                }
                None if keys.len() == 1 => Some(0),
                None => {
                    let names = keys.iter().map(|k| format!("{}: …", k.name)).collect::<Vec<_>>().join(", ");
                    let message = match keys.len() {
                        0 => format!("`{}` has no key", self.type_name(id)),
                        n => format!("`{}` has {n} keys: say which one this is", self.type_name(id)),
                    };
                    let problem = self.problem(codes::WRONG_KEY, arg.value.span, message);
                    let problem =
                        if keys.is_empty() { problem } else { problem.help(format!("write `[{names}]`")) };
                    self.report(problem);
                    None
                }
            };
            let Some(at) = at else {
                good = false;
                self.expr(&arg.value, Some(&Type::Error));
                continue;
            };
            let why = match keys[at].path.as_slice() {
                [slot] => Why::Field(id, *slot),
                _ => Why::Plain,
            };
            let value = self.key_value(&arg.value, &keys[at].ty.clone(), why, "a key");
            if values[at].replace(value).is_some() {
                let problem = self.problem(
                    codes::TWICE,
                    arg.value.span,
                    format!("the key `{}` is given twice", keys[at].name),
                );
                self.report(problem);
            }
        }
        let missing: Vec<String> = keys
            .iter()
            .zip(&values)
            .filter(|(k, v)| v.is_none() && !k.ty.is_nullable())
            .map(|(k, _)| format!("`{}`", k.name))
            .collect();
        if good && !missing.is_empty() {
            let message =
                format!("`{}` is known by its key: {} is missing", self.type_name(id), missing.join(", "));
            let all = keys.iter().map(|k| format!("{}: …", k.name)).collect::<Vec<_>>().join(", ");
            let problem = self
                .problem(codes::WRONG_KEY, span, message)
                .label(self.ck.declaration(id), "declared here")
                .help(format!("write `{}[{all}]`", self.type_name(id)));
            self.report(problem);
            good = false;
        }
        if !good {
            return None;
        }
        let null = |cx: &mut Self| cx.hir(span, HirKind::Null);
        Some(values.into_iter().map(|v| v.unwrap_or_else(|| null(self))).collect())
    }

    fn unknown_key(&mut self, id: TypeId, keys: &[KeyDef], name: &str, path: &[Ident]) {
        let span = path.iter().map(|p| p.span).reduce(Span::to).unwrap_or_default();
        let names = keys.iter().map(|k| k.name.as_str());
        let mut problem = self
            .problem(codes::WRONG_KEY, span, format!("`{}` has no key `{name}`", self.type_name(id)))
            .label(self.ck.declaration(id), "declared here");
        problem.help = did_you_mean(name, names).or_else(|| {
            let all = keys.iter().map(|k| format!("`{}`", k.name)).collect::<Vec<_>>().join(", ");
            (!all.is_empty()).then(|| format!("it is known by {all}"))
        });
        self.report(problem);
    }

    // References.

    /// `T[k]`, and `T[k]?` as a look-up.
    pub fn reference(
        &mut self,
        item: TypeItem,
        args: &'a [Arg],
        span: Span,
        name: Span,
        lookup: bool,
    ) -> Typed {
        let Some(id) = self.object_type(item, name, "a reference names a slice, an entity or a resource")
        else {
            self.check_loosely(args);
            return self.wrong(span);
        };
        let keys = self.keys_of(id);
        let args: Vec<&'a Arg> = args.iter().collect();
        let Some(keys) = self.key_args(id, &keys, &args, span) else { return self.wrong(span) };
        if lookup {
            self.record_use(span, UseKind::Reads(id));
            return self.typed(span, HirKind::Lookup { ty: id, keys }, Type::Record(id).optional());
        }
        self.typed(span, HirKind::Ref { ty: id, keys }, Type::Record(id))
    }

    /// `xs[i]?`, of what `xs[i]` is: null where there is none.
    pub fn or_null(&mut self, found: Typed, span: Span) -> Typed {
        match &found.hir.kind {
            HirKind::Index { .. } | HirKind::Keyed { .. } => {
                let (marks, plain) = marks::split(&found.ty);
                let hir = self.hir(span, HirKind::OrNull(Box::new(found.hir)));
                Typed { hir, ty: marks.on_whole(plain.optional()), from: found.from }
            }
            // What is not in `any` is null as it is.
            HirKind::Get { .. } | HirKind::Error => found,
            _ => {
                let problem = self
                    .problem(codes::BAD_INDEX, span, "a part of a list or string is never missing")
                    .help("take the `?` out");
                self.report(problem);
                self.wrong(span)
            }
        }
    }

    /// A type whose values are known by type and key.
    pub fn object_type(&mut self, item: TypeItem, span: Span, rule: &str) -> Option<TypeId> {
        let ty = self.ck.item_type(item);
        let id = match ty.bare() {
            Type::Error => return None,
            Type::Record(id) | Type::Ref(id) => Some(*id),
            _ => None,
        };
        let kind = id.and_then(|id| self.record(id)).map(|r| r.kind);
        if matches!(kind, None | Some(RecordKind::Struct | RecordKind::Plain)) {
            let problem = self
                .problem(
                    codes::NOT_AN_OBJECT,
                    span,
                    format!("`{}` has no objects of its own", self.show(&ty)),
                )
                .help(rule.to_owned());
            self.report(problem);
            return None;
        }
        id
    }
}

enum Position {
    One(Hir),
    Range(Hir),
}

/// `metadata.name`.
fn dotted(path: &[Ident]) -> String {
    path.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".")
}
