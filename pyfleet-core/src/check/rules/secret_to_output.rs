//! `secret-to-output`.

use crate::check::commands::{Command, Variable};
use crate::check::script::{Script, scripts};
use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Place, Severity};
use crate::expression::{embedded, opens_in};

pub(super) static RULE: Rule = Rule {
    code: "secret-to-output",
    group: Group::Secrets,
    severity: Severity::Warning,
    rejects: false,
    summary: "a secret stays in the step that reads it",
    documentation: "\
## What it does
Warns where a script writes a secret from its `env:` to `$GITHUB_OUTPUT`, `$GITHUB_ENV` or
`$GITHUB_STEP_SUMMARY`, and where a job's output repeats what `mask-aws-account-id` masks.

## Why
GitHub empties an output of a job that holds a masked text, without a word: the next job gets nothing. In
`GITHUB_ENV` every later step reads the secret; a summary is on a page that all readers of the repository see.

## Example
```yaml
- run: echo \"token=$TOKEN\" >> \"$GITHUB_OUTPUT\"
  env:
    TOKEN: ${{ secrets.TOKEN }}
```

## Instead
```yaml
- run: ./deploy
  env:
    TOKEN: ${{ secrets.TOKEN }}
```
",
    check: Check::Workflow(check),
};

const FILES: &[&str] = &["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let has_secret = |script: &Script<'_>| script.step.env.values().any(|value| reads_secret(value));
    for script in scripts(file).into_iter().filter(has_secret) {
        for command in script.commands() {
            let Some(target) =
                command.writes_to(FILES).map(str::to_owned).or_else(|| piped(&script, command))
            else {
                continue;
            };
            let printed = command
                .program()
                .filter(|(program, _)| matches!(*program, "echo" | "printf"))
                .map(|(_, arguments)| arguments)
                .unwrap_or_default();
            let variables =
                printed.iter().flat_map(|word| &word.variables).chain(&command.document.variables);
            for variable in variables.filter(|variable| !variable.changed && is_secret(&script, variable)) {
                let message =
                    format!("`{}` is a secret, and leaves this step through `{target}`", variable.name);
                let place = Place::within(script.place(), variable.range.clone());
                findings
                    .push(RULE.finding(place, message).with_help("read the secret again where it is needed"));
            }
        }
    }
    masked_accounts(file, findings);
}

/// The file that the command behind a pipe writes: `echo … | tee -a "$GITHUB_OUTPUT"`.
fn piped(script: &Script<'_>, command: &Command) -> Option<String> {
    let next = script.commands().get(command.feeds?)?;
    next.program().filter(|(program, _)| *program == "tee")?;
    next.writes_to(FILES).map(str::to_owned)
}

/// Whether a variable of the step's own `env:` holds a secret as it is.
fn is_secret(script: &Script<'_>, variable: &Variable) -> bool {
    script.step.env.get(&variable.name).is_some_and(|value| reads_secret(value))
}

fn reads_secret(value: &str) -> bool {
    if !opens_in(value) {
        return false;
    }
    let (found, _) = embedded(value);
    found
        .iter()
        .filter_map(|own| own.expression.as_context())
        .any(|access| access.is_within(&["secrets"]) || access.is_within(&["github", "token"]))
}

/// Outputs of a job that name the account which its login masks.
fn masked_accounts(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedJob { place, job, steps, .. } in file.jobs() {
        let masks = |slug: &str, input: &str| {
            steps
                .iter()
                .any(|PlacedStep { step, .. }| step.is_action(slug) && step.input(input) == Some("true"))
        };
        if !masks("aws-actions/configure-aws-credentials", "mask-aws-account-id") {
            continue;
        }
        for (name, value) in &job.outputs {
            let path = place.key("outputs").key(name);
            for access in embedded(value).0.iter().flat_map(|own| own.expression.contexts()) {
                let Some(id) = access.name(0).filter(|_| access.is_within(&["steps"])) else { continue };
                let step = steps.iter().map(|placed| placed.step).find(|step| step.id.as_deref() == Some(id));
                let holds_account = step.is_some_and(|step| {
                    step.is_action("aws-actions/configure-aws-credentials")
                        && access.name(2) == Some("aws-account-id")
                        || step.is_action("aws-actions/amazon-ecr-login")
                            && access.name(2) == Some("registry")
                });
                if holds_account {
                    let message = format!(
                        "`{access}` holds the account that the login masks: GitHub empties this output"
                    );
                    let place = Place::within(path.clone(), access.span.clone());
                    findings.push(
                        RULE.finding(place, message)
                            .with_help("put it together again in the job that needs it"),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn secrets_in_files_that_others_read() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: |
          echo \"token=$TOKEN\" >> \"$GITHUB_OUTPUT\"
#                     ^^^^^^ warning[secret-to-output]: leaves this step through `GITHUB_OUTPUT`
          printf 'T=%s' \"${TOKEN}\" | tee -a \"$GITHUB_ENV\"
#                        ^^^^^^^^ warning[secret-to-output]: through `GITHUB_ENV`
          cat <<EOF >> $GITHUB_STEP_SUMMARY
          use $TOKEN
#             ^^^^^^ warning[secret-to-output]: through `GITHUB_STEP_SUMMARY`
          EOF
        env: {TOKEN: '${{ secrets.TOKEN }}'}
",
        );
    }

    #[test]
    fn masked_accounts() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    outputs:
      registry: ${{ steps.ecr.outputs.registry }}
#                   ^^^^^^^^^^^^^^^^^^^^^^^^^^ warning[secret-to-output]: GitHub empties this output
    steps:
      - {uses: aws-actions/configure-aws-credentials@v6, with: {mask-aws-account-id: true}}
      - {id: ecr, uses: aws-actions/amazon-ecr-login@v2}
",
        );
    }

    #[test]
    fn uses_lengths_and_other_variables_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    outputs: {registry: '${{ steps.ecr.outputs.registry }}'}
    steps:
      - run: |
          echo \"length=${#TOKEN}\" >> \"$GITHUB_OUTPUT\"
          echo \"set=${TOKEN:+yes}\" >> \"$GITHUB_OUTPUT\"
          echo \"id=$(curl -H \"$TOKEN\" x)\" >> \"$GITHUB_OUTPUT\"
          echo \"$NAME\" >> \"$GITHUB_OUTPUT\"; echo \"$TOKEN\" > file
        env: {TOKEN: '${{ secrets.TOKEN }}', NAME: '${{ secrets.X != null }}'}
      - {id: ecr, uses: aws-actions/amazon-ecr-login@v2}
",
        );
    }
}
