//! `static-cloud-keys`.

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};

pub(super) static RULE: Rule = Rule {
    code: "static-cloud-keys",
    group: Group::Oidc,
    severity: Severity::Error,
    rejects: false,
    summary: "no long-lived cloud key reaches a workflow",
    documentation: "\
## What it does
Refuses access keys of AWS, Google Cloud and Azure as environment variables, inputs or secrets, and
`role-chaining` where no step before it has logged in to a role.

## Why
A key works from anywhere until somebody revokes it; an identity token works for one job of one
repository, for minutes.

## Example
```yaml
env:
  AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}
```

## Instead
```yaml
permissions: {id-token: write}
steps:
  - uses: aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3
    with: {role-to-assume: 'arn:aws:iam::123456789012:role/deploy', aws-region: eu-central-1}
```
",
    check: Check::Workflow(check),
};

/// Names of keys, as variables; inputs and secrets are compared without regard to case, `-` and `_`.
const KEYS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GCP_SA_KEY",
    "AZURE_CREDENTIALS",
    "AZURE_CLIENT_SECRET",
    "ARM_CLIENT_SECRET",
    "ARM_ACCESS_KEY",
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let mut named: Vec<Path> = Vec::new();
    let mut judge = |owner: &Path, list: &str, names: indexmap::map::Keys<'_, String, String>| {
        for name in names.filter(|name| is_key(name)) {
            let path = owner.key(list).key(name);
            findings.push(
                RULE.finding(
                    Place::key(path.clone()),
                    format!("`{name}` is a cloud key that works from anywhere"),
                )
                .with_help("log in with an identity token and a role"),
            );
            named.push(path);
        }
    };
    judge(&Path::root(), "env", file.workflow.env.keys());
    for PlacedJob { place, job, steps, .. } in file.jobs() {
        judge(place, "env", job.env.keys());
        judge(place, "with", job.with.keys());
        for PlacedStep { place, step, .. } in steps {
            judge(place, "env", step.env.keys());
            judge(place, "with", step.with.keys());
        }
    }
    for PlacedJob { steps, .. } in file.jobs() {
        let mut has_role = false;
        for PlacedStep { place, step, .. } in steps {
            for (name, value) in &step.with {
                if name.eq_ignore_ascii_case("role-chaining") && value != "false" && !has_role {
                    let message =
                        "`role-chaining` takes the credentials of the step before, whatever they are";
                    findings.push(RULE.finding(Place::key(place.key("with").key(name)), message));
                }
            }
            has_role |= step.input("role-to-assume").is_some() && step.input("aws-access-key-id").is_none();
        }
    }
    for placed in file.expressions() {
        if named.contains(&placed.path) {
            continue;
        }
        for access in placed.contexts_within(&["secrets"]) {
            if let Some(name) = access.name(0).filter(|name| is_key(name)) {
                findings.push(
                    RULE.finding(
                        placed.place_of(access.span.clone()),
                        format!("the secret `{name}` is a cloud key that works from anywhere"),
                    )
                    .with_help("log in with an identity token and a role"),
                );
            }
        }
    }
}

/// Whether a name is that of a key, also behind a prefix: `PROD_AWS_ACCESS_KEY_ID`.
fn is_key(name: &str) -> bool {
    let is_same =
        |(own, other): (&u8, &u8)| own.to_ascii_uppercase() == *other || (*own, *other) == (b'-', b'_');
    KEYS.iter().map(|key| key.as_bytes()).any(|key| {
        let Some(start) = name.len().checked_sub(key.len()) else { return false };
        let (prefix, end) = name.as_bytes().split_at(start);
        end.iter().zip(key).all(is_same) && matches!(prefix.last(), None | Some(b'_' | b'-'))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn variables_inputs_and_secrets() {
        fixture::check(
            &RULE,
            "
on: push
env:
  AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID }}
# ^^^^^^^^^^^^^^^^^ error[static-cloud-keys]: `AWS_ACCESS_KEY_ID` is a cloud key
jobs:
  a:
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          aws-secret-access-key: x
#         ^^^^^^^^^^^^^^^^^^^^^ error[static-cloud-keys]: `aws-secret-access-key` is a cloud key
          role-chaining: true
#         ^^^^^^^^^^^^^ error[static-cloud-keys]: the step before
      - run: a
        env:
          KEY: ${{ secrets.PROD_AWS_SECRET_ACCESS_KEY }}
#                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[static-cloud-keys]: the secret `PROD_AWS_SECRET_ACCESS_KEY`
",
        );
    }

    #[test]
    fn roles_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
        with: {role-to-assume: '${{ vars.ROLE }}', aws-region: x, role-chaining: false}
      - uses: aws-actions/configure-aws-credentials@v6
        with: {role-to-assume: '${{ vars.OTHER }}', aws-region: x, role-chaining: true}
      - {run: a, env: {AWS_REGION: x, TOKEN: '${{ secrets.CODECOV_TOKEN }}', NOT_MYAWS_SESSION_TOKENS: x}}
",
        );
    }
}
