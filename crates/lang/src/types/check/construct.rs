//! Constructors: fields given, spread, missing and unknown; what follows a constructor.

use super::body::{Cx, Mode, Origin, Typed};
use super::coerce::Why;
use super::uses::UseKind;
use crate::base::{Name, Span};
use crate::diag::{codes::types as codes, nearest};
use crate::model::hir::Construct;
use crate::model::schema::Slot;
use crate::model::scopes::TypeItem;
use crate::model::{FieldKind, Hir, HirKind, Type, TypeId};
use crate::syntax::ast::{self, Entry, EntryKind, Expr, Ident, RecordKind};
use crate::types::marks::{self, Marks};

/// The mark `later` alone.
pub(super) const LATER: Marks = Marks { secret: false, later: true };

/// The fields of a constructor, as they are collected.
#[derive(Default)]
struct Given {
    fields: Vec<(Slot, Hir)>,
    /// Where each was written.
    spans: Vec<(Slot, Span)>,
    /// Those that another `...` gave.
    spread: Vec<Slot>,
    lets: Vec<Hir>,
    /// Something later went into it.
    later: bool,
    /// Names that are wrong: a field that is missing may be meant.
    unknown: Vec<Name>,
}

impl<'a> Cx<'_, 'a> {
    /// `T { … }`, `variant { … }`.
    pub fn construct(
        &mut self,
        path: &'a ast::Path,
        entries: &'a [Entry],
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        if let [name] = path.parts.as_slice() {
            let found = want.map(|w| self.variants_named(w, name.name)).unwrap_or_default();
            if let Some(&(id, at)) = found.first() {
                return self.make_variant(*name, id, at, entries, span);
            }
            let lower = name.name.as_str().starts_with(|c: char| c.is_lowercase());
            if lower && self.ck.decls.scopes.type_named(self.module, name.name).is_none() {
                return self.unknown_variant_literal(*name, entries, span, want);
            }
        }
        let Some(item) = self.constructed_type(path, entries) else { return self.wrong(span) };
        let ty = self.ck.item_type(item);
        match ty.bare() {
            Type::Record(id) => self.make_record(*id, entries, span, path.span),
            Type::Error => {
                self.check_entries(entries);
                self.wrong(span)
            }
            _ => {
                let shown = self.show(&ty);
                let help = match ty.bare() {
                    Type::Union(_) => "write the variant: `variant { … }`, where this type is expected",
                    Type::Enum(_) => "write the variant: `T.variant`",
                    Type::Map(..) => "write `{ … }` alone, where this type is expected",
                    _ => "only records are made of fields",
                };
                let problem = self
                    .problem(
                        codes::NOT_CONSTRUCTIBLE,
                        path.span,
                        format!("a `{shown}` is not made of fields"),
                    )
                    .help(help);
                self.report(problem);
                self.check_entries(entries);
                self.wrong(span)
            }
        }
    }

    /// `T.variant { … }`.
    pub fn construct_variant(
        &mut self,
        path: &'a ast::Path,
        variant: Ident,
        entries: &'a [Entry],
        span: Span,
    ) -> Typed {
        let Some(item) = self.constructed_type(path, entries) else { return self.wrong(span) };
        if let Type::Union(id) | Type::Enum(id) = self.ck.item_type(item).bare()
            && let Some(at) = self.variants(*id).iter().position(|v| v.name == variant.name)
        {
            return self.make_variant(variant, *id, at as u16, entries, span);
        }
        self.check_entries(entries);
        self.type_member(item, variant, span)
    }

    /// The type that a constructor names; what is wrong with it, or with its entries, is said.
    fn constructed_type(&mut self, path: &'a ast::Path, entries: &'a [Entry]) -> Option<TypeItem> {
        let (scopes, nodes) = (&self.ck.decls.scopes, &mut self.ck.decls.nodes);
        match scopes.resolve_type(nodes, self.module, path) {
            Ok(item) => {
                self.ck.type_used(self.file, item, path.span);
                Some(item)
            }
            Err(problem) => {
                self.report(*problem);
                self.check_entries(entries);
                None
            }
        }
    }

    fn unknown_variant_literal(
        &mut self,
        name: Ident,
        entries: &'a [Entry],
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let unions = want.map(|w| self.variant_types(w)).unwrap_or_default();
        let text = name.name.as_str();
        let problem = match unions.first() {
            Some(&id) => self.no_variant(id, name),
            None => self
                .problem(
                    codes::UNKNOWN_VARIANT,
                    name.span,
                    format!("no union is expected here, and `{text}` is no type"),
                )
                .help(match self.ck.enum_with(name.name) {
                    Some(id) => format!("say the type: `let x: {} = {text} {{ … }}`", self.type_name(id)),
                    None => "names of types start with a capital".to_owned(),
                }),
        };
        self.report(problem);
        self.check_entries(entries);
        self.wrong(span)
    }

    fn make_variant(&mut self, name: Ident, id: TypeId, at: u16, entries: &'a [Entry], span: Span) -> Typed {
        let Some(def) = self.variants(id).get(at as usize) else { return self.wrong(span) };
        let (payload, deprecated) = (def.payload.clone(), def.deprecated.clone());
        if let Some(text) = deprecated {
            self.deprecated(name.span, &format!("`{}`", name.name), &text);
        }
        let Some(record) = payload.as_ref().and_then(Type::record) else {
            let place = self.ck.variant_place(id, at);
            let problem = self
                .problem(codes::NOT_CONSTRUCTIBLE, span, format!("`{}` carries nothing", name.name))
                .label(place, "declared here")
                .help(format!("write `{}`", name.name));
            self.report(problem);
            self.check_entries(entries);
            return self.wrong(span);
        };
        let inner = self.make_record(record, entries, span, name.span);
        if inner.is_error() {
            return inner;
        }
        let marks = marks::top(&inner.ty);
        let kind = HirKind::Variant { ty: id, variant: at, payload: Some(Box::new(inner.hir)) };
        self.typed(span, kind, marks.on(Type::Variant(id, [at].into())))
    }

    /// A record of a type from the entries of a literal. `name` is where the type is written.
    pub fn make_record(&mut self, id: TypeId, entries: &'a [Entry], span: Span, name: Span) -> Typed {
        let Some(kind) = self.record(id).map(|r| r.kind) else { return self.wrong(span) };
        let object = !matches!(kind, RecordKind::Struct | RecordKind::Plain);
        if object && !self.may_construct(id, kind, name) {
            self.check_entries(entries);
            // What refers to it is checked all the same.
            return Typed { ty: Type::Record(id), ..self.wrong(span) };
        }
        let held_under = self.held_under.take();
        let mut given = Given::default();
        for entry in entries {
            match &entry.kind {
                EntryKind::Field { name, value } => self.give(id, *name, value.as_ref(), &mut given),
                EntryKind::Quoted { key, value } => {
                    let name = Ident { name: Name::new(&key.text), span: key.span };
                    self.give(id, name, Some(value), &mut given);
                }
                EntryKind::Computed { key, value } => {
                    let problem = self
                        .problem(
                            codes::UNKNOWN_FIELD,
                            key.span,
                            "the name of a field is not computed".to_owned(),
                        )
                        .help("write the name of a field");
                    self.report(problem);
                    self.expr(value, Some(&Type::Error));
                }
                EntryKind::Spread(_) => {}
            }
        }
        for entry in entries {
            if let EntryKind::Spread(e) = &entry.kind {
                self.spread(id, e, &mut given);
            }
        }
        self.fill_key(id, held_under, span, &mut given);
        self.missing(id, &given, name);
        self.made(id, kind, given, span)
    }

    /// The key of the map that holds a struct fills its key field.
    fn fill_key(
        &mut self,
        id: TypeId,
        held_under: Option<(TypeId, Slot, Hir, Type)>,
        span: Span,
        given: &mut Given,
    ) {
        let Some((_, slot, key, map)) = held_under.filter(|(of, ..)| *of == id) else { return };
        let Type::Map(key_ty, _) = &map else { return };
        let Some(wanted) = self.field_def(id, slot).map(|f| f.ty.clone()) else { return };
        if given.spans.iter().any(|(s, _)| *s == slot) {
            return;
        }
        let key = Typed::new(key, key_ty.as_ref().clone());
        let hir = self.coerce(key, span, &wanted, Why::Field(id, slot));
        given.fields.push((slot, hir));
        given.spans.push((slot, span));
    }

    /// A struct from a record without a type that a local holds.
    pub fn record_from(
        &mut self,
        id: TypeId,
        local: u32,
        fields: &[(Name, Type)],
        span: Span,
        why: Why,
    ) -> Option<Typed> {
        let mut given = Given::default();
        for (name, ty) in fields {
            let (slot, field) = self.record(id)?.field(*name).filter(|(_, f)| f.kind.is_stored())?;
            let wanted = field.ty.clone();
            let base = self.read_hidden(span, local);
            let value = self.get(base, name.as_str(), ty.clone(), Origin::Other, span);
            let why = if why == Why::Plain { Why::Field(id, slot) } else { why };
            let hir = self.coerce(value, span, &wanted, why);
            given.fields.push((slot, hir));
            given.spans.push((slot, span));
        }
        self.missing(id, &given, span);
        let kind = self.record(id)?.kind;
        Some(self.made(id, kind, given, span))
    }

    fn made(&mut self, id: TypeId, kind: RecordKind, mut given: Given, span: Span) -> Typed {
        given.fields.sort_by_key(|(slot, _)| *slot);
        let open: Vec<Slot> = self.record(id).map_or(Vec::new(), |r| {
            let open = r.fields.iter().enumerate().filter(|(_, f)| f.kind.is_stored());
            open.map(|(slot, _)| slot as Slot).filter(|s| !given.fields.iter().any(|(g, _)| g == s)).collect()
        });
        self.record_use(span, UseKind::Defaults(id, open));
        let ty = Type::Record(id);
        let mut value = if matches!(kind, RecordKind::Struct | RecordKind::Plain) {
            let ty = if given.later { ty.later() } else { ty };
            self.typed(span, HirKind::Struct { ty: id, fields: given.fields }, ty)
        } else {
            if kind != RecordKind::Slice {
                self.record_use(span, UseKind::Creates(id));
            }
            let construct = Construct {
                ty: id,
                fields: given.fields,
                rest: Vec::new(),
                after: Vec::new(),
                protect: false,
                adopt: false,
                keep: false,
                timeout: None,
                drift: None,
            };
            let hir = self.hir(span, HirKind::Construct(Box::new(construct)));
            Typed { hir, ty, from: Origin::Own }
        };
        if !given.lets.is_empty() {
            let from = value.from;
            value = self.after_lets(given.lets, value, span);
            value.from = from;
        }
        value
    }

    fn may_construct(&mut self, id: TypeId, kind: RecordKind, span: Span) -> bool {
        let name = self.type_name(id);
        let problem = if kind == RecordKind::Slice {
            if self.mode == Mode::Test {
                return true;
            }
            self.problem(
                codes::CONSTRUCTOR_NOT_HERE,
                span,
                format!("`{name}` is a slice: its instances are files"),
            )
            .help(format!("to refer to an instance write `{name}[…]`"))
        } else {
            if self.mode.constructs() {
                return true;
            }
            let noun = self.mode.noun();
            self.problem(codes::CONSTRUCTOR_NOT_HERE, span, format!("{noun} cannot make a `{name}`"))
                .help(format!("make it in an `impl`; to refer to one write `{name}[…]`"))
        };
        self.report(problem.label(self.ck.declaration(id), "declared here"));
        false
    }

    fn give(&mut self, id: TypeId, name: Ident, value: Option<&'a Expr>, given: &mut Given) {
        let Some((slot, def)) = self.record(id).and_then(|r| r.field(name.name)) else {
            self.unknown_given(id, name);
            given.unknown.push(name.name);
            if let Some(e) = value {
                self.expr(e, Some(&Type::Error));
            }
            return;
        };
        let (kind, deprecated, ty) = (def.kind, def.deprecated.clone(), def.ty.clone());
        if let Some(text) = deprecated {
            self.deprecated(name.span, &format!("the field `{}`", name.name), &text);
        }
        if !kind.is_stored() {
            let what = match kind {
                FieldKind::Output => "an output: it is known once it is deployed",
                FieldKind::Derived => "computed",
                _ => "made by the relation",
            };
            let problem = self
                .problem(
                    codes::UNKNOWN_FIELD,
                    name.span,
                    format!("`{}` is {what}, it cannot be given", name.name),
                )
                .label(self.ck.field_place(id, slot), "declared here");
            self.report(problem);
            if let Some(e) = value {
                self.expr(e, Some(&ty));
            }
            return;
        }
        if let Some((_, first)) = given.spans.iter().find(|(s, _)| *s == slot) {
            let first = *first;
            let problem = self
                .problem(codes::TWICE, name.span, format!("`{}` is given twice", name.name))
                .label(self.at(first), "the first time")
                .help("take one of them out");
            self.report(problem);
            return;
        }
        let (value, span) = match value {
            Some(e) if self.accepts_later(id, slot, &ty) => {
                let (value, later) = self.maybe_later(e, &ty);
                if later {
                    self.note_later(id, slot, given);
                }
                (value, e.span)
            }
            Some(e) => (self.expr(e, Some(&ty)), e.span),
            None => (self.short(name, Some(&ty)), name.span),
        };
        let hir = self.field_value(id, slot, &ty, value, span, given);
        given.fields.push((slot, hir));
        given.spans.push((slot, name.span));
    }

    /// A value for a field: a struct's and a resource's non-key field accepts `later` at any
    /// depth.
    fn field_value(
        &mut self,
        id: TypeId,
        slot: Slot,
        ty: &Type,
        mut value: Typed,
        span: Span,
        given: &mut Given,
    ) -> Hir {
        let why = Why::Field(id, slot);
        if self.is_key(id, slot) {
            value = match marks::top(&value.ty).is_none() {
                true => value,
                false => self.plain(value, span, &self.key_in_words(id, slot)),
            };
        } else if self.accepts_later(id, slot, ty) {
            let (stripped, found) = marks::without(&value.ty, LATER);
            value.ty = stripped;
            if found {
                self.note_later(id, slot, given);
            }
        }
        self.coerce(value, span, ty, why)
    }

    fn key_in_words(&self, id: TypeId, slot: Slot) -> String {
        let owner = self.record(id).map_or("", |r| r.decl.name.as_str());
        let field = self.field_def(id, slot).map_or("", |f| f.name.as_str());
        format!("`{field}`, a key of `{owner}`")
    }

    fn is_key(&self, id: TypeId, slot: Slot) -> bool {
        self.record(id).is_some_and(|r| r.keys.iter().any(|k| k.path.first() == Some(&slot)))
    }

    fn accepts_later(&self, id: TypeId, slot: Slot, ty: &Type) -> bool {
        let kind = self.record(id).map(|r| r.kind);
        // How a target is reached may be known only once something is deployed.
        let accepts = matches!(
            kind,
            Some(RecordKind::Resource | RecordKind::Target | RecordKind::Struct | RecordKind::Plain)
        );
        accepts && !marks::top(ty).later && !self.is_key(id, slot)
    }

    /// Whoever reads the field of a resource reads a later value; of a struct, the whole is one.
    fn note_later(&mut self, id: TypeId, slot: Slot, given: &mut Given) {
        match self.record(id).map(|r| r.kind) {
            Some(RecordKind::Resource | RecordKind::Target) => self.ck.taint(id, slot),
            _ => given.later = true,
        }
    }

    fn unknown_given(&mut self, id: TypeId, name: Ident) {
        let text = name.name.as_str();
        let type_name = self.type_name(id);
        let record = self.record(id);
        let names: Vec<&'static str> = record
            .map(|r| r.fields.iter().filter(|f| f.kind.is_stored()).map(|f| f.name.as_str()).collect())
            .unwrap_or_default();
        let rest = record.and_then(|r| r.rest).and_then(|slot| self.field_def(id, slot)).map(|f| f.name);
        let by_data_name = record.and_then(|r| r.fields.iter().find(|f| f.data_name == text)).map(|f| f.name);
        let mut problem = self
            .problem(codes::UNKNOWN_FIELD, name.span, format!("`{type_name}` has no field `{text}`"))
            .label(self.ck.declaration(id), "declared here");
        if let Some(near) = nearest(text, names.iter().copied()) {
            problem = problem.help(format!("did you mean `{near}`?")).fix(
                format!("write `{near}`"),
                false,
                self.at(name.span),
                near,
            );
        } else if let Some(model_name) = by_data_name {
            problem = problem.help(format!("`{text}` is its name in data: write `{model_name}`"));
        } else if let Some(rest) = rest {
            problem = problem.help(format!("fields that are not declared go into `{rest}: {{ … }}`"));
        } else if !names.is_empty() && names.len() <= 8 {
            problem = problem.help(format!("it has {}", quoted(&names)));
        }
        self.report(problem);
    }

    /// Says which required fields are not given.
    fn missing(&mut self, id: TypeId, given: &Given, span: Span) {
        let Some(record) = self.record(id) else { return };
        let mut missing: Vec<(&'static str, Slot)> = Vec::new();
        for (slot, field) in record.fields.iter().enumerate() {
            let slot = slot as Slot;
            // A test computes it; what a model makes is written back nowhere.
            let unfilled = field.kind == FieldKind::Assigned && self.mode != Mode::Test;
            let required = matches!(field.kind, FieldKind::Plain | FieldKind::Key)
                && !field.ty.is_nullable()
                && !self.ck.has_default(id, slot);
            let needed = (required || unfilled) && !given.spans.iter().any(|(s, _)| *s == slot);
            // A field given under a mistyped name is not missing too.
            let mistyped = given.unknown.iter().any(|n| nearest(n.as_str(), [field.name.as_str()]).is_some());
            if needed && !mistyped {
                missing.push((field.name.as_str(), slot));
            }
        }
        let Some(&(_, first)) = missing.first() else { return };
        let names: Vec<&'static str> = missing.iter().map(|(n, _)| *n).collect();
        let (verb, noun) = if names.len() == 1 { ("is", "field") } else { ("are", "fields") };
        let message = format!("the {noun} {} of `{}` {verb} missing", quoted(&names), self.type_name(id));
        let problem = self
            .problem(codes::MISSING_FIELD, span, message)
            .label(self.ck.field_place(id, first), format!("`{}` is declared here", names[0]))
            .help(format!(
                "write {}",
                names.iter().map(|n| format!("`{n}: …`")).collect::<Vec<_>>().join(", ")
            ));
        self.report(problem);
    }

    /// `...e`: those fields of e that the type has and that are not written.
    fn spread(&mut self, id: TypeId, e: &'a Expr, given: &mut Given) {
        let value = self.expr(e, None);
        let Some(names) = self.spread_names(&value.ty, e) else { return };
        let own: Vec<(Name, Slot)> = names
            .into_iter()
            .filter_map(|n| {
                let (slot, field) = self.record(id)?.field(n)?;
                field.kind.is_stored().then_some((n, slot))
            })
            .collect();
        let (local, ty, from) = self.bind(value, e.span, &mut given.lets);
        let mut any = false;
        for (name, slot) in own {
            any = true;
            if let Some((_, at)) = given.spans.iter().find(|(s, _)| *s == slot) {
                // What another `...` gives has no precedence over this one.
                if given.spread.contains(&slot) {
                    let at = *at;
                    let problem = self
                        .problem(codes::TWICE, e.span, format!("both this and another `...` give `{name}`"))
                        .label(self.at(at), "the other one")
                        .help(format!("write `{name}: …` yourself"));
                    self.report(problem);
                }
                continue;
            }
            let base = Typed { hir: self.read_hidden(e.span, local), ty: ty.clone(), from };
            let field = self.member(base, Ident { name, span: e.span }, e.span);
            if from == Origin::Other
                && let Some(source) = ty.record().filter(|s| self.is_object(*s))
            {
                self.record_use(e.span, UseKind::Reads(source));
            }
            let wanted = self.field_def(id, slot).map_or(Type::Error, |f| f.ty.clone());
            let hir = self.field_value(id, slot, &wanted, field, e.span, given);
            given.fields.push((slot, hir));
            given.spans.push((slot, e.span));
            given.spread.push(slot);
        }
        if !any && !matches!(ty, Type::Error) {
            let message =
                format!("`{}` has none of the fields of a `{}`", self.type_name(id), self.show(&ty));
            let problem = self.problem(codes::BAD_SPREAD, e.span, message);
            self.report(problem);
        }
    }

    // What follows a constructor.
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
