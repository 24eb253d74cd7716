//! From evaluations to the graph, and everything that is to be said on the way.

use std::sync::Arc;

use indexmap::map::Entry;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::FileId;
use crate::db::{Shard, SourceFile};
use crate::diag::Diagnostic;
use crate::diag::codes::project as codes;
use crate::eval::{Instance, Object, Reference, RunOutput};
use crate::graph::claims::Claims;
use crate::graph::{Allow, GraphBuilder, Header, Source};
use crate::model::program::TemplateDef;
use crate::model::{Program, TypeDef, TypeId};
use crate::syntax::ast::RecordKind;

use super::assemble::{Assembly, Objects, assemble, assemble_drafts};
use super::draft::Drafter;
use super::hidden::Hider;
use super::origins::Origins;
use super::queries::{self, CheckedModel, Evaluation, UnitInstances};
use super::reach::{Edits, ShardRun};
use super::session::Session;
use super::sources::Sources;

/// What the last graph was made from, to be brought up to date.
#[derive(Default)]
pub struct GraphState {
    /// The digests of the data files.
    pub(super) sources: Sources,
    /// Who holds what in the last graph.
    pub(super) claims: Arc<Claims>,
    /// What was made, if nothing was to be said of it.
    previous: Option<Previous>,
}

struct Previous {
    runs: Runs,
    /// In the order of [`Session::all_shards`].
    shards: Vec<ShardRun>,
    objects: Objects,
    made_by: MadeBy,
    /// What several made.
    shared: FxHashSet<Arc<Reference>>,
    claims: Arc<Claims>,
    builder: GraphBuilder,
    instances: usize,
}

type EntityRun = (Arc<Reference>, Arc<Evaluation>);

/// Everything that runs gave, gathered.
pub(super) struct Runs {
    pub model: Arc<CheckedModel>,
    /// The units, sorted by path.
    pub units: Vec<(FileId, Arc<UnitInstances>, Arc<Evaluation>)>,
    /// The entities whose `impl`s ran.
    pub entities: Vec<EntityRun>,
}

/// What was made with no check run on it.
pub(super) struct Unchecked {
    pub runs: Runs,
    pub gathered: Gathered,
    /// Whether the model and the list of files can be trusted.
    pub readable: bool,
}

/// Whose `impl`s ran.
#[derive(Clone, Copy)]
pub(super) enum Maker<'a> {
    Instance(&'a Arc<Instance>),
    Entity(&'a Arc<Reference>),
}

impl Runs {
    pub(super) fn program(&self) -> &Program {
        &self.model.program
    }

    pub(super) fn evaluations(&self) -> impl Iterator<Item = &Evaluation> {
        let units = self.units.iter().map(|(_, _, e)| e);
        units.chain(self.entities.iter().map(|(_, e)| e)).map(|e| &**e)
    }

    /// Every file that was read: units and what `file()` asked for.
    fn files(&self) -> impl Iterator<Item = FileId> {
        let units = self.units.iter().map(|(f, ..)| *f);
        units.chain(self.asked_for())
    }

    /// What `file()` and `files()` asked for.
    fn asked_for(&self) -> impl Iterator<Item = FileId> {
        let defaults = self.units.iter().flat_map(|(_, unit, _)| &unit.files);
        defaults.chain(self.evaluations().flat_map(|e| &e.files)).copied()
    }

    /// Each run with what it was of, in an order that depends on nothing but paths and keys.
    pub(super) fn makers(&self) -> impl Iterator<Item = (Maker<'_>, &RunOutput)> {
        let units = self.units.iter().flat_map(|(_, unit, e)| unit.instances.iter().zip(&e.outputs));
        let entities = self.entities.iter().flat_map(|(r, e)| e.outputs.iter().map(move |o| (r, o)));
        let units = units.map(|(instance, output)| (Maker::Instance(instance), output));
        units.chain(entities.map(|(entity, output)| (Maker::Entity(entity), output)))
    }

    /// All outputs, in an order that depends on nothing but paths and keys.
    fn outputs(&self) -> impl Iterator<Item = &RunOutput> {
        self.evaluations().flat_map(|e| &e.outputs)
    }
}

impl Session {
    /// The graph as far as there is one, and how many instances there are.
    pub(super) fn graph(&mut self, diagnostics: &mut Vec<Diagnostic>) -> (usize, Option<GraphBuilder>) {
        if diagnostics.is_empty()
            && let Some(mut previous) = self.state.previous.take()
            && self.update(&mut previous).is_some()
        {
            let made = (previous.instances, Some(previous.builder.clone()));
            self.state.previous = Some(previous);
            self.edits = Edits::none();
            return made;
        }
        let model = queries::checked_model(&self.db);
        let mut sources = Sources::default();
        let origins = Origins::new(&self.db, &model.nodes);
        let drafter = Drafter::new(&model.program, &self.handlers, &origins);
        let mut drafts = Vec::new();
        let runs = self.runs_with(&mut |made| drafts.push(drafter.drafts(made.objects())));
        let instances = runs.units.iter().map(|(_, unit, _)| unit.instances.len()).sum();
        self.said(&runs, diagnostics);
        let Gathered { objects, made_by, shared } = gather(&runs, diagnostics);
        let checked = super::object_checks::run(&self.db, runs.program(), objects.values(), diagnostics);
        self.strays(&runs, checked, diagnostics);
        super::references::check(&self.db, &runs, &objects, diagnostics);
        unexplained(&runs, diagnostics);
        let header = self.header(&mut sources, &runs.program().templates, runs.files());
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        let assembled = (!failed).then(|| {
            let assembly = Assembly { drafter: &drafter, objects: &objects, made_by: &made_by };
            // What several made is another thing than what each of them made.
            if !shared.is_empty() {
                drafts.iter_mut().for_each(|d| d.retain(|d| !shared.contains(&d.object.reference)));
                drafts.push(drafter.drafts(shared.iter().filter_map(|r| objects.get(r))));
            }
            assemble_drafts(&assembly, drafts, header)
        });
        let assembled = assembled.map(|made| {
            diagnostics.extend(made.diagnostics);
            (made.builder, made.claims)
        });
        for diagnostic in diagnostics.iter_mut() {
            *diagnostic = diagnostic.clone().resolved(&origins);
        }
        drop(drafter);
        drop(origins);
        self.state.sources = sources;
        self.hide(&runs, diagnostics);
        let Some((builder, claims)) = assembled else { return (instances, None) };
        let claims = Arc::new(claims);
        self.state.claims = claims.clone();
        if diagnostics.is_empty() {
            let builder = builder.clone();
            let shards = self.all_shards().map(|shard| ShardRun::of(&self.db, shard)).collect();
            self.state.previous =
                Some(Previous { runs, shards, objects, made_by, shared, claims, builder, instances });
            self.edits = Edits::none();
        }
        (instances, Some(builder))
    }

    /// The graph without checks, as far as there is one; and what is wrong, as an earlier project
    /// says it.
    pub(super) fn unchecked_graph(
        &mut self,
        mut diagnostics: Vec<Diagnostic>,
    ) -> (Option<GraphBuilder>, Vec<Diagnostic>) {
        let Unchecked { runs, gathered, readable } = self.unchecked_runs(&mut diagnostics);
        let Gathered { objects, made_by, .. } = gathered;
        let mut sources = std::mem::take(&mut self.state.sources);
        let header = self.header(&mut sources, &runs.program().templates, runs.files());
        self.state.sources = sources;
        let origins = Origins::new(&self.db, &runs.model.nodes);
        let drafter = Drafter::new(runs.program(), &self.handlers, &origins);
        let assembly = Assembly { drafter: &drafter, objects: &objects, made_by: &made_by };
        let builder = readable.then(|| assemble(&assembly, header).builder);
        self.resolve(&runs, &mut diagnostics);
        (builder, diagnostics)
    }

    /// Everything that is made, with no check run on it; what is wrong is added.
    pub(super) fn unchecked_runs(&self, diagnostics: &mut Vec<Diagnostic>) -> Unchecked {
        let runs = self.runs();
        diagnostics.extend(runs.model.diagnostics.iter().cloned());
        let readable = !diagnostics.iter().any(Diagnostic::is_error);
        for (_, unit, _) in &runs.units {
            diagnostics.extend(unit.diagnostics.iter().cloned());
        }
        diagnostics.extend(runs.outputs().flat_map(|o| &o.diagnostics).cloned());
        let gathered = gather(&runs, diagnostics);
        Unchecked { runs, gathered, readable }
    }

    /// Gives diagnostics their places in bytes, and takes care that none shows a secret.
    pub(super) fn resolve(&self, runs: &Runs, diagnostics: &mut [Diagnostic]) {
        let origins = Origins::new(&self.db, &runs.model.nodes);
        for diagnostic in diagnostics.iter_mut() {
            *diagnostic = diagnostic.clone().resolved(&origins);
        }
        self.hide(runs, diagnostics);
    }

    /// Takes care that no diagnostic shows a secret.
    fn hide(&self, runs: &Runs, diagnostics: &mut [Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        let bases = runs.units.iter().map(|(file, ..)| *file);
        if let Some(mut hider) = Hider::new(&self.db, runs.program(), bases) {
            diagnostics.iter_mut().for_each(|d| hider.hide(d));
        }
    }

    /// Everything that runs and checks say.
    fn said(&self, runs: &Runs, diagnostics: &mut Vec<Diagnostic>) {
        diagnostics.extend(runs.model.diagnostics.iter().cloned());
        for (_, unit, _) in &runs.units {
            diagnostics.extend(unit.diagnostics.iter().cloned());
        }
        diagnostics.extend(runs.outputs().flat_map(|o| &o.diagnostics).cloned());
        for shard in self.all_shards() {
            diagnostics.extend(queries::shard_checks(&self.db, shard).diagnostics.iter().cloned());
        }
        diagnostics.extend(queries::refused_literals(&self.db, self.project).iter().cloned());
        for once in self.computed_once(runs.program()) {
            diagnostics.extend(once.diagnostics.iter().cloned());
        }
        diagnostics.extend(super::relations::problems(&self.db).diagnostics.iter().cloned());
        diagnostics.extend(super::assigned::problems(&self.db, self.project).iter().cloned());
    }

    /// The constants, and the results of functions without parameters.
    fn computed_once<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = &'a queries::Once> {
        let constants =
            (0..program.consts.len() as u32).map(|index| queries::constant(&self.db, self.project, index));
        let functions = (0..).zip(&program.functions).filter(|(_, f)| f.params.is_empty());
        constants.chain(functions.map(|(index, _)| queries::function(&self.db, self.project, index)))
    }

    /// Brings the last graph up to date where an edit changed nothing but the fields of resources
    /// that one unit alone makes, which is what nearly all edits do. None if it is more than
    /// that: then everything is gathered anew.
    fn update(&mut self, previous: &mut Previous) -> Option<()> {
        if !Arc::ptr_eq(&previous.runs.model, &queries::checked_model(&self.db)) {
            return None;
        }
        let Edits::Files(edited) = &self.edits else { return None };
        let changed = self.changed_units(previous, edited)?;
        if !super::relations::problems(&self.db).diagnostics.is_empty()
            || !super::assigned::problems(&self.db, self.project).is_empty()
            || !self.layout.strays.is_empty()
        {
            return None;
        }
        let entities = self.entity_runs(&previous.runs.model.program);
        let same = |(a, b): (&EntityRun, &EntityRun)| a.0 == b.0 && Arc::ptr_eq(&a.1, &b.1);
        if entities.len() != previous.runs.entities.len()
            || !entities.iter().zip(&previous.runs.entities).all(same)
        {
            return None;
        }
        let mut pairs = Vec::new();
        let known = edited.iter().map(|file| file.path(&self.db)).filter(|f| self.state.sources.knows(*f));
        let mut files: Vec<FileId> = known.collect();
        for (at, unit, evaluation) in changed {
            let slot = previous.runs.units.get_mut(at)?;
            // What is read no more is no part of the sources any more.
            if slot.1.files != unit.files || slot.2.files != evaluation.files {
                return None;
            }
            objects_of_one_unit(
                &previous.runs.model.program,
                &previous.shared,
                slot,
                &unit,
                &evaluation,
                &mut pairs,
            )?;
            super::references::all_there(
                &self.db,
                &previous.runs.model.program,
                &previous.objects,
                &unit,
                &evaluation,
            )?;
            files.push(slot.0);
            files.extend(unit.files.iter().chain(&evaluation.files).copied());
            (slot.1, slot.2) = (unit, evaluation);
        }
        for (_, new) in &pairs {
            previous.objects.insert(new.reference.clone(), new.clone());
        }
        let mut problems = Vec::new();
        let program = &previous.runs.model.program;
        super::object_checks::run(&self.db, program, previous.objects.values(), &mut problems);
        if !problems.is_empty() {
            return None;
        }
        let templates = previous.runs.model.program.templates.clone();
        let mut sources = std::mem::take(&mut self.state.sources);
        let header = self.header(&mut sources, &templates, files.into_iter());
        self.state.sources = sources;
        let origins = Origins::new(&self.db, &previous.runs.model.nodes);
        let drafter = Drafter::new(&previous.runs.model.program, &self.handlers, &origins);
        let assembly = Assembly { drafter: &drafter, objects: &previous.objects, made_by: &previous.made_by };
        super::assemble::reassemble(&assembly, &pairs, &previous.claims, &mut previous.builder)?;
        previous.builder.set_header(header);
        Some(())
    }

    /// The units that were read or evaluated anew, by their position. None if something is to be
    /// said of one of them, or if there are others than there were.
    fn changed_units(
        &self,
        previous: &mut Previous,
        edited: &FxHashSet<SourceFile>,
    ) -> Option<Vec<(usize, Arc<UnitInstances>, Arc<Evaluation>)>> {
        let mut changed = Vec::new();
        let mut known = previous.shards.iter_mut();
        for shard in self.all_shards() {
            let known = known.next()?;
            if self.concerned.as_ref().is_some_and(|concerned| !concerned.contains(&shard)) {
                continue;
            }
            let now = ShardRun::of(&self.db, shard);
            if !now.checks().diagnostics.is_empty() {
                return None;
            }
            let same = known.same(&now);
            let files = shard.units(&self.db);
            let before = known.units.iter().zip(known.evaluations.iter());
            let after = now.units.iter().zip(now.evaluations.iter());
            for ((file, old), (unit, evaluation)) in files.iter().zip(before).zip(after) {
                // An edit that only moves things leaves the shard as it is, but not their places.
                let is_edited = super::reach::parts(&self.db, *file).any(|part| edited.contains(&part));
                if same && !is_edited {
                    continue;
                }
                let unit = if is_edited { queries::instances(&self.db, *file) } else { unit };
                if Arc::ptr_eq(old.0, unit) && Arc::ptr_eq(old.1, evaluation) {
                    continue;
                }
                let silent = unit.diagnostics.is_empty()
                    && evaluation.outputs.iter().all(|o| o.diagnostics.is_empty());
                let path = file.path(&self.db).path();
                let at = previous.runs.units.binary_search_by(|(f, ..)| f.path().cmp(path)).ok()?;
                if !silent {
                    return None;
                }
                changed.push((at, unit.clone(), evaluation.clone()));
            }
            *known = now;
        }
        Some(changed)
    }

    /// Finds out which shards what was edited can concern.
    pub(super) fn find_concerned(&mut self) {
        let shards: Vec<Shard> = self.all_shards().collect();
        self.concerned = match &mut self.state.previous {
            Some(previous) if previous.shards.len() == shards.len() => {
                super::reach::concerned(&self.db, &self.edits, shards.into_iter().zip(&mut previous.shards))
            }
            _ => None,
        };
    }

    pub(super) fn runs(&self) -> Runs {
        self.runs_with(&mut |_| {})
    }

    /// Runs everything; `made` is called with each evaluation as soon as it is there.
    fn runs_with(&self, made: &mut dyn FnMut(&Evaluation)) -> Runs {
        let model = queries::checked_model(&self.db);
        let mut units = Vec::new();
        for shard in self.all_shards() {
            let files = shard.units(&self.db);
            let read = queries::shard_instances(&self.db, shard);
            let evaluated = queries::shard_evaluations(&self.db, shard);
            for ((file, unit), evaluation) in files.iter().zip(read.iter()).zip(evaluated.iter()) {
                made(evaluation);
                units.push((file.path(&self.db), unit.clone(), evaluation.clone()));
            }
        }
        // In order already where there is one slice.
        units.sort_by_cached_key(|(file, ..)| file.path());
        let entities = self.entity_runs(&model.program);
        entities.iter().for_each(|(_, evaluation)| made(evaluation));
        Runs { model, units, entities }
    }

    fn entity_runs(&self, program: &Program) -> Vec<EntityRun> {
        let mut types: Vec<TypeId> =
            program.impls.iter().map(|i| i.ty).filter(|&t| is_entity(program, t)).collect();
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

    /// Warns of what lies in slices' folders and nothing reads: no `impl`, no function, no check
    /// (`checked` is what those of objects have read).
    fn strays(&self, runs: &Runs, checked: Vec<FileId>, diagnostics: &mut Vec<Diagnostic>) {
        if self.layout.strays.is_empty() {
            return;
        }
        let mut read: FxHashSet<FileId> = runs.asked_for().collect();
        read.extend(runs.program().templates.iter().map(|t| t.file));
        read.extend(checked);
        read.extend(self.computed_once(runs.program()).flat_map(|once| &once.files));
        read.extend(&super::relations::problems(&self.db).files);
        for shard in self.all_shards() {
            read.extend(&queries::shard_checks(&self.db, shard).files);
        }
        let unread = self.layout.strays.iter().filter(|(file, _)| !read.contains(file));
        diagnostics.extend(unread.map(|(_, d)| d.clone()));
    }

    fn header(
        &self,
        sources: &mut Sources,
        templates: &[TemplateDef],
        files: impl Iterator<Item = FileId>,
    ) -> Header {
        let files = files.chain(templates.iter().map(|t| t.file));
        let (model, data) = sources.digests(&self.db, self.project, files);
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

/// Says so if something was left out although no mistake is known: a graph without it would have
/// it deleted.
fn unexplained(runs: &Runs, diagnostics: &mut Vec<Diagnostic>) {
    if !diagnostics.iter().any(Diagnostic::is_error)
        && let Some(place) = runs.outputs().find_map(|o| o.stopped)
    {
        let problem =
            Diagnostic::new(codes::UNEXPLAINED, place, "this was not evaluated, and no mistake is known")
                .help("this is a fault of gops: please report it, with the line that this points to");
        diagnostics.push(problem);
    }
}

fn is_entity(program: &Program, ty: TypeId) -> bool {
    matches!(program.ty(ty), TypeDef::Record(r)
        if matches!(r.kind, RecordKind::Entity | RecordKind::Target | RecordKind::Resource))
}

pub(super) type MadeBy = FxHashMap<Arc<Reference>, Vec<Arc<Reference>>>;

/// What a unit made before and makes now, paired. None if it makes other objects than it did, or
/// one that others make too, or an entity, that changed.
fn objects_of_one_unit(
    program: &Program,
    shared: &FxHashSet<Arc<Reference>>,
    old: &(FileId, Arc<UnitInstances>, Arc<Evaluation>),
    unit: &UnitInstances,
    evaluation: &Evaluation,
    pairs: &mut Vec<(Arc<Object>, Arc<Object>)>,
) -> Option<()> {
    let keys = |unit: &UnitInstances| unit.instances.iter().map(|i| i.key.clone()).collect::<Vec<_>>();
    if keys(&old.1) != keys(unit) || old.2.outputs.len() != evaluation.outputs.len() {
        return None;
    }
    let moved = old.1.spans != unit.spans;
    for (before, after) in old.2.outputs.iter().zip(&evaluation.outputs) {
        if before.objects.len() != after.objects.len() {
            return None;
        }
        for (old, new) in before.objects.iter().zip(&after.objects) {
            if old.reference != new.reference {
                return None;
            }
            // Other nodes tell of what others make as well, and of entities: these stay as they
            // are, and where they are, or everything is gathered anew.
            if shared.contains(&new.reference) || !is_resource(program, new) {
                let root = new.origin.element.is_some_and(|e| e.index == 0 && e.instance.item == 0);
                if old != new || (moved && !root) {
                    return None;
                }
                continue;
            }
            pairs.push((old.clone(), new.clone()));
        }
    }
    Some(())
}

fn is_resource(program: &Program, object: &Object) -> bool {
    is_kind(program, object.reference.ty, RecordKind::Resource)
}

fn is_kind(program: &Program, ty: TypeId, kind: RecordKind) -> bool {
    program.record(ty).is_some_and(|r| r.kind == kind)
}

pub(super) struct Gathered {
    pub objects: Objects,
    pub made_by: MadeBy,
    shared: FxHashSet<Arc<Reference>>,
}

/// All objects, merged; and who made what, for `after`.
pub(super) fn gather(runs: &Runs, diagnostics: &mut Vec<Diagnostic>) -> Gathered {
    let total: usize = runs.outputs().map(|o| o.objects.len()).sum();
    let mut objects = Objects::with_capacity_and_hasher(total, Default::default());
    let mut several: FxHashMap<Arc<Reference>, Vec<Arc<Object>>> = FxHashMap::default();
    for object in runs.outputs().flat_map(|o| &o.objects) {
        match objects.entry(object.reference.clone()) {
            Entry::Vacant(free) => {
                free.insert(object.clone());
            }
            Entry::Occupied(taken) => {
                let made =
                    several.entry(object.reference.clone()).or_insert_with(|| vec![taken.get().clone()]);
                made.push(object.clone());
            }
        }
    }
    let mut shared = FxHashSet::default();
    for (reference, made) in several {
        if let Some((object, problems)) = crate::eval::merge::merge(runs.program(), &made) {
            diagnostics.extend(problems);
            shared.insert(reference.clone());
            objects.insert(reference, Arc::new(object));
        }
    }
    Gathered { objects, made_by: made_by(runs), shared }
}

fn made_by(runs: &Runs) -> MadeBy {
    let mut made_by = MadeBy::default();
    let wanted = runs.outputs().flat_map(|o| &o.objects).flat_map(|o| &o.after);
    // What comes after a resource comes after nothing else.
    for after in wanted.filter(|r| !is_kind(runs.program(), r.ty, RecordKind::Resource)) {
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
