//! `check`: is what is there what the manifest says?

use super::Failure;
use super::judge::{Unjudged, report_ejected};
use crate::Streams;
use crate::exit::Exit;
use crate::lock::{self, GENERATOR};
use crate::project_file::Location;
use crate::report::{count, diff};
use crate::repository::{Repository, State};
use crate::sync::{self, File};

/// Nothing to say.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(
    _: &Args,
    location: &Location,
    mend: &str,
    streams: &mut Streams<'_>,
) -> Result<Exit, Failure> {
    let repository = Repository::open(&location.root)?;
    let Some(unjudged) = Unjudged::render(location, &repository, streams)? else {
        return Ok(Exit::CouldNotRun);
    };
    let compared = sync::compare(&repository, &unjudged.files, &unjudged.ejected)?;
    let (current, differing): (Vec<&File>, Vec<&File>) = compared
        .iter()
        .filter(|file| file.state != State::Ejected)
        .partition(|file| file.state == State::Current);
    let mut ejected_errors = 0;
    if !differing.is_empty() || unjudged.may_change() {
        let Some(judged) = unjudged.judge(location, streams)? else { return Ok(Exit::CouldNotRun) };
        ejected_errors = judged.ejected_errors;
    }
    report_ejected(ejected_errors, streams)?;
    if differing.is_empty() {
        let verb = if current.len() == 1 { "is" } else { "are" };
        writeln!(streams.out, "{} {verb} current", count(current.len(), "file"))?;
        return Ok(if ejected_errors == 0 { Exit::Clean } else { Exit::Findings });
    }
    for file in &differing {
        writeln!(streams.out, "{:<14} {}: {}", name(file.state), file.path, meaning(file))?;
    }
    for file in differing.iter().filter(|file| has_diff(file, differing.len())) {
        writeln!(streams.out)?;
        diff::write(&file.diff(), streams)?;
    }
    let is_there = |state: State| differing.iter().any(|file| file.state == state);
    let total = current.len() + differing.len();
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
    Ok(Exit::Findings)
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

fn meaning(file: &File) -> String {
    match file.state {
        State::Current => "is what the manifest says".to_owned(),
        State::Stale if file.path == lock::PATH => "is not the record of what is rendered now".to_owned(),
        State::Stale => "is as it was rendered, and would be rendered differently now".to_owned(),
        State::Edited => "is not as it was rendered".to_owned(),
        State::LineEndings => "is right but for its lines, which end in CR LF".to_owned(),
        State::Missing => "is not there".to_owned(),
        State::Orphaned => "is no longer rendered, and is removed by the next render".to_owned(),
        State::OrphanedEdited => {
            "is no longer rendered, and was edited: it stays, as your own, unless you remove it".to_owned()
        }
        State::OtherVersion => {
            let other = file.rendered_by.as_deref().unwrap_or("another version");
            format!("was rendered by pyfleet-gen {other}, and this is {GENERATOR}")
        }
        State::Foreign => "is in the way, and pyfleet did not write it".to_owned(),
        State::Ejected => "is its owner's".to_owned(),
    }
}
