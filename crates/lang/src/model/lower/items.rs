//! Aliases, signatures, and the heads of everything that has a body.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::codes::model as codes;
use crate::model::order;
use crate::model::program::MovedDef;
use crate::model::scopes::{ModuleId, TypeItem};
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::{self, ItemKind, MovedKind, RecordKind, TypeKind};

use super::collect::{Collected, full_path, is_new};
use super::{Declarations, Pending, PendingKind, lower_type};

/// How large what an alias stands for may be, in types.
const LARGEST_ALIAS: usize = 1000;

/// Lowers all aliases, each after those that it names.
pub(super) fn aliases<'a>(d: &mut Declarations<'a>, collected: &Collected<'a>) {
    let needs: Vec<Vec<u32>> = collected
        .aliases
        .iter()
        .map(|(module, tree)| {
            let mut named = Vec::new();
            aliases_in(d, *module, &tree.ty, &mut named);
            named
        })
        .collect();
    let mut cyclic = FxHashSet::default();
    for cycle in order::cycles(&needs) {
        let way = order::way_round(&needs, &cycle);
        let names: Vec<&str> = way
            .iter()
            .filter_map(|&i| Some(collected.aliases.get(i as usize)?.1.name.name.as_str()))
            .collect();
        let first = names.first().copied().unwrap_or_default();
        let mut problem = None;
        for &(module, tree) in way.iter().filter_map(|&i| collected.aliases.get(i as usize)) {
            let place = d.place(module, tree.name.span);
            problem = Some(match problem.take() {
                None => d
                    .problem(
                        codes::ALIAS_CYCLE,
                        module,
                        tree.name.span,
                        format!("the alias `{first}` stands for itself: `{} -> {first}`", names.join(" -> ")),
                    )
                    .help("an alias only names a type; for data that nests declare a `struct`"),
                Some(problem) => crate::diag::Diagnostic::label(problem, place, "through this alias"),
            });
        }
        d.diagnostics.extend(problem);
        cyclic.extend(cycle);
    }
    for index in order::components(&needs).into_iter().flatten() {
        let Some(&(module, tree)) = collected.aliases.get(index as usize) else { continue };
        if cyclic.contains(&index) {
            continue;
        }
        let refinements = d.program.refinements.len();
        let lowered = lower_type(d, module, &tree.ty);
        let docs = d.scopes.aliases.get(index as usize).map(|a| a.docs.clone()).unwrap_or_default();
        for refinement in d.program.refinements.iter_mut().skip(refinements) {
            (refinement.alias, refinement.docs) = (Some(tree.name.name), docs.clone());
        }
        let lowered = match lowered {
            // An alias of an alias means the type, under the new name.
            Type::Alias(_, inner) => inner,
            Type::Error => continue,
            other => Arc::new(other),
        };
        let mut left = LARGEST_ALIAS;
        let ty = if fits(&lowered, 64, &mut left) {
            Type::Alias(tree.name.name, lowered)
        } else {
            let message = format!("the type `{}` is too large", tree.name.name);
            let problem = d.problem(codes::LIMIT, module, tree.name.span, message);
            d.diagnostics.push(problem.help("declare structs for its parts"));
            Type::Error
        };
        if let Some(alias) = d.scopes.aliases.get_mut(index as usize) {
            alias.ty = ty;
        }
    }
}

/// Whether a type stays within a depth and a number of types.
fn fits(ty: &Type, depth: usize, left: &mut usize) -> bool {
    if depth == 0 || *left == 0 {
        return false;
    }
    *left -= 1;
    match ty {
        Type::Alias(_, inner)
        | Type::Refined(inner, _)
        | Type::Optional(inner)
        | Type::Secret(inner)
        | Type::Later(inner)
        | Type::List(inner)
        | Type::Set(inner) => fits(inner, depth - 1, left),
        Type::Map(key, value) => fits(key, depth - 1, left) && fits(value, depth - 1, left),
        Type::OneOf(all) => all.iter().all(|t| fits(t, depth - 1, left)),
        _ => true,
    }
}

/// The aliases that a type names, by index.
fn aliases_in(d: &Declarations<'_>, module: ModuleId, ty: &ast::TypeExpr, named: &mut Vec<u32>) {
    match &ty.kind {
        TypeKind::Named { path, args } => {
            if let Some(TypeItem::Alias(index)) = d.scopes.type_at(module, path) {
                named.push(index);
            }
            args.iter().for_each(|arg| aliases_in(d, module, arg, named));
        }
        TypeKind::Union(parts) => parts.iter().for_each(|part| aliases_in(d, module, part, named)),
        TypeKind::Optional(inner) | TypeKind::Where(inner, _) => aliases_in(d, module, inner, named),
        _ => {}
    }
}

/// The types of constants and functions, and everything else that has a body.
pub(super) fn bodies<'a>(d: &mut Declarations<'a>, collected: &Collected<'a>) {
    for (index, &(module, tree)) in collected.consts.iter().enumerate() {
        let declared = tree.ty.as_ref().map(|ty| lower_type(d, module, ty));
        if let (Some(ty), Some(def)) = (&declared, d.program.consts.get_mut(index)) {
            def.ty = ty.clone();
        }
        let kind = PendingKind::Const { index: index as u32, declared, expr: &tree.value };
        d.pending.push(Pending { module, kind });
    }
    for (index, &(module, tree)) in collected.functions.iter().enumerate() {
        signature(d, module, index, tree);
        let kind = PendingKind::Function { index: index as u32, decl: tree };
        d.pending.push(Pending { module, kind });
    }
    for index in 0..d.modules.len() {
        let tree = d.modules[index];
        for item in &tree.items {
            head(d, ModuleId(index as u32), item);
        }
    }
}

fn signature<'a>(d: &mut Declarations<'a>, module: ModuleId, index: usize, tree: &'a ast::FnDecl) {
    let mut seen = FxHashMap::default();
    let mut params = Vec::with_capacity(tree.params.len());
    for param in &tree.params {
        is_new(d, module, param.name, &mut seen);
        // A name that is there twice still takes an argument.
        params.push((param.name.name, lower_type(d, module, &param.ty)));
    }
    let result = lower_type(d, module, &tree.result);
    if let Some(def) = d.program.functions.get_mut(index) {
        def.params = params;
        def.result = result;
    }
}

fn head<'a>(d: &mut Declarations<'a>, module: ModuleId, item: &'a ast::Item) {
    let kind = match &item.kind {
        ItemKind::Impl(decl) => match body_type(d, module, &decl.ty, Bodied::Impl) {
            Some(ty) => PendingKind::Impl { ty, decl },
            None => return,
        },
        ItemKind::Migration(decl) => match body_type(d, module, &decl.ty, Bodied::Migration) {
            Some(ty) => PendingKind::Migration { ty, decl },
            None => return,
        },
        ItemKind::Check(check) => PendingKind::GlobalCheck { check },
        ItemKind::Test(decl) => PendingKind::Test { decl },
        ItemKind::Moved(decl) => match &decl.kind {
            MovedKind::Object { from, to } => PendingKind::Moved { from, to },
            MovedKind::Type { from, to } => return moved_type(d, module, from, to),
        },
        _ => return,
    };
    d.pending.push(Pending { module, kind });
}

/// What a type is named for.
#[derive(Clone, Copy, PartialEq)]
enum Bodied {
    Impl,
    Migration,
}

fn body_type(d: &mut Declarations<'_>, module: ModuleId, path: &ast::Path, wanted: Bodied) -> Option<TypeId> {
    let item = match d.scopes.resolve_type(&mut d.nodes, module, path) {
        Ok(item) => item,
        Err(problem) => {
            d.diagnostics.push(*problem);
            return None;
        }
    };
    let ty = match item {
        TypeItem::Declared(id) => Some(id),
        TypeItem::Alias(index) => match d.scopes.aliases.get(index as usize)?.ty.bare() {
            Type::Record(id) | Type::Union(id) | Type::Enum(id) => Some(*id),
            Type::Error => return None,
            _ => None,
        },
        TypeItem::Builtin(_) => None,
    };
    let kind = ty.and_then(|id| d.program.record(id)).map(|r| r.kind);
    let is_union = ty.is_some_and(|id| d.program.union(id).is_some());
    let fits = match wanted {
        Bodied::Impl => is_union || kind.is_some_and(|k| k != RecordKind::Plain && k != RecordKind::Resource),
        Bodied::Migration => {
            matches!(kind, Some(RecordKind::Slice | RecordKind::Struct | RecordKind::Plain))
        }
    };
    if fits {
        return ty;
    }
    let name = path.parts.last().map_or("", |p| p.name.as_str());
    let (message, help) = match wanted {
        Bodied::Impl => (
            format!("there can be no `impl` of `{name}`"),
            "an `impl` is written for a slice, a struct with identity, a union or an entity",
        ),
        Bodied::Migration => (
            format!("there can be no migration for `{name}`"),
            "a migration is written for a slice or a struct",
        ),
    };
    let problem = d.problem(codes::WRONG_KIND, module, path.span, message).help(help);
    d.diagnostics.push(problem);
    None
}

fn moved_type(d: &mut Declarations<'_>, module: ModuleId, from: &ast::Path, to: &ast::Path) {
    let Some((last, before)) = from.parts.split_last() else { return };
    let item = match d.scopes.resolve_type(&mut d.nodes, module, to) {
        Ok(TypeItem::Declared(id)) => id,
        Ok(_) => {
            let message = "only declared types have an identity that can move";
            let problem = d.problem(codes::WRONG_KIND, module, to.span, message);
            d.diagnostics
                .push(problem.help("name a slice, an entity, a resource, a struct, an enum or a union"));
            return;
        }
        Err(problem) => {
            d.diagnostics.push(*problem);
            return;
        }
    };
    // One name alone is one of this module, as it was once called.
    let old_module: Vec<_> = match before.is_empty() {
        true => d.scopes.module(module).path.clone(),
        false => before.iter().map(|p| p.name).collect(),
    };
    let old = full_path(&old_module, last.name.as_str());
    d.program.moves.push(MovedDef::Type { from: old, to: item });
}
