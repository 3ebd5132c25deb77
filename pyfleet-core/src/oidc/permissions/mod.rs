//! What a role may do: what its jobs' scripts ask of AWS, and no more.

mod apply;
mod backend;
mod read;
mod state;

use super::identity::Identity;
use super::policy::{Policy, Statement, everything};
use crate::manifest::AwsRole;
use crate::project::Project;

/// The role's own policy. For reading what stacks describe there is [`managed`] as well.
#[must_use]
pub fn permissions(project: &Project, identity: &Identity) -> Policy {
    Policy::of(match identity.purpose {
        AwsRole::PullRequestPlan => read::pull_request_plan(identity),
        AwsRole::Plan => read::plan(identity),
        AwsRole::Apply => apply::apply(project, identity),
        AwsRole::BackendCreate => backend::create(identity),
        AwsRole::BackendDestroy => backend::destroy(identity),
        // No kind of workflow that is built deploys: nothing is planned with it.
        AwsRole::Deploy => vec![Statement::deny("NothingIsBuiltYet", &["*"], everything())],
    })
}

/// AWS's own policies that the role has beside its own: plans refresh every resource that a stack describes
/// ([AWS: ReadOnlyAccess](https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ReadOnlyAccess.html)).
#[must_use]
pub fn managed(identity: &Identity) -> Vec<String> {
    match identity.purpose {
        AwsRole::Plan | AwsRole::PullRequestPlan => {
            vec![format!("arn:{}:iam::aws:policy/ReadOnlyAccess", identity.partition)]
        }
        AwsRole::Apply | AwsRole::Deploy | AwsRole::BackendCreate | AwsRole::BackendDestroy => Vec::new(),
    }
}

/// What roles that an apply makes can do at most; nothing where it makes none.
#[must_use]
pub fn boundary(project: &Project, identity: &Identity) -> Option<Policy> {
    let makes_roles = identity.purpose == AwsRole::Apply && apply::makes_roles(project);
    makes_roles.then(|| Policy::of(apply::boundary(project)))
}

/// The ARN of [`boundary`].
#[must_use]
pub fn boundary_arn(project: &Project, identity: &Identity) -> String {
    format!(
        "arn:{}:iam::{}:policy/pyfleet-{}-{}-boundary",
        identity.partition, identity.account_id, project.name, identity.environment
    )
}
