//! Brace literals that are maps, and their keys.

use super::body::{Cx, Typed, map_of};
use super::coerce::Why;
use crate::base::Span;
use crate::diag::codes::types as codes;
use crate::model::hir::MapEntry;
use crate::model::schema::Slot;
use crate::model::{Hir, HirKind, Type, TypeId};
use crate::syntax::ast::{self, Entry, EntryKind, Expr, ExprKind, Ident, RecordKind};
use crate::types::relation;

impl<'a> Cx<'_, 'a> {
    /// A literal that is a map because a function of maps is called on it.
    pub fn brace_as_map(&mut self, entries: &'a [Entry], span: Span) -> Typed {
        self.inferred_map(entries, span)
    }

    pub fn map_literal(&mut self, entries: &'a [Entry], span: Span, key: &Type, value: &Type) -> Typed {
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
    pub fn key_field(&self, value: &Type, e: &Expr) -> Option<(TypeId, Slot)> {
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

    pub fn twice<'t>(&mut self, name: &'t str, at: Span, seen: &mut Vec<(&'t str, Span)>) {
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
    pub fn computed_key(&mut self, e: &'a Expr, want: Option<&Type>) -> (Hir, Type) {
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

    /// A map literal without an expected type.
    pub fn inferred_map(&mut self, entries: &'a [Entry], span: Span) -> Typed {
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
}

pub(super) fn static_key(entry: &Entry) -> Option<(&str, Span)> {
    match &entry.kind {
        EntryKind::Field { name, .. } => Some((name.name.as_str(), name.span)),
        EntryKind::Quoted { key, .. } => Some((key.text.as_str(), key.span)),
        _ => None,
    }
}

pub(super) fn map_types(ty: &Type) -> Option<(Type, Type)> {
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
