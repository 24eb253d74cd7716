//! Items, and what they declare.

use crate::base::{Name, Span};
use crate::diag::Diagnostic;

use super::{Block, Docs, Expr, Ident, Path, StrLit, TypeExpr};

/// A model file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Module {
    /// The `//!` lines.
    pub docs: Docs,
    /// In order.
    pub items: Vec<Item>,
    /// `// gops: allow(a, b)` comments: on the file's first line for the whole file (`line` is
    /// none), else for the line below and the item or member that starts on it.
    pub allows: Vec<Allow>,
    /// The names that a `use` brings in and nothing else in the text says.
    pub unused_imports: Vec<Ident>,
    /// The names of items that could not be read, with what was said of them.
    pub lost: Vec<(Name, Diagnostic)>,
}

/// A silenced lint.
#[derive(Clone, PartialEq, Debug)]
pub struct Allow {
    /// The lint's name.
    pub lint: Ident,
    /// The bytes that it holds for; none for the whole file.
    pub line: Option<Span>,
}

/// Something declared at the top of a module.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// All of it, without its documentation.
    pub span: Span,
    /// The `///` lines.
    pub docs: Docs,
    /// `deprecated "use x"`.
    pub deprecated: Option<StrLit>,
    /// What it is.
    pub kind: ItemKind,
}

/// What an item is.
#[derive(Clone, PartialEq, Debug)]
// A module has few of them, and boxes would be in everybody's way.
#[allow(clippy::large_enum_variant)]
pub enum ItemKind {
    /// `use std::host::Host`, `use a::{B, C}`, `use a::B as C`, `use a` (the module).
    Use(Vec<UseTree>),
    /// `const DOMAIN: string = "example.org"`.
    Const(ConstDecl),
    /// `type Port = int where 1..=65535`.
    Alias(AliasDecl),
    /// `enum Tier { dev, test, prod }`.
    Enum(EnumDecl),
    /// `slice`, `struct`, `plain struct`, `entity`, `target`, `resource`.
    Record(RecordDecl),
    /// `union Probe by type { … }`.
    Union(UnionDecl),
    /// `inverse Machine.sites: set<Site> by on`, `closure Service.all: set<Service> by on`.
    Relation(RelationDecl),
    /// `acyclic Service by depends_on, "message"`.
    Acyclic(AcyclicDecl),
    /// `check m in all(Machine): …` at the top.
    Check(Check),
    /// `impl Site when … { … }`.
    Impl(ImplDecl),
    /// `fn url(site: Site) -> string { … }`.
    Fn(FnDecl),
    /// `test "…" { … }`.
    Test(TestDecl),
    /// `moved A to B`.
    Moved(MovedDecl),
    /// `migration "…" for Site { … }`.
    Migration(MigrationDecl),
}

/// One imported name.
#[derive(Clone, PartialEq, Debug)]
pub struct UseTree {
    /// The whole path.
    pub path: Path,
    /// `as C`.
    pub rename: Option<Ident>,
}

/// `const NAME: T = e`; the type may be left out.
#[derive(Clone, PartialEq, Debug)]
pub struct ConstDecl {
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: Option<TypeExpr>,
    /// The value.
    pub value: Expr,
}

/// `type Name = T`.
#[derive(Clone, PartialEq, Debug)]
pub struct AliasDecl {
    /// The name.
    pub name: Ident,
    /// What it stands for.
    pub ty: TypeExpr,
}

/// `enum Name { a, b as "B" }`.
#[derive(Clone, PartialEq, Debug)]
pub struct EnumDecl {
    /// The name.
    pub name: Ident,
    /// In order.
    pub variants: Vec<Variant>,
}

/// `union Name by tag { a: T, b, c as "c-data": U }`.
#[derive(Clone, PartialEq, Debug)]
pub struct UnionDecl {
    /// The name.
    pub name: Ident,
    /// The field of the data that says which variant it is.
    pub tag: Ident,
    /// In order.
    pub variants: Vec<Variant>,
}

/// A variant of an enum (never with a payload) or of a union.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    /// The `///` lines.
    pub docs: Docs,
    /// `deprecated "use x"`.
    pub deprecated: Option<StrLit>,
    /// The name in models.
    pub name: Ident,
    /// `as "data-name"`.
    pub data_name: Option<StrLit>,
    /// The payload.
    pub payload: Option<TypeExpr>,
    /// All of it.
    pub span: Span,
}

/// Which kind of record is declared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordKind {
    /// `slice`: read from instance files.
    Slice,
    /// `struct`: nested data with identity.
    Struct,
    /// `plain struct`: nested data without identity.
    Plain,
    /// `entity`: made by `impl`s.
    Entity,
    /// `target`: an entity that resources run on.
    Target,
    /// `resource`: an entity that a handler deploys.
    Resource,
}

/// `slice Name in "…" { … }` and its kin.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordDecl {
    /// The kind.
    pub kind: RecordKind,
    /// The name.
    pub name: Ident,
    /// `in "slices/sites"` of a slice.
    pub source: Option<SliceSource>,
    /// `handled by "file"` of a resource.
    pub handler: Option<StrLit>,
    /// What stands between the braces.
    pub members: Vec<Member>,
}

/// Where the instances of a slice are.
#[derive(Clone, PartialEq, Debug)]
pub struct SliceSource {
    /// A folder, a file, or a pattern with `{key}` placeholders.
    pub path: StrLit,
    /// `each`: a file holds a list of instances.
    pub each: Option<Span>,
}

/// One member of a record.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// The `///` lines.
    pub docs: Docs,
    /// `deprecated "use x"`.
    pub deprecated: Option<StrLit>,
    /// All of it, without documentation.
    pub span: Span,
    /// What it is.
    pub kind: MemberKind,
}

/// What a member is.
#[derive(Clone, PartialEq, Debug)]
pub enum MemberKind {
    /// A stored field.
    Field(FieldDecl),
    /// `key metadata.name`: the path of a field in a required struct.
    KeyPath(Vec<Ident>),
    /// `let f: T = e`: a derived field; the type may be left out where e has an obvious one.
    Derived {
        /// The name.
        name: Ident,
        /// The type.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `unique address`, `unique (a, b)`.
    Unique(Vec<Ident>),
    /// `check …`.
    Check(Check),
    /// `...Meta`: the members of that struct.
    Include(Path),
    /// `...rest: map<string, any>`: every field that is not declared.
    Rest {
        /// The name.
        name: Ident,
        /// The type.
        ty: TypeExpr,
    },
}

/// A stored field: `key name: T = default replace was "old" as "Data Name"`.
#[derive(Clone, PartialEq, Debug)]
pub struct FieldDecl {
    /// The word before the name.
    pub role: FieldRole,
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: TypeExpr,
    /// `= e`; of an `assigned` field the expression that fills it.
    pub default: Option<Expr>,
    /// `restart` or `replace`.
    pub cost: Option<(Cost, Span)>,
    /// `was "old"`.
    pub was: Vec<StrLit>,
    /// `as "Data Name"`.
    pub data_name: Option<StrLit>,
}

/// The word before a field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FieldRole {
    /// None.
    Plain,
    /// `key`.
    Key,
    /// `output`.
    Output,
    /// `assigned`.
    Assigned,
}

/// What a change of a field costs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Cost {
    /// Nothing stops.
    Live,
    /// It stops and starts.
    Restart,
    /// It is deleted and made anew.
    Replace,
}

/// `inverse A.f: set<B> by g` or `closure A.f: set<A> by g`.
#[derive(Clone, PartialEq, Debug)]
pub struct RelationDecl {
    /// Transitive closure, not inverse.
    pub closure: bool,
    /// The type that gets the field.
    pub owner: Path,
    /// The name of the field.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// The field that it is made from.
    pub by: Ident,
}

/// `acyclic A by f, "message"`.
#[derive(Clone, PartialEq, Debug)]
pub struct AcyclicDecl {
    /// The type.
    pub owner: Path,
    /// The field.
    pub by: Ident,
    /// The message.
    pub message: Option<Expr>,
}

/// `check [x in E:] condition, "message" [at path]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// All of it.
    pub span: Span,
    /// `x in E:` or `k, v in m:`.
    pub quantifier: Option<Quantifier>,
    /// What must hold.
    pub condition: Expr,
    /// What is said if it does not.
    pub message: Expr,
    /// `at tls`, `at m.name`: the field that is to blame.
    pub at: Option<Expr>,
}

/// `x in E` or `k, v in m`.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantifier {
    /// One name, or two.
    pub names: Vec<Ident>,
    /// What is gone through.
    pub over: Expr,
}

/// `impl T when c { … }`.
#[derive(Clone, PartialEq, Debug)]
pub struct ImplDecl {
    /// The type.
    pub ty: Path,
    /// The condition.
    pub when: Option<Expr>,
    /// The body.
    pub body: Block,
}

/// `fn name(a: T) -> R { … }`.
#[derive(Clone, PartialEq, Debug)]
pub struct FnDecl {
    /// The name.
    pub name: Ident,
    /// The parameters.
    pub params: Vec<Param>,
    /// The type of the result.
    pub result: TypeExpr,
    /// The body.
    pub body: Block,
}

/// `a: T`.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// The name.
    pub name: Ident,
    /// The type.
    pub ty: TypeExpr,
}

/// `test "name" { … }`.
#[derive(Clone, PartialEq, Debug)]
pub struct TestDecl {
    /// The name.
    pub name: StrLit,
    /// The body.
    pub body: Block,
}

/// `moved A to B`, `moved type a::T to b::T`.
#[derive(Clone, PartialEq, Debug)]
pub struct MovedDecl {
    /// What it is about.
    pub kind: MovedKind,
}

/// What moved.
#[derive(Clone, PartialEq, Debug)]
pub enum MovedKind {
    /// Slices' instances, entities, elements: `Site[name: "a"].pages[path: "/x"]`.
    Object {
        /// The old identity.
        from: Expr,
        /// The new one.
        to: Expr,
    },
    /// A renamed type.
    Type {
        /// The old path.
        from: Path,
        /// The new one.
        to: Path,
    },
}

/// `migration "2026-03-split" for Site when … { … }`.
#[derive(Clone, PartialEq, Debug)]
pub struct MigrationDecl {
    /// The name, which orders migrations.
    pub name: StrLit,
    /// The type.
    pub ty: Path,
    /// When it is pending, if nothing that it drops tells.
    pub when: Option<Expr>,
    /// In order.
    pub steps: Vec<MigrationStep>,
}

/// One step of a migration.
#[derive(Clone, PartialEq, Debug)]
pub enum MigrationStep {
    /// `set labels.owner = old.owner`.
    Set {
        /// The field.
        path: Vec<Ident>,
        /// The value; `old` is the document before.
        value: Expr,
        /// All of it.
        span: Span,
    },
    /// `drop owner`.
    Drop {
        /// The field.
        path: Vec<Ident>,
        /// All of it.
        span: Span,
    },
}
