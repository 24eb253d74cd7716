//! Reading a selector.

use std::ops::Range;

use ecow::EcoString;
use globset::GlobBuilder;

use super::{Condition, Selector, SelectorError, Test, Value};

type Parsed<T> = Result<T, SelectorError>;

/// How deep braces and brackets of a value may nest.
const DEEP: usize = 64;

/// `TYPE` or `TYPE[CONDITION,…]`.
pub(super) fn parse(text: &str) -> Parsed<Selector> {
    let mut parser = Parser { text, at: 0 };
    parser.space();
    let kind = parser.kind()?;
    let conditions = if parser.eat("[") { parser.conditions()? } else { Vec::new() };
    parser.space();
    if parser.at < text.len() {
        let at = parser.at..text.len();
        return Err(parser
            .error(at, "the selector goes on after its end", "this belongs to nothing")
            .help("several selectors are several options: `--only A --only B`"));
    }
    Ok(Selector { text: text.into(), kind, conditions })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn error(&self, at: Range<usize>, problem: &str, label: &str) -> SelectorError {
        SelectorError::new(self.text, at, problem, label)
    }

    /// The character at the current place, or the end.
    fn here(&self) -> Range<usize> {
        self.at..self.at + self.rest().chars().next().map_or(0, char::len_utf8)
    }

    fn kind(&mut self) -> Parsed<EcoString> {
        let is = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '*' | '?');
        let end = self.rest().find(|c| !is(c)).unwrap_or(self.rest().len());
        let kind = self.rest().get(..end).unwrap_or_default();
        let start = self.at;
        if kind.is_empty() {
            return Err(self
                .error(self.here(), "a selector begins with a type", "a type is expected here")
                .help("`*` stands for any type: `*[host=h1]`"));
        }
        if kind.split("::").any(|part| part.is_empty() || part.contains(':')) {
            return Err(self
                .error(start..start + end, "this is no path of a type", "names stand between `::`")
                .help(
                    "write the name alone, or with what stands before it: `TextFile`, `std::files::TextFile`",
                ));
        }
        self.at += end;
        self.space();
        if !self.rest().is_empty() && !self.rest().starts_with('[') {
            return Err(self
                .error(self.here(), "`[` is expected after the type", "this cannot be part of a type")
                .help("conditions stand in brackets: `TextFile[host=h1]`"));
        }
        Ok(kind.into())
    }

    fn conditions(&mut self) -> Parsed<Vec<Condition>> {
        let open = self.at.saturating_sub(1);
        let mut conditions = Vec::new();
        self.space();
        if self.eat("]") {
            return Ok(conditions);
        }
        loop {
            conditions.push(self.condition()?);
            self.space();
            if self.eat("]") {
                return Ok(conditions);
            }
            if !self.eat(",") {
                let (at, problem, label) = match self.rest().is_empty() {
                    true => (open..open + 1, "`]` is missing at the end", "this is not closed"),
                    false => {
                        (self.here(), "`,` or `]` is expected", "after a condition comes another, or the end")
                    }
                };
                return Err(self
                    .error(at, problem, label)
                    .help("in a shell, put the selector in single quotes"));
            }
        }
    }

    fn condition(&mut self) -> Parsed<Condition> {
        self.space();
        let start = self.at;
        let field = match self.rest().starts_with('"') {
            true => self.quoted()?,
            false => {
                let is = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
                let end = self.rest().find(|c| !is(c)).unwrap_or(self.rest().len());
                let name = self.rest().get(..end).unwrap_or_default();
                self.at += end;
                name.into()
            }
        };
        if field.is_empty() {
            return Err(self
                .error(self.here(), "the name of a key is expected", "a condition begins here")
                .help("such as `host=h1`, `path~/srv/**`"));
        }
        let at = start..self.at;
        self.space();
        let operator = ["!=", "!~", "==", "=", "~"].into_iter().find(|operator| self.eat(operator));
        let test = match operator {
            Some("=") => Test::Is(self.value()?),
            Some("!=") => Test::IsNot(self.value()?),
            Some("~") => Test::Like(Box::new(self.glob()?)),
            Some("!~") => Test::Unlike(Box::new(self.glob()?)),
            Some(_) => {
                let at = self.at.saturating_sub(2)..self.at;
                return Err(self
                    .error(at, "`==` is no operator", "one `=` says that two are equal")
                    .help(format!("write `{field}=…`")));
            }
            None => {
                return Err(self
                    .error(self.here(), "`=`, `!=`, `~` or `!~` is expected", "after the name of a key")
                    .help("`=` is equal, `~` is like a pattern with `*`"));
            }
        };
        Ok(Condition { field, at, test })
    }

    fn value(&mut self) -> Parsed<Value> {
        self.space();
        if self.rest().starts_with('"') {
            return Ok(Value::Quoted(self.quoted()?));
        }
        let (text, at) = self.raw(false);
        match text.is_empty() {
            true => Err(self.no_value(at)),
            false => Ok(Value::Plain(text.into())),
        }
    }

    fn glob(&mut self) -> Parsed<globset::GlobMatcher> {
        self.space();
        let start = self.at;
        let (pattern, at) = match self.rest().starts_with('"') {
            true => (self.quoted()?, start..self.at),
            false => {
                let (text, at) = self.raw(true);
                (text.into(), at)
            }
        };
        if pattern.is_empty() {
            return Err(self.no_value(at));
        }
        // As in `files("…")`: `*` stays within a folder, `**` does not.
        match GlobBuilder::new(&pattern).literal_separator(true).build() {
            Ok(glob) => Ok(glob.compile_matcher()),
            Err(error) => Err(self
                .error(at, "this pattern cannot be read", &error.kind().to_string())
                .help("`*` stands for any letters but `/`, `**` for any, `?` for one, `{a,b}` for either")),
        }
    }

    fn no_value(&self, at: Range<usize>) -> SelectorError {
        self.error(at, "a value is missing", "what is it compared with?")
            .help("`\"\"` is the empty text, `null` is a key that is not given")
    }

    /// What stands up to the next comma or bracket that belongs to the selector.
    fn raw(&mut self, pattern: bool) -> (&'a str, Range<usize>) {
        let start = self.at;
        let (mut braces, mut brackets) = (0_usize, 0_usize);
        let mut end = self.rest().len();
        for (at, c) in self.rest().char_indices() {
            match c {
                '{' if braces < DEEP => braces += 1,
                '}' => braces = braces.saturating_sub(1),
                '[' if pattern && brackets < DEEP => brackets += 1,
                ']' if brackets > 0 => brackets -= 1,
                ',' | ']' if braces == 0 && brackets == 0 => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let text = self.rest().get(..end).unwrap_or_default().trim_end();
        self.at += end;
        (text, start..start + text.len())
    }

    /// A JSON string.
    fn quoted(&mut self) -> Parsed<EcoString> {
        let start = self.at;
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find_map(|(at, c)| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends.then_some(at + 1)
        });
        let Some(end) = end else {
            return Err(self.error(start..start + 1, "a quote is not closed", "the text begins here"));
        };
        let json = self.rest().get(..end).unwrap_or_default();
        self.at += end;
        serde_json::from_str::<String>(json).map(EcoString::from).map_err(|_| {
            self.error(start..self.at, "this is no text", "in quotes, texts are written as in JSON")
                .help("a quote in it is `\\\"`, a backslash `\\\\`")
        })
    }
}
