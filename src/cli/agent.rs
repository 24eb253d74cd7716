//! `gops agent`

use clap::Args;

use super::{Context, Exit, Failure};

/// Do on this host what a gops elsewhere asks for, over standard input and output
///
/// It is started by that gops, over ssh, and ends with its input.
#[derive(Args)]
#[command(hide = true)]
pub(crate) struct Agent;

impl Agent {
    pub fn run(&self, _context: &Context) -> Result<Exit, Failure> {
        crate::agent::serve().map_err(Failure::Agent)?;
        Ok(Exit::Fine)
    }
}
