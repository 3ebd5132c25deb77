//! `container-complete`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::workflow::{Container, OrExpression};

pub(super) static RULE: Rule = Rule {
    code: "container-complete",
    group: Group::Syntax,
    severity: Severity::Warning,
    rejects: false,
    summary: "a container has an image, and credentials a name and a password",
    documentation: "\
## What it does
Warns of a `container` that is empty, and of `credentials` without `username` or without `password`.

## Why
GitHub runs a job with an empty `container` on the runner itself, without a word. With half of its credentials it
logs in to no registry, and the image is not found.

## Example
```yaml
container:
  image: registry.example.com/build@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  credentials: {username: ci}
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
    for PlacedJob { place, job, .. } in file.jobs() {
        let path = place.key("container");
        if let Some(node) = file.node(&path)
            && (node.as_str() == Some("") || node.value == crate::yaml::tree::Value::Null)
        {
            // An empty value has no text to point at.
            let place = if node.span.is_empty() { Place::key(path.clone()) } else { path.clone().into() };
            let message = "a container without an image: the job runs on the runner itself";
            findings.push(RULE.finding(place, message));
        }
        if let Some(container) = &job.container {
            judge_credentials(container, &path, findings);
        }
        for (name, service) in &job.services {
            judge_credentials(service, &place.key("services").key(name), findings);
        }
    }
}

fn judge_credentials(container: &Container, place: &Path, findings: &mut Diagnostics) {
    let Some(credentials) = container.credentials.as_ref().and_then(OrExpression::literal) else { return };
    let missing = match (&credentials.username, &credentials.password) {
        (Some(_), None) => "password",
        (None, Some(_)) => "username",
        _ => return,
    };
    let message = format!("credentials without a `{missing}` log in to no registry");
    findings.push(RULE.finding(Place::key(place.key("credentials")), message));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn empty_containers_and_half_credentials() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    runs-on: x
    container:
#   ^^^^^^^^^ warning[container-complete]: runs on the runner itself
    services:
      db:
        image: x
        credentials: {username: u}
#       ^^^^^^^^^^^ warning[container-complete]: without a `password`
  b:
    runs-on: x
    container: ''
#              ^^ warning[container-complete]: runs on the runner itself
  c:
    runs-on: x
    container:
      image: x
      credentials: {password: '${{ secrets.P }}'}
#     ^^^^^^^^^^^ warning[container-complete]: without a `username`
",
        );
    }

    #[test]
    fn complete_ones_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a: {runs-on: x, container: x}
  b: {runs-on: x, container: {image: '${{ inputs.image }}', credentials: {username: u, password: '${{ secrets.P }}'}}}
  c: {runs-on: x, container: '${{ inputs.image }}', services: {db: {image: x, credentials: '${{ fromJSON(github.ref) }}'}}}
",
        );
    }
}
