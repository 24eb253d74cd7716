//! An id back into type and keys.

use super::{Key, is_plain, reads_as_string};

/// References in references nest as deep as the data does; an id of a document that is not ours
/// must not exhaust the stack.
const MAX_DEPTH: usize = 128;

/// An id, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    /// The full path of the type: `std::files::TextFile`.
    pub type_path: String,
    /// Its keys, sorted by name.
    pub keys: Vec<(String, KeyValue)>,
}

impl Id {
    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&KeyValue> {
        self.keys.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

/// The value of a key as an id has it. Whether a text names an enum's variant, and whether a
/// value stands for a reference with that one key, only the type knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyValue {
    /// An optional key that is not there.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Str(String),
    /// The keys of a reference, sorted by name.
    Keys(Vec<(String, KeyValue)>),
}

impl KeyValue {
    /// Calls `use_` with the borrowed form that [`write`](super::write) takes.
    fn with_key<R>(&self, use_: &mut dyn FnMut(Key<'_>) -> R) -> R {
        match self {
            KeyValue::Null => use_(Key::Null),
            KeyValue::Bool(value) => use_(Key::Bool(*value)),
            KeyValue::Int(value) => use_(Key::Int(*value)),
            KeyValue::Str(text) => use_(Key::Str(text)),
            KeyValue::Keys(keys) => {
                let mut body = String::from("[");
                write_keys(&mut body, keys);
                body.push(']');
                use_(Key::Id(&body))
            }
        }
    }
}

fn write_keys(out: &mut String, keys: &[(String, KeyValue)]) {
    for (at, (name, value)) in keys.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        super::write_name(out, name);
        out.push('=');
        value.with_key(&mut |key| super::write_value(out, key));
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = format!("{}[", self.type_path);
        write_keys(&mut out, &self.keys);
        out.push(']');
        f.pad(&out)
    }
}

/// Why a text is no id, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no id: {problem} at byte {at}")]
pub struct IdError {
    /// The text.
    pub text: String,
    /// What is wrong.
    pub problem: &'static str,
    /// Where.
    pub at: usize,
}

/// Takes an id apart. Only what [`write`](super::write) writes is accepted, in the one spelling
/// that it has; the type may be in its short form.
pub fn parse(text: &str) -> Result<Id, IdError> {
    let mut parser = Parser { text, at: 0 };
    parser.id().map_err(|problem| IdError { text: text.to_owned(), problem, at: parser.at })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn eat(&mut self, token: char) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn id(&mut self) -> Parsed<Id> {
        let type_path = self.rest().split('[').next().unwrap_or("");
        let part = |p: &str| {
            !p.is_empty()
                && !p.starts_with(|c: char| c.is_ascii_digit())
                && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if !type_path.split("::").all(part) {
            return Err("the path of a type is expected");
        }
        self.at += type_path.len();
        if !self.eat('[') {
            return Err("`[` is expected");
        }
        let keys = self.keys(']', 0)?;
        match self.rest() {
            "" => Ok(Id { type_path: type_path.to_owned(), keys }),
            _ => Err("the end is expected"),
        }
    }

    fn keys(&mut self, close: char, depth: usize) -> Parsed<Vec<(String, KeyValue)>> {
        let mut keys: Vec<(String, KeyValue)> = Vec::new();
        if self.eat(close) {
            return Ok(keys);
        }
        loop {
            let (name, quoted) = self.token("the name of a key is expected")?;
            if quoted && is_plain(&name) {
                return Err("quotes that are not needed");
            }
            if keys.last().is_some_and(|(last, _)| *last >= name) {
                return Err("keys stand sorted by name, each once");
            }
            if !self.eat('=') {
                return Err("`=` is expected");
            }
            let value = self.value(depth)?;
            keys.push((name, value));
            if self.eat(close) {
                return Ok(keys);
            }
            if !self.eat(',') {
                return Err("`,` or the closing bracket is expected");
            }
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<KeyValue> {
        if depth > MAX_DEPTH {
            return Err("references nest too deep");
        }
        let start = self.at;
        if self.eat('{') {
            let keys = self.keys('}', depth + 1)?;
            if matches!(keys.as_slice(), [(_, value)] if *value != KeyValue::Null) {
                self.at = start;
                return Err("braces that are not needed");
            }
            return Ok(KeyValue::Keys(keys));
        }
        let (text, quoted) = self.token("a value is expected")?;
        if quoted {
            if is_plain(&text) && reads_as_string(&text) {
                self.at = start;
                return Err("quotes that are not needed");
            }
            return Ok(KeyValue::Str(text));
        }
        let value = match text.as_str() {
            "null" => KeyValue::Null,
            "true" => KeyValue::Bool(true),
            "false" => KeyValue::Bool(false),
            _ if reads_as_string(&text) => KeyValue::Str(text),
            _ => match text.parse::<i64>() {
                Ok(value) if value.to_string() == text => KeyValue::Int(value),
                _ => {
                    self.at = start;
                    return Err("quotes are missing");
                }
            },
        };
        Ok(value)
    }

    /// A plain token or a JSON string, and whether it had quotes.
    fn token(&mut self, missing: &'static str) -> Parsed<(String, bool)> {
        let rest = self.rest();
        if rest.starts_with('"') {
            let end = quoted_end(rest).ok_or("a string that does not end")?;
            let json = rest.get(..end).unwrap_or("");
            let text: String = serde_json::from_str(json).map_err(|_| "a string that is no JSON")?;
            let mut canonical = String::with_capacity(json.len());
            super::write_quoted(&mut canonical, &text);
            if canonical != json {
                return Err("a string that is not in its one spelling");
            }
            self.at += end;
            return Ok((text, true));
        }
        let text = rest.split([',', '=', '[', ']', '{', '}', '"']).next().unwrap_or("");
        if !is_plain(text) {
            return Err(missing);
        }
        self.at += text.len();
        Ok((text.to_owned(), false))
    }
}

/// Where the JSON string at the start of `text` ends, behind its closing quotes.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Whether a key of an id has this text as its value.
pub fn has_key(id: &str, text: &str) -> bool {
    // Most ids do not even hold it.
    id.contains(text)
        && parse(id)
            .is_ok_and(|id| id.keys.iter().any(|(_, value)| matches!(value, KeyValue::Str(s) if s == text)))
}

/// The keys of `a=1,b={c=2,d=3}`, each as it is written. None if that is not all.
pub(super) fn parts(body: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let (mut depth, mut start, mut at) = (0usize, 0, 0);
    while let Some(&byte) = body.as_bytes().get(at) {
        match byte {
            b'"' => {
                at += quoted_end(body.get(at..)?)?;
                continue;
            }
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            b'[' | b']' if depth == 0 => return None,
            b',' if depth == 0 => {
                found.push(body.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    found.push(body.get(start..)?);
    Some(found)
}

/// The value of the only key of `a=1,b={c=2,d=3}`, as it is written; none if there is not
/// exactly one.
pub(super) fn only_value(body: &str) -> Option<&str> {
    let mut depth = 0usize;
    let mut value = None;
    let mut at = 0;
    while let Some(&byte) = body.as_bytes().get(at) {
        match byte {
            b'"' => {
                at += quoted_end(body.get(at..)?)?;
                continue;
            }
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => return None,
            b'=' if depth == 0 => value = body.get(at + 1..),
            _ => {}
        }
        at += 1;
    }
    value
}
