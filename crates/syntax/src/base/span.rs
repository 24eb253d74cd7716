//! Places in texts.

use std::fmt;
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;

/// A file of the project, by its path relative to the project's root, with `/` between the
/// parts. Files of the standard library have paths that start with `std:`.
///
/// Like [`Name`](super::Name), the number depends on the order of first use and is never shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId(u32);

static NUMBERS: LazyLock<RwLock<FxHashMap<&'static str, u32>>> = LazyLock::new(RwLock::default);
/// By number; without a lock, since paths are asked for more often than anything else.
static PATHS: boxcar::Vec<&'static str> = boxcar::Vec::new();

impl FileId {
    /// The file at this path.
    pub fn new(path: &str) -> Self {
        if let Ok(numbers) = NUMBERS.read()
            && let Some(&number) = numbers.get(path)
        {
            return FileId(number);
        }
        let mut numbers = NUMBERS.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(&number) = numbers.get(path) {
            return FileId(number);
        }
        let text: &'static str = Box::leak(path.into());
        let number = PATHS.push(text) as u32;
        numbers.insert(text, number);
        FileId(number)
    }

    /// The path of the file.
    pub fn path(self) -> &'static str {
        PATHS.get(self.0 as usize).copied().unwrap_or_default()
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.path())
    }
}

/// A range of bytes in one text, `start` included, `end` not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start: start as u32, end: end as u32 }
    }

    /// The empty range at `offset`.
    pub fn at(offset: usize) -> Self {
        Span::new(offset, offset)
    }

    /// The smallest range that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The range as indexes into the text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The number of bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the range holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `offset` lies in the range or at its end.
    pub fn touches(self, offset: usize) -> bool {
        (self.start as usize..=self.end as usize).contains(&offset)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A span in a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileSpan {
    /// The file.
    pub file: FileId,
    /// The bytes in it.
    pub span: Span,
}

/// One replacement in one file: the bytes of `span` become `text`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TextEdit {
    /// The file that changes.
    pub file: FileId,
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// A place as people count: both from 1, the column in Unicode scalar values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in Unicode scalar values.
    pub column: u32,
}

/// Where the lines of a text start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
    /// Where bytes stand that begin no character: with them a column in a line of a megabyte is not
    /// counted from its start.
    inner: Vec<u32>,
}

impl LineIndex {
    /// Reads the line starts of `text`. A line ends with `\n` (also as `\r\n`) or a lone `\r`.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        let mut inner = Vec::new();
        for (i, &b) in bytes.iter().enumerate() {
            if b == b'\n' || (b == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                starts.push(i as u32 + 1);
            } else if !b.is_ascii() && !text.is_char_boundary(i) {
                inner.push(i as u32);
            }
        }
        LineIndex { starts, inner }
    }

    /// The line and column of a byte offset of `text`, the text that the index was made from.
    /// An offset past the end counts as the end; one inside a character as that character.
    pub fn line_column(&self, text: &str, offset: usize) -> LineColumn {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|&s| s as usize <= offset) - 1;
        let start = self.starts[line] as usize;
        let inner_before = |end: usize| self.inner.partition_point(|&i| (i as usize) < end);
        let column = (offset - start - (inner_before(offset) - inner_before(start))) as u32 + 1;
        LineColumn { line: line as u32 + 1, column }
    }

    /// The byte at which a line starts; lines count from 1.
    pub fn line_start(&self, line: u32) -> Option<usize> {
        self.starts.get(line.checked_sub(1)? as usize).map(|&s| s as usize)
    }

    /// How many lines there are; a text that ends with a newline has an empty last one.
    pub fn lines(&self) -> u32 {
        self.starts.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a\näöü x\r\nlast";
        let index = LineIndex::new(text);
        let at = |needle: &str| index.line_column(text, text.find(needle).unwrap());
        assert_eq!(at("a"), LineColumn { line: 1, column: 1 });
        assert_eq!(at("x"), LineColumn { line: 2, column: 5 });
        assert_eq!(at("last"), LineColumn { line: 3, column: 1 });
        assert_eq!(index.line_column(text, 10_000), LineColumn { line: 3, column: 5 });
    }

    proptest::proptest! {
        #[test]
        fn columns_are_counted_from_the_start_of_the_line(text in "[aöð€\u{1f600}\r\n]{0,40}", offset in 0usize..90) {
            let mut end = offset.min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let before = text.get(..end).unwrap();
            // A `\r` right before `\n` ends no line of its own.
            let ends = |(i, c): (usize, char)| {
                c == '\n' || (c == '\r' && text.as_bytes().get(i + 1) != Some(&b'\n'))
            };
            let line = before.char_indices().filter(|&c| ends(c)).count() as u32 + 1;
            let start = before.char_indices().rfind(|&c| ends(c)).map_or(0, |(i, _)| i + 1);
            let column = text.get(start..end).unwrap().chars().count() as u32 + 1;
            let found = LineIndex::new(&text).line_column(&text, offset);
            proptest::prop_assert_eq!(found, LineColumn { line, column });
        }
    }
}
