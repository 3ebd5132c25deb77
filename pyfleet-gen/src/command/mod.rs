//! One file a subcommand: `Args`, and `run`.

pub(crate) mod check;
mod judge;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod validate;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::project_file::Location;
use crate::{Streams, repository};

/// What kept a command from running: a message with the file's name, for people.
pub(crate) type Failure = Box<dyn std::error::Error>;

pub(crate) fn run(cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let location = || Location::find(cli.directory.as_deref(), cli.manifest.as_deref());
    match &cli.command {
        Command::Render(args) => render::run(args, &location()?, streams),
        Command::Check(args) => check::run(args, &location()?, streams),
        Command::Validate(args) => validate::run(args, cli, streams),
        Command::Schema(args) => schema::run(args, streams),
    }
}

/// The remedy that every command names for files that are not current.
pub(crate) const MEND: &str = "pyfleet-gen render";

/// Whether a report has to be followed by the remedy.
pub(crate) const fn is_current(state: repository::State) -> bool {
    matches!(state, repository::State::Current)
}
