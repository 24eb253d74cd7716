//! Values that are written back: what an `assigned` field is filled with.
//!
//! The expression is evaluated over the element that lacks the value, in a world where other
//! fields may lack theirs. What meets one of those within a list is left out of the list, so
//! that `used: [v.id for v in all(Vlan)]` is what has been given out so far.

use std::cell::RefCell;
use std::sync::Arc;

use ecow::EcoString;

use crate::diag::codes::eval as codes;
use crate::model::hir::Clause;
use crate::model::prelude::Builtin;
use crate::model::schema::{FieldDef, FieldKind, Slot};
use crate::model::{Body, Hir, HirKind, Program, TypeId};

use super::machine::{Eval, Machine, Stop, This};
use super::run::Computed;
use super::value::{Element, Value};
use super::world::{Instance, World};

/// What filling a field takes that is no pure function of the project.
pub trait Supply {
    /// Random bytes.
    fn random(&self, bytes: &mut [u8]);

    /// Whether it knows itself what is used: then the model is not asked, and [`Supply::choose`]
    /// is given nothing.
    fn knows_used(&self) -> bool {
        false
    }

    /// One int of a pool, given what the model says is used, each as often as it says so.
    fn choose(&self, pool: &Pool, used: Vec<i64>) -> Result<i64, Refusal>;
}

/// What an int is chosen from, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Pool {
    /// The first and the last.
    Range(i64, i64),
    /// These.
    Items(Vec<i64>),
}

/// Why no int is chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// What is wrong, and what to do.
    Because {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// Whoever asked needs no int.
    Silent,
}

impl Pool {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Range(range) => range.bounds().map(|(first, last)| Pool::Range(first, last)),
            Value::List(items) | Value::Set(items) => {
                items.iter().map(int).collect::<Option<_>>().map(Pool::Items)
            }
            _ => None,
        }
    }

    /// The first that is not taken.
    pub fn first_free(&self, taken: impl Fn(i64) -> bool) -> Option<i64> {
        match self {
            Pool::Range(first, last) => (*first..=*last).find(|v| !taken(*v)),
            Pool::Items(items) => items.iter().copied().find(|v| !taken(*v)),
        }
    }

    /// Whether an int is in it.
    pub fn contains(&self, value: i64) -> bool {
        match self {
            Pool::Range(first, last) => (*first..=*last).contains(&value),
            Pool::Items(items) => items.contains(&value),
        }
    }

    /// How it is called in a message.
    pub fn shown(&self) -> String {
        match self {
            Pool::Range(first, last) => format!("{first}..={last}"),
            Pool::Items(items) if items.len() <= 8 => {
                format!("[{}]", items.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))
            }
            Pool::Items(items) => format!("the {} ints that are allowed", items.len()),
        }
    }
}

/// The refusal of a pool of which all is taken.
pub fn exhausted(pool: &Pool) -> Refusal {
    Refusal::Because {
        message: format!("no int of {} is free", pool.shown()),
        help: "make the range larger, or remove what is not needed any more".to_owned(),
    }
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

/// Computes what fills a field of an element. The value is not masked, whatever its type.
pub fn fill<'w>(
    world: &'w dyn World,
    supply: &'w dyn Supply,
    instance: &Arc<Instance>,
    index: u32,
    slot: Slot,
) -> Computed {
    let mut machine = Machine::new(world);
    machine.about(instance);
    machine.subject.element = Some(Element { instance: instance.id, index });
    machine.supply = Some(supply);
    let program = machine.program;
    let record = instance.elements.get(index as usize).map(|e| e.record.clone());
    let value = match record.and_then(|r| Some((program.record(r.ty)?.fields.get(slot as usize)?, r))) {
        Some((FieldDef { value: Some(body), .. }, record)) => machine.run_body(body, This::Record(record)),
        _ => Err(Stop::Value),
    };
    Computed::new(machine, value)
}

/// Whether what a field is filled with is an int that nobody else has.
pub fn is_free_int(field: &FieldDef) -> bool {
    field.kind == FieldKind::Assigned && field.value.as_ref().is_some_and(|body| ends_in_free_int(&body.root))
}

fn ends_in_free_int(hir: &Hir) -> bool {
    match &hir.kind {
        HirKind::Builtin { builtin: Builtin::FreeInt, .. } => true,
        HirKind::Refine(value, _) | HirKind::Block { value: Some(value), .. } => ends_in_free_int(value),
        HirKind::If { then, otherwise: Some(otherwise), .. } => {
            ends_in_free_int(then) || ends_in_free_int(otherwise)
        }
        _ => false,
    }
}

/// Whether a field keeps away from the values of that very field in all instances of its slice,
/// and from nothing else: `free_int(1..=9, used: [v.id for v in all(Vlan)])`.
pub fn keeps_away_from_itself(program: &Program, ty: TypeId, slot: Slot) -> bool {
    let field = program.record(ty).and_then(|r| r.fields.get(usize::from(slot)));
    let Some(body) = field.and_then(|f| f.value.as_ref()) else { return false };
    let mut root = &body.root;
    while let HirKind::Refine(value, _) = &root.kind {
        root = value;
    }
    let HirKind::Builtin { builtin: Builtin::FreeInt, args } = &root.kind else { return false };
    let [Some(_), Some(used)] = args.as_slice() else { return false };
    let HirKind::Comprehension { clauses, key: None, value } = &used.kind else { return false };
    let [Clause::For { locals, over }] = clauses.as_slice() else { return false };
    let HirKind::Field { base, ty: of, slot: read } = &value.kind else { return false };
    let is_loop = matches!((&base.kind, locals.as_slice()), (HirKind::Local(local), [one]) if local == one);
    is_loop && matches!(over.kind, HirKind::All(all) if all == ty) && (*of, *read) == (ty, slot)
}

/// The fields of a type that take an int that nobody else has.
pub fn free_ints(program: &Program, ty: TypeId) -> impl Iterator<Item = (Slot, &FieldDef)> {
    let fields = program.record(ty).map(|r| r.fields.as_slice()).unwrap_or_default();
    (0..).zip(fields).filter(|(_, field)| is_free_int(field))
}

/// A supply that gives nothing and notes what is used.
#[derive(Debug, Default)]
struct Noting {
    used: RefCell<Option<Vec<i64>>>,
}

impl Supply for Noting {
    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn choose(&self, _: &Pool, used: Vec<i64>) -> Result<i64, Refusal> {
        *self.used.borrow_mut() = Some(used);
        Err(Refusal::Silent)
    }
}

/// What `used` says for a field of an element, each int as often as it stands there; none if it
/// cannot be told.
pub fn used(world: &dyn World, instance: &Arc<Instance>, index: u32, slot: Slot) -> Option<Vec<i64>> {
    let noting = Noting::default();
    fill(world, &noting, instance, index, slot);
    noting.used.into_inner()
}

/// Calls one of the builtins that fill fields.
pub(super) fn call<'w>(m: &mut Machine<'w>, hir: &'w Hir, builtin: Builtin, args: &'w [Option<Hir>]) -> Eval {
    let Some(supply) = m.supply else { return Err(m.unexpected(hir)) };
    match (builtin, args) {
        (Builtin::Pin, [Some(value)]) => m.eval(value),
        (Builtin::RandomUuid, []) => Ok(Value::Str(uuid(supply))),
        (Builtin::RandomString, [Some(length)]) => {
            let wanted = match m.eval(length)? {
                Value::Int(wanted) => wanted,
                _ => return Err(m.unexpected(hir)),
            };
            match usize::try_from(wanted) {
                Ok(length @ 1..=LONGEST) => Ok(Value::Str(random_string(supply, length))),
                _ => {
                    let message = format!("a random string has from 1 to {LONGEST} characters, not {wanted}");
                    let problem = m.problem_with(codes::BAD_ARGUMENT, hir, length, message);
                    Err(m.report(problem))
                }
            }
        }
        (Builtin::FreeInt, [Some(range), Some(used)]) => m.free_int(hir, supply, range, used),
        _ => Err(m.unexpected(hir)),
    }
}

/// The longest random string.
const LONGEST: usize = 4096;

/// Letters and digits, each as likely as any other.
fn random_string(supply: &dyn Supply, length: usize) -> EcoString {
    const CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = EcoString::with_capacity(length);
    let mut bytes = [0; 64];
    let mut rounds = 0;
    while text.len() < length {
        supply.random(&mut bytes);
        rounds += 1;
        // Those beyond the last character are dropped, not folded: that would favour some.
        let chosen = bytes.iter().filter_map(|byte| CHARACTERS.get(usize::from(byte & 63)));
        for byte in chosen.take(length - text.len()) {
            text.push(char::from(*byte));
        }
        // A broken source must not keep anybody here for ever.
        if rounds > 2 * LONGEST {
            break;
        }
    }
    text
}

/// Version 4, as RFC 9562 has it.
fn uuid(supply: &dyn Supply) -> EcoString {
    let mut bytes = [0; 16];
    supply.random(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = EcoString::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

impl<'w> Machine<'w> {
    /// A round of a loop. While a field is filled, one that meets a value that is not assigned
    /// yet is left out.
    pub fn round<T>(&mut self, f: impl FnOnce(&mut Self) -> Eval<T>) -> Eval<Option<T>> {
        if self.supply.is_none() {
            return f(self).map(Some);
        }
        let (stack, stopped, said) = (self.stack.len(), self.out.stopped, self.out.diagnostics.len());
        match f(self) {
            Err(Stop::Value) if self.out.diagnostics.len() == said => {
                self.stack.truncate(stack);
                self.out.stopped = stopped;
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    fn free_int(&mut self, hir: &'w Hir, supply: &'w dyn Supply, range: &'w Hir, used: &'w Hir) -> Eval {
        let pool = self.eval(range)?;
        let Some(pool) = Pool::of(&pool) else {
            let problem = self.problem_with(codes::BAD_ARGUMENT, range, range, "this range has no end");
            return Err(self.report(problem.help("write both ends: `100..=4094`")));
        };
        let used = if supply.knows_used() { Value::List(Default::default()) } else { self.eval(used)? };
        let used: Vec<i64> = match &used {
            Value::List(items) | Value::Set(items) => items.iter().filter_map(int).collect(),
            Value::Range(range) => match range.bounds() {
                Some((first, last)) => (first..=last).take(1 << 20).collect(),
                None => return Err(self.unexpected(hir)),
            },
            _ => return Err(self.unexpected(hir)),
        };
        self.charge(hir, used.len(), used.len() * size_of::<i64>())?;
        match supply.choose(&pool, used) {
            Ok(value) => Ok(Value::Int(value)),
            Err(Refusal::Silent) => Err(self.silent(hir)),
            Err(Refusal::Because { message, help }) => {
                let problem = self.problem(codes::BAD_ARGUMENT, hir, message);
                Err(self.report(problem.help(help)))
            }
        }
    }

    /// An `assigned` field that a test does not give: computed from the fields before it.
    pub fn filled_in_test(&mut self, body: &'w Body, start: usize, stored: usize) -> Eval {
        let Some(bench) = self.bench else { return Err(Stop::Value) };
        let before = self.supply.replace(bench);
        let value = self.run_body(body, This::Partial { start, stored });
        self.supply = before;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts through all bytes.
    struct Counting(std::cell::Cell<u8>);

    impl Supply for Counting {
        fn random(&self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0.set(self.0.get().wrapping_add(1));
                *byte = self.0.get();
            }
        }

        fn choose(&self, _: &Pool, _: Vec<i64>) -> Result<i64, Refusal> {
            Err(Refusal::Silent)
        }
    }

    #[test]
    fn every_character_of_a_random_string_is_as_likely() {
        let text = random_string(&Counting(Default::default()), 62 * 4);
        assert_eq!(text.len(), 62 * 4);
        for c in ('A'..='Z').chain('a'..='z').chain('0'..='9') {
            assert_eq!(text.matches(c).count(), 4, "{c}");
        }
    }

    #[test]
    fn a_uuid_says_its_version() {
        assert_eq!(uuid(&Counting(Default::default())), "01020304-0506-4708-890a-0b0c0d0e0f10");
    }

    #[test]
    fn the_first_that_is_free() {
        assert_eq!(Pool::Range(3, 5).first_free(|v| v < 5), Some(5));
        assert_eq!(Pool::Range(3, 5).first_free(|_| true), None);
        assert_eq!(Pool::Range(i64::MAX, i64::MAX).first_free(|_| false), Some(i64::MAX));
        assert_eq!(Pool::Items(vec![9, 1]).first_free(|v| v == 9), Some(1));
    }
}
