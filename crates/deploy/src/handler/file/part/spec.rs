//! What a node says that a part of a file is to be.

use ecow::{EcoString, eco_format};
use regex::bytes::Regex;

use crate::graph::{Drift, GraphValue, Node};
use crate::handler::Problem;
use crate::handler::file::path;
use crate::handler::file::spec::{Findings, claim, given, mode, text};

use super::block::{Block, Fence};
use super::keys::{Format, Pointer, leaves};
use super::line::Line;
use super::words::{Words, plain_of};

/// The types of parts, by their full paths.
pub(in crate::handler::file) const TYPES: [(&str, Kind); 6] = [
    ("std::files::FileLine", Kind::Line),
    ("std::files::FileBlock", Kind::Block),
    ("std::files::JsonKeys", Kind::Keys(Format::Json)),
    ("std::files::YamlKeys", Kind::Keys(Format::Yaml)),
    ("std::files::TomlKeys", Kind::Keys(Format::Toml)),
    ("std::files::IniKeys", Kind::Keys(Format::Ini)),
];

/// What kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::handler::file) enum Kind {
    Line,
    Block,
    Keys(Format),
}

impl Kind {
    /// The kind of a type, if that is one of parts.
    pub(in crate::handler::file) fn of(type_path: &str) -> Option<Kind> {
        TYPES.iter().find(|(path, _)| *path == type_path).map(|(_, kind)| *kind)
    }
}

/// What a part is to be.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    Line(Line<'a>),
    Block(Block<'a>),
    Keys(Format, Vec<(Pointer, &'a GraphValue)>),
}

/// A part of a file as it is to be.
#[derive(Clone, Debug)]
pub(super) struct PartSpec<'a> {
    pub path: &'a str,
    /// The mode with which the file is made if it is not there.
    pub create: Option<u32>,
    pub part: Part<'a>,
    /// Fields of which drift is let be.
    pub ignored: &'a [EcoString],
}

impl<'a> PartSpec<'a> {
    /// Reads a node whose values are all known, or says all that is in the way.
    pub(super) fn read(node: &'a Node) -> Result<Self, Vec<Problem>> {
        examine(node).map_err(|found| found.wrong.into_iter().chain(found.marked).collect())
    }

    /// Whether drift of a field is let be: it, or what it lies in, is named.
    pub(super) fn ignores(&self, field: &str) -> bool {
        Drift::covers(self.ignored, field)
    }
}

/// What is wrong with the values that are known.
pub(super) fn mistakes(node: &Node) -> Vec<Problem> {
    examine(node).err().map(|found| found.wrong).unwrap_or_default()
}

/// What a part holds for itself.
pub(super) fn claims(node: &Node) -> Vec<EcoString> {
    let field = |name| node.fields.get(name).and_then(GraphValue::as_str);
    let (Some(kind), Some(path)) = (Kind::of(&node.type_), field("path")) else { return Vec::new() };
    let place = place(path);
    match kind {
        Kind::Line => {
            let line = field("line").map(|line| eco_format!("line in {place}:{line}"));
            let matches = field("matches").map(|matches| eco_format!("expression in {place}:{matches}"));
            line.into_iter().chain(matches).collect()
        }
        Kind::Block => field("name").map(|name| eco_format!("block in {place}:{name}")).into_iter().collect(),
        Kind::Keys(_) => {
            let values = held(&node.fields);
            values.iter().map(|(pointer, _)| eco_format!("key in {place}:{pointer}")).collect()
        }
    }
}

/// What a part uses together with others: the file, and the mappings that its keys lie in.
pub(super) fn shares(node: &Node) -> Vec<EcoString> {
    let Some(path) = node.fields.get("path").and_then(GraphValue::as_str) else { return Vec::new() };
    let mut shared = vec![claim(path)];
    if let Some(Kind::Keys(_)) = Kind::of(&node.type_) {
        let place = place(path);
        let leaves = held(&node.fields);
        let holders = leaves.iter().flat_map(|(pointer, _)| pointer.holders());
        let mut holders: Vec<EcoString> =
            holders.map(|holder| eco_format!("key in {place}:{holder}")).collect();
        holders.sort();
        holders.dedup();
        shared.extend(holders);
    }
    shared
}

/// Whether one key is the other, or lies in it.
fn clash(a: &Pointer, b: &Pointer) -> bool {
    a == b || a.holders().any(|holder| holder == *b) || b.holders().any(|holder| holder == *a)
}

/// The keys that are managed, those that are shown and those that are not.
fn held(fields: &GraphValue) -> Vec<(Pointer, &GraphValue)> {
    ["values", "secrets"].into_iter().filter_map(|name| given(fields, name)).flat_map(leaves).collect()
}

/// A path in the claim of something in the file there, which goes on behind a colon.
fn place(path: &str) -> EcoString {
    path.replace('%', "%25").replace(':', "%3A").into()
}

/// The path of the file that something with this claim is in.
pub(super) fn file_of(claimed: &str) -> Option<String> {
    let (_, rest) = claimed.split_once(" in ")?;
    let (place, _) = rest.split_once(':')?;
    place.starts_with('/').then(|| place.replace("%3A", ":").replace("%25", "%"))
}

fn examine(node: &Node) -> Result<PartSpec<'_>, Findings> {
    let mut problems = Findings::default();
    let fields = &node.fields;
    let Some(kind) = Kind::of(&node.type_) else { return Err(problems) };
    let path = text(fields, "path", &mut problems).unwrap_or_default();
    problems.wrong.extend(path::problem(path));
    let create = mode(fields, "create", &mut problems);
    let part = match kind {
        Kind::Line => line(fields, &mut problems).map(Part::Line),
        Kind::Block => block(fields, &mut problems).map(Part::Block),
        Kind::Keys(format) => keys(format, fields, &mut problems).map(|leaves| Part::Keys(format, leaves)),
    };
    let ignored = match &node.drift {
        Drift::Ignore(fields) => fields.as_slice(),
        Drift::Repair | Drift::Report => &[],
    };
    match part {
        Some(part) if problems.is_empty() => Ok(PartSpec { path, create, part, ignored }),
        _ => Err(problems),
    }
}

fn problem(field: &str, message: String, help: &str) -> Problem {
    Problem { field: field.into(), message, help: Some(help.to_owned()) }
}

fn line<'a>(fields: &'a GraphValue, problems: &mut Findings) -> Option<Line<'a>> {
    let matches = expression(fields, "matches", problems);
    let below = expression(fields, "below", problems);
    let line = Words::of(fields, "line", problems)?;
    let odd = |line: &str| line.is_empty() || line.contains(['\n', '\r', '\0']);
    if line.known().is_some_and(odd) {
        let message = match line {
            Words::Plain(line) => format!("the line {line:?} is no single line"),
            Words::Secret(_) | Words::Later(_) => "the secret is no single line".to_owned(),
        };
        problems.push(problem("line", message, "write one line, or take a `FileBlock` for several"));
    }
    Some(Line { line, matches, below })
}

fn expression(fields: &GraphValue, name: &str, problems: &mut Findings) -> Option<Regex> {
    given(fields, name)?;
    let source = text(fields, name, problems)?;
    match Regex::new(source) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let message = format!("the field `{name}` is no regular expression: {why}");
            problems.push(problem(name, message, "escape what is meant literally with a backslash"));
            None
        }
    }
}

fn block<'a>(fields: &'a GraphValue, problems: &mut Findings) -> Option<Block<'a>> {
    let below = expression(fields, "below", problems);
    let name = text(fields, "name", problems);
    let comment = text(fields, "comment", problems);
    let comment_end = text(fields, "comment_end", problems);
    let content = Words::of(fields, "content", problems);
    let fence = Fence { name: name?, comment: comment?, comment_end: comment_end? };
    let odd = |text: &str| text.contains(['\n', '\r', '\0']) || text.trim() != text;
    if fence.name.is_empty() || fence.name.contains(char::is_whitespace) {
        let message = format!("the name {:?} cannot stand in a marker line", fence.name);
        problems.push(problem("name", message, "write a name without white space"));
    }
    for (field, value) in [("comment", fence.comment), ("comment_end", fence.comment_end)] {
        if odd(value) || (field == "comment" && value.is_empty()) {
            let message = format!("the field `{field}` is no sign of a comment: {value:?}");
            problems.push(problem(
                field,
                message,
                "write what a comment of the file starts or ends with, such as `#`",
            ));
        }
    }
    let content = content?;
    if problems.is_empty() && content.known().is_some_and(|content| fence.stands_in(content)) {
        let message = "the content holds a marker line of its own block".to_owned();
        problems.push(problem("content", message, "take the marker out: gops writes it"));
    }
    Some(Block { fence, content, below })
}

fn keys<'a>(
    format: Format,
    fields: &'a GraphValue,
    problems: &mut Findings,
) -> Option<Vec<(Pointer, &'a GraphValue)>> {
    let values = given(fields, "values");
    let Some(GraphValue::Map(_)) = values else {
        problems.unfit("values", values, "mapping");
        return None;
    };
    let leaves = held(fields);
    for (at, (pointer, _)) in leaves.iter().enumerate() {
        let before = leaves.get(..at).unwrap_or_default();
        if before.iter().any(|(other, _)| clash(other, pointer)) {
            let message = format!("`secrets` and `values` both have `{}`", pointer.dotted());
            problems.push(problem("secrets", message, "write each key once"));
        }
    }
    if leaves.is_empty() {
        let message = "`values` holds no key".to_owned();
        problems.push(problem("values", message, "name at least one key, or leave the resource out"));
    }
    for (pointer, value) in &leaves {
        let Ok(plain) = plain_of(value) else { continue };
        if plain.has_later() {
            continue;
        }
        if plain.is_marked() {
            problems.unfit("values", Some(value), "mapping of known values");
        } else if let Some(why) = format.refuses(pointer, &plain) {
            let message = format!("`values` at `{}`: {why}", pointer.dotted());
            problems.push(problem("values", message, "write a value that the format has"));
        }
    }
    Some(leaves)
}
