//! What is computed from the inputs, and remembered: the model, the instances, what they make.
//!
//! Granularity: one [`instances`] and one [`evaluation`] a file, one of each `shard_…` a hundred
//! files, and a few whole-project queries that read shards alone. Whatever differs between two
//! runs of one content (spans) is carried beside the compared value.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::{FileId, Name};
use crate::data::Spans;
use crate::db::{Db, Project, Shard, SourceFile};
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::instance::Shapes;
use crate::eval::world::PendingReference;
use crate::eval::{Computed, Instance, Key, Object, Plan, Reference, RunOutput, Value};
use crate::model::lower::{ModuleSource, Settings};
use crate::model::program::NodeTables;
use crate::model::{Program, TypeId};
use crate::syntax::{self, Parse};

use super::world::{DbWorld, Reads};

/// The tree of a model file.
#[salsa::tracked(returns(clone), no_eq)]
pub fn parsed_model(db: &dyn Db, file: SourceFile) -> Arc<Parse> {
    let path = file.path(db);
    let bytes = file.content(db).as_deref().unwrap_or_default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => text,
        // No text: nothing in it says anything.
        _ => "",
    };
    Arc::new(syntax::parse(path, text))
}

/// The model with its side tables: changes with every edit of a model file.
#[derive(Debug)]
pub struct CheckedModel {
    /// The model.
    pub program: Arc<Program>,
    /// The bytes of its numbered places.
    pub nodes: Arc<NodeTables>,
    /// What is wrong with it, that does not parse included.
    pub diagnostics: Vec<Diagnostic>,
}

/// All model files together, the standard library among them.
#[salsa::tracked(returns(clone), no_eq)]
pub fn checked_model(db: &dyn Db) -> Arc<CheckedModel> {
    let project = Project::get(db);
    let mut parses: Vec<(FileId, Vec<Name>, Arc<Parse>)> = Vec::new();
    for (path, text) in super::stdlib::modules() {
        let file = FileId::new(&format!("std:{path}"));
        let module = ["std", path.trim_end_matches(".gops")].map(Name::new).to_vec();
        parses.push((file, module, Arc::new(syntax::parse(file, text))));
    }
    let mut diagnostics = Vec::new();
    for (module, file) in project.models(db).iter() {
        let path = file.path(db);
        if let Err(error) = file.content(db) {
            diagnostics.push(Diagnostic::new(codes::UNREADABLE, Place::File(path), error.to_string()));
        } else if let Ok(bytes) = file.content(db) {
            diagnostics.extend(no_text(path, bytes));
        }
        parses.push((path, module.clone(), parsed_model(db, *file)));
    }
    for (_, _, parse) in &parses {
        diagnostics.extend(parse.diagnostics.iter().cloned());
    }
    let modules: Vec<ModuleSource<'_>> = parses
        .iter()
        .map(|(file, path, parse)| ModuleSource {
            file: *file,
            module_path: path.clone(),
            ast: &parse.module,
        })
        .collect();
    let settings =
        Settings { project: project.name(db).clone(), environments: project.environments(db).to_vec() };
    let declared = crate::model::lower::declare(&modules, &settings);
    let template = |path: &str| template_text(db, path);
    let checked = crate::types::check(declared, &template);
    diagnostics.extend(checked.diagnostics);
    Arc::new(CheckedModel { program: Arc::new(checked.program), nodes: Arc::new(checked.nodes), diagnostics })
}

/// What is said of a model that is no text: where it stops to be one.
fn no_text(path: FileId, bytes: &[u8]) -> Option<Diagnostic> {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let nul = bytes.iter().take(valid).position(|&b| b == 0);
    let at = nul.unwrap_or(valid);
    let byte = bytes.get(at)?;
    let message = if nul.is_some() { "the file is no text" } else { "the file is not UTF-8" };
    let what = match nul {
        Some(_) => "a NUL byte stands here".to_owned(),
        None => format!("the byte 0x{byte:02x} starts no character"),
    };
    let place = Place::span(path, crate::base::Span::new(at, at + 1));
    let problem = Diagnostic::new(crate::diag::codes::data::NOT_UTF8, place, message).at(what);
    Some(problem.help("save the file as UTF-8, or take it out of the model's folder"))
}

/// The text of a template, read as an input.
fn template_text(db: &dyn Db, path: &str) -> Result<String, EcoString> {
    if is_ignored(db, path) {
        return Err("it is no file of the project: a `.gitignore` leaves it out".into());
    }
    let file = db.source(FileId::new(path));
    match file.content(db) {
        Ok(bytes) => String::from_utf8(bytes.to_vec()).map_err(|_| "it is not UTF-8".into()),
        Err(error) => Err(EcoString::from(error.to_string())),
    }
}

/// The model alone: stays equal when only layout changes.
#[salsa::tracked(returns(clone))]
pub fn program(db: &dyn Db) -> Arc<Program> {
    checked_model(db).program.clone()
}

/// The model with all that is worked out from it once.
#[derive(Debug)]
pub struct Ready {
    /// The model.
    pub program: Arc<Program>,
    /// For runs.
    pub plan: Plan,
    /// For reading instances.
    pub shapes: Shapes,
}

/// The model, ready for runs.
#[salsa::tracked(returns(clone), no_eq)]
pub fn ready(db: &dyn Db) -> Arc<Ready> {
    let program = program(db);
    Arc::new(Ready { plan: Plan::new(&program), shapes: Shapes::new(&program), program })
}

/// Something that is computed once for everybody.
#[derive(Clone, PartialEq, Debug)]
pub struct Once {
    /// Its value, if there is one.
    pub value: Result<Value, ()>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read by `file()` and `files()`.
    pub files: Vec<FileId>,
    /// All that was read.
    pub reads: Reads,
}

impl Once {
    fn new(world: DbWorld<'_>, computed: Computed) -> Self {
        let diagnostics = computed.output.diagnostics;
        let (files, reads) = world.into_read();
        Once { value: computed.value, diagnostics, files, reads }
    }
}

/// A constant of a module.
#[salsa::tracked(returns(ref))]
pub fn constant(db: &dyn Db, _project: Project, index: u32) -> Once {
    let world = DbWorld::new(db);
    let computed = crate::eval::constant(&world, index);
    Once::new(world, computed)
}

/// The result of a function without parameters.
#[salsa::tracked(returns(ref))]
pub fn function(db: &dyn Db, _project: Project, index: u32) -> Once {
    let world = DbWorld::new(db);
    let computed = crate::eval::function(&world, index);
    Once::new(world, computed)
}

/// The rules of a `.gitignore`.
#[salsa::tracked(returns(clone), no_eq)]
fn ignore_rules(db: &dyn Db, file: SourceFile) -> Option<Arc<ignore::gitignore::Gitignore>> {
    file.content(db).as_ref().ok().map(|bytes| super::walk::rules(bytes))
}

/// Whether a file is no part of the project: a `.gitignore` matches it, or it is Git's own.
pub fn is_ignored(db: &dyn Db, path: &str) -> bool {
    let rules = &mut |folder: &str| {
        let file = db.source(FileId::new(&super::walk::join(folder, ".gitignore")));
        ignore_rules(db, file)
    };
    path.split('/').any(|part| part == ".git") || super::walk::is_ignored(path, false, rules)
}

/// The literals of the model that their types refuse.
#[salsa::tracked(returns(ref))]
pub fn refused_literals(db: &dyn Db, _project: Project) -> Vec<Diagnostic> {
    crate::eval::refused_literals(&DbWorld::new(db))
}

/// What a unit holds: one instance, or those of an `each` file.
#[derive(Debug, Default)]
pub struct UnitInstances {
    /// In order of the file. One that is beyond reading is left out.
    pub instances: Vec<Arc<Instance>>,
    /// What is wrong with them, with places by number.
    pub diagnostics: Vec<Diagnostic>,
    /// References to instances of slices that stand in the data, to be checked at the end.
    pub references: Vec<PendingReference>,
    /// The bytes of the nodes of each document. Not compared: a query must not read them.
    pub spans: Vec<(FileId, Spans)>,
    /// The files that defaults have read by `file()` and `files()`.
    pub files: Vec<FileId>,
    /// All that was read beside the unit's own files.
    pub reads: Reads,
}

impl PartialEq for UnitInstances {
    fn eq(&self, other: &Self) -> bool {
        self.instances == other.instances
            && self.diagnostics == other.diagnostics
            && self.references == other.references
            && self.files == other.files
            && self.reads == other.reads
    }
}

/// The instances of a unit, typed.
#[salsa::tracked(returns(ref))]
pub fn instances(db: &dyn Db, file: SourceFile) -> Arc<UnitInstances> {
    Arc::new(super::units::read(db, &ready(db), file))
}

/// What the `impl`s of a unit's instances make, and what their checks say.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// One for each instance, in order.
    pub outputs: Vec<RunOutput>,
    /// The files that were read by `file()` and `files()`.
    pub files: Vec<FileId>,
    /// All that was read.
    pub reads: Reads,
}

impl Evaluation {
    /// What was made, in the order in which it was.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> + Clone {
        self.outputs.iter().flat_map(|output| &output.objects)
    }
}

/// Runs the `impl`s of a unit's instances.
#[salsa::tracked(returns(ref), no_eq)]
pub fn evaluation(db: &dyn Db, file: SourceFile) -> Arc<Evaluation> {
    let world = DbWorld::new(db);
    let unit = instances(db, file);
    let outputs = unit.instances.iter().map(|i| crate::eval::run_instance(&world, i)).collect();
    let (files, reads) = world.into_read();
    Arc::new(Evaluation { outputs, files, reads })
}

/// The evaluations of a shard, in the order of its units.
#[salsa::tracked(returns(ref), no_eq)]
pub fn shard_evaluations(db: &dyn Db, shard: Shard) -> Arc<[Arc<Evaluation>]> {
    shard.units(db).iter().map(|&file| evaluation(db, file).clone()).collect()
}

/// The instances of a shard, in the order of its units. What else is asked of a shard goes through
/// this: to look whether an edit concerns it is then one step, not one for each of its files.
#[salsa::tracked(returns(ref), no_eq)]
pub fn shard_instances(db: &dyn Db, shard: Shard) -> Arc<[Arc<UnitInstances>]> {
    shard.units(db).iter().map(|&file| instances(db, file).clone()).collect()
}

/// The keys of a shard's instances, each with its unit and number: all that the index of a slice
/// is made of.
#[salsa::tracked(returns(ref))]
pub fn shard_keys(db: &dyn Db, shard: Shard) -> Arc<[(Key, SourceFile, u32)]> {
    let mut keys = Vec::new();
    for (&file, unit) in shard.units(db).iter().zip(shard_instances(db, shard).iter()) {
        keys.extend(unit.instances.iter().map(|i| (i.key.clone(), file, i.id.item)));
    }
    keys.into()
}

/// What checks say, and what they have read for it.
#[derive(Debug, Default)]
pub struct Checks {
    /// What does not hold.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read by `file()` and `files()`.
    pub files: Vec<FileId>,
    /// All that was read.
    pub reads: Reads,
}

/// What the checks of a shard's instances say. They may read anything, so they are apart from
/// the evaluations, which others read.
#[salsa::tracked(returns(ref), no_eq)]
pub fn shard_checks(db: &dyn Db, shard: Shard) -> Arc<Checks> {
    let world = DbWorld::new(db);
    let mut problems = Vec::new();
    for instance in shard_instances(db, shard).iter().flat_map(|unit| &unit.instances) {
        crate::eval::check_instance(&world, instance, &mut problems);
    }
    let (files, reads) = world.into_read();
    Arc::new(Checks { diagnostics: problems, files, reads })
}

/// The objects of one type that a shard makes.
#[salsa::tracked(returns(ref))]
pub fn shard_objects(db: &dyn Db, shard: Shard, ty: TypeId) -> Arc<[Arc<Object>]> {
    let evaluations = shard_evaluations(db, shard);
    let outputs = evaluations.iter().flat_map(|e| &e.outputs);
    outputs.flat_map(|o| &o.objects).filter(|o| o.reference.ty == ty).cloned().collect()
}

/// All objects of a type, merged.
#[derive(PartialEq, Debug, Default)]
pub struct TypeObjects {
    /// In the order of their keys.
    pub sorted: Arc<[Value]>,
    /// By reference.
    pub by_reference: FxHashMap<Arc<Reference>, Arc<Object>>,
}

/// All objects of an entity's or resource's type.
pub fn objects(db: &dyn Db, ty: TypeId) -> &Arc<TypeObjects> {
    objects_of(db, Project::get(db), ty)
}

#[salsa::tracked(returns(ref))]
pub fn objects_of(db: &dyn Db, project: Project, ty: TypeId) -> Arc<TypeObjects> {
    let program = program(db);
    let makers = super::creators::creators(&program, ty);
    let shards = project.shards(db);
    let mut found: Vec<Arc<Object>> = Vec::new();
    for slice in &makers.slices {
        for &shard in shards.get(&program.ty(*slice).decl().path).into_iter().flat_map(|s| s.iter()) {
            found.extend(shard_objects(db, shard, ty).iter().cloned());
        }
    }
    for &entity in &makers.entities {
        for maker in objects(db, entity).by_reference.keys() {
            let output = entity_evaluation(db, EntityKey::new(db, maker.clone()));
            found.extend(
                output.outputs.iter().flat_map(|o| &o.objects).filter(|o| o.reference.ty == ty).cloned(),
            );
        }
    }
    let mut by_reference: FxHashMap<Arc<Reference>, Arc<Object>> = FxHashMap::default();
    for object in found {
        let merged = match by_reference.remove(&object.reference) {
            Some(one) => Arc::new(crate::eval::merge::merged(object, [one])),
            None => object,
        };
        by_reference.insert(merged.reference.clone(), merged);
    }
    let mut sorted: Vec<Value> = by_reference.keys().cloned().map(Value::Ref).collect();
    sorted.sort_by(|a, b| crate::eval::compare::compare(&ready(db).plan, a, b));
    Arc::new(TypeObjects { sorted: sorted.into(), by_reference })
}

/// An entity, as the argument of a query.
#[salsa::interned(debug)]
pub struct EntityKey<'db> {
    /// Which.
    #[returns(ref)]
    pub reference: Arc<Reference>,
}

/// Runs the `impl`s of an entity.
#[salsa::tracked(returns(ref), no_eq)]
pub fn entity_evaluation<'db>(db: &'db dyn Db, entity: EntityKey<'db>) -> Arc<Evaluation> {
    let reference = entity.reference(db);
    let Some(object) = objects(db, reference.ty).by_reference.get(reference) else { return Arc::default() };
    let world = DbWorld::new(db);
    let outputs = vec![crate::eval::run_entity(&world, object)];
    let (files, reads) = world.into_read();
    Arc::new(Evaluation { outputs, files, reads })
}

/// All instances of a slice, as references in the order of their keys.
pub fn slice_instances(db: &dyn Db, ty: TypeId) -> &Arc<[Value]> {
    instances_of(db, Project::get(db), ty)
}

#[salsa::tracked(returns(ref))]
fn instances_of(db: &dyn Db, project: Project, ty: TypeId) -> Arc<[Value]> {
    let program = program(db);
    let shards = project.shards(db);
    let mut all = Vec::new();
    for &shard in shards.get(&program.ty(ty).decl().path).into_iter().flat_map(|s| s.iter()) {
        for (key, ..) in shard_keys(db, shard).iter() {
            all.push(Value::Ref(Arc::new(Reference { ty, key: key.clone() })));
        }
    }
    all.sort_by(|a, b| crate::eval::compare::compare(&ready(db).plan, a, b));
    all.dedup();
    all.into()
}

/// The place of the instance with a key.
pub fn find(db: &dyn Db, program: &Program, ty: TypeId, key: &Key) -> Option<(SourceFile, u32)> {
    let buckets = Project::get(db).keys(db).get(&program.ty(ty).decl().path)?;
    let text = key_text(key);
    let bucket = buckets.get(bucket_of(&text, buckets.len()))?;
    bucket.entries(db).get(&text).copied()
}

/// Which of `count` buckets a key is in.
pub fn bucket_of(text: &str, count: usize) -> usize {
    use std::hash::{BuildHasher as _, BuildHasherDefault};
    let hash = BuildHasherDefault::<rustc_hash::FxHasher>::default().hash_one(text);
    // The upper bits are the good ones of this hash.
    (hash >> 32) as usize % count.max(1)
}

/// A key as text: different keys of one slice have different texts.
pub fn key_text(key: &[Value]) -> EcoString {
    use std::fmt::Write as _;
    let mut text = EcoString::new();
    for value in key {
        let written = match value {
            Value::Str(s) if key.len() == 1 => {
                text.push_str(s);
                Ok(())
            }
            Value::Str(s) => write!(text, "{}:{s};", s.len()),
            Value::Int(i) => write!(text, "{i};"),
            Value::Bool(b) => write!(text, "{b};"),
            Value::Enum(_, v) => write!(text, "#{v};"),
            Value::Ref(r) => write!(text, "[{}]", key_text(&r.key)),
            // Nothing else can be a key but null.
            _ => write!(text, "-;"),
        };
        // Writing to a string does not fail.
        let _ = written;
    }
    text
}

/// A key for people: `"a"`, or `(host: "h", port: 80)`.
pub fn key_shown(record: &crate::model::RecordDef, key: &[Value]) -> String {
    let one = |value: &Value| match value {
        Value::Str(text) => format!("`{text}`"),
        Value::Int(number) => format!("`{number}`"),
        Value::Bool(b) => format!("`{b}`"),
        Value::Null => "`null`".to_owned(),
        other => format!("`{}`", key_text(std::slice::from_ref(other))),
    };
    match key {
        [value] => one(value),
        values => {
            let named = record.keys.iter().zip(values).map(|(def, v)| format!("{} {}", def.name, one(v)));
            named.collect::<Vec<_>>().join(", ")
        }
    }
}
