//! `gops test`

use clap::Args;

use super::ui::Stream;
use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::diag::render::Format;
use crate::project::TestOutcome;

/// Run the tests of the models
///
/// A `test` makes its own instances and says what is to follow from them; it sees nothing of
/// the project's data.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops test                 all of them
  gops test certificate     those with certificate in their title

In a model:
  test \"a prod site gets its certificate\" {
      let s = Site { name: \"a\", on: Machine { name: \"h1\" }, tier: prod }
      expect TextFile[host: Host[name: \"h1\"], path: \"/srv/a/cert.pem\"].mode == 0o600
      expect error \"needs tls\" { Site { name: \"b\", on: Machine[name: \"h1\"] } }
  }")]
pub(crate) struct Test {
    /// Run those alone whose title contains this
    filter: Option<String>,
}

impl Test {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut workspace = Workspace::open(context, None)?;
        let outcomes = workspace.session.test(self.filter.as_deref());
        let ui = &context.ui;
        for outcome in &outcomes {
            ui.result(&line(context, outcome));
            ui.diagnostics(Format::Human, &outcome.diagnostics, &workspace, Stream::Out);
        }
        let failed = outcomes.iter().filter(|o| !passed(o)).count();
        let s = if outcomes.len() == 1 { "" } else { "s" };
        let fine = outcomes.len() - failed;
        ui.note(&format!("{} test{s}: {fine} passed, {failed} failed", outcomes.len()));
        Ok(if failed == 0 { Exit::Fine } else { Exit::Errors })
    }
}

fn passed(outcome: &TestOutcome) -> bool {
    !outcome.diagnostics.iter().any(|d| d.is_error())
}

fn line(context: &Context, outcome: &TestOutcome) -> String {
    let word = if passed(outcome) { "ok    " } else { "FAILED" };
    let word = if passed(outcome) { word.to_owned() } else { context.ui.bold(word, Stream::Out) };
    format!("{word}  {}\n", outcome.name)
}
