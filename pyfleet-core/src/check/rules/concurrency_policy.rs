//! `concurrency-policy`.

use crate::check::rights::mutation;
use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::expression::embedded;
use crate::workflow::Concurrency;

pub(super) static RULE: Rule = Rule {
    code: "concurrency-policy",
    group: Group::Timeouts,
    severity: Severity::Error,
    rejects: false,
    summary: "whoever changes something is alone, and is never cut off",
    documentation: "\
## What it does
Looks at jobs that change what runs somewhere: `terraform apply`, `helm upgrade`, deploying actions, with
credentials. Refuses `cancel-in-progress: true` over them, and warns where no group keeps two runs apart.
Notes workflows on `pull_request` in which a new push does not end the old run.

## Why
An apply that is cancelled leaves half of a change, and often a lock. Two at once overwrite each other. The
run for a commit that was replaced tells nobody anything.

## Example
```yaml
apply:
  concurrency: {group: apply-prod, cancel-in-progress: true}
  environment: prod
  steps:
    - run: terraform apply tfplan
```

## Instead
```yaml
apply:
  concurrency: {group: apply-prod, cancel-in-progress: false}
  environment: prod
  steps:
    - run: terraform apply tfplan
```
",
    check: Check::Workflow(check),
};

/// What differs in each run, so that no two runs share a group with it in its name.
const OF_ONE_RUN: &[&[&str]] =
    &[&["github", "run_attempt"], &["github", "run_id"], &["github", "run_number"], &["github", "sha"]];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let of_workflow = file.workflow.concurrency.as_ref().map(|own| (Path::of(["concurrency"]), own));
    let mut mutates = false;
    for placed in file.jobs().filter(|placed| placed.job.uses.is_none()) {
        let PlacedJob { place, id, job, .. } = placed;
        let Some((_, with)) = mutation(file, placed) else { continue };
        mutates = true;
        let of_job = job.concurrency.as_ref().map(|own| (place.key("concurrency"), own));
        let groups = [of_job, of_workflow.clone()];
        let shared = || groups.iter().flatten().filter(|(_, group)| is_shared(group));
        for (path, _) in shared().filter(|(_, group)| group.cancel_in_progress.is(&true)) {
            let message =
                format!("a newer run cuts `{with}` in `{id}` off: half a change, and a lock that stays");
            let place = Place::value(path.key("cancel-in-progress"));
            findings.push(
                RULE.finding(place, message).with_help("let the newer run wait: `cancel-in-progress: false`"),
            );
        }
        if shared().next().is_none() {
            let message = format!("nothing keeps two runs from `{with}` in `{id}` at the same time");
            findings.push(
                Diagnostic::warning(RULE.code, Place::key(place.clone()), message)
                    .with_help("give the job a `concurrency` group that is named after what it changes"),
            );
        }
    }
    let is_grouped =
        of_workflow.is_some() || file.workflow.jobs.values().any(|job| job.concurrency.is_some());
    if file.workflow.on.pull_request.is_some() && !mutates && !is_grouped {
        let message = "a new push to a pull request does not end the run for the old one";
        let group = "`concurrency: {group: '${{ github.workflow }}-${{ github.event.pull_request.number || github.ref }}', cancel-in-progress: true}`";
        let path = Path::of(["on", "pull_request"]);
        let place = if file.node(&path).is_some() { Place::key(path) } else { Path::of(["on"]).into() };
        findings.push(Diagnostic::note(RULE.code, place, message).with_help(format!("set {group}")));
    }
}

/// Whether two runs can be in the group: nothing in its name differs in each run.
fn is_shared(group: &Concurrency) -> bool {
    let found = embedded(&group.group).0;
    let mut reads = found.iter().flat_map(|own| own.expression.contexts());
    !reads.any(|access| OF_ONE_RUN.iter().any(|path| access.is_within(path)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn cut_off_and_together() {
        fixture::check(
            &RULE,
            "
on: push
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
#                     ^^^^ error[concurrency-policy]: cuts `terraform apply` in `a` off
jobs:
  a:
    environment: prod
    steps: [{run: terraform -chdir=x apply tfplan}]
",
        );
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
# ^ warning[concurrency-policy]: nothing keeps two runs from `helm upgrade` in `a`
    permissions: {id-token: write}
    concurrency: deploy-${{ github.run_id }}
    steps: [{run: helm upgrade x y}]
  b:
# ^ warning[concurrency-policy]: nothing keeps two runs from `terraform apply` in `b`
    environment: prod
    steps:
      - run: terraform app'l'y tfplan
",
        );
    }

    #[test]
    fn pull_requests_that_are_replaced() {
        fixture::check(
            &RULE,
            "
on:
  pull_request:
# ^^^^^^^^^^^^ note[concurrency-policy]: does not end the run
jobs: {a: {steps: [{run: make}]}}
",
        );
    }

    #[test]
    fn writers_that_wait_and_tests_pass() {
        fixture::check(
            &RULE,
            "
on: pull_request
concurrency: {group: 'x-${{ github.event.pull_request.number || github.run_id }}', cancel-in-progress: true}
jobs:
  a:
    environment: prod
    concurrency: {group: prod, cancel-in-progress: '${{ inputs.cancel }}'}
    steps: [{run: terraform apply tfplan}]
  b: {environment: prod, steps: [{run: kubectl apply --dry-run=client -f x}]}
  c: {steps: [{run: kind create cluster}, {run: kubectl apply -f x}]}
",
        );
    }
}
