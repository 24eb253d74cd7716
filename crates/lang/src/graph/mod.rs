//! The resource graph: what is to exist, and what it needs.
//!
//! # The document
//!
//! One value in canonical JSON (see [`canonical`]), so that the same inputs give the same bytes.
//! [`Graph`] is the document read; [`GraphBuilder`] is the document as bytes, node by node, with
//! both digests kept up to date while nodes come, change and go.
//!
//! # What is hashed
//!
//! Every hash is SHA-256; a tree has the shape leaf, bucket, root:
//!
//! - the *desired* hash of a node or target is that of its canonical JSON without the member
//!   `origin` and, for a node, without `why` in each entry of `requires`, each with the comma
//!   before it (what is left is canonical JSON again);
//! - its *whole* hash is that of the desired hash (32 bytes) and of the bytes that this leaves
//!   out, in their order, commas included;
//! - a leaf is in the bucket that the first byte of the hash of its id says, 0 to 255;
//! - the hash of a bucket is that of the letter `B` and the hashes of its leaves, in the order
//!   of the first eight bytes of the hashes of their ids, then of the ids;
//! - the root is the hash of the letter `R` and the hashes of the 256 buckets.
//!
//! Nodes and targets have a tree each. `desired` is the hash of
//! `{"format":1,"nodes":"sha256:…","targets":"sha256:…"}` with the roots of the trees of desired
//! hashes, in which only the present nodes stand, and the targets that these name. `digest` is
//! the hash of the document's canonical JSON without the member `digest` and with the roots of
//! the trees of whole hashes as strings (`"sha256:…"`) in the place of the lists `nodes` and
//! `targets`.

mod absent;
pub mod claims;
pub mod diff;
mod digest;
mod document;
pub mod draw;
mod find;
mod node;
pub mod order;
mod read;
mod schema;
mod sealed;
mod tree;
pub mod value;
mod why;

pub use crate::base::{canonical, id};
pub use digest::Digest;
pub use document::{Graph, GraphError};
pub use find::FindError;
pub use node::{Drift, LOCAL, Node, NodeHead, Origin, Require, SealedNode, SealedTarget, State, Target};
pub use read::ReadError;
pub use schema::SCHEMA;
pub use sealed::{Allow, FORMAT, GraphBuilder, Header, Move, Source};
pub use value::{Call, GraphValue, Known, Later, Secret};
pub use why::{Link, Subject, Why, why};

#[cfg(test)]
mod tests;
