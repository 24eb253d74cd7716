//! Diagnostics: what is wrong, where, on both sides, and what to write instead.
//!
//! Layers below the command line return [`Diagnostic`]s as values. Their labels may point into
//! a text by bytes ([`Place::Span`]) or at a node of a model or a document by number
//! ([`Place::Model`], [`Place::Data`]), so that a value which holds a diagnostic stays equal
//! when only white space or comments move. [`Resolver`] turns the latter into the former just
//! before anything is shown.

pub mod codes;
pub mod conflict;
mod diagnostic;
pub mod fix;
pub mod render;
mod suggest;

pub use codes::{Code, CodeInfo, REGISTRY};
pub use diagnostic::{
    DataPart, Diagnostic, Fix, Hidden, Label, Place, Resolver, Severity, SourceEdit, sort_and_dedup,
};
pub use suggest::{did_you_mean, nearest, nearest_few};
