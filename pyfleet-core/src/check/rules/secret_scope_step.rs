//! `secret-scope-step`.

use std::cell::LazyCell;
use std::ops::Range;

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Segment, Severity};
use crate::expression::{ContextAccess, Expression, Kind};

pub(super) static RULE: Rule = Rule {
    code: "secret-scope-step",
    group: Group::Secrets,
    severity: Severity::Error,
    rejects: false,
    summary: "only the step that uses a secret sees it",
    documentation: "\
## What it does
Allows secrets and `github.token` in `env:` and `with:` of a step, in `env:` of a job of one step, in `secrets:` of a
called workflow and in `credentials:` of an image, and nowhere else. Reading all of `github` counts as reading its token;
to ask whether a secret is there, as in `${{ secrets.TOKEN != '' }}`, hands nothing on.

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
        if is_scoped(&placed.path) || is_of_only_step(file, &placed.path) {
            continue;
        }
        let secret =
            |access: &ContextAccess| access.is_within(&["secrets"]) || access.may_read(&["github", "token"]);
        let asked = LazyCell::new(|| asked(&placed.expression));
        let is_in_step = placed.path.segments().iter().any(|segment| is_key(segment, &["steps"]));
        for access in placed.contexts().iter().filter(|access| secret(access)) {
            let place = placed.place_of(access.span.clone());
            if asked.iter().any(|part| part.start <= access.span.start && access.span.end <= part.end) {
                continue;
            }
            let finding = if is_in_step {
                RULE.finding(
                    place,
                    format!("`{access}` becomes a part of the text, where only masking hides it"),
                )
                .with_help("hand it over by `env` of this step")
            } else {
                RULE.finding(place, format!("`{access}` is read outside the step that uses it"))
                    .with_help("move it to `env` of that step")
            };
            findings.push(finding);
        }
    }
}

/// The parts of an expression whose value is true or false, whatever is read in them.
fn asked(expression: &Expression) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    expression.walk(&mut |part| {
        if matches!(part.kind, Kind::Not(_) | Kind::Compare { .. }) {
            found.push(part.span.clone());
        }
    });
    found
}

/// Whether this is in the environment of a job of which one step is all.
fn is_of_only_step(file: &WorkflowFile<'_>, path: &Path) -> bool {
    let [jobs, Segment::Key(id), env, _] = path.segments() else { return false };
    is_key(jobs, &["jobs"])
        && is_key(env, &["env"])
        && file
            .workflow
            .jobs
            .get(id.as_str())
            .is_some_and(|job| matches!(job.steps.as_slice(), [only] if only.parallel.is_empty()))
}

fn is_key(segment: &Segment, names: &[&str]) -> bool {
    matches!(segment, Segment::Key(own) if names.contains(&own.as_str()))
}

/// Whether a secret at this path reaches one step, one called workflow or one registry only.
fn is_scoped(path: &Path) -> bool {
    match path.segments() {
        [jobs, _, secrets, _] if is_key(jobs, &["jobs"]) => is_key(secrets, &["secrets"]),
        [jobs, _, steps, .., Segment::Index(_), scope, _]
            if is_key(jobs, &["jobs"]) && is_key(steps, &["steps"]) =>
        {
            is_key(scope, &["env", "with"])
        }
        [jobs, _, .., credentials, _] => is_key(jobs, &["jobs"]) && is_key(credentials, &["credentials"]),
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
      known: ${{ secrets.E != '' && secrets.E }}
#                                   ^^^^^^^^^ error[secret-scope-step]: `secrets.E` is read outside
    steps:
      - run: make
      - run: echo ${{ secrets.D }}
#                     ^^^^^^^^^ error[secret-scope-step]: `secrets.D` becomes a part of the text
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
    env: {HAS: '${{ secrets.A != null }}', HAS_NOT: '${{ !secrets.A || github.ref }}'}
    steps:
      - {run: a, env: {A: '${{ secrets.A }}'}}
      - {uses: a/b@v1, with: {token: '${{ github.token }}'}}
      - parallel: [{run: a, env: {A: '${{ secrets.A }}'}}]
  b: {uses: ./.github/workflows/x.yml, secrets: {A: '${{ secrets.A }}'}}
  c: {env: {A: '${{ secrets.A }}'}, steps: [{run: a}]}
",
        );
    }
}
