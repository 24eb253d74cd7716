//! Brace literals: which type they make, and records without a declared type.

use super::body::{Cx, Origin, Typed};
use super::coerce::Why;
use super::expr::alternatives;
use super::map_literal::static_key;
use crate::base::{Name, Span};
use crate::diag::codes::types as codes;
use crate::model::hir::MapEntry;
use crate::model::{Hir, HirKind, Type, TypeDef, TypeId};
use crate::syntax::ast::{Entry, EntryKind, Expr, ExprKind, Ident, RecordKind};
use crate::types::{marks, relation};

/// What a brace literal becomes.
enum Target {
    /// A struct.
    Struct(TypeId),
    /// A map of these keys and values.
    Map(Type, Type),
    /// A record without a declared type.
    Anon,
    /// Cannot be: it has been said.
    Wrong,
}

impl<'a> Cx<'_, 'a> {
    pub fn brace(&mut self, entries: &'a [Entry], span: Span, want: Option<&Type>) -> Typed {
        match self.target(entries, span, want) {
            Target::Struct(id) => self.make_record(id, entries, span, span),
            Target::Map(key, value) => self.map_literal(entries, span, &key, &value),
            Target::Anon => self.anon(entries, span),
            Target::Wrong => {
                self.check_entries(entries);
                self.wrong(span)
            }
        }
    }

    /// What a literal becomes where a type is expected.
    fn target(&mut self, entries: &[Entry], span: Span, want: Option<&Type>) -> Target {
        let Some(want) = want else { return Target::Anon };
        if matches!(want.bare(), Type::Error) {
            return Target::Anon;
        }
        let mut found = Vec::new();
        self.brace_targets(want, &mut found);
        let marks = marks::top(want);
        let best = found.iter().max_by_key(|ty| self.known_names(entries, ty)).cloned();
        match best {
            Some(Type::Record(id)) => {
                let kind = self.record(id).map(|r| r.kind);
                if matches!(kind, Some(RecordKind::Struct | RecordKind::Plain)) {
                    return Target::Struct(id);
                }
                let name = self.type_name(id);
                let problem = self
                    .problem(codes::TYPE_MISMATCH, span, format!("expected `{name}`, found a literal"))
                    .label(self.ck.declaration(id), "declared here")
                    .help(format!("write `{name} {{ … }}` to make one, `{name}[…]` to refer to one"));
                self.report(problem);
                Target::Wrong
            }
            Some(Type::Union(id)) => {
                let name = self.type_name(id);
                let all: Vec<String> = self.variants(id).iter().map(|v| format!("`{}`", v.name)).collect();
                let problem = self
                    .problem(
                        codes::TYPE_MISMATCH,
                        span,
                        format!("expected `{name}`, found a literal without a variant"),
                    )
                    .label(self.ck.declaration(id), format!("it has {}", all.join(", ")))
                    .help("write the variant before it: `variant { … }`");
                self.report(problem);
                Target::Wrong
            }
            Some(Type::Map(key, value)) => {
                Target::Map(key.as_ref().clone(), marks.on(value.as_ref().clone()))
            }
            Some(Type::Any) => Target::Map(Type::Str, marks.on(Type::Any)),
            _ => Target::Anon,
        }
    }

    fn brace_targets(&self, ty: &Type, found: &mut Vec<Type>) {
        match ty {
            Type::Record(_) | Type::Map(..) | Type::Any => found.push(ty.clone()),
            Type::Ref(id) => found.push(Type::Record(*id)),
            Type::Union(id) | Type::Variant(id, _) => found.push(Type::Union(*id)),
            Type::Alias(_, t)
            | Type::Refined(t, _)
            | Type::Optional(t)
            | Type::Secret(t)
            | Type::Later(t) => {
                self.brace_targets(t, found);
            }
            Type::OneOf(all) => all.iter().for_each(|t| self.brace_targets(t, found)),
            _ => {}
        }
    }

    /// How well the written names fit a target.
    fn known_names(&self, entries: &[Entry], ty: &Type) -> usize {
        match ty {
            Type::Record(id) => {
                let record = self.record(*id);
                let known = |e: &&Entry| match &e.kind {
                    EntryKind::Field { name, .. } => record.is_some_and(|r| r.field(name.name).is_some()),
                    _ => false,
                };
                2 + entries.iter().filter(known).count()
            }
            Type::Map(..) => 2,
            Type::Any => 1,
            _ => 0,
        }
    }

    // Records without a type.

    fn anon(&mut self, entries: &'a [Entry], span: Span) -> Typed {
        let computed = entries.iter().any(|e| matches!(e.kind, EntryKind::Computed { .. }));
        if computed {
            return self.inferred_map(entries, span);
        }
        let mut seen: Vec<(&str, Span)> = Vec::new();
        let mut fields: Vec<(Name, Type, Hir)> = Vec::with_capacity(entries.len());
        let mut spreads: Vec<&'a Expr> = Vec::new();
        for entry in entries {
            if let Some((name, at)) = static_key(entry) {
                self.twice(name, at, &mut seen);
            }
            let (name, value) = match &entry.kind {
                EntryKind::Field { name, value: Some(e) } => (name.name, self.expr(e, None)),
                EntryKind::Field { name, value: None } => {
                    let value = self.short(*name, None);
                    (name.name, value)
                }
                EntryKind::Quoted { key, value: e } => (Name::new(&key.text), self.expr(e, None)),
                EntryKind::Spread(e) => {
                    spreads.push(e);
                    continue;
                }
                EntryKind::Computed { .. } => continue,
            };
            if !fields.iter().any(|(n, ..)| *n == name) {
                let ty = relation::widened(&value.ty);
                fields.push((name, ty, value.hir));
            }
        }
        let mut lets = Vec::new();
        for e in spreads {
            self.spread_into_anon(e, &mut fields, &mut lets);
        }
        fields.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        let ty = Type::Anon(fields.iter().map(|(n, t, _)| (*n, t.clone())).collect());
        let kind = HirKind::Anon(fields.into_iter().map(|(n, _, h)| (n, h)).collect());
        let value = self.typed(span, kind, ty);
        self.after_lets(lets, value, span)
    }

    /// `...e` in a record without a type: all fields of e that are not written.
    fn spread_into_anon(&mut self, e: &'a Expr, fields: &mut Vec<(Name, Type, Hir)>, lets: &mut Vec<Hir>) {
        let value = self.expr(e, None);
        let Some(names) = self.spread_names(&value.ty, e) else { return };
        let (local, ty, from) = self.bind(value, e.span, lets);
        for name in names {
            if fields.iter().any(|(n, ..)| *n == name) {
                continue;
            }
            let base = Typed { hir: self.read_hidden(e.span, local), ty: ty.clone(), from };
            let field = self.member(base, Ident { name, span: e.span }, e.span);
            fields.push((name, field.ty, field.hir));
        }
    }

    /// Binds a value to a local that no name means.
    pub fn bind(&mut self, value: Typed, span: Span, lets: &mut Vec<Hir>) -> (u32, Type, Origin) {
        let local = self.hidden_local();
        let let_ = self.hir(span, HirKind::Let { local, value: Box::new(value.hir) });
        lets.push(let_);
        (local, value.ty, value.from)
    }

    /// A value that needs locals that were bound before.
    pub fn after_lets(&mut self, lets: Vec<Hir>, value: Typed, span: Span) -> Typed {
        if lets.is_empty() {
            return value;
        }
        let Typed { hir, ty, from } = value;
        let kind = HirKind::Block { stmts: lets, value: Some(Box::new(hir)) };
        Typed { hir: self.hir(span, kind), ty, from }
    }

    /// The names of the stored fields that `...e` gives; says so if it gives none.
    pub fn spread_names(&mut self, ty: &Type, e: &Expr) -> Option<Vec<Name>> {
        let (_, plain) = marks::split(ty);
        match plain.bare() {
            Type::Error => None,
            Type::Record(id) | Type::Ref(id) => {
                let fields = self.record(*id).map(|r| r.fields.as_slice()).unwrap_or_default();
                Some(fields.iter().filter(|f| f.kind.is_stored()).map(|f| f.name).collect())
            }
            Type::Anon(fields) => Some(fields.iter().map(|(n, _)| *n).collect()),
            Type::Variant(id, some) if some.len() == 1 => {
                let record = self.variants(*id).get(some[0] as usize)?.payload.as_ref()?.record()?;
                self.spread_names(&Type::Record(record), e)
            }
            _ => {
                let shown = self.show(ty);
                let help = match plain.bare() {
                    Type::Optional(_) => "check it with `!= null` first",
                    Type::Map(..) | Type::Any => "its keys are not known here: say what it is with `as T`",
                    _ => "only records have fields",
                };
                let problem = self
                    .problem(codes::BAD_SPREAD, e.span, format!("a `{shown}` has no fields to spread"))
                    .help(help);
                self.report(problem);
                None
            }
        }
    }

    /// `{ name }`: the value of that name.
    pub fn short(&mut self, name: Ident, want: Option<&Type>) -> Typed {
        let value = self.name(name, want);
        if self.facts.is_empty() {
            return value;
        }
        let e = Expr { span: name.span, kind: ExprKind::Name(name) };
        self.narrowed(&e, value)
    }

    pub fn joined_or_said(&mut self, a: &Type, b: &Type, first: Span, second: Span) -> Type {
        match relation::join(self.program(), a, b) {
            Some(ty) => ty,
            None => {
                self.nothing_in_common(a, b, first, second);
                Type::Error
            }
        }
    }

    /// Checks the entries of a literal that cannot be, for what is wrong in themselves.
    pub fn check_entries(&mut self, entries: &'a [Entry]) {
        for entry in entries {
            match &entry.kind {
                EntryKind::Field { value: Some(e), .. }
                | EntryKind::Quoted { value: e, .. }
                | EntryKind::Spread(e) => {
                    self.expr(e, Some(&Type::Error));
                }
                EntryKind::Computed { key, value } => {
                    self.expr(key, Some(&Type::Error));
                    self.expr(value, Some(&Type::Error));
                }
                EntryKind::Field { value: None, .. } => {}
            }
        }
    }

    /// A record literal that was made without an expected type, as a struct or a map.
    pub fn anon_into(&mut self, value: &Typed, span: Span, to: &Type, why: Why) -> Option<Hir> {
        let Type::Anon(fields) = value.ty.bare() else { return None };
        let mut found = Vec::new();
        self.brace_targets(to, &mut found);
        let fields = fields.clone();
        let mut lets = Vec::new();
        let copy = Typed { hir: value.hir.clone(), ty: value.ty.clone(), from: value.from };
        match found.first()? {
            Type::Record(id) if self.is_nested_record(*id) => {
                let id = *id;
                let (local, ..) = self.bind(copy, span, &mut lets);
                let given: Vec<(Name, Type)> = fields.to_vec();
                let made = self.record_from(id, local, &given, span, why)?;
                Some(self.after_lets(lets, made, span).hir)
            }
            Type::Map(key, element) if alternatives(key, |t| matches!(t, Type::Str)) => {
                let element = element.as_ref().clone();
                let (local, ..) = self.bind(copy, span, &mut lets);
                let mut entries = Vec::with_capacity(fields.len());
                for (name, ty) in fields.iter() {
                    let base = self.read_hidden(span, local);
                    let field = self.get(base, name.as_str(), ty.clone(), Origin::Other, span);
                    let field = self.coerce(field, span, &element, why);
                    let key = self.hir(span, HirKind::Str(name.as_str().into()));
                    entries.push(MapEntry::Pair(key, field));
                }
                let made = self.typed(span, HirKind::Map(entries), to.clone());
                Some(self.after_lets(lets, made, span).hir)
            }
            _ => None,
        }
    }

    fn is_nested_record(&self, id: TypeId) -> bool {
        matches!(self.program().types.get(id.0 as usize), Some(TypeDef::Record(r))
            if matches!(r.kind, RecordKind::Struct | RecordKind::Plain))
    }
}
