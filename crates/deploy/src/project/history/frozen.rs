//! A project as it was, apart from the database: what its runs gave.
//!
//! One database holds one revision at a time, and what is equal in two of them is computed once. So a
//! session looks at each earlier project in turn, keeps what came of it here, and goes home. What
//! is equal in several versions is the same `Arc` in all of them.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::{FileId, System};
use crate::data::Spans;
use crate::diag::{Diagnostic, Place};
use crate::eval::relations::{Edges, edges, object_edges};
use crate::eval::value::FileValue;
use crate::eval::{Element, Instance, InstanceId, Key, Object, Plan, Reference, Value, Version, World};
use crate::model::{Program, TypeId};
use crate::project::graphs::{Gathered, Runs};
use crate::project::origins::Texts;
use crate::project::queries::{Evaluation, Ready, UnitInstances, key_text};
use crate::project::session::Session;
use crate::project::walk::Walker;
use crate::project::world::{file_value, matching};
use crate::syntax::ast::RecordKind;

type Related = Arc<FxHashMap<Arc<Reference>, Arc<[Value]>>>;

/// All that a session's runs gave, and the files that they were over.
pub(super) struct Frozen {
    pub(super) runs: Runs,
    pub(super) gathered: Gathered,
    ready: Arc<Ready>,
    environment: Option<u16>,
    system: Arc<dyn System>,
    listing: Arc<[FileId]>,
    /// Where the instance with a key is: its unit, and its place there. Made when it is asked for.
    index: OnceCell<FxHashMap<(TypeId, EcoString), (u32, u32)>>,
    /// The runs of entities.
    entities: OnceCell<FxHashMap<Arc<Reference>, u32>>,
    asked: RefCell<Asked>,
}

/// What was asked for, to be answered the same way again.
#[derive(Default)]
struct Asked {
    all: FxHashMap<TypeId, Arc<[Value]>>,
    related: FxHashMap<u32, Related>,
    constants: FxHashMap<u32, Result<Value, ()>>,
    functions: FxHashMap<u32, Result<Value, ()>>,
}

impl Frozen {
    /// What a session's runs gave just now.
    pub(super) fn new(session: &Session, runs: Runs, gathered: Gathered) -> Self {
        Frozen {
            runs,
            gathered,
            ready: crate::project::queries::ready(&session.db),
            environment: session.project.environment(&session.db),
            system: session.db.system().clone(),
            listing: session.project.listing(&session.db).clone(),
            index: OnceCell::new(),
            entities: OnceCell::new(),
            asked: RefCell::default(),
        }
    }

    fn at(&self, file: FileId) -> Option<&(FileId, Arc<UnitInstances>, Arc<Evaluation>)> {
        let at = self.runs.units.binary_search_by(|(of, ..)| of.path().cmp(file.path())).ok()?;
        self.runs.units.get(at)
    }

    fn index(&self) -> &FxHashMap<(TypeId, EcoString), (u32, u32)> {
        self.index.get_or_init(|| {
            let mut index = FxHashMap::default();
            for (number, (_, unit, _)) in (0..).zip(&self.runs.units) {
                for (at, instance) in (0..).zip(&unit.instances) {
                    // Of two with one key the first by path is meant.
                    index.entry((instance.ty, key_text(&instance.key))).or_insert((number, at));
                }
            }
            index
        })
    }

    fn entity(&self, entity: &Arc<Reference>) -> Option<&Arc<Evaluation>> {
        let entities = self.entities.get_or_init(|| {
            let all = (0..).zip(&self.runs.entities);
            all.map(|(number, (reference, _))| (reference.clone(), number)).collect()
        });
        let (_, evaluation) = self.runs.entities.get(*entities.get(entity)? as usize)?;
        Some(evaluation)
    }

    fn is_slice(&self, ty: TypeId) -> bool {
        self.program().record(ty).is_some_and(|r| r.kind == RecordKind::Slice)
    }

    fn relation(&self, index: u32) -> Related {
        if let Some(known) = self.asked.borrow().related.get(&index) {
            return known.clone();
        }
        let Some(def) = self.program().relations.get(index as usize) else { return Arc::default() };
        let mut found = Vec::new();
        let kind = self.program().record(def.source).map(|r| r.kind);
        if matches!(kind, Some(RecordKind::Entity | RecordKind::Target | RecordKind::Resource)) {
            let objects = self.gathered.objects.values().filter(|o| o.reference.ty == def.source);
            objects.for_each(|object| object_edges(object, def.by, &mut found));
        } else {
            for instance in self.runs.units.iter().flat_map(|(_, unit, _)| &unit.instances) {
                edges(self, instance, def.source, def.by, &mut found);
            }
        }
        let all = Edges::new(found);
        let related = Arc::new(match def.closure {
            true => all.closure(self.plan()),
            false => all.inverse(self.plan(), def.list),
        });
        self.asked.borrow_mut().related.insert(index, related.clone());
        related
    }
}

impl World for Frozen {
    fn program(&self) -> &Program {
        &self.ready.program
    }

    fn plan(&self) -> &Plan {
        &self.ready.plan
    }

    fn environment(&self) -> Option<u16> {
        self.environment
    }

    fn instance(&self, ty: TypeId, key: &Key) -> Option<Arc<Instance>> {
        let (unit, at) = *self.index().get(&(ty, key_text(key)))?;
        let (_, unit, _) = self.runs.units.get(unit as usize)?;
        unit.instances.get(at as usize).cloned()
    }

    fn instance_at(&self, id: InstanceId) -> Option<Arc<Instance>> {
        let (_, unit, _) = self.at(id.file)?;
        unit.instances.iter().find(|i| i.id.item == id.item).cloned()
    }

    fn object(&self, reference: &Reference) -> Option<Arc<Object>> {
        self.gathered.objects.get(reference).cloned()
    }

    fn all(&self, ty: TypeId) -> Arc<[Value]> {
        if let Some(known) = self.asked.borrow().all.get(&ty) {
            return known.clone();
        }
        let mut all: Vec<Value> = if self.is_slice(ty) {
            let instances = self.runs.units.iter().flat_map(|(_, unit, _)| &unit.instances);
            let of = instances.filter(|i| i.ty == ty);
            of.map(|i| Value::Ref(Arc::new(Reference { ty, key: i.key.clone() }))).collect()
        } else {
            let references = self.gathered.objects.keys().filter(|r| r.ty == ty);
            references.cloned().map(Value::Ref).collect()
        };
        all.sort_by(|a, b| crate::eval::compare::compare(self.plan(), a, b));
        all.dedup();
        let all: Arc<[Value]> = all.into();
        self.asked.borrow_mut().all.insert(ty, all.clone());
        all
    }

    fn related(&self, relation: u32, owner: &Reference) -> Arc<[Value]> {
        self.relation(relation).get(owner).cloned().unwrap_or_default()
    }

    fn derived(&self, _: Element, _: u16) -> Option<Result<Value, ()>> {
        None
    }

    fn constant(&self, index: u32) -> Option<Result<Value, ()>> {
        let known = self.asked.borrow().constants.get(&index).cloned();
        Some(known.unwrap_or_else(|| {
            let value = crate::eval::constant(self, index).value;
            self.asked.borrow_mut().constants.insert(index, value.clone());
            value
        }))
    }

    fn function(&self, index: u32) -> Option<Result<Value, ()>> {
        let known = self.asked.borrow().functions.get(&index).cloned();
        Some(known.unwrap_or_else(|| {
            let value = crate::eval::function(self, index).value;
            self.asked.borrow_mut().functions.insert(index, value.clone());
            value
        }))
    }

    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString> {
        let is_gits = path.split('/').any(|part| part == ".git");
        if is_gits || Walker::new(&*self.system).is_ignored(path, false) {
            return Err(format!("`{path}` is no file of the project: a `.gitignore` leaves it out").into());
        }
        match self.system.read(path) {
            Ok(bytes) => Ok(Arc::new(file_value(path, &bytes))),
            Err(error) => Err(EcoString::from(error.to_string())),
        }
    }

    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString> {
        let found = matching(&self.listing, folder, pattern)?;
        Ok(found.into_iter().map(|f| f.path().into()).collect())
    }
}

impl Version for Frozen {
    fn world(&self) -> &dyn World {
        self
    }

    /// Those that fit the model: what could not be read without a mistake is left out.
    fn instances(&self) -> Vec<Arc<Instance>> {
        let fits = |d: &Diagnostic| !d.is_error();
        let units = self.runs.units.iter().map(|(_, unit, _)| unit);
        let sound = units.filter(|unit| unit.diagnostics.iter().all(fits));
        sound.flat_map(|unit| &unit.instances).filter(|i| !i.broken).cloned().collect()
    }

    fn each_made(&self, instance: &Arc<Instance>, found: &mut dyn FnMut(&Arc<Object>)) {
        let Some((_, unit, evaluation)) = self.at(instance.id.file) else { return };
        let at = unit.instances.iter().position(|i| i.id == instance.id);
        if let Some(output) = at.and_then(|at| evaluation.outputs.get(at)) {
            output.objects.iter().for_each(found);
        }
    }

    fn each_made_by(&self, entity: &Arc<Reference>, found: &mut dyn FnMut(&Arc<Object>)) {
        self.entity(entity).into_iter().flat_map(|e| e.objects()).for_each(found);
    }
}

impl Texts for Frozen {
    fn unit(&self, file: FileId) -> Option<&Arc<UnitInstances>> {
        self.at(file).map(|(_, unit, _)| unit)
    }

    fn spans(&self, file: FileId) -> Vec<(FileId, Spans)> {
        let own = self.at(file).into_iter().map(|(_, unit, _)| unit);
        let units = own.chain(self.runs.units.iter().map(|(_, unit, _)| unit));
        let found = units.flat_map(|unit| &unit.spans).find(|(of, _)| *of == file);
        found.cloned().into_iter().collect()
    }

    fn text(&self, file: FileId) -> Option<String> {
        if let Some(text) = crate::project::stdlib::text(file) {
            return Some(text.to_owned());
        }
        let bytes = self.system.read(file.path()).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn field_source(&self, object: &Object, field: &str) -> Option<(Place, Option<Place>)> {
        crate::eval::blame::field_source(self, object, field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MemorySystem;
    use crate::project::{EarlierProject, Options};

    const MODEL: &str = r#"
use std::files::TextFile
slice Site in "sites" { key name: string, text: string = "" }
impl Site { TextFile { path: "/srv/${name}", content: text } }
"#;

    /// A project of twenty sites, the first of which says something.
    fn system(text: &str) -> Arc<dyn System> {
        let system = MemorySystem::new([("gops.toml", "name = \"a\"\nedition = \"2026\"\n")]);
        system.write("model/main.gops", MODEL.as_bytes());
        for number in 0..20 {
            let text = if number == 0 { text } else { "" };
            let site = format!("{{ name: s{number}, text: \"{text}\" }}");
            system.write(&format!("sites/{number}.yaml"), site.as_bytes());
        }
        Arc::new(system)
    }

    /// However many versions there are, what nobody changed is read and evaluated once.
    #[test]
    fn versions_share_what_is_equal() {
        let then = |text: &str| EarlierProject {
            files: Some(system(text)),
            changed: Some([EcoString::from("sites/0.yaml")].into()),
            ..EarlierProject::default()
        };
        let mut session = Session::open(system("now"), Options::default());
        session.load_instances();
        let now = session.runs();
        let seen = session.look_at(&[then("a"), then("b"), then("c")], &|_| true);
        assert_eq!(seen.len(), 3);
        for seen in seen {
            let then = seen.expect("its files are known").frozen.runs;
            let pairs = now.units.iter().zip(&then.units);
            let other: Vec<&str> = pairs
                .filter(|(a, b)| !Arc::ptr_eq(&a.1, &b.1) || !Arc::ptr_eq(&a.2, &b.2))
                .map(|(a, _)| a.0.path())
                .collect();
            assert_eq!(other, ["sites/0.yaml"]);
        }
    }
}
