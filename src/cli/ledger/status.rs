//! `gops status`

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use super::super::ui::{Stream, Ui};
use super::super::{Context, Exit, Failure};
use super::{Which, short};
use crate::deploy::{self, Standing, Stands};
use crate::graph::id;

/// How many resources of one standing are named.
const NAMED: usize = 20;

/// Say what is deployed, who is at work, and what is not settled
///
/// Reads the ledger alone, also while a deploy writes it: what somebody changed on a target meanwhile
/// `gops drift` says.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops status                   what is deployed, and what is not done yet
  gops status --exit-code       exit code 2 unless everything is as it is to be
  gops status --json            for scripts

Exit codes: 0 read, 1 an error, 2 with --exit-code: something is not settled.")]
pub(crate) struct Status {
    #[command(flatten)]
    which: Which,
    /// End with 2 if something is not settled
    #[arg(long)]
    exit_code: bool,
    /// For scripts: one object
    #[arg(long)]
    json: bool,
}

impl Status {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (options, _) = self.which.options(context)?;
        let found = deploy::status(&options)?;
        let ui = &context.ui;
        match (&found, self.json) {
            (None, true) => ui.result("null\n"),
            (None, false) => ui.result(super::NOTHING),
            (Some(found), true) => ui.result(&format!("{:#}\n", json(found))),
            (Some(found), false) => ui.result(&text(found, ui)),
        }
        let settled = found.is_none_or(|found| found.is_settled());
        Ok(if self.exit_code && !settled { Exit::Changes } else { Exit::Fine })
    }
}

fn text(status: &deploy::Status, ui: &Ui) -> String {
    let mut out = String::new();
    match &status.generation {
        None => out += &format!("{}\n", ui.bold("No generation was started yet", Stream::Out)),
        Some(last) => {
            let how = if last.finished.is_some() { "is deployed" } else { "is deployed in part" };
            out += &format!("{}\n", ui.bold(&format!("Generation {} {how}", last.number), Stream::Out));
            if !last.cause.is_empty() {
                let _ = writeln!(out, "  {}", last.cause);
            }
            if !last.revision.is_empty() {
                let _ = writeln!(out, "  commit    {}", short(&last.revision));
            }
            let by = if last.author.is_empty() { String::new() } else { format!(" by {}", last.author) };
            let _ = writeln!(out, "  started   {}{by}", last.started);
            if let Some(finished) = last.finished {
                let _ = writeln!(out, "  finished  {finished}");
            }
        }
    }
    let count = |n: usize| if n == 1 { "1 resource".to_owned() } else { format!("{n} resources") };
    for (target, n) in &status.targets {
        let _ = writeln!(out, "{} on {}", count(*n), id::shown(target));
    }
    if let Some(holder) = &status.holder {
        let who = match holder {
            Some(h) => format!("process {} on {}, since {}", h.process, h.machine, h.since),
            None => "it does not say who".to_owned(),
        };
        let _ = writeln!(out, "{} {who}", ui.yellow("a deploy is at work:", Stream::Out));
    }
    for (title, wanted) in TITLES {
        let these: Vec<&Standing> = status.open.iter().filter(|s| wanted(&s.how)).collect();
        if these.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", ui.yellow(title, Stream::Out));
        for standing in these.iter().take(NAMED) {
            let _ = writeln!(out, "  {}{}", id::shown(&standing.id), more(&standing.how));
        }
        if let Some(more) = these.len().checked_sub(NAMED).filter(|more| *more > 0) {
            let _ = writeln!(out, "  and {more} more");
        }
    }
    let _ = writeln!(
        out,
        "\n{}",
        ui.faint(&format!("the ledger is in {}", status.folder.display()), Stream::Out)
    );
    out
}

/// Whether something stands so.
type Wanted = fn(&Stands) -> bool;

const TITLES: [(&str, Wanted); 8] = [
    ("failed the last time, and is tried again by the next deploy:", |h| matches!(h, Stands::Failed(_))),
    ("begun, and nobody knows what became of it; the next deploy looks:", |h| {
        matches!(h, Stands::Unknown(..))
    }),
    ("to be deleted:", |h| *h == Stands::ToDelete),
    ("to be changed:", |h| *h == Stands::ToChange),
    ("to be made:", |h| *h == Stands::ToMake),
    ("made, and not ready yet:", |h| *h == Stands::Unready),
    ("in doubt: it may be somebody else's; `gops state claim ID` says that it is not:", |h| {
        *h == Stands::Doubt
    }),
    ("no longer wanted, and protected; `gops state unprotect ID` lets it go:", |h| *h == Stands::Retained),
];

fn more(how: &Stands) -> String {
    match how {
        Stands::Unknown(operation, since) => format!("  ({operation}, begun {since})"),
        Stands::Failed(why) => format!("\n    {why}"),
        _ => String::new(),
    }
}

fn json(status: &deploy::Status) -> Value {
    json!({
        "ledger": status.folder.display().to_string(),
        "lineage": status.lineage.as_str(),
        "serial": status.revision.serial,
        "epoch": status.revision.epoch,
        "settled": status.is_settled(),
        "generation": status.generation.as_ref().map(super::history::json_generation),
        "targets": status.targets.iter().map(|(id, n)| json!({ "id": id.as_str(), "resources": n })).collect::<Vec<_>>(),
        "holder": status.holder.as_ref().map(|holder| holder.as_ref().map_or_else(|| json!({}), |h| json!({
            "process": h.process, "machine": h.machine.as_str(), "since": h.since.to_string(),
        }))),
        "open": status.open.iter().map(json_standing).collect::<Vec<_>>(),
    })
}

fn json_standing(standing: &Standing) -> Value {
    let word = match &standing.how {
        Stands::Unknown(..) => "unknown",
        Stands::Failed(_) => "failed",
        Stands::ToMake => "create",
        Stands::ToChange => "update",
        Stands::ToDelete => "delete",
        Stands::Unready => "unready",
        Stands::Doubt => "doubt",
        Stands::Retained => "retained",
    };
    let mut value = json!({ "id": standing.id.as_str(), "how": word });
    match &standing.how {
        Stands::Unknown(operation, since) => {
            value["operation"] = json!(operation.as_str());
            value["since"] = json!(since.to_string());
        }
        Stands::Failed(why) => value["why"] = json!(why.as_str()),
        _ => {}
    }
    value
}
