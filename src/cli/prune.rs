//! `gops prune`

use std::fmt::Write as _;

use clap::Args;

use super::check::summary;
use super::ui::Stream;
use super::update::Writing;
use super::{Context, Exit, Failure};
use crate::diag::render::Format;
use crate::graph::id;
use crate::project::active::{Pruned, prune};
use crate::project::config::History;

/// Forget earlier versions that are settled, where the project says `history = "active"`
///
/// An earlier version is needed until every deployer that gops.toml names has deleted what it alone
/// made: it tells what was deleted, in which order, what helps with it, and what the values were.
/// Each deployer says with its receipt what it has done. What is not settled stays, and is named.
/// All is written or nothing.
///
/// The newest version stays, also one that says that the instance was deleted: its number goes on
/// if the instance comes back.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops prune             forget what every deployer has settled
  gops prune --dry-run   say what would be forgotten, and what stays and why
  gops prune --force     forget all earlier versions")]
pub(crate) struct Prune {
    /// Say what would be forgotten, and write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Forget what is not settled too: its teardown objects, previous values and reserved numbers
    /// are lost; what it made is still deleted
    #[arg(long)]
    force: bool,
}

impl Prune {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let writing = Writing::open(context, self.dry_run)?;
        if writing.workspace.session.config().map(|c| c.history) == Some(History::Git) {
            return Err(Failure::NotActive);
        }
        let made = prune(&writing.workspace.session, &writing.edited, self.force);
        let found = &made.report.diagnostics;
        context.ui.diagnostics(Format::Human, found, &writing.workspace, Stream::Err);
        if made.report.has_errors() {
            summary(context, found, made.report.instances);
            context.ui.note("nothing was written");
            return Ok(Exit::Errors);
        }
        if !self.dry_run {
            writing.commit()?;
        }
        context.ui.result(&self.text(&made));
        Ok(Exit::Fine)
    }

    fn text(&self, made: &Pruned) -> String {
        let mut out = String::new();
        let env = |env: &Option<ecow::EcoString>| env.as_ref().map(|e| format!("  {e}")).unwrap_or_default();
        for one in &made.dropped {
            let numbers: Vec<String> = one.versions.iter().map(u64::to_string).collect();
            let s = if numbers.len() == 1 { "" } else { "s" };
            let short = id::shown(&one.instance);
            let _ = writeln!(out, "{short}: forgot version{s} {}{}", numbers.join(", "), env(&one.env));
        }
        for one in &made.unsettled {
            let word = if self.force { "was not settled" } else { "stays" };
            let _ = writeln!(out, "{}: {word}: {}{}", id::shown(&one.instance), one.why, env(&one.env));
        }
        for holder in &made.released {
            let _ = writeln!(out, "free again: {holder}");
        }
        let count: usize = made.dropped.iter().map(|d| d.versions.len()).sum();
        let would = if self.dry_run { "would forget" } else { "forgot" };
        let s = if count == 1 { "" } else { "s" };
        let _ = match count {
            0 if made.unsettled.is_empty() => writeln!(out, "there is nothing to forget"),
            0 => writeln!(out, "nothing can be forgotten"),
            _ => writeln!(out, "{would} {count} version{s}"),
        };
        if self.force && !made.unsettled.is_empty() {
            let _ = writeln!(
                out,
                "what they alone made is still deleted, by the deployers' ledgers; lost are the objects that help with \
                 it, previous values and reserved numbers"
            );
        }
        out
    }
}
