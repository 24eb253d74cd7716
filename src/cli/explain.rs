//! `gops explain`

use clap::Args;

use super::ui::{Stream, Ui};
use super::{Context, Exit, Failure};
use crate::diag::render::severity_word;
use crate::diag::{Code, did_you_mean};

/// Say what a code means, with an example that fails and one that is mended
///
/// Every error and warning has a code: `error[G0501]`. Without one, lists all of them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops explain G0501            by its code
  gops explain unknown-field    by its name
  gops explain                  all codes, a line each")]
pub(crate) struct Explain {
    /// The code, or its name
    code: Option<String>,
}

impl Explain {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let ui = &context.ui;
        match &self.code {
            None => ui.result(&list(ui)),
            Some(written) => {
                let code = Code::find(written).ok_or_else(|| unknown(written))?;
                ui.result(&styled(code.info().page, ui));
            }
        }
        Ok(Exit::Fine)
    }
}

fn unknown(written: &str) -> Failure {
    let names = Code::all().flat_map(|c| [c.id(), c.info().name]);
    let help = did_you_mean(written, names);
    let help = help.unwrap_or_else(|| "`gops explain` lists all codes".to_owned());
    Failure::Unknown { what: "code", written: written.to_owned(), help }
}

fn list(ui: &Ui) -> String {
    let line = |code: Code| {
        let info = code.info();
        let id = ui.bold(info.id, Stream::Out);
        format!("{id}  {:7}  {:28} {}\n", severity_word(info.severity), info.name, info.summary)
    };
    Code::all().map(line).collect()
}

/// The page, with its headings in bold.
fn styled(page: &str, ui: &Ui) -> String {
    let mut fenced = false;
    let line = |line: &str| {
        fenced ^= line.starts_with("```");
        match line.starts_with('#') && !fenced {
            true => ui.bold(line, Stream::Out) + "\n",
            false => format!("{line}\n"),
        }
    };
    page.lines().map(line).collect()
}
