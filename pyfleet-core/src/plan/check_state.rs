//! `check-state`: whether every state, its lock and its backend are sound, by hand and by the clock.

use super::body::{Body, CheckState};
use super::credentials::{IDENTITY, credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::environment_jobs::{inputs_of, readable_targets, tooling};
use super::stacks::{check_limits, over_all, run_unattended};
use crate::diagnostic::Path;
use crate::manifest::AwsRole;
use crate::project::{Environment, Project};

/// That a run is on an environment's branch, where environments have different ones.
pub(super) fn on_its_branch(project: &Project, environment: &Environment) -> Option<String> {
    let differ = project.environments.iter().any(|other| other.branch != project.default_branch);
    differ.then(|| format!("github.ref == 'refs/heads/{}'", environment.branch))
}

/// A state is small: what takes longer hangs.
const MINUTES: u16 = 10;

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(terraform) = &project.terraform else { return };
    run_unattended(draft);
    for (environment, target) in readable_targets(project, terraform) {
        check_limits(target.stacks.len(), 0, draft);
        let mut model = over_all(draft, terraform, environment, target, "check", MINUTES);
        model.condition = on_its_branch(project, environment);
        draft.add(NewJob {
            id: format!("check-{}", environment.name),
            model,
            permissions: &[CHECK_OUT, IDENTITY],
            because: "Only this branch may act on the environment; the clock starts runs on the default branch.",
            identity: Some(identity(target, AwsRole::Plan)),
            body: Body::CheckState(CheckState {
                synthesised: target.stacks.iter().any(|stack| stack.synthesised),
                tooling: tooling(terraform),
                environment: environment.name.to_string(),
                credentials: credentials(project, target, AwsRole::Plan, MINUTES),
                inputs: inputs_of(target),
                artifact_days: project.artifact_days,
            }),
            origin: Path::of(["environments", environment.name.as_str()]),
        });
    }
}
