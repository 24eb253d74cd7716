//! For programs.

use serde_json::{Map, Value, json};

use super::{Report, Subject, why};
use crate::graph::diff::{Change, Kind};
use crate::handler::Cost;
use crate::project::review::{Item, What};

/// One object in one line.
pub(super) fn report(report: &Report<'_>) -> String {
    let review = report.review;
    let mut totals = Map::new();
    for what in What::ALL {
        totals.insert(what.verb().to_owned(), review.count(what).into());
    }
    let targets: Vec<Value> =
        review.targets.iter().map(|t| json!({ "id": t.id(), "fields": fields(&t.changes) })).collect();
    let mut base = subject(&report.subject);
    base["desired"] = review.old.desired.to_string().into();
    base["resources"] = review.old.resources.into();
    let guard = report
        .exceeded
        .map(|e| json!({ "deletions": e.deletions, "limit": e.limit, "approval": e.approval }));
    let value = json!({
        "format": 1,
        "project": report.subject.project,
        "env": report.subject.env,
        "base": base,
        "current": { "desired": review.new.desired.to_string(), "resources": review.new.resources },
        "totals": totals,
        "changes": review.items.iter().map(item).collect::<Vec<_>>(),
        "targets": targets,
        "guard": guard,
    });
    format!("{value}\n")
}

/// The same of a change that has no diff.
pub(super) fn without(of: &Subject<'_>, why: &str) -> String {
    let value = json!({
        "format": 1, "project": of.project, "env": of.env, "base": subject(of), "error": why,
    });
    format!("{value}\n")
}

fn subject(subject: &Subject<'_>) -> Value {
    json!({ "name": subject.base, "revision": subject.base_id })
}

fn item(item: &Item) -> Value {
    let mut value = json!({ "id": item.id(), "change": item.what.verb() });
    if let Some(old) = item.entry.old.as_ref().filter(|_| item.entry.kind == Kind::Moved) {
        value["from"] = old.id.as_str().into();
    }
    if let Some(cost) = item.cost {
        value["cost"] = match cost {
            Cost::Live => "live",
            Cost::Restart => "restart",
            Cost::Replace => "replace",
        }
        .into();
    }
    if let Some(origin) = item.origin() {
        value["origin"] = json!({
            "instance": origin.instance.as_str(),
            "element": origin.element.as_str(),
            "model": origin.model.as_str(),
        });
    }
    if let Some(why) = why(item, str::to_owned) {
        value["why"] = why.into();
    }
    if let Some(node) = item.entry.new.as_ref().filter(|_| item.what == What::Transient) {
        value["until"] = node.until.iter().map(|id| id.as_str()).collect();
    }
    if !item.entry.changes.is_empty() && matches!(item.what, What::Replace | What::Move | What::Change) {
        value["fields"] = fields(&item.entry.changes);
    }
    value
}

fn fields(changes: &[Change]) -> Value {
    let shown = changes.iter().filter(|c| !c.is_quiet());
    let one = |change: &Change| {
        let mut value = Map::new();
        value.insert("path".to_owned(), change.path.to_string().into());
        for (name, side) in [("old", &change.old), ("new", &change.new)] {
            // What is not there is left out; null is a value.
            if let Some(side) = side
                && let Ok(side) = serde_json::from_slice(&side.to_json())
            {
                value.insert(name.to_owned(), side);
            }
        }
        Value::Object(value)
    };
    shown.map(one).collect()
}
