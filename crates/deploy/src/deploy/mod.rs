//! The plan, and its execution.
//!
//! One path serves every run: a plan is a pure function of what is wanted, what the ledger
//! knows and what was seen; a deploy is that plan, executed. [`run()`] is all that others call.
//!
//! `planning` makes the plan, `engine` carries it out, `sim` drives both through random lives and checks
//! what must hold. The other files are what commands ask, and what all of them need: targets, scope, secrets.
//!
//! Invariants: an effect begins only after its intent is durable; what depends on an effect
//! begins only after its outcome is durable; a row leaves the ledger only with evidence; the
//! engine does nothing itself (events in, effects out), so that a simulator can drive it.

mod drift;
mod engine;
mod error;
mod guard;
mod history;
mod operate;
mod past;
mod planning;
mod reclaim;
mod rollback;
mod run;
mod saved;
mod scope;
mod secrets;
mod selector;
pub mod sim;
mod status;
mod target;
mod who;

#[cfg(test)]
mod tests;

pub use drift::{Difference, Differs, Drift, drift};
pub use engine::foreign::Foreign;
pub use engine::outcome::{End, Outcome, Verdict};
pub use error::Error;
pub use guard::{Ancestry, Repository};
pub use history::{Chapter, Deed, Deeds, Ended, Happened, Known, history, known};
pub use operate::{Order, Orders, export, import, ledger, operate};
pub use past::Source;
pub use planning::plan::{Action, Cause, Entry, Kept, Made, Plan, Released, Totals};
pub use reclaim::reclaim;
pub use rollback::rollback;
pub use run::{Mode, Observer, Options, Progress, run};
pub use saved::{MadeFor, PLAN_FORMAT, SavedEntry, SavedPlan};
pub use scope::{Choice, Scope, Select};
pub use selector::{Selector, SelectorError};
pub use status::{Standing, Stands, Status, status};
pub use who::author;
