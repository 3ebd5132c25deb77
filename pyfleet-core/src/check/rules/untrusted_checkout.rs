//! `untrusted-checkout`.

use crate::check::{Check, Group, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
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
`pull/…`, artifacts of the run that ended. Warns where a step, another job, an input, a matrix or a variable decides
what is fetched: what that holds may be an outsider's; in what pyfleet renders, that is an error. Refuses `allow-unsafe-pr-checkout` everywhere.

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
];

/// What may hold such a name.
const OPEN: &[&[&str]] = &[
    &["steps"],
    &["needs"],
    &["env"],
    &["inputs"],
    &["matrix"],
    &["github", "event", "inputs"],
    &["github", "event", "client_payload"],
];

/// Whether what a step fetches is an outsider's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetched {
    Perhaps,
    Certain,
}

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let privileged = file.workflow.on.names().find(|event| PRIVILEGED.contains(event));
    for PlacedStep { place, step, .. } in file.steps() {
        if let Some((name, _)) = step.with.iter().find(|(name, value)| {
            name.eq_ignore_ascii_case("allow-unsafe-pr-checkout") && value.as_str() != "false"
        }) {
            let message = "this lets a checkout fetch a fork's code with this repository's rights";
            findings.push(RULE.finding(Place::key(place.key("with").key(name)), message));
        }
        let Some(event) = privileged else { continue };
        for (place, fetched) in fetches(place, step) {
            let (severity, verb) = match fetched {
                Fetched::Certain => (Severity::Error, "fetches"),
                Fetched::Perhaps => (Severity::Warning, "may fetch"),
            };
            let message = format!(
                "`{event}` has this repository's token and secrets, and this {verb} an outsider's files"
            );
            findings.push(
                Diagnostic::new(severity, RULE.code, place, message)
                    .with_help("do this in a workflow on `pull_request`"),
            );
        }
    }
}

/// Where a step fetches what an outsider wrote.
fn fetches(place: &Path, step: &Step) -> Vec<(Place, Fetched)> {
    let mut found = Vec::new();
    if step.is_action("actions/checkout") {
        for (name, value) in &step.with {
            let chooses = ["ref", "repository"].iter().any(|own| name.eq_ignore_ascii_case(own));
            if let Some(fetched) = named(value).filter(|_| chooses) {
                found.push((place.key("with").key(name).into(), fetched));
            }
        }
    }
    let of_run = step.input("run-id").filter(|_| step.is_action("actions/download-artifact"));
    let of_other = step.is_action("dawidd6/action-download-artifact").then_some(Fetched::Certain);
    if let Some(fetched) = of_run.and_then(named).or(of_other) {
        found.push((place.key("uses").into(), fetched));
    }
    let script = step.run.as_deref().unwrap_or_default();
    for command in ["gh pr checkout", "gh run download", "refs/pull/", "origin pull/"] {
        for (start, _) in script.match_indices(command) {
            let place = Place::within(place.key("run"), start..start + command.len());
            found.push((place, Fetched::Certain));
        }
    }
    found
}

/// What an input names: an outsider's commit, repository or run, or something that the text does not tell.
fn named(value: &str) -> Option<Fetched> {
    let (found, mistakes) = embedded(value);
    let reads: Vec<_> = found.iter().flat_map(|embedded| embedded.expression.contexts()).collect();
    let reads = |paths: &[&[&str]]| reads.iter().any(|access| paths.iter().any(|path| access.may_read(path)));
    if value.contains("refs/pull/") || !mistakes.is_empty() || reads(UNTRUSTED) {
        Some(Fetched::Certain)
    } else {
        reads(OPEN).then_some(Fetched::Perhaps)
    }
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
    fn what_a_step_found_may_be_an_outsiders() {
        fixture::check(
            &RULE,
            "
on: issue_comment
jobs:
  a:
    steps:
      - uses: actions/checkout@v7
        with: {ref: '${{ steps.pr.outputs.base }}'}
#                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[untrusted-checkout]: may fetch an outsider's files
      - uses: actions/download-artifact@v8
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[untrusted-checkout]: may fetch an outsider's files
        with: {run-id: '${{ steps.found.outputs.run }}'}
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
jobs:
  a:
    steps:
      - {uses: actions/checkout@v7, with: {ref: '${{ github.sha }}'}}
      - {uses: actions/download-artifact@v8, with: {run-id: '${{ github.run_id }}'}}
      - {run: gh pr view}
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
