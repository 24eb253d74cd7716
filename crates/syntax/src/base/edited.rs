//! A project as it would be after some files were changed.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use super::system::{Entry, EntryKind, System, SystemError};

/// Another system, with some files replaced, added or taken away.
#[derive(Debug)]
pub struct Edited {
    system: Arc<dyn System>,
    /// None: it is not there.
    files: RwLock<BTreeMap<String, Option<Arc<[u8]>>>>,
}

impl Edited {
    /// A system as it is.
    pub fn new(system: Arc<dyn System>) -> Self {
        Edited { system, files: RwLock::default() }
    }

    /// Makes or replaces a file; without bytes, takes it away.
    pub fn set(&self, path: &str, bytes: Option<&[u8]>) {
        let mut files = self.files.write().unwrap_or_else(|p| p.into_inner());
        files.insert(path.to_owned(), bytes.map(Into::into));
    }

    /// What was set, by path.
    pub fn changes(&self) -> BTreeMap<String, Option<Arc<[u8]>>> {
        self.files.read().unwrap_or_else(|p| p.into_inner()).clone()
    }

    /// The system beneath.
    pub fn before(&self) -> &Arc<dyn System> {
        &self.system
    }
}

impl System for Edited {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        match self.files.read().unwrap_or_else(|p| p.into_inner()).get(path) {
            Some(Some(bytes)) => Ok(bytes.clone()),
            Some(None) => Err(SystemError::NotFound(path.to_owned())),
            None => self.system.read(path),
        }
    }

    fn open(&self, path: &str) -> Result<Box<dyn std::io::Read>, SystemError> {
        let files = self.files.read().unwrap_or_else(|p| p.into_inner());
        match files.get(path) {
            Some(Some(bytes)) => Ok(Box::new(std::io::Cursor::new(bytes.clone()))),
            Some(None) => Err(SystemError::NotFound(path.to_owned())),
            None => self.system.open(path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError> {
        let files = self.files.read().unwrap_or_else(|p| p.into_inner());
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let listed = self.system.list(path);
        let mut entries: BTreeMap<String, EntryKind> = match &listed {
            Ok(entries) => entries.iter().map(|e| (e.name.clone(), e.kind)).collect(),
            Err(SystemError::NotFound(_)) => BTreeMap::new(),
            Err(_) => return listed,
        };
        for (file, bytes) in files.range(prefix.clone()..) {
            let Some(rest) = file.strip_prefix(&prefix) else { break };
            let (name, kind) = match rest.split_once('/') {
                Some((folder, _)) => (folder, EntryKind::Directory),
                None => (rest, EntryKind::File),
            };
            match bytes {
                None if kind == EntryKind::File => drop(entries.remove(name)),
                None => {}
                Some(_) if entries.contains_key(name) => {}
                Some(_) => drop(entries.insert(name.to_owned(), kind)),
            }
        }
        if entries.is_empty() && listed.is_err() {
            return listed;
        }
        Ok(entries.into_iter().map(|(name, kind)| Entry { name, kind }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::system::MemorySystem;
    use super::*;

    #[test]
    fn it_is_what_the_edits_make_of_it() {
        let before = MemorySystem::new([("a/x", "1"), ("a/y", "2"), ("b", "3")]);
        let edited = Edited::new(Arc::new(before));
        edited.set("a/x", None);
        edited.set("a/z", Some(b"4"));
        edited.set("b", Some(b"5"));
        edited.set("c/d/e", Some(b"6"));
        let after = MemorySystem::new([("a/y", "2"), ("a/z", "4"), ("b", "5"), ("c/d/e", "6")]);
        for folder in ["", "a", "c", "c/d", "none"] {
            assert_eq!(edited.list(folder), after.list(folder), "{folder}");
        }
        for file in ["a/x", "a/y", "a/z", "b", "c/d/e"] {
            assert_eq!(edited.read(file), after.read(file), "{file}");
        }
    }
}
