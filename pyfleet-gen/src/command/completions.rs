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
    // In half of the script for bash, clap_complete 4.6 takes the dash in a program's name for the space before a
    // subcommand, so that nothing is proposed behind one (https://github.com/clap-rs/clap/issues/6421).
    let script = String::from_utf8(script)?.replace("pyfleet__subcmd__gen", "pyfleet__gen");
    streams.out.write_all(script.as_bytes())?;
    Ok(Exit::Clean)
}
