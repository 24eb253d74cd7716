//! Bodies: expressions with names resolved and types checked. The evaluator trusts them.

use std::sync::Arc;

use ecow::EcoString;

use super::prelude::Builtin;
use super::schema::{CheckDef, Slot};
use super::ty::{Type, TypeId};
use crate::base::{FileId, Name, Span};
use crate::syntax::ast::{BinaryOp, UnaryOp};

/// The number of a place in a module: an index into that module's [`Nodes`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Node(pub u32);

/// The bytes of a module's numbered places. Kept apart from everything that is compared.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Nodes {
    /// By number.
    pub spans: Vec<Span>,
}

/// Code that is run on its own: a default, a derived field, a refinement, a function, an impl.
#[derive(Clone, PartialEq, Debug)]
pub struct Body {
    /// The file it is written in: nodes are numbers of this file.
    pub file: FileId,
    /// What is computed.
    pub root: Hir,
    /// How many locals a frame needs.
    pub locals: u32,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Hir {
    /// Where it is written.
    pub node: Node,
    /// What it is.
    pub kind: HirKind,
}

/// What an expression is.
///
/// Wherever one of the operands is marked (`secret`, `later`), an operator, builtin or
/// interpolation gives a deferred value; the checker has seen to it that none decides.
#[derive(Clone, PartialEq, Debug)]
pub enum HirKind {
    /// Something was wrong and has been said: evaluating it yields nothing more.
    Error,
    /// `null`.
    Null,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Str(EcoString),
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(i64),
    /// A variant of an enum.
    Enum(TypeId, u16),
    /// `Tier.values`.
    EnumValues(TypeId),
    /// The environment that is evaluated for (`env`): a variant of the enum of environments.
    Env,
    /// A constant of a module: index into `Program::consts`; evaluated once.
    Const(u32),
    /// A local.
    Local(u32),
    /// The value that the body is about: an element, an object; in a refinement the value.
    SelfValue,
    /// The struct or slice that holds an element.
    Parent(Box<Hir>),
    /// A field by its slot, of a record of a known type. `ty` is that type. The value may be a
    /// reference: then a key, and nothing else, is read without a look-up.
    Field {
        /// The record.
        base: Box<Hir>,
        /// Its type.
        ty: TypeId,
        /// The field: stored, derived, an output or a relation, as `RecordDef::fields` says.
        slot: Slot,
    },
    /// A field that all variants of a union, or all alternatives, share.
    SharedField {
        /// The value.
        base: Box<Hir>,
        /// The name.
        name: Name,
    },
    /// What a union's value carries; the checker knows the variant.
    Payload(Box<Hir>),
    /// The tag of a union's value, as its data name.
    Tag(Box<Hir>),
    /// `any`'s `a.k` and `a["k"]`, null if missing; `Anon` fields.
    Get {
        /// The value.
        base: Box<Hir>,
        /// The key.
        key: Box<Hir>,
    },
    /// `a?.…`: null if `base` is, else `body` with `local` bound to it.
    IfSome {
        /// What may be null.
        base: Box<Hir>,
        /// Where it is bound.
        local: u32,
        /// The rest of the chain.
        body: Box<Hir>,
    },
    /// `xs[i]`, `m[k]`: missing is an error with the place.
    Index {
        /// The list, string or map.
        base: Box<Hir>,
        /// The index or key.
        index: Box<Hir>,
    },
    /// `xs[a..b]` of lists and strings.
    SliceOf {
        /// The list or string.
        base: Box<Hir>,
        /// The range.
        range: Box<Hir>,
    },
    /// `ports[number: 3]`: the element with this identity; missing is an error.
    Keyed {
        /// The list, set or map.
        base: Box<Hir>,
        /// The variant, if the elements are of a union and the tag is given.
        variant: Option<u16>,
        /// Key values in the order of the element type's keys.
        keys: Vec<Hir>,
    },
    /// `xs[i]?`, `ports[number: 3]?`: an [`HirKind::Index`] or an [`HirKind::Keyed`] that is null
    /// where there is no such element.
    OrNull(Box<Hir>),
    /// `T[k]`: a reference by key; for a slice the instance.
    Ref {
        /// The type.
        ty: TypeId,
        /// Key values in the order of the type's keys.
        keys: Vec<Hir>,
    },
    /// `T[k]?`: reads T; null if there is none.
    Lookup {
        /// The type.
        ty: TypeId,
        /// Key values in the order of the type's keys.
        keys: Vec<Hir>,
    },
    /// `all(T)`: reads T; in order of the keys.
    All(TypeId),
    /// A function: index into `Program::functions`.
    Call {
        /// Which.
        function: u32,
        /// All of its parameters, in order.
        args: Vec<Hir>,
    },
    /// A builtin. Arguments as its signature says, the receiver first; an optional one that is
    /// not given is `None`.
    Builtin {
        /// Which.
        builtin: Builtin,
        /// In order.
        args: Vec<Option<Hir>>,
    },
    /// `matches(r"…")` with a literal: index into `Program::regexes`.
    Matches {
        /// The string.
        value: Box<Hir>,
        /// The compiled expression.
        regex: u32,
    },
    /// `x => e`: only as an argument of a builtin; shares the frame.
    Lambda {
        /// Where the parameters are bound.
        params: Vec<u32>,
        /// The result.
        body: Box<Hir>,
    },
    /// `not e`, `-e`.
    Unary(UnaryOp, Box<Hir>),
    /// `a + b`. `and`, `or` and `??` evaluate the right side only if need be.
    Binary(BinaryOp, Box<Hir>, Box<Hir>),
    /// A range.
    Range {
        /// The first.
        start: Option<Box<Hir>>,
        /// The last, or the one after it.
        end: Option<Box<Hir>>,
        /// `..=`.
        inclusive: bool,
    },
    /// `p is http`, `x is int`.
    Is(Box<Hir>, TypeTest),
    /// `x as T`: checks; the error is at the data if the value came from there.
    As(Box<Hir>, Type),
    /// An int where a float is wanted.
    ToFloat(Box<Hir>),
    /// A list literal or list where a set is wanted.
    ToSet(Box<Hir>),
    /// A value where `any` is wanted: records and unions become maps of data names.
    ToAny(Box<Hir>),
    /// A value where a refined type is wanted, and it is not known to hold.
    Refine(Box<Hir>, Type),
    /// A string with `${}`: durations, sizes, floats, enums as the contract prints them.
    Interpolate(Vec<Part>),
    /// `if c { x } else { y }`; without the second, null.
    If {
        /// The condition.
        condition: Box<Hir>,
        /// Then.
        then: Box<Hir>,
        /// Else.
        otherwise: Option<Box<Hir>>,
    },
    /// `match`: the first arm with a pattern that fits; the checker saw that one does.
    Match {
        /// What is looked at.
        subject: Box<Hir>,
        /// Patterns and bodies.
        arms: Vec<(Vec<Pattern>, Hir)>,
    },
    /// `[a, b]`.
    List(Vec<Hir>),
    /// A map literal, in the order written (a key twice is an error); an `any` literal.
    Map(Vec<MapEntry>),
    /// A comprehension.
    Comprehension {
        /// `for` and `if`, in order.
        clauses: Vec<Clause>,
        /// What is made each time: a list's element, or a map's key and value.
        key: Option<Box<Hir>>,
        /// The element or the value.
        value: Box<Hir>,
    },
    /// A record literal without an expected type: fields in the order of their names as text.
    Anon(Vec<(Name, Hir)>),
    /// A struct: given fields by slot; the others take their defaults.
    Struct {
        /// The type.
        ty: TypeId,
        /// What is given, in slot order.
        fields: Vec<(Slot, Hir)>,
    },
    /// A union's value.
    Variant {
        /// The union.
        ty: TypeId,
        /// The variant.
        variant: u16,
        /// What it carries: a `Struct`, or none.
        payload: Option<Box<Hir>>,
    },
    /// An entity or resource that exists because this is evaluated; yields a reference. In a
    /// test also an instance of a slice.
    Construct(Box<Construct>),
    /// Binds a local; yields null.
    Let {
        /// Where.
        local: u32,
        /// What.
        value: Box<Hir>,
    },
    /// Statements, then the value (null in an `impl`).
    Block {
        /// In order.
        stmts: Vec<Hir>,
        /// The value.
        value: Option<Box<Hir>>,
    },
    /// `for x in xs { … }` in an `impl`; yields null.
    For {
        /// One, or two for a map.
        locals: Vec<u32>,
        /// What is gone through.
        over: Box<Hir>,
        /// The body.
        body: Box<Hir>,
    },
    /// A check in a body; yields null.
    Check(Box<CheckDef>),
    /// `expect e` in a test.
    Expect(Box<Hir>),
    /// `expect error "m" { … }` in a test.
    ExpectError {
        /// What a message contains.
        message: Box<Hir>,
        /// What is wrong.
        body: Box<Hir>,
    },
    /// `given T[k].output = e` in a test.
    Given {
        /// The object.
        object: Box<Hir>,
        /// The output.
        slot: Slot,
        /// Its value.
        value: Box<Hir>,
    },
    /// `before { … }` in a test.
    Before(Box<Hir>),
    /// `state(x)`, `operation(x)`, `deleted(x)`, `previous(x.f)`: about history.
    History(HistoryQuestion, Box<Hir>),
    /// `template("motd.tmpl", { … })`: index into `Program::templates`.
    Template {
        /// Which.
        template: u32,
        /// The given values, in the order of the template's locals.
        args: Vec<Hir>,
    },
    /// `file(p)` and `files(p)`: from `/`, or relative to the folder of an instance, in tests to
    /// that of the model file.
    File {
        /// The path or pattern.
        path: Box<Hir>,
        /// `files`.
        many: bool,
        /// Where a relative path starts.
        folder: Folder,
    },
}

impl Hir {
    /// Calls `f` for each expression directly within this one.
    pub fn each_child<'h>(&'h self, f: &mut dyn FnMut(&'h Hir)) {
        match &self.kind {
            HirKind::Error
            | HirKind::Null
            | HirKind::Bool(_)
            | HirKind::Int(_)
            | HirKind::Float(_)
            | HirKind::Str(_)
            | HirKind::Duration(_)
            | HirKind::Size(_)
            | HirKind::Enum(..)
            | HirKind::EnumValues(_)
            | HirKind::Env
            | HirKind::Const(_)
            | HirKind::Local(_)
            | HirKind::SelfValue
            | HirKind::All(_) => {}
            HirKind::Parent(e)
            | HirKind::Field { base: e, .. }
            | HirKind::SharedField { base: e, .. }
            | HirKind::Payload(e)
            | HirKind::Tag(e)
            | HirKind::OrNull(e)
            | HirKind::Matches { value: e, .. }
            | HirKind::Lambda { body: e, .. }
            | HirKind::Unary(_, e)
            | HirKind::Is(e, _)
            | HirKind::As(e, _)
            | HirKind::ToFloat(e)
            | HirKind::ToSet(e)
            | HirKind::ToAny(e)
            | HirKind::Refine(e, _)
            | HirKind::Let { value: e, .. }
            | HirKind::Expect(e)
            | HirKind::Before(e)
            | HirKind::History(_, e) => f(e),
            HirKind::Get { base: a, key: b }
            | HirKind::IfSome { base: a, body: b, .. }
            | HirKind::Index { base: a, index: b }
            | HirKind::SliceOf { base: a, range: b }
            | HirKind::Binary(_, a, b)
            | HirKind::For { over: a, body: b, .. }
            | HirKind::ExpectError { message: a, body: b }
            | HirKind::Given { object: a, value: b, .. } => {
                f(a);
                f(b);
            }
            HirKind::Keyed { base, keys, .. } => {
                f(base);
                keys.iter().for_each(f);
            }
            HirKind::Ref { keys: all, .. }
            | HirKind::Lookup { keys: all, .. }
            | HirKind::Call { args: all, .. }
            | HirKind::List(all)
            | HirKind::Template { args: all, .. } => all.iter().for_each(f),
            HirKind::Builtin { args, .. } => args.iter().flatten().for_each(f),
            HirKind::Range { start, end, .. } => start.iter().chain(end).for_each(|e| f(e)),
            HirKind::Interpolate(parts) => parts.iter().for_each(|part| match part {
                Part::Value { value, .. } => f(value),
                Part::Text(_) => {}
            }),
            HirKind::If { condition, then, otherwise } => {
                f(condition);
                f(then);
                otherwise.iter().for_each(|e| f(e));
            }
            HirKind::Match { subject, arms } => {
                f(subject);
                for (patterns, body) in arms {
                    for pattern in patterns {
                        if let Pattern::Literal(literal) = pattern {
                            f(literal);
                        }
                    }
                    f(body);
                }
            }
            HirKind::Map(entries) => entries.iter().for_each(|entry| match entry {
                MapEntry::Pair(key, value) => {
                    f(key);
                    f(value);
                }
                MapEntry::Spread(value) => f(value),
            }),
            HirKind::Comprehension { clauses, key, value } => {
                clauses.iter().for_each(|clause| match clause {
                    Clause::For { over: e, .. } | Clause::If(e) | Clause::Let { value: e, .. } => f(e),
                });
                key.iter().for_each(|e| f(e));
                f(value);
            }
            HirKind::Anon(fields) => fields.iter().for_each(|(_, e)| f(e)),
            HirKind::Struct { fields, .. } => fields.iter().for_each(|(_, e)| f(e)),
            HirKind::Variant { payload, .. } => payload.iter().for_each(|e| f(e)),
            HirKind::Construct(construct) => {
                construct.fields.iter().for_each(|(_, e)| f(e));
                construct.rest.iter().chain(&construct.after).chain(&construct.timeout).for_each(f);
            }
            HirKind::Block { stmts, value } => {
                stmts.iter().for_each(&mut *f);
                value.iter().for_each(|e| f(e));
            }
            HirKind::Check(check) => {
                check.quantifier.iter().for_each(|(_, over)| f(over));
                f(&check.condition);
                f(&check.message);
            }
            HirKind::File { path, folder, .. } => {
                f(path);
                if let Folder::Of(e) = folder {
                    f(e);
                }
            }
        }
    }
}

/// Where a relative path of `file()` and `files()` starts.
#[derive(Clone, PartialEq, Debug)]
pub enum Folder {
    /// In the folder of the instance that `self` is, or is a part of.
    This,
    /// In that of the instance that a parameter is, or is a part of.
    Of(Box<Hir>),
    /// In that of the module: in tests.
    Module,
    /// Nowhere: only from `/`.
    Root,
}

/// What is asked about history.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum HistoryQuestion {
    State,
    Operation,
    Deleted,
    Previous,
}

/// What `is` asks.
#[derive(Clone, PartialEq, Debug)]
pub enum TypeTest {
    /// One of these variants of a union.
    Variant(TypeId, Arc<[u16]>),
    /// A value of this type.
    Type(Type),
}

/// A part of a string.
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// Text.
    Text(EcoString),
    /// A value; each further line of it is indented by `indent`.
    Value {
        /// The value.
        value: Hir,
        /// The indentation.
        indent: Option<EcoString>,
    },
}

/// A pattern.
#[derive(Clone, PartialEq, Debug)]
pub enum Pattern {
    /// `_`.
    Any,
    /// `null`.
    Null,
    /// A variant of a union or enum.
    Variant(u16),
    /// A literal.
    Literal(Hir),
    /// A value of this type.
    Type(Type),
}

/// An entry of a map literal.
#[derive(Clone, PartialEq, Debug)]
pub enum MapEntry {
    /// `k: v`.
    Pair(Hir, Hir),
    /// `...e`: entries that are not written and not yet there.
    Spread(Hir),
}

/// A clause of a comprehension.
#[derive(Clone, PartialEq, Debug)]
pub enum Clause {
    /// `for`.
    For {
        /// One, or two for a map.
        locals: Vec<u32>,
        /// What is gone through.
        over: Hir,
    },
    /// `if`.
    If(Hir),
    /// Bound once for each round; made by lowering.
    Let {
        /// Where.
        local: u32,
        /// What.
        value: Hir,
    },
}

/// A constructor of an object.
#[derive(Clone, PartialEq, Debug)]
pub struct Construct {
    /// The type.
    pub ty: TypeId,
    /// What is given, in slot order.
    pub fields: Vec<(Slot, Hir)>,
    /// What goes into the `...rest` field beside what is given to it: maps, merged in order.
    pub rest: Vec<Hir>,
    /// `after`, in order.
    pub after: Vec<Hir>,
    /// `protect`.
    pub protect: bool,
    /// `adopt`.
    pub adopt: bool,
    /// `keep`.
    pub keep: bool,
    /// `timeout`.
    pub timeout: Option<Hir>,
    /// `drift`.
    pub drift: Option<Drift>,
}

/// `drift …`.
#[derive(Clone, PartialEq, Debug)]
pub enum Drift {
    /// Mended: the default.
    Repair,
    /// Only reported.
    Report,
    /// These paths are not looked at.
    Ignore(Vec<DriftPath>),
}

/// A path in `drift ignore`.
#[derive(Clone, PartialEq, Debug)]
pub struct DriftPath {
    /// The steps.
    pub steps: Vec<DriftStep>,
}

/// A step of a path in `drift ignore`.
#[derive(Clone, PartialEq, Debug)]
pub enum DriftStep {
    /// `.name`, as its data name.
    Field(EcoString),
    /// `["k"]`, `[3]`.
    Index(Hir),
    /// `[name: "x"]`.
    Keyed(Vec<(EcoString, Hir)>),
}

/// Whether an expression has the form of an identity: `T[k]`, then fields and `field[k]`.
pub fn is_identity(hir: &Hir) -> bool {
    match &hir.kind {
        HirKind::Ref { .. } => true,
        HirKind::Field { base, .. } => is_identity(base),
        HirKind::Keyed { base, .. } => matches!(base.kind, HirKind::Field { .. }) && is_identity(base),
        _ => false,
    }
}
