//! Values.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{FileId, Name};
use crate::model::{Node, TypeId};

/// A value. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A finite float, never -0.
    Float(f64),
    /// A string.
    Str(EcoString),
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(i64),
    /// A variant of an enum.
    Enum(TypeId, u16),
    /// A range of ints.
    Range(Arc<RangeValue>),
    /// A list.
    List(Arc<[Value]>),
    /// A set, in the order of its elements, without repeats.
    Set(Arc<[Value]>),
    /// A map in the order of its keys.
    Map(Arc<[(Value, Value)]>),
    /// A struct, or an instance or object as it is seen from inside (`self`).
    Record(Arc<Record>),
    /// A value of a tagged union: the variant and what it carries.
    Variant(TypeId, u16, Option<Arc<Record>>),
    /// A reference to an instance, an entity or a resource.
    Ref(Arc<Reference>),
    /// A record literal without a declared type, in the order of the names as text.
    Anon(Arc<[(Name, Value)]>),
    /// A file of the project.
    File(Arc<FileValue>),
    /// Marked: a secret, or known only after a deploy.
    Deferred(Arc<Deferred>),
    /// Stands for a value that is wrong and said to be: whoever reads it stops without a word.
    Wrong,
}

/// A range of ints, as an expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RangeValue {
    /// The first.
    pub start: Option<i64>,
    /// The last, or the one after it.
    pub end: Option<i64>,
    /// Whether `end` is the last.
    pub inclusive: bool,
}

impl RangeValue {
    /// The first and the last; none if an end is open. An empty range has its first after its
    /// last.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        let (start, end) = (self.start?, self.end?);
        match (self.inclusive, end.checked_sub(1)) {
            (true, _) => Some((start, end)),
            (false, Some(last)) => Some((start, last)),
            (false, None) => Some((1, 0)),
        }
    }

    /// Whether an int is in it.
    pub fn contains(&self, value: i64) -> bool {
        self.start.is_none_or(|start| value >= start)
            && self.end.is_none_or(|end| if self.inclusive { value <= end } else { value < end })
    }
}

/// A record's value.
#[derive(Debug)]
pub struct Record {
    /// Its type.
    pub ty: TypeId,
    /// The stored fields, by slot.
    pub fields: Box<[Value]>,
    /// Which element of an instance it is, if it was read from data (or stands for an instance
    /// that a test makes). Not part of its value.
    pub element: Option<Element>,
}

/// An instance: the number of a document in a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InstanceId {
    /// The instance file (of several that are merged, the base file); in a test the model file.
    pub file: FileId,
    /// Which instance of the file: 0, or the position in an `each` file or among a test's.
    pub item: u32,
}

/// An element of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Element {
    /// The instance.
    pub instance: InstanceId,
    /// Its number: an index into `Instance::elements`; the root is 0.
    pub index: u32,
}

/// Key values in the order of the type's keys.
pub type Key = Arc<[Value]>;

/// A reference by type and key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reference {
    /// Slice, entity, target or resource.
    pub ty: TypeId,
    /// Its key.
    pub key: Key,
}

/// What `file()` gives.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FileValue {
    /// As it was asked for: relative to the instance's folder, or from `/`.
    pub path: EcoString,
    /// The last part.
    pub name: EcoString,
    /// Hexadecimal digest of its bytes.
    pub sha256: EcoString,
    /// Its text, if it is UTF-8.
    pub text: Option<EcoString>,
}

/// A value that is not known, or must not be shown, when the graph is made.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Deferred {
    /// Must not be shown.
    pub secret: bool,
    /// Known only after a deploy.
    pub later: bool,
    /// How it is computed.
    pub expr: DeferredExpr,
}

/// How a deferred value is computed by whoever applies it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum DeferredExpr {
    /// A secret in an instance file: where it stands there (the path of keys and indexes).
    /// `cipher` is the digest of its ciphertext, none where it stands plain.
    Secret {
        /// The file.
        file: FileId,
        /// Keys and indexes, joined as a JSON pointer.
        pointer: EcoString,
        /// Hexadecimal digest of the ciphertext.
        cipher: Option<EcoString>,
    },
    /// The output of a resource.
    Output {
        /// Which.
        object: Arc<Reference>,
        /// The output's name.
        field: Name,
    },
    /// A builtin or operator over values of which at least one is deferred.
    Operation {
        /// `add`, `interpolate`, `upper`, …: the names of the prelude, and of the operators.
        name: &'static str,
        /// In order.
        args: Vec<Value>,
    },
    /// A value that a model wrote in a place that says `secret<T>`: masked, never shown.
    Plain(Value),
}

/// Something that exists because an `impl` constructed it.
#[derive(Clone, PartialEq, Debug)]
pub struct Object {
    /// Which.
    pub reference: Arc<Reference>,
    /// The stored fields, by slot, defaults filled in.
    pub fields: Arc<[Value]>,
    /// `after`: references, flattened.
    pub after: Vec<Arc<Reference>>,
    /// `protect`.
    pub protect: bool,
    /// `adopt`.
    pub adopt: bool,
    /// `keep`.
    pub keep: bool,
    /// `timeout`, in nanoseconds.
    pub timeout: Option<i64>,
    /// `drift`, evaluated.
    pub drift: DriftPolicy,
    /// Who made it.
    pub origin: Origin,
}

/// What is done about drift.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum DriftPolicy {
    /// Mended.
    #[default]
    Repair,
    /// Reported.
    Report,
    /// These paths are not looked at: as text, `spec.replicas`, `ports[name=x].port`.
    Ignore(Vec<EcoString>),
}

/// The data and the model line that caused something.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// The element that the `impl` ran for; none for an entity (then `maker` says which).
    pub element: Option<Element>,
    /// The entity that the `impl` ran for.
    pub maker: Option<Reference>,
    /// The model file.
    pub file: FileId,
    /// The constructor in it.
    pub node: Node,
}

// Equality here is exact and structural: it tells whether something that was computed again
// came out the same. What `==` means in a model is `eval::compare`.

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.fields == other.fields
    }
}
impl Eq for Record {}
impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ty.hash(state);
        self.fields.hash(state);
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) | (Value::Wrong, Value::Wrong) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b))
            | (Value::Duration(a), Value::Duration(b))
            | (Value::Size(a), Value::Size(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Enum(t, a), Value::Enum(u, b)) => (t, a) == (u, b),
            (Value::Range(a), Value::Range(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Record(a), Value::Record(b)) => a == b,
            (Value::Variant(t, v, a), Value::Variant(u, w, b)) => (t, v, a) == (u, w, b),
            (Value::Ref(a), Value::Ref(b)) => a == b,
            (Value::Anon(a), Value::Anon(b)) => a == b,
            (Value::File(a), Value::File(b)) => a == b,
            (Value::Deferred(a), Value::Deferred(b)) => a == b,
            _ => false,
        }
    }
}
impl Eq for Value {}
impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Null | Value::Wrong => {}
            Value::Bool(v) => v.hash(state),
            Value::Int(v) | Value::Duration(v) | Value::Size(v) => v.hash(state),
            Value::Float(v) => v.to_bits().hash(state),
            Value::Str(v) => v.hash(state),
            Value::Enum(t, v) => (t, v).hash(state),
            Value::Range(v) => v.hash(state),
            Value::List(v) | Value::Set(v) => v.hash(state),
            Value::Map(v) => v.hash(state),
            Value::Record(v) => v.hash(state),
            Value::Variant(t, v, p) => (t, v, p).hash(state),
            Value::Ref(v) => v.hash(state),
            Value::Anon(v) => v.hash(state),
            Value::File(v) => v.hash(state),
            Value::Deferred(v) => v.hash(state),
        }
    }
}
