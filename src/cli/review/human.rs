//! For a terminal.

use std::fmt::Write as _;

use super::super::change::{self, Sign};
use super::super::ui::{Stream, Ui};
use super::Report;
use crate::graph::diff::Kind;
use crate::graph::id;
use crate::handler::Cost;
use crate::project::review::{Item, What};

/// Deletions first, then what is replaced, moved, changed and created; totals last, where a
/// reader of a terminal is.
pub(super) fn report(report: &Report<'_>, ui: &Ui) -> String {
    let mut out = String::new();
    for item in &report.review.items {
        out += &one(item, ui);
    }
    for target in &report.review.targets {
        let _ = writeln!(out, "{} {}", change::sign(Sign::Change, ui), id::shown(target.id()));
        out += &change::changed(&target.changes, ui);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    if let Some(note) = report.subject.note {
        let _ = writeln!(out, "{note}");
    }
    let base = match report.subject.short() {
        Some(id) => format!("{} ({id})", report.subject.base),
        None => report.subject.base.to_owned(),
    };
    let _ = writeln!(out, "compared with {base}: {}", super::totals(report.review));
    out
}

fn one(item: &Item, ui: &Ui) -> String {
    let sign = match item.what {
        What::Delete => Sign::Delete,
        What::Replace => Sign::Replace,
        What::Refuse => Sign::Refuse,
        What::Leave => Sign::Say,
        What::Move => Sign::Move,
        What::Change => Sign::Change,
        What::Create => Sign::Create,
        What::Transient => Sign::Say,
    };
    let mut out = format!("{} {}", change::sign(sign, ui), id::shown(item.id()));
    match item.cost {
        Some(Cost::Restart) => out += &ui.yellow("  by a restart", Stream::Out),
        Some(Cost::Replace) if item.what == What::Refuse => {}
        Some(Cost::Replace) if item.keeps_old => out += &ui.yellow("  made anew", Stream::Out),
        Some(Cost::Replace) => out += &ui.red("  deleted and made again", Stream::Out),
        Some(Cost::Live) | None => {}
    }
    if item.what == What::Transient {
        out += "  on the way only";
    }
    out.push('\n');
    if item.entry.kind == Kind::Moved
        && let Some(old) = &item.entry.old
    {
        let _ = writeln!(out, "    was {}", id::shown(&old.id));
    }
    if let Some(origin) = item.origin().filter(|o| !o.instance.is_empty()) {
        let from = if item.goes() { "was from" } else { "from" };
        out += &ui.faint(&format!("    {from} {}", origin.instance), Stream::Out);
        out.push('\n');
    }
    if let Some(why) = super::why(item, str::to_owned).or_else(|| super::until(item, str::to_owned)) {
        let _ = writeln!(out, "    {why}");
    }
    match item.what {
        What::Delete | What::Leave | What::Create | What::Transient => out,
        What::Replace | What::Refuse | What::Move | What::Change => {
            out + &change::changed(&item.entry.changes, ui)
        }
    }
}
