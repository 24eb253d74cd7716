//! The subjects of a run: what is wanted and what is known, each wanted thing paired with the
//! row that it is or becomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::{GraphBuilder, Node, SealedNode, State};
use crate::handler::{Fault, Registry, Seen};
use crate::state::{Condition, Intent, Operation, Row, RowKey, Snapshot};

use super::super::Error;
use super::super::scope::Scope;
use super::super::secrets::{NodePrints, Prints, tell_apart};
use super::super::target::Targets;
use super::intents::Intents;
use super::later::{self, Outputs};
use super::look::LookRequest;
use super::parts::{Compound, as_part, owner};
use super::plan::Made;

/// What is looked at, and decided on.
#[derive(Debug)]
pub(in crate::deploy) struct Subject {
    /// The target, by number.
    pub target: usize,
    /// The full path of the type.
    pub kind: EcoString,
    /// The name of the handler.
    pub handler: EcoString,
    /// What is wanted, if it is wanted.
    pub wanted: Option<Wanted>,
    /// The row, in the ledger or implied by an open intent.
    pub row: Option<RowKey>,
    /// Whether the stamp will not do.
    pub closely: bool,
    /// What was seen.
    pub seen: Option<Result<Seen, Fault>>,
    /// What was seen where it is to go, if that is elsewhere.
    pub there: Option<Box<Result<Seen, Fault>>>,
}

impl Subject {
    /// The id under which it is wanted or known.
    pub(in crate::deploy) fn id(&self) -> &EcoString {
        static NONE: EcoString = EcoString::new();
        match (&self.wanted, &self.row) {
            (Some(wanted), _) => &wanted.sealed.id,
            (None, Some(key)) => &key.id,
            (None, None) => &NONE,
        }
    }

    /// Whether it is wanted for more than a change-over.
    pub(in crate::deploy) fn lasts(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| !wanted.passing)
    }

    /// Whether it is wanted for a change-over alone.
    pub(in crate::deploy) fn passes(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.passing)
    }
}

/// What is wanted.
#[derive(Debug)]
pub(in crate::deploy) struct Wanted {
    /// As the graph has it.
    pub sealed: Arc<SealedNode>,
    /// Digest of all that a row depends on, as rows have it.
    pub digest: EcoString,
    /// Read, unless it is what the row was made from: then nobody needs to read it.
    pub node: Option<Arc<Node>>,
    /// What it holds on its target.
    pub claims: Box<[EcoString]>,
    /// Whether it is there for a change-over alone.
    pub passing: bool,
    /// What is known of its secrets that stand plain.
    pub prints: Option<Arc<NodePrints>>,
}

impl Wanted {
    /// Reads the node, if that was not needed so far.
    pub(in crate::deploy) fn read(&mut self) -> Result<&Node, Error> {
        let node = match self.node.take() {
            Some(node) => node,
            None => Arc::new(read_told(&self.sealed, self.prints.as_deref())?),
        };
        Ok(self.node.insert(node))
    }

    /// What a plan says that is made: `node`, as far as the graph does not say it.
    pub(in crate::deploy) fn made(&self, node: &Arc<Node>) -> Made {
        match self.prints.is_none() && !later::mentions_later(&self.sealed.bytes) {
            true => Made::Sealed(self.sealed.clone()),
            false => Made::Known(node.clone()),
        }
    }
}

/// Reads a node of the graph.
pub(in crate::deploy) fn read(sealed: &SealedNode) -> Result<Node, Error> {
    let damaged =
        |e: crate::graph::ReadError| Error::Graph { id: sealed.id.to_string(), problem: e.to_string() };
    // The id is in memory already.
    Ok(Node { id: sealed.id.clone(), ..sealed.read().map_err(damaged)? })
}

/// The same, with what is known of its secrets that stand plain.
pub(in crate::deploy) fn read_told(sealed: &SealedNode, prints: Option<&NodePrints>) -> Result<Node, Error> {
    let mut node = read(sealed)?;
    if let Some(prints) = prints {
        tell_apart(&mut node, prints);
    }
    Ok(node)
}

/// All subjects of a run.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Survey {
    /// Those that are wanted by id, then those that are not.
    pub subjects: Vec<Subject>,
    /// What is wanted, by id.
    pub wanted: FxHashMap<EcoString, usize>,
    /// Who claims what another subject holds and is to leave: (taker, holder).
    pub takes: Vec<(usize, usize)>,
    /// Who claims what another subject that is wanted claims, too.
    pub clashes: Vec<(usize, usize)>,
    /// Rows that open intents imply: effects that may have happened.
    pub implied: BTreeMap<RowKey, Row>,
    /// The open intents, by what they are about.
    pub intents: Intents,
    /// What is wanted and consists of parts, by id.
    pub compounds: BTreeMap<EcoString, Compound>,
    /// Whose outputs something that is wanted uses.
    pub asked: FxHashSet<EcoString>,
    /// How many rows are on a target that has another identity now.
    pub strangers: usize,
    /// What is there and no business of this run.
    pub outside: Outside,
}

/// What the scope of a run leaves out, as far as it bears on what is in it.
#[derive(Debug, Default)]
pub(in crate::deploy) struct Outside {
    /// What is wanted, by id the target.
    pub wanted: FxHashMap<EcoString, EcoString>,
    /// What is wanted for a change-over alone, with what it is there for.
    pub passing: Vec<(EcoString, Vec<EcoString>)>,
    /// The rows.
    pub rows: Vec<RowKey>,
    /// Who claims what such a row holds: (taker, row).
    pub takes: Vec<(usize, RowKey)>,
}

/// What a survey is made from.
pub(in crate::deploy) struct Sources<'a> {
    pub graph: &'a GraphBuilder,
    pub ledger: &'a Snapshot,
    pub targets: &'a Targets,
    pub registry: &'a Registry,
    /// Everything is looked at closely.
    pub verify: bool,
    /// What the run is for.
    pub scope: &'a Scope,
    /// What tells that secrets changed of which the graph says nothing.
    pub prints: &'a Prints,
}

impl<'a> Sources<'a> {
    /// What the ledger has of outputs.
    pub(in crate::deploy) fn outputs(&self) -> Outputs<'a> {
        Outputs { ledger: self.ledger, changes: &[], graph: self.graph, targets: self.targets }
    }
}

impl Survey {
    /// Pairs what is wanted with what is known.
    pub(in crate::deploy) fn new(sources: &Sources<'_>) -> Result<Self, Error> {
        let (implied, intents) = (implied(sources.ledger), Intents::of(sources.ledger));
        let mut survey = Survey { implied, intents, ..Survey::default() };
        survey.add_wanted(sources)?;
        survey.find_clashes(sources);
        survey.add_rest(sources);
        survey.ask_for_outputs(sources.ledger)?;
        Ok(survey)
    }

    /// The row of a key: in the ledger, or implied.
    pub(in crate::deploy) fn row<'a>(&'a self, ledger: &'a Snapshot, key: &RowKey) -> Option<&'a Row> {
        ledger.rows.get(key).or_else(|| self.implied.get(key))
    }

    /// What to ask a handler about a subject.
    pub(in crate::deploy) fn look(&self, ledger: &Snapshot, subject: &Subject) -> LookRequest {
        let row = subject.row.as_ref().and_then(|key| self.row(ledger, key));
        let open = subject.row.as_ref().and_then(|key| self.intents.making(ledger, key));
        // What has moved is where its row says: whoever looked where it is wanted would not see it.
        let wanted = subject.wanted.as_ref();
        let moved = |wanted: &Wanted| {
            row.is_some_and(|row| row.key.id != wanted.sealed.id && row.claims != wanted.claims)
        };
        LookRequest {
            kind: subject.kind.clone(),
            node: wanted.filter(|wanted| !moved(wanted)).and_then(|wanted| wanted.node.clone()),
            recorded: row.map(|row| row.recorded.clone()),
            intended: open.map(|intent| intent.row.recorded.clone()),
            token: open.map(|intent| intent.token.clone()),
            closely: subject.closely,
            entries: false,
        }
    }

    /// Whether a subject is to be elsewhere than where its row says.
    pub(in crate::deploy) fn goes_elsewhere(&self, ledger: &Snapshot, subject: &Subject) -> bool {
        // What nobody had to read is as its row says.
        let wanted = subject.wanted.as_ref().filter(|wanted| !wanted.passing && wanted.node.is_some());
        let row = || self.row(ledger, subject.row.as_ref()?);
        wanted.is_some_and(|wanted| row().is_some_and(|row| row.claims != wanted.claims))
    }

    /// What to ask a handler about the place that a subject is to go to.
    pub(in crate::deploy) fn look_there(&self, subject: &Subject) -> LookRequest {
        LookRequest {
            kind: subject.kind.clone(),
            node: subject.wanted.as_ref().and_then(|wanted| wanted.node.clone()),
            recorded: None,
            intended: None,
            token: None,
            closely: true,
            entries: false,
        }
    }

    fn add_wanted(&mut self, sources: &Sources<'_>) -> Result<(), Error> {
        let moves = Moves::of(sources.graph);
        let mut missing = Vec::new();
        for sealed in sources.graph.sorted() {
            if sealed.state == State::Absent {
                continue;
            }
            if !sources.scope.has(&sealed.id, &sealed.target) {
                self.leave_out(sealed)?;
                continue;
            }
            let parts = self.expanded(sources, sealed)?;
            for sealed in parts.as_deref().unwrap_or(std::slice::from_ref(sealed)) {
                let row = self.own_row(sources, sealed, &moves);
                let subject = self.wanted_subject(sources, sealed, row, &mut missing)?;
                self.wanted.insert(sealed.id.clone(), self.subjects.len());
                self.subjects.push(subject);
            }
        }
        match missing.first() {
            None => Ok(()),
            Some((handler, id)) => Err(Error::Handler {
                handler: EcoString::to_string(handler),
                id: EcoString::to_string(id),
                more: missing.len() - 1,
                known: sources.registry.names().collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Outputs that are used have to be known. Where the ledger does not have them, as after a run
    /// that did not hear how an effect ended, what gives them is looked at, to be applied once more.
    fn ask_for_outputs(&mut self, ledger: &Snapshot) -> Result<(), Error> {
        let nodes = self.subjects.iter().filter_map(|s| s.wanted.as_ref()?.node.as_deref());
        let waiting = nodes.filter(|node| node.fields.has_later());
        self.asked = waiting.flat_map(later::producers).collect();
        self.asked.extend(self.compounds.values().flat_map(|compound| &compound.producers).cloned());
        let asked: Vec<usize> = self.asked.iter().filter_map(|id| self.wanted.get(id).copied()).collect();
        for at in asked {
            let row = self.subjects.get(at).and_then(|s| self.row(ledger, s.row.as_ref()?));
            if row.is_some_and(|row| row.recorded.outputs.is_empty())
                && let Some(subject) = self.subjects.get_mut(at)
            {
                subject.closely = true;
                subject.wanted.as_mut().map(Wanted::read).transpose()?;
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, sealed: &SealedNode) -> Result<(), Error> {
        match sealed.state {
            State::Transient => self.outside.passing.push((sealed.id.clone(), read(sealed)?.until)),
            _ => drop(self.outside.wanted.insert(sealed.id.clone(), sealed.target.clone())),
        }
        Ok(())
    }

    /// The compiler refuses two claims of one thing on one target; that two targets are one
    /// machine shows only here.
    fn find_clashes(&mut self, sources: &Sources<'_>) {
        let mut first: FxHashMap<(&str, &str), usize> = FxHashMap::default();
        let mut clashes = Vec::new();
        for (at, subject) in self.subjects.iter().enumerate().filter(|(_, subject)| subject.lasts()) {
            let (Some(wanted), Some(target)) = (&subject.wanted, sources.targets.get(subject.target)) else {
                continue;
            };
            for claim in &wanted.claims {
                let known = *first.entry((&target.place.identity, claim)).or_insert(at);
                if known != at {
                    clashes.push((known, at));
                }
            }
        }
        self.clashes = clashes;
    }

    fn wanted_subject(
        &self,
        sources: &Sources<'_>,
        sealed: &Arc<SealedNode>,
        row: Option<&Row>,
        missing: &mut Vec<(EcoString, EcoString)>,
    ) -> Result<Subject, Error> {
        let target = sources.targets.named(&sealed.target).ok_or_else(|| Error::Graph {
            id: sealed.id.to_string(),
            problem: format!("there is no target `{}`", sealed.target),
        })?;
        let passing = sealed.state == State::Transient;
        let prints = sources.prints.get(&sealed.id).cloned();
        let digest = match &prints {
            Some(prints) => eco_format!("{} {}", sealed.desired, prints.whole),
            None => eco_format!("{}", sealed.desired),
        };
        let waits = later::mentions_later(&sealed.bytes);
        if let Some(row) = row
            && row.digest == digest
            && !waits
            && sources.registry.get(&row.handler).is_some_and(|h| h.version() == row.handler_version)
            && !sources.verify
            && !passing
            && !self.intents.concern(&row.key)
        {
            // The row's, which are there anyway.
            let (claims, digest) = (row.claims.clone(), row.digest.clone());
            let wanted = Wanted { sealed: sealed.clone(), digest, node: None, claims, passing, prints };
            return Ok(Subject {
                target,
                kind: row.kind.clone(),
                handler: row.handler.clone(),
                wanted: Some(wanted),
                row: Some(row.key.clone()),
                closely: false,
                seen: None,
                there: None,
            });
        }
        let node = Arc::new(read_told(sealed, prints.as_deref())?);
        let digest = match waits {
            true => eco_format!("{digest} {}", later::print(&node, sources.outputs())),
            false => digest,
        };
        // Another handler can make nothing of it.
        let row = row.filter(|row| row.key.id == sealed.id || row.handler == node.handler);
        let claims = match sources.registry.get(&node.handler) {
            Some(handler) => handler.claims(&node).into(),
            None => {
                missing.push((node.handler.clone(), node.id.clone()));
                Box::default()
            }
        };
        Ok(Subject {
            target,
            kind: node.type_.clone(),
            handler: node.handler.clone(),
            row: row.map(|row| row.key.clone()),
            wanted: Some(Wanted {
                sealed: sealed.clone(),
                digest,
                node: Some(node),
                claims,
                passing,
                prints,
            }),
            closely: true,
            seen: None,
            there: None,
        })
    }

    /// The row that something wanted goes on with: its own, or that of what it was before it moved.
    fn own_row<'a>(
        &'a self,
        sources: &Sources<'a>,
        sealed: &SealedNode,
        moves: &Moves<'_>,
    ) -> Option<&'a Row> {
        let target = sources.targets.named(&sealed.target)?;
        let own = self.live_row(sources, &sealed.id, target);
        if moves.is_empty() {
            return own;
        }
        // A move is inert once what it leads to has a row; in a chain that row may itself go on.
        let has_row = |id: &EcoString| {
            let target = sources.graph.get(owner(id)).and_then(|node| sources.targets.named(&node.target));
            target.is_some_and(|target| self.live_row(sources, id, target).is_some())
        };
        let wanted = |id: &EcoString| sources.graph.get(owner(id)).is_some_and(|n| n.state == State::Present);
        if own.is_some() && !moves.goes_on(&sealed.id, &wanted, &has_row) {
            return own;
        }
        let from = moves.was(&sealed.id)?;
        let goes = sealed.state == State::Present && moves.goes_on(&from, &wanted, &has_row);
        self.live_row(sources, &from, target).filter(|_| goes)
    }

    /// The newest incarnation of a resource that is on this target and not about to go.
    fn live_row<'a>(&'a self, sources: &Sources<'a>, id: &EcoString, target: usize) -> Option<&'a Row> {
        let fits = |row: &&Row| {
            row.condition != Condition::Deposed && sources.targets.holding(&row.place) == Some(target)
        };
        let key = |incarnation| RowKey { id: id.clone(), incarnation };
        let implied = self.implied.range(key(0)..=key(u32::MAX)).map(|(_, row)| row);
        let known = sources.ledger.rows.range(key(0)..=key(u32::MAX)).map(|(_, row)| row);
        known.chain(implied).filter(fits).max_by_key(|row| row.key.incarnation)
    }

    /// Adds the rows that are not paired yet, after pairing what goes on under another id.
    fn add_rest(&mut self, sources: &Sources<'_>) {
        let paired: FxHashSet<&RowKey> = self.subjects.iter().filter_map(|s| s.row.as_ref()).collect();
        let rows = sources.ledger.rows.values().chain(self.implied.values());
        let mut rest: Vec<(usize, Row)> = Vec::new();
        let mut strangers = 0;
        let mut outside: FxHashMap<(&str, &str), RowKey> = FxHashMap::default();
        for row in rows.filter(|row| !paired.contains(&row.key)) {
            if !sources.scope.has(&row.key.id, &row.place.target) {
                self.outside.rows.push(row.key.clone());
                outside.extend(
                    row.claims.iter().map(|c| ((row.place.identity.as_str(), c.as_str()), row.key.clone())),
                );
                continue;
            }
            match sources.targets.holding(&row.place) {
                Some(target) => rest.push((target, row.clone())),
                None => strangers += 1,
            }
        }
        self.strangers = strangers;
        if !outside.is_empty() {
            self.outside.takes = self.claimed(sources, &outside);
        }
        self.find_moved(sources);
        if rest.is_empty() {
            return;
        }
        let mut holders: FxHashMap<(&str, &str), usize> = FxHashMap::default();
        for (at, (_, row)) in rest.iter().enumerate() {
            for claim in &row.claims {
                holders.insert((&row.place.identity, claim), at);
            }
        }
        let found = self.claimed(sources, &holders);
        let mut handed_over: FxHashSet<usize> = FxHashSet::default();
        for &(taker, holder) in &found {
            let (Some(subject), Some((_, row))) = (self.subjects.get_mut(taker), rest.get(holder)) else {
                continue;
            };
            // Only what has all its claims is the same object; what has some makes way.
            let is_same = subject.kind == row.kind
                && subject.handler == row.handler
                && subject.wanted.as_ref().is_some_and(|wanted| wanted.claims == row.claims);
            let is_live = row.condition != Condition::Deposed;
            if subject.row.is_none() && is_same && is_live && handed_over.insert(holder) {
                subject.row = Some(row.key.clone());
                subject.closely = true;
            }
        }
        let start = self.subjects.len();
        let mut numbers: FxHashMap<usize, usize> = FxHashMap::default();
        for (at, (target, row)) in rest.iter().enumerate() {
            if !handed_over.contains(&at) {
                numbers.insert(at, start + numbers.len());
                let closely = sources.verify || self.intents.concern(&row.key);
                self.subjects.push(unwanted(*target, row, closely));
            }
        }
        self.takes.extend(found.iter().filter_map(|(taker, holder)| Some((*taker, *numbers.get(holder)?))));
    }

    /// Finds who claims what something holds that stays wanted and goes elsewhere.
    fn find_moved(&mut self, sources: &Sources<'_>) {
        let mut left: FxHashMap<(EcoString, EcoString), usize> = FxHashMap::default();
        for (at, subject) in self.subjects.iter().enumerate() {
            let (Some(wanted), Some(key)) = (&subject.wanted, &subject.row) else { continue };
            let Some(row) = self.row(sources.ledger, key) else { continue };
            for claim in row.claims.iter().filter(|claim| !wanted.claims.contains(claim)) {
                left.insert((row.place.identity.clone(), claim.clone()), at);
            }
        }
        if !left.is_empty() {
            let holders =
                left.iter().map(|((identity, claim), at)| ((identity.as_str(), claim.as_str()), *at));
            self.takes = self.claimed(sources, &holders.collect());
        }
    }

    /// Who claims what one of these holds: (taker, holder).
    fn claimed<H: Clone>(
        &self,
        sources: &Sources<'_>,
        holders: &FxHashMap<(&str, &str), H>,
    ) -> Vec<(usize, H)> {
        let mut found = Vec::new();
        for (at, subject) in self.subjects.iter().enumerate() {
            let (Some(wanted), Some(target)) = (&subject.wanted, sources.targets.get(subject.target)) else {
                continue;
            };
            for claim in &wanted.claims {
                if let Some(holder) = holders.get(&(target.place.identity.as_str(), claim.as_str())) {
                    found.push((at, holder.clone()));
                }
            }
        }
        found
    }
}

fn unwanted(target: usize, row: &Row, closely: bool) -> Subject {
    Subject {
        target,
        kind: row.kind.clone(),
        handler: row.handler.clone(),
        wanted: None,
        row: Some(row.key.clone()),
        closely,
        seen: None,
        there: None,
    }
}

/// The rows of open intents that may have made something that no row stands for yet.
fn implied(ledger: &Snapshot) -> BTreeMap<RowKey, Row> {
    // An update of something without a row takes back what was let go of.
    let makes = |intent: &&Intent| {
        matches!(intent.operation, Operation::Create | Operation::Move | Operation::Update)
    };
    let unknown =
        ledger.intents.values().filter(makes).filter(|intent| !ledger.rows.contains_key(&intent.row.key));
    unknown.map(|intent| (intent.row.key.clone(), intent.row.clone())).collect()
}

/// The moves that the graph tells of.
struct Moves<'a> {
    /// By new id the old one.
    to: FxHashMap<&'a str, &'a EcoString>,
    /// By old id the new one.
    from: FxHashMap<&'a str, &'a EcoString>,
}

impl<'a> Moves<'a> {
    fn of(graph: &'a GraphBuilder) -> Self {
        let all = &graph.header().moves;
        Moves {
            to: all.iter().map(|m| (m.to.as_str(), &m.from)).collect(),
            from: all.iter().map(|m| (m.from.as_str(), &m.to)).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.to.is_empty()
    }

    /// Whether the row of an id goes on under another: what that has moved to is wanted and has no
    /// row, or one that goes on in turn. Where all have rows, as after a swap, nothing moves.
    fn goes_on(
        &self,
        id: &EcoString,
        wanted: &dyn Fn(&EcoString) -> bool,
        has_row: &dyn Fn(&EcoString) -> bool,
    ) -> bool {
        let mut at = id.clone();
        for _ in 0..=self.from.len() {
            match self.from.get(owner(&at)).map(|to| as_part(to, &at)) {
                Some(to) if to != *id && wanted(&to) => match has_row(&to) {
                    true => at = to,
                    false => return true,
                },
                _ => return false,
            }
        }
        false
    }

    /// What was, before it moved, what an id stands for now: of a part the part of that name.
    fn was(&self, id: &EcoString) -> Option<EcoString> {
        self.to.get(owner(id)).map(|from| as_part(from, id))
    }
}
