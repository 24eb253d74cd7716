//! Documents that people wrote, and keys in them.

use crate::graph::GraphValue;

use super::{Edit, Format, Pointer, at, leaves};

fn json(text: &str) -> GraphValue {
    GraphValue::parse(text.as_bytes()).unwrap()
}

fn set(format: Format, text: &str, pointer: &str, value: &str) -> String {
    let (pointer, value) = (Pointer::parse(pointer), json(value));
    let after = format.edit(text.as_bytes(), &Edit::Set(&pointer, &value));
    String::from_utf8(after.unwrap_or_else(|e| panic!("{e}"))).unwrap()
}

fn unset(format: Format, text: &str, pointer: &str) -> String {
    let after = format.edit(text.as_bytes(), &Edit::Unset(&Pointer::parse(pointer)));
    String::from_utf8(after.unwrap_or_else(|e| panic!("{e}"))).unwrap()
}

fn refusal(format: Format, text: &str, pointer: &str, value: &str) -> String {
    let (pointer, value) = (Pointer::parse(pointer), json(value));
    format.edit(text.as_bytes(), &Edit::Set(&pointer, &value)).unwrap_err().message
}

#[test]
fn pointers_read_back() {
    for text in ["/a", "/a/b", "/a~1b/~0", "/"] {
        assert_eq!(Pointer::parse(text).to_string(), text);
    }
    let values = json(r#"{"a":{"b":1,"c":{}},"d":[{"e":1}]}"#);
    let found: Vec<String> = leaves(&values).iter().map(|(pointer, _)| pointer.to_string()).collect();
    assert_eq!(found, ["/a/b", "/a/c", "/d"]);
}

#[test]
fn json_keeps_what_is_not_managed() {
    let text = "{\n    \"z\":   1,\n    \"a\": {\"b\": [1,  2]}\n}\n";
    assert_eq!(set(Format::Json, text, "/z", "2"), "{\n    \"z\":   2,\n    \"a\": {\"b\": [1,  2]}\n}\n");
    assert_eq!(
        set(Format::Json, text, "/a/b", "{\"x\":true}"),
        "{\n    \"z\":   1,\n    \"a\": {\"b\": {\"x\": true}}\n}\n"
    );
    let with = set(Format::Json, text, "/log-opts/tag", "\"x\"");
    assert_eq!(
        with,
        "{\n    \"z\":   1,\n    \"a\": {\"b\": [1,  2]},\n    \"log-opts\": {\"tag\": \"x\"}\n}\n"
    );
    assert_eq!(unset(Format::Json, &with, "/log-opts/tag"), text);
    assert_eq!(set(Format::Json, "", "/a/b", "1"), "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n");
    assert_eq!(unset(Format::Json, "{\"a\": 1}\n", "/a"), "{}\n");
    // A number that no integer of ours holds stays as it is written.
    assert_eq!(
        set(Format::Json, "{\"big\": 123456789012345678901234567890, \"a\": 1}", "/a", "2"),
        "{\"big\": 123456789012345678901234567890, \"a\": 2}"
    );
}

#[test]
fn yaml_keeps_comments_order_and_quotes() {
    let text = "# top\nname: 'a'   # why\nlist:\n  - 1\n  # in\n  - 2\nmap:\n  x: \"1\"\n";
    assert_eq!(set(Format::Yaml, text, "/name", "\"b\""), text.replace("'a'", "'b'"));
    assert_eq!(
        set(Format::Yaml, text, "/list", "[3]"),
        "# top\nname: 'a'   # why\nlist: [3]\nmap:\n  x: \"1\"\n"
    );
    let with = set(Format::Yaml, text, "/map/k", "{\"z\":[1]}");
    assert_eq!(with, format!("{text}  k: {{z: [1]}}\n"));
    assert_eq!(unset(Format::Yaml, &with, "/map/k/z"), text);
    assert_eq!(unset(Format::Yaml, text, "/map/x"), text.replace("map:\n  x: \"1\"\n", ""));
    let only_comments = "# nothing yet\n";
    let with = set(Format::Yaml, only_comments, "/a/b", "1");
    assert_eq!(with, "# nothing yet\na:\n  b: 1\n");
    assert_eq!(unset(Format::Yaml, &with, "/a/b"), only_comments);
}

#[test]
fn toml_keeps_comments_and_tables() {
    let text = "# top\ntitle = 'x' # why\n\n[server]\nport = 80\n\n[server.tls]\ncert = \"c\"\n";
    assert_eq!(set(Format::Toml, text, "/server/port", "81"), text.replace("80", "81"));
    assert_eq!(set(Format::Toml, text, "/title", "\"y\""), text.replace("'x'", "\"y\""));
    let with = set(Format::Toml, text, "/log/level", "\"info\"");
    assert_eq!(with, format!("{text}\n[log]\nlevel = \"info\"\n"));
    assert_eq!(unset(Format::Toml, &with, "/log/level"), text);
    let with = set(Format::Toml, text, "/server/hosts", "[\"a\",\"b\"]");
    assert_eq!(with, text.replace("port = 80\n", "port = 80\nhosts = [\"a\", \"b\"]\n"));
    assert_eq!(unset(Format::Toml, &with, "/server/hosts"), text);
    let crlf = "a = 1\r\nb = 2\r\n";
    assert_eq!(set(Format::Toml, crlf, "/b", "3"), "a = 1\r\nb = 3\r\n");
    assert_eq!(set(Format::Toml, "", "/a/b", "1"), "[a]\nb = 1\n");
}

#[test]
fn ini_keeps_its_style() {
    let text = "; top\nglobal=1\n\n[main]\n\tname = a\n\tother = b ; not a comment for all\n\n[next]\nx: 1\n";
    assert_eq!(set(Format::Ini, text, "/main/name", "\"c\""), text.replace("name = a", "name = c"));
    let with = set(Format::Ini, text, "/main/port", "80");
    assert_eq!(with, text.replace("for all\n", "for all\n\tport = 80\n"));
    assert_eq!(unset(Format::Ini, &with, "/main/port"), text);
    assert_eq!(set(Format::Ini, text, "/next/x", "2"), text.replace("x: 1", "x: 2"));
    let with = set(Format::Ini, text, "/new/on", "true");
    assert_eq!(with, format!("{text}\n[new]\non=true\n"));
    assert_eq!(unset(Format::Ini, &with, "/new/on"), text);
    assert_eq!(set(Format::Ini, "", "/a/b", "1"), "[a]\nb = 1\n");
    assert_eq!(unset(Format::Ini, "[a]\nb = 1\n", "/a/b"), "");
    assert_eq!(set(Format::Ini, "[a]\nb\n", "/a/b", "\"1\""), "[a]\nb = 1\n");
}

#[test]
fn what_cannot_be_changed_surely_is_refused() {
    for (format, text, pointer, message) in [
        (Format::Json, "{\"a\": 1 /* c */}", "/a", "JSON"),
        (Format::Json, "[1]", "/a", "no mapping"),
        (Format::Json, "{\"a\": \"text\"}", "/a/b", "`b` is no mapping"),
        (Format::Json, "{\"a\": 1, \"a\": 2}", "/a", "JSON"),
        (Format::Yaml, "x: &x {a: 1}\ny: *x\n", "/x/a", "alter something else"),
        (Format::Yaml, "a: 1\n---\nb: 1\n", "/a", "several documents"),
        (Format::Yaml, "a: [\n", "/a", "YAML"),
        (Format::Toml, "a = {\n", "/a", "TOML"),
        (Format::Toml, "a = 1\r\nb = 2\n", "/a", "CRLF"),
        (Format::Toml, "[a]\nb = 1\n", "/a", "is a table"),
        (Format::Ini, "[a\n", "/a/b", "does not end"),
        (Format::Ini, "[a]\nb = 1\nb = 2\n", "/a/b", "something else"),
        (Format::Ini, "[a]\nb = 1\n  more\n", "/a/b", "several lines"),
    ] {
        let refusal = refusal(format, text, pointer, "3");
        assert!(refusal.contains(message), "{text:?}: {refusal}");
    }
    assert!(Format::Json.read(b"\xff").unwrap_err().message.contains("UTF-8"));
}

#[test]
fn values_are_found() {
    let document = Format::Yaml.read(b"a:\n  b: [1]\n").unwrap();
    assert_eq!(at(&document, &Pointer::parse("/a/b")), Some(&json("[1]")));
    assert_eq!(at(&document, &Pointer::parse("/a/c")), None);
}
