//! Evaluation: values, builtins, strata, budgets. Pure and deterministic: whatever is outside of
//! one run (other instances, objects, files) comes through [`World`].

pub mod budget;
pub mod instance;
mod plan;
pub mod value;
pub mod world;

pub use budget::Cost;
pub use plan::Plan;

pub use value::{Deferred, DeferredExpr, Element, InstanceId, Key, Object, Origin, Record, Reference, Value};
pub use world::{Instance, RunOutput, World};
