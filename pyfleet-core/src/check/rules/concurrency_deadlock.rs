//! `concurrency-deadlock`.

use crate::check::{Check, Group, PlacedJob, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Severity};
use crate::workflow::{Concurrency, Queue};

pub(super) static RULE: Rule = Rule {
    code: "concurrency-deadlock",
    group: Group::Graph,
    severity: Severity::Error,
    rejects: false,
    summary: "no job waits for the group that its own workflow holds",
    documentation: "\
## What it does
Compares the concurrency group of each job with the workflow's, without regard to case, and refuses `queue: max` beside
`cancel-in-progress: true`, and a group without a name.

## Why
A workflow holds its group until its last job has ended. A job that needs the same group waits for that end, and the run
hangs until GitHub cancels it. A queue in which each newcomer cancels the one that runs is none.

## Example
```yaml
concurrency: deploy
jobs:
  apply:
    concurrency: Deploy
```

## Instead
```yaml
jobs:
  apply:
    concurrency: deploy
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let held = file.workflow.concurrency.as_ref();
    judge(&Path::root(), held, findings);
    for PlacedJob { place, id, job, .. } in file.jobs() {
        judge(place, job.concurrency.as_ref(), findings);
        let (Some(held), Some(own)) = (held, &job.concurrency) else { continue };
        // What is computed of a matrix is known apart from what is computed of the run.
        if held.group.trim().eq_ignore_ascii_case(own.group.trim()) {
            let message = format!("`{id}` waits for the group that its own workflow holds");
            findings.push(
                RULE.finding(place.key("concurrency"), message)
                    .with_label(Path::of(["concurrency"]), "held here until the run ends")
                    .with_help("name the two groups apart, or keep the job's alone"),
            );
        }
    }
}

fn judge(place: &Path, concurrency: Option<&Concurrency>, findings: &mut Diagnostics) {
    let Some(concurrency) = concurrency else { return };
    let place = place.key("concurrency");
    if concurrency.group.trim().is_empty() {
        findings.push(RULE.finding(place.clone(), "the group has no name"));
    }
    if concurrency.queue == Queue::Max && concurrency.cancel_in_progress.is(&true) {
        let message = "each newcomer cancels the one that runs, so that nothing queues";
        findings.push(RULE.finding(place.key("queue"), message).with_help("leave `cancel-in-progress` out"));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn one_group_twice_and_a_queue_that_cancels() {
        fixture::check(
            &RULE,
            "
on: push
concurrency: deploy-${{ github.ref }}
jobs:
  a:
    concurrency: Deploy-${{ github.ref }}
#                ^^^^^^^^^^^^^^^^^^^^^^^^ error[concurrency-deadlock]: `a` waits for the group
  b:
    concurrency:
      group: other
      queue: max
#            ^^^ error[concurrency-deadlock]: nothing queues
      cancel-in-progress: true
  c:
    concurrency: ' '
#                ^^^ error[concurrency-deadlock]: the group has no name
",
        );
    }

    #[test]
    fn groups_of_their_own_pass() {
        fixture::check(
            &RULE,
            "
on: push
concurrency: {group: '${{ github.workflow }}', cancel-in-progress: true}
jobs:
  a: {concurrency: {group: state, queue: max}}
  b: {concurrency: state}
",
        );
    }
}
