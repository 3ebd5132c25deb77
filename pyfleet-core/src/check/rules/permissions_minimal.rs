//! `permissions-minimal`.

use indexmap::IndexMap;

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::expression::embedded;
use crate::workflow::{Level, Permissions, Scope, Step};

pub(super) static RULE: Rule = Rule {
    code: "permissions-minimal",
    group: Group::Permission,
    severity: Severity::Error,
    rejects: false,
    summary: "a job's token may do what its steps need, and no more",
    documentation: "\
## What it does
Compares a job's `permissions` with what the catalogue says its actions need. A script that gets the
token, by `env:` or in its text, may justify `actions`, `issues`, `packages`, `pull-requests` and `security-events`; where only
such a script could need another scope, that is a warning. What an action outside the catalogue needs is not
known: its job is left to `uses-allowed`. `id-token` is the matter of `oidc-permission-match`; a called workflow is not
judged.

## Why
Whoever gets a command into the job has what the token may do.

## Example
```yaml
build:
  permissions: {contents: write}
  steps:
    - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
```

## Instead
```yaml
build:
  permissions: {contents: read}
```
",
    check: Check::Workflow(check),
};

/// What a script with the token may do through GitHub's command line, or a registry's client.
const FOR_SCRIPTS: &[Scope] =
    &[Scope::Actions, Scope::Issues, Scope::Packages, Scope::PullRequests, Scope::SecurityEvents];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let holds_token = |env: &IndexMap<String, String>| env.values().any(|value| is_token(value));
    let in_workflow = holds_token(&file.workflow.env);
    for PlacedJob { place, id, job, steps, .. } in file.jobs().filter(|placed| placed.job.uses.is_none()) {
        let Some(Permissions::Scopes(scopes)) = &job.permissions else { continue };
        if steps.iter().any(is_unknown) {
            continue;
        }
        let in_environment = in_workflow || holds_token(&job.env);
        let gets_token =
            |run: &String, step: &Step| in_environment || is_token(run) || holds_token(&step.env);
        // Whether a script has the token: from its environment, or in its text.
        let has_token = steps
            .iter()
            .any(|PlacedStep { step, .. }| step.run.as_ref().is_some_and(|run| gets_token(run, step)));
        let needed = |scope| needed(steps, scope, has_token);
        let can_push = steps.iter().any(|placed| keeps_token(placed.step))
            && steps.iter().any(|placed| placed.step.run.is_some());
        for (&scope, &granted) in scopes.iter().filter(|(scope, _)| **scope != Scope::IdToken) {
            let needed = needed(scope);
            if granted <= needed {
                continue;
            }
            let place = place.key("permissions").key(scope.name());
            let finding = if has_token || can_push && scope == Scope::Contents {
                let message = format!("only a script of `{id}` could need `{scope}: {granted}`");
                Diagnostic::warning(RULE.code, place, message)
                    .with_help("give what needs it a job of its own, with this permission and no other")
            } else if needed == Level::None {
                RULE.finding(place, format!("no step of `{id}` needs `{scope}`"))
                    .with_help(format!("remove `{scope}: {granted}`"))
            } else {
                RULE.finding(place, format!("the steps of `{id}` need no more than `{scope}: {needed}`"))
                    .with_help(format!("grant `{scope}: {needed}`"))
            };
            findings.push(finding);
        }
    }
}

/// The most that any step needs of a scope.
fn needed(steps: &[PlacedStep<'_>], scope: Scope, has_token: bool) -> Level {
    let of_step = |placed: &PlacedStep<'_>| {
        let needs = placed.action()?.needs(placed.step);
        needs.filter(|(own, _)| *own == scope).map(|(_, level)| level).max()
    };
    let of_actions = steps.iter().filter_map(of_step).max();
    let of_script = (FOR_SCRIPTS.contains(&scope) && has_token).then_some(Level::Write);
    of_actions.max(of_script).unwrap_or(Level::None)
}

/// Whether a step runs an action of which the catalogue does not say what it needs.
fn is_unknown(placed: &PlacedStep<'_>) -> bool {
    placed.step.uses.is_some() && placed.action().is_none()
}

/// Whether a checkout leaves the token where every later script finds it.
fn keeps_token(step: &Step) -> bool {
    step.is_action("actions/checkout") && step.input("persist-credentials") != Some("false")
}

fn is_token(value: &str) -> bool {
    embedded(value).0.iter().flat_map(|embedded| embedded.expression.contexts()).any(|access| {
        access.is_within(&["github", "token"]) || access.is_within(&["secrets", "GITHUB_TOKEN"])
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn too_much_and_for_nothing() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  build:
    permissions:
      contents: write
#               ^^^^^ error[permissions-minimal]: need no more than `contents: read`
      issues: read
#             ^^^^ error[permissions-minimal]: no step of `build` needs `issues`
      packages: read
#               ^^^^ error[permissions-minimal]: no step of `build` needs `packages`
    steps:
      - {uses: actions/checkout@v7, with: {persist-credentials: false}}
      - run: gh issue list
      - uses: actions/download-artifact@v8
",
        );
    }

    #[test]
    fn a_script_with_the_token_may_need_more() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    permissions: {contents: write}
#                           ^^^^^ warning[permissions-minimal]: only a script of `a` could need `contents: write`
    steps:
      - {run: gh release create, env: {GH_TOKEN: '${{ github.token }}'}}
  b:
    permissions: {contents: write}
#                           ^^^^^ warning[permissions-minimal]: only a script of `b` could need
    steps:
      - uses: actions/checkout@v7
      - run: git push
",
        );
    }

    #[test]
    fn what_steps_need_passes() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    permissions: {contents: read, actions: read, security-events: write, id-token: write}
    steps:
      - uses: actions/checkout@v7
      - {uses: actions/download-artifact@v8, with: {run-id: 1}}
      - uses: github/codeql-action/upload-sarif@v4
  b:
    permissions: {issues: write}
    steps: [{run: gh issue create, env: {GH_TOKEN: '${{ secrets.GITHUB_TOKEN }}'}}]
  d:
    permissions: {packages: write}
    steps: [{run: skopeo login ghcr.io, env: {PASSWORD: '${{ github.token }}'}}]
  c: {permissions: {packages: write}, uses: ./.github/workflows/x.yml}
  e: {permissions: {pull-requests: write}, steps: [{uses: actions/stale@v10}]}
",
        );
    }

    #[test]
    fn a_token_for_all_scripts_passes() {
        fixture::check(
            &RULE,
            "
on: push
env: {GH_TOKEN: '${{ github.token }}'}
jobs:
  a: {permissions: {pull-requests: write}, steps: [{run: gh pr create}]}
",
        );
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    permissions: {issues: write}
    env: {GH_TOKEN: '${{ secrets.GITHUB_TOKEN }}'}
    steps: [{run: gh issue create}]
  b: {permissions: {issues: write}, steps: [{run: 'TOKEN=${{ github.token }} ./report'}]}
",
        );
    }
}
