//! From evaluations to the graph, and everything that is to be said on the way.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::FileId;

use crate::diag::Diagnostic;
use crate::eval::{Object, Reference};
use crate::graph::{Allow, GraphBuilder, Header, Source};
use crate::model::{Program, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::assemble::{Assembly, Objects, assemble};
use super::origins::Origins;
use super::queries::{self, CheckedModel, Evaluation, UnitInstances};
use super::session::Session;

/// What the last graph was made from, to be brought up to date.
#[derive(Default)]
pub struct GraphState {
    /// The digests of the data files.
    pub(super) sources: super::sources::Sources,
}

/// Everything that runs gave, gathered.
pub(super) struct Runs {
    pub model: Arc<CheckedModel>,
    /// The units, sorted by path.
    pub units: Vec<(FileId, Arc<UnitInstances>, Arc<Evaluation>)>,
    /// The entities whose `impl`s ran.
    pub entities: Vec<(Arc<Reference>, Arc<Evaluation>)>,
}

impl Runs {
    pub(super) fn program(&self) -> &Program {
        &self.model.program
    }

    pub(super) fn evaluations(&self) -> impl Iterator<Item = &Evaluation> {
        let units = self.units.iter().map(|(_, _, e)| e);
        units.chain(self.entities.iter().map(|(_, e)| e)).map(|e| &**e)
    }

    /// All outputs, in an order that depends on nothing but paths and keys.
    fn outputs(&self) -> impl Iterator<Item = &crate::eval::RunOutput> {
        self.evaluations().flat_map(|e| &e.outputs)
    }
}

impl Session {
    /// The graph as far as there is one, and how many instances there are.
    pub(super) fn graph(&mut self, diagnostics: &mut Vec<Diagnostic>) -> (usize, Option<GraphBuilder>) {
        let runs = self.runs();
        diagnostics.extend(runs.model.diagnostics.iter().cloned());
        let mut instances = 0;
        for (_, unit, evaluation) in &runs.units {
            instances += unit.instances.len();
            diagnostics.extend(unit.diagnostics.iter().cloned());
            diagnostics.extend(evaluation.outputs.iter().flat_map(|o| &o.diagnostics).cloned());
        }
        for (_, evaluation) in &runs.entities {
            diagnostics.extend(evaluation.outputs.iter().flat_map(|o| &o.diagnostics).cloned());
        }
        for shard in self.all_shards() {
            diagnostics.extend(queries::shard_checks(&self.db, shard).iter().cloned());
        }
        diagnostics.extend(super::relations::problems(&self.db).iter().cloned());
        self.strays(&runs, diagnostics);

        let (objects, made_by) = gather(&runs, diagnostics);
        super::references::check(&self.db, &runs, &objects, diagnostics);
        let header = self.header(&runs);
        let origins = Origins::new(&self.db, &runs.model.nodes, &objects);
        let assembly =
            Assembly { program: runs.program(), objects: &objects, made_by: &made_by, origins: &origins };
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        let builder = (!failed).then(|| {
            let assembled = assemble(&assembly, header);
            diagnostics.extend(assembled.diagnostics);
            assembled.builder
        });
        for diagnostic in diagnostics.iter_mut() {
            *diagnostic = diagnostic.clone().resolved(&origins);
        }
        (instances, builder)
    }

    fn runs(&self) -> Runs {
        let model = queries::checked_model(&self.db);
        let mut units = Vec::new();
        for shard in self.all_shards() {
            let files = shard.units(&self.db);
            let read = queries::shard_instances(&self.db, shard);
            let evaluated = queries::shard_evaluations(&self.db, shard);
            for ((file, unit), evaluation) in files.iter().zip(read.iter()).zip(evaluated.iter()) {
                units.push((file.path(&self.db), unit.clone(), evaluation.clone()));
            }
        }
        units.sort_by_key(|(file, ..)| file.path());
        let entities = self.entity_runs(&model.program);
        Runs { model, units, entities }
    }

    fn entity_runs(&self, program: &Program) -> Vec<(Arc<Reference>, Arc<Evaluation>)> {
        let mut types: Vec<TypeId> = program.impls.iter().map(|i| i.ty).filter(|&t| is_entity(program, t)).collect();
        types.sort();
        types.dedup();
        let mut runs = Vec::new();
        for ty in types {
            for value in queries::objects(&self.db, ty).sorted.iter() {
                if let crate::eval::Value::Ref(reference) = value {
                    let key = queries::EntityKey::new(&self.db, reference.clone());
                    runs.push((reference.clone(), queries::entity_evaluation(&self.db, key).clone()));
                }
            }
        }
        runs
    }

    /// Warns of what lies in slices' folders and nothing reads.
    fn strays(&self, runs: &Runs, diagnostics: &mut Vec<Diagnostic>) {
        if self.layout.strays.is_empty() {
            return;
        }
        let mut read: Vec<FileId> = runs.units.iter().flat_map(|(_, _, e)| e.files.iter().copied()).collect();
        read.extend(runs.entities.iter().flat_map(|(_, e)| e.files.iter().copied()));
        read.extend(runs.program().templates.iter().map(|t| t.file));
        let unread = self.layout.strays.iter().filter(|(file, _)| !read.contains(file));
        diagnostics.extend(unread.map(|(_, d)| d.clone()));
    }

    fn header(&mut self, runs: &Runs) -> Header {
        let (model, data) = self.state.sources.digests(&self.db, self.project, runs);
        let config = self.config();
        let mut allow: Vec<Allow> = config
            .iter()
            .flat_map(|c| &c.guard.allow)
            .map(|(base, n)| Allow { base: base.clone(), deletions: (*n).min(u64::from(u32::MAX)) as u32 })
            .collect();
        allow.sort_by(|a, b| a.base.cmp(&b.base));
        let environment = self.project.environment(&self.db);
        let environments = self.project.environments(&self.db);
        Header {
            project: config.map(|c| c.name.clone()).unwrap_or_default(),
            env: environment.and_then(|i| environments.get(i as usize).cloned()),
            source: Source { revision: None, model, data },
            allow,
            moves: Vec::new(),
        }
    }
}

fn is_entity(program: &Program, ty: TypeId) -> bool {
    matches!(program.ty(ty), TypeDef::Record(r)
        if matches!(r.kind, RecordKind::Entity | RecordKind::Target | RecordKind::Resource))
}

type MadeBy = FxHashMap<Arc<Reference>, Vec<Arc<Reference>>>;

/// All objects, merged; and who made what, for `after`.
fn gather(runs: &Runs, diagnostics: &mut Vec<Diagnostic>) -> (Objects, MadeBy) {
    let total: usize = runs.outputs().map(|o| o.objects.len()).sum();
    let mut single: FxHashMap<Arc<Reference>, &Object> = FxHashMap::default();
    single.reserve(total);
    let mut several: FxHashMap<Arc<Reference>, Vec<&Object>> = FxHashMap::default();
    for object in runs.outputs().flat_map(|o| &o.objects) {
        if let Some(first) = single.insert(object.reference.clone(), object) {
            several.entry(object.reference.clone()).or_insert_with(|| vec![first]).push(object);
        }
    }
    let mut objects: Objects = FxHashMap::default();
    objects.reserve(single.len());
    for (reference, object) in single {
        if !several.contains_key(&reference) {
            objects.insert(reference, Arc::new(object.clone()));
        }
    }
    for (reference, made) in several {
        if let Some((object, problems)) = crate::eval::merge::merge(runs.program(), &made) {
            diagnostics.extend(problems);
            objects.insert(reference, Arc::new(object));
        }
    }
    (objects, made_by(runs))
}

fn made_by(runs: &Runs) -> MadeBy {
    let mut made_by = MadeBy::default();
    let wanted = runs.outputs().flat_map(|o| &o.objects).flat_map(|o| &o.after);
    for after in wanted {
        made_by.entry(after.clone()).or_default();
    }
    if made_by.is_empty() {
        return made_by;
    }
    let mut add = |maker: &Arc<Reference>, evaluation: &Evaluation, at: usize| {
        if let (Some(found), Some(output)) = (made_by.get_mut(maker), evaluation.outputs.get(at)) {
            found.extend(output.objects.iter().map(|o| o.reference.clone()));
        }
    };
    for (_, unit, evaluation) in &runs.units {
        for (at, instance) in unit.instances.iter().enumerate() {
            add(&Arc::new(Reference { ty: instance.ty, key: instance.key.clone() }), evaluation, at);
        }
    }
    for (entity, evaluation) in &runs.entities {
        add(entity, evaluation, 0);
    }
    made_by
}

