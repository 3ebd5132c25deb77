//! `called-workflow-named`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Severity};
use crate::workflow::Uses;

/// Where workflows are.
const FOLDER: &str = ".github/workflows/";

pub(super) static RULE: Rule = Rule {
    code: "called-workflow-named",
    group: Group::Syntax,
    severity: Severity::Error,
    rejects: false,
    summary: "a job calls a workflow by its file and, in another repository, its reference",
    documentation: "\
## What it does
Demands of `uses` of a job that it names a file that ends in `.yml` or `.yaml`: `./.github/workflows/FILE` in this
repository, without a reference, or `OWNER/REPOSITORY/.github/workflows/FILE@REFERENCE` in another. A file in another
folder is a warning.

## Why
A job calls a workflow, not an action: GitHub looks for a file, in that folder alone, and the run fails before it
starts.

## Example
```yaml
jobs:
  call:
    uses: acme/deployment@v1
```

## Instead
```yaml
jobs:
  call:
    uses: acme/deployment/.github/workflows/deploy.yml@v1
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place, job, .. } in file.jobs() {
        let (wrong, path) = match &job.uses {
            None | Some(Uses::Computed(_)) => continue,
            Some(Uses::Docker(_)) => (Some("an image is no workflow"), None),
            Some(uses @ Uses::Repository { .. }) => match uses.path() {
                None => (Some("this names an action: a job calls a file with a workflow"), None),
                path => (None, path),
            },
            Some(Uses::Local(path) | Uses::SelfRepository(path)) if path.contains('@') => {
                (Some("a workflow of this repository is called without a reference"), None)
            }
            Some(Uses::Local(path) | Uses::SelfRepository(path)) => (None, Some(path.as_str())),
        };
        let uses = place.key("uses");
        let is_file = |path: &str| {
            let lower = path.to_ascii_lowercase();
            lower.ends_with(".yml") || lower.ends_with(".yaml")
        };
        let finding = match (wrong, path) {
            (Some(wrong), _) => RULE.finding(uses, wrong),
            (None, Some(path)) if !is_file(path) => {
                RULE.finding(uses, "a workflow's file ends in `.yml` or `.yaml`")
            }
            (None, Some(path)) if !path.starts_with(FOLDER) => {
                let mut finding = RULE.finding(uses, format!("GitHub finds workflows in `{FOLDER}` alone"));
                finding.severity = Severity::Warning;
                finding
            }
            _ => continue,
        };
        findings.push(finding.with_help(
            "write `./.github/workflows/FILE`, or `OWNER/REPOSITORY/.github/workflows/FILE@REFERENCE`",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn what_is_no_workflow() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    uses: acme/deployment@v1
#         ^^^^^^^^^^^^^^^^^^ error[called-workflow-named]: this names an action
  b:
    uses: ./.github/workflows/b.yml@main
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[called-workflow-named]: without a reference
  c:
    uses: acme/deployment/.github/workflows@v1
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[called-workflow-named]: ends in `.yml`
  d:
    uses: ./ci/d.yml
#         ^^^^^^^^^^ warning[called-workflow-named]: in `.github/workflows/` alone
  e:
    uses: docker://alpine
#         ^^^^^^^^^^^^^^^ error[called-workflow-named]: an image is no workflow
",
        );
    }

    #[test]
    fn workflows_and_actions_of_steps_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {uses: ./.github/workflows/a.yml}
  b: {uses: acme/deployment/.github/workflows/b.yaml@v1}
  c: {runs-on: x, steps: [{uses: acme/deployment@v1}]}
",
        );
    }
}
