use super::*;
use proptest::prelude::*;

#[test]
fn ids_are_spelt_as_the_contract_says() {
    let host = id("std::host::Host", &[("name", Key::Str("h1"))]);
    assert_eq!(host, "std::host::Host[name=h1]");
    let motd = id("std::files::TextFile", &[("path", Key::Str("/etc/motd")), ("host", Key::Id(&host))]);
    assert_eq!(motd, "std::files::TextFile[host=h1,path=/etc/motd]");
    assert_eq!(short(&motd), "TextFile[host=h1,path=/etc/motd]");
    assert_eq!(short("Chain[]"), "Chain[]");
    assert_eq!(type_path(&motd), "std::files::TextFile");
    let two = id("a::B", &[("b", Key::Int(-2)), ("a", Key::Str("1"))]);
    assert_eq!(two, r#"a::B[a="1",b=-2]"#);
    let table: [(Key<'_>, &str); 14] = [
        (Key::Null, "null"),
        (Key::Str("null"), r#""null""#),
        (Key::Bool(true), "true"),
        (Key::Str("true"), r#""true""#),
        (Key::Str(""), r#""""#),
        (Key::Str("a b"), r#""a b""#),
        (Key::Str("ä\n"), "\"ä\\n\""),
        (Key::Str("192.0.2.1"), "192.0.2.1"),
        (Key::Str("1.5"), r#""1.5""#),
        (Key::Id(&two), r#"{a="1",b=-2}"#),
        (Key::Id("a::C[]"), "{}"),
        (Key::Keys(&[("name", Key::Null)]), "{name=null}"),
        (Key::Id("a::C[name=null]"), "{name=null}"),
        (Key::Keys(&[("of", Key::Keys(&[("name", Key::Str("x"))]))]), "x"),
    ];
    for (key, text) in table {
        assert_eq!(id("T", &[("metadata.name", key)]), format!("T[metadata.name={text}]"));
    }
    assert_eq!(id("T", &[("a", Key::Id(r#"a::C[name="x,y={"]"#))]), r#"T[a="x,y={"]"#);
}

#[test]
fn elements_are_paths() {
    let mut out = id("shop::Site", &[("name", Key::Str("a"))]);
    write_element(&mut out, "tree", None, &[]);
    write_element(&mut out, "content", Some(("type", "folder")), &[("name", Key::Str("x y"))]);
    write_element(&mut out, "content", Some(("type", "none")), &[]);
    assert_eq!(out, r#"shop::Site[name=a].tree.content[type=folder,name="x y"].content[type=none]"#);
}

#[test]
fn other_spellings_are_no_ids() {
    for text in [
        "",
        "T",
        "T[",
        "T[]x",
        "[a=1]",
        "T[a]",
        "T[a=]",
        "T[a=1",
        "T[a=1,]",
        "T[b=1,a=2]",
        "T[a=1,a=1]",
        "T[a=01]",
        "T[a=+1]",
        "T[a=1.5]",
        "T[a=True]",
        "T[a=~]",
        r#"T[a="x"]"#,
        r#"T["a"=1]"#,
        r#"T[a="\u0041 "]"#,
        r#"T[a="1]"#,
        "T[a={b=1}]",
        "T[a={b={}]",
        "T[a=99999999999999999999]",
        "a::[]",
        "1::T[]",
        "T[a=ä]",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    let deep = format!("T[a={}{}]", "{b=1,c=".repeat(100_000), "}".repeat(100_000));
    assert_eq!(parse(&deep).unwrap_err().problem, "references nest too deep");
}

/// What a key field may be, down to references with keys of their own.
#[derive(Clone, Debug)]
enum Shape {
    Bool,
    Int,
    Str,
    Optional(Box<Shape>),
    Ref(Vec<(String, Shape)>),
}

fn named(shape: impl Strategy<Value = Shape>) -> impl Strategy<Value = Vec<(String, Shape)>> {
    proptest::collection::btree_map("[a-c]{1,2}(\\.[a-c])?|[a -]{2}", shape, 0..4)
        .prop_map(|m| m.into_iter().collect())
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![Just(Shape::Bool), Just(Shape::Int), Just(Shape::Str)];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|s| Shape::Optional(Box::new(s))),
            named(inner).prop_map(Shape::Ref),
        ]
    })
}

/// A value of a shape. `Some` and a plain value are one; a `KeyValue` keeps references with one
/// key apart from their key's value, so that two values differ exactly if the keys do.
fn value(shape: &Shape) -> BoxedStrategy<KeyValue> {
    match shape {
        Shape::Bool => any::<bool>().prop_map(KeyValue::Bool).boxed(),
        Shape::Int => prop_oneof![-3..3i64, any::<i64>()].prop_map(KeyValue::Int).boxed(),
        Shape::Str => prop_oneof![
            "[-0-9.a,={}\\[\\]\" ]{0,3}",
            any::<String>(),
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("{}".to_owned()),
        ]
        .prop_map(KeyValue::Str)
        .boxed(),
        Shape::Optional(inner) => prop_oneof![Just(KeyValue::Null), value(inner)].boxed(),
        Shape::Ref(keys) => keyed(keys).prop_map(KeyValue::Keys).boxed(),
    }
}

fn keyed(keys: &[(String, Shape)]) -> BoxedStrategy<Vec<(String, KeyValue)>> {
    let values: Vec<_> = keys.iter().map(|(n, s)| (Just(n.clone()), value(s))).collect();
    values.boxed()
}

/// What [`parse`] can know of a value: references with one key are that key's value.
fn flat(value: &KeyValue) -> KeyValue {
    match value {
        KeyValue::Keys(keys) => match keys.as_slice() {
            [(_, only)] if *only != KeyValue::Null => flat(only),
            keys => KeyValue::Keys(keys.iter().map(|(n, v)| (n.clone(), flat(v))).collect()),
        },
        other => other.clone(),
    }
}

fn render(value: &KeyValue, then: &mut dyn FnMut(Key<'_>)) {
    match value {
        KeyValue::Null => then(Key::Null),
        KeyValue::Bool(v) => then(Key::Bool(*v)),
        KeyValue::Int(v) => then(Key::Int(*v)),
        KeyValue::Str(v) => then(Key::Str(v)),
        KeyValue::Keys(keys) => {
            // Half of the references by their id, half by their keys.
            let id = render_id("x::Y", keys);
            if id.len().is_multiple_of(2) {
                then(Key::Id(&id))
            } else {
                with_keys(keys, &mut |k| then(Key::Keys(k)))
            }
        }
    }
}

type Then<'a> = &'a mut dyn FnMut(&[(&str, Key<'_>)]);

fn with_keys(keys: &[(String, KeyValue)], then: Then<'_>) {
    fn go(rest: &[(String, KeyValue)], done: &mut Vec<(&str, Key<'_>)>, then: Then<'_>) {
        match rest.split_last() {
            None => then(done),
            Some(((name, value), rest)) => render(value, &mut |key| {
                let mut done: Vec<(&str, Key<'_>)> = done.clone();
                done.push((name, key));
                go(rest, &mut done, then);
            }),
        }
    }
    go(keys, &mut Vec::new(), then);
}

fn render_id(type_path: &str, keys: &[(String, KeyValue)]) -> String {
    let mut out = String::new();
    with_keys(keys, &mut |keys| write(&mut out, type_path, keys));
    out
}

proptest! {
    #[test]
    fn ids_are_injective_and_read_back(
        (a, b) in named(shape()).prop_flat_map(|keys| (keyed(&keys), keyed(&keys)))
    ) {
        let (one, two) = (render_id("m::T", &a), render_id("m::T", &b));
        prop_assert_eq!(one == two, a == b, "{}", one);
        let parsed = parse(&one).unwrap();
        let flat: Vec<_> = a.iter().map(|(n, v)| (n.clone(), flat(v))).collect();
        prop_assert_eq!(&parsed.keys, &flat);
        prop_assert_eq!(parsed.to_string(), one);
    }

    #[test]
    fn whatever_parses_is_spelt_in_one_way(text in "T\\[[a=,{}\" 1nul.-]{0,12}\\]") {
        if let Ok(id) = parse(&text) {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
