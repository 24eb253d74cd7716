//! `test` blocks: each runs in a world of its own, in memory, that sees only what the test makes.

mod before;
mod bench;
mod expect;
mod make;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Diagnostic, Place};
use crate::model::Program;
use crate::model::program::TestDef;

use super::machine::Machine;
use super::plan::Plan;
use super::value::{Object, Reference};
use super::world::{Files, Version};

use before::View;
pub(super) use bench::Bench;

/// What became of a test.
#[derive(Clone, Debug, Default)]
pub struct TestOutcome {
    /// Why it failed; empty if it did not.
    pub diagnostics: Vec<Diagnostic>,
}

/// Everything that a test's instances make, for whoever knows more about it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The objects, merged.
    pub objects: FxHashMap<Arc<Reference>, Arc<Object>>,
    /// What the `impl`s of an instance or an entity made.
    pub made_by: FxHashMap<Arc<Reference>, Vec<Arc<Reference>>>,
}

/// What there is beside the lasting objects, where a test says what was `before`.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// What exists on the way from then to now.
    pub transient: FxHashMap<Arc<Reference>, Arc<Object>>,
    /// What was there then and is not now.
    pub absent: FxHashSet<Arc<Reference>>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// What surrounds a test.
pub trait Surroundings: Files {
    /// What else is wrong with what was made, asked where nothing is wrong so far: what handlers
    /// say, claims that clash.
    fn judge(&self, made: &Outcome) -> Vec<Diagnostic>;

    /// What follows from there having been something else before: the newest earlier version first.
    /// Each version comes with all that it makes.
    fn aftermath(&self, now: (&dyn Version, &Outcome), then: &[(&dyn Version, &Outcome)]) -> Aftermath;
}

/// Runs a test for one environment. It passes if everything that it expects is so, and nothing is
/// wrong with what it makes.
pub fn run_test<'w>(
    program: &'w Program,
    plan: &'w Plan,
    test: &'w TestDef,
    environment: Option<u16>,
    around: &'w dyn Surroundings,
) -> TestOutcome {
    let bench = Bench::new(program, plan, environment, around, test.body.file);
    let view = View { bench: &bench };
    let mut machine = Machine::new(&view);
    machine.bench = Some(&bench);
    machine.subject.folder = Some(super::files::folder_of(test.body.file.path()));
    let _ = machine.run_body(&test.body, super::machine::This::None);
    let output = machine.finish();
    let mut diagnostics = output.diagnostics;
    for problem in bench.problems(&output.references) {
        if !diagnostics.contains(&problem) {
            diagnostics.push(problem);
        }
    }
    if diagnostics.is_empty()
        && let Some(place) = output.stopped
    {
        let message = "the test stopped here, and nothing says why";
        diagnostics.push(Diagnostic::new(crate::diag::codes::eval::EXPECT, place, message));
    }
    let place = Place::Model { file: test.body.file, node: test.node.0 };
    for problem in &mut diagnostics {
        if !problem.labels.iter().any(|l| l.place == place) {
            let said = std::mem::replace(problem, Diagnostic::new(problem.code, place, ""));
            *problem = said.label(place, "in this test");
        }
    }
    TestOutcome { diagnostics }
}
