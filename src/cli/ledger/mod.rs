//! What is asked of a ledger, without a look at any target: `gops status`, `gops history`.

mod history;
mod name;
mod state;
mod status;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::workspace::Workspace;
use super::{Context, Failure};
use crate::deploy::Options;

pub(crate) use history::History;
pub(super) use name::{environment, project};
pub(crate) use state::State;
pub(super) use state::remarks;
pub(crate) use status::Status;

/// What is said of a ledger in which nothing is.
pub(super) const NOTHING: &str = "Nothing was deployed yet\n  if something was: its ledger is elsewhere (`--state`, `--env`) or lost (`gops state recover` rebuilds it)\n";

/// Which ledger.
#[derive(Args)]
pub(crate) struct Which {
    /// The environment
    #[arg(long, value_name = "NAME")]
    pub(super) env: Option<String>,
    /// Where the ledger is kept; by default below $XDG_STATE_HOME or ~/.local/state
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Where it was deployed to, if not to /: a trial below DIR has a ledger of its own
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
}

impl Which {
    /// What finds the ledger, and the project that it is of.
    pub(crate) fn options(&self, context: &Context) -> Result<(Options, Workspace), Failure> {
        let workspace = Workspace::open(context, self.env.as_deref())?;
        let state = self.state.as_ref().map(|path| context.path(path));
        let root = self.root.as_ref().map(|path| context.path(path));
        let options = Options {
            environment: environment(&workspace, self.env.as_deref())?,
            project: project(&workspace, state.as_deref(), root.as_deref(), self.env.as_deref())?,
            state,
            root,
            ..Options::default()
        };
        Ok((options, workspace))
    }
}

/// Writes a file for its owner alone, whole or not at all.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(Failure::write(beside))?;
    std::fs::rename(beside, path).map_err(Failure::write(path))
}

/// A revision, as short as people write it.
pub(super) fn short(revision: &str) -> String {
    let end = if revision.ends_with('+') { "+" } else { "" };
    revision.chars().take_while(|c| *c != '+').take(12).collect::<String>() + end
}
