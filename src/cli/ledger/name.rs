//! Which ledger is a project's.

use std::path::Path;

use ecow::EcoString;

use super::super::Failure;
use super::super::workspace::Workspace;
use crate::diag::did_you_mean;
use crate::git;
use crate::state::{ledger_folder, project_id};

/// The name of the project's ledger: its `id`, else its name and the first commit, else its name
/// and its folder. A ledger that was begun before there was a commit stays the project's: to
/// lose it would be to forget everything that was made.
///
/// What is tried out below a `root` has a ledger of its own, unless a place for it was named: a
/// trial must not stand in the real one for ever.
pub(in super::super) fn project(
    workspace: &Workspace,
    state: Option<&Path>,
    root: Option<&Path>,
    env: Option<&str>,
) -> Result<EcoString, Failure> {
    let config = workspace.session.config();
    let name = config.map_or("", |c| c.name.as_str());
    let of = |id: Option<&str>, commit: Option<&str>| {
        let project = project_id(id, name, commit, &workspace.root);
        match root.filter(|_| state.is_none()) {
            Some(root) => project_id(None, &format!("{project}-root"), None, root),
            None => project,
        }
    };
    if let Some(id) = config.and_then(|c| c.id.as_deref()) {
        return Ok(of(Some(id), None));
    }
    let by_folder = of(None, None);
    let Some(commit) = git::first_commit(&workspace.root).map_err(Failure::from)? else {
        return Ok(by_folder);
    };
    let by_commit = of(None, Some(&commit));
    let exists = |id: &str| ledger_folder(state, id, env).is_ok_and(|folder| folder.is_dir());
    Ok(if !exists(&by_commit) && exists(&by_folder) { by_folder } else { by_commit })
}

/// The environment whose ledger is meant: one that the project has, or none if it has none.
pub(in super::super) fn environment(
    workspace: &Workspace,
    written: Option<&str>,
) -> Result<Option<EcoString>, Failure> {
    let config = workspace.session.config();
    let names: Vec<&str> = config.iter().flat_map(|c| &c.environments).map(|e| e.name.as_str()).collect();
    let listed = || names.iter().map(|name| format!("`--env {name}`")).collect::<Vec<_>>().join(", ");
    match written {
        None if names.is_empty() => Ok(None),
        None => Err(Failure::Environment { help: format!("say which: {}", listed()) }),
        Some(name) if names.contains(&name) => Ok(Some(name.into())),
        Some(name) => {
            let meant = did_you_mean(name, names.iter().copied());
            let none = || "the project has no environments: leave `--env` out".to_owned();
            let help = meant.unwrap_or_else(|| if names.is_empty() { none() } else { listed() });
            Err(Failure::Unknown { what: "environment", written: name.to_owned(), help })
        }
    }
}
