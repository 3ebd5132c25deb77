//! `tf-drift`: whether what is there is still what was applied, by the clock and by hand.
//!
//! The jobs that look run the stacks' own code beside credentials, and so may write nothing at GitHub. The job that
//! keeps the issues checks nothing out and holds no identity.
//!
//! What CDKTF synthesises is synthesised again, without any right, with the images that it was applied with last: one job
//! reads them from the record before, another one plans behind it.

use std::collections::BTreeSet;

use serde_json::json;

use super::Permission;
use super::body::{Body, CdktfSynth, DetectDrift, DriftReport, RecordedImage, RecordedImages};
use super::check_state::on_its_branch;
use super::condition::expression;
use super::credentials::{credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::environment_jobs::{
    InEnvironment, READ, aws_env, inputs_of, publish, readable_targets, reading_environment, tooling,
};
use super::notify::{self, Told};
use super::passed::Passed;
use super::registry::Access;
use super::stacks::{check_limits, over, over_all, run_unattended, state_env};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, OnDrift};
use crate::project::{Drift, Environment, EnvironmentStacks, Project, StackSettings, image_variable};
use crate::workflow::{self as model, Concurrency, Level, Queue, Runner, Scope};

/// Waiting for a lock, and a plan.
const MINUTES: u16 = 20;
const ON_ITS_BRANCH: &str =
    "Only this branch may act on the environment; the clock starts runs on the default branch.";

/// Reading records.
const RECORD_MINUTES: u16 = 10;

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
        let (synthesised, written): (Vec<_>, Vec<_>) =
            target.stacks.iter().cloned().partition(|stack| stack.synthesised);
        if !written.is_empty() {
            let target = &EnvironmentStacks { stacks: written, ..target.clone() };
            let mut model = over_all(draft, terraform, environment, target, "detect", MINUTES);
            model.condition = on_its_branch(project, environment);
            let at = InEnvironment { project, terraform, environment, target };
            detect(draft, &at, at.id("detect"), ON_ITS_BRANCH, model);
        }
        // The version of Node stands in the text of a job: stacks with another one have jobs of their own.
        let node = |stack: &StackSettings| Some(&terraform.synthesised.get(stack.stack.as_str())?.node);
        let versions: BTreeSet<_> = synthesised.iter().filter_map(node).collect();
        for version in &versions {
            let stacks = synthesised.iter().filter(|stack| node(stack) == Some(version));
            let target = &EnvironmentStacks { stacks: stacks.cloned().collect(), ..target.clone() };
            let suffix = match versions.len() {
                1 => String::new(),
                _ => format!("-node-{}", version.replace('.', "-")),
            };
            let at = InEnvironment { project, terraform, environment, target };
            detect_synthesised(draft, &at, version, &suffix);
        }
    }
    let report = report(project, draft, &wish.drift, &targets);
    draft.add(report);
    if let Some(notify) = notify::outcome(project, draft, "Drift detection", OUTCOME) {
        draft.add(notify);
    }
}

/// Adds the job that looks for drift in stacks whose sources are there.
fn detect(
    draft: &mut Draft<'_>,
    at: &InEnvironment<'_>,
    id: String,
    because: &'static str,
    mut model: model::Job,
) {
    let (project, target) = (at.project, at.target);
    // What was cancelled has no result, and a stack without one counts as an error.
    model.concurrency = Some(queued(format!("drift-{}-${{{{ matrix.stack }}}}", at.environment.name)));
    let image = project.packer.as_ref().map(|packer| RecordedImage {
        stack: packer.stack.to_string(),
        variable: packer.output_variable.clone(),
    });
    let takes_it = |image: &RecordedImage| target.stacks.iter().any(|stack| stack.stack == image.stack);
    draft.add(NewJob {
        id,
        model,
        permissions: READ,
        because,
        identity: Some(identity(target, AwsRole::Plan)),
        body: Body::DetectDrift(DetectDrift {
            tooling: tooling(at.terraform),
            environment: at.environment.name.to_string(),
            credentials: credentials(project, target, AwsRole::Plan, MINUTES),
            synthesised: target.stacks.iter().any(|stack| stack.synthesised),
            image: image.filter(takes_it),
            inputs: inputs_of(target),
            publish: publish(project),
            artifact_days: project.artifact_days,
        }),
        origin: at.origin(),
    });
}

/// Adds the jobs that find the images of stacks, synthesise them with these, and look for drift in what comes out.
fn detect_synthesised(draft: &mut Draft<'_>, at: &InEnvironment<'_>, node: &str, suffix: &str) {
    let (project, environment, target) = (at.project, at.environment, at.target);
    let variables: Vec<String> = project
        .images
        .iter()
        .filter(|(_, image)| Access::kept(image, environment).is_some())
        .map(|(name, _)| image_variable(name))
        .collect();
    let id = |job: &str| format!("{}{suffix}", at.id(job));
    let recorded = id("recorded");
    let mut model = draft.job(format!("find the images of {}", environment.name), RECORD_MINUTES);
    model.runs_on = Some(Runner { group: None, labels: target.runner.clone() });
    model.condition = on_its_branch(project, environment);
    model.environment = Some(reading_environment(environment));
    // Every stack of an environment has the same bucket.
    let bucket = target.stacks.iter().find_map(|stack| stack.backend.get("bucket")).cloned();
    let env = [
        ("ENVIRONMENT", environment.name.to_string()),
        ("TF_STATE_BUCKET", bucket.unwrap_or_default()),
        ("EXPECTED_ACCOUNT_ID", target.account_id.clone()),
    ];
    model.env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(aws_env()).collect();
    model.outputs.insert("stacks".to_owned(), expression("steps.recorded.outputs.stacks"));
    let entry = |stack: &StackSettings| {
        let own = at.terraform.synthesised.get(stack.stack.as_str())?;
        let mut entry = json!(own);
        let entries = entry.as_object_mut()?;
        entries.extend(json!(stack).as_object()?.clone());
        entries.insert("sources".to_owned(), json!([own.program, own.lock_file]));
        Some(entry)
    };
    draft.add(NewJob {
        id: recorded.clone(),
        model,
        permissions: READ,
        because: ON_ITS_BRANCH,
        identity: Some(identity(target, AwsRole::Plan)),
        body: Body::RecordedImages(RecordedImages {
            results: format!("drift_{}{suffix}", environment.name),
            credentials: credentials(project, target, AwsRole::Plan, RECORD_MINUTES),
            images: variables.clone(),
            stacks: target.stacks.iter().filter_map(entry).collect(),
            artifact_days: project.artifact_days,
        }),
        origin: at.origin(),
    });

    let list = format!("needs.{recorded}.outputs.stacks");
    let some = Passed::jobs([recorded.as_str()])
        .and(&Passed::condition([recorded.clone()], format!("{list} != '[]'")));
    let synth = id("synth");
    let mut model = over(draft, &format!("synthesise {}", environment.name), &list, project.timeout_minutes);
    model.runs_on = Some(Runner { group: None, labels: target.runner.clone() });
    some.stand_before(&mut model);
    draft.add(NewJob {
        id: synth.clone(),
        model,
        permissions: &[CHECK_OUT],
        because: "Only what was applied before can be synthesised as it was applied.",
        identity: None,
        body: Body::CdktfSynth(CdktfSynth {
            environment: environment.name.to_string(),
            node: Some(node.to_owned()),
            images: variables
                .into_iter()
                .map(|name| (name.clone(), expression(&format!("matrix.recorded.{name}"))))
                .collect(),
            scan: None,
        }),
        origin: Path::of(["terraform", "stacks"]),
    });

    let mut model = over(draft, &format!("detect {}", environment.name), &list, MINUTES);
    model.runs_on = Some(Runner { group: None, labels: target.runner.clone() });
    model.environment = Some(reading_environment(environment));
    model.env = state_env(at.terraform, target);
    let synthesised = Passed::condition(
        [synth.clone()],
        format!("contains(fromJSON('[\"success\",\"failure\"]'), needs.{synth}.result)"),
    );
    some.and(&synthesised).stand_before(&mut model);
    let because =
        "A stack that could not be synthesised hides no other: it leaves no result, which is an error.";
    detect(draft, at, id("detect-synthesised"), because, model);
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
