//! Taking files away.

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use crate::handler::{Delete, Done, Effect, Fault, Session};

use super::reach::{Folder, Reach, Unreached, open_below, refused, stat};
use super::record::Last;
use super::spec::Kind;
use super::stamp::{file_type, same};
use super::sync::Syncs;
use super::write::{remove, temporary};

/// How many entries of a directory that is not empty are named.
const NAMED: usize = 5;

/// Takes away the files of one batch.
pub(super) struct Remover {
    reach: Reach,
    syncs: Syncs,
}

impl Remover {
    pub(super) fn new(session: &Session<'_>, batch: usize) -> Result<Self, Fault> {
        Ok(Remover { reach: Reach::new(&session.root)?, syncs: Syncs::new(batch) })
    }

    /// Takes away all files of a batch.
    pub(super) fn remove(&mut self, batch: &[Delete<'_>]) -> Vec<Effect<Done>> {
        let effects: Vec<Effect<Done>> = batch.iter().map(|request| self.remove_one(request)).collect();
        match self.syncs.places() {
            Ok(()) => effects,
            Err(fault) => effects
                .into_iter()
                .map(|effect| match effect {
                    Effect::Done(_) => Effect::Unknown(fault.clone()),
                    other => other,
                })
                .collect(),
        }
    }

    /// Removes what an interrupted run may have left beside a place.
    pub(super) fn discard(&mut self, path: &str, kind: Kind, token: &str) -> Result<(), Fault> {
        match self.reach.parent(path) {
            Ok((folder, _)) => {
                remove(&folder, &temporary(token), kind);
                Ok(())
            }
            Err(Unreached::Missing { .. }) => Ok(()),
            Err(Unreached::Fault(fault)) => Err(fault),
        }
    }

    fn remove_one(&mut self, request: &Delete<'_>) -> Effect<Done> {
        let path = match Last::read(request.recorded).and_then(|last| last.path().map(str::to_owned)) {
            Ok(path) => path,
            Err(fault) => return Effect::NoEffect(fault),
        };
        let (folder, name) = match self.reach.parent(&path) {
            Ok(found) => found,
            Err(Unreached::Missing { .. }) => return Effect::Done(Done),
            Err(Unreached::Fault(fault)) => return Effect::NoEffect(fault),
        };
        let about = match stat(&folder, name) {
            Ok(about) => about,
            Err(Errno::NOENT) => return Effect::Done(Done),
            Err(error) => return Effect::NoEffect(refused(&path, error)),
        };
        if !same(&about, request.before) {
            let fault = Fault::new(format!("`{path}` was changed by somebody else since the plan was made"));
            return Effect::NoEffect(fault.help("run it again: it starts from what is there now"));
        }
        let is_directory = file_type(&about) == FileType::Directory;
        let flags = if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match rustix::fs::unlinkat(&folder.fd, name, flags) {
            Ok(()) => {
                self.syncs.place(&folder);
                Effect::Done(Done)
            }
            Err(Errno::NOENT) => Effect::Done(Done),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Effect::NoEffect(not_empty(&path, &folder, name)),
            Err(error @ Errno::IO) => Effect::Unknown(refused(&path, error)),
            Err(error) => Effect::NoEffect(refused(&path, error)),
        }
    }
}

/// Says what is in a directory that is not empty.
fn not_empty(path: &str, folder: &Folder, name: &str) -> Fault {
    let names = entries(folder, name).unwrap_or_default();
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = if shown.is_empty() { "entries".to_owned() } else { format!("{}{more}", shown.join(", ")) };
    Fault::new(format!("the directory `{path}` holds what gops did not make: {what}"))
        .help("move that away, or say `keep` on the directory before it is dropped")
}

/// The names of what is in a directory, sorted.
pub(super) fn entries(folder: &Folder, name: &str) -> Result<Vec<String>, Errno> {
    use rustix::fs::OFlags;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = open_below(&folder.fd, name, flags)?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(open)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
