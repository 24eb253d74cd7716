//! The command line: one file per command; [`ui`] is the only code that prints.

mod agent;
mod allocator;
mod change;
mod check;
mod compile;
mod completions;
mod deploy;
mod diff;
mod explain;
mod failure;
mod fmt;
mod graph;
mod init;
mod ledger;
mod man;
mod prune;
mod review;
mod schema;
mod sealing;
mod sim;
mod slice;
mod sync;
mod test;
pub mod ui;
mod update;
mod watch;
mod why;
mod workspace;

pub use allocator::Allocator;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ColorChoice, CommandFactory as _, Parser, Subcommand};

pub use failure::Failure;
use ui::Ui;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// All is well, or nothing was to do.
    Fine,
    /// Something is wrong.
    Errors,
    /// With `--exit-code`: there are changes.
    Changes,
    /// Some of it was done.
    Partly,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Errors => 1,
            Exit::Changes => 2,
            Exit::Partly => 3,
        })
    }
}

const ABOUT: &str = "\
Typed infrastructure from a Git repository: compile, diff and deploy, with nothing orphaned";

const LONG_ABOUT: &str = "\
Typed infrastructure from a Git repository: compile, diff and deploy, with nothing orphaned.

A project is a folder with a gops.toml. Types and rules stand in model/*.gops, the data in YAML \
and JSON files below slices/. gops checks every file against the model, compiles all of them \
into a graph of resources, and makes that graph true: what is new is created, what changed is \
updated, and what is no longer wanted is removed.";

const AFTER: &str = "\
Start here:
  gops init shop      make a small project that works, with comments
  gops check          find every mistake in the model and in the data
  gops plan           see what a deploy would do
  gops deploy         do it
  gops explain G0501  what an error means and how to mend it

Exit codes:
  0  all is well, or there was nothing to do
  1  an error, or wrong usage
  2  with --exit-code: there are changes
  3  a deploy was done in part";

/// The whole command line.
#[derive(Parser)]
#[command(
    name = "gops",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = AFTER,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Work as if started in DIR; the project is there or above
    #[arg(short = 'C', id = "start", value_name = "DIR", global = true)]
    start: Option<PathBuf>,
    /// When to colour the output: auto, always, never
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, hide_possible_values = true)]
    color: ColorChoice,
    /// Say nothing but what is wrong or was asked for
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more; twice, everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true, conflicts_with = "quiet")]
    verbose: u8,
    /// Show no progress bars
    #[arg(long, global = true)]
    no_progress: bool,
    /// Evaluate on so many threads; what comes out is the same for any number
    #[arg(long, value_name = "N", default_value = "1", global = true, hide_default_value = true)]
    threads: std::num::NonZeroUsize,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Compile(compile::Compile),
    Update(update::Update),
    Sync(sync::Sync),
    Prune(prune::Prune),
    Diff(diff::Diff),
    Slice(slice::Slice),
    Fmt(fmt::Fmt),
    Test(test::Test),
    Why(why::Why),
    Graph(graph::Draw),
    Schema(schema::Schema),
    Plan(deploy::Plan),
    Deploy(deploy::Deploy),
    Drift(deploy::Drift),
    Status(ledger::Status),
    History(ledger::History),
    Rollback(deploy::Rollback),
    State(ledger::State),
    Explain(explain::Explain),
    Completions(completions::Completions),
    Man(man::Man),
    Sim(sim::Sim),
    Agent(agent::Agent),
}

/// What a command works with.
pub(crate) struct Context {
    /// `-C`: the folder that paths on the command line are relative to.
    start: Option<PathBuf>,
    /// `--threads`.
    threads: usize,
    ui: Ui,
}

impl Context {
    /// Where the project is looked for.
    fn here(&self) -> &std::path::Path {
        self.start.as_deref().unwrap_or(std::path::Path::new("."))
    }

    /// A path that the user wrote.
    fn path(&self, written: &std::path::Path) -> PathBuf {
        self.start.as_ref().map_or_else(|| written.to_owned(), |start| start.join(written))
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    allocator::huge_pages(false);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ui::usage(&error).into(),
    };
    let Global { start, color, quiet, verbose, no_progress, threads } = cli.global;
    let ui = Ui::new(color, quiet, verbose, !no_progress);
    let context = Context { start, threads: threads.get(), ui };
    // The exit codes stay those that are documented, also where gops itself is at fault: the
    // hook has said what happened by then.
    let run = std::panic::AssertUnwindSafe(|| cli.command.run(&context));
    let result = std::panic::catch_unwind(run).unwrap_or(Err(Failure::Internal));
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            context.ui.failure(failure);
            Exit::Errors.into()
        }
    }
}

impl Command {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Command::Init(command) => command.run(context),
            Command::Check(command) => command.run(context),
            Command::Compile(command) => command.run(context),
            Command::Update(command) => command.run(context),
            Command::Sync(command) => command.run(context),
            Command::Prune(command) => command.run(context),
            Command::Diff(command) => command.run(context),
            Command::Slice(command) => command.run(context),
            Command::Fmt(command) => command.run(context),
            Command::Test(command) => command.run(context),
            Command::Why(command) => command.run(context),
            Command::Graph(command) => command.run(context),
            Command::Schema(command) => command.run(context),
            Command::Plan(command) => command.run(context),
            Command::Deploy(command) => command.run(context),
            Command::Drift(command) => command.run(context),
            Command::Status(command) => command.run(context),
            Command::History(command) => command.run(context),
            Command::Rollback(command) => command.run(context),
            Command::State(command) => command.run(context),
            Command::Explain(command) => command.run(context),
            Command::Completions(command) => command.run(context),
            Command::Man(command) => command.run(context),
            Command::Sim(command) => command.run(context),
            Command::Agent(command) => command.run(context),
        }
    }
}

/// The command line as a value: for completions, manual pages and the reference.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
