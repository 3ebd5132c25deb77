//! The contexts of jobs that read or change state by hand.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use super::golden_image::{PlannedImage, RecordedImage};
use crate::manifest::{OnDrift, Window};
use crate::project::Health;

/// Which tool, and how it is set up.
#[derive(Debug, Clone, Serialize)]
pub struct Tooling {
    /// `terraform` or `opentofu`.
    pub tool: &'static str,
    /// `terraform` or `tofu`.
    pub command: &'static str,
    /// Its exact version.
    pub version: String,
}

/// What a job becomes on AWS.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Credentials {
    /// What the role does, after "Assume the role that".
    pub does: String,
    /// The role, or the expression that yields it.
    pub role: String,
    /// The region.
    pub region: String,
    /// The account that credentials must belong to.
    pub account_id: String,
    /// How long they last.
    pub session_seconds: u32,
    /// The end of the session's name.
    pub session: &'static str,
    /// What STS expects the token to be made for, where that is not its usual name.
    pub audience: Option<&'static str>,
}

/// What GitHub holds and a plan needs: every stack's, because one job serves all of them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inputs {
    /// GitHub variables that input variables take their values from.
    pub variables: Vec<String>,
    /// Secrets that they take them from.
    pub secrets: Vec<String>,
    /// Whether a stack has two colours.
    pub colors: bool,
}

/// How a saved plan gets from the job that plans to the job that applies.
#[derive(Debug, Clone, Serialize)]
pub struct HandOff {
    /// `s3` or `encrypted-artifact`.
    pub mode: &'static str,
    /// The expression that yields the passphrase of an artifact.
    pub passphrase: Option<String>,
}

/// What a job does.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "text")]
pub enum Action {
    /// Always this.
    Always(&'static str),
    /// What the expression yields.
    Chosen(&'static str),
}

/// What the run was asked for, as expressions.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Asked {
    /// What to do.
    pub action: Action,
    /// The colour to promote to; nothing where nothing is promoted.
    pub color: Option<&'static str>,
    /// Where somebody says why; nothing where nobody is asked.
    pub reason: Option<&'static str>,
    /// Whether the clock may have asked: then state and backend are looked at as well.
    pub by_clock: bool,
}

/// Compares what was typed with what is allowed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TfGuard {
    /// What may be worked on, by environment.
    pub targets: BTreeMap<String, Json>,
    /// Whether a colour can be asked for.
    pub colors: bool,
}

/// Decides what a run works on, whoever started it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TfAutoGuard {
    /// What may be worked on, by environment.
    pub targets: BTreeMap<String, Json>,
    /// Whether a colour can be asked for.
    pub colors: bool,
}

/// Decides which planned stacks go on.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decide {
    /// The environment.
    pub environment: String,
    /// What is done.
    pub action: Action,
    /// The entries that were planned.
    pub stacks: Planned,
    /// The expression that yields what their plans are.
    pub plans: String,
    /// Whether somebody has to agree.
    pub gated: bool,
    /// Whether a push goes on only while its commit is the newest of its branch.
    pub looks_at_head: bool,
    /// Where the plans that pull requests showed are, where they have to be the same.
    pub parity: Option<Parity>,
    /// The names of stacks by layer, where layers go on one after the other.
    pub layers: Vec<Vec<String>>,
    /// A line for the summary.
    pub note: Option<String>,
}

/// The entries of a matrix that were planned.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", content = "entries", rename_all = "kebab-case")]
pub enum Planned {
    /// Those that an expression yields.
    Yielded(String),
    /// Always these.
    Always(Vec<IndexMap<String, Json>>),
}

/// Where the plans that pull requests showed are.
#[derive(Debug, Clone, Serialize)]
pub struct Parity {
    /// The workflow that shows them.
    pub workflow: String,
}

/// Plans one stack, for a person or for an apply.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TfPlan {
    /// The tool.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// The environment.
    pub environment: String,
    /// The role that reads.
    pub credentials: Credentials,
    /// What the run was asked for.
    pub asked: Asked,
    /// The expression, without its marks, that yields the commit whose configuration is planned, where that is not the
    /// workflow's own.
    pub earlier: Option<String>,
    /// Whether CDKTF synthesises one of the stacks: its sources come from another job.
    pub synthesised: bool,
    /// The images that what is synthesised has to plan, by name.
    pub images: BTreeMap<String, String>,
    /// The golden image that it is planned with.
    pub image: Option<PlannedImage>,
    /// What the plan needs.
    pub inputs: Inputs,
    /// How the plan is handed over; nothing where nothing is ever applied.
    pub hand_off: Option<HandOff>,
    /// How long it waits for the state's lock, or the expression that says so; `false` where it takes none.
    pub lock: String,
    /// What is said of the plan under the stack's name, because the job plans several: names and expressions.
    pub results: BTreeMap<String, String>,
    /// Addresses that no plan may destroy or replace.
    pub protected: Vec<String>,
    /// Whether reviewers agree to a plan that destroys.
    pub reviewed: bool,
    /// `full` or `summary`: what logs, artifacts and comments show.
    pub publish: &'static str,
    /// Days that the plan's text is kept.
    pub artifact_days: u16,
}

/// Waits for the reviewers of an environment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Approval {
    /// The environment that is worked on.
    pub environment: String,
    /// The expression that yields the stacks.
    pub what: String,
    /// The expression that yields what is done.
    pub action: &'static str,
    /// The expression behind which the plan's outputs stand, where one plan is approved.
    pub planned: Option<String>,
    /// When the environment may be changed, where that is limited.
    pub window: Option<Window>,
}

/// Lists what was applied to one stack.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppliedHistory {
    /// The role that reads.
    pub credentials: Credentials,
    /// The stack that starts machines from a golden image.
    pub image_stack: Option<String>,
}

/// Applies the saved plan of one stack.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TfApply {
    /// The tool.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// The environment.
    pub environment: String,
    /// The role that changes.
    pub credentials: Credentials,
    /// What the run was asked for.
    pub asked: Asked,
    /// The job that waited for the reviewers, where there are any.
    pub approval: Option<String>,
    /// The job that compared the commit with the newest of its branch, where one does.
    pub newest: Option<String>,
    /// The expression behind which the plan's outputs stand.
    pub planned: String,
    /// The expression, without its marks, that yields the commit whose configuration is applied, where that is not the
    /// workflow's own.
    pub earlier: Option<String>,
    /// Whether CDKTF synthesises one of the stacks: its sources come from another job.
    pub synthesised: bool,
    /// The images that what is synthesised was planned with, by name.
    pub images: BTreeMap<String, String>,
    /// What the plan needs beside its inputs, where it is made here and not taken over.
    pub direct: Option<Direct>,
    /// The golden image that it was planned with.
    pub image: Option<PlannedImage>,
    /// What planning again needs; nothing where nothing is planned again, after a destroy.
    pub inputs: Option<Inputs>,
    /// Secrets that input variables take their values from: their parts are hidden.
    pub secrets: Vec<String>,
    /// How the plan is handed over.
    pub hand_off: HandOff,
    /// How to see that the environment works.
    pub verify: Option<Verify>,
    /// How an unhealthy promotion is taken back.
    pub revert: Option<Revert>,
    /// Outputs whose values are shown and kept.
    pub publish_outputs: Vec<String>,
    /// `full` or `summary`: what logs and artifacts show.
    pub publish: &'static str,
    /// Days that the log is kept.
    pub artifact_days: u16,
}

/// A plan that is applied by the job that makes it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Direct {
    /// Addresses that no plan may destroy or replace.
    pub protected: Vec<String>,
    /// How long it waits for the state's lock.
    pub lock: &'static str,
    /// Why nobody looks at the plan, by stack.
    #[serde(skip)]
    pub reasons: BTreeMap<String, String>,
}

/// How to see that an environment works.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verify {
    /// The address to ask.
    pub url: String,
    /// The status that means healthy.
    pub expect_status: u16,
    /// How often to ask.
    pub attempts: u16,
    /// Whether the address is plain HTTP.
    pub plain_http: bool,
}

impl From<&Health> for Verify {
    fn from(health: &Health) -> Self {
        Self {
            url: health.url.clone(),
            expect_status: health.expect_status,
            attempts: health.attempts,
            plain_http: health.url.starts_with("http://"),
        }
    }
}

/// How an unhealthy promotion is taken back.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Revert {
    /// Addresses that no plan may destroy or replace.
    pub protected: Vec<String>,
}

/// Makes the state backend.
#[derive(Debug, Clone, Serialize)]
pub struct CreateBackend {
    /// The role that makes it.
    pub credentials: Credentials,
}

/// Removes the state backend.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DestroyBackend {
    /// The role that removes it.
    pub credentials: Credentials,
    /// The phrase that confirms it, or the expression that yields what was typed.
    pub confirm: String,
    /// The job that waited for the reviewers, where there are any.
    pub approval: Option<String>,
    /// States of other environments in the same bucket, by environment.
    pub other_states: BTreeMap<String, Vec<String>>,
}

/// Releases a lock that nobody holds any more.
#[derive(Debug, Clone, Serialize)]
pub struct ForceUnlock {
    /// The tool.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// The role that changes.
    pub credentials: Credentials,
    /// The files of workflows that lock state.
    pub workflows: Vec<String>,
}

/// Checks state, lock and backend of the stacks of one environment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckState {
    /// Whether CDKTF synthesises one of the stacks, which then is not planned.
    pub synthesised: bool,
    /// The tool.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// The environment.
    pub environment: String,
    /// The role that reads.
    pub credentials: Credentials,
    /// What the plan needs.
    pub inputs: Inputs,
    /// Days that the report is kept.
    pub artifact_days: u16,
}

/// Looks for drift in the stacks of one environment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DetectDrift {
    /// The tool.
    #[serde(flatten)]
    pub tooling: Tooling,
    /// The environment.
    pub environment: String,
    /// The role that reads.
    pub credentials: Credentials,
    /// Whether CDKTF synthesises the stacks: their sources come from another job.
    pub synthesised: bool,
    /// The golden image that one of them takes.
    pub image: Option<RecordedImage>,
    /// What the plan needs.
    pub inputs: Inputs,
    /// `full` or `summary`: what logs show.
    pub publish: &'static str,
    /// Days that the result is kept.
    pub artifact_days: u16,
}

/// Says what was found, and keeps the issues.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DriftReport {
    /// Every stack of every environment, with the branch whose runs look at it.
    pub expected: Vec<Json>,
    /// What drift does.
    pub on_drift: BTreeSet<OnDrift>,
    /// Whether issues are kept.
    pub issues: bool,
    /// Labels of new issues, beside the one by which they are found.
    pub labels: Vec<String>,
    /// Logins of those who are assigned to new issues.
    pub assignees: Vec<String>,
    /// The branch whose runs know every stack.
    pub default_branch: String,
}

/// Tells the channels what became of the run.
#[derive(Debug, Clone, Serialize)]
pub struct Notify {
    /// What they say beside that, as JSON in which expressions stand.
    pub fields: &'static str,
    /// The messages, one for each channel.
    pub messages: Vec<Message>,
}

/// A message to one channel.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// What the channel understands: slack, teams or json.
    pub format: &'static str,
    /// The minutes from which on the run is slow, where that is what is told.
    pub slow_after: Option<u16>,
    /// The channel's name.
    pub channel: String,
    /// What it is about.
    pub title: String,
    /// The expression that yields the webhook's address.
    pub webhook: String,
    /// When it is sent; nothing for always.
    #[serde(rename = "if")]
    pub condition: Option<&'static str>,
    /// What it says became of the run, or the expression that does.
    pub status: &'static str,
}

/// Shows a job's token, and which roles it opens.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OidcProbe {
    /// Who the token is for.
    pub audience: &'static str,
    /// What its claims have to be.
    pub expected: Json,
    /// Roles, and whether each has to let the job in.
    pub roles: Vec<Json>,
    /// Variables and secrets, each with the expression that says whether it is there.
    pub held: BTreeMap<String, String>,
    /// The region.
    pub region: String,
    /// The account that roles belong to.
    pub account_id: String,
    /// The bucket of a state that a role that reads can reach.
    pub bucket: String,
    /// The state's key.
    pub key: String,
}
