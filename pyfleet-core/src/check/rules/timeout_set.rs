//! `timeout-set`.

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::workflow::OrExpression;

pub(super) static RULE: Rule = Rule {
    code: "timeout-set",
    group: Group::Timeouts,
    severity: Severity::Error,
    rejects: false,
    summary: "every job says how long it may take",
    documentation: "\
## What it does
Demands `timeout-minutes` of every job with steps, from 1 to 360; and of steps that have one at most 360. Warns where
an expression computes it; in what pyfleet renders, that is an error.

## Why
GitHub's default is six hours: a job that hangs holds its lock, its runner and its rights that long.

## Example
```yaml
build:
  runs-on: ubuntu-24.04
```

## Instead
```yaml
build:
  runs-on: ubuntu-24.04
  timeout-minutes: 30
```
",
    check: Check::Workflow(check),
};

const LONGEST: u64 = 360;

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place, id, job, .. } in file.jobs().filter(|placed| placed.job.uses.is_none()) {
        let timeout = place.key("timeout-minutes");
        let finding = match &job.timeout_minutes {
            Some(OrExpression::Literal(1..=LONGEST)) => continue,
            Some(OrExpression::Literal(_)) => {
                RULE.finding(timeout, format!("a job may take from 1 to {LONGEST} minutes"))
            }
            Some(OrExpression::Expression(_)) => Diagnostic::warning(
                RULE.code,
                timeout,
                "how long the job may take is not known from the text",
            ),
            None => {
                let message =
                    format!("`{id}` may take 360 minutes, GitHub's default: it has no `timeout-minutes`");
                RULE.finding(Place::key(place.clone()), message)
            }
        };
        findings.push(finding.with_help("set `timeout-minutes` to what the job may take at most"));
    }
    for PlacedStep { place, step, .. } in file.steps() {
        if matches!(&step.timeout_minutes, Some(OrExpression::Literal(minutes)) if !(1..=LONGEST).contains(minutes))
        {
            let message = format!("a step may take from 1 to {LONGEST} minutes");
            findings.push(RULE.finding(place.key("timeout-minutes"), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn missing_too_long_and_computed() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
# ^ error[timeout-set]: `a` may take 360 minutes, GitHub's default
    runs-on: x
  b:
    timeout-minutes: 0
#                    ^ error[timeout-set]: from 1 to 360
  c:
    timeout-minutes: ${{ matrix.t }}
#                    ^^^^^^^^^^^^^^^ warning[timeout-set]: not known from the text
  d:
    timeout-minutes: 361
#                    ^^^ error[timeout-set]: from 1 to 360
    steps:
      - {run: a, timeout-minutes: 400}
#                                 ^^^ error[timeout-set]: a step may take
",
        );
    }

    #[test]
    fn set_and_called_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {timeout-minutes: 360, steps: [{run: a, timeout-minutes: 1}, {run: b}]}
  b: {uses: ./.github/workflows/x.yml}
",
        );
    }
}
