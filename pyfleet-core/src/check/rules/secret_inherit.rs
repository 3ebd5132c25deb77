//! `secret-inherit`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Severity};
use crate::workflow::PassedSecrets;

pub(super) static RULE: Rule = Rule {
    code: "secret-inherit",
    group: Group::Secrets,
    severity: Severity::Error,
    rejects: false,
    summary: "a called workflow gets the secrets it needs, by name",
    documentation: "\
## What it does
Refuses `secrets: inherit`.

## Why
It hands every secret of the caller to the called workflow: also those of tomorrow, and those that nobody
reads there. Who reviews the call cannot see what leaves.

## Example
```yaml
deploy:
  uses: ./.github/workflows/deploy.yml
  secrets: inherit
```

## Instead
```yaml
deploy:
  uses: ./.github/workflows/deploy.yml
  secrets:
    token: ${{ secrets.DEPLOY_TOKEN }}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place, job, .. } in file.jobs() {
        if job.secrets == Some(PassedSecrets::Inherit) {
            let message = "every secret of this workflow is handed on, whether it is read there or not";
            let finding = RULE.finding(place.key("secrets"), message);
            findings.push(finding.with_help("list the secrets that the called workflow declares"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn all_of_them() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    uses: ./.github/workflows/x.yml
    secrets: inherit
#            ^^^^^^^ error[secret-inherit]: every secret of this workflow is handed on
",
        );
    }

    #[test]
    fn named_and_none_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {uses: ./.github/workflows/x.yml, secrets: {inherit: '${{ secrets.A }}'}}
  b: {uses: ./.github/workflows/x.yml}
",
        );
    }
}
