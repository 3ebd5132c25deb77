//! `shell-name`.

use crate::check::script::System;
use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Severity};
use crate::expression::opens_in;
use crate::workflow::Defaults;

pub(super) static RULE: Rule = Rule {
    code: "shell-name",
    group: Group::Injection,
    severity: Severity::Error,
    rejects: false,
    summary: "a shell is one that the runner knows, or a command with `{0}`",
    documentation: "\
## What it does
Demands of `shell:` one of `bash`, `sh`, `pwsh`, `python`, on Windows also `cmd` and `powershell`, or a
command in which `{0}` stands for the script's file. Warns of `sh` on Windows, where GitHub does not
promise it.

## Why
The runner refuses any other name, when the step is reached: everything before it has happened.

## Example
```yaml
- run: make
  shell: fish
```

## Instead
```yaml
- run: make
  shell: fish {0}
```
",
    check: Check::Workflow(check),
};

const NAMES: &[&str] = &["bash", "cmd", "powershell", "pwsh", "python", "sh"];

/// Whether the runner starts a shell of this name on some system, or takes it for a command.
pub(super) fn is_known(shell: &str) -> bool {
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(shell)) || shell.contains("{0}") || opens_in(shell)
}

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let of_defaults = |owner: &Path, defaults: Option<&Defaults>| {
        let shell = defaults?.run.shell.clone()?;
        Some((owner.key("defaults").key("run").key("shell"), shell))
    };
    if let Some((place, shell)) = of_defaults(&Path::root(), file.workflow.defaults.as_ref()) {
        findings.extend(judge(place, &shell, None));
    }
    for PlacedJob { place, job, system, steps, .. } in file.jobs() {
        let system = *system;
        if let Some((place, shell)) = of_defaults(place, job.defaults.as_ref()) {
            findings.extend(judge(place, &shell, system));
        }
        for PlacedStep { place, step, .. } in steps {
            if let Some(shell) = &step.shell {
                findings.extend(judge(place.key("shell"), shell, system));
            }
        }
    }
}

fn judge(place: Path, shell: &str, system: Option<System>) -> Option<Diagnostic> {
    let help = "name one of `bash`, `sh`, `pwsh`, `python`, or write the command with `{0}` for the file";
    if !is_known(shell) {
        let message = format!("the runner knows no shell `{shell}`, and fails when it gets here");
        return Some(RULE.finding(place, message).with_help(help));
    }
    match (shell, system) {
        ("cmd" | "powershell", Some(System::Unix)) => {
            Some(RULE.finding(place, format!("`{shell}` is on Windows only")).with_help(help))
        }
        ("sh", Some(System::Windows)) => {
            let message = "GitHub promises `sh` on Linux and macOS only";
            Some(Diagnostic::warning(RULE.code, place, message).with_help("name `bash`, which is everywhere"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn unknown_and_of_another_system() {
        fixture::check(
            &RULE,
            "
on: push
defaults: {run: {shell: zsh}}
#                       ^^^ error[shell-name]: knows no shell `zsh`
jobs:
  a:
    runs-on: ubuntu-24.04
    defaults: {run: {shell: powershell}}
#                           ^^^^^^^^^^ error[shell-name]: `powershell` is on Windows only
    steps:
      - run: x
        shell: dash
#              ^^^^ error[shell-name]: knows no shell `dash`
      - run: x
        shell: bash -e
#              ^^^^^^^ error[shell-name]: knows no shell `bash -e`
  b:
    runs-on: windows-2025
    steps:
      - run: x
        shell: sh
#              ^^ warning[shell-name]: promises `sh` on Linux and macOS
",
        );
    }

    #[test]
    fn known_ones_commands_and_unknown_systems_pass() {
        fixture::check(
            &RULE,
            "
on: push
defaults: {run: {shell: bash}}
jobs:
  a:
    runs-on: windows-2025
    steps:
      - {run: x, shell: cmd}
      - {run: x, shell: python}
      - {run: x, shell: 'perl {0}'}
  b:
    strategy: {matrix: {os: [windows-2025, ubuntu-24.04]}}
    runs-on: ${{ matrix.os }}
    steps: [{run: x, shell: cmd}]
  c: {runs-on: [self-hosted, own], steps: [{run: x, shell: powershell}]}
",
        );
    }
}
