//! What no tool here can run, and what no body can do. Each line has its reason; `examples/README.md` shows the first list.

use super::ledger::End;

/// Programs that stories stand in for where a body succeeds: what is missing.
pub(super) const STOOD_IN: &[(&str, &str)] = &[
    (
        "curl",
        "the downloads of kubectl and Packer, the webhooks, and the addresses of services are not there",
    ),
    ("gh", "GitHub's API is not there"),
    ("infracost", "its prices come from a service that asks for a key"),
    ("npm", "there is no registry: what the lock file names was installed before"),
    ("npx", "there is no registry: it answers as the ESLint of the lock file"),
    ("packer", "Debian's 1.6.6 knows neither `init` nor plugins; it builds with the source `null`"),
    ("pip", "there is no index: what is asked for was installed before"),
    ("pip-audit", "its advisories come from a service"),
];

/// Bodies that end in one way only, in these examples.
pub(super) const ENDS_ONE_WAY: &[(&str, End, &str)] = &[
    (
        "changed-paths.sh",
        End::Success,
        "no example has as many targets as its limit; its contract's tests exceed it",
    ),
    (
        "echo \"::error::the image could not be fetched: it is kept for a day. If this run is older, start a new run\"",
        End::Success,
        "it explains the failure of the step before it",
    ),
    (
        "echo \"::error::what was synthesised could not be fetched: it is kept for a day. If this run is older, start a new run\"",
        End::Success,
        "it explains the failure of the step before it",
    ),
    (
        r#"printf '### Approved: %s of %s in %s\n' "$ACTION" "$STACK" "$ENVIRONMENT" >>"$GITHUB_STEP_SUMMARY""#,
        End::Success,
        "it writes a line into a file of the runner's",
    ),
    (
        r#"printf '### Approved: %s of %s in %s\n\n%s %s\n' "$ACTION" "$STACK" "$ENVIRONMENT" "$CLASS" "$COUNTS" >>"$GITHUB_STEP_SUMMARY""#,
        End::Success,
        "it writes a line into a file of the runner's",
    ),
    (
        r#"printf '### Approved: %s\n' "$TITLE" >>"$GITHUB_STEP_SUMMARY""#,
        End::Success,
        "it writes a line into a file of the runner's",
    ),
    (
        r#"printf 'started-at=%s\n' "$(date +%s)" >>"$GITHUB_OUTPUT""#,
        End::Success,
        "it writes a line into a file of the runner's",
    ),
    (r#"rm -rf -- "$RUNNER_TEMP/inventory""#, End::Success, "it removes what is there, or nothing"),
];

/// Steps that are never due in an example, whose condition says so: the example, the body, and why.
pub(super) const NEVER_DUE: &[(&str, &str, &str)] = &[(
    "experience-showcase",
    r#"terraform -chdir="$STACK_DIRECTORY" fmt -check -recursive -diff"#,
    "`!matrix.synthesised`: its one stack is synthesised, and nobody writes that by hand",
)];

/// Steps that no story executes where they were rendered: the example, the workflow, the job, the step, and why.
pub(super) const NOT_REACHED: &[(&str, &str, &str, &str, &str)] = &[
    ("experience-showcase", "check-state.yml", "check-production", "Initialise", SYNTHESISED),
    ("experience-showcase", "check-state.yml", "check-production", "Plan from the state alone", SYNTHESISED),
    ("pyfleet", "tf-auto.yml", "plan-destroy-dev", "Check the format", DESTROYS),
    ("pyfleet", "tf-auto.yml", "plan-destroy-prod", "Check the format", DESTROYS),
    ("pyfleet", "tf-auto.yml", "plan-prod-1", "Read the live colour", NO_COLOURS),
    ("pyfleet", "tf-auto.yml", "apply-prod-1", "Plan the way back", NO_COLOURS),
    ("pyfleet", "tf-auto.yml", "apply-prod-1", "Judge the way back", NO_COLOURS),
    ("pyfleet", "tf-auto.yml", "apply-prod-1", "Go back", NO_COLOURS),
    ("pyfleet", "tf-auto.yml", "apply-prod-1", "Record the way back", NO_COLOURS),
];

const SYNTHESISED: &str = "its condition says `!matrix.synthesised`, and the one stack is synthesised";
const DESTROYS: &str = "its condition says that nothing is destroyed, and this job is there for that alone";
const NO_COLOURS: &str =
    "its condition asks for two colours, and this layer's one stack, `network`, has none";
