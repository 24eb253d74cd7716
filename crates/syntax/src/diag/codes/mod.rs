//! The registry of codes: one table per layer, one page of documentation per code.
//!
//! A code is added by a line in its layer's table and a page `crates/syntax/src/diag/pages/CODE.md`; the page
//! holds a failing and a fixed example, which a test compiles.

use std::fmt;

use super::Severity;

/// What is known of one kind of diagnostic.
#[derive(Debug)]
pub struct CodeInfo {
    /// `G0101`: never used again for something else.
    pub id: &'static str,
    /// `unexpected-token`: what `// gops: allow(…)` names, and what SARIF calls the rule.
    pub name: &'static str,
    /// How bad it is by default.
    pub severity: Severity,
    /// One line: what it is.
    pub summary: &'static str,
    /// The page, in Markdown.
    pub page: &'static str,
}

/// One kind of diagnostic. Compares by its id.
#[derive(Clone, Copy)]
pub struct Code(&'static CodeInfo);

impl Code {
    /// What is known of it.
    pub fn info(self) -> &'static CodeInfo {
        self.0
    }

    /// `G0101`.
    pub fn id(self) -> &'static str {
        self.0.id
    }

    /// The code with this id, in any case, or this name.
    pub fn find(text: &str) -> Option<Code> {
        let found = |c: &&CodeInfo| c.id.eq_ignore_ascii_case(text) || c.name == text;
        REGISTRY.iter().flat_map(|t| t.iter()).find(found).map(Code)
    }

    /// All codes, by id.
    pub fn all() -> impl Iterator<Item = Code> {
        REGISTRY.iter().flat_map(|t| t.iter()).map(Code)
    }
}

#[cfg(test)]
impl Code {
    /// A code that is in no table, for tests of what handles codes.
    pub(crate) const fn outside(info: &'static CodeInfo) -> Code {
        Code(info)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}
impl Eq for Code {}
impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}
impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Code {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.id.cmp(other.0.id)
    }
}
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

/// Declares the codes of one layer: `CONSTANT = "G0101" Severity "name", "summary";`.
macro_rules! table {
    ($($constant:ident = $id:literal $severity:ident $name:literal, $summary:literal;)*) => {
        /// The codes of this layer, by id.
        pub(super) static TABLE: &[CodeInfo] = &[$(CodeInfo {
            id: $id,
            name: $name,
            severity: Severity::$severity,
            summary: $summary,
            page: include_str!(concat!("../pages/", $id, ".md")),
        }),*];
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Position { $($constant),* }
        $(
            #[doc = concat!("`", $id, "`: ", $summary)]
            pub const $constant: Code = Code(&TABLE[Position::$constant as usize]);
        )*
    };
}

macro_rules! layers {
    ($($(#[$doc:meta])* $layer:ident)*) => {
        $($(#[$doc])* pub mod $layer;)*
        /// Every table, in the order of the ids.
        pub static REGISTRY: &[&[CodeInfo]] = &[$($layer::TABLE),*];
    };
}

layers! {
    /// G01xx: the text of models does not parse.
    syntax
    /// G02xx: YAML and JSON documents.
    data
    /// G03xx: names, imports, declarations.
    model
    /// G04xx: types of models.
    types
    /// G05xx: instances against their schema.
    instance
    /// G06xx: evaluation.
    eval
    /// G07xx: the graph.
    graph
    /// G08xx: gops.toml, files and folders of a project.
    project
    /// G09xx: lints.
    lint
    /// G10xx: history, moves, what is written back.
    history
}
