//! `dispatch-escalation`.

use crate::check::rights::has_identity;
use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Severity};
use crate::workflow::{Job, Level, Permissions, Scope, Step, Workflow};

pub(super) static RULE: Rule = Rule {
    code: "dispatch-escalation",
    group: Group::Permission,
    severity: Severity::Error,
    rejects: false,
    summary: "no job can start a workflow that may do more than itself",
    documentation: "\
## What it does
Looks at jobs with `actions: write`, which may start every workflow on `workflow_dispatch`, and with `contents: write`,
which may start those on `repository_dispatch`. Refuses them where such a workflow has a job with `id-token:
write` and the starting job has none. A job of scripts alone, which fetches nothing, may: starting is
what it is for. It knows its own file, and the repository's others where they are given.

## Why
The run's token starts no other run, with these two exceptions. Whoever gets a command into a test with
`actions: write` starts the deployment instead of it.

## Example
```yaml
on: [push, workflow_dispatch]
jobs:
  test:
    permissions: {actions: write}
  deploy:
    if: github.event_name == 'workflow_dispatch'
    permissions: {id-token: write}
```

## Instead
```yaml
on: [push, workflow_dispatch]
jobs:
  test:
    permissions: {}
  deploy:
    if: github.event_name == 'workflow_dispatch'
    permissions: {id-token: write}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let own = std::iter::once(("this workflow", file.workflow));
    let others = file.repository.iter().flat_map(|repository| &repository.workflows);
    let all: Vec<_> = own.chain(others.map(|(path, workflow)| (path.as_str(), workflow))).collect();
    for PlacedJob { place, id, job, steps, .. } in file.jobs() {
        let Some(permissions @ Permissions::Scopes(_)) = file.workflow.permissions_of(job) else { continue };
        if has_identity(file, job) || runs_nothing_else(steps) {
            continue;
        }
        for (scope, event) in
            [(Scope::Actions, "workflow_dispatch"), (Scope::Contents, "repository_dispatch")]
        {
            if permissions.level(scope) != Level::Write {
                continue;
            }
            let stronger = all.iter().find_map(|(path, workflow)| Some((path, logs_in_on(workflow, event)?)));
            if let Some((path, other)) = stronger {
                let message = format!(
                    "with `{scope}: write`, `{id}` may start `{other}` of {path}, which may ask for an identity token"
                );
                let owner = if job.permissions.is_some() { place.clone() } else { Path::root() };
                let finding = RULE.finding(owner.key("permissions").key(scope.name()), message);
                findings.push(
                    finding.with_help("move what needs this into a job that only does that, or leave it out"),
                );
            }
        }
    }
}

/// Whether all that a job runs stands in its own text: no checkout, no actions but those of scripts.
fn runs_nothing_else(steps: &[PlacedStep<'_>]) -> bool {
    let is_own = |step: &Step| step.uses.is_none() || step.is_action("actions/github-script");
    !steps.is_empty() && steps.iter().all(|placed| is_own(placed.step))
}

/// A job with an identity in a workflow that a token may start by this event.
fn logs_in_on<'a>(workflow: &'a Workflow, event: &str) -> Option<&'a str> {
    workflow.on.names().find(|own| *own == event)?;
    let has_identity = |job: &Job| {
        workflow
            .permissions_of(job)
            .is_some_and(|permissions| permissions.level(Scope::IdToken) == Level::Write)
    };
    workflow.jobs.iter().find(|(_, job)| has_identity(job)).map(|(id, _)| id.as_str())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn a_stronger_job_in_this_workflow() {
        fixture::check(
            &RULE,
            "
on: [push, workflow_dispatch]
jobs:
  test:
    permissions:
      actions: write
#              ^^^^^ error[dispatch-escalation]: with `actions: write`, `test` may start `deploy` of this workflow
    steps: [{uses: actions/checkout@v7}]
  deploy: {permissions: {id-token: write, actions: write}}
",
        );
    }

    #[test]
    fn a_stronger_job_in_another() {
        let deploy =
            "on: repository_dispatch\njobs: {deploy: {permissions: {id-token: write}, runs-on: x}}\n";
        fixture::check_among(
            &RULE,
            "
on: push
permissions: {contents: write, actions: write}
#                       ^^^^^ error[dispatch-escalation]: may start `deploy` of .github/workflows/deploy.yml
jobs: {test: {steps: [{uses: actions/checkout@v7}]}}
",
            &[(".github/workflows/deploy.yml", deploy)],
        );
    }

    #[test]
    fn nothing_stronger_and_no_way_to_start_it_pass() {
        fixture::check(
            &RULE,
            "
on: [push, workflow_dispatch]
jobs:
  a: {permissions: {actions: write, contents: write}}
  b: {permissions: {actions: read, contents: write}}
",
        );
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {permissions: {actions: write, contents: write}}
  b: {permissions: {id-token: write}}
",
        );
        fixture::check(
            &RULE,
            "
on: [push, workflow_dispatch]
jobs:
  a: {permissions: {actions: write}, steps: [{run: gh workflow run deploy.yml}]}
  b: {permissions: {id-token: write}}
",
        );
    }
}
