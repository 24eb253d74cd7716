//! `gops compile`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::change;
use super::check::{exit, summary};
use super::review::{self, ReviewFormat};
use super::ui::Stream;
use super::watch::watch;
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::graph::diff::Diff;
use crate::graph::{GraphBuilder, id};

/// Compile everything into the graph of resources
///
/// The graph says what is to exist, what each resource needs, and which line of which file it
/// comes from. It is canonical JSON: the same files give the same bytes on every machine.
/// Without -o, prints what it holds; with --base, what a change does to it: what it deletes,
/// replaces, moves, changes and creates, and which line of which file causes it. Nothing is
/// asked of any target.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops compile                       how many resources there are, and of which types
  gops compile -o graph.json         write the graph
  gops compile -o - | jq .nodes      to standard output
  gops compile --watch               on every save, what changed in the graph
  gops compile --env prod            of the environment prod
  gops compile --base                what this branch changes, from where it left the default one
  gops compile --base HEAD~1         what changed since a revision, a tag or a folder
  gops compile --base --exit-code    exit code 2 if anything changes
  gops compile --base --format markdown > comment.md   for a pull request

Exit codes: 0 all is well, 1 an error, 2 with --exit-code: there are changes.")]
pub(crate) struct Compile {
    /// Where to write the graph; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Compile again whenever a file is saved, and say what changed in the graph
    #[arg(long)]
    watch: bool,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Say what changes, compared with a branch, a tag, a commit or a folder; without REV, with
    /// where HEAD left the default branch
    #[arg(long, value_name = "REV", num_args = 0..=1, conflicts_with = "watch")]
    base: Option<Option<String>>,
    /// End with 2 if something changes; compares as --base does
    #[arg(long, conflicts_with = "watch")]
    exit_code: bool,
    /// How to write what is wrong, on standard error, and what changes, on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ReviewFormat,
}

impl Compile {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        if self.base.is_some() || self.exit_code {
            return self.compare(context);
        }
        if self.format == ReviewFormat::Markdown {
            return Err(Failure::NoBase);
        }
        let mut workspace = Workspace::open_active(context, self.env.as_deref())?;
        if self.watch {
            let mut last = None;
            return watch(context, &mut workspace, |w| self.again(context, w, &mut last));
        }
        let mut compiled = workspace.session.compile();
        self.problems(context, &workspace, &compiled.report);
        if let Some(graph) = &mut compiled.graph {
            self.write(context, &workspace, graph)?;
            if self.output.is_none() {
                context.ui.result(&totals(graph));
            }
        }
        Ok(exit(&compiled.report.diagnostics))
    }

    /// What changes, compared with the base.
    fn compare(&self, context: &Context) -> Result<Exit, Failure> {
        let (root, base) = review::find_base(context, self.base.as_ref().and_then(Option::as_deref))?;
        let mut compared = review::compare(context, root, &base, self.env.as_deref())?;
        let found = &compared.compiled.report;
        self.problems(context, &compared.workspace, found);
        let to_stdout = self.output.as_deref() == Some(Path::new("-"));
        if let Some(report) = compared.report(&base, self.format, &context.ui)
            && !to_stdout
        {
            context.ui.result(&report);
        }
        let end = exit(&compared.compiled.report.diagnostics);
        if let Some(mut graph) = compared.compiled.graph.take().filter(|_| end == Exit::Fine) {
            self.write(context, &compared.workspace, &mut graph)?;
        }
        // Where nothing is known of the base, something may change.
        let changes = compared.review.as_ref().is_none_or(|review| !review.is_empty());
        Ok(if end == Exit::Fine && self.exit_code && changes { Exit::Changes } else { end })
    }

    fn problems(&self, context: &Context, workspace: &Workspace, report: &crate::project::Report) {
        let found = &report.diagnostics;
        context.ui.diagnostics(self.format.into(), found, workspace, Stream::Err);
        if !found.is_empty() && self.format == ReviewFormat::Human {
            summary(context, found, report.instances);
        }
    }

    fn write(
        &self,
        context: &Context,
        workspace: &Workspace,
        graph: &mut GraphBuilder,
    ) -> Result<(), Failure> {
        if self.output.is_some() {
            workspace.set_revision(context, graph);
        }
        match &self.output {
            None => Ok(()),
            Some(path) if path == Path::new("-") => {
                let mut json = graph.to_canonical_json();
                json.push(b'\n');
                context.ui.bytes(&json);
                Ok(())
            }
            Some(path) => {
                let path = context.path(path);
                let write = || {
                    use std::io::Write as _;
                    let mut file = std::fs::File::create(&path)?;
                    graph.write_to(&mut file)?;
                    file.write_all(b"\n")
                };
                write().map_err(Failure::write(&path))
            }
        }
    }

    /// One turn of `--watch`.
    fn again(
        &self,
        context: &Context,
        workspace: &mut Workspace,
        last: &mut Option<GraphBuilder>,
    ) -> Result<(), Failure> {
        let compiled = workspace.session.compile();
        self.problems(context, workspace, &compiled.report);
        let Some(mut graph) = compiled.graph else { return Ok(()) };
        self.write(context, workspace, &mut graph)?;
        match last {
            None => context.ui.result(&totals(&mut graph)),
            Some(last) => {
                let diff = Diff::of_builders(last, &mut graph).map_err(|e| Failure::Graph(e.into()))?;
                context.ui.result(&change::diff(&diff, &context.ui));
            }
        }
        *last = Some(graph);
        Ok(())
    }
}

/// `30 resources: 12 Directory, 18 TextFile`, and the digest of what is to exist.
fn totals(graph: &mut GraphBuilder) -> String {
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    for (ty, count) in graph.types() {
        *types.entry(short_type(ty).to_owned()).or_default() += count;
    }
    let count: usize = types.values().sum();
    let s = if count == 1 { "" } else { "s" };
    let types: Vec<String> = types.iter().map(|(name, n)| format!("{n} {name}")).collect();
    let colon = if types.is_empty() { "" } else { ": " };
    format!("{count} resource{s}{colon}{}\ndesired {}\n", types.join(", "), graph.desired())
}

/// `TextFile` for `std::files::TextFile[path=/etc/motd]`.
pub(crate) fn short_type(id: &str) -> &str {
    id::short(id).split('[').next().unwrap_or(id)
}
