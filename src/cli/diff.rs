//! `gops diff`

use std::path::{Path, PathBuf};

use clap::Args;

use super::check::summary;
use super::review::{Report, ReviewFormat, Subject, find_base};
use super::ui::Stream;
use super::workspace::{Workspace, work_tree};
use super::{Context, Exit, Failure};
use crate::graph::{Graph, GraphBuilder};
use crate::handler::Registry;
use crate::project::review::{Review, Witness};
use crate::project::revision::Base;

/// Say what differs between two graphs or two revisions
///
/// Each of OLD and NEW is a file that `gops compile -o` wrote, a branch, a tag, a commit or a
/// folder with the project. Nothing is asked of any target, and no limit on deletions applies.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops diff old.json new.json          two graphs
  gops diff v1.2 v1.3                  two revisions
  gops diff v1.2                       a revision and the work tree
  gops diff HEAD~1 --format json       for scripts

Exit codes: 0 both could be read, 1 an error, 2 with --exit-code: they differ.")]
pub(crate) struct Diff {
    /// What was
    #[arg(value_name = "OLD")]
    old: String,
    /// What is; the work tree if it is left out
    #[arg(value_name = "NEW")]
    new: Option<String>,
    /// End with 2 if they differ
    #[arg(long)]
    exit_code: bool,
    /// The environment, of revisions
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// How to write what differs
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ReviewFormat,
}

/// One side, as it was given.
enum Side {
    Graph(Box<Graph>),
    Revision(PathBuf, Base),
    WorkTree,
}

impl Diff {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let old_side = side(context, &self.old)?;
        let new_side = self.new.as_deref().map_or(Ok(Side::WorkTree), |new| side(context, new))?;
        let mut workspace = None;
        let Some(mut old) = self.graph(context, &old_side, None, &mut workspace)? else {
            return Ok(Exit::Errors);
        };
        let Some(mut new) = self.graph(context, &new_side, Some(&old_side), &mut workspace)? else {
            return Ok(Exit::Errors);
        };
        let witness: &dyn Witness = match (&new_side, &workspace) {
            (Side::Graph(graph), _) => &**graph,
            (_, Some(workspace)) => &*workspace.session,
            (_, None) => return Ok(Exit::Errors),
        };
        let made = Review::new(&mut old, &mut new, &Registry::standard(), witness);
        let review = made.map_err(|e| Failure::Graph(e.into()))?;
        let header = new.header();
        let subject = Subject {
            project: &header.project,
            env: header.env.as_deref(),
            base: &self.old,
            base_id: match &old_side {
                Side::Revision(_, base) => base.id.as_deref(),
                Side::Graph(_) | Side::WorkTree => None,
            },
            note: None,
        };
        let report = Report { subject, review: &review, exceeded: None, warnings: "" };
        context.ui.result(&report.text(self.format, &context.ui));
        Ok(if self.exit_code && !review.is_empty() { Exit::Changes } else { Exit::Fine })
    }

    /// The graph of a side. Two revisions share a session, so that what is equal in both is
    /// computed once. None if it does not compile, which has then been said.
    fn graph(
        &self,
        context: &Context,
        side: &Side,
        before: Option<&Side>,
        workspace: &mut Option<Workspace>,
    ) -> Result<Option<GraphBuilder>, Failure> {
        let env = self.env.as_deref();
        match (side, workspace.as_mut()) {
            (Side::Graph(graph), _) => return Ok(Some(graph.seal())),
            (Side::Revision(_, base), Some(open)) => open.session.switch(base.system.clone(), None),
            (Side::Revision(root, base), None) => {
                *workspace = Some(Workspace::over(context, root.clone(), env, base.system.clone())?);
            }
            (Side::WorkTree, Some(open)) => {
                let changed = match before {
                    Some(Side::Revision(_, base)) => base.changed.as_deref(),
                    _ => None,
                };
                open.session.switch(work_tree(&open.root), changed);
            }
            (Side::WorkTree, None) => *workspace = Some(Workspace::open_active(context, env)?),
        }
        let Some(open) = workspace else { return Ok(None) };
        let compiled = open.session.compile();
        if compiled.graph.is_none() {
            if let Side::Revision(_, base) = side {
                context.ui.note(&format!("in {}:", base.name));
            }
            let found = &compiled.report.diagnostics;
            context.ui.diagnostics(self.format.into(), found, open, Stream::Err);
            summary(context, found, compiled.report.instances);
        }
        Ok(compiled.graph)
    }
}

/// What an argument names: a graph if it is a file, else a revision or a folder.
fn side(context: &Context, written: &str) -> Result<Side, Failure> {
    let path = context.path(Path::new(written));
    if path.is_file() {
        let bytes = std::fs::read(&path).map_err(Failure::read(&path))?;
        let graph = Graph::parse(&bytes).map_err(|source| Failure::GraphFile { path, source })?;
        return Ok(Side::Graph(Box::new(graph)));
    }
    let (root, base) = find_base(context, Some(written))?;
    Ok(Side::Revision(root, base))
}
