//! `gops slice`

mod inspect;

use std::fmt::Write as _;
use std::io::Write as _;

use clap::{Args, Subcommand};

use super::check::summary;
use super::ui::Stream;
use super::update::Writing;
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::diag::render::{Format, Sources as _};
use crate::project::scaffold::{path, scaffold};
use crate::project::update::rename;

/// List the slices of the model, begin new instances, show their versions, give them other keys
#[derive(Args)]
pub(crate) struct Slice {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    New(New),
    Inspect(inspect::Inspect),
    Move(Move),
}

/// Give an instance another key, with everything that goes with it
///
/// Changes the key in its file, the references of others to it and `assigned.lock`, and writes
/// `moved A to B` into the model, so that what it made is renamed where that can be and not
/// removed and made again. All of it or nothing; review it as one change.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops slice move Site shop store
  gops slice move Route web 443 web 8443    a key of two fields: the old one, then the new one
  gops slice move Site shop store --dry-run")]
struct Move {
    /// The slice: its name, or its full path where two have one name
    slice: String,
    /// The key that it has, then the key that it gets: one word for each of its fields
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
    /// Show what would change in each file, and write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Say which slices there are, where their files are, and how many instances each has
#[derive(Args)]
struct List {}

/// Write a new instance file, with all fields of the slice and their documentation
///
/// What must be given stands there to be filled in, what may be given stands there as a comment
/// with its default.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops slice new Site shop         slices/sites/shop.yaml
  gops slice new Route web 443     a key of two fields
  gops slice new Site shop --print show it instead")]
struct New {
    /// The slice: its name, or its full path where two have one name
    slice: String,
    /// The key: one word for each of its fields
    key: Vec<String>,
    /// Print the text and write nothing
    #[arg(long)]
    print: bool,
}

impl Slice {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match &self.command {
            Command::List(_) => list(context),
            Command::New(new) => new.run(context),
            Command::Inspect(inspect) => inspect.run(context),
            Command::Move(one) => one.run(context),
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let mut workspace = Workspace::open(context, None)?;
    let counts = workspace.session.instance_counts();
    let program = workspace.session.program();
    let mut rows: Vec<[String; 4]> = Vec::new();
    for slice in program.slices() {
        let keys: Vec<&str> = slice.keys.iter().map(|k| k.name.as_str()).collect();
        rows.push([
            slice.decl.path.to_string(),
            counts.get(&slice.decl.path).copied().unwrap_or_default().to_string(),
            if keys.is_empty() { "(single)".to_owned() } else { keys.join(", ") },
            slice.source.as_ref().map(|s| s.path.to_string()).unwrap_or_default(),
        ]);
    }
    rows.sort();
    let header = ["slice", "instances", "key", "files"].map(str::to_owned);
    rows.insert(0, header);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for (number, [slice, count, key, files]) in rows.iter().enumerate() {
        let line = format!("{slice:<0$}  {count:>1$}  {key:<2$}  {files}", widths[0], widths[1], widths[2]);
        let line = if number == 0 { context.ui.faint(&line, Stream::Out) } else { line };
        let _ = writeln!(out, "{line}");
    }
    context.ui.result(&out);
    Ok(Exit::Fine)
}

impl New {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let workspace = Workspace::open(context, None)?;
        let program = workspace.session.program();
        let id = super::schema::find(&program, &self.slice)?;
        let Some(slice) = program.record(id) else { return Ok(Exit::Errors) };
        if slice.keys.len() != self.key.len() {
            let names: Vec<String> = slice.keys.iter().map(|k| k.name.as_str().to_uppercase()).collect();
            return Err(Failure::Key {
                verb: "new",
                slice: slice.decl.name.to_string(),
                wanted: names.join(" "),
            });
        }
        let text = scaffold(&program, slice, &self.key);
        if self.print {
            context.ui.result(&text);
            return Ok(Exit::Fine);
        }
        let Some(relative) = path(slice, &self.key) else {
            context.ui.result(&text);
            let files = slice.source.as_ref().map(|s| s.path.as_str()).unwrap_or_default();
            context.ui.note(&format!(
                "`{}` has several instances in a file: add this to `{files}`",
                slice.decl.name
            ));
            return Ok(Exit::Fine);
        };
        let full = workspace.root.join(&relative);
        if full.exists() {
            return Err(Failure::Taken(full));
        }
        let write = || {
            if let Some(folder) = full.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&full)?;
            file.write_all(text.as_bytes())
        };
        write().map_err(Failure::write(&full))?;
        context.ui.result(&format!("{relative}\n"));
        Ok(Exit::Fine)
    }
}

impl Move {
    fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut writing = Writing::open(context, self.dry_run)?;
        let program = writing.workspace.session.program();
        let slice = super::schema::find(&program, &self.slice)?;
        let Some(record) = program.record(slice) else { return Ok(Exit::Errors) };
        if self.keys.len() != 2 * record.keys.len() || self.keys.is_empty() {
            let words = |end: &str| {
                let names = record.keys.iter().map(|k| format!("{}{end}", k.name.as_str().to_uppercase()));
                names.collect::<Vec<_>>().join(" ")
            };
            let wanted = format!("{} {}", words(""), words("_NEW"));
            return Err(Failure::Key { verb: "move", slice: record.decl.name.to_string(), wanted });
        }
        let (old, new) = self.keys.split_at(record.keys.len());
        let edited = writing.edited.clone();
        let made = rename(&mut writing.workspace.session, &edited, slice, old, new);
        let found = &made.report.diagnostics;
        context.ui.diagnostics(Format::Human, found, &writing.workspace, Stream::Err);
        if made.report.has_errors() {
            summary(context, found, made.report.instances);
            context.ui.note("nothing was written");
            return Ok(Exit::Errors);
        }
        match self.dry_run {
            true => writing.show(context),
            false => {
                let paths = writing.changed();
                writing.commit()?;
                paths.iter().for_each(|path| context.ui.result(&format!("{path}: changed\n")));
            }
        }
        for (file, line) in &made.moved {
            context.ui.result(&format!("{}: {line}\n", writing.workspace.shown(*file)));
        }
        let s = if made.references == 1 { "" } else { "s" };
        context.ui.note(&format!("{} reference{s} to it changed with it", made.references));
        Ok(Exit::Fine)
    }
}
