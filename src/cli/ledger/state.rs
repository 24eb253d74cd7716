//! `gops state`: what an operator says about a ledger.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::ui::{Stream, Ui};
use super::super::why::find;
use super::super::workspace::Workspace;
use super::super::{Context, Exit, Failure};
use super::Which;
use crate::base::{DiskSystem, System};
use crate::deploy::{self, Options, Order, Orders, Selector};
use crate::diag::did_you_mean;
use crate::graph::id;
use crate::state::{Condition, Holding, Row, Snapshot};

/// Show the ledger, and mend it where only you know what is so
///
/// What a deploy does keeps the ledger right by itself. These are for what it cannot know: a machine that
/// is no more, an object that is ours after all, one that is to be let go. Each takes the lock, is written
/// into the journal with who said it and what was dropped, and leaves a copy of the ledger as it was. None
/// of them touches a target.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops state show                         all that the ledger knows, a line each
  gops state show 'TextFile[path=/a]'     one resource, with all that is known of it
  gops state forget 'TextFile[path=/a]'   leave it where it is, and know nothing of it any more
  gops state retire web1                  web1 is no more, and what was on it
  gops state recover                      the ledger is lost: rebuild it from the marks on the targets
  gops state export ledger.json           the whole ledger; `gops state import` puts it in place")]
pub(crate) struct State {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(Show),
    Export(Export),
    Import(Import),
    Mv(Mv),
    Claim(Claim),
    Forget(Forget),
    Retire(Retire),
    Recover(Recover),
    Unprotect(Unprotect),
}

/// Say what the ledger knows: of all resources, of those that are selected, or of one
#[derive(Args)]
struct Show {
    /// One resource, by its id, or a selector: docs/selectors.md
    what: Option<String>,
    #[command(flatten)]
    which: Which,
    /// For scripts: one list, with all that is known
    #[arg(long)]
    json: bool,
}

/// Write the whole ledger into a file: rows, open effects, generations with their graphs, the journal
///
/// Secrets are not in it, but for their keyed prints; what was deployed is. Keep it as you keep the ledger.
#[derive(Args)]
struct Export {
    /// The file; `-` is standard output
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Put an exported ledger in the place of the present one
///
/// For a move to another machine, or back to a copy. A target that was deployed to since knows, and refuses
/// a ledger that is older than it.
#[derive(Args)]
struct Import {
    /// What `gops state export` wrote
    file: PathBuf,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asking: Asking,
}

/// Say that an object goes on under another id, which the project has for what is in the same place
///
/// As after the rename of a type. What is to be in another place is moved by the model: a line `moved A to B`
/// says so to every deployer, and a deploy brings it there.
#[derive(Args)]
struct Mv {
    /// The id that it has
    from: String,
    /// The id that it gets
    to: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asking: Asking,
}

/// Say that what is in doubt is ours: then it is deleted once it is no longer wanted
///
/// After a crash gops may not know whether it made what is there; that is never deleted before somebody
/// has said so. `gops status` lists it.
#[derive(Args)]
struct Claim {
    /// The resource
    id: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asking: Asking,
}

/// Leave something where it is, and know nothing of it any more
///
/// Take it out of the project first: what the project still wants is found there with the mark of this
/// ledger, and the next deploy takes it back.
#[derive(Args)]
struct Forget {
    /// The resource
    id: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asking: Asking,
}

/// Say that a target is no more, and what was on it with it
///
/// A machine that was made anew under its old name is deployed to afresh; what was on the old one waits
/// until it is retired.
#[derive(Args)]
struct Retire {
    /// The target, by its key or its id
    target: String,
    /// Which machine, if several had the name
    #[arg(long, value_name = "ID")]
    identity: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asking: Asking,
}

/// Rebuild a ledger that was lost, or is older than its targets, from the marks on what it made
///
/// Looks through the roots of all targets for what has the mark of this project's ledger and no row in it.
/// What the project has there goes on as that; the rest is deleted by the next deploy, as what is no longer
/// wanted is. Links and parts of files have no mark that could be found so: what the project still wants of
/// parts is taken back by the next deploy, links need `adopt`.
#[derive(Args)]
struct Recover {
    /// Whose marks, if there are those of several ledgers
    #[arg(long, value_name = "LINEAGE")]
    lineage: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asking: Asking,
}

/// Let something go that the model had protected, and that is no longer wanted
#[derive(Args)]
struct Unprotect {
    /// The resource
    id: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
struct Asking {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// For scripts: what was done as one object
    #[arg(long)]
    json: bool,
}

impl State {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.command {
            Command::Show(command) => command.run(context),
            Command::Export(command) => command.run(context),
            Command::Import(command) => command.run(context),
            Command::Mv(Mv { from, to, which, asking }) => {
                let mut workspace = Workspace::open_active(context, which.env.as_deref())?;
                let Some(graph) = workspace.graph(context)? else { return Ok(Exit::Errors) };
                let to = find(&graph, to).map(|id| graph.node(id).cloned())?;
                let to = to.ok_or_else(|| Failure::Unknown {
                    what: "resource in the project",
                    written: from.clone(),
                    help: "targets have no row in the ledger".to_owned(),
                })?;
                asking.order(context, which, &Order::Move { from: from.clone(), to: Box::new(to) })
            }
            Command::Claim(Claim { id, which, asking }) => {
                asking.order(context, which, &Order::Claim(id.clone()))
            }
            Command::Forget(Forget { id, which, asking }) => {
                asking.order(context, which, &Order::Forget(id.clone()))
            }
            Command::Retire(Retire { target, identity, which, asking }) => {
                let (target, identity) = (target.clone(), identity.clone());
                asking.order(context, which, &Order::Retire { target, identity })
            }
            Command::Recover(command) => command.run(context),
            Command::Unprotect(Unprotect { id, which, asking }) => {
                asking.order(context, which, &Order::Unprotect(id.clone()))
            }
        }
    }
}

impl Recover {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (options, _) = self.which.options(context)?;
        let mut workspace = Workspace::open_active(context, self.which.env.as_deref())?;
        let Some(graph) = workspace.graph(context)? else { return Ok(Exit::Errors) };
        let (graph, system) = (graph.seal(), DiskSystem::new(&workspace.root));
        let system: Arc<dyn System> = Arc::new(system);
        self.asking.run(context, options, |options, agree| {
            deploy::reclaim(&graph, &system, options, self.lineage.as_deref(), agree)
        })
    }
}

impl Asking {
    fn order(&self, context: &Context, which: &Which, order: &Order) -> Result<Exit, Failure> {
        let (options, _) = which.options(context)?;
        self.run(context, options, |options, agree| deploy::operate(order, options, agree))
    }

    /// Shows what is about to be written, asks, and says where the copy is.
    fn run(
        &self,
        context: &Context,
        options: Options,
        write: impl FnOnce(&Options, &mut dyn FnMut(&Orders) -> bool) -> Result<Option<PathBuf>, deploy::Error>,
    ) -> Result<Exit, Failure> {
        let options = Options { author: deploy::author(), ..options };
        let ui = &context.ui;
        let mut said: Vec<String> = Vec::new();
        let mut answer = Some(true);
        let copy = write(&options, &mut |orders| {
            said.clone_from(&orders.lines);
            if !self.json {
                // Nothing of it is so yet.
                let head = if self.yes { "" } else { "once you agree:\n" };
                ui.result(&(head.to_owned() + &orders.lines.join("\n") + "\n"));
            }
            if !self.yes {
                answer = ui.confirm("Write this into the ledger?");
            }
            answer == Some(true)
        })?;
        match (copy, answer) {
            (Some(copy), _) if self.json => {
                ui.result(&format!("{:#}\n", json!({ "done": said, "copy": copy.display().to_string() })));
                Ok(Exit::Fine)
            }
            (Some(copy), _) => {
                ui.note(&format!("the ledger as it was is in {}", copy.display()));
                Ok(Exit::Fine)
            }
            (None, None) => Err(Failure::Unasked),
            (None, _) => {
                ui.note("nothing was done");
                Ok(Exit::Errors)
            }
        }
    }
}

impl Export {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (options, _) = self.which.options(context)?;
        let text = format!("{:#}\n", deploy::export(&options)?);
        if self.file.as_os_str() == "-" {
            context.ui.result(&text);
            return Ok(Exit::Fine);
        }
        let path = context.path(&self.file);
        super::write_private(&path, &text)?;
        context.ui.note(&format!("the ledger is in {}", self.file.display()));
        Ok(Exit::Fine)
    }
}

impl Import {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (options, _) = self.which.options(context)?;
        let path = context.path(&self.file);
        let bytes = std::fs::read(&path).map_err(Failure::read(&path))?;
        let document: Value = serde_json::from_slice(&bytes)
            .map_err(|e| Failure::LedgerFile { path: self.file.clone(), why: e.to_string() })?;
        self.asking.run(context, options, |options, agree| deploy::import(&document, options, agree))
    }
}

impl Show {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (options, _) = self.which.options(context)?;
        let ui = &context.ui;
        let ledger = deploy::ledger(&options)?.unwrap_or_default();
        let rows = match &self.what {
            None => ledger.rows.values().collect(),
            Some(written) => selected(&ledger, written)?,
        };
        if self.json {
            let list: Vec<Value> = rows.iter().map(|row| row.to_json()).collect();
            ui.result(&format!("{:#}\n", json!(list)));
            return Ok(Exit::Fine);
        }
        match (rows.as_slice(), &self.what) {
            ([], _) => ui.result("The ledger knows of nothing\n"),
            ([one], Some(_)) => ui.result(&detail(one, ui)),
            (several, _) => several.iter().for_each(|row| ui.result(&line(row))),
        }
        Ok(Exit::Fine)
    }
}

/// The rows that a selector, or the id of one, selects.
fn selected<'a>(ledger: &'a Snapshot, written: &str) -> Result<Vec<&'a Row>, Failure> {
    let selector = Selector::parse(written).map_err(deploy::Error::from)?;
    let rows: Vec<&Row> = ledger.rows.values().filter(|row| selector.selects(&row.key.id)).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    let shown: Vec<String> = ledger.rows.keys().map(|key| id::shown(&key.id).into_owned()).collect();
    let help = did_you_mean(written, shown.iter().map(String::as_str));
    let help = help.unwrap_or_else(|| "`gops state show` lists what the ledger knows".to_owned());
    Err(Failure::Unknown { what: "resource in the ledger that is", written: written.to_owned(), help })
}

/// What is remarkable of a row.
pub(in super::super) fn remarks(row: &Row) -> Vec<&'static str> {
    let all = [
        (row.holding == Holding::Adopted, "taken over"),
        (row.condition == Condition::Doubt, "in doubt"),
        (row.condition == Condition::Deposed, "about to be deleted"),
        (row.condition == Condition::Retained, "no longer wanted"),
        (row.protect, "protected"),
        (row.keep, "kept"),
        (!row.ready, "not ready"),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, remark)| remark).collect()
}

fn line(row: &Row) -> String {
    let remarks = remarks(row);
    let remarks = if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join(", ")) };
    format!("{}{remarks}\n", id::shown(&row.key.id))
}

fn detail(row: &Row, ui: &Ui) -> String {
    let mut out = format!("{}\n", ui.bold(&row.key.id, Stream::Out));
    let mut say = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {name:11} {value}");
        }
    };
    say("is", &remarks(row).join(", "));
    say("made by", &format!("generation {}", row.generation));
    say("on", &format!("{} ({})", id::shown(&row.place.target), row.place.identity));
    say("holds", &row.claims.join(", "));
    let uses: Vec<String> = row.requires.iter().map(|id| id::shown(id).into_owned()).collect();
    say("uses", &uses.join(", "));
    say("applied", &row.recorded.fields);
    say("outputs", &row.recorded.outputs);
    out
}
