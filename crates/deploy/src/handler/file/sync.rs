//! Making a batch durable with few syncs.
//!
//! A sync of each file costs over a millisecond, a sync of the file system after a batch a few
//! hundredths for each file. Few files are synced one by one all the same: a sync of the file
//! system waits for what others have written, too.

use std::rc::Rc;

use rustix::fd::AsFd;
use rustix::io::Errno;

use crate::handler::Fault;

use super::reach::{Folder, said};

/// Up to so many files, or folders, are synced one by one.
const FEW: usize = 8;

/// What is still to be synced.
pub(super) struct Syncs {
    one_by_one: bool,
    /// One folder of each file system that has content to be synced.
    contents: Vec<Rc<Folder>>,
    /// Folders whose entries changed, each once.
    places: Vec<Rc<Folder>>,
    /// Whether there are more places than are worth telling apart.
    many: bool,
}

impl Syncs {
    /// For a batch of so many files.
    pub(super) fn new(batch: usize) -> Self {
        Syncs { one_by_one: batch <= FEW, contents: Vec::new(), places: Vec::new(), many: false }
    }

    /// The content of the file at this path is to be durable.
    pub(super) fn content(&mut self, file: impl AsFd, path: &str, folder: &Rc<Folder>) -> Result<(), Fault> {
        if self.one_by_one {
            return rustix::fs::fsync(file).map_err(|error| failed(&format!("`{path}`"), error));
        }
        if !self.contents.iter().any(|known| known.device == folder.device) {
            self.contents.push(folder.clone());
        }
        Ok(())
    }

    /// This folder's entries are to be durable.
    pub(super) fn place(&mut self, folder: &Rc<Folder>) {
        let same =
            |known: &Rc<Folder>| Rc::ptr_eq(known, folder) || (self.many && known.device == folder.device);
        if self.places.iter().any(same) {
            return;
        }
        self.places.push(folder.clone());
        if self.places.len() > FEW && !self.many {
            // From here on one folder stands for its file system.
            self.many = true;
            let mut seen = Vec::new();
            self.places.retain(|place| {
                let new = !seen.contains(&place.device);
                seen.push(place.device);
                new
            });
        }
    }

    /// Syncs the contents.
    pub(super) fn contents(&mut self) -> Result<(), Fault> {
        std::mem::take(&mut self.contents).iter().try_for_each(whole)
    }

    /// Syncs the places.
    pub(super) fn places(&mut self) -> Result<(), Fault> {
        let places = std::mem::take(&mut self.places);
        if self.many {
            return places.iter().try_for_each(whole);
        }
        places.iter().try_for_each(|folder| match rustix::fs::fsync(&folder.fd) {
            Ok(()) => Ok(()),
            // A folder that may be written and not read was opened without the right to sync.
            Err(Errno::BADF) => whole(folder),
            Err(error) => Err(failed(&format!("`{}`", folder.path), error)),
        })
    }
}

fn whole(folder: &Rc<Folder>) -> Result<(), Fault> {
    match rustix::fs::syncfs(&folder.fd) {
        Ok(()) => Ok(()),
        Err(Errno::BADF) => {
            rustix::fs::sync();
            Ok(())
        }
        Err(error) => Err(failed(&format!("`{}` and what else was written there", folder.path), error)),
    }
}

fn failed(what: &str, error: Errno) -> Fault {
    Fault::new(format!("the disk did not take {what}: {}", said(error)))
        .help("look at the disk; the next run looks at each file again")
}
