//! Inputs of the incremental database and their durability: the only place that makes them.
//!
//! There is one [`SourceFile`] a path, never one a revision, since inputs are never freed. At
//! rest everything is of HIGH durability; what was edited since becomes LOW, so that an edit of
//! one file leaves everything that did not read it a look at one number away from valid.
//!
//! Two inputs are not read from disk but computed: [`Shard`] (which units lie together, about a
//! hundred) and [`KeyBucket`] (where the instance with a key is). The session writes them when
//! the files or the keys have changed. They are inputs, and not queries, because a query over
//! the keys of all instances would be LOW after any edit, and with it everything that looks up
//! a reference.

// The methods that salsa's macros make have no documentation.
#![allow(missing_docs)]

use std::fmt;
use std::sync::{Arc, RwLock};

use ecow::EcoString;
use rustc_hash::FxHashMap;
use salsa::{Durability, Setter as _};

use crate::base::{FileId, System, SystemError};

/// What a path held when it was last read.
pub type Content = Result<Arc<[u8]>, SystemError>;

/// A file of the project, present or not.
#[salsa::input(debug)]
pub struct SourceFile {
    /// Its path.
    #[returns(copy)]
    pub path: FileId,
    /// Its bytes.
    #[returns(ref)]
    pub content: Content,
    /// What it is to the slices: set for the base file of a unit.
    #[returns(ref)]
    pub unit: Option<Arc<Unit>>,
}

/// One or several files that are read together: an instance with its overlays and encrypted
/// part, or an `each` file with its overlays.
#[derive(Clone, PartialEq, Debug)]
pub struct Unit {
    /// The full path of the slice's type.
    pub slice: EcoString,
    /// Whether the file holds a list of instances.
    pub each: bool,
    /// The environment's overlays: by the environment's name.
    pub overlays: Vec<(EcoString, SourceFile)>,
    /// The `*.sops.*` file beside it.
    pub encrypted: Option<SourceFile>,
    /// Keys that the path gives: name and text.
    pub bindings: Vec<(EcoString, EcoString)>,
}

/// What the models are compiled with. There is one.
#[salsa::input(singleton, debug)]
pub struct Project {
    /// The name in gops.toml.
    #[returns(ref)]
    pub name: EcoString,
    /// The environments' names, in order of declaration.
    #[returns(ref)]
    pub environments: Arc<[EcoString]>,
    /// The environment that is evaluated for: an index.
    #[returns(copy)]
    pub environment: Option<u16>,
    /// The model files, sorted by path: the parts of the module's path, and the file.
    #[returns(ref)]
    pub models: Arc<[(Vec<crate::base::Name>, SourceFile)]>,
    /// The shards of each slice, by the full path of its type.
    #[returns(ref)]
    pub shards: Arc<FxHashMap<EcoString, Arc<[Shard]>>>,
    /// The buckets of each slice, by the full path of its type.
    #[returns(ref)]
    pub keys: Arc<FxHashMap<EcoString, Arc<[KeyBucket]>>>,
    /// All files that are not ignored, sorted: read by `files()` alone, and listed only when a
    /// model uses it.
    #[returns(ref)]
    pub listing: Arc<[FileId]>,
}

/// About a hundred units of one slice, sorted by path.
#[salsa::input(debug)]
pub struct Shard {
    /// Their base files.
    #[returns(ref)]
    pub units: Arc<[SourceFile]>,
}

/// A part of a slice's index: where the instance with a key is.
#[salsa::input(debug)]
pub struct KeyBucket {
    /// By the key's text (see `eval::instance`): base file and number in it.
    #[returns(ref)]
    pub entries: Arc<FxHashMap<EcoString, (SourceFile, u32)>>,
}

/// Access to the inputs from queries.
#[salsa::db]
pub trait Db: salsa::Database {
    /// The input of a path; made, and read, when it is asked for first.
    fn source(&self, path: FileId) -> SourceFile;
}

/// The database. Clones are handles of one database, for other threads; they must be dropped
/// before an input is set.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
    system: Arc<dyn System>,
    files: Arc<RwLock<FxHashMap<FileId, SourceFile>>>,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn source(&self, path: FileId) -> SourceFile {
        if let Some(file) = self.known(path) {
            return file;
        }
        let content = self.system.read(path.path());
        self.insert(path, content, None)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("system", &self.system).finish_non_exhaustive()
    }
}

impl Database {
    /// An empty database over a system.
    pub fn new(system: Arc<dyn System>) -> Self {
        Database { storage: salsa::Storage::default(), system, files: Arc::default() }
    }

    /// What the files are read from.
    pub fn system(&self) -> &Arc<dyn System> {
        &self.system
    }

    /// Reads from another system from now on; what was read stays until it is refreshed. Gives
    /// the one before.
    pub fn set_system(&mut self, system: Arc<dyn System>) -> Arc<dyn System> {
        std::mem::replace(&mut self.system, system)
    }

    /// The paths of all inputs with what they held, in no order.
    pub fn files(&self) -> Vec<SourceFile> {
        self.files.read().unwrap_or_else(|p| p.into_inner()).values().copied().collect()
    }

    /// The input of a path, if there is one yet.
    pub fn known(&self, path: FileId) -> Option<SourceFile> {
        self.files.read().unwrap_or_else(|p| p.into_inner()).get(&path).copied()
    }

    fn insert(&self, path: FileId, content: Content, unit: Option<Arc<Unit>>) -> SourceFile {
        let mut files = self.files.write().unwrap_or_else(|p| p.into_inner());
        *files.entry(path).or_insert_with(|| {
            SourceFile::builder(path, content, unit).durability(Durability::HIGH).new(self)
        })
    }

    /// The input of a file with what it is to the slices.
    pub fn add_unit(&mut self, path: FileId, unit: Unit) -> SourceFile {
        let Some(file) = self.known(path) else {
            let content = self.system.read(path.path());
            return self.insert(path, content, Some(Arc::new(unit)));
        };
        if file.unit(self).as_deref() != Some(&unit) {
            file.set_unit(self).with_durability(Durability::HIGH).to(Some(Arc::new(unit)));
        }
        file
    }

    /// Reads a path again. Says whether its content changed; an input that nobody asked for yet
    /// has not.
    pub fn refresh(&mut self, path: FileId) -> bool {
        let Some(file) = self.known(path) else { return false };
        let content = self.system.read(path.path());
        if *file.content(self) == content {
            return false;
        }
        // `to` hands back what was there before.
        let _before = file.set_content(self).with_durability(Durability::LOW).to(content);
        true
    }

    /// A project without files.
    pub fn new_project(&self) -> Project {
        Project::builder(
            EcoString::new(),
            Arc::default(),
            None,
            Arc::default(),
            Arc::default(),
            Arc::default(),
            Arc::default(),
        )
        .durability(Durability::HIGH)
        .new(self)
    }

    /// A shard of these units.
    pub fn new_shard(&self, units: Arc<[SourceFile]>) -> Shard {
        Shard::builder(units).durability(Durability::HIGH).new(self)
    }

    /// A bucket of these entries.
    pub fn new_bucket(&self, entries: FxHashMap<EcoString, (SourceFile, u32)>) -> KeyBucket {
        KeyBucket::builder(Arc::new(entries)).durability(Durability::HIGH).new(self)
    }
}

/// Sets a field of an input to a value of HIGH durability if it differs.
macro_rules! set_if_changed {
    ($db:expr, $input:expr, $get:ident, $set:ident, $value:expr) => {{
        let value = $value;
        if *$input.$get($db) != value {
            $input.$set($db).with_durability(salsa::Durability::HIGH).to(value);
        }
    }};
}

impl Database {
    /// Sets what gops.toml says.
    pub fn set_settings(
        &mut self,
        project: Project,
        name: EcoString,
        environments: Arc<[EcoString]>,
        environment: Option<u16>,
    ) {
        set_if_changed!(self, project, name, set_name, name);
        set_if_changed!(self, project, environments, set_environments, environments);
        if project.environment(self) != environment {
            project.set_environment(self).with_durability(Durability::HIGH).to(environment);
        }
    }

    /// Sets the model files.
    pub fn set_models(&mut self, project: Project, models: Arc<[(Vec<crate::base::Name>, SourceFile)]>) {
        set_if_changed!(self, project, models, set_models, models);
    }

    /// Sets the shards of all slices.
    pub fn set_shards(&mut self, project: Project, shards: FxHashMap<EcoString, Arc<[Shard]>>) {
        set_if_changed!(self, project, shards, set_shards, Arc::new(shards));
    }

    /// Sets the key buckets of all slices.
    pub fn set_keys(&mut self, project: Project, keys: FxHashMap<EcoString, Arc<[KeyBucket]>>) {
        set_if_changed!(self, project, keys, set_keys, Arc::new(keys));
    }

    /// Sets the list of all files.
    pub fn set_listing(&mut self, project: Project, listing: Arc<[FileId]>) {
        set_if_changed!(self, project, listing, set_listing, listing);
    }

    /// Sets the units of a shard.
    pub fn set_units(&mut self, shard: Shard, units: Arc<[SourceFile]>) {
        set_if_changed!(self, shard, units, set_units, units);
    }

    /// Sets the entries of a bucket.
    pub fn set_entries(&mut self, bucket: KeyBucket, entries: FxHashMap<EcoString, (SourceFile, u32)>) {
        if **bucket.entries(self) != entries {
            bucket.set_entries(self).with_durability(Durability::HIGH).to(Arc::new(entries));
        }
    }
}
