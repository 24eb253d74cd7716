//! Making anew what cannot be changed where it is, and bringing elsewhere what has moved.

use crate::handler::{Actual, Cost, Diff, Fault};
use crate::state::{Change, Condition, End, Holding, Operation, Row};

use super::decide::{Case, Decider, Decision, make};
use super::plan::{Action, What};
use super::within::holder_of;

impl Decider<'_> {
    /// It has moved to another place: brought there if its handler can, else made anew.
    pub(in crate::deploy) fn moved(
        &self,
        case: &Case<'_>,
        row: &Row,
        actual: &Actual,
        diff: Diff,
    ) -> Decision {
        let sure = row.condition != Condition::Doubt && self.is_ours(row, actual);
        let brings = case.handler.relocates(&case.node.type_) && row.kind == case.node.type_;
        if !brings || !sure || diff.cost() == Some(Cost::Replace) || self.found_there(case).is_some() {
            return self.replace(case, row, actual, diff);
        }
        let step = What::Make {
            subject: case.at,
            operation: Operation::Move,
            key: self.new_key(&case.node.id),
            before: Some(actual.stamp.clone()),
            from: Some(row.key.clone()),
        };
        let cost = diff.cost().unwrap_or(Cost::Live);
        let action = Action::Update { changes: diff.changes, cost, was: Some(row.key.id.clone()) };
        Decision { action: Some(action), steps: vec![step], ..Decision::default() }
    }

    pub(in crate::deploy) fn replace(
        &self,
        case: &Case<'_>,
        row: &Row,
        actual: &Actual,
        diff: Diff,
    ) -> Decision {
        if let Some(fault) = self.why_not_anew(case, row, actual) {
            let was = (row.key.id != case.node.id)
                .then(|| format!(" (it was {})", crate::graph::id::shown(&row.key.id)));
            return Decision::refuse(Fault { message: fault.message + &was.unwrap_or_default(), ..fault });
        }
        let before = Some(actual.stamp.clone());
        let unmake = What::Unmake { subject: case.at, key: row.key.clone(), before };
        let make = match self.found_there(case) {
            None => make(case.at, Operation::Create, self.new_key(&case.node.id), None),
            Some(Err(fault)) => return Decision::refuse(fault.clone()),
            Some(Ok(there)) => {
                let taken = self.take_over(case, there);
                match (taken.steps.into_iter().next(), taken.action) {
                    (Some(make), _) => make,
                    (None, Some(Action::Refuse { fault })) => {
                        let stays = format!("; {} stays where it is", crate::graph::id::shown(&row.key.id));
                        return Decision::refuse(Fault { message: fault.message + &stays, ..fault });
                    }
                    (None, action) => return Decision { action, ..Decision::default() },
                }
            }
        };
        let shares = row.claims.iter().any(|claim| case.wanted.claims.contains(claim));
        let was = (row.key.id != case.node.id).then(|| row.key.id.clone());
        // What the model says `keep` of is left where it is, unless the new one needs its place or
        // something holds it that may go.
        let keeps = row.keep && !shares && holder_of(self.registry, self.ledger, row).is_none();
        let action = Some(Action::Replace { changes: diff.changes, was, keeps });
        if keeps {
            let evidence = "the model said `keep`".into();
            let released = Change::Drop { key: row.key.clone(), end: End::Released, evidence };
            return Decision { action, steps: vec![make], ledger: vec![released], with: None };
        }
        // With the old one in somebody's way, or in its own, the new one cannot come first.
        if shares || case.way.leaves {
            return Decision { action, steps: vec![unmake, make], ..Decision::default() };
        }
        let deposed = Row { condition: Condition::Deposed, ..row.clone() };
        Decision { action, steps: vec![make, unmake], ledger: vec![Change::Put(deposed)], with: None }
    }

    /// Why something cannot be made anew.
    fn why_not_anew(&self, case: &Case<'_>, row: &Row, actual: &Actual) -> Option<Fault> {
        if row.protect || case.node.protect {
            let fault = Fault::new("a change needs it to be made anew, and it is protected");
            return Some(fault.help("take `protect` away in a deploy of its own first"));
        }
        if row.holding == Holding::Adopted || row.condition == Condition::Doubt {
            let fault = Fault::new("a change needs it to be made anew, and gops did not make it");
            return Some(fault.help("take it away yourself, and run this again"));
        }
        if !self.is_ours(row, actual) {
            let fault =
                Fault::new("a change needs it to be made anew, and somebody else has taken its place");
            return Some(fault.help("take away what is there now, and run this again"));
        }
        None
    }
}
