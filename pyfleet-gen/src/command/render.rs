//! `render`: write what has changed.

use super::Failure;
use super::judge::{Judged, judge};
use crate::Streams;
use crate::exit::Exit;
use crate::project_file::Location;
use crate::repository::{Repository, State};
use crate::sync;

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

pub(crate) fn run(args: &Args, location: &Location, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let Some(Judged { files, ejected }) = judge(location, streams)? else { return Ok(Exit::CouldNotRun) };
    let repository = Repository::open(&location.root)?;
    let compared = sync::compare(&repository, &files, &ejected)?;
    let foreign: Vec<&str> =
        compared.iter().filter(|file| file.state == State::Foreign).map(|file| file.path.as_str()).collect();
    if !foreign.is_empty() && !args.adopt {
        for path in &foreign {
            writeln!(streams.err, "error: {path}: is there already, and pyfleet did not write it")?;
        }
        writeln!(
            streams.err,
            "help: look at it, then replace it with `pyfleet-gen render --adopt`; nothing was written"
        )?;
        return Ok(Exit::CouldNotRun);
    }
    if args.dry_run {
        for file in
            compared.iter().filter(|file| !matches!(file.state, State::Current | State::OrphanedEdited))
        {
            write!(streams.out, "{}", file.diff())?;
        }
    } else {
        sync::write(&repository, &compared)?;
    }
    for file in &compared {
        writeln!(streams.out, "{:<10} {}", outcome(file.state), file.path)?;
    }
    if args.dry_run {
        writeln!(streams.out, "nothing was written: this was a dry run")?;
    }
    Ok(Exit::Clean)
}

const fn outcome(state: State) -> &'static str {
    match state {
        State::Missing => "created",
        State::Stale | State::Edited | State::OtherVersion => "updated",
        State::Foreign => "adopted",
        State::Current => "unchanged",
        State::Orphaned => "removed",
        State::OrphanedEdited => "left",
    }
}
