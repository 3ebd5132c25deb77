//! `completions`: what a shell proposes behind `pyfleet-gen`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Failure;
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;

/// For which shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pyfleet-gen", &mut script);
    streams.out.write_all(&script)?;
    Ok(Exit::Clean)
}
