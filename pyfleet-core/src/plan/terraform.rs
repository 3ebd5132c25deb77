//! `terraform`: the stacks that a pull request concerns are checked, scanned and priced, and planned where the
//! level and the environment allow it; nothing is applied.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::Permission;
use super::body::{Body, Changes, Target, TerraformComment, TerraformPlan, TerraformScan, TerraformStatic};
use super::build::{always, changes_job};
use super::code_scanning;
use super::condition::{OWN_PULL_REQUEST, expression};
use super::cost;
use super::credentials::{IDENTITY, credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::environment_jobs::{inputs_of, publish, scan_body, tooling};
use super::stacks::{check_limits, over, run_unattended};
use crate::diagnostic::Path;
use crate::manifest::AwsRole;
use crate::project::{Cost, EnvironmentStacks, Project, Terraform};
use crate::workflow::{self as model, Level, Runner, Scope};

const PLAN: &[Permission] = &[CHECK_OUT, IDENTITY];
const COMMENT: &[Permission] = &[Permission {
    scope: Scope::PullRequests,
    level: Level::Write,
    because: "write the comment; nothing of the pull request runs here",
}];

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(terraform) = &project.terraform else { return };
    run_unattended(draft);
    let plans: &[EnvironmentStacks] = if draft.runs_for_pull_requests() { &terraform.plans } else { &[] };
    let matrices = matrices(terraform, plans);
    let bytes = matrices.values().flatten().map(|entry| entry.to_string().len() + 8).sum();
    check_limits(matrices.values().map(Vec::len).max().unwrap_or_default(), bytes, draft);
    let outputs: Vec<&str> = matrices.keys().map(String::as_str).collect();
    let body = Changes {
        targets: changed_by(terraform),
        always: always(draft),
        notes: notes(terraform),
        matrices: Some(matrices.clone()),
        pull_requests: draft.runs_for_pull_requests(),
        follows_modules: true,
        compares_pushes: false,
    };
    draft.add(changes_job(draft, body, &outputs));

    let origin = Path::of(["terraform"]);
    let static_body = TerraformStatic { tooling: tooling(terraform), has_tests: terraform.has_tests };
    let mut model = over_stacks(draft, "static", "static", project.timeout_minutes);
    model.env.extend([stack_directory()]);
    draft.add(NewJob {
        id: "static".to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because: "Only where a stack changed: an empty matrix is an error.",
        identity: None,
        body: Body::TerraformStatic(static_body),
        origin: origin.clone(),
    });
    draft.add(NewJob {
        id: "scan".to_owned(),
        model: over_stacks(draft, "scan", "static", 15),
        permissions: &[CHECK_OUT],
        because: "Only where a stack changed: an empty matrix is an error.",
        identity: None,
        body: Body::TerraformScan(TerraformScan {
            sarif: code_scanning::is_available(project),
            ..scan_body(project, terraform)
        }),
        origin: origin.key("scan"),
    });
    if code_scanning::is_available(project) {
        let mut model = over_stacks(draft, "code scanning", "static", 10);
        // Without the implicit `success()`, what it would have asked has to be said.
        let ran = "needs.changes.result == 'success' && needs.scan.result != 'skipped'";
        model.condition = model.condition.map(|condition| format!("{ran} && {condition}"));
        model.needs.push("scan".to_owned());
        let scanner = scan_body(project, terraform).scanner;
        let category = format!("{}-config-${{{{ matrix.stack }}}}", scanner.name());
        draft.add(code_scanning::job(
            draft,
            "code-scanning".to_owned(),
            model,
            "scan_${{ matrix.stack }}",
            &category,
            origin.key("scan"),
        ));
    }
    let mut planned = Vec::new();
    for environment in plans {
        let job = plan_job(project, draft, terraform, environment);
        planned.push(job.id.clone());
        draft.add(job);
    }
    if let Some(cost) = &terraform.cost {
        let values = cost.stacks.iter().flat_map(|stack| stack.variables.values());
        let model = over_stacks(draft, "cost", cost::JOB, cost::MINUTES);
        let because = "Only where a stack changed: an empty matrix is an error.";
        draft.add(cost::job(project, cost, model, because, "matrix.environment", values));
    }
    let is_commented = draft.runs_for_pull_requests() && (terraform.cost.is_some() || !planned.is_empty());
    if is_commented {
        draft.add(comment_job(draft, planned, terraform.cost.as_ref()));
    }
    draft.add_gate(&["code-scanning", "comment"]);
}

/// The stacks, and the paths that concern each.
pub(super) fn changed_by(terraform: &Terraform) -> Vec<Target> {
    terraform
        .stacks
        .iter()
        .map(|(name, stack)| {
            let mut paths = vec![stack.directory.normal().to_owned()];
            paths.extend(stack.var_files.iter().cloned());
            Target { name: name.to_string(), paths }
        })
        .collect()
}

/// What each job's matrix is made of: every stack for the static checks and for the cost, and for each environment the
/// stacks that are planned, with all that the plan needs to know.
fn matrices(terraform: &Terraform, plans: &[EnvironmentStacks]) -> BTreeMap<String, Vec<Json>> {
    let every = terraform
        .stacks
        .iter()
        .map(|(name, stack)| json!({ "stack": name.as_str(), "directory": stack.directory.normal() }))
        .collect();
    let mut matrices = BTreeMap::from([("static".to_owned(), every)]);
    if let Some(cost) = &terraform.cost {
        matrices.insert(cost::JOB.to_owned(), cost.stacks.iter().map(|stack| json!(stack)).collect());
    }
    for environment in plans {
        let stacks = environment.stacks.iter().map(|stack| json!(stack)).collect();
        matrices.insert(format!("plan-{}", environment.environment), stacks);
    }
    matrices
}

fn notes(terraform: &Terraform) -> Option<String> {
    let lines: Vec<String> = terraform
        .not_planned
        .iter()
        .map(|left| {
            format!("{} in {} is not planned on pull requests: {}", left.stack, left.environment, left.reason)
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A job that runs once for each entry of one of the changes job's outputs.
fn over_stacks(draft: &Draft<'_>, name: &str, output: &str, timeout_minutes: u16) -> model::Job {
    let mut model = over(draft, name, &format!("needs.changes.outputs.{output}"), timeout_minutes);
    model.needs = vec!["changes".to_owned()];
    model.condition = Some(format!("needs.changes.outputs.{output} != '[]'"));
    model
}

/// Where the stack lies, for steps that run its tool.
fn stack_directory() -> (String, String) {
    ("STACK_DIRECTORY".to_owned(), expression("matrix.directory"))
}

fn plan_job(
    project: &Project,
    draft: &Draft<'_>,
    terraform: &Terraform,
    environment: &EnvironmentStacks,
) -> NewJob {
    let id = format!("plan-{}", environment.environment);
    let mut model =
        over_stacks(draft, &format!("plan {}", environment.environment), &id, project.timeout_minutes);
    model.condition = Some(format!("{OWN_PULL_REQUEST} && needs.changes.outputs.{id} != '[]'"));
    model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
    let command = tooling(terraform).command;
    model.env.extend([
        ("TF_COMMAND".to_owned(), command.to_owned()),
        ("ENVIRONMENT".to_owned(), environment.environment.to_string()),
        ("STACK".to_owned(), expression("matrix.stack")),
        stack_directory(),
    ]);
    model.env.extend(
        [("AWS_RETRY_MODE", "standard"), ("AWS_MAX_ATTEMPTS", "5"), ("AWS_PAGER", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let body = TerraformPlan {
        tooling: tooling(terraform),
        environment: environment.environment.to_string(),
        credentials: credentials(project, environment, AwsRole::PullRequestPlan, project.timeout_minutes),
        inputs: inputs_of(environment),
        publish: publish(project),
        artifact_days: project.artifact_days,
    };
    NewJob {
        id,
        model,
        permissions: PLAN,
        because: "A fork and Dependabot get no identity, and their code none of ours.",
        identity: Some(identity(environment, AwsRole::PullRequestPlan)),
        body: Body::TerraformPlan(body),
        origin: Path::of(["terraform"]).key("pull-request-plan"),
    }
}

fn comment_job(draft: &Draft<'_>, planned: Vec<String>, cost: Option<&Cost>) -> NewJob {
    let ended = |id: &String| {
        ["success", "failure"].map(|result| format!("needs.{id}.result == '{result}'")).join(" || ")
    };
    let plans = (!planned.is_empty()).then(|| planned.iter().map(ended).collect::<Vec<_>>().join(" || "));
    let mut model = draft.job("comment", 10);
    let any: Vec<String> =
        plans.clone().into_iter().chain(cost.map(|_| ended(&cost::JOB.to_owned()))).collect();
    let any = any.join(" || ");
    // Plans are only made where comments can be written; estimates are tried everywhere.
    model.condition = Some(expression(&match cost {
        None => format!("!cancelled() && ({any})"),
        Some(_) => format!("!cancelled() && {OWN_PULL_REQUEST} && ({any})"),
    }));
    model.needs = planned;
    model.needs.extend(cost.map(|_| cost::JOB.to_owned()));
    let origin = Path::of(["terraform"]);
    NewJob {
        id: "comment".to_owned(),
        model,
        permissions: COMMENT,
        because: match cost {
            None => "Where anything was planned: one stack's failure does not hide the others' plans.",
            Some(_) => {
                "Where anything was planned or estimated, whatever failed; a fork's token cannot write."
            }
        },
        identity: None,
        origin: if plans.is_some() { origin.key("pull-request-plan") } else { origin.key("cost") },
        body: Body::TerraformComment(TerraformComment { plans, cost: cost.map(cost::comment) }),
    }
}
