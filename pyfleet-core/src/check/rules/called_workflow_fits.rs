//! `called-workflow-fits`.

use std::collections::BTreeMap;

use crate::check::{Check, Group, PlacedJob, Repository, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Severity};
use crate::expression::opens_in;
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
Refuses to call a workflow without `workflow_call`, calls that go deeper than ten, as those that go round in a circle do,
and more than fifty different workflows. What called workflows call in turn is judged with them. A workflow of another
repository is not.

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
    findings.extend(Calls::of(repository).mistakes_of_passing(file.workflow));
    for PlacedJob { place, job, .. } in file.jobs() {
        let called = job.uses.as_ref().and_then(|uses| repository.called(uses));
        let Some(interface) = called.and_then(|(_, called)| called.on.workflow_call.as_ref()) else {
            continue;
        };
        let inputs: BTreeMap<String, _> =
            interface.inputs.iter().map(|(own, input)| (own.to_ascii_lowercase(), input)).collect();
        for name in job.with.keys() {
            let place = place.key("with").key(name);
            let Some(input) = inputs.get(&name.to_ascii_lowercase()) else { continue };
            let Some(wanted) = file.node(&place).and_then(|node| another_type(node, input.kind)) else {
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
        (Value::String(text), _) if opens_in(text) => None,
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

    /// One that many jobs call counts once, and what is wrong in it is looked for once.
    #[test]
    fn a_workflow_is_called_from_many_jobs() {
        use std::fmt::Write;

        let (mut once, mut each) = ("on: push\njobs:\n".to_owned(), "on: push\njobs:\n".to_owned());
        let own = ("x.yml", "on: workflow_call\njobs: {a: {runs-on: x}}\n");
        let mut others = vec![(".github/workflows/x.yml".to_owned(), own.1)];
        for number in 0..51 {
            writeln!(once, "  j{number}: {{uses: ./.github/workflows/x.yml}}").unwrap();
            writeln!(each, "  j{number}: {{uses: ./.github/workflows/x{number}.yml}}").unwrap();
            others.push((format!(".github/workflows/x{number}.yml"), own.1));
        }
        let others: Vec<_> = others.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        fixture::check_among(&RULE, &once, &others);
        each.truncate(each.trim_end().len());
        each.push_str("\n#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[called-workflow-fits]: more than 50 workflows\n");
        fixture::check_among(&RULE, &each, &others);
    }

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
