//! `gops completions`

use clap::Args;
use clap_complete::Shell;

use super::{Context, Exit, Failure};

/// Print the completions of a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops completions bash > ~/.local/share/bash-completion/completions/gops
  gops completions zsh  > ~/.zfunc/_gops
  gops completions fish > ~/.config/fish/completions/gops.fish")]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "gops", &mut bytes);
        context.ui.bytes(&bytes);
        Ok(Exit::Fine)
    }
}
