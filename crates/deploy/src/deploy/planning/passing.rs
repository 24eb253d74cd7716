//! What passes: it is in place before what it is there for is touched, and goes in the same run,
//! once that is done.

use rustc_hash::{FxHashMap, FxHashSet};

use ecow::EcoString;

use crate::handler::Registry;

use super::super::target::Targets;
use super::decide::{Decision, Way};
use super::order::Strength;
use super::parts::owner;
use super::plan::{Action, Cause};
use super::planner::{Draft, Planner};
use super::survey::{Subject, Survey, Wanted};
use super::within::Holders;

/// The subjects by the ids under which they are wanted, or known if they are not. What goes on
/// under another id is not taken down.
fn by_id(survey: &Survey) -> FxHashMap<EcoString, Vec<usize>> {
    let mut by_id: FxHashMap<EcoString, Vec<usize>> = FxHashMap::default();
    for (at, subject) in survey.subjects.iter().enumerate().filter(|(_, subject)| !subject.passes()) {
        let wanted = subject.wanted.as_ref().map(|wanted| &wanted.sealed.id);
        if let Some(id) = wanted.or(subject.row.as_ref().map(|key| &key.id)) {
            by_id.entry(owner(id).into()).or_default().push(at);
        }
    }
    by_id
}

impl Planner<'_> {
    /// Decides on what passes: it is wanted as long as something that it is there for is to be done,
    /// or something that needs it.
    pub(in crate::deploy) fn pass(&self, decisions: &mut [Decision], ways: &[Way]) {
        let survey = self.decider.survey;
        let by_id = by_id(survey);
        let works = |at: &usize| {
            let action = decisions.get(*at).and_then(|decision| decision.action.as_ref());
            action.is_some_and(|action| {
                action.is_work() && !matches!(action, Action::Forget | Action::Release { .. })
            })
        };
        let is_met = |wanted: &Wanted| {
            let until = wanted.node.iter().flat_map(|node| &node.until);
            until.filter_map(|id| by_id.get(id)).flatten().any(works)
        };
        let passing = |(at, subject): (usize, &Subject)| {
            subject.wanted.as_ref().filter(|wanted| wanted.passing && is_met(wanted)).map(|_| at)
        };
        let mut open: Vec<usize> = survey.subjects.iter().enumerate().filter_map(passing).collect();
        let mut active: FxHashSet<usize> = FxHashSet::default();
        while let Some(at) = open.pop() {
            if !active.insert(at) {
                continue;
            }
            let requires = survey.subjects.get(at).and_then(|subject| subject.wanted.as_ref());
            let requires = requires.into_iter().flat_map(|wanted| &*wanted.sealed.requires);
            let required = requires.flat_map(|id| survey.of(id));
            open.extend(required.filter(|at| survey.subjects.get(*at).is_some_and(Subject::passes)));
        }
        for (at, subject) in survey.subjects.iter().enumerate().filter(|(_, subject)| subject.passes()) {
            let way = ways.get(at).copied().unwrap_or_default();
            let Some(decision) = decisions.get_mut(at) else { continue };
            *decision = match active.contains(&at) {
                true => self.decider.pass(at, subject, self.decider.decide(at, subject, way)),
                false => self.decider.leave(at, subject),
            };
        }
    }
}

impl Draft<'_> {
    /// What passes comes before what it is there for and the users of that, and goes after it.
    pub(in crate::deploy) fn order_passing(&mut self, registry: &Registry, targets: &Targets) {
        let survey = self.survey;
        if !survey.subjects.iter().any(Subject::passes) {
            return;
        }
        let by_id = by_id(survey);
        let mut users: FxHashMap<&EcoString, Vec<usize>> = FxHashMap::default();
        for (at, subject) in survey.subjects.iter().enumerate().filter(|(_, subject)| !subject.passes()) {
            let wanted = subject.wanted.iter().flat_map(|wanted| &*wanted.sealed.requires);
            let row = subject.row.as_ref().and_then(|key| self.snapshot.rows.get(key));
            for id in wanted.chain(row.into_iter().flat_map(|row| &row.requires)) {
                users.entry(id).or_default().push(at);
            }
        }
        let going = (0..survey.subjects.len()).filter(|at| self.step(*at, false).is_some());
        let holders = Holders::new(survey, self.snapshot, going);
        for (at, subject) in survey.subjects.iter().enumerate() {
            let Some(wanted) = subject.wanted.as_ref().filter(|wanted| wanted.passing) else { continue };
            let decision = self.decisions.get(at);
            let refused = self.refused(at);
            let comes = decision.is_some_and(|d| matches!(d.action, Some(Action::Transient { .. })));
            if !comes && refused.is_none() {
                continue;
            }
            let until = wanted.node.iter().flat_map(|node| &node.until);
            let served: Vec<usize> = until.filter_map(|id| by_id.get(id)).flatten().copied().collect();
            for served in &served {
                self.serve(at, *served, refused.as_ref(), Strength::Hard);
            }
            let until = wanted.node.iter().flat_map(|node| &node.until);
            let users: Vec<usize> = until.filter_map(|id| users.get(id)).flatten().copied().collect();
            for user in users.into_iter().filter(|user| !served.contains(user)) {
                self.serve(at, user, None, Strength::Soft);
            }
            // What it uses, and what it is in, stay until it is gone.
            let identity = targets.get(subject.target).map(|target| target.place.identity.clone());
            let mut used: Vec<usize> =
                wanted.sealed.requires.iter().filter_map(|id| by_id.get(id)).flatten().copied().collect();
            used.extend(holders.of(registry, subject, &identity.unwrap_or_default(), &wanted.claims));
            let goes = self.step(at, false);
            for used in used.into_iter().filter(|used| *used != at) {
                if let (Some(goes), Some(unmake)) = (goes, self.step(used, false)) {
                    self.order.edge(goes, unmake, Strength::Hard);
                }
            }
        }
    }

    fn serve(&mut self, passing: usize, served: usize, refused: Option<&Cause>, strength: Strength) {
        let comes = self.step(passing, true);
        let goes = self.step(passing, false);
        let own = self.steps_of(served);
        for step in own {
            if let Some(cause) = refused {
                self.order.break_step(step, cause.clone());
                continue;
            }
            if let Some(comes) = comes {
                self.order.edge(comes, step, strength);
            }
            if let (Strength::Hard, Some(goes)) = (strength, goes) {
                self.order.edge(step, goes, strength);
                if let Some(subject) = self.subjects.get(step) {
                    self.serves.entry(passing).or_default().push(*subject);
                }
            }
        }
    }

    /// All steps of a subject, or the one with which it goes along.
    pub(in crate::deploy) fn steps_of(&self, subject: usize) -> Vec<usize> {
        let own = self.steps.get(subject).cloned().unwrap_or_default();
        let along = self.decisions.get(subject).and_then(|decision| decision.with);
        let along = along.and_then(|holder| self.step(holder, false));
        own.into_iter().chain(along).collect()
    }
}
