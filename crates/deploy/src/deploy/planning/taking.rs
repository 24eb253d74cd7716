//! Taking over what is there and no row stands for.

use crate::handler::{Actual, Cost, Fault, Mark, Marked, Seen};
use crate::state::{Operation, Row};

use super::decide::{Case, Decider, Decision, make};
use super::plan::Action;

impl Decider<'_> {
    /// Something is there that no row stands for.
    pub(in crate::deploy) fn take_over(&self, case: &Case<'_>, actual: &Actual) -> Decision {
        if let Marked::By(mark) = &actual.marked {
            return if mark.lineage == self.ledger.lineage {
                self.take_back(case, actual, mark)
            } else {
                Decision::refuse(Fault::new("it has the mark of another ledger: of another project, or of this one before it was lost")
                    .help("drop it in that project first; if this project's ledger was lost, restore it, or rebuild it: `gops state recover`"))
            };
        }
        if !case.node.adopt || case.wanted.passing {
            let fault = Fault::new("it exists, and gops did not make it");
            return Decision::refuse(
                fault.help("write `adopt` behind the constructor to take it over, or move it away"),
            );
        }
        let key = self.new_key(&case.node.id);
        let step = make(case.at, Operation::Adopt, key, Some(actual.stamp.clone()));
        let changes = self.diff(case, None, actual).changes;
        Decision { action: Some(Action::Adopt { changes }), steps: vec![step], ..Decision::default() }
    }

    /// It was made from this ledger and let go of since: the model said `keep`, or somebody had it
    /// forgotten. (That the ledger is not older than the target was found out before.) What has the
    /// mark of something else that is known is a copy of that, made by somebody else.
    fn take_back(&self, case: &Case<'_>, actual: &Actual, mark: &Mark) -> Decision {
        let token = Some(&mark.token);
        let here = self.rows.targets.get(case.subject.target).map(|target| &target.place.identity);
        // What is let go of in this run is no copy of itself.
        let is_here = |row: &&Row| {
            Some(&row.place.identity) == here && row.claims.iter().any(|c| case.wanted.claims.contains(c))
        };
        let mut rows = self.ledger.rows.values().filter(|row| !is_here(row));
        let original = rows.find(|row| row.recorded.token.as_ref() == token);
        let intended = || self.ledger.intents.values().find(|intent| intent.token == mark.token);
        if let Some(id) = original.map(|row| &row.key.id).or_else(|| Some(&intended()?.row.key.id)) {
            let fault = Fault::new(format!(
                "it exists, and is somebody's copy of {}, mark and all",
                crate::graph::id::shown(id)
            ));
            return Decision::refuse(fault.help("take it away, or write another key here"));
        }
        if case.wanted.passing {
            return Decision::refuse(Fault::new("it exists, and was let go of"));
        }
        let diff = self.diff(case, None, actual);
        if diff.cost() == Some(Cost::Replace) {
            let fault =
                Fault::new("it was made by this project and let go of, and would have to be made anew");
            return Decision::refuse(fault.help("take it away, and run this again"));
        }
        let key = self.new_key(&case.node.id);
        let step = make(case.at, Operation::Update, key, Some(actual.stamp.clone()));
        let action = Some(Action::Adopt { changes: diff.changes });
        Decision { action, steps: vec![step], ..Decision::default() }
    }

    /// What is in the place that something is to go to, unless that is about to be free.
    pub(in crate::deploy) fn found_there<'s>(
        &self,
        case: &Case<'s>,
    ) -> Option<Result<&'s Actual, &'s Fault>> {
        if case.way.takes && !case.way.finds {
            return None;
        }
        match case.subject.there.as_deref()? {
            Ok(Seen::Present(actual)) => Some(Ok(actual)),
            Ok(_) => None,
            Err(fault) => Some(Err(fault)),
        }
    }
}
