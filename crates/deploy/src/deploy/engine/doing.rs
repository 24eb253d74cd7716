//! Doing what was planned: which steps can be done next, and what becomes of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;

use crate::handler::{Done, Effect as Ended, Fault, Readiness, Recorded, Timestamp, Token};
use crate::state::{Change, Closed, Condition, End, Holding, Intent, Operation, Row, RowKey};

use super::super::planning::later::{self, Outputs};
use super::super::planning::look::LookRequest;
use super::super::planning::plan::{Action, Cause, Plan, What};
use super::super::planning::survey::Subject;
use super::super::planning::within::gone_with;
use super::machine::{Batch, Effect, Engine, Item, group};
use super::outcome::Verdict;
use super::task::{ApplyRequest, DeleteRequest};

/// How long something may take to become ready, unless its node says otherwise.
const PATIENCE: Duration = Duration::from_secs(300);

/// For how many batches of one handler on one target intents are open at once: while one is done, the next
/// is written down. All of them at once would be all in memory, and all in question after a crash.
const AHEAD: usize = 2;

/// How often an effect is tried that fails for what may pass.
const ATTEMPTS: u32 = 4;

/// How long is waited before the second attempt; each time twice as long.
const BACKOFF: Duration = Duration::from_secs(1);

/// A target and a handler: what is done one batch after the other.
type Lane = (usize, EcoString);

/// The steps of a plan while they are done.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Steps {
    steps: Vec<Doing>,
    /// Steps that nothing is before any more.
    next: Vec<usize>,
    /// Those whose intents are opened once there is room for them.
    held: BTreeMap<Lane, VecDeque<usize>>,
    /// By intent that is not closed, the step that it is for.
    open: FxHashMap<u64, usize>,
    /// Steps whose outcome is to be made durable, and that are then asked whether they are ready.
    asking: Vec<usize>,
    /// Those whose outcome is being made durable.
    asking_next: Vec<usize>,
    /// How many are being done, or asked about.
    under_way: usize,
}

/// A step while it is done.
#[derive(Debug)]
struct Doing {
    what: What,
    entry: usize,
    /// How many of those before it are not done.
    before: usize,
    after: Vec<usize>,
    state: State,
    intent: Option<u64>,
    /// How long was waited for it to become ready.
    waited: Duration,
    /// How often it was tried.
    attempts: u32,
    /// Whether one of the attempts may have had the effect: then no later one is proof of none.
    unsure: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Waiting,
    Open,
    Asking,
    Ended(Verdict),
}

impl Steps {
    pub(in crate::deploy) fn new(plan: &Plan) -> Self {
        let mut steps: Vec<Doing> = plan
            .steps
            .iter()
            .map(|step| Doing {
                what: step.what.clone(),
                entry: step.entry,
                before: step.after.len(),
                after: Vec::new(),
                state: State::Waiting,
                intent: None,
                waited: Duration::ZERO,
                attempts: 1,
                unsure: false,
            })
            .collect();
        for (at, step) in plan.steps.iter().enumerate() {
            for &before in &step.after {
                if let Some(before) = steps.get_mut(before) {
                    before.after.push(at);
                }
            }
        }
        Steps { steps, ..Steps::default() }
    }

    /// The subjects that steps make or change.
    pub(in crate::deploy) fn made(&self) -> Vec<usize> {
        let subject = |step: &Doing| match step.what {
            What::Make { subject, .. } => Some(subject),
            _ => None,
        };
        self.steps.iter().filter_map(subject).collect()
    }

    /// From now on steps are done.
    pub(in crate::deploy) fn begin(&mut self) {
        let first = self.steps.iter().enumerate().filter(|(_, step)| step.before == 0);
        self.next = first.map(|(at, _)| at).collect();
    }

    /// Whether a step is being done.
    pub(in crate::deploy) fn under_way(&self) -> bool {
        self.under_way > 0
    }

    /// Whether everything that was wanted has been done.
    pub(in crate::deploy) fn all_done(&self, plan: &Plan) -> bool {
        plan.is_whole() && self.steps.iter().all(|step| step.state == State::Ended(Verdict::Done))
    }

    /// What became of each entry of the plan; `begun` says whether it was agreed to.
    pub(in crate::deploy) fn verdicts(&self, plan: &Plan, begun: bool) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = plan
            .entries
            .iter()
            .map(|entry| match &entry.blocked {
                Some(cause) => Verdict::Skipped(cause.clone()),
                None if !entry.action.is_work() => Verdict::Said,
                None if begun => Verdict::Done,
                None => Verdict::Planned,
            })
            .collect();
        for step in &self.steps {
            let Some(verdict) = verdicts.get_mut(step.entry) else { continue };
            let this = match &step.state {
                State::Ended(verdict) => verdict.clone(),
                State::Waiting => Verdict::Planned,
                State::Open | State::Asking => Verdict::Unknown(Fault::new("the run ended before it did")),
            };
            // Of the two steps of a replacement the worse one counts.
            if this.rank() > verdict.rank() {
                *verdict = this;
            }
        }
        self.along(plan, &mut verdicts);
        verdicts
    }

    /// What goes with something is not gone before that.
    fn along(&self, plan: &Plan, verdicts: &mut [Verdict]) {
        for at in 0..plan.entries.len() {
            let Some(Action::Goes { with }) = plan.entries.get(at).map(|entry| &entry.action) else {
                continue;
            };
            let holder = plan.entries.iter().position(|entry| {
                entry.id == *with && matches!(entry.action, Action::Delete { .. } | Action::Replace { .. })
            });
            let stays = holder.and_then(|holder| verdicts.get(holder)).is_some_and(Verdict::is_bad);
            if let Some(verdict) = verdicts.get_mut(at).filter(|verdict| stays && !verdict.is_bad()) {
                *verdict =
                    Verdict::Skipped(Cause { id: with.clone(), what: "could not be deleted".to_owned() });
            }
        }
    }

    fn get(&self, at: usize) -> Option<&Doing> {
        self.steps.get(at)
    }

    /// How many intents are open for each handler on each target.
    fn open_by_lane(&self, lane: impl Fn(usize) -> Option<Lane>) -> BTreeMap<Lane, usize> {
        let mut open = BTreeMap::new();
        for lane in self.open.values().filter_map(|at| lane(*at)) {
            *open.entry(lane).or_insert(0) += 1;
        }
        open
    }

    /// What was queued so far is being made durable.
    pub(in crate::deploy) fn committing(&mut self) {
        self.asking_next.append(&mut self.asking);
    }

    fn set(&mut self, at: usize, state: State) {
        let goes_on = |state: &State| usize::from(matches!(state, State::Open | State::Asking));
        if let Some(step) = self.steps.get_mut(at) {
            self.under_way = (self.under_way + goes_on(&state)).saturating_sub(goes_on(&step.state));
            if let (State::Open, Some(intent)) = (&step.state, step.intent) {
                self.open.remove(&intent);
            }
            step.state = state;
        }
    }

    /// A step waits until what it is about is ready.
    fn ask(&mut self, at: usize) {
        self.set(at, State::Asking);
        self.asking.push(at);
    }

    fn complete(&mut self, at: usize) {
        self.set(at, State::Ended(Verdict::Done));
        let Some(step) = self.steps.get(at) else { return };
        for then in step.after.clone() {
            if let Some(step) = self.steps.get_mut(then) {
                step.before = step.before.saturating_sub(1);
                if step.before == 0 && step.state == State::Waiting {
                    self.next.push(then);
                }
            }
        }
    }

    /// A step has failed: what comes after it is not done.
    fn fail(&mut self, at: usize, verdict: Verdict, cause: &Cause) {
        self.set(at, State::Ended(verdict));
        let mut todo = self.steps.get(at).map(|step| step.after.clone()).unwrap_or_default();
        while let Some(at) = todo.pop() {
            if let Some(step) = self.steps.get_mut(at)
                && step.state == State::Waiting
            {
                step.state = State::Ended(Verdict::Skipped(cause.clone()));
                todo.extend(&step.after);
            }
        }
    }
}

impl Engine<'_> {
    /// Takes the steps that can be done next, and says what they are about to do.
    pub(in crate::deploy) fn open_intents(&mut self) -> Vec<Change> {
        for at in std::mem::take(&mut self.steps.next) {
            match self.lane_of(at) {
                Some(_) if matches!(self.steps.get(at).map(|s| &s.what), Some(What::Ask { .. })) => {
                    self.steps.ask(at);
                }
                Some(lane) => self.steps.held.entry(lane).or_default().push_back(at),
                None => self.failed(at, Verdict::Failed(Fault::new("nobody knows what this is about"))),
            }
        }
        let mut open = self.steps.open_by_lane(|at| self.lane_of(at));
        let mut changes = Vec::new();
        for (lane, mut steps) in std::mem::take(&mut self.steps.held) {
            let together = self.together(&lane.1);
            let open = open.remove(&lane).unwrap_or_default();
            let mut turn = open;
            while turn < together.saturating_mul(AHEAD)
                && let Some(at) = steps.pop_front()
            {
                // So many are asked for together; the time that it may take is counted from its turn.
                let turns = (turn + 1).div_ceil(together) as u32;
                let deadline = self.now.after(self.patience(at).saturating_mul(turns));
                let number = self.ledger.next_intent + changes.len() as u64;
                match self.open_intent(at, number, deadline) {
                    Ok(intent) => {
                        changes.push(Change::Open(intent));
                        turn += 1;
                    }
                    Err(fault) => self.failed(at, Verdict::Failed(fault)),
                }
            }
            if !steps.is_empty() {
                self.steps.held.insert(lane, steps);
            }
        }
        changes
    }

    /// The intent of a step that is to be done now.
    fn open_intent(&mut self, at: usize, number: u64, deadline: Timestamp) -> Result<Intent, Fault> {
        if let Some(fault) = self.closed_to(at) {
            return Err(fault);
        }
        self.know(at)?;
        let missing = || Fault::new("the ledger does not have what this is about");
        let intent = self.intent(at, number, deadline).ok_or_else(missing)?;
        self.steps.set(at, State::Open);
        if let Some(step) = self.steps.steps.get_mut(at) {
            step.intent = Some(number);
        }
        self.steps.open.insert(number, at);
        Ok(intent)
    }

    /// The target and the handler of a step.
    fn lane_of(&self, at: usize) -> Option<Lane> {
        self.subject_of(at).map(|subject| (subject.target, subject.handler.clone()))
    }

    /// How many requests a handler takes at once.
    fn together(&self, handler: &str) -> usize {
        self.registry.get(handler).map_or(1, |handler| handler.concurrency()).max(1)
    }

    /// Why a step cannot be done, if a secret that it applies was not opened.
    fn closed_to(&self, at: usize) -> Option<Fault> {
        match &self.steps.get(at)?.what {
            What::Make { subject, .. } => self.closed.get(subject).cloned(),
            _ => None,
        }
    }

    /// What a step is about.
    fn subject_of(&self, at: usize) -> Option<&Subject> {
        match &self.steps.get(at)?.what {
            What::Make { subject, .. } | What::Unmake { subject, .. } | What::Ask { subject, .. } => {
                self.survey.subjects.get(*subject)
            }
        }
    }

    /// How long a target may be silent over a batch.
    pub(in crate::deploy) fn longest_patience(&self, batch: &Batch) -> Duration {
        batch.items.iter().map(|at| self.patience(*at)).max().unwrap_or(PATIENCE)
    }

    /// When it is too late to begin with a batch, where nothing but time keeps an earlier run's effects
    /// out.
    pub(in crate::deploy) fn until(&self, batch: &Batch) -> Option<Timestamp> {
        let deadlines = batch.items.iter().filter_map(|at| Some(self.intent_of(*at)?.deadline));
        deadlines.min().filter(|_| self.hall.is_loose(batch.target))
    }

    /// What a step makes is known once those that it uses are done.
    fn know(&mut self, at: usize) -> Result<(), Fault> {
        let Some(What::Make { subject, .. }) = self.steps.get(at).map(|step| &step.what) else {
            return Ok(());
        };
        let wanted = self.survey.subjects.get_mut(*subject).and_then(|subject| subject.wanted.as_mut());
        let Some(wanted) = wanted else { return Ok(()) };
        let Some(node) = wanted.node.as_mut().filter(|node| node.fields.has_later()) else {
            return Ok(());
        };
        let outputs =
            Outputs { ledger: &self.ledger, changes: &self.queued, graph: self.graph, targets: self.targets };
        let fields = later::resolve(&node.fields, outputs)?;
        let node = Arc::make_mut(node);
        // As the next survey will have it.
        let own = wanted.digest.split(" later:").next().unwrap_or_default();
        wanted.digest = eco_format!("{own} {}", later::print(node, outputs));
        node.fields = fields;
        let problem = self.registry.get(&node.handler).and_then(|h| h.validate(node).into_iter().next());
        match problem {
            Some(problem) => Err(Fault { help: problem.help, ..Fault::new(problem.message) }),
            None => Ok(()),
        }
    }

    fn intent(&self, at: usize, number: u64, deadline: Timestamp) -> Option<Intent> {
        let epoch = self.ledger.revision.epoch;
        let token = Token::new(self.random);
        match &self.steps.get(at)?.what {
            What::Ask { .. } => None,
            What::Unmake { key, before, .. } => {
                let row = self.ledger.rows.get(key)?.clone();
                let before = before.clone().or_else(|| Some(row.recorded.stamp.clone()));
                let operation = Operation::Delete;
                Some(Intent { number, epoch, operation, row, before, token, moved: None, deadline })
            }
            What::Make { subject, operation, key, before, from } => {
                let subject = self.survey.subjects.get(*subject)?;
                let handler = self.registry.get(&subject.handler)?;
                let known = self.ledger.rows.get(from.as_ref().unwrap_or(key));
                let holding = match operation {
                    Operation::Adopt => Holding::Adopted,
                    // Whosever it was, it is gone.
                    Operation::Create => Holding::Made,
                    _ => known.map_or(Holding::Made, |row| row.holding),
                };
                let mut row = self.rows().row(subject, handler, key.clone(), holding)?;
                if let Some(known) = known {
                    row.recorded = Recorded { fields: row.recorded.fields, ..known.recorded.clone() };
                    if known.condition == Condition::Doubt && *operation != Operation::Create {
                        row.condition = Condition::Doubt;
                    }
                }
                let (before, moved) = (before.clone(), from.clone());
                Some(Intent { number, epoch, operation: *operation, row, before, token, moved, deadline })
            }
        }
    }

    /// Intents are durable, and so are outcomes: what they wait for may begin.
    pub(in crate::deploy) fn opened(&mut self, intents: &[u64]) -> Vec<Effect> {
        let mut makes = Vec::new();
        let mut unmakes = Vec::new();
        for intent in intents.iter().filter_map(|number| self.ledger.intents.get(number)) {
            let Some(&at) = self.steps.open.get(&intent.number) else { continue };
            let Some(target) = self.targets.holding(&intent.row.place) else { continue };
            let key = (target, intent.row.handler.clone());
            match intent.operation {
                Operation::Delete => unmakes.push((key, at)),
                Operation::Create | Operation::Update | Operation::Adopt | Operation::Move => {
                    makes.push((key, at))
                }
            }
        }
        let mut effects: Vec<Effect> =
            group(self.registry, unmakes).into_iter().map(Effect::Delete).collect();
        effects.extend(group(self.registry, makes).into_iter().map(Effect::Apply));
        let asking = std::mem::take(&mut self.steps.asking_next);
        effects.extend(self.ask(asking.into_iter().map(|at| (at, Duration::ZERO))));
        effects
    }

    /// Asks whether what was made is ready, with nothing left to be made durable.
    pub(in crate::deploy) fn ask_now(&mut self) -> Vec<Effect> {
        let asking = std::mem::take(&mut self.steps.asking);
        self.ask(asking.into_iter().map(|at| (at, Duration::ZERO)))
    }

    /// The intent of a step.
    fn intent_of(&self, at: usize) -> Option<&Intent> {
        self.ledger.intents.get(&self.steps.get(at)?.intent?)
    }

    /// What a batch tells its handler to make or change.
    pub(in crate::deploy) fn applies(&self, batch: &Batch) -> Vec<ApplyRequest> {
        batch.items.iter().filter_map(|at| self.apply_request(*at)).collect()
    }

    fn apply_request(&self, at: usize) -> Option<ApplyRequest> {
        let What::Make { subject, .. } = &self.steps.get(at)?.what else { return None };
        let intent = self.intent_of(at)?;
        let subject = self.survey.subjects.get(*subject)?;
        let known = self.ledger.rows.get(intent.moved.as_ref().unwrap_or(&intent.row.key));
        Some(ApplyRequest {
            node: subject.wanted.as_ref().and_then(|wanted| wanted.node.clone()),
            kind: intent.row.kind.clone(),
            recorded: known.map(|row| row.recorded.clone()),
            before: intent.before.clone(),
            token: intent.token.clone(),
            mark: intent.row.holding == Holding::Made,
        })
    }

    /// What a batch tells its handler to take away.
    pub(in crate::deploy) fn deletes(&self, batch: &Batch) -> Vec<DeleteRequest> {
        let request = |at: &usize| {
            let intent = self.intent_of(*at)?;
            Some(DeleteRequest {
                kind: intent.row.kind.clone(),
                recorded: intent.row.recorded.clone(),
                before: intent.before.clone()?,
                token: intent.token.clone(),
            })
        };
        batch.items.iter().filter_map(request).collect()
    }

    /// The rows that a batch takes away.
    pub(in crate::deploy) fn deleting(&self, batch: &Batch) -> Vec<RowKey> {
        batch.items.iter().filter_map(|at| Some(self.intent_of(*at)?.row.key.clone())).collect()
    }

    /// The entries of the plan that a batch is for.
    pub(in crate::deploy) fn entries(&self, batch: &Batch) -> Vec<usize> {
        batch.items.iter().filter_map(|at| Some(self.steps.get(*at)?.entry)).collect()
    }

    /// What became of the steps of a batch, by the entries that they are for.
    pub(in crate::deploy) fn ended(&self, batch: &Batch) -> Vec<(usize, Verdict)> {
        let ended = |at: &usize| match self.steps.get(*at)? {
            Doing { entry, state: State::Ended(verdict), .. } => Some((*entry, verdict.clone())),
            _ => None,
        };
        batch.items.iter().filter_map(ended).collect()
    }

    pub(in crate::deploy) fn applied(&mut self, batch: &Batch, ended: Vec<Ended<Recorded>>) -> Vec<Effect> {
        let (ended, again) = self.retries(batch, ended);
        for (at, ended) in ended {
            match ended {
                Ended::Done(recorded) => self.made(at, recorded),
                Ended::NoEffect(fault) => self.no_effect(at, fault),
                Ended::Unknown(fault) => self.failed(at, Verdict::Unknown(fault)),
            }
        }
        again.into_iter().map(Effect::Apply).collect()
    }

    /// Takes out what is tried once more: under the same intent and the same token, which makes
    /// it one effect, however often it is asked for.
    fn retries<T>(&mut self, batch: &Batch, ended: Vec<Ended<T>>) -> (Vec<(usize, Ended<T>)>, Vec<Batch>) {
        let mut rest = Vec::with_capacity(ended.len());
        let mut again: BTreeMap<Duration, Vec<usize>> = BTreeMap::new();
        for (&at, ended) in batch.items.iter().zip(ended) {
            let passing = match &ended {
                Ended::Done(_) => false,
                Ended::NoEffect(fault) | Ended::Unknown(fault) => fault.passing,
            };
            let unsure = matches!(ended, Ended::Unknown(_)) || self.steps.get(at).is_some_and(|s| s.unsure);
            if let Some(step) = self.steps.steps.get_mut(at) {
                step.unsure = unsure;
            }
            match (self.backoff(at).filter(|_| passing), ended) {
                (Some(wait), _) => again.entry(wait).or_default().push(at),
                (None, Ended::NoEffect(fault)) if unsure => rest.push((at, Ended::Unknown(fault))),
                (None, ended) => rest.push((at, ended)),
            }
        }
        let batches = again.into_iter().map(|(wait, items)| Batch { items, wait, ..batch.clone() });
        (rest, batches.collect())
    }

    /// How long to wait before an effect is tried again, if it is: not beyond its deadline.
    fn backoff(&mut self, at: usize) -> Option<Duration> {
        let deadline = self.intent_of(at)?.deadline;
        let step = self.steps.steps.get_mut(at)?;
        let wait = BACKOFF.saturating_mul(1 << (step.attempts - 1).min(16));
        if step.attempts >= ATTEMPTS || self.now.after(wait) > deadline {
            return None;
        }
        step.attempts += 1;
        Some(wait)
    }

    pub(in crate::deploy) fn deleted(&mut self, batch: &Batch, ended: Vec<Ended<Done>>) -> Vec<Effect> {
        let (ended, again) = self.retries(batch, ended);
        for (at, ended) in ended {
            match ended {
                Ended::Done(Done) => self.unmade(at),
                Ended::NoEffect(fault) => self.no_effect(at, fault),
                Ended::Unknown(fault) => self.failed(at, Verdict::Unknown(fault)),
            }
        }
        again.into_iter().map(Effect::Delete).collect()
    }

    fn made(&mut self, at: usize, recorded: Recorded) {
        let Some(intent) = self.intent_of(at) else { return };
        let number = intent.number;
        let certain = recorded.token.is_some() || intent.row.condition == Condition::Ok;
        let condition = if certain { Condition::Ok } else { Condition::Doubt };
        let waits = self.registry.get(&intent.row.handler).is_some_and(|h| h.has_readiness());
        let row = Row { recorded, condition, ready: !waits, ..intent.row.clone() };
        if let Some(from) = &intent.moved {
            let evidence = eco_format!("it is now {}", row.key.id);
            self.queued.push(Change::Drop { key: from.clone(), end: End::Moved, evidence });
        }
        self.queued.push(Change::Put(row));
        self.queued.push(Change::Close {
            number,
            outcome: Closed::Done,
            evidence: "the handler said so".into(),
        });
        if waits {
            if let Some(step) = self.steps.steps.get_mut(at) {
                step.waited = Duration::ZERO;
            }
            self.steps.ask(at);
        } else {
            self.complete(at);
        }
    }

    /// A step is done. Nobody asks any more what exactly it made: the ledger knows what is to be known.
    fn complete(&mut self, at: usize) {
        self.steps.complete(at);
        let made = self.about(at).map(|(subject, _)| subject);
        let subject = made.and_then(|subject| self.survey.subjects.get_mut(subject));
        if let Some(wanted) = subject.and_then(|subject| subject.wanted.as_mut()) {
            wanted.node = None;
        }
    }

    fn unmade(&mut self, at: usize) {
        let Some(intent) = self.intent_of(at) else { return };
        let number = intent.number;
        let key = intent.row.key.clone();
        let along = gone_with(self.registry, &self.ledger, &intent.row);
        let rows = 1 + along.len() as u64;
        let evidence = eco_format!("{} is gone, and it was in that", key.id);
        self.queued.push(Change::Drop { key, end: End::Gone, evidence: "deleted".into() });
        let within = |key| Change::Drop { key, end: End::Within, evidence: evidence.clone() };
        self.queued.extend(along.into_iter().map(within));
        // What passes was never there to be kept.
        if !self.passes(at) {
            self.removed += rows;
        }
        self.queued.push(Change::Close {
            number,
            outcome: Closed::Done,
            evidence: "the handler said so".into(),
        });
        self.complete(at);
    }

    /// Whether a step is about something that is there for a change-over alone.
    fn passes(&self, at: usize) -> bool {
        let Some(What::Unmake { subject, .. }) = self.steps.get(at).map(|step| &step.what) else {
            return false;
        };
        self.survey.subjects.get(*subject).is_some_and(|subject| subject.passes())
    }

    fn no_effect(&mut self, at: usize, fault: Fault) {
        if let Some(intent) = self.intent_of(at) {
            let number = intent.number;
            let evidence = fault.message.as_str().into();
            self.queued.push(Change::Close { number, outcome: Closed::NoEffect, evidence });
        }
        self.failed(at, Verdict::Failed(fault));
    }

    fn failed(&mut self, at: usize, verdict: Verdict) {
        let Some(step) = self.steps.get(at) else { return };
        let id = self.plan().and_then(|plan| Some(plan.entries.get(step.entry)?.id.clone()));
        let what = match &step.what {
            What::Make { .. } | What::Ask { .. } if matches!(verdict, Verdict::Unready(_)) => "is not ready",
            What::Ask { .. } => "is not ready",
            What::Make { .. } => "failed",
            What::Unmake { .. } => "could not be deleted",
        };
        let cause = Cause { id: id.unwrap_or_default(), what: what.to_owned() };
        self.steps.fail(at, verdict, &cause);
    }

    // Readiness.

    fn ask(&self, steps: impl IntoIterator<Item = (usize, Duration)>) -> Vec<Effect> {
        let mut by_wait: BTreeMap<Duration, Vec<Item>> = BTreeMap::new();
        for (at, wait) in steps {
            let Some((subject, _)) = self.about(at) else { continue };
            let Some(subject) = self.survey.subjects.get(subject) else { continue };
            let item = ((subject.target, subject.handler.clone()), at);
            by_wait.entry(wait).or_default().push(item);
        }
        let batches = by_wait.into_iter().flat_map(|(wait, items)| {
            let batches = group(self.registry, items).into_iter();
            batches.map(move |batch| Effect::AskReady(Batch { wait, ..batch }))
        });
        batches.collect()
    }

    /// What a step makes, or asks about: the subject and the row.
    fn about(&self, at: usize) -> Option<(usize, &RowKey)> {
        match &self.steps.get(at)?.what {
            What::Make { subject, key, .. } | What::Ask { subject, key } => Some((*subject, key)),
            What::Unmake { .. } => None,
        }
    }

    /// What a batch asks about things that were made.
    pub(in crate::deploy) fn made_looks(&self, batch: &Batch) -> Vec<LookRequest> {
        let look = |at: &usize| {
            let (subject, key) = self.about(*at)?;
            let subject = self.survey.subjects.get(subject)?;
            Some(LookRequest {
                kind: subject.kind.clone(),
                node: subject.wanted.as_ref()?.node.clone(),
                recorded: self.ledger.rows.get(key).map(|row| row.recorded.clone()),
                intended: None,
                token: None,
                closely: true,
                entries: false,
            })
        };
        batch.items.iter().filter_map(look).collect()
    }

    pub(in crate::deploy) fn readiness(&mut self, batch: &Batch, answers: &[Readiness]) -> Vec<Effect> {
        let mut again = Vec::new();
        for (&at, answer) in batch.items.iter().zip(answers) {
            match answer {
                Readiness::Ready => {
                    let row = self.about(at).and_then(|(_, key)| self.ledger.rows.get(key));
                    let ready = row.map(|row| Change::Put(Row { ready: true, ..row.clone() }));
                    self.queued.extend(ready);
                    self.complete(at);
                }
                Readiness::Failed(fault) => self.failed(at, Verdict::Unready(fault.clone())),
                Readiness::Wait(time) => {
                    let patience = self.patience(at);
                    let Some(step) = self.steps.steps.get_mut(at) else { continue };
                    step.waited = step.waited.saturating_add(*time);
                    if step.waited > patience {
                        let fault = Fault::new(format!("it was made, and is not ready after {patience:?}"))
                            .help("the next run asks again; `timeout` behind the constructor gives it more time");
                        self.failed(at, Verdict::Unready(fault));
                    } else {
                        again.push((at, *time));
                    }
                }
            }
        }
        self.ask(again)
    }

    fn patience(&self, at: usize) -> Duration {
        let Some((subject, _)) = self.about(at) else { return PATIENCE };
        let wanted = self.survey.subjects.get(subject).and_then(|s| s.wanted.as_ref());
        let timeout = wanted.and_then(|wanted| wanted.node.as_ref()?.timeout);
        timeout.map_or(PATIENCE, |nanoseconds| Duration::from_nanos(nanoseconds.max(0) as u64))
    }
}
