//! `image-digest`.

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::workflow::{Container, Job, Uses};

pub(super) static RULE: Rule = Rule {
    code: "image-digest",
    group: Group::Pinning,
    severity: Severity::Error,
    rejects: false,
    summary: "an image is named by its digest",
    documentation: "\
## What it does
Demands `@sha256:` of the image of a job's `container:` and of `docker://` actions; of `services:` it warns.
An image from the matrix is judged by the matrix's values, any other expression is not judged.

## Why
A tag is moved by whoever can push to its repository. What runs in the job's container has the job's
token; tomorrow's image is one that nobody looked at.

## Example
```yaml
container: python:3.13
```

## Instead
```yaml
container: python:3.13@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place, job, steps, .. } in file.jobs() {
        if let Some(container) = &job.container {
            let path = place.key("container");
            findings.extend(judge(file, &path, job, container, Severity::Error));
        }
        for (name, service) in &job.services {
            let path = place.key("services").key(name);
            findings.extend(judge(file, &path, job, service, Severity::Warning));
        }
        for PlacedStep { place, step, .. } in steps {
            if let Some(Uses::Docker(image)) = &step.uses
                && !is_fixed(image)
            {
                let start = "docker://".len();
                let place = Place::within(place.key("uses"), start..start + image.len());
                findings.push(finding(place, image, Severity::Error));
            }
        }
    }
}

fn judge(
    file: &WorkflowFile<'_>,
    path: &Path,
    job: &Job,
    container: &Container,
    severity: Severity,
) -> Option<Diagnostic> {
    let inner = path.key("image");
    let place = if file.node(&inner).is_some() { inner } else { path.clone() };
    let values = job.values_of(&container.image)?;
    values.iter().find(|image| !is_fixed(image)).map(|image| finding(place.into(), image, severity))
}

fn finding(place: Place, image: &str, severity: Severity) -> Diagnostic {
    let message = format!("`{image}` can be another image tomorrow: only a digest stays what it is");
    Diagnostic::new(severity, RULE.code, place, message)
        .with_help("append `@sha256:` and the digest that `docker buildx imagetools inspect` shows")
}

/// Whether nobody else can change what a name means: by its digest, or because it never left the machine.
/// No image at all is fixed too.
fn is_fixed(image: &str) -> bool {
    let digest = image.split_once("@sha256:").map(|(_, digest)| digest);
    let is_digest = |digest: &str| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    image.is_empty() || image.starts_with("localhost:") || digest.is_some_and(is_digest)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn tags() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    container: python:3.13
#              ^^^^^^^^^^^ error[image-digest]: `python:3.13` can be another image
    services:
      db:
        image: postgres
#              ^^^^^^^^ warning[image-digest]: `postgres` can be another image
    steps:
      - uses: docker://alpine:3.22
#                      ^^^^^^^^^^^ error[image-digest]: `alpine:3.22` can be
      - uses: docker://alpine@sha256:abc
#                      ^^^^^^^^^^^^^^^^^ error[image-digest]: `alpine@sha256:abc` can be
  b:
    strategy: {matrix: {image: ['', 'debian:13']}}
    container:
      image: ${{ matrix.image }}
#            ^^^^^^^^^^^^^^^^^^^ error[image-digest]: `debian:13` can be
",
        );
    }

    #[test]
    fn digests_and_what_is_not_known_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    container: python:3.13@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    services:
      db: {image: '${{ needs.build.outputs.image }}'}
      own: {image: 'localhost:5000/own'}
    steps:
      - uses: docker://alpine@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      - uses: actions/checkout@v7
",
        );
    }
}
