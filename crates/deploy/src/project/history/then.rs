//! A project as it was: evaluated without its checks, as far as that goes.

use std::sync::Arc;

use crate::base::{Edited, System};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place, Severity};
use crate::graph::GraphBuilder;
use crate::project::session::{Options, Session};

use super::with_model::WithModel;

impl Session {
    /// What this project makes, with no check run on it: what is wrong with one part of it leaves
    /// out that part alone. For a project that is an earlier one to another; its own model says
    /// what it makes. No graph if the model itself cannot be read.
    pub fn as_it_was(&mut self) -> (Option<GraphBuilder>, Vec<Diagnostic>) {
        self.unchecked()
    }

    /// Another session, over files of another time and the models of this one.
    pub(super) fn by_this_model(&self, files: Arc<dyn System>) -> Session {
        let folder = self.config().map(|c| c.model.clone()).unwrap_or_default();
        let program = self.program();
        let templates = program.templates.iter().map(|t| t.file.path().to_owned());
        let system = WithModel::new(self.db.system().clone(), files, &folder, templates);
        let edited = Arc::new(Edited::new(Arc::new(system)));
        // What was activated has been put in place of the sources already.
        let options = Options { active: false, ..self.options().clone() };
        let mut session = Session::open(edited.clone(), options);
        // What was written for an earlier model is read as it would be written now. What cannot be
        // migrated is still pending, which is said.
        crate::project::update::migrate_all(&mut session, &edited);
        session
    }
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
