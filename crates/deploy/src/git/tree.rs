//! The files of a project in a commit, as a [`System`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use gix::objs::tree::EntryKind as Kind;

use super::repository::{id, unreadable};
use super::{Commit, GitError, Repository};
use crate::base::{DiskSystem, Entry, EntryKind, System, SystemError};

/// The files of a project in a commit. All paths are known from the start; contents are read
/// when they are asked for.
pub struct GitTree {
    repo: Mutex<gix::Repository>,
    /// By path from the project's folder. Folders stand for themselves only where Git has
    /// nothing below them: a submodule.
    pub(super) files: BTreeMap<String, Leaf>,
    /// Folders with a name that is not UTF-8.
    odd: BTreeSet<String>,
    /// Where what is the same in the work tree is read from.
    pub(super) work: Option<DiskSystem>,
}

/// What stands at the end of a path.
pub(super) struct Leaf {
    pub kind: EntryKind,
    pub id: gix::ObjectId,
    /// Whether the work tree has the same.
    pub same: bool,
}

impl fmt::Debug for GitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitTree").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl GitTree {
    pub(super) fn read(repository: &Repository, commit: &Commit) -> Result<Self, GitError> {
        let repo = repository.repo.clone();
        let mut tree = GitTree {
            repo: Mutex::new(repository.repo.clone()),
            files: BTreeMap::new(),
            odd: BTreeSet::new(),
            work: None,
        };
        let commit_id = id(&commit.id)?;
        let root = repo.find_commit(commit_id).map_err(unreadable)?.tree_id().map_err(unreadable)?.detach();
        if let Some(folder) = descend(&repo, root, &repository.prefix, commit)? {
            tree.walk(&repo, folder)?;
        }
        Ok(tree)
    }

    /// Whether the commit has no file of the project at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether there is something at a path that is no folder.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn walk(&mut self, repo: &gix::Repository, root: gix::ObjectId) -> Result<(), GitError> {
        let mut open = vec![(String::new(), root)];
        while let Some((folder, id)) = open.pop() {
            let tree = repo.find_tree(id).map_err(unreadable)?;
            for entry in tree.iter() {
                let entry = entry.map_err(unreadable)?;
                let Ok(name) = std::str::from_utf8(entry.filename()) else {
                    self.odd.insert(folder.clone());
                    continue;
                };
                let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                let kind = match entry.kind() {
                    Kind::Tree => {
                        open.push((path, entry.object_id()));
                        continue;
                    }
                    Kind::Blob | Kind::BlobExecutable => EntryKind::File,
                    Kind::Link => EntryKind::Symlink,
                    Kind::Commit => EntryKind::Other,
                };
                self.files.insert(path, Leaf { kind, id: entry.object_id(), same: false });
            }
        }
        Ok(())
    }

    /// Says why there is no file at a path.
    fn missing(&self, path: &str) -> SystemError {
        for (at, _) in path.match_indices('/') {
            match self.files.get(&path[..at]).map(|leaf| leaf.kind) {
                Some(EntryKind::Symlink) => return SystemError::Symlink(path.to_owned()),
                Some(EntryKind::Other) => return SystemError::Submodule(path[..at].to_owned()),
                _ => {}
            }
        }
        match self.below(path).next() {
            Some(_) => SystemError::WrongKind(path.to_owned(), "file"),
            None => SystemError::NotFound(path.to_owned()),
        }
    }

    /// What lies below a folder, by the rest of the path.
    fn below(&self, folder: &str) -> impl Iterator<Item = (&str, EntryKind)> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.files.range(prefix.clone()..);
        from.map_while(move |(path, leaf)| Some((path.strip_prefix(&prefix)?, leaf.kind)))
    }
}

impl System for GitTree {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        let Some(leaf) = self.files.get(path) else { return Err(self.missing(path)) };
        match leaf.kind {
            EntryKind::Symlink => return Err(SystemError::Symlink(path.to_owned())),
            EntryKind::Other => return Err(SystemError::Submodule(path.to_owned())),
            EntryKind::File | EntryKind::Directory => {}
        }
        // Reading a file is cheaper than inflating an object.
        if let (true, Some(work)) = (leaf.same, &self.work)
            && let Ok(bytes) = work.read(path)
        {
            return Ok(bytes);
        }
        let repo = self.repo.lock().unwrap_or_else(|p| p.into_inner());
        match repo.find_blob(leaf.id) {
            Ok(mut blob) => Ok(std::mem::take(&mut blob.data).into()),
            Err(error) => {
                let GitError::Unreadable(why) = unreadable(error) else {
                    return Err(SystemError::NotFound(path.to_owned()));
                };
                Err(SystemError::Io(path.to_owned(), format!("its object is not in the repository: {why}")))
            }
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError> {
        if self.odd.contains(path) {
            return Err(SystemError::Name(path.to_owned()));
        }
        if let Some(leaf) = self.files.get(path) {
            return Err(match leaf.kind {
                EntryKind::Symlink => SystemError::Symlink(path.to_owned()),
                EntryKind::Other => SystemError::Submodule(path.to_owned()),
                EntryKind::File | EntryKind::Directory => SystemError::WrongKind(path.to_owned(), "folder"),
            });
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (rest, kind) in self.below(path) {
            let (name, kind) = match (rest.split_once('/'), kind) {
                (Some((folder, _)), _) => (folder, EntryKind::Directory),
                // A folder that cannot be listed: nothing in it must be taken for deleted.
                (None, EntryKind::Other) => (rest, EntryKind::Directory),
                (None, kind) => (rest, kind),
            };
            if entries.last().is_none_or(|e| e.name != name) {
                entries.push(Entry { name: name.to_owned(), kind });
            }
        }
        if entries.is_empty() && !path.is_empty() {
            return Err(match self.missing(path) {
                SystemError::WrongKind(..) => SystemError::NotFound(path.to_owned()),
                error => error,
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

/// The tree of a folder of the repository; none if it is not there.
fn descend(
    repo: &gix::Repository,
    root: gix::ObjectId,
    folder: &str,
    commit: &Commit,
) -> Result<Option<gix::ObjectId>, GitError> {
    let mut at = root;
    let mut done = String::new();
    for part in folder.split('/').filter(|p| !p.is_empty()) {
        done += if done.is_empty() { "" } else { "/" };
        done += part;
        let tree = repo.find_tree(at).map_err(unreadable)?;
        let Some(entry) = tree.find_entry(part) else { return Ok(None) };
        let what = match entry.kind() {
            Kind::Tree => {
                at = entry.object_id();
                continue;
            }
            Kind::Link => "a symbolic link",
            Kind::Commit => "a submodule",
            Kind::Blob | Kind::BlobExecutable => "a file",
        };
        return Err(GitError::NoFolder { path: done, what, revision: commit.name.clone() });
    }
    Ok(Some(at))
}
