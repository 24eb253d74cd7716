//! What is to be done about one subject, by what is wanted, what is known and what was seen.

use std::sync::Arc;

use ecow::EcoString;

use crate::graph::{Drift, GraphBuilder, GraphValue, Node};
use crate::handler::{
    Actual, Cost, Diff, Fault, FieldChange, Handler, Marked, Recorded, Registry, Seen, Shown,
};
use crate::state::{Change, Condition, End, Holding, Operation, Row, RowKey, Snapshot};

use super::super::target::Targets;
use super::later::Outputs;
use super::plan::{Action, Kept, What};
use super::survey::{Subject, Survey, Wanted};

/// What is decided about one subject.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Decision {
    /// What is shown; `None` if it is as it should be.
    pub action: Option<Action>,
    /// What is done on the target, in order.
    pub steps: Vec<What>,
    /// What is done in the ledger, with no effect on a target.
    pub ledger: Vec<Change>,
    /// The subject that it is in, if it goes with that.
    pub with: Option<usize>,
}

impl Decision {
    pub(in crate::deploy) fn only(action: Action) -> Self {
        Decision { action: Some(action), ..Decision::default() }
    }

    pub(in crate::deploy) fn refuse(fault: Fault) -> Self {
        Decision::only(Action::Refuse { fault })
    }
}

/// Decides; pure.
pub(in crate::deploy) struct Decider<'a> {
    pub graph: &'a GraphBuilder,
    pub ledger: &'a Snapshot,
    pub survey: &'a Survey,
    pub registry: &'a Registry,
    pub rows: Rows<'a>,
}

/// A thing that is wanted, with all that is known of it.
pub(in crate::deploy) struct Case<'a> {
    pub at: usize,
    pub subject: &'a Subject,
    pub wanted: &'a Wanted,
    pub node: &'a Arc<Node>,
    pub handler: &'a dyn Handler,
    pub row: Option<&'a Row>,
    pub way: Way,
}

/// Whose way is a subject in?
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::deploy) struct Way {
    /// Another subject holds what it claims, and is to leave.
    pub takes: bool,
    /// Another subject holds what it claims, and is let go of: what is there stays.
    pub finds: bool,
    /// It holds what another subject claims, and is to leave.
    pub leaves: bool,
}

impl<'a> Decider<'a> {
    /// What the ledger has of outputs.
    pub(in crate::deploy) fn outputs(&self) -> Outputs<'a> {
        Outputs { ledger: self.ledger, changes: &[], graph: self.graph, targets: self.rows.targets }
    }

    /// What is to be done about a subject.
    pub(in crate::deploy) fn decide(&self, at: usize, subject: &'a Subject, way: Way) -> Decision {
        let node = subject.wanted.as_ref().and_then(|wanted| wanted.node.as_ref());
        self.decide_for(at, subject, node, way)
    }

    /// The same for a node of which more is known than the graph says.
    pub(in crate::deploy) fn decide_for(
        &self,
        at: usize,
        subject: &'a Subject,
        node: Option<&Arc<Node>>,
        way: Way,
    ) -> Decision {
        let row = subject.row.as_ref().and_then(|key| self.ledger.rows.get(key));
        let Some(wanted) = &subject.wanted else {
            return self.leave(at, subject);
        };
        if matches!(subject.seen, Some(Ok(Seen::AsRecorded))) {
            return row.map_or_else(Decision::default, |row| self.awaited(at, row, Vec::new()));
        }
        let (Some(node), Some(handler)) = (node, self.registry.get(&subject.handler)) else {
            return Decision::refuse(Fault::new("it was not looked at"));
        };
        let case = Case { at, subject, wanted, node, handler, row, way };
        if let Some(problem) = handler.validate(node).into_iter().next() {
            return Decision::refuse(Fault { help: problem.help, ..Fault::new(problem.message) });
        }
        if way.takes && !way.finds && row.is_none() {
            // What is there now is the holder's, and gone by then.
            return self.create(&case);
        }
        match &subject.seen {
            Some(Ok(Seen::Absent)) => self.create(&case),
            Some(Ok(Seen::Present(actual))) => match row {
                Some(row) => self.compare(&case, row, actual),
                None => self.take_over(&case, actual),
            },
            Some(Ok(Seen::AsRecorded | Seen::Unsure)) | None => {
                Decision::refuse(Fault::new("it was not looked at"))
            }
            Some(Err(fault)) => Decision::refuse(fault.clone()),
        }
    }

    /// It is as it should be; its users may have to wait for it all the same.
    fn awaited(&self, at: usize, row: &Row, ledger: Vec<Change>) -> Decision {
        let waits = !row.ready && self.registry.get(&row.handler).is_some_and(|h| h.has_readiness());
        if !waits {
            return Decision { ledger, ..Decision::default() };
        }
        let steps = vec![What::Ask { subject: at, key: row.key.clone() }];
        Decision { action: Some(Action::Await), steps, ledger, with: None }
    }

    fn create(&self, case: &Case<'_>) -> Decision {
        let again = case.row.is_some();
        if again && case.node.drift == Drift::Report && self.is_current(case) {
            return Decision::only(Action::Report { changes: Vec::new() });
        }
        // What was to go on under this id, or here, is gone.
        let gone = |row: &Row| Change::Drop {
            key: row.key.clone(),
            end: End::Gone,
            evidence: "it is not there".into(),
        };
        match self.found_there(case) {
            None => {}
            Some(Err(fault)) => return Decision::refuse(fault.clone()),
            Some(Ok(actual)) => {
                let mut decision = self.take_over(case, actual);
                if !decision.steps.is_empty() {
                    decision.ledger.extend(case.row.map(gone));
                }
                return decision;
            }
        }
        // The intent is read from where it makes something, so a row that was elsewhere does not
        // stand for it.
        let own = case.row.filter(|row| row.key.id == case.node.id && row.claims == case.wanted.claims);
        let key = own.map_or_else(|| self.new_key(&case.node.id), |row| row.key.clone());
        let step = make(case.at, Operation::Create, key, None);
        let action = Action::Create { what: case.wanted.made(case.node), again };
        let gone = case.row.filter(|_| own.is_none()).map(gone);
        Decision { action: Some(action), steps: vec![step], ledger: gone.into_iter().collect(), with: None }
    }

    /// The key of a new incarnation.
    pub(in crate::deploy) fn new_key(&self, id: &EcoString) -> RowKey {
        let rows = self.ledger.rows_of(id).map(|row| &row.key);
        // What an open intent may have made keeps its name until that is known.
        let implied = self.ledger.intents.values().map(|intent| &intent.row.key).filter(|key| key.id == *id);
        let last = rows.chain(implied).map(|key| key.incarnation).max().unwrap_or(0);
        RowKey { id: id.clone(), incarnation: last + 1 }
    }

    /// Whether the row was made from what is wanted now, so that a difference is drift.
    fn is_current(&self, case: &Case<'_>) -> bool {
        case.row.is_some_and(|row| row.digest == case.wanted.digest)
    }

    /// Something is there, and a row stands for it.
    fn compare(&self, case: &Case<'_>, row: &Row, actual: &Actual) -> Decision {
        if let Marked::By(mark) = &actual.marked
            && mark.lineage != self.ledger.lineage
        {
            let fault = Fault::new("what is in its place now has the mark of another project's ledger");
            return Decision::refuse(fault.help("drop it in that project first, or write another key here"));
        }
        let diff = self.diff(case, Some(&row.recorded), actual);
        if row.key.id != case.node.id && row.claims != case.wanted.claims {
            return self.moved(case, row, actual, diff);
        }
        let cost = match diff.cost() {
            None if !self.owes_outputs(case, row) => return self.settle(case, row, actual),
            cost => cost.unwrap_or(Cost::Live),
        };
        if case.node.drift == Drift::Report && self.is_current(case) && row.key.id == case.node.id {
            return Decision::only(Action::Report { changes: diff.changes });
        }
        if cost == Cost::Replace {
            return self.replace(case, row, actual, diff);
        }
        let was = (row.key.id != case.node.id).then(|| row.key.id.clone());
        let key = if was.is_some() { self.new_key(&case.node.id) } else { row.key.clone() };
        let before = Some(actual.stamp.clone());
        let step = make(case.at, Operation::Update, key, before);
        let ledger = if was.is_some() { self.hand_over(case, row, &row.recorded) } else { Vec::new() };
        let action = Action::Update { changes: diff.changes, cost, was };
        Decision { action: Some(action), steps: vec![step], ledger, with: None }
    }

    /// What passes is made, and taken away at the end; but for what is not gops's to delete.
    pub(in crate::deploy) fn pass(&self, at: usize, subject: &Subject, mut decision: Decision) -> Decision {
        let row = subject.row.as_ref().and_then(|key| self.ledger.rows.get(key));
        let Some(node) = subject.wanted.as_ref().and_then(|wanted| wanted.node.as_deref()) else {
            return decision;
        };
        let put = |change: &Change| match change {
            Change::Put(row) => Some(row.key.clone()),
            _ => None,
        };
        let made = decision.steps.iter().find_map(|what| match what {
            What::Make { key, .. } | What::Ask { key, .. } => Some(key.clone()),
            What::Unmake { .. } => None,
        });
        let key = made.or_else(|| decision.ledger.iter().find_map(put)).or_else(|| Some(row?.key.clone()));
        let anew =
            decision.steps.iter().any(|what| matches!(what, What::Make { operation: Operation::Create, .. }));
        let stays = row.filter(|_| !anew).is_some_and(|row| {
            row.holding == Holding::Adopted || row.condition == Condition::Doubt || row.protect || row.keep
        });
        let refused = matches!(decision.action, Some(Action::Refuse { .. } | Action::Report { .. }));
        if let Some(key) = key.filter(|_| !stays && !refused) {
            decision.steps.push(What::Unmake { subject: at, key, before: None });
            decision.action = Some(Action::Transient { fields: node.fields.clone() });
        } else if row.is_some_and(|row| row.condition == Condition::Doubt) {
            decision.action.get_or_insert(Action::Keep { why: Kept::Doubt });
        }
        decision
    }

    /// Whether others use what it yields, and the ledger does not have that.
    fn owes_outputs(&self, case: &Case<'_>, row: &Row) -> bool {
        self.survey.asked.contains(&case.node.id) && self.yields(case, row).is_empty()
    }

    /// What it yields, as far as that is known: what somebody else made as it is wanted now may yield
    /// something else than what was applied.
    fn yields(&self, case: &Case<'_>, row: &Row) -> EcoString {
        let is_secret = case.node.fields.has_secret();
        let same = is_secret || case.handler.remember(case.node) == row.recorded.fields;
        if same { row.recorded.outputs.clone() } else { EcoString::new() }
    }

    pub(in crate::deploy) fn diff(&self, case: &Case<'_>, last: Option<&Recorded>, actual: &Actual) -> Diff {
        let mut diff = case.handler.diff(case.node, last, actual);
        // What waits for what is about to be made or changed may be anything.
        if case.node.fields.has_later() {
            may_change(case.node, case.handler, &mut diff);
        }
        if let Drift::Ignore(fields) = &case.node.drift
            && self.is_current(case)
        {
            diff.changes.retain(|change| !Drift::covers(fields, &change.field));
        }
        diff
    }

    /// It is as it should be; what the ledger says of it may not be.
    fn settle(&self, case: &Case<'_>, row: &Row, actual: &Actual) -> Decision {
        // What is not opened cannot be written down anew: where that may say something else than it
        // did, it is applied.
        let is_secret = case.node.fields.has_secret();
        if is_secret && !self.is_current(case) && row.key.id == case.node.id {
            let step = make(case.at, Operation::Update, row.key.clone(), Some(actual.stamp.clone()));
            let action = Action::Update { changes: Vec::new(), cost: Cost::Live, was: None };
            return Decision { action: Some(action), steps: vec![step], ..Decision::default() };
        }
        let recorded = Recorded {
            fields: if is_secret { row.recorded.fields.clone() } else { case.handler.remember(case.node) },
            stamp: actual.stamp.clone(),
            physical: actual.physical.clone(),
            outputs: self.yields(case, row),
            ..row.recorded.clone()
        };
        if row.key.id != case.node.id {
            let action =
                Action::Update { changes: Vec::new(), cost: Cost::Live, was: Some(row.key.id.clone()) };
            let ledger = self.hand_over(case, row, &recorded);
            return Decision { action: Some(action), ledger, ..Decision::default() };
        }
        let key = row.key.clone();
        let Some(new) = self.rows.row(case.subject, case.handler, key, row.holding) else {
            return Decision::default();
        };
        let current = Row {
            generation: row.generation,
            ready: row.ready,
            condition: if row.condition == Condition::Doubt { row.condition } else { Condition::Ok },
            recorded: Recorded { stamp: row.recorded.stamp.clone(), ..recorded.clone() },
            ..new
        };
        let ledger = if current != *row {
            vec![Change::Put(Row { recorded, ..current })]
        } else if recorded.stamp != row.recorded.stamp {
            vec![Change::Refresh { key: row.key.clone(), stamp: recorded.stamp }]
        } else {
            Vec::new()
        };
        self.awaited(case.at, row, ledger)
    }

    /// The same object under another id.
    fn hand_over(&self, case: &Case<'_>, row: &Row, recorded: &Recorded) -> Vec<Change> {
        let key = self.new_key(&case.node.id);
        let Some(new) = self.rows.row(case.subject, case.handler, key, row.holding) else {
            return Vec::new();
        };
        let new =
            Row { condition: row.condition, recorded: recorded.clone(), digest: EcoString::new(), ..new };
        let evidence = ecow::eco_format!("it goes on as {}", case.node.id);
        vec![Change::Drop { key: row.key.clone(), end: End::HandedOver, evidence }, Change::Put(new)]
    }

    /// Whether what is there is what a row stands for: by its mark or, if it never could have
    /// one, by still being what was last applied. What lost its mark is somebody else's by now.
    pub(in crate::deploy) fn is_ours(&self, row: &Row, actual: &Actual) -> bool {
        match &actual.marked {
            Marked::By(mark) => mark.lineage == self.ledger.lineage,
            Marked::Not | Marked::Cannot => {
                row.recorded.token.is_none() && (actual.as_recorded || actual.as_intended)
            }
        }
    }
}

/// Adds the fields that are not known yet, at what a change of them costs.
fn may_change(node: &Node, handler: &dyn Handler, diff: &mut Diff) {
    let fields = node.fields.entries().unwrap_or_default();
    let waits = |name: &EcoString| node.fields.get(name).is_some_and(GraphValue::has_later);
    diff.changes.retain(|change| !waits(&change.field));
    let waiting = fields.iter().filter(|(_, value)| value.has_later());
    let change = |(field, value): &(EcoString, GraphValue)| FieldChange {
        field: field.clone(),
        from: None,
        to: Some(value.clone()),
        cost: handler.cost(&node.type_, field),
        shown: Shown::Plain,
    };
    diff.changes.extend(waiting.map(change));
}

/// The step that makes or changes something where it is.
pub(in crate::deploy) fn make(
    subject: usize,
    operation: Operation,
    key: RowKey,
    before: Option<EcoString>,
) -> What {
    What::Make { subject, operation, key, before, from: None }
}

/// What rows of a run have in common.
#[derive(Clone, Copy)]
pub(in crate::deploy) struct Rows<'a> {
    pub targets: &'a Targets,
    pub generation: u64,
}

impl Rows<'_> {
    /// The row of what is wanted, with nothing recorded yet but what it is to be; `None` if it
    /// was not read.
    pub(in crate::deploy) fn row(
        &self,
        subject: &Subject,
        handler: &dyn Handler,
        key: RowKey,
        holding: Holding,
    ) -> Option<Row> {
        let wanted = subject.wanted.as_ref()?;
        let node = wanted.node.as_deref()?;
        Some(Row {
            key,
            holding,
            condition: Condition::Ok,
            kind: node.type_.clone(),
            handler: subject.handler.clone(),
            handler_version: handler.version(),
            place: self.targets.get(subject.target)?.place.clone(),
            claims: wanted.claims.clone(),
            digest: wanted.digest.clone(),
            recorded: Recorded { fields: handler.remember(node), ..Recorded::default() },
            requires: wanted.sealed.requires.clone(),
            protect: node.protect,
            keep: node.keep,
            generation: self.generation,
            ready: true,
        })
    }
}
