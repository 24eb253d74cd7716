//! Values that must not be given out, although nobody has them: `assigned.lock`.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashSet;

use crate::base::{Edited, System as _, SystemError};
use crate::diag::Diagnostic;
use crate::diag::codes::history as codes;
use crate::eval::{Element, Instance, Reference, Value};
use crate::history::lock::{Given, Holder, LOCK_FILE, Lock};
use crate::model::schema::Slot;
use crate::model::{Hir, HirKind, Program, TypeId};
use crate::project::assigned::{Pool, pools};
use crate::project::queries;
use crate::project::render::Renderer;
use crate::project::session::Session;

/// Reads the lock.
pub(in crate::project) fn read(edited: &Edited) -> Result<Lock, Box<Diagnostic>> {
    let bytes = match edited.read(LOCK_FILE) {
        Ok(bytes) => bytes,
        Err(SystemError::NotFound(_)) => return Ok(Lock::default()),
        Err(error) => return Err(Box::new(super::at_file(codes::LOCK, LOCK_FILE, error.to_string()))),
    };
    let damaged = match std::str::from_utf8(&bytes) {
        Ok(text) => match Lock::parse(text) {
            Ok(lock) => return Ok(lock),
            Err(damaged) => format!("{LOCK_FILE}:{}: {}", damaged.line, damaged.message),
        },
        Err(_) => format!("{LOCK_FILE} is not UTF-8; restore it from Git"),
    };
    Err(Box::new(super::at_file(codes::LOCK, LOCK_FILE, damaged)))
}

/// Writes the lock, in memory, if it says something else than before.
pub(in crate::project) fn write(edited: &Edited, lock: Lock) {
    let before = edited.read(LOCK_FILE).ok();
    if before.is_none() && lock.is_empty() {
        return;
    }
    let text = lock.text();
    if before.as_deref() != Some(text.as_bytes()) {
        edited.set(LOCK_FILE, Some(text.as_bytes()));
    }
}

/// What is known of the fields that take an int that nobody else has.
pub(in crate::project) struct Pools {
    program: Arc<Program>,
    pools: Vec<Pool>,
    /// For each pool the fields that its `used` reads.
    reads: Vec<FxHashSet<EcoString>>,
}

impl Pools {
    pub fn new(program: &Arc<Program>) -> Self {
        let pools = pools(program);
        let reads = pools
            .iter()
            .map(|pool| {
                let mut reads = Reads { program, fields: FxHashSet::default(), bodies: FxHashSet::default() };
                reads.field(pool.ty, pool.slot);
                reads.fields
            })
            .collect();
        Pools { program: program.clone(), pools, reads }
    }

    /// Whether nothing is given out.
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty()
    }

    fn of(&self, ty: TypeId, slot: Slot) -> Option<usize> {
        self.pools.iter().position(|p| p.ty == ty && p.slot == slot)
    }

    /// Whether what all elements keep away from in a field is the same, and is the values of that
    /// field alone.
    pub fn is_one_for_all(&self, ty: TypeId, slot: Slot) -> bool {
        let pool = self.of(ty, slot).and_then(|at| self.pools.get(at));
        let same = pool.is_some_and(|Pool { depends, .. }| {
            depends.slots.is_empty() && !depends.parent && !depends.whole
        });
        same && crate::eval::assign::keeps_away_from_itself(&self.program, ty, slot)
    }

    /// A field of an element, as the lock calls it.
    pub fn holder(&self, instance: &Instance, index: u32, slot: Slot) -> Option<Holder> {
        let element = instance.elements.get(index as usize)?;
        let field = field_name(&self.program, element.record.ty, slot)?;
        Some(format!("{field} of {}", element_id(&self.program, instance, index)).into())
    }

    /// Among whom the value of an element must be the only one.
    pub fn within(&self, instance: &Instance, index: u32, slot: Slot) -> EcoString {
        let ty = instance.elements.get(index as usize).map(|e| e.record.ty);
        let Some(pool) = ty.and_then(|ty| self.pools.get(self.of(ty, slot)?)) else {
            return EcoString::new();
        };
        if pool.depends.whole {
            return EcoString::new();
        }
        let (values, parent) = pool.depends.key(instance, index);
        let mut parts: Vec<String> = Vec::new();
        if let Some(Element { index, .. }) = parent {
            parts.push(element_id(&self.program, instance, index));
        }
        let record = self.program.record(pool.ty);
        for (slot, value) in pool.depends.slots.iter().zip(&values) {
            let name = record.and_then(|r| r.fields.get(usize::from(*slot))).map(|f| f.data_name.clone());
            let name = name.unwrap_or_default();
            parts.push(format!("{name}={}", crate::eval::print::shown(&self.program, value)));
        }
        parts.join(", ").into()
    }

    /// Entries of the lock that a field must keep away from: of nobody who has a value now, and
    /// of a field that `used` counts.
    pub fn taken<'l>(
        &self,
        open: &'l BTreeMap<Holder, Given>,
        ty: TypeId,
        slot: Slot,
        own: &str,
        within: &str,
    ) -> Vec<(&'l Holder, &'l Given)> {
        let Some(reads) = self.of(ty, slot).and_then(|at| self.reads.get(at)) else { return Vec::new() };
        let counts = |(holder, given): &(&Holder, &Given)| {
            let field = holder.split_once(" of ").map_or("", |(field, _)| field);
            let same = given.within.is_empty() || within.is_empty() || given.within == within;
            holder.as_str() != own && same && reads.contains(field)
        };
        open.iter().filter(counts).collect()
    }

    /// Adds everything that is held in a session.
    pub fn hold(&self, session: &Session, held: &mut BTreeMap<Holder, Given>) {
        if self.pools.is_empty() {
            return;
        }
        for shard in session.all_shards() {
            for unit in queries::shard_instances(&session.db, shard).iter() {
                for instance in &unit.instances {
                    self.held_by(instance, held);
                }
            }
        }
    }

    fn held_by(&self, instance: &Instance, held: &mut BTreeMap<Holder, Given>) {
        for (index, element) in (0..).zip(&instance.elements) {
            for pool in self.pools.iter().filter(|p| p.ty == element.record.ty) {
                let value = element.record.fields.get(usize::from(pool.slot));
                if let Some(Value::Int(value)) = value
                    && let Some(holder) = self.holder(instance, index, pool.slot)
                {
                    let within = self.within(instance, index, pool.slot);
                    held.entry(holder).or_insert(Given { value: *value, within });
                }
            }
        }
    }
}

fn field_name(program: &Program, ty: TypeId, slot: Slot) -> Option<EcoString> {
    let record = program.record(ty)?;
    let field = record.fields.get(usize::from(slot))?;
    Some(format!("{}.{}", record.decl.path, field.data_name).into())
}

/// `shop::Site[name=a].pages[path=/x]`.
pub(super) fn element_id(program: &Program, instance: &Instance, index: u32) -> String {
    let mut text = String::new();
    Renderer::new(program).write_id(&mut text, &Reference { ty: instance.ty, key: instance.key.clone() });
    let path = super::missing::path(instance, index);
    if !path.is_empty() {
        text.push('.');
        text.push_str(&path);
    }
    text
}

/// The fields that a body reads, also through functions and derived fields.
struct Reads<'a> {
    program: &'a Program,
    fields: FxHashSet<EcoString>,
    bodies: FxHashSet<*const Hir>,
}

impl Reads<'_> {
    fn field(&mut self, ty: TypeId, slot: Slot) {
        let Some(field) = self.program.record(ty).and_then(|r| r.fields.get(usize::from(slot))) else {
            return;
        };
        if let Some(body) = &field.value {
            self.body(&body.root);
        }
    }

    fn body(&mut self, root: &Hir) {
        if self.bodies.insert(root) {
            self.look(root);
        }
    }

    fn look(&mut self, hir: &Hir) {
        match &hir.kind {
            HirKind::Field { ty, slot, .. } => {
                self.fields.extend(field_name(self.program, *ty, *slot));
                let program = self.program;
                let field = program.record(*ty).and_then(|r| r.fields.get(usize::from(*slot)));
                if let Some(body) = field.filter(|f| !f.kind.is_stored()).and_then(|f| f.value.as_ref()) {
                    self.body(&body.root);
                }
            }
            HirKind::Call { function, .. } => {
                let program = self.program;
                if let Some(function) = program.functions.get(*function as usize) {
                    self.body(&function.body.root);
                }
            }
            _ => {}
        }
        hir.each_child(&mut |child| self.look(child));
    }
}
