//! A project as it was: evaluated without its checks, as far as that goes.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::base::{Edited, FileId, System};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place, Severity};
use crate::graph::GraphBuilder;
use crate::project::graphs::Unchecked;
use crate::project::session::Session;

use super::EarlierProject;
use super::frozen::Frozen;
use super::with_model::WithModel;

impl Session {
    /// What this project makes, with no check run on it: what is wrong with one part of it leaves
    /// out that part alone. For a project that is an earlier one to another; its own model says
    /// what it makes. No graph if the model itself cannot be read.
    pub fn as_it_was(&mut self) -> (Option<GraphBuilder>, Vec<Diagnostic>) {
        self.unchecked()
    }

    /// What earlier projects were, by the models of this one: of each that is wanted and whose files
    /// are known. The session is where it was before, in the end.
    pub(super) fn look_at(
        &mut self,
        earlier: &[EarlierProject],
        wanted: &dyn Fn(&EarlierProject) -> bool,
    ) -> Vec<Option<Seen>> {
        let home = self.db.system().clone();
        // Where the files differ from those that were looked at before.
        let mut paths = Some(Vec::new());
        let mut seen = Vec::with_capacity(earlier.len());
        for project in earlier {
            let Some(files) = project.files.as_ref().filter(|_| wanted(project)) else {
                seen.push(None);
                continue;
            };
            let changed = project.changed.as_ref().map(|c| c.iter().map(|path| FileId::new(path)));
            paths = paths.zip(changed).map(|(paths, changed): (Vec<FileId>, _)| {
                let mut all: Vec<FileId> = paths.into_iter().chain(changed).collect();
                all.sort_by_key(|path| path.path());
                all.dedup();
                all
            });
            seen.push(Some(self.look(&home, files.clone(), paths.as_deref())));
        }
        if seen.iter().any(Option::is_some) {
            self.visit(home, paths.as_deref());
            self.load_instances();
        }
        seen
    }

    fn look(&mut self, home: &Arc<dyn System>, files: Arc<dyn System>, paths: Option<&[FileId]>) -> Seen {
        let folder = self.config().map(|c| c.model.clone()).unwrap_or_default();
        let program = self.program();
        let templates = program.templates.iter().map(|t| t.file.path().to_owned());
        let edited = Arc::new(Edited::new(Arc::new(WithModel::new(home.clone(), files, &folder, templates))));
        let differ: FxHashSet<FileId> = self.visit(edited.clone(), paths).into_iter().collect();
        // What was written for an earlier model is read as it would be written now. What cannot be
        // migrated is still pending, which is said.
        let known = |file: FileId| paths.is_none() || differ.contains(&file);
        let migrated = crate::project::update::migrate_all(self, &edited, &known);
        if !migrated.is_empty() {
            self.visit(edited, Some(&migrated));
        }
        let mut problems = match self.prepared() {
            Ok(problems) | Err(problems) => problems,
        };
        let Unchecked { runs, gathered, readable } = self.unchecked_runs(&mut problems);
        self.resolve(&runs, &mut problems);
        Seen { frozen: Frozen::new(self, runs, gathered), readable, problems }
    }
}

/// An earlier project that was looked at.
pub(super) struct Seen {
    pub frozen: Frozen,
    /// Whether there is a graph of it.
    pub readable: bool,
    /// What is wrong with it.
    pub problems: Vec<Diagnostic>,
}

/// As many problems of one earlier project are shown.
const SHOWN: usize = 5;

/// What is wrong with an earlier project, as warnings: it is left out of what that project made,
/// and the ledger deletes all the same. The places are of files as they were, so only the file
/// and the line are told.
pub fn warnings(name: &str, said: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let left_out = |d: &Diagnostic| d.is_error() || d.code == codes::LEFT_OUT;
    let problems = said.into_iter().filter(left_out);
    let (mut warnings, mut more) = (Vec::new(), 0);
    for problem in problems {
        if warnings.len() == SHOWN {
            more += 1;
            continue;
        }
        let file = problem.labels.first().map_or(Place::File(crate::base::FileId::new("")), |l| l.place);
        let message = format!("in {name}: {}", problem.message);
        let mut warning = Diagnostic::new(codes::EARLIER, Place::File(file.file()), message);
        warning.severity = Severity::Warning;
        warnings.push(warning.help("what this made then is deleted without the objects that help with it"));
    }
    if let Some(last) = warnings.last_mut()
        && more > 0
    {
        let help = last.help.take().unwrap_or_default();
        last.help = Some(format!("{help}; {more} more problems of {name} are not shown"));
    }
    warnings.into_iter().map(|w| w.resolved(&crate::project::origins::Nowhere)).collect()
}
