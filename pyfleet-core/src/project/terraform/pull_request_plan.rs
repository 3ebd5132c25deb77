//! What pull requests are planned against, and what is left out, with the reason.

use indexmap::IndexMap;

use super::super::environment::Environment;
use super::super::{defaults, role};
use super::{Terraform, environment_stacks};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, AwsRole, Manifest, PullRequestPlan, Reference, SafetyLevel, Slug, Value};

/// A stack that pull requests do not plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPlanned {
    /// The stack.
    pub stack: Slug,
    /// The environment.
    pub environment: Slug,
    /// Why, as the end of a sentence.
    pub reason: String,
}

pub(super) fn planned_environments<'a>(
    written: &manifest::Terraform,
    level: SafetyLevel,
    environments: &'a [Environment],
    path: &Path,
    findings: &mut Diagnostics,
) -> &'a [Environment] {
    if level < SafetyLevel::READS || environments.is_empty() {
        return &[];
    }
    let choice = written.pull_request_plan;
    if choice.is_none() && environments.len() == 1 {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                "with a single environment, `pull-request-plan` has to be chosen: planning runs a pull request's code with a role that reads it",
            )
            .with_help("`none`: static checks only; `all`: plan it, with a role that can only read"),
        );
    }
    match choice.unwrap_or(defaults::PULL_REQUEST_PLAN) {
        PullRequestPlan::None => &[],
        PullRequestPlan::NonProduction => &environments[..environments.len() - 1],
        PullRequestPlan::All => {
            if let Some(last) = environments.last() {
                findings.push(
                    Diagnostic::warning(
                        "production-planned",
                        path.key("pull-request-plan"),
                        format!("pull requests run their code with a role that reads `{}`", last.name),
                    )
                    .with_help(
                        "the role must not write anything, nor read secrets that the plan does not need",
                    ),
                );
            }
            environments
        }
    }
}

pub(super) fn plan(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environment: &Environment,
    stacks: &IndexMap<Slug, manifest::Stack>,
    terraform: &mut Terraform,
    findings: &mut Diagnostics,
) {
    let mut planned = Vec::new();
    for (name, stack) in stacks.iter().filter(|(_, stack)| stack.is_in(&environment.name)) {
        match why_not(environment, stack) {
            None => planned.push((name, stack)),
            Some(reason) => terraform.not_planned.push(NotPlanned {
                stack: name.clone(),
                environment: environment.name.clone(),
                reason,
            }),
        }
    }
    let help = "say where state is kept, or `pull-request-plan: none`";
    let stacks =
        environment_stacks::resolve(manifest, written, environment, planned.into_iter(), help, findings);
    if let Some(stacks) = stacks {
        check_session(manifest, findings);
        if let Some(role) = environment.roles.get(&AwsRole::PullRequestPlan) {
            role::check_name(role, AwsRole::PullRequestPlan, &environment.name, findings);
        }
        terraform.plans.push(stacks);
    }
}

/// Credentials last as long as the job and five minutes; IAM grants an hour unless the role says more
/// ([AWS: MaxSessionDuration](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html)).
pub(super) fn check_session(manifest: &Manifest, findings: &mut Diagnostics) {
    let path = Path::of(["defaults", "timeout-minutes"]);
    let minutes = manifest.defaults.timeout_minutes.unwrap_or(defaults::TIMEOUT_MINUTES);
    if minutes <= 55 || findings.iter().any(|known| known.code == "long-session") {
        return;
    }
    findings.push(if minutes <= 115 {
        Diagnostic::warning(
            "long-session",
            path,
            "credentials for plans last longer than the hour that a role grants by default",
        )
        .with_help("raise MaxSessionDuration of the roles that plans assume, or take at most 55 minutes")
    } else {
        Diagnostic::error(
            "long-session",
            path,
            "plans may take longer than their credentials last: two hours at most",
        )
        .with_help("take at most 115 minutes, and raise MaxSessionDuration of the roles that plans assume")
    });
}

/// Why a stack is not planned on pull requests: a reason that the summary shows.
fn why_not(environment: &Environment, stack: &manifest::Stack) -> Option<String> {
    if environment.level < SafetyLevel::READS {
        return Some(format!("the environment is at safety level {}", environment.level.number()));
    }
    if !super::super::is_hosted(&environment.runner) {
        return Some("its runner is your own machine, which pull requests do not reach".to_owned());
    }
    if stack.cdktf.is_some() {
        return Some(
            "CDKTF synthesises it with the digests of images, which a pull request does not have".to_owned(),
        );
    }
    let holds_secret = |value: &Value| matches!(value, Value::Held { reference: Reference::Secret(_), .. });
    stack
        .variables
        .values()
        .any(holds_secret)
        .then(|| "its variables are secrets of the environment".to_owned())
}
