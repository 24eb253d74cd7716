//! The base of a change: a revision or a folder, and what differs between it and the work tree.

use std::path::Path;
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{DiskSystem, System};
use crate::git::GitError;

use super::config::CONFIG_FILE;

/// What a change is compared with.
#[derive(Clone, Debug)]
pub struct Base {
    /// What people call it: `main`, `HEAD~1`, `../old`.
    pub name: String,
    /// The full id of the commit; none for a folder.
    pub id: Option<String>,
    /// Its files.
    pub system: Arc<dyn System>,
    /// The paths that the work tree has otherwise, or that only one of the two has; none: not
    /// known.
    pub changed: Option<Vec<String>>,
}

/// Why there is no base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseError {
    /// Git has none.
    Git(GitError),
    /// This program was built without Git.
    NoGit,
    /// The folder is no project.
    NoProject(std::path::PathBuf),
}

impl From<GitError> for BaseError {
    fn from(error: GitError) -> Self {
        BaseError::Git(error)
    }
}

impl Base {
    /// The base of the project in a folder.
    ///
    /// `written` is a revision or a folder, and `folder` that folder, from where the user stands;
    /// what starts with `.` or `/` is a folder, and of two of one name the revision is meant. If
    /// nothing is written, it is where HEAD left the default branch.
    pub fn find(
        project: &Path,
        written: Option<(&str, &Path)>,
        default_branch: Option<&str>,
    ) -> Result<Self, BaseError> {
        match written {
            Some((name, folder)) if name.starts_with(['.', '/']) => Base::folder(name, folder),
            Some((name, folder)) => match Base::revision(project, Some(name), default_branch) {
                Err(_) if folder.is_dir() => Base::folder(name, folder),
                found => found,
            },
            None => Base::revision(project, None, default_branch),
        }
    }

    fn folder(name: &str, folder: &Path) -> Result<Self, BaseError> {
        if !folder.join(CONFIG_FILE).is_file() {
            return Err(BaseError::NoProject(folder.to_owned()));
        }
        let system = Arc::new(DiskSystem::new(folder));
        Ok(Base { name: name.to_owned(), id: None, system, changed: None })
    }

    #[cfg(feature = "git")]
    fn revision(
        project: &Path,
        written: Option<&str>,
        default_branch: Option<&str>,
    ) -> Result<Self, BaseError> {
        let repository = crate::git::Repository::open(project)?;
        let commit = match written {
            Some(name) => repository.find(name)?,
            None => repository.merge_base(default_branch)?,
        };
        let mut tree = repository.tree(&commit)?;
        let mut changed = repository.compare(&mut tree)?;
        let new = only_on_disk(project, &tree);
        let changed = new.map(|new| {
            changed.extend(new);
            changed.sort();
            changed
        });
        Ok(Base { name: commit.name, id: Some(commit.id), system: Arc::new(tree), changed })
    }

    #[cfg(not(feature = "git"))]
    fn revision(_: &Path, _: Option<&str>, _: Option<&str>) -> Result<Self, BaseError> {
        Err(BaseError::NoGit)
    }

    /// The same paths, as an earlier project has them.
    pub fn paths(&self) -> Option<Arc<[EcoString]>> {
        Some(self.changed.as_ref()?.iter().map(EcoString::from).collect())
    }

    /// Whether the project was not there yet.
    pub fn is_empty(&self) -> bool {
        matches!(self.system.read(CONFIG_FILE), Err(crate::base::SystemError::NotFound(_)))
    }
}

/// The files that Git's tree does not have. None if a folder cannot be listed.
#[cfg(feature = "git")]
fn only_on_disk(project: &Path, tree: &crate::git::GitTree) -> Option<Vec<String>> {
    let disk = DiskSystem::new(project);
    if disk.read(super::transaction::JOURNAL).is_ok() {
        // A change of several files was interrupted, and what counts is how they were before.
        return None;
    }
    let mut walker = super::walk::Walker::new(&disk);
    let files = walker.files("").ok()?.into_iter().map(|f| f.path);
    let mut new: Vec<String> = files.filter(|path| !tree.has(path)).collect();
    new.extend(walker.ignore_files().into_iter().filter(|path| !tree.has(path)));
    Some(new)
}

/// What the graph says as its `source.revision`: HEAD's full id, with `+` if one of the files
/// that were `read` differs from HEAD, or if one that HEAD has is gone. None outside of Git, and
/// before the first commit.
pub fn source_revision(project: &Path, read: &[crate::base::FileId]) -> Result<Option<String>, GitError> {
    let found = source_changes(project, read)?;
    Ok(found.map(|(id, changed)| if changed.is_empty() { id } else { format!("{id}+") }))
}

/// HEAD's full id, and which of the files that count differ from it, sorted: those that were `read`,
/// those that are gone, and those that say which are ignored.
#[cfg(feature = "git")]
pub fn source_changes(
    project: &Path,
    read: &[crate::base::FileId],
) -> Result<Option<(String, Vec<String>)>, GitError> {
    let repository = match crate::git::Repository::open(project) {
        Err(GitError::NoRepository(_) | GitError::NoWorkTree(_)) => return Ok(None),
        found => found?,
    };
    let Some(head) = repository.head()? else { return Ok(None) };
    let mut tree = repository.tree(&head)?;
    let changed = repository.compare(&mut tree)?;
    let read: rustc_hash::FxHashSet<&str> = read.iter().map(|f| f.path()).collect();
    let counts = |path: &String| {
        read.contains(path.as_str()) || path.ends_with(".gitignore") || !project.join(path).exists()
    };
    let new = read.iter().filter(|path| !tree.has(path)).map(|path| (*path).to_owned());
    let mut all: Vec<String> = changed.into_iter().filter(counts).chain(new).collect();
    all.sort();
    all.dedup();
    Ok(Some((head.id, all)))
}

/// Without Git nothing is known.
#[cfg(not(feature = "git"))]
pub fn source_changes(
    _: &Path,
    _: &[crate::base::FileId],
) -> Result<Option<(String, Vec<String>)>, GitError> {
    Ok(None)
}
