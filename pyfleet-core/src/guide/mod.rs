//! What a team has to know about its workflows: what each does, starts with and may do, who approves, how one is stopped
//! and undone, what has to be set up, and what a message means.
//!
//! Everything comes from the plan, so that the guide cannot tell of a job that is not there. A new kind is one entry in
//! `about.rs`, which the compiler asks for; a message that a script prints is one in `trouble.rs`.

mod about;
mod trouble;

use serde::Serialize;

pub use self::about::{About, about};
pub use self::trouble::{Printer, TROUBLES, Trouble};

use crate::flowchart::{Start, starts};
use crate::manifest::{Disposition, Kind};
use crate::oidc::github::{Ruleset, checks};
use crate::oidc::{GitHubEnvironment, Names, Setup};
use crate::plan::{self, Permission, Plan};
use crate::project::Project;
use crate::workflow::{Graph, Permissions};

/// The guide to a project's workflows.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Guide {
    /// Owner and name of the repository.
    pub repository: String,
    /// How far automation may go.
    pub safety_level: u8,
    /// The workflows, in the order of their files.
    pub workflows: Vec<Workflow>,
    /// Workflow files that are left to their owner.
    pub ejected: Vec<String>,
    /// Names of workflows that are switched off.
    pub disabled: Vec<String>,
    /// GitHub's environments.
    pub environments: Vec<GitHubEnvironment>,
    /// What jobs outside of every environment read.
    pub outside: Names,
    /// Whether any variable or secret has to be set.
    pub has_settings: bool,
    /// Whether a job that changes something waits for no reviewers.
    pub has_unasked: bool,
    /// Whether jobs assume roles on AWS.
    pub has_roles: bool,
    /// The checks to require, where one reports on every pull request.
    pub checks: Vec<String>,
    /// What requires them.
    pub ruleset: Ruleset,
    /// Whom to call, by what for.
    pub contacts: Vec<(String, String)>,
    /// What messages mean.
    pub troubles: Vec<Shown>,
}

/// One workflow.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Workflow {
    /// Its name in the manifest.
    pub name: String,
    /// The file's name.
    pub file: String,
    /// What it does.
    pub does: &'static str,
    /// How what it did is undone.
    pub undo: &'static str,
    /// What a run that was cancelled may leave behind.
    pub cancelled: Option<&'static str>,
    /// What starts it.
    pub starts: Vec<Start>,
    /// Whether a person can start it.
    pub is_started_by_hand: bool,
    /// The inputs that a person has to give.
    pub inputs: Vec<String>,
    /// The check that branch protection can require.
    pub gate: Option<String>,
    /// Why it may write without a person who starts it.
    pub automatic: Option<Automatic>,
    /// What its jobs may do, each right once.
    pub rights: Vec<Rights>,
    /// Jobs that change something, and wait for no reviewers.
    pub unasked: Vec<String>,
    /// Steps that the manifest adds, by where it says so.
    pub own_steps: Vec<OwnSteps>,
    /// Jobs that the manifest adds.
    pub own_jobs: Vec<OwnJob>,
}

/// Steps that the manifest adds beside a rendered one.
#[derive(Debug, Clone, Serialize)]
pub struct OwnSteps {
    /// Where the manifest has them.
    pub origin: String,
    /// What they are called, as far as they say.
    pub names: Vec<String>,
}

/// A job that the manifest adds.
#[derive(Debug, Clone, Serialize)]
pub struct OwnJob {
    /// Its id.
    pub id: String,
    /// The jobs before it.
    pub needs: Vec<String>,
    /// What its token may do.
    pub permissions: Vec<String>,
    /// The environment that it runs in.
    pub environment: Option<String>,
}

/// Why a workflow may write without a person who starts it.
#[derive(Debug, Clone, Serialize)]
pub struct Automatic {
    /// The reason.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
}

/// What some jobs may do: those with the same rights stand together.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rights {
    /// The jobs.
    pub jobs: Vec<String>,
    /// Their token's scopes, with reasons.
    pub permissions: Vec<Permission>,
    /// The purpose of the role that they become on AWS.
    pub role: Option<&'static str>,
    /// The environments that they run in.
    pub environments: Vec<String>,
    /// Whether reviewers have to agree before they start.
    pub reviewers: bool,
}

/// A message, what it means and what to do.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shown {
    /// The message as it is seen.
    pub seen: &'static str,
    /// Why it is printed.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The command that helps.
    pub command: Option<String>,
}

/// The guide to what a project plans.
#[must_use]
pub fn guide(project: &Project, plan: &Plan, setup: &Setup) -> Guide {
    let workflows: Vec<Workflow> = plan.workflows.iter().map(workflow).collect();
    let is_set = |names: &Names| !names.variables.is_empty() || !names.secrets.is_empty();
    Guide {
        repository: project.repository.to_string(),
        safety_level: project.level.number(),
        has_unasked: workflows.iter().any(|workflow| !workflow.unasked.is_empty()),
        workflows,
        ejected: plan.ejected.clone(),
        disabled: project
            .workflows
            .iter()
            .filter(|(_, wish)| wish.disposition == Disposition::Disabled)
            .map(|(name, _)| name.to_string())
            .collect(),
        has_settings: is_set(&setup.outside)
            || setup.environments.iter().any(|environment| is_set(&environment.names)),
        has_roles: !setup.roles.is_empty(),
        environments: setup.environments.clone(),
        outside: setup.outside.clone(),
        checks: checks(plan),
        ruleset: setup.ruleset.clone(),
        contacts: project
            .contacts
            .iter()
            .map(|(name, contact)| (name.to_string(), contact.clone()))
            .collect(),
        troubles: troubles(project, plan),
    }
}

fn workflow(planned: &plan::Workflow) -> Workflow {
    let About { does, undo, cancelled } = about(planned.kind);
    let dispatch = planned.model.on.workflow_dispatch.as_ref();
    let inputs = dispatch.map(|dispatch| dispatch.inputs.iter()).into_iter().flatten();
    Workflow {
        name: planned.name.to_string(),
        file: file_name(planned),
        does,
        undo,
        cancelled,
        starts: starts(&planned.model.on),
        is_started_by_hand: dispatch.is_some(),
        inputs: inputs.filter(|(_, input)| input.required).map(|(name, _)| name.clone()).collect(),
        gate: planned.gate.clone(),
        automatic: planned
            .auto
            .as_ref()
            .map(|auto| Automatic { reason: auto.reason.clone(), owner: auto.owner.to_string() }),
        rights: rights(planned),
        unasked: unasked(planned),
        own_steps: own_steps(planned),
        own_jobs: own_jobs(planned),
    }
}

fn own_steps(planned: &plan::Workflow) -> Vec<OwnSteps> {
    let steps = planned.extension.steps.iter();
    steps
        .map(|own| OwnSteps {
            origin: own.origin.to_string(),
            names: own.steps.iter().filter_map(|step| step.name.clone()).collect(),
        })
        .collect()
}

fn own_jobs(planned: &plan::Workflow) -> Vec<OwnJob> {
    let jobs = planned.extension.jobs.iter();
    jobs.map(|(id, own)| OwnJob {
        id: id.clone(),
        needs: own.model.needs.clone(),
        permissions: match &own.model.permissions {
            Some(Permissions::Scopes(scopes)) => {
                scopes.iter().map(|(scope, level)| format!("{scope}: {level}")).collect()
            }
            _ => Vec::new(),
        },
        environment: own.model.environment.as_ref().map(|environment| environment.name.clone()),
    })
    .collect()
}

/// The jobs that hold a role that changes something, and need no job that waits for reviewers.
fn unasked(planned: &plan::Workflow) -> Vec<String> {
    let graph = Graph::of(&planned.model);
    let is_asked = |id: &str| planned.jobs.get(id).is_some_and(|job| job.body.waits_for_reviewers());
    planned
        .jobs
        .iter()
        .filter(|(_, job)| job.identity.as_ref().is_some_and(|identity| identity.purpose.changes()))
        .filter(|(id, _)| !graph.needs(id).iter().any(|needed| is_asked(needed)))
        .map(|(id, _)| id.clone())
        .collect()
}

fn file_name(planned: &plan::Workflow) -> String {
    planned.file.rsplit('/').next().unwrap_or(&planned.file).to_owned()
}

fn rights(planned: &plan::Workflow) -> Vec<Rights> {
    let mut found: Vec<Rights> = Vec::new();
    for (id, job) in &planned.jobs {
        let model = planned.model.jobs.get(id);
        let environment = model.and_then(|model| Some(model.environment.as_ref()?.name.clone()));
        let mut rights = Rights {
            jobs: vec![id.clone()],
            permissions: job.permissions.clone(),
            role: job.identity.as_ref().map(|identity| identity.purpose.name()),
            environments: environment.into_iter().collect(),
            reviewers: job.body.waits_for_reviewers(),
        };
        match found.iter_mut().find(|known| known.are_those_of(&rights)) {
            None => found.push(rights),
            Some(known) => {
                known.jobs.append(&mut rights.jobs);
                rights.environments.retain(|name| !known.environments.contains(name));
                known.environments.append(&mut rights.environments);
            }
        }
    }
    found
}

impl Rights {
    /// Whether somebody else's differ in nothing but the environment.
    fn are_those_of(&self, other: &Self) -> bool {
        self.permissions == other.permissions
            && self.role == other.role
            && self.environments.is_empty() == other.environments.is_empty()
            && self.reviewers == other.reviewers
    }
}

/// What can be seen in the runs of a plan: the messages of scripts that its jobs run.
fn troubles(project: &Project, plan: &Plan) -> Vec<Shown> {
    // The workflow that mends it is not always the one that says it.
    let by_hand = plan.workflows.iter().find(|workflow| workflow.kind == Kind::Tf).map(file_name);
    let tool = project.terraform.as_ref().map_or("terraform", |terraform| terraform.tool.command());
    let command = |command: &str| match &by_hand {
        None if command.contains("{tf}") => None,
        file => Some(command.replace("{tf}", file.as_deref().unwrap_or_default()).replace("{tool}", tool)),
    };
    let jobs = || plan.workflows.iter().flat_map(|workflow| workflow.jobs.values());
    TROUBLES
        .iter()
        .filter(|trouble| jobs().any(|job| trouble.is_printed_by(&job.body)))
        .map(|trouble| Shown {
            seen: trouble.seen,
            cause: trouble.cause,
            remedy: trouble.remedy,
            command: trouble.command.and_then(command),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Printer, TROUBLES};

    #[test]
    fn every_message_has_its_place_once() {
        for (position, trouble) in TROUBLES.iter().enumerate() {
            if let Printer::Scripts(scripts) = trouble.by {
                assert!(scripts.iter().all(|script| script.ends_with(".sh")) && !scripts.is_empty());
            }
            assert!(TROUBLES[..position].iter().all(|other| other.seen != trouble.seen), "{}", trouble.seen);
            for text in [trouble.cause, trouble.remedy] {
                assert!(text.ends_with('.') && !text.contains('\n'), "{text}");
            }
        }
    }
}
