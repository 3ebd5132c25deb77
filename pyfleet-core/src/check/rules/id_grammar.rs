//! `id-grammar`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};

pub(super) static RULE: Rule = Rule {
    code: "id-grammar",
    group: Group::Graph,
    severity: Severity::Error,
    rejects: true,
    summary: "jobs, steps, inputs and outputs have ids that GitHub accepts",
    documentation: "\
## What it does
Demands of every id of a job, step, input or output that it starts with a letter or `_`, goes on with
letters, digits, `_` or `-`, has at most 99 characters, does not start with `__`, and is unique among its
siblings without regard to case.

## Why
GitHub refuses the whole file otherwise. It lets ids of inputs and outputs pass, which is a warning: no expression
can read them by name.

## Example
```yaml
jobs:
  2d-game: {}
```

## Instead
```yaml
jobs:
  game-2d: {}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let mut judge = |kind: &str, id: &str, place: &dyn Fn() -> Place| {
        if let Some(reason) = wrong(id) {
            let mut finding = RULE.finding(place(), format!("the {kind} id `{id}` {reason}"));
            // GitHub's parser lets these pass; expressions cannot name them.
            if matches!(kind, "input" | "output") {
                finding.severity = Severity::Warning;
            }
            findings.push(finding);
        }
    };
    let on = Path::of(["on"]);
    let keys = |path: &Path| {
        let entries = file.node(path).map(|node| node.entries()).unwrap_or_default();
        entries.iter().filter_map(|(key, _)| key.as_str())
    };
    for (kind, event, list) in [
        ("input", "workflow_dispatch", "inputs"),
        ("input", "workflow_call", "inputs"),
        ("output", "workflow_call", "outputs"),
    ] {
        let list = on.key(event).key(list);
        for id in keys(&list) {
            judge(kind, id, &|| Place::key(list.key(id)));
        }
    }
    for PlacedJob { place: job_place, id, steps, .. } in file.jobs() {
        judge("job", id, &|| Place::key(job_place.clone()));
        let outputs = job_place.key("outputs");
        for id in keys(&outputs) {
            judge("output", id, &|| Place::key(outputs.key(id)));
        }
        for PlacedStep { place, step, .. } in steps {
            if let Some(id) = &step.id {
                judge("step", id, &|| place.key("id").into());
            }
        }
    }
    repeated_steps(file, findings);
}

/// Keys of a mapping are compared by the reader; the ids of steps are values.
fn repeated_steps(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { steps, .. } in file.jobs() {
        // The steps of a `parallel` are apart.
        let mut seen: BTreeMap<(Path, String), &Path> = BTreeMap::new();
        for PlacedStep { place, step, .. } in steps {
            let Some(id) = &step.id else { continue };
            match seen.entry((place.parent(), id.to_ascii_lowercase())) {
                Entry::Occupied(first) => {
                    let message = format!("the step id `{id}` is taken; GitHub ignores case");
                    let finding = RULE.finding(place.key("id"), message);
                    findings.push(finding.with_label(first.get().key("id"), "taken here"));
                }
                Entry::Vacant(free) => {
                    free.insert(place);
                }
            }
        }
    }
}

fn wrong(id: &str) -> Option<&'static str> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !id.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        return Some("must start with a letter or `_`");
    }
    if !id.bytes().all(inner) {
        return Some("may only contain letters, digits, `_` and `-`");
    }
    if id.starts_with("__") {
        return Some("starts with `__`, which GitHub keeps for itself");
    }
    (id.len() > 99).then_some("has more than 99 characters")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn every_kind_of_id() {
        fixture::check(
            &RULE,
            "
on:
  workflow_dispatch:
    inputs:
      a b:
#     ^^^ warning[id-grammar]: the input id `a b` may only contain
  workflow_call:
    outputs:
      -x: {value: '1'}
#     ^^ warning[id-grammar]: the output id `-x` must start with
jobs:
  2d-game:
# ^^^^^^^ error[id-grammar]: the job id `2d-game` must start with a letter
    outputs:
      ü: ''
#     ^ warning[id-grammar]: the output id
    steps:
      - {id: __own, run: a}
#            ^^^^^ error[id-grammar]: starts with `__`
      - {id: Build, run: a}
      - {id: build, run: a}
#            ^^^^^ error[id-grammar]: the step id `build` is taken
",
        );
    }

    #[test]
    fn usual_ids_pass() {
        fixture::check(
            &RULE,
            "
on: {workflow_dispatch: {inputs: {dry-run: , _x: }}}
jobs:
  build_2:
    outputs: {a: ''}
    steps: [{id: a, run: a}, {id: b-1, run: a}]
  other:
    steps: [{id: a, run: a}]
",
        );
    }

    #[test]
    fn ninety_nine_characters() {
        let text = |length: usize| format!("on: push\njobs: {{{}: {{}}}}\n", "a".repeat(length));
        assert_eq!(fixture::find(&RULE, &text(99)).len(), 0);
        assert_eq!(fixture::find(&RULE, &text(100)).len(), 1);
    }
}
