//! Type expressions.

use std::sync::Arc;

use crate::base::Span;
use crate::diag::codes::model as codes;
use crate::model::hir::Node;
use crate::model::kinds::{Kinds, kinds};
use crate::model::program::Refinement;
use crate::model::schema::TypeDef;
use crate::model::scopes::{BuiltinType, ModuleId, TypeItem};
use crate::model::ty::{RefineId, Type};
use crate::model::{render, show};
use crate::syntax::ast::{self, RecordKind, TypeKind};

use super::{Declarations, Pending, PendingKind, stand_in};

/// Alternatives whose kinds of data are compared once all keys are known.
#[derive(Debug)]
pub(super) struct Alternatives {
    module: ModuleId,
    node: Node,
    ty: Type,
}

/// Lowers a type as it is written in a module; also for `as`, `is` and `let x: T` in bodies. What
/// is wrong is added to the diagnostics, and the type is [`Type::Error`].
pub fn lower_type<'a>(d: &mut Declarations<'a>, module: ModuleId, ty: &'a ast::TypeExpr) -> Type {
    match &ty.kind {
        TypeKind::Named { path, args } => named(d, module, path, args),
        TypeKind::Str(text) => Type::StrLit(text.as_str().into()),
        TypeKind::Int(value) => Type::IntLit(*value),
        TypeKind::Null => Type::Null,
        TypeKind::Union(parts) => alternatives(d, module, ty.span, parts),
        TypeKind::Optional(inner) => lower_type(d, module, inner).optional(),
        TypeKind::Where(base, condition) => refined(d, module, base, condition),
        TypeKind::Error => Type::Error,
    }
}

fn refined<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    base: &'a ast::TypeExpr,
    condition: &'a ast::Expr,
) -> Type {
    let base = lower_type(d, module, base);
    let file = d.file(module);
    let node = d.nodes.node(file, condition.span);
    let id = RefineId(d.program.refinements.len() as u32);
    let text = render::render(condition).into();
    let refinement = Refinement { body: stand_in(file, node), text, alias: None, docs: Default::default() };
    d.program.refinements.push(refinement);
    let kind = PendingKind::Refinement { id, base: base.clone(), expr: condition };
    d.pending.push(Pending { module, kind });
    narrowed(&base, id)
}

/// The type with a refinement, below its marks: what is asked of a secret is asked of the value
/// that is secret.
fn narrowed(base: &Type, id: RefineId) -> Type {
    match base {
        Type::Secret(inner) => Type::Secret(Arc::new(narrowed(inner, id))),
        Type::Later(inner) => Type::Later(Arc::new(narrowed(inner, id))),
        Type::Alias(_, inner) if is_marked(inner) => narrowed(inner, id),
        Type::Optional(inner) if is_marked(inner) => narrowed(inner, id).optional(),
        Type::OneOf(all) if all.iter().any(is_marked) => {
            Type::OneOf(all.iter().map(|ty| narrowed(ty, id)).collect())
        }
        _ => Type::Refined(Arc::new(base.clone()), id),
    }
}

/// Whether a mark is at the top of a type.
fn is_marked(ty: &Type) -> bool {
    match ty {
        Type::Secret(_) | Type::Later(_) => true,
        Type::Alias(_, inner) | Type::Refined(inner, _) | Type::Optional(inner) => is_marked(inner),
        Type::OneOf(all) => all.iter().any(is_marked),
        _ => false,
    }
}

fn named<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    path: &'a ast::Path,
    args: &'a [ast::TypeExpr],
) -> Type {
    let item = match d.scopes.resolve_type(&mut d.nodes, module, path) {
        Ok(item) => item,
        Err(problem) => {
            d.diagnostics.push(*problem);
            for arg in args {
                lower_type(d, module, arg);
            }
            return Type::Error;
        }
    };
    d.warn_if_deprecated(module, path, item);
    let arity = match item {
        TypeItem::Builtin(builtin) => builtin.arity(),
        _ => 0,
    };
    let lowered: Vec<Type> = args.iter().map(|arg| lower_type(d, module, arg)).collect();
    if lowered.len() != arity {
        wrong_number(d, module, path, arity, lowered.len());
        return Type::Error;
    }
    match item {
        TypeItem::Declared(id) => match d.program.ty(id) {
            TypeDef::Record(_) => Type::Record(id),
            TypeDef::Enum(_) => Type::Enum(id),
            TypeDef::Union(_) => Type::Union(id),
        },
        TypeItem::Alias(index) => d.scopes.aliases.get(index as usize).map_or(Type::Error, |a| a.ty.clone()),
        TypeItem::Builtin(builtin) => builtin_type(d, module, path.span, builtin, lowered),
    }
}

fn wrong_number(d: &mut Declarations<'_>, module: ModuleId, path: &ast::Path, arity: usize, given: usize) {
    let name = path.parts.last().map_or("", |p| p.name.as_str());
    let example = match (name, arity) {
        ("map", _) => "write `map<string, int>`: a type for the keys and one for the values".to_owned(),
        ("ref", _) => "write `ref<Site>`, with the slice that is referred to".to_owned(),
        (_, 0) => format!("write `{name}` alone"),
        _ => format!("write `{name}<string>`, with the type of what it holds"),
    };
    let are = if given == 1 { "is" } else { "are" };
    let message = match arity {
        0 => format!("`{name}` takes no types between `<` and `>`"),
        1 => format!("`{name}` takes one type between `<` and `>`, and {given} {are} given"),
        n => format!("`{name}` takes {n} types between `<` and `>`, and {given} {are} given"),
    };
    let problem = d.problem(codes::TYPE_ARGUMENTS, module, path.span, message).help(example);
    d.diagnostics.push(problem);
}

fn builtin_type(
    d: &mut Declarations<'_>,
    module: ModuleId,
    span: Span,
    builtin: BuiltinType,
    args: Vec<Type>,
) -> Type {
    let mut args = args.into_iter();
    let mut next = || args.next().unwrap_or(Type::Error);
    match builtin {
        BuiltinType::Bool => Type::Bool,
        BuiltinType::Int => Type::Int,
        BuiltinType::Float => Type::Float,
        BuiltinType::String => Type::Str,
        BuiltinType::Duration => Type::Duration,
        BuiltinType::Size => Type::Size,
        BuiltinType::Any => Type::Any,
        BuiltinType::FileMode => Type::FileMode,
        BuiltinType::List => Type::List(Arc::new(next())),
        BuiltinType::Set => {
            let element = next();
            plain_leaf(d, module, span, &element, "an element of a set");
            Type::Set(Arc::new(element))
        }
        BuiltinType::Map => {
            let (key, value) = (next(), next());
            map_key(d, module, span, &key);
            Type::Map(Arc::new(key), Arc::new(value))
        }
        BuiltinType::Ref => reference(d, module, span, next()),
        BuiltinType::Secret => {
            let inner = next();
            if markable(d, module, span, &inner, "secret") { inner.secret() } else { Type::Error }
        }
        BuiltinType::Later => {
            let inner = next();
            if markable(d, module, span, &inner, "later") { inner.later() } else { Type::Error }
        }
    }
}

/// Refuses a mark where values are told apart.
fn plain_leaf(d: &mut Declarations<'_>, module: ModuleId, span: Span, ty: &Type, what: &str) {
    let mark = match ty.non_null().bare() {
        Type::Secret(_) => "secret",
        Type::Later(_) => "known only after a deploy",
        _ => return,
    };
    let message = format!("{what} cannot be {mark}");
    let problem = d.problem(codes::WRONG_TYPE_ARGUMENT, module, span, message);
    d.diagnostics.push(problem.help("use a list, or take the mark away"));
}

/// Strings, ints and enums, and what refines them.
fn map_key(d: &mut Declarations<'_>, module: ModuleId, span: Span, ty: &Type) {
    let is_key = |ty: &Type| {
        matches!(
            ty.bare(),
            Type::Error | Type::Str | Type::Int | Type::Enum(_) | Type::StrLit(_) | Type::IntLit(_)
        )
    };
    let fits = match ty.bare() {
        Type::OneOf(all) => {
            all.iter().all(|t| matches!(t.bare(), Type::StrLit(_)))
                || all.iter().all(|t| matches!(t.bare(), Type::IntLit(_)))
        }
        _ => is_key(ty),
    };
    if !fits {
        let message = format!("`{}` cannot be the key of a map", show(&d.program, ty));
        let problem = d.problem(codes::WRONG_TYPE_ARGUMENT, module, span, message);
        d.diagnostics.push(problem.help("the keys of a map are strings, ints or the names of an enum"));
    }
}

fn reference(d: &mut Declarations<'_>, module: ModuleId, span: Span, ty: Type) -> Type {
    let kind = match ty.bare() {
        Type::Error => return Type::Error,
        Type::Record(id) => d.program.record(*id).map(|r| (r.kind, *id)),
        _ => None,
    };
    if let Some((RecordKind::Slice, id)) = kind {
        return Type::Ref(id);
    }
    let shown = show(&d.program, &ty).to_string();
    let message = format!("`ref` refers to the instances of a slice, and `{shown}` is none");
    let problem = d.problem(codes::WRONG_TYPE_ARGUMENT, module, span, message);
    let help = match kind {
        Some((RecordKind::Entity | RecordKind::Target | RecordKind::Resource, _)) => {
            format!("a field of an entity or a resource refers to one with `{shown}` alone")
        }
        _ => "name a slice between `<` and `>`".to_owned(),
    };
    d.diagnostics.push(problem.help(help));
    Type::Error
}

/// Whether a mark may stand on a type: on leaves, and on lists and maps of them.
fn markable(d: &mut Declarations<'_>, module: ModuleId, span: Span, ty: &Type, word: &str) -> bool {
    let inside = match ty.bare() {
        Type::Record(_) | Type::Ref(_) | Type::Union(_) | Type::Variant(..) => ty.clone(),
        Type::Optional(inner) | Type::List(inner) | Type::Map(_, inner) | Type::Later(inner) => {
            return markable(d, module, span, inner, word);
        }
        Type::OneOf(all) => match all.iter().find(|t| !is_leaf(t)) {
            Some(found) => found.clone(),
            None => return true,
        },
        Type::Set(_) => {
            plain_leaf(d, module, span, &Type::Str.secret(), "an element of a set");
            return false;
        }
        _ => return true,
    };
    let shown = show(&d.program, &inside).to_string();
    let message = format!("`{word}` marks single values, and `{shown}` holds several");
    let problem = d.problem(codes::WRONG_TYPE_ARGUMENT, module, span, message);
    d.diagnostics.push(problem.help(format!("write `{word}<…>` at those of its fields that are {word}")));
    false
}

fn is_leaf(ty: &Type) -> bool {
    use Type::{List, Map, Record, Ref, Set, Union, Variant};
    !matches!(ty.bare(), List(_) | Map(..) | Record(_) | Ref(_) | Set(_) | Union(_) | Variant(..))
}

/// `A | B | null`: flattened, null taken out.
fn alternatives<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    span: Span,
    parts: &'a [ast::TypeExpr],
) -> Type {
    let mut flat = Vec::with_capacity(parts.len());
    let mut nullable = false;
    let mut broken = false;
    for part in parts {
        let lowered = lower_type(d, module, part);
        broken |= matches!(lowered.bare(), Type::Error);
        flatten(lowered, &mut flat, &mut nullable);
    }
    if broken {
        return Type::Error;
    }
    let ty = match flat.len() {
        0 => return Type::Null,
        1 => flat.remove(0),
        _ => Type::OneOf(flat.into()),
    };
    if let Type::OneOf(_) = &ty {
        let file = d.file(module);
        let found = Alternatives { module, node: d.nodes.node(file, span), ty: ty.clone() };
        if d.complete {
            check_alternatives(d, &found);
        } else {
            d.alternatives.push(found);
        }
    }
    if nullable { ty.optional() } else { ty }
}

fn flatten(ty: Type, flat: &mut Vec<Type>, nullable: &mut bool) {
    // An alias of alternatives is one alternative after another; a refined one stays whole.
    let through = match &ty {
        Type::Alias(_, inner) if is_compound(inner) => inner.as_ref().clone(),
        _ => ty,
    };
    match through {
        Type::Null => *nullable = true,
        Type::Optional(inner) => {
            *nullable = true;
            flatten(inner.as_ref().clone(), flat, nullable);
        }
        Type::OneOf(inner) => flat.extend(inner.iter().cloned()),
        other => flat.push(other),
    }
}

fn is_compound(ty: &Type) -> bool {
    match ty {
        Type::Alias(_, inner) => is_compound(inner),
        Type::OneOf(_) | Type::Optional(_) | Type::Null => true,
        _ => false,
    }
}

/// Checks the alternatives that were met before all keys were known.
pub(super) fn check_all_alternatives(d: &mut Declarations<'_>) {
    d.complete = true;
    for found in std::mem::take(&mut d.alternatives) {
        check_alternatives(d, &found);
    }
}

/// Any two alternatives differ in their kind of data, are different literals of one kind, or are
/// one type with and without marks.
fn check_alternatives(d: &mut Declarations<'_>, found: &Alternatives) {
    let Type::OneOf(all) = &found.ty else { return };
    let kinds_of: Vec<Kinds> = all.iter().map(|t| kinds(&d.program, t)).collect();
    for (j, later) in all.iter().enumerate() {
        for (i, earlier) in all.iter().enumerate().take(j) {
            let common = kinds_of[i].and(kinds_of[j]);
            let clash = if matches!((earlier.bare(), later.bare()), (Type::Any, _) | (_, Type::Any)) {
                "`any` takes every value".to_owned()
            } else if is_literal(earlier) && is_literal(later) {
                if earlier.bare() != later.bare() {
                    continue;
                }
                "this alternative stands here twice".to_owned()
            } else if !common.is_empty() && unmarked(earlier) != unmarked(later) {
                format!("both stand as {} in data", common.word())
            } else if earlier == later {
                "this alternative stands here twice".to_owned()
            } else {
                continue;
            };
            let shown = (show(&d.program, earlier).to_string(), show(&d.program, later).to_string());
            let file = d.file(found.module);
            let place = crate::diag::Place::Model { file, node: found.node.0 };
            let message = format!("`{}` and `{}` cannot be told apart", shown.0, shown.1);
            let problem =
                crate::diag::Diagnostic::new(codes::ALTERNATIVES_OVERLAP, place, message).at(clash).help(
                    "the alternatives of `A | B` differ in their kind of data; for several structs declare a `union … by`",
                );
            d.diagnostics.push(problem);
            return;
        }
    }
}

fn is_literal(ty: &Type) -> bool {
    matches!(ty.bare(), Type::StrLit(_) | Type::IntLit(_))
}

fn unmarked(ty: &Type) -> &Type {
    match ty.bare() {
        Type::Secret(inner) | Type::Later(inner) => unmarked(inner),
        bare => bare,
    }
}
