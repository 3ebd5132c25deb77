//! `shell-fail-fast`.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::shell_name::is_known;
use crate::check::script::System;
use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::expression::condition;
use crate::workflow::{Defaults, OrExpression, Placed, Step};

pub(super) static RULE: Rule = Rule {
    code: "shell-fail-fast",
    group: Group::Injection,
    severity: Severity::Warning,
    rejects: false,
    summary: "a step that fails stops the job",
    documentation: "\
## What it does
Demands `shell: bash` (or `python`, `pwsh`, `powershell`) for every script, from the step or from the defaults of its
job or workflow; `bash -eo pipefail {0}` and programs that are no shell of Unix pass, and so does a job on Windows that
names none. Warns of `|| true`, `|| :`, `set +e` and `continue-on-error` in steps that do not just report or
clean up; a step does if its `if:` calls `always()`, `failure()` or `cancelled()`, or if it uploads. Where another step
reads its `outcome`, `continue-on-error` passes. In what pyfleet renders, each is an error.

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
    for PlacedJob { place: job_place, job, system, steps, .. } in file.jobs() {
        let judged = LazyCell::new(|| judged_by_others(file.expressions_of(job_place)));
        let inherited = shell_of(job.defaults.as_ref()).or_else(|| shell_of(file.workflow.defaults.as_ref()));
        for PlacedStep { place, step, .. } in steps {
            if step.run.is_some() {
                match step.shell.as_deref().or(inherited) {
                    Some(shell) if stops_at_failure(shell) => {}
                    Some(other) if !is_known(other) => {} // the matter of `shell-name`
                    // PowerShell, which stops.
                    None if *system == Some(System::Windows) => {}
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
            let ignored = step.run.as_deref().map(ignored_failures).unwrap_or_default();
            let goes_on =
                step.continue_on_error.as_ref().is_some_and(|value| *value != OrExpression::Literal(false));
            if ignored.is_empty() && !goes_on || only_reports(step) {
                continue;
            }
            for (ignored, range) in ignored {
                let message =
                    format!("`{ignored}` hides a failure: the script goes on as if it had not been");
                let help = "keep the exit code: `rc=0; command || rc=$?`, then decide on it";
                findings.push(RULE.finding(Place::within(place.key("run"), range), message).with_help(help));
            }
            if goes_on && !step.id.as_ref().is_some_and(|id| judged.contains(&id.to_lowercase())) {
                let message = "the job goes on when this step fails, as if it had not";
                findings.push(RULE.finding(Place::key(place.key("continue-on-error")), message));
            }
        }
    }
}

/// The steps of a job, by its expressions, whose failure another one asks for: it was not ignored.
fn judged_by_others(expressions: &[Placed]) -> BTreeSet<String> {
    let reads = expressions.iter().flat_map(|placed| placed.contexts());
    let outcomes = reads.filter(|access| {
        access.is_within(&["steps"])
            && access.name(1).is_some_and(|name| name.eq_ignore_ascii_case("outcome"))
    });
    outcomes.filter_map(|access| Some(access.name(0)?.to_lowercase())).collect()
}

/// Shells of Unix that can be told to stop at every failure.
const TOLD: &[&str] = &["bash", "ksh", "zsh"];
/// Shells that cannot.
const NEVER: &[&str] = &["ash", "cmd", "csh", "dash", "fish", "sh", "tcsh"];

/// Whether a shell stops at a failure wherever it is in a pipeline, or is a program of which that cannot be asked.
fn stops_at_failure(shell: &str) -> bool {
    if shell == "bash" {
        return true; // GitHub adds the options.
    }
    let words: Vec<&str> = shell.split_whitespace().collect();
    let names = words.iter().map(|word| {
        let file = word.rsplit(['/', '\\']).next().unwrap_or(word);
        file.strip_suffix(".exe").unwrap_or(file)
    });
    // A shell may stand behind what starts it: `sudo bash`, `docker exec x sh`.
    let is_shell = |(_, name): &(usize, &str)| TOLD.contains(name) || NEVER.contains(name);
    match names.enumerate().rfind(is_shell) {
        Some((at, name)) if TOLD.contains(&name) => {
            let options = words.get(at + 1..).unwrap_or_default();
            let short = |word: &str| word.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-'));
            let named = |name: &str| {
                options.windows(2).any(|pair| short(pair[0]) && pair[0].ends_with('o') && pair[1] == name)
            };
            let stops = named("errexit") || options.iter().any(|word| short(word) && word.contains('e'));
            stops && named("pipefail") && !options.iter().any(|word| word.starts_with('+'))
        }
        Some(_) => false,
        None => matches!(shell, "powershell" | "pwsh" | "python") || shell.contains("{0}"),
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
    if !script.contains("||") && !script.contains("set ") {
        return found;
    }
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
    fn shells_behind_what_starts_them_and_options_that_are_taken_back() {
        for shell in [
            "ash {0}",
            "fish {0}",
            "sudo sh {0}",
            "env bash {0}",
            "nix develop -c bash -e {0}",
            "docker exec c sh {0}",
            r"C:\msys64\usr\bin\bash.exe -e {0}",
            "bash -e +o pipefail {0}",
            "bash -eo pipefail +e {0}",
            "bash -e pipefail {0}",
        ] {
            assert!(!super::stops_at_failure(shell), "{shell}");
        }
        for shell in [
            "sudo bash -eo pipefail {0}",
            "bash.exe --noprofile -e -o pipefail {0}",
            "zsh -o errexit -o pipefail {0}",
            "pwsh -File {0}",
            "perl {0}",
        ] {
            assert!(super::stops_at_failure(shell), "{shell}");
        }
    }

    #[test]
    fn a_step_of_another_job_judges_nothing() {
        fixture::check(
            &RULE,
            "
on: push
defaults: {run: {shell: bash}}
jobs:
  a:
    steps: [{id: scan, run: scan, continue-on-error: true}]
#                                 ^^^^^^^^^^^^^^^^^ warning[shell-fail-fast]: goes on when this step fails
  b:
    steps:
      - {id: scan, run: scan, continue-on-error: true}
      - {run: exit 1, if: steps.scan.outcome == 'failure'}
",
        );
    }

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
#       ^^^ warning[shell-fail-fast]: no shell is named
      - run: scan
        shell: sh
#              ^^ warning[shell-fail-fast]: `sh` does not stop at every failure
  b:
    defaults: {run: {shell: 'bash {0}'}}
    steps:
      - run: scan
#       ^^^ warning[shell-fail-fast]: `bash {0}` does not stop
      - {run: scan, shell: 'bash -o pipefail {0}'}
#                          ^^^^^^^^^^^^^^^^^^^^^^ warning[shell-fail-fast]: does not stop
      - {run: scan, shell: 'bash -el {0}'}
#                          ^^^^^^^^^^^^^^ warning[shell-fail-fast]: does not stop
      - {run: scan, shell: cmd}
#                          ^^^ warning[shell-fail-fast]: `cmd` does not stop
  c:
    runs-on: ${{ matrix.os }}
    strategy: {matrix: {os: [ubuntu-24.04, windows-2025]}}
    steps:
      - run: scan
#       ^^^ warning[shell-fail-fast]: no shell is named
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
#                 ^^^^^^^^ warning[shell-fail-fast]: `|| true` hides a failure
          (lint || :) && set +e; x
#               ^^^^ warning[shell-fail-fast]: `|| :` hides a failure
#                        ^^^^^^ warning[shell-fail-fast]: `set +e` hides a failure
      - run: scan
        continue-on-error: true
#       ^^^^^^^^^^^^^^^^^ warning[shell-fail-fast]: the job goes on
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

    #[test]
    fn shells_that_stop_and_programs_that_are_none_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - {run: a, shell: 'bash -eo pipefail {0}'}
      - {run: a, shell: 'bash --noprofile --norc -euo pipefail {0}'}
      - {run: a, shell: '/bin/bash -o errexit -o pipefail {0}'}
      - {run: a, shell: powershell}
      - {run: a, shell: 'msys2 {0}'}
      - {run: a, shell: 'Rscript {0}'}
  b:
    runs-on: windows-latest
    steps: [{run: a}]
",
        );
    }

    #[test]
    fn a_failure_that_another_step_asks_for() {
        fixture::check(
            &RULE,
            "
on: push
defaults: {run: {shell: bash}}
jobs:
  a:
    steps:
      - {id: Build, run: make, continue-on-error: true}
      - {run: exit 1, if: steps.build.outcome != 'failure'}
      - {id: hidden, run: make || true}
#                              ^^^^^^^ warning[shell-fail-fast]: hides a failure
      - {run: exit 1, if: steps.hidden.outcome != 'failure'}
",
        );
    }
}
