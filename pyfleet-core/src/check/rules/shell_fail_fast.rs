//! `shell-fail-fast`.

use std::ops::Range;

use super::shell_name::is_known;
use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::expression::condition;
use crate::workflow::{Defaults, OrExpression, Step};

pub(super) static RULE: Rule = Rule {
    code: "shell-fail-fast",
    group: Group::Injection,
    severity: Severity::Error,
    rejects: false,
    summary: "a step that fails stops the job",
    documentation: "\
## What it does
Demands `shell: bash` (or `python`, `pwsh`) for every script, from the step or from the defaults of its
job or workflow. Refuses `|| true`, `|| :`, `set +e` and `continue-on-error` in steps that do not just report or
clean up; a step does if its `if:` calls `always()`, `failure()` or `cancelled()`, or if it uploads.

## Why
Only a shell that is named runs with `pipefail`: without it `scan | tee report` succeeds whatever the
scan finds. A check whose failure is ignored checks nothing.

## Example
```yaml
- run: tfsec . || true
```

## Instead
```yaml
- run: tfsec .
  shell: bash
```
",
    check: Check::Workflow(check),
};

/// Actions that only hand on what others made.
const UPLOADS: &[&str] =
    &["actions/upload-artifact", "codecov/codecov-action", "github/codeql-action/upload-sarif"];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    fn shell_of(defaults: Option<&Defaults>) -> Option<&str> {
        defaults?.run.shell.as_deref()
    }
    for (job_place, _, job) in file.workflow.jobs_at() {
        let inherited = shell_of(job.defaults.as_ref()).or_else(|| shell_of(file.workflow.defaults.as_ref()));
        for (place, step) in job.steps_at(&job_place) {
            if step.run.is_some() {
                match step.shell.as_deref().or(inherited) {
                    Some("bash" | "python" | "pwsh") => {}
                    Some(other) if !is_known(other) => {} // the matter of `shell-name`
                    Some(other) => {
                        let shell = place.key("shell");
                        let place =
                            if step.shell.is_some() { shell.into() } else { Place::key(place.key("run")) };
                        let message = format!("`{other}` does not stop at every failure: no `pipefail`");
                        findings.push(RULE.finding(place, message).with_help("set `shell: bash`"));
                    }
                    None => findings.push(
                        RULE.finding(
                            Place::key(place.key("run")),
                            "no shell is named, and the default one runs without `pipefail`",
                        )
                        .with_help("set `defaults.run.shell: bash` at the top"),
                    ),
                }
            }
            if only_reports(step) {
                continue;
            }
            for (ignored, range) in step.run.as_deref().map(ignored_failures).unwrap_or_default() {
                let message = format!("`{ignored}` hides a failure: this step cannot stop the job");
                let help = "keep the exit code: `rc=0; command || rc=$?`, then decide on it";
                findings.push(RULE.finding(Place::within(place.key("run"), range), message).with_help(help));
            }
            if step.continue_on_error.as_ref().is_some_and(|value| *value != OrExpression::Literal(false)) {
                let message = "the job goes on when this step fails, as if it had not";
                findings.push(RULE.finding(Place::key(place.key("continue-on-error")), message));
            }
        }
    }
}

fn only_reports(step: &Step) -> bool {
    let calls_status = |text: &str| {
        condition(text).is_ok_and(|condition| {
            condition.calls().iter().any(|call| {
                ["always", "failure", "cancelled"].iter().any(|name| call.function.eq_ignore_ascii_case(name))
            })
        })
    };
    UPLOADS.iter().any(|slug| step.is_action(slug)) || step.condition.as_deref().is_some_and(calls_status)
}

/// What in a script makes it succeed whatever happens, outside comments.
fn ignored_failures(script: &str) -> Vec<(&'static str, Range<usize>)> {
    let mut found = Vec::new();
    let mut line_start = 0;
    for line in script.split_inclusive('\n') {
        let code = if line.trim_start().starts_with('#') { "" } else { line };
        for (pattern, name) in [("||", "|| true"), ("||", "|| :"), ("set ", "set +e")] {
            for (start, _) in code.match_indices(pattern) {
                let words = &code[start + pattern.len()..];
                let word = words.trim_start();
                let wanted = &name[pattern.len()..].trim_start();
                let ends =
                    |rest: &str| rest.starts_with(|c: char| c.is_whitespace() || ";)&|}\"'".contains(c));
                if let Some(rest) = word.strip_prefix(wanted)
                    && (rest.is_empty() || ends(rest))
                {
                    let end = start + pattern.len() + (words.len() - word.len()) + wanted.len();
                    found.push((name, line_start + start..line_start + end));
                }
            }
        }
        line_start += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn shells() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: scan | tee report
#       ^^^ error[shell-fail-fast]: no shell is named
      - run: scan
        shell: sh
#              ^^ error[shell-fail-fast]: `sh` does not stop at every failure
  b:
    defaults: {run: {shell: 'bash {0}'}}
    steps:
      - run: scan
#       ^^^ error[shell-fail-fast]: `bash {0}` does not stop
",
        );
    }

    #[test]
    fn ignored_failures() {
        fixture::check(
            &RULE,
            "
on: push
defaults: {run: {shell: bash}}
jobs:
  a:
    steps:
      - run: |
          tfsec . ||  true
#                 ^^^^^^^^ error[shell-fail-fast]: `|| true` hides a failure
          (lint || :) && set +e; x
#               ^^^^ error[shell-fail-fast]: `|| :` hides a failure
#                        ^^^^^^ error[shell-fail-fast]: `set +e` hides a failure
      - run: scan
        continue-on-error: true
#       ^^^^^^^^^^^^^^^^^ error[shell-fail-fast]: the job goes on
",
        );
    }

    #[test]
    fn reports_and_kept_codes_pass() {
        fixture::check(
            &RULE,
            "
on: push
defaults: {run: {shell: bash}}
jobs:
  a:
    steps:
      - run: |
          # never `|| true`
          rc=0; scan || rc=$?
          test -f x || truecrypt; set -euo pipefail
        continue-on-error: false
      - {run: docker rm x || true, if: always()}
      - {uses: actions/upload-artifact@v7, continue-on-error: true}
      - {run: print(1), shell: python}
",
        );
    }
}
