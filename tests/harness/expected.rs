//! The problems that a case expects: in comments at their line, or listed.

use gops::diag::Diagnostic;
use gops::diag::render::severity_word;

use super::literate::Block;

/// `error: G0301 part of the message`, at a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// `error`, `warning`, `info`, or `note` for a second label.
    word: String,
    /// Empty if any will do.
    code: String,
    /// Part of the message or of the primary label, or all of it; may be empty.
    pub text: String,
    pub document_line: usize,
}

impl Expectation {
    /// The same at another line.
    pub fn at(self, document_line: usize) -> Self {
        Expectation { document_line, ..self }
    }

    pub fn is_note(&self) -> bool {
        self.word == "note"
    }

    pub fn matches(&self, diagnostic: &Diagnostic) -> bool {
        let says = |text: &str| text.contains(&self.text);
        let primary = diagnostic.labels.iter().find(|l| l.primary);
        severity_word(diagnostic.severity) == self.word
            && (self.code.is_empty() || self.code == diagnostic.code.id())
            && (says(&diagnostic.message) || primary.is_some_and(|l| says(&l.message)))
    }

    /// Reads `error: G0301 text`; None if it is nothing of that kind.
    fn read(text: &str, document_line: usize) -> Option<Self> {
        let (word, rest) = text.trim().split_once(':')?;
        if !["error", "warning", "info", "note"].contains(&word) {
            return None;
        }
        let rest = rest.trim();
        let first = rest.split_whitespace().next().unwrap_or_default();
        let is_code =
            first.len() == 5 && first.starts_with('G') && first[1..].bytes().all(|b| b.is_ascii_digit());
        let code = if is_code { first } else { "" };
        let text = rest[code.len()..].trim().to_owned();
        Some(Expectation { word: word.to_owned(), code: code.to_owned(), text, document_line })
    }
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}: {} {}", self.word, self.code, self.text);
        f.write_str(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// The comment of a line, by the kind of file: what stands before it, and its text.
fn comment<'a>(path: &str, line: &'a str) -> Option<(&'a str, &'a str)> {
    let sign = match path.rsplit('.').next() {
        Some("gops") => "//",
        Some("yaml" | "yml" | "toml") => "#",
        _ => return None,
    };
    let starts = line.match_indices(sign).map(|(at, _)| at);
    let starts = starts.filter(|&at| at == 0 || line[..at].ends_with([' ', '\t']));
    let mut found = starts.filter(|&at| Expectation::read(&line[at + sign.len()..], 0).is_some());
    let at = found.next()?;
    Some((&line[..at], &line[at + sign.len()..]))
}

/// The expectations in the comments of a file. A comment that stands alone on its line is about
/// the next line that is none.
pub fn in_comments(path: &str, block: &Block) -> Result<Vec<Expectation>, String> {
    let (mut found, mut waiting) = (Vec::new(), Vec::new());
    for (number, line) in block.text.lines().enumerate() {
        let here = block.line + number;
        if let Some((before, text)) = comment(path, line) {
            let expectation = Expectation::read(text, here);
            if before.trim().is_empty() {
                waiting.extend(expectation);
                continue;
            }
            found.extend(expectation);
        }
        found.extend(waiting.drain(..).map(|e| e.at(here)));
    }
    match waiting.first() {
        None => Ok(found),
        Some(left) => Err(format!("no line follows the comment `{left}`")),
    }
}

/// An expectation of an ```expect block, at a line of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub path: String,
    /// The line of the file.
    pub line: usize,
    /// What is expected there; its line is its own in the document.
    pub expectation: Expectation,
}

/// The expectations of an ```expect block: `3: error: G0502 text`, the line of the file first.
pub fn listed(path: &str, block: &Block) -> Result<Vec<Listed>, String> {
    let mut found = Vec::new();
    for (number, line) in block.text.lines().enumerate() {
        let read = || {
            let (at, rest) = line.split_once(':')?;
            Some((at.trim().parse().ok()?, Expectation::read(rest, block.line + number)?))
        };
        let (line, expectation) =
            read().ok_or_else(|| format!("`{line}` is not `LINE: error: CODE text`"))?;
        found.push(Listed { path: path.to_owned(), line, expectation });
    }
    Ok(found)
}

/// Which line of a document each line of a file is.
#[derive(Clone, Debug, Default)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// Adds the lines of a block that starts at `line` of the document.
    pub fn push(&mut self, count: usize, line: usize) {
        self.0.extend((0..count).map(|n| line + n));
    }

    /// The line of the document; what is past the file's end belongs to its last line.
    pub fn of_document(&self, line: usize) -> Option<usize> {
        self.0.get(line - 1).or(self.0.last()).copied()
    }
}

#[test]
fn comments_are_expectations() {
    let text = "\
// error: G0301 no such name
// warning: G0901
let x = y   // note: declared here
let url = \"http://x\" // nothing: else
let z = 1 // error: any message
";
    let block = Block { words: vec![], line: 10, range: 0..0, text: text.into() };
    let found: Vec<(usize, String)> =
        in_comments("a.gops", &block).unwrap().iter().map(|e| (e.document_line, e.to_string())).collect();
    let expected = [
        (12, "note: declared here"),
        (12, "error: G0301 no such name"),
        (12, "warning: G0901"),
        (14, "error: any message"),
    ];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    let last = Block { text: "a: 1\n# error: x\n".into(), ..block.clone() };
    assert!(in_comments("a.yaml", &last).is_err());
    let data = Block { text: "a: \"#1\" # error: G0501 x # y\n".into(), ..block };
    assert_eq!(in_comments("a.yaml", &data).unwrap()[0].to_string(), "error: G0501 x # y");
    assert!(in_comments("a.json", &data).unwrap().is_empty());
}
