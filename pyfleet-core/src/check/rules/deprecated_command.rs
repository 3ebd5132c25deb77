//! `deprecated-command`.

use crate::check::{Check, Group, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};

pub(super) static RULE: Rule = Rule {
    code: "deprecated-command",
    group: Group::Injection,
    severity: Severity::Error,
    rejects: false,
    summary: "a script talks to the runner through files, not through its log",
    documentation: "\
## What it does
Refuses the workflow commands `::set-env` and `::add-path`, which fail since 2020, and warns of
`::set-output` and `::save-state`, which GitHub has announced to remove.

## Why
A command in the log is obeyed whoever printed it: a test that prints a commit message could set `PATH`.
Files can be written only on purpose.

## Example
```yaml
- run: echo \"::set-output name=version::$VERSION\"
```

## Instead
```yaml
- run: echo \"version=$VERSION\" >> \"$GITHUB_OUTPUT\"
```
",
    check: Check::Workflow(check),
};

/// The command, the file that stands for it now, and whether the runner still obeys.
const COMMANDS: &[(&str, &str, bool)] = &[
    ("::set-env ", "echo \"NAME=value\" >> \"$GITHUB_ENV\"", false),
    ("::add-path::", "echo \"folder\" >> \"$GITHUB_PATH\"", false),
    ("::set-output ", "echo \"name=value\" >> \"$GITHUB_OUTPUT\"", true),
    ("::save-state ", "echo \"name=value\" >> \"$GITHUB_STATE\"", true),
];

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    for PlacedStep { place, step, .. } in file.steps() {
        let Some(script) = step.run.as_ref().filter(|script| script.contains("::")) else { continue };
        for (command, instead, works) in COMMANDS {
            for (start, _) in script.match_indices(command) {
                if is_comment(script, start) {
                    continue;
                }
                let name = command.trim().trim_matches(':');
                let end = start + "::".len() + name.len();
                let place = Place::within(place.key("run"), start..end);
                let (severity, message) = if *works {
                    (Severity::Warning, format!("`::{name}` obeys whoever prints it, and will be removed"))
                } else {
                    (Severity::Error, format!("the runner refuses `::{name}` since 2020: this step fails"))
                };
                let finding = Diagnostic::new(severity, RULE.code, place, message);
                findings.push(finding.with_help(format!("write `{instead}`")));
            }
        }
    }
}

fn is_comment(script: &str, at: usize) -> bool {
    let line = script[..at].rsplit('\n').next().unwrap_or_default();
    line.trim_start().starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn all_four() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: |
          echo \"::set-output name=a::b\"
#               ^^^^^^^^^^^^ warning[deprecated-command]: will be removed
          echo '::save-state name=a::b'
#               ^^^^^^^^^^^^ warning[deprecated-command]: will be removed
          echo ::set-env name=a::b
#              ^^^^^^^^^ error[deprecated-command]: refuses `::set-env` since 2020
          echo ::add-path::/opt/bin
#              ^^^^^^^^^^ error[deprecated-command]: refuses `::add-path` since 2020
",
        );
    }

    #[test]
    fn other_commands_and_comments_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: |
          # no ::set-output name=x::y any more
          echo \"::error::no\" \"::group::x\" std::set-output
          echo a=b >> \"$GITHUB_OUTPUT\"
",
        );
    }
}
