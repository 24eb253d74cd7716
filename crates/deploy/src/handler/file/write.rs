//! Making and changing files, a batch at a time.
//!
//! What is new is made beside its place under a name that nobody can guess, complete with
//! content, mark, owner and mode; all of a batch is synced once; each is renamed into place;
//! the folders are synced once. So at any instant there is the old file or the new one, and
//! what is there is ours by its mark. A crash leaves at most the file beside, whose name follows
//! from the intent's token.

use std::io::{Read, Write};
use std::rc::Rc;

use ecow::{EcoString, eco_format};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Statx, Timespec, Timestamps, UTIME_OMIT, Uid,
    XattrFlags,
};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::handler::{Apply, Effect, Fault, Mark, Marked, Recorded, Root, Session, Token};

use super::drift::LetBe;
use super::look::{MARK, first, hex, link_nanoseconds, mark_of, sha256};
use super::principal::Principals;
use super::reach::{Folder, Reach, Unreached, open_below, refused, stat, stat_open};
use super::record::{Last, outputs, remember, wanted_sha256};
use super::spec::{Content, Kind, Spec, opened};
use super::stamp::{file_type, permissions, same, stamp_at};
use super::sync::Syncs;

/// The mode of what the model leaves open.
const DEFAULT_FILE: u32 = 0o644;
const DEFAULT_DIRECTORY: u32 = 0o755;

/// How much of a file is in memory while it is copied.
const BUFFER: usize = 1 << 18;

/// How an attempt ends early.
enum Stop {
    /// Nothing happened.
    NoEffect(Fault),
    /// Nobody knows.
    Unknown(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::NoEffect(fault)
    }
}

/// The folder and name of a path, and what is there.
struct Spot<'a> {
    path: &'a str,
    name: &'a str,
    folder: Rc<Folder>,
    found: Option<Statx>,
}

impl Spot<'_> {
    /// Whether what is there is what was planned with.
    fn fits(&self, before: Option<&str>) -> bool {
        match (&self.found, before) {
            (None, None) => true,
            (Some(about), Some(known)) => same(about, known),
            _ => false,
        }
    }
}

/// A request on its way.
struct Job<'a> {
    spec: Spec<'a>,
    request: Apply<'a>,
    progress: Progress,
    /// The token of the mark that the object has afterwards.
    token: Option<Token>,
}

enum Progress {
    /// It lies beside its place under this name; so it looked there.
    Beside { temporary: EcoString, about: Box<Statx> },
    /// It is in place, and synced with the others.
    InPlace,
}

/// Writes the files of one batch.
pub(super) struct Writer<'s> {
    session: &'s Session<'s>,
    reach: Reach,
    principals: Principals,
    syncs: Syncs,
}

/// The name beside its place of what a token makes.
pub(super) fn temporary(token: &str) -> EcoString {
    eco_format!(".gops-{token}")
}

impl<'s> Writer<'s> {
    pub(super) fn new(session: &'s Session<'s>, batch: usize) -> Result<Self, Fault> {
        let reach = Reach::making(&session.root)?;
        Ok(Writer { session, reach, principals: Principals::default(), syncs: Syncs::new(batch) })
    }

    /// Makes or changes all files of a batch.
    pub(super) fn write(&mut self, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>> {
        let mut jobs: Vec<Result<Job<'_>, Stop>> =
            batch.iter().map(|request| self.prepare(request)).collect();
        if let Err(fault) = self.syncs.contents() {
            for job in &mut jobs {
                if let Ok(unsynced) = job {
                    self.take_back(unsynced);
                    *job = Err(Stop::NoEffect(fault.clone()));
                }
            }
        }
        for job in &mut jobs {
            if let Ok(ready) = job
                && let Err(stop) = self.put_in_place(ready)
            {
                self.take_back(ready);
                *job = Err(stop);
            }
        }
        let durable = self.syncs.places();
        jobs.into_iter().map(|job| self.finish(job, &durable)).collect()
    }

    fn finish(&mut self, job: Result<Job<'_>, Stop>, durable: &Result<(), Fault>) -> Effect<Recorded> {
        match (job, durable) {
            (Err(Stop::NoEffect(fault)), _) => Effect::NoEffect(fault),
            (Err(Stop::Unknown(fault)), _) => Effect::Unknown(fault),
            (Ok(_), Err(fault)) => Effect::Unknown(fault.clone()),
            (Ok(job), Ok(())) => match self.record(&job) {
                Ok(recorded) => Effect::Done(recorded),
                Err(fault) => Effect::Unknown(fault),
            },
        }
    }

    /// Opens the place of a request, whatever is there.
    fn spot<'a>(&mut self, path: &'a str) -> Result<Spot<'a>, Fault> {
        let (folder, name) = match self.reach.parent(path) {
            Ok(found) => found,
            Err(Unreached::Missing { missing, .. }) => {
                return Err(missing_parent(&self.session.root, &missing));
            }
            Err(Unreached::Fault(fault)) => return Err(fault),
        };
        match stat(&folder, name) {
            Ok(about) => Ok(Spot { path, name, folder, found: Some(about) }),
            Err(Errno::NOENT) => Ok(Spot { path, name, folder, found: None }),
            Err(error) => Err(refused(path, error)),
        }
    }

    fn prepare<'a>(&mut self, request: &Apply<'a>) -> Result<Job<'a>, Stop> {
        let Some(node) = request.node else { return Err(Fault::new("nothing is wanted here").into()) };
        let spec = Spec::read(node).map_err(|problems| first(&problems))?;
        let spot = self.spot(spec.path)?;
        let last = request.recorded.map(Last::read).transpose()?;
        let let_be = match spot.found {
            Some(_) => LetBe::of(node, &spec, last.as_ref()),
            None => LetBe::default(),
        };
        let wanted = let_be.leave(&spec);
        if !spot.fits(request.before) {
            let token = self.happened(&wanted, let_be.content, request, &spot)?;
            let token = token.ok_or_else(|| changed(spec.path))?;
            return Ok(Job { spec, request: *request, progress: Progress::InPlace, token });
        }
        if let Some(about) = &spot.found
            && (let_be.content || self.keeps_content(&spec, &spot, about)?)
        {
            self.change_in_place(&wanted, &spot, about)?;
            let token = request.recorded.and_then(|r| r.token.clone());
            return Ok(Job { spec, request: *request, progress: Progress::InPlace, token });
        }
        let beside = temporary(request.token.as_str());
        let made = self.make(&wanted, request, &spot, &beside);
        match made {
            Ok((about, marked)) => Ok(Job {
                spec,
                request: *request,
                progress: Progress::Beside { temporary: beside, about: Box::new(about) },
                token: marked.then(|| request.token.clone()),
            }),
            Err(stop) => {
                remove(&spot.folder, &beside, spec.kind);
                Err(stop)
            }
        }
    }

    /// Whether this very request was done before, so that asking again is no second effect: what is
    /// there is as wanted, and has the mark of this request, or, where that would have left the mark,
    /// the one that is recorded. Yields the token of its mark, if it has one.
    fn happened(
        &mut self,
        spec: &Spec<'_>,
        any_content: bool,
        request: &Apply<'_>,
        spot: &Spot<'_>,
    ) -> Result<Option<Option<Token>>, Fault> {
        let Some(about) = spot.found.as_ref().filter(|about| file_type(about) == spec.kind.file_type())
        else {
            return Ok(None);
        };
        let lineage = &self.session.lineage;
        let by = |token: &Token| Mark { lineage: lineage.clone(), token: token.clone() };
        let recorded = request.recorded.and_then(|recorded| recorded.token.as_ref());
        let file = match spec.kind {
            Kind::Link => None,
            _ => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = open_below(&spot.folder.fd, spot.name, flags);
                Some(file.map_err(|e| refused(spot.path, e))?)
            }
        };
        let marked = |token: &Token| match &file {
            None => Ok(link_nanoseconds(&by(token)) == about.stx_mtime.tv_nsec),
            Some(file) => mark_of(file).map(|found| found == Marked::By(by(token))),
        };
        let marked = |token: &Token| marked(token).map_err(|e| refused(spot.path, e));
        let token = match recorded {
            _ if marked(request.token)? => Some(request.token.clone()),
            Some(recorded) if request.before.is_some() && marked(recorded)? => Some(recorded.clone()),
            // What was taken over has no mark, and is never deleted.
            None if request.before.is_some() && !request.mark => None,
            _ => return Ok(None),
        };
        let (user, group) = self.owners(spec)?;
        let owned = user.is_none_or(|user| user.as_raw() == about.stx_uid)
            && group.is_none_or(|group| group.as_raw() == about.stx_gid);
        let mode = spec.mode.is_none_or(|mode| mode == permissions(about)) || spec.kind == Kind::Link;
        if !(owned && mode && (any_content || self.keeps_content(spec, spot, about)?)) {
            return Ok(None);
        }
        // The first time it may have ended before it was durable.
        if let Some(file) = &file {
            self.syncs.content(file, spot.path, &spot.folder)?;
        }
        self.syncs.place(&spot.folder);
        Ok(Some(token))
    }

    /// Whether what is there has the content that is wanted, so that only who may do what with
    /// it changes.
    fn keeps_content(&self, spec: &Spec<'_>, spot: &Spot<'_>, about: &Statx) -> Result<bool, Fault> {
        match spec.content {
            Content::Entries => Ok(file_type(about) == FileType::Directory),
            Content::Later { .. } => Err(Fault::new("what is to be in it is not known yet")),
            Content::Link(to) => {
                let found = rustix::fs::readlinkat(&spot.folder.fd, spot.name, Vec::new());
                Ok(found.is_ok_and(|found| found.to_bytes() == to.as_bytes()))
            }
            Content::Text(text) if text.len() as u64 != about.stx_size => Ok(false),
            Content::Text(_) | Content::Secret(_) | Content::Project { .. } => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file =
                    open_below(&spot.folder.fd, spot.name, flags).map_err(|e| refused(spot.path, e))?;
                let found = copied(&mut std::fs::File::from(file), &mut std::io::sink());
                let found = found.map_err(|(_, e)| refused(spot.path, errno(&e)))?;
                let wanted = match spec.content {
                    Content::Secret(secret) => Some(sha256(opened(secret)?.as_bytes())),
                    _ => wanted_sha256(spec),
                };
                Ok(wanted.is_some_and(|wanted| wanted == found))
            }
        }
    }

    /// Changes owner and mode of what is there. On the way it is never open to more people than
    /// before or after.
    fn change_in_place(&mut self, spec: &Spec<'_>, spot: &Spot<'_>, about: &Statx) -> Result<(), Stop> {
        let (user, group) = self.owners(spec)?;
        if spec.kind == Kind::Link {
            let owned = own_link(&spot.folder, spot.name, user, group);
            owned.map_err(|e| refused(spot.path, e))?;
        } else {
            let mut flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            if spec.kind == Kind::Directory {
                flags |= OFlags::DIRECTORY;
            }
            let file = open_below(&spot.folder.fd, spot.name, flags).map_err(|e| refused(spot.path, e))?;
            let now = stat_open(&file).map_err(|e| refused(spot.path, e))?;
            if now.stx_ino != about.stx_ino {
                return Err(changed(spot.path).into());
            }
            let mode = spec.mode.unwrap_or(permissions(about));
            let moves = user.is_some_and(|u| u.as_raw() != about.stx_uid)
                || group.is_some_and(|g| g.as_raw() != about.stx_gid);
            let set = || -> Result<(), Errno> {
                if moves {
                    rustix::fs::fchmod(&file, bits(mode & permissions(about)))?;
                    rustix::fs::fchown(&file, user, group)?;
                }
                rustix::fs::fchmod(&file, bits(mode))
            };
            // Half of it may have happened; the next look tells.
            set().map_err(|e| Stop::Unknown(refused(spot.path, e)))?;
            self.syncs.content(&file, spot.path, &spot.folder).map_err(Stop::Unknown)?;
        }
        self.syncs.place(&spot.folder);
        Ok(())
    }

    fn owners(&mut self, spec: &Spec<'_>) -> Result<(Option<Uid>, Option<Gid>), Fault> {
        let unknown = |kind, name: &str| {
            Fault::new(format!("there is no {kind} `{name}` on the target"))
                .help(format!("make it first, or write the number of a {kind}"))
        };
        let user = match spec.owner {
            Some(name) => Some(self.principals.user(name).ok_or_else(|| unknown("user", name))?),
            None => None,
        };
        let group = match spec.group {
            Some(name) => Some(self.principals.group(name).ok_or_else(|| unknown("group", name))?),
            None => None,
        };
        Ok((user.map(Uid::from_raw), group.map(Gid::from_raw)))
    }

    /// Makes it beside its place; says how it looks there and whether it is marked.
    fn make(
        &mut self,
        spec: &Spec<'_>,
        request: &Apply<'_>,
        spot: &Spot<'_>,
        beside: &str,
    ) -> Result<(Statx, bool), Stop> {
        let (user, group) = self.owners(spec)?;
        let kept = spot.found.as_ref();
        // What is not managed stays as it is, also when the content is replaced.
        let user = user.or(kept.map(|about| Uid::from_raw(about.stx_uid)));
        let group = group.or(kept.map(|about| Gid::from_raw(about.stx_gid)));
        let mode = spec.mode.or(kept.map(permissions));
        let folder = &spot.folder;
        let failed = |error| Stop::NoEffect(refused(spot.path, error));
        if let Content::Link(to) = spec.content {
            let link = || rustix::fs::symlinkat(to, &folder.fd, beside);
            anew(folder, beside, spec.kind, link).map_err(failed)?;
            own_link(folder, beside, user, group).map_err(failed)?;
            let marked = request.mark && self.mark_link(folder, beside, request).map_err(failed)?;
            return Ok((stat(folder, beside).map_err(failed)?, marked));
        }
        let file = match spec.content {
            Content::Entries => {
                let make = || rustix::fs::mkdirat(&folder.fd, beside, bits(0o700));
                anew(folder, beside, spec.kind, make).map_err(failed)?;
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                open_below(&folder.fd, beside, flags).map_err(failed)?
            }
            Content::Text(text) => create(folder, beside, text.as_bytes()).map_err(failed)?,
            Content::Secret(secret) => create(folder, beside, opened(secret)?.as_bytes()).map_err(failed)?,
            Content::Project { path, sha256: wanted } => {
                let source = self.session.project.open(path.trim_start_matches('/'));
                let mut source = source.map_err(|e| Fault::new(e.to_string()))?;
                let mut file = std::fs::File::from(create(folder, beside, b"").map_err(failed)?);
                let found = copied(&mut *source, &mut file).map_err(|(end, e)| match end {
                    CopyEnd::Source => {
                        Fault::new(format!("the project's file `{path}` cannot be read: {e}")).into()
                    }
                    CopyEnd::Place => failed(errno(&e)),
                })?;
                if found != wanted {
                    return Err(Fault::new(format!(
                        "the project's file `{path}` has changed since it was compiled"
                    ))
                    .help("compile again")
                    .into());
                }
                file.into()
            }
            Content::Link(_) | Content::Later { .. } => return Err(failed(Errno::INVAL)),
        };
        let marked = request.mark && self.mark(&file, request).map_err(failed)?;
        own(&file, user, group).map_err(failed)?;
        let default = if spec.kind == Kind::Directory { DEFAULT_DIRECTORY } else { DEFAULT_FILE };
        rustix::fs::fchmod(&file, bits(mode.unwrap_or(default))).map_err(failed)?;
        self.syncs.content(&file, spot.path, folder)?;
        Ok((stat_open(&file).map_err(failed)?, marked))
    }

    /// Marks an open file; says whether its file system can hold marks.
    fn mark(&self, file: &OwnedFd, request: &Apply<'_>) -> Result<bool, Errno> {
        let mark = Mark { lineage: self.session.lineage.clone(), token: request.token.clone() };
        match rustix::fs::fsetxattr(file, MARK, mark.to_string().as_bytes(), XattrFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::OPNOTSUPP) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Marks a link by the time of its last change; says whether its file system keeps that.
    fn mark_link(&self, folder: &Folder, name: &str, request: &Apply<'_>) -> Result<bool, Errno> {
        let mark = Mark { lineage: self.session.lineage.clone(), token: request.token.clone() };
        let wanted = link_nanoseconds(&mark);
        let keep = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let seconds = self.session.clock.now().0 / 1_000_000_000;
        let changed = Timespec { tv_sec: seconds, tv_nsec: wanted.into() };
        let times = Timestamps { last_access: keep, last_modification: changed };
        match rustix::fs::utimensat(&folder.fd, name, &times, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(false),
            set => set?,
        }
        Ok(stat(folder, name)?.stx_mtime.tv_nsec == wanted)
    }

    /// Renames what lies beside its place, if that still looks as it was planned with.
    fn put_in_place(&mut self, job: &Job<'_>) -> Result<(), Stop> {
        let Progress::Beside { temporary, .. } = &job.progress else { return Ok(()) };
        let spot = self.spot(job.spec.path)?;
        if !spot.fits(job.request.before) {
            return Err(changed(spot.path).into());
        }
        let flags = if spot.found.is_none() { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
        let folder = &spot.folder.fd;
        match rustix::fs::renameat_with(folder, temporary.as_str(), folder, spot.name, flags) {
            Ok(()) => {
                self.syncs.place(&spot.folder);
                Ok(())
            }
            Err(Errno::EXIST) => Err(changed(spot.path).into()),
            Err(error @ Errno::IO) => Err(Stop::Unknown(refused(spot.path, error))),
            Err(error) => Err(refused(spot.path, error).into()),
        }
    }

    /// Removes what lies beside its place.
    fn take_back(&mut self, job: &Job<'_>) {
        if let Progress::Beside { temporary, .. } = &job.progress
            && let Ok((folder, _)) = self.reach.parent(job.spec.path)
        {
            remove(&folder, temporary, job.spec.kind);
        }
    }

    fn record(&mut self, job: &Job<'_>) -> Result<Recorded, Fault> {
        let path = job.spec.path;
        let Ok((folder, name)) = self.reach.parent(path) else { return Err(changed(path)) };
        let about = stat(&folder, name).map_err(|e| refused(path, e))?;
        let ours = match &job.progress {
            Progress::InPlace => true,
            // The time of its content tells whether somebody wrote to it between the rename and
            // this look; then the next run has to look closely.
            Progress::Beside { about: made, .. } => {
                let time = |s: &Statx| (s.stx_ino, s.stx_size, s.stx_mtime.tv_sec, s.stx_mtime.tv_nsec);
                time(made) == time(&about) || job.spec.kind == Kind::Directory
            }
        };
        Ok(Recorded {
            fields: remember(&job.spec),
            stamp: if ours { stamp_at(&about, self.session.clock.now()) } else { EcoString::new() },
            physical: folder.filesystem.clone(),
            token: job.token.clone(),
            outputs: outputs(&job.spec),
        })
    }
}

/// The folder of something is not there.
pub(super) fn missing_parent(root: &Root, missing: &str) -> Fault {
    // Of a folder that stands for `/` the path as the target has it does not say where to look.
    let below = root.folder.as_ref().map(|folder| format!(" below the root `{}`", folder.display()));
    let itself = match &root.folder {
        Some(folder) => format!("`{}{missing}`", folder.display()),
        None => "it".to_owned(),
    };
    Fault::new(format!("the directory `{missing}` does not exist{}", below.unwrap_or_default())).help(format!(
        "declare a `Directory` with the path `{missing}` (with `adopt`, where some machines have it already), \
         or make {itself} yourself"
    ))
}

/// What is there is not what was planned with.
pub(super) fn changed(path: &str) -> Fault {
    Fault::new(format!("`{path}` was changed by somebody else since the plan was made"))
        .help("run it again: it starts from what is there now")
}

pub(super) fn bits(mode: u32) -> Mode {
    Mode::from_raw_mode(mode)
}

/// Makes something beside its place. What lies there is of an attempt that did not end: its name
/// follows from the token.
fn anew<T>(folder: &Folder, name: &str, kind: Kind, make: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    match make() {
        Err(Errno::EXIST) => {
            remove(folder, name, kind);
            make()
        }
        made => made,
    }
}

/// Makes a file that nobody else can read yet.
pub(super) fn create(folder: &Folder, name: &str, bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = anew(folder, name, Kind::Text, || rustix::fs::openat(&folder.fd, name, flags, bits(0o600)))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes).map_err(|e| errno(&e))?;
    Ok(file.into())
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Which end of a copy failed.
enum CopyEnd {
    Source,
    Place,
}

/// Copies a file of any size, a buffer at a time; yields the SHA-256 of its bytes in hex.
fn copied(from: &mut dyn Read, to: &mut dyn Write) -> Result<EcoString, (CopyEnd, std::io::Error)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err((CopyEnd::Source, error)),
        };
        let part = buffer.get(..length).unwrap_or_default();
        hasher.update(part);
        to.write_all(part).map_err(|error| (CopyEnd::Place, error))?;
    }
}

/// Changes the owner, if there is anything to change: who is not root may still say what is.
pub(super) fn own(file: impl AsFd, user: Option<Uid>, group: Option<Gid>) -> Result<(), Errno> {
    if user.is_none() && group.is_none() {
        return Ok(());
    }
    let about = stat_open(file.as_fd())?;
    let user = user.filter(|u| u.as_raw() != about.stx_uid);
    let group = group.filter(|g| g.as_raw() != about.stx_gid);
    if user.is_none() && group.is_none() { Ok(()) } else { rustix::fs::fchown(file, user, group) }
}

fn own_link(folder: &Folder, name: &str, user: Option<Uid>, group: Option<Gid>) -> Result<(), Errno> {
    let about = stat(folder, name)?;
    let user = user.filter(|u| u.as_raw() != about.stx_uid);
    let group = group.filter(|g| g.as_raw() != about.stx_gid);
    if user.is_none() && group.is_none() {
        return Ok(());
    }
    rustix::fs::chownat(&folder.fd, name, user, group, AtFlags::SYMLINK_NOFOLLOW)
}

/// Removes what was made beside its place. It is ours by its name; if it cannot be removed, it
/// is tried again when the intent is closed.
pub(super) fn remove(folder: &Folder, name: &str, kind: Kind) {
    let flags = if kind == Kind::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    let _ = rustix::fs::unlinkat(&folder.fd, name, flags);
}
