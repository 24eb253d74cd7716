//! What became of a run.

use crate::handler::Fault;
use crate::history::receipt::Receipt;

use super::super::Error;
use super::super::planning::plan::{Cause, Plan};
use super::super::saved::SavedPlan;
use super::foreign::Foreign;

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The plan.
    pub plan: Plan,
    /// For each entry of the plan what became of it.
    pub verdicts: Vec<Verdict>,
    /// What stopped the run before it was done, if something did.
    pub stopped: Option<Error>,
    /// What the deployer says of itself, for those who have no access to its ledger; none after a
    /// run that only planned, and before anything was deployed.
    pub receipt: Option<Receipt>,
    /// What somebody else put into what gops made, if that was asked for.
    pub foreign: Vec<Foreign>,
    /// The plan, to be kept in a file; none after a run that was to do it.
    pub saved: Option<SavedPlan>,
}

/// What became of an entry of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There was nothing to do but to say something.
    Said,
    /// It was done.
    Done,
    /// It was not begun.
    Planned,
    /// It was not begun, because of something else.
    Skipped(Cause),
    /// It was done, and cannot be used yet.
    Unready(Fault),
    /// It was tried, and had no effect.
    Failed(Fault),
    /// It was tried, and nobody knows whether it had an effect; the next run looks.
    Unknown(Fault),
}

impl Verdict {
    /// Whether something is not as it should be.
    pub fn is_bad(&self) -> bool {
        matches!(self, Verdict::Skipped(_) | Verdict::Unready(_) | Verdict::Failed(_) | Verdict::Unknown(_))
    }

    /// How bad it is.
    pub(in crate::deploy) fn rank(&self) -> u8 {
        match self {
            Verdict::Said => 0,
            Verdict::Done => 1,
            Verdict::Planned => 2,
            Verdict::Skipped(_) => 3,
            Verdict::Unready(_) => 4,
            Verdict::Failed(_) => 5,
            Verdict::Unknown(_) => 6,
        }
    }
}

/// How a run ended, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is as it should be, or will be once the plan is done.
    Fine,
    /// There is something to do, and it was not done: only a plan was made, or it was declined.
    Pending,
    /// Something was done or is fine, something was not.
    Partly,
    /// Nothing was done.
    Nothing,
}

impl Outcome {
    /// How it ended.
    pub fn end(&self) -> End {
        let any = |wanted: fn(&Verdict) -> bool| self.verdicts.iter().any(wanted);
        let refused = self.plan.entries.iter().any(|entry| entry.is_refused());
        let failed = refused || self.stopped.is_some() || any(|v| v.is_bad());
        let done = any(|v| matches!(v, Verdict::Done | Verdict::Unready(_)));
        match (failed, done) {
            (true, true) => End::Partly,
            (true, false) => End::Nothing,
            (false, _) if any(|v| matches!(v, Verdict::Planned)) => End::Pending,
            (false, _) => End::Fine,
        }
    }
}
