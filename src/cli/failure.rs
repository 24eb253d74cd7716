//! What stops a command that is no mistake in a source: each with what to do about it.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Why a command could not do its work.
#[derive(Debug, Error, Diagnostic)]
pub enum Failure {
    /// No project here.
    #[error("there is no gops.toml in {} or in a folder above it", .0.display())]
    #[diagnostic(
        code(gops::no_project),
        help("`gops init` makes a project here; `-C DIR` works on one elsewhere")
    )]
    NoProject(PathBuf),
    /// A file or folder could not be read.
    #[error("cannot read {}", path.display())]
    #[diagnostic(code(gops::read))]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not.
        #[source]
        source: std::io::Error,
    },
    /// A file or folder could not be written.
    #[error("cannot write {}", path.display())]
    #[diagnostic(code(gops::write))]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why it could not.
        #[source]
        source: std::io::Error,
    },
    /// A change of several files was not made.
    #[error("nothing was written to {}", path.display())]
    #[diagnostic(code(gops::unwritten), help("all files are as they were"))]
    Unwritten {
        /// The project.
        path: PathBuf,
        /// Why it could not.
        #[source]
        source: std::io::Error,
    },
    /// Somebody else changes the project.
    #[error("another gops is writing to {}", .0.display())]
    #[diagnostic(code(gops::writing), help("wait until it has ended, and try again"))]
    Writing(PathBuf),
    /// There is no active store.
    #[error("this project keeps no active store: its history is in Git")]
    #[diagnostic(
        code(gops::history),
        help(
            "what the instance files say is deployed as it is; for explicit activation write `history = \"active\"` into gops.toml"
        )
    )]
    NotActive,
    /// `init` would overwrite something.
    #[error("{} is there already", .0.display())]
    #[diagnostic(
        code(gops::exists),
        help("`gops init NAME` makes a new folder; nothing that exists is overwritten")
    )]
    Exists(PathBuf),
    /// `slice new` would overwrite something.
    #[error("{} is there already", .0.display())]
    #[diagnostic(code(gops::exists), help("open it; nothing that exists is overwritten"))]
    Taken(PathBuf),
    /// A key of another number of words.
    #[error("the key of `{slice}` is {wanted}")]
    #[diagnostic(code(gops::key), help("`gops slice {verb} {slice} {wanted}`"))]
    Key {
        /// The command.
        verb: &'static str,
        /// The slice.
        slice: String,
        /// Its key fields.
        wanted: String,
    },
    /// A name that cannot be a project's.
    #[error("`{0}` cannot be a project's name")]
    #[diagnostic(
        code(gops::name),
        help("a name has letters, digits, `-` and `_`, and starts with a letter: `--name shop`")
    )]
    Name(String),
    /// What this program wrote it cannot read.
    #[error("the graph cannot be read back")]
    #[diagnostic(code(gops::graph), help("this is a fault of gops: please report it"))]
    Graph(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The program was built without a part.
    #[error("this gops was built without the feature `{0}`")]
    #[diagnostic(code(gops::feature), help("`cargo install gops` builds it with all features"))]
    Feature(&'static str),
    /// A simulated life cannot be read.
    #[error("this is no simulated life: {problem}")]
    #[diagnostic(code(gops::case), help("paste the line that `gops sim` printed, in single quotes"))]
    Case {
        /// What is wrong.
        problem: String,
    },
    /// The connection of an agent.
    #[error("the connection to the gops that deploys has failed")]
    #[diagnostic(code(gops::agent), help("nobody starts `gops agent` by hand: a deploy over ssh does"))]
    Agent(#[source] std::io::Error),
    /// A panic.
    #[error("gops stopped because of a fault of its own")]
    #[diagnostic(
        code(gops::internal),
        help("please report it with the message above; with RUST_BACKTRACE=1 it says more")
    )]
    Internal,
    /// A deploy would have had to ask.
    #[error("nobody is there to agree to the plan")]
    #[diagnostic(code(gops::unasked), help("`--yes` does it without asking; nothing was done"))]
    Unasked,
    /// What the deploy says.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Deploy(#[from] crate::deploy::Error),
    /// What Git says.
    #[error("cannot tell which project this is")]
    #[diagnostic(
        code(gops::git),
        help("write an `id` into gops.toml, any word that no other project has: `id = \"shop-1\"`")
    )]
    Git(#[from] crate::git::GitError),
    /// There is nothing to compare with.
    #[error("{why}")]
    #[diagnostic(code(gops::base))]
    Base {
        /// Why.
        why: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// A format that does not go with the rest of the command.
    #[error("`--format markdown` shows a change, and nothing says what it is compared with")]
    #[diagnostic(
        code(gops::usage),
        help("`gops compile --base --format markdown` compares with where the branch began")
    )]
    NoBase,
    /// A file that is no graph.
    #[error("cannot read the graph in {}", path.display())]
    #[diagnostic(code(gops::graph_file), help("`gops compile -o FILE` writes one"))]
    GraphFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: crate::graph::GraphError,
    },
    /// A file that is no plan.
    #[error("cannot read the plan in {}: {why}", path.display())]
    #[diagnostic(code(gops::plan_file), help("`gops plan --out FILE` writes one"))]
    PlanFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file that is no ledger.
    #[error("cannot read the ledger in {}: {why}", path.display())]
    #[diagnostic(code(gops::ledger_file), help("`gops state export FILE` writes one"))]
    LedgerFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Each environment has a ledger of its own.
    #[error("each environment of this project has a ledger of its own")]
    #[diagnostic(code(gops::environment))]
    Environment {
        /// Which there are.
        #[help]
        help: String,
    },
    /// A name that is not known, of something that the message says.
    #[error("there is no {what} `{written}`")]
    #[diagnostic(code(gops::unknown))]
    Unknown {
        /// Of what: `code`, `resource`.
        what: &'static str,
        /// What was written.
        written: String,
        /// What may have been meant.
        #[help]
        help: String,
    },
}

impl From<crate::project::revision::BaseError> for Failure {
    fn from(error: crate::project::revision::BaseError) -> Self {
        use crate::project::revision::BaseError;
        match error {
            BaseError::Git(error) => Failure::Base { why: error.to_string(), help: error.help() },
            BaseError::NoGit => Failure::Feature("git"),
            BaseError::NoProject(folder) => Failure::NoProject(folder),
        }
    }
}

impl Failure {
    /// A failed read of `path`.
    pub fn read(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Failure {
        let path = path.as_ref().to_owned();
        move |source| Failure::Read { path, source }
    }

    /// A failed write of `path`.
    pub fn write(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Failure {
        let path = path.as_ref().to_owned();
        move |source| Failure::Write { path, source }
    }
}
