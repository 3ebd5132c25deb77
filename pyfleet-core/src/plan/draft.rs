//! A workflow while it is being planned.

use indexmap::IndexMap;

use super::body::Body;
use super::condition::MAY_HOLD_SECRETS;
use super::{Identity, Job, Permission, Workflow, file_of, trigger};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{Kind, Slug};
use crate::project::{Project, WorkflowWish};
use crate::workflow as model;
use crate::workflow::{Concurrency, Dispatch, Input, Level, OrExpression, Permissions, Runner, Scope};

/// Checks out the commit.
pub(super) const CHECK_OUT: Permission =
    Permission { scope: Scope::Contents, level: Level::Read, because: "check out the commit" };

/// What a new job needs besides its model.
pub(super) struct NewJob {
    pub(super) id: String,
    pub(super) model: model::Job,
    pub(super) permissions: &'static [Permission],
    pub(super) because: &'static str,
    pub(super) identity: Option<Identity>,
    pub(super) body: Body,
    pub(super) origin: Path,
}

/// A workflow while it is being planned.
pub(super) struct Draft<'a> {
    workflow: Workflow,
    project: &'a Project,
    findings: &'a mut Diagnostics,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        project: &'a Project,
        name: &Slug,
        kind: Kind,
        wish: &WorkflowWish,
        findings: &'a mut Diagnostics,
    ) -> Self {
        let origin = Path::of(["workflows", name.as_str()]);
        let on = trigger::resolve(project, kind, wish, &origin, findings);
        let model = model::Workflow {
            name: Some(title(name.as_str())),
            permissions: Some(Permissions::none()),
            defaults: Some(model::Defaults {
                run: model::RunDefaults { shell: Some("bash".to_owned()), ..model::RunDefaults::default() },
            }),
            // Only pull requests make older runs pointless.
            concurrency: on.pull_request.is_some().then(|| Concurrency {
                cancel_in_progress: OrExpression::Literal(true),
                ..Concurrency::group(format!(
                    "{name}-${{{{ github.event.pull_request.number || github.run_id }}}}"
                ))
            }),
            on,
            ..model::Workflow::default()
        };
        let workflow = Workflow {
            file: file_of(name),
            name: name.clone(),
            kind,
            gate: None,
            auto: wish.auto.clone(),
            model,
            jobs: IndexMap::new(),
            extension: super::Extension::default(),
            origin,
        };
        Self { workflow, project, findings }
    }

    /// The workflow's name in the manifest.
    pub(super) fn name(&self) -> &Slug {
        &self.workflow.name
    }

    /// Whether pull requests start it.
    pub(super) const fn runs_for_pull_requests(&self) -> bool {
        self.workflow.model.on.pull_request.is_some()
    }

    /// Whether a person can start it.
    pub(super) const fn is_started_by_hand(&self) -> bool {
        self.workflow.model.on.workflow_dispatch.is_some()
    }

    /// Whether the clock starts it.
    pub(super) const fn is_started_by_the_clock(&self) -> bool {
        !self.workflow.model.on.schedule.is_empty()
    }

    /// The condition under which a run may hold secrets or write, where not every run may.
    pub(super) fn may_hold_secrets(&self) -> Option<String> {
        self.runs_for_pull_requests().then(|| MAY_HOLD_SECRETS.to_owned())
    }

    /// The workflow's file.
    pub(super) fn file(&self) -> &str {
        &self.workflow.file
    }

    /// Reports what is wrong with the plan.
    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Lets a person start it, who is asked for inputs.
    pub(super) fn start_by_hand(&mut self, inputs: IndexMap<String, Input>) {
        self.workflow.model.on.workflow_dispatch = Some(Dispatch { inputs });
    }

    /// The jobs that there are so far.
    pub(super) fn job_ids(&self) -> impl Iterator<Item = &str> {
        self.workflow.jobs.keys().map(String::as_str)
    }

    /// Environment variables of every job.
    pub(super) fn env(&mut self, name: &str, value: &str) {
        self.workflow.model.env.insert(name.to_owned(), value.to_owned());
    }

    /// A job on the project's runner that may take this long.
    pub(super) fn job(&self, name: impl Into<String>, timeout_minutes: u16) -> model::Job {
        model::Job {
            name: Some(name.into()),
            runs_on: Some(Runner { group: None, labels: self.project.runner.clone() }),
            timeout_minutes: Some(OrExpression::Literal(u64::from(timeout_minutes))),
            ..model::Job::default()
        }
    }

    /// Adds a job. Its permissions are written once, with their reasons; the model follows.
    pub(super) fn add(&mut self, new: NewJob) {
        let NewJob { id, mut model, permissions, because, identity, body, origin } = new;
        if let Some(other) = self.workflow.jobs.get(&id) {
            self.findings.push(
                Diagnostic::error(
                    "name-collision",
                    Place::key(origin),
                    format!("two jobs would have the id `{id}`"),
                )
                .with_label(Place::key(other.origin.clone()), "the other one")
                .with_help("choose another name for one of them"),
            );
            return;
        }
        model.permissions = Some(Permissions::of(permissions.iter().map(|one| (one.scope, one.level))));
        self.workflow.model.jobs.insert(id.clone(), model);
        self.workflow
            .jobs
            .insert(id, Job { permissions: permissions.to_vec(), because, identity, body, origin });
    }

    /// Adds the job that branch protection should require: it needs every job but those that only report,
    /// and lets no job be skipped but those whose own condition says so, and those behind them.
    pub(super) fn add_gate(&mut self, reporting: &[&str]) {
        let jobs = &self.workflow.model.jobs;
        let needs: Vec<String> =
            jobs.keys().filter(|id| !reporting.contains(&id.as_str())).cloned().collect();
        let mut may_skip: Vec<&str> = Vec::new();
        for id in &needs {
            let Some(job) = jobs.get(id) else { continue };
            let behind = job.needs.iter().any(|needed| may_skip.contains(&needed.as_str()));
            if job.condition.is_some() || behind {
                may_skip.push(id);
            }
        }
        let body = Body::Gate(super::Gate { may_skip: may_skip.join(" ") });
        let gate = format!("{} gate", self.workflow.name);
        let mut model = self.job(gate.clone(), 5);
        self.workflow.gate = Some(gate);
        model.needs = needs;
        model.condition = Some("always()".to_owned());
        let origin = self.workflow.origin.clone();
        let because = "The required check must not be skipped: GitHub counts a skipped check as passed.";
        self.add(NewJob {
            id: "gate".to_owned(),
            model,
            permissions: &[],
            because,
            identity: None,
            body,
            origin,
        });
    }

    /// Changes the model of a job that is there.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut model::Job)) {
        if let Some(job) = self.workflow.model.jobs.get_mut(id) {
            change(job);
        }
    }

    pub(super) fn finish(self) -> Workflow {
        self.workflow
    }
}

/// `tf-auto` as a title: `Tf auto`.
fn title(name: &str) -> String {
    let mut words = name.replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
