//! Reads JSON, telling integers from floats and refusing what has no one meaning. The digest,
//! not the reader, tells whether a document is what was written, so other spellings are read:
//! white space, escapes, the order of keys.

use ecow::EcoString;

/// Data nests at most 128 deep; calls and the document itself add to it.
const MAX_DEPTH: usize = 512;

/// JSON as it stands, maps sorted by key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(EcoString),
    List(Vec<Json>),
    Map(Vec<(EcoString, Json)>),
}

/// Why bytes are no graph, or no value of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No JSON, or JSON that could mean more than one thing.
    #[error("{problem} at byte {at}")]
    Syntax {
        /// What is wrong.
        problem: &'static str,
        /// Where.
        at: usize,
    },
    /// JSON of another shape.
    #[error("{0}")]
    Shape(String),
}

impl ReadError {
    pub(super) fn shape(problem: String) -> Self {
        ReadError::Shape(problem)
    }
}

/// Reads one JSON value and nothing after it.
pub(super) fn read_json(bytes: &[u8]) -> Result<Json, ReadError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(ReadError::Syntax { problem: "no UTF-8", at: error.valid_up_to() }),
    };
    let mut reader = Reader { text, bytes, at: 0 };
    let value = reader.value(0).and_then(|value| {
        reader.space();
        if reader.at < bytes.len() { Err("something after the end") } else { Ok(value) }
    });
    value.map_err(|problem| ReadError::Syntax { problem, at: reader.at })
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn word(&mut self, word: &str, value: Json) -> Read<Json> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(value);
        }
        Err("a value is expected")
    }

    fn value(&mut self, depth: usize) -> Read<Json> {
        if depth > MAX_DEPTH {
            return Err("values nest too deep");
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Str),
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err("a value is expected"),
        }
    }

    fn list(&mut self, depth: usize) -> Read<Json> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.eat(b']') {
                return Ok(Json::List(items));
            }
            if !self.eat(b',') {
                return Err("`,` or `]` is expected");
            }
        }
    }

    fn map(&mut self, depth: usize) -> Read<Json> {
        self.at += 1;
        let mut entries: Vec<(EcoString, Json)> = Vec::new();
        if self.eat(b'}') {
            return Ok(Json::Map(entries));
        }
        let mut sorted = true;
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err("a key is expected");
            }
            let key = self.string()?;
            if !self.eat(b':') {
                return Err("`:` is expected");
            }
            let value = self.value(depth + 1)?;
            sorted &= entries.last().is_none_or(|(last, _)| *last < key);
            entries.push((key, value));
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return Err("`,` or `}` is expected");
            }
        }
        if !sorted {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            if entries.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
                return Err("a key that stands twice");
            }
        }
        Ok(Json::Map(entries))
    }

    fn string(&mut self) -> Read<EcoString> {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let text = self.text.get(start..self.at).unwrap_or("");
                    self.at += 1;
                    return Ok(text.into());
                }
                b'\\' => return self.escaped(start),
                0..0x20 => return Err("a control character in a string"),
                _ => self.at += 1,
            }
        }
        Err("a string that does not end")
    }

    /// A string with escapes: finds its end and leaves the rest to serde_json.
    fn escaped(&mut self, start: usize) -> Read<EcoString> {
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    let json = self.text.get(start - 1..self.at).unwrap_or("");
                    let text: Result<String, _> = serde_json::from_str(json);
                    return text.map(EcoString::from).map_err(|_| "an escape that means nothing");
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        Err("a string that does not end")
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Read<Json> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (zero && whole > 1) {
            return Err("no number");
        }
        let mut is_float = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_float = true;
            if self.digits() == 0 {
                return Err("no number");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            is_float = true;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("no number");
            }
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if is_float {
            return match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Json::Float(value)),
                _ => Err("a float that is too large"),
            };
        }
        text.parse().map(Json::Int).map_err(|_| "an integer that does not fit 64 bits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_one_meaning_is_refused() {
        for text in [
            "",
            "nul",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e999",
            "9223372036854775808",
            "\"\\x\"",
            "\"a",
            "\"\n\"",
            "\"\\",
            "\"\\\"",
            "[1,]",
            "[1 2]",
            "{\"a\":1,\"a\":2}",
            "{\"b\":1,\"a\":1,\"b\":2}",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":1,}",
            "1 2",
            "\"\\ud800\"",
        ] {
            assert!(read_json(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read_json(b"\"\xff\"").is_err());
        let deep = "[".repeat(1_000_000);
        assert!(matches!(
            read_json(deep.as_bytes()),
            Err(ReadError::Syntax { problem: "values nest too deep", .. })
        ));
    }

    #[test]
    fn other_spellings_are_read() {
        let value = read_json(b" {\"b\" : [ 1 , -0, 1.0 , 1E2 ] ,\n\"a\":\"\\u0041\\n\" } ").unwrap();
        let list = vec![Json::Int(1), Json::Int(0), Json::Float(1.0), Json::Float(100.0)];
        assert_eq!(
            value,
            Json::Map(vec![("a".into(), Json::Str("A\n".into())), ("b".into(), Json::List(list))])
        );
    }
}
