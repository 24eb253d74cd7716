//! The state of a run: frames, what it made, what it took.

use std::sync::{Arc, LazyLock};

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::FileId;
use crate::diag::{Code, Diagnostic, Place, codes::eval as codes};
use crate::model::schema::Slot;
use crate::model::{Body, Hir, HirKind, Node, Program, TypeId};

use super::assign::Supply;
use super::budget::{self, Cost};
use super::moved::Slots;
use super::plan::Plan;
use super::testing::Bench;
use super::value::{Element, Object, Record, Reference, Value};
use super::world::{Instance, RunOutput, World};

/// Why an evaluation does not go on. What there is to say has been said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// This value cannot be had; other statements go on.
    Value,
    /// The run has taken all that it may.
    Run,
}

pub(super) type Eval<T = Value> = Result<T, Stop>;

/// What `self` is.
#[derive(Clone, Debug, Default)]
pub(super) enum This {
    /// Nothing.
    #[default]
    None,
    /// An element or a struct's value.
    Record(Arc<Record>),
    /// An entity, in its `impl`s, checks and derived fields.
    Object(Arc<Object>),
    /// A record that is being made: its fields so far, on the stack.
    Partial {
        /// Where its first field is.
        start: usize,
        /// How many there are.
        stored: usize,
    },
    /// Any other value: a union's, or one that a refinement is about.
    Value(Value),
}

/// A body that is being evaluated.
#[derive(Debug)]
pub(super) struct Frame<'w> {
    /// All of it, for the way from a local back to what it was bound to.
    pub root: Option<&'w Hir>,
    /// The file that its nodes are numbers of.
    pub file: FileId,
    /// Where its locals start on the stack.
    pub base: usize,
    /// What `self` is.
    pub this: This,
    /// The call that it is a function's body for: the place and the arguments.
    pub call: Option<(Node, &'w [Hir])>,
}

/// For whom the run is.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    /// The element that an `impl` or a check runs for.
    pub element: Option<Element>,
    /// The entity that an `impl` runs for.
    pub maker: Option<Arc<Object>>,
    /// The folder that relative paths of `file()` start at; none: only from `/`.
    pub folder: Option<&'static str>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Memo {
    Const(u32),
    Function(u32),
    Element(Element, Slot),
    Object(Arc<Reference>, Slot),
    /// By address; the record is kept with the entry, so that the address stays its own.
    Record(usize, Slot),
}

#[derive(Debug)]
struct Remembered {
    result: Result<Value, ()>,
    _record: Option<Arc<Record>>,
}

/// A run: evaluates bodies and gathers what they make.
pub(super) struct Machine<'w> {
    pub world: &'w dyn World,
    pub program: &'w Program,
    pub plan: &'w Plan,
    /// Locals of all frames, and values on their way into a list or record.
    pub stack: Vec<Value>,
    /// Strings under construction.
    pub text: String,
    pub frame: Frame<'w>,
    pub callers: Vec<Frame<'w>>,
    pub subject: Subject,
    /// The instance of `subject`.
    pub instance: Option<Arc<Instance>>,
    pub instance_ref: Option<Arc<Reference>>,
    /// Records that were read by reference a moment ago.
    pub recent: Vec<(Arc<Reference>, Arc<Record>)>,
    /// See [`World::traces`].
    pub traces: bool,
    pub out: RunOutput,
    pub cost: Cost,
    pub depth: u32,
    /// The objects of `out`, by reference, up to the number that was entered.
    pub made: (FxHashMap<Arc<Reference>, u32>, usize),
    pub regexes: FxHashMap<EcoString, Option<regex::Regex>>,
    /// For each object of `out` the loop elements that it was made for, where that is wanted.
    pub slots: Option<Box<Slots>>,
    memo: FxHashMap<Memo, Remembered>,
    /// Where a test runs.
    pub bench: Option<&'w Bench<'w>>,
    /// What fills the `assigned` field that is being evaluated.
    pub supply: Option<&'w dyn Supply>,
}

/// More problems than these in one run are not worth reading.
pub(super) const MOST_PROBLEMS: usize = 100;

impl<'w> Machine<'w> {
    pub fn new(world: &'w dyn World) -> Self {
        Machine {
            world,
            program: world.program(),
            plan: world.plan(),
            stack: Vec::new(),
            text: String::new(),
            frame: Frame::outermost(),
            callers: Vec::new(),
            subject: Subject::default(),
            instance: None,
            instance_ref: None,
            recent: Vec::new(),
            traces: world.traces(),
            out: RunOutput::default(),
            cost: Cost::default(),
            depth: 0,
            made: Default::default(),
            regexes: FxHashMap::default(),
            slots: None,
            memo: FxHashMap::default(),
            bench: None,
            supply: None,
        }
    }

    /// Evaluates a body with its own frame.
    pub fn run_body(&mut self, body: &'w Body, this: This) -> Eval {
        self.enter(body.file, Some(&body.root), body.locals, this);
        let result = self.eval(&body.root);
        self.leave();
        result
    }

    /// Starts a frame. Each is followed by a [`Machine::leave`].
    pub fn enter(&mut self, file: FileId, root: Option<&'w Hir>, locals: u32, this: This) {
        let base = self.stack.len();
        self.stack.resize(base + locals as usize, Value::Null);
        let frame = Frame { root, file, base, this, call: None };
        self.callers.push(std::mem::replace(&mut self.frame, frame));
    }

    /// Ends a frame.
    pub fn leave(&mut self) {
        self.stack.truncate(self.frame.base);
        self.frame = self.callers.pop().unwrap_or_else(Frame::outermost);
    }

    /// Evaluates something that has a budget of its own, so that it costs its user the same
    /// whether it was computed before or not.
    pub fn apart(&mut self, f: impl FnOnce(&mut Self) -> Eval) -> Eval {
        let before = std::mem::take(&mut self.cost);
        let result = f(self);
        self.out.cost += std::mem::replace(&mut self.cost, before);
        result.map_err(|_| Stop::Value)
    }

    /// Computes a value once in this run, apart.
    fn remembered(
        &mut self,
        key: Memo,
        keep: Option<Arc<Record>>,
        f: impl FnOnce(&mut Self) -> Eval,
    ) -> Eval {
        if let Some(found) = self.memo.get(&key) {
            return found.result.clone().map_err(|()| Stop::Value);
        }
        let result = self.apart(f);
        let entry = Remembered { result: result.clone().map_err(|_| ()), _record: keep };
        self.memo.insert(key, entry);
        result
    }

    /// A constant.
    pub fn constant(&mut self, hir: &Hir, index: u32) -> Eval {
        if let Some(known) = self.world.constant(index) {
            return known.map_err(|()| self.silent(hir));
        }
        let Some(def) = self.program.consts.get(index as usize) else { return Err(self.silent(hir)) };
        self.remembered(Memo::Const(index), None, |m| m.constant_body(def))
    }

    /// The value of a constant, masked as its type says.
    pub fn constant_body(&mut self, def: &'w crate::model::program::ConstDef) -> Eval {
        let value = self.run_body(&def.body, This::None)?;
        Ok(super::deferred::masked(value, &def.ty))
    }

    /// Calls a function.
    pub fn call(&mut self, hir: &Hir, index: u32, args: &'w [Hir]) -> Eval {
        let Some(def) = self.program.functions.get(index as usize) else { return Err(self.silent(hir)) };
        if args.is_empty() {
            if let Some(known) = self.world.function(index) {
                return known.map_err(|()| self.silent(hir));
            }
            return self.remembered(Memo::Function(index), None, |m| m.function_body(index));
        }
        let base = self.stack.len();
        for arg in args {
            match self.eval(arg) {
                Ok(value) => self.stack.push(value),
                Err(stop) => {
                    self.stack.truncate(base);
                    return Err(stop);
                }
            }
        }
        self.stack.resize(base + (def.body.locals as usize).max(args.len()), Value::Null);
        let call = Some((hir.node, args));
        let frame = Frame { root: Some(&def.body.root), file: def.body.file, base, this: This::None, call };
        self.callers.push(std::mem::replace(&mut self.frame, frame));
        let result = self.eval(&def.body.root);
        self.leave();
        if self.plan.has_secret_result(index) {
            return result.map(|value| super::deferred::masked(value, &def.result));
        }
        result
    }

    /// The result of a function without parameters.
    pub fn function_body(&mut self, index: u32) -> Eval {
        let Some(def) = self.program.functions.get(index as usize) else { return Err(Stop::Value) };
        let value = self.run_body(&def.body, This::None)?;
        Ok(super::deferred::masked(value, &def.result))
    }

    /// A derived field of a record.
    pub fn derived_of_record(&mut self, hir: &Hir, record: &Arc<Record>, slot: Slot) -> Eval {
        let memo = match record.element {
            Some(element) => {
                if let Some(known) = self.world.derived(element, slot) {
                    return known.map_err(|()| self.silent(hir));
                }
                Memo::Element(element, slot)
            }
            None => Memo::Record(Arc::as_ptr(record) as usize, slot),
        };
        self.remembered(memo, Some(record.clone()), |m| {
            m.derived(record.ty, slot, This::Record(record.clone()))
        })
    }

    /// A derived field of an object.
    pub fn derived_of_object(&mut self, object: &Arc<Object>, slot: Slot) -> Eval {
        let reference = object.reference.clone();
        let ty = reference.ty;
        let this = This::Object(object.clone());
        self.remembered(Memo::Object(reference, slot), None, |m| m.derived(ty, slot, this))
    }

    /// Evaluates a derived field.
    pub fn derived(&mut self, ty: TypeId, slot: Slot, this: This) -> Eval {
        let field = self.program.record(ty).and_then(|r| r.fields.get(slot as usize));
        let Some((field, body)) = field.and_then(|f| Some((f, f.value.as_ref()?))) else {
            return Err(Stop::Value);
        };
        let value = self.run_body(body, this)?;
        Ok(if self.plan.slot(ty, slot).secret { super::deferred::masked(value, &field.ty) } else { value })
    }

    /// Counts a step.
    #[inline]
    pub fn step(&mut self, hir: &Hir) -> Eval<()> {
        self.cost.steps += 1;
        if self.cost.steps > budget::RUN.steps {
            return Err(self.exhausted(hir));
        }
        Ok(())
    }

    /// Counts what a builtin went through and made.
    pub fn charge(&mut self, hir: &Hir, steps: usize, bytes: usize) -> Eval<()> {
        self.cost.steps = self.cost.steps.saturating_add(steps as u64);
        self.cost.bytes = self.cost.bytes.saturating_add(bytes as u64);
        if self.cost.exceeds(&budget::RUN).is_some() {
            return Err(self.exhausted(hir));
        }
        Ok(())
    }

    /// Says that the run has taken all that it may.
    #[cold]
    pub fn exhausted(&mut self, hir: &Hir) -> Stop {
        let (what, limit) = match self.cost.exceeds(&budget::RUN) {
            Some("bytes") => ("MiB", budget::RUN.bytes >> 20),
            Some("objects") => ("objects", budget::RUN.objects),
            _ => ("steps", budget::RUN.steps),
        };
        let message = format!("this evaluation takes more than {limit} {what}");
        let problem = self.problem(codes::BUDGET, hir, message).at("it was here when they were used up");
        self.report(problem.help("make less of it: a loop or a text grows without need"));
        Stop::Run
    }

    /// Whether a body may go one level deeper.
    #[cold]
    pub fn too_deep(&mut self, hir: &Hir) -> Stop {
        let message = format!("this evaluation is more than {} levels deep", budget::DEPTH);
        let problem = self.problem(codes::BUDGET, hir, message);
        self.report(problem.help("nest calls and derived fields less deep"));
        Stop::Run
    }

    /// Stops because of a mistake that is said elsewhere.
    #[cold]
    pub fn silent(&mut self, hir: &Hir) -> Stop {
        let place = self.place(hir.node);
        self.out.stopped.get_or_insert(place);
        Stop::Value
    }

    /// Stops at something that the checker should have refused. Said by nobody: the project says
    /// it as a defect of gops if it knows of no mistake at all.
    #[cold]
    pub fn unexpected(&mut self, hir: &Hir) -> Stop {
        self.silent(hir)
    }

    /// A place of the body that is being evaluated.
    pub fn place(&self, node: Node) -> Place {
        Place::Model { file: self.frame.file, node: node.0 }
    }

    /// A problem at an expression.
    pub fn problem(&self, code: Code, hir: &Hir, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.place(hir.node), message)
    }

    /// A problem at an expression, with the data that `value` came from.
    pub fn problem_with(&self, code: Code, hir: &Hir, value: &Hir, message: impl Into<String>) -> Diagnostic {
        let problem = self.problem(code, hir, message);
        match self.data_place(value) {
            Some(place) => problem.label(place, "the value comes from here"),
            None => problem,
        }
    }

    /// Says a problem, with the calls that led to it and for whom the run is.
    pub fn report(&mut self, mut problem: Diagnostic) -> Stop {
        const MOST_CALLS: usize = 3;
        let mut inner = &self.frame;
        for caller in self.callers.iter().rev().take(MOST_CALLS) {
            if let Some((node, _)) = inner.call {
                problem = problem.label(Place::Model { file: caller.file, node: node.0 }, "called from here");
            }
            inner = caller;
        }
        let has_data = problem.labels.iter().any(|l| matches!(l.place, Place::Data { .. }));
        if !has_data && let Some((place, text)) = self.subject_label() {
            problem = match problem.labels.first().map(|l| l.place) {
                // One label says both.
                Some(Place::File(file)) if place.file() == file => problem.at(text).moved_to(place),
                _ => problem.subject(place, text),
            };
        }
        self.out.diagnostics.push(problem);
        if self.out.diagnostics.len() >= MOST_PROBLEMS { Stop::Run } else { Stop::Value }
    }

    fn subject_label(&self) -> Option<(Place, String)> {
        if let Some(element) = self.subject.element {
            let instance = self.instance_of(element)?;
            let found = instance.elements.get(element.index as usize)?;
            let place = super::provenance::element_place(&instance, element.index);
            let name = self.program.types.get(found.record.ty.0 as usize)?.decl().name;
            return Some((place, format!("for this `{name}`")));
        }
        let maker = self.subject.maker.as_ref()?;
        let text = format!("for `{}`, made here", super::print::reference(self.program, &maker.reference));
        Some((Place::Model { file: maker.origin.file, node: maker.origin.node.0 }, text))
    }

    /// The instance of an element.
    pub fn instance_of(&self, element: Element) -> Option<Arc<Instance>> {
        match &self.instance {
            Some(instance) if instance.id == element.instance => Some(instance.clone()),
            _ => self.world.instance_at(element.instance),
        }
    }

    /// Binds a local of the frame.
    pub fn set_local(&mut self, local: u32, value: Value) {
        if let Some(slot) = self.stack.get_mut(self.frame.base + local as usize) {
            *slot = value;
        }
    }

    /// Applies a function value to arguments.
    pub fn apply(&mut self, lambda: &'w Hir, args: &[Value]) -> Eval {
        let HirKind::Lambda { params, body } = &lambda.kind else { return Err(self.unexpected(lambda)) };
        for (param, value) in params.iter().zip(args) {
            self.set_local(*param, value.clone());
        }
        self.eval(body)
    }

    /// Ends the run.
    pub fn finish(mut self) -> RunOutput {
        self.out.cost += self.cost;
        self.out
    }
}

impl Frame<'_> {
    fn outermost() -> Self {
        // The file of a frame without a body is never shown.
        static NOWHERE: LazyLock<FileId> = LazyLock::new(|| FileId::new(""));
        Frame { root: None, file: *NOWHERE, base: 0, this: This::None, call: None }
    }
}
