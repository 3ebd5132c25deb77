//! `validate`: is the manifest right, or are these workflow files?

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::source::Source;

use super::Failure;
use super::judge::{errors, judge, judge_workflow, report_ejected};
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report::{count, human};
use crate::repository::{FileError, Repository, bounded};

/// What to judge.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Workflow files; the manifest and what it renders where none is named
    files: Vec<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    if args.files.is_empty() {
        let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
        let repository = Repository::open(&location.root)?;
        let Some(judged) = judge(&location, &repository, streams)? else { return Ok(Exit::CouldNotRun) };
        let rendered = count(judged.files.len(), "file");
        writeln!(streams.out, "{} is valid, and so is what it renders: {rendered}", location.manifest)?;
        report_ejected(judged.ejected_errors, streams)?;
        return Ok(if judged.ejected_errors == 0 { Exit::Clean } else { Exit::Findings });
    }
    // All of them first: nothing is judged where one cannot be read.
    let sources: Vec<Source> = args.files.iter().map(|file| read(cli, file)).collect::<Result<_, _>>()?;
    let mut clean = true;
    for source in &sources {
        let findings = judge_workflow(source);
        human::report(source, &findings, None, streams)?;
        let errors = errors(&findings);
        clean &= errors == 0;
        let others = findings.len() - errors;
        match (errors, others) {
            (0, 0) => writeln!(streams.out, "{}: nothing found", source.name())?,
            (_, 0) => writeln!(streams.out, "{}: {}", source.name(), count(errors, "error"))?,
            (_, _) => writeln!(
                streams.out,
                "{}: {}, {}",
                source.name(),
                count(errors, "error"),
                count(others, "warning")
            )?,
        }
    }
    Ok(if clean { Exit::Clean } else { Exit::Findings })
}

/// Reads a file that the user has named: a link or a pipe will do.
fn read(cli: &Cli, file: &Utf8Path) -> Result<Source, FileError> {
    let path = cli.directory.as_ref().map_or_else(|| file.to_owned(), |directory| directory.join(file));
    let opened = std::fs::File::open(&path).map_err(|error| FileError::io(file, &error))?;
    let text = String::from_utf8(bounded(file, opened)?).map_err(|_| FileError::new(file, "is not UTF-8"))?;
    Ok(Source::new(crate::report::visible(file.as_str()), text))
}
