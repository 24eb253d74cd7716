//! `gops drift`

use std::fmt::Write as _;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::super::change::{self, Sign};
use super::super::ui::{Stream, Ui};
use super::super::workspace::Workspace;
use super::super::{Context, Exit, Failure};
use super::{Choosing, Scratch, ledger};
use crate::base::DiskSystem;
use crate::deploy::{self, Difference, Differs, Foreign, Mode, Observer, Options, Plan, Progress};
use crate::graph::{Drift as Policy, GraphValue, id};
use crate::handler::{FieldChange, Shown};

/// How many foreign entries of one place are named.
const NAMED: usize = 10;

/// Say what was changed on the targets since it was deployed, and change nothing
///
/// Compares what was deployed last, as the ledger has it, with what is there now, field by field.
/// What the project says meanwhile makes no difference: a change of that is no drift, and `gops plan`
/// shows it. Files that somebody else put into directories that gops made are listed too.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops drift                    what differs, from what was deployed to what is there
  gops drift --exit-code        exit code 2 if something differs: for a nightly job
  gops drift --target web1      on web1 alone
  gops drift --json             for scripts

`gops deploy` mends what differs, unless the model says `drift report` or `drift ignore […]`.

Exit codes: 0 compared, 1 an error, 2 with --exit-code: something differs that the model does not say to
leave so. Foreign files alone do not count: no deploy would touch them.")]
pub(crate) struct Drift {
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Where the ledger is kept; by default below $XDG_STATE_HOME or ~/.local/state
    #[arg(long, value_name = "DIR")]
    state: Option<std::path::PathBuf>,
    /// Where it was deployed to, if not to /
    #[arg(long, value_name = "DIR")]
    root: Option<std::path::PathBuf>,
    #[command(flatten)]
    choosing: Choosing,
    /// Read everything again, also what looks untouched
    #[arg(long)]
    verify: bool,
    /// End with 2 if something differs
    #[arg(long)]
    exit_code: bool,
    /// For scripts: one object
    #[arg(long)]
    json: bool,
}

impl Drift {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let choice = self.choosing.choice()?;
        let workspace = Workspace::open(context, self.env.as_deref())?;
        let state = self.state.as_ref().map(|path| context.path(path));
        let root = self.root.as_ref().map(|path| context.path(path));
        let options = Options {
            environment: ledger::environment(&workspace, self.env.as_deref())?,
            project: ledger::project(&workspace, state.as_deref(), root.as_deref(), self.env.as_deref())?,
            state,
            root,
            verify: self.verify,
            choice,
            ..Options::default()
        };
        let scratch = Scratch::make(options.root.as_deref(), Mode::Plan)?;
        let system = Arc::new(DiskSystem::new(&workspace.root));
        let found = deploy::drift(system, &options, &mut Quiet(context))?;
        drop(scratch);
        let ui = &context.ui;
        match self.json {
            true => ui.result(&format!("{:#}\n", json(&found))),
            false => ui.result(&text(&found, ui)),
        }
        Ok(if self.exit_code && found.differs() { Exit::Changes } else { Exit::Fine })
    }
}

/// Nothing is asked, and only the curious are told.
struct Quiet<'a>(&'a Context);

impl Observer for Quiet<'_> {
    fn planned(&mut self, _: &Plan) -> bool {
        false
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        if let Progress::Looking(count) = progress {
            self.0.ui.detail(&format!("looking at {count} resources"));
        }
    }
}

fn text(drift: &deploy::Drift, ui: &Ui) -> String {
    let Some(generation) = drift.generation else {
        return crate::cli::ledger::NOTHING.to_owned();
    };
    let mut out = String::new();
    for found in &drift.differences {
        out += &difference(found, ui);
    }
    for found in &drift.foreign {
        out += &foreign(found, ui);
    }
    for note in &drift.notes {
        let _ = writeln!(out, "{} {note}", ui.yellow("note:", Stream::Out));
    }
    if drift.pending > 0 {
        let s = if drift.pending == 1 { " is" } else { "s are" };
        let text = format!(
            "{} resource{s} of generation {generation} not settled yet: `gops status` says which",
            drift.pending
        );
        let _ = writeln!(out, "{} {text}", ui.yellow("note:", Stream::Out));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out + &ui.bold(&totals(drift), Stream::Out) + "\n"
}

/// `Drift: 1 changed, 1 missing; 3 as deployed`
fn totals(drift: &deploy::Drift) -> String {
    let count = |wanted: fn(&Difference) -> bool| drift.differences.iter().filter(|d| wanted(d)).count();
    let parts = [
        (count(|d| matches!(d.what, Differs::Changed(_)) && !d.is_ignored()), "changed"),
        (count(|d| d.what == Differs::Missing), "missing"),
        (count(|d| matches!(d.what, Differs::Unlike(_))), "that cannot be compared"),
        (count(Difference::is_ignored), "left as it is"),
        (drift.foreign.iter().map(|f| f.entries.len()).sum(), "foreign"),
        (drift.same, "as deployed"),
    ];
    let list = change::list(&parts);
    match (drift.differs(), list.is_empty()) {
        (true, _) => format!("Drift: {list}"),
        (false, true) => "No drift: nothing is deployed".to_owned(),
        (false, false) => format!("No drift: {list}"),
    }
}

fn difference(found: &Difference, ui: &Ui) -> String {
    let (sign, remark) = match &found.what {
        Differs::Changed(_) if found.is_ignored() => (Sign::Say, "is left as it is"),
        Differs::Changed(_) => (Sign::Change, policy(&found.policy)),
        Differs::Missing => (
            Sign::Delete,
            match found.policy {
                Policy::Report => "is not there any more; only reported",
                _ => "is not there any more",
            },
        ),
        Differs::Unlike(_) => (Sign::Refuse, ""),
    };
    let remark = if remark.is_empty() { String::new() } else { format!("  ({remark})") };
    let mut out = format!("{} {}{remark}\n", change::sign(sign, ui), id::shown(&found.id));
    let place = found.origin.as_ref().map(|o| if o.instance.is_empty() { &o.model } else { &o.instance });
    if let Some(place) = place.filter(|place| !place.is_empty()) {
        let _ = writeln!(out, "    {}", ui.faint(&format!("from {place}"), Stream::Out));
    }
    match &found.what {
        Differs::Changed(changes) => changes.iter().for_each(|c| out += &field(c, &found.policy, ui)),
        Differs::Missing => {}
        Differs::Unlike(fault) => {
            let _ = writeln!(out, "    {}", ui.red(&fault.message, Stream::Out));
            if let Some(help) = &fault.help {
                let _ = writeln!(out, "    help: {help}");
            }
        }
    }
    out
}

fn policy(policy: &Policy) -> &'static str {
    match policy {
        Policy::Report => "only reported",
        Policy::Repair | Policy::Ignore(_) => "",
    }
}

/// From what was deployed to what is there.
fn field(found: &FieldChange, policy: &Policy, ui: &Ui) -> String {
    let octal = found.shown == Shown::Octal;
    let text = change::field(&found.field, found.to.as_ref(), found.from.as_ref(), "    ", octal, ui);
    match is_left(&found.field, policy) {
        true => text.replacen('\n', "  (left as it is)\n", 1),
        false => text,
    }
}

fn is_left(field: &str, policy: &Policy) -> bool {
    matches!(policy, Policy::Ignore(fields) if Policy::covers(fields, field))
}

fn foreign(found: &Foreign, ui: &Ui) -> String {
    let mut out =
        format!("{} {}  (holds what gops did not make)\n", ui.yellow("?", Stream::Out), id::shown(&found.id));
    for entry in found.entries.iter().take(NAMED) {
        let _ = writeln!(out, "    {entry}");
    }
    if let Some(more) = found.entries.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = writeln!(out, "    and {more} more");
    }
    out
}

fn json(drift: &deploy::Drift) -> Value {
    json!({
        "generation": drift.generation,
        "differs": drift.differs(),
        "differences": drift.differences.iter().map(json_difference).collect::<Vec<_>>(),
        "foreign": drift.foreign.iter().map(|found| json!({
            "id": found.id.as_str(), "target": found.target.as_str(), "entries": found.entries,
        })).collect::<Vec<_>>(),
        "notes": drift.notes,
        "totals": { "same": drift.same, "pending": drift.pending, "different": drift.differences.len() },
    })
}

fn json_difference(found: &Difference) -> Value {
    let value = |value: &Option<GraphValue>| {
        value.as_ref().and_then(|v| serde_json::from_slice::<Value>(&v.to_json()).ok()).unwrap_or_default()
    };
    let policy = match &found.policy {
        Policy::Repair => json!("repair"),
        Policy::Report => json!("report"),
        Policy::Ignore(fields) => json!({ "ignore": fields }),
    };
    let mut out = json!({
        "id": found.id.as_str(),
        "type": found.kind.as_str(),
        "target": found.target.as_str(),
        "policy": policy,
    });
    match &found.what {
        Differs::Changed(changes) => {
            out["what"] = json!("changed");
            out["fields"] = changes
                .iter()
                .map(|c| {
                    json!({
                        "field": c.field.as_str(), "deployed": value(&c.to), "found": value(&c.from),
                        "ignored": is_left(&c.field, &found.policy),
                    })
                })
                .collect();
        }
        Differs::Missing => out["what"] = json!("missing"),
        Differs::Unlike(fault) => {
            out["what"] = json!("unlike");
            out["fault"] = json!({ "message": fault.message, "help": fault.help });
        }
    }
    out
}
