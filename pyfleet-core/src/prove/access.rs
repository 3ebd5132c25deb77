//! Which jobs get into which environment.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Path};
use crate::expression::opens_in;
use crate::manifest::AwsRole;
use crate::oidc::{Identity, identities};
use crate::plan::{self, Plan};
use crate::project::{Environment, Project};
use crate::simulate::{Despite, Simulator, Way};
use crate::workflow::{Job, Level, Scope, Uses, Workflow};

/// A job that gets what an environment holds.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its workflow file.
    pub file: String,
    /// Its id.
    pub job: String,
    /// The GitHub environment that it runs in, as it is written; nothing for a job of pull requests, whose token the role
    /// for their plans trusts.
    pub environment: Option<String>,
    /// What it gets.
    pub door: Door,
    /// Whether the manifest plans it, or extends a workflow with it.
    pub is_planned: bool,
    /// The events on which it may run, each once.
    pub events: Vec<String>,
    /// The jobs without whose success it never runs, each after those that it needs.
    pub after: Vec<String>,
    /// Those of them that have waited for the environment's reviewers, and the job itself if it does.
    pub reviewed_by: Vec<String>,
    /// Of other jobs that it waits for, how it may run without them.
    pub(super) despite: BTreeMap<String, Despite>,
    /// The jobs of its workflow that wait for the environment's reviewers.
    pub(super) asking: Vec<String>,
}

/// How a job gets in, and so what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// It runs where secrets lie, and roles trust its token, that can change the environment; or where a run decides.
    Changes,
    /// It runs where they can read it.
    Reads,
    /// A pull request starts it, and it may ask for a token: the role for plans of pull requests trusts that, and reads.
    PullRequests,
}

/// What was found in all files.
pub(super) struct Reached {
    /// Of each environment.
    pub(super) accesses: Vec<Vec<Access>>,
    /// Workflows of others that are called: what their jobs run in is not known.
    pub(super) called: BTreeSet<String>,
    pub(super) findings: Vec<(String, Diagnostic)>,
}

pub(super) fn reach(project: &Project, plan: &Plan, files: &BTreeMap<String, Option<Workflow>>) -> Reached {
    let roles = identities(project, plan);
    let mut reached = Reached {
        accesses: vec![Vec::new(); project.environments.len()],
        called: BTreeSet::new(),
        findings: Vec::new(),
    };
    for (file, workflow) in files {
        let Some(workflow) = workflow else {
            let finding = Diagnostic::error(
                "access-unreadable",
                Path::root(),
                "this workflow cannot be read, so that its jobs may get into every environment",
            );
            let finding = finding.with_help("`pyfleet-gen validate` says what is wrong with it");
            reached.findings.push((file.clone(), finding));
            continue;
        };
        let called = workflow.jobs.values().filter_map(|job| job.uses.as_ref());
        reached.called.extend(called.filter(|uses| !is_among(uses, files)).map(ToString::to_string));
        let doors: Vec<(usize, &str, Door)> = workflow
            .jobs
            .iter()
            .flat_map(|(id, job)| {
                let doors = project.environments.iter().enumerate();
                doors.filter_map(move |(position, own)| {
                    Some((position, id.as_str(), Door::of(workflow, job, own)?))
                })
            })
            .filter(|(position, _, door)| {
                let name = &project.environments[*position].name;
                let is_for_it =
                    |role: &Identity| role.purpose == AwsRole::PullRequestPlan && role.environment == *name;
                *door != Door::PullRequests || roles.iter().any(is_for_it)
            })
            .collect();
        let ways = Simulator::of(workflow).ways(doors.iter().map(|(_, id, _)| *id));
        let planned = plan.workflows.iter().find(|planned| planned.file == *file);
        for (position, id, door) in doors {
            let Some(way) = ways.get(id) else { continue };
            let access = access(file, workflow, id, door, way, planned, &project.environments[position]);
            // The token of another event says something else.
            if door != Door::PullRequests || !access.events.is_empty() {
                reached.accesses[position].push(access);
            }
        }
    }
    reached
}

fn access(
    file: &str,
    workflow: &Workflow,
    id: &str,
    door: Door,
    way: &Way,
    planned: Option<&plan::Workflow>,
    environment: &Environment,
) -> Access {
    let job = &workflow.jobs[id];
    let mut events: Vec<String> = Vec::new();
    for event in &way.events {
        let counts = door != Door::PullRequests || event.name.starts_with("pull_request");
        if counts && !events.contains(&event.name) {
            events.push(event.name.clone());
        }
    }
    let asks = |id: &str| {
        let own = workflow.jobs.get(id).and_then(|job| job.environment.as_ref());
        own.is_some_and(|own| own.name.eq_ignore_ascii_case(&environment.approval_name()))
    };
    Access {
        file: file.to_owned(),
        job: id.to_owned(),
        environment: job.environment.as_ref().map(|own| own.name.clone()),
        door,
        is_planned: planned
            .is_some_and(|own| own.jobs.contains_key(id) || own.extension.jobs.contains_key(id)),
        events,
        after: way.after.clone(),
        reviewed_by: way.after.iter().filter(|before| asks(before)).cloned().collect(),
        despite: way.despite.clone(),
        asking: workflow.jobs.keys().filter(|id| asks(id)).cloned().collect(),
    }
}

impl Door {
    /// GitHub does not look at the case of an environment's name.
    pub(super) fn of(workflow: &Workflow, job: &Job, environment: &Environment) -> Option<Self> {
        let Some(own) = job.environment.as_ref().filter(|own| !own.name.is_empty()) else {
            return has_identity(workflow, job).then_some(Self::PullRequests);
        };
        let is = |name: &str| own.name.eq_ignore_ascii_case(name);
        // Where a run decides which it is, it may be any.
        let changes = opens_in(&own.name) || is(environment.name.as_str()) || is(&environment.backend_name());
        let reads = is(&environment.plan_name());
        changes.then_some(Self::Changes).or(reads.then_some(Self::Reads))
    }
}

fn has_identity(workflow: &Workflow, job: &Job) -> bool {
    let permissions = workflow.permissions_of(job);
    permissions.is_some_and(|permissions| permissions.level(Scope::IdToken) == Level::Write)
}

/// Whether a called workflow is one of the files.
fn is_among(uses: &Uses, files: &BTreeMap<String, Option<Workflow>>) -> bool {
    matches!(uses, Uses::Local(path) | Uses::SelfRepository(path) if files.contains_key(path))
}
