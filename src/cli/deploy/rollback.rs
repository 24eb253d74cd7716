//! `gops rollback`

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::super::ledger::Which;
use super::super::{Context, Exit, Failure};
use super::{Scratch, Talk, absolute, finish, say_in_receipt};
use crate::base::DiskSystem;
use crate::deploy::{self, Mode, Options};
use crate::graph::Allow;

/// Deploy an old generation again, and remove what came since
///
/// A new deploy of what the ledger keeps of that generation: nothing is compiled, and the sources stay as
/// they are; the next `gops deploy` deploys those. It shows the plan and asks, as any deploy does. What the
/// old generation needs besides (the bytes of copied files, secrets) is taken from what it kept, from its
/// commit, or from the project; if it is nowhere, that is said before anything is done. No resources are
/// made for the way back, as `impl X when deleted(self)` makes them for a deploy of changed sources.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops history                  which generations there are
  gops rollback 12              show what generation 12 needs, ask, do it
  gops rollback 12 --yes        without asking

Exit codes: 0 done, or nothing to do, 1 an error, and nothing was done, 3 done in part.")]
pub(crate) struct Rollback {
    /// The generation
    #[arg(value_parser = number)]
    generation: u64,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Wait so long for another deploy to end, instead of leaving at once
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Say in the receipt of NAME, a deployer of gops.toml, what is settled now
    #[arg(long, value_name = "NAME")]
    receipt: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Read everything again, also what looks untouched
    #[arg(long)]
    verify: bool,
    /// For scripts: one event a line
    #[arg(long)]
    json: bool,
}

/// What names a generation.
fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a generation is a number: `gops history` lists them".to_owned())
}

impl Rollback {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (options, workspace) = self.which.options(context)?;
        let guard = workspace.session.config().map(|config| config.guard.clone()).unwrap_or_default();
        let options = Options {
            mode: Mode::Deploy,
            root: options.root.as_deref().map(absolute),
            wait: self.wait.map(Duration::from_secs),
            verify: self.verify,
            limit: guard.max_deletions,
            repository: Some(workspace.root.clone()),
            author: deploy::author(),
            ..options
        };
        let allow = guard
            .allow
            .into_iter()
            .map(|(base, deletions)| Allow { base, deletions: u32::try_from(deletions).unwrap_or(u32::MAX) });
        let scratch = Scratch::make(options.root.as_deref(), Mode::Deploy)?;
        let system = Arc::new(DiskSystem::new(&workspace.root));
        let mut talk = Talk::new(context, self.json, Mode::Deploy, self.yes);
        let moves = workspace.session.moved_lines();
        let allow = allow.collect();
        let outcome = deploy::rollback(self.generation, system, allow, moves, &options, &mut talk)?;
        drop(scratch);
        talk.end(&outcome)?;
        say_in_receipt(&workspace, self.receipt.as_deref(), &outcome)?;
        Ok(finish(context, outcome, Mode::Deploy, false).0)
    }
}
