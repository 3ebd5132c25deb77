//! What the jobs of one environment have in common, whatever starts them: their rights, their place on GitHub, the
//! contexts of their steps, and who has to agree first.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::Permission;
use super::body::{
    Action, Asked, Body, CreateBackend, DeployApproval, DestroyBackend, HandOff, Inputs, Revert,
    TerraformScan, TfApply, TfPlan, Tooling, Verify,
};
use super::condition::expression;
use super::credentials::{IDENTITY, credentials};
use super::draft::CHECK_OUT;
use super::scan::{accepted_in_stacks, counting_from, scanner};
use crate::diagnostic::Path;
use crate::manifest::{self, AwsRole, PlanHandOff, SafetyLevel, Visibility};
use crate::project::{Environment, EnvironmentStacks, Project, Terraform, VariableValue, defaults};
use crate::workflow::{self as model, Concurrency, Queue};

/// Reads the environment.
pub(super) const READ: &[Permission] = &[CHECK_OUT, IDENTITY];
/// Changes it.
pub(super) const CHANGE: &[Permission] = &[
    Permission {
        scope: model::Scope::Actions,
        level: model::Level::Read,
        because: "read who approved the run",
    },
    CHECK_OUT,
    IDENTITY,
];

/// What is done where nothing is ever applied.
pub(super) const ONLY_PLAN: Action = Action::Always("plan");

/// How long a plan that is going to be applied waits for the state's lock.
const LOCK_TIMEOUT: &str = "300s";

/// The environments that may be read, with their stacks.
pub(super) fn readable_targets<'a>(
    project: &'a Project,
    terraform: &'a Terraform,
) -> Vec<(&'a Environment, &'a EnvironmentStacks)> {
    let targets = terraform.targets.iter();
    targets
        .filter_map(|target| Some((project.environment(&target.environment)?, target)))
        .filter(|(environment, _)| environment.level >= SafetyLevel::READS)
        .collect()
}

/// Whether somebody has to agree before a job changes an environment.
pub(super) fn is_gated(environment: &Environment) -> bool {
    environment.approval != manifest::Approval::None
}

/// One environment, with its stacks.
#[derive(Clone, Copy)]
pub(super) struct InEnvironment<'a> {
    pub(super) project: &'a Project,
    pub(super) terraform: &'a Terraform,
    pub(super) environment: &'a Environment,
    pub(super) target: &'a EnvironmentStacks,
}

impl<'a> InEnvironment<'a> {
    pub(super) fn id(&self, job: &str) -> String {
        format!("{job}-{}", self.environment.name)
    }

    pub(super) fn origin(&self) -> Path {
        Path::of(["environments", self.environment.name.as_str()])
    }

    /// Whether a stack of it has two colours.
    pub(super) fn has_colors(&self) -> bool {
        self.target.stacks.iter().any(|stack| stack.colors.is_some())
    }

    /// The environment itself, where a deployment is recorded.
    pub(super) fn deployed_to(&self) -> model::Environment {
        deployed_to(self.environment)
    }

    /// One change at a time of one thing in the environment; those that wait are not cancelled.
    pub(super) fn one_change_of(&self, what: &str) -> Concurrency {
        one_change_of(self.environment, what)
    }

    /// One run at a time makes or removes the backend. No stack's lock can have this name.
    pub(super) fn one_backend_change(&self) -> Concurrency {
        Concurrency { queue: Queue::Max, ..Concurrency::group(format!("backend-{}", self.environment.name)) }
    }

    /// Whose reviewers have to agree before the backend is removed: a backend that several share is removed only if
    /// those of a gated one agree.
    pub(super) fn backend_approver(&self) -> Option<&'a Environment> {
        let own = buckets(self.target);
        let sharing = self
            .terraform
            .targets
            .iter()
            .filter(|other| buckets(other).iter().any(|bucket| own.contains(bucket)));
        let others = sharing.filter_map(|other| self.project.environment(&other.environment));
        std::iter::once(self.environment).chain(others).find(|environment| is_gated(environment))
    }

    /// States of other environments in the same bucket, by environment.
    pub(super) fn other_states(&self) -> BTreeMap<String, Vec<String>> {
        let own = buckets(self.target);
        let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let others = self.terraform.targets.iter().filter(|other| other.environment != self.environment.name);
        for other in others {
            for stack in &other.stacks {
                let shares = stack.backend.get("bucket").is_some_and(|bucket| own.contains(&bucket));
                if let Some(key) = stack.backend.get("key").filter(|_| shares) {
                    states.entry(other.environment.to_string()).or_default().push(key.clone());
                }
            }
        }
        states
    }

    /// What a planning job says of its plan: its outputs, and the expressions that yield them.
    pub(super) fn plan_outputs(&self, is_applied: bool) -> IndexMap<String, String> {
        let outputs: &[(&str, &str)] = &[
            ("class", "steps.plan.outputs.class"),
            ("counts", "steps.plan.outputs.counts"),
            ("plan_key", "steps.hand-off.outputs.plan_key"),
            ("plan_sha256", "steps.hand-off.outputs.plan_sha256"),
            ("tool_version", "steps.hand-off.outputs.tool_version"),
            ("commit", "steps.hand-off.outputs.commit"),
            ("color", "steps.color.outputs.color"),
            ("current", "steps.color.outputs.current"),
        ];
        let is_there = |name: &str| match name {
            "class" | "counts" => true,
            "color" | "current" => self.has_colors(),
            _ => is_applied,
        };
        let outputs = outputs.iter().filter(|(name, _)| is_there(name));
        outputs.map(|(name, value)| ((*name).to_owned(), expression(value))).collect()
    }

    /// Plans what was asked for; where nothing is ever applied, whatever was asked for, it only looks: the role that
    /// reads such an environment takes no lock.
    pub(super) fn plan_body(&self, asked: Asked, is_applied: bool, minutes: u16) -> TfPlan {
        let asked = if is_applied { asked } else { Asked { action: ONLY_PLAN, color: None, ..asked } };
        TfPlan {
            lock: match asked.action {
                Action::Chosen(action) => {
                    expression(&format!("{action} == 'plan' && 'false' || '{LOCK_TIMEOUT}'"))
                }
                Action::Always("plan") => "false".to_owned(),
                Action::Always(_) => LOCK_TIMEOUT.to_owned(),
            },
            tooling: tooling(self.terraform),
            environment: self.environment.name.to_string(),
            credentials: credentials(self.project, self.target, AwsRole::Plan, minutes),
            asked,
            earlier: None,
            synthesised: false,
            images: BTreeMap::new(),
            image: None,
            inputs: inputs_of(self.target),
            hand_off: is_applied.then(|| hand_off(self.terraform)),
            results: BTreeMap::new(),
            protected: self.protected(),
            reviewed: is_gated(self.environment),
            publish: publish(self.project),
            artifact_days: self.project.artifact_days,
        }
    }

    /// Applies a plan whose outputs stand behind an expression, and looks whether the environment works.
    pub(super) fn apply_body(&self, asked: Asked, planned: String, minutes: u16) -> TfApply {
        let is_reverted = self.environment.health.is_some()
            && self
                .target
                .stacks
                .iter()
                .filter_map(|stack| stack.colors.as_ref())
                .any(|colors| colors.auto_revert);
        TfApply {
            inputs: Some(inputs_of(self.target)),
            verify: self.environment.health.as_ref().map(Verify::from),
            revert: is_reverted.then(|| Revert { protected: self.protected() }),
            ..self.destroy_body(asked, planned, minutes)
        }
    }

    /// Applies a plan that destroys: nothing is planned again, and nothing answers behind it.
    pub(super) fn destroy_body(&self, asked: Asked, planned: String, minutes: u16) -> TfApply {
        TfApply {
            tooling: tooling(self.terraform),
            environment: self.environment.name.to_string(),
            credentials: credentials(self.project, self.target, AwsRole::Apply, minutes),
            asked,
            approval: None,
            newest: None,
            planned,
            earlier: None,
            synthesised: false,
            image: None,
            inputs: None,
            secrets: inputs_of(self.target).secrets,
            hand_off: hand_off(self.terraform),
            verify: None,
            revert: None,
            publish_outputs: self.terraform.publish_outputs.iter().map(ToString::to_string).collect(),
            publish: publish(self.project),
            artifact_days: self.project.artifact_days,
        }
    }

    pub(super) fn create_backend_body(&self, minutes: u16) -> CreateBackend {
        CreateBackend { credentials: credentials(self.project, self.target, AwsRole::BackendCreate, minutes) }
    }

    /// Removes the backend, confirmed by a phrase, after the job that waited for the reviewers where there is one.
    pub(super) fn destroy_backend_body(
        &self,
        confirm: String,
        approval: Option<String>,
        minutes: u16,
    ) -> DestroyBackend {
        DestroyBackend {
            credentials: credentials(self.project, self.target, AwsRole::BackendDestroy, minutes),
            confirm,
            approval,
            other_states: self.other_states(),
        }
    }

    fn protected(&self) -> Vec<String> {
        self.terraform.protected.iter().map(ToString::to_string).collect()
    }
}

fn buckets(target: &EnvironmentStacks) -> Vec<&String> {
    target.stacks.iter().filter_map(|stack| stack.backend.get("bucket")).collect()
}

pub(super) fn scan_body(project: &Project, terraform: &Terraform) -> TerraformScan {
    TerraformScan {
        scanner: scanner(terraform.scan.tool),
        minimum_severity: counting_from(terraform.scan.minimum_severity),
        on_findings: terraform.scan.on_findings,
        accepted: accepted_in_stacks(project),
        sarif: false,
        artifact_days: project.artifact_days,
    }
}

/// The environment itself, where a deployment is recorded.
pub(super) fn deployed_to(environment: &Environment) -> model::Environment {
    model::Environment {
        url: environment.url.clone(),
        ..model::Environment::named(environment.name.as_str())
    }
}

/// One change at a time of one thing in an environment, whatever workflow it comes from; those that wait are not
/// cancelled.
pub(super) fn one_change_of(environment: &Environment, what: &str) -> Concurrency {
    Concurrency { queue: Queue::Max, ..Concurrency::group(format!("mutate-{}-{what}", environment.name)) }
}

/// What every call of AWS is told: to try again, and to ask nobody.
pub(super) fn aws_env() -> IndexMap<String, String> {
    [("AWS_RETRY_MODE", "standard"), ("AWS_MAX_ATTEMPTS", "5"), ("AWS_PAGER", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The job that waits for the reviewers of an environment: it holds no right and no lock. Who adds it says behind what
/// it stands.
pub(super) fn approval_of(
    environment: &Environment,
    model: &mut model::Job,
    title: impl Into<String>,
) -> Body {
    model.environment = Some(without_deployment(environment.approval_name()));
    // A later attempt of the run would not ask again.
    model.outputs = IndexMap::from([("attempt".to_owned(), expression("github.run_attempt"))]);
    Body::DeployApproval(DeployApproval {
        title: title.into(),
        environment: environment.name.to_string(),
        window: environment.window.clone(),
    })
}

/// The GitHub environment of jobs that read: its branch policy counts, and no deployment is recorded.
pub(super) fn reading_environment(environment: &Environment) -> model::Environment {
    without_deployment(environment.plan_name())
}

/// An environment whose protection counts, and where no deployment is recorded.
pub(super) fn without_deployment(name: String) -> model::Environment {
    model::Environment { deployment: model::OrExpression::Literal(false), ..model::Environment::named(name) }
}

pub(super) fn tooling(terraform: &Terraform) -> Tooling {
    let tool = match terraform.tool {
        manifest::Tool::Terraform => "terraform",
        manifest::Tool::OpenTofu => "opentofu",
    };
    Tooling { tool, command: terraform.tool.command(), version: terraform.version.clone() }
}

/// What GitHub holds and the plans of an environment need.
pub(super) fn inputs_of(target: &EnvironmentStacks) -> Inputs {
    let values = || target.stacks.iter().flat_map(|stack| stack.variables.values());
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names.dedup();
        names
    };
    let variables = values().filter_map(|value| match value {
        VariableValue::Held { variable, .. } => Some(variable.clone()),
        VariableValue::Secret { .. } | VariableValue::Literal(_) => None,
    });
    let secrets = values().filter_map(|value| match value {
        VariableValue::Secret { secret, .. } => Some(secret.clone()),
        VariableValue::Held { .. } | VariableValue::Literal(_) => None,
    });
    Inputs {
        variables: sorted(variables.collect()),
        secrets: sorted(secrets.collect()),
        colors: target.stacks.iter().any(|stack| stack.colors.is_some()),
    }
}

fn hand_off(terraform: &Terraform) -> HandOff {
    match &terraform.plan_hand_off {
        PlanHandOff::S3 => HandOff { mode: "s3", passphrase: None },
        PlanHandOff::EncryptedArtifact(artifact) => HandOff {
            mode: "encrypted-artifact",
            passphrase: Some(expression(&format!("secrets.{}", artifact.passphrase.secret))),
        },
    }
}

/// What logs, artifacts and comments show of plans: everybody reads those of a public repository.
pub(super) fn publish(project: &Project) -> &'static str {
    if project.visibility == Visibility::Public { "summary" } else { "full" }
}

/// An hour, or what every job gets where that is more; two hours of credentials are the most there is.
pub(super) fn apply_minutes(project: &Project) -> u16 {
    project.timeout_minutes.clamp(defaults::APPLY_MINUTES, 115)
}
