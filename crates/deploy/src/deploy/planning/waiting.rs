//! Deciding on what uses outputs: of a producer that stays as it is they are known, and of one that is
//! made or changed nobody knows them yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::graph::Node;

use super::decide::{Decision, Way};
use super::later;
use super::plan::What;
use super::planner::Planner;
use super::survey::Survey;

/// What uses outputs, with the ids of those that it uses.
type Waiting = BTreeMap<usize, Vec<EcoString>>;

fn node(survey: &Survey, at: usize) -> Option<&Node> {
    survey.subjects.get(at)?.wanted.as_ref()?.node.as_deref()
}

/// The next one that waits for none of the others, taken out; in a circle, of which no compiler lets
/// any pass, any.
fn next(survey: &Survey, open: &mut Waiting) -> Option<(usize, Vec<EcoString>)> {
    let of = |id: &EcoString| survey.wanted.get(id);
    let free = |ids: &[EcoString]| !ids.iter().filter_map(of).any(|at| open.contains_key(at));
    let at = *open.iter().find(|(_, ids)| free(ids)).or(open.iter().next())?.0;
    open.remove_entry(&at)
}

impl Planner<'_> {
    fn waiting(&self) -> Waiting {
        let survey = self.decider.survey;
        let waits = |at: usize| node(survey, at).filter(|node| node.fields.has_later());
        let producers = |at: usize| Some((at, later::producers(waits(at)?)));
        (0..survey.subjects.len()).filter_map(producers).collect()
    }

    /// Whether one of these is about to be made or changed.
    pub(in crate::deploy) fn any_changes(&self, ids: &[EcoString], decisions: &[Decision]) -> bool {
        let makes = |what: &What| matches!(what, What::Make { .. });
        let of = |id: &EcoString| decisions.get(*self.decider.survey.wanted.get(id)?);
        ids.iter().filter_map(of).any(|decision| decision.steps.iter().any(makes))
    }

    /// Decides on what uses outputs, each after those that it uses: of one that stays as it is they
    /// are known.
    pub(in crate::deploy) fn decide_waiting(&self, decisions: &mut [Decision], ways: &[Way]) {
        let survey = self.decider.survey;
        let mut open = self.waiting();
        while let Some((at, ids)) = next(survey, &mut open) {
            let (Some(subject), Some(known)) = (survey.subjects.get(at), node(survey, at)) else { continue };
            if subject.passes() || self.any_changes(&ids, decisions) {
                continue;
            }
            let Ok(fields) = later::resolve(&known.fields, self.decider.outputs()) else {
                continue;
            };
            let known = Arc::new(Node { fields, ..known.clone() });
            let way = ways.get(at).copied().unwrap_or_default();
            let decided = self.decider.decide_for(at, subject, Some(&known), way);
            if let Some(decision) = decisions.get_mut(at) {
                *decision = decided;
            }
        }
    }

    /// What is made anew with what it is in may yield something else then: its users may change, too.
    pub(in crate::deploy) fn follow_producers(&self, decisions: &mut [Decision], ways: &[Way]) {
        let survey = self.decider.survey;
        let mut open = self.waiting();
        while let Some((at, ids)) = next(survey, &mut open) {
            let stays = decisions.get(at).is_some_and(|d| d.steps.is_empty() && d.action.is_none());
            let Some(subject) = survey.subjects.get(at).filter(|s| stays && !s.passes()) else { continue };
            if self.any_changes(&ids, decisions) {
                let way = ways.get(at).copied().unwrap_or_default();
                if let Some(decision) = decisions.get_mut(at) {
                    *decision = self.decider.decide(at, subject, way);
                }
            }
        }
    }
}
