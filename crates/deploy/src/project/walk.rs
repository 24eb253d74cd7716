//! Which files a project has: everything below a folder that no `.gitignore` of the project
//! matches and whose path has no part that starts with a dot.

use std::collections::BTreeMap;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::base::{EntryKind, System, SystemError};

/// A file, or what stands where a file could be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its path from the project's root.
    pub path: String,
    /// Whether it is a symbolic link (or something odder) and so cannot be read.
    pub odd: bool,
}

/// Walks the folders of one project; keeps the `.gitignore` files that it has read.
#[derive(Debug)]
pub struct Walker<'a> {
    system: &'a dyn System,
    ignores: BTreeMap<String, Option<Arc<Gitignore>>>,
}

impl<'a> Walker<'a> {
    /// A walker over this system.
    pub fn new(system: &'a dyn System) -> Self {
        Walker { system, ignores: BTreeMap::new() }
    }

    /// All files below a folder, sorted by path as bytes. A folder that is not there has none.
    pub fn files(&mut self, folder: &str) -> Result<Vec<Found>, SystemError> {
        let mut found = Vec::new();
        if self.is_ignored(folder, true) {
            return Ok(found);
        }
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            let entries = match self.system.list(&folder) {
                Err(SystemError::NotFound(_)) => continue,
                entries => entries?,
            };
            let ruled = self.is_ruled(&folder);
            for entry in entries {
                if entry.name.starts_with('.') {
                    continue;
                }
                let path = join(&folder, &entry.name);
                let is_folder = entry.kind == EntryKind::Directory;
                if ruled && self.matches(&path, is_folder) {
                    continue;
                }
                if is_folder {
                    open.push(path);
                } else {
                    found.push(Found { path, odd: entry.kind != EntryKind::File });
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Whether there is a folder at this path.
    pub fn is_folder(&self, path: &str) -> bool {
        self.system.list(path).is_ok()
    }

    /// The names of the folders in a folder that are part of the project, sorted.
    pub fn folders(&mut self, folder: &str) -> Vec<String> {
        let entries = self.system.list(folder).unwrap_or_default();
        let folders = entries.into_iter().filter(|e| e.kind == EntryKind::Directory);
        let mut names: Vec<String> = folders.map(|e| e.name.to_string()).collect();
        names.retain(|name| !name.starts_with('.') && !self.matches(&join(folder, name), true));
        names.sort();
        names
    }

    /// The paths of the `.gitignore` files that were found on the way, sorted.
    pub fn ignore_files(&self) -> Vec<String> {
        let found = self.ignores.iter().filter(|(_, rules)| rules.is_some());
        found.map(|(folder, _)| join(folder, ".gitignore")).collect()
    }

    /// Whether a path, or a folder above it, is left out.
    pub fn is_ignored(&mut self, path: &str, is_folder: bool) -> bool {
        is_ignored(path, is_folder, &mut |folder| self.rules(folder))
    }

    fn matches(&mut self, path: &str, is_folder: bool) -> bool {
        matches(path, is_folder, &mut |folder| self.rules(folder))
    }

    /// Whether there is a `.gitignore` in a folder or above it.
    fn is_ruled(&mut self, folder: &str) -> bool {
        let mut folder = folder;
        loop {
            if self.rules(folder).is_some() {
                return true;
            }
            if folder.is_empty() {
                return false;
            }
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    fn rules(&mut self, folder: &str) -> Option<Arc<Gitignore>> {
        if !self.ignores.contains_key(folder) {
            let text = self.system.read(&join(folder, ".gitignore")).ok();
            self.ignores.insert(folder.to_owned(), text.map(|bytes| rules(&bytes)));
        }
        self.ignores.get(folder).cloned().flatten()
    }
}

/// Knows the rules of the `.gitignore` of a folder.
type Rules<'r> = &'r mut dyn FnMut(&str) -> Option<Arc<Gitignore>>;

/// Whether a path, or a folder above it, is left out.
pub fn is_ignored(path: &str, is_folder: bool, rules: Rules<'_>) -> bool {
    let folders = path.match_indices('/').filter_map(|(i, _)| path.get(..i));
    let ignored = folders.into_iter().any(|folder| matches(folder, true, rules));
    ignored || (!path.is_empty() && matches(path, is_folder, rules))
}

/// Whether the `.gitignore` files above a path match it: the nearest that says something.
fn matches(path: &str, is_folder: bool, rules: Rules<'_>) -> bool {
    let mut folder = path;
    while !folder.is_empty() {
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        let rules = rules(folder);
        let matched = rules.as_ref().map(|r| r.matched(relative(path, folder), is_folder));
        match matched {
            Some(m) if m.is_ignore() => return true,
            Some(m) if m.is_whitelist() => return false,
            _ => {}
        }
    }
    false
}

/// The rules of a `.gitignore`.
pub fn rules(text: &[u8]) -> Arc<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    for line in String::from_utf8_lossy(text).lines() {
        // A line that is no glob matches nothing, as in Git.
        let _ = builder.add_line(None, line);
    }
    Arc::new(builder.build().unwrap_or_else(|_| Gitignore::empty()))
}

/// A path below a folder; the root is the empty path.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { [folder, "/", name].concat() }
}

fn relative<'p>(path: &'p str, folder: &str) -> &'p str {
    if folder.is_empty() { path } else { &path[folder.len() + 1..] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MemorySystem;

    #[test]
    fn leaves_out_what_is_ignored() {
        let system = MemorySystem::new([
            (".gitignore", "*.tmp\n/build\n!keep.tmp\n"),
            ("s/.gitignore", "b.yaml\n"),
            ("s/a.yaml", ""),
            ("s/b.yaml", ""),
            ("s/c.tmp", ""),
            ("s/keep.tmp", ""),
            ("s/.hidden.yaml", ""),
            ("s/.git/x.yaml", ""),
            ("s/d/b.yaml", ""),
            ("s/d/e.yaml", ""),
            ("build/x.yaml", ""),
        ]);
        let mut walker = Walker::new(&system);
        let paths = |found: Vec<Found>| found.into_iter().map(|f| f.path).collect::<Vec<_>>();
        assert_eq!(paths(walker.files("s").unwrap()), ["s/a.yaml", "s/d/e.yaml", "s/keep.tmp"]);
        assert_eq!(paths(walker.files("build").unwrap()), [] as [&str; 0]);
        assert_eq!(paths(walker.files("none").unwrap()), [] as [&str; 0]);
        assert!(walker.is_ignored("build/deep/x.yaml", false));
    }
}
