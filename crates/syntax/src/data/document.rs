//! Documents: trees of values, without places.

use std::fmt;
use std::hash::{Hash, Hasher};

use ecow::EcoString;

/// A document without places: compares equal when only white space or comments move.
///
/// The nodes stand in document order: the root is 0, and each mapping entry's value and each
/// sequence item counts one, depth first. [`Place::Data`](crate::diag::Place::Data) and
/// [`Spans`](super::Spans) use the same numbers.
///
/// Aliases and merge keys are expanded; entries that were merged in follow the written ones. No
/// mapping has a key twice.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Document {
    /// The nodes; there is at least one.
    pub nodes: Vec<Node>,
}

/// A value in a document, with what follows it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Node {
    /// The key under which it stands, if it is the value of a mapping entry. An integer key of
    /// YAML is its decimal text; that is the only form in which such a key is accepted.
    pub key: Option<EcoString>,
    /// The value.
    pub value: NodeKind,
    /// Whether it is an integer that YAML has in octal, `0o644`: permission bits are written so,
    /// and `0644` or `644` would be another number.
    pub octal: bool,
    /// Whether it is an integer that YAML has with zeros before it and that would be another one
    /// in octal, as older readers take it: `010`.
    pub padded: bool,
    /// The number after the last node below this one.
    pub end: u32,
}

/// A scalar, or the size of a container whose items follow.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer, as `1`; `1.0` is a float.
    Int(i64),
    /// A float; YAML's infinities and not-a-number too. Compares by its bits, and there is one
    /// not-a-number only.
    Float(f64),
    /// An integer that 64 bits do not hold, as it was written.
    BigInt(EcoString),
    /// A string.
    Str(EcoString),
    /// A scalar that sops encrypted; only in documents with a top-level `sops` mapping.
    Encrypted(Encrypted),
    /// A value that was refused with a diagnostic of its own: nothing more is to be said of it.
    Invalid,
    /// A sequence, and how many items it has.
    Sequence(u32),
    /// A mapping, and how many entries it has.
    Mapping(u32),
}

/// A scalar that sops encrypted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Encrypted {
    /// What it is once it is decrypted.
    pub ty: EncryptedType,
    /// The whole text, `ENC[AES256_GCM,data:…]`.
    pub text: EcoString,
}

/// The type that sops notes beside a ciphertext.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EncryptedType {
    /// `str`
    Str,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `bool`
    Bool,
    /// `bytes`
    Bytes,
    /// `comment`
    Comment,
}

static NOTHING: Node = Node { key: None, value: NodeKind::Null, octal: false, padded: false, end: 0 };

impl Document {
    /// The number of the root.
    pub const ROOT: u32 = 0;

    /// The document of one scalar.
    pub fn scalar(value: NodeKind) -> Self {
        Document { nodes: vec![Node { key: None, value, octal: false, padded: false, end: 1 }] }
    }

    /// The node with this number; a null without a key where there is none.
    pub fn node(&self, node: u32) -> &Node {
        self.nodes.get(node as usize).unwrap_or(&NOTHING)
    }

    /// The value of a node.
    pub fn value(&self, node: u32) -> &NodeKind {
        &self.node(node).value
    }

    /// The key under which a node stands.
    pub fn key(&self, node: u32) -> Option<&EcoString> {
        self.node(node).key.as_ref()
    }

    /// The items of a sequence, or the values of a mapping's entries; nothing for a scalar.
    pub fn children(&self, node: u32) -> Children<'_> {
        Children { document: self, next: node.saturating_add(1), end: self.node(node).end }
    }

    /// The entries of a mapping, in their order; nothing for anything else.
    pub fn entries(&self, node: u32) -> impl Iterator<Item = (&EcoString, u32)> {
        self.children(node).filter_map(|child| Some((self.key(child)?, child)))
    }

    /// The value of a mapping's entry.
    pub fn get(&self, node: u32, key: &str) -> Option<u32> {
        self.children(node).find(|&child| self.key(child).is_some_and(|k| k == key))
    }

    /// The string at a node.
    pub fn str(&self, node: u32) -> Option<&EcoString> {
        match self.value(node) {
            NodeKind::Str(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for Document {
    /// One line a node, indented, so that a difference can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ends: Vec<u32> = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            while ends.last().is_some_and(|&end| end as usize <= number) {
                ends.pop();
            }
            write!(f, "\n{:1$}", "", ends.len() * 2)?;
            if let Some(key) = &node.key {
                write!(f, "{key:?}: ")?;
            }
            write!(f, "{:?}", node.value)?;
            ends.push(node.end);
        }
        Ok(())
    }
}

/// The numbers of the nodes directly below one.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    document: &'a Document,
    next: u32,
    end: u32,
}

impl Iterator for Children<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.next >= self.end {
            return None;
        }
        let child = self.next;
        // A node always ends after itself; `max` keeps a hand-made document from looping.
        self.next = self.document.node(child).end.max(child + 1);
        Some(child)
    }
}

impl NodeKind {
    /// What it is, for a message: `a string`.
    pub fn describe(&self) -> &'static str {
        match self {
            NodeKind::Null => "null",
            NodeKind::Bool(_) => "a bool",
            NodeKind::Int(_) | NodeKind::BigInt(_) => "an int",
            NodeKind::Float(_) => "a float",
            NodeKind::Str(_) => "a string",
            NodeKind::Encrypted(_) => "an encrypted value",
            NodeKind::Invalid => "an invalid value",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a mapping",
        }
    }
}

impl PartialEq for NodeKind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (NodeKind::Null, NodeKind::Null) | (NodeKind::Invalid, NodeKind::Invalid) => true,
            (NodeKind::Bool(a), NodeKind::Bool(b)) => a == b,
            (NodeKind::Int(a), NodeKind::Int(b)) => a == b,
            (NodeKind::Float(a), NodeKind::Float(b)) => a.to_bits() == b.to_bits(),
            (NodeKind::BigInt(a), NodeKind::BigInt(b)) | (NodeKind::Str(a), NodeKind::Str(b)) => a == b,
            (NodeKind::Encrypted(a), NodeKind::Encrypted(b)) => a == b,
            (NodeKind::Sequence(a), NodeKind::Sequence(b)) => a == b,
            (NodeKind::Mapping(a), NodeKind::Mapping(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for NodeKind {}

impl Hash for NodeKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            NodeKind::Null | NodeKind::Invalid => {}
            NodeKind::Bool(v) => v.hash(state),
            NodeKind::Int(v) => v.hash(state),
            NodeKind::Float(v) => v.to_bits().hash(state),
            NodeKind::BigInt(v) | NodeKind::Str(v) => v.hash(state),
            NodeKind::Encrypted(v) => v.hash(state),
            NodeKind::Sequence(v) | NodeKind::Mapping(v) => v.hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(key: Option<&str>, value: NodeKind, end: u32) -> Node {
        Node { key: key.map(EcoString::from), value, octal: false, padded: false, end }
    }

    /// `{a: [1, {b: 2}], c: x}`
    fn sample() -> Document {
        Document {
            nodes: vec![
                node(None, NodeKind::Mapping(2), 6),
                node(Some("a"), NodeKind::Sequence(2), 5),
                node(None, NodeKind::Int(1), 3),
                node(None, NodeKind::Mapping(1), 5),
                node(Some("b"), NodeKind::Int(2), 5),
                node(Some("c"), NodeKind::Str("x".into()), 6),
            ],
        }
    }

    #[test]
    fn children_skip_what_is_below() {
        let document = sample();
        assert_eq!(document.children(0).collect::<Vec<_>>(), [1, 5]);
        assert_eq!(document.children(1).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(document.children(2).count(), 0);
        assert_eq!(document.get(0, "c"), Some(5));
        assert_eq!(document.get(3, "b"), Some(4));
        assert_eq!(document.get(0, "b"), None);
        assert_eq!(document.get(99, "b"), None);
    }

    #[test]
    fn floats_compare_by_bits() {
        assert_eq!(NodeKind::Float(f64::NAN), NodeKind::Float(f64::NAN));
        assert_ne!(NodeKind::Float(0.0), NodeKind::Float(-0.0));
        assert_ne!(NodeKind::Float(1.0), NodeKind::Int(1));
    }

    #[test]
    fn a_node_is_small() {
        assert!(size_of::<Node>() <= 56, "{}", size_of::<Node>());
    }
}
