//! What is to be done about what is not wanted, or not any more.

use crate::handler::{Fault, Seen};
use crate::state::{Change, Condition, End, Holding, Row};

use super::decide::{Decider, Decision};
use super::plan::{Action, Kept, Released, What};
use super::survey::Subject;
use super::within::holder_of;

impl Decider<'_> {
    /// What is to be done about something that is not wanted, or not any more.
    pub(in crate::deploy) fn leave(&self, at: usize, subject: &Subject) -> Decision {
        match subject.row.as_ref().and_then(|key| self.ledger.rows.get(key)) {
            Some(row) => self.unwanted(at, subject, row),
            None => self.unaccounted(subject),
        }
    }

    /// An effect may have made something, and could not be accounted for.
    fn unaccounted(&self, subject: &Subject) -> Decision {
        let open = self.ledger.intents.values().any(|intent| Some(&intent.row.key) == subject.row.as_ref());
        match &subject.seen {
            Some(Err(fault)) if open => Decision::only(Action::Keep { why: Kept::Unseen(fault.clone()) }),
            _ => Decision::default(),
        }
    }

    /// What was made or taken over and is not wanted any more.
    fn unwanted(&self, at: usize, subject: &Subject, row: &Row) -> Decision {
        let keep = |why| Decision::only(Action::Keep { why });
        let drop =
            |end, evidence: &str| vec![Change::Drop { key: row.key.clone(), end, evidence: evidence.into() }];
        let release = |why, end, evidence: &str| Decision {
            action: Some(Action::Release { why }),
            ledger: drop(end, evidence),
            ..Decision::default()
        };
        if row.condition != Condition::Deposed {
            // Once nobody knows it, nobody would keep what it is in.
            if is_left(row)
                && let Some(holder) = holder_of(self.registry, self.ledger, row)
                && !self.lets_go(holder)
            {
                return keep(Kept::Inside(holder.key.id.clone()));
            }
            if row.holding == Holding::Adopted {
                return release(Released::Adopted, End::Released, "it was taken over, not made");
            }
            if row.keep {
                return release(Released::Keep, End::Released, "the model said `keep`");
            }
            if row.protect {
                let retained = Row { condition: Condition::Retained, ..row.clone() };
                let ledger = if retained == *row { Vec::new() } else { vec![Change::Put(retained)] };
                return Decision { ledger, ..keep(Kept::Protected) };
            }
        }
        let before = match &subject.seen {
            Some(Ok(Seen::Absent)) => {
                let ledger = drop(End::Gone, "it is not there");
                return Decision { ledger, ..Decision::only(Action::Forget) };
            }
            _ if row.condition == Condition::Doubt => return keep(Kept::Doubt),
            Some(Ok(Seen::AsRecorded)) => row.recorded.stamp.clone(),
            Some(Ok(Seen::Present(actual))) if self.is_ours(row, actual) => actual.stamp.clone(),
            Some(Ok(Seen::Present(_))) => {
                return release(Released::Replaced, End::Replaced, "what is there is not what was made");
            }
            Some(Ok(Seen::Unsure)) | None => return keep(Kept::Unseen(Fault::new("it was not looked at"))),
            Some(Err(fault)) => return keep(Kept::Unseen(fault.clone())),
        };
        let step = What::Unmake { subject: at, key: row.key.clone(), before: Some(before) };
        let action = Some(Action::Delete { for_: None });
        Decision { action, steps: vec![step], ..Decision::default() }
    }

    /// Whether something that holds others is let go of in this run, so that it stays whoever knows
    /// of what is in it.
    fn lets_go(&self, holder: &Row) -> bool {
        let subject = self.survey.subjects.iter().find(|subject| subject.row.as_ref() == Some(&holder.key));
        subject.is_some_and(|subject| subject.wanted.is_none())
            && is_left(holder)
            && holder.condition != Condition::Deposed
            && holder_of(self.registry, self.ledger, holder).is_none_or(|outer| self.lets_go(outer))
    }
}

/// Whether what a row stands for is let go of, and not deleted, once it is not wanted.
fn is_left(row: &Row) -> bool {
    row.holding == Holding::Adopted || row.keep
}
