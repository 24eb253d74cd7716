//! `gops why`

use std::fmt::Write as _;

use clap::Args;

use super::ledger::{Which, remarks, short};
use super::ui::{Stream, Ui};
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::base::{FileId, LineIndex};
use crate::deploy::{self, Deed, Options};
use crate::diag::render::Sources;
use crate::graph::{FindError, Graph, Link, Subject, Why as Reasons, id, why};
use crate::state::Operation;

/// Say why a resource exists: the line of the data, the line of the model, what it needs; and what the
/// ledger knows of it
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
    #[command(flatten)]
    which: Which,
}

impl Why {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut workspace = Workspace::open_active(context, self.which.env.as_deref())?;
        let graph = workspace.graph(context)?;
        let Some(graph) = graph else { return Ok(Exit::Errors) };
        let (options, _) = self.which.options(context)?;
        let id = match find(&graph, &self.id) {
            Ok(id) => id,
            Err(unknown) => {
                // What the project does not want any more the ledger may still know.
                let told = told(&options, None, &self.id)?.ok_or(unknown)?;
                context.ui.result(&told);
                return Ok(Exit::Fine);
            }
        };
        if let Some(why) = why(&graph, id) {
            let mut text = describe(&why, &workspace, &context.ui);
            if matches!(why.subject, Subject::Node(_)) {
                text += &told(&options, Some(id), id)?.unwrap_or_default();
            }
            context.ui.result(&text);
        }
        Ok(Exit::Fine)
    }
}

/// What the ledger tells of a resource; none without a ledger. One that is wanted may be known under no
/// id; of another one there is nothing to tell then.
fn told(options: &Options, wanted: Option<&str>, written: &str) -> Result<Option<String>, Failure> {
    let Some(known) = deploy::known(options, written)? else {
        let is_there = wanted.is_some() && deploy::ledger(options)?.is_some();
        return Ok(is_there.then(|| "\nis not deployed yet\n".to_owned()));
    };
    let mut out = match wanted {
        Some(_) => String::new(),
        None => format!("{}\n\nis not wanted any more\n", known.row.key.id),
    };
    let by = |number: u64| {
        let found = known.generations.iter().find(|generation| generation.number == number);
        let of = found.filter(|g| !g.revision.is_empty()).map(|g| format!(", commit {}", short(&g.revision)));
        let who = found.filter(|g| !g.author.is_empty()).map(|g| format!(", {}", g.author));
        format!("generation {number}{}{}", of.unwrap_or_default(), who.unwrap_or_default())
    };
    let _ = writeln!(out, "\nis in the ledger");
    for (number, event) in [&known.made, &known.last].into_iter().flatten() {
        let word = match event.what {
            Deed::Effect(Operation::Create) => "made",
            Deed::Effect(Operation::Adopt) => "taken over",
            _ => "last changed",
        };
        let _ = writeln!(out, "  {word} {} by {}", event.time, by(*number));
    }
    let remarks = remarks(&known.row);
    if !remarks.is_empty() {
        let _ = writeln!(out, "  {}", remarks.join(", "));
    }
    let _ = writeln!(out, "  it holds {}", known.row.claims.join(", "));
    if let Some(why) = &known.failed {
        let _ = writeln!(out, "  failed the last time: {why}");
    }
    Ok(Some(out))
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
