//! The files that parts are in: found, read once a batch, and refused where they cannot be
//! changed without harm.

use std::io::Read as _;
use std::rc::Rc;

use ecow::EcoString;
use rustc_hash::FxHashMap;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, Statx};
use rustix::io::Errno;

use crate::handler::Fault;
use crate::handler::file::reach::{Folder, Reach, Unreached, open_below, refused, stat, stat_open};
use crate::handler::file::stamp::file_type;

use super::mark::ShortMark;

/// The largest file of which parts are managed.
const LARGEST: u64 = 16 << 20;

/// How many bytes of files are kept for the next part of the batch.
const KEPT: usize = 8 << 20;

/// The attribute with the marks of the parts that can carry none themselves.
pub(super) const PARTS: &str = "user.gops.parts";

/// The attribute of a file that was made for a part.
pub(super) const MADE: &str = "user.gops.made";

/// A file that is there.
pub(super) struct Opened {
    pub folder: Rc<Folder>,
    pub fd: OwnedFd,
    pub about: Statx,
    pub bytes: Vec<u8>,
    /// The marks of its parts, the oldest first.
    pub marks: Vec<ShortMark>,
}

/// What there is at the path of a file.
pub(super) enum At {
    /// A file with what is in it.
    File(Rc<Opened>),
    /// Nothing, in this folder or in one that is to be in it.
    Nothing { folder: Rc<Folder>, is_parent: bool, missing: String },
    /// Something else.
    Other { folder: Rc<Folder>, about: Box<Statx> },
}

/// Opens files, each once as long as there is room.
#[derive(Default)]
pub(super) struct Files {
    open: FxHashMap<EcoString, Rc<Opened>>,
    bytes: usize,
}

impl Files {
    /// What there is at a path.
    pub(super) fn at(&mut self, reach: &mut Reach, path: &str) -> Result<At, Fault> {
        if let Some(opened) = self.open.get(path) {
            return Ok(At::File(opened.clone()));
        }
        let at = open(reach, path)?;
        if let At::File(opened) = &at
            && self.bytes + opened.bytes.len() <= KEPT
        {
            self.bytes += opened.bytes.len();
            self.open.insert(path.into(), opened.clone());
        }
        Ok(at)
    }
}

fn open(reach: &mut Reach, path: &str) -> Result<At, Fault> {
    let (folder, name) = match reach.parent(path) {
        Ok(found) => found,
        Err(Unreached::Missing { nearest, missing, .. }) => {
            return Ok(At::Nothing { folder: nearest, is_parent: false, missing });
        }
        Err(Unreached::Fault(fault)) => return Err(fault),
    };
    let about = match stat(&folder, name) {
        Ok(about) => about,
        Err(Errno::NOENT) => return Ok(At::Nothing { folder, is_parent: true, missing: path.to_owned() }),
        Err(error) => return Err(refused(path, error)),
    };
    if file_type(&about) != FileType::RegularFile {
        return Ok(At::Other { folder, about: Box::new(about) });
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = open_below(&folder.fd, name, flags).map_err(|e| refused(path, e))?;
    let about = stat_open(&fd).map_err(|e| refused(path, e))?;
    if about.stx_size > LARGEST {
        return Err(Fault::new(format!("`{path}` has {} bytes", about.stx_size))
            .help(format!("parts are managed of files of up to {LARGEST} bytes")));
    }
    let mut bytes = Vec::with_capacity(about.stx_size as usize);
    let mut file = std::fs::File::from(fd);
    // A file that grows meanwhile is seen to have changed before it is written.
    let read = file.by_ref().take(LARGEST).read_to_end(&mut bytes);
    read.map_err(|e| refused(path, Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
    let fd = OwnedFd::from(file);
    let marks = attribute(&fd, PARTS).map_err(|e| refused(path, e))?;
    let marks = String::from_utf8(marks.unwrap_or_default()).unwrap_or_default();
    let marks = marks.split(' ').filter_map(ShortMark::parse).collect();
    Ok(At::File(Rc::new(Opened { folder, fd, about, bytes, marks })))
}

/// The value of an attribute of an open file; nothing where there is none, or can be none.
pub(super) fn attribute(fd: &OwnedFd, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    let mut value = vec![0; 1 << 16];
    match rustix::fs::fgetxattr(fd, name, value.as_mut_slice()) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Opened {
    /// A file that has another name, which may be somebody else's, is not written.
    pub(super) fn refuse_shared(&self, path: &str) -> Result<(), Fault> {
        if self.about.stx_nlink < 2 {
            return Ok(());
        }
        Err(Fault::new(format!("`{path}` is a hard link: the same file has another name"))
            .help("take the link away, so that gops changes no file of somebody else"))
    }
}

/// Says that no part can be in what is there.
pub(super) fn no_file(path: &str, folder: &Folder, name: &str, about: &Statx) -> Fault {
    match file_type(about) {
        FileType::Symlink => {
            let to = rustix::fs::readlinkat(&folder.fd, name, Vec::new()).unwrap_or_default();
            let to = to.to_string_lossy().into_owned();
            Fault::new(format!("`{path}` is a symbolic link to `{to}`"))
                .help("gops follows no links: take it away, or write the path that it leads to")
        }
        FileType::Directory => Fault::new(format!("`{path}` is a directory, and a file is wanted there"))
            .help("move it away, or write another path"),
        _ => Fault::new(format!("`{path}` is no file, directory or link, and a file is wanted there"))
            .help("move it away, or write another path"),
    }
}
