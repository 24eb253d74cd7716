//! The fold of versions: linear in all elements of all versions. To reach: 50 versions of an
//! instance with 200 elements in under 5 ms.

use std::sync::Arc;

use divan::{Bencher, black_box};
use gops::base::{FileId, Name};
use gops::data::{Limits, parse_json};
use gops::diag::Diagnostic;
use gops::eval::instance::{Ask, Doc, InstanceSource, Shapes, read};
use gops::eval::{Instance, Value};
use gops::model::schema::Slot;
use gops::model::ty::RefineId;
use gops::model::{ModuleSource, Program, Settings, TypeId, declare};

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
