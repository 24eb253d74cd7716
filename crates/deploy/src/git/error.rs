//! Why Git has no answer, and what to do about it.

use std::path::PathBuf;

/// Why Git did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// There is no program `git`.
    #[error("cannot run `git`: {0}")]
    Program(String),
    /// The clone does not have the history that is asked for.
    #[error("the clone is shallow: its first commit is not known")]
    Shallow,
    /// No folder above the project is a repository.
    #[error("{} is in no Git repository", .0.display())]
    NoRepository(PathBuf),
    /// A bare repository, or a project outside of the work tree.
    #[error("{} is not in the work tree of its Git repository", .0.display())]
    NoWorkTree(PathBuf),
    /// Nothing was ever committed.
    #[error("the Git repository has no commit yet, so there is nothing to compare with")]
    NoCommit,
    /// A revision that is not there.
    #[error("there is no revision `{written}`{}", if *.shallow { " in this shallow clone" } else { "" })]
    NoRevision {
        /// As it was written.
        written: String,
        /// Whether the clone lacks history.
        shallow: bool,
        /// `did you mean …?`
        help: Option<String>,
    },
    /// No branch is the default one.
    #[error("cannot tell what to compare with: there is no branch {}", list(.tried))]
    NoDefaultBranch {
        /// The names that were tried.
        tried: Vec<String>,
        /// Whether the clone lacks history.
        shallow: bool,
    },
    /// The merge base cannot be found.
    #[error("the clone is shallow: where HEAD left `{branch}` is not known")]
    ShallowBase {
        /// The default branch.
        branch: String,
    },
    /// There is no merge base.
    #[error("HEAD and `{branch}` have no commit in common")]
    Unrelated {
        /// The default branch.
        branch: String,
    },
    /// The project's folder is something else in the revision.
    #[error("`{path}` is {what} in `{revision}`, and gops reads none")]
    NoFolder {
        /// From the root of the repository.
        path: String,
        /// `a symbolic link`, `a submodule`, `a file`.
        what: &'static str,
        /// The revision.
        revision: String,
    },
    /// The repository cannot be read: it is damaged, or of a kind that is not known.
    #[error("cannot read the Git repository: {0}")]
    Unreadable(String),
}

/// What a job of continuous integration needs so that it has the whole history.
pub const WHOLE_HISTORY: &str = "\
fetch the whole history:
  GitHub Actions, Forgejo   `with: { fetch-depth: 0 }` below `uses: actions/checkout@…`
  GitLab CI                 `variables: { GIT_DEPTH: 0 }` in the job
  by hand                   `git fetch --unshallow`";

impl GitError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            GitError::Program(_) | GitError::Shallow => {
                "write an `id` into gops.toml, any word that no other project has: `id = \"shop-1\"`"
                    .to_owned()
            }
            GitError::NoRepository(_) | GitError::NoWorkTree(_) => {
                "`--base FOLDER` compares with another folder; `git init` makes a repository".to_owned()
            }
            GitError::NoCommit => {
                "commit something first; `gops compile` without `--base` needs no commit".to_owned()
            }
            GitError::NoRevision { shallow: true, .. }
            | GitError::NoDefaultBranch { shallow: true, .. }
            | GitError::ShallowBase { .. } => WHOLE_HISTORY.to_owned(),
            GitError::NoRevision { help, .. } => help.clone().unwrap_or_else(|| {
                "it is a branch, a tag, a commit or a folder; `git fetch` brings what the clone lacks"
                    .to_owned()
            }),
            GitError::NoDefaultBranch { .. } => {
                "say it: `--base REV`, or `default_branch = \"trunk\"` in gops.toml; in a CI \
                                                 job, fetch that branch too"
                    .to_owned()
            }
            GitError::Unrelated { branch } => format!("say what to compare with: `--base {branch}`"),
            GitError::NoFolder { .. } => {
                "compare with a revision in which it is a folder: `--base REV`".to_owned()
            }
            GitError::Unreadable(_) => "`git fsck` says more".to_owned(),
        }
    }
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    names.join(", ")
}
