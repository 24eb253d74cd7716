//! What each kind of text comes to: values, places, and what is refused at which bytes.

use gops::base::Span;
use gops::data::{
    Document, EncryptedType, Limits, NodeKind, Parsed, parse_json, parse_yaml, parse_yaml_documents,
};
use gops::diag::{Diagnostic, Place};

use super::tree::Tree;
use super::{codes, file};

fn yaml(text: &str) -> Parsed {
    parse_yaml(file(), text.as_bytes(), &Limits::default())
}

fn json(text: &str) -> Parsed {
    parse_json(file(), text.as_bytes(), &Limits::default())
}

/// The document of a text in which nothing is wrong.
fn good(parsed: Parsed) -> Document {
    assert_eq!(codes(&parsed), [] as [&str; 0], "{:?}", parsed.diagnostics);
    parsed.document.unwrap()
}

/// Code and text of each label of the diagnostics, in the order of the file.
fn told<'a>(text: &'a str, parsed: &Parsed) -> Vec<(&'static str, Vec<&'a str>)> {
    let place = |d: &Diagnostic| -> Vec<Span> {
        d.labels
            .iter()
            .map(|label| match label.place {
                Place::Span(at) => at.span,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let mut all: Vec<_> = parsed.diagnostics.iter().map(|d| (place(d), d.code.id())).collect();
    all.sort();
    all.into_iter()
        .map(|(spans, code)| (code, spans.into_iter().map(|s| &text[s.range()]).collect()))
        .collect()
}

/// Each node's key and value as they stand in the text.
fn slices<'a>(text: &'a str, parsed: &Parsed) -> Vec<(&'a str, &'a str)> {
    let spans = &parsed.spans;
    spans.keys.iter().zip(&spans.values).map(|(k, v)| (&text[k.range()], &text[v.range()])).collect()
}

#[test]
fn empty_null_and_list_are_told_apart() {
    for text in ["", " \n\t\n", "# only this\n", "---\n", "\u{feff}", "---\n# this\n...\n"] {
        let parsed = yaml(text);
        assert!(parsed.empty, "{text:?}");
        assert_eq!(good(parsed), Document::scalar(NodeKind::Null), "{text:?}");
    }
    for text in ["null", "~\n", "--- null\n", "--- &a\n", "!!null\n"] {
        let parsed = yaml(text);
        assert!(!parsed.empty, "{text:?}");
        assert_eq!(good(parsed), Document::scalar(NodeKind::Null), "{text:?}");
    }
    assert_eq!(good(yaml("- 1")).value(0), &NodeKind::Sequence(1));
    assert_eq!(good(json("[1]")).value(0), &NodeKind::Sequence(1));
    for text in ["", " \r\n", "\u{feff}"] {
        let parsed = json(text);
        assert!(parsed.empty && parsed.document.is_none(), "{text:?}");
        assert_eq!(codes(&parsed), ["G0202"]);
    }
    let null = json(" null ");
    assert!(!null.empty);
    assert_eq!(good(null), Document::scalar(NodeKind::Null));
}

#[test]
fn a_byte_order_mark_counts_in_places_alone() {
    for text in ["\u{feff}{\"a\": \"ä\"}", "\u{feff}{\"a\": \"ä\"}\r\n"] {
        for parsed in [yaml(text), json(text)] {
            assert_eq!(slices(text, &parsed)[1], ("\"a\"", "\"ä\""));
            assert_eq!(good(parsed), good(json("{\"a\":\"ä\"}")));
        }
    }
    let text = "\u{feff}a: [";
    assert_eq!(told(text, &yaml(text)), [("G0201", vec!["["])]);
}

#[test]
fn line_ends_make_no_difference() {
    let text = "# c\na: one\nb:\n  - |\n    x\n    y\n  - 'p\n\n    q'\nc: {d: e}\n";
    let document = good(yaml(text));
    assert_eq!(good(yaml(&text.replace('\n', "\r\n"))), document);
    assert_eq!(good(yaml(&text.replace('\n', "\r"))), document);
    assert_eq!(document.str(3).unwrap(), "x\ny\n");
    assert_eq!(good(json("{\r\n\"a\":\r1}")), good(json("{\"a\":1}")));
}

#[test]
fn every_node_has_its_text() {
    let text = "key: value # c\n\"q\": 'it''s'\nlist:\n- 1\n-   [a, {b: c}]\n- - x\n- k: v\n  l: |\n    text\n    more\n\nempty:\nlast: !!str &x 5\nagain: *x\n";
    let parsed = yaml(text);
    let expected = [
        ("root", "root"),
        ("key", "value"),
        ("\"q\"", "'it''s'"),
        ("list", "- 1\n-   [a, {b: c}]\n- - x\n- k: v\n  l: |\n    text\n    more"),
        ("1", "1"),
        ("[a, {b: c}]", "[a, {b: c}]"),
        ("a", "a"),
        ("{b: c}", "{b: c}"),
        ("b", "c"),
        ("- x", "- x"),
        ("x", "x"),
        ("k: v\n  l: |\n    text\n    more", "k: v\n  l: |\n    text\n    more"),
        ("k", "v"),
        ("l", "|\n    text\n    more"),
        ("empty", ""),
        ("last", "5"),
        ("again", "*x"),
    ];
    let found = slices(text, &parsed);
    assert_eq!(found[1..], expected[1..]);
    assert_eq!(found[0], (text.trim_end(), text.trim_end()));
    good(parsed);

    let text = " { \"a\\n\" : [ 1 , \"ü\" ] , \"b\" : { } } ";
    let parsed = json(text);
    assert_eq!(
        slices(text, &parsed),
        [
            (text.trim(), text.trim()),
            ("\"a\\n\"", "[ 1 , \"ü\" ]"),
            ("1", "1"),
            ("\"ü\"", "\"ü\""),
            ("\"b\"", "{ }")
        ]
    );
}

#[test]
fn duplicate_keys_show_both_places_and_the_first_stands() {
    let text = "a: 1\nb: {c: 1, c: 2}\n\"a\": [x, y]\n'a': 3\nd: 4\n";
    let parsed = yaml(text);
    let expected = [("G0206", vec!["c", "c"]), ("G0206", vec!["\"a\"", "a"]), ("G0206", vec!["'a'", "a"])];
    assert_eq!(told(text, &parsed), expected);
    assert_eq!(parsed.document.unwrap(), good(yaml("a: 1\nb: {c: 1}\nd: 4\n")));

    let many: String = (0..40).map(|i| format!("k{}: {i}\n", i % 30)).collect();
    let parsed = yaml(&many);
    assert_eq!(parsed.diagnostics.len(), 10);
    assert_eq!(parsed.document.unwrap().get(0, "k3"), Some(4));
    assert_eq!(codes(&json("{\"a\": 1, \"\\u0061\": 2}")), ["G0206"]);
    assert_eq!(codes(&yaml("1: a\n\"1\": b\n")), ["G0206"]);
}

#[test]
fn keys_are_strings_or_canonical_integers() {
    let document =
        good(yaml("8: a\n-12: b\nyes: c\n'true': d\n2001-01-01: e\n99999999999999999999: f\n!!str 5: g\n"));
    let keys: Vec<_> = document.entries(0).map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["8", "-12", "yes", "true", "2001-01-01", "99999999999999999999", "5"]);
    let text =
        "true: 1\n~: 2\n1.5: 3\n010: 4\n0x8: 5\n+1: 6\n[a]: 7\n{b: c}: 8\n: 9\n? - x\n: [10]\nok: 11\n";
    let parsed = yaml(text);
    assert_eq!(parsed.diagnostics.len(), 10, "{:?}", parsed.diagnostics);
    assert_eq!(codes(&parsed), ["G0207"]);
    assert_eq!(parsed.document.unwrap(), good(yaml("ok: 11")));
    let told = told(text, &yaml(text));
    assert_eq!(told[0].1, ["true"]);
    assert_eq!(told[3].1, ["010"]);
    let help: Vec<_> = yaml("010: a").diagnostics.into_iter().filter_map(|d| d.help).collect();
    assert_eq!(help, ["write `10`, or `\"010\"` if it is a text"]);
}

#[test]
fn aliases_stand_for_copies() {
    let document = good(yaml("a: &x {k: [1, &y 2]}\nb: *x\nc: *y\n*y : z\n&k name: 1\nd: *k\n"));
    let expected = good(yaml("a: {k: [1, 2]}\nb: {k: [1, 2]}\nc: 2\n2: z\nname: 1\nd: name\n"));
    assert_eq!(document, expected);
    let text = "a: &first 1\nb: *frist\nc: &d [*d]\n";
    let parsed = yaml(text);
    assert_eq!(told(text, &parsed), [("G0211", vec!["*frist"]), ("G0211", vec!["*d"])]);
    assert_eq!(parsed.diagnostics[0].help.as_deref(), Some("did you mean `first`?"));
    assert_eq!(parsed.document.unwrap().value(2), &NodeKind::Invalid);
    // An anchor is for what follows in its document, and the last one of a name counts.
    assert_eq!(good(yaml("- &a 1\n- *a\n- &a 2\n- *a\n")), good(yaml("[1, 1, 2, 2]")));
    let two = parse_yaml_documents(file(), b"- &a 1\n---\n- *a\n", &Limits::default());
    assert_eq!(two.iter().map(codes).collect::<Vec<_>>(), [vec![], vec!["G0211"]]);
}

#[test]
fn merge_keys_take_over_what_is_not_written() {
    let merged = |text: &str, expected: &str| {
        let (found, expected) = (good(yaml(text)), good(yaml(expected)));
        assert_eq!(Tree::from(&found), Tree::from(&expected), "{text}");
    };
    merged("a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a, z: 4}", "{a: {x: 1, y: 2}, b: {y: 3, z: 4, x: 1}}");
    merged(
        "a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b]}",
        "{a: {x: 1}, b: {x: 2, y: 3}, c: {x: 1, y: 3}}",
    );
    merged("b: {<<: {x: [1, {p: 2}]}, y: 1}", "{b: {y: 1, x: [1, {p: 2}]}}");
    merged("{\"<<\": 1}", "{'<<': 1}");
    // Anchors in and behind what moves still name the same.
    merged(
        "b: {<<: &m {x: &p [1]}, y: &q {r: 1}}\nc: *m\nd: *p\ne: *q",
        "{b: {y: {r: 1}, x: [1]}, c: {x: [1]}, d: [1], e: {r: 1}}",
    );
    // A merge of what was merged.
    merged(
        "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, x: 3}",
        "{a: {x: 1}, b: {y: 2, x: 1}, c: {x: 3, y: 2}}",
    );
    let text = "a: {<<: 5, b: 1}\nc: {<<: [{}, x]}\n";
    let parsed = yaml(text);
    assert_eq!(told(text, &parsed), [("G0212", vec!["5"]), ("G0212", vec!["x"])]);
    assert_eq!(parsed.document.unwrap(), good(yaml("{a: {b: 1}, c: {}}")));
    assert_eq!(codes(&yaml("{<<: {a: 1}, <<: {b: 1}}")), ["G0206"]);
    let text = "a: &a {x: 1}\nb: {<<: *a}\n";
    assert_eq!(slices(text, &yaml(text))[4], ("x", "1"));
}

#[test]
fn tags_of_the_core_schema_are_honoured() {
    let document = good(yaml(
        "- !!str 5\n- !!int '7'\n- !!float 1\n- !!bool 'true'\n- !!null ''\n- ! 5\n- !!seq []\n- !!map {}\n- !!str\n",
    ));
    assert_eq!(document, good(yaml("['5', 7, 1.0, true, null, '5', [], {}, '']")));
    let text = "a: !thing 1\nb: !!int x\nc: !!map [1]\nd: !!timestamp 2001-01-01\ne: !!float 1e999\n";
    let parsed = yaml(text);
    let expected = [
        ("G0209", vec!["!thing"]),
        ("G0210", vec!["!!int"]),
        ("G0210", vec!["!!map"]),
        ("G0209", vec!["!!timestamp"]),
        ("G0213", vec!["1e999"]),
    ];
    assert_eq!(told(text, &parsed), expected);
}

#[test]
fn errors_say_what_to_write() {
    let help = |parsed: Parsed| parsed.diagnostics.into_iter().next().unwrap().help.unwrap();
    assert_eq!(codes(&yaml("a:\n\tb: 1\n")), ["G0205"]);
    assert_eq!(help(yaml("a:\n\tb: 1\n")), "indent with spaces");
    assert_eq!(codes(&yaml("a: x\0y\n")), ["G0204"]);
    assert_eq!(codes(&yaml("a: \"\u{1b}[1m\"\n")), ["G0204"]);
    assert_eq!(codes(&json("{\"a\": \"\u{1}\"}")), ["G0204"]);
    assert_eq!(help(json("{\"a\": \"\u{1}\"}")), "write `\\u0001`");
    assert_eq!(help(json("{\"a\": True}")), "write `true`");
    assert_eq!(help(json("{\"a\": 1,}")), "remove the comma before it");
    assert_eq!(
        help(yaml("a: b: c\n")),
        "put quotes around a value that holds `: `; a nested mapping starts on a line of its own"
    );
    assert_eq!(help(yaml("a: @b\n")), "put quotes around it");
    assert_eq!(help(yaml("a: %b\n")), "put quotes around it");
    for bytes in [&b"a: \xff\n"[..], b"\xff\xfea\0", b"\xfe\xff\0a", b"a: \xe4\n"] {
        let parsed = parse_yaml(file(), bytes, &Limits::default());
        assert_eq!(codes(&parsed), ["G0203"]);
        assert_eq!(codes(&parse_json(file(), bytes, &Limits::default())), ["G0203"]);
    }
    assert_eq!(codes(&yaml("%YAML 1.1\n---\na: yes\n")), ["G0214"]);
    assert_eq!(codes(&yaml("%YAML 1.2\n---\na: yes\n")), [] as [&str; 0]);
}

#[test]
fn several_documents_are_for_those_who_ask() {
    let text = "a: 1\n---\nb: 2\n--- # empty\n---\nc: [\n---\nd: 4\n";
    assert_eq!(told(text, &yaml(text))[0].0, "G0208");
    assert_eq!(told(text, &yaml(text))[0].1, ["---"]);
    let documents = parse_yaml_documents(file(), text.as_bytes(), &Limits::default());
    let trees: Vec<_> = documents.iter().map(|d| d.document.as_ref().map(Tree::from)).collect();
    let one = |key: &str, value| Some(Tree::map(vec![(key.to_owned(), Tree::Int(value))]));
    assert_eq!(trees, [one("a", 1), one("b", 2), Some(Tree::Null), None, one("d", 4)]);
    assert_eq!(documents.iter().map(|d| d.empty).collect::<Vec<_>>(), [false, false, true, false, false]);
    assert_eq!(slices(text, &documents[4])[1], ("d", "4"));
    assert!(parse_yaml_documents(file(), b"# nothing\n", &Limits::default()).is_empty());
}

#[test]
fn each_limit_has_its_own_error() {
    let limits = Limits { bytes: 200, depth: 3, nodes: 10, alias_nodes: 6 };
    let yaml = |text: &str| codes(&parse_yaml(file(), text.as_bytes(), &limits));
    let json = |text: &str| codes(&parse_json(file(), text.as_bytes(), &limits));
    let none: [&str; 0] = [];
    assert_eq!(yaml(&"#".repeat(200)), none);
    assert_eq!(yaml(&"#".repeat(201)), ["G0215"]);
    assert_eq!(json(&" ".repeat(201)), ["G0215"]);
    for parse in [&yaml as &dyn Fn(&str) -> Vec<&'static str>, &json] {
        assert_eq!(parse("[[[1]]]"), none);
        assert_eq!(parse("[[[[]]]]"), ["G0216"]);
        assert_eq!(parse("[[{\"a\":{}}]]"), ["G0216"]);
        assert_eq!(parse("[1,2,3,4,5,6,7,8,9]"), none);
        assert_eq!(parse("[1,2,3,4,5,6,7,8,9,0]"), ["G0217"]);
    }
    assert_eq!(yaml("- - - - 1"), ["G0216"]);
    assert_eq!(yaml("[&a [1, 2], *a]"), none);
    assert_eq!(yaml("[&a [1, 2, 3], *a, *a]"), ["G0218"]);
    assert_eq!(yaml("[&a {b: 1, c: 2}, {<<: *a}]"), none);
    assert_eq!(yaml("[&a {b: 1, c: 2, d: 3}, {<<: *a}]"), ["G0218"]);
    assert_eq!(yaml("[&a [[1]], [*a]]"), ["G0216"]);
    // The limits of a file of several documents are those of the file.
    let documents = parse_yaml_documents(file(), b"[1,2,3,4]\n---\n[1,2,3,4]\n---\n[1]\n", &limits);
    assert_eq!(documents.iter().flat_map(codes).collect::<Vec<_>>(), ["G0217"]);
}

#[test]
fn hostile_texts_end_soon() {
    let start = std::time::Instant::now();
    let parse = |text: String| {
        yaml(&text);
        json(&text);
        parse_yaml_documents(file(), text.as_bytes(), &Limits::default());
    };
    for unit in [
        "[", "{", "- ", "? ", "a: ", "&a ", "!!str ", "\"", "'", "---\n", "*a ", "a\n", "- [\n", "{a: ",
        "[a, ", "<<: ", "| \n",
    ] {
        parse(unit.repeat(20_000));
    }
    let laughs: String =
        (1..20).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "))).collect();
    assert_eq!(codes(&yaml(&format!("a0: &a0 x\n{laughs}"))), ["G0218"]);
    let merges: String =
        (0..2_000).map(|i| format!("- {{<<: &m{i} {{k: {i}}}, a: &n{i} 1}}\n- *m{i}\n")).collect();
    assert_eq!(codes(&yaml(&merges)), [] as [&str; 0]);
    let twice: String = (0..5_000).map(|i| format!("k{}: &a{i} [1]\n", i / 2)).collect();
    assert_eq!(yaml(&twice).diagnostics.len(), 2_500);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn ciphertexts_are_typed_where_sops_says_so() {
    let text = "a: ENC[AES256_GCM,data:bG9s,iv:YQ==,tag:Yg==,type:int]\nb: [plain]\nsops: {mac: 'ENC[AES256_GCM,data:bG9s,iv:YQ==,tag:Yg==,type:str]'}\n";
    let document = good(yaml(text));
    let NodeKind::Encrypted(encrypted) = document.value(1) else { panic!("{document:?}") };
    assert_eq!(encrypted.ty, EncryptedType::Int);
    assert_eq!(document.sops(), Some(4));
    assert!(document.str(5).is_some(), "what sops itself wrote stays");
    let plain = good(yaml(&text.replace("sops:", "soap:")));
    assert!(plain.str(1).is_some() && plain.sops().is_none());
}
