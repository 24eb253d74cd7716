//! `inverse`, `closure`, `acyclic`.

use crate::base::Span;
use crate::diag::codes::model as codes;
use crate::diag::{Diagnostic, Place};
use crate::model::program::{AcyclicDef, RelationDef};
use crate::model::schema::{FieldDef, FieldKind, Slot, TypeDef};
use crate::model::scopes::ModuleId;
use crate::model::show;
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::{self, Cost, Ident, ItemKind, RecordKind};

use super::collect::{docs, text};
use super::{Declarations, Pending, PendingKind, lower_type};

/// Declares the relations of all modules: each adds a field to its owner.
pub(super) fn all(d: &mut Declarations<'_>) {
    for index in 0..d.modules.len() {
        let tree = d.modules[index];
        let module = ModuleId(index as u32);
        for item in &tree.items {
            match &item.kind {
                ItemKind::Relation(relation) => declare(d, module, item, relation),
                ItemKind::Acyclic(acyclic) => declare_acyclic(d, module, item.span, acyclic),
                _ => {}
            }
        }
    }
}

fn declare<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    item: &'a ast::Item,
    relation: &'a ast::RelationDecl,
) {
    let word = if relation.closure { "a closure" } else { "an inverse" };
    let owner = referable(d, module, &relation.owner, word);
    let ty = lower_type(d, module, &relation.ty);
    let Some(owner) = owner else { return };
    let source = if relation.closure {
        closure_type(d, module, relation, owner, &ty)
    } else {
        inverse_type(d, module, relation, &ty)
    };
    let Some((source, list)) = source else { return };
    let Some(by) = followed(d, module, source, relation.by, owner, word, !relation.closure) else { return };
    if !is_free(d, module, owner, relation.name) {
        return;
    }
    let index = d.program.relations.len() as u32;
    let file = d.file(module);
    let node = d.nodes.node(file, item.span);
    let field = FieldDef {
        name: relation.name.name,
        data_name: relation.name.name.as_str().into(),
        kind: FieldKind::Relation(index),
        ty,
        value: None,
        refined: false,
        cost: Cost::Live,
        was: Vec::new(),
        file,
        node: d.nodes.node(file, relation.name.span),
        docs: docs(&item.docs),
        deprecated: text(item.deprecated.as_ref()),
    };
    let Some(TypeDef::Record(record)) = d.program.types.get_mut(owner.0 as usize) else { return };
    let slot = record.fields.len() as Slot;
    record.fields.push(field);
    record.relations.push(index);
    let closure = relation.closure;
    d.program.relations.push(RelationDef { closure, owner, slot, source, by, list, file, node });
}

/// The record that a relation belongs to: one whose values can be referred to.
fn referable(d: &mut Declarations<'_>, module: ModuleId, path: &ast::Path, word: &str) -> Option<TypeId> {
    let id = d.record_at(module, path)?;
    let kind = d.program.record(id)?.kind;
    if !matches!(kind, RecordKind::Struct | RecordKind::Plain) {
        return Some(id);
    }
    let name = d.program.ty(id).decl().name;
    let message = format!("{word} belongs to a slice or an entity, and `{name}` is a struct");
    let problem = d.problem(codes::RELATION, module, path.span, message);
    d.diagnostics.push(problem.help("a struct cannot be referred to: declare it for what holds the struct"));
    None
}

/// `set<B>`, or `list<B>` where B is a struct.
fn inverse_type(
    d: &mut Declarations<'_>,
    module: ModuleId,
    relation: &ast::RelationDecl,
    ty: &Type,
) -> Option<(TypeId, bool)> {
    let (element, list) = match ty.bare() {
        Type::Error => return None,
        Type::Set(element) => (element, false),
        Type::List(element) => (element, true),
        _ => return wrong_type(d, module, relation, ty, "write `set<T>`, where T has the field after `by`"),
    };
    let Some(source) = element.record() else {
        return wrong_type(d, module, relation, ty, "write `set<T>`, where T has the field after `by`");
    };
    let record = d.program.record(source)?;
    let name = record.decl.name;
    match (record.kind, list) {
        (RecordKind::Plain, _) => wrong_type(
            d,
            module,
            relation,
            ty,
            &format!("`{name}` is plain, so nothing can tell one from another"),
        ),
        (RecordKind::Struct, false) => wrong_type(
            d,
            module,
            relation,
            ty,
            &format!("equal structs are not merged: write `list<{name}>`"),
        ),
        (RecordKind::Struct, true) => Some((source, true)),
        (_, true) => {
            wrong_type(d, module, relation, ty, &format!("they come once each: write `set<{name}>`"))
        }
        (_, false) => Some((source, false)),
    }
}

/// `set<A>` of the owner itself.
fn closure_type(
    d: &mut Declarations<'_>,
    module: ModuleId,
    relation: &ast::RelationDecl,
    owner: TypeId,
    ty: &Type,
) -> Option<(TypeId, bool)> {
    let fits = match ty.bare() {
        Type::Error => return None,
        Type::Set(element) => element.record() == Some(owner),
        _ => false,
    };
    if fits {
        return Some((owner, false));
    }
    let name = d.program.ty(owner).decl().name;
    wrong_type(d, module, relation, ty, &format!("a closure of `{name}` is a `set<{name}>`"))
}

fn wrong_type<T>(
    d: &mut Declarations<'_>,
    module: ModuleId,
    relation: &ast::RelationDecl,
    ty: &Type,
    help: &str,
) -> Option<T> {
    let word = if relation.closure { "a closure" } else { "an inverse" };
    let message = format!("`{}` cannot be the type of {word}", show(&d.program, ty));
    let problem = d.problem(codes::RELATION, module, relation.ty.span, message).help(help);
    d.diagnostics.push(problem);
    None
}

/// The field after `by`, which must lead from `source` to `target`.
fn followed(
    d: &mut Declarations<'_>,
    module: ModuleId,
    source: TypeId,
    by: Ident,
    target: TypeId,
    word: &str,
    stored_only: bool,
) -> Option<Slot> {
    let record = d.program.record(source)?;
    let owner = record.decl.name;
    let Some((slot, field)) = record.field(by.name) else {
        let known: Vec<&str> = record.fields.iter().map(|f| f.name.as_str()).collect();
        d.unknown_field(module, by, owner, known);
        return None;
    };
    let place = Place::Model { file: field.file, node: field.node.0 };
    let (kind, ty) = (field.kind, field.ty.clone());
    let wanted = d.program.ty(target).decl().name;
    let derived = kind == FieldKind::Derived;
    if !kind.is_stored() && (stored_only || !derived) {
        let message = format!("{word} follows a stored field, and `{}` is none", by.name);
        let problem = d.problem(codes::RELATION, module, by.span, message);
        d.diagnostics.push(problem.label(place, "declared here"));
        return None;
    }
    if derived && ty == Type::Error {
        // Its own type may be wrong, which has been said; a missing one is said here.
        let message = format!("the type of `{}` must be written, as {word} follows it", by.name);
        let problem = d.problem(codes::RELATION, module, by.span, message);
        d.diagnostics.push(problem.label(place, format!("write `let {}: set<{wanted}> = …`", by.name)));
        return None;
    }
    match referred(&ty) {
        Some(to) if to == target => Some(slot),
        _ if ty.bare() == &Type::Error => None,
        _ => {
            let shown = show(&d.program, &ty).to_string();
            let message = format!("`{owner}.{}` does not refer to `{wanted}`", by.name);
            let problem: Diagnostic = d.problem(codes::RELATION, module, by.span, message);
            d.diagnostics.push(problem.label(place, format!("a `{shown}`")).help(format!(
                "{word} follows a `ref<{wanted}>`, an optional one, or a list or set of them"
            )));
            None
        }
    }
}

/// What a field refers to: `ref<S>`, `S`, optional, or a list or set of them.
fn referred(ty: &Type) -> Option<TypeId> {
    match ty.non_null().bare() {
        Type::List(element) | Type::Set(element) => element.non_null().record(),
        other => other.record(),
    }
}

fn is_free(d: &mut Declarations<'_>, module: ModuleId, owner: TypeId, name: Ident) -> bool {
    let taken = d.program.record(owner).and_then(|r| r.field(name.name)).map(|(_, f)| (f.file, f.node));
    let Some((file, node)) = taken else { return true };
    let owner = d.program.ty(owner).decl().name;
    let message = format!("`{owner}` has a field `{}` already", name.name);
    let problem = d.problem(codes::DUPLICATE_NAME, module, name.span, message);
    d.diagnostics.push(problem.label(Place::Model { file, node: node.0 }, "declared here"));
    false
}

fn declare_acyclic<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    span: Span,
    acyclic: &'a ast::AcyclicDecl,
) {
    let Some(owner) = referable(d, module, &acyclic.owner, "`acyclic`") else { return };
    let Some(by) = followed(d, module, owner, acyclic.by, owner, "`acyclic`", false) else { return };
    let index = d.program.acyclics.len() as u32;
    let file = d.file(module);
    let node = d.nodes.node(file, span);
    d.program.acyclics.push(AcyclicDef { owner, by, message: Default::default(), file, node });
    if let Some(expr) = &acyclic.message {
        d.pending.push(Pending { module, kind: PendingKind::AcyclicMessage { index, expr } });
    }
}
