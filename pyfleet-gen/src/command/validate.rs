//! `validate`: is the manifest right, or are these workflow files?

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::source::Source;

use super::judge::{errors, judge, judge_workflow, report_ejected, report_stopped};
use super::{Failure, named_file};
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report::{Format, Report, count, github, human, json};
use crate::repository::Repository;

/// What to judge.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Workflow files; the manifest and what it renders where none is named
    files: Vec<Utf8PathBuf>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    if args.files.is_empty() {
        let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
        validate_manifest(args.format, &location, streams)
    } else {
        validate_files(args, cli, streams)
    }
}

fn validate_manifest(
    format: Format,
    location: &Location,
    streams: &mut Streams<'_>,
) -> Result<Exit, Failure> {
    let mut report = Report::new("validate", &location.from_here());
    let judged = Repository::open(&location.root)
        .map_err(Failure::from)
        .and_then(|repository| judge(location, &repository, &mut report));
    if format == Format::Human {
        human::write(&report, streams)?;
    }
    let judged = judged?;
    let exit = match &judged {
        Err(_) => Exit::CouldNotRun,
        Ok(judged) if judged.ejected_errors == 0 => Exit::Clean,
        Ok(_) => Exit::Findings,
    };
    match (format, judged) {
        (Format::Human, Ok(judged)) => {
            let rendered = count(judged.files.len(), "file");
            writeln!(streams.out, "{} is valid, and so is what it renders: {rendered}", location.manifest)?;
            report_ejected(judged.ejected_errors, streams)?;
        }
        (Format::Human, Err(stopped)) => report_stopped(stopped, location, streams)?,
        (Format::Json, _) => json::write(&report, exit, streams)?,
        (Format::Github, _) => github::write(&report, exit, streams)?,
    }
    Ok(exit)
}

fn validate_files(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    // All of them first: nothing is judged where one cannot be read.
    let sources: Vec<Source> =
        args.files.iter().map(|file| named_file::read(cli, file)).collect::<Result<_, _>>()?;
    let mut report = Report::new("validate", cli.directory.as_deref().unwrap_or(Utf8Path::new("")));
    let mut lines = Vec::with_capacity(sources.len());
    let mut exit = Exit::Clean;
    for source in sources {
        let findings = judge_workflow(&source);
        let errors = errors(&findings);
        if errors > 0 {
            exit = Exit::Findings;
        }
        let others = findings.len() - errors;
        lines.push(match (errors, others) {
            (0, 0) => format!("{}: nothing found", source.name()),
            (_, 0) => format!("{}: {}", source.name(), count(errors, "error")),
            (_, _) => {
                format!("{}: {}, {}", source.name(), count(errors, "error"), count(others, "warning"))
            }
        });
        report.add(source, findings);
    }
    match args.format {
        Format::Human => {
            human::write(&report, streams)?;
            lines.iter().try_for_each(|line| writeln!(streams.out, "{line}"))?;
        }
        Format::Json => json::write(&report, exit, streams)?,
        Format::Github => github::write(&report, exit, streams)?,
    }
    Ok(exit)
}
