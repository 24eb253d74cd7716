//! Evaluation: values, builtins, strata, budgets. Pure and deterministic: whatever is outside of
//! one run (other instances, objects, files) comes through [`World`].
//!
//! - [`run_instance`], [`run_entity`]: what the `impl`s make;
//! - [`check_instance`], [`check_object`], [`check_global`]: what does not hold;
//! - [`constant`], [`function`], [`derived_field`]: what is computed once;
//! - [`Reader`]: defaults and refinements, while instances are read.
//!
//! Values carry no places. Where a value came from is worked out from the expression when there
//! is something to say (`provenance`).

pub mod assign;
pub mod blame;
pub mod budget;
pub mod builtins;
pub mod compare;
pub mod convert;
pub mod deferred;
pub mod instance;
pub mod merge;
pub mod migrate;
pub mod operators;
pub mod print;
pub mod relations;
pub mod strings;
pub mod testing;
pub mod unique;
pub mod value;
pub mod world;

mod access;
mod collections;
mod elements;
mod expr;
mod files;
mod history;
mod literals;
mod machine;
mod make;
pub mod moved;
mod plan;
mod provenance;
mod refine;
pub mod resolve;
mod run;
mod weight;

pub use budget::Cost;
pub use literals::refused_literals;
pub use plan::{Plan, says_secret};
pub use run::{
    Computed, Reader, body, check_global, check_instance, check_object, constant, default_value,
    derived_field, derived_of_object, function, holds, run_entity, run_instance, run_transient,
};
pub use value::{Deferred, DeferredExpr, Element, InstanceId, Key, Object, Origin, Record, Reference, Value};
pub use world::{Files, Instance, ModelWorld, Operation, RunOutput, Version, World};

#[cfg(test)]
mod tests;
