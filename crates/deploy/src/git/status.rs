//! What differs between a commit and the work tree.

use std::path::Path;

use gix::bstr::ByteSlice as _;
use gix::index::entry::stat;

use super::repository::unreadable;
use super::tree::{GitTree, Leaf};
use super::{GitError, Repository};
use crate::base::{DiskSystem, EntryKind};

impl Repository {
    /// Compares the files of a commit with those on disk, and lets the tree read what is the
    /// same from there. Gives the paths of the commit's files that the disk has otherwise, or
    /// not at all, sorted; what only the disk has is for the caller to find, who knows which
    /// files count.
    ///
    /// As `git status` does it: a file whose size and times are as the index has them is what
    /// the index says, without a look into it; all others are read.
    pub fn compare(&self, tree: &mut GitTree) -> Result<Vec<String>, GitError> {
        let index = self.repo.index_or_empty().map_err(unreadable)?;
        let mut changed = Vec::new();
        let mut full = self.prefix.clone();
        if !full.is_empty() {
            full.push('/');
        }
        let start = full.len();
        for (path, leaf) in &mut tree.files {
            full.truncate(start);
            full.push_str(path);
            let entry = index.entry_by_path(full.as_bytes().as_bstr());
            leaf.same =
                leaf.kind == EntryKind::File && self.is_same(&self.project.join(path), leaf, entry, &index);
            if !leaf.same {
                changed.push(path.clone());
            }
        }
        tree.work = Some(DiskSystem::new(&self.project));
        Ok(changed)
    }

    fn is_same(
        &self,
        path: &Path,
        leaf: &Leaf,
        entry: Option<&gix::index::Entry>,
        index: &gix::index::State,
    ) -> bool {
        let Ok(found) = gix::index::fs::Metadata::from_path_no_follow(path) else { return false };
        if !found.is_file() {
            return false;
        }
        if let (Some(entry), Ok(found)) = (entry, gix::index::entry::Stat::from_fs(&found)) {
            let options = stat::Options { use_nsec: true, ..Default::default() };
            if !entry.stat.is_racy(index.timestamp(), options) && entry.stat.matches(&found, options) {
                return entry.id == leaf.id;
            }
        }
        let Ok(bytes) = std::fs::read(path) else { return false };
        let hash = gix::objs::compute_hash(self.repo.object_hash(), gix::objs::Kind::Blob, &bytes);
        hash.is_ok_and(|hash| hash == leaf.id)
    }
}
