//! `gops slice inspect`

use std::fmt::Write as _;
use std::sync::Arc;

use clap::Args;

use super::super::change::{self, Sign};
use super::super::review::find_base;
use super::super::ui::{Stream, Ui};
use super::super::workspace::Workspace;
use super::super::{Context, Exit, Failure};
use crate::diag::render::Format;
use crate::eval::Operation;
use crate::graph::id;
use crate::project::EarlierProject;
use crate::project::history::{Inspected, InspectedElement, InspectedVersion};

/// Show the versions of instances: what each changed, and where it came from
///
/// With a key, all that is known of one instance; without, which instances of the slice changed.
/// With `history = "active"` the versions are those of the active store, else the files as they
/// are now and as they were at a base.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops slice inspect Site            which instances changed
  gops slice inspect Site shop       the versions and the elements of one
  gops slice inspect Site --base v1  compared with a branch, a tag, a commit or a folder")]
pub(super) struct Inspect {
    /// The slice: its name, or its full path where two have one name
    slice: String,
    /// The key: one word for each of its fields
    key: Vec<String>,
    /// What is compared with, where the history is in Git; by default where HEAD left the default
    /// branch
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

impl Inspect {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut workspace = Workspace::open_active(context, self.env.as_deref())?;
        let program = workspace.session.program();
        let slice = super::super::schema::find(&program, &self.slice)?;
        let Some(record) = program.record(slice) else { return Ok(Exit::Errors) };
        if !self.key.is_empty() && self.key.len() != record.keys.len() {
            let names: Vec<String> = record.keys.iter().map(|k| k.name.as_str().to_uppercase()).collect();
            let verb = "inspect";
            return Err(Failure::Key { verb, slice: record.decl.name.to_string(), wanted: names.join(" ") });
        }
        let report = workspace.session.check();
        if report.has_errors() {
            context.ui.diagnostics(Format::Human, &report.diagnostics, &workspace, Stream::Err);
            super::super::check::summary(context, &report.diagnostics, report.instances);
            return Ok(Exit::Errors);
        }
        let earlier = match workspace.session.is_active() {
            true => workspace.session.activated_before().to_vec(),
            false => {
                let (_, base) = find_base(context, self.base.as_deref())?;
                let name = base.name.as_str().into();
                let of_base = Workspace::over(
                    context,
                    workspace.root.clone(),
                    self.env.as_deref(),
                    base.system.clone(),
                )?;
                vec![EarlierProject {
                    name,
                    files: Some(base.system.clone()),
                    changed: base.paths(),
                    graph: None,
                    moved: Arc::new(of_base.session.moved_lines()),
                }]
            }
        };
        let key = (!self.key.is_empty()).then_some(self.key.as_slice());
        let (found, said) = workspace.session.inspect(slice, &earlier, key);
        context.ui.diagnostics(Format::Human, &said, &workspace, Stream::Err);
        if found.is_empty() && key.is_some() {
            context.ui.note(&format!(
                "no version has a `{}` with the key {}",
                record.decl.name,
                self.key.join(" ")
            ));
            return Ok(Exit::Errors);
        }
        let text = match key {
            None => list(&found, &context.ui),
            Some(_) => found.iter().map(|one| whole(one, &context.ui)).collect(),
        };
        context.ui.result(&text);
        Ok(Exit::Fine)
    }
}

/// A line for each instance that changed.
fn list(found: &[Inspected], ui: &Ui) -> String {
    let mut out = String::new();
    let changed = || found.iter().filter(|one| one.operation != Operation::Keep);
    for one in changed() {
        let versions = one.versions.iter().filter(|v| v.file.is_some()).count();
        let s = if versions == 1 { "" } else { "s" };
        let sign = sign(one.operation, ui);
        let _ = writeln!(out, "{sign} {}  {versions} version{s}", id::shown(&one.instance));
    }
    let kept = found.len() - changed().count();
    let _ = writeln!(out, "{} changed, {kept} as before", changed().count());
    out
}

fn whole(one: &Inspected, ui: &Ui) -> String {
    let mut out = format!("{} {}\n\n", sign(one.operation, ui), id::shown(&one.instance));
    for (number, version) in one.versions.iter().enumerate() {
        let oldest = number + 1 == one.versions.len();
        out += &of_version(version, oldest, ui);
    }
    out.push_str("\nelements\n");
    for element in &one.elements {
        let _ = writeln!(out, "  {} {}", sign(element.operation, ui), line(element, ui));
    }
    out
}

fn of_version(version: &InspectedVersion, oldest: bool, ui: &Ui) -> String {
    let file = version.file.as_deref().unwrap_or("not there");
    let mut out = format!("{}  {}\n", version.name, ui.faint(file, Stream::Out));
    for element in &version.changed {
        let _ = writeln!(out, "  {} {}", sign(element.operation, ui), line(element, ui));
        for (name, old, new) in &element.fields {
            let _ = writeln!(out, "      {name}: {old} -> {new}");
        }
    }
    if version.changed.is_empty() && !oldest {
        out += "  nothing changed\n";
    }
    out
}

/// `pages[path=/x]  notes/a.yaml:3`
fn line(element: &InspectedElement, ui: &Ui) -> String {
    let name = if element.path.is_empty() { "(itself)" } else { &element.path };
    let place = match &element.last {
        Some(last) => format!("last in {last}, {}", element.place),
        None => element.place.to_string(),
    };
    format!("{name}  {}", ui.faint(&place, Stream::Out))
}

fn sign(operation: Operation, ui: &Ui) -> String {
    let sign = match operation {
        Operation::Create => Sign::Create,
        Operation::Update => Sign::Change,
        Operation::Delete => Sign::Delete,
        Operation::Keep => Sign::Say,
    };
    change::sign(sign, ui)
}
