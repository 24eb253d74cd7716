//! Whatever can list and read the files of a project: a disk, memory, a tree of Git.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// Reads a project. Paths are relative to the project's root, with `/` between the parts and
/// without `.` or `..`; the root itself is the empty path. No method follows a symbolic link.
pub trait System: Send + Sync + fmt::Debug {
    /// The bytes of a regular file.
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError>;

    /// The bytes of a regular file, one after the other: for what may be larger than memory.
    fn open(&self, path: &str) -> Result<Box<dyn Read>, SystemError> {
        Ok(Box::new(Cursor::new(self.read(path)?)))
    }

    /// What a folder holds, sorted by name as bytes.
    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError>;
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last part of its path.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link, which nothing in gops follows.
    Symlink,
    /// A device, a socket, a pipe, a submodule.
    Other,
}

/// Why a file or folder could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SystemError {
    /// There is nothing at the path.
    #[error("there is no file `{0}`")]
    NotFound(String),
    /// A part of the path, or its end, is a symbolic link.
    #[error("`{0}` is a symbolic link, and gops follows none")]
    Symlink(String),
    /// The path, or a part of it, is a submodule of a Git tree: its files are in another repository.
    #[error("`{0}` is a submodule, and its files are not in this revision")]
    Submodule(String),
    /// The path is not of the kind that was asked for.
    #[error("`{0}` is not a {1}")]
    WrongKind(String, &'static str),
    /// A name in the folder is not UTF-8.
    #[error("a name in `{0}` is not UTF-8")]
    Name(String),
    /// The operating system said no.
    #[error("cannot read `{0}`: {1}")]
    Io(String, String),
}

/// A project in a folder on disk.
#[derive(Debug, Clone)]
pub struct DiskSystem {
    root: PathBuf,
}

impl DiskSystem {
    /// The project at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        DiskSystem { root: root.into() }
    }

    /// The folder on disk.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Refuses a path of which some part is a symbolic link. Only called when reading failed or
    /// on request of `file()`: listing never yields links, so what was listed needs no check.
    fn refuse_links(&self, path: &str) -> Result<(), SystemError> {
        let mut at = self.root.clone();
        for part in path.split('/').filter(|p| !p.is_empty()) {
            at.push(part);
            if at.is_symlink() {
                return Err(SystemError::Symlink(path.to_owned()));
            }
        }
        Ok(())
    }

    fn open_file(&self, path: &str) -> Result<std::fs::File, SystemError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let opened = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32)
            .open(self.root.join(path));
        match opened {
            Ok(file) => Ok(file),
            Err(error) => {
                self.refuse_links(path)?;
                Err(self.error(path, &error))
            }
        }
    }

    fn error(&self, path: &str, error: &std::io::Error) -> SystemError {
        match error.kind() {
            std::io::ErrorKind::NotFound => SystemError::NotFound(path.to_owned()),
            _ => SystemError::Io(path.to_owned(), error.to_string()),
        }
    }
}

impl System for DiskSystem {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        let mut file = self.open_file(path)?;
        let meta = file.metadata().map_err(|e| self.error(path, &e))?;
        if !meta.is_file() {
            return Err(SystemError::WrongKind(path.to_owned(), "file"));
        }
        read_whole(&mut file, meta.len()).map_err(|e| self.error(path, &e))
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read>, SystemError> {
        let file = self.open_file(path)?;
        let meta = file.metadata().map_err(|e| self.error(path, &e))?;
        if !meta.is_file() {
            return Err(SystemError::WrongKind(path.to_owned(), "file"));
        }
        Ok(Box::new(file))
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError> {
        self.refuse_links(path)?;
        let mut entries = Vec::new();
        let read = std::fs::read_dir(self.root.join(path)).map_err(|e| self.error(path, &e))?;
        for entry in read {
            let entry = entry.map_err(|e| self.error(path, &e))?;
            let kind = entry.file_type().map_err(|e| self.error(path, &e))?;
            let kind = if kind.is_file() {
                EntryKind::File
            } else if kind.is_dir() {
                EntryKind::Directory
            } else if kind.is_symlink() {
                EntryKind::Symlink
            } else {
                EntryKind::Other
            };
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| SystemError::Name(path.to_owned()))?;
            entries.push(Entry { name, kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

/// Reads a file that is `size` bytes long, or was until a moment ago. (Reading to the end as the
/// standard library does asks the system three times more: there are tens of thousands of files.)
fn read_whole(file: &mut std::fs::File, size: u64) -> std::io::Result<Arc<[u8]>> {
    use std::io::Read as _;
    // Room for one byte more: that it stays empty tells that the file ends.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    let read = match rustix::io::read(&*file, rustix::buffer::spare_capacity(&mut bytes)) {
        Err(rustix::io::Errno::INTR) => 0,
        read => read?,
    };
    if read as u64 != size || read == 0 {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes.into())
}

/// A project in memory: for tests, and for what an editor has not saved.
#[derive(Debug, Default)]
pub struct MemorySystem {
    /// What each file holds; none for a symbolic link.
    files: RwLock<BTreeMap<String, Option<Arc<[u8]>>>>,
}

impl MemorySystem {
    /// A project of these files.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let system = MemorySystem::default();
        for (path, text) in files {
            system.write(path, text.as_bytes());
        }
        system
    }

    /// Makes or replaces a file.
    pub fn write(&self, path: &str, bytes: &[u8]) {
        let mut files = self.files.write().unwrap_or_else(|p| p.into_inner());
        files.insert(path.to_owned(), Some(bytes.into()));
    }

    /// Makes a symbolic link. Where it leads does not matter: nothing follows it.
    pub fn link(&self, path: &str) {
        let mut files = self.files.write().unwrap_or_else(|p| p.into_inner());
        files.insert(path.to_owned(), None);
    }

    /// Takes a file away; says whether it was there.
    pub fn remove(&self, path: &str) -> bool {
        self.files.write().unwrap_or_else(|p| p.into_inner()).remove(path).is_some()
    }

    /// All paths, sorted.
    pub fn paths(&self) -> Vec<String> {
        self.files.read().unwrap_or_else(|p| p.into_inner()).keys().cloned().collect()
    }
}

impl System for MemorySystem {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        let files = self.files.read().unwrap_or_else(|p| p.into_inner());
        let found = |path: &str| files.get(path);
        // What is below a link is as little to be read as the link.
        let mut above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        match found(path) {
            Some(Some(bytes)) => Ok(bytes.clone()),
            None if !above.any(|folder| matches!(found(folder), Some(None))) => {
                Err(SystemError::NotFound(path.to_owned()))
            }
            _ => Err(SystemError::Symlink(path.to_owned())),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError> {
        let files = self.files.read().unwrap_or_else(|p| p.into_inner());
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut entries: Vec<Entry> = Vec::new();
        for (file, bytes) in files.range(prefix.clone()..) {
            let Some(rest) = file.strip_prefix(&prefix) else { break };
            let (name, kind) = match rest.split_once('/') {
                Some((folder, _)) => (folder, EntryKind::Directory),
                None if bytes.is_none() => (rest, EntryKind::Symlink),
                None => (rest, EntryKind::File),
            };
            // Paths are sorted, so what a folder holds stands together.
            if entries.last().is_none_or(|e| e.name != name) {
                entries.push(Entry { name: name.to_owned(), kind });
            }
        }
        if entries.is_empty() && !path.is_empty() {
            return Err(SystemError::NotFound(path.to_owned()));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_and_memory_agree() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/c.txt"), "x").unwrap();
        std::fs::write(folder.path().join("a/z"), "y").unwrap();
        let disk = DiskSystem::new(folder.path());
        let memory = MemorySystem::new([("a/b/c.txt", "x"), ("a/z", "y")]);
        for path in ["", "a", "a/b"] {
            assert_eq!(disk.list(path), memory.list(path), "{path}");
        }
        for size in [0, 1, 4095, 4096, 4097, 1 << 20] {
            let text = "x".repeat(size);
            std::fs::write(folder.path().join(format!("a/{size}")), &text).unwrap();
            memory.write(&format!("a/{size}"), text.as_bytes());
            assert_eq!(disk.read(&format!("a/{size}")), memory.read(&format!("a/{size}")), "{size}");
        }
        for path in ["a/z", "a/b/c.txt", "a/none"] {
            assert_eq!(disk.read(path), memory.read(path), "{path}");
        }
        std::os::unix::fs::symlink("z", folder.path().join("a/link")).unwrap();
        assert_eq!(disk.read("a/link"), Err(SystemError::Symlink("a/link".into())));
    }
}
