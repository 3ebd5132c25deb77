//! `never-runs`.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::simulate::{Answer, Event, Simulator};
use crate::spelling::listed;
use crate::workflow::Graph;

pub(super) static RULE: Rule = Rule {
    code: "never-runs",
    group: Group::Graph,
    severity: Severity::Warning,
    rejects: false,
    summary: "a job can run on one of the events that start its workflow",
    documentation: "\
## What it does
Takes every event that starts the workflow, with each of its types, branches and times, and asks of every job whether its
`if:` can hold then, whatever else is the case and however the jobs before it end. Warns of a job that never runs. A
condition that is written to be false, `if: false`, is meant so.

## Why
GitHub shows such a job as skipped, and skipped counts as passed. A job that waits for `refs/heads/main` where pull
requests start the workflow, for a type that is not listed under `types`, or for a time that is no longer under `schedule`
is noticed when somebody misses what it does.

## Example
```yaml
on:
  pull_request:
jobs:
  publish:
    if: github.ref == 'refs/heads/main'
```

## Instead
```yaml
on:
  pull_request:
  push: {branches: [main]}
jobs:
  publish:
    if: github.ref == 'refs/heads/main'
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let workflow = file.workflow;
    if workflow.jobs.values().all(|job| job.condition.is_none()) {
        return;
    }
    let Some(events) = Event::starting(&workflow.on) else { return };
    let simulator = Simulator::of(workflow);
    let mut never: BTreeSet<&str> = workflow.jobs.keys().map(String::as_str).collect();
    let mut starting = Vec::new();
    for event in &events {
        // What GitHub refuses, or a filter that lets nothing through, is another finding.
        let Some(answers) = simulator.answers(event, false) else { continue };
        starting.push(event);
        never.retain(|id| answers[id].answer == Answer::No);
        if never.is_empty() {
            return;
        }
    }
    if starting.is_empty() {
        return;
    }
    let behind = Graph::of(workflow).waiting_for(never.iter().copied());
    let names: IndexSet<&str> = starting.iter().map(|event| event.name.as_str()).collect();
    let verdicts: Vec<_> = starting.iter().filter_map(|event| simulator.answers(event, true)).collect();
    for id in never.difference(&behind).filter(|id| !simulator.is_switched_off(id)) {
        let reasons: IndexSet<String> = verdicts.iter().map(|own| own[id].because.join(", and ")).collect();
        let reason = match reasons.first() {
            Some(only) if reasons.len() == 1 => only.clone(),
            _ => format!("its condition holds on none of {}", listed(&names)),
        };
        let message = format!("`{id}` never runs: {reason}");
        let place = Path::of(["jobs", id, "if"]);
        findings.push(
            RULE.finding(Place::value(place), message)
                .with_help("add the event that it waits for under `on`, or take the job out"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn conditions_that_no_event_meets() {
        fixture::check(
            &RULE,
            "
on:
  pull_request: {types: [opened, labeled]}
  push: {branches: [main], tags: [v1]}
  schedule: [{cron: 17 3 * * 1}]
jobs:
  publish:
    if: github.event_name == 'release'
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[never-runs]: `publish` never runs: its condition holds on none of push, pull_request, schedule
  closed: {if: github.event.action == 'closed'}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[never-runs]: `closed` never runs
  nightly: {if: github.event.schedule == '0 0 * * *'}
#               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[never-runs]: `nightly` never runs
  behind: {needs: nightly}
  dev: {if: github.event_name == 'push' && github.ref == 'refs/heads/dev'}
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[never-runs]: `dev` never runs
  mend: {if: failure()}
#            ^^^^^^^^^ warning[never-runs]: `mend` never runs: `failure()` is false
",
        );
    }

    #[test]
    fn of_a_pull_request_the_ref_is_no_branch() {
        fixture::check(
            &RULE,
            "
on: pull_request
jobs:
  publish: {if: github.ref == 'refs/heads/main'}
#               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[never-runs]: `publish` never runs: `github.ref == 'refs/heads/main'` is false: `github.ref` is `refs/pull/1/merge`
  first: {if: github.event.action == 'opened'}
  merged: {if: github.event.pull_request.merged}
  into: {if: github.base_ref == 'main'}
",
        );
    }

    #[test]
    fn what_may_hold_passes() {
        fixture::check(
            &RULE,
            "
on:
  pull_request: {types: [labeled]}
  push: {branches: [main, 'v*']}
  workflow_dispatch: {inputs: {go: {type: boolean}}}
  schedule: [{cron: 17 3 * * 1}, {cron: 0 1 * * *}]
  issues: {types: [opened]}
  repository_dispatch:
jobs:
  a: {if: github.event.label.name == 'x'}
  b: {if: \"startsWith(github.ref, 'refs/heads/v')\"}
  c: {if: inputs.go}
  d: {if: github.event.schedule == '0 1 * * *'}
  e: {if: github.event.action == 'opened'}
  f: {if: github.run_attempt > 1}
  g: {if: \"github.actor == 'renovate[bot]'\"}
  h: {needs: a, if: failure()}
  i: {needs: a, if: needs.a.result == 'failure' && always()}
  j: {needs: a, if: needs.a.outputs.x}
  k: {if: vars.ON}
  l: {if: github.event.client_payload.x}
  m: {if: github.event.issue.number}
  n: {if: github.repository == 'acme/shop'}
  o: {needs: a, if: cancelled()}
  p: {if: github.head_ref == 'x'}
  q: {if: false}
  r: {if: false && github.event_name == 'release'}
  s: {if: github.event_name == 'release' && false}
  t: {if: '!true'}
",
        );
    }

    /// A message that looks like a condition that is switched off.
    #[test]
    fn a_text_that_says_false() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {if: github.event_name == '`false` is false'}
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[never-runs]: `a` never runs
",
        );
    }

    #[test]
    fn of_a_merged_pull_request_the_ref_is_its_base() {
        fixture::check(
            &RULE,
            "
on:
  pull_request: {types: [closed]}
  pull_request_target: {branches: [release]}
  deployment_status:
jobs:
  a: {if: github.event.pull_request.merged && github.ref == 'refs/heads/main'}
  b: {if: github.ref == 'refs/heads/main'}
  c: {if: github.event.pull_request.number == 7}
  d: {if: github.event.workflow_run.name == 'Deploy'}
",
        );
    }

    #[test]
    fn a_caller_may_be_anybody() {
        fixture::check(
            &RULE,
            "
on: [push, workflow_call]
jobs:
  a: {if: github.event_name == 'release'}
",
        );
    }
}
