//! Changes of files that people wrote.

use gops::data::edit::{Change, Format, Refused, Source, apply, edits};
use gops::data::{Limits, NodeKind};

use super::file;

fn change(format: Format, document: usize, text: &str, changes: &[Change]) -> Result<String, Refused> {
    let limits = Limits::default();
    let source = Source { file: file(), format, bytes: text.as_bytes(), limits: &limits, document };
    let edits = edits(source, changes)?;
    Ok(String::from_utf8(apply(text.as_bytes(), &edits).unwrap()).unwrap())
}

fn rename(node: u32, key: &str) -> Change {
    Change::RenameKey { node, key: key.into() }
}

fn string(node: u32, text: &str) -> Change {
    Change::ReplaceScalar { node, value: NodeKind::Str(text.into()) }
}

fn int(node: u32, value: i64) -> Change {
    Change::ReplaceScalar { node, value: NodeKind::Int(value) }
}

#[test]
fn all_else_stays() {
    let text = "# who\r\nname:   'a'   # me\r\nprot: 80\r\n\r\nlist: [ 1,2 ,3]\r\nnote: >-\r\n  folded\r\n  text\r\nlast: x";
    let changed = change(Format::Yaml, 0, text, &[rename(2, "port"), string(1, "it's"), int(5, 7)]).unwrap();
    assert_eq!(
        changed,
        "# who\r\nname:   'it''s'   # me\r\nport: 80\r\n\r\nlist: [ 1,7 ,3]\r\nnote: >-\r\n  folded\r\n  text\r\nlast: x"
    );
    let changed = change(Format::Yaml, 0, text, &[string(7, "one line")]).unwrap();
    assert!(changed.ends_with("\r\nnote: one line\r\nlast: x"), "{changed}");
}

#[test]
fn quotes_are_kept_and_added_where_they_are_needed() {
    let yaml = |text: &str, change_: Change| change(Format::Yaml, 0, text, &[change_]).unwrap();
    assert_eq!(yaml("a: b", string(1, "no")), "a: \"no\"");
    assert_eq!(yaml("a: b", string(1, "x: y")), "a: \"x: y\"");
    assert_eq!(yaml("a: \"b\"", string(1, "c")), "a: \"c\"");
    assert_eq!(yaml("a: 'b'", string(1, "c\nd")), "a: \"c\\nd\"");
    assert_eq!(yaml("a: 'b'", int(1, 3)), "a: 3");
    assert_eq!(yaml("'a': 1", rename(1, "b")), "'b': 1");
    assert_eq!(yaml("a: 1", rename(1, "7")), "\"7\": 1");
    assert_eq!(yaml("{a: b}", string(1, "c, d")), "{a: \"c, d\"}");
    assert_eq!(
        yaml("a: b", Change::ReplaceScalar { node: 1, value: NodeKind::Float(f64::INFINITY) }),
        "a: .inf"
    );
    let json =
        change(Format::Json, 0, "{\"a\": \"b\" }\n", &[rename(1, "ü\"\t"), string(1, "c\u{1}")]).unwrap();
    assert_eq!(json, "{\"ü\\\"\\t\": \"c\\u0001\" }\n");
}

#[test]
fn an_omitted_value_can_be_filled() {
    assert_eq!(change(Format::Yaml, 0, "a:\nb: 1\n", &[int(1, 2)]).unwrap(), "a: 2\nb: 1\n");
    assert_eq!(change(Format::Yaml, 0, "a: # later\nb: 1\n", &[int(1, 2)]).unwrap(), "a: 2 # later\nb: 1\n");
    assert_eq!(change(Format::Yaml, 0, "- \n- x\n", &[int(1, 2)]).unwrap(), "- 2 \n- x\n");
}

#[test]
fn one_of_several_documents_changes() {
    let text = "a: 1\n---\na: 1\n---\na: 1\n";
    assert_eq!(change(Format::Yaml, 1, text, &[int(1, 2)]).unwrap(), "a: 1\n---\na: 2\n---\na: 1\n");
    assert_eq!(change(Format::Yaml, 3, text, &[int(1, 2)]), Err(Refused::NoSuchPlace));
}

#[test]
fn what_would_change_something_else_is_refused() {
    let refused = |text: &str, change_: Change| change(Format::Yaml, 0, text, &[change_]).unwrap_err();
    // The anchored value is used in another place too.
    assert_eq!(refused("a: &x 1\nb: *x\n", int(1, 2)), Refused::NotTheSame);
    // The key comes from somewhere else.
    assert_eq!(refused("a: &x {k: 1}\nb:\n  <<: *x\n", rename(4, "l")), Refused::NotTheSame);
    // A key that is there already.
    assert_eq!(refused("a: 1\nb: 2\n", rename(1, "b")), Refused::NotTheSame);
    // Two changes at one place.
    let twice = change(Format::Yaml, 0, "a: 1\n", &[int(1, 2), int(1, 3)]);
    assert_eq!(twice, Err(Refused::NotTheSame));
    assert_eq!(refused("a: 1\n", rename(0, "b")), Refused::NoSuchPlace);
    assert_eq!(refused("a: []\n", int(1, 2)), Refused::NoSuchPlace);
    assert_eq!(refused("a: 1\n", int(9, 2)), Refused::NoSuchPlace);
    assert_eq!(refused("a: [\n", int(0, 2)), Refused::Unreadable);
    let infinite = Change::ReplaceScalar { node: 0, value: NodeKind::Float(f64::INFINITY) };
    assert!(matches!(change(Format::Json, 0, "1", &[infinite]), Err(Refused::Print(_))));
}
