//! What became of a deploy: done, failed, skipped with the cause.

use std::fmt::Write as _;

use super::super::change;
use super::super::ui::{Stream, Ui};
use crate::deploy::{Action, Outcome, Verdict};
use crate::graph::id;
use crate::handler::Fault;

/// The table at the end.
pub(super) fn text(outcome: &Outcome, ui: &Ui) -> String {
    let mut out = String::new();
    let entries = || outcome.plan.entries.iter().zip(&outcome.verdicts);
    for (entry, verdict) in entries() {
        let short = id::shown(&entry.id);
        match verdict {
            Verdict::Unready(fault) => fault_line(&mut out, "unready", &short, fault, ui),
            Verdict::Failed(fault) => fault_line(&mut out, "failed", &short, fault, ui),
            Verdict::Unknown(fault) => fault_line(&mut out, "unknown", &short, fault, ui),
            Verdict::Skipped(cause) => {
                let word = ui.yellow("skipped", Stream::Out);
                let _ = writeln!(out, "{word}  {short}\n         {} {}", id::shown(&cause.id), cause.what);
            }
            Verdict::Said | Verdict::Done | Verdict::Planned => {}
        }
    }
    let count = |wanted: fn(&Action) -> bool| {
        entries().filter(|(e, v)| **v == Verdict::Done && wanted(&e.action)).count()
    };
    let done = [
        (count(|a| matches!(a, Action::Delete { .. })), "deleted"),
        (count(|a| matches!(a, Action::Replace { .. })), "replaced"),
        (count(|a| matches!(a, Action::Update { .. } | Action::Adopt { .. })), "changed"),
        (count(|a| matches!(a, Action::Create { .. })), "created"),
        (count(|a| matches!(a, Action::Release { .. } | Action::Forget)), "released"),
    ];
    let refused = outcome.plan.entries.iter().filter(|entry| entry.is_refused()).count();
    let of = |wanted: fn(&Verdict) -> bool| outcome.verdicts.iter().filter(|v| wanted(v)).count();
    let not_done = [
        (of(|v| matches!(v, Verdict::Unready(_))), "not ready"),
        (of(|v| matches!(v, Verdict::Failed(_))), "failed"),
        (of(|v| matches!(v, Verdict::Unknown(_))), "of which nobody knows"),
        (of(|v| matches!(v, Verdict::Skipped(_))), "skipped"),
        (of(|v| matches!(v, Verdict::Planned)), "not begun"),
        (refused, "that cannot be done"),
    ];
    let parts: Vec<String> =
        [change::list(&done), change::list(&not_done)].into_iter().filter(|p| !p.is_empty()).collect();
    if !parts.is_empty() {
        let tried = |v: &Verdict| matches!(v, Verdict::Done | Verdict::Unready(_) | Verdict::Unknown(_));
        let word = if of(tried) == 0 { "Nothing was done" } else { "Done" };
        let _ = writeln!(out, "{}", ui.bold(&format!("{word}: {}", parts.join("; ")), Stream::Out));
    }
    out
}

fn fault_line(out: &mut String, word: &str, short: &str, fault: &Fault, ui: &Ui) {
    let padded = format!("{word:7}");
    let _ = writeln!(out, "{}  {short}\n         {}", ui.red(&padded, Stream::Out), fault.message);
    if let Some(help) = &fault.help {
        let _ = writeln!(out, "         help: {help}");
    }
}
