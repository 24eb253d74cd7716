//! Keys of a document: JSON, YAML, TOML, INI. Only the managed keys are changed; whatever else
//! stands in the file keeps its bytes.
//!
//! No editor is trusted: after each change the document is read again, and one that does not say
//! exactly what it said before, but for the change, is refused.

mod document;
mod ini;
mod toml;
mod tree;

use ecow::{EcoString, eco_format};

use crate::graph::GraphValue;
use crate::handler::Fault;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::handler::file) enum Format {
    Json,
    Yaml,
    Toml,
    Ini,
}

/// The way to a value from the top of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pointer(pub Vec<EcoString>);

impl Pointer {
    /// Reads a JSON pointer (RFC 6901).
    pub(super) fn parse(text: &str) -> Self {
        let part = |part: &str| part.replace("~1", "/").replace("~0", "~").into();
        Pointer(text.split('/').skip(1).map(part).collect())
    }

    /// The pointers of all that it lies in, but for the document itself.
    pub(super) fn holders(&self) -> impl Iterator<Item = Pointer> + '_ {
        (1..self.0.len()).filter_map(|n| Some(Pointer(self.0.get(..n)?.to_vec())))
    }

    /// As people read it: `log-opts.tag`.
    pub(super) fn dotted(&self) -> EcoString {
        self.0.join(".").into()
    }
}

/// A JSON pointer.
impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|part| write!(f, "/{}", part.replace("~", "~0").replace("/", "~1")))
    }
}

/// The values of a map that are not maps with something in them, each with its pointer.
pub(super) fn leaves(values: &GraphValue) -> Vec<(Pointer, &GraphValue)> {
    fn walk<'v>(at: &mut Vec<EcoString>, value: &'v GraphValue, found: &mut Vec<(Pointer, &'v GraphValue)>) {
        match value {
            GraphValue::Map(entries) if !entries.is_empty() || at.is_empty() => {
                for (key, value) in entries {
                    at.push(key.clone());
                    walk(at, value, found);
                    at.pop();
                }
            }
            leaf => found.push((Pointer(at.clone()), leaf)),
        }
    }
    let mut found = Vec::new();
    walk(&mut Vec::new(), values, &mut found);
    found
}

/// One change of a document.
pub(super) enum Edit<'a> {
    /// This value at this place, whatever is there.
    Set(&'a Pointer, &'a GraphValue),
    /// Nothing at this place; what is left empty by that goes, too.
    Unset(&'a Pointer),
}

impl Format {
    /// As people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Json => "JSON",
            Format::Yaml => "YAML",
            Format::Toml => "TOML",
            Format::Ini => "INI",
        }
    }

    /// What is wrong with a value that is wanted in a document of this format.
    pub(super) fn refuses(self, pointer: &Pointer, value: &GraphValue) -> Option<String> {
        match self {
            Format::Json | Format::Yaml => None,
            Format::Toml => toml::refuses(value).map(|what| format!("TOML has no {what}")),
            Format::Ini => ini::refuses(pointer, value),
        }
    }

    /// What a document says, as far as a [`GraphValue`] can tell.
    pub(super) fn read(self, bytes: &[u8]) -> Result<GraphValue, Fault> {
        let text = self.text(bytes)?;
        let read = match self {
            Format::Json | Format::Yaml => document::read(self, text),
            Format::Toml => toml::read(text),
            Format::Ini => ini::read(text),
        };
        read.map_err(|why| {
            Fault::new(format!("the file is no {} that can be changed: {why}", self.name()))
                .help("mend the file by hand, or manage the whole of it with a `TextFile`")
        })
    }

    /// A value as [`Format::read`] finds it once it is written: INI has texts alone.
    pub(super) fn as_read(self, value: &GraphValue) -> GraphValue {
        match self {
            Format::Ini => ini::as_read(value),
            _ => value.clone(),
        }
    }

    /// The document after an edit.
    pub(super) fn edit(self, bytes: &[u8], edit: &Edit<'_>) -> Result<Vec<u8>, Fault> {
        let before = self.read(bytes)?;
        let (Edit::Set(pointer, _) | Edit::Unset(pointer)) = edit;
        let refused = |why: &str| {
            Fault::new(format!(
                "the key `{}` cannot be changed in this {}: {why}",
                pointer.dotted(),
                self.name()
            ))
            .help("change the file by hand, or manage the whole of it with a `TextFile`")
        };
        let wanted = match edit {
            Edit::Set(pointer, value) => tree::edited(&before, &Edit::Set(pointer, &self.as_read(value))),
            Edit::Unset(_) => tree::edited(&before, edit),
        };
        let wanted = wanted.map_err(|why| refused(&why))?;
        if wanted == before {
            return Ok(bytes.to_vec());
        }
        let text = self.text(bytes)?;
        let changed = match self {
            Format::Json | Format::Yaml => document::edit(self, text, &before, edit),
            Format::Toml => toml::edit(text, edit),
            Format::Ini => ini::edit(text, edit),
        };
        let changed = changed.map_err(|why| refused(&why))?;
        match self.read(changed.as_bytes()) {
            Ok(after) if after == wanted => Ok(changed.into_bytes()),
            _ => Err(refused("it would say something else, too, than it does now")),
        }
    }

    fn text(self, bytes: &[u8]) -> Result<&str, Fault> {
        std::str::from_utf8(bytes).map_err(|_| {
            Fault::new("the file is not UTF-8").help("only text in UTF-8 has keys that can be managed")
        })
    }
}

/// What is at a place of a document.
pub(super) fn at<'v>(document: &'v GraphValue, pointer: &Pointer) -> Option<&'v GraphValue> {
    pointer.0.iter().try_fold(document, |value, key| value.get(key))
}

/// A short digest of a value.
pub(super) fn digest(value: &GraphValue) -> EcoString {
    let whole = super::super::look::sha256(&value.to_json());
    whole.get(..32).map_or_else(|| whole.clone(), EcoString::from)
}

/// A value that cannot be told from others by what a [`GraphValue`] holds: it compares by its text.
fn foreign(text: &str) -> GraphValue {
    GraphValue::map(vec![("\0".into(), GraphValue::Str(eco_format!("{text}")))])
}

#[cfg(test)]
mod tests;
