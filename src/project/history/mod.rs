//! What there was before: earlier projects, and what follows from them for the graph.
//!
//! [`Session::compile_with`] is the one call for everybody who looks back: `gops compile --base`,
//! a deployer with its ledger, `history = "active"`. [`Session::compile`] looks for no history, and
//! nothing of this module costs it anything.

mod then;
mod with_model;

use std::sync::Arc;

use ecow::EcoString;

use crate::base::System;
use crate::graph::GraphBuilder;

use super::session::{Compiled, Session};

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
}

impl Session {
    /// The graph, with what earlier projects made and this one does not as absent nodes, and with
    /// the transient nodes that the models want for the way from there to here.
    ///
    /// The first of `earlier` is the one that the current project is compared with: what it has
    /// not is created. The others tell of deletions alone, the newest first. Nothing at all is a
    /// deployer's first run: everything is created.
    ///
    /// The present nodes are those of [`Session::compile`], and so is `desired`. What is wrong
    /// with an earlier project is a warning.
    pub fn compile_with(&mut self, earlier: &[EarlierProject]) -> Compiled {
        let mut compiled = self.compile();
        let Some(graph) = &mut compiled.graph else { return compiled };
        let mut warnings = Vec::new();
        for project in earlier {
            let made = match (&project.graph, &project.files) {
                (Some(graph), _) => Some(graph.clone()),
                (None, Some(files)) => {
                    let mut then = self.by_this_model(files.clone());
                    let (graph, said) = then.as_it_was();
                    warnings.extend(then::warnings(&project.name, said));
                    graph
                }
                (None, None) => None,
            };
            if let Some(mut made) = made {
                graph.add_absent(&mut made);
            }
        }
        compiled.report.diagnostics.extend(warnings);
        crate::diag::sort_and_dedup(&mut compiled.report.diagnostics);
        compiled
    }
}
