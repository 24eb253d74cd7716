//! `use`.

use crate::base::{Name, Span};
use crate::diag::Diagnostic;
use crate::model::scopes::{BuiltinType, Entry, ModuleId, Namespace, TypeItem};
use crate::syntax::ast::{self, ItemKind};

use super::Declarations;

/// Types of the language that can also be imported from where one would look for them.
const HOMES: [(&str, &str, &str, BuiltinType); 1] = [("std", "files", "FileMode", BuiltinType::FileMode)];

/// Enters the imports of all modules. Only items can be imported, not what a module imported
/// itself, so the order of the modules does not matter.
pub(super) fn imports(d: &mut Declarations<'_>) {
    for index in 0..d.modules.len() {
        let tree = d.modules[index];
        for item in &tree.items {
            if let ItemKind::Use(trees) = &item.kind {
                for tree in trees {
                    import(d, ModuleId(index as u32), tree);
                }
            }
        }
    }
}

fn import(d: &mut Declarations<'_>, module: ModuleId, tree: &ast::UseTree) {
    let Some((last, before)) = tree.path.parts.split_last() else { return };
    let local = tree.rename.unwrap_or(*last);
    let names: Vec<Name> = tree.path.parts.iter().map(|p| p.name).collect();
    let mut found = false;
    if let Some(target) = d.scopes.find_module(&names) {
        found = true;
        import_module(d, module, local, target);
    }
    if before.is_empty() {
        if !found {
            let problem = d.scopes.resolve_module(&mut d.nodes, module, &tree.path.parts);
            fail(d, module, local, problem.err().map(|p| *p));
        }
        return;
    }
    let parent: Vec<Name> = before.iter().map(|p| p.name).collect();
    let Some(source) = d.scopes.find_module(&parent) else {
        if !found {
            let problem = d.scopes.resolve_module(&mut d.nodes, module, before);
            fail(d, module, local, problem.err().map(|p| *p));
        }
        return;
    };
    found |= import_items(d, module, source, last.name, local);
    if !found && let Some(builtin) = home(&names) {
        found = true;
        let entry = Entry { item: TypeItem::Builtin(builtin), span: local.span, imported: true };
        d.scopes.modules[module.0 as usize].types.insert(local.name, entry);
    }
    if !found {
        let problem = d.scopes.unknown_in(&mut d.nodes, module, source, *last, None);
        fail(d, module, local, Some(problem));
        // What was meant is there too, where its name is written well.
        let near = d.scopes.nearest_item(source, last.name);
        if let Some(near) = near.filter(|_| tree.rename.is_none()) {
            quietly(d, module, source, ast::Ident { name: near, span: last.span });
        }
    }
}

/// Says that something cannot be imported, and keeps its uses from saying more.
fn fail(d: &mut Declarations<'_>, module: ModuleId, local: ast::Ident, problem: Option<Diagnostic>) {
    let Some(problem) = problem else { return };
    if let Some(own) = d.scopes.modules.get_mut(module.0 as usize) {
        own.broken.insert(local.name, problem.clone());
    }
    d.diagnostics.push(problem);
}

fn home(path: &[Name]) -> Option<BuiltinType> {
    let [a, b, c] = path else { return None };
    let same =
        |h: &&(&str, &str, &str, BuiltinType)| h.0 == a.as_str() && h.1 == b.as_str() && h.2 == c.as_str();
    HOMES.iter().find(same).map(|h| h.3)
}

fn import_module(d: &mut Declarations<'_>, module: ModuleId, local: ast::Ident, target: ModuleId) {
    match d.scopes.module(module).modules.get(&local.name) {
        Some(&(_, first)) => d.import_clash(local, module, first),
        None => {
            let entry = (target, local.span);
            d.scopes.modules[module.0 as usize].modules.insert(local.name, entry);
        }
    }
}

/// Imports what a module declares under a name, in each namespace.
fn import_items(
    d: &mut Declarations<'_>,
    module: ModuleId,
    source: ModuleId,
    name: Name,
    local: ast::Ident,
) -> bool {
    let source = d.scopes.module(source);
    let types = own(&source.types, name);
    let values = own(&source.values, name);
    let functions = own(&source.functions, name);
    let mut clash = None;
    let own = &mut d.scopes.modules[module.0 as usize];
    if let Some(item) = types {
        clash = clash.or(enter(&mut own.types, local, item));
    }
    if let Some(item) = values {
        clash = clash.or(enter(&mut own.values, local, item));
    }
    if let Some(item) = functions {
        clash = clash.or(enter(&mut own.functions, local, item));
    }
    if let Some(first) = clash {
        d.import_clash(local, module, first);
    }
    types.is_some() || values.is_some() || functions.is_some()
}

/// The same for a name that is only guessed: it takes the place of nothing.
fn quietly(d: &mut Declarations<'_>, module: ModuleId, source: ModuleId, name: ast::Ident) {
    let source = d.scopes.module(source);
    let types = own(&source.types, name.name);
    let values = own(&source.values, name.name);
    let functions = own(&source.functions, name.name);
    let own = &mut d.scopes.modules[module.0 as usize];
    types.and_then(|item| enter(&mut own.types, name, item));
    values.and_then(|item| enter(&mut own.values, name, item));
    functions.and_then(|item| enter(&mut own.functions, name, item));
}

fn own<T: Copy>(namespace: &Namespace<T>, name: Name) -> Option<T> {
    namespace.get(&name).filter(|e| !e.imported).map(|e| e.item)
}

/// Enters a name, or says where it is already.
fn enter<T>(namespace: &mut Namespace<T>, local: ast::Ident, item: T) -> Option<Span> {
    if let Some(first) = namespace.get(&local.name) {
        return Some(first.span);
    }
    namespace.insert(local.name, Entry { item, span: local.span, imported: true });
    None
}
