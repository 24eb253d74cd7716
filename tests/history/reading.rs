//! Instances of a small model, read from text as a project reads them.

use std::sync::Arc;

use gops::base::{FileId, Name};
use gops::data::{Limits, parse_json, parse_yaml};
use gops::diag::Diagnostic;
use gops::eval::instance::{Ask, Doc, InstanceSource, Shapes, read};
use gops::eval::{Instance, ModelWorld, Plan, Value};
use gops::history::{Folded, fold};
use gops::model::schema::Slot;
use gops::model::ty::RefineId;
use gops::model::{ModuleSource, Program, Settings, TypeId, declare};

const MODEL: &str = r#"
slice Site in "sites" {
    key name: string
    port: int = 80
    tags: list<string> = []
    names: set<string> = []
    labels: map<string, string> = {}
    token: secret<string>?
    tls: Tls?
    owner: Owner?
    probe: Probe = none
    pages: list<Page> = []
    boxes: map<string, Page> = {}
    entries: list<Entry> = []
    rules: list<Rule> = []
}
struct Tls { cert: string }
struct Owner { key id: string?, mail: string = "-" }
union Probe by type { http: Http, tcp: Tcp, none }
struct Http { path: string = "/" }
struct Tcp { port: int }
struct Page { key path: string?, body: string = "", parts: list<Part> = [] }
struct Part { key n: int, text: string = "" }
union Entry by type { file: File, folder: Folder }
struct File { key name: string, text: string = "" }
struct Folder { key name: string, files: list<File> = [] }
plain struct Rule { from: string, to: string = "-" }
"#;

/// The model.
pub struct Model {
    pub program: Program,
    plan: Plan,
    shapes: Shapes,
}

struct Asked<'a>(ModelWorld<'a>);

impl Ask for Asked<'_> {
    fn holds(&self, refinement: RefineId, value: &Value) -> Result<bool, Vec<Diagnostic>> {
        gops::eval::holds(&self.0, refinement, value)
    }

    fn default(
        &self,
        file: FileId,
        ty: TypeId,
        slot: Slot,
        fields: &[Value],
    ) -> Result<Value, Vec<Diagnostic>> {
        gops::eval::default_value(&self.0, file, ty, slot, fields)
    }
}

impl Model {
    pub fn new() -> Self {
        let file = FileId::new("model/main.gops");
        let parsed = gops::syntax::parse(file, MODEL);
        let source = ModuleSource { file, module_path: vec![Name::new("main")], ast: &parsed.module };
        let declared = declare(&[source], &Settings::default());
        let checked = gops::types::check(declared, &|_: &str| Err("no templates".into()));
        let problems = [parsed.diagnostics, checked.diagnostics].concat();
        assert!(problems.iter().all(|d| !d.is_error()), "{problems:#?}");
        let program = checked.program;
        Model { plan: Plan::new(&program), shapes: Shapes::new(&program), program }
    }

    /// An instance from YAML.
    pub fn yaml(&self, path: &str, text: &str) -> Arc<Instance> {
        let file = FileId::new(path);
        let parsed = parse_yaml(file, text.as_bytes(), &Limits::default());
        self.read(file, parsed)
    }

    /// An instance from JSON.
    pub fn json(&self, text: &str) -> Arc<Instance> {
        let file = FileId::new("sites/a.json");
        let parsed = parse_json(file, text.as_bytes(), &Limits::default());
        self.read(file, parsed)
    }

    fn read(&self, file: FileId, parsed: gops::data::Parsed) -> Arc<Instance> {
        assert_eq!(parsed.diagnostics, []);
        let document = parsed.document.expect("there is a document");
        let documents = vec![(Doc { file, document: &document, empty: false }, 0)];
        let source = InstanceSource { item: 0, documents, bindings: &[] };
        let world = ModelWorld { program: &self.program, plan: &self.plan, environment: None, files: None };
        let slice = self.program.find("main::Site").expect("the slice is there");
        let read = read(&self.program, &self.shapes, &Asked(world), slice, &source);
        assert_eq!(read.diagnostics, []);
        read.instance.expect("it has a key")
    }

    /// Folds versions, the newest of the earlier ones first.
    pub fn fold(&self, current: Option<&Arc<Instance>>, earlier: &[Option<&Arc<Instance>>]) -> Folded {
        let earlier: Vec<Option<&Instance>> = earlier.iter().map(|i| i.map(|i| &**i)).collect();
        fold(&self.program, current.map(|i| &**i), &earlier)
    }
}

/// A fold as people read it: a line for each element, with its depth, its step, its operation and
/// the earlier record.
pub fn shown(folded: &Folded, current: Option<&Instance>, earlier: &[Option<&Instance>]) -> Vec<String> {
    let mut depths: Vec<usize> = Vec::new();
    let mut lines = Vec::new();
    for element in &folded.elements {
        let depth = element.parent.map_or(0, |p| depths[p as usize] + 1);
        depths.push(depth);
        let of_then = element
            .earlier
            .and_then(|seen| earlier[seen.version as usize].map(|i| &i.elements[seen.element as usize]));
        let of_now = element.current.and_then(|at| current.map(|i| &i.elements[at as usize]));
        let record = of_now.or(of_then).expect("some version has it");
        let variant = record.variant.map_or(String::new(), |(_, v)| format!("#{v}"));
        let operation = format!("{:?}", element.operation).to_lowercase();
        let seen = element.earlier.map_or(String::new(), |seen| format!(" @{}", seen.version));
        let step = if depth == 0 { "root" } else { record.step.as_str() };
        lines.push(format!("{}{step}{variant} {operation}{seen}", "  ".repeat(depth)));
    }
    lines
}
