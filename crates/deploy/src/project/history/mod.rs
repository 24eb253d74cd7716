//! What there was before: earlier projects, and what follows from them for the graph.
//!
//! [`Session::compile_with`] is the one call for everybody who looks back: `gops compile --base`,
//! a deployer with its ledger, `history = "active"`. [`Session::compile`] looks for no history, and
//! nothing of this module costs it anything.

mod compared;
mod frozen;
mod inspect;
mod kept;
pub(super) mod moves;
mod otherwise;
mod passing;
mod then;
pub(super) mod transient;
mod until;
mod version;
mod with_model;

pub use inspect::{Inspected, InspectedElement, InspectedVersion};
pub use kept::KeptFiles;
pub use then::warnings;

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashSet;

use crate::base::System;
use crate::diag::Diagnostic;
use crate::graph::GraphBuilder;

use super::graphs::{Gathered, Runs, gather};
use super::origins::Origins;
use super::queries;
use super::session::{Compiled, Session};

use frozen::Frozen;
use otherwise::{Current, otherwise};
use transient::{Shared, Side};
use version::DbVersion;

/// All instances together, as they once were.
///
/// An earlier project is known by its files, by its graph, or by both:
///
/// - `graph`: what it made, as its own model said then: compiled at a base revision, or kept in a
///   ledger ([`Graph::seal`](crate::graph::Graph::seal) makes one of a document). What it has as
///   present and the current project does not make is absent. [`Session::as_it_was`] makes it of a
///   revision.
/// - `files`: its instance files and what `file()` read. They are typed and evaluated by the
///   current model (`gops.toml`, the models and the templates are never read from here), to tell
///   which elements were created, updated and deleted, and to see deleted ones as they were. If
///   there is no `graph`, it is made of these files, too.
///
/// One with neither is a version in which there was nothing: given first, it makes every element
/// a `create` (a deployer that has started generations and finished none).
#[derive(Clone, Debug, Default)]
pub struct EarlierProject {
    /// What messages call it: ``revision `1a2b3c4` ``, `generation 7`.
    pub name: EcoString,
    /// Its files.
    pub files: Option<Arc<dyn System>>,
    /// Its graph.
    pub graph: Option<GraphBuilder>,
    /// The paths on which its files may differ from those of the current project: at least every
    /// one that does, or that only one of the two has. None: not known, so everything is compared.
    pub changed: Option<Arc<[EcoString]>>,
    /// The `moved` lines that its own model had ([`Session::moved_lines`]). Two that swapped their
    /// names look the same ever after: only who knows that a line is new knows that it is to be
    /// carried out.
    pub moved: Arc<BTreeSet<EcoString>>,
}

impl Session {
    /// The graph, with what earlier projects made and this one does not as absent nodes, and with
    /// the transient nodes that the models want for the way from there to here.
    ///
    /// The first of `earlier` is the one that the current project is compared with: what it has
    /// not is created. The others tell of deletions alone, the newest first. Nothing at all is a
    /// deployer's first run: everything is created.
    ///
    /// The present nodes do not depend on what is given, nor does `desired`. What is wrong
    /// with an earlier project is a warning.
    pub fn compile_with(&mut self, earlier: &[EarlierProject]) -> Compiled {
        let mut compiled = self.compile_plainly();
        let Some(graph) = &mut compiled.graph else { return compiled };
        let ready = queries::ready(&self.db);
        let looks_at_data = self.looks_at_data();
        let wanted = |p: &EarlierProject| p.files.is_some() && (looks_at_data || p.graph.is_none());
        let now = (looks_at_data || earlier.iter().any(wanted)).then(|| self.ran());
        let mut said = Vec::new();
        let mut then = Vec::new();
        let seen = self.look_at(earlier, &wanted);
        for (project, seen) in earlier.iter().zip(seen) {
            let mut made = project.graph.clone().map(|graph| (graph, None));
            if let (Some(seen), Some((runs, gathered))) = (&seen, &now)
                && made.is_none()
                && seen.readable
            {
                let (claims, handlers) = (&*self.state.claims, &self.handlers);
                let current = Current { runs, gathered, claims, handlers };
                let other = otherwise(&current, &seen.frozen);
                made = Some((other.graph, Some(other.came)));
            }
            let nothing = project.graph.is_none() && seen.is_none();
            let frozen = seen.map(|seen| {
                said.extend(then::warnings(&project.name, seen.problems));
                seen.frozen
            });
            then.push(Then { name: &project.name, nothing, made, frozen, moved: &project.moved });
        }
        if let Some(now) = now.as_ref().filter(|_| looks_at_data) {
            said.extend(self.look_back(&mut then, now, graph));
        } else {
            for (made, came) in then.iter_mut().filter_map(|t| t.made.as_mut()) {
                moves::Moves::default().note(&ready.program, made, came.as_ref(), graph);
                graph.add_absent(made);
            }
        }
        compiled.report.diagnostics.extend(said);
        crate::diag::sort_and_dedup(&mut compiled.report.diagnostics);
        if compiled.report.has_errors() {
            compiled.graph = None;
        }
        compiled
    }

    /// What the runs gave, and all that they made.
    fn ran(&self) -> (Runs, Gathered) {
        let runs = self.runs();
        let gathered = gather(&runs, &mut Vec::new());
        (runs, gathered)
    }

    /// Moves, absent and transient nodes, where the data of then matters.
    fn look_back(
        &self,
        then: &mut [Then<'_>],
        (runs, gathered): &(Runs, Gathered),
        graph: &mut GraphBuilder,
    ) -> Vec<Diagnostic> {
        let model = queries::checked_model(&self.db);
        let version = DbVersion::new(self, runs);
        let mut graphs: Vec<Option<Made>> = then.iter_mut().map(|t| t.made.take()).collect();
        let mut names = Vec::new();
        let mut sides: Vec<Option<Side<'_>>> = Vec::new();
        let mut lines = Vec::new();
        for then in then.iter() {
            let side = then.frozen.as_ref().map(|frozen| Side {
                version: frozen,
                objects: &frozen.gathered.objects,
                texts: frozen,
            });
            // One that is known by its graph alone says nothing of elements.
            if side.is_some() || then.nothing {
                names.push(then.name);
                lines.push(then.moved);
                sides.push(side);
            }
        }
        let program = &model.program;
        let of_then = sides.iter().map(|side| side.as_ref().map(|s| s.version)).collect();
        let moves = moves::moves(program, &version, of_then, &lines);
        for (made, came) in graphs.iter_mut().flatten() {
            moves.note(program, made, came.as_ref(), graph);
            graph.add_absent(made);
        }
        let resolved = |d: &Diagnostic| d.clone().resolved(&Origins::new(&self.db, &model.nodes));
        let mut said: Vec<Diagnostic> = moves.diagnostics.iter().map(resolved).collect();
        // A project that is known by its graph alone has no first version to compare with.
        let looks_back = queries::ready(&self.db).plan.looks_back();
        if !looks_back || (sides.is_empty() && !then.is_empty()) {
            return said;
        }
        let shared =
            Shared { program, nodes: &model.nodes, handlers: &self.handlers, claims: &self.state.claims };
        let now = Side { version: &version, objects: &gathered.objects, texts: &self.db };
        let added = transient::add(&shared, now, &sides, &moves, graph);
        said.extend(added.diagnostics);
        for (number, problems) in added.earlier {
            let name = names.get(number - 1).copied().unwrap_or_default();
            said.extend(then::warnings(name, problems));
        }
        said
    }
}

/// The graph of an earlier project; of a part of it, what came since then.
type Made = (GraphBuilder, Option<FxHashSet<EcoString>>);

/// An earlier project, looked at.
struct Then<'a> {
    name: &'a str,
    /// There was nothing.
    nothing: bool,
    made: Option<Made>,
    frozen: Option<Frozen>,
    /// The `moved` lines that it had.
    moved: &'a BTreeSet<EcoString>,
}
