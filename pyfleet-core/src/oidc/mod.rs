//! Which AWS roles the plan's jobs assume, what each trusts and may do, and what GitHub has to know for it.
//!
//! Jobs and policies come from one plan, so that they cannot disagree: a role trusts the tokens of the very jobs that
//! name it, and may do what these jobs' scripts ask for.

pub mod existing;
pub mod github;
pub mod identity;
pub mod permissions;
pub mod policy;
pub mod trust;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::github::{GitHubEnvironment, Names};
pub use self::identity::{Identity, identities};
pub use self::policy::Policy;

use crate::manifest::{AwsRole, Kind, SubjectFormat};
use crate::plan::Plan;
use crate::project::{Project, Role};

/// What has to be set up on both sides before the workflows run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Setup {
    /// Owner and name of the repository.
    pub repository: String,
    /// Whether tokens hold the ids of owner and repository.
    pub subject_format: &'static str,
    /// Its owner.
    pub owner: String,
    /// Its name, without the owner.
    pub name: String,
    /// What protects the branches that roles trust.
    pub ruleset: github::Ruleset,
    /// The accounts that have to know GitHub's OIDC provider.
    pub accounts: Vec<Account>,
    /// The roles.
    pub roles: Vec<RoleSetup>,
    /// GitHub's environments.
    pub environments: Vec<GitHubEnvironment>,
    /// What jobs outside of every environment read.
    pub outside: Names,
    /// The workflow that tells whether it all works, where there is one.
    pub test_workflow: Option<String>,
}

/// An AWS account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Account {
    /// Its number.
    pub id: String,
    /// What tokens for it have to be made for.
    pub audience: &'static str,
    /// The ARN of GitHub's provider in it.
    pub provider: String,
}

/// A role, and all that AWS has to know of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RoleSetup {
    /// The environment.
    pub environment: String,
    /// What the role is for.
    pub purpose: &'static str,
    /// Why it exists.
    pub because: &'static str,
    /// Its ARN, where the manifest does not leave it to a variable.
    pub arn: Option<String>,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// The GitHub variable that holds its ARN.
    pub variable: Option<String>,
    /// Whether the manifest names it: then it exists already.
    pub existing: bool,
    /// The account.
    pub account_id: String,
    /// The subjects that it trusts.
    pub subjects: Vec<String>,
    /// The workflow files that it trusts; any, where a pull request brings its own.
    pub workflows: Vec<String>,
    /// The longest session that it grants.
    pub max_session_seconds: u32,
    /// Policies of AWS that are attached to it.
    pub managed_policies: Vec<String>,
    /// The clusters that have to let it in.
    pub clusters: Vec<ClusterAccess>,
    /// What roles that it makes can do at most.
    pub boundary: Option<Boundary>,
    /// Who may assume it.
    pub trust: Policy,
    /// What it may do.
    pub permissions: Policy,
    /// What IAM would refuse about it, because there is too much of it.
    pub too_large: Vec<&'static str>,
}

/// What a role may do on a cluster of EKS, which the cluster itself has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterAccess {
    /// The cluster's name.
    pub cluster: String,
    /// Its region.
    pub region: String,
    /// The ARN of the access policy.
    pub policy: String,
    /// The namespaces that it holds for, and nothing outside of them.
    pub namespaces: Vec<String>,
}

/// A permissions boundary.
#[derive(Debug, Clone, Serialize)]
pub struct Boundary {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The path of the roles that have it.
    pub path: String,
    /// Its document.
    pub policy: Policy,
}

/// Everything that the plan needs on both sides. There are no roles where no job becomes anything on AWS.
#[must_use]
pub fn setup(project: &Project, plan: &Plan) -> Setup {
    let identities = identities(project, plan);
    let (environments, outside) = github::environments(project, plan);
    let accounts: BTreeSet<Account> = identities.iter().map(account).collect();
    let test = plan.workflows.iter().find(|workflow| workflow.kind == Kind::TestOidc);
    let branches = environments.iter().map(|environment| environment.branch.clone());
    Setup {
        repository: project.repository.to_string(),
        owner: project.repository.as_str().split('/').next().unwrap_or_default().to_owned(),
        name: last(project.repository.as_str()),
        ruleset: github::ruleset(plan, branches.chain([project.default_branch.clone()]).collect()),
        subject_format: match project.subject_format {
            SubjectFormat::Legacy => "legacy",
            SubjectFormat::Immutable => "immutable",
            SubjectFormat::Both => "both",
        },
        accounts: accounts.into_iter().collect(),
        roles: identities.iter().map(|identity| role(project, identity)).collect(),
        environments,
        outside,
        test_workflow: test.and_then(|workflow| workflow.file.rsplit('/').next().map(str::to_owned)),
    }
}

fn account(identity: &Identity) -> Account {
    Account {
        id: identity.account_id.clone(),
        audience: trust::audience(identity.partition),
        provider: format!(
            "arn:{}:iam::{}:oidc-provider/{}",
            identity.partition,
            identity.account_id,
            trust::PROVIDER
        ),
    }
}

fn role(project: &Project, identity: &Identity) -> RoleSetup {
    let (arn, variable) = match &identity.role {
        Role::Arn(arn) => (Some(arn.clone()), None),
        Role::Variable(variable) => (None, Some(variable.to_string())),
    };
    let trust = trust::trust(project, identity);
    let permissions = permissions::permissions(project, identity);
    let boundary = permissions::boundary(project, identity).map(|policy| {
        let arn = permissions::boundary_arn(project, identity);
        Boundary { name: last(&arn), arn, path: format!("/{}/", project.name), policy }
    });
    RoleSetup {
        environment: identity.environment.to_string(),
        purpose: identity.purpose.name(),
        because: because(identity),
        name: arn.as_deref().map(last),
        arn,
        variable,
        existing: identity.is_existing,
        account_id: identity.account_id.clone(),
        subjects: identity.subjects.clone(),
        workflows: identity.workflows.clone(),
        // An hour is what a role grants unless it says more.
        max_session_seconds: if identity.session_seconds > 3600 { 7200 } else { 3600 },
        managed_policies: permissions::managed(identity),
        clusters: permissions::clusters(project, identity),
        too_large: too_large(&trust, &permissions, boundary.as_ref()),
        boundary,
        trust,
        permissions,
    }
}

fn last(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

fn because(identity: &Identity) -> &'static str {
    match identity.purpose {
        AwsRole::Plan if identity.state.is_none() => {
            "sees which images and revisions there are, for deployments and their way back. It writes nothing at all"
        }
        AwsRole::Plan if identity.work.hands_over => {
            "reads the environment: plans, and checks of state. It writes locks and saved plans, no state"
        }
        AwsRole::Plan if identity.work.locks => {
            "reads the environment: plans, and checks of state. It writes locks, no state"
        }
        AwsRole::Plan if identity.work.checks_state => {
            "reads the environment: plans, and checks of state. It writes one object of its own, no lock and no state"
        }
        AwsRole::Plan => "reads the environment, for plans. It writes nothing at all",
        AwsRole::PullRequestPlan => {
            "reads for plans of pull requests, whose code runs with it. It writes nothing at all"
        }
        AwsRole::Apply => {
            "applies, promotes, destroys and unlocks: it writes state, and whatever the stacks describe"
        }
        AwsRole::Deploy if identity.work.pushes.is_empty() && identity.work.deploys.is_empty() => {
            "puts services back to earlier revisions"
        }
        AwsRole::Deploy if identity.work.pushes.is_empty() => "deploys services and takes deployments back",
        AwsRole::Deploy => "pushes images, deploys services and takes deployments back",
        AwsRole::BackendCreate => {
            "makes the bucket and the lock table. It deletes neither, and touches no state"
        }
        AwsRole::BackendDestroy => "removes the bucket and the lock table, once no state tracks anything",
    }
}

/// Quotas of IAM: a trust policy has 2,048 characters unless AWS is asked for more, a role's own policies 10,240 and a
/// managed policy 6,144 ([AWS: IAM quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
fn too_large(trust: &Policy, permissions: &Policy, boundary: Option<&Boundary>) -> Vec<&'static str> {
    let mut refused = Vec::new();
    if trust.characters() > 2048 {
        refused
            .push("its trust policy has more than 2,048 characters: ask AWS to raise the quota, up to 4,096");
    }
    if permissions.characters() > 10_240 {
        refused
            .push("its own policy has more than 10,240 characters: divide the stacks between repositories");
    }
    if boundary.is_some_and(|boundary| boundary.policy.characters() > 6144) {
        refused.push("its boundary has more than 6,144 characters: name fewer services");
    }
    refused
}

#[cfg(test)]
mod tests;
