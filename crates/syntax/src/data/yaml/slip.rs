//! Slips in lines of a mapping: no `:`, no space behind it, a line that is too far to the right.

use granit_parser::ErrorKind;

/// What is wrong with a line.
pub(super) struct Slip {
    /// Where to point.
    pub start: usize,
    /// How much of it.
    pub len: usize,
    pub message: String,
    pub help: String,
}

/// What the author of the line is likely to have missed, where the parser stopped at `at`.
pub(super) fn slip(text: &str, at: usize, kind: &ErrorKind) -> Option<Slip> {
    match kind {
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => without_colon(text, at),
        ErrorKind::MappingValueNotAllowed => {
            let line = Line::at(text, at)?;
            // Only the first `:` of the line: behind one, it is within a value.
            if !is_key(line.text.get(..at.checked_sub(line.start + line.indent)?)?) {
                return None;
            }
            let before = line.before(text)?;
            if line.indent > before.indent && before.entry().is_some_and(|(_, value)| !value.is_empty()) {
                return too_deep(&line, &before);
            }
            (line.indent == before.indent)
                .then(|| without_colon(text, before.start + before.indent))
                .flatten()
        }
        _ => None,
    }
}

/// `hour 4`, `hour:4`.
fn without_colon(text: &str, at: usize) -> Option<Slip> {
    let line = Line::at(text, at)?;
    let start = line.start + line.indent;
    if let Some((key, value)) = line.text.split_once(':')
        && is_key(key)
        && value.starts_with(|c: char| !c.is_whitespace() && c != '/')
    {
        return Some(Slip {
            start: start + key.len(),
            len: 1,
            message: "no space follows this `:`".to_owned(),
            help: format!("write `{key}: {}`", short(value)),
        });
    }
    let (key, value) = line.text.split_once(' ')?;
    let value = value.trim();
    let written = is_key(key) && !value.is_empty() && !line.text.contains(": ") && !line.text.contains('#');
    written.then(|| Slip {
        start,
        len: key.len(),
        message: format!("a `:` is missing after `{key}`"),
        help: format!("write `{key}: {}`", short(value)),
    })
}

fn too_deep(line: &Line<'_>, before: &Line<'_>) -> Option<Slip> {
    let (key, _) = line.entry()?;
    let (above, _) = before.entry()?;
    Some(Slip {
        start: line.start + line.indent,
        len: key.len(),
        message: format!("`{key}` is indented more than `{above}` above it, which has its value"),
        help: format!("begin `{key}` in the column of `{above}`, or quote the text that goes on here"),
    })
}

/// A line without its indentation.
struct Line<'t> {
    text: &'t str,
    start: usize,
    indent: usize,
}

impl<'t> Line<'t> {
    fn at(text: &'t str, at: usize) -> Option<Line<'t>> {
        let start = text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
        let whole = text.get(start..)?.lines().next()?;
        let trimmed = whole.trim_start_matches(' ');
        Some(Line { text: trimmed.trim_end(), start, indent: whole.len() - trimmed.len() })
    }

    /// The last line above it that holds something.
    fn before(&self, text: &'t str) -> Option<Line<'t>> {
        let mut end = self.start;
        loop {
            let line = Line::at(text, end.checked_sub(1)?)?;
            if !line.text.is_empty() && !line.text.starts_with('#') {
                return Some(line);
            }
            end = line.start;
        }
    }

    fn entry(&self) -> Option<(&'t str, &'t str)> {
        let (key, value) = self.text.split_once(':')?;
        (is_key(key) && (value.is_empty() || value.starts_with(' '))).then(|| (key, value.trim()))
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn short(value: &str) -> String {
    if value.chars().count() > 30 { "…".to_owned() } else { value.to_owned() }
}
