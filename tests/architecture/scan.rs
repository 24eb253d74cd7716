//! Rust text as far as the rules need it: paths as lists of names, with their lines, without
//! comments and literals, and whether they stand in code that only tests compile.

/// A name or a sign.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// A path as written (`crate::base::Span`; the leaves of a `use` tree one by one), or a lone
/// name.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub names: Vec<String>,
    pub line: usize,
    /// Whether `!` follows: a macro.
    pub bang: bool,
    /// Whether `.` precedes and `(` follows: a method.
    pub method: bool,
    /// Whether it stands in an item with `#[cfg(test)]` or `#[test]`.
    pub test: bool,
    /// How many inline `mod x { }` it stands in.
    pub inline: usize,
}

impl Path {
    /// `crate::base::Span`
    pub fn text(&self) -> String {
        self.names.join("::")
    }
}

/// All paths of a text.
pub fn paths(text: &str) -> Vec<Path> {
    let tokens = tokens(text);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        depth: 0,
        tests: None,
        pending: false,
        modules: vec![],
        found: vec![],
    };
    reader.run();
    reader.found
}

fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < bytes.len() {
        let rest = &text[i..];
        let skip = skipped(rest);
        if skip > 0 {
            line += rest[..skip].matches('\n').count();
            i += skip;
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        let len = match c.is_alphanumeric() || c == '_' {
            true => rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()),
            false if rest.starts_with("::") => 2,
            false => c.len_utf8(),
        };
        line += usize::from(c == '\n');
        if !c.is_whitespace() {
            tokens.push(Token { text: rest[..len].to_owned(), line });
        }
        i += len;
    }
    tokens
}

/// The length of the comment or literal that `rest` starts with; 0 if it starts with neither.
fn skipped(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    for prefix in ["r", "br", "cr"] {
        if let Some(raw) = rest.strip_prefix(prefix) {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            if raw[hashes..].starts_with('"') {
                let end = format!("\"{}", "#".repeat(hashes));
                let body = prefix.len() + hashes + 1;
                return rest[body..].find(&end).map_or(rest.len(), |n| body + n + end.len());
            }
        }
    }
    for prefix in ["\"", "b\"", "c\""] {
        if let Some(body) = rest.strip_prefix(prefix) {
            return prefix.len() + quoted(body, '"');
        }
    }
    character(rest)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i < rest.len() {
        if rest[i..].starts_with("/*") {
            depth += 1;
            i += 2;
        } else if rest[i..].starts_with("*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += rest[i..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of the rest of a literal, with its closing quote.
fn quoted(body: &str, quote: char) -> usize {
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    body.len()
}

/// `'x'` and `'\n'`, but not the lifetime `'x`.
fn character(rest: &str) -> usize {
    let Some(body) = rest.strip_prefix('\'') else { return 0 };
    let mut chars = body.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => 1 + quoted(body, '\''),
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => 0,
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// The depth outside of the test item that is being read.
    tests: Option<usize>,
    /// Whether a test attribute was read and its item's body has not begun.
    pending: bool,
    /// The depths at which inline modules began.
    modules: Vec<usize>,
    found: Vec<Path>,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "#" => self.attribute(),
                "{" => self.open(),
                "}" => self.close(),
                ";" => {
                    self.pending &= self.tests.is_some();
                    self.at += 1;
                }
                "use" => {
                    self.at += 1;
                    self.tree(Vec::new());
                }
                _ if is_name(&token.text) || token.text == "::" => self.path(),
                _ => self.at += 1,
            }
        }
    }

    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |t| t.text.as_str())
    }

    fn attribute(&mut self) {
        let mut i = 1;
        if self.text(1) == "[" {
            let (mut depth, mut names) = (0, Vec::new());
            while self.at + i < self.tokens.len() {
                match self.text(i) {
                    "[" => depth += 1,
                    "]" => depth -= 1,
                    name => names.push(name.to_owned()),
                }
                if depth == 0 {
                    break;
                }
                i += 1;
            }
            let is_test =
                names == ["test"] || (names.starts_with(&["cfg".into()]) && names.contains(&"test".into()));
            let negated = names.contains(&"not".into());
            if is_test && !negated && self.tests.is_none() {
                self.pending = true;
            }
        }
        // What the attribute names is read too: `#[salsa::input]`.
        self.at += 1;
    }

    fn open(&mut self) {
        if self.pending && self.tests.is_none() {
            self.tests = Some(self.depth);
            self.pending = false;
        }
        self.depth += 1;
        self.at += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.tests == Some(self.depth) {
            self.tests = None;
        }
        self.modules.retain(|&m| m < self.depth);
        self.at += 1;
    }

    fn path(&mut self) {
        let start = self.at;
        let mut names = Vec::new();
        if self.text(0) == "mod" && self.text(2) == "{" {
            self.modules.push(self.depth);
        }
        loop {
            if is_name(self.text(0)) {
                names.push(self.text(0).to_owned());
                self.at += 1;
            }
            if self.text(0) != "::" || !is_name(self.text(1)) {
                break;
            }
            self.at += 1;
        }
        if self.at == start {
            self.at += 1;
        }
        let method = start > 0 && self.tokens[start - 1].text == "." && self.text(0) == "(";
        self.push(names, self.tokens[start].line, method);
    }

    fn push(&mut self, names: Vec<String>, line: usize, method: bool) {
        if names.is_empty() {
            return;
        }
        let bang = self.text(0) == "!" && self.text(1) != "=";
        let test = self.tests.is_some() || self.pending;
        self.found.push(Path { names, line, bang, method, test, inline: self.modules.len() });
    }

    /// A `use` tree after `prefix`: its leaves.
    fn tree(&mut self, prefix: Vec<String>) {
        let mut names = prefix;
        let line = self.tokens.get(self.at).map_or(0, |t| t.line);
        loop {
            match self.text(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | "") {
                        self.tree(names.clone());
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "::" => self.at += 1,
                "as" => self.at += 2,
                "," | "}" | ";" | "" => break,
                name => {
                    names.push(name.to_owned());
                    self.at += 1;
                }
            }
        }
        self.push(names, line, false);
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[test]
fn paths_are_read_out_of_rust() {
    let text = r##"
        //! crate::comment::Here
        use crate::{base::{self, Span}, diag::Code as C};
        fn f<'a>(x: &'a str) -> char { /* crate::no /* nested */ */ let _ = "crate::string \" still";
            let _ = r#"crate::raw "quoted" "#; let c = '"'; let d = '\''; crate::syntax::parse(x.unwrap()); println!("{}", 'x') }
        #[salsa::input] struct I { x: u32 }
        #[cfg(test)] mod tests { use super::*; fn g() { super::super::y(); } }
        #[cfg(not(test))] fn after() { z::q() }
    "##;
    let found = paths(text);
    let texts: Vec<String> = found.iter().map(Path::text).collect();
    for wanted in ["crate::base::self", "crate::base::Span", "crate::diag::Code", "crate::syntax::parse"] {
        assert!(texts.contains(&wanted.to_owned()), "{wanted} in {texts:?}");
    }
    assert!(
        !texts.iter().any(|t| t.contains("comment")
            || t.contains("string")
            || t.contains("raw")
            || t.contains("nested"))
    );
    let by =
        |text: &str| found.iter().find(|p| p.text() == text).unwrap_or_else(|| panic!("{text} in {texts:?}"));
    assert!(by("unwrap").method && by("println").bang && !by("println").test);
    assert!(by("salsa::input").line == 6 && !by("I").test);
    assert!(by("super::super::y").test && by("super::super::y").inline == 1);
    assert!(!by("z::q").test && by("z::q").inline == 0);
}
