//! Every integration test, in one binary.

mod architecture;
mod console;
mod data;
mod harness;
mod lang;
mod syntax;
mod ui;
