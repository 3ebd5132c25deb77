//! `tf-drift`: whether what is there is still what was applied, by the clock and by hand.
//!
//! The jobs that look run the stacks' own code beside credentials, and so may write nothing at GitHub. The job that
//! keeps the issues checks nothing out and holds no identity.

use serde_json::json;

use super::Permission;
use super::body::{Body, DetectDrift, DriftReport};
use super::check_state::on_its_branch;
use super::credentials::{credentials, identity};
use super::draft::{Draft, NewJob};
use super::environment_jobs::{READ, inputs_of, publish, readable_targets, tooling};
use super::notify::{self, Told};
use super::stacks::{check_limits, over_all, run_unattended};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, OnDrift};
use crate::project::{Drift, Environment, EnvironmentStacks, Project};
use crate::workflow::{Concurrency, Level, Queue, Scope};

/// Waiting for a lock, and a plan.
const MINUTES: u16 = 20;

const KEEP_ISSUES: &[Permission] = &[Permission {
    scope: Scope::Issues,
    level: Level::Write,
    because: "keep one issue for each stack that has drifted",
}];

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(terraform) = &project.terraform else { return };
    let Some(wish) = project.workflows.get(draft.name()) else { return };
    run_unattended(draft);
    let targets = readable_targets(project, terraform);
    for &(environment, target) in &targets {
        let mut model = over_all(draft, terraform, environment, target, "detect", MINUTES);
        model.condition = on_its_branch(project, environment);
        // What was cancelled has no result, and a stack without one counts as an error.
        model.concurrency = Some(queued(format!("drift-{}-${{{{ matrix.stack }}}}", environment.name)));
        draft.add(NewJob {
            id: format!("detect-{}", environment.name),
            model,
            permissions: READ,
            because: "Only this branch may act on the environment; the clock starts runs on the default branch.",
            identity: Some(identity(target, AwsRole::Plan)),
            body: Body::DetectDrift(DetectDrift {
                tooling: tooling(terraform),
                environment: environment.name.to_string(),
                credentials: credentials(project, target, AwsRole::Plan, MINUTES),
                inputs: inputs_of(target),
                publish: publish(project),
                artifact_days: project.artifact_days,
            }),
            origin: Path::of(["environments", environment.name.as_str()]),
        });
    }
    let report = report(project, draft, &wish.drift, &targets);
    draft.add(report);
    if let Some(notify) = notify::outcome(project, draft, "Drift detection", OUTCOME) {
        draft.add(notify);
    }
}

/// One at a time; those that wait are not cancelled.
fn queued(group: String) -> Concurrency {
    Concurrency { queue: Queue::Max, ..Concurrency::group(group) }
}

const OUTCOME: Told = Told { condition: "always()", because: "Whatever became of the run." };

fn report(
    project: &Project,
    draft: &mut Draft<'_>,
    drift: &Drift,
    targets: &[(&Environment, &EnvironmentStacks)],
) -> NewJob {
    let expected: Vec<_> = targets
        .iter()
        .flat_map(|(environment, target)| target.stacks.iter().map(move |stack| (environment, stack)))
        .map(|(environment, stack)| {
            json!({ "environment": environment.name.as_str(), "stack": stack.stack, "branch": environment.branch })
        })
        .collect();
    let most = targets.iter().map(|(_, target)| target.stacks.len()).max().unwrap_or_default();
    check_limits(most, expected.iter().map(|entry| entry.to_string().len()).sum(), draft);
    let issues = drift.does.contains(&OnDrift::Issue);
    let mut model = draft.job("report", 10);
    model.needs = draft.job_ids().map(str::to_owned).collect();
    model.condition = Some("!cancelled()".to_owned());
    // Two runs at once would open two issues for one stack.
    model.concurrency = issues.then(|| queued(format!("{}-report", draft.name())));
    NewJob {
        id: "report".to_owned(),
        model,
        permissions: if issues { KEEP_ISSUES } else { &[] },
        because: "A job that died is something to report as well.",
        identity: None,
        body: Body::DriftReport(DriftReport {
            expected,
            on_drift: drift.does.clone(),
            issues,
            labels: drift.labels.iter().map(ToString::to_string).collect(),
            assignees: drift
                .assignees
                .iter()
                .map(|person| person.as_str().trim_start_matches('@').to_owned())
                .collect(),
            default_branch: project.default_branch.clone(),
        }),
        origin: Path::of(["workflows", draft.name().as_str()]),
    }
}
