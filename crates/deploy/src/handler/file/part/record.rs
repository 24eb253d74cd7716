//! What the ledger remembers of a part of a file: enough to find it again, and to tell whether it
//! is as it was.

use std::collections::BTreeMap;

use ecow::EcoString;

use crate::graph::GraphValue;
use crate::handler::file::look::sha256;
use crate::handler::{Fault, PrintKey, Recorded};

use super::block::{Fence, lines_of};
use super::keys::{Format, Pointer, digest};
use super::spec::{Part, PartSpec};
use super::words::{Words, entry, has_print, is_entry, key_of, name_of, plain_of};

/// What was applied last. After an update that may have happened or not, both are in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    path: EcoString,
    lines: Vec<EcoString>,
    /// The entries of lines that are secrets.
    secret_lines: Vec<EcoString>,
    fence: Option<(EcoString, EcoString, EcoString)>,
    /// The digests of the block's content.
    contents: Vec<EcoString>,
    /// By key the digests of its value.
    keys: BTreeMap<Pointer, Vec<EcoString>>,
}

impl Known {
    /// What is remembered once a part is as wanted.
    pub(super) fn of(spec: &PartSpec<'_>) -> Self {
        let mut known = Known { path: spec.path.into(), ..Known::default() };
        match &spec.part {
            Part::Line(line) => match line.line {
                Words::Plain(line) => known.lines.push(line.into()),
                Words::Later(_) => {}
                Words::Secret(_) => known.secret_lines.extend(secret_text(line.line, |line| line.into())),
            },
            Part::Block(block) => {
                let Fence { name, comment, comment_end } = block.fence;
                known.fence = Some((name.into(), comment.into(), comment_end.into()));
                known.contents.push(match block.content {
                    Words::Plain(content) => sha256(lines_of(content).as_bytes()),
                    Words::Later(_) => EcoString::new(),
                    Words::Secret(_) => secret_text(block.content, lines_of).unwrap_or_default(),
                });
            }
            Part::Keys(format, leaves) => {
                let known_as = |value| vec![key_entry(*format, value)];
                known.keys =
                    leaves.iter().map(|(pointer, value)| (pointer.clone(), known_as(value))).collect();
            }
        }
        known
    }

    pub(super) fn read(recorded: &Recorded) -> Result<Self, Fault> {
        let damaged =
            |why: &str| Fault::new(format!("the ledger's record of a part of a file is damaged: {why}"));
        let fields = GraphValue::parse(recorded.fields.as_bytes()).map_err(|e| damaged(&e.to_string()))?;
        let text = |name: &str| fields.get(name).and_then(GraphValue::as_str);
        let path = text("path").filter(|path| crate::handler::file::path::problem(path).is_none());
        let fence = match (text("name"), text("comment"), text("comment_end")) {
            (Some(name), Some(comment), Some(end)) => Some((name.into(), comment.into(), end.into())),
            _ => None,
        };
        let keys = fields.get("keys").and_then(GraphValue::entries).unwrap_or_default();
        Ok(Known {
            path: path.ok_or_else(|| damaged("it has no path"))?.into(),
            lines: fields.get("line").map(texts).unwrap_or_default(),
            secret_lines: fields.get("secret_line").map(texts).unwrap_or_default(),
            fence,
            contents: fields.get("sha256").map(texts).unwrap_or_default(),
            keys: keys.iter().map(|(pointer, digests)| (Pointer::parse(pointer), texts(digests))).collect(),
        })
    }

    /// As the ledger keeps it.
    pub(super) fn write(&self) -> EcoString {
        let mut fields: Vec<(EcoString, GraphValue)> = vec![("path".into(), text(&self.path))];
        if !self.lines.is_empty() {
            fields.push(("line".into(), one_or_more(&self.lines)));
        }
        if !self.secret_lines.is_empty() {
            fields.push(("secret_line".into(), one_or_more(&self.secret_lines)));
        }
        if let Some((name, comment, end)) = &self.fence {
            fields.extend(
                [("name", name), ("comment", comment), ("comment_end", end)]
                    .map(|(k, v)| (k.into(), text(v))),
            );
            fields.push(("sha256".into(), one_or_more(&self.contents)));
        }
        if !self.keys.is_empty() {
            let keys = self
                .keys
                .iter()
                .map(|(pointer, digests)| (ecow::eco_format!("{pointer}"), one_or_more(digests)));
            fields.push(("keys".into(), GraphValue::map(keys.collect())));
        }
        String::from_utf8(GraphValue::map(fields).to_json()).unwrap_or_default().into()
    }

    /// What there is to clear once an update may have happened: all that was applied last and all
    /// that was to be.
    pub(super) fn merged(mut self, other: Known) -> Self {
        add(&mut self.lines, other.lines);
        add(&mut self.secret_lines, other.secret_lines);
        add(&mut self.contents, other.contents);
        self.fence = self.fence.or(other.fence);
        for (pointer, digests) in other.keys {
            add(self.keys.entry(pointer).or_default(), digests);
        }
        self
    }

    /// Whether it stands for a part: the record of a whole file has a path, too.
    pub(super) fn is_part(&self) -> bool {
        !self.lines.is_empty()
            || !self.secret_lines.is_empty()
            || self.fence.is_some()
            || !self.keys.is_empty()
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn lines(&self) -> Vec<&str> {
        self.lines.iter().map(EcoString::as_str).collect()
    }

    pub(super) fn fence(&self) -> Option<Fence<'_>> {
        self.fence.as_ref().map(|(name, comment, comment_end)| Fence { name, comment, comment_end })
    }

    /// The entries of lines that are secrets.
    pub(super) fn secret_lines(&self) -> &[EcoString] {
        &self.secret_lines
    }

    /// What is known of the contents that a block had.
    pub(super) fn contents(&self) -> &[EcoString] {
        &self.contents
    }

    /// What is known of the values that a key had.
    pub(super) fn values(&self, pointer: &Pointer) -> &[EcoString] {
        self.keys.get(pointer).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a secret was applied, to one key or to any of it.
    pub(super) fn has_secret(&self, pointer: Option<&Pointer>) -> bool {
        let keys = self.keys.iter().filter(|(key, _)| pointer.is_none_or(|pointer| pointer == *key));
        let of_keys = keys.flat_map(|(_, values)| values);
        let rest = self.secret_lines.iter().chain(&self.contents).filter(|_| pointer.is_none());
        of_keys.chain(rest).any(|known| is_entry(known))
    }

    /// Whether a line is one that was applied.
    pub(super) fn has_line(&self, line: &[u8], key: &PrintKey) -> bool {
        self.lines.iter().any(|known| known.as_bytes() == line) || has(&self.secret_lines, line, key)
    }

    /// Whether a block's content is one that was applied.
    pub(super) fn has_content(&self, content: &str, key: &PrintKey) -> bool {
        let digest = sha256(content.as_bytes());
        self.contents.contains(&digest) || has(&self.contents, content.as_bytes(), key)
    }

    /// The keys that were applied.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Pointer> {
        self.keys.keys()
    }

    /// Whether a value is one that was applied at a key.
    pub(super) fn has_value(&self, pointer: &Pointer, value: &GraphValue, key: &PrintKey) -> bool {
        let known = self.values(pointer);
        let secret = known.iter().any(|known| is_entry(known));
        known.contains(&digest(value)) || (secret && has(known, &value.to_json(), key))
    }

    /// The same of a value as a look shows it, of a secret by its hash.
    pub(super) fn has_shown(&self, pointer: &Pointer, value: &GraphValue, print: Option<&str>) -> bool {
        let known = self.values(pointer);
        match print {
            Some(print) => known.iter().any(|known| has_print(known, print)),
            None => known.contains(&digest(value)),
        }
    }
}

fn has(entries: &[EcoString], value: &[u8], key: &PrintKey) -> bool {
    let mut secrets = entries.iter().filter(|known| is_entry(known)).peekable();
    if secrets.peek().is_none() {
        return false;
    }
    let print = key.print(value);
    secrets.any(|known| has_print(known, &print))
}

/// The entry of a text that is a secret, which stands in the file as `as_read` says.
fn secret_text(words: Words<'_>, as_read: impl Fn(&str) -> EcoString) -> Option<EcoString> {
    let print = text_print(words, as_read);
    Some(entry(print.as_deref(), &words.secret()?.name()))
}

/// The hash of a text that is a secret, once it is open.
pub(super) fn text_print(words: Words<'_>, as_read: impl Fn(&str) -> EcoString) -> Option<EcoString> {
    let key = key_of(&GraphValue::Secret(words.secret()?.clone()))?;
    Some(key.print(as_read(words.known()?).as_bytes()))
}

/// What is known of the value of a key.
fn key_entry(format: Format, value: &GraphValue) -> EcoString {
    match name_of(value) {
        Some(name) => entry(value_print(format, value).as_deref(), &name),
        None => digest(&format.as_read(value)),
    }
}

/// The hash of a value with secrets, once they are open.
pub(super) fn value_print(format: Format, value: &GraphValue) -> Option<EcoString> {
    let plain = plain_of(value).ok()?;
    Some(key_of(value)?.print(&format.as_read(&plain).to_json()))
}

fn text(text: &EcoString) -> GraphValue {
    GraphValue::Str(text.clone())
}

fn one_or_more(all: &[EcoString]) -> GraphValue {
    match all {
        [one] => text(one),
        all => GraphValue::List(all.iter().map(text).collect()),
    }
}

fn texts(value: &GraphValue) -> Vec<EcoString> {
    match value {
        GraphValue::Str(text) => vec![text.clone()],
        GraphValue::List(all) => all.iter().filter_map(|one| one.as_str().map(EcoString::from)).collect(),
        _ => Vec::new(),
    }
}

fn add(all: &mut Vec<EcoString>, more: Vec<EcoString>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}
