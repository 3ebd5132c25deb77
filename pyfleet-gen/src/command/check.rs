//! `check`: is what is there what the manifest says?

use super::Failure;
use super::judge::{Stopped, Unjudged, report_ejected, report_stopped};
use crate::Streams;
use crate::exit::Exit;
use crate::lock;
use crate::project_file::Location;
use crate::report::{self, Format, Report, count, diff, github, human, json, sarif};
use crate::repository::{Repository, State};
use crate::sync::{self, File};

/// How to say it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How findings and files are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What was compared, and how many errors are in files that are left to their owner.
struct Compared {
    files: Vec<File>,
    ejected_errors: usize,
}

pub(crate) fn run(
    args: &Args,
    location: &Location,
    mend: &str,
    streams: &mut Streams<'_>,
) -> Result<Exit, Failure> {
    let mut report = Report::new("check", &location.from_here());
    let compared = compare(location, &mut report);
    if args.format == Format::Human {
        human::write(&report, streams)?;
    }
    let compared = compared?;
    let exit = match &compared {
        Err(Stopped(_)) => Exit::CouldNotRun,
        Ok(compared) if compared.ejected_errors == 0 && differing(compared).next().is_none() => Exit::Clean,
        Ok(_) => Exit::Findings,
    };
    if let Ok(compared) = &compared {
        let files = compared.files.iter();
        report.files = Some(files.map(|file| report::File::of(file, Some(mend))).collect());
    }
    match (args.format, compared) {
        (Format::Human, Ok(compared)) => say(&compared, location, mend, streams)?,
        (Format::Human, Err(stopped)) => report_stopped(stopped, location, streams)?,
        (Format::Json, _) => json::write(&report, exit, streams)?,
        (Format::Github, _) => github::write(&report, exit, streams)?,
        (Format::Sarif, _) => sarif::write(&report, exit, streams)?,
    }
    Ok(exit)
}

fn compare(location: &Location, report: &mut Report) -> Result<Result<Compared, Stopped>, Failure> {
    let repository = Repository::open(&location.root)?;
    let unjudged = match Unjudged::render(location, &repository, report)? {
        Ok(unjudged) => unjudged,
        Err(stopped) => return Ok(Err(stopped)),
    };
    let files = sync::compare(&repository, &unjudged.files, &unjudged.ejected)?;
    let mut compared = Compared { files, ejected_errors: 0 };
    if differing(&compared).next().is_some() || unjudged.may_change() {
        match unjudged.judge(report) {
            Ok(judged) => compared.ejected_errors = judged.ejected_errors,
            Err(stopped) => return Ok(Err(stopped)),
        }
    }
    Ok(Ok(compared))
}

fn differing(compared: &Compared) -> impl Iterator<Item = &File> {
    compared.files.iter().filter(|file| !matches!(file.state, State::Current | State::Ejected))
}

fn say(
    compared: &Compared,
    location: &Location,
    mend: &str,
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    report_ejected(compared.ejected_errors, streams)?;
    let differing: Vec<&File> = differing(compared).collect();
    let current = compared.files.iter().filter(|file| file.state == State::Current).count();
    if differing.is_empty() {
        let verb = if current == 1 { "is" } else { "are" };
        return writeln!(streams.out, "{} {verb} current", count(current, "file"));
    }
    for file in &differing {
        writeln!(streams.out, "{:<14} {}: {}", name(file.state), file.path, report::meaning(file))?;
    }
    for file in differing.iter().filter(|file| has_diff(file, differing.len())) {
        writeln!(streams.out)?;
        diff::write(&file.diff(), streams)?;
    }
    let is_there = |state: State| differing.iter().any(|file| file.state == state);
    let total = current + differing.len();
    let verb = if differing.len() == 1 { "is" } else { "are" };
    writeln!(streams.out, "\n{} of {} {verb} not current", differing.len(), count(total, "file"))?;
    if is_there(State::Foreign) {
        writeln!(streams.out, "help: `{mend} --adopt` replaces them, also those that pyfleet did not write")?;
    } else {
        writeln!(streams.out, "help: `{mend}` makes them current")?;
    }
    if is_there(State::Edited) {
        writeln!(
            streams.out,
            "help: what was edited by hand is lost then: say it in {} first",
            location.manifest
        )?;
    }
    if is_there(State::LineEndings) {
        writeln!(
            streams.out,
            "help: so that git leaves line endings alone, have in .gitattributes: `/.github/** text eol=lf` and \
             `/pyfleet.lock text eol=lf`"
        )?;
    }
    Ok(())
}

/// A whole file that comes or goes teaches nobody anything, and neither do digests beside the files that they
/// are of: `render --dry-run` shows them.
fn has_diff(file: &File, differing: usize) -> bool {
    match file.state {
        State::Stale | State::Edited | State::OtherVersion | State::Foreign => {
            file.path != lock::PATH || differing == 1
        }
        State::Current
        | State::LineEndings
        | State::Missing
        | State::Orphaned
        | State::OrphanedEdited
        | State::Ejected => false,
    }
}

const fn name(state: State) -> &'static str {
    match state {
        State::Current => "current",
        State::Stale => "stale",
        State::Edited => "edited by hand",
        State::LineEndings => "line endings",
        State::Missing => "missing",
        State::Orphaned | State::OrphanedEdited => "orphaned",
        State::OtherVersion => "other version",
        State::Foreign => "foreign",
        State::Ejected => "ejected",
    }
}
