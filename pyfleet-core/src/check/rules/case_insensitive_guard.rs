//! `case-insensitive-guard`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::expression::{Comparison, Expression, Function, Kind, Literal, condition};
use crate::workflow::{Job, Level, Permissions, Workflow};

pub(super) static RULE: Rule = Rule {
    code: "case-insensitive-guard",
    group: Group::Expression,
    severity: Severity::Error,
    rejects: false,
    summary: "a comparison that ignores case is not all that guards a job with rights",
    documentation: "\
## What it does
Finds jobs with write rights, or with a cloud login, that nothing guards but a comparison in their `if:` with the name
of a branch or with a phrase that was typed in. An `environment:` guards a job, a job that it `needs` may, and so does
a trigger that lists the branches.

## Why
GitHub compares texts without regard to case: `github.ref == 'refs/heads/main'` holds on a branch `MAIN`, which anyone
who can push can make, and which no branch protection covers. A phrase is confirmed by `deploy` as by `DEPLOY`.

## Example
```yaml
apply:
  if: github.ref == 'refs/heads/main'
  permissions: {id-token: write}
```

## Instead
```yaml
apply:
  if: github.ref == 'refs/heads/main'
  environment: production
  permissions: {id-token: write}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let any_branch = runs_on_any_branch(file.workflow);
    for PlacedJob { place, id, job, .. } in file.jobs() {
        if job.environment.is_some() || !job.needs.is_empty() || !has_rights(file.workflow, job) {
            continue;
        }
        let Some(Ok(condition)) = job.condition.as_deref().map(condition) else { continue };
        condition.walk(&mut |expression| {
            let message = match guard(expression) {
                Some(Guard::Ref) if any_branch => {
                    format!("nothing else guards `{id}`, and this holds for a branch in any case")
                }
                Some(Guard::Phrase) => {
                    format!("nothing else guards `{id}`, and this holds for the phrase in any case")
                }
                _ => return,
            };
            let place = Place::within(place.key("if"), expression.span.clone());
            findings.push(RULE.finding(place, message).with_help(
                "give the job an `environment:` with a branch policy, or compare in a script first",
            ));
        });
    }
}

/// What a comparison guards by.
enum Guard {
    Ref,
    Phrase,
}

fn guard(expression: &Expression) -> Option<Guard> {
    let Kind::Compare { operator: Comparison::Equal, left, right } = &expression.kind else {
        return match &expression.kind {
            Kind::Call { function, arguments } => match (Function::named(function)?, arguments.as_slice()) {
                (Function::Contains | Function::StartsWith, [text, part]) if has_letters(part) => {
                    is_phrase(text).then_some(Guard::Phrase)
                }
                _ => None,
            },
            _ => None,
        };
    };
    let (read, text) = if has_letters(right) { (left, right) } else { (right, left) };
    if !has_letters(text) {
        return None;
    }
    let is_ref = ["ref", "ref_name", "base_ref", "head_ref"];
    let access = read.as_context()?;
    if is_ref.iter().any(|name| access.is_within(&["github", name])) {
        return Some(Guard::Ref);
    }
    is_phrase(read).then_some(Guard::Phrase)
}

fn has_letters(expression: &Expression) -> bool {
    matches!(&expression.kind, Kind::Literal(Literal::String(text))
        if text.trim_start_matches("refs/heads/").contains(|c: char| c.is_alphabetic()))
}

/// Whether this reads an input that a person confirms something with.
fn is_phrase(expression: &Expression) -> bool {
    let Some(access) = expression.as_context() else { return false };
    let name = match access.context.to_ascii_lowercase().as_str() {
        "inputs" => access.name(0),
        "github" if access.is_within(&["github", "event", "inputs"]) => access.name(2),
        _ => None,
    };
    let words = ["confirm", "phrase", "acknowledge"];
    name.is_some_and(|name| words.iter().any(|word| name.to_ascii_lowercase().contains(word)))
}

/// Whether the job's token can write, or log in somewhere.
fn has_rights(workflow: &Workflow, job: &Job) -> bool {
    match workflow.permissions_of(job) {
        Some(Permissions::WriteAll) => true,
        Some(Permissions::Scopes(scopes)) => scopes.values().any(|level| *level == Level::Write),
        Some(Permissions::ReadAll) | None => false,
    }
}

/// Whether a push to any branch, or a person on any branch, starts the workflow.
fn runs_on_any_branch(workflow: &Workflow) -> bool {
    let pushed = workflow.on.push.as_ref().is_some_and(|push| {
        push.branches.is_empty() && (push.tags.is_empty() || !push.branches_ignore.is_empty())
    });
    pushed || workflow.on.workflow_dispatch.is_some()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn the_only_guard() {
        fixture::check(
            &RULE,
            "
on: {workflow_dispatch: {inputs: {confirm: , stage: }}}
permissions: {contents: write}
jobs:
  a:
    if: ${{ inputs.confirm == 'DEPLOY' && inputs.stage == 'prod' }}
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^ error[case-insensitive-guard]: for the phrase in any case
    steps: [{run: x}]
  b:
    permissions: {id-token: write}
    if: github.ref == 'refs/heads/main'
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[case-insensitive-guard]: for a branch in any case
    steps: [{run: x}]
",
        );
    }

    #[test]
    fn another_guard_or_no_rights_pass() {
        fixture::check(
            &RULE,
            "
on: {workflow_dispatch: {inputs: {confirm: {type: string}}}}
permissions: {}
jobs:
  guard: {if: inputs.confirm == 'DEPLOY', steps: [{run: x}]}
  needs: {needs: guard, if: inputs.confirm == 'DEPLOY', permissions: {id-token: write}, steps: [{run: x}]}
  environment: {environment: prod, if: github.ref_name == 'main', permissions: {id-token: write}, steps: [{run: x}]}
  number: {if: inputs.confirm == '42' || github.ref != 'refs/heads/x', permissions: {id-token: write}, steps: []}
",
        );
        fixture::check(
            &RULE,
            "
on: {push: {branches: [main]}}
jobs: {a: {if: github.ref == 'refs/heads/main', permissions: {contents: write}, steps: [{run: x}]}}
",
        );
    }
}
