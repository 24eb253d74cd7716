//! Models with mistakes. What is wanted of a line stands in a comment at its end: `//~ G0401`,
//! with words that the message, a label or the help has after it; `//~^` is about the line above.

use super::model;

struct Wanted {
    line: u32,
    code: String,
    words: String,
    met: bool,
}

fn wanted(text: &str) -> Vec<Wanted> {
    let mut all = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for comment in line.split("//~").skip(1) {
            let above = comment.chars().take_while(|c| *c == '^').count();
            let comment = comment[above..].trim();
            let (code, words) = comment.split_once(' ').unwrap_or((comment, ""));
            let line = (at + 1 - above) as u32;
            all.push(Wanted { line, code: code.into(), words: words.trim().into(), met: false });
        }
    }
    all
}

/// Checks a module, and compares what is said with its comments.
#[track_caller]
pub fn check(text: &str) {
    check_files(&[("model/main.gops", text)]);
}

#[track_caller]
pub fn check_files(files: &[(&str, &str)]) {
    let found = model(files);
    let mut wanted: Vec<(&str, Wanted)> =
        files.iter().flat_map(|(path, text)| wanted(text).into_iter().map(|w| (*path, w))).collect();
    let mut wrong = String::new();
    for (at, diagnostic) in found.checked.diagnostics.iter().enumerate() {
        // The same thing said twice is shown once.
        if found.checked.diagnostics[..at].contains(diagnostic) {
            continue;
        }
        let Some(label) = diagnostic.labels.first() else { continue };
        let (file, line) = found.line(label.place);
        let shown = found.shown(diagnostic);
        let meets = |(path, w): &&mut (&str, Wanted)| {
            !w.met
                && w.line == line
                && file.path() == *path
                && w.code == diagnostic.code.id()
                && shown.contains(&w.words)
        };
        match wanted.iter_mut().find(meets) {
            Some((_, w)) => w.met = true,
            None => wrong += &format!("not wanted: {file}:{line} {shown}\n"),
        }
    }
    for (path, w) in wanted.iter().filter(|(_, w)| !w.met) {
        wrong += &format!("missing: {path}:{} {} {}\n", w.line, w.code, w.words);
    }
    assert!(wrong.is_empty(), "{wrong}");
}
