//! `graph`: the workflows as pictures.

use pyfleet_core::flowchart::Flowchart;

use super::Failure;
use super::judge::load_plan;
use crate::Streams;
use crate::exit::Exit;
use crate::mermaid;
use crate::project_file::Location;
use crate::report::visible;

/// What to draw.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One workflow, by its name in the manifest: its chart alone, for tools that draw. Without it, Markdown with a
    /// chart of each
    workflow: Option<String>,
    /// How charts are written
    #[arg(long, value_parser = ["mermaid"], default_value = "mermaid")]
    format: String,
}

pub(crate) fn run(args: &Args, location: &Location, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let Some((_, plan)) = load_plan("graph", location, streams)? else { return Ok(Exit::CouldNotRun) };
    let Some(wanted) = &args.workflow else {
        for (position, workflow) in plan.workflows.iter().enumerate() {
            let gap = if position > 0 { "\n" } else { "" };
            let chart = mermaid::lay_out(&Flowchart::of(workflow));
            write!(streams.out, "{gap}## {}\n\n```mermaid\n{chart}```\n", workflow.name)?;
        }
        return Ok(Exit::Clean);
    };
    match plan.workflows.iter().find(|workflow| workflow.name.as_str() == wanted) {
        Some(workflow) => {
            write!(streams.out, "{}", mermaid::lay_out(&Flowchart::of(workflow)))?;
            Ok(Exit::Clean)
        }
        None => {
            let names: Vec<&str> = plan.workflows.iter().map(|workflow| workflow.name.as_str()).collect();
            writeln!(streams.err, "error: {} renders no workflow `{}`", location.manifest, visible(wanted))?;
            writeln!(streams.err, "help: it renders {}", names.join(", "))?;
            Ok(Exit::CouldNotRun)
        }
    }
}
