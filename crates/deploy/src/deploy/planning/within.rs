//! What lies within what: a machine, a namespace or a mount takes what is in it along when it
//! goes, so nothing in it is taken away singly, and it stays while it holds what has to stay.

use std::collections::BTreeMap;

use ecow::EcoString;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::handler::{Fault, Registry, Seen};
use crate::state::{Condition, Holding, Row, RowKey, Snapshot};

use super::decide::{Decider, Decision};
use super::parts::owner;
use super::plan::{Action, Kept, Released, What};
use super::survey::{Subject, Survey};

/// What may hold other things inside itself, by what it claims.
pub(in crate::deploy) struct Holders<'a> {
    by_claim: FxHashMap<(&'a str, &'a str), usize>,
}

impl<'a> Holders<'a> {
    /// These subjects.
    pub(in crate::deploy) fn new(
        survey: &'a Survey,
        ledger: &'a Snapshot,
        subjects: impl Iterator<Item = usize>,
    ) -> Self {
        let mut by_claim = FxHashMap::default();
        for at in subjects {
            let row = survey.subjects.get(at).and_then(|s| ledger.rows.get(s.row.as_ref()?));
            let claims =
                row.into_iter().flat_map(|row| row.claims.iter().map(|c| (row.place.identity.as_str(), c)));
            by_claim.extend(claims.map(|(identity, claim)| ((identity, claim.as_str()), at)));
        }
        Holders { by_claim }
    }

    pub(in crate::deploy) fn is_empty(&self) -> bool {
        self.by_claim.is_empty()
    }

    /// Those that hold something with these claims.
    pub(in crate::deploy) fn of(
        &self,
        registry: &Registry,
        subject: &Subject,
        identity: &str,
        claims: &[EcoString],
    ) -> Vec<usize> {
        self.by(registry, &subject.handler, identity, claims)
    }

    /// Those that hold what a row stands for.
    pub(in crate::deploy) fn of_row(&self, registry: &Registry, row: &Row) -> Vec<usize> {
        self.by(registry, &row.handler, &row.place.identity, &row.claims)
    }

    fn by(&self, registry: &Registry, handler: &str, identity: &str, claims: &[EcoString]) -> Vec<usize> {
        let Some(handler) = registry.get(handler) else { return Vec::new() };
        let within = claims.iter().flat_map(|claim| handler.within(claim));
        within.filter_map(|claim| self.by_claim.get(&(identity, claim.as_str())).copied()).collect()
    }
}

/// The rows of what is gone with a row's object.
pub(in crate::deploy) fn gone_with(registry: &Registry, ledger: &Snapshot, row: &Row) -> Vec<RowKey> {
    if !registry.get(&row.handler).is_some_and(|handler| handler.sweeps(&row.kind)) {
        return Vec::new();
    }
    let inside = |other: &&Row| {
        let handler = registry.get(&other.handler);
        other.place.identity == row.place.identity
            && handler.is_some_and(|handler| {
                let mut within = other.claims.iter().flat_map(|claim| handler.within(claim));
                within.any(|claim| row.claims.contains(&claim))
            })
    };
    ledger.rows.values().filter(inside).map(|row| row.key.clone()).collect()
}

/// What a row's object is in, and would be gone with.
pub(in crate::deploy) fn holder_of<'a>(
    registry: &Registry,
    ledger: &'a Snapshot,
    row: &Row,
) -> Option<&'a Row> {
    let handler = registry.get(&row.handler)?;
    let within: Vec<EcoString> = row.claims.iter().flat_map(|claim| handler.within(claim)).collect();
    if within.is_empty() {
        return None;
    }
    ledger.rows.values().find(|holder| {
        registry.get(&holder.handler).is_some_and(|handler| handler.sweeps(&holder.kind))
            && holder.place.identity == row.place.identity
            && holder.claims.iter().any(|claim| within.contains(claim))
    })
}

impl Decider<'_> {
    /// Of those that are about to go, or to be made anew, which take along what lies within.
    pub(in crate::deploy) fn sweep(&self, decisions: &mut [Decision]) {
        let used = self.used_by_what_stays(decisions);
        let sweeping = self.survey.subjects.iter().enumerate().filter_map(|(at, subject)| {
            let goes = decisions.get(at)?.steps.iter().any(What::unmakes);
            (goes && self.registry.get(&subject.handler)?.sweeps(&subject.kind)).then_some(at)
        });
        let holders = Holders::new(self.survey, self.ledger, sweeping);
        if holders.is_empty() {
            return;
        }
        let mut inside: Vec<(usize, usize)> = Vec::new();
        // What passes is taken away by itself, before what it is in.
        let lasting = self.survey.subjects.iter().enumerate().filter(|(_, subject)| !subject.passes());
        for (at, subject) in lasting {
            let row = subject.row.as_ref().and_then(|key| self.ledger.rows.get(key));
            let claims = row.map(|row| (row.place.identity.as_str(), &*row.claims));
            if let Some((identity, claims)) = claims {
                let held = holders.of(self.registry, subject, identity, claims);
                inside.extend(held.into_iter().filter(|holder| *holder != at).map(|holder| (at, holder)));
            }
        }
        let stays: FxHashMap<usize, usize> = inside
            .iter()
            .filter(|(at, holder)| self.stays(*at, *holder, decisions))
            .map(|(at, holder)| (*holder, *at))
            .collect();
        for (holder, held) in &stays {
            if let Some(id) = self.survey.subjects.get(*held).map(|s| s.id().clone()) {
                self.keep_for(*holder, &id, decisions);
            }
        }
        let goes = |holder: &usize| !stays.contains_key(holder) && !used.contains(holder);
        for (at, holder) in inside.into_iter().filter(|(_, holder)| goes(holder)) {
            self.goes_along(at, holder, decisions);
        }
    }

    /// What is not wanted and stays all the same because something uses it that stays, directly or
    /// through others.
    fn used_by_what_stays(&self, decisions: &[Decision]) -> FxHashSet<usize> {
        let subjects = &self.survey.subjects;
        let mut by_id: FxHashMap<&EcoString, Vec<usize>> = FxHashMap::default();
        let unwanted = subjects.iter().enumerate().filter(|(_, s)| s.wanted.is_none());
        let owners: Vec<(EcoString, usize)> = unwanted.map(|(at, s)| (owner(s.id()).into(), at)).collect();
        for (id, at) in &owners {
            by_id.entry(id).or_default().push(*at);
        }
        let stays = |at: &usize| {
            let action = decisions.get(*at).and_then(|decision| decision.action.as_ref());
            match subjects.get(*at).is_some_and(|subject| subject.wanted.is_some()) {
                true => matches!(action, Some(Action::Refuse { .. } | Action::Keep { .. })),
                false => matches!(action, Some(Action::Keep { .. })),
            }
        };
        let mut todo: Vec<usize> = (0..subjects.len()).filter(stays).collect();
        let mut found = FxHashSet::default();
        while let Some(at) = todo.pop() {
            let row = subjects.get(at).and_then(|subject| self.ledger.rows.get(subject.row.as_ref()?));
            let used = row.into_iter().flat_map(|row| &row.requires).filter_map(|id| by_id.get(id)).flatten();
            for &used in used {
                // What is let go of, or gone already, keeps nothing.
                let goes = decisions.get(used).is_some_and(|d| d.steps.iter().any(What::unmakes));
                if goes && found.insert(used) {
                    todo.push(used);
                }
            }
        }
        found
    }

    /// Whether something must not go with what it is in.
    fn stays(&self, at: usize, holder: usize, decisions: &[Decision]) -> bool {
        let (Some(subject), Some(decision)) = (self.survey.subjects.get(at), decisions.get(at)) else {
            return false;
        };
        if subject.wanted.is_none() {
            return match &decision.action {
                Some(Action::Keep { .. }) => true,
                Some(Action::Release { why }) => *why != Released::Replaced,
                _ => false,
            };
        }
        let row = subject.row.as_ref().and_then(|key| self.ledger.rows.get(key));
        let fixed = row.is_some_and(|row| {
            row.protect || row.holding == Holding::Adopted || row.condition == Condition::Doubt
        });
        // Taken out of it, or not in it any more.
        let unmade = decision.steps.iter().any(What::unmakes);
        if self.leaves(at, holder) && (unmade || matches!(subject.seen, Some(Ok(Seen::Absent)))) {
            return false;
        }
        let remade = self.survey.subjects.get(holder).is_some_and(|holder| holder.wanted.is_some());
        !remade || fixed || matches!(decision.action, Some(Action::Refuse { .. } | Action::Keep { .. }))
    }

    /// Whether something that is wanted is to be elsewhere than in what holds it now.
    fn leaves(&self, at: usize, holder: usize) -> bool {
        let (Some(subject), Some(holder)) = (self.survey.subjects.get(at), self.survey.subjects.get(holder))
        else {
            return false;
        };
        let held = holder.row.as_ref().and_then(|key| self.ledger.rows.get(key));
        let (Some(wanted), Some(held), Some(handler)) =
            (&subject.wanted, held, self.registry.get(&subject.handler))
        else {
            return false;
        };
        let place = self.rows.targets.get(subject.target).map(|target| &target.place.identity);
        let mut within = wanted.claims.iter().flat_map(|claim| handler.within(claim));
        place != Some(&held.place.identity) || !within.any(|claim| held.claims.contains(&claim))
    }

    /// A holder stays for what is in it.
    pub(in crate::deploy) fn keep_for(&self, holder: usize, held: &EcoString, decisions: &mut [Decision]) {
        let wanted = self.survey.subjects.get(holder).is_some_and(|holder| holder.wanted.is_some());
        let action = if wanted {
            let fault =
                Fault::new(format!("a change needs it to be made anew, and it holds {held}, which stays"));
            Action::Refuse { fault: fault.help("take that away first, or undo the change") }
        } else {
            Action::Keep { why: Kept::Holds(held.clone()) }
        };
        if let Some(decision) = decisions.get_mut(holder) {
            *decision = Decision { action: Some(action), ..Decision::default() };
        }
    }

    fn goes_along(&self, at: usize, holder: usize, decisions: &mut [Decision]) {
        if self.leaves(at, holder) {
            return;
        }
        let Some(with) = self.survey.subjects.get(holder).map(|s| s.id().clone()) else { return };
        let (Some(subject), Some(decision)) = (self.survey.subjects.get(at), decisions.get_mut(at)) else {
            return;
        };
        let Some(wanted) = &subject.wanted else {
            if matches!(decision.action, Some(Action::Delete { .. })) {
                *decision = Decision {
                    action: Some(Action::Goes { with }),
                    with: Some(holder),
                    ..Decision::default()
                };
            }
            return;
        };
        let key = self.new_key(&wanted.sealed.id);
        let operation = crate::state::Operation::Create;
        let make = super::decide::make(at, operation, key, None);
        let (changes, was) = match decision.action.take() {
            Some(Action::Replace { changes, was, .. } | Action::Update { changes, was, .. }) => {
                (changes, was)
            }
            _ => (Vec::new(), None),
        };
        let action = Some(Action::Replace { changes, was, keeps: false });
        *decision = Decision { action, steps: vec![make], with: Some(holder), ..Decision::default() };
    }

    /// Of what an open intent may still change nothing else is done: nobody knows what is there.
    pub(in crate::deploy) fn bar(&self, decisions: &mut [Decision]) {
        let intents = self.ledger.intents.values();
        let rows = intents.flat_map(|intent| {
            let from = intent.moved.as_ref().and_then(|key| self.ledger.rows.get(key));
            std::iter::once(&intent.row).chain(from)
        });
        let barred: FxHashSet<(&str, &str)> = rows
            .flat_map(|row| row.claims.iter().map(|claim| (row.place.identity.as_str(), claim.as_str())))
            .collect();
        if barred.is_empty() {
            return;
        }
        let mut by_decision: BTreeMap<usize, bool> = BTreeMap::new();
        for (at, subject) in self.survey.subjects.iter().enumerate() {
            let row = subject.row.as_ref().and_then(|key| self.ledger.rows.get(key));
            let target = self.rows.targets.get(subject.target);
            let held = row.map(|row| (row.place.identity.as_str(), &*row.claims));
            let wanted = subject.wanted.as_ref().zip(target);
            let wanted = wanted.map(|(wanted, target)| (target.place.identity.as_str(), &*wanted.claims));
            let mut claims =
                held.into_iter().chain(wanted).flat_map(|(i, claims)| claims.iter().map(move |c| (i, c)));
            if claims.any(|(identity, claim)| barred.contains(&(identity, claim.as_str()))) {
                by_decision.insert(at, subject.wanted.is_some());
            }
        }
        for (at, wanted) in by_decision {
            // Once nobody knows it, nobody would account for the effect either.
            let acts =
                |d: &&mut Decision| !d.steps.is_empty() || matches!(d.action, Some(Action::Release { .. }));
            let Some(decision) = decisions.get_mut(at).filter(acts) else { continue };
            let fault = Fault::new("an earlier effect on it is not accounted for yet");
            let fault = fault.help("the next run that reaches its target looks what became of it");
            let action = match wanted {
                true => Action::Refuse { fault },
                false => Action::Keep { why: Kept::Unseen(fault) },
            };
            *decision = Decision { action: Some(action), ..Decision::default() };
        }
    }
}
