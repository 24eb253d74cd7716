//! `gops check`

use std::path::Path;

use clap::{Args, ValueEnum};

use super::ui::Stream;
use super::watch::watch;
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::diag::Diagnostic;
use crate::diag::fix::apply_safe;
use crate::diag::render::{Format, Totals};
use crate::project::Report;

/// Find every mistake in the model and in the data
///
/// Reads the project's files and nothing else: no network, no environment, no clock. All
/// mistakes are reported at once, each at its own place, with the other side where there are
/// two: the line of the data and the line of the model.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops check                      everything, for people
  gops check --watch              again whenever a file is saved
  gops check --fix                apply the suggestions that are safe, then check
  gops check --format concise     one line a problem, for editors: path:line:column: …
  gops check --format github      annotations of a pull request
  gops check --format sarif > gops.sarif

Exit code 0 if there is no error (warnings are none), else 1.")]
pub(crate) struct Check {
    /// Check again whenever a file is saved
    #[arg(long, conflicts_with = "fix")]
    watch: bool,
    /// Apply the suggestions that can be applied without a look
    #[arg(long)]
    fix: bool,
    /// How to write what was found
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: FormatName,
    /// Check for this environment alone, and not for each
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

/// `--format`
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// With the lines of the files
    Human,
    /// One line each: `path:line:column: error[CODE]: message`
    Concise,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Human => Format::Human,
            FormatName::Concise => Format::Concise,
            FormatName::Json => Format::Json,
            FormatName::Sarif => Format::Sarif,
            FormatName::Github => Format::Github,
        }
    }
}

/// A fix may uncover another mistake that has one; two that undo each other must end.
const ROUNDS: usize = 10;

impl Check {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut workspace = Workspace::open(context, self.env.as_deref())?;
        if self.watch {
            return watch(context, &mut workspace, |workspace| {
                let report = workspace.session.check();
                self.show(context, workspace, &report);
                Ok(())
            });
        }
        let report = match self.fix {
            true => self.mend(context, &mut workspace)?,
            false => workspace.session.check(),
        };
        self.show(context, &workspace, &report);
        Ok(exit(&report.diagnostics))
    }

    fn show(&self, context: &Context, workspace: &Workspace, report: &Report) {
        let found = &report.diagnostics;
        context.ui.diagnostics(self.format.into(), found, workspace, Stream::Out);
        if self.format == FormatName::Human {
            summary(context, found, report.instances);
        }
    }

    /// Applies safe fixes and checks again, until there is none left that applies.
    fn mend(&self, context: &Context, workspace: &mut Workspace) -> Result<crate::project::Report, Failure> {
        let mut report = workspace.session.check();
        let mut mended = 0;
        for _ in 0..ROUNDS {
            let applied = apply_safe(&report.diagnostics, workspace);
            if applied.applied == 0 {
                break;
            }
            mended += applied.applied;
            for (path, text) in &applied.files {
                write(&workspace.root.join(path), text)?;
                context.ui.detail(&format!("mended {path}"));
            }
            let paths: Vec<String> = applied.files.keys().map(|&path| path.to_owned()).collect();
            workspace.session.refresh(&paths);
            report = workspace.session.check();
        }
        let s = if mended == 1 { "" } else { "s" };
        let unsafe_ones = |d: &&Diagnostic| !d.fixes.is_empty() && d.fixes.iter().all(|f| !f.safe);
        let left = match report.diagnostics.iter().filter(unsafe_ones).count() {
            0 => String::new(),
            1 => "; 1 more needs a look: its help says what may be meant".to_owned(),
            n => format!("; {n} more need a look: their help says what may be meant"),
        };
        context.ui.note(&format!("applied {mended} suggestion{s}{left}"));
        Ok(report)
    }
}

/// The last line for people, on standard error so that the diagnostics can be piped.
pub(crate) fn summary(context: &Context, found: &[Diagnostic], instances: usize) {
    let totals = Totals::of(found);
    let s = if instances == 1 { "" } else { "s" };
    let mut line = format!("checked {instances} instance{s}: {}", context.ui.totals(totals, Stream::Err));
    if totals.fixable > 0 {
        line += &format!(" ({} of them mended by `gops check --fix`)", totals.fixable);
    }
    context.ui.note(&line);
    let errors = found.iter().filter(|d| d.is_error());
    if let Some(code) = errors.map(|d| d.code).next() {
        context.ui.detail(&format!("`gops explain {}` says more", code.id()));
    }
}

pub(crate) fn exit(found: &[Diagnostic]) -> Exit {
    if found.iter().any(Diagnostic::is_error) { Exit::Errors } else { Exit::Fine }
}

/// Replaces a source as a whole, with the mode that it had.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = path.with_extension("gops-new");
    let replace = || {
        let mode = std::fs::metadata(path)?.permissions();
        std::fs::write(&beside, text)?;
        std::fs::set_permissions(&beside, mode)?;
        std::fs::rename(&beside, path)
    };
    let done = replace();
    if done.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    done.map_err(Failure::write(path))
}
