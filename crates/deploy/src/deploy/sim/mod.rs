//! The simulator: it drives the engine through random lives on targets in memory, in any order of
//! what may happen at once, with the faults that real targets, disks and people have, and checks
//! what must hold after each step, after each run and after healing. A life follows from its
//! seed; one that fails is made small and written down as one line that can be replayed.
//!
//! Deliberately absent: real time and threads. What runs here is the engine that deploys, with
//! its stores and handlers behind the same traits.

mod canon;
mod case;
mod chance;
mod check;
mod exhaustive;
mod lab;
mod loss;
mod model;
mod nodes;
mod run;
mod shrink;
mod tale;

use std::fmt;

pub use case::Case;
pub use exhaustive::{Extent, exhaustive};
use lab::Lab;

/// What must hold and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant: `I1`.
    pub rule: String,
    /// What happened.
    pub what: String,
}

impl Violation {
    fn new(rule: &str, what: impl Into<String>) -> Self {
        Violation { rule: rule.to_owned(), what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// What was simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs of the engine.
    pub runs: u64,
    /// Runs that were cut off.
    pub crashes: u64,
    /// Effects on targets.
    pub effects: u64,
    /// Steps of the engine, after each of which the invariants were checked.
    pub steps: u64,
}

impl Stats {
    /// Both together.
    pub fn add(&mut self, other: Stats) {
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.effects += other.effects;
        self.steps += other.steps;
    }
}

/// The life of a seed.
pub fn case(seed: u64) -> Case {
    chance::case(seed)
}

/// The life of a seed in which ledgers are lost, and rebuilt from marks.
pub fn losing(seed: u64) -> Case {
    chance::losing(seed)
}

/// Lives a life; says what did not hold.
pub fn live(case: &Case) -> Result<Stats, Violation> {
    Lab::new().live(case)
}

/// Lives a life, and tells what happens in it, line by line.
pub fn tell(case: &Case) -> (Vec<String>, Result<Stats, Violation>) {
    let lab = Lab::told();
    let lived = lab.live(case);
    (lab.tale.lines(), lived)
}

/// A life that fails, made as small as it gets.
pub fn shrink(case: &Case, violation: &Violation) -> Case {
    shrink::shrink(case, &violation.rule, |case| live(case).err().map(|violation| violation.rule))
}
