//! Plans in files.

use std::path::Path;

use super::super::Failure;
use super::super::ledger::write_private;
use crate::deploy::{PLAN_FORMAT, SavedPlan};

/// Writes a plan, whole or not at all, for its owner alone: it names what is deployed where.
pub(super) fn write(path: &Path, plan: &SavedPlan) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(plan).map_err(std::io::Error::other);
    let text = text.map_err(Failure::write(path))? + "\n";
    write_private(path, &text)
}

/// Reads a plan.
pub(super) fn read(path: &Path) -> Result<SavedPlan, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::read(path))?;
    let wrong = |why: String| Failure::PlanFile { path: path.to_owned(), why };
    // The format first: another one has other fields.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(PLAN_FORMAT) => {}
        Some(format) => {
            return Err(wrong(format!("it has the format {format}, and this gops reads {PLAN_FORMAT}")));
        }
        None => return Err(wrong("it has no `format`".to_owned())),
    }
    serde_json::from_value(value).map_err(|e| wrong(e.to_string()))
}
