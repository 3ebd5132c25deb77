//! `permissions-explicit`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::workflow::Permissions;

pub(super) static RULE: Rule = Rule {
    code: "permissions-explicit",
    group: Group::Permission,
    severity: Severity::Error,
    rejects: false,
    summary: "the workflow grants nothing, and every job says what it needs",
    documentation: "\
## What it does
Demands `permissions: {}` at the top and a block of its own for every job; refuses `read-all`,
`write-all`, and levels that a scope does not have.

## Why
Without a block a job gets what the repository's settings say, which nobody sees in a review.
`write-all` includes `id-token: write`, and so every cloud role that trusts this repository.

## Example
```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
```

## Instead
```yaml
on: push
permissions: {}
jobs:
  build:
    permissions:
      contents: read
    runs-on: ubuntu-24.04
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let top = Path::of(["permissions"]);
    match &file.workflow.permissions {
        Some(permissions) if *permissions == Permissions::none() => {}
        Some(_) => findings.push(
            RULE.finding(Place::key(top), "what the workflow grants, every job without a block gets")
                .with_help("set `permissions: {}` here and grant it to the jobs that need it"),
        ),
        None => {
            let message = if file.workflow.jobs.values().all(|job| job.permissions.is_some()) {
                "the workflow has no `permissions`: the next job without a block gets what others decide"
            } else if file.workflow.on.names().all(|event| event == "workflow_call") {
                "the workflow has no `permissions`: whoever calls it decides"
            } else {
                "the workflow has no `permissions`: the repository's settings decide"
            };
            findings
                .push(RULE.finding(Place::key(top), message).with_help("set `permissions: {}` at the top"));
        }
    }
    for PlacedJob { place, id, job, .. } in file.jobs() {
        let permissions = place.key("permissions");
        match &job.permissions {
            None => findings.push(
                RULE.finding(Place::key(place.clone()), format!("`{id}` does not say what its token may do"))
                    .with_help("give it a `permissions` block; `{}` for none"),
            ),
            Some(Permissions::ReadAll) => findings.push(
                RULE.finding(permissions, "`read-all` grants what no step asked for")
                    .with_help("list the scopes that the steps need"),
            ),
            Some(Permissions::WriteAll) => findings.push(
                RULE.finding(
                    permissions,
                    "`write-all` includes `id-token: write`, and with it every cloud role",
                )
                .with_help("list the scopes that the steps need"),
            ),
            Some(Permissions::Scopes(scopes)) => {
                for (scope, level) in scopes.iter().filter(|(scope, level)| !scope.allows(**level)) {
                    let message = format!("`{scope}` has no level `{level}`");
                    findings.push(RULE.finding(permissions.key(scope.name()), message));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn missing_shorthand_and_levels() {
        fixture::check(
            &RULE,
            "
on: push
#^ error[permissions-explicit]: the workflow has no `permissions`
jobs:
  a:
# ^ error[permissions-explicit]: `a` does not say what its token may do
    runs-on: x
  b:
    permissions: write-all
#                ^^^^^^^^^ error[permissions-explicit]: includes `id-token: write`
  c:
    permissions: read-all
#                ^^^^^^^^ error[permissions-explicit]: what no step asked for
",
        );
    }

    #[test]
    fn who_decides_where_the_top_says_nothing() {
        fixture::check(
            &RULE,
            "
on: workflow_call
#^ error[permissions-explicit]: whoever calls it decides
jobs:
  a:
# ^ error[permissions-explicit]: `a` does not say
    runs-on: x
",
        );
        fixture::check(
            &RULE,
            "
on: push
#^ error[permissions-explicit]: the next job without a block
jobs: {a: {permissions: {}}}
",
        );
    }

    #[test]
    fn a_grant_at_the_top() {
        fixture::check(
            &RULE,
            "
on: push
permissions:
#^^^^^^^^^^ error[permissions-explicit]: every job without a block gets
  contents: read
jobs: {}
",
        );
    }

    #[test]
    fn nothing_at_the_top_and_a_block_for_each_job_pass() {
        fixture::check(
            &RULE,
            "
on: push
permissions: {}
jobs:
  a: {permissions: {}}
  b: {permissions: {contents: read, id-token: write}}
",
        );
    }
}
