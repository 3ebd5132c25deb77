//! AWS accounts, regions and roles.

use indexmap::IndexMap;

use super::name::checked_string;
use super::value::Value;

/// AWS facts that hold for every environment.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Aws {
    /// The account's twelve digits, in quotes.
    pub account_id: Option<AccountId>,
    /// The region: `eu-central-1`.
    pub region: Option<Region>,
    /// How jobs get credentials. Default: `oidc`.
    pub auth: Option<Auth>,
    /// The services that the apply role may touch, by their IAM prefix.
    #[serde(default)]
    pub services: Vec<ServicePrefix>,
}

/// AWS facts of one environment.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EnvironmentAws {
    /// The account's twelve digits, in quotes.
    pub account_id: Option<AccountId>,
    /// The region: `eu-central-1`.
    pub region: Option<Region>,
    /// Existing roles: an ARN, or `{ variable: NAME }`. Default: `pyfleet-PROJECT-ENVIRONMENT-PURPOSE`.
    #[serde(default)]
    pub roles: AwsRoles,
}

/// Existing roles by purpose.
pub type AwsRoles = IndexMap<AwsRole, Value>;

/// What a role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AwsRole {
    /// Reading, from the environment's branch.
    Plan,
    /// Reading, from pull requests of this repository.
    PullRequestPlan,
    /// Changing infrastructure.
    Apply,
    /// Pushing images and deploying services.
    Deploy,
    /// Making the state backend.
    BackendCreate,
    /// Removing the state backend.
    BackendDestroy,
}

impl AwsRole {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::Plan,
        Self::PullRequestPlan,
        Self::Apply,
        Self::Deploy,
        Self::BackendCreate,
        Self::BackendDestroy,
    ];

    /// Its name in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::PullRequestPlan => "pull-request-plan",
            Self::Apply => "apply",
            Self::Deploy => "deploy",
            Self::BackendCreate => "backend-create",
            Self::BackendDestroy => "backend-destroy",
        }
    }

    /// Whether it changes anything.
    #[must_use]
    pub const fn changes(self) -> bool {
        match self {
            Self::Plan | Self::PullRequestPlan => false,
            Self::Apply | Self::Deploy | Self::BackendCreate | Self::BackendDestroy => true,
        }
    }
}

/// How jobs get AWS credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// Short-lived credentials by OpenID Connect; no key is stored.
    Oidc,
}

checked_string! {
    /// An AWS account: twelve digits.
    AccountId, pattern: "^[0-9]{12}$", max: 12,
    check: |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()),
    says: "an AWS account is twelve digits in quotes"
}

checked_string! {
    /// An AWS region: `eu-central-1`.
    Region, pattern: "^[a-z]{2}(-[a-z]+)+-[0-9]$", max: 30,
    check: |text| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() >= 3
            && parts.first().is_some_and(|first| first.len() == 2)
            && parts.last().is_some_and(|last| last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_digit()))
            && parts[..parts.len() - 1].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
    },
    says: "an AWS region looks like `eu-central-1`"
}

checked_string! {
    /// The prefix of a service's actions in IAM policies: `ec2`, `elasticloadbalancing`.
    ServicePrefix, pattern: "^[a-z0-9-]+$", max: 40,
    check: |text| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
    says: "an AWS service is named by the prefix of its IAM actions, as in `ec2`"
}
