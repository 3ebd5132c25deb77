//! `render`: write what has changed.

use super::Failure;
use super::judge::{Judged, judge, report_ejected};
use crate::Streams;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::report::{count, diff};
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
}

pub(crate) fn run(
    args: &Args,
    location: &Location,
    mend: &str,
    streams: &mut Streams<'_>,
) -> Result<Exit, Failure> {
    let repository = Repository::open(&location.root)?;
    let Some(judged) = judge(location, &repository, streams)? else { return Ok(Exit::CouldNotRun) };
    let Judged { files, ejected, ejected_errors } = judged;
    // The turn comes before the look: what is compared is what is written over.
    let writer = if args.dry_run { None } else { Some(Writer::new(&repository)?) };
    let compared = sync::compare(&repository, &files, &ejected)?;
    let foreign: Vec<&sync::File> = compared.iter().filter(|file| file.state == State::Foreign).collect();
    if !foreign.is_empty() && !args.adopt {
        for file in &foreign {
            writeln!(streams.err, "error: {}: is there already, and pyfleet did not write it", file.path)?;
        }
        writeln!(
            streams.err,
            "help: `{mend} --adopt --dry-run` shows what would be lost, `{mend} --adopt` replaces it; nothing was \
             written"
        )?;
        return Ok(Exit::CouldNotRun);
    }
    match &writer {
        Some(writer) => sync::write(writer, &compared)?,
        None => {
            for file in compared.iter().filter(|file| outcome(file.state).2) {
                diff::write(&file.diff(), streams)?;
                writeln!(streams.out)?;
            }
        }
    }
    let mut summary: Vec<(&str, usize)> = Vec::new();
    for file in &compared {
        let (would, did, _) = outcome(file.state);
        let word = if args.dry_run { would } else { did };
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
    writeln!(streams.out, "{}: {}", count(compared.len(), "file"), summary.join(", "))?;
    if args.dry_run {
        writeln!(streams.out, "nothing was written: this was a dry run")?;
    }
    report_ejected(ejected_errors, streams)?;
    Ok(Exit::Clean)
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
