//! `render`: write what has changed.

use super::Failure;
use super::judge::{Judged, Stopped, judge, report_ejected, report_stopped};
use crate::Streams;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report::{self, Format, Report, count, diff, github, human, json, sarif};
use crate::repository::{Repository, State};
use crate::sync;
use crate::writer::Writer;

/// How to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Replace files that pyfleet did not write
    #[arg(long)]
    adopt: bool,
    /// How findings and files are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Where every file stood, whether what differed was written, and how many errors are in files that are left to their
/// owner.
struct Rendered {
    files: Vec<sync::File>,
    end: End,
    ejected_errors: usize,
}

/// What became of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// They were written.
    Written,
    /// They would have been.
    DryRun,
    /// One is in the way.
    Refused,
}

pub(crate) fn run(
    args: &Args,
    location: &Location,
    mend: &str,
    streams: &mut Streams<'_>,
) -> Result<Exit, Failure> {
    let mut report = Report::new("render", &location.from_here());
    let rendered = write(args, location, &mut report);
    if args.format == Format::Human {
        human::write(&report, streams)?;
    }
    let rendered = rendered?;
    let end = rendered.as_ref().map(|rendered| rendered.end);
    let exit = match end {
        Ok(End::Written | End::DryRun) => Exit::Clean,
        Ok(End::Refused) | Err(Stopped(_)) => Exit::CouldNotRun,
    };
    report.written = Some(end == Ok(End::Written));
    if let Ok(rendered) = &rendered {
        let mend = (rendered.end != End::Written).then_some(mend);
        report.files = Some(rendered.files.iter().map(|file| report::File::of(file, mend)).collect());
    }
    match (args.format, rendered) {
        (Format::Human, Ok(rendered)) => say(&rendered, mend, streams)?,
        (Format::Human, Err(stopped)) => report_stopped(stopped, location, streams)?,
        (Format::Json, _) => json::write(&report, exit, streams)?,
        (Format::Github, _) => github::write(&report, exit, streams)?,
        (Format::Sarif, _) => sarif::write(&report, exit, streams)?,
    }
    Ok(exit)
}

fn write(
    args: &Args,
    location: &Location,
    report: &mut Report,
) -> Result<Result<Rendered, Stopped>, Failure> {
    let repository = Repository::open(&location.root)?;
    let Judged { files, ejected, ejected_errors, .. } = match judge(location, &repository, report)? {
        Ok(judged) => judged,
        Err(stopped) => return Ok(Err(stopped)),
    };
    // The turn comes before the look: what is compared is what is written over.
    let writer = if args.dry_run { None } else { Some(Writer::new(&repository)?) };
    let files = sync::compare(&repository, &files, &ejected)?;
    let is_in_the_way = !args.adopt && files.iter().any(|file| file.state == State::Foreign);
    let end = match writer {
        _ if is_in_the_way => End::Refused,
        None => End::DryRun,
        Some(writer) => {
            sync::write(&writer, &files)?;
            End::Written
        }
    };
    Ok(Ok(Rendered { files, end, ejected_errors }))
}

fn say(rendered: &Rendered, mend: &str, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let Rendered { files, end, ejected_errors } = rendered;
    if *end == End::Refused {
        for file in files.iter().filter(|file| file.state == State::Foreign) {
            writeln!(streams.err, "error: {}: is there already, and pyfleet did not write it", file.path)?;
        }
        return writeln!(
            streams.err,
            "help: `{mend} --adopt --dry-run` shows what would be lost, `{mend} --adopt` replaces it; nothing was \
             written"
        );
    }
    if *end == End::DryRun {
        for file in files.iter().filter(|file| outcome(file.state).2) {
            diff::write(&file.diff(), streams)?;
            writeln!(streams.out)?;
        }
    }
    let mut summary: Vec<(&str, usize)> = Vec::new();
    for file in files {
        let (would, did, _) = outcome(file.state);
        let word = if *end == End::DryRun { would } else { did };
        let why = match file.state {
            State::OrphanedEdited => ": no longer rendered, but edited; it is yours now",
            State::Ejected => ": ejected; it is yours",
            _ => "",
        };
        writeln!(streams.out, "{word:<9} {}{why}", file.path)?;
        match summary.iter_mut().find(|(known, _)| *known == word) {
            Some((_, number)) => *number += 1,
            None => summary.push((word, 1)),
        }
    }
    let summary: Vec<String> = summary.iter().map(|(word, number)| format!("{number} {word}")).collect();
    writeln!(streams.out, "{}: {}", count(files.len(), "file"), summary.join(", "))?;
    if *end == End::DryRun {
        writeln!(streams.out, "nothing was written: this was a dry run")?;
    }
    report_ejected(*ejected_errors, streams)
}

/// What would be done, what was done, and whether that changes the file.
const fn outcome(state: State) -> (&'static str, &'static str, bool) {
    match state {
        State::Missing => ("create", "created", true),
        State::Stale | State::Edited | State::LineEndings | State::OtherVersion => {
            ("update", "updated", true)
        }
        State::Foreign => ("adopt", "adopted", true),
        State::Orphaned => ("remove", "removed", true),
        State::Current => ("unchanged", "unchanged", false),
        State::OrphanedEdited | State::Ejected => ("leave", "left", false),
    }
}
