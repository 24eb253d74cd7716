//! With which rights a file is written, where its resource says that itself. The ledger keeps it, so
//! that what is dropped is taken away with the same.

use ecow::EcoString;

use crate::graph::{GraphValue, Node};
use crate::handler::{Problem, Recorded, Rights, Thing};

use super::spec::{Findings, given};

/// The field that says it, of resources and of records.
const FIELD: &str = "become";

/// Those of a thing.
pub(super) fn rights(thing: Thing<'_>) -> Option<Rights> {
    match thing {
        Thing::Wanted(node) => Rights::read(given(&node.fields, FIELD)?.as_str()?),
        // Most records say nothing of it, and need not be read for that.
        Thing::Known(recorded) if !recorded.fields.contains(FIELD) => None,
        Thing::Known(recorded) => {
            let fields = GraphValue::parse(recorded.fields.as_bytes()).ok()?;
            Rights::read(fields.get(FIELD)?.as_str()?)
        }
    }
}

/// What is wrong with what a node says of them: who does it has to be known before anything is done.
pub(super) fn problem(node: &Node) -> Option<Problem> {
    let value = given(&node.fields, FIELD)?;
    if value.as_str().and_then(Rights::read).is_some() {
        return None;
    }
    let mut found = Findings::default();
    found.unfit(FIELD, Some(value), "`none` or `sudo`");
    found.wrong.into_iter().chain(found.marked).next()
}

/// A record with those of what it is the record of: of the first of these that says something.
pub(super) fn keep<'a>(fields: EcoString, of: impl IntoIterator<Item = Thing<'a>>) -> EcoString {
    let Some(rights) = of.into_iter().find_map(rights) else { return fields };
    let Ok(GraphValue::Map(mut entries)) = GraphValue::parse(fields.as_bytes()) else { return fields };
    let word = match rights {
        Rights::Login => "none",
        Rights::Root => "sudo",
    };
    entries.retain(|(name, _)| name != FIELD);
    entries.push((FIELD.into(), GraphValue::Str(word.into())));
    String::from_utf8(GraphValue::map(entries).to_json()).unwrap_or_default().into()
}

/// The same, of what was applied.
pub(super) fn kept(mut recorded: Recorded, node: Option<&Node>) -> Recorded {
    recorded.fields = keep(recorded.fields, node.map(Thing::Wanted));
    recorded
}
