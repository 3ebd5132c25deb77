//! `tf`: one stack is planned, applied, promoted or destroyed by hand, and its backend made, removed or unlocked.
//!
//! Every environment has jobs of its own, each with a literal `environment:`, because an expression that yields
//! nothing there would mean no protection at all. Approval is a job without rights and without a lock: a run that
//! waits for a person blocks nobody. Only the job that changes something holds the lock.

use std::collections::BTreeMap;
use std::ops::Deref;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::Permission;
use super::body::{Action, Approval, Asked, Body, ForceUnlock, TfApply, TfGuard};
use super::condition::expression;
use super::cost;
use super::credentials::{IDENTITY, credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::environment_jobs::{
    CHANGE, InEnvironment, READ, apply_minutes, is_gated, readable_targets, reading_environment, scan_body,
    tooling, without_deployment,
};
use super::notify::{self, Told};
use super::stacks::{check_limits, over, run_unattended, state_env};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, Kind, SafetyLevel};
use crate::project::{Cost, Environment, EnvironmentStacks, Project, Terraform};
use crate::workflow::{self as model, Input, Runner};

/// What a person asks for.
const ASKED: Asked = Asked {
    action: Action::Chosen(ACTION),
    color: Some("inputs.active_color"),
    reason: Some("inputs.reason"),
    by_clock: false,
};
const ACTION: &str = "inputs.action";

/// What a message is about.
const TITLE: &str = "${{ inputs.action }} of ${{ inputs.stack }} in ${{ inputs.environment }}";
/// When somebody is told what became of a run.
const OUTCOME: Told = Told {
    condition: "always() && needs.guard.result == 'success' && inputs.action != 'plan'",
    because: "Whatever became of the run; a plan changes nothing that anybody would wait for.",
};

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
    run_unattended(draft);
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
        let jobs = Jobs(InEnvironment { project, terraform, environment, target });
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
    if let Some(notify) = notify::outcome(project, draft, TITLE, OUTCOME) {
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

/// What the person who starts the workflow is asked.
fn inputs(targets: &[(&Environment, &EnvironmentStacks)], has_colors: bool) -> IndexMap<String, Input> {
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
        ("environment".to_owned(), Input::choice("Where", environments)),
        ("stack".to_owned(), Input::choice("What", stacks)),
        ("action".to_owned(), Input::choice("What to do", actions.into_iter().map(str::to_owned).collect())),
    ]);
    if has_colors {
        let colors = ["keep", "blue", "green"].map(str::to_owned).to_vec();
        inputs.insert(
            "active_color".to_owned(),
            Input {
                default: Some("keep".into()),
                ..Input::choice("promote: the colour to switch to; `keep` means the other one", colors)
            },
        );
    }
    inputs.insert(
        "confirm".to_owned(),
        Input::text("The phrase for the action: apply ENVIRONMENT/STACK, promote …, destroy …, destroy-backend BUCKET, unlock LOCK_ID"),
    );
    inputs.insert("lock_id".to_owned(), Input::text("force-unlock: the id of the lock"));
    inputs.insert("reason".to_owned(), Input::text("Why, for the record"));
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
        body: Body::TerraformScan(scan_body(project, terraform)),
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
struct Jobs<'a>(InEnvironment<'a>);

impl<'a> Deref for Jobs<'a> {
    type Target = InEnvironment<'a>;

    fn deref(&self) -> &InEnvironment<'a> {
        &self.0
    }
}

impl Jobs<'_> {
    /// The values of `action` that mean an act here: without colours, there is nothing to promote.
    fn actions(&self, act: Act) -> Vec<&'static str> {
        let has_colors = self.has_colors();
        act.actions.iter().copied().filter(|action| has_colors || *action != "promote").collect()
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
        let stack = self.one_change_of("${{ matrix.stack }}");
        let (environment, concurrency) = match act.job {
            "apply" => (self.deployed_to(), stack),
            // What an apply runs must not become a role that can remove every state.
            "create-backend" | "destroy-backend" => {
                (without_deployment(self.environment.backend_name()), self.one_backend_change())
            }
            _ => (without_deployment(self.environment.name.to_string()), stack),
        };
        model.environment = Some(environment);
        model.concurrency = Some(concurrency);
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

    /// The environment whose reviewers have to agree, where somebody has to.
    fn approver(&self, act: Act) -> Option<&Environment> {
        match act.job {
            "create-backend" => None,
            "destroy-backend" => self.backend_approver(),
            _ => Some(self.environment).filter(|environment| is_gated(environment)),
        }
    }

    /// Where the plan that is applied stands.
    fn planned(&self) -> String {
        format!("needs.{}.outputs", self.id("plan"))
    }

    fn approval_id(&self, act: Act) -> String {
        self.id(&format!("approve-{}", act.job))
    }

    fn plan(&self, draft: &Draft<'_>) -> NewJob {
        let minutes = self.project.timeout_minutes;
        let mut model = self.model(draft, "plan", &self.actions(PLAN), minutes);
        model.environment = Some(reading_environment(self.environment));
        let is_applied = self.environment.level >= SafetyLevel::WRITES;
        model.outputs = self.plan_outputs(is_applied);
        NewJob {
            id: self.id("plan"),
            model,
            permissions: READ,
            because: "",
            identity: Some(identity(self.target, AwsRole::Plan)),
            body: Body::TfPlan(self.plan_body(ASKED, is_applied, minutes)),
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
            body: Body::Approval(Approval {
                environment: self.environment.name.to_string(),
                what: "inputs.stack".to_owned(),
                action: ACTION,
                planned: act.is_planned.then(|| self.planned()),
                window: approver.window.clone(),
            }),
            origin: self.origin().key("approval"),
        })
    }

    fn apply(&self, draft: &Draft<'_>) -> NewJob {
        let minutes = apply_minutes(self.project);
        NewJob {
            id: self.id(APPLY.job),
            model: self.change(draft, APPLY, minutes),
            permissions: CHANGE,
            because: "Only where the plan has something to do.",
            identity: Some(identity(self.target, AwsRole::Apply)),
            body: Body::TfApply(TfApply {
                approval: self.approver(APPLY).map(|_| self.approval_id(APPLY)),
                ..self.apply_body(ASKED, self.planned(), minutes)
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
            body: Body::TfApply(TfApply {
                approval: self.approver(DESTROY).map(|_| self.approval_id(DESTROY)),
                ..self.destroy_body(ASKED, self.planned(), minutes)
            }),
            origin: self.origin(),
        }
    }

    fn create_backend(&self, draft: &Draft<'_>) -> NewJob {
        NewJob {
            id: self.id(CREATE_BACKEND.job),
            model: self.change(draft, CREATE_BACKEND, 15),
            permissions: READ,
            because: "Nobody has to agree: the script only adds, and the role deletes nothing.",
            identity: Some(identity(self.target, AwsRole::BackendCreate)),
            body: Body::CreateBackend(self.create_backend_body(15)),
            origin: self.origin(),
        }
    }

    fn destroy_backend(&self, draft: &Draft<'_>) -> NewJob {
        let approval = self.approver(DESTROY_BACKEND).map(|_| self.approval_id(DESTROY_BACKEND));
        NewJob {
            id: self.id(DESTROY_BACKEND.job),
            model: self.change(draft, DESTROY_BACKEND, 30),
            permissions: READ,
            because: "",
            identity: Some(identity(self.target, AwsRole::BackendDestroy)),
            body: Body::DestroyBackend(self.destroy_backend_body(expression("inputs.confirm"), approval, 30)),
            origin: self.origin(),
        }
    }

    fn force_unlock(&self, draft: &Draft<'_>) -> NewJob {
        let project = self.project;
        let locking =
            project.workflows.iter().filter(|(_, wish)| wish.applies() || wish.renders(Kind::Rollback));
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
        self.approver(act)?;
        let body = notify::waiting(self.project, draft, TITLE)?;
        let model = self.before(draft, "notify before", act);
        Some(NewJob {
            id: self.id(&format!("notify-before-{}", act.job)),
            model,
            permissions: &[],
            because: "",
            identity: None,
            body,
            origin: Path::of(["notify"]),
        })
    }
}
