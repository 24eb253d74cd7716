//! What a name means: a local, else a field of `self`, else an item, else a variant of the type
//! that is expected.

use super::body::{Cx, Origin, Path, Root, Typed, list_of};
use super::uses::{BodyId, UseKind};
use crate::base::{Name, Span};
use crate::diag::{codes::model::UNKNOWN_NAME, codes::types as codes, did_you_mean};
use crate::model::prelude::BUILTINS;
use crate::model::scopes::{TypeItem, ValueItem};
use crate::model::{HirKind, Type, TypeDef, TypeId, VariantDef};
use crate::syntax::ast::{Expr, ExprKind, Ident, RecordKind};
use crate::types::relation;

impl<'a> Cx<'_, 'a> {
    /// A single name as a value.
    pub fn name(&mut self, ident: Ident, want: Option<&Type>) -> Typed {
        let variants = want.map(|w| self.variants_named(w, ident.name)).unwrap_or_default();
        if let Some(&(ty, at)) = variants.first() {
            if let Some(what) = self.value_of_name(ident.name) {
                return self.ambiguous(ident, ty, what);
            }
            if let Some(&(other, _)) = variants.get(1) {
                let (a, b) = (self.type_name(ty), self.type_name(other));
                let problem = self
                    .problem(
                        codes::AMBIGUOUS_VARIANT,
                        ident.span,
                        format!("`{}` may be of `{a}` or `{b}`", ident.name),
                    )
                    .help(format!("write `{a}.{0}` or `{b}.{0}`", ident.name));
                self.report(problem);
                return self.wrong(ident.span);
            }
            return self.variant(ident, ty, at);
        }
        if let Some(value) = self.value_named(ident) {
            return value;
        }
        self.unknown_value(ident, want)
    }

    /// What a name means as a value without an expected type; none if nothing.
    pub fn value_named(&mut self, ident: Ident) -> Option<Typed> {
        let name = ident.name;
        if let Some(local) = self.local(name) {
            let (id, ty, from) = (local.id, local.ty.clone(), local.from);
            let hir = self.hir(ident.span, HirKind::Local(id));
            return Some(Typed { hir, ty, from });
        }
        if name.as_str() == "self" {
            if let Some(this) = self.this_value(ident.span) {
                return Some(this);
            }
            let message = format!("{} has no `self`", self.mode.noun());
            let help = "give it what it needs as a parameter: `fn url(site: Site) -> string { … }`";
            let problem = self.problem(UNKNOWN_NAME, ident.span, message);
            let problem =
                if matches!(self.mode, super::body::Mode::Function) { problem.help(help) } else { problem };
            self.report(problem);
            return Some(self.wrong(ident.span));
        }
        if self.this_field(name).is_some() || self.this_has(name) {
            let this = self.this_value(ident.span)?;
            return Some(self.member(this, ident, ident.span));
        }
        if name.as_str() == "parent" {
            return Some(match self.this_value(ident.span) {
                Some(this) => self.parent(this, ident.span),
                None => {
                    let message = format!("{} has no `parent`", self.mode.noun());
                    let problem = self.problem(codes::NO_PARENT, ident.span, message);
                    self.report(problem);
                    self.wrong(ident.span)
                }
            });
        }
        let item = self.value_item(name)?;
        Some(self.item(item, ident.span))
    }

    /// Whether `self` is a union, or one of several records, with a field of this name.
    fn this_has(&self, name: Name) -> bool {
        match self.this.as_ref().map(Type::bare) {
            Some(ty @ (Type::Union(_) | Type::Variant(..))) => self.shared_field(ty, name).is_some(),
            _ => false,
        }
    }

    pub fn item(&mut self, item: ValueItem, span: Span) -> Typed {
        match item {
            ValueItem::Const(index) => {
                let ty = self.ck.const_type(index);
                let def = self.program().consts.get(index as usize);
                if let Some((name, text)) = def.and_then(|c| Some((c.name, c.deprecated.clone()?))) {
                    self.deprecated(span, &format!("`{name}`"), &text);
                }
                self.record_use(span, UseKind::Body(BodyId::Const(index), Origin::Other));
                self.typed(span, HirKind::Const(index), ty)
            }
            ValueItem::Env => {
                let ty = self.ck.decls.scopes.environment.map_or(Type::Error, Type::Enum);
                self.typed(span, HirKind::Env, ty)
            }
        }
    }

    /// What a name means as a value, in words; none if nothing.
    fn value_of_name(&mut self, name: Name) -> Option<&'static str> {
        if self.local(name).is_some() {
            Some("a local")
        } else if self.this_field(name).is_some() {
            Some("a field of `self`")
        } else if self.value_item(name).is_some() {
            Some("a constant")
        } else {
            None
        }
    }

    fn ambiguous(&mut self, ident: Ident, ty: TypeId, what: &str) -> Typed {
        let name = ident.name;
        let enumeration = self.type_name(ty);
        let other = if what.starts_with("a field") { format!(" or `self.{name}`") } else { String::new() };
        let problem = self
            .problem(
                codes::AMBIGUOUS_VARIANT,
                ident.span,
                format!("`{name}` is a variant of `{enumeration}` and {what}"),
            )
            .help(format!("write `{enumeration}.{name}`{other}"));
        self.report(problem);
        self.wrong(ident.span)
    }

    fn unknown_value(&mut self, ident: Ident, want: Option<&Type>) -> Typed {
        let name = ident.name.as_str();
        let enums = want.map(|w| self.variant_types(w)).unwrap_or_default();
        let mut problem = match enums.first() {
            Some(&ty) => {
                let variants = self.variants(ty).iter().map(|v| v.name.as_str());
                let near = did_you_mean(name, variants.chain(self.value_names()));
                let all = self.variants(ty).iter().map(|v| format!("`{}`", v.name)).collect::<Vec<_>>();
                let message = format!("`{}` has no variant `{name}`", self.type_name(ty));
                let place = self.ck.declaration(ty);
                self.problem(codes::UNKNOWN_VARIANT, ident.span, message)
                    .label(place, format!("it has {}", all.join(", ")))
                    .help(near.unwrap_or_else(|| "write one of its variants".to_owned()))
            }
            None => {
                let problem =
                    self.problem(UNKNOWN_NAME, ident.span, format!("there is no value `{name}` here"));
                match did_you_mean(name, self.value_names()) {
                    Some(help) => problem.help(help),
                    None => problem,
                }
            }
        };
        if name == "env" {
            problem.help = Some(
                "it is the environment, and gops.toml declares none: `[environments]`, `prod = {}`"
                    .to_owned(),
            );
        } else if self.ck.decls.scopes.type_named(self.module, ident.name).is_some() {
            problem.help = Some(format!("`{name}` is a type"));
        } else if self.function_item(ident.name).is_some() || BUILTINS.iter().any(|b| b.name == name) {
            problem.help = Some(format!("`{name}` is a function: write `{name}(…)`"));
        } else if problem.help.is_none()
            && let Some(ty) = self.ck.enum_with(ident.name)
        {
            problem.help = Some(format!("write `{}.{name}`", self.type_name(ty)));
        } else if problem.help.is_none() && want.is_some_and(|w| matches!(w.non_null().bare(), Type::Str)) {
            problem.help = Some(format!("a text stands in quotes: `\"{name}\"`"));
        }
        self.report(problem);
        self.wrong(ident.span)
    }

    /// The names of values that can be written here.
    fn value_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let locals = self.scope.iter().rev().map(|l| l.name.as_str());
        let fields = match self.this.as_ref().map(Type::bare) {
            Some(Type::Record(id)) => self.record(*id).map(|r| r.fields.as_slice()).unwrap_or_default(),
            _ => &[],
        };
        let fields = fields.iter().map(|f| f.name.as_str());
        let items = (!self.sealed).then(|| self.ck.decls.scopes.value_names(self.module));
        locals.chain(fields).chain(items.into_iter().flatten())
    }

    // Variants.

    pub fn variants(&self, ty: TypeId) -> &[VariantDef] {
        match self.program().types.get(ty.0 as usize) {
            Some(TypeDef::Enum(e)) => &e.variants,
            Some(TypeDef::Union(u)) => &u.variants,
            _ => &[],
        }
    }

    pub fn type_name(&self, ty: TypeId) -> &'static str {
        self.program().types.get(ty.0 as usize).map_or("?", |t| t.decl().name.as_str())
    }

    /// The enums and unions among the alternatives of a type.
    pub fn variant_types(&self, ty: &Type) -> Vec<TypeId> {
        match ty {
            Type::Enum(id) | Type::Union(id) | Type::Variant(id, _) => vec![*id],
            Type::Alias(_, inner)
            | Type::Refined(inner, _)
            | Type::Optional(inner)
            | Type::Secret(inner)
            | Type::Later(inner) => self.variant_types(inner),
            Type::OneOf(all) => {
                let mut found: Vec<TypeId> = Vec::new();
                for id in all.iter().flat_map(|t| self.variant_types(t)) {
                    if !found.contains(&id) {
                        found.push(id);
                    }
                }
                found
            }
            _ => Vec::new(),
        }
    }

    /// The variants of this name among the alternatives of a type.
    pub fn variants_named(&self, ty: &Type, name: Name) -> Vec<(TypeId, u16)> {
        let position = |id: TypeId| {
            let at = self.variants(id).iter().position(|v| v.name == name)?;
            Some((id, at as u16))
        };
        self.variant_types(ty).into_iter().filter_map(position).collect()
    }

    /// The problem of a variant that an enum or union does not have.
    pub fn no_variant(&self, ty: TypeId, name: Ident) -> crate::diag::Diagnostic {
        let text = name.name.as_str();
        let near = did_you_mean(text, self.variants(ty).iter().map(|v| v.name.as_str()));
        let message = format!("`{}` has no variant `{text}`", self.type_name(ty));
        let mut problem = self
            .problem(codes::UNKNOWN_VARIANT, name.span, message)
            .label(self.ck.declaration(ty), "declared here");
        problem.help = near;
        problem
    }

    /// A variant without a payload.
    pub fn variant(&mut self, ident: Ident, ty: TypeId, at: u16) -> Typed {
        let Some(def) = self.variants(ty).get(at as usize) else { return self.wrong(ident.span) };
        let (payload, deprecated) = (def.payload.clone(), def.deprecated.clone());
        if let Some(text) = deprecated {
            self.deprecated(ident.span, &format!("`{}`", ident.name), &text);
        }
        if !matches!(self.program().types.get(ty.0 as usize), Some(TypeDef::Union(_))) {
            return self.typed(ident.span, HirKind::Enum(ty, at), Type::Enum(ty));
        }
        if let Some(payload) = payload {
            let place = self.ck.variant_place(ty, at);
            let problem = self
                .problem(
                    codes::TYPE_MISMATCH,
                    ident.span,
                    format!("`{}` carries a `{}`", ident.name, self.show(&payload)),
                )
                .label(place, "declared here")
                .help(format!("write `{} {{ … }}`", ident.name));
            self.report(problem);
            return self.wrong(ident.span);
        }
        let kind = HirKind::Variant { ty, variant: at, payload: None };
        self.typed(ident.span, kind, Type::Variant(ty, [at].into()))
    }

    /// `Tier.prod`, `Tier.values`, `Probe.none`.
    pub fn type_member(&mut self, item: TypeItem, member: Ident, span: Span) -> Typed {
        let ty = match item {
            TypeItem::Declared(id) => Some(id),
            TypeItem::Alias(at) => match self.ck.alias(at).bare() {
                Type::Enum(id) | Type::Union(id) | Type::Record(id) => Some(*id),
                Type::Error => return self.wrong(span),
                _ => None,
            },
            TypeItem::Builtin(_) => None,
        };
        if let Some(ty) = ty {
            if let Some(at) = self.variants(ty).iter().position(|v| v.name == member.name) {
                let mut value = self.variant(member, ty, at as u16);
                value.hir.node = self.node(span);
                return value;
            }
            let is_enum = matches!(self.program().types.get(ty.0 as usize), Some(TypeDef::Enum(_)));
            if is_enum && member.name.as_str() == "values" {
                return self.typed(span, HirKind::EnumValues(ty), list_of(Type::Enum(ty)));
            }
            if !self.variants(ty).is_empty() {
                let problem = self.no_variant(ty, member);
                self.report(problem);
                return self.wrong(span);
            }
        }
        let problem = self
            .problem(codes::UNKNOWN_FIELD, member.span, format!("a type has no `{}`", member.name))
            .help("to name an object, write its key: `T[name: …]`");
        self.report(problem);
        self.wrong(span)
    }

    /// The type that an expression names, unless it is a value.
    pub fn as_type(&mut self, e: &'a Expr) -> Option<TypeItem> {
        if self.sealed {
            return None;
        }
        match &e.kind {
            ExprKind::Name(ident) => {
                let value = self.has_local(ident.name)
                    || self.this_field(ident.name).is_some()
                    || self.value_item(ident.name).is_some();
                if value {
                    return None;
                }
                let item = self.ck.decls.scopes.type_named(self.module, ident.name)?;
                self.ck.type_used(self.file, item, ident.span);
                Some(item)
            }
            ExprKind::Path(path) => {
                let (scopes, nodes) = (&self.ck.decls.scopes, &mut self.ck.decls.nodes);
                if scopes.resolve_value(nodes, self.module, path).is_ok() {
                    return None;
                }
                let item = scopes.resolve_type(nodes, self.module, path).ok()?;
                self.ck.type_used(self.file, item, path.span);
                Some(item)
            }
            _ => None,
        }
    }

    /// `a::b::C` as a value.
    pub fn path_value(&mut self, path: &crate::syntax::ast::Path) -> Typed {
        let (scopes, nodes) = (&self.ck.decls.scopes, &mut self.ck.decls.nodes);
        match scopes.resolve_value(nodes, self.module, path) {
            Ok(item) => self.item(item, path.span),
            Err(problem) => {
                let is_type = scopes.resolve_type(nodes, self.module, path).is_ok();
                let problem = if is_type { problem.help("it is a type") } else { *problem };
                self.report(problem);
                self.wrong(path.span)
            }
        }
    }

    // Parents.

    /// The structs and slices that hold elements of a struct or values of a union, unions skipped.
    pub fn holders(&self, ty: TypeId) -> Vec<TypeId> {
        let mut found = Vec::new();
        let mut seen = vec![ty];
        let mut open: Vec<TypeId> = match self.record(ty) {
            Some(record) => record.holders.clone(),
            None => self.ck.union_holders(ty),
        };
        while let Some(holder) = open.pop() {
            match self.program().types.get(holder.0 as usize) {
                Some(TypeDef::Record(_)) if !found.contains(&holder) => found.push(holder),
                Some(TypeDef::Union(_)) if !seen.contains(&holder) => {
                    seen.push(holder);
                    open.extend(self.ck.union_holders(holder));
                }
                _ => {}
            }
        }
        found.sort_unstable();
        found
    }

    /// `parent` of an element.
    pub fn parent(&mut self, base: Typed, span: Span) -> Typed {
        if base.is_error() {
            return base;
        }
        if matches!(self.mode, super::body::Mode::Default(_)) {
            let problem = self
                .problem(
                    codes::NOT_READABLE,
                    span,
                    "a default cannot read `parent`: it is not known yet".to_owned(),
                )
                .help("a default reads the stored fields before it; a derived field (`let`) reads anything");
            self.report(problem);
            return self.wrong(span);
        }
        let id = match base.ty.bare() {
            Type::Record(id) if self.record(*id).is_some_and(|r| r.kind == RecordKind::Struct) => *id,
            // Of a union it is known whose `impl` runs, also where the variant carries nothing.
            Type::Union(id) | Type::Variant(id, _) => *id,
            _ => return self.no_parent(&base.ty.clone(), span),
        };
        let holders = self.holders(id);
        let ty = match holders.as_slice() {
            [] => {
                let problem = self
                    .problem(
                        codes::NO_PARENT,
                        span,
                        format!("no slice or struct holds a `{}`", self.type_name(id)),
                    )
                    .label(self.ck.declaration(id), "declared here");
                self.report(problem);
                return self.wrong(span);
            }
            [one] => Type::Record(*one),
            several => Type::OneOf(several.iter().map(|id| Type::Record(*id)).collect()),
        };
        let from = match base.from {
            Origin::Here | Origin::Up => Origin::Up,
            _ => Origin::Other,
        };
        let hir = self.hir(span, HirKind::Parent(Box::new(base.hir)));
        Typed { hir, ty, from }
    }

    fn no_parent(&mut self, ty: &Type, span: Span) -> Typed {
        let problem = self
            .problem(codes::NO_PARENT, span, format!("a `{}` has no `parent`", self.show(ty)))
            .help("only a `struct` that stands in a slice has one");
        self.report(problem);
        self.wrong(span)
    }

    // Paths that conditions narrow.

    /// The path that an expression is, if it is one.
    pub fn path_of(&self, e: &Expr) -> Option<Path> {
        match &e.kind {
            ExprKind::Name(ident) => {
                let name = ident.name;
                if let Some(local) = self.scope.iter().rev().find(|l| l.name == name) {
                    return Some(Path { root: Root::Local(local.id), steps: Vec::new() });
                }
                match name.as_str() {
                    "self" => Some(Path { root: Root::This, steps: Vec::new() }),
                    "parent" => Some(Path { root: Root::This, steps: vec![name] }),
                    _ if self.this_field(name).is_some() => {
                        Some(Path { root: Root::This, steps: vec![name] })
                    }
                    _ => None,
                }
            }
            ExprKind::Field(base, field) | ExprKind::OptField(base, field) => {
                let mut path = self.path_of(base)?;
                path.steps.push(field.name);
                Some(path)
            }
            ExprKind::Paren(inner) => self.path_of(inner),
            _ => None,
        }
    }

    /// A value with the type that it is known to have here.
    pub fn narrowed(&mut self, e: &Expr, value: Typed) -> Typed {
        if self.facts.is_empty() || value.is_error() {
            return value;
        }
        let Some(ty) = self.path_of(e).and_then(|p| self.known(&p).cloned()) else { return value };
        if matches!(value.ty.non_null().bare(), Type::Any) && !relation::is_data(&ty) {
            let kind = HirKind::As(Box::new(value.hir), ty.clone());
            return Typed { hir: self.hir(e.span, kind), ty, from: value.from };
        }
        Typed { ty, ..value }
    }
}
