//! `dangerous-trigger`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::yaml::tree::{Document, Value};

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
`watch`, `gollum`. A `workflow_run` passes where the workflows it follows are known, and nobody outside starts them.

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
        if event == "workflow_run" && follows_own(file) {
            continue;
        }
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
        findings.push(RULE.finding(place_of(file.document, event), message).with_help(help));
    }
}

/// Events of people who may write here, and of what they have set up.
const OWN: &[&str] = &[
    "create",
    "delete",
    "push",
    "release",
    "repository_dispatch",
    "schedule",
    "workflow_call",
    "workflow_dispatch",
];

/// Whether every workflow that this one follows is known, and started by its own people.
fn follows_own(file: &WorkflowFile<'_>) -> bool {
    let Some((repository, followed)) = file.repository.zip(file.workflow.on.workflow_run.as_ref()) else {
        return false;
    };
    let is_own = |name: &String| {
        let all = repository.workflows.iter();
        let named: Vec<_> = all.filter(|(path, other)| other.name.as_ref().unwrap_or(path) == name).collect();
        !named.is_empty() && named.iter().all(|(_, other)| other.on.names().all(|event| OWN.contains(&event)))
    };
    !followed.workflows.is_empty() && followed.workflows.iter().all(is_own)
}

/// Where an event is named: as a key, in a list, or alone.
fn place_of(document: &Document, event: &str) -> Place {
    let on = Path::of(["on"]);
    match document.node(&on).map(|node| &node.value) {
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

    #[test]
    fn what_follows_own_workflows_passes() {
        let others = [
            (
                ".github/workflows/deploy.yml",
                "name: Deploy\non: {push: {branches: [main]}}\njobs: {a: {runs-on: x}}\n",
            ),
            (".github/workflows/ci.yml", "name: CI\non: [push, pull_request]\njobs: {a: {runs-on: x}}\n"),
        ];
        fixture::check_among(&RULE, "\non: {workflow_run: {workflows: [Deploy]}}\njobs: {}\n", &others);
        for followed in ["[Deploy, CI]", "[Unknown]"] {
            let text = format!(
                "
on:
  workflow_run: {{workflows: {followed}}}
# ^^^^^^^^^^^^ error[dangerous-trigger]: `workflow_run` runs with
jobs: {{}}
"
            );
            fixture::check_among(&RULE, &text, &others);
        }
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
