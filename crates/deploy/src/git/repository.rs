//! A repository: its revisions by name, and the one that a change starts from.

use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice as _;

use super::{GitError, GitTree};
use crate::diag::did_you_mean;

/// The repository that a project is in.
pub struct Repository {
    pub(super) repo: gix::Repository,
    /// The project's folder, from the root of the work tree; empty if it is that.
    pub(super) prefix: String,
    /// The project's folder on disk.
    pub(super) project: PathBuf,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("project", &self.project).finish_non_exhaustive()
    }
}

/// A commit, by the name under which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// As it was asked for, or where it comes from: `HEAD~1`, `main`.
    pub name: String,
    /// Its full id.
    pub id: String,
}

impl Commit {
    /// The first 12 digits of the id: unique in any repository that people work in.
    pub fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

impl Repository {
    /// The repository that a project's folder is in.
    pub fn open(project: &Path) -> Result<Self, GitError> {
        let project = project.canonicalize().map_err(|e| GitError::Unreadable(e.to_string()))?;
        // Neither the environment nor the user's configuration can change what is compiled.
        let trust = gix::sec::trust::Mapping {
            full: gix::open::Options::isolated(),
            reduced: gix::open::Options::isolated(),
        };
        let found = gix::ThreadSafeRepository::discover_opts(&project, Default::default(), trust);
        let found = match found {
            Ok(found) => found,
            // A `.git` that is no repository is something else than none.
            Err(error) if project.ancestors().any(|f| f.join(".git").exists()) => {
                return Err(unreadable(error));
            }
            Err(_) => return Err(GitError::NoRepository(project)),
        };
        let mut repo = found.to_thread_local();
        repo.object_cache_size_if_unset(4 << 20);
        let work = repo.workdir().and_then(|w| w.canonicalize().ok());
        let inside = work.as_deref().and_then(|work| project.strip_prefix(work).ok()?.to_str());
        match inside.map(str::to_owned) {
            Some(prefix) => Ok(Repository { repo, prefix, project }),
            None => Err(GitError::NoWorkTree(project)),
        }
    }

    /// What is checked out; none before the first commit.
    pub fn head(&self) -> Result<Option<Commit>, GitError> {
        let mut head = self.repo.head().map_err(unreadable)?;
        let id = head.try_peel_to_id().map_err(unreadable)?;
        Ok(id.map(|id| Commit { name: "HEAD".to_owned(), id: id.detach().to_string() }))
    }

    /// The commit that a branch, a tag, an id or an expression like `HEAD~1` names.
    pub fn find(&self, written: &str) -> Result<Commit, GitError> {
        if self.head()?.is_none() && self.branches().is_empty() {
            return Err(GitError::NoCommit);
        }
        let spec = format!("{written}^{{commit}}");
        match self.repo.rev_parse_single(spec.as_bytes().as_bstr()) {
            Ok(id) => Ok(Commit { name: written.to_owned(), id: id.detach().to_string() }),
            Err(_) => {
                let names = self.branches();
                let help = did_you_mean(written, names.iter().map(String::as_str));
                Err(GitError::NoRevision { written: written.to_owned(), shallow: self.is_shallow(), help })
            }
        }
    }

    /// Where HEAD left the default branch: the one that is configured, else what the remote
    /// calls so, else `main` or `master`. The remote's is nearer to what reviewers see than a
    /// local branch of that name, which may be old.
    pub fn merge_base(&self, configured: Option<&str>) -> Result<Commit, GitError> {
        let Some(head) = self.head()? else { return Err(GitError::NoCommit) };
        let (branch, tip) = self.default_branch(configured)?;
        if self.is_shallow() {
            return Err(GitError::ShallowBase { branch });
        }
        let head = id(&head.id)?;
        match self.repo.merge_base(head, tip).map_err(unreadable)? {
            Some(base) => Ok(Commit { name: branch, id: base.detach().to_string() }),
            None => Err(GitError::Unrelated { branch }),
        }
    }

    fn default_branch(&self, configured: Option<&str>) -> Result<(String, gix::ObjectId), GitError> {
        let names: Vec<String> = match configured {
            Some(name) => vec![format!("origin/{name}"), name.to_owned()],
            None => {
                ["origin/HEAD", "origin/main", "main", "origin/master", "master"].map(str::to_owned).to_vec()
            }
        };
        for name in &names {
            for full in [format!("refs/remotes/{name}"), format!("refs/heads/{name}")] {
                let Ok(Some(mut found)) = self.repo.try_find_reference(full.as_str()) else { continue };
                let Ok(tip) = found.peel_to_id() else { continue };
                return Ok((name.clone(), tip.detach()));
            }
        }
        let tried = match configured {
            Some(name) => vec![name.to_owned()],
            None => names,
        };
        Err(GitError::NoDefaultBranch { tried, shallow: self.is_shallow() })
    }

    /// The files of the project in a commit.
    pub fn tree(&self, commit: &Commit) -> Result<GitTree, GitError> {
        GitTree::read(self, commit)
    }

    fn is_shallow(&self) -> bool {
        self.repo.is_shallow().unwrap_or(false)
    }

    /// The short names of all branches and tags.
    fn branches(&self) -> Vec<String> {
        let Ok(platform) = self.repo.references() else { return Vec::new() };
        let Ok(all) = platform.all() else { return Vec::new() };
        let mut names: Vec<String> =
            all.filter_map(Result::ok).map(|r| r.name().shorten().to_string()).collect();
        names.sort();
        names
    }
}

pub(super) fn id(text: &str) -> Result<gix::ObjectId, GitError> {
    gix::ObjectId::from_hex(text.as_bytes()).map_err(unreadable)
}

/// An error of the library, in one line.
pub(super) fn unreadable(error: impl std::fmt::Display) -> GitError {
    let text = error.to_string();
    GitError::Unreadable(text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
}
