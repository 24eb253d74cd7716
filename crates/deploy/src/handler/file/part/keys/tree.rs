//! What a document is to say after an edit.

use crate::graph::GraphValue;

use super::Edit;

/// The document after the edit, or why it cannot be made.
pub(super) fn edited(document: &GraphValue, edit: &Edit<'_>) -> Result<GraphValue, String> {
    let mut after = document.clone();
    match edit {
        Edit::Set(pointer, value) => set(&mut after, &pointer.0, value)?,
        Edit::Unset(pointer) => {
            unset(&mut after, &pointer.0);
        }
    }
    Ok(after)
}

fn set(at: &mut GraphValue, path: &[ecow::EcoString], value: &GraphValue) -> Result<(), String> {
    let Some((key, rest)) = path.split_first() else {
        *at = value.clone();
        return Ok(());
    };
    let GraphValue::Map(entries) = at else {
        return Err(format!("what should hold `{key}` is no mapping"));
    };
    let slot = match entries.binary_search_by(|(k, _)| k.cmp(key)) {
        Ok(slot) => slot,
        Err(slot) => {
            entries.insert(slot, (key.clone(), GraphValue::Map(Vec::new())));
            slot
        }
    };
    match entries.get_mut(slot) {
        Some((_, held)) => set(held, rest, value),
        None => Ok(()),
    }
}

/// Takes out a value, and each mapping that is empty without it.
fn unset(at: &mut GraphValue, path: &[ecow::EcoString]) {
    let (Some((key, rest)), GraphValue::Map(entries)) = (path.split_first(), at) else { return };
    let Ok(slot) = entries.binary_search_by(|(k, _)| k.cmp(key)) else { return };
    let gone = match entries.get_mut(slot) {
        Some((_, held)) if !rest.is_empty() => {
            let had = held.entries().is_some_and(|entries| !entries.is_empty());
            unset(held, rest);
            had && held.entries().is_some_and(<[_]>::is_empty)
        }
        _ => true,
    };
    if gone {
        entries.remove(slot);
    }
}

/// How much of the way to what is to go goes with it: the number of parts of the path to the
/// topmost value that would be left empty.
pub(super) fn gone_at(document: &GraphValue, path: &[ecow::EcoString]) -> usize {
    let mut topmost = path.len();
    let mut at = document;
    for (depth, key) in path.iter().enumerate() {
        let GraphValue::Map(entries) = at else { return path.len() };
        if entries.len() > 1 || depth == 0 {
            topmost = depth + 1;
        }
        let Some(next) = at.get(key) else { return path.len() };
        at = next;
    }
    topmost
}
