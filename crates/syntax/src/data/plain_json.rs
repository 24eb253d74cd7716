//! The short way through a JSON document in which nothing is wrong or out of the ordinary, as nearly
//! all are: one look at each byte. Whatever it does not know, an escape or a mistake, it leaves to the
//! scanner of `json`, from the start; what it reads, that reads to the same nodes and spans.

use crate::base::{FileId, Span, canonical};

use super::builder::Builder;
use super::{Limits, NodeKind, Parsed, scalar};

/// Reads a plain document. None: it is not one.
pub(super) fn read(file: FileId, text: &str, base: usize, limits: &Limits) -> Option<Parsed> {
    let builder = Builder::new(file, *limits, text.len());
    let mut reader = Reader { text, base, at: 0, builder };
    reader.document()?;
    let parsed = reader.builder.finish();
    parsed.diagnostics.is_empty().then_some(parsed)
}

struct Reader<'a> {
    text: &'a str,
    base: usize,
    /// Where the next byte stands.
    at: usize,
    builder: Builder,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Option<()> {
        // The brackets that close what is open.
        let mut open: Vec<u8> = Vec::with_capacity(8);
        loop {
            match self.peek()? {
                b'{' => {
                    self.open(NodeKind::Mapping(0))?;
                    if self.peek()? != b'}' {
                        open.push(b'}');
                        self.key()?;
                        continue;
                    }
                    self.close()?;
                }
                b'[' => {
                    self.open(NodeKind::Sequence(0))?;
                    if self.peek()? != b']' {
                        open.push(b']');
                        continue;
                    }
                    self.close()?;
                }
                b'"' => {
                    let (text, span) = self.string()?;
                    self.builder.scalar(NodeKind::Str(text.into()), span).ok()?;
                }
                b't' => self.word("true", NodeKind::Bool(true))?,
                b'f' => self.word("false", NodeKind::Bool(false))?,
                b'n' => self.word("null", NodeKind::Null)?,
                _ => self.number()?,
            }
            // After a value.
            loop {
                let next = self.peek();
                let Some(&end) = open.last() else { return next.is_none().then_some(()) };
                match next? {
                    b',' => {
                        self.at += 1;
                        if end == b'}' {
                            self.key()?;
                        }
                        break;
                    }
                    byte if byte == end => {
                        open.pop();
                        self.close()?;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// The next byte that is no white space, which is skipped. None at the end.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes on by `length` bytes, whose place it gives.
    fn take(&mut self, length: usize) -> Span {
        let start = self.base + self.at;
        self.at += length;
        Span::new(start, start + length)
    }

    fn open(&mut self, kind: NodeKind) -> Option<()> {
        let span = self.take(1);
        self.builder.open(kind, span).ok()?;
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        self.at += 1;
        self.builder.close(Some(self.base + self.at)).ok()
    }

    /// The key of an entry, and its colon.
    fn key(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        let (key, span) = self.string()?;
        self.builder.key(key.into(), span);
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// What stands between the quotes of a string without escapes, and the place of all of it.
    fn string(&mut self) -> Option<(&'a str, Span)> {
        let inner = self.rest().get(1..)?;
        let end = canonical::first_special(inner.as_bytes())?;
        if inner.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        Some((inner.get(..end)?, self.take(end + 2)))
    }

    fn word(&mut self, word: &str, value: NodeKind) -> Option<()> {
        if !self.rest().starts_with(word) {
            return None;
        }
        let span = self.take(word.len());
        self.builder.scalar(value, span).ok()?;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let rest = self.rest();
        let length = number_length(rest.as_bytes())?;
        let value = scalar::json_number(rest.get(..length)?).ok()?;
        let span = self.take(length);
        self.builder.scalar(value, span).ok()?;
        Some(())
    }
}

/// How long the number is that a text starts with, as RFC 8259 has it in section 6.
fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len())
    };
    let byte = |at: usize| text.get(at).copied().unwrap_or_default();
    let mut at = usize::from(byte(0) == b'-');
    at += match byte(at) {
        b'0' => 1,
        b'1'..=b'9' => digits(at),
        _ => return None,
    };
    if byte(at) == b'.' {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(byte(at), b'e' | b'E') {
        at += 1;
        at += usize::from(matches!(byte(at), b'+' | b'-'));
        let exponent = digits(at);
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn file() -> FileId {
        FileId::new("a.json")
    }

    /// Texts near JSON: documents, and documents in which a few bytes were changed.
    fn texts() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-zé\"\\\\\n ]{0,12}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[a-e]{0,3}", inner), 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        });
        let edits = prop::collection::vec((any::<prop::sample::Index>(), "[ -~\u{0}-\u{1f}é]{0,2}"), 0..3);
        (value, any::<bool>(), edits).prop_map(|(value, pretty, edits)| {
            let mut text = if pretty { format!("{value:#}\n") } else { value.to_string() };
            for (at, new) in edits {
                let places: Vec<(usize, char)> = text.char_indices().collect();
                if let Some(&(start, old)) = places.get(at.index(places.len().max(1))) {
                    text.replace_range(start..start + old.len_utf8(), &new);
                }
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
        #[test]
        fn reads_what_the_scanner_reads(text in texts(), nodes in 1usize..40, depth in 1usize..6) {
            let limits = Limits { nodes, depth, ..Limits::default() };
            let long = super::super::json::scan(file(), &text, 3, &limits);
            match read(file(), &text, 3, &limits) {
                Some(short) => prop_assert_eq!(format!("{short:?}"), format!("{long:?}")),
                // It may leave what has escapes, but nothing else that is right.
                None => prop_assert!(!long.diagnostics.is_empty() || text.contains('\\')),
            }
        }
    }
}
