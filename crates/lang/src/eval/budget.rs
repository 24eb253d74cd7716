//! How much a run may do. Counted, never timed: the same inputs stop at the same place on every
//! machine.

use std::ops::AddAssign;

/// What a run took, or may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Expressions evaluated, and elements that a builtin went through.
    pub steps: u64,
    /// Bytes of the texts and elements of the lists that were made.
    pub bytes: u64,
    /// Objects constructed.
    pub objects: u64,
}

/// What one `impl` run, check, derived field or function result may take.
pub const RUN: Cost = Cost { steps: 10_000_000, bytes: 64 << 20, objects: 100_000 };

/// What all runs of a project together may take.
pub const PROJECT: Cost = Cost { steps: 20_000_000_000, bytes: 64 << 30, objects: 5_000_000 };

/// How deep expressions, calls and derived fields may be within each other.
pub const DEPTH: u32 = 3_000;

impl Cost {
    /// What of this is more than in `limit`: `steps`, `bytes`, `objects`.
    pub fn exceeds(&self, limit: &Cost) -> Option<&'static str> {
        let over = [
            ("steps", self.steps > limit.steps),
            ("bytes", self.bytes > limit.bytes),
            ("objects", self.objects > limit.objects),
        ];
        over.into_iter().find_map(|(what, is)| is.then_some(what))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.steps = self.steps.saturating_add(other.steps);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.objects = self.objects.saturating_add(other.objects);
    }
}
