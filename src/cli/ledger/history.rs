//! `gops history`

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use super::super::change;
use super::super::ui::{Stream, Ui};
use super::super::{Context, Exit, Failure};
use super::{Which, short};
use crate::deploy::{self, Chapter, Deed, Deeds, Ended, Happened};
use crate::graph::id;
use crate::state::{Generation, Operation};

/// Say what was deployed before: when, of which commit, by whom, and what was done
///
/// A generation is begun by the first deploy of something else than before; what later deploys go on
/// with or repair is part of it. The ledger keeps the graph of each, and `gops rollback` goes back to it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops history                  all generations, the newest first
  gops history 12               what was done for generation 12, one by one
  gops history --json           for scripts")]
pub(crate) struct History {
    /// One generation, in detail
    generation: Option<u64>,
    #[command(flatten)]
    which: Which,
    /// Show so many generations
    #[arg(short = 'n', long, value_name = "N", default_value = "20")]
    limit: usize,
    /// For scripts: one list, or one object
    #[arg(long)]
    json: bool,
}

impl History {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let (options, _) = self.which.options(context)?;
        let mut chapters = deploy::history(&options)?;
        chapters.reverse();
        let ui = &context.ui;
        if let Some(number) = self.generation {
            let found = chapters.iter().find(|chapter| chapter.generation.number == number);
            let chapter = found.ok_or_else(|| unknown(number, &chapters))?;
            match self.json {
                true => ui.result(&format!("{:#}\n", json_chapter(chapter, true))),
                false => ui.result(&detail(chapter, ui)),
            }
            return Ok(Exit::Fine);
        }
        let shown = chapters.iter().take(self.limit);
        if self.json {
            let list: Vec<Value> = shown.map(|chapter| json_chapter(chapter, false)).collect();
            ui.result(&format!("{:#}\n", json!(list)));
            return Ok(Exit::Fine);
        }
        if chapters.is_empty() {
            ui.result(super::NOTHING);
        }
        for chapter in shown {
            ui.result(&line(chapter, ui));
        }
        if let Some(more) = chapters.len().checked_sub(self.limit).filter(|more| *more > 0) {
            ui.note(&format!("and {more} before: `-n {}` shows them", chapters.len()));
        }
        Ok(Exit::Fine)
    }
}

/// There is no such generation.
pub(super) fn unknown(number: u64, chapters: &[Chapter]) -> Failure {
    let numbers = chapters.iter().map(|chapter| chapter.generation.number);
    let help = match (numbers.clone().min(), numbers.max()) {
        (Some(first), Some(last)) if first < last => format!("there are {first} to {last}"),
        (Some(only), _) => format!("there is {only}"),
        _ => "nothing was deployed yet".to_owned(),
    };
    Failure::Unknown { what: "generation", written: number.to_string(), help }
}

/// When it was, what it was of, and what was done.
fn line(chapter: &Chapter, ui: &Ui) -> String {
    let generation = &chapter.generation;
    let number = ui.bold(&format!("{:>4}", generation.number), Stream::Out);
    let commit = match generation.revision.is_empty() {
        true => String::new(),
        false => format!("  {}", short(&generation.revision)),
    };
    let author =
        if generation.author.is_empty() { String::new() } else { format!("  {}", generation.author) };
    let done = match generation.finished {
        Some(_) => String::new(),
        None => format!("  {}", ui.yellow("not finished", Stream::Out)),
    };
    let mut out = format!("{number}  {}{commit}{author}{done}\n", generation.started);
    let cause = (!generation.cause.is_empty()).then(|| generation.cause.to_string());
    let deeds = Some(deeds(chapter.deeds())).filter(|deeds| !deeds.is_empty());
    let said: Vec<String> = cause.into_iter().chain(deeds).collect();
    if !said.is_empty() {
        let _ = writeln!(out, "      {}", said.join("; "));
    }
    out
}

fn deeds(deeds: Deeds) -> String {
    let Deeds { created, changed, deleted, left, failed, unknown } = deeds;
    change::list(&[
        (deleted, "deleted"),
        (changed, "changed"),
        (created, "created"),
        (left, "released"),
        (failed, "without effect"),
        (unknown, "of which nobody knows"),
    ])
}

fn detail(chapter: &Chapter, ui: &Ui) -> String {
    let mut out = line(chapter, ui);
    if let Some(finished) = chapter.generation.finished {
        let _ = writeln!(out, "      finished {finished}");
    }
    let _ = writeln!(out, "      desired  {}", chapter.generation.desired);
    for event in &chapter.events {
        let word = match event.what {
            Deed::Effect(operation) => operation.as_str(),
            Deed::Leaves(_) => "left",
        };
        let _ = writeln!(out, "{}  {word:8} {}", event.time, id::shown(&event.id));
        let why = match (&event.outcome, event.what) {
            (Ended::NoEffect(why), _) => Some(format!("no effect: {why}")),
            (Ended::Open, _) => Some("nobody knows what became of it".to_owned()),
            // What was dropped follows as JSON: `--json` has all of it.
            (Ended::Done(evidence), Deed::Leaves(end)) => {
                Some(format!("{end}: {}", evidence.split(": {").next().unwrap_or_default()))
            }
            (Ended::Done(_), Deed::Effect(_)) => None,
        };
        if let Some(why) = why {
            let _ = writeln!(out, "{:22}{why}", "");
        }
    }
    out
}

/// A generation for scripts.
pub(super) fn json_generation(generation: &Generation) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "number": generation.number,
        "revision": some(&generation.revision),
        "desired": generation.desired.as_str(),
        "started": generation.started.to_string(),
        "finished": generation.finished.map(|time| time.to_string()),
        "author": some(&generation.author),
        "cause": some(&generation.cause),
    })
}

fn json_chapter(chapter: &Chapter, whole: bool) -> Value {
    let Deeds { created, changed, deleted, left, failed, unknown } = chapter.deeds();
    let mut value = json_generation(&chapter.generation);
    value["done"] = json!({
        "created": created, "changed": changed, "deleted": deleted, "left": left, "failed": failed,
        "unknown": unknown,
    });
    if whole {
        value["events"] = chapter.events.iter().map(json_event).collect();
    }
    value
}

fn json_event(event: &Happened) -> Value {
    let what = match event.what {
        Deed::Effect(operation) => Operation::as_str(operation),
        Deed::Leaves(end) => end.as_str(),
    };
    let (outcome, why) = match &event.outcome {
        Ended::Done(evidence) => ("done", Some(evidence.as_str())),
        Ended::NoEffect(why) => ("no effect", Some(why.as_str())),
        Ended::Open => ("unknown", None),
    };
    json!({
        "time": event.time.to_string(), "id": event.id.as_str(), "what": what, "outcome": outcome, "why": why,
    })
}
