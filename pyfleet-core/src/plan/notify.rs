//! Telling the channels that somebody is waited for, and what became of a run.

use super::body::{Body, Message, Notify};
use super::condition::expression;
use super::draft::{Draft, NewJob};
use crate::diagnostic::Path;
use crate::manifest::Occasion;
use crate::project::{Channel, Project};

/// When the channels are told what became of a run.
pub(super) struct Told {
    /// The condition of the job.
    pub(super) condition: &'static str,
    /// Why it is that one.
    pub(super) because: &'static str,
}

/// The job behind all others that tells the channels what became of the run; nothing where no channel wants to know.
pub(super) fn outcome(project: &Project, draft: &Draft<'_>, title: &str, told: Told) -> Option<NewJob> {
    let messages = project.channels.iter().filter_map(|(name, channel)| {
        let (failure, success) =
            (channel.on.contains(&Occasion::Failure), channel.on.contains(&Occasion::Success));
        let (condition, status) = match (failure, success) {
            (true, true) => (
                None,
                "${{ (contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')) && 'failure' || 'success' }}",
            ),
            (true, false) => (
                Some("contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')"),
                "failure",
            ),
            (false, true) => (
                Some("!contains(needs.*.result, 'failure') && !contains(needs.*.result, 'cancelled')"),
                "success",
            ),
            (false, false) => return None,
        };
        Some(Message { channel: name.to_string(), webhook: webhook(channel), condition, status })
    });
    let body = body(draft, title, messages.collect())?;
    let mut model = draft.job("notify", 5);
    model.needs = draft.job_ids().filter(|id| !id.starts_with("notify-before-")).map(str::to_owned).collect();
    model.condition = Some(told.condition.to_owned());
    Some(NewJob {
        id: "notify".to_owned(),
        model,
        permissions: &[],
        because: told.because,
        identity: None,
        body,
        origin: Path::of(["notify"]),
    })
}

/// The steps that tell the channels that somebody is waited for; nothing where no channel wants to know.
pub(super) fn waiting(project: &Project, draft: &Draft<'_>, title: &str) -> Option<Body> {
    let channels = project.channels.iter().filter(|(_, channel)| channel.on.contains(&Occasion::Waiting));
    let messages = channels.map(|(name, channel)| Message {
        channel: name.to_string(),
        webhook: webhook(channel),
        condition: None,
        status: "waiting",
    });
    body(draft, title, messages.collect())
}

fn body(draft: &Draft<'_>, title: &str, messages: Vec<Message>) -> Option<Body> {
    // Runs that the clock starts have the last person as actor who changed the workflow's file.
    let fields = if draft.is_started_by_the_clock() {
        r#"{"repository": ${{ toJSON(github.repository) }}, "started by": ${{ toJSON(github.event_name == 'schedule' && 'the clock' || github.actor) }}}"#
    } else {
        r#"{"repository": ${{ toJSON(github.repository) }}, "started by": ${{ toJSON(github.actor) }}}"#
    };
    (!messages.is_empty()).then(|| Body::Notify(Notify { title: title.to_owned(), fields, messages }))
}

fn webhook(channel: &Channel) -> String {
    expression(&format!("secrets.{}", channel.webhook))
}
