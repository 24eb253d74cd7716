//! What stands between two nodes of YAML: indicators, properties, comments.
//!
//! The parser gives the content of a block scalar without its header, a list below its key
//! without its first dash, and a value that is omitted at the next thing that follows. Who reads
//! a message or edits a value wants them where they begin.

use std::ops::Range;

/// The indicators and properties of a text from a place on, until something else comes.
pub(super) struct Gap<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Gap<'a> {
    /// What follows the byte `from`.
    pub fn new(text: &'a str, from: usize) -> Self {
        Gap { text, at: from }
    }

    /// The first token that starts with one of these bytes.
    pub fn find(mut self, wanted: &[u8]) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        self.find_map(|token| bytes.get(token.start).is_some_and(|b| wanted.contains(b)).then_some(token))
    }

    /// Where a value that is omitted would stand: behind its indicator and its properties.
    pub fn value_start(mut self, indicator: Option<u8>) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = self.at;
        if let Some(indicator) = indicator {
            match self.next() {
                Some(token) if bytes.get(token.start) == Some(&indicator) => end = token.end,
                _ => return end,
            }
        }
        let is_property = |token: &Range<usize>| matches!(bytes.get(token.start), Some(b'&' | b'!'));
        self.take_while(is_property).last().map_or(end, |token| token.end)
    }
}

impl Iterator for Gap<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let until = |from: usize, ends: &[u8]| {
            let rest = bytes.get(from..).unwrap_or_default();
            rest.iter().position(|b| ends.contains(b)).map_or(bytes.len(), |n| from + n)
        };
        loop {
            let start = self.at;
            match bytes.get(start)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'#' => self.at = until(start, b"\n\r"),
                b'-' | b'?' | b':' => {
                    self.at += 1;
                    return Some(start..self.at);
                }
                b'&' | b'!' | b'|' | b'>' => {
                    self.at = until(start, b" \t\n\r");
                    return Some(start..self.at);
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_dashes_and_colons_are_found() {
        let text = ": # a | b\n  &x|y !<t>\n\n  - |2- # c\n   text";
        assert_eq!(&text[Gap::new(text, 0).find(b"|>").unwrap()], "|2-");
        assert_eq!(&text[Gap::new(text, 0).find(b"-").unwrap()], "-");
        assert_eq!(Gap::new("a: # c\nb: 1", 1).value_start(Some(b':')), 2);
        assert_eq!(Gap::new("- &x # c\n- b", 0).value_start(Some(b'-')), 4);
        assert_eq!(Gap::new("{a, b}", 2).value_start(Some(b':')), 2);
        assert_eq!(Gap::new("--- !!null\n", 3).value_start(None), 10);
    }
}
