//! `gops why`

use std::fmt::Write as _;

use clap::Args;

use super::ui::{Stream, Ui};
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::base::{FileId, LineIndex};
use crate::diag::nearest;
use crate::diag::render::Sources;
use crate::graph::{Graph, Node, id};

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
        let mut workspace = Workspace::open(context, self.env.as_deref())?;
        let graph = workspace.graph(context)?;
        let Some(graph) = graph else { return Ok(Exit::Errors) };
        let node = find(&graph, &self.id)?;
        context.ui.result(&describe(node, &graph, &workspace, &context.ui));
        Ok(Exit::Fine)
    }
}

/// How many candidates are named where an id is not one resource's.
const NAMED: usize = 5;

/// The node that a user means: its id, its id without the path of the type, or a part of it.
pub(crate) fn find<'g>(graph: &'g Graph, written: &str) -> Result<&'g Node, Failure> {
    let exact = graph.nodes.iter().find(|n| n.id == written || id::short(&n.id) == written);
    if let Some(node) = exact {
        return Ok(node);
    }
    let parts: Vec<&Node> = graph.nodes.iter().filter(|n| n.id.contains(written)).collect();
    let help = match parts.as_slice() {
        [node] => return Ok(node),
        [] => match nearest(written, graph.nodes.iter().map(|n| id::short(&n.id))) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`gops compile -o -` has all ids".to_owned(),
        },
        several => {
            let named: Vec<String> =
                several.iter().take(NAMED).map(|n| format!("  {}", id::short(&n.id))).collect();
            let more = several.len().saturating_sub(NAMED);
            let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
            format!("it is part of several ids:\n{}{more}", named.join("\n"))
        }
    };
    Err(Failure::Unknown { what: "resource", written: written.to_owned(), help })
}

fn describe(node: &Node, graph: &Graph, workspace: &Workspace, ui: &Ui) -> String {
    let mut out = format!("{}\n", ui.bold(&node.id, Stream::Out));
    let origin = &node.origin;
    let mut part = |title: &str, place: &str, what: &str| {
        if place.is_empty() && what.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{title}");
        let (path, line) = located(place, workspace);
        if !path.is_empty() {
            let _ = writeln!(out, "  {path}");
        }
        for text in [what, line.trim()].into_iter().filter(|t| !t.is_empty()) {
            let _ = writeln!(out, "    {text}");
        }
    };
    part("exists because of", &origin.instance, &origin.element);
    part("is made by", &origin.model, "");
    let _ =
        writeln!(out, "\nis deployed on\n  {} by the handler `{}`", id::short(&node.target), node.handler);
    if !node.requires.is_empty() {
        let _ = writeln!(out, "\nneeds");
        for require in &node.requires {
            let _ = writeln!(out, "  {}  ({})", id::short(&require.id), require.why);
        }
    }
    let users: Vec<&Node> =
        graph.nodes.iter().filter(|n| n.requires.iter().any(|r| r.id == node.id)).collect();
    if !users.is_empty() {
        let _ = writeln!(out, "\nis needed by");
        for user in users {
            let _ = writeln!(out, "  {}", id::short(&user.id));
        }
    }
    out
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
