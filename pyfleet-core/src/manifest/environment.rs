//! Where the project runs.

use super::SafetyLevel;
use super::aws::EnvironmentAws;
use super::github::BranchName;
use super::one_or_many::OneOrMany;
use super::window::Window;

/// One environment: a place that the project runs in.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Environment {
    /// The only branch that may act on it. Default: the default branch.
    pub branch: Option<BranchName>,
    /// Who has to agree before a job changes it. Default: `reviewers`.
    pub approval: Option<Approval>,
    /// When it may be changed, once somebody has agreed. Default: at any time.
    pub window: Option<Window>,
    /// How far automation may go here; never above the project's.
    pub safety_level: Option<SafetyLevel>,
    /// The address shown on deployments.
    pub url: Option<String>,
    /// How to see that it works. Default: `url`.
    pub health: Option<Health>,
    /// The runner's label or labels for jobs of this environment.
    pub runner: Option<OneOrMany<String>>,
    /// Its AWS account, region and roles.
    pub aws: Option<EnvironmentAws>,
}

/// Who has to agree before a job changes an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// The reviewers of the approval environment.
    Reviewers,
    /// Another person than the one who planned.
    SecondPerson,
    /// Nobody.
    None,
}

/// How to see that an environment works.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Health {
    /// The address to ask.
    pub url: String,
    /// The HTTP status that means healthy. Default: 200.
    pub expect_status: Option<u16>,
    /// How often to ask before giving up. Default: 10.
    pub attempts: Option<u16>,
}
