//! The active store: what was activated of each instance, version by version, in files that are
//! committed with the change.
//!
//! ```text
//! active/main.Vlan/office-1f0c5c0a2f3e4d5b@v3.json      active/prod/… where there are environments
//! ```
//!
//! A [`Version`] holds the files of the instance as they were, so that what is read from the store
//! is read as anything else is: by the same code, with the same places. A version is never written
//! again, but for the paths of the newest one, when its files are renamed. Each names the digest of
//! the one before, so that two branches that activated one instance are seen.

mod name;
mod resolve;
mod version;

use std::collections::BTreeMap;

use ecow::EcoString;

use crate::base::{EntryKind, FileId, System, SystemError};
use crate::diag::codes::history as codes;
use crate::diag::{Code, Diagnostic, Place};

pub use name::path;
pub use resolve::{Resolved, resolve};
pub use version::{Content, Part, State, Version};

/// The folder of the store.
pub const STORE_FOLDER: &str = "active";

/// All that is in a store, by instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Store {
    /// The versions of each instance, the oldest first; there is at least one.
    pub instances: BTreeMap<EcoString, Vec<Kept>>,
}

/// A version, and the file that it is in.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its path in the project.
    pub path: String,
    /// The version.
    pub version: Version,
}

impl Store {
    /// Reads a store: of an environment, or of a project without any. What is wrong with it is
    /// said, and nothing of it may be used then. Without a folder there is no store.
    pub fn read(system: &dyn System, env: Option<&str>) -> (Option<Self>, Vec<Diagnostic>) {
        let mut reader = Reader { system, env, store: Store::default(), problems: Vec::new() };
        let found = reader.folders();
        reader.chains();
        (found.then_some(reader.store), reader.problems)
    }

    /// The newest version of each instance.
    pub fn newest(&self) -> impl Iterator<Item = (&EcoString, &Kept)> {
        self.instances.iter().filter_map(|(id, versions)| Some((id, versions.last()?)))
    }
}

/// The folder of the store of an environment.
pub fn folder(env: Option<&str>) -> String {
    env.map_or_else(|| STORE_FOLDER.to_owned(), |env| format!("{STORE_FOLDER}/{env}"))
}

struct Reader<'a> {
    system: &'a dyn System,
    env: Option<&'a str>,
    store: Store,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Says whether there is a store.
    fn folders(&mut self) -> bool {
        let top = folder(self.env);
        let Some(slices) = self.list(&top) else { return false };
        for (name, kind) in slices {
            let path = format!("{top}/{name}");
            if kind != EntryKind::Directory {
                self.unknown(&path);
                continue;
            }
            for (name, kind) in self.list(&path).unwrap_or_default() {
                let path = format!("{path}/{name}");
                match kind {
                    EntryKind::File if name::is_version(&name) => self.file(&path),
                    _ => self.unknown(&path),
                }
            }
        }
        true
    }

    /// What a folder holds, but for what is hidden: of a change that is being written.
    fn list(&mut self, folder: &str) -> Option<Vec<(String, EntryKind)>> {
        match self.system.list(folder) {
            Ok(entries) => {
                let seen = entries.into_iter().filter(|e| !e.name.starts_with('.'));
                Some(seen.map(|e| (e.name, e.kind)).collect())
            }
            Err(SystemError::NotFound(_)) => None,
            Err(error) => {
                self.damaged(folder, error.to_string(), "the store is a folder of files that can be read");
                None
            }
        }
    }

    fn problem(&mut self, code: Code, path: &str, message: String, help: &str) {
        self.problems.push(Diagnostic::new(code, Place::File(FileId::new(path)), message).help(help));
    }

    fn damaged(&mut self, path: &str, message: String, help: &str) {
        self.problem(codes::STORE, path, message, help);
    }

    fn unknown(&mut self, path: &str) {
        let message = format!("`{path}` is no version of an instance");
        self.damaged(path, message, "`gops sync` alone writes here: put the file elsewhere");
    }

    fn file(&mut self, path: &str) {
        const RESTORE: &str = "restore it: `git checkout -- PATH`; `gops sync` alone writes it";
        let bytes = match self.system.read(path) {
            Ok(bytes) => bytes,
            Err(error) => return self.damaged(path, error.to_string(), RESTORE),
        };
        if resolve::is_conflict(&bytes) {
            let message = "two branches activated this instance, and Git left it to you".to_owned();
            return self.problem(codes::BRANCHES, path, message, RESOLVE);
        }
        match Version::parse(&bytes) {
            Err(wrong) => self.damaged(path, format!("this version cannot be read: {wrong}"), RESTORE),
            Ok(version) if name::path(self.env, &version.instance, version.number) != path => {
                let message = format!(
                    "this is version {} of `{}`, under another name",
                    version.number, version.instance
                );
                self.damaged(path, message, RESTORE);
            }
            Ok(version) => {
                let kept = Kept { path: path.to_owned(), version };
                self.store.instances.entry(kept.version.instance.clone()).or_default().push(kept);
            }
        }
    }

    /// Puts the versions of each instance in order, and looks whether each follows the one before.
    fn chains(&mut self) {
        let mut problems = Vec::new();
        for versions in self.store.instances.values_mut() {
            versions.sort_by_key(|kept| kept.version.number);
            if problems.is_empty() && self.problems.is_empty() {
                problems.extend(versions.windows(2).filter_map(|pair| match pair {
                    [before, after] => broken(before, after),
                    _ => None,
                }));
            }
        }
        self.problems.append(&mut problems);
    }
}

const RESOLVE: &str =
    "`gops sync --resolve` keeps both, one after the other, and activates what the sources say";

/// What is wrong with two versions that follow each other.
fn broken(before: &Kept, after: &Kept) -> Option<Diagnostic> {
    if after.version.previous.as_ref() == Some(&before.version.digest()) {
        return None;
    }
    let place = Place::File(FileId::new(&after.path));
    let (old, new) = (before.version.number, after.version.number);
    let instance = &after.version.instance;
    Some(if new > old + 1 {
        let message = format!("version {} of `{instance}` is not there", new - 1);
        Diagnostic::new(codes::STORE, place, message)
            .label(Place::File(FileId::new(&before.path)), "the one that is there before it")
            .help("restore it from Git, or go on without it: `gops sync --resolve`")
    } else {
        let message =
            format!("version {new} of `{instance}` does not follow version {old}: two branches activated it");
        Diagnostic::new(codes::BRANCHES, place, message)
            .label(Place::File(FileId::new(&before.path)), "this is of another branch")
            .help(RESOLVE)
    })
}

#[cfg(test)]
mod tests;
