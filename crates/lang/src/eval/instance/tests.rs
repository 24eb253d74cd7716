//! Instances from text.

use crate::base::{FileId, Name, Span};
use crate::data::{Limits, Parsed, parse_json, parse_yaml};
use crate::diag::{Code, DataPart};
use crate::model::hir::{Body, Hir, HirKind, Node};
use crate::model::prelude::Builtin;
use crate::model::program::Regex;
use crate::model::{Declarations, ModuleSource, PendingKind, Settings, TypeDef, declare};
use crate::syntax::ast::{self, ExprKind, StrPart};

use super::*;

/// Only what the models of these tests need: literals, and refinements that are ranges, lengths
/// or regular expressions.
fn lowered(program: &mut Program, ty: Option<TypeId>, expr: &ast::Expr) -> Hir {
    let kind = match &expr.kind {
        ExprKind::Int(i) => HirKind::Int(*i),
        ExprKind::Bool(b) => HirKind::Bool(*b),
        ExprKind::Float(f) => HirKind::Float(*f),
        ExprKind::Null => HirKind::Null,
        ExprKind::Duration(d) => HirKind::Duration(*d),
        ExprKind::Str(parts) => HirKind::Str(text_of(parts).into()),
        ExprKind::List(items) if items.is_empty() => HirKind::List(Vec::new()),
        ExprKind::Brace(entries) if entries.is_empty() => HirKind::Map(Vec::new()),
        ExprKind::Name(name) if name.name.as_str() == "self" => HirKind::SelfValue,
        ExprKind::Name(name) => {
            let def = program.enumeration(ty.unwrap()).unwrap();
            let variant = def.variants.iter().position(|v| v.name == name.name).unwrap();
            HirKind::Enum(ty.unwrap(), variant as u16)
        }
        ExprKind::Range { start, end, inclusive } => {
            let mut bound =
                |e: &Option<Box<ast::Expr>>| e.as_ref().map(|e| Box::new(lowered(program, None, e)));
            HirKind::Range { start: bound(start), end: bound(end), inclusive: *inclusive }
        }
        ExprKind::Call(_, args) => match &args[0].value.kind {
            ExprKind::Str(parts) => {
                let text = text_of(parts);
                let compiled = regex::Regex::new(&format!("^(?:{text})$")).unwrap();
                program.regexes.push(Regex { text: text.into(), compiled });
                let regex = program.regexes.len() as u32 - 1;
                HirKind::Matches { value: Box::new(hir(HirKind::SelfValue)), regex }
            }
            _ => HirKind::Builtin { builtin: Builtin::StringLen, args: vec![Some(hir(HirKind::SelfValue))] },
        },
        ExprKind::Binary(op, _, a, b) => {
            let (a, b) = (lowered(program, None, a), lowered(program, None, b));
            HirKind::Binary(*op, Box::new(a), Box::new(b))
        }
        other => panic!("{other:?}"),
    };
    hir(kind)
}

fn hir(kind: HirKind) -> Hir {
    Hir { node: Node(0), kind }
}

fn text_of(parts: &[StrPart]) -> String {
    match parts {
        [] => String::new(),
        [StrPart::Text(text)] => text.clone(),
        other => panic!("{other:?}"),
    }
}

fn program(text: &str) -> Program {
    let file = FileId::new("model/main.gops");
    let parsed = crate::syntax::parse(file, text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let source = ModuleSource { file, module_path: vec![Name::new("main")], ast: &parsed.module };
    let Declarations { mut program, pending, diagnostics, .. } = declare(&[source], &Settings::default());
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    for pending in &pending {
        match &pending.kind {
            PendingKind::Default { owner, slot, expr } => {
                let ty = match program.record(*owner).unwrap().fields[*slot as usize].ty.bare() {
                    crate::model::Type::Enum(id) => Some(*id),
                    _ => None,
                };
                let root = lowered(&mut program, ty, expr);
                let TypeDef::Record(record) = &mut program.types[owner.0 as usize] else { panic!() };
                record.fields[*slot as usize].value = Some(Body { file, root, locals: 0 });
            }
            PendingKind::Refinement { id, expr, .. } => {
                let root = lowered(&mut program, None, expr);
                program.refinements[id.0 as usize].body.root = root;
            }
            other => panic!("{other:?}"),
        }
    }
    program
}

/// The slot of `content` in the slice.
const CONTENT: Slot = 23;

/// What is not recognised by the fast path must not be asked in these tests; but for the default of
/// `content`, which can be a secret, so the evaluator masks it.
struct Nobody;

impl Ask for Nobody {
    fn holds(&self, refinement: RefineId, value: &Value) -> Result<bool, Vec<Diagnostic>> {
        panic!("{refinement:?} of {value:?}")
    }

    fn default(&self, _: FileId, ty: TypeId, slot: Slot, _: &[Value]) -> Result<Value, Vec<Diagnostic>> {
        assert_eq!(slot, CONTENT, "{ty:?}");
        Ok(Value::Str("".into()))
    }
}

struct Read {
    result: ReadInstance,
    texts: Vec<(FileId, String, Parsed)>,
}

fn read_files(program: &Program, files: &[(&str, &str)], bindings: &[(&str, &str)]) -> Read {
    let texts: Vec<(FileId, String, Parsed)> = files
        .iter()
        .map(|(path, text)| {
            let file = FileId::new(path);
            let parse = if path.ends_with(".json") { parse_json } else { parse_yaml };
            let parsed = parse(file, text.as_bytes(), &Limits::default());
            assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
            (file, (*text).to_owned(), parsed)
        })
        .collect();
    let bindings: Vec<(EcoString, EcoString)> =
        bindings.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let documents = texts
        .iter()
        .map(|(file, _, p)| (Doc { file: *file, document: p.document.as_ref().unwrap(), empty: p.empty }, 0));
    let source = InstanceSource { item: 0, documents: documents.collect(), bindings: &bindings };
    let slice = program.find("main::Site").or(program.find("main::S")).unwrap();
    let shapes = Shapes::new(program);
    let result = read(program, &shapes, &Nobody, slice, &source);
    Read { result, texts }
}

impl Read {
    /// Each diagnostic as `code line: text at its first label`, with the file where there are
    /// several.
    fn said(&self) -> Vec<String> {
        self.result
            .diagnostics
            .iter()
            .map(|d| format!("{} {}", d.code.id(), self.at(d.labels[0].place)))
            .collect()
    }

    fn at(&self, place: crate::diag::Place) -> String {
        let (file, span) = match place {
            crate::diag::Place::Data { file, node, part } => {
                let (_, _, parsed) = self.texts.iter().find(|(f, _, _)| *f == file).unwrap();
                let spans = &parsed.spans;
                (file, if part == DataPart::Key { spans.key(node) } else { spans.value(node) })
            }
            crate::diag::Place::File(file) => (file, Span::default()),
            crate::diag::Place::Span(at) => (at.file, at.span),
            other => panic!("{other:?}"),
        };
        let (_, text, _) = self.texts.iter().find(|(f, _, _)| *f == file).unwrap();
        let line = text[..span.start as usize].matches('\n').count() + 1;
        let name = if self.texts.len() > 1 { format!("{} ", file.path()) } else { String::new() };
        format!("{name}{line}: {}", &text[span.range()])
    }
}

const SITE: &str = r#"
type Port = int where 1..=65535
type Hostname = string where matches(r"[a-z][a-z0-9-]*") and len(self) <= 10
enum Tier { dev, test, prod as "production", deprecated "use dev" old }
slice Site in "sites" {
    key name: Hostname
    on: ref<Machine>?
    pair: ref<Pair>?
    port: Port = 8080 was "listen"
    ratio: float = 1.5
    on_air: bool = true
    wait: duration = 30s
    disk: size?
    mode: FileMode?
    tier: Tier = dev
    level: "low" | "high" | 3 = "low"
    tls: Tls?
    probe: Probe?
    pages: list<Page> = []
    rules: list<Rule> = []
    tags: set<string> = []
    ports: map<int, string> = {}
    tiers: map<Tier, int> = {}
    shares: map<string, Share> = {}
    parts: set<Part> = []
    either: int | list<int> | Tls | null
    password: secret<string>?
    pin: secret<int>?
    content: string | secret<string> = ""
    names: list<Hostname> = []
    meta: any
    deprecated "use ports" old_ports: list<int> = []
}
slice Machine in "machines" { key name: Hostname }
slice Pair in "pairs" { key a: string, key b: int? }
struct Tls { cert: string, key_file: string = "k" }
struct Page { key path: string where matches(r"/.*"), body: string, sub: list<Page> = [] }
plain struct Rule { port: int, note: string? }
struct Share { key name: string, mode: FileMode = 0o644 }
union Probe by type { http: Http, tcp as "tcp-probe": Tcp, none }
struct Http { path: string = "/" }
struct Tcp { port: Port }
union Part by kind { file: FilePart, folder: FolderPart }
struct FilePart { key name: string, text: string }
struct FolderPart { key name: string, parts: list<Part> = [] }
"#;

/// What follows `name: a`, and what is said of it.
const MISTAKES: &[(&str, &[&str])] = &[
    ("", &[]),
    ("port: 0", &["G0505 2: 0"]),
    ("port: 70000", &["G0505 2: 70000"]),
    ("port: \"80\"", &["G0502 2: \"80\""]),
    ("port: 80.0", &["G0502 2: 80.0"]),
    ("port: 99999999999999999999", &["G0502 2: 99999999999999999999"]),
    ("port:", &["G0502 2: port"]),
    ("port: [80]", &["G0502 2: 80"]),
    ("port: {a: 80}", &["G0502 2: a"]),
    ("prot: 80", &["G0503 2: prot"]),
    ("colour: red", &["G0503 2: colour"]),
    ("listen: 80", &["G0511 2: listen"]),
    ("listen: 80\nport: 81", &["G0511 2: listen", "G0516 3: port"]),
    ("ratio: 2", &[]),
    ("ratio: \"2.5\"", &["G0502 2: \"2.5\""]),
    ("ratio: .inf", &["G0502 2: .inf"]),
    ("on_air: yes", &["G0502 2: yes"]),
    ("on_air: 1", &["G0502 2: 1"]),
    ("wait: 30", &["G0502 2: 30"]),
    ("wait: 1h30m", &[]),
    ("wait: 30m1h", &["G0502 2: 30m1h"]),
    ("wait: 1.5h", &["G0502 2: 1.5h"]),
    ("disk: 20GiB", &[]),
    ("disk: 20", &["G0502 2: 20"]),
    ("disk: 20Gb", &["G0502 2: 20Gb"]),
    ("mode: 0644", &["G0502 2: 0644"]),
    ("mode: 644", &["G0502 2: 644"]),
    ("mode: 420", &["G0502 2: 420"]),
    ("mode: 0o644", &[]),
    ("mode: 0o77777", &["G0502 2: 0o77777"]),
    ("mode: \"0644\"", &[]),
    ("mode: \"rw\"", &["G0502 2: \"rw\""]),
    ("tier: prod", &["G0506 2: prod"]),
    ("tier: production", &[]),
    ("tier: 1", &["G0502 2: 1"]),
    ("tier: old", &["G0512 2: old"]),
    ("level: hi", &["G0502 2: hi"]),
    ("level: 4", &["G0502 2: 4"]),
    ("level: 3", &[]),
    ("tls:\n  cert: x\n  kye_file: y", &["G0503 4: kye_file"]),
    ("tls:\n  crt: x", &["G0503 3: crt"]),
    ("tls:\n  key_file: x", &["G0504 2: tls"]),
    ("tls: {}", &["G0504 2: tls"]),
    ("tls: cert", &["G0502 2: cert"]),
    ("tls: null", &[]),
    ("probe: {path: /x}", &["G0507 2: probe"]),
    ("probe: {typ: http}", &["G0507 2: probe"]),
    ("probe: {type: htp}", &["G0506 2: htp"]),
    ("probe: {type: 3}", &["G0506 2: 3"]),
    ("probe: {type: tcp, port: 1}", &["G0506 2: tcp"]),
    ("probe: {type: tcp-probe, port: 0}", &["G0505 2: 0"]),
    ("probe: {type: tcp-probe}", &["G0504 2: probe"]),
    ("probe: {type: none, path: /}", &["G0503 2: path"]),
    ("probe: {type: none}", &[]),
    ("probe: [http]", &["G0502 2: http"]),
    ("pages:\n  - path: /a\n    body: x\n  - path: /a\n    body: y", &["G0508 5: /a"]),
    ("pages:\n  - body: x", &["G0504 3: body"]),
    ("pages:\n  - path: a\n    body: x\n    sub:\n      - path: /\n", &["G0505 3: a", "G0504 6: path"]),
    ("pages: {path: /a}", &["G0502 2: path"]),
    ("pages: [3]", &["G0502 2: 3"]),
    ("rules: [{port: 1}, {port: 1}]", &[]),
    ("rules: [{port: x}]", &["G0502 2: x"]),
    ("tags: [a, b, a]", &["G0509 2: a"]),
    ("tags: [1, b]", &["G0502 2: 1"]),
    ("ports: {1: a, 2: b}", &[]),
    ("ports: {x: a}", &["G0502 2: x"]),
    ("ports: {\"01\": a}", &["G0502 2: \"01\""]),
    ("ports: [a]", &["G0502 2: a"]),
    ("tiers: {dev: 1, production: 2}", &[]),
    ("tiers: {dve: 1}", &["G0502 2: dve"]),
    ("shares: {x: {}, y: {name: y}}", &[]),
    ("shares: {x: {name: y}}", &["G0515 2: y"]),
    ("shares: {x: {mode: 600}}", &["G0502 2: 600"]),
    ("parts: [{kind: file, name: a, text: x}, {kind: folder, name: a}]", &[]),
    ("parts: [{kind: folder, name: a}, {kind: folder, name: a}]", &["G0508 2: a"]),
    ("either: 3", &[]),
    ("either: [1, x]", &["G0502 2: x"]),
    ("either: {cert: 1}", &["G0502 2: 1"]),
    ("either: x", &["G0502 2: x"]),
    ("password: hunter2", &[]),
    ("password: 3", &["G0502 2: 3"]),
    ("names: [a, B]", &["G0505 2: B"]),
    ("names: [abcdefghijklmnop]", &["G0505 2: abcdefghijklmnop"]),
    ("on: m", &[]),
    ("on: M", &["G0505 2: M"]),
    ("on: {name: m}", &["G0502 2: name"]),
    ("pair: {a: x}", &[]),
    ("pair: {b: 3}", &["G0504 2: pair"]),
    ("pair: {a: x, c: 3}", &["G0503 2: c"]),
    ("pair: x", &["G0502 2: x"]),
    ("meta: {a: [1, null, {b: .5}]}", &[]),
    ("meta: {a: .nan}", &["G0502 2: .nan"]),
    ("old_ports: []", &["G0512 2: old_ports"]),
    ("tags: [a]\n$remove: true", &["G0517 3: $remove"]),
    ("password: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]\nsops: {}", &[]),
    (
        "port: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:int]\nsops: {}",
        &["G0513 2: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:int]"],
    ),
    (
        "pin: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]\nsops: {}",
        &["G0502 2: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"],
    ),
    ("content: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]\nsops: {}", &[]),
    (
        "meta: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]\nsops: {}",
        &["G0513 2: ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"],
    ),
];

#[test]
fn mistakes_are_said_where_they_are() {
    let program = program(SITE);
    let mut wrong = Vec::new();
    for (text, expected) in MISTAKES {
        let found = read_files(&program, &[("sites/a.yaml", &format!("name: a\n{text}"))], &[]);
        let said = found.said();
        if said != *expected {
            wrong.push((text, said));
        }
        for problem in &found.result.diagnostics {
            let schema = problem.labels.iter().any(|l| matches!(l.place, crate::diag::Place::Model { .. }));
            let alone = problem.code == crate::diag::codes::instance::MISPLACED_REMOVE
                || problem.code == crate::diag::codes::instance::GIVEN_TWICE;
            assert!(schema || alone, "no place in the schema: {problem:?}");
            assert!(problem.help.is_some() || problem.code.id() == "G0512", "no help: {problem:?}");
        }
        let broken = found.result.instance.as_ref().is_none_or(|i| i.broken);
        let errors = found.result.diagnostics.iter().any(Diagnostic::is_error);
        assert_eq!(broken, errors, "{text}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_root_is_a_mapping() {
    let program = program(SITE);
    for (text, expected) in [
        ("", "G0501 1: "),
        ("null", "G0501 1: null"),
        ("- name: a", "G0501 1: name"),
        ("[]", "G0501 1: []"),
        ("a", "G0501 1: a"),
        ("{}", "G0504 1: {}"),
        ("port: 1", "G0504 1: port"),
    ] {
        assert_eq!(read_files(&program, &[("sites/a.yaml", text)], &[]).said(), [expected], "{text}");
    }
}

fn field(read: &Read, program: &Program, name: &str) -> Value {
    let instance = read.result.instance.as_ref().unwrap();
    let root = &instance.elements[0].record;
    let (slot, _) = program.record(root.ty).unwrap().field(Name::new(name)).unwrap();
    root.fields[slot as usize].clone()
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

#[test]
fn values_have_their_types() {
    let program = program(SITE);
    let read = read_files(
        &program,
        &[(
            "sites/a.yaml",
            "name: a\nwait: 1h30m\nmode: \"0644\"\ntier: production\ntags: [b, a]\non: m\npair: {a: x}\nports: {10: x, 9: y}\nprobe: {type: none}\ncontent: plain\npassword: p",
        )],
        &[],
    );
    assert!(read.said().is_empty(), "{:?}", read.said());
    assert_eq!(field(&read, &program, "wait"), Value::Duration(5_400_000_000_000));
    assert_eq!(field(&read, &program, "mode"), Value::Int(0o644));
    assert_eq!(field(&read, &program, "tags"), Value::Set([text("a"), text("b")].into()));
    assert_eq!(field(&read, &program, "port"), Value::Int(8080));
    assert_eq!(field(&read, &program, "content"), text("plain"));
    let Value::Map(ports) = field(&read, &program, "ports") else { panic!() };
    assert_eq!(ports[0].0, Value::Int(9));
    let Value::Deferred(secret) = field(&read, &program, "password") else { panic!() };
    assert!(secret.secret && !format!("{secret:?}").contains("\"p\""));
    let keys: Vec<usize> = read.result.references.iter().map(|r| r.reference.key.len()).collect();
    assert_eq!(keys, [1, 2]);
}

fn steps(read: &Read) -> Vec<String> {
    let instance = read.result.instance.as_ref().unwrap();
    instance.elements.iter().map(|e| e.step.to_string()).collect()
}

#[test]
fn elements_have_their_steps() {
    let program = program(SITE);
    let read = read_files(
        &program,
        &[(
            "sites/a.yaml",
            "name: a\ntls: {cert: c}\npages: [{path: /a b, body: x, sub: [{path: /c, body: y}]}]\nshares: {x: {}}\nparts: [{kind: file, name: \"1\", text: t}]",
        )],
        &[],
    );
    assert_eq!(
        steps(&read),
        ["", "tls", "pages[path=\"/a b\"]", "sub[path=/c]", "shares[name=x]", "parts[kind=file,name=\"1\"]"]
    );
    let parents: Vec<Option<u32>> =
        read.result.instance.as_ref().unwrap().elements.iter().map(|e| e.parent).collect();
    assert_eq!(parents, [None, Some(0), Some(0), Some(2), Some(0), Some(0)]);
}

#[test]
fn keys_of_several_parts_are_steps_too() {
    let program = program(
        r#"slice S in "s" { key n: string, l: list<E>, m: map<string, F> = {} }
        struct E { key p: ref<Pair>, key one: ref<One>? }
        struct F { x: int }
        slice Pair in "p" { key b: string, key a: int }
        slice One in "o" { key k: string? }"#,
    );
    let read = read_files(
        &program,
        &[("s/a.yaml", "n: x\nl: [{p: {a: 1, b: y}, one: z}, {p: {a: 1, b: y}}]\nm: {k: {x: 1}}")],
        &[],
    );
    assert!(read.said().is_empty(), "{:?}", read.said());
    assert_eq!(steps(&read), ["", "l[one=z,p={a=1,b=y}]", "l[one=null,p={a=1,b=y}]", "m[key=k]"]);
}

#[test]
fn overlays_are_laid_over_by_identity() {
    let program = program(SITE);
    let base = "name: a\nport: 1\nratio: 2.5\ntags: [a, b]\npages: [{path: /x, body: x}, {path: /y, body: y}]\nports: {1: a, 2: b}\nmeta: {a: {b: 1, c: 2}}";
    let over = "port: 2\nratio: null\ntags: [c]\npages: [{path: /y, $remove: true}, {path: /x, body: z}, {path: /n, body: n}]\nports: {1: null, 3: c}\nmeta: {a: {b: 3}}";
    let read = read_files(&program, &[("sites/a.yaml", base), ("sites/a.prod.yaml", over)], &[]);
    assert!(read.said().is_empty(), "{:?}", read.said());
    assert_eq!(field(&read, &program, "port"), Value::Int(2));
    assert_eq!(field(&read, &program, "ratio"), Value::Float(1.5));
    assert_eq!(field(&read, &program, "tags"), Value::Set([text("c")].into()));
    assert_eq!(steps(&read), ["", "pages[path=/x]", "pages[path=/n]"]);
    let Value::Map(ports) = field(&read, &program, "ports") else { panic!() };
    assert_eq!(ports.iter().map(|(k, _)| k.clone()).collect::<Vec<_>>(), [Value::Int(2), Value::Int(3)]);
    let instance = read.result.instance.as_ref().unwrap();
    assert_eq!(instance.elements[1].place.unwrap().0.path(), "sites/a.prod.yaml");
    assert_eq!(instance.id.file.path(), "sites/a.yaml");
}

#[test]
fn mistakes_in_overlays_are_in_their_file() {
    let program = program(SITE);
    let base = "name: a\nport: 0\npages: [{path: /x, body: x}]";
    for (over, expected) in [
        ("port: x", vec!["G0502 sites/a.prod.yaml 1: x"]),
        ("ratio: x", vec!["G0505 sites/a.yaml 2: 0", "G0502 sites/a.prod.yaml 1: x"]),
        ("prot: 1\nport: 1", vec!["G0503 sites/a.prod.yaml 1: prot"]),
        ("port: 1\npages: [{path: /y, $remove: true}]", vec!["G0514 sites/a.prod.yaml 2: path"]),
        ("port: 1\npages: [{path: /x, $remove: false}]", vec!["G0517 sites/a.prod.yaml 2: $remove"]),
        ("port: 1\npages: [{path: /x, body: x, $remove: true}]", vec!["G0517 sites/a.prod.yaml 2: body"]),
        ("port: 1\npages: [{path: /n, body: x}, {path: /n, body: y}]", vec!["G0508 sites/a.prod.yaml 2: /n"]),
        ("[]", vec!["G0501 sites/a.prod.yaml 1: []"]),
    ] {
        let read = read_files(&program, &[("sites/a.yaml", base), ("sites/a.prod.yaml", over)], &[]);
        assert_eq!(read.said(), expected, "{over}");
    }
}

#[test]
fn what_sops_encrypted_beside_is_added() {
    let program = program(SITE);
    let secret = "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]";
    let base = "name: a\nport: 1\nnames: [a]\npages: [{path: /x, body: x}]";
    let sops = format!("password: {secret}\nnames: [b]\npages: [{{path: /x, sub: []}}]\nsops: {{}}");
    let read = read_files(&program, &[("sites/a.yaml", base), ("sites/a.sops.yaml", &sops)], &[]);
    assert!(read.said().is_empty(), "{:?}", read.said());
    assert_eq!(field(&read, &program, "names"), Value::List([text("a"), text("b")].into()));
    let twice = "port: 2\nsops: {}";
    let read = read_files(&program, &[("sites/a.yaml", base), ("sites/a.sops.yaml", twice)], &[]);
    assert_eq!(read.said(), ["G0516 sites/a.sops.yaml 1: port"]);
}

#[test]
fn keys_come_from_the_path() {
    let program = program(
        r#"slice S in "s/{host}/{meta.n}/x.yml" { key host: ref<Host>, key meta.n, meta: M, x: int = 1 }
        struct M { n: int where 1..=9, o: string = "" }
        slice Host in "h" { key name: string }"#,
    );
    let bound = |n: &'static str, text| {
        read_files(&program, &[("s/h/1/x.yml", text)], &[("host", "h"), ("meta.n", n)])
    };
    let read = bound("1", "x: 2");
    assert!(read.said().is_empty(), "{:?}", read.said());
    let instance = read.result.instance.as_ref().unwrap();
    assert_eq!(instance.key[1], Value::Int(1));
    assert_eq!(read.result.references.len(), 1);
    assert_eq!(bound("1", "meta: {o: x}").said(), Vec::<String>::new());
    assert_eq!(bound("1", "meta: {n: 1}\nhost: h").said(), Vec::<String>::new());
    assert_eq!(bound("1", "meta: {n: 2}").said(), ["G0515 1: 2"]);
    assert_eq!(bound("1", "host: g").said(), ["G0515 1: g"]);
    assert_eq!(bound("x", "x: 2").said(), ["G0515 1: "]);
    assert_eq!(bound("0", "x: 2").said().len(), 1);
}

#[test]
fn yaml_and_json_are_read_alike() {
    let program = program(SITE);
    let yaml = read_files(
        &program,
        &[("sites/a.yaml", "name: a\npages: [{path: /x, body: x}]\nports: {1: x}")],
        &[],
    );
    let json = read_files(
        &program,
        &[("sites/a.json", r#"{"name": "a", "pages": [{"path": "/x", "body": "x"}], "ports": {"1": "x"}}"#)],
        &[],
    );
    let record = |r: &Read| r.result.instance.as_ref().unwrap().elements[0].record.clone();
    assert_eq!(record(&yaml), record(&json));
}

#[test]
fn every_code_is_met() {
    let elsewhere = ["G0501", "G0510", "G0514", "G0518"];
    let met = |code: &Code| {
        elsewhere.contains(&code.id())
            || MISTAKES.iter().any(|(_, all)| all.iter().any(|s| s.starts_with(code.id())))
    };
    let missing: Vec<Code> = Code::all().filter(|c| c.id().starts_with("G05") && !met(c)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn suggestions_name_what_is_free() {
    let program = program(SITE);
    let read = read_files(&program, &[("sites/a.yaml", "name: a\nport: 1\nprot: 2")], &[]);
    assert_ne!(read.result.diagnostics[0].help.as_deref(), Some("did you mean `port`?"));
    let read = read_files(&program, &[("sites/a.yaml", "nmae: a")], &[]);
    assert_eq!(read.said(), ["G0503 1: nmae"], "what is misspelt is not missing too");
}
