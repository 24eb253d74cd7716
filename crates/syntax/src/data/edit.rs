//! Changes of files that people wrote: bytes are replaced, all else stays, and the result is read
//! again. An edit that does not lead to exactly the wanted document is refused.
//!
//! [`edits`] changes what is there, [`insert`](super::insert::insert) adds an entry.

use ecow::EcoString;

use crate::base::{FileId, Span, TextEdit};

use super::print::{self, PrintError};
use super::{Document, Limits, Node, NodeKind, Parsed, parse_json, parse_yaml, parse_yaml_documents};

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// `.yaml`, `.yml`
    Yaml,
    /// `.json`
    Json,
}

impl Format {
    /// The format of a file, by the end of its path.
    pub fn of(path: &str) -> Option<Self> {
        let (_, extension) = path.rsplit_once('.')?;
        match extension {
            "yaml" | "yml" => Some(Format::Yaml),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    /// Parses a file of this format.
    pub fn parse(self, file: FileId, bytes: &[u8], limits: &Limits) -> Parsed {
        match self {
            Format::Yaml => parse_yaml(file, bytes, limits),
            Format::Json => parse_json(file, bytes, limits),
        }
    }
}

/// One change of a document.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// Another key for the entry whose value is this node.
    RenameKey {
        /// The value under the key.
        node: u32,
        /// The key that it gets.
        key: EcoString,
    },
    /// Another scalar in the place of a scalar.
    ReplaceScalar {
        /// The scalar that goes.
        node: u32,
        /// The one that comes.
        value: NodeKind,
    },
}

/// Why a file cannot be changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The file does not parse, so that nothing can be compared.
    #[error("the file does not parse")]
    Unreadable,
    /// There is no such entry, or no scalar at the node.
    #[error("there is nothing in the file that can be changed like this")]
    NoSuchPlace,
    /// No place in the mapping takes an entry.
    #[error(
        "no place was found where an entry changes nothing else: an anchor or an alias is used here, or a spelling that only YAML has"
    )]
    NoPlace,
    /// What sops wrote carries a seal over all values: another tool breaks it.
    #[error("the file is encrypted by sops, and its seal covers all of it")]
    Encrypted,
    /// The value has no text in the format.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// Read again, the file would say something else: what stands there is used in another place
    /// too (an anchor), or comes from one (a merge key, an alias).
    #[error("the change would alter something else too")]
    NotTheSame,
}

/// A file as it is, and how it is read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file.
    pub file: FileId,
    /// How it is written.
    pub format: Format,
    /// What is in it.
    pub bytes: &'a [u8],
    /// The limits within which it is read.
    pub limits: &'a Limits,
    /// Which of its documents changes, from 0; YAML files can have several.
    pub document: usize,
}

impl Source<'_> {
    /// All documents of the file with these bytes.
    fn parse(&self, bytes: &[u8]) -> Vec<Parsed> {
        match self.format {
            Format::Yaml => parse_yaml_documents(self.file, bytes, self.limits),
            Format::Json => vec![parse_json(self.file, bytes, self.limits)],
        }
    }
}

/// A file as it was read, to be compared with what becomes of it.
pub(super) struct Whole<'a> {
    source: Source<'a>,
    before: Vec<Parsed>,
}

impl<'a> Whole<'a> {
    /// Reads a file that has no mistake in it.
    pub fn read(source: Source<'a>) -> Result<Self, Refused> {
        let before = source.parse(source.bytes);
        if before.iter().any(|parsed| parsed.document.is_none() || !parsed.diagnostics.is_empty()) {
            return Err(Refused::Unreadable);
        }
        Ok(Whole { source, before })
    }

    /// The document that is to change.
    pub fn chosen(&self) -> Result<(&Parsed, &Document), Refused> {
        let parsed = self.before.get(self.source.document).ok_or(Refused::NoSuchPlace)?;
        Ok((parsed, parsed.document.as_ref().ok_or(Refused::Unreadable)?))
    }

    /// Whether the replacements make the chosen document what is wanted, and leave all others.
    pub fn becomes(&self, edits: &[TextEdit], wanted: &Document) -> bool {
        let Some(changed) = apply(self.source.bytes, edits) else { return false };
        let after = self.source.parse(&changed);
        after.len() == self.before.len()
            && self.before.iter().zip(&after).enumerate().all(|(number, (before, after))| {
                let wanted =
                    if number == self.source.document { Some(wanted) } else { before.document.as_ref() };
                after.diagnostics.is_empty() && after.document.as_ref() == wanted
            })
    }
}

/// The replacements that make all the changes and nothing else, in the order of the file.
pub fn edits(source: Source<'_>, changes: &[Change]) -> Result<Vec<TextEdit>, Refused> {
    let whole = Whole::read(source)?;
    let (parsed, document) = whole.chosen()?;
    let mut wanted = document.clone();
    let mut edits = Vec::with_capacity(changes.len());
    for change in changes {
        let (span, text) = plan(source, parsed, change)?;
        apply_to(&mut wanted, change)?;
        edits.push(TextEdit { file: source.file, span, text });
    }
    edits.sort_by_key(|edit| edit.span);
    edits.dedup();
    if whole.becomes(&edits, &wanted) { Ok(edits) } else { Err(Refused::NotTheSame) }
}

/// The bytes after some replacements, in the order of the file; nothing if two overlap or one
/// lies outside.
pub fn apply(bytes: &[u8], edits: &[TextEdit]) -> Option<Vec<u8>> {
    let mut changed = Vec::with_capacity(bytes.len() + 16 * edits.len());
    let mut at = 0;
    for edit in edits {
        let Span { start, end } = edit.span;
        changed.extend_from_slice(bytes.get(at..start as usize)?);
        changed.extend_from_slice(edit.text.as_bytes());
        at = end.max(start) as usize;
    }
    changed.extend_from_slice(bytes.get(at..)?);
    Some(changed)
}

/// The text of a key or string in a format, in the quotes that stand there now.
pub fn string_like(format: Format, now: &str, text: &str) -> String {
    let single = format == Format::Yaml && now.starts_with('\'');
    if single
        && !text.contains(|c: char| {
            c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        })
    {
        return format!("'{}'", text.replace('\'', "''"));
    }
    if format == Format::Json || now.starts_with(['"', '\'']) {
        return print::quoted(text);
    }
    print::yaml_string(text)
}

/// The place and the text of one change.
fn plan(source: Source<'_>, parsed: &Parsed, change: &Change) -> Result<(Span, String), Refused> {
    let document = parsed.document.as_ref().ok_or(Refused::Unreadable)?;
    let text_at = |span: Span| {
        let bytes = source.bytes.get(span.range()).ok_or(Refused::NoSuchPlace)?;
        std::str::from_utf8(bytes).map_err(|_| Refused::NoSuchPlace)
    };
    match change {
        Change::RenameKey { node, key } => {
            document.key(*node).ok_or(Refused::NoSuchPlace)?;
            let span = parsed.spans.key(*node);
            Ok((span, string_like(source.format, text_at(span)?, key)))
        }
        Change::ReplaceScalar { node, value } => {
            let span = parsed.spans.value(*node);
            let now = text_at(span)?;
            let text = match (value, source.format) {
                (NodeKind::Str(text), format) => string_like(format, now, text),
                (value, Format::Json) => print::json_scalar(value)?,
                (value, Format::Yaml) => print::yaml_scalar(value)?,
            };
            // An empty value (`key:`) stands right behind its colon.
            let glued = span.is_empty()
                && span.start > 0
                && !source.bytes.get(..span.start as usize).is_some_and(|b| b.ends_with(b" "));
            Ok((span, if glued { format!(" {text}") } else { text }))
        }
    }
}

/// Makes the same change to the document.
fn apply_to(document: &mut Document, change: &Change) -> Result<(), Refused> {
    let scalar = |node: &&mut Node| !matches!(node.value, NodeKind::Sequence(_) | NodeKind::Mapping(_));
    let (Change::RenameKey { node, .. } | Change::ReplaceScalar { node, .. }) = change;
    let node = document.nodes.get_mut(*node as usize).ok_or(Refused::NoSuchPlace)?;
    match change {
        Change::RenameKey { key, .. } => node.key = Some(key.clone()),
        Change::ReplaceScalar { value, .. } => {
            let node = Some(node).filter(scalar).ok_or(Refused::NoSuchPlace)?;
            node.value = value.clone();
        }
    }
    Ok(())
}
