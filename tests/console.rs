//! The command line as people use it: transcripts in `tests/cli/*.md`.
//!
//! CONTRIBUTING.md describes the format.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::literate::{self, Block, Document};

/// A command of a ```console block, with what it printed.
#[derive(Debug, PartialEq)]
struct Step {
    /// Without the `$ `; further lines that start with `> ` belong to it.
    command: String,
    /// As written, to be written again.
    lines: String,
    output: String,
    line: usize,
}

fn steps(document: &Document, block: &Block) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, text) in block.text.lines().enumerate() {
        let line = block.line + number;
        if let Some(command) = text.strip_prefix("$ ") {
            let lines = format!("{text}\n");
            steps.push(Step { command: command.to_owned(), lines, output: String::new(), line });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            return Err(document.says(line, "a ```console block starts with a command: `$ gops check`"));
        };
        match text.strip_prefix("> ") {
            Some(more) if step.output.is_empty() => {
                step.command += &format!("\n{more}");
                step.lines += &format!("{text}\n");
            }
            _ => step.output += &format!("{text}\n"),
        }
    }
    Ok(steps)
}

/// Runs a line with `sh` in the folder: what it printed on both streams, then the exit code if
/// it is not 0.
fn run(command: &str, folder: &Path) -> Result<String, String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_gops"));
    let binaries = binary.parent().unwrap_or(Path::new("/"));
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap_or_default());
    let home = folder.parent().unwrap_or(folder).join("home");
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", &home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("EXAMPLES", concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot run `{command}`: {e}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    let folder = folder.display().to_string();
    let home = home.display().to_string();
    text = text
        .replace(&home, "[HOME]")
        .replace(&folder, "[ROOT]")
        .replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    if !text.is_empty() && !text.ends_with('\n') {
        text += "[no newline]\n";
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => text += &format!("[exit: {code}]\n"),
        None => text += &format!("[{}]\n", output.status),
    }
    Ok(text)
}

fn case(document: &Document) -> Result<Option<String>, String> {
    transcript(document, |folder, block| place(folder, block).map_err(|e| document.says(block.line, e)))
}

/// Runs the ```console blocks of a document, and `other` on all others.
fn transcript(
    document: &Document,
    other: impl Fn(&Path, &Block) -> Result<(), String>,
) -> Result<Option<String>, String> {
    let temporary = tempfile::tempdir().map_err(|e| e.to_string())?;
    let folder = temporary.path().canonicalize().map_err(|e| e.to_string())?.join("project");
    std::fs::create_dir(&folder).map_err(|e| e.to_string())?;
    let (mut wrong, mut new) = (String::new(), Vec::new());
    for block in document.blocks() {
        if block.language() != "console" {
            other(&folder, block)?;
            continue;
        }
        let mut text = String::new();
        for step in steps(document, block)? {
            let found = run(&step.command, &folder)?;
            let matches = matches(&step.output, &found);
            if !matches {
                let what = format!("`{}` printed (UPDATE=1 writes it):\n", step.command);
                wrong += &document.says(step.line, what + &literate::diff(&step.output, &found));
            }
            text += &step.lines;
            text += if matches { &step.output } else { &found };
        }
        new.push((block, text));
    }
    match wrong.is_empty() {
        true => Ok(None),
        false if literate::updates() => Ok(Some(document.with(&new))),
        false => Err(wrong),
    }
}

fn place(folder: &Path, block: &Block) -> Result<(), String> {
    let file = literate::file(block)?;
    let path = folder.join(&file.path);
    let make = || {
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(&path, &file.bytes)
    };
    make().map_err(|e| format!("{}: {e}", file.path))
}

/// Whether a text is as expected: `[..]` stands for anything within a line, and a line `...` for
/// any number of lines.
fn matches(expected: &str, found: &str) -> bool {
    let expected: Vec<&str> = expected.lines().collect();
    let found: Vec<&str> = found.lines().collect();
    lines_match(&expected, &found)
}

fn lines_match(expected: &[&str], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"...", rest)) => (0..=found.len()).any(|n| lines_match(rest, &found[n..])),
        Some((line, rest)) => {
            found.split_first().is_some_and(|(f, more)| line_matches(line, f) && lines_match(rest, more))
        }
    }
}

fn line_matches(expected: &str, found: &str) -> bool {
    let mut parts = expected.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn cli() {
    literate::run("cli", case);
}

/// So is what the chapter on history and written values shows.
#[test]
fn history_chapter() {
    literate::run_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/history.md"), case);
}

/// So is what the chapter on selectors shows.
#[test]
fn selectors_chapter() {
    literate::run_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/selectors.md"), case);
}

/// What the README shows is what happens, in a folder with the examples.
#[test]
fn readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    literate::run_file(&root.join("README.md"), |document| {
        let prepared = std::cell::Cell::new(false);
        transcript(document, |folder, _| {
            if prepared.replace(true) {
                return Ok(());
            }
            copy(&root.join("examples"), &folder.join("examples")).map_err(|e| e.to_string())
        })
    });
}

pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[test]
fn transcripts_may_leave_things_open() {
    assert!(matches("a\n...\nb [..] c[..]\n", "a\nx\ny\nb 12 c3\n"));
    assert!(matches("", ""));
    assert!(!matches("a\n", "a\nb\n"));
    assert!(!matches("a[..]b\n", "ac\n"));
    assert!(matches("...\n", ""));
}

#[test]
fn steps_are_commands_with_output() {
    let document = Document::parse("t.md", "```console\n$ a\n> b\nout\n$ c\n```\n").unwrap();
    let found = steps(&document, document.blocks().next().unwrap()).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].command.as_str(), found[0].output.as_str()), ("a\nb", "out\n"));
    assert_eq!((found[1].line, found[1].output.as_str()), (5, ""));
}
