//! `secret-bulk`.

use crate::check::{Check, Group, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::expression::{ContextAccess, Selected};

pub(super) static RULE: Rule = Rule {
    code: "secret-bulk",
    group: Group::Secrets,
    severity: Severity::Error,
    rejects: false,
    summary: "secrets are read one at a time, by names that stand in the text",
    documentation: "\
## What it does
Refuses to read all secrets (`toJSON(secrets)`, `secrets.*`), to choose one by a computed name
(`secrets[inputs.name]`), and to take a secret apart (`fromJSON(secrets.CONFIG).password`).

## Why
For a computed name the job gets every secret. Parts of a secret are not masked: the log shows the
password that stood inside.

## Example
```yaml
env:
  TOKEN: ${{ secrets[inputs.name] }}
```

## Instead
```yaml
env:
  TOKEN: ${{ secrets.DEPLOY_TOKEN }}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for placed in file.expressions() {
        for access in placed.contexts_within(&["secrets"]) {
            let (message, help) = match access.selected.first() {
                None | Some(Selected::All) => {
                    ("this reads every secret at once", "name the one that is needed")
                }
                Some(Selected::Unknown) => (
                    "which secret this is, is not known before it runs: the job gets all of them",
                    "name the secret, and choose between jobs or environments instead",
                ),
                Some(Selected::Name(_)) => continue,
            };
            findings.push(RULE.finding(placed.place_of(access.span.clone()), message).with_help(help));
        }
        for call in placed.expression.calls() {
            let reads = |access: &ContextAccess| access.is_within(&["secrets"]) && access.name(0).is_some();
            if call.function.eq_ignore_ascii_case("fromJSON")
                && call.arguments.iter().any(|argument| argument.as_context().is_some_and(|own| reads(&own)))
            {
                let place = Place::within(placed.path.clone(), call.expression.span.clone());
                let message = "the parts of a secret are not masked: the log shows them";
                findings.push(RULE.finding(place, message).with_help("store each part as its own secret"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn all_computed_and_parts() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: a
        env:
          ALL: ${{ toJSON(secrets) }}
#                         ^^^^^^^ error[secret-bulk]: reads every secret
          ANY: ${{ join(secrets.*) }}
#                       ^^^^^^^^^ error[secret-bulk]: reads every secret
          ONE: ${{ secrets[format('{0}_KEY', matrix.env)] }}
#                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[secret-bulk]: which secret this is
          PART: ${{ fromJSON(secrets.CONFIG).password }}
#                   ^^^^^^^^^^^^^^^^^^^^^^^^ error[secret-bulk]: parts of a secret
",
        );
    }

    #[test]
    fn names_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: a
        env:
          A: ${{ secrets.A }}
          B: ${{ secrets['B'] || github.token }}
          C: ${{ fromJSON(inputs.c)[0] }}
          D: ${{ toJSON(vars) }}
",
        );
    }
}
