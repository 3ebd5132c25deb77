//! `schema`: the JSON Schema of the manifest, or of a workflow.

use crate::Streams;
use crate::command::Failure;
use crate::exit::Exit;

/// What the schema is of.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file that the schema describes
    #[arg(default_value = "manifest")]
    of: Of,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Of {
    /// `pyfleet.yml`
    Manifest,
    /// A file below `.github/workflows`
    Workflow,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let schema = match args.of {
        Of::Manifest => pyfleet_schemas::MANIFEST,
        Of::Workflow => pyfleet_schemas::WORKFLOW,
    };
    streams.out.write_all(schema.as_bytes())?;
    Ok(Exit::Clean)
}
