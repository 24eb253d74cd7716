//! Records, enums and unions from their members.

use rustc_hash::FxHashMap;

use crate::base::{Name, Span};
use crate::diag::codes::model as codes;
use crate::model::schema::{FieldDef, FieldKind, Slot, TypeDef, UniqueDef, VariantDef};
use crate::model::scopes::ModuleId;
use crate::model::show;
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::{self, RecordKind};

use super::collect::{TypeHead, TypeTree, docs, is_new, text};
use super::members::{Part, PartKind};
use super::{Declarations, Pending, PendingKind, lower_type};

/// A key as it is declared: resolved once all records have their fields.
#[derive(Clone, Debug)]
pub(super) enum KeyDecl<'a> {
    Field(Slot),
    Path { module: ModuleId, span: Span, path: &'a [ast::Ident] },
}

/// What is known of a record beside its schema, for the checks that follow.
#[derive(Clone, Debug)]
pub(super) struct Assembled<'a> {
    pub id: TypeId,
    pub module: ModuleId,
    pub tree: &'a ast::RecordDecl,
    pub keys: Vec<KeyDecl<'a>>,
    /// For each slot the place that stands for it in this record: its name, or the include.
    pub places: Vec<(ModuleId, Span)>,
    /// For each slot whether it has a default.
    pub defaults: Vec<bool>,
}

/// Gives all records their fields, in the order of their files and places.
pub(super) fn all<'a>(
    d: &mut Declarations<'a>,
    types: &[TypeHead<'a>],
    mut parts: FxHashMap<TypeId, Vec<Part<'a>>>,
) -> Vec<Assembled<'a>> {
    let mut assembled = Vec::new();
    for head in types {
        if let TypeTree::Record(tree) = head.tree {
            let parts = parts.remove(&head.id).unwrap_or_default();
            assembled.push(assemble(d, head, tree, parts));
        }
    }
    assembled
}

fn assemble<'a>(
    d: &mut Declarations<'a>,
    head: &TypeHead<'a>,
    tree: &'a ast::RecordDecl,
    mut parts: Vec<Part<'a>>,
) -> Assembled<'a> {
    parts.retain(|part| role_fits(d, tree, part));
    limit_fields(d, head, tree, &mut parts);
    let mut made = Assembled {
        id: head.id,
        module: head.module,
        tree,
        keys: Vec::new(),
        places: Vec::new(),
        defaults: Vec::new(),
    };
    let mut fields = Vec::new();
    // A value has slots for stored fields only, so those come first.
    for stored in [true, false] {
        for part in &parts {
            if let PartKind::Field { def, value, declared } = &part.kind
                && def.kind.is_stored() == stored
            {
                pend_field(d, head.id, fields.len() as Slot, part.module, def, *value, *declared);
                made.places.push(part.include.unwrap_or((part.module, part.span)));
                made.defaults.push(value.is_some());
                fields.push(def.clone());
            }
        }
    }
    let stored = fields.iter().filter(|f| f.kind.is_stored()).count();
    let slot_of = |name: Name| fields.iter().position(|f| f.name == name).map(|s| s as Slot);
    let mut rest = None;
    for part in &parts {
        match &part.kind {
            PartKind::Field { def, .. } if def.kind == FieldKind::Key => {
                made.keys.extend(slot_of(def.name).map(KeyDecl::Field));
            }
            PartKind::Field { def, .. } if def.kind == FieldKind::Rest => {
                if rest.is_some() {
                    let (module, span) = part.include.unwrap_or((part.module, part.span));
                    let message = "only one field can take whatever is not declared";
                    let problem = d.problem(codes::REST_FIELD, module, span, message);
                    d.diagnostics.push(problem.help("take one of the two away"));
                }
                rest = rest.or(slot_of(def.name));
            }
            PartKind::KeyPath(path) => {
                let (module, span) = (part.module, part.span);
                made.keys.push(KeyDecl::Path { module, span, path });
            }
            PartKind::Check(check) => {
                let kind = PendingKind::RecordCheck { owner: head.id, check };
                d.pending.push(Pending { module: part.module, kind });
            }
            _ => {}
        }
    }
    let uniques = uniques(d, tree, &parts, &fields);
    data_names(d, &made, &fields);
    if let Some(TypeDef::Record(record)) = d.program.types.get_mut(head.id.0 as usize) {
        record.fields = fields;
        record.stored = stored;
        record.rest = rest;
        record.uniques = uniques;
    }
    made
}

/// A field that a struct may have and the record that includes it may not.
fn role_fits(d: &mut Declarations<'_>, tree: &ast::RecordDecl, part: &Part<'_>) -> bool {
    let (PartKind::Field { def, .. }, Some((module, span))) = (&part.kind, part.include) else {
        let is_key_path = matches!(part.kind, PartKind::KeyPath(_));
        if is_key_path && tree.kind == RecordKind::Plain {
            let (module, span) = part.include.unwrap_or((part.module, part.span));
            let message = "a plain struct has no identity, and so no `key`";
            let problem = d.problem(codes::MISPLACED_FIELD, module, span, message);
            d.diagnostics.push(problem.help("take `plain` or `key` away"));
            return false;
        }
        return true;
    };
    let word = match (def.kind, tree.kind) {
        (FieldKind::Key, RecordKind::Plain) => "a `key`",
        (FieldKind::Assigned, k) if !matches!(k, RecordKind::Slice | RecordKind::Struct) => "`assigned`",
        _ => return true,
    };
    let message =
        format!("the included field `{}` is {word}, which cannot stand in `{}`", def.name, tree.name.name);
    let problem = d.problem(codes::MISPLACED_FIELD, module, span, message);
    d.diagnostics.push(problem.help("move the field out of the struct that is included"));
    false
}

/// Slots are numbers of 16 bits.
fn limit_fields(
    d: &mut Declarations<'_>,
    head: &TypeHead<'_>,
    tree: &ast::RecordDecl,
    parts: &mut Vec<Part<'_>>,
) {
    const MOST: usize = 4096;
    if parts.len() > MOST {
        parts.truncate(MOST);
        let message = format!("`{}` has more than {MOST} members", tree.name.name);
        let problem = d.problem(codes::LIMIT, head.module, tree.name.span, message);
        d.diagnostics.push(problem.help("split it into nested structs"));
    }
}

fn pend_field<'a>(
    d: &mut Declarations<'a>,
    owner: TypeId,
    slot: Slot,
    module: ModuleId,
    def: &FieldDef,
    value: Option<&'a ast::Expr>,
    declared: bool,
) {
    let Some(expr) = value else { return };
    let kind = match def.kind {
        FieldKind::Derived => {
            PendingKind::Derived { owner, slot, declared: declared.then(|| def.ty.clone()), expr }
        }
        FieldKind::Output => return,
        _ => PendingKind::Default { owner, slot, expr },
    };
    d.pending.push(Pending { module, kind });
}

fn uniques(
    d: &mut Declarations<'_>,
    tree: &ast::RecordDecl,
    parts: &[Part<'_>],
    fields: &[FieldDef],
) -> Vec<UniqueDef> {
    let mut uniques = Vec::new();
    for part in parts {
        let PartKind::Unique(names) = part.kind else { continue };
        if matches!(tree.kind, RecordKind::Struct | RecordKind::Plain) {
            let message = "`unique` holds across instances, and a struct is a part of one";
            let problem = d.problem(codes::UNIQUE, part.module, part.span, message);
            d.diagnostics
                .push(problem.help("declare a `key`, which is unique in its list, or write a check"));
            continue;
        }
        let mut slots = Vec::with_capacity(names.len());
        for name in names {
            match fields.iter().position(|f| f.name == name.name) {
                Some(slot) if is_marked(&fields[slot].ty) => {
                    let message = format!("`{}` is marked, and so cannot be compared", name.name);
                    let problem = d.problem(codes::UNIQUE, part.module, name.span, message);
                    let shown = show(&d.program, &fields[slot].ty).to_string();
                    d.diagnostics.push(problem.help(format!("`unique` needs a plain value, not `{shown}`")));
                }
                Some(slot) => slots.push(slot as Slot),
                None => {
                    let known = fields.iter().map(|f| f.name.as_str());
                    d.unknown_field(part.module, *name, tree.name.name, known);
                }
            }
        }
        if slots.len() == names.len() {
            let file = d.file(part.module);
            uniques.push(UniqueDef { slots, node: d.nodes.node(file, part.span) });
        }
    }
    uniques
}

fn is_marked(ty: &Type) -> bool {
    matches!(ty.non_null().bare(), Type::Secret(_) | Type::Later(_))
}

/// The names in data, present and past, of all stored fields differ.
fn data_names(d: &mut Declarations<'_>, made: &Assembled<'_>, fields: &[FieldDef]) {
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    let mut clashes = Vec::new();
    for (slot, field) in fields.iter().enumerate().filter(|(_, f)| f.kind.is_stored()) {
        if field.kind == FieldKind::Rest {
            continue;
        }
        for name in std::iter::once(&field.data_name).chain(&field.was) {
            if let Some(first) = seen.insert(name, slot) {
                clashes.push((slot, first, name.clone()));
            } else if name.is_empty() || name.starts_with('$') {
                clashes.push((slot, slot, name.clone()));
            }
        }
    }
    for (slot, first, name) in clashes {
        let (module, span) = made.places[slot];
        let problem = if name.is_empty() || name.starts_with('$') {
            let message = format!("`{name}` cannot be the name of a field in data");
            d.problem(codes::DATA_NAME, module, span, message)
                .help("names that start with `$` have a meaning of their own")
        } else {
            let message = format!("the name `{name}` in data would mean two fields");
            let other = made.places[first];
            let place = d.place(other.0, other.1);
            d.problem(codes::DATA_NAME, module, span, message)
                .label(place, "this field has it as well")
                .help("the names after `as` and `was` differ from all others of the type")
        };
        d.diagnostics.push(problem);
    }
}

/// Lowers the variants of enums and unions.
pub(super) fn variants<'a>(d: &mut Declarations<'a>, types: &[TypeHead<'a>]) {
    for head in types {
        let lowered = match head.tree {
            TypeTree::Enum(tree) => variants_of(d, head.module, &tree.variants),
            TypeTree::Union(tree) => variants_of(d, head.module, &tree.variants),
            TypeTree::Record(_) => continue,
        };
        match d.program.types.get_mut(head.id.0 as usize) {
            Some(TypeDef::Enum(def)) => def.variants = lowered,
            Some(TypeDef::Union(def)) => def.variants = lowered,
            _ => {}
        }
    }
}

fn variants_of<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    variants: &'a [ast::Variant],
) -> Vec<VariantDef> {
    let mut seen = FxHashMap::default();
    let mut data_names: FxHashMap<&str, Span> = FxHashMap::default();
    let mut lowered = Vec::with_capacity(variants.len());
    for variant in variants {
        let payload = variant.payload.as_ref().map(|ty| payload(d, module, ty));
        if !is_new(d, module, variant.name, &mut seen) {
            continue;
        }
        let data_name = variant.data_name.as_ref().map_or(variant.name.name.as_str(), |l| l.text.as_str());
        if let Some(first) = data_names.insert(data_name, variant.name.span) {
            let message = format!("the name `{data_name}` in data would mean two variants");
            let place = d.place(module, first);
            let problem = d.problem(codes::DATA_NAME, module, variant.name.span, message);
            d.diagnostics.push(problem.label(place, "this variant has it as well"));
        }
        let file = d.file(module);
        lowered.push(VariantDef {
            name: variant.name.name,
            data_name: data_name.into(),
            payload,
            node: d.nodes.node(file, variant.name.span),
            docs: docs(&variant.docs),
            deprecated: text(variant.deprecated.as_ref()),
        });
    }
    lowered
}

fn payload<'a>(d: &mut Declarations<'a>, module: ModuleId, ty: &'a ast::TypeExpr) -> Type {
    let lowered = lower_type(d, module, ty);
    let fits = match lowered.bare() {
        Type::Error => true,
        Type::Record(id) => {
            d.program.record(*id).is_some_and(|r| matches!(r.kind, RecordKind::Struct | RecordKind::Plain))
        }
        _ => false,
    };
    if fits {
        return lowered;
    }
    let message = format!("a variant carries a struct, not `{}`", show(&d.program, &lowered));
    let problem = d.problem(codes::PAYLOAD, module, ty.span, message);
    d.diagnostics.push(problem.help("declare a `struct` with one field of that type"));
    Type::Error
}

/// No field of a payload stands in the data under the name of the tag.
pub(super) fn tag_clashes(d: &mut Declarations<'_>, types: &[TypeHead<'_>]) {
    for head in types {
        let TypeTree::Union(tree) = head.tree else { continue };
        for variant in &tree.variants {
            let Some(ty) = &variant.payload else { continue };
            let Some(union) = d.program.union(head.id) else { continue };
            let found = union.variants.iter().find(|v| v.name == variant.name.name);
            let Some(id) = found.and_then(|v| v.payload.as_ref()).and_then(Type::record) else { continue };
            let Some(record) = d.program.record(id) else { continue };
            let tag = tree.tag.name;
            let clash = record.fields.iter().find(|f| {
                f.kind.is_stored() && (f.data_name == tag.as_str() || f.was.iter().any(|w| w == tag.as_str()))
            });
            let Some(clash) = clash else { continue };
            let place = crate::diag::Place::Model { file: clash.file, node: clash.node.0 };
            let message =
                format!("`{tag}` says which variant it is, and is also a field of `{}`", record.decl.name);
            let problem = d.problem(codes::PAYLOAD, head.module, ty.span, message);
            d.diagnostics.push(
                problem
                    .label(place, "this field")
                    .help("choose another name after `by`, or give the field another name in data with `as`"),
            );
        }
    }
}
