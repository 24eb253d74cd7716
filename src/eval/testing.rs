//! `test` blocks.

use crate::model::Hir;
use crate::model::hir::Construct;
use crate::model::schema::RecordDef;

use super::machine::{Eval, Machine};

/// Where a test runs: takes what it makes.
pub trait Bench {}

impl<'w> Machine<'w> {
    /// An instance that a test makes.
    pub fn test_instance(&mut self, hir: &'w Hir, _construct: &'w Construct, _def: &'w RecordDef) -> Eval {
        Err(self.unexpected(hir))
    }

    /// `expect`, `given`, `before`.
    pub fn test_statement(&mut self, hir: &'w Hir) -> Eval {
        Err(self.unexpected(hir))
    }
}
