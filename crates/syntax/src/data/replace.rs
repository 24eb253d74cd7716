//! Another value in the place of one in a file that people wrote, whatever the two are.
//!
//! As in [`insert`](super::insert) there are several ways, and the first is taken after which the
//! file says what it said before, with the new value.

use crate::base::{Span, TextEdit};

use super::Document;
use super::edit::{Refused, Source, Whole};
use super::layout::flow_text;

/// The replacements that put a value in the place of a mapping's entry's, and change nothing else.
pub fn replace(source: Source<'_>, entry: u32, value: &Document) -> Result<Vec<TextEdit>, Refused> {
    let whole = Whole::read(source)?;
    let (parsed, document) = whole.chosen()?;
    if document.sops().is_some() {
        return Err(Refused::Encrypted);
    }
    document.key(entry).ok_or(Refused::NoSuchPlace)?;
    let wanted = with(document, entry, value);
    let text = flow_text(source.format, value)?;
    let (key, old) = (parsed.spans.key(entry), parsed.spans.value(entry));
    // A value in block style starts on the line below its key: the new one stands behind the key.
    let between = source.bytes.get(key.end as usize..old.start as usize).unwrap_or_default();
    let colon = between.iter().position(|byte| *byte == b':').map(|at| key.end + at as u32 + 1);
    let behind_key = colon.filter(|_| between.contains(&b'\n')).map(|at| (at, format!(" {text}")));
    for (start, text) in behind_key.into_iter().chain([(old.start, text.clone())]) {
        let span = Span { start, end: old.end.max(start) };
        let edits = vec![TextEdit { file: source.file, span, text }];
        if whole.becomes(&edits, &wanted) {
            return Ok(edits);
        }
    }
    Err(Refused::NotTheSame)
}

/// The document with another value for an entry.
fn with(document: &Document, entry: u32, value: &Document) -> Document {
    let end = document.node(entry).end;
    let (old, new) = (end.saturating_sub(entry), value.nodes.len() as u32);
    let mut nodes = document.nodes.clone();
    for node in &mut nodes {
        if node.end >= end {
            node.end = node.end.saturating_sub(old).saturating_add(new);
        }
    }
    let mut value = value.nodes.clone();
    value.iter_mut().for_each(|node| node.end = node.end.saturating_add(entry));
    if let Some(first) = value.first_mut() {
        first.key = document.key(entry).cloned();
    }
    let range = entry as usize..(end as usize).min(nodes.len());
    nodes.splice(range, value);
    Document { nodes }
}
