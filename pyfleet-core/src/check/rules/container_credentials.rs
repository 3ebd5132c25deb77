//! `container-credentials`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Severity};
use crate::expression::opens_in;
use crate::workflow::Container;

pub(super) static RULE: Rule = Rule {
    code: "container-credentials",
    group: Group::Secrets,
    severity: Severity::Error,
    rejects: false,
    summary: "a registry's password is a secret, not a text",
    documentation: "\
## What it does
Refuses a `password` written out in the `credentials` of a container or a service.

## Why
Whoever can read the repository has the password, for as long as its history is kept.

## Example
```yaml
container:
  image: registry.example.com/build@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  credentials: {username: ci, password: hunter2}
```

## Instead
```yaml
container:
  image: registry.example.com/build@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  credentials: {username: ci, password: '${{ secrets.REGISTRY_PASSWORD }}'}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let mut judge = |place: Path, image: &Container| {
        // An expression for all of them writes none out.
        let credentials = image.credentials.as_ref().and_then(|credentials| credentials.literal());
        let password = credentials.and_then(|credentials| credentials.password.as_deref());
        if password.is_some_and(|password| !password.is_empty() && !opens_in(password)) {
            let message = "this password is in the repository's history, for everybody who can read it";
            let finding = RULE.finding(place.key("credentials").key("password"), message);
            findings.push(finding.with_help("change it, store it as a secret, and read it from there"));
        }
    };
    for PlacedJob { place, job, .. } in file.jobs() {
        if let Some(container) = &job.container {
            judge(place.key("container"), container);
        }
        for (name, service) in &job.services {
            judge(place.key("services").key(name), service);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn written_out() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    container:
      image: x
      credentials:
        username: u
        password: hunter2
#                 ^^^^^^^ error[container-credentials]: in the repository's history
    services:
      db: {image: x, credentials: {username: u, password: 'p w'}}
#                                                         ^^^^^ error[container-credentials]: in the repository's history
",
        );
    }

    #[test]
    fn secrets_and_no_credentials_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    container: {image: x, credentials: {username: u, password: '${{ secrets.P }}'}}
    services: {db: {image: x, env: {PASSWORD: test}}}
  b: {container: x}
",
        );
    }
}
