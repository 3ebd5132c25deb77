//! `reusable-permissions-fit`.

use std::collections::BTreeMap;

use crate::check::{Check, Group, Repository, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::workflow::{Level, Permissions, Scope, Workflow};

pub(super) static RULE: Rule = Rule {
    code: "reusable-permissions-fit",
    group: Group::Permission,
    severity: Severity::Error,
    rejects: false,
    summary: "a called workflow asks for no more than its caller grants",
    documentation: "\
## What it does
Compares what the jobs of a called workflow of this repository ask for, and those that it calls in turn,
with what the calling job grants. Warns where the caller says nothing, and only a generous repository lets
it start. A workflow of another repository is not judged.

## Why
A called workflow can only get less than its caller has. If it asks for more, GitHub refuses the whole run
before the first job starts.

## Example
```yaml
# deploy.yml, on workflow_call, has a job with `id-token: write`
deploy:
  permissions: {contents: read}
  uses: ./.github/workflows/deploy.yml
```

## Instead
```yaml
deploy:
  permissions: {contents: read, id-token: write}
  uses: ./.github/workflows/deploy.yml
```
",
    check: Check::Workflow(check),
};

/// How deep GitHub lets workflows call each other.
const MAX_DEPTH: usize = 10;

/// What is asked for at most, by scope, and by whom.
type Asked = BTreeMap<Scope, (Level, String)>;

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let Some(repository) = file.repository else { return };
    for (place, id, job) in file.workflow.jobs_at() {
        let Some((path, called)) = job.uses.as_ref().and_then(|uses| repository.called(uses)) else {
            continue;
        };
        let mut asked = Asked::new();
        ask(repository, path, called, MAX_DEPTH, &mut asked);
        let granted = file.workflow.permissions_of(job);
        for (scope, (level, who)) in asked {
            let found = match granted {
                Some(permissions) if permissions.level(scope) >= level => continue,
                Some(permissions) => {
                    let granted = permissions.level(scope);
                    let message = format!(
                        "{who} asks for `{scope}: {level}`, and `{id}` grants `{granted}`: the run does not start"
                    );
                    RULE.finding(place.key("uses"), message)
                }
                None if scope == Scope::IdToken => {
                    let message = format!(
                        "{who} asks for `{scope}: {level}`, which `{id}` must grant: the run does not start"
                    );
                    RULE.finding(place.key("uses"), message)
                }
                None if level == Level::Read && matches!(scope, Scope::Contents | Scope::Packages) => {
                    continue;
                }
                None => {
                    let message = format!(
                        "{who} asks for `{scope}: {level}`, and `{id}` says nothing: with GitHub's default the run does not start"
                    );
                    Diagnostic::warning(RULE.code, place.key("uses"), message)
                }
            };
            findings.push(found.with_help(format!("add `{scope}: {level}` to the permissions of `{id}`")));
        }
    }
}

/// Adds what a workflow asks for, with what it calls.
fn ask(repository: &Repository, path: &str, workflow: &Workflow, depth: usize, asked: &mut Asked) {
    let mut add = |permissions: Option<&Permissions>, who: String| {
        let Some(Permissions::Scopes(scopes)) = permissions else { return };
        for (&scope, &level) in scopes {
            let most = asked.entry(scope).or_insert((Level::None, String::new()));
            if level > most.0 {
                *most = (level, who.clone());
            }
        }
    };
    add(workflow.permissions.as_ref(), format!("`{path}`"));
    for (_, id, job) in workflow.jobs_at() {
        add(job.permissions.as_ref(), format!("`{id}` of `{path}`"));
    }
    for (_, _, job) in workflow.jobs_at().filter(|_| depth > 0) {
        if let Some((path, called)) = job.uses.as_ref().and_then(|uses| repository.called(uses)) {
            ask(repository, path, called, depth - 1, asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    const CALLED: (&str, &str) = (
        ".github/workflows/called.yml",
        "
on: workflow_call
permissions: {contents: read}
jobs:
  deploy: {permissions: {contents: read, id-token: write}, runs-on: x}
  nested: {uses: ./.github/workflows/nested.yml}
",
    );
    const NESTED: (&str, &str) = (
        ".github/workflows/nested.yml",
        "on: workflow_call\njobs: {a: {permissions: {issues: write}, runs-on: x}}\n",
    );

    #[test]
    fn more_than_granted() {
        fixture::check_among(
            &RULE,
            "
on: push
jobs:
  some:
    permissions: {contents: write, issues: write}
    uses: ./.github/workflows/called.yml
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[reusable-permissions-fit]: `deploy` of `.github/workflows/called.yml` asks for `id-token: write`, and `some` grants `none`
  nothing:
    uses: ./.github/workflows/called.yml
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[reusable-permissions-fit]: which `nothing` must grant
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[reusable-permissions-fit]: `a` of `.github/workflows/nested.yml` asks for `issues: write`
",
            &[CALLED, NESTED],
        );
    }

    #[test]
    fn enough_and_unknown_pass() {
        fixture::check_among(
            &RULE,
            "
on: push
jobs:
  all: {permissions: write-all, uses: ./.github/workflows/called.yml}
  enough: {permissions: {contents: read, id-token: write, issues: write}, uses: ./.github/workflows/called.yml}
  other: {uses: acme/shared/.github/workflows/called.yml@v1}
  missing: {uses: ./.github/workflows/missing.yml}
",
            &[CALLED, NESTED],
        );
        fixture::check(
            &RULE,
            "on: push\njobs: {a: {permissions: {}, uses: ./.github/workflows/called.yml}}\n",
        );
    }
}
