//! Statements, types and expressions.

use crate::base::Span;

use super::{Check, Ident, Path, StrLit};

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
    /// `T[k]?`, `xs[i]?`: null if there is none; `e?` before `[…]`, which is null if e is.
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
    /// `Host { name }`, `ssh { address }`, `a::T { … }`, `Transport.ssh { … }`.
    Construct {
        /// The type, or the variant of a union.
        path: Path,
        /// The variant of the union that the path names.
        variant: Option<Ident>,
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

/// Operators of two operands, from loose to tight: `??`; `or`; `and`; (`not`;) comparisons, `in`,
/// `not in`, `is` (which do not chain); `..`; `+ -`; `* / %`; (unary `-`; `as`; postfix.)
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

impl BinaryOp {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Coalesce => "??",
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::In => "in",
            BinaryOp::NotIn => "not in",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }
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
