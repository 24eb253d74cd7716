//! `gops man`

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man as Page;

use super::{Context, Exit, Failure};

/// Print the manual page, or write all of them into a folder
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops man | man -l -                  read it
  gops man ~/.local/share/man/man1     one page for each command")]
pub(crate) struct Man {
    /// The folder to write gops.1, gops-check.1 and so on into
    directory: Option<PathBuf>,
}

impl Man {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let Some(directory) = &self.directory else {
            context.ui.bytes(&page(super::command())?);
            return Ok(Exit::Fine);
        };
        let directory = context.path(directory);
        std::fs::create_dir_all(&directory).map_err(Failure::write(&directory))?;
        let mut command = super::command();
        command.build();
        let pages = command.get_subcommands().filter(|c| !c.is_hide_set()).map(|sub| {
            let name = format!("gops-{}", sub.get_name());
            (name.clone(), sub.clone().name(name.leak() as &'static str))
        });
        let pages: Vec<(String, clap::Command)> = pages.collect();
        for (name, command) in std::iter::once(("gops".to_owned(), command)).chain(pages) {
            let path = directory.join(format!("{name}.1"));
            std::fs::write(&path, page(command)?).map_err(Failure::write(&path))?;
        }
        context.ui.note(&format!("wrote the manual pages into {}", directory.display()));
        Ok(Exit::Fine)
    }
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    Page::new(command).render(&mut bytes).map_err(Failure::write("the manual page"))?;
    Ok(bytes)
}
