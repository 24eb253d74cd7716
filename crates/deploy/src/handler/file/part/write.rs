//! Writing parts: all of a batch that are in one file, in one go.
//!
//! A file is made anew beside its place, with what it was and the parts as they are to be, and
//! renamed, as whole files are: at any instant there is the old file or the new one.

use std::rc::Rc;

use ecow::EcoString;
use indexmap::IndexMap;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Gid, RenameFlags, Statx, Uid, XattrFlags};
use rustix::io::Errno;

use crate::handler::file::look::first;
use crate::handler::file::path::split;
use crate::handler::file::reach::{Folder, Reach, Unreached, refused, stat};
use crate::handler::file::record::no_outputs;
use crate::handler::file::stamp::{permissions, same, stamp};
use crate::handler::file::sync::Syncs;
use crate::handler::file::write::{bits, changed, create, missing_parent, own, temporary};
use crate::handler::{Apply, Delete, Done, Effect, Fault, PrintKey, Recorded, Session, Token};

use super::look::{part_stamp, same_part};
use super::mark::ShortMark;
use super::open::{At, Files, MADE, Opened, PARTS, attribute, no_file};
use super::record::Known;
use super::spec::{Kind, PartSpec};
use super::state::{About, State, changes};

/// How many marks of parts a file keeps: those of effects of which the ledger may not know yet
/// what became, and then some.
const MARKS: usize = 64;

/// What is asked of one part.
#[derive(Clone, Copy)]
pub(in crate::handler::file) enum Asked<'a> {
    Put(Apply<'a>),
    Take(Delete<'a>),
}

/// How one part ended: nothing is recorded of one that was taken out.
pub(in crate::handler::file) type Ended = Effect<Option<Recorded>>;

/// A part on its way.
struct Job<'a> {
    /// Which request of the batch it is.
    number: usize,
    asked: Asked<'a>,
    kind: Kind,
    spec: Option<PartSpec<'a>>,
    last: Option<Known>,
}

impl Job<'_> {
    fn about<'j>(&'j self, key: &'j PrintKey) -> About<'j> {
        About { kind: self.kind, spec: self.spec.as_ref(), last: self.last.as_ref(), intended: None, key }
    }

    fn token(&self) -> &Token {
        match &self.asked {
            Asked::Put(apply) => apply.token,
            Asked::Take(delete) => delete.token,
        }
    }

    fn before(&self) -> Option<&str> {
        match &self.asked {
            Asked::Put(apply) => apply.before,
            Asked::Take(delete) => Some(delete.before),
        }
    }

    /// Whether what is made is marked.
    fn marks(&self) -> bool {
        matches!(&self.asked, Asked::Put(apply) if apply.mark)
    }
}

/// A file with the parts that are asked for.
struct Group<'a> {
    path: EcoString,
    jobs: Vec<Job<'a>>,
    step: Step,
}

/// How far a file has come.
enum Step {
    /// It is what it is to be already.
    Same,
    /// It lies beside its place under this name.
    Beside { name: EcoString, was: Option<Box<Statx>>, folder: Rc<Folder> },
    /// It goes with its last part.
    Goes { was: Box<Statx>, folder: Rc<Folder> },
    /// Nothing is left to do.
    Nothing,
}

/// Writes the parts of one batch.
pub(in crate::handler::file) struct PartWriter<'s> {
    session: &'s Session<'s>,
    reach: Reach,
    syncs: Syncs,
    ended: Vec<Option<Ended>>,
}

impl<'s> PartWriter<'s> {
    pub(in crate::handler::file) fn new(
        session: &'s Session<'s>,
        batch: usize,
        making: bool,
    ) -> Result<Self, Fault> {
        let reach = if making { Reach::making(&session.root)? } else { Reach::new(&session.root)? };
        Ok(PartWriter { session, reach, syncs: Syncs::new(batch), ended: Vec::new() })
    }

    /// Does all that is asked.
    pub(in crate::handler::file) fn write(mut self, batch: &[Asked<'_>]) -> Vec<Ended> {
        self.ended.resize_with(batch.len(), || None);
        let mut groups = self.groups(batch);
        for group in &mut groups {
            if let Err(fault) = self.prepare(group) {
                self.no_effect(group, &fault);
            }
        }
        if let Err(fault) = self.syncs.contents() {
            for group in &mut groups {
                self.take_back(group);
                self.no_effect(group, &fault);
            }
        }
        let mut placed = Vec::with_capacity(groups.len());
        for mut group in groups {
            match self.put_in_place(&group) {
                Ok(()) => placed.push(group),
                Err(Effect::Unknown(fault)) => self.all(&mut group, |_| Effect::Unknown(fault.clone())),
                Err(Effect::NoEffect(fault)) => {
                    self.take_back(&group);
                    self.no_effect(&mut group, &fault);
                }
                Err(Effect::Done(_)) => {}
            }
        }
        let durable = self.syncs.places();
        for mut group in placed {
            match &durable {
                Ok(()) => self.record(&mut group),
                Err(fault) => self.all(&mut group, |_| Effect::Unknown(fault.clone())),
            }
        }
        let lost = || Effect::Unknown(Fault::new("it was not done"));
        self.ended.into_iter().map(|ended| ended.unwrap_or_else(lost)).collect()
    }

    fn end(&mut self, number: usize, ended: Ended) {
        if let Some(slot) = self.ended.get_mut(number) {
            *slot = Some(ended);
        }
    }

    fn all(&mut self, group: &mut Group<'_>, ended: impl Fn(&Job<'_>) -> Ended) {
        for job in std::mem::take(&mut group.jobs) {
            self.end(job.number, ended(&job));
        }
        group.step = Step::Nothing;
    }

    fn no_effect(&mut self, group: &mut Group<'_>, fault: &Fault) {
        self.all(group, |_| Effect::NoEffect(fault.clone()));
    }

    /// The requests by the files that they are about, in the order of the batch.
    fn groups<'a>(&mut self, batch: &[Asked<'a>]) -> Vec<Group<'a>> {
        let mut groups: IndexMap<EcoString, Group<'a>> = IndexMap::new();
        for (number, asked) in batch.iter().enumerate() {
            match job(number, *asked) {
                Ok((path, job)) => {
                    let new = || Group { path: path.clone(), jobs: Vec::new(), step: Step::Nothing };
                    groups.entry(path.clone()).or_insert_with(new).jobs.push(job);
                }
                Err(fault) => self.end(number, Effect::NoEffect(fault)),
            }
        }
        groups.into_values().collect()
    }

    /// Makes the new file beside the old one.
    fn prepare(&mut self, group: &mut Group<'_>) -> Result<(), Fault> {
        let path = group.path.clone();
        let opened = match Files::default().at(&mut self.reach, &path)? {
            At::File(opened) => Some(opened),
            At::Other { folder, about } => return Err(no_file(&path, &folder, split(&path).1, &about)),
            At::Nothing { .. } if group.jobs.iter().all(|job| job.spec.is_none()) => None,
            At::Nothing { is_parent: false, missing, .. } => {
                return Err(missing_parent(&self.session.root, &missing));
            }
            At::Nothing { .. } => None,
        };
        if let Some(opened) = &opened {
            opened.refuse_shared(&path)?;
        }
        let create = group.jobs.iter().find_map(|job| job.spec.as_ref()?.create);
        let mut bytes = opened.as_ref().map(|opened| opened.bytes.clone()).unwrap_or_default();
        let was = bytes.clone();
        let mut kept = Vec::with_capacity(group.jobs.len());
        for job in std::mem::take(&mut group.jobs) {
            let missing = opened.is_none() && create.is_none() && job.spec.is_some();
            let changed = if missing {
                Err(no_such_file(&path))
            } else {
                self.change(&job, &bytes, opened.as_deref(), &path)
            };
            match changed {
                Ok(changed) => {
                    bytes = changed;
                    kept.push(job);
                }
                Err(fault) => self.end(job.number, Effect::NoEffect(fault)),
            }
        }
        group.jobs = kept;
        if group.jobs.is_empty() {
            return Ok(());
        }
        group.step = match opened {
            Some(_) if bytes == was => Step::Same,
            None if group.jobs.iter().all(|job| job.spec.is_none()) => Step::Nothing,
            Some(opened) if self.goes_with(group, &opened, &bytes) => {
                Step::Goes { was: Box::new(opened.about), folder: opened.folder.clone() }
            }
            opened => self.beside(group, opened.as_deref(), &bytes, create)?,
        };
        Ok(())
    }

    /// The file with one part as it is to be, if that still is what was planned with.
    fn change(
        &mut self,
        job: &Job<'_>,
        bytes: &[u8],
        opened: Option<&Opened>,
        path: &str,
    ) -> Result<Vec<u8>, Fault> {
        let in_file = |fault: Fault| Fault { message: format!("`{path}`: {}", fault.message), ..fault };
        let about = job.about(&self.session.key);
        let state = about.find(bytes).map_err(in_file)?;
        let print = state.as_ref().map(|state| state.print.as_str());
        if matches!(job.asked, Asked::Take(_)) && print.is_none() {
            return Ok(bytes.to_vec());
        }
        if !same_part(print, job.before()) {
            let (Some(state), Some(opened)) = (&state, opened) else { return Err(changed(path)) };
            if !self.happened(job, state, opened) {
                return Err(changed(path));
            }
            // The first time it may have ended before it was durable.
            self.syncs.content(&opened.fd, path, &opened.folder)?;
            self.syncs.place(&opened.folder);
            return Ok(bytes.to_vec());
        }
        let mark = job.marks().then(|| ShortMark::of(&self.session.lineage, job.token()));
        let new = match job.asked {
            Asked::Put(_) => about.put(bytes, mark.as_ref()),
            Asked::Take(_) => about.take(bytes),
        };
        new.map_err(in_file)
    }

    /// Whether this very request was done before, so that asking again is no second effect: the part is
    /// as wanted, and marked by it, or, taken over, without a mark.
    fn happened(&self, job: &Job<'_>, state: &State, opened: &Opened) -> bool {
        let Some(spec) = &job.spec else { return false };
        let mark = ShortMark::of(&self.session.lineage, job.token());
        let ours = match &state.mark {
            Some(found) => found.as_ref() == Some(&mark),
            None => opened.marks.contains(&mark),
        };
        let ours = if job.marks() { ours } else { job.before().is_some() };
        ours && changes(spec, job.last.as_ref(), &state.fields).is_empty()
    }

    /// Whether a file that was made for parts goes with the last of them.
    fn goes_with(&self, group: &Group<'_>, opened: &Opened, bytes: &[u8]) -> bool {
        let taken = group.jobs.iter().all(|job| job.spec.is_none());
        let empty = group.jobs.iter().all(|job| job.about(&self.session.key).is_empty(bytes));
        let made = attribute(&opened.fd, MADE).ok().flatten();
        taken && empty && made.is_some_and(|by| by == self.session.lineage.as_bytes())
    }

    /// Makes a file beside its place.
    fn beside(
        &mut self,
        group: &Group<'_>,
        opened: Option<&Opened>,
        bytes: &[u8],
        mode: Option<u32>,
    ) -> Result<Step, Fault> {
        let path = &group.path;
        let (folder, _) = match self.reach.parent(path) {
            Ok(found) => found,
            Err(Unreached::Missing { missing, .. }) => {
                return Err(missing_parent(&self.session.root, &missing));
            }
            Err(Unreached::Fault(fault)) => return Err(fault),
        };
        let token = group.jobs.first().map(Job::token).map_or("", Token::as_str);
        let name = temporary(token);
        let made = self.make(group, opened, bytes, mode, &folder, &name);
        match made {
            Ok(()) => {
                let was = opened.map(|opened| Box::new(opened.about));
                Ok(Step::Beside { name, was, folder })
            }
            Err(fault) => {
                let _ = rustix::fs::unlinkat(&folder.fd, name.as_str(), AtFlags::empty());
                Err(fault)
            }
        }
    }

    fn make(
        &mut self,
        group: &Group<'_>,
        opened: Option<&Opened>,
        bytes: &[u8],
        mode: Option<u32>,
        folder: &Rc<Folder>,
        name: &str,
    ) -> Result<(), Fault> {
        let path = &group.path;
        let failed = |error| refused(path, error);
        let file = create(folder, name, bytes).map_err(failed)?;
        let mode = match opened {
            Some(opened) => {
                let (user, group) = (opened.about.stx_uid, opened.about.stx_gid);
                own(&file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group))).map_err(failed)?;
                copy_attributes(path, opened, &file)?;
                permissions(&opened.about)
            }
            None => {
                let lineage = self.session.lineage.as_bytes();
                set(&file, MADE, lineage).map_err(failed)?;
                mode.unwrap_or(0o600)
            }
        };
        self.mark(group, opened, &file).map_err(failed)?;
        rustix::fs::fchmod(&file, bits(mode)).map_err(failed)?;
        self.syncs.content(&file, path, folder)
    }

    /// Marks the parts that cannot carry a mark themselves, where the file can hold that.
    fn mark(&self, group: &Group<'_>, opened: Option<&Opened>, file: &OwnedFd) -> Result<(), Errno> {
        let lineage = &self.session.lineage;
        let new = group.jobs.iter().filter(|job| job.marks() && job.kind != Kind::Block);
        let new: Vec<ShortMark> = new.map(|job| ShortMark::of(lineage, job.token())).collect();
        if new.is_empty() {
            return Ok(());
        }
        let all = opened.into_iter().flat_map(|opened| opened.marks.iter()).chain(&new);
        let all: Vec<String> = all.map(ToString::to_string).collect();
        let kept = all.get(all.len().saturating_sub(MARKS)..).unwrap_or_default();
        set(file, PARTS, kept.join(" ").as_bytes()).map(drop)
    }

    /// Renames what lies beside its place, if that still looks as it was read.
    fn put_in_place(&mut self, group: &Group<'_>) -> Result<(), Ended> {
        let path = &group.path;
        let name = split(path).1;
        let failed = |error| match error {
            Errno::EXIST => Effect::NoEffect(changed(path)),
            Errno::IO => Effect::Unknown(refused(path, error)),
            error => Effect::NoEffect(refused(path, error)),
        };
        let unchanged = |folder: &Folder, was: Option<&Statx>| match (stat(folder, name), was) {
            (Ok(now), Some(was)) if same(&now, &stamp(was)) => Ok(()),
            (Err(Errno::NOENT), None) => Ok(()),
            _ => Err(Effect::NoEffect(changed(path))),
        };
        match &group.step {
            Step::Same | Step::Nothing => Ok(()),
            Step::Beside { name: beside, was, folder, .. } => {
                unchanged(folder, was.as_deref())?;
                let flags = if was.is_none() { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
                rustix::fs::renameat_with(&folder.fd, beside.as_str(), &folder.fd, name, flags)
                    .map_err(failed)?;
                self.syncs.place(folder);
                Ok(())
            }
            Step::Goes { was, folder } => {
                unchanged(folder, Some(was))?;
                rustix::fs::unlinkat(&folder.fd, name, AtFlags::empty()).map_err(failed)?;
                self.syncs.place(folder);
                Ok(())
            }
        }
    }

    fn take_back(&mut self, group: &Group<'_>) {
        if let Step::Beside { name, folder, .. } = &group.step {
            let _ = rustix::fs::unlinkat(&folder.fd, name.as_str(), AtFlags::empty());
        }
    }

    /// What is recorded of the parts of a file that is in place.
    fn record(&mut self, group: &mut Group<'_>) {
        let about = match Files::default().at(&mut self.reach, &group.path) {
            Ok(At::File(opened)) => Some(opened),
            _ => None,
        };
        for job in std::mem::take(&mut group.jobs) {
            let ended = match (&job.spec, &about) {
                (None, _) => Effect::Done(None),
                (Some(spec), Some(opened)) => Effect::Done(Some(self.recorded(&job, spec, opened))),
                (Some(_), None) => Effect::Unknown(changed(&group.path)),
            };
            self.end(job.number, ended);
        }
    }

    fn recorded(&self, job: &Job<'_>, spec: &PartSpec<'_>, opened: &Opened) -> Recorded {
        // A block carries its mark itself.
        let mark = ShortMark::of(&self.session.lineage, job.token());
        let marked = job.kind == Kind::Block || opened.marks.contains(&mark);
        let known = match job.asked {
            Asked::Put(apply) => apply.recorded.and_then(|recorded| recorded.token.clone()),
            Asked::Take(_) => None,
        };
        let state = job.about(&self.session.key).find(&opened.bytes).ok().flatten();
        // Somebody may have written since: then the next run looks closely.
        let stamp = state.map(|state| part_stamp(&state.print, &opened.about, self.session.clock.now()));
        Recorded {
            fields: Known::of(spec).write(),
            stamp: stamp.unwrap_or_default(),
            physical: opened.folder.filesystem.clone(),
            token: if job.marks() && marked { Some(job.token().clone()) } else { known },
            outputs: no_outputs(),
        }
    }
}

fn job(number: usize, asked: Asked<'_>) -> Result<(EcoString, Job<'_>), Fault> {
    let (kind, spec, last) = match asked {
        Asked::Put(apply) => {
            let node = apply.node.ok_or_else(|| Fault::new("nothing is wanted here"))?;
            let spec = PartSpec::read(node).map_err(|problems| first(&problems))?;
            (apply.kind, Some(spec), apply.recorded.map(Known::read).transpose()?)
        }
        Asked::Take(delete) => (delete.kind, None, Some(Known::read(delete.recorded)?)),
    };
    let kind = Kind::of(kind).ok_or_else(|| Fault::new(format!("no such type `{kind}`")))?;
    let path = match (&spec, &last) {
        (Some(spec), _) => spec.path.into(),
        (None, Some(last)) => last.path().into(),
        (None, None) => return Err(Fault::new("neither a node nor a record says where it is")),
    };
    Ok((path, Job { number, asked, kind, spec, last }))
}

fn no_such_file(path: &str) -> Fault {
    Fault::new(format!("the file `{path}` does not exist")).help(
        "say with `create: 0o644` that it is made, and with what mode, or deploy what brings the file first",
    )
}

/// Sets an attribute; says whether the file can hold it.
fn set(file: &OwnedFd, name: &str, value: &[u8]) -> Result<bool, Errno> {
    match rustix::fs::fsetxattr(file, name, value, XattrFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSPC | Errno::TOOBIG | Errno::RANGE) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The new file has all attributes of the old one, its access list among them: a part is not the
/// whole, so nothing else may change.
fn copy_attributes(path: &str, from: &Opened, to: &OwnedFd) -> Result<(), Fault> {
    let mut names = vec![0; 1 << 16];
    let length = match rustix::fs::flistxattr(&from.fd, names.as_mut_slice()) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(refused(path, error)),
    };
    let names = names.get(..length).unwrap_or_default();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let Some(value) = attribute(&from.fd, name).map_err(|e| refused(path, e))? else { continue };
        // What the file has by itself already, as a label of its folder, need not be set.
        if attribute(to, name).is_ok_and(|now| now.as_ref() == Some(&value)) {
            continue;
        }
        if let Err(error) = rustix::fs::fsetxattr(to, name, &value, XattrFlags::empty()) {
            let fault = refused(path, error);
            return Err(Fault {
                message: format!("the attribute `{name}` could not be kept: {}", fault.message),
                ..fault
            });
        }
    }
    Ok(())
}

/// What became of a part that was taken out.
pub(in crate::handler::file) fn taken(ended: Ended) -> Effect<Done> {
    match ended {
        Effect::Done(_) => Effect::Done(Done),
        Effect::NoEffect(fault) => Effect::NoEffect(fault),
        Effect::Unknown(fault) => Effect::Unknown(fault),
    }
}

/// What became of a part that was put in.
pub(in crate::handler::file) fn put(ended: Ended) -> Effect<Recorded> {
    match ended {
        Effect::Done(Some(recorded)) => Effect::Done(recorded),
        Effect::Done(None) => Effect::Unknown(Fault::new("nothing was recorded of it")),
        Effect::NoEffect(fault) => Effect::NoEffect(fault),
        Effect::Unknown(fault) => Effect::Unknown(fault),
    }
}
