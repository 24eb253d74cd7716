//! A run, from its options to its outcome.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ecow::EcoString;

use crate::agent::Remotes;
use crate::base::System;
use crate::graph::Allow;
use crate::handler::{Clock, Registry, SystemClock, SystemRandom, Token};
use crate::project::config::Limit;
use crate::state::{
    Coord, Holder, LockError, MemoryStore, Revision, Snapshot, SqliteStore, Store, ledger_folder, print_key,
};

use super::Error;
use super::engine::driver::Driver;
use super::engine::foreign::Search;
use super::engine::machine::Request;
use super::engine::outcome::{Outcome, Verdict};
use super::guard::{Repository, follows};
use super::past::{self, Source};
use super::planning::plan::Plan;
use super::saved::{Bound, MadeFor, Same, SavedPlan};
use super::scope::Choice;
use super::secrets::{Prints, Secrets, has_secrets};
use super::target::Targets;
use super::who::machine;

/// How often a lock that somebody else holds is tried.
const KNOCK: Duration = Duration::from_millis(200);

/// What a run is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Look and plan; neither the ledger nor a target is written.
    Plan,
    /// Do what was planned, if the observer agrees.
    #[default]
    Deploy,
}

/// How a run is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is to be done.
    pub mode: Mode,
    /// Names the project's ledger; see [`project_id`](crate::state::project_id).
    pub project: EcoString,
    /// Where ledgers are kept, if not in the usual place.
    pub state: Option<PathBuf>,
    /// The folder that stands for `/` of the machine that deploys; a folder in it, named by its
    /// key, stands for that of each other target.
    pub root: Option<PathBuf>,
    /// Read everything again, also what looks unchanged.
    pub verify: bool,
    /// How long to wait for another deployer to be done.
    pub wait: Option<Duration>,
    /// The environment, which has a ledger of its own.
    pub environment: Option<EcoString>,
    /// What it is for.
    pub choice: Choice,
    /// Whether files may differ from the commit that they are deployed as.
    pub dirty: bool,
    /// How much one generation may take away.
    pub limit: Option<Limit>,
    /// The folder whose repository says which revision follows which.
    pub repository: Option<PathBuf>,
    /// Whether to look for what somebody else put into what gops made.
    pub foreign: bool,
    /// Who deploys.
    pub author: EcoString,
    /// Why, if not because the sources are so.
    pub cause: EcoString,
    /// The plan that is to be done, and no other.
    pub saved: Option<Arc<SavedPlan>>,
    /// The revision that was deployed last, if what is deployed now need not follow it.
    pub accept_rewrite: Option<String>,
}

impl Options {
    /// What a plan of such a run is bound to.
    fn bound<'a>(
        &self,
        ledger: &'a Snapshot,
        revision: Option<&'a EcoString>,
        allow: &'a [Allow],
    ) -> Bound<'a> {
        let made_for = MadeFor {
            project: self.project.to_string(),
            env: self.environment.as_ref().map(EcoString::to_string),
            root: self.root.as_ref().map(|root| root.display().to_string()),
            only: self.choice.only.iter().map(|selector| selector.text().to_owned()).collect(),
            targets: self.choice.targets.clone(),
        };
        Bound { made_for, ledger, revision, allow, limit: self.limit }
    }
}

/// Watches a run, and agrees to its plan.
pub trait Observer {
    /// The plan is made. Says whether it is to be done; not asked if only a plan was wanted.
    fn planned(&mut self, plan: &Plan) -> bool;

    /// Something happened.
    fn progress(&mut self, _progress: &Progress<'_>) {}
}

/// What happens in a run.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Another deployer is at work, and is waited for.
    Waiting {
        /// What is known of it.
        holder: Option<&'a Holder>,
    },
    /// So many things are being looked at.
    Looking(usize),
    /// These entries of the plan are being done.
    Begun(&'a Plan, &'a [usize]),
    /// This became of an entry of the plan.
    Ended(&'a Plan, usize, &'a Verdict),
}

/// Plans, and deploys if that is wanted.
///
/// `source` is compiled with what the ledger says was there before; `project` holds the files of the project, for what is copied from it. An error means that it
/// did not come to a plan; what happens later is in the outcome.
pub fn run(
    source: &mut dyn Source,
    project: Arc<dyn System>,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let (clock, random) = (SystemClock, SystemRandom);
    let environment = options.environment.clone();
    let folder = ledger_folder(options.state.as_deref(), &options.project, environment.as_deref())?;
    let registry = Registry::standard();
    let mut ledger: Box<dyn Ledger> = match options.mode {
        Mode::Deploy => Box::new(SqliteStore::open(&folder, &random)?),
        Mode::Plan => match SqliteStore::open_existing(&folder)? {
            Some(store) => Box::new(store),
            None => Box::new(MemoryStore::new(&random)),
        },
    };
    let nonce = Token::new(&random);
    if options.mode == Mode::Deploy {
        take_lock(&mut *ledger, &nonce, options.wait, &clock, observer)?;
    }
    let snapshot = ledger.load()?;
    if let Some(saved) = &options.saved {
        saved.fits_ledger(&snapshot)?;
    }
    let (mut graph, mut past) = past::compile(source, &snapshot, &mut *ledger)?;
    let (scope, note) = options.choice.scope(&graph, &snapshot)?;
    past.notes.extend(note);
    past.author = options.author.clone();
    past.cause = options.cause.clone();
    let revision = graph.header().source.revision.clone();
    if let (Mode::Deploy, Some(folder)) = (options.mode, &options.repository) {
        if let Some(commit) = revision.as_ref().and_then(|r| r.strip_suffix('+')).filter(|_| !options.dirty) {
            let files = source.changed_files();
            return Err(Error::Dirty { revision: commit.chars().take(12).collect(), files });
        }
        let ancestry = Repository(folder.clone());
        let accepted = options.accept_rewrite.as_deref();
        follows(snapshot.generations.last(), revision.as_deref(), accepted, &ancestry)?;
    }
    if let Some(saved) = &options.saved {
        let bound = options.bound(&snapshot, revision.as_ref(), &graph.header().allow);
        saved.fits_sources(&graph.desired().to_string(), &bound)?;
    }
    let seen = source.known();
    source.let_go();
    let mut targets = Targets::of(&graph, &snapshot, options.root.as_deref())?;
    let remotes = Remotes::connect(targets.remote(), &registry, &project);
    targets.identify(|target| remotes.identity(target));
    let name = match &environment {
        Some(environment) => ecow::eco_format!("{}/{environment}", options.project),
        None => options.project.clone(),
    };
    let secret = has_secrets(&graph);
    let key = print_key(&folder, &random, secret && options.mode == Mode::Deploy)?;
    let secrets = Secrets::new(project.clone(), &past.systems, key);
    let prints = if secret { secrets.prints(&graph) } else { Prints::default() };
    let driver = Driver {
        project,
        name,
        targets: &targets,
        registry: &registry,
        reach: &remotes,
        clock: &clock,
        secrets: &secrets,
    };
    let request = Request {
        graph: &mut graph,
        nonce: nonce.clone(),
        targets: &targets,
        registry: &registry,
        random: &random,
        mode: options.mode,
        verify: options.verify,
        limit: options.limit,
        past,
        scope: &scope,
        prints,
    };
    // What it was before the run changed it, for who asks for it: it may be large.
    let known = (options.mode == Mode::Plan || options.foreign).then(|| snapshot.clone());
    let mut outcome = match &options.saved {
        None => driver.drive(request, snapshot, &mut *ledger, observer)?,
        Some(saved) => {
            let lineage = snapshot.lineage.clone();
            let mut same = Same { observer, saved, lineage, differences: Vec::new() };
            let outcome = driver.drive(request, snapshot, &mut *ledger, &mut same)?;
            match same.error() {
                Some(error) => return Err(error),
                None => outcome,
            }
        }
    };
    if let (Mode::Plan, Some(known)) = (options.mode, &known) {
        let header = graph.header();
        let bound = options.bound(known, revision.as_ref(), &header.allow);
        outcome.saved = Some(SavedPlan::of(&outcome.plan, &bound));
    }
    if let Some(ledger) = known.as_ref().filter(|_| options.foreign) {
        let search = Search {
            ledger,
            targets: &targets,
            registry: &registry,
            reach: &remotes,
            scope: &scope,
            clock: &clock,
            project: driver.project.clone(),
            nonce,
        };
        outcome.foreign = search.find();
    }
    if let Some(receipt) = &mut outcome.receipt {
        past::seen(receipt, &graph, seen);
    }
    Ok(outcome)
}

/// A store that also keeps others out.
pub(super) trait Ledger: Store + Coord {}
impl<T: Store + Coord> Ledger for T {}

pub(super) fn take_lock(
    ledger: &mut dyn Ledger,
    nonce: &Token,
    wait: Option<Duration>,
    clock: &dyn Clock,
    observer: &mut dyn Observer,
) -> Result<Revision, Error> {
    let holder = Holder { process: std::process::id(), machine: machine(), since: clock.now() };
    let until = wait.unwrap_or_default();
    let mut told = false;
    loop {
        match ledger.acquire(&holder, nonce) {
            Err(LockError::Held { holder: other }) if clock.now().since(holder.since) < until => {
                if !told {
                    observer.progress(&Progress::Waiting { holder: other.as_ref() });
                    told = true;
                }
                clock.sleep(KNOCK);
            }
            taken => return Ok(taken?),
        }
    }
}
