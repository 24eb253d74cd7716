//! Both sides of a change, compiled.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::ui::Ui;
use super::super::workspace::{Workspace, find_root, work_tree};
use super::super::{Context, Failure};
use super::{Report, ReviewFormat, Subject, without};
use crate::base::{FileId, Span};
use crate::diag::codes::history as codes;
use crate::diag::render::{Format, Totals, render};
use crate::diag::{Diagnostic, Place};
use crate::graph::{GraphBuilder, Header};
use crate::handler::Registry;
use crate::project::config::{self, CONFIG_FILE};
use crate::project::guard::{Exceeded, exceeded};
use crate::project::review::Review;
use crate::project::revision::Base;
use crate::project::{Compiled, EarlierProject, history};

/// What of a base's mistakes is shown.
const SHOWN: usize = 3;

/// The project's folder, and what it is compared with: `--base`.
pub(crate) fn find_base(context: &Context, written: Option<&str>) -> Result<(PathBuf, Base), Failure> {
    let root = find_root(context.here())?;
    // Mistakes in gops.toml are said when it is compiled.
    let text = std::fs::read_to_string(root.join(CONFIG_FILE)).unwrap_or_default();
    let (config, _) = config::parse(FileId::new(CONFIG_FILE), &text);
    let branch = config.default_branch;
    let folder = written.map(|written| context.path(written.as_ref()));
    let written = written.zip(folder.as_deref());
    let base = Base::find(&root, written, branch.as_deref())?;
    context.ui.detail(&format!("compared with {}", base.id.as_deref().unwrap_or(&base.name)));
    Ok((root, base))
}

/// What the base made.
pub(crate) struct Earlier {
    /// Its graph; none if its model does not compile.
    pub graph: Option<GraphBuilder>,
    /// What is to be said of it.
    pub said: Vec<Diagnostic>,
    /// If it has no such project: what a reader must know.
    pub note: Option<String>,
}

impl Earlier {
    /// Compiles what the workspace's session looks at: the base, by its own model.
    pub fn of(workspace: &mut Workspace, base: &Base, env: Option<&str>) -> Self {
        let empty = |note| Earlier {
            graph: Some(GraphBuilder::new(Header::default())),
            said: Vec::new(),
            note: Some(note),
        };
        if base.is_empty() {
            return empty(format!("there is no project in `{}`: everything is new", base.name));
        }
        let config = workspace.session.config();
        if let (Some(env), Some(config)) = (env, config)
            && !config.environments.iter().any(|e| e.name == env)
        {
            return empty(format!("`{}` has no environment `{env}`: everything is new", base.name));
        }
        // The whole way first, for what it found is of use when the other side is compiled.
        if let Some(graph) = workspace.session.compile().graph {
            return Earlier { graph: Some(graph), said: Vec::new(), note: None };
        }
        let (graph, found) = workspace.session.as_it_was();
        let name = format!("the base `{}`", base.name);
        let said = match &graph {
            Some(_) => history::warnings(&name, found).into_iter().map(as_of_a_base).collect(),
            None => vec![broken(&name, &found, workspace)],
        };
        Earlier { graph, said, note: None }
    }
}

fn as_of_a_base(warning: Diagnostic) -> Diagnostic {
    warning.help("what it made is not known, and may be shown as created although it is there")
}

/// Says that there is no diff, with the first mistakes of the base as they are there.
fn broken(name: &str, found: &[Diagnostic], workspace: &Workspace) -> Diagnostic {
    let errors: Vec<Diagnostic> = found.iter().filter(|d| d.is_error()).cloned().collect();
    let text = render(Format::Concise, errors.get(..SHOWN).unwrap_or(&errors), workspace, false);
    let more = errors.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
    let place = Place::span(FileId::new(CONFIG_FILE), Span::at(0));
    let message = format!("{name} does not compile, so what changes is not known");
    Diagnostic::new(codes::BROKEN_BASE, place, message).at("the project as it is now is fine").help(format!(
        "compare with a revision that compiles: `--base REV`; there it says\n{}{more}",
        text.trim_end()
    ))
}

/// Both sides of a change.
pub(crate) struct Compared {
    /// The project, as it is now.
    pub workspace: Workspace,
    /// What it compiles to, with the absent nodes of the base; what is said of both sides.
    pub compiled: Compiled,
    /// What changes; none if one of the sides is not known.
    pub review: Option<Review>,
    exceeded: Option<Exceeded>,
    note: Option<String>,
    env: Option<String>,
}

/// Compiles the base, then the work tree: what is equal in both is computed once.
pub(crate) fn compare(
    context: &Context,
    root: PathBuf,
    base: &Base,
    env: Option<&str>,
) -> Result<Compared, Failure> {
    let mut workspace = Workspace::over(context, root.clone(), env, base.system.clone())?;
    let mut earlier = Earlier::of(&mut workspace, base, env);
    let moved = workspace.session.moved_lines();
    workspace.session.switch(work_tree(&root), base.changed.as_deref());
    // What was activated knows its own history; of the base the graph is enough then.
    let mut then = workspace.session.activated_before().to_vec();
    let files = (!workspace.session.is_active()).then(|| base.system.clone());
    then.extend(earlier.graph.iter().map(|graph| EarlierProject {
        name: format!("the base `{}`", base.name).into(),
        files: files.clone(),
        graph: Some(graph.clone()),
        changed: base.paths(),
        moved: Arc::new(moved.clone()),
    }));
    let mut compiled = match then.is_empty() {
        true => workspace.session.compile(),
        false => workspace.session.compile_with(&then),
    };
    let mut review = None;
    if let (Some(old), Some(new)) = (&mut earlier.graph, &mut compiled.graph) {
        let made = Review::new(old, new, &Registry::standard(), &*workspace.session);
        review = Some(made.map_err(|e| Failure::Graph(e.into()))?);
    }
    compiled.report.diagnostics.extend(earlier.said);
    compiled.report.diagnostics.extend(workspace.session.removed_moves(&moved));
    let guard = workspace.session.config().map(|c| c.guard.clone()).unwrap_or_default();
    let exceeded = review.as_ref().and_then(|review| exceeded(&guard, review));
    compiled.report.diagnostics.extend(exceeded.iter().map(|e| e.diagnostic(&guard)));
    crate::diag::sort_and_dedup(&mut compiled.report.diagnostics);
    let env = env.map(str::to_owned);
    Ok(Compared { workspace, compiled, review, exceeded, note: earlier.note, env })
}

impl Compared {
    /// What a reviewer reads; nothing where the diagnostics have said all.
    pub fn report(&self, base: &Base, format: ReviewFormat, ui: &Ui) -> Option<String> {
        let config = self.workspace.session.config();
        let subject = Subject {
            project: config.map_or("", |c| &c.name),
            env: self.env.as_deref(),
            base: &base.name,
            base_id: base.id.as_deref(),
            note: self.note.as_deref(),
        };
        if let Some(review) = &self.review {
            let lead = match format {
                // A page of the forge, where paths are those of the repository.
                ReviewFormat::Markdown => self.workspace.lead_in_repository(),
                ReviewFormat::Human => self.workspace.lead(),
                _ => "",
            };
            let elsewhere = (!lead.is_empty()).then(|| review.seen_from(lead));
            let review = elsewhere.as_ref().unwrap_or(review);
            let said = &self.compiled.report.diagnostics;
            let said: Vec<Diagnostic> = said.iter().filter(|d| !d.is_error()).cloned().collect();
            let warnings = render(Format::Concise, &said, &self.workspace, false);
            let exceeded = self.exceeded.as_ref();
            let report = Report { subject, review, exceeded, warnings: warnings.trim_end() };
            return Some(report.text(format, ui));
        }
        let found = &self.compiled.report.diagnostics;
        let totals = Totals::of(found);
        let why = match totals.errors {
            0 => format!("The base `{}` does not compile, so what changes is not known.", base.name),
            _ => {
                let list = render(Format::Concise, found, &self.workspace, false);
                format!(
                    "This does not compile, so what changes is not known.\n\n```text\n{}\n```",
                    list.trim_end()
                )
            }
        };
        without(&subject, &why, totals, format)
    }
}
