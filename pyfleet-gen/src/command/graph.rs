//! `graph`: the workflows as pictures.

use pyfleet_core::flowchart::Flowchart;
use pyfleet_core::plan::{Plan, Workflow};

use super::Failure;
use super::judge::load_plan;
use crate::Streams;
use crate::exit::Exit;
use crate::page::Page;
use crate::project_file::Location;
use crate::report::visible;
use crate::{drawing, mermaid, render};

/// What to draw.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One workflow, by its name in the manifest: its chart alone, for tools that draw, or a page that shows no other.
    /// Without it, Markdown or a page with a chart of each
    workflow: Option<String>,
    /// How charts are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Text that GitHub draws in Markdown
    #[default]
    Mermaid,
    /// One workflow's picture, in light and dark
    Svg,
    /// A page with every job, what it may do, and why; it needs no network
    Html,
}

pub(crate) fn run(args: &Args, location: &Location, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let Some((project, plan)) = load_plan("graph", location, streams)? else {
        return Ok(Exit::CouldNotRun);
    };
    let wanted = match &args.workflow {
        None => None,
        Some(name) => match plan.workflows.iter().find(|workflow| workflow.name.as_str() == name) {
            Some(workflow) => Some(workflow),
            None => {
                let problem = format!("{} renders no workflow `{}`", location.manifest, visible(name));
                return refused(&problem, &plan, streams);
            }
        },
    };
    match (args.format, wanted) {
        (Format::Mermaid, Some(workflow)) => {
            write!(streams.out, "{}", mermaid::lay_out(&Flowchart::of(workflow)))?;
        }
        (Format::Mermaid, None) => {
            for (position, workflow) in plan.workflows.iter().enumerate() {
                let gap = if position > 0 { "\n" } else { "" };
                let chart = mermaid::lay_out(&Flowchart::of(workflow));
                write!(streams.out, "{gap}## {}\n\n```mermaid\n{chart}```\n", workflow.name)?;
            }
        }
        (Format::Svg, Some(workflow)) => {
            write!(streams.out, "{}", drawing::file(&Flowchart::of(workflow), workflow.name.as_str()))?;
        }
        (Format::Svg, None) => {
            return refused("`--format svg` draws one workflow: name it", &plan, streams);
        }
        (Format::Html, wanted) => {
            let workflows: Vec<&Workflow> =
                wanted.map_or_else(|| plan.workflows.iter().collect(), |workflow| vec![workflow]);
            let page = Page::of(&project, location.manifest.as_str(), &workflows);
            write!(streams.out, "{}", render::page(&page)?)?;
        }
    }
    Ok(Exit::Clean)
}

fn refused(problem: &str, plan: &Plan, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let names: Vec<&str> = plan.workflows.iter().map(|workflow| workflow.name.as_str()).collect();
    writeln!(streams.err, "error: {problem}")?;
    writeln!(streams.err, "help: it renders {}", names.join(", "))?;
    Ok(Exit::CouldNotRun)
}
