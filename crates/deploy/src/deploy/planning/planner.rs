//! The plan: a pure function of what is wanted, what the ledger knows and what was seen.

use std::collections::BTreeMap;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::{Digest, Origin};
use crate::handler::{Fault, Registry};
use crate::state::{Change, Condition, Snapshot};

use super::super::target::Targets;
use super::decide::{Decider, Decision, Way};
use super::order::{Order, Strength};
use super::parts::{Folded, owner, rows_of_all};
use super::plan::{Action, Cause, Entry, Kept, Plan, Step, What};
use super::survey::{Subject, Survey};
use super::within::Holders;

/// A plan, and what it changes in the ledger at once.
#[derive(Debug)]
pub(in crate::deploy) struct Planned {
    pub plan: Plan,
    /// Committed before anything else: none of it has an effect on a target.
    pub ledger: Vec<Change>,
}

/// Makes plans.
pub(in crate::deploy) struct Planner<'a> {
    pub decider: Decider<'a>,
    pub desired: Digest,
    /// What absent nodes of the graph say of things that are not wanted any more.
    pub origins: &'a FxHashMap<EcoString, Origin>,
    /// What was said already.
    pub said: &'a [String],
}

/// A plan in the making.
pub(in crate::deploy) struct Draft<'a> {
    pub(in crate::deploy) survey: &'a Survey,
    pub(in crate::deploy) snapshot: &'a Snapshot,
    pub(in crate::deploy) decisions: Vec<Decision>,
    /// For each subject its steps.
    pub(in crate::deploy) steps: Vec<Vec<usize>>,
    /// For each step its subject.
    pub(in crate::deploy) subjects: Vec<usize>,
    pub(in crate::deploy) order: Order,
    /// For what passes, the subjects that it is there for.
    pub(in crate::deploy) serves: BTreeMap<usize, Vec<usize>>,
    /// The nodes whose parts are not known yet.
    pub(in crate::deploy) folded: Folded,
}

impl<'a> Planner<'a> {
    /// Decides on everything and puts it in order.
    pub(in crate::deploy) fn plan(&self) -> Planned {
        let survey = self.decider.survey;
        let ways = self.ways();
        let subjects = survey.subjects.iter().zip(&ways).enumerate();
        let decide = |(at, (subject, way)): (usize, (&'a Subject, &Way))| match subject.passes() {
            true => Decision::default(),
            false => self.decider.decide(at, subject, *way),
        };
        let mut decisions: Vec<Decision> = subjects.map(decide).collect();
        self.decide_waiting(&mut decisions, &ways);
        let mut folded = self.fold(&mut decisions);
        self.refuse_clashes(&mut decisions);
        self.keep_holders(&mut decisions);
        // Who does not get to another place stays where it is, and keeps what it is in.
        self.make_way(&mut decisions, false);
        self.decider.sweep(&mut decisions);
        self.follow_producers(&mut decisions, &ways);
        folded.extend(self.fold(&mut decisions));
        self.decider.bar(&mut decisions);
        self.make_way(&mut decisions, false);
        self.leave_outside(&mut decisions);
        if survey.subjects.iter().any(Subject::passes) {
            self.pass(&mut decisions, &ways);
            self.decider.bar(&mut decisions);
            self.make_way(&mut decisions, true);
        }
        let mut draft = Draft { folded, ..Draft::new(survey, self.decider.ledger, decisions) };
        draft.order_all(self.decider.registry, self.decider.rows.targets);
        self.finish(draft)
    }

    fn ways(&self) -> Vec<Way> {
        let survey = self.decider.survey;
        let mut ways = vec![Way::default(); survey.subjects.len()];
        for &(taker, holder) in &survey.takes {
            let lets_go = survey.subjects.get(holder).is_some_and(|subject| {
                let leaves = || self.decider.leave(holder, subject).action;
                subject.wanted.is_none() && matches!(leaves(), Some(Action::Release { .. }))
            });
            if let Some(way) = ways.get_mut(taker) {
                way.takes |= !lets_go;
                way.finds |= lets_go;
            }
            if let Some(way) = ways.get_mut(holder) {
                way.leaves = true;
            }
        }
        ways
    }

    /// Of two that want one place neither gets it, nor loses it.
    fn refuse_clashes(&self, decisions: &mut [Decision]) {
        let survey = self.decider.survey;
        let pairs = survey.clashes.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
        for (at, other) in pairs {
            if let (Some(decision), Some(other)) = (decisions.get_mut(at), survey.subjects.get(other)) {
                let fault = Fault::new(format!("{} wants the same place on the same machine", other.id()))
                    .help("two targets are one machine: deploy it there once");
                *decision = Decision { action: Some(Action::Refuse { fault }), ..Decision::default() };
            }
        }
    }

    /// What is outside of the run's scope stays where it is, and keeps what it is in.
    fn leave_outside(&self, decisions: &mut [Decision]) {
        let survey = self.decider.survey;
        for (taker, holder) in &survey.outside.takes {
            if let Some(decision) = decisions.get_mut(*taker).filter(|decision| !decision.steps.is_empty()) {
                let fault = Fault::new(format!("{} holds its place, and is not part of this run", holder.id));
                *decision = Decision { action: Some(Action::Refuse { fault }), ..Decision::default() };
            }
        }
        if survey.outside.rows.is_empty() {
            return;
        }
        let goes = |d: &Decision| d.steps.iter().any(What::unmakes);
        let going = decisions.iter().enumerate().filter(|(_, d)| goes(d)).map(|(at, _)| at);
        let holders = Holders::new(survey, self.decider.ledger, going.collect::<Vec<_>>().into_iter());
        let rows = survey.outside.rows.iter().filter_map(|key| survey.row(self.decider.ledger, key));
        for row in rows {
            for holder in holders.of_row(self.decider.registry, row) {
                self.decider.keep_for(holder, &row.key.id, decisions);
            }
        }
    }

    /// What holds something that is wanted is not deleted.
    fn keep_holders(&self, decisions: &mut [Decision]) {
        let survey = self.decider.survey;
        let going = survey.subjects.iter().zip(decisions.iter()).enumerate().filter_map(
            |(at, (subject, decision))| {
                (subject.wanted.is_none() && !decision.steps.is_empty()).then_some(at)
            },
        );
        let holders = Holders::new(survey, self.decider.ledger, going);
        // What is deleted for something that is wanted in its place goes all the same.
        let taken: FxHashSet<usize> = survey.takes.iter().map(|(_, holder)| *holder).collect();
        if holders.is_empty() {
            return;
        }
        for subject in survey.subjects.iter().filter(|subject| subject.lasts()) {
            let (Some(wanted), Some(target)) =
                (&subject.wanted, self.decider.rows.targets.get(subject.target))
            else {
                continue;
            };
            for at in holders.of(self.decider.registry, subject, &target.place.identity, &wanted.claims) {
                if let Some(decision) = decisions.get_mut(at)
                    && !taken.contains(&at)
                {
                    decision.steps.clear();
                    decision.action = Some(Action::Keep { why: Kept::Holds(wanted.sealed.id.clone()) });
                }
            }
        }
    }

    /// What is deleted for something that is wanted says so; what cannot be deleted for it
    /// stands in its way.
    fn make_way(&self, decisions: &mut [Decision], passing: bool) {
        let survey = self.decider.survey;
        let passes = |at: usize| survey.subjects.get(at).is_some_and(Subject::passes);
        for &(taker, holder) in survey.takes.iter().filter(|(taker, _)| passes(*taker) == passing) {
            // What does not come takes nothing.
            if passing
                && decisions.get(taker).is_none_or(|d| !matches!(d.action, Some(Action::Transient { .. })))
            {
                continue;
            }
            let id = |at: usize| survey.subjects.get(at).and_then(|s| Some(self.row(s)?.key.id.clone()));
            let taken_by =
                survey.subjects.get(taker).and_then(|s| Some(s.wanted.as_ref()?.sealed.id.clone()));
            let is_absent = |s: &Subject| matches!(s.seen, Some(Ok(crate::handler::Seen::Absent)));
            let unmakes = |d: &Decision| d.steps.iter().any(What::leaves);
            let lets_go = |d: &Decision| matches!(d.action, Some(Action::Release { .. }));
            let goes = decisions.get(holder).is_some_and(|d| unmakes(d) || lets_go(d))
                || survey.subjects.get(holder).is_some_and(is_absent);
            if goes {
                if let Some(Decision { action: Some(Action::Delete { for_ }), .. }) =
                    decisions.get_mut(holder)
                {
                    *for_ = taken_by;
                }
            } else if let Some(decision) = decisions.get_mut(taker) {
                let holder = id(holder).unwrap_or_default();
                let fault = Fault::new(format!("{holder} holds its place and stays"));
                *decision = Decision { action: Some(Action::Refuse { fault }), ..Decision::default() };
            }
        }
    }

    fn row(&self, subject: &Subject) -> Option<&'a crate::state::Row> {
        subject.row.as_ref().and_then(|key| self.decider.ledger.rows.get(key))
    }

    fn finish(&self, draft: Draft<'_>) -> Planned {
        let Draft { survey, decisions, subjects, order, serves, folded, .. } = draft;
        let whats: Vec<&What> = decisions.iter().flat_map(|d| &d.steps).collect();
        let ordered = order.resolve(|step, cause| derived(survey, &whats, &subjects, step, cause));
        drop(whats);
        let mut blocked: BTreeMap<usize, Cause> = BTreeMap::new();
        for (step, cause) in &ordered.broken {
            if let Some(&subject) = subjects.get(*step) {
                blocked.entry(subject).or_insert_with(|| cause.clone());
            }
        }
        // What passes comes for those that go ahead, also if it has to stay for others.
        let comes = |at: &usize| {
            serves.get(at).is_some_and(|serves| serves.iter().any(|served| !blocked.contains_key(served)))
        };
        let mut ledger = Vec::new();
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        let mut unchanged = 0;
        let mut whats: Vec<Option<What>> = Vec::with_capacity(subjects.len());
        for (at, (subject, decision)) in survey.subjects.iter().zip(decisions).enumerate() {
            whats.extend(decision.steps.into_iter().map(Some));
            // What goes with something stays with it.
            let goes = subject.wanted.is_none().then_some(decision.with).flatten();
            let cause = blocked.get(&at).or_else(|| blocked.get(&goes?));
            // A replacement of which one half cannot be done is not begun.
            if cause.is_none() || comes(&at) {
                ledger.extend(decision.ledger);
            }
            match decision.action {
                None => unchanged += usize::from(subject.lasts()),
                Some(action) => entries.push((at, self.entry(subject, action, cause.cloned()))),
            }
        }
        entries.extend(self.folded_entries(&folded).into_iter().map(|entry| (usize::MAX, entry)));
        entries.sort_by(|(_, a), (_, b)| {
            let folders_first = || by_end_first(&a.id).cmp(by_end_first(&b.id));
            a.action.rank().cmp(&b.action.rank()).then_with(|| match a.action.leaves() {
                true => a.id.cmp(&b.id),
                false => folders_first(),
            })
        });
        let entry_of: FxHashMap<usize, usize> =
            entries.iter().enumerate().map(|(n, (at, _))| (*at, n)).collect();
        let done = ordered
            .steps
            .iter()
            .filter(|step| subjects.get(**step).is_some_and(|s| !blocked.contains_key(s) || comes(s)));
        let numbers: FxHashMap<usize, usize> = done.clone().enumerate().map(|(n, step)| (*step, n)).collect();
        let steps = done.filter_map(|step| {
            let before = ordered.before.get(*step)?;
            Some(Step {
                entry: *entry_of.get(subjects.get(*step)?)?,
                what: whats.get_mut(*step)?.take()?,
                after: before.iter().filter_map(|b| numbers.get(b).copied()).collect(),
            })
        });
        let plan = Plan {
            steps: steps.collect(),
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
            unchanged,
            notes: self.notes(&ordered.dropped, &subjects),
            revision: self.decider.ledger.revision,
            desired: self.desired,
        };
        Planned { plan, ledger }
    }

    fn entry(&self, subject: &Subject, action: Action, blocked: Option<Cause>) -> Entry {
        let id = match &subject.row {
            // What is not needed for a change-over goes as what it is known as.
            Some(key) if action.leaves() => key.id.clone(),
            _ => subject.id().clone(),
        };
        let node = subject.wanted.as_ref().and_then(|wanted| wanted.node.as_deref());
        let origin = node.map(|node| node.origin.clone()).or_else(|| self.origins.get(&id).cloned());
        let target = self.decider.rows.targets.get(subject.target);
        let target = target.map(|target| target.place.target.clone()).unwrap_or_default();
        Entry { id, kind: subject.kind.clone(), target, action, origin, blocked }
    }

    fn notes(&self, dropped: &[(usize, usize)], subjects: &[usize]) -> Vec<String> {
        let survey = self.decider.survey;
        let mut notes = self.said.to_vec();
        if survey.strangers > 0 {
            let n = survey.strangers;
            let s = if n == 1 { "" } else { "s" };
            notes.push(format!(
                "{n} resource{s} of the ledger on targets that are another machine now: left alone"
            ));
        }
        let id = |step: usize| {
            let subject = subjects.get(step).and_then(|at| survey.subjects.get(*at));
            subject.map(|s| s.id().to_string()).unwrap_or_default()
        };
        for &(first, then) in dropped {
            let note = format!("{} does not wait for {}: they wait for each other", id(then), id(first));
            // Several of their steps may.
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }
}

/// An id such that `[path=/a]` stands before `[path=/a/b]`, as a reader expects.
fn by_end_first(id: &str) -> impl Iterator<Item = u8> {
    id.bytes().map(|byte| if byte == b']' { 0 } else { byte })
}

/// Why what comes after a step that is not done is not done either.
fn derived(survey: &Survey, whats: &[&What], subjects: &[usize], step: usize, cause: &Cause) -> Cause {
    if !cause.id.is_empty() {
        return cause.clone();
    }
    let subject = subjects.get(step).and_then(|at| survey.subjects.get(*at));
    let what = match whats.get(step) {
        Some(What::Unmake { .. }) => "is not deleted",
        _ => "is not done",
    };
    Cause { id: subject.map(|s| s.id().clone()).unwrap_or_default(), what: what.to_owned() }
}

impl<'a> Draft<'a> {
    fn new(survey: &'a Survey, snapshot: &'a Snapshot, decisions: Vec<Decision>) -> Self {
        let mut subjects = Vec::new();
        let mut steps = Vec::with_capacity(decisions.len());
        for (at, decision) in decisions.iter().enumerate() {
            let first = subjects.len();
            subjects.extend(decision.steps.iter().map(|_| at));
            steps.push((first..subjects.len()).collect());
        }
        let order = Order::new(subjects.len());
        Draft {
            survey,
            snapshot,
            decisions,
            steps,
            subjects,
            order,
            serves: BTreeMap::new(),
            folded: Folded::default(),
        }
    }

    /// The step that makes a subject, or the one that takes it away, if need be with what it is in.
    pub(in crate::deploy) fn step(&self, subject: usize, makes: bool) -> Option<usize> {
        let decision = self.decisions.get(subject)?;
        if let (false, Some(holder)) = (makes, decision.with) {
            return self.step(holder, false);
        }
        let is = |what: &What| what.unmakes() != makes;
        // What passes may go twice: as what is left of an earlier one, and in the end.
        let at = decision.steps.iter().rposition(is)?;
        self.steps.get(subject)?.get(at).copied()
    }

    /// Why what uses a subject cannot be done, if it cannot.
    pub(in crate::deploy) fn refused(&self, subject: usize) -> Option<Cause> {
        let what = match self.decisions.get(subject)?.action.as_ref()? {
            Action::Refuse { .. } => "cannot be done",
            Action::Keep { why: Kept::Folded(_) } => "stays as it is until it is known what it belongs to",
            Action::Report { .. } => return None,
            _ => return None,
        };
        Some(Cause { id: self.survey.subjects.get(subject)?.id().clone(), what: what.to_owned() })
    }

    fn order_all(&mut self, registry: &Registry, targets: &Targets) {
        for at in 0..self.survey.subjects.len() {
            self.order_own(at);
            self.order_requirements(at);
        }
        self.order_users(registry);
        for &(taker, holder) in &self.survey.takes {
            let leaves = self.step(holder, false).or_else(|| self.departs(holder));
            if let (Some(make), Some(leaves)) = (self.step(taker, true), leaves) {
                self.order.edge(leaves, make, Strength::Hard);
            }
        }
        self.order_passing(registry, targets);
        self.order_outside();
        self.order_unreached(targets);
    }

    /// What is on a target waits until it is known how that is reached.
    fn order_unreached(&mut self, targets: &Targets) {
        for (at, subject) in self.survey.subjects.iter().enumerate() {
            let Some(id) = targets.waits_for(subject.target) else { continue };
            for step in self.steps_of(at) {
                let what =
                    "has to be deployed first: it says how the target is reached, and the next run knows";
                self.order.break_step(step, Cause { id: id.clone(), what: what.to_owned() });
            }
        }
    }

    /// What something outside of the run's scope uses stays; what needs something there waits until
    /// it is.
    fn order_outside(&mut self) {
        let survey = self.survey;
        let outside = &survey.outside;
        if outside.wanted.is_empty() && outside.rows.is_empty() && outside.passing.is_empty() {
            return;
        }
        let there = |id: &EcoString, target: Option<&EcoString>| {
            rows_of_all(self.snapshot, id).any(|row| {
                let is_here = target.is_none_or(|target| row.place.target == *target);
                row.condition != Condition::Deposed && row.ready && is_here
            })
        };
        let mut broken = Vec::new();
        for (at, subject) in survey.subjects.iter().enumerate() {
            let (Some(make), Some(wanted)) = (self.step(at, true), &subject.wanted) else { continue };
            let missing = wanted
                .sealed
                .requires
                .iter()
                .find(|id| outside.wanted.get(*id).is_some_and(|target| !there(id, Some(target))));
            let what = || "is not there, and not part of this run".to_owned();
            broken.extend(missing.map(|id| (make, Cause { id: id.clone(), what: what() })));
        }
        let mut users: FxHashMap<&EcoString, &crate::state::Row> = FxHashMap::default();
        for row in outside.rows.iter().filter_map(|key| survey.row(self.snapshot, key)) {
            for id in &row.requires {
                users.entry(id).or_insert(row);
            }
        }
        for (at, subject) in survey.subjects.iter().enumerate() {
            let (Some(unmake), Some(key)) = (self.step(at, false), &subject.row) else { continue };
            // What is taken away before it is made anew cannot wait for those who go on using it.
            let anew = self.step(at, true).is_some_and(|make| make > unmake)
                && subject.wanted.as_ref().is_some_and(|wanted| wanted.sealed.id == key.id);
            if subject.passes() || anew {
                continue;
            }
            let user = users.get(&EcoString::from(owner(&key.id)));
            let what = || "uses it, and is not part of this run".to_owned();
            broken.extend(user.map(|row| (unmake, Cause { id: row.key.id.clone(), what: what() })));
        }
        for (id, until) in outside.passing.iter().filter(|(id, _)| !there(id, None)) {
            for (at, subject) in survey.subjects.iter().enumerate() {
                let known = subject.wanted.is_none()
                    && subject.row.as_ref().is_some_and(|k| until.iter().any(|id| id == owner(&k.id)));
                let wanted = subject
                    .wanted
                    .as_ref()
                    .is_some_and(|w| !w.passing && until.iter().any(|id| id == owner(&w.sealed.id)));
                if known || wanted {
                    let what = "has to be there first, and is not part of this run".to_owned();
                    let cause = Cause { id: id.clone(), what };
                    broken.extend(self.steps_of(at).into_iter().map(|step| (step, cause.clone())));
                }
            }
        }
        for (step, cause) in broken {
            self.order.break_step(step, cause);
        }
    }

    /// The step that brings a subject to another place.
    fn departs(&self, subject: usize) -> Option<usize> {
        let at = self.decisions.get(subject)?.steps.iter().position(What::leaves)?;
        self.steps.get(subject)?.get(at).copied()
    }

    /// The steps of a replacement, and of what passes.
    fn order_own(&mut self, at: usize) {
        let own = self.steps.get(at).map(Vec::as_slice).unwrap_or_default();
        let pairs: Vec<(usize, usize)> = own.iter().copied().zip(own.iter().copied().skip(1)).collect();
        // A replacement of which one half cannot be done is not begun, and who waits for it waits on.
        if !pairs.is_empty() && self.survey.subjects.get(at).is_some_and(|subject| !subject.passes()) {
            self.order.whole(own);
        }
        for (first, then) in pairs {
            self.order.edge(first, then, Strength::Hard);
        }
    }

    /// What is wanted comes after what it requires.
    fn order_requirements(&mut self, at: usize) {
        let Some(make) = self.step(at, true) else { return };
        let Some(wanted) = self.survey.subjects.get(at).and_then(|s| s.wanted.as_ref()) else { return };
        for id in &wanted.sealed.requires {
            if self.folded.contains_key(id) {
                let what = "is not complete: its parts are not known yet".to_owned();
                self.order.break_step(make, Cause { id: id.clone(), what });
            }
        }
        for required in wanted.sealed.requires.iter().flat_map(|id| self.survey.of(id)) {
            if let Some(first) = self.step(required, true) {
                self.order.edge(first, make, Strength::Hard);
            } else if let Some(cause) = self.refused(required) {
                self.order.break_step(make, cause);
            }
        }
    }

    /// What goes waits for its users: those that go, too, must be gone; those that stay and are
    /// changed are changed first. What lies inside it uses it, too.
    fn order_users(&mut self, registry: &Registry) {
        let subjects = &self.survey.subjects;
        let going: Vec<usize> = (0..subjects.len()).filter(|at| self.step(*at, false).is_some()).collect();
        if going.is_empty() {
            return;
        }
        let id = |at: &usize| Some((&subjects.get(*at)?.row.as_ref()?.id, *at));
        // A resource may have an incarnation on each of several targets.
        let mut by_id: FxHashMap<&EcoString, Vec<usize>> = FxHashMap::default();
        let owners: Vec<(EcoString, usize)> =
            going.iter().filter_map(id).map(|(id, at)| (owner(id).into(), at)).collect();
        for (id, at) in &owners {
            by_id.entry(id).or_default().push(*at);
        }
        let holders = Holders::new(self.survey, self.snapshot, going.iter().copied());
        for (at, subject) in subjects.iter().enumerate() {
            let Some(row) = subject.row.as_ref().and_then(|key| self.snapshot.rows.get(key)) else {
                continue;
            };
            let mut used: Vec<usize> =
                row.requires.iter().filter_map(|id| by_id.get(id)).flatten().copied().collect();
            let within = holders.of(registry, subject, &row.place.identity, &row.claims);
            // What is wanted in another place leaves what holds it first; what is wanted in the
            // same place is not held by something that goes.
            if let Some(leaves) = self.own(at, false)
                && subject.lasts()
            {
                let holders: Vec<usize> =
                    within.iter().filter_map(|holder| self.own(*holder, false)).collect();
                for holder in holders {
                    self.order.edge(leaves, holder, Strength::Hard);
                }
            }
            if !subject.lasts() {
                used.extend(within);
            }
            for used in used.into_iter().filter(|used| *used != at) {
                if let Some(unmake) = self.step(used, false) {
                    self.order_user(at, used, unmake);
                }
            }
        }
    }

    /// The step that makes a subject, or the one that takes it away by itself.
    fn own(&self, subject: usize, makes: bool) -> Option<usize> {
        self.decisions.get(subject).filter(|decision| makes || decision.with.is_none())?;
        self.step(subject, makes)
    }

    fn order_user(&mut self, user: usize, used: usize, unmake: usize) {
        let Some(subject) = self.survey.subjects.get(user) else { return };
        let cause = |what: &str| Cause { id: subject.id().clone(), what: what.to_owned() };
        if !subject.lasts() {
            match self.step(user, false) {
                Some(first) => self.order.edge(first, unmake, Strength::Hard),
                None => match self.decisions.get(user).and_then(|d| d.action.as_ref()) {
                    // Nobody looks after what is let go of, nor after what that uses.
                    Some(Action::Forget | Action::Release { .. }) | None => {}
                    Some(_) => self.order.break_step(unmake, cause("uses it and stays")),
                },
            }
            return;
        }
        // What is taken away before it is made anew cannot wait for those who go on using it.
        if self.own(used, true).is_some_and(|make| make > unmake) {
            let now = self.survey.subjects.get(used).and_then(|used| Some(&used.wanted.as_ref()?.sealed.id));
            let goes_on =
                subject.wanted.as_ref().zip(now).is_some_and(|(w, id)| w.sealed.requires.contains(id));
            if let Some(make) = self.step(user, true).filter(|_| !goes_on) {
                self.order.edge(make, unmake, Strength::Soft);
            }
            return;
        }
        // What is left of a user that is made anew uses it until it is gone; unless the new one waits for
        // what can only be made once this is gone.
        if let Some(leaves) = self.own(user, false) {
            self.order.edge(leaves, unmake, Strength::Soft);
        }
        if let Some(first) = self.step(user, true) {
            self.order.edge(first, unmake, Strength::Soft);
        } else if self.refused(user).is_some() {
            self.order.break_step(unmake, cause("was not updated"));
        }
    }
}
