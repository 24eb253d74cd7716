//! The plan: a pure function of what is wanted, what the ledger knows and what was seen.
//!
//! A [`survey`] pairs what is wanted with what is known; [`decide`] says of each subject by itself what is to
//! be done; the [`planner`] has the decisions see each other (what lies within what, who takes whose place,
//! what waits for an output, what passes) and puts their steps in [`order`].
//!
//! Deliberately absent: whatever is done about it, which is the engine's, and all I/O.

pub(super) mod anew;
pub(super) mod decide;
pub(super) mod intents;
pub(super) mod later;
pub(super) mod leave;
pub(super) mod look;
pub(super) mod order;
pub(super) mod parts;
pub(super) mod passing;
pub(super) mod plan;
pub(super) mod planner;
pub(super) mod survey;
pub(super) mod taking;
pub(super) mod waiting;
pub(super) mod within;
