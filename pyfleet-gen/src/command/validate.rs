//! `validate`: is the manifest right, or are these workflow files?

use camino::Utf8PathBuf;
use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Subject};
use pyfleet_core::source::Source;
use pyfleet_core::workflow;

use super::Failure;
use super::judge::judge;
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report::human;

/// What to judge.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Workflow files; the manifest and what it renders where none is named
    files: Vec<Utf8PathBuf>,
}

pub(crate) fn run(args: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    if args.files.is_empty() {
        let location = Location::find(cli.directory.as_deref(), cli.manifest.as_deref())?;
        let Some(judged) = judge(&location, streams)? else { return Ok(Exit::CouldNotRun) };
        writeln!(
            streams.out,
            "{}: right, and so are the {} files it renders",
            location.manifest,
            judged.files.len()
        )?;
        return Ok(Exit::Clean);
    }
    let mut clean = true;
    for file in &args.files {
        let path = cli.directory.as_ref().map_or_else(|| file.clone(), |directory| directory.join(file));
        let source = Source::new(file.as_str(), fs_err::read_to_string(&path)?);
        let (parsed, mut findings) = workflow::parse(source.clone());
        if let Some((parsed, document)) = parsed {
            findings.extend(check::run(&Subject::workflow(&parsed, &document), RULES));
            document.locate(&mut findings);
        }
        human::report(&source, &findings, None, streams)?;
        clean &= !findings.has_errors();
        if !findings.has_errors() {
            writeln!(streams.out, "{file}: no error")?;
        }
    }
    Ok(if clean { Exit::Clean } else { Exit::Findings })
}
