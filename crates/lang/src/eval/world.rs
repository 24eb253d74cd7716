//! What a run sees of everything outside of it.

use std::sync::Arc;

use ecow::EcoString;

use crate::base::FileId;
use crate::diag::Diagnostic;
use crate::model::{Program, TypeId};

use super::budget::Cost;
use super::convert::Step;
use super::plan::Plan;
use super::value::{Element, FileValue, InstanceId, Key, Object, Record, Reference, Value};

/// A typed instance, or one that a test made.
#[derive(Clone, PartialEq, Debug)]
pub struct Instance {
    /// Which.
    pub id: InstanceId,
    /// Its slice.
    pub ty: TypeId,
    /// Its key.
    pub key: Key,
    /// Its elements in document order: the root, then each struct below it.
    pub elements: Vec<InstanceElement>,
    /// Whether something was wrong with it: who reads it says nothing more about it.
    pub broken: bool,
}

/// An element and where it stands.
///
/// A variant without a payload is no struct, so it is no element; where its union has `impl`s
/// it is one all the same, with a record of the union's type and no fields.
#[derive(Clone, PartialEq, Debug)]
pub struct InstanceElement {
    /// Its value.
    pub record: Arc<Record>,
    /// The struct or slice that holds it: an index into `Instance::elements`.
    pub parent: Option<u32>,
    /// The union's variant that carries it, if it is a payload.
    pub variant: Option<(TypeId, u16)>,
    /// The path of field names from its parent, with its identity: `pages[path=/x]`, as in
    /// [`Origin`](super::Origin) of the graph.
    pub step: EcoString,
    /// Its node in the document, and the file of it (which differs from the instance's for what
    /// an overlay or a sops file brought).
    pub place: Option<(crate::base::FileId, u32)>,
    /// For each stored slot the node of its value, where it stands in the data.
    pub fields: Box<[Option<(crate::base::FileId, u32)>]>,
    /// Slots whose value was wrong and said to be, sorted. Their values are (or hold)
    /// [`Value::Wrong`]: a check that reads one is not run, and what an `impl` makes of one is
    /// left out without a word.
    pub wrong: Vec<u16>,
}

/// What became of an element since the newest earlier version. In the order of the variants of
/// `std::history::Operation`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Operation {
    /// That version did not have it.
    Create,
    /// That version had it, and it differs in itself or below.
    Update,
    /// Some earlier version had it, and it is no more.
    Delete,
    /// It is as it was, or no history is looked for.
    #[default]
    Keep,
}

/// Everything outside of one run. Implemented over the incremental database, and by tests.
/// Each method may be called any number of times and gives the same answer within a revision.
pub trait World {
    /// The model.
    fn program(&self) -> &Program;

    /// What was prepared from the model for all runs.
    fn plan(&self) -> &Plan;

    /// The index of the environment that is evaluated for.
    fn environment(&self) -> Option<u16>;

    /// An instance by slice and key.
    fn instance(&self, ty: TypeId, key: &Key) -> Option<Arc<Instance>>;

    /// An instance by its place.
    fn instance_at(&self, id: InstanceId) -> Option<Arc<Instance>>;

    /// An entity or resource by type and key: reads the type.
    fn object(&self, reference: &Reference) -> Option<Arc<Object>>;

    /// All values of a slice, entity or resource, in the order of their keys, as references.
    fn all(&self, ty: TypeId) -> Arc<[Value]>;

    /// The values of a relation's field for one owner: references in key order, or, over
    /// structs, records in order of instance and path.
    fn related(&self, relation: u32, owner: &Reference) -> Arc<[Value]>;

    /// A derived field of an element that was computed before, or computes it in a run of its
    /// own. None: the evaluator computes it in this run.
    fn derived(&self, element: Element, slot: u16) -> Option<Result<Value, ()>>;

    /// A constant (index into `Program::consts`), computed once by [`constant`](super::constant).
    /// None: the evaluator computes it in this run.
    fn constant(&self, _index: u32) -> Option<Result<Value, ()>> {
        None
    }

    /// The result of a function without parameters (index into `Program::functions`), computed
    /// once by [`function`](super::function). None: the evaluator computes it in this run.
    fn function(&self, _index: u32) -> Option<Result<Value, ()>> {
        None
    }

    /// The node of a part of a node of a file, for a message; the outermost step is the last.
    fn descend(&self, _file: FileId, _node: u32, _steps: &[Step]) -> Option<u32> {
        None
    }

    /// An output that a test has given. Else none: it is known only after a deploy.
    fn output(&self, _object: &Reference, _slot: u16) -> Option<Value> {
        None
    }

    /// What became of an element since the newest earlier version.
    fn operation(&self, _element: Element) -> Operation {
        Operation::Keep
    }

    /// What a stored or derived field of an element was in the newest earlier version; of a deleted
    /// one, in the newest that had it. None: there is no such value.
    fn previous(&self, _element: Element, _slot: u16) -> Option<Value> {
        None
    }

    /// Whether runs say of each reference where its key comes from in the data. To look for it
    /// costs more than to make the reference, and it is wanted only of one that leads nowhere:
    /// then what made it runs once more.
    fn traces(&self) -> bool {
        false
    }

    /// A file of the project. `path` is relative to the project's root, without `.` and `..`.
    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString>;

    /// All files below a folder (empty for the root) whose path in it matches a glob of `*`,
    /// `**`, `?` and `{a,b}`: their paths relative to the project's root, sorted.
    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString>;
}

/// One version of everything, for whoever compares several.
pub trait Version {
    /// What its runs see.
    fn world(&self) -> &dyn World;

    /// Its instances that could be read, in an order that does not depend on chance.
    fn instances(&self) -> Vec<Arc<Instance>>;

    /// What the `impl`s of an instance make, without those about history: `Object::origin` has the
    /// element.
    fn each_made(&self, instance: &Arc<Instance>, found: &mut dyn FnMut(&Arc<Object>));

    /// What the `impl`s of an entity make.
    fn each_made_by(&self, entity: &Arc<Reference>, found: &mut dyn FnMut(&Arc<Object>));
}

/// What one run gives: the `impl`s of one instance (all of its elements) or of one entity.
#[derive(Clone, Debug, Default)]
pub struct RunOutput {
    /// What was constructed, in order; the same object twice is merged only later.
    pub objects: Vec<Arc<Object>>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// References that were made by key and whose existence is to be checked at the end: which,
    /// and where it stands in the model, and the data that its key came from.
    pub references: Vec<PendingReference>,
    /// What it took, for the project's total.
    pub cost: Cost,
    /// Something was left out because of a mistake that is said elsewhere: a reference to
    /// nothing, a value that is wrong. With no diagnostic in the whole project it is a defect of
    /// gops, and this is where.
    pub stopped: Option<crate::diag::Place>,
}

/// A reference whose existence is checked at the end.
#[derive(Clone, PartialEq, Debug)]
pub struct PendingReference {
    /// To what.
    pub reference: Arc<Reference>,
    /// Where it is written in the model.
    pub place: crate::diag::Place,
    /// Where the key stands in the data; for one of a model only in a run that traces (see
    /// [`World::traces`]).
    pub data: Option<crate::diag::Place>,
}

/// A world of a model alone: for what is evaluated while instances are being read, when there
/// are no instances and objects to read yet. Files come from another world, if there is one.
pub struct ModelWorld<'a> {
    /// The model.
    pub program: &'a Program,
    /// What was prepared from it.
    pub plan: &'a Plan,
    /// The index of the environment.
    pub environment: Option<u16>,
    /// What `file()` and `files()` read.
    pub files: Option<&'a dyn Files>,
}

/// What `file()` and `files()` read.
pub trait Files {
    /// See [`World::file`].
    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString>;

    /// See [`World::files`].
    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString>;
}

impl World for ModelWorld<'_> {
    fn program(&self) -> &Program {
        self.program
    }
    fn plan(&self) -> &Plan {
        self.plan
    }
    fn environment(&self) -> Option<u16> {
        self.environment
    }
    fn instance(&self, _: TypeId, _: &Key) -> Option<Arc<Instance>> {
        None
    }
    fn instance_at(&self, _: InstanceId) -> Option<Arc<Instance>> {
        None
    }
    fn object(&self, _: &Reference) -> Option<Arc<Object>> {
        None
    }
    fn all(&self, _: TypeId) -> Arc<[Value]> {
        Arc::from([])
    }
    fn related(&self, _: u32, _: &Reference) -> Arc<[Value]> {
        Arc::from([])
    }
    fn derived(&self, _: Element, _: u16) -> Option<Result<Value, ()>> {
        None
    }
    fn file(&self, path: &str) -> Result<Arc<FileValue>, EcoString> {
        match self.files {
            Some(files) => files.file(path),
            None => Err("files cannot be read here".into()),
        }
    }
    fn files(&self, folder: &str, pattern: &str) -> Result<Vec<EcoString>, EcoString> {
        match self.files {
            Some(files) => files.files(folder, pattern),
            None => Err("files cannot be read here".into()),
        }
    }
}
