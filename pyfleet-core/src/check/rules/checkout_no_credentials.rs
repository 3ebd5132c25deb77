//! `checkout-no-credentials`.

use crate::check::{Check, Group, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Severity};

pub(super) static RULE: Rule = Rule {
    code: "checkout-no-credentials",
    group: Group::Secrets,
    severity: Severity::Error,
    rejects: false,
    summary: "a checkout leaves no token behind",
    documentation: "\
## What it does
Demands `persist-credentials: false`, written out, of every `actions/checkout`.

## Why
Otherwise the job's token stays readable for every later step, and an artifact that contains the checkout
may publish it.

## Example
```yaml
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
```

## Instead
```yaml
- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
  with:
    persist-credentials: false
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedStep { place, step, .. } in
        file.steps().filter(|placed| placed.step.is_action("actions/checkout"))
    {
        let written = step.with.iter().find(|(name, _)| name.eq_ignore_ascii_case("persist-credentials"));
        let finding = match written {
            Some((_, value)) if value == "false" => continue,
            Some((name, _)) => RULE.finding(
                place.key("with").key(name),
                "the checkout keeps the token on disk unless this is `false`, written out",
            ),
            None => {
                RULE.finding(place.key("uses"), "the checkout keeps the token on disk for every later step")
            }
        };
        findings.push(finding.with_help("set `persist-credentials: false`"));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn default_true_and_computed() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - uses: actions/checkout@v7
#             ^^^^^^^^^^^^^^^^^^^ error[checkout-no-credentials]: keeps the token on disk
      - uses: Actions/Checkout@v7
        with:
          persist-credentials: true
#                              ^^^^ error[checkout-no-credentials]: unless this is `false`
      - uses: actions/checkout@v7
        with:
          Persist-Credentials: ${{ inputs.x }}
#                              ^^^^^^^^^^^^^^^ error[checkout-no-credentials]: unless this is `false`
",
        );
    }

    #[test]
    fn false_passes() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - {uses: actions/checkout@v7, with: {persist-credentials: false}}
      - {uses: actions/checkout@v7, with: {persist-credentials: 'false'}}
      - {uses: other/checkout@v7}
",
        );
    }
}
