//! Types: which goes where, and the checking of models.
//!
//! [`check()`] takes what was declared and gives every body its types: names resolved, literals
//! made what is expected of them, optional values narrowed, every conversion written out. What
//! it yields is evaluated without asking again.

mod check;
mod effects;
pub mod marks;
pub mod relation;
pub(crate) mod signature;
mod strata;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;

use crate::base::FileId;
use crate::diag::Diagnostic;
use crate::model::program::NodeTables;
use crate::model::{Declarations, HirKind, Program, Type};

pub use crate::model::show;
pub use check::Templates;

/// What checking yields.
#[derive(Debug, Default)]
pub struct Checked {
    /// The model. With errors among the diagnostics, its bodies hold stand-ins.
    pub program: Program,
    /// The bytes of numbered places.
    pub nodes: NodeTables,
    /// The types of numbered expressions, by file and number; [`Type::Never`] of what is none.
    pub types: FxHashMap<FileId, Vec<Type>>,
    /// What is wrong with declarations and bodies.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks the bodies of everything that was declared. `templates` gives the text of a file by its
/// path from the project's root.
pub fn check(declarations: Declarations<'_>, templates: &Templates<'_>) -> Checked {
    let check::Bodies { mut program, nodes, types, mut diagnostics, uses, untyped } =
        check::bodies(declarations, templates);
    let (effects, endless) = effects::effects(&program, &uses, &untyped, &mut diagnostics);
    strata::strata(&mut program, &uses, &effects, &mut diagnostics);
    // What needs itself has no value: nobody shall look for one.
    for id in endless {
        if let Some(body) = id.body_mut(&mut program) {
            body.root.kind = HirKind::Error;
        }
    }
    Checked { program, nodes, types, diagnostics }
}
