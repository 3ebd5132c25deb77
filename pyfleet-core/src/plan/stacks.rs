//! Jobs that run once for each stack, and what they know of its state.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::condition::expression;
use super::draft::Draft;
use super::environment_jobs::{aws_env, reading_environment};
use crate::diagnostic::{Diagnostic, Path, Place};
use crate::manifest::Lock;
use crate::project::{Environment, EnvironmentStacks, Terraform};
use crate::workflow::{self as model, Axes, Matrix, OrExpression, Runner, Strategy};

/// The entries of a matrix.
pub(super) type Entries = Vec<IndexMap<String, Json>>;

/// Terraform asks nobody anything, and does not look for newer versions of itself.
pub(super) fn run_unattended(draft: &mut Draft<'_>) {
    for (name, value) in [("TF_IN_AUTOMATION", "true"), ("TF_INPUT", "0"), ("CHECKPOINT_DISABLE", "1")] {
        draft.env(name, value);
    }
}

/// A job that runs once for each entry of an output that holds a list as JSON.
pub(super) fn over(draft: &Draft<'_>, title: &str, output: &str, timeout_minutes: u16) -> model::Job {
    let list = OrExpression::Expression(expression(&format!("fromJSON({output})")));
    over_entries(draft, title, list, timeout_minutes)
}

/// A job that runs once for each entry of a list.
pub(super) fn over_literal(
    draft: &Draft<'_>,
    title: &str,
    entries: Entries,
    timeout_minutes: u16,
) -> model::Job {
    over_entries(draft, title, OrExpression::Literal(entries), timeout_minutes)
}

fn over_entries(
    draft: &Draft<'_>,
    title: &str,
    entries: OrExpression<Entries>,
    timeout_minutes: u16,
) -> model::Job {
    let mut model = draft.job(format!("{title} (${{{{ matrix.stack }}}})"), timeout_minutes);
    model.strategy = Some(Strategy {
        matrix: Some(Matrix::Axes(Axes { include: Some(entries), ..Axes::default() })),
        fail_fast: OrExpression::Literal(false),
        ..Strategy::default()
    });
    model
}

/// A job of an environment that runs once for each of its stacks, on its runner, and only reads.
pub(super) fn over_all(
    draft: &Draft<'_>,
    terraform: &Terraform,
    environment: &Environment,
    target: &EnvironmentStacks,
    verb: &str,
    timeout_minutes: u16,
) -> model::Job {
    let title = format!("{verb} {}", environment.name);
    let stacks = entries(target.stacks.iter().map(|stack| json!(stack)));
    let mut model = over_literal(draft, &title, stacks, timeout_minutes);
    model.runs_on = Some(Runner { group: None, labels: target.runner.clone() });
    model.environment = Some(reading_environment(environment));
    model.env = state_env(terraform, target);
    model
}

/// Objects as the entries of a matrix.
pub(super) fn entries(objects: impl Iterator<Item = Json>) -> Entries {
    objects.filter_map(|entry| Some(entry.as_object()?.clone().into_iter().collect())).collect()
}

/// GitHub runs at most 256 jobs of a matrix, and Linux takes at most 128 KiB in one environment
/// variable, which the gate needs for every output once more, quoted
/// ([GitHub: matrix](https://docs.github.com/en/actions/reference/limits), `MAX_ARG_STRLEN` in execve(2)).
pub(super) fn check_limits(most: usize, bytes: usize, draft: &mut Draft<'_>) {
    if most > 256 || bytes > 90_000 {
        draft.report(
            Diagnostic::error(
                "platform-limits",
                Place::key(Path::of(["terraform", "stacks"])),
                format!("{most} stacks are too many for one workflow: GitHub runs 256 jobs of a matrix, and their settings may have 90,000 bytes, here {bytes}"),
            )
            .with_help("divide the stacks between repositories, or merge those that change together"),
        );
    }
}

/// What every step that touches state knows of it.
pub(super) fn state_env(terraform: &Terraform, target: &EnvironmentStacks) -> IndexMap<String, String> {
    let mut env = IndexMap::new();
    env.insert("TF_COMMAND", terraform.tool.command().to_owned());
    env.insert("ENVIRONMENT", target.environment.to_string());
    env.insert("STACK", expression("matrix.stack"));
    env.insert("STACK_DIRECTORY", expression("matrix.directory"));
    env.insert("TF_STATE_BUCKET", expression("matrix.backend.bucket"));
    env.insert("TF_STATE_KEY", expression("matrix.backend.key"));
    env.insert("TF_LOCK_MODE", lock_mode(terraform).to_owned());
    if terraform.lock != Lock::S3 {
        env.insert("TF_LOCK_TABLE", expression("matrix.backend.dynamodb_table"));
    }
    named(env, target)
}

/// What steps that make or remove a backend know of it. Every stack of an environment has the same: only the key may
/// depend on the stack.
pub(super) fn backend_env(terraform: &Terraform, target: &EnvironmentStacks) -> IndexMap<String, String> {
    let setting = |name| target.stacks.first().and_then(|stack| stack.backend.get(name)).cloned();
    let mut env = IndexMap::new();
    env.insert("TF_STATE_BUCKET", setting("bucket").unwrap_or_default());
    env.insert("TF_LOCK_MODE", lock_mode(terraform).to_owned());
    env.extend(setting("dynamodb_table").map(|table| ("TF_LOCK_TABLE", table)));
    named(env, target)
}

/// With whose it is, and how AWS is asked.
fn named(mut env: IndexMap<&str, String>, target: &EnvironmentStacks) -> IndexMap<String, String> {
    env.insert("EXPECTED_ACCOUNT_ID", target.account_id.clone());
    env.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(aws_env()).collect()
}

const fn lock_mode(terraform: &Terraform) -> &'static str {
    match terraform.lock {
        Lock::S3 => "s3",
        Lock::DynamoDb => "dynamodb",
        Lock::Both => "both",
    }
}
