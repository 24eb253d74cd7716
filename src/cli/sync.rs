//! `gops sync`

use std::fmt::Write as _;

use clap::Args;

use super::change::{self, Sign};
use super::check::summary;
use super::ui::Stream;
use super::update::Writing;
use super::{Context, Exit, Failure};
use crate::diag::render::Format;
use crate::graph::id;
use crate::project::active::{Activated, Became, Synced, sync};
use crate::project::config::History;

/// Activate what the instance files say, where the project says `history = "active"`
///
/// Checks everything, then writes the active store: a new version of each instance that changed,
/// in the folder `active`. Commit it with the change: `gops compile` and `gops deploy` read what
/// was activated and nothing else. With a mistake anywhere, a value that is still to be filled
/// or a migration that is still to be applied, nothing is written. All is written or nothing.
///
/// An instance that did not change keeps its version; a comment alone is no change. One that was
/// deleted gets a version that says so. Earlier versions stay until `gops prune`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops sync                        activate what the instance files say
  gops sync --dry-run              say what would be activated
  gops sync --dry-run --exit-code  exit code 2 if something is not activated: for a check in CI
  gops sync --resolve              after a merge of two branches that activated one instance

Exit codes: 0 all is well, 1 an error, 2 with --exit-code: something changed.")]
pub(crate) struct Sync {
    /// Say what would be activated, and write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// End with 2 if something was, or would be, activated
    #[arg(long)]
    exit_code: bool,
    /// First put in order what two branches activated: the versions of both are kept
    #[arg(long)]
    resolve: bool,
}

impl Sync {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut writing = Writing::open(context, self.dry_run)?;
        let history = writing.workspace.session.config().map(|c| c.history);
        if history == Some(History::Git) {
            return Err(Failure::NotActive);
        }
        let edited = writing.edited.clone();
        let made = sync(&mut writing.workspace.session, &edited, self.resolve);
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
        context.ui.result(&self.text(context, &made));
        let changed = !made.activated.is_empty() || !made.resolved.is_empty();
        Ok(if self.exit_code && changed { Exit::Changes } else { Exit::Fine })
    }

    fn text(&self, context: &Context, made: &Synced) -> String {
        let mut out = String::new();
        for instance in &made.resolved {
            let sign = change::sign(Sign::Say, &context.ui);
            let _ = writeln!(out, "{sign} {}  the versions of both branches are kept", id::shown(instance));
        }
        let mut shown: Vec<&Activated> = made.activated.iter().collect();
        shown.sort_by_key(|one| (&one.env, one.became));
        for one in shown {
            let sign = match one.became {
                Became::Deleted => Sign::Delete,
                Became::Changed => Sign::Change,
                Became::Created => Sign::Create,
                Became::Renamed => Sign::Say,
            };
            let env = one.env.as_ref().map(|env| format!("  {env}")).unwrap_or_default();
            let sign = change::sign(sign, &context.ui);
            let _ = writeln!(out, "{sign} {}  version {}{env}", id::shown(&one.instance), one.version);
        }
        let count = |became| made.activated.iter().filter(|one| one.became == became).count();
        let parts = [
            (count(Became::Deleted), "deleted"),
            (count(Became::Changed), "changed"),
            (count(Became::Created), "created"),
            (count(Became::Renamed), "in another file"),
        ];
        let list = change::list(&parts);
        let would = if self.dry_run { "would activate" } else { "activated" };
        let _ = match list.is_empty() {
            true => writeln!(out, "all is active"),
            false => writeln!(out, "{would}: {list}"),
        };
        out
    }
}
