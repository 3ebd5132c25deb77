//! `dangerous-trigger`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::yaml::tree::Value;

pub(super) static RULE: Rule = Rule {
    code: "dangerous-trigger",
    group: Group::Injection,
    severity: Severity::Error,
    rejects: false,
    summary: "nobody outside starts a workflow that has this repository's rights",
    documentation: "\
## What it does
Refuses the events that run with this repository's token and secrets on what outsiders write, or when they please:
`pull_request_target`, `workflow_run`, `issue_comment`, `discussion`, `discussion_comment`, `fork`,
`watch`, `gollum`.

## Why
One step that touches the outsider's text or code hands over the token and the secrets.

## Example
```yaml
on: pull_request_target
```

## Instead
```yaml
on: pull_request
```
",
    check: Check::Workflow(check),
};

const DANGEROUS: &[&str] = &[
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "discussion",
    "discussion_comment",
    "fork",
    "watch",
    "gollum",
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for event in file.workflow.on.names().filter(|event| DANGEROUS.contains(event)) {
        let reason = if ["fork", "watch"].contains(&event) {
            "when outsiders please"
        } else {
            "on what outsiders write"
        };
        let message = format!("`{event}` runs with this repository's token and secrets {reason}");
        let help = if event == "pull_request_target" {
            "use `pull_request`, which gets neither"
        } else {
            "start the work from `push`, `schedule` or `workflow_dispatch`"
        };
        findings.push(RULE.finding(place_of(file, event), message).with_help(help));
    }
}

/// Where an event is named: as a key, in a list, or alone.
fn place_of(file: &WorkflowFile<'_>, event: &str) -> Place {
    let on = Path::of(["on"]);
    match file.node(&on).map(|node| &node.value) {
        Some(Value::Mapping(_)) => Place::key(on.key(event)),
        Some(Value::Sequence(items)) => match items.iter().position(|item| item.as_str() == Some(event)) {
            Some(position) => on.index(position).into(),
            None => on.into(),
        },
        _ => on.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn alone_in_a_list_and_as_a_key() {
        fixture::check(
            &RULE,
            "
on: pull_request_target
#   ^^^^^^^^^^^^^^^^^^^ error[dangerous-trigger]: on what outsiders write
jobs: {}
",
        );
        fixture::check(
            &RULE,
            "
on: [push, watch]
#          ^^^^^ error[dangerous-trigger]: when outsiders please
jobs: {}
",
        );
        fixture::check(
            &RULE,
            "
on:
  push:
  workflow_run: {workflows: [ci]}
# ^^^^^^^^^^^^ error[dangerous-trigger]: `workflow_run` runs with
jobs: {}
",
        );
    }

    /// A pull request brings its own workflows, and can call one of them as the one that is followed.
    #[test]
    fn what_follows_own_workflows_can_be_started_too() {
        let deploy = "name: Deploy\non: {push: {branches: [main]}}\njobs: {a: {runs-on: x}}\n";
        fixture::check_among(
            &RULE,
            "
on:
  workflow_run: {workflows: [Deploy], branches: [main]}
# ^^^^^^^^^^^^ error[dangerous-trigger]: `workflow_run` runs with
jobs: {}
",
            &[(".github/workflows/deploy.yml", deploy)],
        );
    }

    #[test]
    fn the_ordinary_events_pass() {
        fixture::check(
            &RULE,
            "
on: [push, pull_request, merge_group, workflow_dispatch, pull_request_review, issues]
jobs: {}
",
        );
    }
}
