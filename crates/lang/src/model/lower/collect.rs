//! The first pass: which items there are, their numbers, and the names of each module.

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Name, Span};
use crate::diag::codes::model as codes;
use crate::model::program::{ConstDef, FunctionDef};
use crate::model::schema::{Decl, EnumDef, RecordDef, TypeDef, UnionDef, VariantDef};
use crate::model::scopes::{
    AliasDef, BuiltinType, Entry, FunctionItem, ModuleId, ModuleInfo, TypeItem, ValueItem,
};
use crate::model::ty::{Type, TypeId};
use crate::syntax::ast::{self, ItemKind};

use super::{Declarations, ModuleSource, Settings, stand_in};

/// A declared type with its tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeHead<'a> {
    pub id: TypeId,
    pub module: ModuleId,
    pub tree: TypeTree<'a>,
}

/// The tree of a declared type.
#[derive(Clone, Copy, Debug)]
pub(super) enum TypeTree<'a> {
    Record(&'a ast::RecordDecl),
    Enum(&'a ast::EnumDecl),
    Union(&'a ast::UnionDecl),
}

/// All items by kind, each in the order of files and places.
#[derive(Debug, Default)]
pub(super) struct Collected<'a> {
    pub types: Vec<TypeHead<'a>>,
    pub aliases: Vec<(ModuleId, &'a ast::AliasDecl)>,
    pub consts: Vec<(ModuleId, &'a ast::ConstDecl)>,
    pub functions: Vec<(ModuleId, &'a ast::FnDecl)>,
}

/// The full path of an item: the path of its module and its name, `net::vlan::Vlan`,
/// `std::files::TextFile`, as it would be written in another module. The name of the project is
/// no part of it, so that an id changes only when the type itself moves.
pub fn full_path(module: &[Name], name: &str) -> EcoString {
    let mut path = EcoString::new();
    for part in module {
        path.push_str(part.as_str());
        path.push_str("::");
    }
    path.push_str(name);
    path
}

/// Puts the modules in order and gives them their numbers.
pub(super) fn modules<'a>(d: &mut Declarations<'a>, sources: &[ModuleSource<'a>]) {
    let mut sorted: Vec<&ModuleSource<'a>> = sources.iter().collect();
    sorted.sort_by_key(|s| s.file.path());
    for source in sorted {
        let id = ModuleId(d.scopes.modules.len() as u32);
        let path = source.module_path.clone();
        d.scopes.by_path.entry(path.clone()).or_insert(id);
        d.scopes.modules.push(ModuleInfo {
            path,
            file: source.file,
            types: FxHashMap::default(),
            values: FxHashMap::default(),
            functions: FxHashMap::default(),
            modules: FxHashMap::default(),
            broken: source.ast.lost.iter().cloned().collect(),
        });
        d.modules.push(source.ast);
    }
}

/// Collects the items of all modules and enters their names.
pub(super) fn items<'a>(d: &mut Declarations<'a>, settings: &Settings) -> Collected<'a> {
    d.program.environments = settings.environments.clone();
    let mut collected = Collected::default();
    let mut pending_types = Vec::new();
    for index in 0..d.modules.len() {
        let module = ModuleId(index as u32);
        let mut seen = Seen::default();
        let tree = d.modules[index];
        for item in &tree.items {
            collect_item(d, module, item, &mut seen, &mut collected, &mut pending_types);
        }
    }
    number_types(d, &mut collected, pending_types, settings);
    collected
}

/// Where each name of a module was first declared.
#[derive(Default)]
struct Seen {
    types: FxHashMap<Name, Span>,
    values: FxHashMap<Name, Span>,
    functions: FxHashMap<Name, Span>,
}

/// A type that has no number yet, as those are given in the order of the paths.
struct Unnumbered<'a> {
    path: EcoString,
    module: ModuleId,
    item: &'a ast::Item,
    name: ast::Ident,
    tree: TypeTree<'a>,
}

fn collect_item<'a>(
    d: &mut Declarations<'a>,
    module: ModuleId,
    item: &'a ast::Item,
    seen: &mut Seen,
    collected: &mut Collected<'a>,
    types: &mut Vec<Unnumbered<'a>>,
) {
    let mut declared_type = |d: &mut Declarations<'a>, name: ast::Ident, tree| {
        if is_new_type(d, module, name, seen) {
            let path = full_path(&d.scopes.module(module).path, name.name.as_str());
            types.push(Unnumbered { path, module, item, name, tree });
        }
    };
    match &item.kind {
        ItemKind::Record(tree) => declared_type(d, tree.name, TypeTree::Record(tree)),
        ItemKind::Enum(tree) => declared_type(d, tree.name, TypeTree::Enum(tree)),
        ItemKind::Union(tree) => declared_type(d, tree.name, TypeTree::Union(tree)),
        ItemKind::Alias(tree) if is_new_type(d, module, tree.name, seen) => {
            collected.aliases.push((module, tree));
            alias(d, module, item, tree);
        }
        ItemKind::Const(tree) if is_new(d, module, tree.name, &mut seen.values) => {
            collected.consts.push((module, tree));
            constant(d, module, item, tree);
        }
        ItemKind::Fn(tree) if is_new(d, module, tree.name, &mut seen.functions) => {
            collected.functions.push((module, tree));
            function(d, module, item, tree);
        }
        _ => {}
    }
}

fn is_new_type(d: &mut Declarations<'_>, module: ModuleId, name: ast::Ident, seen: &mut Seen) -> bool {
    if BuiltinType::find(name.name.as_str()).is_some() {
        let message = format!("`{}` is a type of the language", name.name);
        let problem = d.problem(codes::RESERVED_NAME, module, name.span, message);
        d.diagnostics.push(problem.help("choose another name"));
        return false;
    }
    is_new(d, module, name, &mut seen.types)
}

/// Whether a name is declared for the first time; else says where it was before.
pub(super) fn is_new(
    d: &mut Declarations<'_>,
    module: ModuleId,
    name: ast::Ident,
    seen: &mut FxHashMap<Name, Span>,
) -> bool {
    match seen.get(&name.name) {
        None => {
            seen.insert(name.name, name.span);
            true
        }
        Some(&first) => {
            d.duplicate(name, module, module, first);
            false
        }
    }
}

fn alias(d: &mut Declarations<'_>, module: ModuleId, item: &ast::Item, tree: &ast::AliasDecl) {
    let index = d.scopes.aliases.len() as u32;
    let file = d.file(module);
    let node = d.nodes.node(file, tree.name.span);
    d.scopes.aliases.push(AliasDef {
        name: tree.name.name,
        module,
        ty: Type::Error,
        docs: docs(&item.docs),
        deprecated: text(item.deprecated.as_ref()),
        node,
    });
    let entry = Entry { item: TypeItem::Alias(index), span: tree.name.span, imported: false };
    d.scopes.modules[module.0 as usize].types.insert(tree.name.name, entry);
}

fn constant(d: &mut Declarations<'_>, module: ModuleId, item: &ast::Item, tree: &ast::ConstDecl) {
    let index = d.program.consts.len() as u32;
    let file = d.file(module);
    let node = d.nodes.node(file, tree.name.span);
    d.program.consts.push(ConstDef {
        name: tree.name.name,
        ty: Type::Error,
        body: stand_in(file, node),
        deprecated: text(item.deprecated.as_ref()),
    });
    let entry = Entry { item: ValueItem::Const(index), span: tree.name.span, imported: false };
    d.scopes.modules[module.0 as usize].values.insert(tree.name.name, entry);
}

fn function(d: &mut Declarations<'_>, module: ModuleId, item: &ast::Item, tree: &ast::FnDecl) {
    let index = d.program.functions.len() as u32;
    let file = d.file(module);
    let node = d.nodes.node(file, tree.name.span);
    d.program.functions.push(FunctionDef {
        name: tree.name.name,
        path: full_path(&d.scopes.module(module).path, tree.name.name.as_str()),
        params: Vec::new(),
        result: Type::Error,
        body: stand_in(file, node),
        docs: docs(&item.docs),
        deprecated: text(item.deprecated.as_ref()),
        node,
    });
    let entry = Entry { item: FunctionItem(index), span: tree.name.span, imported: false };
    d.scopes.modules[module.0 as usize].functions.insert(tree.name.name, entry);
}

/// Gives types their numbers, in the order of their paths, and enters skeletons of them.
fn number_types<'a>(
    d: &mut Declarations<'a>,
    collected: &mut Collected<'a>,
    mut unnumbered: Vec<Unnumbered<'a>>,
    settings: &Settings,
) {
    // A project called `std` could declare a path that the library has; the first file wins.
    let mut paths = FxHashSet::default();
    unnumbered.retain(|t| paths.insert(t.path.clone()));
    let mut by_path: Vec<usize> = (0..unnumbered.len()).collect();
    by_path.sort_by(|&a, &b| unnumbered[a].path.cmp(&unnumbered[b].path));
    let environment = (!settings.environments.is_empty()).then_some(ENVIRONMENT);
    let before = |path: &str| environment.is_some_and(|e| e < path) as usize;
    let mut numbers = vec![TypeId(0); unnumbered.len()];
    for (number, &index) in by_path.iter().enumerate() {
        numbers[index] = TypeId((number + before(&unnumbered[index].path)) as u32);
    }
    let mut skeletons = Vec::with_capacity(unnumbered.len() + 1);
    if environment.is_some() {
        let at = unnumbered.iter().filter(|t| t.path.as_str() < ENVIRONMENT).count();
        skeletons.push((TypeId(at as u32), environments(d, TypeId(at as u32), settings)));
    }
    for (found, &id) in unnumbered.into_iter().zip(&numbers) {
        let file = d.file(found.module);
        let decl = Decl {
            id,
            name: found.name.name,
            path: found.path,
            file,
            node: d.nodes.node(file, found.name.span),
            docs: docs(&found.item.docs),
            deprecated: text(found.item.deprecated.as_ref()),
        };
        skeletons.push((id, skeleton(decl, found.tree)));
        let entry = Entry { item: TypeItem::Declared(id), span: found.name.span, imported: false };
        d.scopes.modules[found.module.0 as usize].types.insert(found.name.name, entry);
        collected.types.push(TypeHead { id, module: found.module, tree: found.tree });
    }
    skeletons.sort_by_key(|(id, _)| *id);
    d.program.types = skeletons.into_iter().map(|(_, def)| def).collect();
}

fn skeleton(decl: Decl, tree: TypeTree<'_>) -> TypeDef {
    match tree {
        TypeTree::Enum(_) => TypeDef::Enum(EnumDef { decl, variants: Vec::new() }),
        TypeTree::Union(tree) => TypeDef::Union(UnionDef { decl, tag: tree.tag.name, variants: Vec::new() }),
        TypeTree::Record(tree) => TypeDef::Record(RecordDef {
            decl,
            kind: tree.kind,
            fields: Vec::new(),
            stored: 0,
            keys: Vec::new(),
            source: None,
            handler: None,
            target: None,
            rest: None,
            checks: Vec::new(),
            uniques: Vec::new(),
            relations: Vec::new(),
            holders: Vec::new(),
        }),
    }
}

/// The path of the type of `env`.
const ENVIRONMENT: &str = "std::Environment";

/// The enum of the environments that gops.toml declares.
fn environments(d: &mut Declarations<'_>, id: TypeId, settings: &Settings) -> TypeDef {
    let file = crate::base::FileId::new("gops.toml");
    let node = d.nodes.node(file, Span::default());
    let variant = |name: &EcoString| VariantDef {
        name: Name::new(&name.as_str().replace(['-', '.', ' '], "_")),
        data_name: name.clone(),
        payload: None,
        node,
        docs: EcoString::new(),
        deprecated: None,
    };
    let decl = Decl {
        id,
        name: Name::new("Environment"),
        path: ENVIRONMENT.into(),
        file,
        node,
        docs: "The environments of gops.toml.".into(),
        deprecated: None,
    };
    d.scopes.environment = Some(id);
    d.program.environment = Some(id);
    TypeDef::Enum(EnumDef { decl, variants: settings.environments.iter().map(variant).collect() })
}

/// The lines of a documentation comment.
pub(super) fn docs(docs: &ast::Docs) -> EcoString {
    docs.lines.join("\n").into()
}

/// The text of a literal that may be left out.
pub(super) fn text(literal: Option<&ast::StrLit>) -> Option<EcoString> {
    literal.map(|l| l.text.as_str().into())
}
