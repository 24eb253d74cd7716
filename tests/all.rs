//! Every integration test, in one binary.

mod architecture;
mod console;
mod data;
mod harness;
mod lang;
mod reference;
mod project;
mod syntax;
mod ui;
