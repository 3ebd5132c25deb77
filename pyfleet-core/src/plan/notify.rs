//! Telling the channels that somebody is waited for, and what became of a run.

use super::Permission;
use super::body::{Body, Message, Notify};
use super::condition::expression;
use super::draft::{Draft, NewJob};
use crate::diagnostic::Path;
use crate::manifest::{Occasion, Slug};
use crate::project::{Channel, Project};
use crate::workflow::{Level, Scope};

const MEASURE: &[Permission] = &[Permission {
    scope: Scope::Actions,
    level: Level::Read,
    because: "read how long the jobs of this run took",
}];

/// When the channels are told what became of a run.
pub(super) struct Told {
    /// The condition of the job.
    pub(super) condition: &'static str,
    /// Why it is that one.
    pub(super) because: &'static str,
}

/// The job behind all others that tells the channels what became of the run; nothing where no channel wants to know.
pub(super) fn outcome(project: &Project, draft: &Draft<'_>, title: &str, told: Told) -> Option<NewJob> {
    let messages = outcome_messages(project, title);
    if messages.is_empty() {
        return None;
    }
    let mut model = draft.job("notify", 5);
    model.needs = draft.job_ids().filter(|id| !id.starts_with("notify-before-")).map(str::to_owned).collect();
    model.condition = Some(told.condition.to_owned());
    model.env.insert("RESULTS".to_owned(), results(&model.needs));
    Some(NewJob {
        id: "notify".to_owned(),
        model,
        permissions: if messages.iter().any(|message| message.slow_after.is_some()) { MEASURE } else { &[] },
        because: told.because,
        identity: None,
        body: Body::Notify(Notify { fields: fields(draft), messages }),
        origin: Path::of(["notify"]),
    })
}

/// What became of each job before, so that a message names those that failed.
fn results(jobs: &[String]) -> String {
    let results: Vec<String> =
        jobs.iter().map(|id| format!("  \"{id}\": ${{{{ toJSON(needs.{id}.result) }}}}")).collect();
    format!("{{\n{}\n}}\n", results.join(",\n"))
}

/// The steps that tell the channels that somebody is waited for; nothing where no channel wants to know.
pub(super) fn waiting(project: &Project, draft: &Draft<'_>, title: &str) -> Option<Body> {
    let messages = waiting_messages(project, title);
    (!messages.is_empty()).then(|| Body::Notify(Notify { fields: fields(draft), messages }))
}

/// What messages say beside their title, as JSON in which expressions stand. Runs that the clock starts have the last
/// person as actor who changed the workflow's file; the line of the schedule says more.
fn fields(draft: &Draft<'_>) -> &'static str {
    if draft.is_started_by_the_clock() {
        r#"{"repository": ${{ toJSON(github.repository) }}, "started by": ${{ toJSON(github.event.schedule || github.actor) }}}"#
    } else {
        r#"{"repository": ${{ toJSON(github.repository) }}, "started by": ${{ toJSON(github.actor) }}}"#
    }
}

/// Tells the channels that somebody is waited for.
fn waiting_messages(project: &Project, title: &str) -> Vec<Message> {
    let channels = project.channels.iter().filter(|(_, channel)| channel.on.contains(&Occasion::Waiting));
    channels.map(|(name, channel)| Message { status: "waiting", ..message(name, channel, title) }).collect()
}

/// Tells the channels what became of the run.
fn outcome_messages(project: &Project, title: &str) -> Vec<Message> {
    let channels = project.channels.iter();
    channels
        .filter_map(|(name, channel)| {
            let (failure, success) =
                (channel.on.contains(&Occasion::Failure), channel.on.contains(&Occasion::Success));
            let (condition, status) = match (failure, success) {
                (true, true) => (
                    "",
                    "${{ (contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')) && 'failure' || 'success' }}",
                ),
                (true, false) => {
                    ("contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')", "failure")
                }
                (false, true) => (
                    "!contains(needs.*.result, 'failure') && !contains(needs.*.result, 'cancelled')",
                    "success",
                ),
                (false, false) => return None,
            };
            let condition = (!condition.is_empty()).then_some(condition);
            Some(Message { condition, status, ..message(name, channel, title) })
        })
        .chain(slow_messages(project, title))
        .collect()
}

/// Tells the channels of a run that took longer than it should.
fn slow_messages(project: &Project, title: &str) -> impl Iterator<Item = Message> {
    let channels = project.channels.iter().filter(|(_, channel)| channel.on.contains(&Occasion::Slow));
    channels.map(move |(name, channel)| Message {
        status: "slow",
        slow_after: project.targets.pipeline_minutes,
        ..message(name, channel, title)
    })
}

fn message(name: &Slug, channel: &Channel, title: &str) -> Message {
    Message {
        channel: name.to_string(),
        title: title.to_owned(),
        webhook: expression(&format!("secrets.{}", channel.webhook)),
        condition: None,
        status: "success",
        format: channel.format.name(),
        slow_after: None,
    }
}
