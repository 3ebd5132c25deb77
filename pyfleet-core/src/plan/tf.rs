//! `tf`: one stack is planned, applied, promoted or destroyed by hand, and its backend made, removed or unlocked.
//!
//! Every environment has jobs of its own, each with a literal `environment:`, because an expression that yields
//! nothing there would mean no protection at all. Approval is a job without rights and without a lock: a run that
//! waits for a person blocks nobody. Only the job that changes something holds the lock.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::Permission;
use super::body::{
    Approval, Body, CreateBackend, DestroyBackend, ForceUnlock, HandOff, Inputs, Message, Notify, Revert,
    TerraformScan, TfApply, TfGuard, TfPlan, Tooling, Verify,
};
use super::condition::expression;
use super::cost;
use super::credentials::{IDENTITY, credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::stacks::{check_limits, over, state_env};
use crate::diagnostic::Path;
use crate::manifest::{self, AwsRole, Kind, Occasion, PlanHandOff, SafetyLevel, Visibility};
use crate::project::{
    Channel, Cost, Environment, EnvironmentStacks, Project, Terraform, VariableValue, defaults,
};
use crate::workflow::{self as model, Concurrency, Input, InputKind, Queue, Runner};

const READ: &[Permission] = &[CHECK_OUT, IDENTITY];
const CHANGE: &[Permission] = &[
    Permission {
        scope: model::Scope::Actions,
        level: model::Level::Read,
        because: "read who approved the run",
    },
    CHECK_OUT,
    IDENTITY,
];
const UNLOCK: &[Permission] = &[
    Permission {
        scope: model::Scope::Actions,
        level: model::Level::Read,
        because: "see whether the run that took the lock still goes on",
    },
    CHECK_OUT,
    IDENTITY,
];

/// The guard's matrix: the one stack that was chosen.
const TARGET: &str = "needs.guard.outputs.target";

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(terraform) = &project.terraform else { return };
    for (name, value) in [("TF_IN_AUTOMATION", "true"), ("TF_INPUT", "0"), ("CHECKPOINT_DISABLE", "1")] {
        draft.env(name, value);
    }
    let targets = readable_targets(project, terraform);
    let has_colors =
        terraform.targets.iter().flat_map(|target| &target.stacks).any(|stack| stack.colors.is_some());
    draft.start_by_hand(inputs(&targets, has_colors));
    let guard = guard(draft, &targets, has_colors);
    draft.add(guard);
    draft.add(scan_job(project, draft, terraform));
    if let Some(cost) = &terraform.cost {
        draft.add(cost_job(project, draft, cost, &targets));
    }
    for (environment, target) in &targets {
        let jobs = Jobs { project, terraform, environment, target };
        let plan = jobs.plan(draft);
        draft.add(plan);
        if environment.level < SafetyLevel::WRITES {
            continue;
        }
        for job in [
            jobs.approve(draft, APPLY),
            jobs.notify_waiting(draft, APPLY),
            Some(jobs.apply(draft)),
            jobs.approve(draft, DESTROY),
            jobs.notify_waiting(draft, DESTROY),
            Some(jobs.destroy(draft)),
            Some(jobs.create_backend(draft)),
            jobs.approve(draft, DESTROY_BACKEND),
            jobs.notify_waiting(draft, DESTROY_BACKEND),
            Some(jobs.destroy_backend(draft)),
            jobs.approve(draft, FORCE_UNLOCK),
            jobs.notify_waiting(draft, FORCE_UNLOCK),
            Some(jobs.force_unlock(draft)),
        ]
        .into_iter()
        .flatten()
        {
            draft.add(job);
        }
    }
    let notify = notify_job(project, draft);
    if let Some(notify) = notify {
        draft.add(notify);
    }
}

/// Something that is done to an environment, and what stands before it.
#[derive(Clone, Copy)]
struct Act {
    /// The start of the job's id.
    job: &'static str,
    /// The values of `action` that mean it.
    actions: &'static [&'static str],
    /// Whether a plan is made for it.
    is_planned: bool,
    /// Whether a scan has to be clean for it, and the cost within its limit.
    is_scanned: bool,
}

const PLAN: Act = Act {
    job: "plan",
    actions: &["plan", "apply", "promote", "destroy"],
    is_planned: false,
    is_scanned: false,
};
const APPLY: Act = Act { job: "apply", actions: &["apply", "promote"], is_planned: true, is_scanned: true };
// What is insecure can always be removed.
const DESTROY: Act = Act { job: "destroy", actions: &["destroy"], is_planned: true, is_scanned: false };
const CREATE_BACKEND: Act =
    Act { job: "create-backend", actions: &["create-backend"], is_planned: false, is_scanned: false };
const DESTROY_BACKEND: Act =
    Act { job: "destroy-backend", actions: &["destroy-backend"], is_planned: false, is_scanned: false };
const FORCE_UNLOCK: Act =
    Act { job: "unlock", actions: &["force-unlock"], is_planned: false, is_scanned: false };

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

/// What the person who starts the workflow is asked.
fn inputs(targets: &[(&Environment, &EnvironmentStacks)], has_colors: bool) -> IndexMap<String, Input> {
    let choice = |description: &str, options: Vec<String>| Input {
        description: Some(description.to_owned()),
        kind: InputKind::Choice,
        required: true,
        options,
        ..Input::default()
    };
    let text = |description: &str| Input { description: Some(description.to_owned()), ..Input::default() };
    let mut stacks: Vec<String> =
        targets.iter().flat_map(|(_, target)| &target.stacks).map(|stack| stack.stack.clone()).collect();
    stacks.sort_unstable();
    stacks.dedup();
    let mut actions = vec!["plan"];
    if targets.iter().any(|(environment, _)| environment.level >= SafetyLevel::WRITES) {
        actions.push("apply");
        if has_colors {
            actions.push("promote");
        }
        actions.extend(["destroy", "create-backend", "destroy-backend", "force-unlock"]);
    }
    let environments = targets.iter().map(|(environment, _)| environment.name.to_string()).collect();
    let mut inputs = IndexMap::from([
        ("environment".to_owned(), choice("Where", environments)),
        ("stack".to_owned(), choice("What", stacks)),
        ("action".to_owned(), choice("What to do", actions.into_iter().map(str::to_owned).collect())),
    ]);
    if has_colors {
        let colors = ["keep", "blue", "green"].map(str::to_owned).to_vec();
        inputs.insert(
            "active_color".to_owned(),
            Input {
                default: Some("keep".into()),
                ..choice("promote: the colour to switch to; `keep` means the other one", colors)
            },
        );
    }
    inputs.insert(
        "confirm".to_owned(),
        text("The phrase for the action: apply ENVIRONMENT/STACK, promote …, destroy …, destroy-backend BUCKET, unlock LOCK_ID"),
    );
    inputs.insert("lock_id".to_owned(), text("force-unlock: the id of the lock"));
    inputs.insert("reason".to_owned(), text("Why, for the record"));
    inputs
}

fn guard(draft: &mut Draft<'_>, targets: &[(&Environment, &EnvironmentStacks)], has_colors: bool) -> NewJob {
    let by_environment: BTreeMap<String, Json> = targets
        .iter()
        .map(|(environment, target)| {
            let colors: Vec<&str> = target
                .stacks
                .iter()
                .filter(|stack| stack.colors.is_some())
                .map(|stack| stack.stack.as_str())
                .collect();
            let stacks: IndexMap<&str, Json> =
                target.stacks.iter().map(|stack| (stack.stack.as_str(), json!(stack))).collect();
            let entry = json!({
                "branch": environment.branch,
                "writes": environment.level >= SafetyLevel::WRITES,
                "protected": is_gated(environment),
                "colors": colors,
                "stacks": stacks,
            });
            (environment.name.to_string(), entry)
        })
        .collect();
    let bytes = by_environment.values().map(|entry| entry.to_string().len()).sum();
    let most = targets.iter().map(|(_, target)| target.stacks.len()).max().unwrap_or_default();
    check_limits(most, bytes, draft);
    let mut model = draft.job("guard", 5);
    model.outputs = IndexMap::from([("target".to_owned(), expression("steps.guard.outputs.target"))]);
    NewJob {
        id: "guard".to_owned(),
        model,
        permissions: &[],
        because: "",
        identity: None,
        body: Body::TfGuard(TfGuard { targets: by_environment, colors: has_colors }),
        origin: Path::of(["workflows", draft.name().as_str()]),
    }
}

/// Whether somebody has to agree before a job changes an environment.
fn is_gated(environment: &Environment) -> bool {
    environment.approval != manifest::Approval::None
}

fn scan_job(project: &Project, draft: &Draft<'_>, terraform: &Terraform) -> NewJob {
    let mut model = over(draft, "scan", TARGET, 15);
    model.needs = vec!["guard".to_owned()];
    model.condition = Some(is_one_of(&["plan", "apply", "promote"]));
    NewJob {
        id: "scan".to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because: "What is insecure can always be destroyed.",
        identity: None,
        body: Body::TerraformScan(TerraformScan {
            minimum_severity: terraform.scan.minimum_severity,
            on_findings: terraform.scan.on_findings,
            trivy_version: defaults::TRIVY_VERSION,
            sarif: false,
            artifact_days: project.artifact_days,
        }),
        origin: Path::of(["terraform", "scan"]),
    }
}

/// The estimate of the stack, with the values of the environment that was chosen.
fn cost_job(
    project: &Project,
    draft: &Draft<'_>,
    cost: &Cost,
    targets: &[(&Environment, &EnvironmentStacks)],
) -> NewJob {
    let mut model = over(draft, "cost", TARGET, cost::MINUTES);
    model.needs = vec!["guard".to_owned()];
    model.condition = Some(is_one_of(&["plan", "apply", "promote"]));
    let stacks = targets.iter().flat_map(|(_, target)| &target.stacks);
    let values = stacks.flat_map(|stack| stack.variables.values());
    // What runs is not known here, only the commit before: that is worth a look, and no reason to stop. Pull requests
    // have the limit.
    let cost = Cost { max_monthly_increase: None, ..cost.clone() };
    cost::job(project, &cost, model, "It informs, and stops nothing.", "inputs.environment", values)
}

fn is_one_of(actions: &[&str]) -> String {
    match actions {
        [action] => format!("inputs.action == '{action}'"),
        actions => format!("contains(fromJSON('{}'), inputs.action)", json!(actions)),
    }
}

/// The jobs of one environment.
struct Jobs<'a> {
    project: &'a Project,
    terraform: &'a Terraform,
    environment: &'a Environment,
    target: &'a EnvironmentStacks,
}

impl Jobs<'_> {
    /// The values of `action` that mean an act here: without colours, there is nothing to promote.
    fn actions(&self, act: Act) -> Vec<&'static str> {
        let has_colors = self.target.stacks.iter().any(|stack| stack.colors.is_some());
        act.actions.iter().copied().filter(|action| has_colors || *action != "promote").collect()
    }

    fn id(&self, job: &str) -> String {
        format!("{job}-{}", self.environment.name)
    }

    fn origin(&self) -> Path {
        Path::of(["environments", self.environment.name.as_str()])
    }

    /// A job over the chosen stack, on the environment's runner.
    fn model(&self, draft: &Draft<'_>, job: &str, actions: &[&str], timeout_minutes: u16) -> model::Job {
        let title = format!("{} {}", job.replace('-', " "), self.environment.name);
        let mut model = over(draft, &title, TARGET, timeout_minutes);
        model.runs_on = Some(Runner { group: None, labels: self.target.runner.clone() });
        model.needs = vec!["guard".to_owned()];
        model.condition =
            Some(format!("inputs.environment == '{}' && {}", self.environment.name, is_one_of(actions)));
        model.env = state_env(self.terraform, self.target);
        model
    }

    /// A job that changes something: in the environment itself, one at a time for each stack.
    fn change(&self, draft: &Draft<'_>, act: Act, timeout_minutes: u16) -> model::Job {
        let mut model = self.model(draft, act.job, &self.actions(act), timeout_minutes);
        self.stand_behind(&mut model, act);
        if self.approver(act).is_some() {
            model.needs.push(self.approval_id(act));
        }
        let environment = match act.job {
            "apply" => model::Environment {
                url: self.environment.url.clone(),
                ..model::Environment::named(self.environment.name.as_str())
            },
            // What an apply runs must not become a role that can remove every state.
            "create-backend" | "destroy-backend" => without_deployment(self.environment.backend_name()),
            _ => without_deployment(self.environment.name.to_string()),
        };
        model.environment = Some(environment);
        model.concurrency = Some(Concurrency {
            queue: Queue::Max,
            ..Concurrency::group(format!("mutate-{}-${{{{ matrix.stack }}}}", self.environment.name))
        });
        model
    }

    /// What an act needs beside the guard: its plan, with something in it, the scan and the cost.
    fn stand_behind(&self, model: &mut model::Job, act: Act) {
        if act.is_planned {
            let plan = self.id("plan");
            let condition = model.condition.take().unwrap_or_default();
            model.condition = Some(format!("{condition} && needs.{plan}.outputs.class != 'none'"));
            model.needs.push(plan);
        }
        if act.is_scanned {
            model.needs.push("scan".to_owned());
        }
    }

    /// The environment whose reviewers have to agree, where somebody has to: a backend that several share is removed
    /// only if those of a gated one agree.
    fn approver(&self, act: Act) -> Option<&Environment> {
        if act.job == CREATE_BACKEND.job {
            return None;
        }
        let buckets = |target: &EnvironmentStacks| -> Vec<String> {
            target.stacks.iter().filter_map(|stack| stack.backend.get("bucket").cloned()).collect()
        };
        let own = buckets(self.target);
        let sharing = self.terraform.targets.iter().filter(|other| {
            act.job == DESTROY_BACKEND.job && buckets(other).iter().any(|bucket| own.contains(bucket))
        });
        let others = sharing.filter_map(|other| self.project.environment(&other.environment));
        std::iter::once(self.environment).chain(others).find(|environment| is_gated(environment))
    }

    fn approval_id(&self, act: Act) -> String {
        self.id(&format!("approve-{}", act.job))
    }

    fn plan(&self, draft: &Draft<'_>) -> NewJob {
        let minutes = self.project.timeout_minutes;
        let mut model = self.model(draft, "plan", &self.actions(PLAN), minutes);
        model.environment = Some(reading_environment(self.environment));
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
        let is_applied = self.environment.level >= SafetyLevel::WRITES;
        let inputs = inputs_of(self.target);
        let is_there = |name: &str| match name {
            "class" | "counts" => true,
            "color" | "current" => inputs.colors,
            _ => is_applied,
        };
        model.outputs = outputs
            .iter()
            .filter(|(name, _)| is_there(name))
            .map(|(name, value)| ((*name).to_owned(), expression(value)))
            .collect();
        NewJob {
            id: self.id("plan"),
            model,
            permissions: READ,
            because: "",
            identity: Some(identity(self.target, AwsRole::Plan)),
            body: Body::TfPlan(TfPlan {
                tooling: tooling(self.terraform),
                environment: self.environment.name.to_string(),
                credentials: credentials(self.project, self.target, AwsRole::Plan, minutes),
                inputs,
                hand_off: is_applied.then(|| hand_off(self.terraform)),
                protected: self.protected(),
                publish: publish(self.project),
                artifact_days: self.project.artifact_days,
            }),
            origin: self.origin(),
        }
    }

    /// The job that waits for the reviewers, where there are any.
    fn approve(&self, draft: &Draft<'_>, act: Act) -> Option<NewJob> {
        let approver = self.approver(act)?;
        let id = self.approval_id(act);
        let mut model = self.before(draft, "approve", act);
        model.environment = Some(without_deployment(approver.approval_name()));
        // A later attempt of the run would not ask again.
        model.outputs = IndexMap::from([("attempt".to_owned(), expression("github.run_attempt"))]);
        Some(NewJob {
            id,
            model,
            permissions: &[],
            because: "The environment's reviewers agree first, in a job that holds no right and no lock.",
            identity: None,
            body: Body::Approval(Approval { plan: act.is_planned.then(|| self.id("plan")) }),
            origin: self.origin().key("approval"),
        })
    }

    fn apply(&self, draft: &Draft<'_>) -> NewJob {
        let minutes = apply_minutes(self.project);
        let inputs = inputs_of(self.target);
        let revert = self.environment.health.is_some()
            && self
                .target
                .stacks
                .iter()
                .filter_map(|stack| stack.colors.as_ref())
                .any(|colors| colors.auto_revert);
        NewJob {
            id: self.id(APPLY.job),
            model: self.change(draft, APPLY, minutes),
            permissions: CHANGE,
            because: "Only where the plan has something to do.",
            identity: Some(identity(self.target, AwsRole::Apply)),
            body: Body::TfApply(TfApply {
                inputs: Some(inputs),
                verify: self.environment.health.as_ref().map(|health| Verify {
                    url: health.url.clone(),
                    expect_status: health.expect_status,
                    attempts: health.attempts,
                    plain_http: health.url.starts_with("http://"),
                }),
                revert: revert.then(|| Revert { protected: self.protected() }),
                ..self.apply_body(minutes)
            }),
            origin: self.origin(),
        }
    }

    fn destroy(&self, draft: &Draft<'_>) -> NewJob {
        let minutes = apply_minutes(self.project);
        NewJob {
            id: self.id(DESTROY.job),
            model: self.change(draft, DESTROY, minutes),
            permissions: CHANGE,
            because: "Only where there is something to destroy.",
            identity: Some(identity(self.target, AwsRole::Apply)),
            body: Body::TfApply(self.apply_body(minutes)),
            origin: self.origin(),
        }
    }

    fn apply_body(&self, minutes: u16) -> TfApply {
        TfApply {
            tooling: tooling(self.terraform),
            environment: self.environment.name.to_string(),
            credentials: credentials(self.project, self.target, AwsRole::Apply, minutes),
            plan: self.id("plan"),
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

    fn create_backend(&self, draft: &Draft<'_>) -> NewJob {
        NewJob {
            id: self.id(CREATE_BACKEND.job),
            model: self.change(draft, CREATE_BACKEND, 15),
            permissions: READ,
            because: "Nobody has to agree: the script only adds, and the role deletes nothing.",
            identity: Some(identity(self.target, AwsRole::BackendCreate)),
            body: Body::CreateBackend(CreateBackend {
                credentials: credentials(self.project, self.target, AwsRole::BackendCreate, 15),
            }),
            origin: self.origin(),
        }
    }

    fn destroy_backend(&self, draft: &Draft<'_>) -> NewJob {
        let buckets: Vec<&String> =
            self.target.stacks.iter().filter_map(|stack| stack.backend.get("bucket")).collect();
        let mut other_states: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for other in self.terraform.targets.iter().filter(|other| other.environment != self.environment.name)
        {
            for stack in &other.stacks {
                let shares = stack.backend.get("bucket").is_some_and(|bucket| buckets.contains(&bucket));
                if let Some(key) = stack.backend.get("key").filter(|_| shares) {
                    other_states.entry(other.environment.to_string()).or_default().push(key.clone());
                }
            }
        }
        NewJob {
            id: self.id(DESTROY_BACKEND.job),
            model: self.change(draft, DESTROY_BACKEND, 30),
            permissions: READ,
            because: "",
            identity: Some(identity(self.target, AwsRole::BackendDestroy)),
            body: Body::DestroyBackend(DestroyBackend {
                credentials: credentials(self.project, self.target, AwsRole::BackendDestroy, 30),
                approval: self.approver(DESTROY_BACKEND).map(|_| self.approval_id(DESTROY_BACKEND)),
                other_states,
            }),
            origin: self.origin(),
        }
    }

    fn force_unlock(&self, draft: &Draft<'_>) -> NewJob {
        let project = self.project;
        let locking = project.workflows.iter().filter(|(_, wish)| wish.renders(Kind::Tf));
        NewJob {
            id: self.id(FORCE_UNLOCK.job),
            model: self.change(draft, FORCE_UNLOCK, 15),
            permissions: UNLOCK,
            because: "",
            identity: Some(identity(self.target, AwsRole::Apply)),
            body: Body::ForceUnlock(ForceUnlock {
                tooling: tooling(self.terraform),
                credentials: credentials(project, self.target, AwsRole::Apply, 15),
                workflows: locking.map(|(name, _)| format!("{name}.yml")).collect(),
            }),
            origin: self.origin(),
        }
    }

    /// A job that stands where the reviewers are asked about an act.
    fn before(&self, draft: &Draft<'_>, verb: &str, act: Act) -> model::Job {
        let what = act.job.replace('-', " ");
        let mut model = draft.job(format!("{verb} {what} {}", self.environment.name), 5);
        model.needs = vec!["guard".to_owned()];
        model.condition = Some(format!(
            "inputs.environment == '{}' && {}",
            self.environment.name,
            is_one_of(&self.actions(act))
        ));
        self.stand_behind(&mut model, act);
        model
    }

    /// Tells the channels that somebody is waited for.
    fn notify_waiting(&self, draft: &Draft<'_>, act: Act) -> Option<NewJob> {
        let channels =
            self.project.channels.iter().filter(|(_, channel)| channel.on.contains(&Occasion::Waiting));
        let messages: Vec<Message> = channels
            .map(|(name, channel)| Message {
                channel: name.to_string(),
                webhook: webhook(channel),
                condition: None,
                status: "waiting",
            })
            .collect();
        if messages.is_empty() || self.approver(act).is_none() {
            return None;
        }
        let model = self.before(draft, "notify before", act);
        Some(NewJob {
            id: self.id(&format!("notify-before-{}", act.job)),
            model,
            permissions: &[],
            because: "",
            identity: None,
            body: Body::Notify(Notify { messages }),
            origin: Path::of(["notify"]),
        })
    }

    fn protected(&self) -> Vec<String> {
        self.terraform.protected.iter().map(ToString::to_string).collect()
    }
}

/// The job that tells the channels what became of the run.
fn notify_job(project: &Project, draft: &Draft<'_>) -> Option<NewJob> {
    let messages: Vec<Message> = project
        .channels
        .iter()
        .filter_map(|(name, channel)| {
            let (failure, success) =
                (channel.on.contains(&Occasion::Failure), channel.on.contains(&Occasion::Success));
            let (condition, status) = match (failure, success) {
                (true, true) => (
                    "",
                    "${{ (contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')) && 'failure' || 'success' }}",
                ),
                (true, false) => {
                    ("contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')", "failure")
                }
                (false, true) => (
                    "!contains(needs.*.result, 'failure') && !contains(needs.*.result, 'cancelled')",
                    "success",
                ),
                (false, false) => return None,
            };
            let (channel, webhook) = (name.to_string(), webhook(channel));
            Some(Message { channel, webhook, condition: (!condition.is_empty()).then_some(condition), status })
        })
        .collect();
    if messages.is_empty() {
        return None;
    }
    let mut model = draft.job("notify", 5);
    model.needs = draft.job_ids().filter(|id| !id.starts_with("notify-before-")).map(str::to_owned).collect();
    model.condition =
        Some("always() && needs.guard.result == 'success' && inputs.action != 'plan'".to_owned());
    Some(NewJob {
        id: "notify".to_owned(),
        model,
        permissions: &[],
        because: "Whatever became of the run; a plan changes nothing that anybody would wait for.",
        identity: None,
        body: Body::Notify(Notify { messages }),
        origin: Path::of(["notify"]),
    })
}

fn webhook(channel: &Channel) -> String {
    expression(&format!("secrets.{}", channel.webhook))
}

/// The GitHub environment of jobs that read: its branch policy counts, and no deployment is recorded.
pub(super) fn reading_environment(environment: &Environment) -> model::Environment {
    without_deployment(environment.plan_name())
}

fn without_deployment(name: String) -> model::Environment {
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
fn apply_minutes(project: &Project) -> u16 {
    project.timeout_minutes.clamp(defaults::APPLY_MINUTES, 115)
}
