//! What the targets of a simulation hold, and how they misbehave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use ecow::{EcoString, eco_format};

use crate::handler::{
    Fault, Fence, Greeting, Hello, Mark, Random as _, Reach, Recorded, SeededRandom, Timestamp, Token,
};

use super::request::Request;

/// How long a target that does not answer is waited for.
const GIVES_UP: Duration = Duration::from_secs(60);

/// What the targets hold, and how they misbehave. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct World(Arc<Mutex<Inner>>, Arc<Condvar>);

/// Where something is: the identity of the target, and the claim.
pub type At = (EcoString, EcoString);

/// What is in a world.
#[derive(Debug, Default)]
pub struct Inner {
    /// By identity of the target and claim.
    pub objects: BTreeMap<At, Object>,
    /// What each target accepted, by identity and lineage, with the project of the ledger.
    pub fences: BTreeMap<At, (EcoString, Fence)>,
    /// What answers where a target should, by the target's identity: another machine.
    pub impostors: BTreeMap<EcoString, EcoString>,
    /// Targets that do not answer.
    pub down: BTreeSet<EcoString>,
    /// Targets whose things are not mounted: nothing is there, and nothing is known to be gone.
    pub unmounted: BTreeSet<EcoString>,
    /// Targets without an agent: they keep nothing out, and a request lands by its deadline or never.
    pub loose: BTreeSet<EcoString>,
    /// Targets that do not answer to an effect until somebody lets them.
    pub blocked: BTreeSet<EcoString>,
    /// Requests that were sent and did not arrive yet.
    pub late: Vec<Request>,
    /// What goes wrong with effects of this run, by number.
    pub mishaps: BTreeMap<u32, Mishap>,
    /// What somebody else does just before effects of this run, by number.
    pub meanwhile: BTreeMap<u32, Foreign>,
    /// How many effects this run had.
    pub effects: u32,
    /// Of how many effects one fails; 0 for none.
    pub fail_one_in: u32,
    /// After so many effects the deployer dies: nothing more happens.
    pub dies_after: Option<u32>,
    /// It has died.
    pub dead: bool,
    /// What there was before each effect of this run, if anybody wants to know.
    pub kept: Option<Vec<BTreeMap<At, Object>>>,
    /// How often readiness is denied before it is granted.
    pub ready_after: u32,
    /// Whether readiness is asked for at all, besides.
    pub has_readiness: bool,
    /// What is not ready, however often it is asked.
    pub never_ready: BTreeSet<EcoString>,
    /// The names of what cannot be expanded now.
    pub folded: BTreeSet<EcoString>,
    pub(super) asked: u32,
    chance: Option<SeededRandom>,
    revision: u64,
    /// What the handler did, in order: `+a`, `~a`, `-a`.
    pub log: Vec<String>,
    /// What no handler may ever do, and did.
    pub violations: Vec<String>,
}

/// Something on a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its type.
    pub kind: EcoString,
    /// What people may change of it.
    pub value: EcoString,
    /// More of that: written after the value, so that half an effect shows.
    pub extra: EcoString,
    /// What makes it anew when it changes.
    pub shape: EcoString,
    /// The mark that it shows.
    pub mark: Option<Mark>,
    /// Which ledger and which intent made it, also if it shows no mark: `None` is somebody else.
    pub maker: Option<Mark>,
    /// Another one after each change.
    pub revision: u64,
}

/// How an effect misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It has no effect, and says so.
    NoEffect,
    /// It has none this time, and says so.
    Again,
    /// It has its effect; the answer is lost.
    LostAnswer,
    /// It has its effect; the answer is lost, and it is worth while to ask again.
    LostAnswerAgain,
    /// It has no effect; nobody knows.
    LostRequest,
    /// It has its effect later.
    Late,
    /// It has half of its effect; nobody knows.
    Half,
}

/// What somebody else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Changes what is there, as an editor does that keeps the file.
    Edit(At, EcoString),
    /// Puts something else there, without a mark.
    Put(At, EcoString),
    /// Puts something there that has the mark of another ledger.
    Mark(At, EcoString),
    /// Takes away what is there.
    Remove(At),
}

impl World {
    /// Waits until a target is let to answer, and not for ever.
    pub(super) fn wait_for(&self, identity: &EcoString) {
        let inner = self.inner();
        if inner.blocked.contains(identity) {
            let blocked = |inner: &mut Inner| inner.blocked.contains(identity);
            drop(self.1.wait_timeout_while(inner, GIVES_UP, blocked));
        }
    }

    /// Lets all targets answer.
    pub fn unblock(&self) {
        self.inner().blocked.clear();
        self.1.notify_all();
    }

    /// What is in it.
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|p| p.into_inner())
    }

    /// From now on one effect of so many fails, by this seed; 0 for none.
    pub fn misbehave(&self, one_in: u32, seed: u64) {
        let mut inner = self.inner();
        inner.fail_one_in = one_in;
        inner.chance = Some(SeededRandom::new(seed));
    }

    /// Somebody else puts something somewhere, whatever was there.
    pub fn put_foreign(&self, identity: &str, claim: &str, value: &str) {
        self.inner().act(&Foreign::Put((identity.into(), claim.into()), value.into()));
    }
}

impl Inner {
    /// How many revisions there were.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// So many revisions there were.
    pub fn set_revision(&mut self, revision: u64) {
        self.revision = revision;
    }

    /// Another revision.
    pub(super) fn next_revision(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// A run begins: its effects count from 0, and these go wrong.
    pub fn begin(&mut self, mishaps: BTreeMap<u32, Mishap>, meanwhile: BTreeMap<u32, Foreign>) {
        self.effects = 0;
        self.mishaps = mishaps;
        self.meanwhile = meanwhile;
        self.dead = false;
    }

    /// Somebody else does something.
    pub fn act(&mut self, foreign: &Foreign) {
        let revision = self.next_revision();
        let stranger = |claim: &EcoString, value: &EcoString, mark| Object {
            kind: kind_of(claim).into(),
            value: value.clone(),
            extra: "theirs".into(),
            shape: EcoString::new(),
            mark,
            maker: None,
            revision,
        };
        match foreign {
            Foreign::Edit(at, value) => {
                if let Some(object) = self.objects.get_mut(at) {
                    object.value = value.clone();
                    if object.mark.is_none() {
                        // Nothing tells any more who made it.
                        object.maker = None;
                    }
                    object.revision = revision;
                }
            }
            Foreign::Put(at, value) => {
                self.objects.insert(at.clone(), stranger(&at.1, value, None));
            }
            Foreign::Mark(at, value) => {
                let token = Token::new(&SeededRandom::new(revision));
                let mark = Mark { lineage: "another".into(), token };
                self.objects.insert(at.clone(), stranger(&at.1, value, Some(mark)));
            }
            Foreign::Remove(at) => {
                self.objects.remove(at);
                let inside = format!("{}/", at.1);
                self.objects.retain(|other, _| other.0 != at.0 || !other.1.starts_with(&inside));
            }
        }
    }

    /// How the next effect goes wrong, if it does.
    pub(super) fn mishap(&mut self) -> Option<Mishap> {
        let number = self.effects;
        self.effects += 1;
        if let Some(foreign) = self.meanwhile.remove(&number) {
            self.act(&foreign);
        }
        if let Some(mishap) = self.mishaps.remove(&number) {
            return Some(mishap);
        }
        let draw = self.chance.as_ref().map_or(0, |c| c.next() as u32);
        if self.fail_one_in == 0 || !draw.is_multiple_of(self.fail_one_in) {
            return None;
        }
        Some(match draw / self.fail_one_in % 3 {
            0 => Mishap::NoEffect,
            1 => Mishap::LostAnswer,
            _ => Mishap::LostRequest,
        })
    }

    /// Counts an effect down; whether the deployer still lives to have it.
    pub(super) fn lives(&mut self) -> bool {
        if let Some(kept) = &mut self.kept {
            kept.push(self.objects.clone());
        }
        match &mut self.dies_after {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        !self.dead
    }

    /// Late requests arrive, those whose deadline is not over.
    pub fn land(&mut self, now: Timestamp) {
        for request in std::mem::take(&mut self.late) {
            if request.until.is_some_and(|until| now > until) {
                continue;
            }
            let _: Result<Recorded, Fault> = request.run(self, false);
        }
    }
}

/// The type of what somebody else would put in a place.
fn kind_of(claim: &str) -> &'static str {
    match claim.rsplit('/').next().unwrap_or(claim).split(':').next() {
        Some("slot") => "fake::Floating",
        Some("box") => "fake::Box",
        Some("part") => "fake::Crowd",
        _ => "fake::Thing",
    }
}

impl Reach for World {
    fn hello(&self, hello: &Hello<'_>) -> Result<Greeting, Fault> {
        let mut inner = self.inner();
        if inner.down.contains(hello.identity) {
            return Err(Fault::new("it does not answer"));
        }
        let identity = inner.impostors.get(hello.identity).unwrap_or(hello.identity).clone();
        let at = (identity.clone(), hello.lineage.clone());
        let (fence, others) = {
            let known = inner.fences.get(&at).map(|(_, fence)| fence.clone());
            let of_target = inner.fences.iter().filter(|((target, lineage), (project, _))| {
                *target == identity && lineage != hello.lineage && project == hello.project
            });
            (known, of_target.map(|((_, lineage), _)| lineage.clone()).collect())
        };
        let loose = inner.loose.contains(&identity);
        let accepts = !loose && fence.as_ref().is_none_or(|known| known.admits(hello.fence));
        if hello.enter && accepts && identity == *hello.identity {
            inner.fences.insert(at, (hello.project.clone(), hello.fence.clone()));
        }
        if loose {
            return Ok(Greeting { identity, fence: None, keeps: false, late: true, others: Vec::new() });
        }
        Ok(Greeting { identity, fence, keeps: true, late: false, others })
    }
}

impl Object {
    /// Its revision as the stamp of a look.
    pub fn stamp(&self) -> EcoString {
        eco_format!("{}", self.revision)
    }
}
