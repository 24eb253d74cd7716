//! The project that a command works on.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::EcoString;

use super::check::summary;
use super::ui::Stream;
use super::{Context, Failure};
use crate::base::{DiskSystem, Edited, FileId, System};
use crate::diag::render::{Format, Sources};
use crate::graph::{Graph, GraphBuilder};
use crate::project::transaction::before;
use crate::project::{Options, Session};

/// A project on disk, opened.
pub(crate) struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// What leads from the root of the repository to that of the project.
    in_repository: String,
    /// What leads from where the user stands to the root.
    prefix: String,
    /// What is known of it. Never dropped: the process ends, and to take a hundred thousand values
    /// apart before costs a tenth of a run.
    pub session: ManuallyDrop<Session>,
}

impl Workspace {
    /// Opens the project of the nearest `gops.toml`, there or above: its sources.
    pub fn open(context: &Context, env: Option<&str>) -> Result<Self, Failure> {
        let root = find_root(context.here())?;
        let system = work_tree(&root);
        Self::open_as(context, root, env, system, false)
    }

    /// Opens it for a graph: with `history = "active"`, as it was activated.
    pub fn open_active(context: &Context, env: Option<&str>) -> Result<Self, Failure> {
        let root = find_root(context.here())?;
        let system = work_tree(&root);
        Self::over(context, root, env, system)
    }

    /// Opens the project with files that can be changed in memory first.
    pub fn open_edited(context: &Context) -> Result<(Self, Arc<Edited>), Failure> {
        let root = find_root(context.here())?;
        let edited = Arc::new(Edited::new(work_tree(&root)));
        let workspace = Self::open_as(context, root, None, edited.clone(), false)?;
        Ok((workspace, edited))
    }

    /// Opens the project in a folder for a graph, as a system has it: the work tree, an earlier
    /// revision.
    pub fn over(
        context: &Context,
        root: PathBuf,
        env: Option<&str>,
        system: Arc<dyn System>,
    ) -> Result<Self, Failure> {
        Self::open_as(context, root, env, system, true)
    }

    fn open_as(
        context: &Context,
        root: PathBuf,
        env: Option<&str>,
        system: Arc<dyn System>,
        active: bool,
    ) -> Result<Self, Failure> {
        // `-C` is as if started there: what is shown is the same.
        let here = context.here().canonicalize().map_err(Failure::read(context.here()))?;
        let prefix = prefix(&root, &here);
        let in_repository = in_repository(&root);
        context.ui.detail(&format!("the project is {}", root.display()));
        let options = Options { env: env.map(str::to_owned), threads: context.threads, active };
        let session = Session::open(system, options);
        // From here on what is read grows to some ten times its size.
        let bytes = session.units() as u64 * UNIT;
        super::allocator::huge_pages(bytes > MUCH && super::allocator::free_huge_pages() > bytes);
        Ok(Workspace { root, in_repository, prefix, session: ManuallyDrop::new(session) })
    }

    /// What leads from where the user stands to the project: empty, or with a `/` at its end.
    pub fn lead(&self) -> &str {
        &self.prefix
    }

    /// What leads from the root of the repository to the project.
    pub fn lead_in_repository(&self) -> &str {
        &self.in_repository
    }

    /// The graph, read; None if something is wrong, which has then been shown.
    pub fn graph(&mut self, context: &Context) -> Result<Option<Graph>, Failure> {
        let mut compiled = self.session.compile();
        let found = &compiled.report.diagnostics;
        match &mut compiled.graph {
            Some(graph) => graph.to_graph().map(Some).map_err(|e| Failure::Graph(e.into())),
            None => {
                context.ui.diagnostics(Format::Human, found, self, Stream::Err);
                summary(context, found, compiled.report.instances);
                Ok(None)
            }
        }
    }

    /// The revision that a graph of what was read is of. Git that cannot be read is none: the
    /// graph is the same.
    pub fn revision(&self, context: &Context) -> Option<EcoString> {
        let files = self.session.read_files();
        match crate::project::revision::source_revision(&self.root, &files) {
            Ok(revision) => revision.map(Into::into),
            Err(error) => {
                context.ui.note(&format!("the graph says nothing of its revision: {error}"));
                None
            }
        }
    }

    /// The files that the graph was compiled from and that differ from the commit, as the user sees
    /// their paths.
    pub fn changed_files(&self) -> Vec<String> {
        let found = crate::project::revision::source_changes(&self.root, &self.session.read_files());
        let files = found.ok().flatten().map(|(_, files)| files).unwrap_or_default();
        files.into_iter().map(|path| format!("{}{path}", self.prefix)).collect()
    }

    /// Says in a graph which revision it was compiled from.
    pub fn set_revision(&self, context: &Context, graph: &mut GraphBuilder) {
        let mut header = graph.header().clone();
        header.source.revision = self.revision(context);
        graph.set_header(header);
    }
}

impl Sources for Workspace {
    fn text(&self, file: FileId) -> Option<Arc<str>> {
        self.session.source(file)
    }

    fn shown(&self, file: FileId) -> String {
        match file.path().starts_with("std:") {
            true => file.path().to_owned(),
            false => format!("{}{}", self.prefix, file.path()),
        }
    }

    fn in_repository(&self, file: FileId) -> String {
        match file.path().starts_with("std:") {
            true => file.path().to_owned(),
            false => format!("{}{}", self.in_repository, file.path()),
        }
    }
}

/// About how many bytes it takes to compile what one file holds.
const UNIT: u64 = 11 << 10;
/// How many bytes are many enough for huge pages.
const MUCH: u64 = 11 << 20;

/// The files of a project on disk; if a change of several was interrupted, as before that.
pub(crate) fn work_tree(root: &Path) -> Arc<dyn System> {
    before(Arc::new(DiskSystem::new(root)))
}

/// The nearest folder with a `gops.toml`.
pub(crate) fn find_root(directory: &Path) -> Result<PathBuf, Failure> {
    let start = directory.canonicalize().map_err(Failure::read(directory))?;
    let found = start.ancestors().find(|folder| folder.join("gops.toml").is_file());
    found.map(Path::to_owned).ok_or(Failure::NoProject(start.clone()))
}

/// What to write before a path in the project, so that it leads there from `here`.
fn prefix(root: &Path, here: &Path) -> String {
    if let Ok(below) = root.strip_prefix(here) {
        return below.components().map(|c| format!("{}/", c.as_os_str().to_string_lossy())).collect();
    }
    match here.strip_prefix(root) {
        Ok(above) => "../".repeat(above.components().count()),
        Err(_) => format!("{}/", root.display()),
    }
}

/// What to write before a path in the project, so that it leads there from the root of the
/// repository that the project is in; nothing outside of one.
fn in_repository(root: &Path) -> String {
    // A work tree or submodule has a file there, a repository a folder.
    let repository = root.ancestors().find(|folder| folder.join(".git").exists());
    repository.map_or_else(String::new, |repository| prefix(root, repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_there_from_here() {
        let prefix = |root, here| prefix(Path::new(root), Path::new(here));
        assert_eq!(prefix("/a", "/a"), "");
        assert_eq!(prefix("/a/b/c", "/a"), "b/c/");
        assert_eq!(prefix("/a", "/a/b/c"), "../../");
        assert_eq!(prefix("/a/b", "/x"), "/a/b/");
    }
}
