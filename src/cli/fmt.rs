//! `gops fmt`

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::ui::Stream;
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::base::FileId;
use crate::diag::render::{Format, Sources};
use crate::syntax::format;

/// Write model files in the one style
///
/// Comments stay, and so does the meaning: a file with mistakes is left as it is and the
/// mistakes are shown.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops fmt                     all model files of the project
  gops fmt --check             change nothing; exit code 1 if a file would change
  gops fmt model/net.gops      some files, or all below a folder
  gops fmt - < net.gops        from standard input to standard output, for editors")]
pub(crate) struct Fmt {
    /// Only say which files would change, and how
    #[arg(long)]
    check: bool,
    /// Files, folders, or - for standard input; the project's models if left out
    files: Vec<PathBuf>,
}

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Same,
    Changed,
    Wrong,
}

impl Fmt {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        if self.files.iter().any(|f| f == Path::new("-")) {
            return self.standard_input(context);
        }
        let mut fates = Vec::new();
        for path in self.paths(context)? {
            let text = std::fs::read_to_string(&path).map_err(Failure::read(&path))?;
            fates.push(self.file(context, &path, &text)?);
        }
        let count = |fate| fates.iter().filter(|f| **f == fate).count();
        let (changed, wrong) = (count(Fate::Changed), count(Fate::Wrong));
        let all = fates.len();
        let s = if all == 1 { "" } else { "s" };
        context.ui.note(&match (self.check, changed + wrong) {
            (true, 0) => format!("checked {all} file{s}: all formatted"),
            (true, _) => format!("checked {all} file{s}: {changed} not formatted"),
            (false, _) => format!("formatted {changed} of {all} file{s}"),
        });
        let failed = wrong > 0 || (self.check && changed > 0);
        Ok(if failed { Exit::Errors } else { Exit::Fine })
    }

    fn standard_input(&self, context: &Context) -> Result<Exit, Failure> {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(Failure::read("standard input"))?;
        match format(&text) {
            Ok(formatted) if self.check => Ok(if formatted == text { Exit::Fine } else { Exit::Errors }),
            Ok(formatted) => {
                context.ui.result(&formatted);
                Ok(Exit::Fine)
            }
            Err(problems) => {
                let source = One { text: text.into(), shown: "-".to_owned() };
                context.ui.diagnostics(Format::Human, &problems, &source, Stream::Err);
                Ok(Exit::Errors)
            }
        }
    }

    fn file(&self, context: &Context, path: &Path, text: &str) -> Result<Fate, Failure> {
        let shown = path.strip_prefix(context.here()).unwrap_or(path);
        let shown = shown.strip_prefix(".").unwrap_or(shown).display().to_string();
        let formatted = match format(text) {
            Ok(formatted) => formatted,
            Err(problems) => {
                let source = One { text: text.into(), shown };
                context.ui.diagnostics(Format::Human, &problems, &source, Stream::Err);
                return Ok(Fate::Wrong);
            }
        };
        if formatted == text {
            return Ok(Fate::Same);
        }
        match self.check {
            true => {
                let diff = similar::TextDiff::from_lines(text, &formatted);
                let names = (shown.as_str(), "formatted");
                let diff = diff.unified_diff().context_radius(1).header(names.0, names.1).to_string();
                context.ui.result(&format!("{}\n", diff.trim_end_matches('\n')));
            }
            false => {
                super::check::write(path, &formatted)?;
                context.ui.detail(&format!("formatted {shown}"));
            }
        }
        Ok(Fate::Changed)
    }

    /// The files that are meant, sorted.
    fn paths(&self, context: &Context) -> Result<Vec<PathBuf>, Failure> {
        let mut found = Vec::new();
        for path in &self.files {
            gather(&context.path(path), &mut found)?;
        }
        if self.files.is_empty() {
            let workspace = Workspace::open(context, None)?;
            let model = workspace.session.config().map_or("model", |c| c.model.as_str());
            let folder = context.path(Path::new(&workspace.shown(FileId::new(model))));
            if folder.is_dir() {
                gather(&folder, &mut found)?;
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// A file, or all model files below a folder.
fn gather(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(Failure::read(path))? {
        let entry = entry.map_err(Failure::read(path))?;
        let kind = entry.file_type().map_err(Failure::read(path))?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let below = entry.path();
        if kind.is_dir() && !hidden {
            gather(&below, found)?;
        } else if kind.is_file() && below.extension().is_some_and(|e| e == "gops") {
            found.push(below);
        }
    }
    Ok(())
}

/// The text that is being formatted.
struct One {
    text: Arc<str>,
    shown: String,
}

impl Sources for One {
    fn text(&self, _: FileId) -> Option<Arc<str>> {
        Some(self.text.clone())
    }

    fn shown(&self, _: FileId) -> String {
        self.shown.clone()
    }
}
