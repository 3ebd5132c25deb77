//! `oidc-permission-match`.

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Severity};
use crate::workflow::{Job, Level, Scope};

pub(super) static RULE: Rule = Rule {
    code: "oidc-permission-match",
    group: Group::Oidc,
    severity: Severity::Error,
    rejects: false,
    summary: "a job may ask for an identity token exactly if a step of it logs in with one",
    documentation: "\
## What it does
Demands `id-token: write` of a job with a cloud login, and a login of a job with `id-token: write`; that is a warning
where a script could start a program that asks for the token. A script that reads `ACTIONS_ID_TOKEN_REQUEST_URL` counts
as a login, and so does an action that is not known; a called workflow is not judged.

## Why
Without the permission the login fails at run time. Without the login the permission only helps whoever
gets a command into the job: any step can ask for the token.

## Example
```yaml
deploy:
  permissions: {contents: read}
  steps:
    - uses: aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3
      with: {role-to-assume: 'arn:aws:iam::123456789012:role/deploy', aws-region: eu-central-1}
```

## Instead
```yaml
deploy:
  permissions: {contents: read, id-token: write}
```
",
    check: Check::Workflow(check),
};

/// Actions outside the catalogue that use an identity token, or may.
const OTHERS: &[&str] = &[
    "actions/attest",
    "actions/attest-build-provenance",
    "actions/attest-sbom",
    "azure/login",
    "google-github-actions/auth",
    "hashicorp/vault-action",
    "pypa/gh-action-pypi-publish",
    "sigstore/cosign-installer",
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let is_only_called = file.workflow.on.names().all(|event| event == "workflow_call");
    for PlacedJob { place, id, job, steps, .. } in file.jobs().filter(|placed| placed.job.uses.is_none()) {
        let granted = file.workflow.permissions_of(job);
        let may = granted.is_some_and(|permissions| permissions.level(Scope::IdToken) == Level::Write);
        if !may {
            // Where a workflow that is only called says nothing, the caller grants it, or does not.
            if granted.is_none() && is_only_called {
                continue;
            }
            for PlacedStep { place, .. } in steps.iter().filter(|placed| needs_token(placed)) {
                let message = format!("this login needs `id-token: write`, which `{id}` does not have");
                findings.push(RULE.finding(place.key("uses"), message).with_help("grant it to the job"));
            }
        } else if !steps.iter().any(may_use_token) {
            // A script may hand it to a program that asks for it.
            let severity = match steps.iter().any(|placed| placed.step.run.is_some()) {
                true => Severity::Warning,
                false => Severity::Error,
            };
            let message =
                format!("no action of `{id}` logs in with an identity token, but any step may ask for one");
            let finding = Diagnostic::new(severity, RULE.code, grant(place, job), message);
            findings.push(finding.with_help("remove `id-token: write`"));
        }
    }
}

/// Whether a step cannot do without an identity token.
fn needs_token(placed: &PlacedStep<'_>) -> bool {
    let step = placed.step;
    let action = placed.action().filter(|action| action.logs_into_cloud);
    action.is_some_and(|action| action.needs(step).any(|(scope, _)| scope == Scope::IdToken))
        && step.input("aws-access-key-id").is_none()
        && step.input("web-identity-token-file").is_none()
}

fn may_use_token(placed: &PlacedStep<'_>) -> bool {
    let step = placed.step;
    needs_token(placed)
        || step.uses.is_some() && placed.action().is_none()
        || OTHERS.iter().any(|slug| step.is_action(slug))
        || step.run.as_ref().is_some_and(|run| run.contains("ACTIONS_ID_TOKEN_REQUEST_"))
}

/// Where the permission stands: in the job, or at the top.
fn grant(place: &Path, job: &Job) -> Path {
    let owner = if job.permissions.is_some() { place.clone() } else { Path::root() };
    owner.key("permissions").key(Scope::IdToken.name())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn a_workflow_that_is_not_only_called_grants_it_itself() {
        fixture::check(
            &RULE,
            "
on: [push, workflow_call]
jobs:
  a:
    steps: [{uses: aws-actions/configure-aws-credentials@v6, with: {role-to-assume: x}}]
#                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[oidc-permission-match]: needs `id-token: write`
",
        );
    }

    #[test]
    fn a_login_without_the_permission() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    permissions: {contents: read}
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[oidc-permission-match]: which `a` does not have
        with: {role-to-assume: r, aws-region: x}
",
        );
    }

    #[test]
    fn what_the_caller_grants_passes() {
        fixture::check(
            &RULE,
            "
on: workflow_call
jobs:
  a:
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
        with: {role-to-assume: r, aws-region: x}
",
        );
        fixture::check(
            &RULE,
            "
on: workflow_call
permissions: {}
jobs:
  a:
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[oidc-permission-match]: which `a` does not have
        with: {role-to-assume: r, aws-region: x}
",
        );
    }

    #[test]
    fn the_permission_without_a_login() {
        fixture::check(
            &RULE,
            "
on: push
permissions: {id-token: write}
#                       ^^^^^ error[oidc-permission-match]: no action of `b` logs in
jobs:
  a:
    permissions:
      id-token: write
#               ^^^^^ warning[oidc-permission-match]: no action of `a` logs in
    steps:
      - run: make
  b:
    steps:
      - uses: actions/checkout@v7
",
        );
    }

    #[test]
    fn both_neither_and_unknown_pass() {
        fixture::check(
            &RULE,
            "
on: push
permissions: {}
jobs:
  both:
    permissions: {id-token: write}
    steps: [{uses: aws-actions/configure-aws-credentials@v6, with: {role-to-assume: r}}]
  script:
    permissions: {id-token: write}
    steps: [{run: 'curl \"$ACTIONS_ID_TOKEN_REQUEST_URL\"'}]
  unknown: {permissions: {id-token: write}, steps: [{uses: ossf/scorecard-action@v2}]}
  neither: {steps: [{run: make}]}
  keys: {steps: [{uses: aws-actions/configure-aws-credentials@v6, with: {aws-access-key-id: x}}]}
  called: {permissions: {id-token: write}, uses: ./.github/workflows/x.yml}
",
        );
    }
}
