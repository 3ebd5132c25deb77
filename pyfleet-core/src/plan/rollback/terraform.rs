//! Stacks are brought back to a commit that was applied before: its configuration is planned with the values of today,
//! and applied. State is never restored, and nothing is destroyed unseen: a plan that destroys waits for the
//! environment's reviewers, and is refused where it has none.

use serde_json::json;

use super::super::body::{Action, AppliedHistory, Asked, Body, PlannedImage, TfApply, TfPlan};
use super::super::condition::expression;
use super::super::configure;
use super::super::credentials::{credentials, identity};
use super::super::draft::{Draft, NewJob};
use super::super::environment_jobs::{
    CHANGE, InEnvironment, READ, apply_minutes, is_gated, readable_targets, reading_environment,
};
use super::super::passed::Passed;
use super::super::stacks::{over, run_unattended, state_env};
use super::{Targets, approval_id, approve, condition};
use crate::manifest::AwsRole;
use crate::project::{Environment, Project, WorkflowWish};
use crate::workflow::{self as model, Runner};

const KIND: &str = "terraform";

/// Where the older commit is checked out, below what the workflow's own commit has.
const EARLIER: &str = "earlier";

/// The commit that the record has for what was asked.
const FOUND: &str = "steps.earlier.outputs.commit";

/// The step that finds it, and the golden image that it was applied with.
const EARLIER_STEP: &str = "steps.earlier.outputs";

/// The jobs that ask for this do nothing else.
const ASKED: Asked =
    Asked { action: Action::Always("rollback"), color: None, reason: Some("inputs.reason"), by_clock: false };

/// When somebody agrees to a plan before it is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Approval {
    Always,
    /// Where it destroys something.
    Destructive,
    /// There are no reviewers: what destroys is refused.
    Never,
}

/// The stacks of an environment, where a workflow applies them and writes down what.
fn in_environment<'a>(project: &'a Project, environment: &Environment) -> Option<InEnvironment<'a>> {
    if !project.workflows.values().any(WorkflowWish::applies) {
        return None;
    }
    let terraform = project.terraform.as_ref()?;
    let (environment, target) = readable_targets(project, terraform)
        .into_iter()
        .find(|(_, target)| target.environment == environment.name)?;
    Some(InEnvironment { project, terraform, environment, target })
}

/// What can be brought back in an environment.
pub(super) fn targets(project: &Project, environment: &Environment) -> Targets {
    let stacks = in_environment(project, environment).into_iter().flat_map(|at| &at.target.stacks);
    // What CDKTF synthesises needs the digests of its time, which nothing writes down.
    let stacks = stacks.filter(|stack| !stack.synthesised);
    stacks.map(|stack| (format!("{KIND}/{}", stack.stack), json!(stack))).collect()
}

/// The jobs of one environment: one that looks, one that plans, and one that applies.
pub(super) fn add(project: &Project, draft: &mut Draft<'_>, environment: &Environment, is_approved: bool) {
    const LIST_MINUTES: u16 = 10;
    let Some(at) = in_environment(project, environment) else { return };
    let approval = match (is_approved, is_gated(environment)) {
        (true, _) => Approval::Always,
        (false, true) => Approval::Destructive,
        (false, false) => Approval::Never,
    };
    // The image is that of the record that is gone back to.
    let image = |source: &str| {
        project.packer.as_ref().map(|packer| PlannedImage {
            stack: packer.stack.to_string(),
            variable: packer.output_variable.clone(),
            source: source.to_owned(),
        })
    };
    run_unattended(draft);
    let mut list = model(draft, &at, "list", LIST_MINUTES);
    list.condition = Some(condition(environment, KIND, "list"));
    list.environment = Some(reading_environment(environment));
    draft.add(NewJob {
        id: at.id(&format!("list-{KIND}")),
        model: list,
        permissions: READ,
        because: "",
        identity: Some(identity(at.target, AwsRole::Plan)),
        body: Body::AppliedHistory(AppliedHistory {
            credentials: credentials(project, at.target, AwsRole::Plan, LIST_MINUTES),
            image_stack: image("").map(|image| image.stack),
        }),
        origin: at.origin(),
    });

    let (plan_id, minutes) = (at.id(&format!("plan-{KIND}")), project.timeout_minutes);
    let mut plan = model(draft, &at, "plan", minutes);
    work_on_earlier(&mut plan);
    plan.condition = Some(condition(environment, KIND, "rollback"));
    plan.environment = Some(reading_environment(environment));
    plan.outputs = at.plan_outputs(true);
    plan.outputs.insert("earlier".to_owned(), expression(FOUND));
    if project.packer.is_some() {
        for name in ["image", "image_id"] {
            plan.outputs.insert(name.to_owned(), expression(&format!("{EARLIER_STEP}.{name}")));
        }
    }
    draft.add(NewJob {
        id: plan_id.clone(),
        model: plan,
        permissions: READ,
        because: "",
        identity: Some(identity(at.target, AwsRole::Plan)),
        body: Body::TfPlan(TfPlan {
            earlier: Some(FOUND.to_owned()),
            image: image(EARLIER_STEP),
            ..at.plan_body(ASKED, true, minutes)
        }),
        origin: at.origin(),
    });

    let planned = format!("needs.{plan_id}.outputs");
    let has_work = format!("{} && {planned}.class != 'none'", condition(environment, KIND, "rollback"));
    let approved = approval_id(environment, KIND);
    if approval != Approval::Never {
        let mut approve = approve(draft, environment, KIND);
        approve.model.needs.push(plan_id.clone());
        approve.model.condition = Some(has_work.clone());
        if approval == Approval::Destructive {
            approve.model.condition = Some(format!(
                "{} && {planned}.class == 'destructive'",
                condition(environment, KIND, "rollback")
            ));
            approve.because = "What the plan destroys the environment's reviewers see first, in a job that holds no right and no lock.";
        }
        draft.add(approve);
    }
    let minutes = apply_minutes(project);
    let mut apply = model(draft, &at, "roll back", minutes);
    work_on_earlier(&mut apply);
    apply.needs.push(plan_id.clone());
    apply.needs.extend((approval != Approval::Never).then(|| approved.clone()));
    apply.condition = Some(if approval == Approval::Destructive {
        // A job that was skipped would skip this one: every result is looked at here. What the class is has to be
        // known.
        expression(&format!(
            "!cancelled() && needs.{plan_id}.result == 'success' && {has_work} && (contains(fromJSON('[\"changes\",\"outputs-only\"]'), {planned}.class) || needs.{approved}.result == 'success')"
        ))
    } else {
        has_work
    });
    apply.environment = Some(at.deployed_to());
    apply.concurrency = Some(at.one_change_of(&expression("matrix.stack")));
    draft.add(NewJob {
        id: at.id(&format!("rollback-{KIND}")),
        model: apply,
        permissions: CHANGE,
        because: match approval {
            Approval::Always | Approval::Never => "Only where the plan has something to do.",
            Approval::Destructive => {
                "Only where the plan has something to do: nothing that destroys, unless it was approved."
            }
        },
        identity: Some(identity(at.target, AwsRole::Apply)),
        body: Body::TfApply(TfApply {
            earlier: Some(format!("{planned}.earlier")),
            image: image(&planned),
            approval: (approval != Approval::Never).then_some(approved),
            // There is no promotion that could be taken back.
            revert: None,
            ..at.apply_body(ASKED, planned, minutes)
        }),
        origin: at.origin(),
    });
    configure(project, draft, &at);
}

/// Configures the machines again that the stack has made anew, from another image.
fn configure(project: &Project, draft: &mut Draft<'_>, at: &InEnvironment<'_>) {
    let Some(ansible) = &project.ansible else { return };
    let id = at.id(&format!("rollback-{KIND}"));
    let chosen = format!(
        "inputs.what == '{KIND}/{}' && inputs.environment == '{}'",
        ansible.stack, at.environment.name
    );
    let passed = Passed::condition([], chosen).and(&Passed::jobs([id.as_str()]));
    draft.add(configure::job(draft, at, ansible, None, None, &passed));
}

/// A job over the one stack that was chosen, on the environment's runner.
fn model(draft: &Draft<'_>, at: &InEnvironment<'_>, job: &str, timeout_minutes: u16) -> model::Job {
    let title = format!("{job} {}", at.environment.name);
    let mut model = over(draft, &title, "needs.guard.outputs.target", timeout_minutes);
    model.runs_on = Some(Runner { group: None, labels: at.target.runner.clone() });
    model.needs = vec!["guard".to_owned()];
    model.env = state_env(at.terraform, at.target);
    model
}

/// The job works on the stack as the older commit has it.
fn work_on_earlier(model: &mut model::Job) {
    let directory = format!("{EARLIER}/{}", expression("matrix.directory"));
    model.env.insert("STACK_DIRECTORY".to_owned(), directory);
}
