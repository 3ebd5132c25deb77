//! What a job needs to become something on AWS.

use super::Identity;
use super::Permission;
use super::body::Credentials;
use super::condition::expression;
use crate::manifest::{AwsRole, Slug};
use crate::project::{
    EcsTarget, EksTarget, Environment, EnvironmentStacks, Project, Role, Target, partition,
};
use crate::workflow::{Level, Scope};

/// Proves to AWS what runs here.
pub(super) const IDENTITY: Permission = Permission {
    scope: Scope::IdToken,
    level: Level::Write,
    because: "prove to AWS which repository, file and environment this is",
};

/// How long credentials last: as long as the job may take and five minutes more; IAM grants two hours at most to the
/// roles of the guide, fifteen minutes at least
/// ([AWS: AssumeRoleWithWebIdentity](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html)).
pub(crate) fn session_seconds(timeout_minutes: u16) -> u32 {
    (u32::from(timeout_minutes) * 60 + 300).clamp(900, 7200)
}

/// An environment's account and region.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    environment: &'a Slug,
    pub(super) account_id: &'a str,
    pub(super) region: &'a str,
}

impl<'a> Place<'a> {
    /// Of an environment that has both.
    pub(super) fn of(environment: &'a Environment) -> Option<Self> {
        Some(Self {
            environment: &environment.name,
            account_id: environment.account_id.as_ref()?.as_str(),
            region: environment.region.as_deref()?,
        })
    }
}

impl<'a> From<&'a EnvironmentStacks> for Place<'a> {
    fn from(target: &'a EnvironmentStacks) -> Self {
        Self { environment: &target.environment, account_id: &target.account_id, region: &target.region }
    }
}

impl<'a> From<&'a EcsTarget> for Place<'a> {
    fn from(target: &'a EcsTarget) -> Self {
        Self { environment: &target.environment, account_id: &target.account_id, region: &target.region }
    }
}

impl<'a> From<&'a EksTarget> for Place<'a> {
    fn from(target: &'a EksTarget) -> Self {
        Self { environment: &target.environment, account_id: &target.account_id, region: &target.region }
    }
}

impl<'a> From<&'a Target> for Place<'a> {
    fn from(target: &'a Target) -> Self {
        Self { environment: target.environment(), account_id: target.account_id(), region: target.region() }
    }
}

/// Credentials of an environment's role.
pub(super) fn credentials<'a>(
    project: &Project,
    place: impl Into<Place<'a>>,
    purpose: AwsRole,
    timeout_minutes: u16,
) -> Credentials {
    let place = place.into();
    let does = match purpose {
        AwsRole::Plan | AwsRole::PullRequestPlan => "reads",
        AwsRole::Apply => "changes",
        AwsRole::Deploy => "deploys to",
        AwsRole::BackendCreate => "makes the state backend of",
        AwsRole::BackendDestroy => "removes the state backend of",
    };
    Credentials {
        does: format!("{does} {}", place.environment),
        role: role(project, place.environment, purpose),
        region: place.region.to_owned(),
        account_id: place.account_id.to_owned(),
        session_seconds: session_seconds(timeout_minutes),
        session: purpose.name(),
        audience: (partition(place.region) == "aws-cn").then_some("sts.amazonaws.com.cn"),
    }
}

/// The identity of a job that assumes an environment's role.
pub(super) fn identity<'a>(place: impl Into<Place<'a>>, purpose: AwsRole) -> Identity {
    Identity { environment: place.into().environment.clone(), purpose }
}

/// The role of an environment for a purpose: its ARN, or the expression that yields it.
pub(super) fn role(project: &Project, environment: &Slug, purpose: AwsRole) -> String {
    match project.role(environment, purpose) {
        Some(Role::Arn(arn)) => arn.clone(),
        Some(Role::Variable(variable)) => expression(&format!("vars.{variable}")),
        // An environment without an account has no targets.
        None => String::new(),
    }
}
