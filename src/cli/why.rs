//! `gops why`

use std::fmt::Write as _;

use clap::Args;

use super::ui::{Stream, Ui};
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::base::{FileId, LineIndex};
use crate::diag::render::Sources;
use crate::graph::{FindError, Graph, Link, Subject, Why as Reasons, id, why};

/// Say why a resource exists: the line of the data, the line of the model, what it needs
///
/// ID is as `gops plan` shows it, with or without the path of its type, or any part of it that
/// only one resource has.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops why 'TextFile[host=h1,path=/etc/motd]'
  gops why /etc/motd")]
pub(crate) struct Why {
    /// The resource
    id: String,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

impl Why {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut workspace = Workspace::open_active(context, self.env.as_deref())?;
        let graph = workspace.graph(context)?;
        let Some(graph) = graph else { return Ok(Exit::Errors) };
        let id = find(&graph, &self.id)?;
        if let Some(why) = why(&graph, id) {
            context.ui.result(&describe(&why, &workspace, &context.ui));
        }
        Ok(Exit::Fine)
    }
}

/// The full id of the node or target that a user means: its id, the short form of it, or a part
/// that only one id has.
pub(crate) fn find<'g>(graph: &'g Graph, written: &str) -> Result<&'g str, Failure> {
    let error = match graph.find(written) {
        Ok(id) => return Ok(id),
        Err(error) => error,
    };
    let help = match &error {
        FindError::None { similar, .. } => match similar.as_slice() {
            [] => "`gops compile -o -` has all ids".to_owned(),
            [id] if id.contains(written) => return Ok(id_of(graph, id)),
            [near] => format!("did you mean `{}`?", id::shown(near)),
            several => list("it is part of", several.iter().map(|s| id::shown(s))),
        },
        FindError::Several { ids, .. } => list("these are called so:", ids.iter().map(|s| s.as_str())),
    };
    Err(Failure::Unknown { what: "resource", written: written.to_owned(), help })
}

/// The same id, as the graph has it.
fn id_of<'g>(graph: &'g Graph, id: &str) -> &'g str {
    let node = graph.node(id).map(|n| n.id.as_str());
    node.or_else(|| graph.target(id).map(|t| t.id.as_str())).unwrap_or_default()
}

fn list<T: std::fmt::Display>(title: &str, ids: impl Iterator<Item = T>) -> String {
    ids.fold(title.to_owned(), |text, id| format!("{text}\n  {id}"))
}

fn describe(why: &Reasons<'_>, workspace: &Workspace, ui: &Ui) -> String {
    let mut out = format!("{}\n", ui.bold(why.id(), Stream::Out));
    let origin = why.origin();
    if let Some(from) = why.moved_from {
        let _ = writeln!(out, "\nwas\n  {from}");
    }
    let mut part = |title: &str, place: &str, what: &str| {
        if place.is_empty() && what.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{title}");
        let (path, line) = located(place, workspace);
        for text in [path.as_str()].into_iter().filter(|t| !t.is_empty()) {
            let _ = writeln!(out, "  {text}");
        }
        for text in [what, line.trim()].into_iter().filter(|t| !t.is_empty()) {
            let _ = writeln!(out, "    {text}");
        }
    };
    part("exists because of", &origin.instance, &origin.element);
    part("is made by", &origin.model, "");
    if let Subject::Node(node) = why.subject {
        let _ = writeln!(
            out,
            "\nis deployed on\n  {} by the handler `{}`",
            id::shown(&node.target),
            node.handler
        );
    }
    links(&mut out, "needs", &why.requires);
    links(&mut out, "is needed by", &why.required_by);
    out
}

fn links(out: &mut String, title: &str, links: &[Link<'_>]) {
    if links.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for link in links {
        let _ = writeln!(out, "  {}  ({})", id::shown(link.id), link.why);
    }
}

/// A place `path:line:column` as the reader can open it, and the text of its line.
fn located(place: &str, workspace: &Workspace) -> (String, String) {
    let mut parts = place.rsplitn(3, ':');
    let (column, line, path) = (parts.next(), parts.next(), parts.next());
    let (Some(column), Some(line), Some(path)) = (column, line, path) else {
        return (place.to_owned(), String::new());
    };
    let file = FileId::new(path);
    let text = line.parse().ok().and_then(|number: u32| {
        let text = workspace.text(file)?;
        let lines = LineIndex::new(&text);
        let start = lines.line_start(number)?;
        let end = lines.line_start(number + 1).unwrap_or(text.len());
        text.get(start..end).map(str::to_owned)
    });
    (format!("{}:{line}:{column}", workspace.shown(file)), text.unwrap_or_default())
}
