//! INI: sections in brackets, `key = value` or `key: value` below them, `#` and `;` comments.
//!
//! There is no one grammar of it, so what differs between readers is left alone: a value is the
//! rest of its line, a key that stands twice or goes on over several lines is not changed.

use ecow::EcoString;

use crate::graph::GraphValue;

use super::{Edit, Pointer};
use crate::handler::file::part::body::Body;

/// Why a value cannot stand in an INI file.
pub(super) fn refuses(pointer: &Pointer, value: &GraphValue) -> Option<String> {
    let key = pointer.0.last().map_or("", EcoString::as_str);
    let odd = |text: &str| {
        text.is_empty()
            || text.trim() != text
            || text.contains(['\n', '\r', '=', ':', '[', ']', '\0'])
            || text.starts_with(['#', ';'])
    };
    if pointer.0.len() > 2 {
        return Some("INI has sections and keys, and nothing deeper".to_owned());
    }
    if let Some(section) = pointer.0.first().filter(|_| pointer.0.len() == 2)
        && (section.is_empty() || section.contains(['\n', '\r', ']', '\0']))
    {
        return Some(format!("{section:?} is no name of a section"));
    }
    if odd(key) {
        return Some(format!("{key:?} is no key of an INI file"));
    }
    match text(value) {
        None => Some("INI has texts, numbers and truth values alone".to_owned()),
        Some(text) if text.trim() != text || text.contains(['\n', '\r', '\0']) => {
            Some("a value of an INI file is one line, without white space around it".to_owned())
        }
        Some(_) => None,
    }
}

/// A value as it stands in the file.
fn text(value: &GraphValue) -> Option<EcoString> {
    Some(match value {
        GraphValue::Str(text) => text.clone(),
        GraphValue::Bool(_) | GraphValue::Int(_) | GraphValue::Float(_) => {
            String::from_utf8(value.to_json()).unwrap_or_default().into()
        }
        _ => return None,
    })
}

/// A line, by what it is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Line<'a> {
    Blank,
    Comment,
    Section(&'a str),
    Key {
        key: &'a str,
        /// What stands between key and value.
        between: &'a str,
        value: &'a str,
    },
    /// It goes on with the key above it.
    More,
}

fn lines<'a>(body: &Body<'a>) -> Result<Vec<Line<'a>>, String> {
    let mut found = Vec::with_capacity(body.len());
    // How far the last key is indented, if a line that goes on with it may follow.
    let mut indent: Option<usize> = None;
    for (number, line) in body.texts().enumerate() {
        let line = std::str::from_utf8(line).unwrap_or_default();
        let trimmed = line.trim();
        let depth = line.len() - line.trim_start().len();
        let kind = if trimmed.is_empty() {
            Line::Blank
        } else if trimmed.starts_with(['#', ';']) {
            Line::Comment
        } else if indent.is_some_and(|indent| depth > indent) {
            Line::More
        } else if let Some(rest) = trimmed.strip_prefix('[') {
            let Some((name, _)) = rest.split_once(']') else {
                return Err(format!("its line {} begins a section that does not end", number + 1));
            };
            Line::Section(name)
        } else if let Some(at) = trimmed.find(['=', ':']) {
            let (key, rest) = trimmed.split_at(at);
            let value = rest.get(1..).unwrap_or_default().trim_start();
            let key = key.trim_end();
            let between = trimmed.get(key.len()..trimmed.len() - value.len()).unwrap_or("=");
            Line::Key { key, between, value }
        } else {
            // A key without a value, as some readers have it.
            Line::Key { key: trimmed, between: "", value: "" }
        };
        match kind {
            Line::Key { .. } => indent = Some(depth),
            Line::Section(_) => indent = None,
            Line::Blank | Line::Comment | Line::More => {}
        }
        found.push(kind);
    }
    Ok(found)
}

/// What stands for several lines, or several keys of one name: nobody manages that.
fn several(texts: &[&str]) -> GraphValue {
    GraphValue::List(texts.iter().map(|text| GraphValue::Str((*text).into())).collect())
}

pub(super) fn read(text: &str) -> Result<GraphValue, String> {
    let body = Body::of(text.as_bytes());
    let mut sections: Vec<(EcoString, Vec<(EcoString, Vec<&str>)>)> = vec![(EcoString::new(), Vec::new())];
    for (line, bytes) in lines(&body)?.into_iter().zip(body.texts()) {
        match line {
            Line::Blank | Line::Comment => {}
            Line::Section(name) => match sections.iter().position(|(known, _)| known == name) {
                // A section that goes on: its keys are at the end of the list again.
                Some(at) => {
                    let section = sections.remove(at);
                    sections.push(section);
                }
                None => sections.push((name.into(), Vec::new())),
            },
            Line::Key { key, value, .. } => {
                let Some((_, keys)) = sections.last_mut() else { continue };
                match keys.iter_mut().find(|(known, _)| known == key) {
                    Some((_, values)) => values.push(value),
                    None => keys.push((key.into(), vec![value])),
                }
            }
            Line::More => {
                let more = std::str::from_utf8(bytes).unwrap_or_default();
                let keys = sections.last_mut().map(|(_, keys)| keys);
                if let Some((_, values)) = keys.and_then(|keys| keys.last_mut()) {
                    values.push(more);
                }
            }
        }
    }
    let value = |values: Vec<&str>| match values.as_slice() {
        [one] => GraphValue::Str((*one).into()),
        all => several(all),
    };
    let mut top = Vec::new();
    for (name, keys) in sections {
        let entries: Vec<_> = keys.into_iter().map(|(key, values)| (key, value(values))).collect();
        if name.is_empty() {
            top.extend(entries);
        } else if top.iter().any(|(known, _)| *known == name) {
            return Err(format!("`{name}` is a key and a section"));
        } else {
            top.push((name, GraphValue::map(entries)));
        }
    }
    Ok(GraphValue::map(top))
}

/// A value as [`read`] finds it.
pub(super) fn as_read(value: &GraphValue) -> GraphValue {
    text(value).map_or(GraphValue::Null, GraphValue::Str)
}

/// The lines of a section: from behind its header to the next, blank lines at its end left out.
struct Place {
    header: Option<usize>,
    keys: std::ops::Range<usize>,
}

fn place(lines: &[Line<'_>], section: Option<&str>) -> Option<Place> {
    let is = |line: &Line<'_>| matches!(line, Line::Section(name) if Some(*name) == section);
    let header = match section {
        None => None,
        Some(_) => Some(lines.iter().position(is)?),
    };
    let start = header.map_or(0, |at| at + 1);
    let rest = lines.get(start..).unwrap_or_default();
    let end = rest.iter().position(|line| matches!(line, Line::Section(_))).unwrap_or(rest.len());
    let used = rest.get(..end).unwrap_or_default();
    let last = used.iter().rposition(|line| *line != Line::Blank).map_or(0, |at| at + 1);
    Some(Place { header, keys: start..start + last })
}

pub(super) fn edit(text: &str, edit: &Edit<'_>) -> Result<String, String> {
    let body = Body::of(text.as_bytes());
    let lines = lines(&body)?;
    let (Edit::Set(pointer, _) | Edit::Unset(pointer)) = edit;
    let (section, key) = match pointer.0.as_slice() {
        [key] => (None, key),
        [section, key] => (Some(section.as_str()), key),
        _ => return Err("INI has sections and keys, and nothing deeper".to_owned()),
    };
    let place = place(&lines, section);
    let found = place.as_ref().and_then(|place| {
        let is = |at: &usize| matches!(lines.get(*at), Some(Line::Key { key: k, .. }) if *k == key.as_str());
        place.keys.clone().find(is)
    });
    if let Some(at) = found
        && lines.get(at + 1) == Some(&Line::More)
    {
        return Err("its value goes on over several lines".to_owned());
    }
    let changed = match (edit, found, place) {
        (Edit::Set(_, value), found, place) => {
            let value = self::text(value).ok_or("INI has texts, numbers and truth values alone")?;
            set(&body, &lines, section, key, &value, found, place)
        }
        (Edit::Unset(_), Some(at), Some(place)) => {
            let empty = place.header.filter(|_| place.keys == (at..at + 1));
            match empty {
                // The blank line above a section went in with it.
                Some(header) => {
                    let blank = header > 0 && lines.get(header - 1) == Some(&Line::Blank);
                    body.splice(header - usize::from(blank)..at + 1, &[])
                }
                None => body.splice(at..at + 1, &[]),
            }
        }
        (Edit::Unset(_), _, _) => text.as_bytes().to_vec(),
    };
    String::from_utf8(changed).map_err(|_| "it would not be UTF-8".to_owned())
}

fn set(
    body: &Body<'_>,
    lines: &[Line<'_>],
    section: Option<&str>,
    key: &str,
    value: &str,
    found: Option<usize>,
    place: Option<Place>,
) -> Vec<u8> {
    if let Some(at) = found
        && let Some(Line::Key { between, value: old, .. }) = lines.get(at)
    {
        let line = body.texts().nth(at).and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
        let kept = line.trim_end().strip_suffix(old).unwrap_or(line);
        let between = if between.is_empty() { " = " } else { "" };
        return body.splice(at..at + 1, &[format!("{kept}{between}{value}").as_bytes()]);
    }
    let (indent, between) = style(body, lines, place.as_ref());
    let line = format!("{indent}{key}{between}{value}");
    match (place, section) {
        (Some(place), _) => body.splice(place.keys.end..place.keys.end, &[line.as_bytes()]),
        (None, Some(section)) => {
            let header = format!("[{section}]");
            let mut new: Vec<&[u8]> = vec![header.as_bytes(), line.as_bytes()];
            if body.len() > 0 {
                new.insert(0, b"");
            }
            body.splice(body.len()..body.len(), &new)
        }
        (None, None) => body.splice(0..0, &[line.as_bytes()]),
    }
}

/// How keys are written in a section, else anywhere in the file: what they are indented by, and
/// what stands between key and value.
fn style<'a>(body: &Body<'a>, lines: &[Line<'a>], place: Option<&Place>) -> (&'a str, &'a str) {
    let of = |at: usize| match lines.get(at) {
        Some(Line::Key { between, .. }) if !between.is_empty() => {
            let line = body.texts().nth(at).and_then(|line| std::str::from_utf8(line).ok())?;
            Some((line.get(..line.len() - line.trim_start().len())?, *between))
        }
        _ => None,
    };
    let near = place.and_then(|place| place.keys.clone().rev().find_map(of));
    let (indent, between) = near.or_else(|| (0..lines.len()).find_map(of)).unwrap_or(("", " = "));
    // A key without a value says nothing of what stands before one.
    (indent, if between.trim_end() == between && between.starts_with(' ') { " = " } else { between })
}
