//! Runs over models that are written as values, so that they need no parser and no checker.

mod fixture;
mod prelude;
mod runs;
