//! What two manifests or sets of workflows mean differently, for people and for programs.
//!
//! `schemas/difference.schema.json` is written from these types.

use std::io;

use pyfleet_core::difference::{self, Subject};
use serde::Serialize;

use super::{count, inert, single_line};
use crate::Streams;
use crate::exit::Exit;

/// As many jobs as are named in a line.
const NAMED: usize = 3;

/// What `pyfleet-gen diff --format json` prints.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Difference"))]
struct Written {
    /// Everything that is another, what gives more power first.
    changes: Vec<Change>,
    /// What came of it.
    summary: Summary,
}

/// Something that is another.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Change {
    /// What that does to power.
    effect: Effect,
    /// What kind of thing it is about.
    subject: Kind,
    /// Which one; nothing for the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// The jobs, where it is about jobs of a workflow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    jobs: Vec<String>,
    /// In which respect: `trigger`, `permission`, `secret`.
    aspect: &'static str,
    /// Which trigger, scope or secret; empty where there is one of them only.
    name: String,
    /// What it was; nothing where it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// What it is; nothing where it is no longer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// The same in words.
    message: String,
}

/// What a change does to power.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Effect {
    /// More can be done, or less stands before it.
    GivesMore,
    /// Less can be done, or more stands before it.
    TakesAway,
    /// It is another, and not said to be more or less.
    Other,
}

/// What a change is about.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// Everything.
    Project,
    /// An environment of GitHub's.
    Environment,
    /// A workflow, by its file.
    Workflow,
    /// A role on AWS, as `ENVIRONMENT/PURPOSE`.
    Role,
}

/// What came of a run.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Summary {
    /// 0: nothing gives more power; 1: something does.
    #[cfg_attr(test, schemars(range(max = 1)))]
    exit_code: u8,
    /// How many changes give more power.
    gives_more: usize,
    /// How many take power away.
    takes_away: usize,
    /// How many are neither.
    other: usize,
}

/// Prints the differences by what they do to power.
pub(crate) fn write_human(changes: &[difference::Change], streams: &mut Streams<'_>) -> io::Result<()> {
    if changes.is_empty() {
        return writeln!(streams.out, "both mean the same; scripts are not compared");
    }
    for (effect, heading, colour) in [
        (difference::Effect::GivesMore, "gives more power", "\x1b[31m"),
        (difference::Effect::TakesAway, "takes power away", "\x1b[32m"),
        (difference::Effect::Other, "other", ""),
    ] {
        let of_it: Vec<_> = changes.iter().filter(|change| change.effect == effect).collect();
        if of_it.is_empty() {
            continue;
        }
        let (start, end) = if streams.colour && !colour.is_empty() { (colour, "\x1b[0m") } else { ("", "") };
        writeln!(streams.out, "{start}{heading}{end}")?;
        let mut subject = None;
        for change in of_it {
            if subject != Some(&change.subject) {
                writeln!(streams.out, "  {}", inert(&single_line(&change.subject.to_string())))?;
                subject = Some(&change.subject);
            }
            let message = format!("{}{}", change.message(), jobs(&change.jobs));
            writeln!(streams.out, "    {}", inert(&single_line(&message)))?;
        }
    }
    let summary = summary(changes, Exit::Clean);
    writeln!(
        streams.out,
        "{} more power, {} less, {} neither; scripts are not compared",
        count_of(summary.gives_more, "gives", "give"),
        count_of(summary.takes_away, "gives", "give"),
        count_of(summary.other, "does", "do"),
    )
}

fn count_of(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number, "change"), if number == 1 { one } else { many })
}

/// The first jobs by name, and how many more.
fn jobs(jobs: &[String]) -> String {
    match jobs {
        [] => String::new(),
        jobs if jobs.len() <= NAMED => format!(" ({})", jobs.join(", ")),
        jobs => {
            let named: Vec<&str> = jobs.iter().take(NAMED).map(String::as_str).collect();
            format!(" ({} and {} more)", named.join(", "), jobs.len() - NAMED)
        }
    }
}

/// Prints the object. It holds nothing that looks like a secret, and no line of it is a command to GitHub's runner.
pub(crate) fn write_json(
    changes: &[difference::Change],
    exit: Exit,
    streams: &mut Streams<'_>,
) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&written(changes, exit)).map_err(io::Error::from)?;
    writeln!(streams.out, "{}", text.replace("##[", "#\\u0023["))
}

fn written(changes: &[difference::Change], exit: Exit) -> Written {
    let change = |change: &difference::Change| {
        let (subject, of) = match &change.subject {
            Subject::Project => (Kind::Project, None),
            Subject::Environment(name) => (Kind::Environment, Some(name)),
            Subject::Workflow(file) => (Kind::Workflow, Some(file)),
            Subject::Role(name) => (Kind::Role, Some(name)),
        };
        Change {
            effect: match change.effect {
                difference::Effect::GivesMore => Effect::GivesMore,
                difference::Effect::TakesAway => Effect::TakesAway,
                difference::Effect::Other => Effect::Other,
            },
            subject,
            of: of.map(|text| single_line(text).into_owned()),
            jobs: change.jobs.iter().map(|job| single_line(job).into_owned()).collect(),
            aspect: change.aspect.name(),
            name: single_line(&change.name).into_owned(),
            before: change.before.as_deref().map(|text| single_line(text).into_owned()),
            after: change.after.as_deref().map(|text| single_line(text).into_owned()),
            message: single_line(&change.message()).into_owned(),
        }
    };
    Written { changes: changes.iter().map(change).collect(), summary: summary(changes, exit) }
}

fn summary(changes: &[difference::Change], exit: Exit) -> Summary {
    let count = |effect| changes.iter().filter(|change| change.effect == effect).count();
    Summary {
        exit_code: exit.code(),
        gives_more: count(difference::Effect::GivesMore),
        takes_away: count(difference::Effect::TakesAway),
        other: count(difference::Effect::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::Written;

    #[test]
    fn the_schema_is_written_from_the_types() {
        super::super::schema::is_written_from::<Written>("difference");
    }
}
