//! Reaching a path without leaving the allowed roots and without following a link.

use std::rc::Rc;

use ecow::{EcoString, eco_format};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

use crate::handler::{Fault, Root};

use super::path::{below, split};

/// Neither a link nor a `..` leads out, and no link leads anywhere.
const RESOLVE: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// How many folders are kept open: well below the 1,024 that a process has by default.
const KEPT_OPEN: usize = 64;

/// How often a resolution that raced with a rename is tried again.
const TRIES: usize = 16;

/// The folders below which a deploy may touch anything, opened once, and those below them that
/// were used last.
pub(super) struct Reach {
    bases: Vec<Base>,
    recent: Vec<(EcoString, Rc<Folder>)>,
}

/// An allowed root.
struct Base {
    /// As paths of the target name it.
    prefix: EcoString,
    /// What is resolved from: with a root folder that folder, else the allowed root itself.
    folder: OwnedFd,
    /// The path of `folder` as paths of the target name it.
    from: EcoString,
    /// The folder that stands for `/` is not there yet: `folder` is the one that it will be in,
    /// and nothing is there.
    unmade: bool,
}

/// An open folder.
pub(super) struct Folder {
    pub fd: OwnedFd,
    /// Where it is on its target, for messages.
    pub path: EcoString,
    /// Which file system it is on; see [`filesystem`].
    pub filesystem: EcoString,
    /// The device, to sync each file system once.
    pub device: (u32, u32),
}

/// Why a folder could not be opened.
pub(super) enum Unreached {
    /// It, or one above it, is not there; this one above it is. Of an `empty` target not even the
    /// root is: a deploy makes it first.
    Missing { nearest: Rc<Folder>, missing: String, empty: bool },
    /// Anything else.
    Fault(Fault),
}

impl From<Fault> for Unreached {
    fn from(fault: Fault) -> Self {
        Unreached::Fault(fault)
    }
}

impl Reach {
    /// Opens the allowed roots. They are resolved here, once, and may be links themselves.
    pub(super) fn new(root: &Root) -> Result<Self, Fault> {
        let mut bases = Vec::new();
        for allowed in &root.allowed {
            let (on_disk, from) = match &root.folder {
                Some(folder) => (folder.clone(), EcoString::from("/")),
                None => (allowed.as_str().into(), allowed.clone()),
            };
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let mut opened = rustix::fs::open(&on_disk, flags, Mode::empty());
            let unmade = root.folder.is_some() && matches!(opened, Err(Errno::NOENT));
            if let (true, Some(above)) = (unmade, on_disk.parent()) {
                opened = rustix::fs::open(above, flags, Mode::empty());
            }
            let folder = opened.map_err(|error| {
                Fault::new(format!("cannot open the root `{}`: {}", on_disk.display(), said(error)))
                    .help("the roots of a target are folders that are there before a deploy")
            })?;
            bases.push(Base { prefix: allowed.clone(), folder, from, unmade });
        }
        // The nearest root comes first.
        bases.sort_by_key(|base| std::cmp::Reverse(base.prefix.len()));
        Ok(Reach { bases, recent: Vec::new() })
    }

    /// The same, after making the folder that stands for `/`: there is something to put there.
    pub(super) fn making(root: &Root) -> Result<Self, Fault> {
        if let Some(folder) = &root.folder {
            match rustix::fs::mkdir(folder, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(refused(&folder.display().to_string(), error)),
            }
        }
        Reach::new(root)
    }

    /// Opens the folder that a path lies in. Yields it with the last part of the path.
    pub(super) fn parent<'p>(&mut self, path: &'p str) -> Result<(Rc<Folder>, &'p str), Unreached> {
        let Some(base) = self.bases.iter().find(|base| below(path, &base.prefix).is_some()) else {
            let allowed: Vec<String> = self.bases.iter().map(|b| format!("`{}`", b.prefix)).collect();
            let fault = Fault::new(format!("`{path}` is not below the roots of its target"));
            return Err(fault.help(format!("they are {}", allowed.join(", "))).into());
        };
        let (parent, name) = split(path);
        if let Some(at) = self.recent.iter().position(|(known, _)| known == parent) {
            let found = self.recent.remove(at);
            let folder = found.1.clone();
            self.recent.push(found);
            return Ok((folder, name));
        }
        let folder = Rc::new(base.open(parent)?);
        if self.recent.len() >= KEPT_OPEN {
            self.recent.remove(0);
        }
        self.recent.push((parent.into(), folder.clone()));
        Ok((folder, name))
    }
}

impl Base {
    /// Opens a folder of the target.
    fn open(&self, folder: &str) -> Result<Folder, Unreached> {
        if self.unmade {
            let above = self.folder.try_clone().map_err(|e| Fault::new(e.to_string()))?;
            return Err(Unreached::Missing {
                nearest: Rc::new(Folder::new(above, "/")?),
                missing: folder.to_owned(),
                empty: true,
            });
        }
        match resolve(&self.folder, below(folder, &self.from).unwrap_or(".")) {
            Ok(fd) => Ok(Folder::new(fd, folder)?),
            Err(Errno::NOENT) => self.missing(folder),
            Err(Errno::LOOP) => Err(self.link_in(folder).into()),
            Err(error) => Err(refused(folder, error).into()),
        }
    }

    /// Finds what is there of a folder that is not.
    fn missing(&self, folder: &str) -> Result<Folder, Unreached> {
        let mut at = folder;
        loop {
            let (parent, _) = split(at);
            match resolve(&self.folder, below(parent, &self.from).unwrap_or(".")) {
                Ok(fd) => {
                    let nearest = Rc::new(Folder::new(fd, parent)?);
                    return Err(Unreached::Missing { nearest, missing: at.to_owned(), empty: false });
                }
                Err(Errno::NOENT) if parent != "/" => at = parent,
                Err(error) => return Err(refused(parent, error).into()),
            }
        }
    }

    /// Says which part of a folder's path is a link.
    fn link_in(&self, folder: &str) -> Fault {
        let ends = folder.match_indices('/').map(|(at, _)| at).skip(1).chain([folder.len()]);
        for end in ends {
            let Some(prefix) = folder.get(..end) else { continue };
            let Some(part) = below(prefix, &self.from) else { continue };
            if let Ok(to) = rustix::fs::readlinkat(&self.folder, part, Vec::new()) {
                let to = to.to_string_lossy().into_owned();
                return Fault::new(format!("`{prefix}`, in the path, is a symbolic link to `{to}`"))
                    .help("gops follows no links: take it away, or write the path that it leads to");
            }
        }
        refused(folder, Errno::LOOP)
    }
}

/// Opens a folder below another, for reading if possible, so that it can be synced.
fn resolve(base: &OwnedFd, path: &str) -> Result<OwnedFd, Errno> {
    let readable = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match open_below(base, path, readable) {
        Err(Errno::ACCESS) => open_below(base, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC),
        opened => opened,
    }
}

/// Opens something below a folder, following nothing.
pub(super) fn open_below(base: impl AsFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut result = Err(Errno::AGAIN);
    for _ in 0..TRIES {
        result = rustix::fs::openat2(base.as_fd(), path, flags, Mode::empty(), RESOLVE);
        // A rename somewhere made the kernel unsure whether the path stays below.
        if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    result
}

/// What there is to know about a name in a folder, without following it.
pub(super) fn stat(folder: &Folder, name: &str) -> Result<Statx, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    rustix::fs::statx(&folder.fd, name, flags, StatxFlags::BASIC_STATS)
}

/// The same about something open.
pub(super) fn stat_open(fd: impl AsFd) -> Result<Statx, Errno> {
    rustix::fs::statx(fd.as_fd(), "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)
}

impl Folder {
    fn new(fd: OwnedFd, path: &str) -> Result<Self, Fault> {
        let failed = |error| refused(path, error);
        let about = stat_open(&fd).map_err(failed)?;
        let filesystem = filesystem(&fd).map_err(failed)?;
        let device = (about.stx_dev_major, about.stx_dev_minor);
        Ok(Folder { fd, path: path.into(), filesystem, device })
    }
}

/// Which file system something is on. The number of the device will not do: it changes between
/// boots. Those in memory have a new number with every mount, and go with their content, so for
/// them the kind is all there is.
pub(super) fn filesystem(fd: &OwnedFd) -> Result<EcoString, Errno> {
    const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
    let kind = rustix::fs::fstatfs(fd)?.f_type as u64;
    if IN_MEMORY.contains(&kind) {
        return Ok(eco_format!("{kind:x}"));
    }
    Ok(eco_format!("{kind:x}:{:x}", rustix::fs::fstatvfs(fd)?.f_fsid))
}

/// An error of the system about a path, for people.
pub(super) fn refused(path: &str, error: Errno) -> Fault {
    let fault = Fault::new(format!("`{path}`: {}", said(error)));
    match error {
        Errno::NOSYS => fault.help("gops needs Linux 5.6 or later to write files safely"),
        Errno::ACCESS => fault
            .help("run gops as a user who may do this; on a host over ssh, `become: sudo` does it as root"),
        Errno::PERM => fault.help(
            "run gops as a user who may do this; on a host over ssh, `become: sudo` does it as root. What root may \
             not change either is immutable: `lsattr` shows that",
        ),
        Errno::NOSPC | Errno::DQUOT => fault.help("make room and run it again; what was done stays known"),
        Errno::XDEV => fault.help("the path leads out of the roots of its target"),
        _ => fault,
    }
}

/// What the system says, without the number.
pub(super) fn said(error: Errno) -> String {
    let text = std::io::Error::from(error).to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}
