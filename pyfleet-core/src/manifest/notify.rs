//! Who is told what becomes of a run.

use super::value::Secret;

/// A channel that is told what becomes of a run: `slack`, `teams` or `webhook`.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Channel {
    /// A Slack channel.
    pub slack: Option<Slack>,
    /// A channel of Microsoft Teams.
    pub teams: Option<Teams>,
    /// Anything else that takes JSON.
    pub webhook: Option<Webhook>,
    /// What it is told. Default: `failure` and `waiting`.
    pub on: Option<Vec<Occasion>>,
}

/// A Slack channel, by its incoming webhook.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The webhook's address.
    pub webhook: Secret,
}

/// A channel of Microsoft Teams, by the webhook of a workflow that posts what it is sent
/// ([Microsoft: incoming webhooks with Workflows](https://support.microsoft.com/en-us/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498)).
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Teams {
    /// The webhook's address.
    pub webhook: Secret,
}

/// An address that takes JSON: `status`, `title`, `run` and `fields`.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address.
    pub url: Secret,
}

/// What a channel is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// A run that changes something has failed.
    Failure,
    /// It has succeeded.
    Success,
    /// It waits for approval.
    Waiting,
    /// Its jobs took longer than `targets.pipeline-minutes`; waiting for people does not count.
    Slow,
}
