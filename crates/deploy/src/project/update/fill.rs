//! Filling, one field after the other.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Edited, FileId, System as _};
use crate::data::edit::{Format, Refused};
use crate::data::layout::flow_text;
use crate::data::{Document, NodeKind};
use crate::db::{Db as _, SourceFile};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::eval::assign::{self, Pool, Refusal, Supply};
use crate::eval::says_secret;
use crate::eval::{Instance, Value};
use crate::history::lock::{Given, Holder, Lock};
use crate::model::schema::Slot;
use crate::model::{FieldDef, Program, TypeId};
use crate::project::origins::Origins;
use crate::project::queries;
use crate::project::session::Session;
use crate::project::world::DbWorld;

use super::missing::{Missing, find, lacks, missing};
use super::reserve::Pools;
use super::world::{self, Patched};
use super::{Filled, Outside, Step, data, places, secrets};

/// What came of it.
pub(super) struct Outcome {
    pub filled: Vec<Filled>,
    pub problems: Vec<Diagnostic>,
    /// The files that changed.
    pub touched: Vec<String>,
    pub settled: Settled,
}

pub(super) struct Filler<'a> {
    edited: &'a Edited,
    outside: &'a Outside<'a>,
    views: Vec<&'a mut Session>,
    patched: Vec<Patched>,
    program: Arc<Program>,
    pools: Pools,
    lock: Lock,
    /// Entries of the lock of nobody who has a value now.
    open: BTreeMap<Holder, Given>,
    filled: Vec<Filled>,
    problems: Vec<Diagnostic>,
    touched: FxHashSet<FileId>,
    /// Those of which the databases do not know yet.
    untold: FxHashSet<FileId>,
    /// Of fields of which one look tells what all of them keep away from.
    known: FxHashMap<(TypeId, Slot), RefCell<Known>>,
}

/// What is used of a pool, kept up to date: looking again for each of a thousand fields would
/// look at a thousand values each time.
#[derive(Default)]
struct Known {
    used: FxHashSet<i64>,
    /// What is below is not free, of a range: its ends, which another environment may have elsewhere.
    from: Option<(i64, i64, i64)>,
}

/// How it went with one field.
enum Went {
    Filled,
    /// Something that it needs has no value yet.
    Waits,
    Failed,
}

impl<'a> Filler<'a> {
    pub fn new(
        edited: &'a Edited,
        outside: &'a Outside<'a>,
        views: Vec<&'a mut Session>,
        lock: Lock,
        held: &BTreeMap<Holder, Given>,
    ) -> Self {
        let program = views.first().map(|v| v.program()).unwrap_or_default();
        let pools = Pools::new(&program);
        let entries = lock.held.iter().chain(&lock.reserved);
        let open = entries.filter(|(holder, _)| !held.contains_key(*holder));
        let open = open.map(|(h, g)| (h.clone(), g.clone())).collect();
        let patched = views.iter().map(|_| Patched::default()).collect();
        Filler {
            edited,
            outside,
            views,
            patched,
            program,
            pools,
            lock,
            open,
            filled: Vec::new(),
            problems: Vec::new(),
            touched: FxHashSet::default(),
            untold: FxHashSet::default(),
            known: FxHashMap::default(),
        }
    }

    /// Fills all that can be filled. A value that another one needs comes first, whatever the
    /// order says.
    pub fn fill_all(&mut self) {
        let mut waiting = missing(&self.views);
        while !waiting.is_empty() && self.problems.is_empty() {
            let before = waiting.len();
            let mut left = Vec::new();
            for one in waiting {
                match self.fill(&one) {
                    Went::Filled | Went::Failed => {}
                    Went::Waits => left.push(one),
                }
            }
            if left.len() == before {
                for one in left {
                    self.stuck(&one);
                }
                return;
            }
            waiting = left;
        }
    }

    pub fn finish(mut self) -> Outcome {
        self.tell();
        let mut held = BTreeMap::new();
        self.views.iter().for_each(|view| self.pools.hold(view, &mut held));
        let mut touched: Vec<String> = self.touched.iter().map(|f| f.path().to_owned()).collect();
        touched.sort();
        let settled = settle(&self.lock, held, self.outside);
        Outcome { filled: self.filled, problems: self.problems, touched, settled }
    }

    /// Tells the databases what was filled.
    fn tell(&mut self) {
        let paths: Vec<String> = self.untold.drain().map(|f| f.path().to_owned()).collect();
        if paths.is_empty() {
            return;
        }
        for (view, patched) in self.views.iter_mut().zip(&mut self.patched) {
            patched.clear();
            view.refresh(&paths);
            view.load_instances();
        }
    }

    fn fill(&mut self, one: &Missing) -> Went {
        let Some(&view) = one.views.first() else { return Went::Failed };
        let found = {
            let (Some(session), Some(patched)) = (self.views.get(view), self.patched.get(view)) else {
                return Went::Failed;
            };
            world::instance(&session.db, patched, one.slice, &one.key)
        };
        let Some((file, instance)) = found else { return Went::Failed };
        let Some(index) = find(&instance, &one.path) else { return Went::Failed };
        if !lacks(&instance, index, one.slot) {
            return Went::Filled;
        }
        let program = self.program.clone();
        let field = program.record(one.ty).and_then(|r| r.fields.get(usize::from(one.slot)));
        let Some(field) = field else { return Went::Failed };
        let holder = self.pools.holder(&instance, index, one.slot).unwrap_or_default();
        let value = match self.value(one, view, &instance, index, &holder) {
            Ok(Some(value)) => value,
            Ok(None) => return Went::Waits,
            Err(problems) => {
                self.problems.extend(problems);
                return Went::Failed;
            }
        };
        match self.write(view, file, &instance, one, field, &value) {
            Ok(target) => {
                if let (Some(known), Value::Int(value)) = (self.known.get(&(one.ty, one.slot)), &value) {
                    known.borrow_mut().used.insert(*value);
                }
                let secret = says_secret(&field.ty);
                let had = self.open.remove(&holder).map(|given| given.value);
                self.filled.push(Filled {
                    file: target,
                    element: super::reserve::element_id(&program, &instance, index).into(),
                    field: field.data_name.clone(),
                    value: (!secret).then(|| crate::eval::print::whole(&program, &value).into()),
                    again: had.is_some_and(|had| value == Value::Int(had)),
                });
                self.untold.insert(target);
                self.touched.insert(target);
                self.reread(file);
                Went::Filled
            }
            Err(problem) => {
                self.problems.push(*problem);
                Went::Failed
            }
        }
    }

    /// Looks once at what is used by others, where that is the same for all of these fields and
    /// changes with nothing but them.
    fn look_once(&mut self, one: &Missing, instance: &Arc<Instance>, index: u32) {
        let key = (one.ty, one.slot);
        if self.known.contains_key(&key) || !self.pools.is_one_for_all(one.ty, one.slot) {
            return;
        }
        // What any environment has counts in all of them.
        let mut known = Known::default();
        for (session, patched) in self.views.iter().zip(&self.patched) {
            let world = world::Filled::new(DbWorld::new(&session.db), patched);
            let used = assign::used(&world, instance, index, one.slot).filter(|_| !world.is_stale());
            let Some(used) = used else { return };
            known.used.extend(used);
        }
        self.known.insert(key, RefCell::new(known));
    }

    /// What fills a field: none if it needs what is not there yet.
    fn value(
        &mut self,
        one: &Missing,
        view: usize,
        instance: &Arc<Instance>,
        index: u32,
        holder: &Holder,
    ) -> Result<Option<Value>, Vec<Diagnostic>> {
        self.look_once(one, instance, index);
        for _ in 0..2 {
            let mut stale = false;
            let mut everywhere = Vec::new();
            for (number, (session, patched)) in self.views.iter().zip(&self.patched).enumerate() {
                if number != view && !self.known.contains_key(&(one.ty, one.slot)) {
                    let world = world::Filled::new(DbWorld::new(&session.db), patched);
                    everywhere.extend(assign::used(&world, instance, index, one.slot).into_iter().flatten());
                    stale |= world.is_stale();
                }
            }
            let (Some(session), Some(patched)) = (self.views.get(view), self.patched.get(view)) else {
                return Ok(None);
            };
            let within = self.pools.within(instance, index, one.slot);
            let taken = self.pools.taken(&self.open, one.ty, one.slot, holder, &within);
            // Somebody else may have had it since, who is gone too.
            let had = self.open.get(holder).map(|given| given.value);
            let preferred = had.filter(|had| taken.iter().all(|(_, given)| given.value != *had));
            let supply = Choosing {
                outside: self.outside,
                everywhere,
                taken,
                preferred,
                known: self.known.get(&(one.ty, one.slot)),
                no_chance: RefCell::default(),
            };
            let world = world::Filled::new(DbWorld::new(&session.db), patched);
            let computed = assign::fill(&world, &supply, instance, index, one.slot);
            if stale || world.is_stale() {
                drop((supply, world));
                self.tell();
                continue;
            }
            if let Some(error) = supply.no_chance.take() {
                let message = format!("the operating system gives no random bytes: {error}");
                return Err(vec![super::at_file(codes::NOT_WRITTEN, instance.id.file.path(), message)]);
            }
            let problems = computed.output.diagnostics;
            return match computed.value {
                Ok(value) => Ok(Some(value)),
                Err(()) if problems.is_empty() => Ok(None),
                Err(()) => {
                    let model = queries::checked_model(&session.db);
                    let origins = Origins::new(&session.db, &model.nodes);
                    Err(problems.into_iter().map(|p| p.resolved(&origins)).collect())
                }
            };
        }
        Ok(None)
    }

    fn write(
        &self,
        view: usize,
        file: SourceFile,
        instance: &Instance,
        one: &Missing,
        field: &FieldDef,
        value: &Value,
    ) -> Result<FileId, Box<Diagnostic>> {
        let at = instance.id.file;
        let refused = |message: String, help: String| {
            let message = format!("`{}` cannot be written: {message}", field.data_name);
            Box::new(super::at_file(codes::NOT_WRITTEN, at.path(), message).help(help))
        };
        let document = data::document(&self.program, value)
            .map_err(|what| refused(format!("its value is {what}"), "let it be computed from data".into()))?;
        let Some(session) = self.views.get(view) else {
            return Err(refused("there is no file".into(), String::new()));
        };
        if says_secret(&field.ty) {
            return self.write_secret(session, file, instance, one, field, &document, &refused);
        }
        let target =
            places::target(session, self.edited, file, instance, &one.path, one.slot).ok_or_else(|| {
                refused("its place in the file is not known".into(), by_hand(field, value, &self.program))
            })?;
        places::write(self.edited, target, &field.data_name, document).map_err(|why| {
            let index = places::index_of_sops(self.edited, target, &field.data_name);
            let help = match index.filter(|_| why == Refused::Encrypted) {
                Some(index) => {
                    let json = json(value, &self.program);
                    format!("whoever has its key runs `sops set {} '{index}' '{json}'`; or leave plain fields out of encrypted files", target.file.path())
                }
                None => by_hand(field, value, &self.program),
            };
            refused(why.to_string(), help)
        })?;
        Ok(target.file)
    }

    #[allow(clippy::too_many_arguments)]
    fn write_secret(
        &self,
        session: &Session,
        file: SourceFile,
        instance: &Instance,
        one: &Missing,
        field: &FieldDef,
        document: &Document,
        refused: &dyn Fn(String, String) -> Box<Diagnostic>,
    ) -> Result<FileId, Box<Diagnostic>> {
        let NodeKind::Str(secret) = document.value(Document::ROOT) else {
            return Err(refused(
                "a secret that is no string cannot be encrypted by `gops update`".into(),
                "encrypt it with sops by hand".into(),
            ));
        };
        let unit = file.unit(&session.db).as_ref();
        let each = unit.is_some_and(|unit| unit.each);
        let way = (!each).then(|| secrets::way_to(&self.program, self.edited, instance, &one.path)).flatten();
        let Some(mut way) = way else {
            return Err(refused(
                "what has no key of its own, or is one of several instances in a file, has no place in an encrypted file that `gops update` is sure of".into(),
                "encrypt it with sops by hand".into(),
            ));
        };
        way.push(Step::Key(field.data_name.clone()));
        let encrypted = unit.and_then(|unit| unit.encrypted);
        let path = match encrypted {
            Some(file) => file.path(&session.db).path().to_owned(),
            None => beside(instance.id.file.path()),
        };
        let now = self.edited.read(&path).ok();
        let sealed = self.outside.seal.seal(&path, now.as_deref(), &way, secret);
        let sealed = sealed.map_err(|error| refused(error.message, error.help))?;
        self.edited.set(&path, Some(&sealed));
        Ok(FileId::new(&path))
    }

    /// Reads a unit again in every view.
    fn reread(&mut self, file: SourceFile) {
        let base = self.views.first().map(|v| file.path(&v.db));
        let Some(base) = base else { return };
        for (view, patched) in self.views.iter().zip(&mut self.patched) {
            let source = view.db.source(base);
            for instance in places::read_now(view, self.edited, source, false).instances {
                patched.insert(instance.id, instance);
            }
        }
    }

    fn stuck(&mut self, one: &Missing) {
        let record = self.program.record(one.ty);
        let Some(field) = record.and_then(|r| r.fields.get(usize::from(one.slot))) else { return };
        let file = self.views.first().and_then(|view| {
            let (file, _) = queries::find(&view.db, &self.program, one.slice, &one.key)?;
            Some(file.path(&view.db))
        });
        let message = format!("`{}` cannot be filled: it needs a value that is not there", field.data_name);
        let place = file.map_or(Place::File(FileId::new("")), Place::File);
        let problem = Diagnostic::new(codes::NOT_FILLED, place, message)
            .help("two fields that are filled from each other never can be; give one of them by hand");
        self.problems.push(problem.resolved(&crate::project::origins::Nowhere));
    }
}

fn by_hand(field: &FieldDef, value: &Value, program: &Program) -> String {
    format!("write `{}: {}` by hand", field.data_name, crate::eval::print::whole(program, value))
}

/// A value as JSON has it.
fn json(value: &Value, program: &Program) -> String {
    let written = data::document(program, value).ok();
    let text = written.and_then(|document| flow_text(Format::Json, &document).ok());
    text.unwrap_or_else(|| crate::eval::print::whole(program, value))
}

/// `a.sops.yaml` for `a.yaml`.
fn beside(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.sops.{extension}"),
        None => format!("{path}.sops.yaml"),
    }
}

/// The lock as it is to be, and what of it is new.
#[derive(Default)]
pub(super) struct Settled {
    pub lock: Lock,
    /// What is kept for somebody who is gone, since this update.
    pub reserved: Vec<Holder>,
    /// What is free again, since this update.
    pub released: Vec<Holder>,
}

/// What becomes of the lock now that these hold their values: what nobody holds any more is kept until
/// the deletion is settled.
pub(super) fn settle(lock: &Lock, held: BTreeMap<Holder, Given>, outside: &Outside<'_>) -> Settled {
    let mut settled = Settled::default();
    for (holder, given) in lock.held.iter().chain(&lock.reserved) {
        if held.contains_key(holder) {
            continue;
        }
        if (outside.is_settled)(element_of(holder)) {
            settled.released.push(holder.clone());
            continue;
        }
        if !lock.reserved.contains_key(holder) {
            settled.reserved.push(holder.clone());
        }
        settled.lock.reserved.insert(holder.clone(), given.clone());
    }
    settled.lock.held = held;
    settled
}

/// The element of a holder: `net::Vlan[name=a]`.
fn element_of(holder: &str) -> &str {
    holder.split_once(" of ").map_or(holder, |(_, element)| element)
}

/// Chooses what the model, all environments and the lock leave.
struct Choosing<'a> {
    outside: &'a Outside<'a>,
    /// What `used` says in the other environments.
    everywhere: Vec<i64>,
    taken: Vec<(&'a Holder, &'a Given)>,
    /// What the element had before.
    preferred: Option<i64>,
    /// What is used, where that is known already.
    known: Option<&'a RefCell<Known>>,
    /// Why there were no random bytes.
    no_chance: RefCell<Option<String>>,
}

impl Supply for Choosing<'_> {
    fn random(&self, bytes: &mut [u8]) {
        if let Err(error) = self.outside.chance.fill(bytes) {
            bytes.fill(0);
            *self.no_chance.borrow_mut() = Some(error.to_string());
        }
    }

    fn knows_used(&self) -> bool {
        self.known.is_some()
    }

    fn choose(&self, pool: &Pool, used: Vec<i64>) -> Result<i64, Refusal> {
        let Some(known) = self.known else { return self.choose_of(pool, used) };
        {
            let known = &mut *known.borrow_mut();
            if let Some(preferred) = self.preferred.filter(|v| pool.contains(*v) && !known.used.contains(v)) {
                return Ok(preferred);
            }
            let is_taken =
                |v: i64| known.used.contains(&v) || self.taken.iter().any(|(_, given)| given.value == v);
            let found = match pool {
                Pool::Range(first, last) => {
                    let same = known.from.filter(|(from, to, _)| (from, to) == (first, last));
                    let from = same.map_or(*first, |(_, _, from)| from);
                    Pool::Range(from, *last).first_free(is_taken)
                }
                Pool::Items(_) => pool.first_free(is_taken),
            };
            if let Some(found) = found {
                if let Pool::Range(first, last) = pool {
                    known.from = Some((*first, *last, found));
                }
                return Ok(found);
            }
        }
        self.choose_of(pool, known.borrow().used.iter().copied().collect())
    }
}

impl Choosing<'_> {
    /// Chooses, given all that is used.
    fn choose_of(&self, pool: &Pool, used: Vec<i64>) -> Result<i64, Refusal> {
        let mut all: FxHashSet<i64> = used.into_iter().collect();
        all.extend(&self.everywhere);
        if let Some(preferred) = self.preferred.filter(|v| pool.contains(*v) && !all.contains(v)) {
            return Ok(preferred);
        }
        let used = all.clone();
        all.extend(self.taken.iter().map(|(_, given)| given.value));
        if let Some(free) = pool.first_free(|v| all.contains(&v)) {
            return Ok(free);
        }
        let kept: Vec<_> = self
            .taken
            .iter()
            .filter(|(_, given)| pool.contains(given.value) && !used.contains(&given.value))
            .collect();
        if kept.is_empty() {
            return Err(assign::exhausted(pool));
        }
        const SHOWN: usize = 10;
        let names =
            kept.iter().take(SHOWN).map(|(holder, g)| format!("{} (`{}`)", g.value, element_of(holder)));
        let more = if kept.len() > SHOWN { ", …" } else { "" };
        Err(Refusal::Because {
            message: format!(
                "no int of {} is free: {} used, {} kept for what was deleted",
                pool.shown(),
                used.iter().filter(|v| pool.contains(**v)).count(),
                kept.len()
            ),
            help: format!(
                "these are kept until what was deleted is gone everywhere: {}{more}",
                names.collect::<Vec<_>>().join(", ")
            ),
        })
    }
}
