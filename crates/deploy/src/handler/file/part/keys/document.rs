//! JSON and YAML, changed through the editor of instance files.

use ecow::EcoString;

use crate::base::{FileId, Span, TextEdit};
use crate::data::edit::{self, Change, Refused, Source};
use crate::data::insert::{Insertion, insert};
use crate::data::remove::remove;
use crate::data::replace::replace;
use crate::data::{Document, Limits, Node, NodeKind, Parsed, parse_json, parse_yaml_documents, print};
use crate::graph::GraphValue;

use super::{Edit, Format, foreign, tree};

fn file() -> FileId {
    FileId::new("a document")
}

/// Whether nothing is in the text but white space and, in YAML, comments.
fn is_blank(format: Format, text: &str) -> bool {
    let comment = |line: &str| format == Format::Yaml && line.starts_with('#');
    text.lines().map(str::trim).all(|line| line.is_empty() || comment(line))
}

fn parse(format: Format, text: &str) -> Result<(Parsed, Document), String> {
    let limits = Limits::default();
    let mut parsed = match format {
        Format::Json => vec![parse_json(file(), text.as_bytes(), &limits)],
        _ => parse_yaml_documents(file(), text.as_bytes(), &limits),
    };
    let (Some(mut only), true) = (parsed.pop(), parsed.is_empty()) else {
        return Err("it has several documents".to_owned());
    };
    if let Some(first) = only.diagnostics.first() {
        return Err(first.message.clone());
    }
    match only.document.take() {
        Some(document) if document.sops().is_some() => Err("it is encrypted by sops".to_owned()),
        Some(document) if matches!(document.value(Document::ROOT), NodeKind::Mapping(_)) => {
            Ok((only, document))
        }
        _ => Err("it is no mapping".to_owned()),
    }
}

pub(super) fn read(format: Format, text: &str) -> Result<GraphValue, String> {
    if is_blank(format, text) {
        return Ok(GraphValue::Map(Vec::new()));
    }
    let (_, document) = parse(format, text)?;
    Ok(value(&document, Document::ROOT))
}

fn value(document: &Document, node: u32) -> GraphValue {
    match document.value(node) {
        NodeKind::Null => GraphValue::Null,
        NodeKind::Bool(value) => GraphValue::Bool(*value),
        NodeKind::Int(value) => GraphValue::Int(*value),
        NodeKind::Float(value) if value.is_finite() => GraphValue::Float(*value),
        NodeKind::Float(value) => foreign(&value.to_string()),
        NodeKind::BigInt(text) => foreign(text),
        NodeKind::Str(text) => GraphValue::Str(text.clone()),
        NodeKind::Encrypted(encrypted) => foreign(&encrypted.text),
        NodeKind::Invalid => foreign(""),
        NodeKind::Sequence(_) => {
            GraphValue::List(document.children(node).map(|child| value(document, child)).collect())
        }
        NodeKind::Mapping(_) => GraphValue::map(
            document.entries(node).map(|(key, child)| (key.clone(), value(document, child))).collect(),
        ),
    }
}

/// A value as a document of its own.
fn written(value: &GraphValue) -> Result<Document, String> {
    fn add(nodes: &mut Vec<Node>, key: Option<EcoString>, value: &GraphValue) -> Result<(), String> {
        let kind = match value {
            GraphValue::Null => NodeKind::Null,
            GraphValue::Bool(value) => NodeKind::Bool(*value),
            GraphValue::Int(value) => NodeKind::Int(*value),
            GraphValue::Float(value) => NodeKind::Float(*value),
            GraphValue::Str(text) => NodeKind::Str(text.clone()),
            GraphValue::List(items) => NodeKind::Sequence(items.len() as u32),
            GraphValue::Map(entries) => NodeKind::Mapping(entries.len() as u32),
            GraphValue::Ref(_) | GraphValue::Secret(_) | GraphValue::Later(_) => {
                return Err("the value is not known".to_owned());
            }
        };
        let at = nodes.len();
        nodes.push(Node { key, value: kind, octal: false, padded: false, end: 0 });
        match value {
            GraphValue::List(items) => items.iter().try_for_each(|item| add(nodes, None, item))?,
            GraphValue::Map(entries) => {
                entries.iter().try_for_each(|(key, value)| add(nodes, Some(key.clone()), value))?;
            }
            _ => {}
        }
        let end = nodes.len() as u32;
        if let Some(node) = nodes.get_mut(at) {
            node.end = end;
        }
        Ok(())
    }
    let mut nodes = Vec::new();
    add(&mut nodes, None, value)?;
    Ok(Document { nodes })
}

/// A value within mappings of its own: `{a: {b: value}}` for the path `a`, `b`.
fn nested(path: &[EcoString], value: &GraphValue) -> GraphValue {
    path.iter().rev().fold(value.clone(), |value, key| GraphValue::Map(vec![(key.clone(), value)]))
}

pub(super) fn edit(
    format: Format,
    text: &str,
    before: &GraphValue,
    edit: &Edit<'_>,
) -> Result<String, String> {
    if is_blank(format, text) {
        return match edit {
            Edit::Set(pointer, value) => begin(format, text, &nested(&pointer.0, value)),
            Edit::Unset(_) => Ok(text.to_owned()),
        };
    }
    let (_, document) = parse(format, text)?;
    let limits = Limits::default();
    let data_format = if format == Format::Json { edit::Format::Json } else { edit::Format::Yaml };
    let source =
        Source { file: file(), format: data_format, bytes: text.as_bytes(), limits: &limits, document: 0 };
    let edits = match edit {
        Edit::Set(pointer, value) => {
            let (node, rest) = deepest(&document, &pointer.0);
            match (rest.split_first(), value) {
                (Some((key, rest)), value) => {
                    let value = written(&nested(rest, value))?;
                    insert(source, &Insertion { mapping: node, key: key.clone(), value, after: None })
                }
                (None, GraphValue::List(_) | GraphValue::Map(_)) => replace(source, node, &written(value)?),
                (None, value) => match document.value(node) {
                    NodeKind::Sequence(_) | NodeKind::Mapping(_) => replace(source, node, &written(value)?),
                    _ => scalar(source, node, value),
                },
            }
        }
        Edit::Unset(pointer) => {
            let path = pointer.0.get(..tree::gone_at(before, &pointer.0)).unwrap_or(&pointer.0);
            match deepest(&document, path) {
                (node, []) => remove(source, node).map(|edits| whole_line(format, text, edits)),
                _ => return Ok(text.to_owned()),
            }
        }
    };
    let edits = edits.map_err(|refused: Refused| refused.to_string())?;
    let changed = edit::apply(text.as_bytes(), &edits).ok_or("its edits overlap")?;
    String::from_utf8(changed).map_err(|_| "it would not be UTF-8".to_owned())
}

/// Where the last key of a YAML document goes, nothing has to stand in its place.
fn whole_line(format: Format, text: &str, mut edits: Vec<TextEdit>) -> Vec<TextEdit> {
    if let ([only], Format::Yaml) = (edits.as_mut_slice(), format)
        && only.text == "{}"
    {
        let (start, end) = (only.span.start as usize, only.span.end as usize);
        let (before, behind) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
        let newline = ["\r\n", "\n"].into_iter().find(|newline| behind.starts_with(newline)).unwrap_or("");
        let rest = behind.get(newline.len()..).unwrap_or_default();
        if is_blank(format, &format!("{before}{rest}")) {
            only.text.clear();
            only.span = Span::new(start, end + newline.len());
        }
    }
    edits
}

fn scalar(source: Source<'_>, node: u32, value: &GraphValue) -> Result<Vec<TextEdit>, Refused> {
    let document = written(value).map_err(|_| Refused::NoSuchPlace)?;
    let value = document.value(Document::ROOT).clone();
    edit::edits(source, &[Change::ReplaceScalar { node, value }])
}

/// The first entry of a document in which nothing stands.
fn begin(format: Format, text: &str, value: &GraphValue) -> Result<String, String> {
    let document = written(value)?;
    let printed = match format {
        Format::Json => print::to_json(&document),
        _ => print::to_yaml(&document),
    };
    let printed = printed.map_err(|e| e.to_string())?;
    if format == Format::Json || text.trim().is_empty() {
        return Ok(printed);
    }
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{text}{newline}{printed}"))
}

/// How far a path leads: the node, and the keys that are not there.
fn deepest<'p>(document: &Document, path: &'p [EcoString]) -> (u32, &'p [EcoString]) {
    let mut node = Document::ROOT;
    for (depth, key) in path.iter().enumerate() {
        match document.get(node, key) {
            Some(next) => node = next,
            None => return (node, path.get(depth..).unwrap_or_default()),
        }
    }
    (node, &[])
}
