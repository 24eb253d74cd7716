//! Values as trees, in which documents of all origins can be compared.

use gops::data::{Document, NodeKind};

use super::laws::assert_consistent;

/// A value. Mappings are sorted by key, since their order says nothing.
#[derive(Clone, PartialEq, Debug)]
pub enum Tree {
    Null,
    Bool(bool),
    Int(i64),
    Float(u64),
    BigInt(String),
    Str(String),
    Invalid,
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub fn float(value: f64) -> Self {
        Tree::Float(if value.is_nan() { f64::NAN } else { value }.to_bits())
    }

    pub fn map(mut entries: Vec<(String, Tree)>) -> Self {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Tree::Map(entries)
    }
}

impl From<&Document> for Tree {
    fn from(document: &Document) -> Self {
        assert_consistent(document);
        from_node(document, Document::ROOT)
    }
}

fn from_node(document: &Document, node: u32) -> Tree {
    match document.value(node) {
        NodeKind::Null => Tree::Null,
        NodeKind::Bool(value) => Tree::Bool(*value),
        NodeKind::Int(value) => Tree::Int(*value),
        NodeKind::Float(value) => Tree::float(*value),
        NodeKind::BigInt(text) => Tree::BigInt(text.to_string()),
        NodeKind::Str(text) => Tree::Str(text.to_string()),
        NodeKind::Encrypted(encrypted) => Tree::Str(encrypted.text.to_string()),
        NodeKind::Invalid => Tree::Invalid,
        NodeKind::Sequence(_) => {
            Tree::List(document.children(node).map(|c| from_node(document, c)).collect())
        }
        NodeKind::Mapping(_) => {
            Tree::map(document.entries(node).map(|(k, c)| (k.to_string(), from_node(document, c))).collect())
        }
    }
}

impl From<&serde_json::Value> for Tree {
    fn from(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Tree::Null,
            Value::Bool(value) => Tree::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(value) => Tree::Int(value),
                None if number.is_u64() => Tree::BigInt(number.to_string()),
                None => Tree::float(number.as_f64().expect("a number is a float if no integer")),
            },
            Value::String(text) => Tree::Str(text.clone()),
            Value::Array(items) => Tree::List(items.iter().map(Tree::from).collect()),
            Value::Object(entries) => {
                Tree::map(entries.iter().map(|(k, v)| (k.clone(), Tree::from(v))).collect())
            }
        }
    }
}
