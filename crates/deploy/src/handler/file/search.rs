//! Searching the roots of a target for marks: what is there and was made by gops, whatever any ledger
//! says of it.
//!
//! A link has a mark that shows only to who knows it, and parts of files stand in files of others; so
//! neither is found.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ecow::{EcoString, eco_format};
use rustix::fd::OwnedFd;
use rustix::fs::{Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::graph::GraphValue;
use crate::handler::{Fault, Found, Marked, Recorded, Session};

use super::look::mark_of;
use super::reach::{filesystem, open_below, refused, stat_open};
use super::spec::claim;
use super::write::temporary;

/// File systems in which nobody keeps files, by their magic numbers (statfs(2)).
const UNREAL: [u64; 12] = [
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x1cd1,      // devpts
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0x1980_0202, // mqueue
    0x6265_6570, // configfs
];

/// A folder that is still to be gone through.
struct Open {
    fd: OwnedFd,
    path: EcoString,
    device: (u32, u32),
    filesystem: EcoString,
}

/// Everything below the roots that has a mark. What may not be read is left out: who made it could.
pub(super) fn marked(session: &Session<'_>) -> Result<Vec<Found>, Fault> {
    let mut search = Search::default();
    for allowed in &session.root.allowed {
        let on_disk = match &session.root.folder {
            Some(folder) => folder.join(allowed.trim_start_matches('/')),
            None => PathBuf::from(allowed.as_str()),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(&on_disk, flags, Mode::empty()) {
            Ok(fd) => search.below(fd, allowed.trim_end_matches('/').into())?,
            Err(Errno::NOENT) => {}
            Err(error) => return Err(refused(allowed, error)),
        }
    }
    Ok(search.found)
}

#[derive(Default)]
struct Search {
    found: Vec<Found>,
    /// Folders that were gone through: roots may lie in each other, and a folder in several places.
    seen: BTreeSet<(u32, u32, u64)>,
}

impl Search {
    fn below(&mut self, fd: OwnedFd, path: EcoString) -> Result<(), Fault> {
        let failed = |error| refused(&path, error);
        let about = stat_open(&fd).map_err(failed)?;
        let filesystem = filesystem(&fd).map_err(failed)?;
        let device = (about.stx_dev_major, about.stx_dev_minor);
        self.seen.insert((device.0, device.1, about.stx_ino));
        // By the names that are left: with the folders themselves, so many would be open at once.
        let mut todo = vec![Open { fd, path: path.clone(), device, filesystem }];
        while let Some(folder) = todo.pop() {
            let mut inside = Vec::new();
            let entries = folder.fd.try_clone().ok().and_then(|fd| Dir::new(fd).ok());
            for entry in entries.into_iter().flatten().map_while(Result::ok) {
                let Ok(name) = entry.file_name().to_str() else { continue };
                if name == "." || name == ".." {
                    continue;
                }
                match entry.file_type() {
                    FileType::RegularFile => self.file(&folder, name),
                    FileType::Directory => inside.extend(self.folder(&folder, name)),
                    _ => {}
                }
            }
            todo.extend(inside);
        }
        Ok(())
    }

    fn file(&mut self, folder: &Open, name: &str) {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if let Ok(fd) = open_below(&folder.fd, name, flags) {
            let path = eco_format!("{}/{name}", folder.path);
            self.note(&fd, "std::files::TextFile", &path, name, &folder.filesystem);
        }
    }

    /// The folder, if it is to be gone through.
    fn folder(&mut self, above: &Open, name: &str) -> Option<Open> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = open_below(&above.fd, name, flags).ok()?;
        let about = stat_open(&fd).ok()?;
        let device = (about.stx_dev_major, about.stx_dev_minor);
        if !self.seen.insert((device.0, device.1, about.stx_ino)) {
            return None;
        }
        let filesystem = match device == above.device {
            true => above.filesystem.clone(),
            false if UNREAL.contains(&(rustix::fs::fstatfs(&fd).ok()?.f_type as u64)) => return None,
            false => filesystem(&fd).ok()?,
        };
        let path = eco_format!("{}/{name}", above.path);
        self.note(&fd, "std::files::Directory", &path, name, &above.filesystem);
        Some(Open { fd, path, device, filesystem })
    }

    /// Takes down what has a mark, unless it is what an interrupted run left beside its place.
    fn note(&mut self, fd: &OwnedFd, kind: &str, path: &EcoString, name: &str, filesystem: &EcoString) {
        let Ok(Marked::By(mark)) = mark_of(fd) else { return };
        if name == temporary(mark.token.as_str()) {
            return;
        }
        let fields = GraphValue::map(vec![("path".into(), GraphValue::Str(path.clone()))]);
        self.found.push(Found {
            kind: kind.into(),
            claims: vec![claim(path)],
            recorded: Recorded {
                fields: String::from_utf8(fields.to_json()).unwrap_or_default().into(),
                physical: filesystem.clone(),
                token: Some(mark.token.clone()),
                ..Recorded::default()
            },
            mark,
        });
    }
}
