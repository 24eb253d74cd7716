//! What was `before`, and what tests see of it.

use std::sync::Arc;

use ecow::EcoString;

use crate::diag::codes::eval as codes;
use crate::eval::compare;
use crate::eval::machine::{Eval, Machine};
use crate::eval::plan::Plan;
use crate::eval::print;
use crate::eval::value::{Element, FileValue, InstanceId, Key, Object, Reference, Value};
use crate::eval::world::{Instance, Version, World};
use crate::model::hir::HirKind;
use crate::model::{Hir, Program, TypeId};

use super::Bench;

impl Version for Bench<'_> {
    fn world(&self) -> &dyn World {
        self
    }

    fn instances(&self) -> Vec<Arc<Instance>> {
        Bench::instances(self)
    }

    fn each_made(&self, instance: &Arc<Instance>, found: &mut dyn FnMut(&Arc<Object>)) {
        self.run(instance).objects.iter().for_each(found);
    }

    fn each_made_by(&self, entity: &Arc<Reference>, found: &mut dyn FnMut(&Arc<Object>)) {
        if let Some(entity) = World::object(self, entity) {
            self.run_entity(&entity).objects.iter().for_each(found);
        }
    }
}

impl<'w> Machine<'w> {
    /// `before { … }`: makes an earlier version. What is said in it about its own references is said
    /// of that version, which is past.
    pub fn before(&mut self, hir: &'w Hir, body: &'w Hir) -> Eval {
        let Some(bench) = self.bench else { return Err(self.unexpected(hir)) };
        let referred = self.out.references.len();
        let outer = bench.begin_before();
        let made = self.eval(body);
        bench.end_before(outer);
        self.out.references.truncate(referred);
        made
    }

    /// `state(x)`.
    pub fn state_of(&mut self, hir: &'w Hir, about: &'w Hir) -> Eval {
        let Some(bench) = self.bench else { return Err(self.unexpected(hir)) };
        let referred = self.out.references.len();
        let value = self.eval(about)?;
        // Whether it is there is the question.
        if let HirKind::Ref { .. } = about.kind {
            self.out.references.truncate(referred);
        }
        let Value::Ref(reference) = value else { return Err(self.unexpected(about)) };
        let aftermath = bench.aftermath();
        let (variant, name) = if World::object(bench, &reference).is_some() {
            (0, "present")
        } else if aftermath.transient.contains_key(&reference) {
            (2, "transient")
        } else if aftermath.absent.contains(&reference) {
            (1, "absent")
        } else {
            let shown = print::reference(self.program, &reference);
            let message = format!("there is no `{shown}`, neither now nor before");
            let problem = self.problem(codes::NO_HISTORY, about, message);
            return Err(self.report(problem.help("`T[…]? == null` asks whether there is none")));
        };
        Ok(self.answer("std::history::State", variant, name))
    }
}

/// What the test itself sees: all that lasts, and what is transient.
pub struct View<'b, 'a> {
    pub bench: &'b Bench<'a>,
}

impl World for View<'_, '_> {
    fn program(&self) -> &Program {
        World::program(self.bench)
    }

    fn plan(&self) -> &Plan {
        World::plan(self.bench)
    }

    fn environment(&self) -> Option<u16> {
        World::environment(self.bench)
    }

    fn instance(&self, ty: TypeId, key: &Key) -> Option<Arc<Instance>> {
        self.bench.instance(ty, key)
    }

    fn instance_at(&self, id: InstanceId) -> Option<Arc<Instance>> {
        self.bench.instance_at(id)
    }

    fn object(&self, reference: &Reference) -> Option<Arc<Object>> {
        let lasting = self.bench.object(reference);
        lasting.or_else(|| self.bench.aftermath().transient.get(reference).cloned())
    }

    fn all(&self, ty: TypeId) -> Arc<[Value]> {
        let lasting = self.bench.all(ty);
        let aftermath = self.bench.aftermath();
        let passing = aftermath.transient.keys().filter(|r| r.ty == ty).map(|r| Value::Ref(r.clone()));
        let mut all: Vec<Value> = lasting.iter().cloned().chain(passing).collect();
        if all.len() == lasting.len() {
            return lasting;
        }
        all.sort_by(|a, b| compare::compare(self.plan(), a, b));
        all.into()
    }

    fn related(&self, relation: u32, owner: &Reference) -> Arc<[Value]> {
        self.bench.related(relation, owner)
    }

    fn derived(&self, element: Element, slot: u16) -> Option<Result<Value, ()>> {
        self.bench.derived(element, slot)
    }

    fn output(&self, object: &Reference, slot: u16) -> Option<Value> {
        self.bench.output(object, slot)
    }

    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString> {
        World::file(self.bench, path)
    }

    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString> {
        World::files(self.bench, folder, pattern)
    }
}
