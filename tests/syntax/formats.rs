//! `gops fmt`: one style, idempotent, keeps comments and meaning. What it does to generated
//! models is tested with the grammar.

use gops::syntax::format;

use super::sources::sources;
use crate::harness::literate::{Document, diff};

/// Formats, and fails unless formatting again changes nothing.
fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|e| panic!("{text}\n{e:#?}"));
    let twice = format(&once).unwrap_or_else(|e| panic!("{once}\n{e:#?}"));
    assert_eq!(once, twice, "not idempotent");
    once
}

#[test]
fn shipped_models_are_stable() {
    for (path, text) in sources() {
        let new = formatted(&text);
        for line in new.lines().filter(|l| l.chars().count() > 100) {
            // Only what cannot be broken is longer.
            assert!(line.contains('"') || line.contains("//"), "{}: {line}", path.display());
        }
    }
}

/// Models that stand in Markdown: those that readers copy.
fn pages() -> Vec<(String, String)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let mut found = Vec::new();
    let mut pages = vec!["README.md".to_owned(), "docs/tutorial.md".to_owned()];
    for entry in std::fs::read_dir(root.to_owned() + "examples").unwrap() {
        pages.push(format!("examples/{}/README.md", entry.unwrap().file_name().to_string_lossy()));
    }
    pages.sort();
    for page in pages {
        let text = std::fs::read_to_string(root.to_owned() + &page).unwrap();
        let document = Document::parse(&page, &text).unwrap();
        for block in document.blocks().filter(|b| b.words.first().is_some_and(|w| w == "gops")) {
            found.push((format!("{page}:{}", block.line), block.text.clone()));
        }
    }
    found
}

#[test]
fn what_is_shipped_is_formatted() {
    let files = sources().into_iter().map(|(path, text)| (path.to_string_lossy().into_owned(), text));
    let unformatted: Vec<String> = files
        .chain(pages())
        .filter(|(_, text)| format(text).is_ok_and(|new| new != *text))
        .map(|(name, text)| format!("{name}:\n{}", diff(&text, &format(&text).unwrap_or_default())))
        .collect();
    assert!(unformatted.is_empty(), "{}", unformatted.join("\n"));
}

#[test]
fn one_style() {
    let new = formatted(include_str!("ugly.gops"));
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/syntax/pretty.gops");
        std::fs::write(path, &new).unwrap();
        return;
    }
    assert_eq!(new, include_str!("pretty.gops"));
}

#[test]
fn small_texts() {
    for (text, expected) in [
        ("", ""),
        ("\n\n", ""),
        ("// a", "// a\n"),
        ("const A=1", "const A = 1\n"),
        ("\u{feff}const A = 1\r\n\r\n\r\n\r\nconst B = 2\r\n", "const A = 1\n\nconst B = 2\n"),
        // A comment that speaks for a line must not come to speak for the file.
        ("\n// gops: allow(naming)\nconst a = 1\n", "\n// gops: allow(naming)\nconst a = 1\n"),
        ("// gops: allow(naming)\n\nconst a = 1\n", "// gops: allow(naming)\n\nconst a = 1\n"),
        // What would go on with the line before keeps its comma.
        ("const A = {\n a: b, keep, c }\n", "const A = {\n    a: b,\n    keep\n    c\n}\n"),
        ("const A = { a, }\n", "const A = { a }\n"),
        ("const A = [\n1, 2]\n", "const A = [\n    1,\n    2\n]\n"),
        ("const A = [ // why\n1]\n", "const A = [ // why\n    1\n]\n"),
        ("const A = f(a, // one\nb)\n", "const A = f(\n    a, // one\n    b\n)\n"),
        ("const A = f(a // one\n, b)\n", "const A = f(\n    a, // one\n    b\n)\n"),
        ("const A = a and // why\nb\n", "const A = a and // why\n    b\n"),
        ("const A = {\n}\n", "const A = {}\n"),
        ("const A = {\n// nothing\n}\n", "const A = {\n    // nothing\n}\n"),
    ] {
        match format(text) {
            Ok(new) => assert_eq!(new, expected, "{text:?}"),
            Err(errors) => assert!(text.contains('\''), "{text:?}: {errors:#?}"),
        }
    }
}

#[test]
fn texts_with_mistakes_are_left_alone() {
    let errors = format("const A = (1\n").unwrap_err();
    assert_eq!(errors[0].code.id(), "G0106");
}
