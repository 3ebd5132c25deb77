//! `secret-outside-environment`.

use crate::check::rights::{mutation, publication, secrets};
use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Severity};

pub(super) static RULE: Rule = Rule {
    code: "secret-outside-environment",
    group: Group::Secrets,
    severity: Severity::Warning,
    rejects: false,
    summary: "a secret that changes or publishes something belongs to an environment",
    documentation: "\
## What it does
Warns of a secret, beside the run's own token, in a job that publishes or changes what runs somewhere and has no `environment`. Jobs that
only test, report or notify are not judged, nor secrets that a calling workflow passes.

## Why
A secret of the repository is given to every workflow of every branch: whoever may push a branch can read
it. One of an environment waits for its reviewers, and for its branches.

## Example
```yaml
publish:
  steps:
    - run: twine upload dist/*
      env: {TWINE_PASSWORD: '${{ secrets.PYPI_TOKEN }}'}
```

## Instead
```yaml
publish:
  environment: pypi
  steps:
    - run: twine upload dist/*
      env: {TWINE_PASSWORD: '${{ secrets.PYPI_TOKEN }}'}
```
",
    check: Check::Workflow(check),
};

/// Words in the names of secrets that can only report.
const REPORTS: &[&str] = &["CODECOV", "COVERALLS", "DISCORD", "SLACK", "SONAR", "TEAMS", "WEBHOOK"];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let passed = file.workflow.on.workflow_call.as_ref();
    let is_passed =
        |name: &str| passed.is_some_and(|call| call.secrets.keys().any(|own| own.eq_ignore_ascii_case(name)));
    for placed in file.jobs() {
        let PlacedJob { place, id, job, .. } = placed;
        if job.environment.is_some() || job.uses.is_some() {
            continue;
        }
        let Some(with) = mutation(file, placed).map(|(_, with)| with).or_else(|| publication(placed)) else {
            continue;
        };
        let mut seen = Vec::new();
        for (place, name) in secrets(file, place) {
            let name = name.to_uppercase();
            let reports = REPORTS.iter().any(|word| name.contains(word));
            if reports || is_passed(&name) || seen.contains(&name) {
                continue;
            }
            let message =
                format!("workflows of every branch can read `{name}`, which `{id}` has for `{with}`");
            let help =
                "store it in an environment with its own branches and reviewers, and name that in the job";
            findings.push(RULE.finding(place, message).with_help(help));
            seen.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn keys_that_every_branch_can_read() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  publish:
    steps:
      - run: twine upload dist/*
        env:
          A: ${{ secrets.PYPI_TOKEN }}
#                ^^^^^^^^^^^^^^^^^^ warning[secret-outside-environment]: which `publish` has for `twine upload`
          B: ${{ secrets.pypi_token }}
  deploy:
    steps:
      - {run: helm upgrade x y, env: {KUBECONFIG: '${{ secrets.KUBECONFIG }}'}}
#                                                      ^^^^^^^^^^^^^^^^^^ warning[secret-outside-environment]: for `helm upgrade`
",
        );
    }

    #[test]
    fn environments_tests_tokens_and_reports_pass() {
        fixture::check(
            &RULE,
            "
on: {push: null, workflow_call: {secrets: {npm_token: null}}}
jobs:
  a: {environment: pypi, steps: [{run: twine upload x, env: {P: '${{ secrets.PYPI }}'}}]}
  b: {steps: [{run: make test, env: {P: '${{ secrets.LICENSE_KEY }}'}}]}
  c: {steps: [{run: docker push x, env: {P: '${{ secrets.GITHUB_TOKEN }}', S: '${{ secrets.SLACK_WEBHOOK }}'}}]}
  d: {steps: [{run: npm publish, env: {NODE_AUTH_TOKEN: '${{ secrets.NPM_TOKEN }}'}}]}
",
        );
    }
}
