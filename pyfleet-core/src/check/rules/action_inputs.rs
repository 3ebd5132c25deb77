//! `action-inputs`.

use crate::action::Catalogue;
use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::yaml::decode::closest;

pub(super) static RULE: Rule = Rule {
    code: "action-inputs",
    group: Group::Pinning,
    severity: Severity::Error,
    rejects: false,
    summary: "an action gets the inputs it has, and all that it needs",
    documentation: "\
## What it does
Compares `with:` of a step with the inputs of the action in the catalogue, at the catalogue's version.

## Why
GitHub warns about an unknown input and goes on, so a slip of the finger silently switches a protection
off: `persist-credential: false` keeps the token on disk.

## Example
```yaml
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
  with: {persist-credential: false}
```

## Instead
```yaml
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
  with: {persist-credentials: false}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for (place, step) in file.workflow.steps_at() {
        let Some(uses) = &step.uses else { continue };
        let Some(action) = uses.slug().and_then(|slug| Catalogue::get().action(&slug)) else { continue };
        if uses.reference() != Some(&action.commit) {
            continue;
        }
        for name in step.with.keys().filter(|name| !name.contains("${{") && !action.has_input(name)) {
            let message = format!("`{name}` is no input of {} {}", action.slug, action.version);
            let finding = RULE.finding(Place::key(place.key("with").key(name)), message);
            findings.push(match closest(name, action.inputs.iter().map(String::as_str)) {
                Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
                None => finding,
            });
        }
        for name in action.required.iter().filter(|name| step.input(name).is_none()) {
            let message = format!("{} needs the input `{name}`", action.slug);
            findings.push(RULE.finding(place.key("uses"), message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn unknown_and_missing_inputs() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with:
          persist-credential: false
#         ^^^^^^^^^^^^^^^^^^ error[action-inputs]: `persist-credential` is no input of actions/checkout v7.0.1
      - uses: actions/cache/save@27d5ce7f107fe9357f9df03efb73ab90386fccae
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[action-inputs]: needs the input `key`
        with: {path: x}
",
        );
    }

    #[test]
    fn a_slip_is_named() {
        let text = "
on: push
jobs: {a: {steps: [{uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020, with: {node-versoin: 24}}]}}
";
        let findings = fixture::find(&RULE, text);
        assert_eq!(findings.iter().next().unwrap().help, ["did you mean `node-version`?"]);
    }

    #[test]
    fn names_in_any_case_and_other_versions_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {Persist-Credentials: false}
      - uses: actions/checkout@v1
        with: {gone: 1}
      - uses: ./local
        with: {own: 1}
",
        );
    }
}
