//! What claims rest on, and no file says.

use std::collections::BTreeSet;

use super::access::Reached;
use crate::manifest::AwsRole;
use crate::oidc::github::environments;
use crate::oidc::identities;
use crate::plan::Plan;
use crate::project::{Environment, Project};
use crate::spelling::listed;

/// What the claims on one environment rest on.
pub(super) struct Conditions {
    /// Every claim on jobs.
    pub(super) of_files: Vec<String>,
    /// Every claim, where there are roles.
    pub(super) trust: Option<String>,
    /// That reviewers have agreed.
    pub(super) reviewers: String,
    /// That nobody else gets in, where pull requests are planned.
    pub(super) pull_requests: Option<String>,
}

impl Conditions {
    pub(super) fn of(project: &Project, plan: &Plan, environment: &Environment, reached: &Reached) -> Self {
        let name = environment.name.as_str();
        let (github, _) = environments(project, plan);
        let names = [
            environment.name.to_string(),
            environment.approval_name(),
            environment.backend_name(),
            environment.plan_name(),
        ];
        let there: Vec<String> = names
            .iter()
            .filter(|own| *own == name || github.iter().any(|there| there.name == **own))
            .map(|own| format!("`{own}`"))
            .collect();
        let branch = &environment.branch;
        let mut of_files = vec![
            format!("GitHub lets runs of `{branch}` alone into {}", listed(&there)),
            format!("the files of `{branch}` are these, and change by reviewed pull requests alone: `oidc` prints the ruleset"),
            "nothing else opens an environment or starts a workflow: no secret of the repository or its organization, no \
             token, no runner, no other repository"
                .to_owned(),
        ];
        if reached.has_default_token {
            of_files.push(
                "where a job says nothing of its token, that only reads: a setting of the repository"
                    .to_owned(),
            );
        }
        // The others are findings.
        let called: BTreeSet<String> = reached.calls.iter().map(|call| call.uses.to_string()).collect();
        of_files.extend(called.iter().map(|called| {
            format!("`{called}`, which is called, has no job in an environment of {}", project.repository)
        }));
        let roles = identities(project, plan);
        let is_there = |wanted: fn(AwsRole) -> bool| {
            roles.iter().any(|role| role.environment.as_str() == name && wanted(role.purpose))
        };
        Self {
            of_files,
            trust: is_there(|_| true)
                .then(|| format!("the roles of `{name}` trust whom `oidc` says, may do what it says, and no more")),
            reviewers: format!(
                "`{}` has reviewers, none of them agrees to a run of their own, and no administrator passes by",
                environment.approval_name()
            ),
            pull_requests: is_there(|purpose| purpose == AwsRole::PullRequestPlan).then(|| {
                format!(
                    "whoever may push a branch may become `pull-request-plan` of `{name}`, and read what that reads: a pull \
                     request brings its own files"
                )
            }),
        }
    }
}
