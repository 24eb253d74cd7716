//! The tree of a model file. Parsing never fails: what could not be read is left out, or stands
//! as [`ExprKind::Error`] and [`TypeKind::Error`], and each such place has a diagnostic.

mod expr;
mod item;

pub use expr::*;
pub use item::*;

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
