//! `needs-dag`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Severity};
use crate::spelling::closest;
use crate::workflow::Graph;

pub(super) static RULE: Rule = Rule {
    code: "needs-dag",
    group: Group::Graph,
    severity: Severity::Error,
    rejects: true,
    summary: "every job waits for jobs that exist, once each, and not in a circle",
    documentation: "\
## What it does
Refuses `needs:` that names no job, names one twice, or closes a circle.

## Why
GitHub refuses the whole file: no job runs at all. A need that is repeated is a warning.

## Example
```yaml
jobs:
  plan: {needs: apply}
  apply: {needs: plan}
```

## Instead
```yaml
jobs:
  plan: {}
  apply: {needs: plan}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let graph = Graph::of(file.workflow);
    for &(job, position, needed) in graph.unknown() {
        let place = place_of(file, job, position);
        let finding =
            RULE.finding(place, format!("`{job}` needs `{needed}`, which is no job of this workflow"));
        findings.push(match closest(needed, file.workflow.jobs.keys().map(String::as_str)) {
            Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
            None => finding,
        });
    }
    for PlacedJob { id, job, .. } in file.jobs() {
        for (position, needed) in job.needs.iter().enumerate() {
            if job.needs[..position].iter().any(|before| before.eq_ignore_ascii_case(needed)) {
                let place = place_of(file, id, position);
                // GitHub counts it once.
                let mut finding = RULE.finding(place, format!("`{id}` needs `{needed}` twice"));
                finding.severity = Severity::Warning;
                findings.push(finding);
            }
        }
    }
    if let Some(circle) = graph.cycle() {
        let place = Path::of(["jobs", circle[0], "needs"]);
        let mut around = circle.clone();
        around.push(circle[0]);
        let message = format!("these jobs wait for each other: {}", around.join(" → "));
        findings.push(RULE.finding(place, message).with_help("remove one of these needs"));
    }
}

/// One entry of `needs:`, which may stand alone.
fn place_of(file: &WorkflowFile<'_>, job: &str, position: usize) -> Path {
    let needs = Path::of(["jobs", job, "needs"]);
    let item = needs.index(position);
    if file.node(&item).is_some() { item } else { needs }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn unknown_repeated_and_circular() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  build: {}
  test:
    needs: biuld
#          ^^^^^ error[needs-dag]: `test` needs `biuld`, which is no job
  ship:
    needs: [build, test, Build]
#                        ^^^^^ warning[needs-dag]: `ship` needs `Build` twice
",
        );
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    needs: [b]
#          ^^^ error[needs-dag]: a → b → a
  b:
    needs: a
",
        );
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    needs: a
#          ^ error[needs-dag]: a → a
",
        );
    }

    #[test]
    fn a_diamond_passes() {
        fixture::check(
            &RULE,
            "
on: push
jobs: {a: {}, b: {needs: a}, c: {needs: [a]}, d: {needs: [b, c]}}
",
        );
    }
}
