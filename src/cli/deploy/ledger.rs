//! Which ledger is a project's.

use std::path::Path;

use ecow::EcoString;

use super::super::Failure;
use super::super::workspace::Workspace;
use crate::git;
use crate::state::{ledger_folder, project_id};

/// The name of the project's ledger: its `id`, else its name and the first commit, else its name
/// and its folder. A ledger that was begun before there was a commit stays the project's: to
/// lose it would be to forget everything that was made.
pub(super) fn project(
    workspace: &Workspace,
    state: Option<&Path>,
    env: Option<&str>,
) -> Result<EcoString, Failure> {
    let config = workspace.session.config();
    let name = config.map_or("", |c| c.name.as_str());
    if let Some(id) = config.and_then(|c| c.id.as_deref()) {
        return Ok(project_id(Some(id), name, None, &workspace.root));
    }
    let by_folder = project_id(None, name, None, &workspace.root);
    let Some(commit) = git::first_commit(&workspace.root).map_err(Failure::from)? else {
        return Ok(by_folder);
    };
    let by_commit = project_id(None, name, Some(&commit), &workspace.root);
    let exists = |id: &str| ledger_folder(state, id, env).is_ok_and(|folder| folder.is_dir());
    Ok(if !exists(&by_commit) && exists(&by_folder) { by_folder } else { by_commit })
}
