//! Declarations from text.

use crate::base::{FileId, Name};
use crate::diag::{Code, Place, Severity};
use crate::model::schema::{FieldKind, TypeDef};
use crate::model::show;
use crate::syntax::{self, ast};

use super::*;

struct Sources {
    trees: Vec<(FileId, Vec<Name>, ast::Module)>,
}

impl Sources {
    fn new(files: &[(&str, &str)]) -> Self {
        let trees = files.iter().map(|(path, text)| {
            let file = FileId::new(path);
            let parsed = syntax::parse(file, text);
            assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
            let module = match path.strip_prefix("std:") {
                Some(rest) => format!("std/{rest}"),
                None => path.trim_start_matches("model/").to_owned(),
            };
            let module = module.trim_end_matches(".gops").split('/').map(Name::new).collect();
            (file, module, parsed.module)
        });
        Sources { trees: trees.collect() }
    }

    fn declare(&self) -> Declarations<'_> {
        self.declare_with(&[])
    }

    fn declare_with(&self, environments: &[&str]) -> Declarations<'_> {
        let sources: Vec<ModuleSource<'_>> = self
            .trees
            .iter()
            .map(|(file, path, ast)| ModuleSource { file: *file, module_path: path.clone(), ast })
            .collect();
        let environments = environments.iter().map(|e| (*e).into()).collect();
        declare(&sources, &Settings { project: "shop".into(), environments })
    }
}

/// Each diagnostic as `code: text at its first label`.
fn said(text: &str) -> Vec<String> {
    let sources = Sources::new(&[("model/main.gops", text)]);
    let d = sources.declare();
    let tables = d.nodes.clone().finish();
    let mut once = Vec::new();
    d.diagnostics.iter().for_each(|p| {
        if !once.contains(p) {
            once.push(p.clone());
        }
    });
    once.iter()
        .map(|problem| {
            let Some(Place::Model { file, node }) = problem.labels.first().map(|l| l.place) else {
                return format!("{}: ?", problem.code.id());
            };
            let span =
                tables.get(&file).and_then(|t| t.spans.get(node as usize)).copied().unwrap_or_default();
            format!("{}: {}", problem.code.id(), text.get(span.range()).unwrap_or("?"))
        })
        .collect()
}

const SITES: &str = r#"
use std::host::Host
type Port = int where 1..=65535
enum Tier { dev, prod as "production" }
slice Machine in "slices/machines" {
    key name: string
    let host: Host = Host[name: name]
}
slice Site in "slices/sites" {
    ...Named
    on: ref<Machine>
    tier: Tier = dev
    port: Port? was "listen"
    pages: list<Page> = []
    probe: Probe
    key meta.id
    meta: Meta
    ...rest: map<string, any>
    check port != 22, "no"
}
struct Meta { id: int }
struct Named { key name: string as "Name", let upper: string = name }
struct Page { key path: string, parts: map<string, Part> = {} }
plain struct Part { text: string | secret<string> }
union Probe by type { http: Http, none }
struct Http { path: string = "/" }
inverse Machine.sites: set<Site> by on
"#;
const HOST: &str = "target Host { key name: string, mode: FileMode = 0o644 }";

#[test]
fn a_model_is_declared() {
    let sources = Sources::new(&[("model/main.gops", SITES), ("std:host.gops", HOST)]);
    let d = sources.declare();
    assert!(d.diagnostics.is_empty(), "{:#?}", d.diagnostics);
    let paths: Vec<&str> = d.program.types.iter().map(|t| t.decl().path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "main::Http",
            "main::Machine",
            "main::Meta",
            "main::Named",
            "main::Page",
            "main::Part",
            "main::Probe",
            "main::Site",
            "main::Tier",
            "std::host::Host"
        ]
    );
    for (i, def) in d.program.types.iter().enumerate() {
        assert_eq!(def.decl().id.0 as usize, i);
    }
    let site = d.program.find("main::Site").and_then(|id| d.program.record(id)).unwrap();
    let fields: Vec<(&str, FieldKind, String)> =
        site.fields.iter().map(|f| (f.name.as_str(), f.kind, show(&d.program, &f.ty).to_string())).collect();
    let expected = [
        ("name", FieldKind::Key, "string"),
        ("on", FieldKind::Plain, "ref<Machine>"),
        ("tier", FieldKind::Plain, "Tier"),
        ("port", FieldKind::Plain, "Port?"),
        ("pages", FieldKind::Plain, "list<Page>"),
        ("probe", FieldKind::Plain, "Probe"),
        ("meta", FieldKind::Key, "Meta"),
        ("rest", FieldKind::Rest, "map<string, any>"),
        ("upper", FieldKind::Derived, "string"),
    ];
    assert_eq!(fields, expected.map(|(n, k, t)| (n, k, t.to_owned())));
    assert_eq!((site.stored, site.rest), (8, Some(7)));
    let keys: Vec<(&str, &[u16])> = site.keys.iter().map(|k| (k.name.as_str(), k.path.as_slice())).collect();
    assert_eq!(keys, [("Name", [0].as_slice()), ("meta.id", [6, 0].as_slice())]);
    assert!(site.fields[3].refined && !site.fields[2].refined);
    let page = d.program.find("main::Page").and_then(|id| d.program.record(id)).unwrap();
    assert_eq!(page.holders, [site.decl.id]);
    let http = d.program.find("main::Http").and_then(|id| d.program.record(id)).unwrap();
    assert_eq!(http.holders, [site.decl.id]);
    let relation = &d.program.relations[0];
    assert_eq!((relation.source, relation.by), (site.decl.id, 1));
    assert_eq!(d.program.refinements[0].text, "1..=65535");
    assert_eq!(d.pending.len(), 10, "{:#?}", d.pending);
}

#[test]
fn layout_changes_no_number() {
    let spread = SITES.replace("    ", "\t\t").replace('\n', "\n\n// x\n");
    let (a, b) = (
        Sources::new(&[("model/main.gops", SITES), ("std:host.gops", HOST)]),
        Sources::new(&[("model/main.gops", &spread), ("std:host.gops", HOST)]),
    );
    assert_eq!(a.declare().program, b.declare().program);
}

#[test]
fn the_order_of_files_changes_nothing() {
    let (one, two) = (
        ("model/a.gops", "use b::B\nslice A in \"a\" { key b: ref<B> }"),
        ("model/b.gops", "use a\nslice B in \"b\" { key n: string }\ninverse a::A.x: set<B> by n"),
    );
    let (first, second) = (Sources::new(&[one, two]), Sources::new(&[two, one]));
    let (first, second) = (first.declare(), second.declare());
    assert_eq!(first.program, second.program);
    assert_eq!(first.diagnostics, second.diagnostics);
    assert_eq!(first.diagnostics.len(), 1);
}

#[test]
fn modules_have_their_paths() {
    let sources = Sources::new(&[
        ("model/net/vlan.gops", "struct Vlan { id: int }\nfn id(v: Vlan) -> int { v.id }"),
        (
            "model/net.gops",
            "use net::vlan\nuse net::vlan::{Vlan as V, id}\nstruct Net { a: vlan::Vlan, b: V, c: net::vlan::Vlan }\nfn same(v: V) -> int { id(v) }",
        ),
        ("model/main.gops", "use std::files::FileMode\nstruct Root { mode: FileMode }"),
        ("std:files.gops", ""),
    ]);
    let d = sources.declare_with(&["dev", "prod-eu"]);
    assert!(d.diagnostics.is_empty(), "{:#?}", d.diagnostics);
    let paths: Vec<&str> = d.program.types.iter().map(|t| t.decl().path.as_str()).collect();
    assert_eq!(paths, ["main::Root", "net::Net", "net::vlan::Vlan", "std::Environment"]);
    assert_eq!(d.scopes.environment, d.program.find("std::Environment"));
    let TypeDef::Enum(environment) = &d.program.types[3] else { panic!() };
    assert_eq!(environment.variants[1].name.as_str(), "prod_eu");
    let id = d.scopes.function_named(ModuleId(0), Name::new("id"));
    assert!(d.scopes.modules.iter().any(|m| m.display() == "net"));
    assert_eq!(id, None);
}

/// The prefix and what is said of it.
const MISTAKES: &[(&str, &[&str])] = &[
    ("struct A { x: Strng }", &["G0301: Strng"]),
    ("struct A { x: a::B }", &["G0302: a"]),
    ("use net\nuse main::Nothing", &["G0302: net", "G0301: Nothing"]),
    ("use net\nuse main::Nothing\nstruct A { a: Nothing, b: net::B }", &["G0302: net", "G0301: Nothing"]),
    ("struct A { x: int, x: int }", &["G0303: x"]),
    ("struct A { x: int }\nenum A { b }", &["G0303: A"]),
    ("enum A { b, b }", &["G0303: b"]),
    ("struct M { x: int }\nstruct A { x: int, ...M }", &["G0303: M"]),
    ("fn f(a: int, a: int) -> int { 1 }", &["G0303: a"]),
    ("slice A in \"a\" { key n: string, x: int }\ninverse A.x: set<A> by r", &["G0301: r"]),
    ("slice A in \"a\" { key n: string, x: int, r: ref<A>? }\ninverse A.x: set<A> by r", &["G0303: x"]),
    ("enum FileMode { a }", &["G0304: FileMode"]),
    ("type A = list<B>\ntype B = A?", &["G0305: A"]),
    ("struct A { ...B }\nstruct B { ...A }", &["G0306: B"]),
    ("entity E { key n: int }\nstruct A { ...E }", &["G0306: E"]),
    ("struct A { x: list, z: map<int> }", &["G0307: list", "G0307: map"]),
    ("struct A { x: ref<A> }", &["G0308: ref"]),
    ("struct A { x: map<float, int> }", &["G0308: map"]),
    ("struct A { x: set<secret<string>> }", &["G0308: set"]),
    ("struct B { y: int }\nstruct A { x: secret<B> }", &["G0308: secret"]),
    ("struct A { x: int | 3 }", &["G0309: int | 3"]),
    (
        "struct A { x: string | duration, y: \"a\" | \"b\" | int, z: int | int }",
        &["G0309: string | duration", "G0309: int | int"],
    ),
    (
        "struct A { x: string | secret<string>, y: A | list<A> | null }\nstruct B { x: any | int }",
        &["G0309: any | int"],
    ),
    ("slice S in \"s\" { key n: string, p: list<P> }\nstruct P { x: int }", &["G0310: p"]),
    ("slice S in \"s\" { key n: string, p: map<int, P> }\nstruct P { key x: string }", &["G0310: p"]),
    (
        "slice S in \"s\" { key n: string, p: set<U> }\nunion U by t { a: P, b: Q }\nstruct P { key x: string }\nstruct Q { key y: int }",
        &["G0310: p"],
    ),
    (
        "slice S in \"s\" { key n: string, p: list<list<P>>, q: list<list<int>> }\nstruct P { key x: string }",
        &["G0310: p"],
    ),
    (
        "slice S in \"s\" { key n: string, u: U }\nunion U by t { a: P, b }\nstruct P { l: list<P> }",
        &["G0310: l"],
    ),
    ("struct A { key x: float }", &["G0311: x"]),
    (
        "struct M { n: string? }\nslice S in \"s\" { key m.n, m: M?, key o.n, o: M, key z.q }",
        &["G0311: m", "G0301: z"],
    ),
    ("slice S in \"s\" { key s: ref<S>? }", &["G0311: S"]),
    ("entity E { n: int }", &["G0312: E"]),
    (
        "entity E { key n: int }\nslice S in \"s\" { key n: string, e: E, l: later<int>, s: S? }",
        &["G0313: e", "G0313: l", "G0313: s"],
    ),
    ("slice S in \"../s\" { key n: string }", &["G0314: \"../s\""]),
    (
        "slice S in \"s\" { key n: string }\nslice T in \"s/t/\" { key n: string }\nslice U in \"u\" { key n: string }",
        &["G0315: \"s/t/\""],
    ),
    ("slice S in \"s/{x}\" { key n: string }", &["G0316: \"s/{x}\""]),
    ("slice S in \"s/{n}/{n}\" { key n: string }", &["G0316: \"s/{n}/{n}\""]),
    ("slice S in \"s/{n}\" { key n: bool }", &["G0316: \"s/{n}\""]),
    ("resource R { key n: string }", &["G0317: R"]),
    ("target T { key n: string }\nresource R handled by \"x\" { key a: T, key b: T }", &["G0318: b"]),
    ("struct A { output x: int }", &["G0319: x"]),
    ("entity E { key n: int, assigned x: int = 3 }", &["G0319: x"]),
    ("struct A { assigned x: int }", &["G0319: x"]),
    ("plain struct A { key x: int }", &["G0319: x"]),
    ("struct A { x: int, y: int was \"x\" }", &["G0320: y"]),
    ("enum A { x, y as \"x\" }", &["G0320: y"]),
    ("slice A in \"a\" { key n: string, r: ref<A>? }\ninverse A.x: list<A> by r", &["G0321: list<A>"]),
    ("slice A in \"a\" { key n: string, r: string }\nacyclic A by r, \"m\"", &["G0321: r"]),
    ("slice A in \"a\" { key n: string, let r = [A[n: n]] }\nclosure A.x: set<A> by r", &["G0321: r"]),
    ("struct A { ...rest: list<int> }", &["G0322: list<int>"]),
    (
        "slice A in \"a\" { key n: string, s: secret<int>, unique s, unique (n, m) }",
        &["G0323: s", "G0301: m"],
    ),
    ("struct A { b: B }\nstruct B { a: A, c: A }", &["G0324: b"]),
    ("struct A { u: U }\nunion U by t { a: A, b: A }", &["G0324: u"]),
    ("struct A { u: U, d: A = { u: x } }\nunion U by t { a: A, b }", &[]),
    ("union U by t { a: int }", &["G0325: int"]),
    ("union U by t { a: A }\nstruct A { t: int }", &["G0325: A"]),
    ("enum E { a }\nimpl E { }", &["G0326: E"]),
    ("deprecated \"no\"\nstruct A { x: int }\nstruct B { x: A }", &["G0327: A"]),
    ("struct a { X: int }\nconst c: int = 3", &["G0901: a", "G0901: X", "G0901: c"]),
    ("// gops: allow(naming)\nstruct a { X: int }", &[]),
    ("struct A {}\n// gops: allow(naming)\nstruct a {\n X: int }\nstruct B { X: int }", &["G0901: X"]),
    ("struct A {}\n// gops: allow(namng)\nstruct B { X: int }", &["G0901: X", "G0902: namng"]),
];

#[test]
fn mistakes_are_said_where_they_are() {
    let wrong: Vec<(&str, Vec<String>)> = MISTAKES
        .iter()
        .map(|(text, expected)| (*text, *expected, said(text)))
        .filter(|(_, expected, found)| found != expected)
        .map(|(text, _, found)| (text, found))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_code_is_met() {
    let met = |code: &Code| MISTAKES.iter().any(|(_, said)| said.iter().any(|s| s.starts_with(code.id())));
    let missing: Vec<Code> = Code::all().filter(|c| c.id().starts_with("G03") && !met(c)).collect();
    assert_eq!(missing, [codes::LIMIT]);
}

#[test]
fn large_declarations_are_refused_in_good_time() {
    let mut text = String::from("type T0 = int\n");
    for i in 1..5000 {
        text.push_str(&format!("type T{i} = map<string, list<T{}> | T{}>\n", i - 1, i - 1));
    }
    let found = said(&text);
    assert!(found.iter().all(|s| s.starts_with("G0328")));
    assert_eq!(found.first().map(String::as_str), Some("G0328: T8"));
    let mut long = String::from("type T0 = int\n");
    for i in 1..5000 {
        long.push_str(&format!("type T{i} = T{}\n", i - 1));
    }
    assert!(said(&long).is_empty());
}

#[test]
fn warnings_are_no_errors() {
    assert_eq!(codes::DEPRECATED.info().severity, Severity::Warning);
}

#[test]
fn the_standard_library_and_the_examples_are_declared() {
    let std = [
        ("std:files.gops", include_str!("../../../../../stdlib/files.gops")),
        ("std:host.gops", include_str!("../../../../../stdlib/host.gops")),
        ("std:net.gops", include_str!("../../../../../stdlib/net.gops")),
        ("std:time.gops", include_str!("../../../../../stdlib/time.gops")),
    ];
    for example in [
        include_str!("../../../../../examples/fs/model/main.gops"),
        include_str!("../../../../../examples/network/model/main.gops"),
        include_str!("../../../../../examples/sites/model/main.gops"),
    ] {
        let mut files = std.to_vec();
        files.push(("model/main.gops", example));
        let sources = Sources::new(&files);
        let d = sources.declare();
        assert!(d.diagnostics.is_empty(), "{:#?}", d.diagnostics);
    }
}
