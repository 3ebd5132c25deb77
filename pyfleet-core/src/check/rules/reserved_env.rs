//! `reserved-env`.

use crate::check::{Check, Group, PlacedJob, PlacedStep, Rule, WorkflowFile};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::expression::opens_in;

pub(super) static RULE: Rule = Rule {
    code: "reserved-env",
    group: Group::Injection,
    severity: Severity::Error,
    rejects: false,
    summary: "no environment variable steers the runner, the shell or a tool behind the workflow's back",
    documentation: "\
## What it does
Refuses variables under `env:` that the runner owns (`GITHUB_*`, `RUNNER_*`, `ACTIONS_*`), that make
programs run something else (`PATH`, `BASH_ENV`, `ENV`, `NODE_OPTIONS`, `LD_*`, `PYTHONPATH`,
`PYTHONSTARTUP`), that change Terraform's arguments (`TF_CLI_ARGS*`, `TF_CLI_CONFIG_FILE`), and AWS keys.

## Why
Such a variable changes what every later command does, without standing next to any of them.

## Example
```yaml
env:
  TF_CLI_ARGS_apply: -auto-approve
```

## Instead
```yaml
run: terraform apply -input=false tfplan
```
",
    check: Check::Workflow(check),
};

fn check(file: &WorkflowFile<'_>, findings: &mut Diagnostics) {
    let mut judge = |owner: &Path, variables: &indexmap::IndexMap<String, String>| {
        for (name, value) in variables {
            let Some(reason) = reserved(name).filter(|_| !is_harmless(name, value)) else { continue };
            let place = Place::key(owner.key("env").key(name));
            let severity = if reason == RESERVED { Severity::Warning } else { Severity::Error };
            findings.push(Diagnostic::new(severity, RULE.code, place, format!("`{name}` {reason}")));
        }
    };
    judge(&Path::root(), &file.workflow.env);
    for PlacedJob { place, job, steps, .. } in file.jobs() {
        judge(place, &job.env);
        if let Some(container) = &job.container {
            judge(&place.key("container"), &container.env);
        }
        for PlacedStep { place: step_place, step, .. } in steps {
            judge(step_place, &step.env);
        }
    }
}

/// Names that GitHub keeps for itself, although nothing has them today.
const RESERVED: &str = "begins as the runner's own variables do, and may be one of them tomorrow";

/// What the runner sets for every step, behind `GITHUB_`
/// ([GitHub: variables](https://docs.github.com/en/actions/reference/workflows-and-actions/variables)).
const OF_RUNNER: &[&str] = &[
    "ACTION",
    "ACTIONS",
    "ACTION_PATH",
    "ACTION_REF",
    "ACTION_REPOSITORY",
    "ACTOR",
    "ACTOR_ID",
    "API_URL",
    "BASE_REF",
    "ENV",
    "EVENT_NAME",
    "EVENT_PATH",
    "GRAPHQL_URL",
    "HEAD_REF",
    "JOB",
    "OUTPUT",
    "PATH",
    "REF",
    "REF_NAME",
    "REF_PROTECTED",
    "REF_TYPE",
    "REPOSITORY",
    "REPOSITORY_ID",
    "REPOSITORY_OWNER",
    "REPOSITORY_OWNER_ID",
    "RETENTION_DAYS",
    "RUN_ATTEMPT",
    "RUN_ID",
    "RUN_NUMBER",
    "SERVER_URL",
    "SHA",
    "STATE",
    "STEP_SUMMARY",
    "TRIGGERING_ACTOR",
    "WORKFLOW",
    "WORKFLOW_REF",
    "WORKFLOW_SHA",
    "WORKSPACE",
];

/// Options of Node that load no code and open nothing.
const HARMLESS_OPTIONS: &[&str] = &[
    "--enable-source-maps",
    "--experimental-sqlite",
    "--experimental-vm-modules",
    "--max-old-space-size",
    "--max-semi-space-size",
    "--max_old_space_size",
    "--no-deprecation",
    "--no-warnings",
    "--openssl-legacy-provider",
    "--stack-trace-limit",
    "--trace-deprecation",
    "--trace-warnings",
    "--unhandled-rejections",
];

/// Whether a variable that could make programs run something else is seen not to.
fn is_harmless(name: &str, value: &str) -> bool {
    let option = |word: &str| HARMLESS_OPTIONS.contains(&word.split('=').next().unwrap_or(word));
    // What an expression brings may be more options.
    name == "NODE_OPTIONS" && !opens_in(value) && value.split_whitespace().all(option)
}

fn reserved(name: &str) -> Option<&'static str> {
    match name {
        "NODE_OPTIONS" | "BASH_ENV" | "ENV" | "PATH" | "PYTHONPATH" | "PYTHONSTARTUP" => {
            Some("makes later commands run something else")
        }
        "TF_CLI_CONFIG_FILE" => Some("changes what every Terraform command does"),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN" => {
            Some("is set by the login step alone")
        }
        _ if name.starts_with("LD_") => Some("makes later commands run something else"),
        _ if name.starts_with("TF_CLI_ARGS") => Some("changes what every Terraform command does"),
        // What GitHub has people set: a token for its own programs, and how much of the cache a job may use.
        "GITHUB_TOKEN" | "ACTIONS_CACHE_MODE" => None,
        _ if name.strip_prefix("GITHUB_").is_some_and(|rest| !OF_RUNNER.contains(&rest)) => Some(RESERVED),
        _ if name.starts_with("ACTIONS_") => Some("steers the runner and the actions after it"),
        _ if ["GITHUB_", "RUNNER_"].iter().any(|own| name.starts_with(own)) => Some("belongs to the runner"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::fixture;

    #[test]
    fn an_expression_may_bring_more_options() {
        fixture::check(
            &RULE,
            "
on: push
env:
  NODE_OPTIONS: --max-old-space-size=${{inputs.heap}}
# ^^^^^^^^^^^^ error[reserved-env]: makes later commands run something else
jobs: {}
",
        );
    }

    #[test]
    fn at_every_level() {
        fixture::check(
            &RULE,
            "
on: push
env:
  BASH_ENV: x
# ^^^^^^^^ error[reserved-env]: makes later commands run something else
jobs:
  a:
    env: {TF_CLI_ARGS_apply: -auto-approve}
#         ^^^^^^^^^^^^^^^^^ error[reserved-env]: changes what every Terraform command does
    container:
      image: x
      env: {LD_PRELOAD: x}
#           ^^^^^^^^^^ error[reserved-env]: something else
    steps:
      - run: a
        env:
          ACTIONS_ALLOW_UNSECURE_COMMANDS: true
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ error[reserved-env]: steers the runner
          GITHUB_SHA: x
#         ^^^^^^^^^^ error[reserved-env]: belongs to the runner
          GITHUB_ORG_NAME: x
#         ^^^^^^^^^^^^^^^ warning[reserved-env]: begins as the runner's own variables do
          NODE_OPTIONS: --max-old-space-size=4096 -r ./preload
#         ^^^^^^^^^^^^ error[reserved-env]: makes later commands run something else
          AWS_ACCESS_KEY_ID: x
#         ^^^^^^^^^^^^^^^^^ error[reserved-env]: is set by the login step alone
",
        );
    }

    #[test]
    fn own_names_pass() {
        fixture::check(
            &RULE,
            "
on: push
env: {APP_ENV: prod, TF_IN_AUTOMATION: 'true', AWS_REGION: eu-central-1, GH_TOKEN: x, GITHUB_TOKEN: x}
jobs:
  a: {steps: [{run: a, env: {MY_PATH: x, PYTHONUNBUFFERED: 1, TF_VAR_a: x}}]}
  b: {env: {NODE_OPTIONS: --max-old-space-size=6144 --no-warnings, ACTIONS_CACHE_MODE: none}}
",
        );
    }
}
