//! `untrusted-checkout`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::expression::embedded;
use crate::workflow::Step;

pub(super) static RULE: Rule = Rule {
    code: "untrusted-checkout",
    group: Group::Injection,
    severity: Severity::Error,
    rejects: false,
    summary: "an outsider's code never meets this repository's rights",
    documentation: "\
## What it does
In workflows started by `pull_request_target`, `workflow_run` or `issue_comment`, refuses to fetch what
the outsider wrote: a checkout of the pull request's head or merge commit, `gh pr checkout`, a fetch of
`pull/…`, artifacts of the other run. Refuses `allow-unsafe-pr-checkout` everywhere.

## Why
These workflows hold the repository's token and secrets. One build step over the fetched files runs what
the outsider put there: a package script, a Makefile, a Terraform provider.

## Example
```yaml
on: pull_request_target
jobs:
  test:
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {ref: '${{ github.event.pull_request.head.sha }}'}
```

## Instead
```yaml
on: pull_request
jobs:
  test:
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
```
",
    check: Check::Workflow(check),
};

const PRIVILEGED: &[&str] = &["pull_request_target", "workflow_run", "issue_comment"];

/// What names an outsider's commit or repository.
const UNTRUSTED: &[&[&str]] = &[
    &["github", "head_ref"],
    &["github", "event", "pull_request", "head"],
    &["github", "event", "pull_request", "merge_commit_sha"],
    &["github", "event", "pull_request", "number"],
    &["github", "event", "number"],
    &["github", "event", "issue"],
    &["github", "event", "comment"],
    &["github", "event", "workflow_run"],
    &["steps"],
    &["needs"],
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let privileged = file.workflow.on.names().find(|event| PRIVILEGED.contains(event));
    for (place, step) in file.workflow.steps_at() {
        if let Some((name, _)) = step.with.iter().find(|(name, value)| {
            name.eq_ignore_ascii_case("allow-unsafe-pr-checkout") && value.as_str() != "false"
        }) {
            let message = "this lets a checkout fetch a fork's code with this repository's rights";
            findings.push(RULE.finding(Place::key(place.key("with").key(name)), message));
        }
        let Some(event) = privileged else { continue };
        for place in fetches(&place, step) {
            let message = format!(
                "`{event}` has this repository's token and secrets, and this fetches an outsider's files"
            );
            findings.push(RULE.finding(place, message).with_help("do this in a workflow on `pull_request`"));
        }
    }
}

/// Where a step fetches what an outsider wrote.
fn fetches(place: &Path, step: &Step) -> Vec<Place> {
    let mut found = Vec::new();
    if step.is_action("actions/checkout") {
        for (name, value) in &step.with {
            let chooses = ["ref", "repository"].iter().any(|own| name.eq_ignore_ascii_case(own));
            if chooses && names_untrusted(value) {
                found.push(place.key("with").key(name).into());
            }
        }
    }
    if step.is_action("actions/download-artifact") && step.input("run-id").is_some()
        || step.is_action("dawidd6/action-download-artifact")
    {
        found.push(place.key("uses").into());
    }
    let script = step.run.as_deref().unwrap_or_default();
    for command in ["gh pr checkout", "gh run download", "refs/pull/", "origin pull/"] {
        for (start, _) in script.match_indices(command) {
            found.push(Place::within(place.key("run"), start..start + command.len()));
        }
    }
    found
}

fn names_untrusted(value: &str) -> bool {
    let (found, mistakes) = embedded(value);
    let reads = found.iter().flat_map(|embedded| embedded.expression.contexts());
    value.contains("refs/pull/")
        || !mistakes.is_empty()
        || reads.into_iter().any(|access| UNTRUSTED.iter().any(|path| access.may_read(path)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn every_way_to_fetch() {
        fixture::check(
            &RULE,
            "
on: pull_request_target
jobs:
  a:
    steps:
      - uses: actions/checkout@v7
        with:
          ref: ${{ github.event.pull_request.head.sha }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[untrusted-checkout]: fetches an outsider's files
      - uses: actions/checkout@v7
        with:
          ref: refs/pull/${{ github.event.number }}/merge
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[untrusted-checkout]: fetches
      - run: |
          gh pr checkout 1
#         ^^^^^^^^^^^^^^ error[untrusted-checkout]: fetches
          git fetch origin pull/1/head
#                   ^^^^^^^^^^^^ error[untrusted-checkout]: fetches
",
        );
        fixture::check(
            &RULE,
            "
on: {workflow_run: {workflows: [ci]}}
jobs:
  a:
    steps:
      - uses: actions/download-artifact@v8
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[untrusted-checkout]: fetches
        with: {run-id: '${{ github.event.workflow_run.id }}'}
",
        );
    }

    #[test]
    fn the_switch_is_refused_everywhere() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@v7
        with:
          allow-unsafe-pr-checkout: true
#         ^^^^^^^^^^^^^^^^^^^^^^^^ error[untrusted-checkout]: lets a checkout fetch a fork's code
",
        );
    }

    #[test]
    fn own_code_and_unprivileged_events_pass() {
        fixture::check(
            &RULE,
            "
on: pull_request_target
jobs: {a: {steps: [{uses: actions/checkout@v7, with: {ref: '${{ github.sha }}'}}, {run: gh pr view}]}}
",
        );
        fixture::check(
            &RULE,
            "
on: pull_request
jobs:
  a:
    steps:
      - {uses: actions/checkout@v7, with: {ref: '${{ github.head_ref }}', allow-unsafe-pr-checkout: false}}
      - {run: gh pr checkout 1}
",
        );
    }
}
