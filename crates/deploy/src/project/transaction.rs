//! Several files are changed, all of them or none: whatever happens, at every byte.
//!
//! What is new is written beside its place first; then a journal names all paths; then each old
//! file gets a second name and the new one its place. The journal's own renaming to *done* is
//! the moment from which on everything is changed. Until then [`recover`] brings back what was
//! there, which needs no space on the disk: old files only get their names back. Readers see the
//! old files through [`before`].

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::base::{Edited, System, SystemError};

/// The journal, in the project's folder.
pub const JOURNAL: &str = ".gops-journal";
/// The journal of a change that is complete, and not yet cleaned up after.
const DONE: &str = ".gops-journal-done";
const HEADER: &str = "gops journal 1";

/// A folder that is written to. Paths are relative to it. A trait, so that a test can fail or
/// stop at each call.
pub trait Folder {
    /// The bytes of a file, if it is there.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
    /// Writes a file that is not there, with the mode of `like` if that is there. Folders are made.
    fn write(&self, path: &str, bytes: &[u8], like: &str) -> io::Result<()>;
    /// Gives a file a second name.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;
    /// Gives a file another name; what had that name is gone.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file, if it is there.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Waits until what these paths name is on the disk: bytes, and that they are there or not.
    fn sync(&self, paths: &[String]) -> io::Result<()>;
}

/// A file that is to be changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Relative to the folder.
    pub path: String,
    /// What it is to hold; without, it is removed.
    pub bytes: Option<Arc<[u8]>>,
}

/// Makes all the changes. With an error none is made.
pub fn commit(folder: &dyn Folder, changes: &[Change]) -> io::Result<()> {
    recover(folder)?;
    let result = prepare(folder, changes).and_then(|()| exchange(folder, changes));
    match result {
        Ok(()) => {
            // It is done; what cannot be cleaned up now is the next time.
            let _ = clean(folder);
            Ok(())
        }
        // The last step was made, and the disk has not said that it knows: everybody sees what is
        // new, and nobody is told that it is not there.
        Err(_) if folder.read(DONE).is_ok_and(|done| done.is_some()) => {
            let _ = clean(folder);
            Ok(())
        }
        Err(error) => {
            let _ = recover(folder);
            for change in changes {
                let _ = folder.remove(&new(&change.path));
            }
            Err(error)
        }
    }
}

/// Ends what a change that was interrupted began: all that it changed is as it was before.
/// Says whether there was one.
pub fn recover(folder: &dyn Folder) -> io::Result<bool> {
    if folder.read(DONE)?.is_some() {
        clean(folder)?;
        return Ok(true);
    }
    let Some(journal) = folder.read(JOURNAL)? else { return Ok(false) };
    let entries = entries(&journal);
    for (path, existed) in entries.iter().map(|(path, existed)| (path.as_str(), *existed)) {
        if folder.read(&old(path))?.is_some() {
            folder.rename(&old(path), path)?;
            // Two names of one file stay two: then the new one was not there yet.
            folder.remove(&old(path))?;
        } else if !existed {
            folder.remove(path)?;
        }
        folder.remove(&new(path))?;
    }
    // Only then may it be forgotten that there is something to bring back.
    let paths: Vec<String> = entries.into_iter().map(|(path, _)| path).collect();
    folder.sync(&paths)?;
    folder.remove(JOURNAL)?;
    folder.sync(&[JOURNAL.to_owned()])?;
    Ok(true)
}

/// The files as they were before a change that is not complete.
pub fn before(system: Arc<dyn System>) -> Arc<dyn System> {
    let journal = match system.read(JOURNAL) {
        Ok(journal) => journal,
        Err(_) => return system,
    };
    let was = Edited::new(system.clone());
    for (path, existed) in entries(&journal) {
        match system.read(&old(&path)) {
            Ok(bytes) => was.set(&path, Some(&bytes)),
            Err(SystemError::NotFound(_)) if !existed => was.set(&path, None),
            Err(_) => {}
        }
    }
    Arc::new(was)
}

fn prepare(folder: &dyn Folder, changes: &[Change]) -> io::Result<()> {
    let mut journal = String::from(HEADER);
    journal.push('\n');
    for Change { path, bytes } in changes {
        let existed = folder.read(path)?.is_some();
        journal.push_str(if existed { "had " } else { "new " });
        journal.push_str(path);
        journal.push('\n');
        folder.remove(&new(path))?;
        folder.remove(&old(path))?;
        if let Some(bytes) = bytes {
            folder.write(&new(path), bytes, path)?;
        }
    }
    journal.push_str("end\n");
    // The journal is there as a whole or not at all, and what it names before it.
    let written = new(JOURNAL);
    folder.remove(&written)?;
    folder.write(&written, journal.as_bytes(), &written)?;
    let mut paths: Vec<String> = changes.iter().map(|change| new(&change.path)).collect();
    paths.push(written.clone());
    folder.sync(&paths)?;
    folder.rename(&written, JOURNAL)?;
    folder.sync(&[JOURNAL.to_owned()])
}

fn exchange(folder: &dyn Folder, changes: &[Change]) -> io::Result<()> {
    for Change { path, bytes } in changes {
        if folder.read(path)?.is_some() {
            folder.link(path, &old(path))?;
        }
        match bytes {
            Some(_) => folder.rename(&new(path), path)?,
            None => folder.remove(path)?,
        }
    }
    let paths: Vec<String> = changes.iter().map(|change| change.path.clone()).collect();
    folder.sync(&paths)?;
    folder.rename(JOURNAL, DONE)?;
    folder.sync(&[DONE.to_owned()])
}

/// Removes what is left of a change that is complete.
fn clean(folder: &dyn Folder) -> io::Result<()> {
    let Some(journal) = folder.read(DONE)? else { return Ok(()) };
    for (path, _) in entries(&journal) {
        folder.remove(&old(&path))?;
        folder.remove(&new(&path))?;
    }
    folder.remove(DONE)?;
    folder.sync(&[DONE.to_owned()])
}

/// Paths, and whether each was there before. Nothing of a journal that is no whole one: it
/// never was in force.
fn entries(journal: &[u8]) -> Vec<(String, bool)> {
    let Ok(text) = std::str::from_utf8(journal) else { return Vec::new() };
    let Some(text) = text.strip_prefix(HEADER).and_then(|t| t.strip_suffix("end\n")) else {
        return Vec::new();
    };
    let entry = |line: &str| match line.split_once(' ')? {
        ("had", path) => Some((path.to_owned(), true)),
        ("new", path) => Some((path.to_owned(), false)),
        _ => None,
    };
    text.lines().filter_map(entry).collect()
}

fn new(path: &str) -> String {
    beside(path, "gops-new")
}

fn old(path: &str) -> String {
    beside(path, "gops-old")
}

/// A hidden name in the same folder: no slice sees it.
fn beside(path: &str, end: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.{end}"),
        None => format!(".{path}.{end}"),
    }
}

/// A folder on disk.
#[derive(Debug)]
pub struct DiskFolder {
    root: std::path::PathBuf,
}

impl DiskFolder {
    /// The folder at `root`.
    pub fn new(root: impl Into<std::path::PathBuf>) -> Self {
        DiskFolder { root: root.into() }
    }

    /// Keeps others from changing the folder as long as the result lives.
    pub fn lock(&self) -> io::Result<std::fs::File> {
        let folder = std::fs::File::open(&self.root)?;
        rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(folder)
    }
}

/// Nothing that is not there can be removed.
fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

impl Folder for DiskFolder {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, path: &str, bytes: &[u8], like: &str) -> io::Result<()> {
        use std::io::Write as _;
        let full = self.root.join(path);
        if let Some(folder) = full.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&full)?;
        file.write_all(bytes)?;
        if let Ok(meta) = std::fs::metadata(self.root.join(like)) {
            file.set_permissions(meta.permissions())?;
        }
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::hard_link(self.root.join(from), self.root.join(to))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        unless_gone(std::fs::remove_file(self.root.join(path)))
    }

    fn sync(&self, paths: &[String]) -> io::Result<()> {
        let sync = |path: &str| {
            let open = std::fs::File::open(self.root.join(path));
            unless_gone(open.and_then(|file| file.sync_all()))
        };
        let folders: BTreeSet<&str> = paths.iter().flat_map(|path| folders(path)).collect();
        if paths.len() < MANY {
            paths.iter().try_for_each(|path| sync(path))?;
            return folders.into_iter().try_for_each(sync);
        }
        let mut synced = BTreeSet::new();
        for folder in folders {
            let folder = match std::fs::File::open(self.root.join(folder)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                folder => folder?,
            };
            if synced.insert(rustix::fs::fstat(&folder)?.st_dev) {
                rustix::fs::syncfs(&folder)?;
            }
        }
        Ok(())
    }
}

/// From how many files on a file system is synced as a whole: each file by itself takes a
/// millisecond or more.
const MANY: usize = 16;

/// The folders above a path, down to the root, which is the empty path.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map_or(Some(""), |(above, _)| Some(above)), |at| {
        (!at.is_empty()).then(|| at.rsplit_once('/').map_or("", |(above, _)| above))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::DiskSystem;
    use crate::project::faulty::Faulty;

    fn changes() -> Vec<Change> {
        let change = |path: &str, bytes: Option<&str>| Change {
            path: path.to_owned(),
            bytes: bytes.map(|b| b.as_bytes().into()),
        };
        vec![
            change("slices/a.yaml", Some("name: a\nid: 1\n")),
            change("slices/b.yaml", None),
            change("slices/deep/c.yaml", Some("name: c\n")),
            change("assigned.lock", Some("held:\n")),
        ]
    }

    fn start() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("slices")).unwrap();
        std::fs::write(folder.path().join("slices/a.yaml"), "name: a\n").unwrap();
        std::fs::write(folder.path().join("slices/b.yaml"), "name: b\n").unwrap();
        folder
    }

    /// The files of a folder as somebody sees them.
    fn seen(system: &dyn System) -> BTreeMap<&'static str, Option<String>> {
        let text = |path| system.read(path).ok().map(|b| String::from_utf8(b.to_vec()).unwrap());
        let paths = ["slices/a.yaml", "slices/b.yaml", "slices/deep/c.yaml", "assigned.lock"];
        paths.into_iter().map(|path| (path, text(path))).collect()
    }

    fn hidden(folder: &std::path::Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in ["", "slices", "slices/deep"] {
            let entries = std::fs::read_dir(folder.join(entry)).into_iter().flatten();
            let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
            found.extend(names.filter(|n| n.starts_with('.')));
        }
        found
    }

    #[test]
    fn many_files_are_all_changed() {
        let folder = start();
        let path = |n: usize| format!("slices/{}/{n}.yaml", n % 3);
        let bytes = |n: usize| format!("name: n{n}\n");
        let change = |n| Change { path: path(n), bytes: Some(bytes(n).as_bytes().into()) };
        let changes: Vec<Change> = (0..2 * MANY).map(change).collect();
        commit(&DiskFolder::new(folder.path()), &changes).unwrap();
        for n in 0..2 * MANY {
            assert_eq!(std::fs::read_to_string(folder.path().join(path(n))).unwrap(), bytes(n));
        }
        assert_eq!(folders("a/b/c").collect::<Vec<_>>(), ["a/b", "a", ""]);
        assert_eq!(folders("a").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn all_or_nothing_whatever_fails() {
        let untouched = start();
        let old = seen(&DiskSystem::new(untouched.path()));
        commit(&DiskFolder::new(untouched.path()), &changes()).unwrap();
        let new = seen(&DiskSystem::new(untouched.path()));
        assert_eq!(new["slices/a.yaml"].as_deref(), Some("name: a\nid: 1\n"));
        assert_eq!(new["slices/b.yaml"], None);
        assert_eq!(hidden(untouched.path()), [""; 0]);
        let (mut undone, mut done) = (0, 0);
        for crash in [false, true] {
            for step in 0..200 {
                let folder = start();
                let disk = || DiskFolder::new(folder.path());
                let faulty = Faulty::new(disk(), step, crash);
                let result = commit(&faulty, &changes());
                let never_failed = faulty.has_not_failed(step);
                let now = seen(&*before(Arc::new(DiskSystem::new(folder.path()))));
                assert!(now == old || now == new, "{crash} {step}: {now:#?}");
                assert!(result.is_err() || now == new, "{crash} {step}");
                assert!(crash || result.is_ok() || now == old, "{crash} {step}");
                // A crash while it is mended, at each of its steps too.
                for second in 0..12 {
                    let again = Faulty::new(disk(), second, true);
                    let _ = recover(&again);
                    assert_eq!(
                        seen(&*before(Arc::new(DiskSystem::new(folder.path())))),
                        now,
                        "{step} {second}"
                    );
                }
                recover(&disk()).unwrap();
                assert_eq!(seen(&DiskSystem::new(folder.path())), now, "{crash} {step}");
                if now == new {
                    done += 1
                } else {
                    undone += 1
                }
                // It can be done again, and leaves nothing behind.
                commit(&disk(), &changes()).unwrap();
                assert_eq!(seen(&DiskSystem::new(folder.path())), new);
                assert_eq!(hidden(folder.path()), [""; 0], "{crash} {step}");
                if never_failed {
                    break;
                }
            }
        }
        assert!(undone > 40 && done > 2, "{undone} {done}");
    }
}
