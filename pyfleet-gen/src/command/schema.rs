//! `schema`: the manifest's JSON Schema.

use crate::Streams;
use crate::command::Failure;
use crate::exit::Exit;

/// Nothing to say.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    streams.out.write_all(pyfleet_schemas::MANIFEST.as_bytes())?;
    Ok(Exit::Clean)
}
