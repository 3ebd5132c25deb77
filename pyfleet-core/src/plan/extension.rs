//! What the manifest's `extend` adds to a planned workflow.
//!
//! Extra jobs are part of the model as every job is, but have no template: they are laid out as they are. Extra steps
//! have their place in the text, behind or before a rendered step with an id; which of them there are is known when the
//! text is, and [`super::read_back`] says what has no place.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::body::Body;
use super::passed::Passed;
use super::{Plan, Workflow};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::expression;
use crate::expression::opens_in;
use crate::manifest::{AwsRole, SafetyLevel, Visibility};
use crate::project::{self, ExtraSteps, Project, Side, is_hosted, listed};
use crate::spelling::closest;
use crate::workflow::{Graph, Job, Level, PassedSecrets, Permissions, Scope};

/// What a workflow has of its owner's.
#[derive(Debug, Clone, Default)]
pub struct Extension {
    /// Steps beside rendered ones.
    pub steps: Vec<ExtraSteps>,
    /// Jobs with their steps, by id.
    pub jobs: IndexMap<String, OwnJob>,
}

/// A job of the owner's.
#[derive(Debug, Clone)]
pub struct OwnJob {
    /// All of it, as it is to be read back.
    pub model: Job,
    /// Where the manifest asks for it.
    pub origin: Path,
}

/// Scopes with which a job reports, and changes nothing that others run.
const REPORTING: &[Scope] =
    &[Scope::Checks, Scope::Issues, Scope::PullRequests, Scope::SecurityEvents, Scope::Statuses];

impl Workflow {
    /// The extra steps on one side of a rendered step, in order. Jobs that decide have none.
    pub fn extra_steps<'a>(
        &'a self,
        job: &'a str,
        step: &'a str,
        side: Side,
    ) -> impl Iterator<Item = &'a ExtraSteps> {
        let is_extensible = self.jobs.get(job).is_some_and(|job| !job.body.decides());
        self.extension.steps.iter().filter(move |own| {
            is_extensible
                && own.side == side
                && own.step == step
                && own.job.as_ref().is_none_or(|named| named == job)
        })
    }
}

impl Body {
    /// Whether it says what others do, so that nothing of anybody else's stands in it: its verdict would be whatever
    /// that leaves behind.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(
            self,
            Self::Approval(_)
                | Self::Changes(_)
                | Self::Decide(_)
                | Self::DeployApproval(_)
                | Self::DeployGuard(_)
                | Self::Gate(_)
                | Self::NewestCommit(_)
                | Self::PipelineGuard(_)
                | Self::RollbackGuard(_)
                | Self::TfAutoGuard(_)
                | Self::TfGuard(_)
        )
    }
}

/// Adds what the manifest extends a workflow with.
pub(super) fn extend(project: &Project, workflow: &mut Workflow, findings: &mut Diagnostics) {
    let Some(extension) = project.extensions.get(&workflow.name) else { return };
    workflow.extension.steps.clone_from(&extension.steps);
    for own in &extension.steps {
        for (index, step) in own.steps.iter().enumerate() {
            if project.level < SafetyLevel::READS && reads_secrets(step) {
                findings.push(exceeded(project, own.origin.index(index), "a secret", SafetyLevel::READS));
            }
        }
    }
    let mut own: Vec<(&str, &project::ExtraJob)> = Vec::new();
    for (id, job) in &extension.jobs {
        match workflow.jobs.get_key_value(id.as_str()) {
            Some((_, other)) => findings.push(
                Diagnostic::error(
                    "name-collision",
                    Place::key(job.origin.clone()),
                    format!("pyfleet renders a job with the id `{id}`"),
                )
                .with_label(Place::key(other.origin.clone()), "this one asks for it")
                .with_help("choose another id"),
            ),
            None => own.push((id.as_str(), job)),
        }
    }
    let known: Vec<String> =
        workflow.jobs.keys().cloned().chain(own.iter().map(|(id, _)| (*id).to_owned())).collect();
    for (id, job) in &own {
        check_after(id, job, &known, findings);
        check(project, workflow, job, findings);
        let mut model = job.job.clone();
        model.condition = condition(job, findings);
        if !job.after.is_empty() {
            Passed::jobs(job.after.iter().map(String::as_str)).stand_before(&mut model);
        }
        workflow.model.jobs.insert((*id).to_owned(), Job { steps: Vec::new(), ..model.clone() });
        workflow.extension.jobs.insert((*id).to_owned(), OwnJob { model, origin: job.origin.clone() });
    }
    for id in ["notify", "gate"] {
        count_in(workflow, id, &own);
    }
}

fn check_after(id: &str, job: &project::ExtraJob, known: &[String], findings: &mut Diagnostics) {
    for (index, after) in job.after.iter().enumerate() {
        let others = || known.iter().map(String::as_str).filter(|other| *other != id);
        if others().any(|other| other == after) {
            continue;
        }
        // One name may stand there without a list.
        let place = job.origin.key("after");
        let place = if job.after.len() > 1 { place.index(index) } else { place };
        let finding = Diagnostic::error("unknown-reference", place, "there is no job with this id");
        let finding = match closest(after, others()) {
            Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
            None => finding,
        };
        findings.push(finding.with_help(format!("the jobs are {}", listed(others()))));
    }
}

/// What an extra job may not be, or only with more said.
fn check(project: &Project, workflow: &Workflow, own: &project::ExtraJob, findings: &mut Diagnostics) {
    let place = own.origin.key("job");
    let job = &own.job;
    if !job.needs.is_empty() {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(place.key("needs")),
                "what it stands behind is said once, by `after`",
            )
            .with_help(
                "move the ids to `after`, beside `job`: the outputs of those jobs are in `needs` as ever",
            ),
        );
    }
    if job.uses.is_none() && job.steps.is_empty() {
        findings.push(Diagnostic::error("missing-key", Place::key(place.clone()), "a job has `steps`"));
    }
    if job.secrets == Some(PassedSecrets::Inherit) {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                place.key("secrets"),
                "`inherit` hands every secret over, also those that are added later",
            )
            .with_help("list those that the workflow uses"),
        );
    }
    let mut needs = |is_used: bool, place: Path, what: &str, level: SafetyLevel| {
        if is_used && project.level < level {
            findings.push(exceeded(project, place, what, level));
        }
    };
    for scope in writes(job).into_iter().filter(|scope| !REPORTING.contains(scope)) {
        let level = if scope == Scope::IdToken { SafetyLevel::READS } else { SafetyLevel::WRITES };
        needs(true, place.key("permissions"), &format!("writing `{scope}`"), level);
    }
    needs(job.environment.is_some(), place.key("environment"), "an environment", SafetyLevel::READS);
    needs(reads_secrets(job), place.clone(), "a secret", SafetyLevel::READS);
    let is_foreign =
        job.runs_on.as_ref().is_some_and(|runner| runner.group.is_some() || !is_hosted(&runner.labels));
    if is_foreign && workflow.model.on.pull_request.is_some() {
        findings.push(if project.visibility == Visibility::Public {
            Diagnostic::error(
                "pull-request-on-self-hosted",
                place.key("runs-on"),
                "anybody's pull request would run its code on your own machine: this is none of GitHub's hosted runners",
            )
            .with_help("use a hosted runner here")
        } else {
            Diagnostic::warning(
                "pull-request-on-self-hosted",
                place.key("runs-on"),
                "pull requests run their code on your own machine",
            )
            .with_help("use runners that are thrown away after one job, or a hosted runner")
        });
    }
}

fn exceeded(project: &Project, place: Path, what: &str, level: SafetyLevel) -> Diagnostic {
    let message = format!(
        "{what} needs safety level {}, and the project is at {}",
        level.number(),
        project.level.number()
    );
    Diagnostic::error("level-exceeded", Place::key(place), message)
        .with_help("raise `safety-level`, or take it out")
}

/// Whether an expression of a step or a job reads a secret.
fn reads_secrets<T: serde::Serialize>(own: &T) -> bool {
    fn reads(value: &Json) -> bool {
        match value {
            Json::String(text) => expression::embedded(text)
                .0
                .iter()
                .flat_map(|embedded| embedded.expression.contexts())
                .any(|access| access.is_within(&["secrets"])),
            Json::Array(items) => items.iter().any(reads),
            Json::Object(entries) => entries.values().any(reads),
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
    }
    // What has no JSON form has no expression.
    reads(&serde_json::to_value(own).unwrap_or_default())
}

/// The condition of an extra job without its marks. Status functions are refused: `after` says what must have
/// succeeded, and a job that runs behind a failure is what notifications are for.
fn condition(own: &project::ExtraJob, findings: &mut Diagnostics) -> Option<String> {
    const STATUS: &[&str] = &["always", "cancelled", "failure", "success"];
    let text = own.job.condition.as_ref()?;
    let place = own.origin.key("job").key("if");
    match expression::condition(text) {
        Ok(parsed) => {
            let calls = parsed.calls();
            if let Some(call) =
                calls.iter().find(|call| STATUS.iter().any(|name| call.function.eq_ignore_ascii_case(name)))
            {
                findings.push(
                    Diagnostic::error(
                        "invalid-value",
                        Place::within(place, call.expression.span.clone()),
                        "an extra job runs where those of `after` succeeded, and nowhere else",
                    )
                    .with_help("take the function out; `notify` tells of runs that failed"),
                );
            }
            // A job without `after` keeps what is written.
            Some(if own.after.is_empty() { text.clone() } else { parsed.to_string() })
        }
        Err(mistakes) => {
            for mistake in mistakes {
                findings.push(Diagnostic::error(
                    "expression",
                    Place::within(place.clone(), mistake.span.clone()),
                    mistake.to_string(),
                ));
            }
            None
        }
    }
}

/// Lets a job that looks at all others look at these as well, but for those behind it. The gate lets one be skipped
/// where its own condition, or one before it, says so.
fn count_in(workflow: &mut Workflow, id: &str, own: &[(&str, &project::ExtraJob)]) {
    let Some(all) = workflow.model.jobs.get(id) else { return };
    let graph = Graph::of(&workflow.model);
    let ahead: Vec<&(&str, &project::ExtraJob)> = own
        .iter()
        .filter(|(own, _)| {
            !graph.ancestors(own).contains(&id) && !all.needs.iter().any(|needed| needed == own)
        })
        .collect();
    let needs: Vec<String> = ahead.iter().map(|(id, _)| (*id).to_owned()).collect();
    if let Some(Body::Gate(gate)) = workflow.jobs.get_mut(id).map(|job| &mut job.body) {
        let mut may_skip: Vec<String> = gate.may_skip.split_whitespace().map(str::to_owned).collect();
        // As often as there are jobs: each may stand behind any other.
        for _ in &ahead {
            for (id, job) in &ahead {
                let may =
                    job.job.condition.is_some() || job.after.iter().any(|after| may_skip.contains(after));
                if may && !may_skip.iter().any(|known| known == id) {
                    may_skip.push((*id).to_owned());
                }
            }
        }
        gate.may_skip = may_skip.join(" ");
    }
    if let Some(all) = workflow.model.jobs.get_mut(id) {
        all.needs.extend(needs);
    }
}

/// What an extra job may do with its token, of what changes something.
fn writes(job: &Job) -> Vec<Scope> {
    match &job.permissions {
        // `write-all` is refused by a rule; the worst of it stands for all.
        Some(Permissions::WriteAll) => vec![Scope::Contents, Scope::IdToken],
        Some(Permissions::Scopes(scopes)) => {
            scopes.iter().filter(|(_, level)| **level == Level::Write).map(|(scope, _)| *scope).collect()
        }
        Some(Permissions::ReadAll) | None => Vec::new(),
    }
}

/// Extra jobs beside all workflows that there are: whose token would open a role, and which stand in an environment
/// of pyfleet's.
///
/// A role trusts the subject of a token, and the workflow's file where pull requests cannot edit that. An extra job has
/// both: it stands in the file, and says which environment it is in.
pub(super) fn judge(plan: &Plan, findings: &mut Diagnostics) {
    for workflow in &plan.workflows {
        for own in workflow.extension.jobs.values() {
            let environment = own.model.environment.as_ref().map(|environment| environment.name.as_str());
            let place = own.origin.key("job");
            if writes(&own.model).contains(&Scope::IdToken)
                && let Some(role) = opened(plan, workflow, environment)
            {
                findings.push(
                    Diagnostic::error(
                        "extension-opens-role",
                        place.key("permissions"),
                        format!("its token would open the role {role}: what that trusts is true of this job as well"),
                    )
                    .with_help(
                        "take `id-token` out, or do it in a workflow of your own that is not rendered",
                    ),
                );
            }
            if let Some(name) = environment
                && environments(plan).any(|other| other.eq_ignore_ascii_case(name))
            {
                findings.push(
                    Diagnostic::warning(
                        "extension-in-environment",
                        place.key("environment"),
                        "it can read this environment's secrets, and nobody is asked before",
                    )
                    .with_help("use an environment of its own, or name the job that asks in `after`"),
                );
            }
        }
    }
}

/// The role that a token of an extra job opens.
fn opened(plan: &Plan, own: &Workflow, environment: Option<&str>) -> Option<String> {
    let is_expression = environment.is_some_and(opens_in);
    for workflow in &plan.workflows {
        for (id, job) in &workflow.jobs {
            let Some(identity) = &job.identity else { continue };
            let trusted = workflow.model.jobs.get(id).and_then(|job| job.environment.as_ref());
            let is_open = match (identity.purpose, environment) {
                (AwsRole::PullRequestPlan, None) => own.model.on.pull_request.is_some(),
                (AwsRole::PullRequestPlan, Some(_)) => false,
                (_, None) => false,
                // The file decides as well, but a role may be named by hand, and its trust be anybody's.
                (_, Some(name)) => {
                    trusted.is_some_and(|trusted| trusted.name.eq_ignore_ascii_case(name)) || is_expression
                }
            };
            if is_open {
                return Some(format!("`{}` of `{}`", identity.purpose.name(), identity.environment));
            }
        }
    }
    None
}

/// The environments of GitHub in which rendered jobs run.
fn environments(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.workflows.iter().flat_map(|workflow| {
        workflow
            .jobs
            .keys()
            .filter_map(|id| Some(workflow.model.jobs.get(id)?.environment.as_ref()?.name.as_str()))
    })
}
