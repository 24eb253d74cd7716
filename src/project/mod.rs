//! One call for everybody: a project in, diagnostics and a graph out.

pub mod config;
pub mod layout;
pub mod schema;
pub mod session;
pub mod walk;

pub use config::Config;
pub use session::{Compiled, Options, Report, Session, TestOutcome};
