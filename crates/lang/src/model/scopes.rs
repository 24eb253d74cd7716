//! Which item a name means: per module three namespaces (values, types, functions), each with
//! the module's items and its imports.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::{FileId, Name, Span};
use crate::diag::{Diagnostic, Place, codes::model as codes, nearest};
use crate::syntax::ast;

use super::hir::Node;
use super::nodes::NodeBuilder;
use super::ty::{Type, TypeId};

/// A module: an index into [`Scopes::modules`], which are ordered by the path of their file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ModuleId(pub u32);

/// What a type name means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeItem {
    /// A record, an enum, a union.
    Declared(TypeId),
    /// An alias: an index into [`Scopes::aliases`].
    Alias(u32),
    /// `int`, `list`, …: a type of the language.
    Builtin(BuiltinType),
}

/// What a value name means, beyond locals and the fields of `self`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueItem {
    /// A constant: an index into `Program::consts`.
    Const(u32),
    /// `env`, where the project has environments.
    Env,
}

/// What a function name means, beyond the builtins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionItem(pub u32);

/// The types of the language.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum BuiltinType {
    Bool,
    Int,
    Float,
    String,
    Duration,
    Size,
    Any,
    FileMode,
    List,
    Set,
    Map,
    Ref,
    Secret,
    Later,
}

impl BuiltinType {
    /// All of them, by name.
    pub const ALL: [(&'static str, BuiltinType); 14] = [
        ("bool", BuiltinType::Bool),
        ("int", BuiltinType::Int),
        ("float", BuiltinType::Float),
        ("string", BuiltinType::String),
        ("duration", BuiltinType::Duration),
        ("size", BuiltinType::Size),
        ("any", BuiltinType::Any),
        ("FileMode", BuiltinType::FileMode),
        ("list", BuiltinType::List),
        ("set", BuiltinType::Set),
        ("map", BuiltinType::Map),
        ("ref", BuiltinType::Ref),
        ("secret", BuiltinType::Secret),
        ("later", BuiltinType::Later),
    ];

    /// The builtin type of this name.
    pub fn find(name: &str) -> Option<BuiltinType> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, b)| *b)
    }

    /// How many types stand between `<` and `>`.
    pub fn arity(self) -> usize {
        match self {
            BuiltinType::Map => 2,
            BuiltinType::List
            | BuiltinType::Set
            | BuiltinType::Ref
            | BuiltinType::Secret
            | BuiltinType::Later => 1,
            _ => 0,
        }
    }
}

/// A declared alias.
#[derive(Clone, PartialEq, Debug)]
pub struct AliasDef {
    /// Its name.
    pub name: Name,
    /// The module.
    pub module: ModuleId,
    /// What it stands for, with [`Type::Alias`] around it.
    pub ty: Type,
    /// Documentation.
    pub docs: EcoString,
    /// `deprecated "…"`.
    pub deprecated: Option<EcoString>,
    /// Its name, where it is declared.
    pub node: Node,
}

/// A name of a namespace.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Entry<T> {
    pub item: T,
    /// Where it is declared, or imported.
    pub span: Span,
    /// Whether it came by `use`.
    pub imported: bool,
}

/// One namespace of one module.
pub(super) type Namespace<T> = FxHashMap<Name, Entry<T>>;

/// A module and the names that it knows.
#[derive(Clone, PartialEq, Debug)]
pub struct ModuleInfo {
    /// `[net, vlan]`, `[std, host]`.
    pub path: Vec<Name>,
    /// The file.
    pub file: FileId,
    pub(super) types: Namespace<TypeItem>,
    pub(super) values: Namespace<ValueItem>,
    pub(super) functions: Namespace<FunctionItem>,
    /// Modules that were imported, by the name they have here.
    pub(super) modules: FxHashMap<Name, (ModuleId, Span)>,
    /// Names that could not be imported, with what is said of that: a use of them says the same
    /// once more, at the same place, so that it is shown once.
    pub(super) broken: FxHashMap<Name, Diagnostic>,
}

impl ModuleInfo {
    /// `net::vlan`.
    pub fn display(&self) -> String {
        let parts: Vec<&str> = self.path.iter().map(|p| p.as_str()).collect();
        parts.join("::")
    }

    /// Whether it is part of the standard library.
    pub fn is_std(&self) -> bool {
        self.path.first().is_some_and(|p| p.as_str() == "std")
    }
}

/// All modules with their names.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scopes {
    /// Ordered by the path of their file.
    pub modules: Vec<ModuleInfo>,
    /// All aliases, in the order of their modules and places.
    pub aliases: Vec<AliasDef>,
    /// The enum of environments, where the project has some.
    pub environment: Option<TypeId>,
    pub(super) by_path: FxHashMap<Vec<Name>, ModuleId>,
}

/// One of the namespaces, for what they have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Type,
    Value,
    Function,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Kind::Type => "type",
            Kind::Value => "value",
            Kind::Function => "function",
        }
    }
}

impl Scopes {
    /// A module.
    pub fn module(&self, id: ModuleId) -> &ModuleInfo {
        &self.modules[id.0 as usize]
    }

    /// The module at this path.
    pub fn find_module(&self, path: &[Name]) -> Option<ModuleId> {
        self.by_path.get(path).copied()
    }

    /// What a single name means as a type, without a diagnostic.
    pub fn type_named(&self, module: ModuleId, name: Name) -> Option<TypeItem> {
        let found = self.module(module).types.get(&name).map(|e| e.item);
        found.or_else(|| BuiltinType::find(name.as_str()).map(TypeItem::Builtin))
    }

    /// What a path means as a type, without a diagnostic.
    pub fn type_at(&self, module: ModuleId, path: &ast::Path) -> Option<TypeItem> {
        let (last, before) = path.parts.split_last()?;
        if before.is_empty() {
            return self.type_named(module, last.name);
        }
        let target = self.module_at(module, before)?;
        self.module(target).types.get(&last.name).filter(|e| !e.imported).map(|e| e.item)
    }

    /// What a single name means as a value, without a diagnostic.
    pub fn value_named(&self, module: ModuleId, name: Name) -> Option<ValueItem> {
        let found = self.module(module).values.get(&name).map(|e| e.item);
        found.or_else(|| (self.environment.is_some() && name.as_str() == "env").then_some(ValueItem::Env))
    }

    /// What a single name means as a function, without a diagnostic; builtins are not among them.
    pub fn function_named(&self, module: ModuleId, name: Name) -> Option<FunctionItem> {
        self.module(module).functions.get(&name).map(|e| e.item)
    }

    /// The names of types that can be written in a module, for suggestions.
    pub fn type_names(&self, module: ModuleId) -> impl Iterator<Item = &'static str> + '_ {
        let own = self.module(module).types.keys().map(|n| n.as_str());
        own.chain(BuiltinType::ALL.iter().map(|(n, _)| *n))
    }

    /// The names of values that can be written in a module, for suggestions.
    pub fn value_names(&self, module: ModuleId) -> impl Iterator<Item = &'static str> + '_ {
        let env = self.environment.is_some().then_some("env");
        self.module(module).values.keys().map(|n| n.as_str()).chain(env)
    }

    /// The names of functions that can be written in a module, for suggestions; without builtins.
    pub fn function_names(&self, module: ModuleId) -> impl Iterator<Item = &'static str> + '_ {
        self.module(module).functions.keys().map(|n| n.as_str())
    }

    /// The type at a path.
    pub fn resolve_type(
        &self,
        nodes: &mut NodeBuilder,
        module: ModuleId,
        path: &ast::Path,
    ) -> Result<TypeItem, Box<Diagnostic>> {
        self.resolve(nodes, module, path, Kind::Type, Self::type_named, |m| &m.types)
    }

    /// The value at a path.
    pub fn resolve_value(
        &self,
        nodes: &mut NodeBuilder,
        module: ModuleId,
        path: &ast::Path,
    ) -> Result<ValueItem, Box<Diagnostic>> {
        self.resolve(nodes, module, path, Kind::Value, Self::value_named, |m| &m.values)
    }

    /// The function at a path; builtins are not found.
    pub fn resolve_function(
        &self,
        nodes: &mut NodeBuilder,
        module: ModuleId,
        path: &ast::Path,
    ) -> Result<FunctionItem, Box<Diagnostic>> {
        self.resolve(nodes, module, path, Kind::Function, Self::function_named, |m| &m.functions)
    }

    fn resolve<T: Copy>(
        &self,
        nodes: &mut NodeBuilder,
        module: ModuleId,
        path: &ast::Path,
        kind: Kind,
        named: impl Fn(&Self, ModuleId, Name) -> Option<T>,
        namespace: impl Fn(&ModuleInfo) -> &Namespace<T>,
    ) -> Result<T, Box<Diagnostic>> {
        let Some((last, before)) = path.parts.split_last() else {
            let place = nodes.place(self.module(module).file, path.span);
            return Err(Box::new(Diagnostic::new(codes::UNKNOWN_NAME, place, "a name is missing")));
        };
        if before.is_empty() {
            return named(self, module, last.name).ok_or_else(|| match self.broken(module, last.name) {
                Some(problem) => Box::new(problem.clone()),
                None => Box::new(self.unknown(nodes, module, *last, kind)),
            });
        }
        if let Some(problem) = before.first().and_then(|first| self.broken(module, first.name)) {
            return Err(Box::new(problem.clone()));
        }
        let target = self.resolve_module(nodes, module, before)?;
        let own = namespace(self.module(target)).get(&last.name).filter(|e| !e.imported);
        own.map(|e| e.item).ok_or_else(|| Box::new(self.unknown_in(nodes, module, target, *last, Some(kind))))
    }

    /// The module at a path: its first part is an imported module, or the whole is absolute.
    fn module_at(&self, from: ModuleId, parts: &[ast::Ident]) -> Option<ModuleId> {
        let names: Vec<Name> = parts.iter().map(|p| p.name).collect();
        let (first, rest) = names.split_first()?;
        if let Some(&(imported, _)) = self.module(from).modules.get(first) {
            let mut path = self.module(imported).path.clone();
            path.extend_from_slice(rest);
            if let Some(found) = self.find_module(&path) {
                return Some(found);
            }
        }
        self.find_module(&names)
    }

    /// The same, or what to say about it.
    pub(super) fn resolve_module(
        &self,
        nodes: &mut NodeBuilder,
        from: ModuleId,
        parts: &[ast::Ident],
    ) -> Result<ModuleId, Box<Diagnostic>> {
        if let Some(found) = self.module_at(from, parts) {
            return Ok(found);
        }
        let written = parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join("::");
        let span = parts.iter().map(|p| p.span).reduce(Span::to).unwrap_or_default();
        let place = nodes.place(self.module(from).file, span);
        let all: Vec<String> = self.modules.iter().map(ModuleInfo::display).collect();
        let imported = self.module(from).modules.keys().map(|n| n.as_str());
        let near = nearest(&written, all.iter().map(String::as_str).chain(imported));
        let mut problem =
            Diagnostic::new(codes::UNKNOWN_MODULE, place, format!("there is no module `{written}`"));
        if let Some(near) = near {
            problem = problem.help(format!("did you mean `{near}`?")).fix(
                format!("write `{near}`"),
                false,
                place,
                near,
            );
        }
        Err(Box::new(problem))
    }

    /// What was said of an import or an item of this name that failed.
    fn broken(&self, module: ModuleId, name: Name) -> Option<&Diagnostic> {
        self.module(module).broken.get(&name)
    }

    /// What is said of a single name that means nothing in a module.
    fn unknown(&self, nodes: &mut NodeBuilder, module: ModuleId, at: ast::Ident, kind: Kind) -> Diagnostic {
        let place = nodes.place(self.module(module).file, at.span);
        let written = at.name.as_str();
        let message = format!("there is no {} `{written}` here", kind.noun());
        let problem = Diagnostic::new(codes::UNKNOWN_NAME, place, message);
        if let Some(other) = self.other_namespace(module, at.name, kind) {
            return problem.help(format!("`{written}` is a {}", other.noun()));
        }
        let near = match kind {
            Kind::Type => {
                let other = foreign_type(written);
                if let Some(Foreign::Written(text)) = other {
                    return problem.help(format!("write `{text}`"));
                }
                let name = if let Some(Foreign::Name(name)) = other { Some(name) } else { None };
                name.or_else(|| nearest(written, self.type_names(module)))
            }
            Kind::Value => nearest(written, self.value_names(module)),
            Kind::Function => nearest(written, self.function_names(module)),
        };
        let elsewhere = self.declared_elsewhere(at.name, kind);
        match (elsewhere, near) {
            (Some(path), _) => problem.help(format!("write `use {path}` at the top of the module")),
            (None, Some(near)) => suggest(problem, place, near),
            (None, None) => problem,
        }
    }

    /// What is said of a name that another module does not have.
    pub(super) fn unknown_in(
        &self,
        nodes: &mut NodeBuilder,
        from: ModuleId,
        target: ModuleId,
        at: ast::Ident,
        kind: Option<Kind>,
    ) -> Diagnostic {
        let place = nodes.place(self.module(from).file, at.span);
        let target = self.module(target);
        let written = at.name.as_str();
        let what = kind.map_or("item", Kind::noun);
        let message = format!("module `{}` has no {what} `{written}`", target.display());
        let problem = Diagnostic::new(codes::UNKNOWN_NAME, place, message);
        let wanted = |k: Kind| kind.is_none_or(|kind| kind == k);
        let types = own(&target.types).filter(|_| wanted(Kind::Type));
        let values = own(&target.values).filter(|_| wanted(Kind::Value));
        let functions = own(&target.functions).filter(|_| wanted(Kind::Function));
        match nearest(written, types.chain(values).chain(functions)) {
            Some(near) => suggest(problem, place, near),
            None => problem,
        }
    }

    /// The item of a module whose name is near to what was written.
    pub(super) fn nearest_item(&self, target: ModuleId, written: Name) -> Option<Name> {
        let target = self.module(target);
        let all = own(&target.types).chain(own(&target.values)).chain(own(&target.functions));
        nearest(written.as_str(), all).map(Name::new)
    }

    fn other_namespace(&self, module: ModuleId, name: Name, kind: Kind) -> Option<Kind> {
        let kinds = [
            (Kind::Type, self.type_named(module, name).is_some()),
            (Kind::Value, self.value_named(module, name).is_some()),
            (Kind::Function, self.function_named(module, name).is_some()),
        ];
        kinds.into_iter().find(|&(k, there)| there && k != kind).map(|(k, _)| k)
    }

    /// The path at which a module that is not imported declares this name: the least one.
    fn declared_elsewhere(&self, name: Name, kind: Kind) -> Option<String> {
        let declares = |m: &&ModuleInfo| match kind {
            Kind::Type => m.types.get(&name).is_some_and(|e| !e.imported),
            Kind::Value => m.values.get(&name).is_some_and(|e| !e.imported),
            Kind::Function => m.functions.get(&name).is_some_and(|e| !e.imported),
        };
        self.modules.iter().filter(declares).map(|m| format!("{}::{name}", m.display())).min()
    }
}

/// What a type of another language is called here.
#[derive(Clone, Copy)]
enum Foreign {
    /// By another name.
    Name(&'static str),
    /// With more than a name.
    Written(&'static str),
}

fn foreign_type(written: &str) -> Option<Foreign> {
    Some(match written.to_ascii_lowercase().as_str() {
        "integer" | "int" | "int32" | "int64" | "uint" | "i32" | "i64" | "u16" | "u32" | "u64" | "long" => {
            Foreign::Name("int")
        }
        "str" | "string" | "text" | "varchar" | "char" => Foreign::Name("string"),
        "boolean" | "bool" => Foreign::Name("bool"),
        "number" | "double" | "decimal" | "real" | "float" | "f32" | "f64" => Foreign::Name("float"),
        "array" | "vec" | "vector" | "seq" | "slice" => Foreign::Written("list<T>"),
        "dict" | "dictionary" | "hash" | "hashmap" | "record" => Foreign::Written("map<string, T>"),
        "option" | "optional" | "maybe" | "nullable" => Foreign::Written("T?"),
        "time" | "timedelta" | "seconds" => Foreign::Name("duration"),
        "bytes" | "filesize" => Foreign::Name("size"),
        "filemode" | "mode" => Foreign::Name("FileMode"),
        _ => return None,
    })
}

fn own<T>(namespace: &Namespace<T>) -> impl Iterator<Item = &'static str> + '_ {
    namespace.iter().filter(|(_, e)| !e.imported).map(|(n, _)| n.as_str())
}

fn suggest(problem: Diagnostic, place: Place, near: &str) -> Diagnostic {
    problem.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), false, place, near)
}
