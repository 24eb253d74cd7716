//! A deploy for scripts: one JSON object a line.

use serde_json::{Value, json};

use super::plan;
use crate::deploy::{End, Outcome, Plan, Progress, Verdict};

/// Each gives a line.
pub(super) struct Events;

impl Events {
    pub fn plan(plan: &Plan) -> String {
        line(&json!({ "event": "plan", "plan": plan::json(plan) }))
    }

    pub fn progress(progress: &Progress<'_>) -> String {
        let event = match progress {
            Progress::Waiting { holder } => json!({
                "event": "waiting",
                "holder": holder.map(|h| json!({
                    "process": h.process, "machine": h.machine.as_str(), "since": h.since.to_string(),
                })),
            }),
            Progress::Looking(count) => json!({ "event": "looking", "count": count }),
            Progress::Begun(plan, entries) => {
                let ids: Vec<&str> =
                    entries.iter().filter_map(|&e| plan.entries.get(e)).map(|e| e.id.as_str()).collect();
                json!({ "event": "begun", "ids": ids })
            }
            Progress::Ended(plan, entry, verdict) => match plan.entries.get(*entry) {
                Some(entry) => ended(entry.id.as_str(), entry.action.word(), verdict),
                None => return String::new(),
            },
        };
        line(&event)
    }

    pub fn end(outcome: &Outcome) -> String {
        let count = |wanted: fn(&Verdict) -> bool| outcome.verdicts.iter().filter(|v| wanted(v)).count();
        let end = match outcome.end() {
            End::Fine => "fine",
            End::Pending => "pending",
            End::Partly => "partly",
            End::Nothing => "nothing",
        };
        line(&json!({
            "event": "end",
            "end": end,
            "done": count(|v| matches!(v, Verdict::Done)),
            "unready": count(|v| matches!(v, Verdict::Unready(_))),
            "failed": count(|v| matches!(v, Verdict::Failed(_))),
            "unknown": count(|v| matches!(v, Verdict::Unknown(_))),
            "skipped": count(|v| matches!(v, Verdict::Skipped(_))),
            "stopped": outcome.stopped.as_ref().map(ToString::to_string),
        }))
    }
}

fn ended(id: &str, action: &str, verdict: &Verdict) -> Value {
    let mut event = json!({ "event": "ended", "id": id, "action": action });
    let (word, fault) = match verdict {
        Verdict::Said => ("said", None),
        Verdict::Done => ("done", None),
        Verdict::Planned => ("planned", None),
        Verdict::Skipped(cause) => {
            event["cause"] = json!({ "id": cause.id.as_str(), "what": cause.what });
            ("skipped", None)
        }
        Verdict::Unready(fault) => ("unready", Some(fault)),
        Verdict::Failed(fault) => ("failed", Some(fault)),
        Verdict::Unknown(fault) => ("unknown", Some(fault)),
    };
    event["verdict"] = json!(word);
    if let Some(fault) = fault {
        event["fault"] = json!({ "message": fault.message, "help": fault.help });
    }
    event
}

fn line(event: &Value) -> String {
    format!("{event}\n")
}
