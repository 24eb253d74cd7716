//! Every integration test, in one binary.

mod architecture;
mod canary;
#[cfg(feature = "git")]
mod ci;
mod console;
mod data;
#[cfg(feature = "file")]
mod deploy;
mod determinism;
mod examples;
mod harness;
mod history;
mod lang;
mod operator;
mod project;
mod reference;
mod syntax;
mod tutorial;
mod ui;
#[cfg(feature = "watch")]
mod watch;
