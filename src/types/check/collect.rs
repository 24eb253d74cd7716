//! Comprehensions, and brace literals that are maps, `any` or records without a type.

use super::body::{Cx, Origin, Typed, map_of};
use super::coerce::Why;
use super::expr::{alternatives, collection};
use crate::base::{Name, Span};
use crate::diag::codes::types as codes;
use crate::model::hir::{Clause, MapEntry};
use crate::model::schema::Slot;
use crate::model::{Hir, HirKind, Type, TypeDef, TypeId};
use crate::syntax::ast::{self, Entry, EntryKind, Expr, ExprKind, Ident, RecordKind};
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
    // Comprehensions.

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

    // Brace literals.

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

    /// A literal that is a map because a function of maps is called on it.
    pub fn brace_as_map(&mut self, entries: &'a [Entry], span: Span) -> Typed {
        self.inferred_map(entries, span)
    }

    fn map_literal(&mut self, entries: &'a [Entry], span: Span, key: &Type, value: &Type) -> Typed {
        let mut lowered = Vec::with_capacity(entries.len());
        let mut seen: Vec<(&str, Span)> = Vec::with_capacity(entries.len());
        let whole = map_of(key.clone(), value.clone());
        for entry in entries {
            if let Some((name, at)) = static_key(entry) {
                self.twice(name, at, &mut seen);
            }
            let (key, e) = match &entry.kind {
                EntryKind::Field { name, value: e } => {
                    let hir = self.bare_key(*name, key);
                    match e {
                        Some(e) => (hir, e),
                        None => {
                            let short = self.short(*name, Some(value));
                            let short = self.element(short, name.span, value);
                            lowered.push(MapEntry::Pair(hir, short));
                            continue;
                        }
                    }
                }
                EntryKind::Quoted { key: text, value: e } => (self.quoted_key(text, key), e),
                EntryKind::Computed { key: k, value: e } => (self.computed_key(k, Some(key)).0, e),
                EntryKind::Spread(e) => {
                    let spread = self.expr(e, Some(&whole));
                    let hir = self.coerce(spread, e.span, &whole, Why::Plain);
                    lowered.push(MapEntry::Spread(hir));
                    continue;
                }
            };
            self.held_under =
                self.key_field(value, e).map(|(id, slot)| (id, slot, key.clone(), whole.clone()));
            let typed = self.expr(e, Some(value));
            self.held_under = None;
            let hir = self.element(typed, e.span, value);
            lowered.push(MapEntry::Pair(key, hir));
        }
        self.typed(span, HirKind::Map(lowered), whole)
    }

    /// The one key field of the struct that a literal in a map makes: the map's key fills it.
    fn key_field(&self, value: &Type, e: &Expr) -> Option<(TypeId, Slot)> {
        let literal = matches!(e.kind, ExprKind::Brace(_) | ExprKind::Construct { .. });
        let Type::Record(id) = value.bare() else { return None };
        let record = self.record(*id).filter(|r| literal && r.kind == RecordKind::Struct)?;
        match record.keys.as_slice() {
            [key] => match key.path.as_slice() {
                [slot] => Some((*id, *slot)),
                _ => None,
            },
            _ => None,
        }
    }

    fn twice<'t>(&mut self, name: &'t str, at: Span, seen: &mut Vec<(&'t str, Span)>) {
        if let Some((_, first)) = seen.iter().find(|(n, _)| *n == name) {
            let problem = self
                .problem(codes::TWICE, at, format!("`{name}` is given twice"))
                .label(self.at(*first), "the first time");
            self.report(problem);
        } else {
            seen.push((name, at));
        }
    }

    /// `a: …` in a map: the name as a key.
    fn bare_key(&mut self, name: Ident, key: &Type) -> Hir {
        match key.bare() {
            Type::Enum(id) => {
                let id = *id;
                match self.variants(id).iter().position(|v| v.name == name.name) {
                    Some(at) => self.variant(name, id, at as u16).hir,
                    None => {
                        let mut value =
                            self.name(Ident { name: name.name, span: name.span }, Some(&Type::Enum(id)));
                        value.hir.kind = HirKind::Error;
                        value.hir
                    }
                }
            }
            _ => {
                let text = Type::StrLit(name.name.as_str().into());
                let value = self.typed(name.span, HirKind::Str(name.name.as_str().into()), text);
                self.coerce(value, name.span, key, Why::Plain)
            }
        }
    }

    fn quoted_key(&mut self, text: &ast::StrLit, key: &Type) -> Hir {
        if let Type::Enum(id) = key.bare() {
            let id = *id;
            let found = self
                .variants(id)
                .iter()
                .position(|v| v.data_name == text.text || v.name.as_str() == text.text);
            if let Some(at) = found {
                return self.hir(text.span, HirKind::Enum(id, at as u16));
            }
        }
        let ty = Type::StrLit(text.text.as_str().into());
        let value = self.typed(text.span, HirKind::Str(text.text.as_str().into()), ty);
        self.coerce(value, text.span, key, Why::Plain)
    }

    /// `[e]: …`, or the key of a comprehension.
    fn computed_key(&mut self, e: &'a Expr, want: Option<&Type>) -> (Hir, Type) {
        let value = self.expr(e, want);
        let value = self.plain(value, e.span, "the key of a map");
        if let Some(want) = want.filter(|w| !matches!(w, Type::Error)) {
            return (self.coerce(value, e.span, want, Why::Plain), want.clone());
        }
        let ty = relation::widened(&value.ty);
        if !is_map_key(&ty) {
            let problem = self
                .problem(
                    codes::NOT_A_KEY,
                    e.span,
                    format!("a `{}` cannot be the key of a map", self.show(&ty)),
                )
                .help("keys are strings, ints or variants of an enum");
            self.report(problem);
            return (value.hir, Type::Error);
        }
        (value.hir, ty)
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

    /// A map literal without an expected type.
    fn inferred_map(&mut self, entries: &'a [Entry], span: Span) -> Typed {
        let mut seen: Vec<(&str, Span)> = Vec::new();
        let mut lowered = Vec::with_capacity(entries.len());
        let (mut key, mut value) = (Type::Never, Type::Never);
        for entry in entries {
            if let Some((name, at)) = static_key(entry) {
                self.twice(name, at, &mut seen);
            }
            let (k, kt, v, at) = match &entry.kind {
                EntryKind::Field { name, value: e } => {
                    let k = self.hir(name.span, HirKind::Str(name.name.as_str().into()));
                    let v = match e {
                        Some(e) => self.expr(e, None),
                        None => self.short(*name, None),
                    };
                    (k, Type::Str, v, e.as_ref().map_or(name.span, |e| e.span))
                }
                EntryKind::Quoted { key, value: e } => {
                    let k = self.hir(key.span, HirKind::Str(key.text.as_str().into()));
                    (k, Type::Str, self.expr(e, None), e.span)
                }
                EntryKind::Computed { key, value: e } => {
                    let (k, kt) = self.computed_key(key, None);
                    (k, kt, self.expr(e, None), e.span)
                }
                EntryKind::Spread(e) => {
                    let spread = self.expr(e, None);
                    if let Type::Map(k, v) = spread.ty.bare() {
                        key = relation::join(self.program(), &key, k).unwrap_or(Type::Error);
                        value = relation::join(self.program(), &value, v).unwrap_or(Type::Error);
                        lowered.push(MapEntry::Spread(spread.hir));
                    } else if !spread.is_error() {
                        let message = format!("a `{}` is no map", self.show(&spread.ty));
                        let problem = self.problem(codes::BAD_SPREAD, e.span, message);
                        self.report(problem);
                    }
                    continue;
                }
            };
            key = self.joined_or_said(&key, &kt, span, entry.span);
            value = self.joined_or_said(&value, &relation::widened(&v.ty), span, at);
            lowered.push(MapEntry::Pair(k, v.hir));
        }
        self.typed(span, HirKind::Map(lowered), map_of(key, value))
    }

    fn joined_or_said(&mut self, a: &Type, b: &Type, first: Span, second: Span) -> Type {
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

fn static_key(entry: &Entry) -> Option<(&str, Span)> {
    match &entry.kind {
        EntryKind::Field { name, .. } => Some((name.name.as_str(), name.span)),
        EntryKind::Quoted { key, .. } => Some((key.text.as_str(), key.span)),
        _ => None,
    }
}

fn map_types(ty: &Type) -> Option<(Type, Type)> {
    match ty {
        Type::Map(k, v) => Some((k.as_ref().clone(), v.as_ref().clone())),
        Type::Any => Some((Type::Str, Type::Any)),
        Type::Alias(_, t) | Type::Refined(t, _) | Type::Optional(t) => map_types(t),
        Type::Secret(t) => map_types(t).map(|(k, v)| (k, v.secret())),
        Type::Later(t) => map_types(t).map(|(k, v)| (k, v.later())),
        Type::OneOf(all) => all.iter().find_map(map_types),
        _ => None,
    }
}

/// Whether values of a type can be the keys of a map.
pub(super) fn is_map_key(ty: &Type) -> bool {
    match ty.bare() {
        Type::Error
        | Type::Never
        | Type::Str
        | Type::Int
        | Type::StrLit(_)
        | Type::IntLit(_)
        | Type::Enum(_) => true,
        Type::OneOf(all) => {
            all.iter().all(|t| matches!(t, Type::StrLit(_)))
                || all.iter().all(|t| matches!(t, Type::IntLit(_)))
        }
        _ => false,
    }
}
