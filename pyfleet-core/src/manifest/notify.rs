//! Who is told what becomes of a run.

use super::value::Secret;

/// A channel that is told what becomes of a run.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Channel {
    /// A Slack channel.
    pub slack: Slack,
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
}
