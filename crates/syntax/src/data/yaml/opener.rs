//! The bracket or quote that is still open at some place of a text: what an error further below
//! is really about. Read by hand, since the parser has given up, and only once it has.

use std::ops::Range;

/// The innermost bracket or the quote that is open at byte `at`.
pub(super) fn open_at(text: &str, at: usize) -> Option<Range<usize>> {
    let mut scan = Scan { text: text.as_bytes(), at: 0, open: Vec::new(), key_column: None };
    let end = at.min(text.len());
    while scan.at < end {
        if let Some(quote) = scan.step(end) {
            return Some(quote..quote + 1);
        }
    }
    scan.open.last().map(|&at| at..at + 1)
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Brackets that are open.
    open: Vec<usize>,
    /// How far the line of the last key is indented: a block of text ends at a line that is not
    /// indented further.
    key_column: Option<usize>,
}

impl Scan<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    /// Goes over one value, indicator or blank. The place of a quote that is open at `end`.
    fn step(&mut self, end: usize) -> Option<usize> {
        if self.at == 0 || self.byte(self.at - 1) == b'\n' {
            let rest = self.text.get(self.at..).unwrap_or_default();
            self.key_column = Some(rest.iter().take_while(|b| **b == b' ').count());
        }
        match self.byte(self.at) {
            quote @ (b'"' | b'\'') => {
                let start = self.at;
                self.quoted(quote);
                return (self.at > end || self.at > self.text.len()).then_some(start);
            }
            b'[' | b'{' => {
                self.open.push(self.at);
                self.at += 1;
            }
            b']' | b'}' => {
                self.open.pop();
                self.at += 1;
            }
            b'#' if self.at == 0 || matches!(self.byte(self.at - 1), b' ' | b'\t' | b'\n') => self.line(),
            b'|' | b'>' if self.open.is_empty() => self.block(),
            b'-' | b'?' | b':' | b',' | b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
            // An anchor or a tag: a value follows it.
            b'&' | b'!' => self.word(),
            _ => self.plain(),
        }
        None
    }

    fn line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    }

    fn word(&mut self) {
        while !matches!(self.byte(self.at), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    /// To behind the closing quote, or behind the end of the text.
    fn quoted(&mut self, quote: u8) {
        self.at += 1;
        while let Some(&byte) = self.text.get(self.at) {
            let next = self.byte(self.at + 1);
            match byte {
                b'\\' if quote == b'"' => self.at += 2,
                b'\'' if quote == b'\'' && next == b'\'' => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.text.len() + 1;
    }

    /// A plain scalar ends with its line, at `: `, at ` #`, and in brackets at their indicators.
    fn plain(&mut self) {
        loop {
            let (byte, next) = (self.byte(self.at), self.byte(self.at + 1));
            let blank = matches!(next, b' ' | b'\t' | b'\r' | b'\n');
            let ends = match byte {
                b'\n' => true,
                b':' => blank || (!self.open.is_empty() && matches!(next, b',' | b'[' | b']' | b'{' | b'}')),
                b'#' => matches!(self.byte(self.at.saturating_sub(1)), b' ' | b'\t'),
                b',' | b'[' | b']' | b'{' | b'}' => !self.open.is_empty(),
                _ => false,
            };
            if ends {
                return;
            }
            self.at += 1;
        }
    }

    /// The lines of a `|` or `>`: blank ones, and those that are indented further than its key.
    fn block(&mut self) {
        let key = self.key_column.unwrap_or(0);
        self.line();
        while self.at < self.text.len() {
            let rest = self.text.get(self.at + 1..).unwrap_or_default();
            let indent = rest.iter().take_while(|b| **b == b' ').count();
            let blank = rest.get(indent).is_none_or(|b| matches!(b, b'\n' | b'\r'));
            if rest.is_empty() || (!blank && indent <= key) {
                return;
            }
            self.at += 1;
            self.line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::open_at;

    #[test]
    fn what_is_open_is_found() {
        for (text, expected) in [
            ("a: \"b\nc: 1\n", Some(3)),
            ("a: 'it''s\nc: 1\n", Some(3)),
            ("a: [b, c\nd: 1\n", Some(3)),
            ("a: { b: [1], c: \"]\"\nd: 1\n", Some(3)),
            ("a: it's\nb: [\n", Some(11)),
            ("a: b \"c\nd: 1\n", None),
            ("a: b[0]\nd: 1\n", None),
            ("a: \"b\" # [\nd: 1\n", None),
            ("a: |\n  \"[\nb: 1\n", None),
            ("- a: &x [1\n", Some(8)),
            ("a: \"\\\"b\nc: 1", Some(3)),
            ("", None),
        ] {
            assert_eq!(open_at(text, text.len()).map(|r| r.start), expected, "{text:?}");
        }
    }
}
