//! What follows a value: fields, `?.`, methods, `[…]`.

use super::body::{Cx, Mode, Origin, Typed, maybe_any};
use super::uses::{BodyId, UseKind};
use crate::base::{Name, Span};
use crate::diag::{codes::types as codes, did_you_mean};
use crate::model::schema::Slot;
use crate::model::{FieldKind, Hir, HirKind, Type, TypeDef, TypeId};
use crate::syntax::ast::{Expr, ExprKind, Ident, RecordKind};
use crate::types::marks::{self, Marks};
use crate::types::relation;

/// A value with what was found to be null-able on the way to it: `a?.b.c` is null if `a` is.
struct Chain {
    value: Typed,
    /// What may be null, the local it is bound to, and where.
    guards: Vec<(Hir, u32, Span)>,
    /// Steps of a key of several parts that have been taken so far.
    key: Option<(TypeId, Vec<Slot>, Span)>,
}

impl Chain {
    fn of(value: Typed) -> Self {
        Chain { value, guards: Vec::new(), key: None }
    }
}

impl<'a> Cx<'_, 'a> {
    /// A chain of fields, methods and `[…]`.
    pub fn postfix(&mut self, e: &'a Expr, want: Option<&Type>) -> Typed {
        let chain = self.chain(e, want);
        self.close(chain, e.span)
    }

    fn close(&mut self, mut chain: Chain, span: Span) -> Typed {
        self.settle_key(&mut chain);
        let Chain { mut value, guards, .. } = chain;
        if guards.is_empty() {
            return value;
        }
        value.ty = value.ty.optional();
        for (base, local, _) in guards.into_iter().rev() {
            let kind = HirKind::IfSome { base: Box::new(base), local, body: Box::new(value.hir) };
            value.hir = self.hir(span, kind);
        }
        value
    }

    fn chain(&mut self, e: &'a Expr, want: Option<&Type>) -> Chain {
        let mut chain = match &e.kind {
            ExprKind::Field(base, field) => {
                if let Some(item) = self.as_type(base) {
                    return Chain::of(self.type_member(item, *field, e.span));
                }
                let mut chain = self.chain_base(base);
                self.step(&mut chain, *field, base, e.span);
                chain
            }
            ExprKind::OptField(base, field) => {
                let mut chain = self.chain_asked(base);
                self.guard(&mut chain, base.span);
                self.step(&mut chain, *field, base, e.span);
                chain
            }
            ExprKind::Method { base, optional, name, args } => {
                let mut chain = match &base.kind {
                    ExprKind::Brace(entries) if self.takes_map(name.name) => {
                        Chain::of(self.brace_as_map(entries, base.span))
                    }
                    _ if *optional => self.chain_asked(base),
                    _ => self.chain_base(base),
                };
                self.settle_key(&mut chain);
                if *optional {
                    self.guard(&mut chain, base.span);
                }
                let receiver = std::mem::replace(&mut chain.value, Typed::taken());
                chain.value = self.method(receiver, base, *name, args, e.span, want);
                return chain;
            }
            ExprKind::Index(base, args) => {
                if let Some(item) = self.as_type(base) {
                    return Chain::of(self.reference(item, args, e.span, base.span, false));
                }
                let mut chain = match &base.kind {
                    // `e?[…]`: null if e is.
                    ExprKind::Lookup(asked) => {
                        let mut chain = self.chain_asked(asked);
                        self.guard(&mut chain, asked.span);
                        chain
                    }
                    _ => self.chain_base(base),
                };
                self.settle_key(&mut chain);
                let base_value = std::mem::replace(&mut chain.value, Typed::taken());
                chain.value = self.index(base_value, base, args, e.span);
                return chain;
            }
            ExprKind::Lookup(inner) => return self.chain_asked(inner),
            _ => return Chain::of(self.expr(e, want)),
        };
        let value = std::mem::replace(&mut chain.value, Typed::taken());
        chain.value = self.narrowed(e, value);
        self.ck.note(self.file, chain.value.hir.node, &chain.value.ty);
        chain
    }

    fn chain_base(&mut self, base: &'a Expr) -> Chain {
        match base.kind {
            ExprKind::Field(..)
            | ExprKind::OptField(..)
            | ExprKind::Method { .. }
            | ExprKind::Index(..)
            | ExprKind::Lookup(..) => super::expr::on_stack(|| self.chain(base, None)),
            _ => Chain::of(self.expr(base, None)),
        }
    }

    /// What `?` follows: `T[k]?.f` is `T[k]?` and then `?.f`, and so is `xs[i]?.f`.
    fn chain_asked(&mut self, base: &'a Expr) -> Chain {
        let ExprKind::Index(of, args) = &base.kind else { return self.chain_base(base) };
        if let Some(item) = self.as_type(of) {
            return Chain::of(self.reference(item, args, base.span, of.span, true));
        }
        let mut chain = self.chain_base(base);
        let found = std::mem::replace(&mut chain.value, Typed::taken());
        chain.value = self.or_null(found, base.span);
        chain
    }

    /// `?.`: from here on the value is not null.
    fn guard(&mut self, chain: &mut Chain, span: Span) {
        self.settle_key(chain);
        let (marks, plain) = marks::split(&chain.value.ty);
        if !plain.is_nullable() || matches!(plain.bare(), Type::Error) {
            return;
        }
        // That an optional secret is null is plain; a test sees what is marked.
        let marked = !marks.is_none() && !matches!(chain.value.ty.bare(), Type::Optional(_));
        if marked && self.mode != Mode::Test {
            self.refuse_mark(marks, span, "`?`");
        }
        let local = self.hidden_local();
        let ty = match plain.bare() {
            Type::Any => Type::Any,
            _ => plain.non_null().clone(),
        };
        let bound = self.hir(span, HirKind::Local(local));
        let base = std::mem::replace(&mut chain.value.hir, bound);
        chain.value.ty = marks.on(ty);
        chain.guards.push((base, local, span));
    }

    fn step(&mut self, chain: &mut Chain, field: Ident, base: &'a Expr, span: Span) {
        let before = chain.value.ty.record();
        let from = chain.value.from;
        if let Some(null) = self.may_be_null(&chain.value.ty, base, field, "") {
            chain.value = null;
            return;
        }
        let value = std::mem::replace(&mut chain.value, Typed::taken());
        let slot = before.and_then(|id| self.record(id)?.field(field.name).map(|(slot, _)| (id, slot)));
        let key = chain.key.take();
        chain.value = self.member(value, field, span);
        match (key, slot) {
            (Some((id, mut path, at)), Some((_, slot))) => {
                path.push(slot);
                self.advance_key(chain, id, path, at);
            }
            (Some((id, _, at)), None) => self.record_use(at, UseKind::Reads(id)),
            (None, Some((id, slot))) if from == Origin::Other && self.is_object(id) => {
                self.advance_key(chain, id, vec![slot], span);
            }
            _ => {}
        }
    }

    /// Reading a key reads nothing; reading any other field of an object reads its type.
    fn advance_key(&mut self, chain: &mut Chain, id: TypeId, path: Vec<Slot>, span: Span) {
        let Some(record) = self.record(id) else { return };
        let output = path.len() == 1
            && record.fields.get(path[0] as usize).is_some_and(|f| f.kind == FieldKind::Output);
        if output || record.keys.iter().any(|k| k.path == path) {
            return;
        }
        if record.keys.iter().any(|k| k.path.starts_with(&path)) {
            chain.key = Some((id, path, span));
        } else {
            self.record_use(span, UseKind::Reads(id));
        }
    }

    fn settle_key(&mut self, chain: &mut Chain) {
        if let Some((id, _, span)) = chain.key.take() {
            self.record_use(span, UseKind::Reads(id));
        }
    }

    /// Whether a type is an entity, a target or a resource.
    pub fn is_object(&self, id: TypeId) -> bool {
        let kind = self.record(id).map(|r| r.kind);
        matches!(kind, Some(RecordKind::Entity | RecordKind::Target | RecordKind::Resource))
    }

    /// Says that a value may be null, and which check to write.
    pub fn may_be_null(&mut self, ty: &Type, base: &Expr, field: Ident, call: &str) -> Option<Typed> {
        let (_, plain) = marks::split(ty);
        if !matches!(plain.bare(), Type::Optional(_) | Type::Null) {
            return None;
        }
        let shown = self.show(ty);
        let problem = match written(base) {
            Some(path) => self
                .problem(codes::MAY_BE_NULL, base.span, format!("`{path}` may be null"))
                .at(format!("this is a `{shown}`"))
                .help(format!("check `{path} != null` first, or write `{path}?.{}{call}`", field.name)),
            None => self
                .problem(codes::MAY_BE_NULL, base.span, "this may be null".to_owned())
                .at(format!("this is a `{shown}`"))
                .help(format!(
                    "write `?.{}{call}`, or give it a name with `let` and check that first",
                    field.name
                )),
        };
        self.report(problem);
        Some(self.wrong(base.span))
    }

    /// A field of a value. That reading it may read the type of an object is for the caller.
    pub fn member(&mut self, value: Typed, field: Ident, span: Span) -> Typed {
        let (marks, plain) = marks::split(&value.ty);
        match plain.bare() {
            Type::Error => self.wrong(span),
            Type::Record(id) | Type::Ref(id) => self.record_member(value, *id, marks, field, span),
            Type::Union(id) | Type::Variant(id, _)
                if self.program().union(*id).is_some_and(|u| u.tag == field.name) =>
            {
                let kind = HirKind::Tag(Box::new(value.hir));
                self.typed(span, kind, marks.on(Type::Str))
            }
            Type::Variant(id, some) if some.len() == 1 => {
                let payload = self.variants(*id).get(some[0] as usize).and_then(|v| v.payload.clone());
                match payload {
                    Some(payload) => {
                        let hir = self.hir(span, HirKind::Payload(Box::new(value.hir)));
                        let inner = Typed { hir, ty: marks.on(payload), from: value.from };
                        self.member(inner, field, span)
                    }
                    None => self.unknown_field(&plain, field),
                }
            }
            Type::Union(_) | Type::Variant(..)
                if field.name.as_str() == "parent" && self.shared_field(&plain, field.name).is_none() =>
            {
                self.parent(value, span)
            }
            Type::Union(_) | Type::Variant(..) | Type::OneOf(_) => {
                self.shared_member(value, &plain, marks, field, span)
            }
            Type::Anon(fields) => match fields.iter().find(|(n, _)| *n == field.name) {
                Some((_, ty)) => {
                    self.get(value.hir, field.name.as_str(), marks.on(ty.clone()), value.from, span)
                }
                None => self.unknown_field(&plain, field),
            },
            Type::File if matches!(field.name.as_str(), "path" | "name" | "sha256" | "text") => {
                self.get(value.hir, field.name.as_str(), Type::Str, Origin::Other, span)
            }
            Type::Any => {
                let ty = marks.on_whole(maybe_any());
                self.get(value.hir, field.name.as_str(), ty, Origin::Other, span)
            }
            _ => self.unknown_field(&plain, field),
        }
    }

    /// An entry of `any`, a record literal or a file.
    pub fn get(&mut self, base: Hir, key: &str, ty: Type, from: Origin, span: Span) -> Typed {
        let key = self.hir(span, HirKind::Str(key.into()));
        let hir = self.hir(span, HirKind::Get { base: Box::new(base), key: Box::new(key) });
        Typed { hir, ty, from }
    }

    fn record_member(&mut self, value: Typed, id: TypeId, marks: Marks, field: Ident, span: Span) -> Typed {
        let Some((slot, def)) = self.record(id).and_then(|r| r.field(field.name)) else {
            let is_struct = self.record(id).is_some_and(|r| r.kind == RecordKind::Struct);
            if field.name.as_str() == "parent" && is_struct {
                return self.parent(value, span);
            }
            return self.unknown_field(&Type::Record(id), field);
        };
        let (kind, deprecated) = (def.kind, def.deprecated.clone());
        if let Some(text) = deprecated {
            self.deprecated(field.span, &format!("the field `{}`", field.name), &text);
        }
        self.readable(id, slot, value.from, field);
        self.note_member(id, slot, value.from, span);
        let ty = self.ck.field_type(id, slot);
        let later = kind == FieldKind::Output || self.ck.is_tainted(id, slot);
        let ty = marks.on(if later { ty.later() } else { ty });
        let from = self.nested(value.from, kind, &ty);
        let hir = self.hir(span, HirKind::Field { base: Box::new(value.hir), ty: id, slot });
        Typed { hir, ty, from }
    }

    /// Notes what reading a field uses.
    fn note_member(&mut self, id: TypeId, slot: Slot, from: Origin, span: Span) {
        let Some(kind) = self.field_def(id, slot).map(|f| f.kind) else { return };
        match kind {
            FieldKind::Derived => {
                self.record_use(span, UseKind::Body(BodyId::Value(id, slot), from));
            }
            FieldKind::Relation(index) => {
                let source = self.program().relations.get(index as usize).map(|r| r.source);
                if let Some(source) = source {
                    self.record_use(span, UseKind::Reads(source));
                }
            }
            _ => {}
        }
    }

    /// Where a field's value comes from, if its owner comes from `base`.
    fn nested(&self, base: Origin, kind: FieldKind, ty: &Type) -> Origin {
        let down = matches!(base, Origin::Here | Origin::Down) && kind.is_stored() && self.holds_struct(ty);
        if down { Origin::Down } else { Origin::Other }
    }

    /// Whether values of a type are, or hold, nested structs.
    fn holds_struct(&self, ty: &Type) -> bool {
        match ty {
            Type::Record(id) => {
                let kind = self.record(*id).map(|r| r.kind);
                matches!(kind, Some(RecordKind::Struct | RecordKind::Plain))
            }
            Type::Union(_) | Type::Variant(..) => true,
            Type::Alias(_, t)
            | Type::Refined(t, _)
            | Type::Optional(t)
            | Type::List(t)
            | Type::Set(t)
            | Type::Map(_, t)
            | Type::Secret(t)
            | Type::Later(t) => self.holds_struct(t),
            Type::OneOf(all) => all.iter().any(|t| self.holds_struct(t)),
            _ => false,
        }
    }

    // Shared fields.

    /// The type of a field that all variants, or all alternatives, share, and where it is in each.
    pub fn shared_field(&self, ty: &Type, name: Name) -> Option<(Type, Vec<(TypeId, Slot)>)> {
        let records = self.alternatives_of(ty)?;
        let mut shared: Option<Type> = None;
        let mut places = Vec::with_capacity(records.len());
        for id in records {
            let (slot, field) = self.record(id)?.field(name)?;
            match &shared {
                Some(ty) => {
                    let same = relation::is_subtype(self.program(), ty, &field.ty)
                        && relation::is_subtype(self.program(), &field.ty, ty);
                    if !same {
                        return None;
                    }
                }
                None => shared = Some(field.ty.clone()),
            }
            places.push((id, slot));
        }
        Some((shared?, places))
    }

    /// The records that a union carries, or that are the alternatives of a type; none if one of
    /// them is no record.
    fn alternatives_of(&self, ty: &Type) -> Option<Vec<TypeId>> {
        let payload = |id: TypeId, at: u16| {
            self.variants(id).get(at as usize).and_then(|v| v.payload.as_ref()).and_then(Type::record)
        };
        match ty.bare() {
            Type::Union(id) => (0..self.variants(*id).len() as u16).map(|at| payload(*id, at)).collect(),
            Type::Variant(id, some) => some.iter().map(|at| payload(*id, *at)).collect(),
            Type::OneOf(all) => {
                let mut found = Vec::new();
                for ty in all.iter() {
                    found.extend(self.alternatives_of(ty)?);
                }
                Some(found)
            }
            ty => ty.record().map(|id| vec![id]),
        }
    }

    fn shared_member(&mut self, value: Typed, plain: &Type, marks: Marks, field: Ident, span: Span) -> Typed {
        let Some((mut ty, places)) = self.shared_field(plain, field.name) else {
            if field.name.as_str() == "parent" && self.all_structs(plain) {
                return self.shared_parent(value, plain, span);
            }
            return self.unknown_field(plain, field);
        };
        let mut later = false;
        let mut kind = FieldKind::Plain;
        for (id, slot) in places {
            self.note_member(id, slot, value.from, span);
            self.readable(id, slot, value.from, field);
            if value.from == Origin::Other && self.is_object(id) {
                let key = self.record(id).is_some_and(|r| r.keys.iter().any(|k| k.path == [slot]));
                if !key {
                    self.record_use(span, UseKind::Reads(id));
                }
            }
            kind = self.field_def(id, slot).map_or(kind, |f| f.kind);
            later |= kind == FieldKind::Output || self.ck.is_tainted(id, slot);
            ty = self.ck.field_type(id, slot);
        }
        let ty = marks.on(if later { ty.later() } else { ty });
        let from = self.nested(value.from, kind, &ty);
        let hir = self.hir(span, HirKind::SharedField { base: Box::new(value.hir), name: field.name });
        Typed { hir, ty, from }
    }

    fn all_structs(&self, ty: &Type) -> bool {
        let records = self.alternatives_of(ty).unwrap_or_default();
        let is_struct = |id: &TypeId| self.record(*id).is_some_and(|r| r.kind == RecordKind::Struct);
        !records.is_empty() && records.iter().all(is_struct)
    }

    /// `parent.parent`, where several structs may be the first parent.
    fn shared_parent(&mut self, value: Typed, plain: &Type, span: Span) -> Typed {
        let mut holders: Vec<TypeId> = Vec::new();
        for id in self.alternatives_of(plain).unwrap_or_default() {
            holders.extend(self.holders(id));
        }
        holders.sort_unstable();
        holders.dedup();
        let ty = match holders.as_slice() {
            [] => return self.wrong(span),
            [one] => Type::Record(*one),
            several => Type::OneOf(several.iter().map(|id| Type::Record(*id)).collect()),
        };
        let from = if matches!(value.from, Origin::Here | Origin::Up) { Origin::Up } else { Origin::Other };
        let hir = self.hir(span, HirKind::Parent(Box::new(value.hir)));
        Typed { hir, ty, from }
    }

    // What is said of a field that is not there.

    fn unknown_field(&mut self, ty: &Type, field: Ident) -> Typed {
        let shown = self.show(&relation::widened(ty));
        let name = field.name.as_str();
        let mut problem =
            self.problem(codes::UNKNOWN_FIELD, field.span, format!("a `{shown}` has no field `{name}`"));
        let names: Vec<&'static str> = self.field_names(ty);
        let near = did_you_mean(name, names.iter().copied());
        let declared = match ty.bare() {
            Type::Record(id) | Type::Ref(id) | Type::Union(id) | Type::Variant(id, _) => Some(*id),
            _ => None,
        };
        if let Some(id) = declared {
            problem =
                problem.label(self.ck.declaration(id), format!("`{}` is declared here", self.type_name(id)));
        }
        if let (Some(_), Some(near)) = (&near, crate::diag::nearest(name, names.iter().copied())) {
            problem = problem.fix(format!("write `{near}`"), false, self.at(field.span), near);
        }
        problem.help = near.or_else(|| self.field_help(ty, field));
        self.report(problem);
        self.wrong(field.span)
    }

    fn field_help(&self, ty: &Type, field: Ident) -> Option<String> {
        let name = field.name;
        if self.ck.signatures.has(name.as_str()) {
            return Some(format!("`{name}` is a function: write `.{name}(…)`"));
        }
        match ty.bare() {
            Type::Map(..) => {
                Some(format!("write `[\"{name}\"]`, or `.get(\"{name}\")` if it may be missing"))
            }
            Type::List(_) | Type::Set(_) => {
                Some(format!("to read it of each element write `.map(x => x.{name})`"))
            }
            Type::Union(id) | Type::Variant(id, _) => self.union_field_help(*id, name),
            Type::OneOf(all) => {
                let with =
                    all.iter().find(|t| t.record().and_then(|id| self.record(id)?.field(name)).is_some())?;
                Some(format!("only a `{0}` has it: check `is {0}` first", self.show(with)))
            }
            Type::Record(id) => {
                let rest = self.record(*id)?.rest?;
                let rest = self.field_def(*id, rest)?.name;
                Some(format!("fields that are not declared are in `{rest}`: `.{rest}.get(\"{name}\")`"))
            }
            _ => None,
        }
    }

    fn union_field_help(&self, id: TypeId, name: Name) -> Option<String> {
        let has = |v: &&crate::model::VariantDef| {
            v.payload.as_ref().and_then(Type::record).and_then(|r| self.record(r)?.field(name)).is_some()
        };
        let variant = self.variants(id).iter().find(has)?.name;
        Some(format!("not every variant has it: check `is {variant}` first, or use `match`"))
    }

    fn field_names(&self, ty: &Type) -> Vec<&'static str> {
        match ty.bare() {
            Type::Record(id) | Type::Ref(id) => self
                .record(*id)
                .map(|r| r.fields.iter().map(|f| f.name.as_str()).collect())
                .unwrap_or_default(),
            Type::Anon(fields) => fields.iter().map(|(n, _)| n.as_str()).collect(),
            Type::File => vec!["path", "name", "sha256", "text"],
            Type::Union(_) | Type::Variant(..) | Type::OneOf(_) => {
                let mut names: Vec<&'static str> = Vec::new();
                for id in self.alternatives_of(ty).unwrap_or_default() {
                    let fields = self.record(id).map(|r| r.fields.as_slice()).unwrap_or_default();
                    let shared = fields.iter().filter(|f| self.shared_field(ty, f.name).is_some());
                    names.extend(shared.map(|f| f.name.as_str()));
                }
                if let Type::Union(id) | Type::Variant(id, _) = ty.bare()
                    && let Some(TypeDef::Union(union)) = self.program().types.get(id.0 as usize)
                {
                    names.push(union.tag.as_str());
                }
                names
            }
            _ => Vec::new(),
        }
    }
}

/// A path as it is written: `tls`, `self.tls.cert`.
pub(super) fn written(e: &Expr) -> Option<String> {
    match &e.kind {
        ExprKind::Name(ident) => Some(ident.name.to_string()),
        ExprKind::Field(base, field) => Some(format!("{}.{}", written(base)?, field.name)),
        ExprKind::OptField(base, field) => Some(format!("{}?.{}", written(base)?, field.name)),
        ExprKind::Paren(inner) => written(inner),
        _ => None,
    }
}
