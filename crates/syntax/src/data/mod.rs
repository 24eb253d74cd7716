//! YAML and JSON documents with a span for every node, within limits.
//!
//! [`parse_yaml`] and [`parse_json`] turn bytes into a [`Parsed`]: a [`Document`], which holds
//! values and no places, and beside it [`Spans`] under the same numbers, so that an edit of white
//! space or of a comment leaves the document equal.
//!
//! Both formats yield the same documents. What a document may be (a mapping, not empty, the right
//! fields) is the business of whoever types it; here it only has to be well-formed, unambiguous
//! and within [`Limits`]. [`mod@print`] writes documents, and [`edit`] changes files that people wrote.

mod builder;
mod document;
pub mod edit;
mod fragment;
pub mod insert;
mod json;
pub mod layout;
mod merge;
mod parsed;
mod plain_json;
pub mod print;
pub mod remove;
pub mod replace;
mod scalar;
mod sops;
mod text;
mod yaml;

pub use document::{Children, Document, Encrypted, EncryptedType, Node, NodeKind};
pub use json::parse_json;
pub use parsed::{Limits, Parsed, Spans};
pub use sops::encrypted_type;
pub use yaml::{parse_yaml, parse_yaml_documents};
