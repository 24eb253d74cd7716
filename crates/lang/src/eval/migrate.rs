//! The bodies of migrations: expressions over `old`, a document as it was.

use crate::diag::Diagnostic;
use crate::model::Body;

use super::machine::{Machine, Stop, This};
use super::value::Value;
use super::world::World;

/// What a body gives for a document. Nothing is said of a value that is not there: a document
/// that is not as the migration thinks is not one for it.
pub fn value<'w>(world: &'w dyn World, body: &'w Body, old: &Value) -> Result<Value, Vec<Diagnostic>> {
    let mut machine = Machine::new(world);
    machine.enter(body.file, Some(&body.root), body.locals.max(1), This::None);
    machine.set_local(0, old.clone());
    let value = machine.eval(&body.root);
    machine.leave();
    let said = machine.finish().diagnostics;
    value.map_err(|_: Stop| said)
}
