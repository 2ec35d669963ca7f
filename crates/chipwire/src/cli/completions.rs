//! `chipwire completions`

use std::io;

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<()> {
        clap_complete::generate(self.shell, &mut Cli::command(), "chipwire", &mut io::stdout());
        Ok(())
    }
}
