//! The tree of a model file. Parsing never fails: what could not be read is left out, or stands
//! as [`ExprKind::Error`] and [`TypeKind::Error`], and each such place has a diagnostic.

use crate::base::{Name, Span};

/// An identifier where it is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ident {
    /// The text.
    pub name: Name,
    /// Where.
    pub span: Span,
}

/// `a::b::C`: at least one part.
#[derive(Clone, PartialEq, Debug)]
pub struct Path {
    /// The parts.
    pub parts: Vec<Ident>,
    /// From the first to the last.
    pub span: Span,
}

/// A string literal without interpolation, unescaped.
#[derive(Clone, PartialEq, Debug)]
pub struct StrLit {
    /// What it says.
    pub text: String,
    /// With its quotes.
    pub span: Span,
}

/// Documentation: the `///` lines, each without the marker and one space after it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Docs {
    /// The lines.
    pub lines: Vec<String>,
    /// All of them.
    pub span: Span,
}

/// A model file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Module {
    /// The `//!` lines.
    pub docs: Docs,
    /// In order.
    pub items: Vec<Item>,
    /// `// gops: allow(a, b)` comments: on the file's first line for the whole file (`line` is
    /// none), else for the line below.
    pub allows: Vec<Allow>,
    /// The names that a `use` brings in and nothing else in the text says.
    pub unused_imports: Vec<Ident>,
}

/// A silenced lint.
#[derive(Clone, PartialEq, Debug)]
pub struct Allow {
    /// The lint's name.
    pub lint: Ident,
    /// The bytes of the line that it holds for; none for the whole file.
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

/// `{ statements }`. Where a value is wanted it is that of the last statement, an expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// With its braces.
    pub span: Span,
    /// In order.
    pub stmts: Vec<Stmt>,
}

/// A statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Stmt {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// What a statement is. `if` and `match` are expressions; the bodies of a statement's `if`,
/// `match` and `for` are statements again.
#[derive(Clone, PartialEq, Debug)]
// A module has few of them, and boxes would be in everybody's way.
#[allow(clippy::large_enum_variant)]
pub enum StmtKind {
    /// `let x: T = e`.
    Let {
        /// The name.
        name: Ident,
        /// The type.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `for x in e { … }`, `for k, v in m { … }`.
    For {
        /// One name, or two.
        names: Vec<Ident>,
        /// What is gone through.
        over: Expr,
        /// The body.
        body: Block,
    },
    /// An expression; in an `impl` or a test one that makes something, or the block's value.
    Expr(Expr),
    /// `check …` in the body of an `impl` or a block.
    Check(Check),
    /// `expect e`, in tests.
    Expect(Expr),
    /// `expect error "m" { … }`, in tests.
    ExpectError {
        /// What a message contains.
        message: Expr,
        /// What is wrong.
        body: Block,
    },
    /// `given T[…].output = e`, in tests.
    Given {
        /// The output.
        target: Expr,
        /// Its value.
        value: Expr,
    },
    /// `before { … }`, in tests.
    Before(Block),
}

/// A type as it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct TypeExpr {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: TypeKind,
}

/// What a type is.
#[derive(Clone, PartialEq, Debug)]
pub enum TypeKind {
    /// `int`, `Port`, `a::B`, `list<T>`, `map<K, V>`, `ref<S>`, `secret<T>`, `later<T>`.
    Named {
        /// The name.
        path: Path,
        /// Between `<` and `>`; empty without.
        args: Vec<TypeExpr>,
    },
    /// `"a"` as a type.
    Str(String),
    /// `1`, `-1` as a type.
    Int(i64),
    /// `null` as a type (of `A | null`).
    Null,
    /// `A | B | …`: two or more.
    Union(Vec<TypeExpr>),
    /// `T?`.
    Optional(Box<TypeExpr>),
    /// `T where P`; `self` in P is the value.
    Where(Box<TypeExpr>, Box<Expr>),
    /// Could not be read.
    Error,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// `42`, `0o644`.
    Int(i64),
    /// `1.5`.
    Float(f64),
    /// `1h30m`, in nanoseconds.
    Duration(i64),
    /// `20GiB`, in bytes.
    Size(i64),
    /// A string of any form; text and `${…}` in turn.
    Str(Vec<StrPart>),
    /// `port`, `self`, `parent`, `DOMAIN`, `prod`, `Tier`.
    Name(Ident),
    /// `a::b::C`: two parts or more.
    Path(Path),
    /// `e.f`.
    Field(Box<Expr>, Ident),
    /// `e?.f`.
    OptField(Box<Expr>, Ident),
    /// `e[…]`: an element, a slice, a lookup by key, or a reference `T[k]`.
    Index(Box<Expr>, Vec<Arg>),
    /// `T[k]?`: null if there is none.
    Lookup(Box<Expr>),
    /// `f(a, by: b)`.
    Call(Box<Expr>, Vec<Arg>),
    /// `e.m(a)`.
    Method {
        /// The receiver.
        base: Box<Expr>,
        /// `e?.m(a)`.
        optional: bool,
        /// The name.
        name: Ident,
        /// The arguments.
        args: Vec<Arg>,
    },
    /// `not e`, `-e`.
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`.
    Binary(BinaryOp, Span, Box<Expr>, Box<Expr>),
    /// `a..b`, `a..=b`, `a..`, `..b`, `..`.
    Range {
        /// The first.
        start: Option<Box<Expr>>,
        /// The last, or the one after it.
        end: Option<Box<Expr>>,
        /// `..=`.
        inclusive: bool,
    },
    /// `e is http`, `e is int`, `e is null`.
    Is(Box<Expr>, TypeExpr),
    /// `e as T`.
    As(Box<Expr>, TypeExpr),
    /// `if c { x } else { y }`; `else if` is a block of one expression.
    If {
        /// The condition.
        condition: Box<Expr>,
        /// The first branch.
        then: Block,
        /// The second.
        otherwise: Option<Block>,
    },
    /// `match e { a => x, b | c => y, _ => z }`.
    Match {
        /// What is looked at.
        subject: Box<Expr>,
        /// In order.
        arms: Vec<Arm>,
    },
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `[e for x in xs if c]`.
    ListComp {
        /// Each element.
        element: Box<Expr>,
        /// `for` and `if`, in order; the first is a `for`.
        clauses: Vec<Clause>,
    },
    /// `{ a: 1, b, [k]: v, ...c }`: a record, or a value of the type that is expected.
    Brace(Vec<Entry>),
    /// `{k: v for k, v in m}`.
    MapComp {
        /// The key.
        key: Box<Expr>,
        /// The value.
        value: Box<Expr>,
        /// `for` and `if`, in order; the first is a `for`.
        clauses: Vec<Clause>,
    },
    /// `Host { name }`, `ssh { address }`, `a::T { … }`.
    Construct {
        /// The type, or the variant of a union.
        path: Path,
        /// Where the literal stands, with its braces.
        body_span: Span,
        /// What stands between the braces.
        entries: Vec<Entry>,
    },
    /// `x => e`, `(a, b) => e`: only as an argument of a builtin.
    Lambda {
        /// The parameters.
        params: Vec<Ident>,
        /// The body: an expression, or a block with its value.
        body: Box<Expr>,
    },
    /// `{ let x = 1  x + 1 }` after `=>`.
    Block(Block),
    /// `C { … } after x protect`: what follows a constructor.
    Modified {
        /// The constructor.
        base: Box<Expr>,
        /// In order.
        modifiers: Vec<Modifier>,
    },
    /// `(e)`.
    Paren(Box<Expr>),
    /// Could not be read.
    Error,
}

/// A part of a string.
#[derive(Clone, PartialEq, Debug)]
pub enum StrPart {
    /// Text, unescaped; block strings without their common indentation.
    Text(String),
    /// `${e}`.
    Expr {
        /// The expression.
        expr: Box<Expr>,
        /// The indentation of its line, if it stands alone on a line of a block string: each
        /// further line of the value is indented by it.
        indent: Option<String>,
    },
}

/// An argument of a call or of `[…]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg {
    /// `by:` of `sorted(by: f)`; the key's path of `Host[metadata.name: x]`.
    pub name: Option<Vec<Ident>>,
    /// The value.
    pub value: Expr,
}

/// `not`, `-`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `not`.
    Not,
    /// `-`.
    Neg,
}

/// Operators of two operands, from loose to tight: `??`; `or`; `and`; comparisons, `in`, `not
/// in`, `is` (which do not chain); `..`; `+ -`; `* / %`; unary; `as`; postfix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Coalesce,
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// An arm of a `match`.
#[derive(Clone, PartialEq, Debug)]
pub struct Arm {
    /// All of it.
    pub span: Span,
    /// `a | b`; at least one.
    pub patterns: Vec<Pattern>,
    /// What follows `=>`: an expression, or [`ExprKind::Block`].
    pub body: Expr,
}

/// A pattern of a `match`.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: PatternKind,
}

/// What a pattern is.
#[derive(Clone, PartialEq, Debug)]
pub enum PatternKind {
    /// `_`.
    Any,
    /// `null`.
    Null,
    /// `http`, `Tier.prod`, `a::Tier.prod`, or a type of an `A | B`: the parts as written.
    Name(Path),
    /// A literal: string (without interpolation), int, bool, float, duration, size.
    Literal(Box<Expr>),
}

/// `for x in xs`, `for k, v in m`, `if c` of a comprehension.
#[derive(Clone, PartialEq, Debug)]
pub enum Clause {
    /// `for`.
    For {
        /// One name, or two.
        names: Vec<Ident>,
        /// What is gone through.
        over: Expr,
    },
    /// `if`.
    If(Expr),
}

/// An entry of a brace literal.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a brace literal is.
#[derive(Clone, PartialEq, Debug)]
pub enum EntryKind {
    /// `name: value`, or `name` for `name: name`.
    Field {
        /// The name.
        name: Ident,
        /// The value; none in the short form.
        value: Option<Expr>,
    },
    /// `"a b": value`.
    Quoted {
        /// The key.
        key: StrLit,
        /// The value.
        value: Expr,
    },
    /// `[e]: value`.
    Computed {
        /// The key.
        key: Expr,
        /// The value.
        value: Expr,
    },
    /// `...e`.
    Spread(Expr),
}

/// What follows a constructor.
#[derive(Clone, PartialEq, Debug)]
pub struct Modifier {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: ModifierKind,
}

/// What a modifier is.
#[derive(Clone, PartialEq, Debug)]
pub enum ModifierKind {
    /// `after x`.
    After(Expr),
    /// `protect`.
    Protect,
    /// `adopt`.
    Adopt,
    /// `keep`.
    Keep,
    /// `timeout 10m`.
    Timeout(Expr),
    /// `drift report`.
    DriftReport,
    /// `drift repair`.
    DriftRepair,
    /// `drift ignore [mode, spec.replicas, ports[name: "x"].port]`.
    DriftIgnore(Vec<Expr>),
}
