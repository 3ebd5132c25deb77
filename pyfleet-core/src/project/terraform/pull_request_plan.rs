//! What pull requests are planned against, and what is left out, with the reason.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::super::defaults;
use super::super::environment::Environment;
use super::super::role::Role;
use super::Terraform;
use super::backend::settings;
use super::variable::{VariableValue, var_files, variables};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, AwsRole, Manifest, PullRequestPlan, Reference, SafetyLevel, Slug, Value};

/// The pull-request plan of one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentPlan {
    /// The environment.
    pub environment: Slug,
    /// The runner.
    pub runner: Vec<String>,
    /// The account that credentials must belong to.
    pub account_id: String,
    /// The region.
    pub region: String,
    /// The role that pull requests assume.
    pub role: Role,
    /// The stacks that are planned; at least one.
    pub stacks: Vec<StackPlan>,
}

/// The plan of one stack in one environment: what the job needs to know, and no more.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackPlan {
    /// The stack.
    pub stack: String,
    /// Its directory.
    pub directory: String,
    /// Settings of the S3 backend.
    pub backend: BTreeMap<&'static str, String>,
    /// Values of input variables.
    pub variables: BTreeMap<String, VariableValue>,
    /// Variable files, relative to the directory.
    pub var_files: Vec<String>,
}

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
    let path = Path::of(["environments", environment.name.as_str()]);
    let Some(backend) = &written.backend else {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(Path::of(["terraform"])),
                "a plan reads state, and `backend` is missing",
            )
            .with_help("say where state is kept, or `pull-request-plan: none`"),
        );
        return;
    };
    let (Some(account_id), Some(region)) = (&environment.account_id, &environment.region) else {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path),
                "a plan assumes a role, and the environment has no AWS account or region",
            )
            .with_help("set `aws.account-id` and `aws.region`, for all environments or for this one"),
        );
        return;
    };
    check_session(manifest, findings);
    let role = role(environment, findings);
    let mut planned = Vec::new();
    for (name, stack) in stacks {
        if stack.environments.as_ref().is_some_and(|own| !own.contains(&environment.name)) {
            continue;
        }
        if let Some(reason) = why_not(environment, stack) {
            terraform.not_planned.push(NotPlanned {
                stack: name.clone(),
                environment: environment.name.clone(),
                reason,
            });
            continue;
        }
        let values = [
            ("environment", environment.name.as_str()),
            ("stack", name.as_str()),
            ("account-id", account_id.as_str()),
            ("region", region.as_str()),
            ("project", manifest.project.as_str()),
        ];
        planned.extend(stack_plan(name, stack, backend, region, &values, findings));
    }
    if !planned.is_empty() {
        terraform.plans.push(EnvironmentPlan {
            environment: environment.name.clone(),
            runner: environment.runner.clone(),
            account_id: account_id.to_string(),
            region: region.clone(),
            role,
            stacks: planned,
        });
    }
}

/// Credentials last as long as the job and five minutes; IAM grants an hour unless the role says more
/// ([AWS: MaxSessionDuration](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html)).
fn check_session(manifest: &Manifest, findings: &mut Diagnostics) {
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
    let holds_secret = |value: &Value| matches!(value, Value::Held { reference: Reference::Secret(_), .. });
    stack
        .variables
        .values()
        .any(holds_secret)
        .then(|| "its variables are secrets of the environment".to_owned())
}

fn role(environment: &Environment, findings: &mut Diagnostics) -> Role {
    // One that is not a role is refused with the environment's other roles.
    let Some(role) = environment.roles.get(&AwsRole::PullRequestPlan) else { return Role::Arn(String::new()) };
    super::super::role::check_name(role, AwsRole::PullRequestPlan, &environment.name, findings);
    role.clone()
}

fn stack_plan(
    name: &Slug,
    stack: &manifest::Stack,
    backend: &manifest::Backend,
    region: &str,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<StackPlan> {
    let backend = settings(backend, region, values, findings);
    let var_files = var_files(name, stack, values, findings);
    let variables = variables(name, stack, values, findings);
    Some(StackPlan {
        stack: name.to_string(),
        directory: stack.directory.normal().to_owned(),
        backend: backend?,
        variables: variables?,
        var_files: var_files?,
    })
}
