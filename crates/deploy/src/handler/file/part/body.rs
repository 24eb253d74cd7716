//! The lines of a file that people wrote: bytes, whatever their encoding, with the line breaks
//! that stand there.

use std::ops::Range;

/// A file as its lines, each with its line break.
pub(super) struct Body<'a> {
    lines: Vec<&'a [u8]>,
    /// The lines of each block that gops keeps in it, the markers among them.
    blocks: Vec<Range<usize>>,
    /// How its lines end.
    newline: &'static [u8],
}

impl<'a> Body<'a> {
    /// Splits a file.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let crlf = lines.first().is_some_and(|line| line.ends_with(b"\r\n"));
        let blocks = blocks(&lines);
        Body { lines, blocks, newline: if crlf { b"\r\n" } else { b"\n" } }
    }

    /// The texts of the lines, without their ends.
    pub(super) fn texts(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator {
        self.lines.iter().map(|line| text(line))
    }

    /// The first line that is like this and in no block: what is in a block is what the block says,
    /// and whoever changed it would have it changed back.
    pub(super) fn position(&self, is: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let mut found = self.texts().enumerate().filter(|(_, text)| is(text)).map(|(at, _)| at);
        found.find(|at| self.block(*at).is_none())
    }

    fn block(&self, line: usize) -> Option<&Range<usize>> {
        self.blocks.iter().find(|block| block.contains(&line))
    }

    /// The bytes with other lines in the place of some: `range` says which go, `new` what comes.
    /// All others keep their bytes, and a file that ends without a line break still does.
    pub(super) fn splice(&self, range: Range<usize>, new: &[&[u8]]) -> Vec<u8> {
        let before = self.lines.get(..range.start).unwrap_or(&self.lines);
        let behind = self.lines.get(range.end..).unwrap_or_default();
        let unended = self.lines.last().is_some_and(|line| !line.ends_with(b"\n"));
        let mut out: Vec<u8> = before.concat();
        for line in new {
            if !out.is_empty() && !out.ends_with(b"\n") {
                out.extend_from_slice(self.newline);
            }
            out.extend_from_slice(line);
            out.extend_from_slice(self.newline);
        }
        out.extend_from_slice(&behind.concat());
        if unended && behind.is_empty() && out.ends_with(b"\n") {
            out.truncate(text(&out).len());
        }
        out
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The bytes of some lines, as they stand.
    pub(super) fn bytes(&self, range: Range<usize>) -> Vec<u8> {
        self.lines.get(range).unwrap_or_default().concat()
    }

    /// Where something new is put: below the last line that the expression finds, below the whole
    /// block if that line is in one, else at the end.
    pub(super) fn place(&self, below: Option<&regex::bytes::Regex>) -> usize {
        let last = below.and_then(|regex| self.texts().rposition(|text| regex.is_match(text)));
        last.map_or(self.len(), |at| self.block(at).map_or(at + 1, |block| block.end))
    }
}

/// The blocks in a file: from a line that begins one to the next that ends it.
fn blocks(lines: &[&[u8]]) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &[u8], &[u8])> = None;
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim_ascii();
        match open {
            None => open = marker(line, BEGIN).map(|(comment, name)| (at, comment, name)),
            Some((start, comment, name)) => {
                if marker(line, END) == Some((comment, name)) {
                    blocks.push(start..at + 1);
                    open = None;
                } else if let Some((comment, name)) = marker(line, BEGIN) {
                    // The other one has lost its end.
                    open = Some((at, comment, name));
                }
            }
        }
    }
    blocks
}

/// What stands in the marker lines of a block, between the sign of the comment and its name.
pub(super) const BEGIN: &str = " gops begin ";
/// The same for the last line.
pub(super) const END: &str = " gops end ";

/// The comment's sign and the name of the block, of a marker line.
fn marker<'a>(line: &'a [u8], word: &str) -> Option<(&'a [u8], &'a [u8])> {
    let at = line.windows(word.len()).position(|part| part == word.as_bytes())?;
    let (comment, rest) = (line.get(..at)?, line.get(at + word.len()..)?);
    rest.split(u8::is_ascii_whitespace).next().map(|name| (comment, name))
}

/// A line without its line break.
fn text(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_lines_keep_their_bytes() {
        let of = |bytes: &[u8], range, new: &[&[u8]]| {
            String::from_utf8(Body::of(bytes).splice(range, new)).unwrap()
        };
        assert_eq!(of(b"", 0..0, &[b"x"]), "x\n");
        assert_eq!(of(b"a\n", 1..1, &[b"x"]), "a\nx\n");
        assert_eq!(of(b"a\r\nb\r\n", 1..1, &[b"x"]), "a\r\nx\r\nb\r\n");
        assert_eq!(of(b"a", 1..1, &[b"x"]), "a\nx", "it ended without a line break, and still does");
        assert_eq!(of(b"a\nx", 1..2, &[]), "a");
        assert_eq!(of(b"x", 0..1, &[]), "");
        assert_eq!(of(b"a\nb\nc\n", 1..2, &[b"x", b"y"]), "a\nx\ny\nc\n");
    }

    #[test]
    fn nothing_is_put_into_a_block() {
        let text = b"a\n# gops begin x 01.02\na\nb\n# gops end x\nc\n; gops begin y\n; gops begin z\na\n; gops end z\n";
        let body = Body::of(text);
        let place = |below: &str| body.place(Some(&regex::bytes::Regex::new(below).unwrap()));
        assert_eq!(place("^b$"), 5, "below the block that the line is in");
        assert_eq!(place("begin x"), 5);
        assert_eq!(place("^c$"), 6);
        assert_eq!(place("^a$"), 10);
        assert_eq!(body.position(|line| line == b"a"), Some(0));
        assert_eq!(body.position(|line| line == b"b"), None, "a block's line is the block's");
        assert_eq!(body.position(|line| line.ends_with(b"begin y")), Some(6), "it has no end");
    }

    proptest! {
        #[test]
        fn what_was_put_in_can_be_taken_out(text in "[ab\n]{0,12}", at in 0_usize..8, crlf: bool) {
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            let body = Body::of(text.as_bytes());
            let at = at.min(body.len());
            let with = body.splice(at..at, &[b"new", b"lines"]);
            let without = Body::of(&with).splice(at..at + 2, &[]);
            prop_assert_eq!(String::from_utf8(without).unwrap(), text);
        }
    }
}
