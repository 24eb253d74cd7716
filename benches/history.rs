//! The fold of versions: linear in all elements of all versions. To reach: 50 versions of an
//! instance with 200 elements in under 5 ms. And a project of 10,000 instances of which one has kept
//! versions: each is to cost little beside the compilation itself, as what is equal is shared.

use std::sync::Arc;

use divan::{Bencher, black_box};
use ecow::EcoString;
use gops::base::{Edited, FileId, MemorySystem, Name, System};
use gops::data::{Limits, parse_json};
use gops::diag::Diagnostic;
use gops::eval::instance::{Ask, Doc, InstanceSource, Shapes, read};
use gops::eval::{Instance, Value};
use gops::model::schema::Slot;
use gops::model::ty::RefineId;
use gops::model::{ModuleSource, Program, Settings, TypeId, declare};
use gops::project::{EarlierProject, Options, Session};

#[global_allocator]
static ALLOCATOR: gops::cli::Allocator = gops::cli::Allocator;

fn main() {
    divan::main();
}

const MODEL: &str = r#"
slice Site in "sites" { key name: string, pages: list<Page> }
struct Page { key path: string, body: string, tags: list<string> }
"#;

/// Everything is written in the data.
struct Nobody;

impl Ask for Nobody {
    fn holds(&self, _: RefineId, _: &Value) -> Result<bool, Vec<Diagnostic>> {
        Ok(true)
    }

    fn default(&self, _: FileId, _: TypeId, _: Slot, _: &[Value]) -> Result<Value, Vec<Diagnostic>> {
        Ok(Value::Null)
    }
}

fn program() -> Program {
    let file = FileId::new("model/main.gops");
    let parsed = gops::syntax::parse(file, MODEL);
    let source = ModuleSource { file, module_path: vec![Name::new("main")], ast: &parsed.module };
    gops::types::check(declare(&[source], &Settings::default()), &|_: &str| Err("none".into())).program
}

/// Version `n`: one page is another, one has another body.
fn version(program: &Program, n: usize, elements: usize) -> Arc<Instance> {
    let page = |at: usize| {
        let path = if at == n { format!("/new{n}") } else { format!("/page{at}") };
        let body = if at == n + 1 { "changed" } else { "body" };
        format!(r#"{{"path": "{path}", "body": "{body}", "tags": ["a", "b"]}}"#)
    };
    let pages: Vec<String> = (1..elements).map(page).collect();
    let text = format!(r#"{{"name": "a", "pages": [{}]}}"#, pages.join(","));
    let file = FileId::new("sites/a.json");
    let parsed = parse_json(file, text.as_bytes(), &Limits::default());
    let document = parsed.document.expect("it is JSON");
    let source = InstanceSource {
        item: 0,
        documents: vec![(Doc { file, document: &document, empty: false }, 0)],
        bindings: &[],
    };
    let slice = program.find("main::Site").expect("the slice is there");
    let read = read(program, &Shapes::new(program), &Nobody, slice, &source);
    read.instance.expect("it has a key")
}

#[divan::bench(args = [5, 50])]
fn versions_of_200_elements(bencher: Bencher, versions: usize) {
    let program = program();
    let all: Vec<Arc<Instance>> = (0..=versions).map(|n| version(&program, n, 200)).collect();
    let all: Vec<Option<&Instance>> = all.iter().map(|i| Some(&**i)).collect();
    bencher.bench(|| gops::history::fold(&program, all[0], black_box(&all[1..])));
}

const DEPLOYED: &str = r#"
use std::files::{Directory, TextFile}

slice Site in "sites" { key name: string, pages: list<Page> = [] }
struct Page { key path: string, body: string = "" }
impl Site { Directory { path: "/srv/${name}" } }
impl Page { TextFile { path: "/srv/${parent.name}/${path}", content: body } }
impl Page when deleted(self) { TextFile { path: "/gone/${parent.name}/${path}", content: body } }
"#;

/// The first instance as it was so many versions ago: with one page more for each.
fn site(ago: usize) -> String {
    let pages: String = (0..2 + ago).map(|n| format!(r#"{{"path": "p{n}", "body": "b"}},"#)).collect();
    format!(r#"{{"name": "s0", "pages": [{}]}}"#, pages.trim_end_matches(','))
}

fn project() -> Arc<MemorySystem> {
    let system = MemorySystem::default();
    system.write("gops.toml", b"name = \"bench\"\nedition = \"2026\"\n");
    system.write("model/main.gops", DEPLOYED.as_bytes());
    system.write("sites/0.json", site(0).as_bytes());
    for number in 1..10_000 {
        let pages = r#"[{"path": "a", "body": "x"}, {"path": "b", "body": "y"}]"#;
        let text = format!(r#"{{"name": "s{number}", "pages": {pages}}}"#);
        system.write(&format!("sites/{number}.json"), text.as_bytes());
    }
    Arc::new(system)
}

/// One of ten thousand instances has so many kept versions.
#[divan::bench(args = [0, 1, 8, 50], sample_count = 5, sample_size = 1)]
fn compile_with_kept_versions(bencher: Bencher, versions: usize) {
    let system = project();
    let then = |ago: usize| {
        let files = Edited::new(system.clone() as Arc<dyn System>);
        files.set("sites/0.json", Some(site(ago).as_bytes()));
        EarlierProject {
            files: Some(Arc::new(files)),
            changed: Some([EcoString::from("sites/0.json")].into()),
            ..EarlierProject::default()
        }
    };
    let earlier: Vec<EarlierProject> = (1..=versions).map(then).collect();
    bencher.bench_local(|| {
        let mut session = Session::open(system.clone(), Options::default());
        match earlier.is_empty() {
            true => session.compile(),
            false => session.compile_with(black_box(&earlier)),
        }
    });
}
