//! Git: which revision is what a change is compared with, and what its files are.
//!
//! Revisions are read straight from the object database: there is no checkout, no hook and no
//! filter, so that nothing of a repository runs because it is looked at. The program's and the
//! user's configuration are not read either, only the repository's own.

mod error;
mod identity;
#[cfg(feature = "git")]
mod repository;
#[cfg(feature = "git")]
mod status;
#[cfg(all(test, feature = "git"))]
mod tests;
#[cfg(feature = "git")]
mod tree;

pub use error::GitError;
pub use identity::{descends, first_commit};
#[cfg(feature = "git")]
pub use repository::{Commit, Repository};
#[cfg(feature = "git")]
pub use tree::GitTree;
