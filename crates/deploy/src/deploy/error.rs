//! What stops a deploy as a whole.

use crate::handler::Fault;
use crate::state::{LockError, StoreError};

use super::selector::SelectorError;

/// Why nothing, or nothing more, is done.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum Error {
    /// The ledger could not be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// The project has mistakes, which have been said.
    #[error("the project has mistakes")]
    #[diagnostic(code(gops::deploy::mistakes), help("nothing was done"))]
    Mistakes,
    /// The work tree is not what was committed.
    #[error("{} the commit that is deployed ({revision})", differ(.files))]
    #[diagnostic(
        code(gops::deploy::dirty),
        help("commit them, or deploy them as they are with `--dirty`; nothing was done")
    )]
    Dirty {
        /// The commit.
        revision: String,
        /// The files that differ from it, by their paths in the project.
        files: Vec<String>,
    },
    /// A selector that cannot be read, or selects nothing.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Selector(#[from] Box<SelectorError>),
    /// A target that is not known.
    #[error("there is no target `{written}`")]
    #[diagnostic(code(gops::deploy::no_target))]
    NoTarget {
        /// What was written.
        written: String,
        /// What may have been meant.
        #[help]
        help: String,
    },
    /// A saved plan, and something has moved since.
    #[error("the plan is not good any more: {what}")]
    #[diagnostic(
        code(gops::deploy::saved_plan),
        help("make it anew with `gops plan --out FILE`, and read it again; nothing was done")
    )]
    SavedPlan {
        /// What has.
        what: String,
    },
    /// What an operator says cannot be.
    #[error("{what}")]
    #[diagnostic(code(gops::deploy::state))]
    Order {
        /// Why not.
        what: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// There is no such generation.
    #[error("there is no generation {number}")]
    #[diagnostic(code(gops::deploy::no_generation))]
    NoGeneration {
        /// What was asked for.
        number: u64,
        /// Which there are.
        #[help]
        help: String,
    },
    /// An old generation needs what is not there any more.
    #[error("generation {number} cannot be deployed again: {what}")]
    #[diagnostic(
        code(gops::deploy::unavailable),
        help(
            "bring it back (in Git, the commit of that generation has it: `gops history` names it), or deploy sources that do without; nothing was done"
        )
    )]
    Unavailable {
        /// The generation.
        number: u64,
        /// Who needs what.
        what: String,
    },
    /// Another deployer is at work.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockError),
    /// A resource names a handler that this program does not have.
    #[error("this gops has no handler `{handler}`, which {} needs{}", .id, others(*.more))]
    #[diagnostic(code(gops::deploy::handler), help("it has {known}; nothing was done"))]
    Handler {
        /// The handler.
        handler: String,
        /// A resource that names it.
        id: String,
        /// How many more there are.
        more: usize,
        /// The handlers that there are.
        known: String,
    },
    /// A target that cannot be reached in the way that it says.
    #[error("{target}: {problem}")]
    #[diagnostic(code(gops::deploy::target))]
    Target {
        /// The id of the target.
        target: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        #[help]
        help: Option<String>,
    },
    /// It would take away more than the project allows.
    #[error(
        "this would take away {rows} of the resources, and no more than {limit} may go in one generation"
    )]
    #[diagnostic(
        code(gops::deploy::guard),
        help(
            "if that is meant, approve it in gops.toml: `[[guard.allow]]`, `base = \"{base}\"`, `deletions = {rows}`"
        )
    )]
    Guard {
        /// Taken away since the generation was started, or about to be.
        rows: u64,
        /// How many may be.
        limit: u64,
        /// The digest of the generation that was started last before this one.
        base: String,
    },
    /// The sources do not follow those that were deployed last.
    #[error("{revision} does not {}descend from {last}, which was deployed last", if *.unknown { "certainly " } else { "" })]
    #[diagnostic(
        code(gops::deploy::rewritten),
        help(
            "fetch the newest commits, or, if the history was rewritten on purpose, say so with `--accept-rewrite {last}`; nothing was done"
        )
    )]
    Rewritten {
        /// The revision of the sources.
        revision: String,
        /// The one that was deployed last.
        last: String,
        /// Whether Git does not know one of them.
        unknown: bool,
    },
    /// A target was used with a ledger that is not this one.
    #[error(
        "this ledger is not the one that {target} was last used with: it is old, or a copy (epoch {ours}, the target's is {theirs})"
    )]
    #[diagnostic(
        code(gops::deploy::old_ledger),
        help(
            "use the newest ledger, or, if it is lost, bring this one up to date from the marks on the targets: `gops state recover`; nothing was done, and nothing will be with this one as it is"
        )
    )]
    OldLedger {
        /// The id of the target.
        target: String,
        /// The epoch that it accepted last.
        theirs: u64,
        /// The epoch of this run.
        ours: u64,
    },
    /// The ledger is empty, and the target is not.
    #[error(
        "this ledger is empty, and {target} was deployed to from another ledger of this project ({lineage})"
    )]
    #[diagnostic(
        code(gops::deploy::lost_ledger),
        help(
            "bring that ledger here, or, if it is lost, rebuild it from the marks on the targets: `gops state recover`; nothing was done"
        )
    )]
    LostLedger {
        /// The id of the target.
        target: String,
        /// The lineage of the other ledger.
        lineage: String,
    },
    /// The graph holds what no compiler makes.
    #[error("the graph is damaged at {id}: {problem}")]
    #[diagnostic(code(gops::deploy::graph), help("compile again; nothing was done"))]
    Graph {
        /// The node.
        id: String,
        /// What is wrong.
        problem: String,
    },
}

/// How many files a message names.
const NAMED: usize = 5;

/// `a.yaml and b.yaml differ from`
fn differ(files: &[String]) -> String {
    let named = files.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match (files.len(), files.len().saturating_sub(NAMED)) {
        (0, _) => "files differ from".to_owned(),
        (1, _) => format!("{named} differs from"),
        (_, 0) => format!("{named} differ from"),
        (_, more) => format!("{named} and {more} more differ from"),
    }
}

fn others(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more)") }
}

impl From<SelectorError> for Error {
    fn from(error: SelectorError) -> Self {
        Error::Selector(Box::new(error))
    }
}

impl Error {
    pub(super) fn target(target: &str, fault: Fault) -> Self {
        Error::Target { target: target.to_owned(), problem: fault.message, help: fault.help }
    }
}
