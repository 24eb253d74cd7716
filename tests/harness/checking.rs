//! Projects in memory, checked: what the harnesses stand on.

use std::collections::BTreeMap;
use std::sync::Arc;

use gops::base::{FileId, MemorySystem};
use gops::diag::Diagnostic;
use gops::diag::render::{Format, Sources, render};
use gops::project::{Options, Session};

use super::literate::File;

/// The gops.toml of a case that has none.
pub const CONFIG: &str = "name = \"example\"\nedition = \"2026\"\n";

/// A project in memory, opened.
pub struct Project {
    pub session: Session,
}

impl Project {
    /// Of two files with one path the later counts.
    pub fn new(files: &[File], env: Option<&str>) -> Self {
        Project::with_links(files, &[], env)
    }

    /// With symbolic links at these paths.
    pub fn with_links(files: &[File], links: &[String], env: Option<&str>) -> Self {
        let by_path: BTreeMap<&str, &[u8]> = files.iter().map(|f| (f.path.as_str(), &f.bytes[..])).collect();
        let system = MemorySystem::default();
        system.write("gops.toml", CONFIG.as_bytes());
        for (path, bytes) in by_path {
            system.write(path, bytes);
        }
        links.iter().for_each(|path| system.link(path));
        let options = Options { env: env.map(str::to_owned), ..Options::default() };
        Project { session: Session::open(Arc::new(system), options) }
    }

    /// What is wrong with the project, and where nothing is, with its tests.
    pub fn check(&mut self) -> Vec<Diagnostic> {
        let mut found = self.session.check().diagnostics;
        if !found.iter().any(Diagnostic::is_error) {
            found.extend(self.session.test(None).into_iter().flat_map(|outcome| outcome.diagnostics));
        }
        found
    }

    pub fn show(&self, diagnostics: &[Diagnostic]) -> String {
        render(Format::Human, diagnostics, self, false)
    }
}

impl Sources for Project {
    fn text(&self, file: FileId) -> Option<Arc<str>> {
        self.session.source(file)
    }
}
