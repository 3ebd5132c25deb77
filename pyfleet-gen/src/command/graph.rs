//! `graph`: the workflows as pictures.

use pyfleet_core::flowchart::Flowchart;

use super::Failure;
use super::judge::{Stopped, errors, report_stopped};
use crate::Streams;
use crate::exit::Exit;
use crate::mermaid;
use crate::project_file::{Loaded, Location, load};
use crate::report::{Report, human, visible};
use crate::repository::Repository;

/// What to draw.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One workflow, by its name in the manifest: its chart alone, for tools that draw. Without it, Markdown with a
    /// chart of each
    workflow: Option<String>,
    /// How charts are written
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Mermaid,
}

pub(crate) fn run(args: &Args, location: &Location, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let repository = Repository::open(&location.root)?;
    let Loaded { source, findings, planned, .. } = load(location.read(&repository)?);
    let errors = errors(&findings);
    let mut report = Report::new("graph", &location.from_here());
    report.add(source, findings);
    human::write(&report, streams)?;
    let Some((_, plan)) = planned else {
        report_stopped(Stopped(errors), location, streams)?;
        return Ok(Exit::CouldNotRun);
    };
    let Format::Mermaid = args.format;
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
