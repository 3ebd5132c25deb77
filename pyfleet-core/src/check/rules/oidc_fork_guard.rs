//! `oidc-fork-guard`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::expression::{Comparison, Expression, Kind, Literal, Logical, condition};
use crate::workflow::{Graph, Job, Level, Scope};

pub(super) static RULE: Rule = Rule {
    code: "oidc-fork-guard",
    group: Group::Oidc,
    severity: Severity::Warning,
    rejects: false,
    summary: "a job that logs in does not run for pull requests that cannot",
    documentation: "\
## What it does
In workflows started by `pull_request`, demands of a job with `id-token: write` a condition that excludes
forks, on the job or on one that it needs.

## Why
Pull requests from forks and from Dependabot get no identity token: the login fails, and the pull request
looks broken to somebody who cannot mend it.

## Example
```yaml
plan:
  permissions: {id-token: write}
```

## Instead
```yaml
plan:
  if: github.event.pull_request.head.repo.full_name == github.repository
  permissions: {id-token: write}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    if file.workflow.on.pull_request.is_none() {
        return;
    }
    let guarded = file.jobs().filter(|placed| excludes_forks(placed.job)).map(|placed| placed.id);
    let behind_guarded = Graph::of(file.workflow).waiting_for(guarded);
    for PlacedJob { place, id, job, .. } in file.jobs() {
        let granted = file.workflow.permissions_of(job);
        if granted.is_none_or(|permissions| permissions.level(Scope::IdToken) != Level::Write) {
            continue;
        }
        let guarded_before = || {
            let runs_after_skips = parsed(job).is_some_and(|condition| calls_status(&condition));
            !runs_after_skips && behind_guarded.contains(id)
        };
        if !excludes_forks(job) && !guarded_before() {
            let owner = if job.permissions.is_some() { place.clone() } else { Path::root() };
            let grant = Place::key(owner.key("permissions").key(Scope::IdToken.name()));
            findings.push(
                RULE.finding(
                    grant,
                    format!("pull requests from forks get no token, and `{id}` fails for them"),
                )
                .with_help("add `if: github.event.pull_request.head.repo.full_name == github.repository`"),
            );
        }
    }
}

fn parsed(job: &Job) -> Option<Expression> {
    condition(job.condition.as_deref()?).ok()
}

/// Whether the condition of a job keeps pull requests from forks out.
pub(super) fn excludes_forks(job: &Job) -> bool {
    parsed(job).is_some_and(|condition| implies_own_repository(&condition))
}

fn calls_status(condition: &Expression) -> bool {
    let status = ["always", "failure", "cancelled"];
    condition.calls().iter().any(|call| status.iter().any(|name| call.function.eq_ignore_ascii_case(name)))
}

/// Whether an expression can only be true where no pull request from a fork started the run.
fn implies_own_repository(expression: &Expression) -> bool {
    let reads = |expression: &Expression, path: &[&str]| {
        expression
            .as_context()
            .is_some_and(|access| access.selected.len() + 1 == path.len() && access.is_within(path))
    };
    let head = |name| ["github", "event", "pull_request", "head", "repo", name];
    let is_text = |expression: &Expression, text: &str| matches!(&expression.kind, Kind::Literal(Literal::String(own)) if own.eq_ignore_ascii_case(text));
    match &expression.kind {
        Kind::Logical { operator: Logical::And, operands } => operands.iter().any(implies_own_repository),
        Kind::Logical { operator: Logical::Or, operands } => operands.iter().all(implies_own_repository),
        Kind::Not(operand) => reads(operand, &head("fork")),
        Kind::Compare { operator: Comparison::Equal, left, right } => {
            let either = |one: &Expression, other: &Expression| {
                (reads(one, &head("full_name")) && reads(other, &["github", "repository"]))
                    || (reads(one, &head("fork")) && other.kind == Kind::Literal(Literal::Boolean(false)))
                    || (reads(one, &["github", "event_name"])
                        && matches!(other.kind, Kind::Literal(Literal::String(_)))
                        && !is_text(other, "pull_request"))
            };
            either(left, right) || either(right, left)
        }
        Kind::Compare { operator: Comparison::NotEqual, left, right } => {
            let either = |one: &Expression, other: &Expression| {
                reads(one, &["github", "event_name"]) && is_text(other, "pull_request")
            };
            either(left, right) || either(right, left)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn no_condition_or_one_that_does_not_say_so() {
        fixture::check(
            &RULE,
            "
on: pull_request
jobs:
  a:
    permissions: {id-token: write}
#                 ^^^^^^^^ warning[oidc-fork-guard]: `a` fails for them
  b:
    if: github.event.pull_request.head.repo.full_name == github.repository || inputs.x
    permissions: {id-token: write}
#                 ^^^^^^^^ warning[oidc-fork-guard]: `b` fails for them
  guard:
    if: github.event_name != 'pull_request'
  c:
    needs: guard
    if: always()
    permissions: {id-token: write}
#                 ^^^^^^^^ warning[oidc-fork-guard]: `c` fails for them
",
        );
    }

    #[test]
    fn every_way_to_say_it_passes() {
        fixture::check(
            &RULE,
            "
on: [push, pull_request]
jobs:
  a:
    if: ${{ github.event_name == 'push' || github.event.pull_request.head.repo.full_name == github.repository }}
    permissions: {id-token: write}
  b:
    if: '!github.event.pull_request.head.repo.fork && needs.x.result == ''success'''
    permissions: {id-token: write}
  c:
    needs: a
    permissions: {id-token: write}
  d: {}
",
        );
        fixture::check(&RULE, "{on: push, jobs: {a: {permissions: {id-token: write}}}}");
    }
}
