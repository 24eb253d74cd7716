//! A folder that fails, for tests.

use std::cell::Cell;
use std::io;

use super::transaction::{DiskFolder, Folder};

/// Fails at one call: once, as a full disk does, or from then on, as a crash does.
pub(super) struct Faulty {
    disk: DiskFolder,
    left: Cell<u32>,
    crash: bool,
}

impl Faulty {
    /// Fails at the call with this number, the first being 0.
    pub fn new(disk: DiskFolder, at: u32, crash: bool) -> Self {
        Faulty { disk, left: Cell::new(at), crash }
    }

    /// Whether there were not so many calls.
    pub fn has_not_failed(&self, at: u32) -> bool {
        self.left.get() > 0 && self.left.get() <= at
    }

    fn step(&self) -> io::Result<()> {
        let left = self.left.get();
        match left {
            0 if self.crash => Err(io::Error::other("crashed")),
            _ => {
                self.left.set(left.wrapping_sub(1));
                if left == 0 { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
            }
        }
    }
}

impl Folder for Faulty {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.step()?;
        self.disk.read(path)
    }
    fn write(&self, path: &str, bytes: &[u8], like: &str) -> io::Result<()> {
        // Half of it is there when it fails.
        if let Err(error) = self.step() {
            let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
            let _ = self.disk.write(path, half, like);
            return Err(error);
        }
        self.disk.write(path, bytes, like)
    }
    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        self.disk.link(from, to)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.step()?;
        self.disk.remove(path)
    }
    fn sync(&self, paths: &[String]) -> io::Result<()> {
        self.step()?;
        self.disk.sync(paths)
    }
}
