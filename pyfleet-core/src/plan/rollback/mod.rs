//! `rollback`: what was deployed is taken back, by hand and in a hurry.
//!
//! The guard knows everything that can be taken back, as `KIND/NAME`; a file beside this one holds the jobs of each
//! kind. Nobody has to agree unless the manifest says so, or a plan destroys something: the typed word, the branch and
//! the role stand before it.

mod ecs;
mod eks;
mod service;
mod terraform;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::body::{Body, RollbackGuard};
use super::condition::expression;
use super::draft::{Draft, NewJob};
use super::environment_jobs::{approval_of, is_gated};
use super::notify::{self, Told};
use super::stacks::check_limits;
use crate::diagnostic::Path;
use crate::manifest::{self, SafetyLevel};
use crate::project::{Environment, Project};
use crate::workflow::Input;

/// What a run is about, for those who approve it or are told of it.
const TITLE: &str = "rollback of ${{ inputs.what }} to ${{ inputs.target }} in ${{ inputs.environment }}";

/// When somebody is told what became of a run.
const OUTCOME: Told = Told {
    condition: "always() && needs.guard.result == 'success' && needs.guard.outputs.mode == 'rollback'",
    because: "Whatever became of the run; a list changes nothing that anybody would wait for.",
};

/// What can be taken back in one environment: `KIND/NAME`, with the matrix entry that its jobs get.
type Targets = BTreeMap<String, Json>;

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(wish) = project.workflows.get(draft.name()) else { return };
    let environments: Vec<(&Environment, Targets)> = project
        .environments
        .iter()
        .filter(|environment| environment.level >= SafetyLevel::WRITES)
        .map(|environment| {
            let mut targets = ecs::targets(project, environment);
            targets.extend(eks::targets(project, environment));
            targets.extend(terraform::targets(project, environment));
            (environment, targets)
        })
        .filter(|(_, targets)| !targets.is_empty())
        .collect();
    draft.start_by_hand(inputs(&environments, &wish.phrase));
    let guard = guard(draft, &environments, &wish.phrase);
    draft.add(guard);
    for (environment, _) in &environments {
        let is_approved = wish.approval == manifest::Approval::Reviewers && is_gated(environment);
        ecs::add(project, draft, environment, is_approved);
        eks::add(project, draft, environment, is_approved);
        terraform::add(project, draft, environment, is_approved);
    }
    if let Some(notify) = notify::outcome(project, draft, TITLE, OUTCOME) {
        draft.add(notify);
    }
}

/// What the person who starts the workflow is asked.
fn inputs(environments: &[(&Environment, Targets)], phrase: &str) -> IndexMap<String, Input> {
    let mut whats: Vec<String> =
        environments.iter().flat_map(|(_, targets)| targets.keys().cloned()).collect();
    whats.sort_unstable();
    whats.dedup();
    let names = environments.iter().map(|(environment, _)| environment.name.to_string()).collect();
    IndexMap::from([
        ("environment".to_owned(), Input::choice("Where", names)),
        ("what".to_owned(), Input::choice("What", whats)),
        (
            "target".to_owned(),
            Input {
                required: true,
                default: Some("list".into()),
                ..Input::text(
                    "list, which only looks; previous; or what the list has: a revision's number, a whole commit id",
                )
            },
        ),
        ("confirm".to_owned(), Input::text(&format!("Type {phrase} to mean it; nothing for a list"))),
        ("reason".to_owned(), Input::text("Why, for the record")),
    ])
}

fn guard(draft: &mut Draft<'_>, environments: &[(&Environment, Targets)], phrase: &str) -> NewJob {
    let targets: BTreeMap<String, Json> = environments
        .iter()
        .map(|(environment, targets)| {
            (environment.name.to_string(), json!({ "branch": environment.branch, "targets": targets }))
        })
        .collect();
    check_limits(1, targets.values().map(|entry| entry.to_string().len()).sum(), draft);
    let mut model = draft.job("guard", 5);
    model.outputs = ["kind", "mode", "target"]
        .map(|name| (name.to_owned(), expression(&format!("steps.guard.outputs.{name}"))))
        .into();
    NewJob {
        id: "guard".to_owned(),
        model,
        permissions: &[],
        because: "",
        identity: None,
        body: Body::RollbackGuard(RollbackGuard { targets, phrase: phrase.to_owned() }),
        origin: Path::of(["workflows", draft.name().as_str()]),
    }
}

/// The condition of jobs of one kind and mode in an environment.
fn condition(environment: &Environment, kind: &str, mode: &str) -> String {
    format!(
        "inputs.environment == '{}' && needs.guard.outputs.kind == '{kind}' && needs.guard.outputs.mode == '{mode}'",
        environment.name
    )
}

/// The job that waits for the reviewers before something of a kind is taken back.
fn approve(draft: &Draft<'_>, environment: &Environment, kind: &str) -> NewJob {
    let mut model = draft.job(format!("approve {kind} {}", environment.name), 5);
    model.needs = vec!["guard".to_owned()];
    model.condition = Some(condition(environment, kind, "rollback"));
    // Whoever rolls back is in a hurry.
    let at_any_time = Environment { window: None, ..environment.clone() };
    let body = approval_of(&at_any_time, &mut model, TITLE);
    NewJob {
        id: approval_id(environment, kind),
        model,
        permissions: &[],
        because: "The environment's reviewers agree first, in a job that holds no right and no lock.",
        identity: None,
        body,
        origin: Path::of(["workflows", draft.name().as_str(), "approval"]),
    }
}

fn approval_id(environment: &Environment, kind: &str) -> String {
    format!("approve-{kind}-{}", environment.name)
}
