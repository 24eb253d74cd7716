//! The members of records: lowered once where they stand, then put together with those of the
//! structs that are included.

use rustc_hash::FxHashMap;

use crate::base::{Name, Span};
use crate::diag::codes::model as codes;
use crate::model::order;
use crate::model::schema::{FieldDef, FieldKind};
use crate::model::scopes::{ModuleId, TypeItem};
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::{self, Cost, FieldRole, MemberKind, RecordKind};

use super::collect::{TypeHead, TypeTree, docs, text};
use super::{Declarations, lower_type};

/// A member as it is lowered in its own module.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    /// Where it stands: whose names it sees.
    pub module: ModuleId,
    /// Its name, or all of it.
    pub span: Span,
    /// The `...X` of the record that it is a part of, if it was included there.
    pub include: Option<(ModuleId, Span)>,
    /// What it is.
    pub kind: PartKind<'a>,
}

#[derive(Clone, Debug)]
pub(super) enum PartKind<'a> {
    /// A stored field, an output, a derived field, `...rest`.
    Field {
        def: FieldDef,
        /// The default, what fills it, or what it is.
        value: Option<&'a ast::Expr>,
        /// Whether its type is written.
        declared: bool,
    },
    /// `key metadata.name`.
    KeyPath(&'a [ast::Ident]),
    /// `check …`.
    Check(&'a ast::Check),
    /// `unique …`.
    Unique(&'a [ast::Ident]),
    /// `...Meta`, before it is replaced by what it stands for.
    Include(TypeId),
}

/// The members of all records, in the order of `records`, includes replaced.
pub(super) fn all<'a>(d: &mut Declarations<'a>, types: &[TypeHead<'a>]) -> FxHashMap<TypeId, Vec<Part<'a>>> {
    let mut own: FxHashMap<TypeId, Vec<Part<'a>>> = FxHashMap::default();
    for head in types {
        if let TypeTree::Record(tree) = head.tree {
            own.insert(head.id, own_parts(d, head.module, tree));
        }
    }
    let needs = include_graph(d.program.types.len(), &own);
    for cycle in order::cycles(&needs) {
        refuse_cycle(d, &needs, &cycle, &mut own);
    }
    let needs = include_graph(d.program.types.len(), &own);
    for id in order::components(&needs).into_iter().flatten().map(TypeId) {
        let Some(parts) = own.remove(&id) else { continue };
        let parts = expand(d, parts, &own);
        own.insert(id, parts);
    }
    own
}

fn include_graph(types: usize, own: &FxHashMap<TypeId, Vec<Part<'_>>>) -> Vec<Vec<u32>> {
    let mut needs = vec![Vec::new(); types];
    for (id, parts) in own {
        let included = parts.iter().filter_map(|p| match p.kind {
            PartKind::Include(of) => Some(of.0),
            _ => None,
        });
        needs[id.0 as usize].extend(included);
    }
    needs
}

/// Structs that include each other: said at each of the places, which are then left out.
fn refuse_cycle(
    d: &mut Declarations<'_>,
    needs: &[Vec<u32>],
    cycle: &[u32],
    own: &mut FxHashMap<TypeId, Vec<Part<'_>>>,
) {
    let way = order::way_round(needs, cycle);
    let names: Vec<&str> = way.iter().map(|&t| d.program.ty(TypeId(t)).decl().name.as_str()).collect();
    let first = names.first().copied().unwrap_or_default();
    let message = format!("`{}` includes itself: `{} -> {first}`", first, names.join(" -> "));
    let mut problem = None;
    for &id in &way {
        let Some(parts) = own.get(&TypeId(id)) else { continue };
        for part in parts {
            if matches!(part.kind, PartKind::Include(of) if cycle.binary_search(&of.0).is_ok()) {
                let place = d.place(part.module, part.span);
                problem = Some(match problem.take() {
                    None => d
                        .problem(codes::INCLUDE, part.module, part.span, message.clone())
                        .help("move what both need into a struct of its own, and include that"),
                    Some(problem) => crate::diag::Diagnostic::label(problem, place, "included here"),
                });
                break;
            }
        }
    }
    d.diagnostics.extend(problem);
    for id in cycle {
        if let Some(parts) = own.get_mut(&TypeId(*id)) {
            parts.retain(|p| !matches!(p.kind, PartKind::Include(of) if cycle.binary_search(&of.0).is_ok()));
        }
    }
}

/// Replaces includes by the parts of what they name, and refuses a name that is there twice.
fn expand<'a>(
    d: &mut Declarations<'a>,
    parts: Vec<Part<'a>>,
    done: &FxHashMap<TypeId, Vec<Part<'a>>>,
) -> Vec<Part<'a>> {
    let mut expanded: Vec<Part<'a>> = Vec::with_capacity(parts.len());
    let mut seen: FxHashMap<Name, (ModuleId, Span)> = FxHashMap::default();
    for part in parts {
        let PartKind::Include(of) = part.kind else {
            if is_new_field(d, &part, &mut seen) {
                expanded.push(part);
            }
            continue;
        };
        for included in done.get(&of).into_iter().flatten() {
            let included = Part { include: Some((part.module, part.span)), ..included.clone() };
            if is_new_field(d, &included, &mut seen) {
                expanded.push(included);
            }
        }
    }
    expanded
}

fn is_new_field(
    d: &mut Declarations<'_>,
    part: &Part<'_>,
    seen: &mut FxHashMap<Name, (ModuleId, Span)>,
) -> bool {
    let PartKind::Field { def, .. } = &part.kind else { return true };
    let at = part.include.unwrap_or((part.module, part.span));
    match seen.get(&def.name) {
        None => {
            seen.insert(def.name, at);
            true
        }
        Some(&(module, first)) => {
            let name = ast::Ident { name: def.name, span: at.1 };
            d.duplicate(name, at.0, module, first);
            false
        }
    }
}

fn own_parts<'a>(d: &mut Declarations<'a>, module: ModuleId, tree: &'a ast::RecordDecl) -> Vec<Part<'a>> {
    let mut parts = Vec::with_capacity(tree.members.len());
    for member in &tree.members {
        let (span, kind) = match &member.kind {
            MemberKind::Field(field) => {
                check_role(d, module, tree.kind, field);
                (field.name.span, stored(d, module, member, field))
            }
            MemberKind::Derived { name, ty, value } => {
                (name.span, derived(d, module, member, *name, ty.as_ref(), value))
            }
            MemberKind::Rest { name, ty } => (name.span, rest(d, module, member, *name, ty)),
            MemberKind::KeyPath(path) => (member.span, PartKind::KeyPath(path)),
            MemberKind::Check(check) => (check.span, PartKind::Check(check)),
            MemberKind::Unique(fields) => (member.span, PartKind::Unique(fields)),
            MemberKind::Include(path) => match include(d, module, path) {
                Some(of) => (path.span, PartKind::Include(of)),
                None => continue,
            },
        };
        parts.push(Part { module, span, include: None, kind });
    }
    parts
}

/// `output` and `assigned` stand where there is somebody to fill them; a plain struct has no key.
fn check_role(d: &mut Declarations<'_>, module: ModuleId, kind: RecordKind, field: &ast::FieldDecl) {
    let name = field.name.name;
    let (message, help) = match (field.role, kind) {
        (FieldRole::Output, k) if k != RecordKind::Resource => (
            format!("`{name}` is an `output`, and only a resource has outputs"),
            "an output is what a handler knows once it has deployed a resource",
        ),
        (FieldRole::Output, _) if field.default.is_some() => (
            format!("the output `{name}` has a value"),
            "an output comes from the handler: take the value away",
        ),
        (FieldRole::Assigned, k) if !matches!(k, RecordKind::Slice | RecordKind::Struct) => (
            format!("`{name}` is `assigned`, and only slices and structs are written back"),
            "move it into a slice or a struct with identity",
        ),
        (FieldRole::Assigned, _) if field.default.is_none() => (
            format!("`{name}` is `assigned`, and nothing says from what"),
            "write what fills it: `assigned id: int = free_int(1..=9, used: …)`",
        ),
        (FieldRole::Key, RecordKind::Plain) => {
            (format!("`{name}` is a `key`, and a plain struct has no identity"), "take `plain` or `key` away")
        }
        _ => return,
    };
    let problem = d.problem(codes::MISPLACED_FIELD, module, field.name.span, message).help(help);
    d.diagnostics.push(problem);
}

fn stored<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    member: &ast::Member,
    field: &'a ast::FieldDecl,
) -> PartKind<'a> {
    let kind = match field.role {
        FieldRole::Plain => FieldKind::Plain,
        FieldRole::Key => FieldKind::Key,
        FieldRole::Output => FieldKind::Output,
        FieldRole::Assigned => FieldKind::Assigned,
    };
    let ty = lower_type(d, module, &field.ty);
    let mut def = field_def(d, module, member, field.name, kind, ty);
    if let Some(data_name) = &field.data_name {
        def.data_name = data_name.text.as_str().into();
    }
    def.cost = field.cost.map_or(Cost::Live, |(cost, _)| cost);
    def.was = field.was.iter().map(|w| w.text.as_str().into()).collect();
    PartKind::Field { def, value: field.default.as_ref(), declared: true }
}

fn derived<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    member: &ast::Member,
    name: ast::Ident,
    ty: Option<&'a ast::TypeExpr>,
    value: &'a ast::Expr,
) -> PartKind<'a> {
    let lowered = ty.map_or(Type::Error, |ty| lower_type(d, module, ty));
    let def = field_def(d, module, member, name, FieldKind::Derived, lowered);
    PartKind::Field { def, value: Some(value), declared: ty.is_some() }
}

fn rest<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    member: &ast::Member,
    name: ast::Ident,
    ty: &'a ast::TypeExpr,
) -> PartKind<'a> {
    let mut lowered = lower_type(d, module, ty);
    let fits = match lowered.bare() {
        Type::Error => true,
        Type::Map(key, _) => matches!(key.bare(), Type::Str | Type::Error),
        _ => false,
    };
    if !fits {
        let message = format!("`...{}` takes whatever is not declared, by name", name.name);
        let problem = d.problem(codes::REST_FIELD, module, ty.span, message);
        d.diagnostics.push(problem.help("its type is a map with string keys: `map<string, any>`"));
        lowered = Type::Error;
    }
    let def = field_def(d, module, member, name, FieldKind::Rest, lowered);
    PartKind::Field { def, value: None, declared: true }
}

fn field_def(
    d: &mut Declarations<'_>,
    module: ModuleId,
    member: &ast::Member,
    name: ast::Ident,
    kind: FieldKind,
    ty: Type,
) -> FieldDef {
    let file = d.file(module);
    FieldDef {
        name: name.name,
        data_name: name.name.as_str().into(),
        kind,
        refined: is_refined(&ty),
        ty,
        value: None,
        cost: Cost::Live,
        was: Vec::new(),
        file,
        node: d.nodes.node(file, name.span),
        docs: docs(&member.docs),
        deprecated: text(member.deprecated.as_ref()),
    }
}

/// Whether a value of the type must be looked through for refinements; records look after their
/// own fields.
pub(super) fn is_refined(ty: &Type) -> bool {
    match ty {
        Type::Refined(..) | Type::FileMode | Type::StrLit(_) | Type::IntLit(_) => true,
        Type::Alias(_, inner)
        | Type::Optional(inner)
        | Type::List(inner)
        | Type::Set(inner)
        | Type::Secret(inner)
        | Type::Later(inner) => is_refined(inner),
        Type::Map(key, value) => is_refined(key) || is_refined(value),
        Type::OneOf(all) => all.iter().any(is_refined),
        _ => false,
    }
}

/// The struct that `...X` names.
fn include(d: &mut Declarations<'_>, module: ModuleId, path: &ast::Path) -> Option<TypeId> {
    let item = match d.scopes.resolve_type(&mut d.nodes, module, path) {
        Ok(item) => item,
        Err(problem) => {
            d.diagnostics.push(*problem);
            return None;
        }
    };
    d.warn_if_deprecated(module, path, item);
    let id = d.record_of(item);
    let kind = id.and_then(|id| d.program.record(id)).map(|r| r.kind);
    if matches!(kind, Some(RecordKind::Struct | RecordKind::Plain)) {
        return id;
    }
    if !matches!(item, TypeItem::Alias(i) if d.scopes.aliases.get(i as usize).is_some_and(|a| a.ty.bare() == &Type::Error))
    {
        let message = "only a struct can be included";
        let problem = d.problem(codes::INCLUDE, module, path.span, message);
        d.diagnostics.push(problem.help("move the shared fields into a `struct`, and include it in both"));
    }
    None
}
