//! Markdown files that are test cases: prose with fenced blocks.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// A case in a file.
pub struct Document {
    /// `tests/ui/x.md`, for messages.
    pub path: String,
    pub text: String,
    pub parts: Vec<Part>,
}

/// What a document consists of.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// `## title`: the number of signs, and the rest.
    Heading(usize, String),
    Block(Block),
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The words after the fence: a language, then what the harness makes of it.
    pub words: Vec<String>,
    /// The line of the document, from 1, of the block's first line.
    pub line: usize,
    /// Where its text stands in the document.
    pub range: Range<usize>,
    pub text: String,
}

impl Block {
    pub fn language(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The value of `name=value` among the words.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='))
    }

    /// The words after the language that are no options.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(String::as_str).filter(|w| !w.contains('='))
    }
}

impl Document {
    pub fn parse(path: &str, text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut open: Option<(usize, Block)> = None;
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let bare = line.trim_end();
            let ticks = bare.len() - bare.trim_start_matches('`').len();
            match &mut open {
                Some((fence, block)) if ticks >= *fence && bare.len() == ticks => {
                    block.range.end = at;
                    block.text = text[block.range.clone()].to_owned();
                    parts.extend(open.take().map(|(_, block)| Part::Block(block)));
                }
                Some(_) => {}
                None if ticks >= 3 => {
                    let words = bare[ticks..].split_whitespace().map(str::to_owned).collect();
                    let start = at + line.len();
                    open = Some((
                        ticks,
                        Block { words, line: number + 2, range: start..start, text: String::new() },
                    ));
                }
                None if bare.starts_with('#') => {
                    let signs = bare.len() - bare.trim_start_matches('#').len();
                    parts.push(Part::Heading(signs, bare[signs..].trim().to_owned()));
                }
                None => {}
            }
            at += line.len();
        }
        if let Some((_, block)) = open {
            return Err(format!("{path}:{}: the block is not closed", block.line - 1));
        }
        Ok(Document { path: path.to_owned(), text: text.to_owned(), parts })
    }

    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.parts.iter().filter_map(|p| match p {
            Part::Block(block) => Some(block),
            Part::Heading(..) => None,
        })
    }

    /// A message about a line of the document.
    pub fn says(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// The document with other texts in some blocks.
    pub fn with(&self, new: &[(&Block, String)]) -> String {
        let mut edits: Vec<&(&Block, String)> = new.iter().collect();
        edits.sort_by_key(|(block, _)| block.range.start);
        let (mut out, mut done) = (String::new(), 0);
        for (block, text) in edits {
            out.push_str(&self.text[done..block.range.start]);
            out.push_str(text);
            done = block.range.end;
        }
        out + &self.text[done..]
    }
}

/// A file of a project, out of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// The file that a block stands for: `language path [escaped] [repeat=N]`. With `escaped`,
/// `\r` `\t` `\0` `\\` `\xFF` and, at the end of the block, `\` for "no newline" are what they
/// say; with `repeat=N` the text stands there N times.
pub fn file(block: &Block) -> Result<File, String> {
    let mut arguments = block.arguments();
    let path = arguments.next().ok_or("a block of a file says its path: ```yaml slices/a.yaml")?.to_owned();
    let mut bytes = block.text.clone().into_bytes();
    for word in arguments {
        match word {
            "escaped" => bytes = unescape(&block.text)?,
            word => return Err(format!("`{word}` is nothing that a block of a file can have")),
        }
    }
    if let Some(times) = block.option("repeat") {
        bytes = bytes.repeat(times.parse().map_err(|_| format!("`repeat={times}` is no number"))?);
    }
    Ok(File { path, bytes })
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let text = text.strip_suffix("\\\n").unwrap_or(text);
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let mut length = 1;
        match escape.chars().next() {
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('0') => bytes.push(0),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let digits = escape.get(1..3).and_then(|d| u8::from_str_radix(d, 16).ok());
                bytes.push(digits.ok_or("`\\x` wants two digits")?);
                length = 3;
            }
            other => return Err(format!("`\\{}` is no escape", other.map_or(String::new(), String::from))),
        }
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// Whether the expected texts are to be written anew.
pub fn updates() -> bool {
    std::env::var_os("UPDATE").is_some_and(|v| v == "1")
}

/// Runs `case` on each `tests/FOLDER/*.md`, on several threads, and fails with all that it says.
/// `CASE=text` runs those alone whose path contains the text. A case may return the new text of
/// its document, which is written with `UPDATE=1`.
pub fn run(folder: &str, case: impl Fn(&Document) -> Result<Option<String>, String> + Sync) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join("tests").join(folder))
        .unwrap_or_else(|e| panic!("tests/{folder}: {e}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.sort();
    let wanted = std::env::var("CASE").unwrap_or_default();
    paths.retain(|p| p.to_string_lossy().contains(&wanted));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = std::sync::Mutex::new(Vec::new());
    let work = || {
        while let Some(path) = paths.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if let Err(what) = one(path, &name, &case) {
                failed.lock().unwrap().push(what);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(8) {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let count = failed.len();
    assert!(
        failed.is_empty(),
        "\n{}\n{count} of {} cases in tests/{folder} failed\n",
        failed.join("\n"),
        paths.len()
    );
}

/// Runs `case` on one document of the repository.
pub fn run_file(path: &Path, case: impl Fn(&Document) -> Result<Option<String>, String> + Sync) {
    let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).to_string_lossy().into_owned();
    if let Err(what) = one(path, &name, &case) {
        panic!("\n{what}");
    }
}

fn one(
    path: &Path,
    name: &str,
    case: &(impl Fn(&Document) -> Result<Option<String>, String> + Sync),
) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
    let document = Document::parse(name, &text)?;
    let run = std::panic::AssertUnwindSafe(|| case(&document));
    let outcome =
        std::panic::catch_unwind(run).unwrap_or_else(|_| Err(format!("{name}: panicked: see above")));
    match outcome? {
        Some(new) if updates() && new != text => {
            std::fs::write(path, new).map_err(|e| format!("{name}: {e}"))
        }
        _ => Ok(()),
    }
}

/// What differs, line by line.
pub fn diff(expected: &str, found: &str) -> String {
    let diff = similar::TextDiff::from_lines(expected, found);
    let text = diff.unified_diff().context_radius(3).header("expected", "found").to_string();
    text.lines().map(|l| format!("    {l}\n")).collect()
}

#[test]
fn documents_have_headings_and_blocks() {
    let text = "# T\nprose `x`\n```yaml a.yaml repeat=2\na: 1\n```\n## S\n````text out\n```\n````\n";
    let document = Document::parse("t.md", text).unwrap();
    assert_eq!(document.parts.len(), 4, "{:?}", document.parts);
    let blocks: Vec<&Block> = document.blocks().collect();
    assert_eq!((blocks[0].line, blocks[1].line), (4, 8));
    assert_eq!(file(blocks[0]).unwrap(), File { path: "a.yaml".into(), bytes: b"a: 1\na: 1\n".to_vec() });
    assert_eq!(blocks[1].text, "```\n");
    let new = document.with(&[(blocks[1], "x\n".into())]);
    assert_eq!(new, text.replace("````text out\n```\n", "````text out\nx\n"));
    assert!(Document::parse("t.md", "```\n").is_err());
}

#[test]
fn escapes_are_bytes() {
    assert_eq!(unescape("a\\r\\xFFb\\\\\\\n").unwrap(), b"a\r\xFFb\\");
    assert!(unescape("\\q").is_err());
}
