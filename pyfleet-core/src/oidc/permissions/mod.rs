//! What a role may do: what its jobs' scripts ask of AWS, and no more.

mod apply;
mod backend;
mod deploy;
mod read;
mod state;

use super::ClusterAccess;
use super::identity::{Identity, State};
use super::policy::{Policy, Statement};
use crate::manifest::AwsRole;
use crate::project::Project;

/// The role's own policy. For reading what stacks describe there is [`managed`] as well.
#[must_use]
pub fn permissions(project: &Project, identity: &Identity) -> Policy {
    let of_state = |statements: &dyn Fn(&State) -> Vec<Statement>| {
        identity.state.as_ref().map(statements).unwrap_or_default()
    };
    Policy::of(match identity.purpose {
        AwsRole::PullRequestPlan => of_state(&|state| read::pull_request_plan(identity, state)),
        AwsRole::Plan => {
            let mut statements = deploy::look(project, identity);
            statements.extend(of_state(&|state| read::plan(identity, state)));
            statements
        }
        AwsRole::Apply => of_state(&|state| apply::apply(project, identity, state)),
        AwsRole::BackendCreate => of_state(&|state| backend::create(identity, state)),
        AwsRole::BackendDestroy => of_state(&|state| backend::destroy(identity, state)),
        AwsRole::Deploy => deploy::deploy(project, identity),
    })
}

/// AWS's own policies that the role has beside its own: plans refresh every resource that a stack describes
/// ([AWS: ReadOnlyAccess](https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ReadOnlyAccess.html)).
#[must_use]
pub fn managed(identity: &Identity) -> Vec<String> {
    match identity.purpose {
        AwsRole::Plan | AwsRole::PullRequestPlan if identity.state.is_some() => {
            vec![format!("arn:{}:iam::aws:policy/ReadOnlyAccess", identity.partition)]
        }
        // What is looked at for a deployment, its own policy names.
        AwsRole::Plan
        | AwsRole::PullRequestPlan
        | AwsRole::Apply
        | AwsRole::Deploy
        | AwsRole::BackendCreate
        | AwsRole::BackendDestroy => Vec::new(),
    }
}

/// What the role may do on clusters of EKS: there no policy of IAM says it.
#[must_use]
pub fn clusters(project: &Project, identity: &Identity) -> Vec<ClusterAccess> {
    match identity.purpose {
        AwsRole::Deploy => deploy::clusters(project, identity, "AmazonEKSEditPolicy"),
        AwsRole::Plan => deploy::clusters(project, identity, "AmazonEKSViewPolicy"),
        AwsRole::PullRequestPlan | AwsRole::Apply | AwsRole::BackendCreate | AwsRole::BackendDestroy => {
            Vec::new()
        }
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
