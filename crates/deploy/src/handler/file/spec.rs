//! What a node says that a file is to be.

use ecow::EcoString;
use rustix::fs::FileType;

use crate::graph::{GraphValue, Node, Secret};
use crate::handler::{Fault, Need, PrintKey, Problem};

use super::path;

/// The types that the handler knows, by their full paths.
pub(super) const TYPES: [(&str, Kind); 4] = [
    ("std::files::Directory", Kind::Directory),
    ("std::files::TextFile", Kind::Text),
    ("std::files::CopyFile", Kind::Copy),
    ("std::files::Symlink", Kind::Link),
];

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    Text,
    Copy,
    Link,
}

impl Kind {
    /// The kind of a type.
    pub(super) fn of(type_path: &str) -> Option<Kind> {
        TYPES.iter().find(|(path, _)| *path == type_path).map(|(_, kind)| *kind)
    }

    /// What the file system calls it.
    pub(super) fn file_type(self) -> FileType {
        match self {
            Kind::Directory => FileType::Directory,
            Kind::Text | Kind::Copy => FileType::RegularFile,
            Kind::Link => FileType::Symlink,
        }
    }

    /// For messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Directory => "directory",
            Kind::Text | Kind::Copy => "file",
            Kind::Link => "symbolic link",
        }
    }
}

/// What is in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    /// Entries of their own: a directory.
    Entries,
    /// This text.
    Text(&'a str),
    /// A text that is not told; it is opened where it is applied.
    Secret(&'a Secret),
    /// The bytes of this file of the project, which have this SHA-256 in hex.
    Project { path: &'a str, sha256: &'a str },
    /// A symbolic link to this.
    Link(&'a str),
    /// Known once others are deployed; whether a secret is part of it.
    Later { secret: bool },
}

/// A file as it is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec<'a> {
    pub kind: Kind,
    pub path: &'a str,
    pub content: Content<'a>,
    pub mode: Option<u32>,
    pub owner: Option<&'a str>,
    pub group: Option<&'a str>,
}

/// What is wrong with the fields of a node.
#[derive(Default)]
pub(super) struct Findings {
    /// Mistakes.
    pub wrong: Vec<Problem>,
    /// What is not known before a deploy, or must not be shown.
    pub marked: Vec<Problem>,
}

impl Findings {
    pub(super) fn push(&mut self, problem: Problem) {
        self.wrong.push(problem);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wrong.is_empty() && self.marked.is_empty()
    }

    /// A value that is not what is wanted.
    pub(super) fn unfit(&mut self, field: &str, value: Option<&GraphValue>, wanted: &str) {
        let problem = wrong(field, value, wanted);
        match value {
            Some(value) if value.is_marked() => self.marked.push(problem),
            _ => self.wrong.push(problem),
        }
    }
}

impl<'a> Spec<'a> {
    /// Reads a node whose values are all known, or says all that is in the way.
    pub(super) fn read(node: &'a Node) -> Result<Self, Vec<Problem>> {
        Self::examine(node).map_err(|found| found.wrong.into_iter().chain(found.marked).collect())
    }

    /// What is wrong with the values that are known: that of others waits for a deploy.
    pub(super) fn mistakes(node: &Node) -> Vec<Problem> {
        Spec::examine(node).err().map(|found| found.wrong).unwrap_or_default()
    }

    /// The path of a node without mistakes: a key, so it is known.
    pub(super) fn path_of(node: &Node) -> Option<&str> {
        match Self::mistakes(node).is_empty() {
            true => node.fields.get("path").and_then(GraphValue::as_str),
            false => None,
        }
    }

    fn examine(node: &'a Node) -> Result<Self, Findings> {
        let mut problems = Findings::default();
        let Some(kind) = Kind::of(&node.type_) else {
            let parts = super::part::TYPES.iter().map(|(path, _)| *path);
            let known: Vec<&str> = TYPES.iter().map(|(path, _)| *path).chain(parts).collect();
            problems.push(Problem {
                field: EcoString::new(),
                message: format!("the handler `file` does not know the type `{}`", node.type_),
                help: Some(format!("it knows {}", known.join(", "))),
            });
            return Err(problems);
        };
        let path = text(&node.fields, "path", &mut problems).unwrap_or_default();
        problems.wrong.extend(path::problem(path));
        let content = content(kind, &node.fields, &mut problems);
        let mode = mode(&node.fields, "mode", &mut problems);
        let owner = principal(&node.fields, "owner", &mut problems);
        let group = principal(&node.fields, "group", &mut problems);
        match content {
            Some(content) if problems.is_empty() => Ok(Spec { kind, path, content, mode, owner, group }),
            _ => Err(problems),
        }
    }
}

/// The text of a secret, where that is opened.
pub(super) fn opened(secret: &Secret) -> Result<&str, Fault> {
    match secret {
        Secret::Known(known) => {
            known.value.as_str().ok_or_else(|| Fault::new("the value of the secret is no text"))
        }
        Secret::Source { .. } | Secret::Call(_) => Err(Fault::new("the secret was not opened")),
    }
}

/// The keyed hash of a secret, where that is opened.
pub(super) fn print_of(secret: &Secret) -> Option<EcoString> {
    match secret {
        Secret::Known(known) => Some(PrintKey::new(known.key).print(known.value.as_str()?.as_bytes())),
        Secret::Source { .. } | Secret::Call(_) => None,
    }
}

/// The folders that a path lies in.
pub(super) fn needs(path: &str) -> Vec<Need> {
    let any_of = folders_of(&claim(path));
    if any_of.is_empty() { Vec::new() } else { vec![Need { any_of, why: "parent directory" }] }
}

/// The claims of the folders that a claimed path lies in, the nearest first.
pub(super) fn folders_of(claimed: &str) -> Vec<EcoString> {
    match claimed.strip_prefix("path:") {
        Some(path) => path::ancestors(path).map(claim).collect(),
        None => Vec::new(),
    }
}

/// What the file at a path holds on its target.
pub(super) fn claim(path: &str) -> EcoString {
    let mut claim = EcoString::with_capacity(5 + path.len());
    claim.push_str("path:");
    claim.push_str(path);
    claim
}

/// A value that is there, if it is there.
pub(super) fn given<'a>(fields: &'a GraphValue, name: &str) -> Option<&'a GraphValue> {
    fields.get(name).filter(|value| **value != GraphValue::Null)
}

fn wrong(field: &str, value: Option<&GraphValue>, wanted: &str) -> Problem {
    let message = match value {
        None => format!("the field `{field}` is missing"),
        // Never the value: what is not known yet, or must not be shown, is no plain value.
        Some(value) if value.is_marked() => {
            format!("the field `{field}` is a secret or known later, which it cannot be here")
        }
        Some(_) => format!("the field `{field}` is no {wanted}"),
    };
    Problem { field: field.into(), message, help: Some(format!("give it a {wanted}")) }
}

pub(super) fn text<'a>(fields: &'a GraphValue, name: &str, problems: &mut Findings) -> Option<&'a str> {
    let value = given(fields, name);
    let text = value.and_then(GraphValue::as_str);
    if text.is_none() {
        problems.unfit(name, value, "string");
    }
    text
}

fn content<'a>(kind: Kind, fields: &'a GraphValue, problems: &mut Findings) -> Option<Content<'a>> {
    let of_content = ["content", "source", "sha256", "to"].into_iter();
    if of_content.filter_map(|name| given(fields, name)).any(GraphValue::has_later) {
        return Some(Content::Later { secret: fields.has_secret() });
    }
    Some(match kind {
        Kind::Directory => Content::Entries,
        Kind::Text => match given(fields, "content") {
            Some(GraphValue::Secret(secret)) => Content::Secret(secret),
            _ => Content::Text(text(fields, "content", problems)?),
        },
        Kind::Copy => {
            let path = text(fields, "source", problems)?;
            let sha256 = text(fields, "sha256", problems)?;
            Content::Project { path, sha256 }
        }
        Kind::Link => {
            let to = text(fields, "to", problems)?;
            if to.is_empty() || to.contains(['\0', '\n']) {
                let message = format!("a symbolic link cannot lead to {to:?}");
                let help = Some("name a path without NUL and newline".to_owned());
                problems.push(Problem { field: "to".into(), message, help });
            }
            Content::Link(to)
        }
    })
}

pub(super) fn mode(fields: &GraphValue, name: &str, problems: &mut Findings) -> Option<u32> {
    let value = given(fields, name).filter(|value| !value.has_later())?;
    let mode = value.as_int().and_then(|mode| u32::try_from(mode).ok()).filter(|mode| *mode <= 0o7777);
    if mode.is_none() {
        problems.unfit(name, Some(value), "mode from 0 to 0o7777");
    }
    mode
}

/// A user or a group: a name, or a number as text.
fn principal<'a>(fields: &'a GraphValue, name: &str, problems: &mut Findings) -> Option<&'a str> {
    let value = given(fields, name).filter(|value| !value.has_later())?;
    let principal = value.as_str().filter(|text| !text.is_empty() && !text.contains([':', '\n', '\0']));
    if principal.is_none() {
        problems.unfit(name, Some(value), "name or number of a user or group");
    }
    principal
}
