//! One version of an instance, as a file of the store has it.

use ecow::EcoString;
use serde_json::{Map, Value, json};
use sha2::Digest as _;

/// The version of the format.
const FORMAT: u64 = 1;

/// A version of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id, with the whole key: `shop::Site[name=a]`.
    pub instance: EcoString,
    /// From 1 on; they only grow.
    pub number: u64,
    /// The digest of the version before it; none of the first.
    pub previous: Option<EcoString>,
    /// What there was.
    pub state: State,
    /// The `moved` lines of swaps that it came after: of two that swapped their names no id tells.
    pub moved: Vec<EcoString>,
}

/// What a version says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The instance was deleted.
    Deleted,
    /// It was there: the files that it is read from, the base first.
    Active(Vec<Part>),
}

/// One file of an instance, or one instance of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The file.
    pub path: EcoString,
    /// What it said.
    pub content: Content,
}

/// What a file said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The whole text of it.
    File(EcoString),
    /// One of several instances in it.
    Item {
        /// The line that it started at, from 1.
        line: u32,
        /// Its text: what YAML and, in a JSON file, JSON reads as the item of a list.
        text: EcoString,
    },
}

impl Content {
    /// The text, and what tells the two apart.
    fn text(&self) -> (&'static str, &EcoString) {
        match self {
            Content::File(text) => ("lines", text),
            Content::Item { text, .. } => ("item", text),
        }
    }
}

impl Version {
    /// The files, if it was there.
    pub fn parts(&self) -> Option<&[Part]> {
        match &self.state {
            State::Active(parts) => Some(parts),
            State::Deleted => None,
        }
    }

    /// The digest, over everything but the paths of its files and the line that it started at: a
    /// file that is renamed changes neither the version nor what follows it.
    pub fn digest(&self) -> EcoString {
        let mut hasher = sha2::Sha256::new();
        let mut feed = |text: &str| {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        };
        feed(&self.instance);
        feed(&self.number.to_string());
        feed(self.previous.as_deref().unwrap_or_default());
        match &self.state {
            State::Deleted => feed("deleted"),
            State::Active(parts) => {
                for part in parts {
                    let (kind, text) = part.content.text();
                    feed(kind);
                    feed(text);
                }
            }
        }
        for line in &self.moved {
            feed("moved");
            feed(line);
        }
        let mut text = EcoString::from("sha256:");
        hasher.finalize().iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
        text
    }

    /// The bytes of the file.
    pub fn text(&self) -> String {
        let mut value = json!({
            "format": FORMAT,
            "instance": self.instance.as_str(),
            "version": self.number,
            "previous": self.previous.as_deref(),
            "digest": self.digest().as_str(),
        });
        match &self.state {
            State::Deleted => value["deleted"] = true.into(),
            State::Active(parts) => value["files"] = parts.iter().map(part_json).collect(),
        }
        if !self.moved.is_empty() {
            value["moved"] = self.moved.iter().map(EcoString::as_str).collect();
        }
        format!("{value:#}\n")
    }

    /// Reads the bytes of the file, or says what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match value.get("format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => {
                return Err(format!("it has format {newer}, which a newer gops wrote"));
            }
            _ => return Err("it does not say `\"format\": 1`".to_owned()),
        }
        let state = match (value.get("deleted"), value.get("files").and_then(Value::as_array)) {
            (Some(Value::Bool(true)), None) => State::Deleted,
            (None, Some(files)) => State::Active(files.iter().map(part).collect::<Result<_, _>>()?),
            _ => return Err("it has neither `files` nor `\"deleted\": true`".to_owned()),
        };
        let version = Version {
            instance: text(&value, "instance")?,
            number: value
                .get("version")
                .and_then(Value::as_u64)
                .filter(|n| *n > 0)
                .ok_or("it has no `version`")?,
            previous: match value.get("previous") {
                None | Some(Value::Null) => None,
                Some(_) => Some(text(&value, "previous")?),
            },
            state,
            moved: match value.get("moved") {
                None => Vec::new(),
                Some(lines) => lines_of(lines).ok_or("its `moved` is no list of lines")?,
            },
        };
        if version.digest() != text(&value, "digest")? {
            return Err("its digest is that of another text: it was edited".to_owned());
        }
        Ok(version)
    }
}

fn text(value: &Value, name: &str) -> Result<EcoString, String> {
    value.get(name).and_then(Value::as_str).map(Into::into).ok_or_else(|| format!("it has no `{name}`"))
}

fn lines_of(value: &Value) -> Option<Vec<EcoString>> {
    value.as_array()?.iter().map(|line| line.as_str().map(EcoString::from)).collect()
}

/// Line by line, so that a reviewer sees which one changed.
fn part_json(part: &Part) -> Value {
    let (kind, text) = part.content.text();
    let mut object = Map::new();
    object.insert("path".to_owned(), part.path.as_str().into());
    if let Content::Item { line, .. } = part.content {
        object.insert("line".to_owned(), line.into());
    }
    object.insert(kind.to_owned(), text.split('\n').collect());
    Value::Object(object)
}

fn part(value: &Value) -> Result<Part, String> {
    let lines = |name: &str| -> Option<EcoString> {
        let lines: Option<Vec<&str>> = value.get(name)?.as_array()?.iter().map(Value::as_str).collect();
        Some(lines?.join("\n").into())
    };
    let line = value.get("line").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
    let content = match (lines("lines"), lines("item"), line) {
        (Some(text), None, None) => Content::File(text),
        (None, Some(text), Some(line)) => Content::Item { line, text },
        _ => return Err("one of its `files` has neither `lines` nor a `line` and an `item`".to_owned()),
    };
    let path = text(value, "path")?;
    match is_inside(&path) {
        true => Ok(Part { path, content }),
        false => Err(format!("`{path}` is no file of the project")),
    }
}

fn is_inside(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
