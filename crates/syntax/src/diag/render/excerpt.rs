//! The lines of a file as they are drawn: one character for each of the file, so that columns
//! agree, but nothing that would move the cursor, change the direction of writing, or run past
//! the screen by kilobytes.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{HiddenSpans, Shown, Text};

/// A line of more characters is shown in part.
const LONG: usize = 240;
/// A text of more bytes is drawn in part: the lines of the places alone.
const LARGE: usize = 100_000;
/// How much of a long line is shown, and how much of that before the place.
const WINDOW: usize = 160;
const BEFORE: usize = 60;

/// A text for drawing.
pub(super) struct Excerpt {
    /// Lines end with `\n` alone, also the last one.
    pub(super) text: String,
    /// Where each line starts in `text`, in characters; how many it has; and how many of the
    /// file's line are left out before.
    lines: Vec<DrawnLine>,
}

struct DrawnLine {
    start: usize,
    len: usize,
    left_out: usize,
}

impl Excerpt {
    /// The whole text; `None` where it, or a line of it, is too long for that.
    pub(super) fn whole(text: &Text, hidden: HiddenSpans<'_>) -> Option<Self> {
        if text.text.len() > LARGE {
            return None;
        }
        let bytes_are_short = |line| text.line(line).len() <= LONG;
        let is_short = |line| bytes_are_short(line) || text.text[text.line(line)].chars().count() <= LONG;
        let lines = 1..=text.lines.lines();
        lines
            .clone()
            .all(is_short)
            .then(|| Excerpt::build(text, hidden, *lines.end(), |_| Some(0..usize::MAX)))
    }

    /// The lines of these places alone, at their numbers, and of long ones what is around.
    pub(super) fn around(text: &Text, hidden: HiddenSpans<'_>, places: &[&Shown]) -> Self {
        let mut columns: BTreeMap<u32, usize> = BTreeMap::new();
        for place in places {
            let column = place.start.column as usize - 1;
            columns.entry(place.start.line).and_modify(|c| *c = column.min(*c)).or_insert(column);
        }
        let last = columns.last_key_value().map_or(1, |(&line, _)| line);
        Excerpt::build(text, hidden, last, |line| {
            let first = columns.get(&line)?.saturating_sub(BEFORE);
            Some(first..first + WINDOW)
        })
    }

    /// Nothing but one empty line: of a file that cannot be shown.
    pub(super) fn empty() -> Self {
        Excerpt { text: "\n".to_owned(), lines: vec![DrawnLine { start: 0, len: 0, left_out: 0 }] }
    }

    fn build(
        text: &Text,
        hidden: HiddenSpans<'_>,
        last: u32,
        window: impl Fn(u32) -> Option<Range<usize>>,
    ) -> Self {
        let mut excerpt = Excerpt { text: String::new(), lines: Vec::new() };
        let mut start = 0;
        for line in 1..=last {
            let Some(window) = window(line) else {
                excerpt.text.push('\n');
                excerpt.lines.push(DrawnLine { start, len: 0, left_out: 0 });
                start += 1;
                continue;
            };
            let before = excerpt.text.len();
            let bytes = text.line(line);
            let left_out = match masked(&text.text[bytes.clone()], bytes.start, hidden) {
                Some(masked) => excerpt.push(&masked, window),
                None => excerpt.push(&text.text[bytes], window),
            };
            let len = excerpt.text[before..].chars().count();
            excerpt.text.push('\n');
            excerpt.lines.push(DrawnLine { start, len, left_out });
            start += len + 1;
        }
        excerpt
    }

    /// Adds the part of a line that lies in the window, and says how many characters of the
    /// line's start are missing (the `…` that stands for them counts as one that is there).
    fn push(&mut self, line: &str, window: Range<usize>) -> usize {
        if window.is_empty() {
            return 0;
        }
        let mut chars = line.chars().skip(window.start);
        if window.start > 0 {
            self.text.push('…');
        }
        let shown = chars.by_ref().take(window.end - window.start).map(visible);
        self.text.extend(shown);
        if chars.next().is_some() {
            self.text.push('…');
        }
        window.start.saturating_sub(1)
    }

    /// The characters of `text` that show a place: at least one, and none past the line's end
    /// (a place of several lines is shown by its first).
    pub(super) fn range(&self, place: &Shown) -> Range<usize> {
        let Some(line) = self.lines.get(place.start.line as usize - 1) else { return 0..1 };
        let offset = |column: u32| {
            let column = (column as usize - 1).saturating_sub(line.left_out);
            line.start + column.min(line.len)
        };
        let start = offset(place.start.column);
        let end = match place.end.line == place.start.line {
            true => offset(place.end.column),
            false => line.start + line.len,
        };
        start..end.max(start + 1)
    }
}

/// A line that starts at a byte, with a mark for each character that is not to be seen; none if
/// all of them are.
fn masked(line: &str, start: usize, hidden: HiddenSpans<'_>) -> Option<String> {
    let end = start + line.len();
    let within: Vec<Range<usize>> =
        hidden.iter().map(|s| s.range()).filter(|s| s.start < end && start < s.end).collect();
    let is_hidden = |at: usize| within.iter().any(|s| s.contains(&(start + at)));
    let mark = |(at, c): (usize, char)| if is_hidden(at) && !c.is_whitespace() { '•' } else { c };
    (!within.is_empty()).then(|| line.char_indices().map(mark).collect())
}

/// The character, or another that shows what it is.
pub(super) fn visible(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{FFFD}'),
        '\x7f' => '␡',
        // Line ends that are none for gops, and marks that change the direction of writing: a
        // line must not look like another.
        '\u{80}'..='\u{9f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => '\u{FFFD}',
        _ => c,
    }
}
