//! `secret-scope-step`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Segment, Severity};

pub(super) static RULE: Rule = Rule {
    code: "secret-scope-step",
    group: Group::Secrets,
    severity: Severity::Error,
    rejects: false,
    summary: "only the step that uses a secret sees it",
    documentation: "\
## What it does
Allows secrets and `github.token` in `env:` and `with:` of a step, in `secrets:` of a called workflow and
in `credentials:` of an image, and nowhere else. Reading all of `github` counts as reading its token.

## Why
In `env:` of a job or a workflow, every action and every script of it reads the secret.

## Example
```yaml
env:
  TOKEN: ${{ secrets.TOKEN }}
steps:
  - run: ./build
  - run: ./publish
```

## Instead
```yaml
steps:
  - run: ./build
  - run: ./publish
    env:
      TOKEN: ${{ secrets.TOKEN }}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for placed in file.expressions() {
        if is_scoped(&placed.path) {
            continue;
        }
        let secret = |access: &crate::expression::ContextAccess| {
            access.is_within(&["secrets"]) || access.may_read(&["github", "token"])
        };
        for (place, access) in placed.contexts().filter(|(_, access)| secret(access)) {
            let message = format!("`{access}` is read outside the step that uses it");
            findings.push(RULE.finding(place, message).with_help("move it to `env` of that step"));
        }
    }
}

/// Whether a secret at this path reaches one step, one called workflow or one registry only.
fn is_scoped(path: &Path) -> bool {
    let key = |segment: &Segment, names: &[&str]| matches!(segment, Segment::Key(own) if names.contains(&own.as_str()));
    match path.segments() {
        [jobs, _, secrets, _] if key(jobs, &["jobs"]) => key(secrets, &["secrets"]),
        [jobs, _, steps, .., Segment::Index(_), scope, _]
            if key(jobs, &["jobs"]) && key(steps, &["steps"]) =>
        {
            key(scope, &["env", "with"])
        }
        [jobs, _, .., credentials, _] => key(jobs, &["jobs"]) && key(credentials, &["credentials"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn workflow_job_and_script() {
        fixture::check(
            &RULE,
            "
on: push
env: {A: '${{ secrets.A }}'}
#             ^^^^^^^^^ error[secret-scope-step]: `secrets.A` is read outside
jobs:
  a:
    env:
      B: ${{ format('{0}', secrets['B']) }}
#                          ^^^^^^^^^^^^ error[secret-scope-step]: `secrets.B` is read outside
      C: ${{ github.token }}
#            ^^^^^^^^^^^^ error[secret-scope-step]: `github.token` is read outside
    outputs:
      all: ${{ toJSON(github) }}
#                     ^^^^^^ error[secret-scope-step]: `github` is read outside
    steps:
      - run: echo ${{ secrets.D }}
#                     ^^^^^^^^^ error[secret-scope-step]: `secrets.D` is read outside
",
        );
    }

    #[test]
    fn steps_called_workflows_and_registries_pass() {
        fixture::check(
            &RULE,
            "
on: push
env: {A: '${{ github.sha }}'}
jobs:
  a:
    container: {image: x, credentials: {username: u, password: '${{ secrets.P }}'}}
    services: {db: {image: x, credentials: {username: u, password: '${{ secrets.P }}'}}}
    steps:
      - {run: a, env: {A: '${{ secrets.A }}'}}
      - {uses: a/b@v1, with: {token: '${{ github.token }}'}}
      - parallel: [{run: a, env: {A: '${{ secrets.A }}'}}]
  b: {uses: ./.github/workflows/x.yml, secrets: {A: '${{ secrets.A }}'}}
",
        );
    }
}
