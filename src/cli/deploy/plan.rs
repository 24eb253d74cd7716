//! A plan as people and scripts read it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::change::{self, Sign};
use super::super::ui::{Stream, Ui};
use crate::deploy::{Action, Entry, Kept, Plan, Released, Totals};
use crate::graph::{GraphValue, Origin, id};
use crate::handler::{Cost, FieldChange};

/// The plan, from what goes to what comes, and its totals.
pub(super) fn text(plan: &Plan, ui: &Ui) -> String {
    let mut out = String::new();
    for entry in &plan.entries {
        out += &self::entry(entry, ui);
    }
    for note in &plan.notes {
        let _ = writeln!(out, "{} {note}", ui.yellow("note:", Stream::Out));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out + &ui.bold(&totals(plan.totals()), Stream::Out) + "\n"
}

/// `Plan: 1 to delete, 2 to create, 3 unchanged`
fn totals(totals: Totals) -> String {
    let Totals { create, update, replace, delete, transient, release, keep, refuse, unchanged } = totals;
    let parts = [
        (delete, "to delete"),
        (replace, "to replace"),
        (update, "to change"),
        (create, "to create"),
        (transient, "for the change-over"),
        (release, "to release"),
        (keep, "kept"),
        (refuse, "that cannot be done"),
        (unchanged, "unchanged"),
    ];
    let work = delete + replace + update + create + transient + release + refuse;
    let list = change::list(&parts);
    match (work, list.is_empty()) {
        (0, true) => "Nothing to do: the project makes nothing".to_owned(),
        (0, false) => format!("Nothing to do: {list}"),
        _ => format!("Plan: {list}"),
    }
}

fn entry(entry: &Entry, ui: &Ui) -> String {
    let short = id::shown(&entry.id);
    let (sign, remark) = headline(&entry.action);
    let remark = if remark.is_empty() { String::new() } else { format!("  ({remark})") };
    let mut out = format!("{} {short}{remark}\n", change::sign(sign, ui));
    if let Some(origin) = entry.origin.as_ref().and_then(|origin| whence(origin, &entry.action)) {
        let _ = writeln!(out, "    {}", ui.faint(&origin, Stream::Out));
    }
    match &entry.action {
        Action::Replace { changes, .. }
        | Action::Update { changes, .. }
        | Action::Adopt { changes }
        | Action::Report { changes } => changes.iter().for_each(|c| out += &field(c, ui)),
        Action::Create { what, .. } if ui.is_verbose() => {
            for (name, value) in what.fields().entries().unwrap_or_default() {
                let _ = writeln!(out, "    {name}: {}", change::value(value));
            }
        }
        Action::Refuse { fault } | Action::Keep { why: Kept::Unseen(fault) } => {
            let _ = writeln!(out, "    {}", ui.red(&fault.message, Stream::Out));
            if let Some(help) = &fault.help {
                let _ = writeln!(out, "    help: {help}");
            }
        }
        _ => {}
    }
    if let Some(cause) = &entry.blocked {
        let _ = writeln!(out, "    not done: {} {}", id::shown(&cause.id), cause.what);
    }
    out
}

/// What stands before the id, and after it.
fn headline(action: &Action) -> (Sign, String) {
    match action {
        Action::Delete { for_: None } => (Sign::Delete, String::new()),
        Action::Delete { for_: Some(taker) } => {
            (Sign::Delete, format!("{} takes its place", id::shown(taker)))
        }
        Action::Goes { with } => (Sign::Delete, format!("goes with {}", id::shown(with))),
        Action::Replace { was, keeps, .. } => {
            let was = was.as_ref().map(|was| format!("was {}, ", id::shown(was))).unwrap_or_default();
            let keeps = if *keeps { "; the old one stays where it is: the model says `keep`" } else { "" };
            (Sign::Replace, format!("{was}is made anew{keeps}"))
        }
        Action::Update { was: Some(was), .. } => (Sign::Change, format!("was {}", id::shown(was))),
        Action::Update { cost: Cost::Restart, .. } => (Sign::Change, "restarts".to_owned()),
        Action::Update { .. } => (Sign::Change, String::new()),
        Action::Adopt { .. } => (Sign::Change, "is taken over".to_owned()),
        Action::Create { again: true, .. } => (Sign::Create, "was made before and is gone".to_owned()),
        Action::Create { .. } => (Sign::Create, String::new()),
        Action::Expand => (Sign::Create, "what it consists of is known later".to_owned()),
        Action::Transient { .. } => (Sign::Create, "for the change-over, and goes after it".to_owned()),
        Action::Release { why } => (Sign::Say, format!("is left where it is: {}", released(*why))),
        Action::Forget => (Sign::Say, "is gone already".to_owned()),
        Action::Keep { why } => (Sign::Say, kept(why)),
        Action::Await => (Sign::Say, "was not ready, and is asked again".to_owned()),
        Action::Report { .. } => (Sign::Say, "differs, and is only reported".to_owned()),
        Action::Refuse { .. } => (Sign::Refuse, "cannot be done".to_owned()),
    }
}

fn released(why: Released) -> &'static str {
    match why {
        Released::Adopted => "it was taken over, not made",
        Released::Keep => "the model says `keep`",
        Released::Replaced => "somebody else's stands in its place",
    }
}

fn kept(why: &Kept) -> String {
    match why {
        Kept::Protected => "is no longer wanted, and protected: `gops state unprotect` lets it go".to_owned(),
        Kept::Doubt => "is no longer wanted, and stays: it is not certain that gops made it".to_owned(),
        Kept::Holds(id) => format!("is no longer wanted, and stays: it holds {}", id::shown(id)),
        Kept::Folded(of) => {
            format!("stays as it is until it is known what {} consists of", id::shown(of))
        }
        Kept::Inside(holder) => format!(
            "is no longer wanted, and stays: it is in {}, which would take it along",
            id::shown(holder)
        ),
        Kept::Unseen(_) => "is no longer wanted, and could not be looked at".to_owned(),
    }
}

/// Where it comes from, or came from.
fn whence(origin: &Origin, action: &Action) -> Option<String> {
    let goes = matches!(action, Action::Delete { .. } | Action::Forget | Action::Keep { .. });
    let word = if goes { "came from" } else { "from" };
    let place = if origin.instance.is_empty() { &origin.model } else { &origin.instance };
    (!place.is_empty()).then(|| format!("{word} {place}"))
}

fn field(change: &FieldChange, ui: &Ui) -> String {
    let octal = change.shown == crate::handler::Shown::Octal;
    let text = change::field(&change.field, change.from.as_ref(), change.to.as_ref(), "    ", octal, ui);
    match change.cost {
        Cost::Live => text,
        Cost::Restart => text.trim_end_matches('\n').to_owned() + "  (restarts)\n",
        Cost::Replace => text.trim_end_matches('\n').to_owned() + "  (replaces)\n",
    }
}

/// The plan for scripts.
pub(super) fn json(plan: &Plan) -> Value {
    let Totals { create, update, replace, delete, transient, release, keep, refuse, unchanged } =
        plan.totals();
    json!({
        "desired": plan.desired.to_string(),
        "serial": plan.revision.serial,
        "entries": plan.entries.iter().map(json_entry).collect::<Vec<_>>(),
        "notes": plan.notes,
        "totals": {
            "delete": delete, "replace": replace, "update": update, "create": create,
            "transient": transient, "release": release, "keep": keep, "refuse": refuse, "unchanged": unchanged,
        },
    })
}

fn json_entry(entry: &Entry) -> Value {
    let remark = headline(&entry.action).1;
    let mut value = json!({
        "id": entry.id.as_str(),
        "type": entry.kind.as_str(),
        "target": entry.target.as_str(),
        "action": entry.action.word(),
        "changes": entry.action.changes().iter().map(json_change).collect::<Vec<_>>(),
    });
    if !remark.is_empty() {
        value["remark"] = json!(remark);
    }
    if let Action::Refuse { fault } | Action::Keep { why: Kept::Unseen(fault) } = &entry.action {
        value["fault"] = json!({ "message": fault.message, "help": fault.help });
    }
    if let Some(origin) = &entry.origin {
        value["origin"] = json!({
            "instance": origin.instance.as_str(),
            "element": origin.element.as_str(),
            "model": origin.model.as_str(),
        });
    }
    if let Some(cause) = &entry.blocked {
        value["blocked"] = json!({ "id": cause.id.as_str(), "what": cause.what });
    }
    value
}

fn json_change(change: &FieldChange) -> Value {
    let value = |v: &Option<GraphValue>| {
        v.as_ref().and_then(|v| serde_json::from_slice::<Value>(&v.to_json()).ok()).unwrap_or_default()
    };
    let cost = match change.cost {
        Cost::Live => "live",
        Cost::Restart => "restart",
        Cost::Replace => "replace",
    };
    json!({ "field": change.field.as_str(), "from": value(&change.from), "to": value(&change.to), "cost": cost })
}
