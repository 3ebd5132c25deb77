//! `called-workflow-fits`.

use crate::check::{Check, Group, Repository, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Severity};
use crate::workflow::{Called, Calls, InputKind, Uses, Workflow};
use crate::yaml::tree::{Node, Value};

pub(super) static RULE: Rule = Rule {
    code: "called-workflow-fits",
    group: Group::Graph,
    severity: Severity::Error,
    rejects: false,
    summary: "a called workflow can be called, and is passed what it takes",
    documentation: "\
## What it does
Compares what a job passes to a workflow of this repository with the inputs and secrets that this takes: each has to be
one of them, those that are required have to be there, and a value that is written out has to be of the input's type.
Refuses to call a workflow without `workflow_call`, and calls that go deeper than ten or are more than fifty, as those
that go round in a circle do. What called workflows call in turn is judged with them. A workflow of another repository is
not.

## Why
GitHub compares before the first job starts, and the run fails with no job to look at.

## Example
```yaml
# deploy.yml takes an input `dry-run` of type `boolean`
deploy:
  uses: ./.github/workflows/deploy.yml
  with: {dry_run: 'yes'}
```

## Instead
```yaml
deploy:
  uses: ./.github/workflows/deploy.yml
  with: {dry-run: true}
```
",
    check: Check::Workflow(check),
};

impl Called for Repository {
    fn workflow(&self, uses: &Uses) -> Option<&Workflow> {
        self.called(uses).map(|(_, workflow)| workflow)
    }
}

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let Some(repository) = file.repository else { return };
    // What is asked of the token is the matter of `reusable-permissions-fit`.
    let mistakes = Calls::of(repository).mistakes(file.workflow);
    findings.extend(mistakes.into_iter().filter(|mistake| mistake.code == RULE.code));
    for (place, _, job) in file.workflow.jobs_at() {
        let called = job.uses.as_ref().and_then(|uses| repository.called(uses));
        let Some(interface) = called.and_then(|(_, called)| called.on.workflow_call.as_ref()) else {
            continue;
        };
        for name in job.with.keys() {
            let place = place.key("with").key(name);
            let input = interface.inputs.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            let Some((_, input)) = input else { continue };
            let Some(wanted) = file.document.node(&place).and_then(|node| another_type(node, input.kind))
            else {
                continue;
            };
            let finding = RULE.finding(place, format!("`{name}` is a {wanted}, and this is none"));
            findings.push(finding.with_help(format!("write a {wanted} without quotes, or compute it")));
        }
    }
}

/// The type of an input that a value cannot be of. An expression may be of any, and a text is made of everything.
fn another_type(node: &Node, kind: InputKind) -> Option<&'static str> {
    match (&node.value, kind) {
        (Value::String(text), _) if text.contains("${{") => None,
        (Value::String(_) | Value::Number(_), InputKind::Boolean) => Some("boolean"),
        (Value::String(_) | Value::Bool(_), InputKind::Number) => Some("number"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    const DEPLOY: (&str, &str) = (
        ".github/workflows/deploy.yml",
        "
on:
  workflow_call:
    inputs:
      where: {type: string, required: true}
      dry-run: {type: boolean}
      count: {type: number, default: 1}
    secrets:
      TOKEN: {required: true}
      OTHER: {}
jobs: {a: {runs-on: x}}
",
    );

    #[test]
    fn what_is_passed_and_what_is_not() {
        fixture::check_among(
            &RULE,
            "
on: push
jobs:
  a:
    uses: ./.github/workflows/deploy.yml
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[called-workflow-fits]: needs the input `where`
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[called-workflow-fits]: needs the secret `TOKEN`
    with:
      environment: prod
#     ^^^^^^^^^^^ error[called-workflow-fits]: has no input `environment`
      dry-run: 'true'
#              ^^^^^^ error[called-workflow-fits]: `dry-run` is a boolean
      count: '3'
#            ^^^ error[called-workflow-fits]: `count` is a number
    secrets:
      KEY: ${{ secrets.KEY }}
#     ^^^ error[called-workflow-fits]: has no secret `KEY`
",
            &[DEPLOY],
        );
    }

    #[test]
    fn what_cannot_be_called_and_circles() {
        fixture::check_among(
            &RULE,
            "
on: workflow_call
jobs:
  a:
    uses: ./.github/workflows/ci.yml
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^ error[called-workflow-fits]: has no `workflow_call` among its events
  b:
    uses: ./.github/workflows/round.yml
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[called-workflow-fits]: more than 10 workflows call each other
",
            &[
                (".github/workflows/ci.yml", "on: push\njobs: {a: {runs-on: x}}\n"),
                (
                    ".github/workflows/round.yml",
                    "on: workflow_call\njobs: {a: {uses: ./.github/workflows/round.yml}}\n",
                ),
            ],
        );
    }

    #[test]
    fn what_fits_passes() {
        fixture::check_among(
            &RULE,
            "
on: push
jobs:
  a:
    uses: ./.github/workflows/deploy.yml
    with: {Where: 3, dry-run: '${{ inputs.x }}', count: 2}
    secrets: {token: '${{ secrets.TOKEN }}'}
  b:
    permissions: {}
    uses: ./.github/workflows/deploy.yml
    with: {where: prod, dry-run: true}
    secrets: inherit
  c: {uses: ./.github/workflows/unknown.yml, with: {x: 1}}
  d: {uses: o/r/.github/workflows/deploy.yml@main, with: {x: 1}}
",
            &[DEPLOY],
        );
    }
}
