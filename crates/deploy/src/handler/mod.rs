//! What a handler is, the registry of handlers, and the handlers.
//!
//! A handler knows one kind of thing on a target: files, later packages and services. It says,
//! purely, what is wrong with a node, what the node claims on its target and what it builds on;
//! it observes; it compares, purely; and it applies and deletes, each idempotent under a token.
//!
//! Deliberately absent: any knowledge of plans, ledgers and order. Those are `deploy`'s.

mod canonical;
pub mod fake;
#[cfg(feature = "file")]
mod file;
mod mark;
mod registry;
mod session;
mod traits;
mod world;

pub use crate::secret::{PrintKey, Printer};
pub use mark::{Mark, Token};
pub use registry::Registry;
pub use session::{Fence, Greeting, Hello, Reach, Root, Session};
pub use traits::{
    Actual, Apply, Cost, Delete, Diff, Done, Effect, Examined, Fault, FieldChange, Found, Handler, Look,
    Marked, Need, Part, Problem, Readiness, Recorded, Rights, Seen, Shown, Thing,
};
pub use world::{Clock, ManualClock, Random, SeededRandom, SystemClock, SystemRandom, Timestamp};
