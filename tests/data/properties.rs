//! What holds for all texts and all documents.

use gops::data::print::{to_json, to_yaml};
use gops::data::{Document, Limits, Node, NodeKind, Parsed, parse_json, parse_yaml};
use proptest::prelude::*;

use super::laws::assert_all_sound;
use super::tree::Tree;
use super::{codes, file};

fn yaml(text: &str) -> Parsed {
    parse_yaml(file(), text.as_bytes(), &Limits::default())
}

fn json(text: &str) -> Parsed {
    parse_json(file(), text.as_bytes(), &Limits::default())
}

/// A document of a tree, entries in the order of their keys.
fn document(tree: &Tree) -> Document {
    fn add(nodes: &mut Vec<Node>, key: Option<&str>, tree: &Tree) {
        let number = nodes.len();
        let value = match tree {
            Tree::Null => NodeKind::Null,
            Tree::Bool(value) => NodeKind::Bool(*value),
            Tree::Int(value) => NodeKind::Int(*value),
            Tree::Float(bits) => NodeKind::Float(f64::from_bits(*bits)),
            Tree::BigInt(text) => NodeKind::BigInt(text.as_str().into()),
            Tree::Str(text) => NodeKind::Str(text.as_str().into()),
            Tree::Invalid => NodeKind::Invalid,
            Tree::List(items) => NodeKind::Sequence(items.len() as u32),
            Tree::Map(entries) => NodeKind::Mapping(entries.len() as u32),
        };
        nodes.push(Node { key: key.map(Into::into), value, octal: false, padded: false, end: 0 });
        match tree {
            Tree::List(items) => items.iter().for_each(|item| add(nodes, None, item)),
            Tree::Map(entries) => entries.iter().for_each(|(key, item)| add(nodes, Some(key), item)),
            _ => {}
        }
        nodes[number].end = nodes.len() as u32;
    }
    let mut nodes = Vec::new();
    add(&mut nodes, None, tree);
    Document { nodes }
}

fn text() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "",
        " ",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "yes",
        "No",
        "null",
        "~",
        "true",
        "0777",
        "1_000",
        "12:30:45",
        "1e3",
        ".5",
        ".inf",
        "0x1f",
        "2001-01-01",
        "<<",
        "=",
        "@a",
        "`a`",
        "%a",
        "!a",
        "&a",
        "*a",
        "|",
        ">",
        "? a",
        "---",
        "...",
        "--- a",
        "... a",
        "a:",
        ":a",
        "[a]",
        "{a}",
        "a, b",
        "'a'",
        "\"a\"",
        "a\\b",
        "a\nb",
        "a\nb\n",
        "a\n\nb\n\n",
        "\na",
        " a\nb",
        "a \nb",
        "a\n  b\n",
        "\n",
        "\n\n",
        "a\r\nb",
        "a\tb",
        "\ta",
        "a\u{85}b",
        "a\u{2028}b",
        "\u{feff}",
        "\u{feff}a",
        "\u{0}",
        "\u{7f}",
        "\u{fffe}",
        "ä",
        "日本",
        "😀",
        "a\u{1b}[0m",
        "ENC[x]",
    ])
    .prop_map(str::to_owned);
    let any = prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter);
    let yamlish = prop::collection::vec(
        prop::sample::select(vec![
            'a', 'b', ' ', '\n', ':', '-', '#', '\'', '"', '\\', '[', '{', ',', '\t', '1', '.',
        ]),
        0..20,
    )
    .prop_map(String::from_iter);
    prop_oneof![3 => tricky, 2 => any, 2 => yamlish, 1 => "[a-z]{1,40}"]
}

fn tree(finite: bool) -> impl Strategy<Value = Tree> {
    let float = any::<f64>().prop_filter("finite", move |f| !finite || f.is_finite()).prop_map(Tree::float);
    let scalar = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::Int),
        "-?[1-9][0-9]{19,30}".prop_map(Tree::BigInt),
        float,
        text().prop_map(Tree::Str),
        text().prop_map(Tree::Str),
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::List),
            prop::collection::btree_map(text(), inner, 0..6).prop_map(|m| Tree::Map(m.into_iter().collect())),
        ]
    })
}

/// Texts that look like YAML and JSON for a while.
fn soup() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a",
        "b",
        "key: ",
        "k: v\n",
        "- ",
        "-\n",
        "\n",
        "\n  ",
        "\n    ",
        "  ",
        " ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ": ",
        ":",
        "&x ",
        "&y ",
        "*x",
        "*x ",
        "*y : ",
        "<<: ",
        "<<: *x\n",
        "'",
        "\"",
        "\"q\"",
        "\"q\": ",
        "|\n",
        ">-\n",
        "|2\n",
        "!!str ",
        "!!int ",
        "!t ",
        "? ",
        "#c\n",
        " # c\n",
        "---\n",
        "--- ",
        "...\n",
        "\t",
        "\r\n",
        "\r",
        "é",
        "😀",
        "0x1",
        "1.5",
        "1e999",
        "~",
        "true",
        "\u{feff}",
        "\\u00e9",
        "\\ud83d",
        "%YAML 1.2\n",
        "sops: ",
        "\0",
        "//",
        "/**/",
        "-1",
        "01",
    ]);
    prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

/// The part of a document that one value is.
fn part(document: &Document, node: u32) -> Document {
    let mut nodes = document.nodes[node as usize..document.node(node).end as usize].to_vec();
    nodes[0].key = None;
    nodes.iter_mut().for_each(|n| n.end -= node);
    Document { nodes }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_json_reads_as_the_same(tree in tree(true)) {
        let wanted = document(&tree);
        let text = to_json(&wanted).unwrap();
        let parsed = json(&text);
        prop_assert_eq!(codes(&parsed), [] as [&str; 0], "{}", text);
        prop_assert_eq!(parsed.document.as_ref(), Some(&wanted), "{}", text);
        // JSON is YAML too.
        prop_assert_eq!(yaml(&text).document, Some(wanted), "{}", text);
    }

    #[test]
    fn printed_yaml_reads_as_the_same(tree in tree(false)) {
        let wanted = document(&tree);
        let text = to_yaml(&wanted).unwrap();
        let parsed = yaml(&text);
        prop_assert_eq!(codes(&parsed), [] as [&str; 0], "{}", text);
        prop_assert_eq!(parsed.document, Some(wanted.clone()), "{}", text);
        let windows = text.replace('\n', "\r\n");
        prop_assert_eq!(yaml(&windows).document, Some(wanted), "{}", windows);
    }

    #[test]
    fn each_value_of_json_is_the_text_at_its_place(tree in tree(true)) {
        let wanted = document(&tree);
        let text = to_json(&wanted).unwrap();
        for parsed in [json(&text), yaml(&text)] {
            for node in 0..wanted.nodes.len() as u32 {
                let value = &text[parsed.spans.value(node).range()];
                prop_assert_eq!(json(value).document, Some(part(&wanted, node)), "{}", value);
                if let Some(key) = wanted.key(node) {
                    let found = json(&text[parsed.spans.key(node).range()]).document;
                    prop_assert_eq!(found, Some(Document::scalar(NodeKind::Str(key.clone()))));
                }
            }
        }
    }

    #[test]
    fn each_scalar_of_yaml_is_the_text_at_its_place(tree in tree(false)) {
        let wanted = document(&tree);
        let text = to_yaml(&wanted).unwrap();
        let parsed = yaml(&text);
        for node in 0..wanted.nodes.len() as u32 {
            let span = parsed.spans.value(node);
            for child in wanted.children(node) {
                let inner = parsed.spans.value(child).to(parsed.spans.key(child));
                prop_assert!(span.start <= inner.start && inner.end <= span.end, "{:?} {:?} {}", span, inner, text);
            }
            let value = &text[span.range()];
            let container = matches!(wanted.value(node), NodeKind::Sequence(_) | NodeKind::Mapping(_));
            // The blank lines that `|+` keeps are not part of its place.
            if !container && !value.starts_with("|+") {
                prop_assert_eq!(yaml(value).document, Some(part(&wanted, node)), "{}", value);
            }
            if let Some(key) = wanted.key(node) {
                let found = yaml(&text[parsed.spans.key(node).range()]).document;
                prop_assert_eq!(found, Some(Document::scalar(NodeKind::Str(key.clone()))));
            }
        }
    }

    #[test]
    fn white_space_and_comments_change_no_document(tree in tree(true), at in any::<prop::sample::Index>()) {
        let wanted = document(&tree);
        let text = to_json(&wanted).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let split = at.index(lines.len());
        let (before, after) = (lines[..split].concat(), lines[split..].concat());
        prop_assert_eq!(json(&format!("{before} \t\r\n {after}")).document, Some(wanted.clone()));
        prop_assert_eq!(yaml(&format!("{before}\n  # a comment\n{after}")).document, Some(wanted));
    }

    #[test]
    fn json_is_what_serde_json_says(text in soup()) {
        let oracle = serde_json::from_str::<serde_json::Value>(&text);
        let parsed = json(&text);
        match (&oracle, codes(&parsed).as_slice()) {
            (Ok(value), []) if !text.contains("-0") => {
                prop_assert_eq!(Tree::from(parsed.document.as_ref().unwrap()), Tree::from(value));
            }
            (_, ["G0206"]) | (Ok(_), []) | (Err(_), [_, ..]) => {}
            // A byte order mark may be ignored, and serde_json does not.
            (Err(_), []) if text.starts_with('\u{feff}') => {}
            (oracle, found) => prop_assert!(false, "{:?}: {:?} {:?}", text, oracle, found),
        }
    }

    #[test]
    fn anything_is_read_without_a_panic(text in soup(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        assert_all_sound(text.as_bytes());
        assert_all_sound(&bytes);
    }

    #[test]
    fn a_spoilt_document_is_read_without_a_panic(
        tree in tree(false),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = to_yaml(&document(&tree)).unwrap().into_bytes();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        assert_all_sound(&bytes);
    }
}
