//! The YAML test suite, <https://github.com/yaml/yaml-test-suite>. Each case says by events and
//! mostly by JSON what a text means, or that it must be refused.

use std::collections::{BTreeMap, BTreeSet};

use gops::data::{Document, Limits, NodeKind, Parsed, parse_yaml, parse_yaml_documents};

use super::tree::Tree;
use super::{codes, file};

/// What gops refuses though YAML lets it pass: the code, why, and the cases, which are refused
/// for no other reason.
const STRICTER: &[(&str, &str, &[&str])] = &[
    (
        "G0207",
        "a key is a string, as in JSON: no list, mapping, null, bool or float",
        &[
            "2JQS", "4FJ6", "6BFJ", "6M2F", "6PBE", "9MMW", "CFD4", "DFF7", "FH7J", "FRK4", "KK5P", "LX3P",
            "M2N8:0", "M2N8:1", "M5DY", "NHX8", "NKF9", "PW8X", "Q9WF", "RZP5", "S3PD", "SBG9", "SM9W:1",
            "UKK6:0", "V9D5", "X38W", "XW4D",
        ],
    ),
    (
        "G0209",
        "a tag other than the core schema's makes no value",
        &[
            "2XXW", "565N", "5TYM", "6CK3", "6WLZ", "7FWL", "9WXW", "C4HZ", "CC74", "CUP7", "J7PZ", "M5C3",
            "P76L", "UGM3", "Z67P", "Z9M4",
        ],
    ),
    ("G0214", "YAML 1.1 reads scalars in another way", &["MUS6:2", "MUS6:3", "MUS6:4"]),
];

struct Case {
    /// `229Q`, or `229Q:1` where a file holds several.
    id: String,
    yaml: String,
    fail: bool,
    tree: Option<String>,
    json: Option<String>,
}

fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/yaml-test-suite");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files.iter().flat_map(|path| cases_of(path)).collect()
}

fn cases_of(path: &std::path::Path) -> Vec<Case> {
    let parsed = parse_yaml(file(), &std::fs::read(path).unwrap(), &Limits::default());
    assert_eq!(codes(&parsed), [] as [&str; 0], "{path:?}");
    let document = parsed.document.unwrap();
    let list: Vec<u32> = document.children(Document::ROOT).collect();
    let mut fields: BTreeMap<String, NodeKind> = BTreeMap::new();
    let mut cases = Vec::new();
    if list.first().is_some_and(|&first| document.get(first, "skip").is_some()) {
        return cases;
    }
    for (number, &case) in list.iter().enumerate() {
        // A case has the fields of the one before it, except for `fail`.
        fields.remove("fail");
        for (key, value) in document.entries(case) {
            fields.insert(key.to_string(), document.value(value).clone());
        }
        let text = |name: &str| match fields.get(name) {
            Some(NodeKind::Str(text)) => Some(text.to_string()),
            _ => None,
        };
        let stem = path.file_stem().unwrap().to_str().unwrap();
        cases.push(Case {
            id: if list.len() == 1 { stem.to_owned() } else { format!("{stem}:{number}") },
            yaml: visible_to_raw(&text("yaml").unwrap()),
            fail: fields.contains_key("fail"),
            tree: text("tree"),
            json: text("json"),
        });
    }
    cases
}

/// The suite writes white space that would be lost or not seen as other characters.
fn visible_to_raw(text: &str) -> String {
    text.replace('␣', " ")
        .replace('»', "\t")
        .replace('—', "")
        .replace('←', "\r")
        .replace('⇔', "\u{FEFF}")
        .replace('↵', "")
        .replace("∎\n", "")
}

fn parse(case: &Case) -> Vec<Parsed> {
    parse_yaml_documents(file(), case.yaml.as_bytes(), &Limits::default())
}

fn all_codes(documents: &[Parsed]) -> BTreeSet<&'static str> {
    documents.iter().flat_map(codes).collect()
}

fn expected_codes(id: &str) -> BTreeSet<&'static str> {
    STRICTER.iter().filter(|(_, _, ids)| ids.contains(&id)).map(|&(code, ..)| code).collect()
}

#[test]
fn every_case_behaves_as_the_suite_says() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let documents = parse(case);
        let found = all_codes(&documents);
        if case.fail {
            if found.is_empty() {
                wrong.push(format!("{}: accepted", case.id));
            }
            continue;
        }
        let expected = expected_codes(&case.id);
        if found != expected {
            wrong.push(format!("{}: {found:?}, not {expected:?}", case.id));
        }
        if !found.is_empty() {
            continue;
        }
        let trees: Vec<Tree> = documents.iter().map(|d| Tree::from(d.document.as_ref().unwrap())).collect();
        if let Some(events) = &case.tree {
            let expected = super::yaml_events::documents(&visible_to_raw(events));
            if trees != expected {
                wrong.push(format!("{}: {trees:?}, not {expected:?}", case.id));
            }
        }
        if let Some(json) = &case.json {
            let expected: Vec<Tree> = serde_json::Deserializer::from_str(json)
                .into_iter::<serde_json::Value>()
                .map(|value| Tree::from(&value.unwrap()))
                .collect();
            if trees != expected {
                wrong.push(format!("{}: {trees:?}, not {expected:?} by JSON", case.id));
            }
        }
    }

    assert_eq!(cases.len(), 402);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_of_one_document_holds_one_document() {
    for case in cases().iter().filter(|case| !case.fail && expected_codes(&case.id).is_empty()) {
        let documents = parse(case);
        let single = parse_yaml(file(), case.yaml.as_bytes(), &Limits::default());
        match documents.as_slice() {
            [] => assert!(single.empty && codes(&single).is_empty(), "{}", case.id),
            [only] => assert_eq!(&single, only, "{}", case.id),
            [first, ..] => {
                assert_eq!(codes(&single), ["G0208"], "{}", case.id);
                assert_eq!(single.document, first.document, "{}", case.id);
            }
        }
    }
}

#[test]
fn what_is_cut_off_is_read_without_a_panic() {
    for case in cases() {
        for (end, _) in case.yaml.char_indices().step_by(5) {
            super::laws::assert_all_sound(&case.yaml.as_bytes()[..end]);
        }
    }
}

/// The errors of the cases that are refused, as a person reads them: a change shows in review.
#[test]
fn errors_read_well() {
    let mut told = Vec::new();
    for case in cases() {
        for diagnostic in parse(&case).iter().flat_map(|d| &d.diagnostics) {
            let gops::diag::Place::Span(at) = diagnostic.labels[0].place else { continue };
            let help = diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            told.push(format!("{} {:?}: {}{help}", case.id, at.span, diagnostic.message));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}
