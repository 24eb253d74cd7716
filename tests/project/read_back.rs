//! Instances of any shape read back what was written, from YAML and from JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use gops::base::MemorySystem;
use gops::project::{Options, Session};
use proptest::prelude::*;
use serde_json::{Value, json};

const CONFIG: &str = "name = \"shop\"\nedition = \"2026\"\n";

/// A type that data can have.
#[derive(Clone, Debug)]
enum Ty {
    Bool,
    Int,
    Float,
    Str,
    Duration,
    Size,
    Enum,
    Optional(Box<Ty>),
    List(Box<Ty>),
    IntSet,
    StrSet,
    Map(Box<Ty>),
    IntMap(Box<Ty>),
    /// A plain struct that is declared for it.
    Struct(Vec<Ty>),
}

fn ty() -> impl Strategy<Value = Ty> {
    let leaf = prop_oneof![
        Just(Ty::Bool),
        Just(Ty::Int),
        Just(Ty::Float),
        Just(Ty::Str),
        Just(Ty::Duration),
        Just(Ty::Size),
        Just(Ty::Enum),
        Just(Ty::IntSet),
        Just(Ty::StrSet),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_filter("`T??` is `T?`", |t| !matches!(t, Ty::Optional(_)))
                .prop_map(boxed(Ty::Optional)),
            inner.clone().prop_map(boxed(Ty::List)),
            inner.clone().prop_map(boxed(Ty::Map)),
            inner.clone().prop_map(boxed(Ty::IntMap)),
            proptest::collection::vec(inner, 1..4).prop_map(Ty::Struct),
        ]
    })
}

fn boxed(make: fn(Box<Ty>) -> Ty) -> impl Fn(Ty) -> Ty {
    move |ty| make(Box::new(ty))
}

/// The name of a type; structs are declared on the way.
fn declare(ty: &Ty, structs: &mut Vec<String>) -> String {
    match ty {
        Ty::Bool => "bool".to_owned(),
        Ty::Int => "int".to_owned(),
        Ty::Float => "float".to_owned(),
        Ty::Str => "string".to_owned(),
        Ty::Duration => "duration".to_owned(),
        Ty::Size => "size".to_owned(),
        Ty::Enum => "Tier".to_owned(),
        Ty::Optional(inner) => format!("{}?", declare(inner, structs)),
        Ty::List(inner) => format!("list<{}>", declare(inner, structs)),
        Ty::IntSet => "set<int>".to_owned(),
        Ty::StrSet => "set<string>".to_owned(),
        Ty::Map(inner) => format!("map<string, {}>", declare(inner, structs)),
        Ty::IntMap(inner) => format!("map<int, {}>", declare(inner, structs)),
        Ty::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().enumerate().map(|(i, t)| format!("f{i}: {}", declare(t, structs))).collect();
            let name = format!("P{}", structs.len());
            structs.push(format!("plain struct {name} {{ {} }}\n", fields.join(", ")));
            name
        }
    }
}

/// Values out of bytes, each as it is written and as the graph has it.
struct Maker<'b> {
    bytes: std::iter::Cycle<std::slice::Iter<'b, u8>>,
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "yes",
    "no",
    "~",
    "null",
    "0644",
    "12:30:45",
    "1e3",
    "- x",
    "a: b",
    "#",
    " x ",
    "ü€😀",
    "\"'\\",
    "a\nb\n",
    "\t",
    "<<",
    "*a",
    "&a",
    "!t",
    "%",
    "@",
    "`",
    "{}",
    "[",
    "x,y",
];

impl Maker<'_> {
    fn next(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    fn some(&mut self) -> usize {
        (self.next() % 4).into()
    }

    fn text(&mut self) -> String {
        TEXTS[usize::from(self.next()) % TEXTS.len()].to_owned()
    }

    fn int(&mut self) -> i64 {
        match self.next() % 6 {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => 0,
            _ => i64::from(self.next()) - 128,
        }
    }

    fn value(&mut self, ty: &Ty) -> (Value, Value) {
        let same = |v: Value| (v.clone(), v);
        match ty {
            Ty::Bool => same(json!(self.next().is_multiple_of(2))),
            Ty::Int => same(json!(self.int())),
            Ty::Float => same(json!(f64::from(self.next()) / 8.0 - 7.0)),
            Ty::Str => same(json!(self.text())),
            Ty::Duration => {
                let (minutes, millis) = (i64::from(self.next()), i64::from(self.next()));
                (json!(format!("{minutes}m{millis}ms")), json!((minutes * 60_000 + millis) * 1_000_000))
            }
            Ty::Size => {
                let kib = i64::from(self.next());
                (json!(format!("{kib}KiB")), json!(kib * 1024))
            }
            Ty::Enum => {
                let name = ["low", "mid-dle", "high"][usize::from(self.next()) % 3];
                same(json!(name))
            }
            Ty::Optional(inner) => match self.next() % 3 {
                0 => same(Value::Null),
                _ => self.value(inner),
            },
            Ty::List(inner) => {
                let (written, read) = (0..self.some()).map(|_| self.value(inner)).unzip();
                (Value::Array(written), Value::Array(read))
            }
            Ty::IntSet => {
                let mut items: Vec<i64> = (0..self.some()).map(|_| self.int()).collect();
                let mut seen = Vec::new();
                items.retain(|i| {
                    !seen.contains(i) && {
                        seen.push(*i);
                        true
                    }
                });
                let mut sorted = items.clone();
                sorted.sort_unstable();
                (json!(items), json!(sorted))
            }
            Ty::StrSet => {
                let mut items: Vec<String> = (0..self.some()).map(|_| self.text()).collect();
                let mut seen: Vec<String> = Vec::new();
                items.retain(|i| {
                    !seen.contains(i) && {
                        seen.push(i.clone());
                        true
                    }
                });
                let mut sorted = items.clone();
                sorted.sort();
                (json!(items), json!(sorted))
            }
            Ty::Map(inner) => {
                let entries: BTreeMap<String, (Value, Value)> =
                    (0..self.some()).map(|_| (self.text(), self.value(inner))).collect();
                halves(entries)
            }
            Ty::IntMap(inner) => {
                let entries: BTreeMap<String, (Value, Value)> =
                    (0..self.some()).map(|_| (self.int().to_string(), self.value(inner))).collect();
                halves(entries)
            }
            Ty::Struct(fields) => {
                let entries: BTreeMap<String, (Value, Value)> =
                    fields.iter().enumerate().map(|(i, t)| (format!("f{i}"), self.value(t))).collect();
                // Null fields of structs are left out in the graph.
                let (written, mut read) = halves(entries);
                if let Value::Object(read) = &mut read {
                    read.retain(|_, v| !v.is_null());
                }
                (written, read)
            }
        }
    }
}

fn halves(entries: BTreeMap<String, (Value, Value)>) -> (Value, Value) {
    let written = entries.iter().map(|(k, (w, _))| (k.clone(), w.clone())).collect();
    let read = entries.into_iter().map(|(k, (_, r))| (k, r)).collect();
    (Value::Object(written), Value::Object(read))
}

/// A value in block style, below a key or a dash.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "\n{pad}-");
                yaml(item, indent + 2, out);
            }
        }
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let _ = write!(out, "\n{pad}{}:", json!(key));
                yaml(value, indent + 2, out);
            }
        }
        scalar => {
            let _ = write!(out, " {scalar}");
        }
    }
}

fn fields(model: &str, file: (&str, &str)) -> Value {
    let system = MemorySystem::new([("gops.toml", CONFIG), ("model/main.gops", model), file]);
    let compiled = Session::open(Arc::new(system), Options::default()).compile();
    assert_eq!(compiled.report.diagnostics, [], "{model}\n{}", file.1);
    let json = compiled.graph.expect("valid").to_canonical_json();
    let graph: Value = serde_json::from_slice(&json).unwrap();
    graph["nodes"][0]["fields"].clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_written_is_read(
        types in proptest::collection::vec(ty(), 1..5),
        bytes in proptest::collection::vec(any::<u8>(), 1..200),
    ) {
        let mut structs = Vec::new();
        let names: Vec<String> =
            types.iter().enumerate().map(|(i, t)| format!("v{i}: {}", declare(t, &mut structs))).collect();
        let (names, short) = (names.join(", "), (0..types.len()).map(|i| format!("v{i}")).collect::<Vec<_>>());
        let model = format!(
            "enum Tier {{ low, middle as \"mid-dle\", high }}\n{}\
             slice S in \"s\" {{ key name: string, {names} }}\n\
             resource Thing handled by \"nobody\" {{ key name: string, {names} }}\n\
             impl S {{ Thing {{ name, {} }} }}\n",
            structs.concat(),
            short.join(", "),
        );
        let mut maker = Maker { bytes: bytes.iter().cycle() };
        let (mut written, expected) = maker.value(&Ty::Struct(types));
        let (mut data, mut wanted) = (serde_json::Map::new(), serde_json::Map::new());
        data.insert("name".into(), json!("x"));
        wanted.insert("name".into(), json!("x"));
        for (key, value) in written.as_object_mut().unwrap() {
            data.insert(key.replace('f', "v"), value.take());
        }
        for (key, value) in expected.as_object().unwrap() {
            wanted.insert(key.replace('f', "v"), value.clone());
        }
        let (data, wanted) = (Value::Object(data), Value::Object(wanted));
        let mut block = String::new();
        yaml(&data, 0, &mut block);
        prop_assert_eq!(&fields(&model, ("s/x.json", &data.to_string())), &wanted, "{}", model);
        prop_assert_eq!(&fields(&model, ("s/x.yaml", &block)), &wanted, "{}\n{}", model, block);
    }
}
