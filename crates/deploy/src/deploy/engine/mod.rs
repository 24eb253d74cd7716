//! The engine, and what drives it.
//!
//! The [`machine`] is pure: events in, effects out. It greets the targets ([`greet`]), looks ([`looking`]),
//! reads what became of an earlier run ([`recover`]), has a plan made, and does its steps ([`doing`]). The
//! [`driver`] carries its effects out on the targets, several machines at once ([`lanes`]).
//!
//! Invariants: an effect begins only after its intent is durable; what depends on an effect begins only after its
//! outcome is durable.

pub(super) mod doing;
pub(super) mod driver;
pub(super) mod foreign;
pub(super) mod greet;
pub(super) mod lanes;
pub(super) mod looking;
pub(super) mod machine;
pub(super) mod outcome;
pub(super) mod recover;
pub(super) mod task;
