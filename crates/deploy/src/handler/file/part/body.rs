//! The lines of a file that people wrote: bytes, whatever their encoding, with the line breaks
//! that stand there.

/// A file as its lines, each with its line break.
pub(super) struct Body<'a> {
    lines: Vec<&'a [u8]>,
    /// How its lines end.
    newline: &'static [u8],
}

impl<'a> Body<'a> {
    /// Splits a file.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let crlf = lines.first().is_some_and(|line| line.ends_with(b"\r\n"));
        Body { lines, newline: if crlf { b"\r\n" } else { b"\n" } }
    }

    /// The texts of the lines, without their ends.
    pub(super) fn texts(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator {
        self.lines.iter().map(|line| text(line))
    }

    /// Which line is this text, the first of them.
    pub(super) fn position(&self, wanted: &[u8]) -> Option<usize> {
        self.texts().position(|text| text == wanted)
    }

    /// The bytes with other lines in the place of some: `range` says which go, `new` what comes.
    /// All others keep their bytes, and a file that ends without a line break still does.
    pub(super) fn splice(&self, range: std::ops::Range<usize>, new: &[&[u8]]) -> Vec<u8> {
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
    pub(super) fn bytes(&self, range: std::ops::Range<usize>) -> Vec<u8> {
        self.lines.get(range).unwrap_or_default().concat()
    }

    /// Where something new is put: below the last line that the expression finds, else at the end.
    pub(super) fn place(&self, below: Option<&regex::bytes::Regex>) -> usize {
        let last = below.and_then(|regex| self.texts().rposition(|text| regex.is_match(text)));
        last.map_or(self.len(), |at| at + 1)
    }
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
