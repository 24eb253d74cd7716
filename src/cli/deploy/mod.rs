//! `gops plan` and `gops deploy`

mod drift;
mod events;
mod plan;
mod progress;
mod result;
mod rollback;
mod saved;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::check::summary;
use super::ledger;
use super::ui::Stream;
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::base::DiskSystem;
use crate::deploy::{
    self, Choice, End, MadeFor, Mode, Observer, Options, Outcome, Progress, Selector, Source,
};
use crate::diag::Diagnostic;
use crate::diag::render::Format;
use crate::graph::GraphBuilder;
use crate::history::receipt::{Known, receipt_path};
use crate::project::EarlierProject;
use crate::project::history::KeptFiles;

pub(crate) use drift::Drift;
use events::Events;
use progress::Watcher;
pub(crate) use rollback::Rollback;

/// Say what a deploy would do, and do nothing
///
/// Looks at the targets and compares. Deletions and replacements stand first, then what changes,
/// field by field, then what is new.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops plan                     what a deploy would do now
  gops plan --exit-code         exit code 2 if it would do something: for a check in CI
  gops plan --root /tmp/try     as if /tmp/try were the root of this machine's files
  gops plan --only 'TextFile[path~/etc/**]'   for these resources alone
  gops plan --json              for scripts
  gops plan --out plan.json     keep it: `gops deploy plan.json` does this and nothing else

Exit codes: 0 a plan was made, 1 an error or something that cannot be done,
2 with --exit-code: there is something to do.")]
pub(crate) struct Plan {
    /// Keep the plan in FILE, for `gops deploy FILE`
    ///
    /// It is bound to the ledger, to what the project wants and to its approvals: if any of these has moved
    /// by then, or if something else is to be done because a target has changed, nothing is done. The file
    /// says what is done with which resource; values, secrets among them, are not in it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    shared: Shared,
}

/// Make everything as the project says, and remove what it no longer says
///
/// Shows the plan and asks, unless --yes is given. What gops made and the project no longer
/// wants is removed; what gops did not make is never removed. What fails stops only what
/// depends on it, and the next run goes on from there.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops deploy                   show the plan, ask, do it
  gops deploy --yes             without asking
  gops deploy --root /tmp/try   into /tmp/try, as if that were the root of this machine's files
  gops deploy --env prod        the environment prod, with a ledger of its own
  gops deploy --target web1     what is on web1 alone
  gops deploy plan.json         what `gops plan --out plan.json` wrote

Exit codes: 0 done, or nothing to do, 1 an error, and nothing was done,
2 with --exit-code: there is something to do that was declined, 3 done in part.")]
pub(crate) struct Deploy {
    /// A plan that `gops plan --out` wrote: it is done as it was read, without asking, or not at all
    #[arg(value_name = "PLAN", conflicts_with_all = ["env", "root", "only", "target"])]
    plan: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Wait so long for another deploy to end, instead of leaving at once
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Deploy although this does not follow REV, which was deployed last: the history was rewritten
    #[arg(long, value_name = "REV")]
    accept_rewrite: Option<String>,
    /// Say in the receipt of NAME, a deployer of gops.toml, what is settled now
    #[arg(long, value_name = "NAME")]
    receipt: Option<String>,
    /// Deploy files that differ from the commit
    #[arg(long)]
    dirty: bool,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Args)]
struct Shared {
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Where the ledger is kept; by default below $XDG_STATE_HOME or ~/.local/state
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Deploy into DIR instead of /: to try things out
    ///
    /// What is meant for the machine that deploys goes below DIR itself, what is meant for another
    /// target below DIR/KEY, with the target's key: DIR/web1/etc/motd. DIR is made if need be, and
    /// has a ledger of its own, unless --state names one.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    choosing: Choosing,
    /// Read everything again, also what looks untouched
    #[arg(long)]
    verify: bool,
    /// End with 2 if there is something to do that was not done
    #[arg(long)]
    exit_code: bool,
    /// For scripts: the plan as one object, a deploy as one event a line
    #[arg(long)]
    json: bool,
}

/// What a run is for.
#[derive(Args)]
struct Choosing {
    /// For these resources alone: `TextFile[host=h1,path~/srv/**]`; several times for more
    ///
    /// docs/selectors.md describes selectors; the id of a resource is one. What is left out is neither
    /// looked at nor changed nor deleted; what needs something of that which is not there yet is not done,
    /// and named.
    #[arg(long, value_name = "SELECTOR")]
    only: Vec<String>,
    /// For this target alone, by its key or id; `local` is the machine that deploys; several times for more
    #[arg(long, value_name = "KEY")]
    target: Vec<String>,
}

impl Choosing {
    fn choice(&self) -> Result<Choice, Failure> {
        let read = |text: &String| Selector::parse(text).map_err(deploy::Error::from);
        let only = self.only.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Choice { targets: self.target.clone(), only })
    }
}

impl Plan {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (exit, outcome) = self.shared.run(context, true, Options::default(), Mode::Plan, None)?;
        if let (Some(out), Some(plan)) = (&self.out, outcome.and_then(|outcome| outcome.saved)) {
            saved::write(&context.path(out), &plan)?;
            context.ui.note(&format!("the plan is in {0}: `gops deploy {0}` does it", out.display()));
        }
        Ok(exit)
    }
}

impl Deploy {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let options = Options {
            wait: self.wait.map(Duration::from_secs),
            accept_rewrite: self.accept_rewrite.clone(),
            dirty: self.dirty,
            ..Options::default()
        };
        let receipt = self.receipt.as_deref();
        let Some(path) = &self.plan else {
            return Ok(self.shared.run(context, self.yes, options, Mode::Deploy, receipt)?.0);
        };
        let plan = saved::read(&context.path(path))?;
        let options = Options { saved: Some(Arc::new(plan.clone())), ..options };
        // Whoever passes it has read it.
        Ok(self.shared.made_for(plan.made_for).run(context, true, options, Mode::Deploy, receipt)?.0)
    }
}

impl Shared {
    fn run(
        &self,
        context: &Context,
        yes: bool,
        options: Options,
        mode: Mode,
        receipt: Option<&str>,
    ) -> Result<(Exit, Option<Outcome>), Failure> {
        // Said before anything takes time.
        let choice = self.choosing.choice()?;
        let mut workspace = Workspace::open_active(context, self.env.as_deref())?;
        let compiled = workspace.session.compile();
        let found = &compiled.report.diagnostics;
        context.ui.diagnostics(Format::Human, found, &workspace, Stream::Err);
        let Some(mut now) = compiled.graph else {
            summary(context, found, compiled.report.instances);
            return Ok((Exit::Errors, None));
        };
        workspace.set_revision(context, &mut now);
        let state = self.state.as_ref().map(|path| context.path(path));
        let root = self.root.as_ref().map(|path| absolute(&context.path(path)));
        let options = Options {
            mode,
            environment: now.header().env.clone(),
            project: ledger::project(&workspace, state.as_deref(), root.as_deref(), self.env.as_deref())?,
            state,
            root,
            verify: self.verify,
            choice,
            author: deploy::author(),
            limit: workspace.session.config().and_then(|config| config.guard.max_deletions),
            repository: Some(workspace.root.clone()),
            ..options
        };
        let scratch = Scratch::make(options.root.as_deref(), mode)?;
        let system = Arc::new(DiskSystem::new(&workspace.root));
        let mut talk = Talk::new(context, self.json, mode, yes);
        let said = compiled.report.diagnostics;
        let mut source = Project { context, workspace: &mut workspace, now, said };
        let outcome = deploy::run(&mut source, system, &options, &mut talk)?;
        drop(scratch);
        talk.end(&outcome)?;
        say_in_receipt(&workspace, receipt, &outcome)?;
        let (exit, outcome) = finish(context, outcome, mode, self.exit_code);
        Ok((exit, Some(outcome)))
    }

    /// The same for what a plan was made for.
    fn made_for(&self, made_for: MadeFor) -> Shared {
        Shared {
            env: made_for.env,
            state: self.state.clone(),
            root: made_for.root.map(PathBuf::from),
            choosing: Choosing { only: made_for.only, target: made_for.targets },
            ..*self
        }
    }
}

/// A path that means the same from anywhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Says what stopped a run, and how it ended.
fn finish(context: &Context, mut outcome: Outcome, mode: Mode, exit_code: bool) -> (Exit, Outcome) {
    let end = outcome.end();
    let stopped = outcome.stopped.take();
    let exit = match (end, mode) {
        (End::Fine, _) => Exit::Fine,
        (End::Partly, _) => Exit::Partly,
        (End::Nothing, _) => Exit::Errors,
        (End::Pending, _) if stopped.is_some() => Exit::Errors,
        (End::Pending, _) if exit_code => Exit::Changes,
        (End::Pending, Mode::Plan) => Exit::Fine,
        // Declined: not what was asked for.
        (End::Pending, Mode::Deploy) => Exit::Errors,
    };
    if let Some(error) = stopped {
        context.ui.failure(error.into());
    }
    (exit, outcome)
}

/// Writes the receipt of a deployer, if one is named and the run has something to say.
fn say_in_receipt(workspace: &Workspace, name: Option<&str>, outcome: &Outcome) -> Result<(), Failure> {
    let (Some(name), Some(receipt)) = (name, &outcome.receipt) else { return Ok(()) };
    let named = workspace.session.config().and_then(|c| c.deployers.iter().find(|d| d.name == name));
    let path = named.map_or_else(|| receipt_path(name), |deployer| deployer.receipt.to_string());
    write_receipt(&workspace.root.join(path), &receipt.text())
}

/// Writes a receipt, whole or not at all; the same one is not written again.
fn write_receipt(path: &Path, text: &str) -> Result<(), Failure> {
    if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::write(folder))?;
    }
    let beside = path.with_extension("json.new");
    std::fs::write(&beside, text).map_err(Failure::write(&beside))?;
    std::fs::rename(&beside, path).map_err(Failure::write(path))
}

/// A project as it is now, and with the history that a ledger has.
struct Project<'a> {
    context: &'a Context,
    workspace: &'a mut Workspace,
    now: GraphBuilder,
    said: Vec<Diagnostic>,
}

impl Source for Project<'_> {
    fn graph(&mut self, history: Option<&[EarlierProject]>) -> Option<GraphBuilder> {
        let Some(history) = history else { return Some(self.now.clone()) };
        let compiled = self.workspace.session.compile_with(history);
        let mut found = compiled.report.diagnostics;
        // The rest was said already.
        found.retain(|found| !self.said.contains(found));
        self.context.ui.diagnostics(Format::Human, &found, self.workspace, Stream::Err);
        let mut graph = compiled.graph?;
        let mut header = graph.header().clone();
        header.source.revision = self.now.header().source.revision.clone();
        graph.set_header(header);
        Some(graph)
    }

    fn looks_at_data(&self) -> bool {
        self.workspace.session.looks_at_data()
    }

    fn kept_files(&self) -> KeptFiles {
        self.workspace.session.kept_files()
    }

    fn changed_files(&self) -> Vec<String> {
        self.workspace.changed_files()
    }

    fn known(&self) -> Known {
        self.workspace.session.known()
    }

    fn let_go(&mut self) {
        self.workspace.session.let_go();
    }
}

/// The folder of `--root`, where it is not there yet. A plan is made against an empty one, which
/// is taken away again: a plan leaves nothing.
struct Scratch<'a>(Option<&'a Path>);

impl<'a> Scratch<'a> {
    fn make(root: Option<&'a Path>, mode: Mode) -> Result<Self, Failure> {
        let missing = root.filter(|root| !root.exists());
        match (missing, mode) {
            (None, _) => Ok(Scratch(None)),
            (Some(root), Mode::Deploy) => {
                std::fs::create_dir_all(root).map_err(Failure::write(root))?;
                Ok(Scratch(None))
            }
            (Some(root), Mode::Plan) => {
                std::fs::create_dir(root).map_err(Failure::write(root))?;
                Ok(Scratch(Some(root)))
            }
        }
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        if let Some(root) = self.0 {
            let _ = std::fs::remove_dir(root);
        }
    }
}

/// Shows what happens, and asks.
struct Talk<'a> {
    context: &'a Context,
    json: bool,
    mode: Mode,
    yes: bool,
    watcher: Watcher<'a>,
    shown: bool,
    /// It should have been asked, and nobody is there to answer.
    unasked: bool,
    /// The answer was no.
    declined: bool,
}

impl<'a> Talk<'a> {
    fn new(context: &'a Context, json: bool, mode: Mode, yes: bool) -> Self {
        let watcher = Watcher::new(&context.ui);
        Talk { context, json, mode, yes, watcher, shown: false, unasked: false, declined: false }
    }

    fn show(&mut self, plan: &deploy::Plan) {
        if self.shown {
            return;
        }
        self.shown = true;
        let ui = &self.context.ui;
        match (self.json, self.mode) {
            (true, Mode::Plan) => ui.result(&format!("{:#}\n", plan::json(plan))),
            (true, Mode::Deploy) => ui.result(&Events::plan(plan)),
            (false, _) => ui.result(&plan::text(plan, ui)),
        }
    }

    fn end(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        if self.unasked {
            return Err(Failure::Unasked);
        }
        self.watcher.end();
        self.show(&outcome.plan);
        let ui = &self.context.ui;
        match (self.mode, self.json) {
            (Mode::Plan, _) => {}
            (Mode::Deploy, true) => ui.result(&Events::end(outcome)),
            (Mode::Deploy, false) if self.declined => ui.note("nothing was done"),
            (Mode::Deploy, false) => ui.result(&result::text(outcome, ui)),
        }
        Ok(())
    }
}

impl Observer for Talk<'_> {
    fn planned(&mut self, plan: &deploy::Plan) -> bool {
        self.watcher.end();
        self.show(plan);
        if !plan.has_work() || self.yes {
            self.watcher.start(plan);
            return true;
        }
        match self.context.ui.confirm("Do this?") {
            Some(true) => {
                self.watcher.start(plan);
                true
            }
            Some(false) => {
                self.declined = true;
                false
            }
            None => {
                self.unasked = true;
                false
            }
        }
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        match (self.json, self.mode) {
            (false, _) => self.watcher.progress(progress),
            (true, Mode::Deploy) => self.context.ui.result(&Events::progress(progress)),
            // A plan is one object.
            (true, Mode::Plan) => {}
        }
    }
}
