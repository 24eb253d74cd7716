//! What holds for every text that is read. The fuzz targets use this file too.

use gops::base::FileId;
use gops::data::edit::{Change, Format, Source, edits};
use gops::data::print::{to_json, to_yaml};
use gops::data::{Document, Limits, NodeKind, Parsed, parse_json, parse_yaml, parse_yaml_documents};
use gops::diag::Place;

fn file() -> FileId {
    FileId::new("slices/test/a")
}

/// Holds a document to what it promises: ends nest, counts count, entries have keys, each once.
pub fn assert_consistent(document: &Document) {
    assert_eq!(document.node(0).end as usize, document.nodes.len(), "{document:?}");
    assert_eq!(document.node(0).key, None);
    for (number, node) in (0..).zip(&document.nodes) {
        assert!(node.end > number && node.end as usize <= document.nodes.len(), "{number} of {document:?}");
        let children: Vec<u32> = document.children(number).collect();
        assert!(
            children.iter().all(|&child| document.node(child).end <= node.end),
            "{number} of {document:?}"
        );
        let keys: Vec<_> = children.iter().filter_map(|&child| document.key(child)).collect();
        match node.value {
            NodeKind::Sequence(count) => {
                assert_eq!(count as usize, children.len(), "{number} of {document:?}");
                assert!(keys.is_empty(), "{number} of {document:?}");
            }
            NodeKind::Mapping(count) => {
                assert_eq!(count as usize, children.len(), "{number} of {document:?}");
                assert_eq!(keys.len(), children.len(), "{number} of {document:?}");
                let unique: std::collections::BTreeSet<_> = keys.iter().collect();
                assert_eq!(unique.len(), keys.len(), "{number} of {document:?}");
            }
            _ => assert!(children.is_empty(), "{number} of {document:?}"),
        }
    }
}

/// Holds what was read of any bytes to what readers of it rely on.
fn assert_sound(bytes: &[u8], parsed: &Parsed) {
    let inside = |start: u32, end: u32| {
        assert!(start <= end && end as usize <= bytes.len(), "{start}..{end} of {bytes:?}");
        if let Ok(text) = std::str::from_utf8(bytes) {
            let whole = text.is_char_boundary(start as usize) && text.is_char_boundary(end as usize);
            assert!(whole, "{start}..{end} of {text:?}");
        }
    };
    for label in parsed.diagnostics.iter().flat_map(|d| &d.labels) {
        if let Place::Span(at) = label.place {
            inside(at.span.start, at.span.end);
        }
    }
    assert!(parsed.document.is_some() || !parsed.diagnostics.is_empty());
    let Some(document) = &parsed.document else { return };
    assert_consistent(document);
    assert_eq!(parsed.spans.values.len(), document.nodes.len());
    assert_eq!(parsed.spans.keys.len(), document.nodes.len());
    for span in parsed.spans.values.iter().chain(&parsed.spans.keys) {
        inside(span.start, span.end);
    }
    if parsed.diagnostics.is_empty() {
        assert_printable(document);
    }
}

/// Printed and read again, a document has the same values; integers are printed in decimal, however
/// they were written (`0o644`, `011`).
fn assert_printable(document: &Document) {
    let mut document = document.clone();
    for node in &mut document.nodes {
        (node.octal, node.padded) = (false, false);
    }
    let document = &document;
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let yaml = to_yaml(document).expect("a document without errors has a text");
    let again = parse_yaml(file(), yaml.as_bytes(), &limits);
    assert_eq!(again.document.as_ref(), Some(document), "{yaml}");
    if let Ok(json) = to_json(document) {
        let again = parse_json(file(), json.as_bytes(), &limits);
        assert_eq!(again.document.as_ref(), Some(document), "{json}");
    }
}

/// Renames the first key and replaces the last scalar: an edit is right or refused, never a panic.
fn edit_somewhere(bytes: &[u8], format: Format, parsed: &Parsed) {
    let Some(document) = &parsed.document else { return };
    let (limits, last) = (Limits::default(), document.nodes.len() as u32 - 1);
    let source = Source { file: file(), format, bytes, limits: &limits, document: 0 };
    let _ = edits(source, &[Change::RenameKey { node: 1, key: "renamed: key".into() }]);
    let _ = edits(source, &[Change::ReplaceScalar { node: last, value: NodeKind::Str("'new'\n".into()) }]);
}

/// The same for every way to read bytes, with usual and with tight limits.
pub fn assert_all_sound(bytes: &[u8]) {
    assert_sound_as_yaml(bytes);
    assert_sound_as_json(bytes);
}

/// Reads bytes as YAML in every way.
pub fn assert_sound_as_yaml(bytes: &[u8]) {
    let limits = Limits::default();
    let parsed = parse_yaml(file(), bytes, &limits);
    assert_sound(bytes, &parsed);
    for parsed in parse_yaml_documents(file(), bytes, &limits) {
        assert_sound(bytes, &parsed);
    }
    assert_sound(bytes, &parse_yaml(file(), bytes, &TIGHT));
    edit_somewhere(bytes, Format::Yaml, &parsed);
}

/// Reads bytes as JSON in every way.
pub fn assert_sound_as_json(bytes: &[u8]) {
    let parsed = parse_json(file(), bytes, &Limits::default());
    assert_sound(bytes, &parsed);
    assert_sound(bytes, &parse_json(file(), bytes, &TIGHT));
    edit_somewhere(bytes, Format::Json, &parsed);
}

const TIGHT: Limits = Limits { bytes: 1000, depth: 2, nodes: 7, alias_nodes: 3 };
