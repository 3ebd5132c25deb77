//! `check`: is what is there what the manifest says?

use super::judge::Unjudged;
use super::{Failure, MEND, is_current};
use crate::Streams;
use crate::exit::Exit;
use crate::lock::GENERATOR;
use crate::project_file::Location;
use crate::repository::{Repository, State};
use crate::sync;

/// Nothing to say.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, location: &Location, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let Some(unjudged) = Unjudged::render(location, streams)? else { return Ok(Exit::CouldNotRun) };
    let repository = Repository::open(&location.root)?;
    let compared = sync::compare(&repository, unjudged.files(), unjudged.ejected())?;
    let differing: Vec<&sync::File> = compared.iter().filter(|file| !is_current(file.state)).collect();
    if (!differing.is_empty() || unjudged.may_expire()) && unjudged.judge(streams)?.is_none() {
        return Ok(Exit::CouldNotRun);
    }
    if differing.is_empty() {
        writeln!(streams.out, "{} files are current", compared.len())?;
        return Ok(Exit::Clean);
    }
    for file in &differing {
        writeln!(streams.out, "{:<14} {}: {}", name(file.state), file.path, meaning(file.state))?;
    }
    for file in differing.iter().filter(|file| file.state != State::OrphanedEdited) {
        write!(streams.out, "\n{}", file.diff())?;
    }
    writeln!(streams.out, "\nto mend it: {MEND}")?;
    if differing.iter().any(|file| file.state == State::Edited) {
        writeln!(streams.out, "an edit by hand is lost then: say it in {} first", location.manifest)?;
    }
    if differing.iter().any(|file| file.state == State::Foreign) {
        writeln!(streams.out, "files that pyfleet did not write are replaced only by: {MEND} --adopt")?;
    }
    Ok(Exit::Findings)
}

const fn name(state: State) -> &'static str {
    match state {
        State::Current => "current",
        State::Stale => "stale",
        State::Edited => "edited by hand",
        State::Missing => "missing",
        State::Orphaned | State::OrphanedEdited => "orphaned",
        State::OtherVersion => "other version",
        State::Foreign => "foreign",
    }
}

fn meaning(state: State) -> String {
    match state {
        State::Current => "is what the manifest says".to_owned(),
        State::Stale => "is as it was rendered, and the manifest says something else now".to_owned(),
        State::Edited => "is not as it was rendered".to_owned(),
        State::Missing => "is not there".to_owned(),
        State::Orphaned => "is no longer rendered".to_owned(),
        State::OrphanedEdited => {
            "is no longer rendered, and was edited: remove it yourself, or keep it as your own".to_owned()
        }
        State::OtherVersion => format!("was rendered by another version than this one, {GENERATOR}"),
        State::Foreign => "is in the way, and pyfleet did not write it".to_owned(),
    }
}
