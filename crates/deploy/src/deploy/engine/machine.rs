//! The engine: a pure state machine. Events come in, effects go out, and nothing is done here:
//! no clock is read, no disk, no target; the handlers' pure methods alone are called.
//!
//! A run goes through these phases: it looks at everything, closely where the stamp will not do;
//! it reads what became of the effects of a run that did not end; it plans; once the plan is
//! approved it opens intents, durably, has their effects done, and closes them, durably,
//! together with opening the next, until nothing is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;

use crate::graph::{Digest, GraphBuilder, GraphValue, Origin, State};
use crate::handler::{
    Done, Effect as Ended, Fault, Fence, Found, Greeting, Random, Readiness, Recorded, Registry, Seen,
    Timestamp, Token,
};
use crate::project::config::Limit;
use crate::state::{Change, Generation, Revision, Snapshot};

use super::super::guard::Deletions;
use super::super::past::{self, Past};
use super::super::planning::decide::{Decider, Rows};
use super::super::planning::plan::Plan;
use super::super::planning::planner::Planner;
use super::super::planning::survey::{Sources, Survey};
use super::super::scope::Scope;
use super::super::secrets::{Prints, untell};
use super::super::target::Targets;
use super::super::{Error, Mode};
use super::doing::Steps;
use super::greet::Hall;
use super::looking::Looking;
use super::outcome::Outcome;
use super::task::{Task, Work};

/// How long a target may be silent when it is greeted.
const ANSWER: Duration = Duration::from_secs(60);

/// How long it may be silent when it looks: at all of what is there, if need be.
pub(in crate::deploy) const LOOK: Duration = Duration::from_secs(300);

/// What happened.
#[derive(Debug)]
pub(in crate::deploy) enum Event {
    /// The run begins.
    Start,
    /// A target has answered, or not.
    Greeted(usize, Result<Greeting, Fault>),
    /// A target was searched for marks; `None` if that cannot be done there.
    Searched(Batch, Option<Result<Vec<Found>, Fault>>),
    /// A handler has looked.
    Observed(Batch, Vec<Result<Seen, Fault>>),
    /// Leftovers of interrupted effects are cleared.
    Discarded(Batch, Vec<Result<(), Fault>>),
    /// Somebody has read the plan, and wants it done or not.
    Decided(bool),
    /// The secrets of subjects were opened.
    Revealed(Vec<(usize, Result<GraphValue, Fault>)>),
    /// The changes are durable.
    Committed(Revision),
    /// Effects have ended.
    Applied(Batch, Vec<Ended<Recorded>>),
    /// Effects have ended.
    Deleted(Batch, Vec<Ended<Done>>),
    /// Handlers have said whether things can be used.
    Readiness(Batch, Vec<Readiness>),
    /// It was waited.
    Rested,
}

/// What is to be done.
#[derive(Debug)]
pub(in crate::deploy) enum Effect {
    /// Say hello to a target; with `enter` it is to accept this run and no earlier one.
    Greet {
        /// The target, by number.
        target: usize,
        /// Whether anything changes there.
        enter: bool,
    },
    /// Search a target for marks.
    Search(Batch),
    /// Look.
    Observe(Batch),
    /// Clear leftovers.
    Discard(Batch),
    /// Show the plan, and ask.
    Decide,
    /// Open the secrets of these subjects, for whoever applies them.
    Reveal(Vec<usize>),
    /// Make changes durable. Nothing else is under way in the ledger.
    Commit(Arc<Vec<Change>>),
    /// Make or change things.
    Apply(Batch),
    /// Take things away.
    Delete(Batch),
    /// Ask whether things can be used.
    AskReady(Batch),
    /// Wait until then: effects of an earlier run may land before.
    Rest(Timestamp),
    /// The run has ended.
    Finish,
}

impl Effect {
    /// How long to wait before: others come first.
    pub(in crate::deploy) fn wait(&self) -> Duration {
        match self {
            Effect::Apply(batch) | Effect::Delete(batch) | Effect::AskReady(batch) => batch.wait,
            _ => Duration::ZERO,
        }
    }
}

/// Requests to one handler for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deploy) struct Batch {
    /// The target, by number.
    pub target: usize,
    /// The handler.
    pub handler: EcoString,
    /// Subjects, steps or intents, by number.
    pub items: Vec<usize>,
    /// How long to wait before.
    pub wait: Duration,
}

/// What a run is about.
pub(in crate::deploy) struct Request<'a> {
    pub graph: &'a mut GraphBuilder,
    /// What tells this run from all others: the nonce with which the lock was taken.
    pub nonce: Token,
    pub targets: &'a Targets,
    pub registry: &'a Registry,
    pub random: &'a dyn Random,
    pub mode: Mode,
    pub verify: bool,
    /// How much one generation may take away.
    pub limit: Option<Limit>,
    /// What is known of the time before.
    pub past: Past,
    /// What the run is for.
    pub scope: &'a Scope,
    /// What tells that secrets changed of which the graph says nothing.
    pub prints: Prints,
}

/// The engine of one run.
pub(in crate::deploy) struct Engine<'a> {
    pub(in crate::deploy) graph: &'a GraphBuilder,
    pub(in crate::deploy) targets: &'a Targets,
    pub(in crate::deploy) registry: &'a Registry,
    pub(in crate::deploy) random: &'a dyn Random,
    pub(in crate::deploy) mode: Mode,
    pub(in crate::deploy) verify: bool,
    limit: Option<Limit>,
    past: Past,
    pub(in crate::deploy) scope: &'a Scope,
    pub(in crate::deploy) prints: Prints,
    pub(in crate::deploy) fence: Fence,
    desired: Digest,
    pub(in crate::deploy) ledger: Snapshot,
    pub(in crate::deploy) survey: Survey,
    /// What was learned from targets.
    pub(in crate::deploy) hall: Hall,
    /// How many batches are not answered yet.
    pub(in crate::deploy) waiting: usize,
    pub(in crate::deploy) looking: Looking,
    pub(in crate::deploy) phase: Phase,
    /// Subjects of which a secret could not be opened, with why.
    pub(in crate::deploy) closed: BTreeMap<usize, Fault>,
    plan: Option<Plan>,
    pub(in crate::deploy) steps: Steps,
    /// Changes to be made durable with the next commit.
    pub(in crate::deploy) queued: Vec<Change>,
    /// How many rows were taken away since the last commit.
    pub(in crate::deploy) removed: u64,
    /// Changes that are being made durable; there may be many, so they are not copied.
    committing: Option<Arc<Vec<Change>>>,
    /// When the last event happened.
    pub(in crate::deploy) now: Timestamp,
    /// Whether something has ended of which nobody knows yet what comes after it.
    ended: bool,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::deploy) enum Phase {
    Greeting,
    Looking,
    Recovering,
    Deciding,
    Starting,
    Doing,
    Finishing,
    Finished,
}

impl<'a> Engine<'a> {
    /// An engine for a graph and a ledger, as it was loaded.
    pub(in crate::deploy) fn new(request: Request<'a>, ledger: Snapshot) -> Result<Self, Error> {
        let Request { graph, nonce, targets, registry, random, mode, verify, limit, mut past, scope, prints } =
            request;
        let desired = graph.desired();
        let hall = Hall::saying(std::mem::take(&mut past.notes));
        let graph: &'a GraphBuilder = graph;
        let survey = Survey::new(&Sources {
            graph,
            ledger: &ledger,
            targets,
            registry,
            verify,
            scope,
            prints: &prints,
        })?;
        let fence = Fence { epoch: ledger.revision.epoch, nonce, serial: ledger.revision.serial };
        Ok(Engine {
            graph,
            targets,
            registry,
            random,
            mode,
            verify,
            limit,
            past,
            scope,
            prints,
            fence,
            desired,
            ledger,
            survey,
            hall,
            waiting: 0,
            looking: Looking::default(),
            phase: Phase::Greeting,
            closed: BTreeMap::new(),
            plan: None,
            steps: Steps::default(),
            queued: Vec::new(),
            removed: 0,
            committing: None,
            now: Timestamp::default(),
            ended: false,
        })
    }

    /// The plan, once there is one.
    pub(in crate::deploy) fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// What became of it all. Without a plan, nothing did.
    pub(in crate::deploy) fn outcome(self, stopped: Option<Error>) -> Outcome {
        let plan = self.plan.unwrap_or_else(|| Plan::empty(self.ledger.revision, self.desired));
        let verdicts = self.steps.verdicts(&plan, self.phase >= Phase::Starting);
        let scope = self.scope.targets.clone();
        let receipt = match self.mode {
            Mode::Deploy => past::receipt(self.graph, &self.ledger, scope),
            Mode::Plan => None,
        };
        Outcome { plan, verdicts, stopped, receipt, foreign: Vec::new(), saved: None }
    }

    /// Takes an event; says what is to be done now.
    pub(in crate::deploy) fn step(&mut self, event: Event, now: Timestamp) -> Result<Vec<Effect>, Error> {
        let mut effects = self.take(event, now)?;
        effects.extend(self.go_on());
        Ok(effects)
    }

    /// Takes an event that happened at a time. After one, or several, it is to [go on](Engine::go_on).
    pub(in crate::deploy) fn take(&mut self, event: Event, now: Timestamp) -> Result<Vec<Effect>, Error> {
        self.now = now;
        match event {
            Event::Start => Ok(self.greet()),
            Event::Greeted(target, answer) => self.greeted(target, answer),
            Event::Searched(batch, found) => self.searched(&batch, found),
            Event::Rested => Ok(self.look()),
            Event::Observed(batch, answers) => self.observed(&batch, answers),
            Event::Discarded(batch, answers) => Ok(self.discarded(&batch, answers)),
            Event::Decided(go) => Ok(self.decided(go)),
            Event::Revealed(revealed) => Ok(self.revealed(revealed)),
            Event::Committed(revision) => Ok(self.committed(revision)),
            Event::Applied(batch, ended) => {
                self.ended = true;
                Ok(self.applied(&batch, ended))
            }
            Event::Deleted(batch, ended) => {
                self.ended = true;
                Ok(self.deleted(&batch, ended))
            }
            Event::Readiness(batch, answers) => {
                self.ended = true;
                Ok(self.readiness(&batch, &answers))
            }
        }
    }

    /// What comes after what has ended: its outcome is written down, and what waited for it begins.
    pub(in crate::deploy) fn go_on(&mut self) -> Vec<Effect> {
        if std::mem::take(&mut self.ended) { self.advance() } else { Vec::new() }
    }

    /// What an effect asks of a target, with all that it takes; nothing if it asks nothing of one.
    pub(in crate::deploy) fn task(&self, effect: Effect) -> Option<Task> {
        let of = |target, patience, work| {
            let (lineage, fence) = (self.ledger.lineage.clone(), self.fence.clone());
            Task { target, lineage, fence, patience, until: None, work }
        };
        Some(match effect {
            Effect::Greet { target, enter } => of(target, ANSWER, Work::Greet { enter }),
            Effect::Search(batch) => of(batch.target, LOOK, Work::Search(batch)),
            Effect::Observe(batch) => {
                let looks = self.looks(&batch);
                of(batch.target, LOOK, Work::Observe(batch, looks))
            }
            Effect::Discard(batch) => {
                let leftovers = self.leftovers(&batch);
                of(batch.target, LOOK, Work::Discard(batch, leftovers))
            }
            Effect::Delete(batch) => {
                let (deletes, patience) = (self.deletes(&batch), self.longest_patience(&batch));
                let until = self.until(&batch);
                Task { until, ..of(batch.target, patience, Work::Delete(batch, deletes)) }
            }
            Effect::Apply(batch) => {
                let (applies, patience) = (self.applies(&batch), self.longest_patience(&batch));
                let until = self.until(&batch);
                Task { until, ..of(batch.target, patience, Work::Apply(batch, applies)) }
            }
            Effect::AskReady(batch) => {
                let looks = self.made_looks(&batch);
                of(batch.target, LOOK, Work::AskReady(batch, looks))
            }
            Effect::Decide | Effect::Reveal(_) | Effect::Commit(_) | Effect::Rest(_) | Effect::Finish => {
                return None;
            }
        })
    }

    // Planning.

    /// The generation that the run is for, and whether it is a new one.
    fn generation(&self) -> (u64, bool) {
        match self.ledger.generations.last() {
            Some(last) if last.desired == self.desired.to_string() && last.data == self.past.data => {
                (last.number, false)
            }
            Some(last) => (last.number + 1, true),
            None => (1, true),
        }
    }

    /// What rows of this run have in common.
    pub(in crate::deploy) fn rows(&self) -> Rows<'_> {
        Rows { targets: self.targets, generation: self.generation().0 }
    }

    pub(in crate::deploy) fn make_plan(&mut self) -> Vec<Effect> {
        self.phase = Phase::Deciding;
        let origins = self.origins();
        let (ledger, survey) = (&self.ledger, &self.survey);
        let decider =
            Decider { graph: self.graph, ledger, survey, registry: self.registry, rows: self.rows() };
        let planned =
            Planner { decider, desired: self.desired, origins: &origins, said: &self.hall.notes }.plan();
        self.steps = Steps::new(&planned.plan);
        let mut plan = planned.plan;
        if !self.prints.is_empty() {
            untell(&mut plan);
        }
        // A deploy stops with it.
        if self.mode == Mode::Plan
            && let Some(guard) = self.guard(&plan)
        {
            plan.notes.push(guard.to_string());
        }
        self.plan = Some(plan);
        self.queued = planned.ledger;
        vec![Effect::Decide]
    }

    /// Why the plan may not be done, if it takes away too much.
    pub(in crate::deploy) fn guard(&self, plan: &Plan) -> Option<Error> {
        let (_, is_new) = self.generation();
        let (last, rest) = self.ledger.generations.split_last().unzip();
        let (resumed, before) = match is_new {
            true => (None, last),
            false => (last, rest.and_then(|rest| rest.last())),
        };
        let allow = &self.graph.header().allow;
        let known = self.reached_rows();
        let deletions = Deletions::of(plan, self.limit?, allow, resumed, before, known);
        let Deletions { rows, limit } = deletions;
        let base = before.map(|generation| generation.desired.to_string()).unwrap_or_default();
        deletions.too_many().then_some(Error::Guard { rows, limit, base })
    }

    /// How many rows there are on the targets that there are: what another machine holds is nothing
    /// that this run could take away.
    fn reached_rows(&self) -> u64 {
        self.ledger.rows.len().saturating_sub(self.survey.strangers) as u64
    }

    /// Where what is not wanted any more came from, as far as the graph says.
    fn origins(&self) -> FxHashMap<EcoString, Origin> {
        let absent = self.graph.iter().filter(|node| node.state == State::Absent);
        absent.filter_map(|node| Some((node.id.clone(), node.read().ok()?.origin))).collect()
    }

    fn decided(&mut self, go: bool) -> Vec<Effect> {
        if !go || self.mode == Mode::Plan {
            return vec![Effect::Finish];
        }
        self.phase = Phase::Starting;
        let hidden = self.hidden();
        if hidden.is_empty() { self.start() } else { vec![Effect::Reveal(hidden)] }
    }

    /// The subjects with secrets that are about to be applied.
    fn hidden(&self) -> Vec<usize> {
        let mut made = self.steps.made();
        made.sort_unstable();
        made.dedup();
        made.retain(|at| self.fields_of(*at).is_some_and(GraphValue::has_secret));
        made
    }

    /// The fields of what is wanted, if it was read.
    pub(in crate::deploy) fn fields_of(&self, subject: usize) -> Option<&GraphValue> {
        let wanted = self.survey.subjects.get(subject)?.wanted.as_ref()?;
        Some(&wanted.node.as_ref()?.fields)
    }

    /// Secrets are open. What could not be opened cannot be applied; all else can.
    fn revealed(&mut self, revealed: Vec<(usize, Result<GraphValue, Fault>)>) -> Vec<Effect> {
        for (at, fields) in revealed {
            match fields {
                Ok(fields) => {
                    let wanted = self.survey.subjects.get_mut(at).and_then(|s| s.wanted.as_mut());
                    if let Some(node) = wanted.and_then(|wanted| wanted.node.as_mut()) {
                        Arc::make_mut(node).fields = fields;
                    }
                }
                Err(fault) => drop(self.closed.insert(at, fault)),
            }
        }
        self.start()
    }

    fn start(&mut self) -> Vec<Effect> {
        let (number, is_new) = self.generation();
        if is_new {
            let start = Change::Start(Generation {
                number,
                revision: self.graph.header().source.revision.clone().unwrap_or_default(),
                desired: eco_format!("{}", self.desired),
                graph: String::from_utf8(self.graph.to_canonical_json()).ok().map(String::into_boxed_str),
                started: Timestamp::default(),
                finished: None,
                rows: self.reached_rows(),
                removed: 0,
                history: std::mem::take(&mut self.past.history),
                data: self.past.data.clone(),
                files: std::mem::take(&mut self.past.files),
                author: std::mem::take(&mut self.past.author),
                cause: std::mem::take(&mut self.past.cause),
            });
            self.queued.insert(0, start);
        }
        if self.queued.is_empty() {
            return self.begin();
        }
        let changes = std::mem::take(&mut self.queued);
        self.commit(changes)
    }

    fn begin(&mut self) -> Vec<Effect> {
        self.phase = Phase::Doing;
        self.steps.begin();
        self.advance()
    }

    // Doing; see also `doing.rs`.

    pub(in crate::deploy) fn commit(&mut self, mut changes: Vec<Change>) -> Vec<Effect> {
        if self.phase > Phase::Greeting {
            let learned = self.learned();
            changes.splice(0..0, learned);
        }
        self.steps.committing();
        let changes = Arc::new(changes);
        self.committing = Some(changes.clone());
        vec![Effect::Commit(changes)]
    }

    fn committed(&mut self, revision: Revision) -> Vec<Effect> {
        let changes = self.committing.take().unwrap_or_default();
        let opened: Vec<u64> = changes.iter().filter_map(Change::opens).collect();
        self.ledger.apply(Arc::unwrap_or_clone(changes), Timestamp::default());
        self.ledger.revision = revision;
        match self.phase {
            Phase::Greeting => self.enter(),
            Phase::Recovering => self.recovered_durably(),
            Phase::Starting => self.begin(),
            Phase::Doing => {
                let mut effects = self.opened(&opened);
                effects.extend(self.advance());
                effects
            }
            Phase::Finishing | Phase::Looking | Phase::Deciding | Phase::Finished => self.finish(),
        }
    }

    /// Commits what there is to commit, with the intents of what can be done next.
    fn advance(&mut self) -> Vec<Effect> {
        if self.committing.is_some() {
            return Vec::new();
        }
        let intents = self.open_intents();
        let mut changes = std::mem::take(&mut self.queued);
        changes.extend(intents);
        if let rows @ 1.. = std::mem::take(&mut self.removed) {
            changes.push(Change::Removed { number: self.generation().0, rows });
        }
        if !changes.is_empty() {
            return self.commit(changes);
        }
        let asks = self.ask_now();
        if !asks.is_empty() {
            return asks;
        }
        if self.steps.under_way() {
            return Vec::new();
        }
        let (number, _) = self.generation();
        let unfinished =
            self.ledger.generations.last().is_some_and(|g| g.number == number && g.finished.is_none());
        // What is left out may be as it should be or not.
        let whole = self.plan.as_ref().is_some_and(|plan| self.steps.all_done(plan));
        let whole = whole && self.scope.is_everything();
        if unfinished && whole && self.phase == Phase::Doing {
            self.phase = Phase::Finishing;
            return self.commit(vec![Change::Finish { number }]);
        }
        self.finish()
    }

    fn finish(&mut self) -> Vec<Effect> {
        self.phase = Phase::Finished;
        vec![Effect::Finish]
    }
}

/// A number, and the target and handler that it is for.
pub(in crate::deploy) type Item = ((usize, EcoString), usize);

/// Items as batches of one handler on one target, each as large as the handler takes.
pub(in crate::deploy) fn group(registry: &Registry, items: impl IntoIterator<Item = Item>) -> Vec<Batch> {
    let mut groups: BTreeMap<(usize, EcoString), Vec<usize>> = BTreeMap::new();
    for (key, item) in items {
        groups.entry(key).or_default().push(item);
    }
    let mut batches = Vec::new();
    for ((target, handler), items) in groups {
        let size = registry.get(&handler).map_or(1, |h| h.concurrency()).max(1);
        for items in items.chunks(size) {
            let wait = Duration::ZERO;
            batches.push(Batch { target, handler: handler.clone(), items: items.to_vec(), wait });
        }
    }
    batches
}
