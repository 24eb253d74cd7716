//! Parts: a node that its handler expands is deployed as the parts that it consists of, each with a
//! row, claims and a guard of its own. The node itself has none.
//!
//! What the parts are may depend on outputs. Until these are known, and in a run that changes what
//! yields them, nothing is done about the parts that there are: the next run knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;

use crate::graph::{Node, SealedNode};
use crate::handler::{Handler, Part, Registry};
use crate::state::{Condition, Row, RowKey, Snapshot};

use super::super::Error;
use super::decide::Decision;
use super::later::{self, Outputs};
use super::plan::{Action, Cause, Entry, Kept, Released};
use super::planner::Planner;
use super::survey::{Sources, Subject, Survey, read_told};

/// The resource that an id stands for: of a part's id that of what it is a part of.
pub(in crate::deploy) fn owner(id: &str) -> &str {
    // The id of a resource ends with the bracket behind its key, that of a part never with one.
    match id.rfind("]#") {
        Some(at) if !id.ends_with(']') => id.get(..=at).unwrap_or(id),
        _ => id,
    }
}

fn part_id(id: &str, name: &str) -> EcoString {
    eco_format!("{id}#{name}")
}

/// The part of a resource that is called as the part `like` of another is; the resource itself if `like`
/// is no part.
pub(in crate::deploy) fn as_part(id: &EcoString, like: &EcoString) -> EcoString {
    match like.get(owner(like).len()..) {
        Some(part) if !part.is_empty() => eco_format!("{id}{part}"),
        _ => id.clone(),
    }
}

/// The parts of a node, as nodes.
pub(in crate::deploy) fn nodes(parts: Vec<Part>, of: &Node) -> Vec<Node> {
    let node = |part: Part| {
        let id = part_id(&of.id, &part.name);
        Node { id, fields: part.fields, ..of.clone() }
    };
    parts.into_iter().map(node).collect()
}

/// Whether a name tells a part from the others of its node, and its id from all other ids.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains([']', '#']) && !name.chars().any(char::is_control)
}

/// The rows of a resource and of its parts.
pub(in crate::deploy) fn rows_of_all<'l>(
    ledger: &'l Snapshot,
    id: &'l EcoString,
) -> impl Iterator<Item = &'l Row> {
    let first = part_id(id, "");
    let from = RowKey { id: first.clone(), incarnation: 0 };
    let parts = ledger.rows.range(from..).map(|(_, row)| row);
    ledger.rows_of(id).chain(parts.take_while(move |row| row.key.id.starts_with(first.as_str())))
}

/// A wanted node that consists of parts.
#[derive(Debug)]
pub(in crate::deploy) struct Compound {
    /// As the graph has it.
    pub sealed: Arc<SealedNode>,
    /// Read.
    pub node: Node,
    /// The subjects of its parts.
    pub parts: Vec<usize>,
    /// Whose outputs it takes.
    pub producers: Vec<EcoString>,
    /// Why it cannot be expanded, if it cannot.
    pub folded: Option<Cause>,
}

/// Who expands a node, if anybody does.
fn expander<'r>(registry: &'r Registry, id: &str) -> Option<&'r dyn Handler> {
    let kind = id.split('[').next().unwrap_or(id);
    registry.names().filter_map(|name| registry.get(name)).find(|handler| handler.is_compound(kind))
}

impl Survey {
    /// The subjects that an id stands for: one, or those of all parts.
    pub(in crate::deploy) fn of<'s>(&'s self, id: &'s EcoString) -> impl Iterator<Item = usize> + 's {
        let parts = self.compounds.get(id).into_iter().flat_map(|compound| compound.parts.iter().copied());
        self.wanted.get(id).copied().into_iter().chain(parts)
    }

    /// The parts that stand for a node of the graph; nothing if it stands for itself.
    pub(in crate::deploy) fn expanded(
        &mut self,
        sources: &Sources<'_>,
        sealed: &Arc<SealedNode>,
    ) -> Result<Option<Vec<Arc<SealedNode>>>, Error> {
        let Some(handler) = expander(sources.registry, &sealed.id) else { return Ok(None) };
        let node = read_told(sealed, sources.prints.get(&sealed.id).map(|prints| &**prints))?;
        let producers = later::producers(&node);
        let (parts, folded) = match expand(handler, &node, sources.outputs()) {
            Ok(parts) => (parts, None),
            Err(cause) => (Vec::new(), Some(cause)),
        };
        let scratch = &mut Vec::new();
        let nodes: Vec<Arc<SealedNode>> =
            nodes(parts, &node).into_iter().map(|part| Arc::new(part.seal(scratch))).collect();
        let first = self.subjects.len();
        let parts = (first..first + nodes.len()).collect();
        let compound = Compound { sealed: sealed.clone(), node, parts, producers, folded };
        self.compounds.insert(sealed.id.clone(), compound);
        Ok(Some(nodes))
    }
}

/// The parts of a node, by what the ledger has of the outputs that it takes.
fn expand(handler: &dyn Handler, node: &Node, outputs: Outputs<'_>) -> Result<Vec<Part>, Cause> {
    let cause = |id: &EcoString, what: String| Cause { id: id.clone(), what };
    let mut known = node.clone();
    if node.fields.has_later() {
        known.fields = later::resolve(&node.fields, outputs).map_err(|fault| {
            let producer = later::producers(node).into_iter().next();
            match producer {
                Some(producer) => cause(&producer, WAITS.to_owned()),
                None => cause(&node.id, fault.message),
            }
        })?;
    }
    if let Some(problem) = handler.validate(&known).into_iter().next() {
        return Err(cause(&node.id, problem.message));
    }
    let parts =
        handler.expand(&known).ok_or_else(|| cause(&node.id, "cannot say its parts yet".to_owned()))?;
    let mut names = BTreeSet::new();
    match parts.iter().find(|part| !is_name(&part.name) || !names.insert(part.name.clone())) {
        Some(part) => Err(cause(&node.id, format!("has a part that cannot be named `{}`", part.name))),
        None => Ok(parts),
    }
}

/// What is the matter with a producer of which the parts of a node depend.
const WAITS: &str = "has to be deployed first: the next run knows the parts";

/// The nodes whose parts stay as they are in this run, with why.
pub(in crate::deploy) type Folded = FxHashMap<EcoString, Cause>;

impl Planner<'_> {
    /// Of what cannot be expanded now the parts that there are stay, and none is made.
    pub(in crate::deploy) fn fold(&self, decisions: &mut [Decision]) -> Folded {
        let survey = self.decider.survey;
        let mut folded = Folded::default();
        for (id, compound) in &survey.compounds {
            let changing = compound.producers.iter().find(|id| self.any_changes(&[(*id).clone()], decisions));
            let waits = changing.map(|id| Cause { id: id.clone(), what: WAITS.to_owned() });
            folded.extend(compound.folded.clone().or(waits).map(|cause| (id.clone(), cause)));
        }
        if folded.is_empty() {
            return folded;
        }
        let moves = &self.decider.graph.header().moves;
        let moved: FxHashMap<&str, &EcoString> = moves.iter().map(|m| (m.from.as_str(), &m.to)).collect();
        for (subject, decision) in survey.subjects.iter().zip(decisions) {
            let of = owner(subject.id());
            if of.len() == subject.id().len() || decision.with.is_some() {
                continue;
            }
            // What has moved has the parts still that it had under its earlier names.
            let mut way = vec![of];
            while let Some(to) = way.last().and_then(|at| moved.get(at)) {
                if subject.wanted.is_some() || way.contains(&to.as_str()) {
                    break;
                }
                way.push(to);
            }
            if let Some(of) = way.into_iter().find(|of| folded.contains_key(*of)) {
                self.stay(subject, of, decision);
            }
        }
        folded
    }

    fn stay(&self, subject: &Subject, of: &str, decision: &mut Decision) {
        let row = subject.row.as_ref().and_then(|key| self.decider.ledger.rows.get(key));
        // Somebody else's, or nothing, is there: that is no part of it.
        let lost =
            matches!(decision.action, Some(Action::Forget | Action::Release { why: Released::Replaced }));
        let goes =
            row.is_some_and(|row| row.condition == Condition::Deposed) || (lost && subject.wanted.is_none());
        if goes {
            return;
        }
        let unseen = |action: &Action| matches!(action, Action::Keep { why: Kept::Unseen(_) });
        let action = match row {
            Some(_) => Some(Action::Keep { why: Kept::Folded(of.into()) }),
            None => decision.action.take().filter(unseen),
        };
        *decision = Decision { action, ..Decision::default() };
    }

    /// What is to be said of nodes whose parts are not known yet.
    pub(in crate::deploy) fn folded_entries(&self, folded: &Folded) -> Vec<Entry> {
        let entry = |(id, cause): (&EcoString, &Cause)| {
            let Compound { node, sealed, .. } = self.decider.survey.compounds.get(id)?;
            Some(Entry {
                id: id.clone(),
                kind: node.type_.clone(),
                target: sealed.target.clone(),
                action: Action::Expand,
                origin: Some(node.origin.clone()),
                blocked: Some(cause.clone()),
            })
        };
        folded.iter().filter_map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_belongs_to_its_node() {
        assert_eq!(owner("a::Chart[name=x]#web/deployment"), "a::Chart[name=x]");
        assert_eq!(owner("a::Chart[name=x]"), "a::Chart[name=x]");
        assert_eq!(owner("a::File[path=\"/x]#y\"]"), "a::File[path=\"/x]#y\"]");
        assert_eq!(owner("a::File[path=\"/x]#y\"]#z"), "a::File[path=\"/x]#y\"]");
        assert_eq!(owner("local"), "local");
    }

    #[test]
    fn the_name_of_a_part_leaves_no_doubt_whose_it_is() {
        assert!(is_name("default/web") && is_name("p0"));
        for name in ["", "a]", "a#b", "a\n"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
