//! What `impl`s about history make in one version: transient objects, and what follows from these.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::diag::codes::{history as codes, project};
use crate::diag::{Diagnostic, Place};
use crate::eval::value::FileValue;
use crate::eval::{
    Element, Instance, InstanceId, Key, Object, Operation, Plan, Reference, RunOutput, Value, World,
};
use crate::model::{Program, TypeId};

use super::compared::Compared;

type ByReference = FxHashMap<Arc<Reference>, Arc<Object>>;

/// The transient objects of one version, each with the elements that it was made for.
#[derive(Default)]
pub(super) struct Passed {
    pub objects: IndexMap<Arc<Reference>, (Arc<Object>, Vec<Element>), FxBuildHasher>,
    /// What transient entities made.
    pub made_by: FxHashMap<Arc<Reference>, Vec<Arc<Reference>>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// A version as `impl`s about history see it: all that lasts in it, what they make themselves, and
/// what became of each element.
pub(super) struct Passing<'a> {
    compared: &'a Compared<'a>,
    version: usize,
    base: &'a dyn World,
    /// What lasts now takes the place of what would be transient.
    now: &'a dyn World,
    /// The elements whose `impl`s are run.
    jobs: Vec<(Arc<Instance>, Vec<u32>)>,
    /// The types that can be made, in their order.
    possible: Vec<TypeId>,
    known: RefCell<Known>,
}

#[derive(Default)]
struct Known {
    runs: FxHashMap<usize, Arc<RunOutput>>,
    entity_runs: BTreeMap<(TypeId, usize), Arc<RunOutput>>,
    objects: FxHashMap<TypeId, Arc<ByReference>>,
    /// What is being worked out. The order of types leaves no circle, and if it did, this would end
    /// it.
    open: FxHashSet<TypeId>,
    problems: Vec<Diagnostic>,
}

/// What one version's `impl`s about history make.
pub(super) fn passed(compared: &Compared<'_>, version: usize) -> Passed {
    let (Some(of), Some(now)) = (compared.version(version), compared.version(0)) else {
        return Passed::default();
    };
    let base = of.world();
    let looks_back = |instance: &Instance, element: u32| {
        let Some(element) = instance.elements.get(element as usize) else { return false };
        let union = element.variant.map(|(union, _)| union);
        let types = std::iter::once(element.record.ty).chain(union);
        types.into_iter().any(|ty| !base.plan().transient_impls(ty).is_empty())
    };
    let mut jobs = compared.elements(version);
    for (instance, elements) in &mut jobs {
        elements.retain(|&element| looks_back(instance, element));
    }
    jobs.retain(|(_, elements)| !elements.is_empty());
    let possible = possible(base.program(), base.plan());
    let known = RefCell::default();
    Passing { compared, version, base, now: now.world(), jobs, possible, known }.all()
}

/// The types that can be transient.
fn possible(program: &Program, plan: &Plan) -> Vec<TypeId> {
    let mut types: Vec<TypeId> =
        program.impls.iter().filter(|i| i.transient).flat_map(|i| i.creates.iter().copied()).collect();
    let mut at = 0;
    while let Some(&ty) = types.get(at) {
        at += 1;
        let impls = plan.impls(ty).iter().filter_map(|i| program.impls.get(*i as usize));
        for made in impls.flat_map(|i| &i.creates) {
            if !types.contains(made) {
                types.push(*made);
            }
        }
    }
    types.sort_unstable();
    types.dedup();
    types
}

impl Passing<'_> {
    fn run(&self, job: usize) -> Arc<RunOutput> {
        if let Some(known) = self.known.borrow().runs.get(&job) {
            return known.clone();
        }
        let output = match self.jobs.get(job) {
            Some((instance, elements)) => Arc::new(crate::eval::run_transient(self, instance, elements)),
            None => Arc::default(),
        };
        self.known.borrow_mut().runs.insert(job, output.clone());
        output
    }

    /// The objects of a type that are made on the way, merged. One that lasts is none of them.
    fn objects(&self, ty: TypeId) -> Arc<ByReference> {
        if let Some(known) = self.known.borrow().objects.get(&ty) {
            return known.clone();
        }
        if self.possible.binary_search(&ty).is_err() || !self.known.borrow_mut().open.insert(ty) {
            return Arc::default();
        }
        let mut found: IndexMap<Arc<Reference>, Vec<Arc<Object>>, FxBuildHasher> = IndexMap::default();
        let mut add = |object: &Arc<Object>| {
            if object.reference.ty == ty && self.now.object(&object.reference).is_none() {
                found.entry(object.reference.clone()).or_default().push(object.clone());
            }
        };
        for job in 0..self.jobs.len() {
            if self.can_make(job, ty) {
                self.run(job).objects.iter().for_each(&mut add);
            }
        }
        for &maker in &self.possible {
            if self.makes(self.base.plan().impls(maker), ty) {
                for (at, entity) in self.sorted(&self.objects(maker)).iter().enumerate() {
                    self.entity_run(at, entity).objects.iter().for_each(&mut add);
                }
            }
        }
        let mut objects = ByReference::default();
        for (reference, made) in found {
            if let Some((object, problems)) = crate::eval::merge::merge(self.base.program(), &made) {
                objects.insert(reference, Arc::new(object));
                self.known.borrow_mut().problems.extend(problems);
            }
        }
        let objects = Arc::new(objects);
        let mut known = self.known.borrow_mut();
        known.open.remove(&ty);
        known.objects.insert(ty, objects.clone());
        objects
    }

    fn entity_run(&self, at: usize, entity: &Arc<Object>) -> Arc<RunOutput> {
        let key = (entity.reference.ty, at);
        if let Some(known) = self.known.borrow().entity_runs.get(&key) {
            return known.clone();
        }
        let output = Arc::new(crate::eval::run_entity(self, entity));
        self.known.borrow_mut().entity_runs.insert(key, output.clone());
        output
    }

    fn makes(&self, impls: &[u32], ty: TypeId) -> bool {
        let impls = impls.iter().filter_map(|at| self.base.program().impls.get(*at as usize));
        impls.into_iter().any(|i| i.creates.binary_search(&ty).is_ok())
    }

    fn can_make(&self, job: usize, ty: TypeId) -> bool {
        let Some((instance, elements)) = self.jobs.get(job) else { return false };
        let plan = self.base.plan();
        elements.iter().filter_map(|e| instance.elements.get(*e as usize)).any(|e| {
            self.makes(plan.transient_impls(e.record.ty), ty)
                || e.variant.is_some_and(|(union, _)| self.makes(plan.transient_impls(union), ty))
        })
    }

    fn sorted(&self, objects: &ByReference) -> Vec<Arc<Object>> {
        let mut all: Vec<Arc<Object>> = objects.values().cloned().collect();
        all.sort_by(|a, b| crate::eval::compare::references(self.base.plan(), &a.reference, &b.reference));
        all
    }

    /// Everything: objects, the elements that they are for, and what is wrong.
    fn all(self) -> Passed {
        let mut passed = Passed::default();
        for &ty in &self.possible {
            for object in self.sorted(&self.objects(ty)) {
                passed.objects.insert(object.reference.clone(), (object, Vec::new()));
            }
        }
        let mut open: Vec<(Arc<Reference>, Element)> = Vec::new();
        for job in 0..self.jobs.len() {
            let output = self.run(job);
            self.said(&output, &mut passed.diagnostics);
            let made = output.objects.iter();
            open.extend(made.filter_map(|o| Some((o.reference.clone(), o.origin.element?))));
        }
        for &ty in &self.possible {
            for (at, entity) in self.sorted(&self.objects(ty)).iter().enumerate() {
                let output = self.entity_run(at, entity);
                self.said(&output, &mut passed.diagnostics);
                let made = output.objects.iter().map(|o| o.reference.clone()).collect();
                passed.made_by.insert(entity.reference.clone(), made);
            }
        }
        while let Some((reference, element)) = open.pop() {
            let Some((_, elements)) = passed.objects.get_mut(&reference) else { continue };
            if elements.contains(&element) {
                continue;
            }
            elements.push(element);
            let made = passed.made_by.get(&reference).into_iter().flatten();
            open.extend(made.map(|r| (r.clone(), element)));
        }
        passed.diagnostics.append(&mut self.known.borrow_mut().problems);
        passed
    }

    /// What was wrong with a run, and references to nothing.
    fn said(&self, output: &RunOutput, diagnostics: &mut Vec<Diagnostic>) {
        diagnostics.extend(output.diagnostics.iter().cloned());
        for pending in &output.references {
            let reference = &pending.reference;
            let slice = self.base.program().slices().any(|s| s.decl.id == reference.ty);
            let there = match slice {
                true => self.instance(reference.ty, &reference.key).is_some(),
                false => self.object(reference).is_some() || self.now.object(reference).is_some(),
            };
            if !there {
                let shown = crate::eval::print::reference(self.base.program(), reference);
                let message = format!("there is no `{shown}`");
                diagnostics.push(Diagnostic::new(project::DANGLING_REFERENCE, pending.place, message));
            }
        }
        if output.diagnostics.is_empty()
            && let Some(place) = output.stopped
        {
            diagnostics.push(left_out(place));
        }
    }
}

fn left_out(place: Place) -> Diagnostic {
    let message = "a transient object is left out: this reads something that is not there";
    let help = "what an earlier version referred to may be gone: ask with `T[…]?`, or read its key alone";
    Diagnostic::new(codes::LEFT_OUT, place, message).help(help)
}

impl World for Passing<'_> {
    fn program(&self) -> &Program {
        self.base.program()
    }

    fn plan(&self) -> &Plan {
        self.base.plan()
    }

    fn environment(&self) -> Option<u16> {
        self.base.environment()
    }

    fn instance(&self, ty: TypeId, key: &Key) -> Option<Arc<Instance>> {
        self.base.instance(ty, key)
    }

    fn instance_at(&self, id: InstanceId) -> Option<Arc<Instance>> {
        self.base.instance_at(id)
    }

    fn object(&self, reference: &Reference) -> Option<Arc<Object>> {
        let lasting = self.base.object(reference);
        lasting.or_else(|| self.objects(reference.ty).get(reference).cloned())
    }

    fn all(&self, ty: TypeId) -> Arc<[Value]> {
        let lasting = self.base.all(ty);
        let passing = self.objects(ty);
        let more: Vec<Value> =
            passing.keys().cloned().map(Value::Ref).filter(|v| !lasting.contains(v)).collect();
        if more.is_empty() {
            return lasting;
        }
        let mut all: Vec<Value> = lasting.iter().cloned().chain(more).collect();
        all.sort_by(|a, b| crate::eval::compare::compare(self.base.plan(), a, b));
        all.into()
    }

    fn related(&self, relation: u32, owner: &Reference) -> Arc<[Value]> {
        self.base.related(relation, owner)
    }

    fn derived(&self, element: Element, slot: u16) -> Option<Result<Value, ()>> {
        self.base.derived(element, slot)
    }

    fn constant(&self, index: u32) -> Option<Result<Value, ()>> {
        self.base.constant(index)
    }

    fn function(&self, index: u32) -> Option<Result<Value, ()>> {
        self.base.function(index)
    }

    fn output(&self, object: &Reference, slot: u16) -> Option<Value> {
        self.base.output(object, slot)
    }

    fn operation(&self, element: Element) -> Operation {
        self.compared.operation(self.version, element)
    }

    fn previous(&self, element: Element, slot: u16) -> Option<Value> {
        self.compared.previous(self.version, element, slot)
    }

    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString> {
        self.base.file(path)
    }

    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString> {
        self.base.files(folder, pattern)
    }
}
