//! A project that is open: loaded once, then kept up to date.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashSet;

use crate::base::{FileId, MemorySystem, Name, System, SystemError};
use crate::db::{Content, Database, Db as _, Project, Shard, SourceFile};
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place, did_you_mean, sort_and_dedup};
use crate::graph::GraphBuilder;
use crate::handler::Registry;
use crate::model::Program;

use super::active::{Moved, View};
use super::config::{self, CONFIG_FILE, Config};
use super::graphs::GraphState;
use super::history::EarlierProject;
use super::index::{Index, Keys};
use super::layout::{Layout, layout};
use super::queries;
use super::reach::Edits;
use super::walk::Walker;

/// How a project is looked at.
#[derive(Clone, Debug)]
pub struct Options {
    /// The environment: `--env`.
    pub env: Option<String>,
    /// How many threads evaluate; the result is the same for any number.
    pub threads: usize,
    /// Of a project with `history = "active"`, look at what was activated, not at the sources.
    pub active: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { env: None, threads: 1, active: false }
    }
}

/// What is to be said of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// With places in bytes, in the order in which they are shown.
    pub diagnostics: Vec<Diagnostic>,
    /// How many instances there are.
    pub instances: usize,
}

impl Report {
    /// Whether anything is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// A report, and the graph if nothing is an error.
#[derive(Debug)]
pub struct Compiled {
    /// What is to be said.
    pub report: Report,
    /// The graph.
    pub graph: Option<GraphBuilder>,
}

/// What another system has otherwise.
#[derive(Default)]
struct Exchanged {
    /// The files.
    files: Vec<FileId>,
    /// Whether there are other files than there were, or other rules of which there are.
    structural: bool,
}

/// What became of one `test` of a model.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    /// Its title, with the environment where there are several.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Why it failed, resolved; empty if it did not.
    pub diagnostics: Vec<Diagnostic>,
}

/// An open project.
pub struct Session {
    pub(super) db: Database,
    /// The files as they are: those of the database are what was activated, if that is looked at.
    sources: Arc<dyn System>,
    /// What was activated, if that is looked at.
    pub(super) view: Option<View>,
    pub(super) project: Project,
    pub(super) options: Options,
    config: Option<Config>,
    /// What is wrong with gops.toml and the paths of model files.
    setup: Vec<Diagnostic>,
    pub(super) layout: Layout,
    index: Index,
    pub(super) state: GraphState,
    /// What was edited since the last graph was made.
    pub(super) edits: Edits,
    /// The shards that this can concern; none if that may be any.
    pub(super) concerned: Option<FxHashSet<Shard>>,
    pub(super) handlers: Registry,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens the project that a system holds. What is wrong with it is said by [`Session::check`].
    pub fn open(system: Arc<dyn System>, options: Options) -> Self {
        let db = Database::new(system.clone());
        let project = db.new_project();
        let mut session = Session {
            db,
            sources: system,
            view: None,
            project,
            options,
            config: None,
            setup: Vec::new(),
            layout: Layout::default(),
            index: Index::default(),
            state: GraphState::default(),
            edits: Edits::Anything,
            concerned: None,
            handlers: Registry::standard(),
        };
        session.load();
        session
    }

    /// What gops.toml says, with defaults for what is wrong there; none if it cannot be read.
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// Lets go of all that was read and made of it: whoever has the graph may need the memory. What
    /// gops.toml says stays; all else is from now on as in a project without files.
    pub fn let_go(&mut self) {
        let nothing: Arc<dyn System> = Arc::new(MemorySystem::default());
        let db = Database::new(nothing.clone());
        self.project = db.new_project();
        self.db = db;
        self.sources = nothing;
        self.view = None;
        self.layout = Layout::default();
        self.index = Index::default();
        self.state = GraphState::default();
        self.edits = Edits::Anything;
        self.concerned = None;
    }

    /// How the project is looked at.
    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// The model.
    pub fn program(&self) -> Arc<Program> {
        queries::program(&self.db)
    }

    /// The text of a file of the project or of the standard library.
    pub fn source(&self, file: FileId) -> Option<Arc<str>> {
        super::origins::text(&self.db, file).map(Into::into)
    }

    /// What is wrong with the project: in the environment that was asked for, or in every one.
    pub fn check(&mut self) -> Report {
        self.check_and(&mut |_| {})
    }

    /// The same; `seen` is called with the session as it is in each environment.
    pub(super) fn check_and(&mut self, seen: &mut dyn FnMut(&Session)) -> Report {
        let environments = self.config.as_ref().map_or(0, |c| c.environments.len());
        if environments == 0 || self.options.env.is_some() {
            let report = self.compile_here().report;
            seen(self);
            return report;
        }
        let mut all = Report::default();
        for index in 0..environments {
            self.select(Some(index as u16));
            let report = self.compile_here().report;
            seen(self);
            all.instances = report.instances;
            all.diagnostics.extend(report.diagnostics);
        }
        self.select(None);
        sort_and_dedup(&mut all.diagnostics);
        all
    }

    /// The graph. A project with environments has one for each, so one must have been chosen. What
    /// was activated before counts as what was there before.
    pub fn compile(&mut self) -> Compiled {
        let earlier = self.activated_before().to_vec();
        if earlier.is_empty() { self.compile_plainly() } else { self.compile_with(&earlier) }
    }

    /// Whether what was activated is looked at, not the sources.
    pub fn is_active(&self) -> bool {
        self.view.is_some()
    }

    /// What was activated before, if that is looked at: every instance at its newest earlier
    /// version, then at the one before, and so on.
    pub fn activated_before(&self) -> &[EarlierProject] {
        self.view.as_ref().map_or(&[], |view| &view.earlier)
    }

    /// The graph, with no look at what was before.
    pub(super) fn compile_plainly(&mut self) -> Compiled {
        if let Some(config) = &self.config
            && !config.environments.is_empty()
            && self.options.env.is_none()
        {
            let names: Vec<String> =
                config.environments.iter().map(|e| format!("`--env {}`", e.name)).collect();
            let problem = Diagnostic::new(
                codes::ENVIRONMENT,
                Place::File(FileId::new(CONFIG_FILE)),
                "the project has environments, and none was chosen",
            )
            .help(format!("say {}", names.join(" or ")));
            let diagnostics = vec![problem.resolved(&super::origins::Nowhere)];
            return Compiled { report: Report { diagnostics, instances: 0 }, graph: None };
        }
        self.compile_here()
    }

    /// What is wrong with gops.toml and the paths of model files, and something else.
    pub(super) fn setup_and<'d>(&'d self, more: &'d [Diagnostic]) -> impl Iterator<Item = &'d Diagnostic> {
        self.setup.iter().chain(more)
    }

    /// Whether what was activated is looked at, or would be if nothing were wrong with it.
    fn wants_store(&self) -> bool {
        let is_active = || self.config.as_ref().is_some_and(super::active::is_active);
        self.view.is_some() || (self.options.active && is_active())
    }

    /// Looks at paths (relative to the root) that may have changed, come or gone.
    pub fn refresh(&mut self, paths: &[String]) {
        // What was activated is another project in any case.
        let mut structure = self.wants_store();
        for path in paths {
            let file = FileId::new(path);
            structure |= self.reread(file) || is_structural(path);
            if let Some(known) = self.db.known(file) {
                self.edits.add(known);
            }
        }
        if structure {
            self.load();
        }
    }

    /// Looks at the project as another system has it: a base revision, then the work tree. What is
    /// equal in both is not computed again. `changed` names at least every path that differs
    /// between the two; without it, everything is read again.
    pub fn switch(&mut self, system: Arc<dyn System>, changed: Option<&[String]>) {
        self.sources = system.clone();
        let changed: Option<Vec<FileId>> = changed
            .filter(|_| !self.wants_store())
            .map(|paths| paths.iter().map(|path| FileId::new(path)).collect());
        if self.exchange(system, changed.as_deref()).structural {
            self.load();
        }
    }

    /// Reads from another system from now on: the files that may differ, or all. The settings, the
    /// models and the lists of files stay as they are.
    fn exchange(&mut self, system: Arc<dyn System>, changed: Option<&[FileId]>) -> Exchanged {
        let before = self.db.set_system(system);
        let known = self.db.files();
        let Some(changed) = changed else {
            self.edits = Edits::Anything;
            let paths = known.iter().map(|file| file.path(&self.db));
            let files = paths.collect::<Vec<_>>().into_iter().filter(|path| self.db.refresh(*path));
            return Exchanged { files: files.collect(), structural: true };
        };
        // What could not be read stands in no list of files that changed.
        let unread = known.iter().filter(|f| f.content(&self.db).is_err()).map(|f| f.path(&self.db));
        let paths: Vec<FileId> = unread.chain(changed.iter().copied()).collect();
        let mut exchanged = Exchanged::default();
        for file in paths {
            let Some(known) = self.db.known(file) else {
                let path = file.path();
                // Of a `.gitignore` there is no input.
                exchanged.structural |= is_structural(path)
                    || standing(&before.read(path)) != standing(&self.db.system().read(path));
                exchanged.files.push(file);
                continue;
            };
            let stood = standing(known.content(&self.db));
            if self.db.refresh(file) {
                self.edits.add(known);
                let stands = standing(known.content(&self.db));
                exchanged.structural |= stood != stands || is_structural(file.path());
                exchanged.files.push(file);
            }
        }
        if exchanged.structural {
            self.edits = Edits::Anything;
        }
        exchanged
    }

    /// Looks at other instances under the settings and the models that are open. Says which files
    /// differ, of those that were read.
    pub(super) fn visit(&mut self, system: Arc<dyn System>, changed: Option<&[FileId]>) -> Vec<FileId> {
        let exchanged = self.exchange(system, changed);
        if exchanged.structural
            && let Some(config) = self.config.clone()
        {
            let program = queries::program(&self.db);
            self.layout = layout(&**self.db.system(), &config, &program);
            self.place();
        }
        exchanged.files
    }

    /// Gives the units of the layout to the database, and the list of all files if it is asked for.
    fn place(&mut self) {
        self.index.spread(&mut self.db, self.project, &self.layout.units);
        if self.config.is_some() && super::uses_files(&queries::program(&self.db)) {
            self.set_listing();
        }
    }

    /// Reads everything again.
    fn reread_all(&mut self) {
        for file in self.db.files() {
            let path = file.path(&self.db);
            self.db.refresh(path);
        }
    }

    /// How many units there are: files that hold instances, with their overlays.
    pub fn units(&self) -> usize {
        self.layout.units.values().map(Vec::len).sum()
    }

    /// The files that were read, by path: those of the project, not of the standard library. Of
    /// what was activated, those of the store.
    pub fn read_files(&self) -> Vec<FileId> {
        let read = self.db.files().into_iter().filter(|f| f.content(&self.db).is_ok());
        let mut paths: Vec<FileId> = read.map(|f| f.path(&self.db)).collect();
        if let Some(view) = &self.view {
            let covered: FxHashSet<FileId> = view.covered.iter().copied().collect();
            paths.retain(|path| !covered.contains(path));
            paths.extend(&view.files);
        }
        paths.sort_by_key(|f| f.path());
        paths
    }

    /// Reads a file again. Says whether more than its content may have changed.
    fn reread(&mut self, file: FileId) -> bool {
        let Some(known) = self.db.known(file) else { return true };
        let before = standing(known.content(&self.db));
        let changed = self.db.refresh(file);
        before != standing(known.content(&self.db)) || (changed && is_structural(file.path()))
    }

    /// Reads gops.toml, lists models and instances, and gives them to the database.
    fn load(&mut self) {
        self.setup.clear();
        if self.view.take().is_some() {
            self.db.set_system(self.sources.clone());
            self.reread_all();
        }
        self.db.refresh(FileId::new(CONFIG_FILE));
        self.config = self.read_config();
        let config = self.config.clone();
        let environments: Arc<[EcoString]> =
            config.iter().flat_map(|c| c.environments.iter().map(|e| e.name.clone())).collect();
        let environment = self.environment(&environments);
        let name = config.as_ref().map(|c| c.name.clone()).unwrap_or_default();
        self.db.set_settings(self.project, name, environments, environment);
        let models = config.as_ref().map_or_else(Vec::new, |c| self.models(c));
        self.db.set_models(self.project, models.into());
        let program = queries::program(&self.db);
        self.layout = match &config {
            Some(config) => layout(&**self.db.system(), config, &program),
            None => Layout::default(),
        };
        if let Some(config) = &config
            && self.options.active
            && super::active::is_active(config)
            && (config.environments.is_empty() || environment.is_some())
        {
            self.look_at_store(config, &program);
        }
        self.place();
        self.state = GraphState::default();
    }

    /// Looks at what was activated from now on.
    fn look_at_store(&mut self, config: &Config, program: &Program) {
        let moved = Moved { whole: self.moved_instances(), swaps: self.swapped_instances() };
        match super::active::view(&self.sources, &self.layout, self.options.env.as_deref(), &moved) {
            Ok(view) => {
                self.db.set_system(view.system.clone());
                self.reread_all();
                self.layout = layout(&*view.system, config, program);
                self.view = Some(view);
            }
            Err(problems) => {
                // Nothing is known of what is to exist; the models are checked all the same.
                self.layout = Layout::default();
                self.setup.extend(problems);
            }
        }
    }

    fn read_config(&mut self) -> Option<Config> {
        let file = FileId::new(CONFIG_FILE);
        let source = self.db.source(file);
        let bytes = match source.content(&self.db) {
            Ok(bytes) => bytes.clone(),
            Err(error) => {
                let (message, help) = match error {
                    SystemError::NotFound(_) => {
                        ("there is no gops.toml here".to_owned(), "`gops init` makes a project")
                    }
                    error => (error.to_string(), "gops.toml is a file that can be read"),
                };
                self.setup.push(Diagnostic::new(codes::UNREADABLE, Place::File(file), message).help(help));
                return None;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        if let std::borrow::Cow::Owned(_) = text {
            let problem = Diagnostic::new(codes::UNREADABLE, Place::File(file), "gops.toml is not UTF-8");
            self.setup.push(problem.help("save the file as UTF-8"));
        }
        let (config, problems) = config::parse(file, &text);
        self.setup.extend(problems);
        Some(config)
    }

    fn environment(&mut self, environments: &[EcoString]) -> Option<u16> {
        let wanted = self.options.env.clone()?;
        let found = environments.iter().position(|e| *e == wanted.as_str());
        // Where gops.toml has a mistake, the environment may be what it hides.
        if found.is_none() && self.config.is_some() && self.setup.is_empty() {
            let help = did_you_mean(&wanted, environments.iter().map(EcoString::as_str))
                .unwrap_or_else(|| format!("write `[environments]`, then `{wanted} = {{}}`, in gops.toml"));
            let message = format!("the project has no environment `{wanted}`");
            let at = Place::File(FileId::new(CONFIG_FILE));
            self.setup.push(Diagnostic::new(codes::ENVIRONMENT, at, message).help(help));
        }
        found.map(|i| i as u16)
    }

    fn select(&mut self, environment: Option<u16>) {
        let name = self.project.name(&self.db).clone();
        let environments = self.project.environments(&self.db).clone();
        self.db.set_settings(self.project, name, environments, environment);
        self.state = GraphState::default();
    }

    fn models(&mut self, config: &Config) -> Vec<(Vec<Name>, SourceFile)> {
        let system = self.db.system().clone();
        let files = match Walker::new(&*system).files(&config.model) {
            Ok(files) => files,
            Err(error) => {
                let at = Place::File(FileId::new(&config.model));
                self.setup.push(Diagnostic::new(codes::UNREADABLE, at, error.to_string()));
                return Vec::new();
            }
        };
        let mut models = Vec::new();
        for file in files.into_iter().filter(|f| f.path.ends_with(".gops")) {
            let id = FileId::new(&file.path);
            let inside = &file.path[config.model.len() + 1..file.path.len() - ".gops".len()];
            let parts: Vec<&str> = inside.split('/').collect();
            if let Some(part) = parts.iter().find(|p| !is_module_name(p)) {
                let message = format!("`{part}` in `{}` cannot be the name of a module", file.path);
                let help = "rename it: small letters, digits and `_`, starting with a letter";
                self.setup.push(Diagnostic::new(codes::MODEL_PATH, Place::File(id), message).help(help));
                continue;
            }
            models.push((parts.into_iter().map(Name::new).collect(), self.db.source(id)));
        }
        if models.is_empty() && self.setup.is_empty() {
            let at = Place::File(FileId::new(CONFIG_FILE));
            let message =
                format!("the project has no model: there is no `*.gops` file in `{}`", config.model);
            let help = format!("write `{}/main.gops`; `gops init` makes one to start from", config.model);
            self.setup.push(Diagnostic::new(codes::NO_MODEL, at, message).help(help));
        }
        models
    }

    fn set_listing(&mut self) {
        let system = self.db.system().clone();
        let files = Walker::new(&*system).files("").unwrap_or_default();
        // The store is no part of what a model reads: what is in it depends on what that says.
        let active = self.config.as_ref().is_some_and(super::active::is_active);
        let in_store = |path: &str| active && path.starts_with(super::active::STORE);
        let seen = files.into_iter().filter(|f| !f.odd && !in_store(&f.path));
        let listing = seen.map(|f| FileId::new(&f.path)).collect();
        self.db.set_listing(self.project, listing);
    }

    /// Evaluates everything on several threads, so that what follows finds it done.
    fn warm(&self) {
        let shards: Vec<Shard> = self.all_shards().collect();
        let threads = self.options.threads.min(shards.len());
        if threads < 2 {
            return;
        }
        std::thread::scope(|scope| {
            for start in 0..threads {
                let (db, shards) = (self.db.clone(), &shards);
                scope.spawn(move || {
                    for &shard in shards.iter().skip(start).step_by(threads) {
                        queries::shard_keys(&db, shard);
                    }
                });
            }
        });
    }

    /// All shards, in the order of their slices.
    pub(super) fn all_shards(&self) -> impl Iterator<Item = Shard> + '_ {
        self.index.shards()
    }

    /// Gets everything ready for a graph; what is wrong so far. None if there is no gops.toml that
    /// can be read.
    pub(super) fn prepared(&mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        if self.config.is_none() {
            let mut diagnostics: Vec<Diagnostic> =
                self.setup.iter().cloned().map(|d| d.resolved(&super::origins::Nowhere)).collect();
            sort_and_dedup(&mut diagnostics);
            return Err(diagnostics);
        }
        self.find_concerned();
        if self.concerned.is_none() {
            self.warm();
        }
        if self.index.refresh(&mut self.db, self.project, self.concerned.as_ref()) {
            // A reference may lead elsewhere now, wherever it is.
            self.edits = Edits::Anything;
            self.concerned = None;
        }
        let mut diagnostics = self.setup.clone();
        diagnostics.extend(self.layout.diagnostics.iter().cloned());
        diagnostics.extend(self.index.duplicates().iter().cloned());
        Ok(diagnostics)
    }

    /// What is made with no check run on it, and what is wrong with the rest.
    pub(super) fn unchecked(&mut self) -> (Option<GraphBuilder>, Vec<Diagnostic>) {
        match self.prepared() {
            Ok(diagnostics) => self.unchecked_graph(diagnostics),
            Err(diagnostics) => (None, diagnostics),
        }
    }

    /// How many instances each slice has, by the full path of its type.
    pub fn instance_counts(&mut self) -> BTreeMap<EcoString, usize> {
        self.load_instances();
        let count = |keys: Vec<&Keys>| keys.iter().map(|k| k.len()).sum();
        self.index.by_slice().into_iter().map(|(slice, keys)| (slice.clone(), count(keys))).collect()
    }

    /// Reads all instances, so that each can be found by its key.
    pub(super) fn load_instances(&mut self) {
        self.warm();
        self.index.refresh(&mut self.db, self.project, None);
    }

    fn compile_here(&mut self) -> Compiled {
        let mut diagnostics = match self.prepared() {
            Ok(diagnostics) => diagnostics,
            Err(diagnostics) => {
                return Compiled { report: Report { diagnostics, instances: 0 }, graph: None };
            }
        };
        let (instances, graph) = self.graph(&mut diagnostics);
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        sort_and_dedup(&mut diagnostics);
        Compiled { report: Report { diagnostics, instances }, graph: graph.filter(|_| !failed) }
    }
}

/// Whether the content of a file says which files there are.
fn is_structural(path: &str) -> bool {
    path == CONFIG_FILE || path.ends_with(".gops") || path.ends_with(".gitignore")
}

/// What stands at a path: nothing, something that is no file, or a file.
fn standing(content: &Content) -> Option<bool> {
    match content {
        Ok(_) => Some(true),
        Err(SystemError::NotFound(_)) => None,
        Err(_) => Some(false),
    }
}

fn is_module_name(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_lowercase())
        && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_let_go_keeps_its_settings() {
        let files = [
            ("gops.toml", "name = \"shop\"\nedition = \"2026\"\n"),
            ("model/main.gops", "slice Site in \"sites\" { key name: string }\n"),
            ("sites/a.yaml", "name: a\n"),
        ];
        let system = MemorySystem::new(files);
        let mut session = Session::open(Arc::new(system), Options::default());
        assert_eq!(session.compile().report.instances, 1);
        session.let_go();
        assert_eq!(session.config().map(|config| config.name.as_str()), Some("shop"));
        assert_eq!(session.units(), 0);
        assert!(session.db.files().is_empty());
    }
}
