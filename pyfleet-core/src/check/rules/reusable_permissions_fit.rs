//! `reusable-permissions-fit`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::check::{Check, Group, PlacedJob, Repository, Rule, WorkflowFile};
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

/// What is asked for at most, by scope, and by whom.
type Asked = BTreeMap<Scope, (Level, String)>;

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let Some(repository) = file.repository else { return };
    let mut known = BTreeMap::<&str, Asked>::new();
    for PlacedJob { place, id, job, .. } in file.jobs() {
        let Some((path, called)) = job.uses.as_ref().and_then(|uses| repository.called(uses)) else {
            continue;
        };
        let asked = known.entry(path).or_insert_with(|| asked(repository, path, called));
        let granted = file.workflow.permissions_of(job);
        for (&scope, (level, who)) in &*asked {
            let level = *level;
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

/// What a workflow asks for, with what it calls, each once: that one calls itself is another mistake.
fn asked(repository: &Repository, path: &str, workflow: &Workflow) -> Asked {
    let mut asked = Asked::new();
    let mut add = |permissions: &Permissions, who: &str| {
        for scope in Scope::ALL {
            let level = permissions.level(scope);
            if level > asked.get(&scope).map_or(Level::None, |(most, _)| *most) {
                asked.insert(scope, (level, who.to_owned()));
            }
        }
    };
    let (mut seen, mut open) = (BTreeSet::from([path]), VecDeque::from([(path, workflow)]));
    while let Some((path, workflow)) = open.pop_front() {
        if let Some(own) = &workflow.permissions {
            add(own, &format!("`{path}`"));
        }
        for (id, job) in &workflow.jobs {
            if let Some(own) = &job.permissions {
                add(own, &format!("`{id}` of `{path}`"));
            }
            let called = job.uses.as_ref().and_then(|uses| repository.called(uses));
            open.extend(called.filter(|(path, _)| seen.insert(path)));
        }
    }
    asked
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
    fn everything_is_more_than_nothing() {
        fixture::check_among(
            &RULE,
            "
on: push
jobs:
  a: {permissions: {packages: read}, uses: ./.github/workflows/all.yml}
#                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[reusable-permissions-fit]: asks for `contents: read`, and `a` grants `none`
",
            &[(
                ".github/workflows/all.yml",
                "on: workflow_call\npermissions: {contents: read}\njobs: {a: {permissions: {packages: read}, runs-on: x}}\n",
            )],
        );
        let mut repository = crate::check::Repository::default();
        repository.add(
            ".github/workflows/all.yml",
            "on: workflow_call\njobs: {a: {permissions: write-all, runs-on: x}}\n",
        );
        let text = "on: push\njobs: {a: {permissions: {}, uses: ./.github/workflows/all.yml}}\n";
        let (read, _) = crate::workflow::parse(crate::source::Source::new("x.yml", text));
        let (workflow, document) = read.unwrap();
        let subject = crate::check::Subject::workflow(&workflow, &document);
        let found = crate::check::run(&subject.among(&repository), &[&RULE]);
        assert_eq!(found.len(), crate::workflow::Scope::ALL.len());
    }

    /// Each of a thousand jobs calls the workflow that it is in.
    #[test]
    fn a_circle_ends() {
        let jobs: String = (0..1000)
            .map(|number| format!("  a{number}: {{permissions: {{}}, uses: ./.github/workflows/own.yml}}\n"))
            .collect();
        let text = format!("\non: workflow_call\npermissions: {{}}\njobs:\n{jobs}");
        fixture::check_among(&RULE, &text, &[(".github/workflows/own.yml", &text)]);
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
