//! Jobs that run once for each stack, and what they know of its state.

use indexmap::IndexMap;
use serde_json::json;

use super::condition::expression;
use super::draft::Draft;
use super::environment_jobs::reading_environment;
use crate::diagnostic::{Diagnostic, Path, Place};
use crate::manifest::{Lock, Tool};
use crate::project::{Environment, EnvironmentStacks, Terraform};
use crate::workflow::{self as model, Axes, Matrix, OrExpression, Runner, Strategy};

/// A job that runs once for each entry of an output that holds a list as JSON.
pub(super) fn over(draft: &Draft<'_>, title: &str, output: &str, timeout_minutes: u16) -> model::Job {
    let mut model = draft.job(format!("{title} (${{{{ matrix.stack }}}})"), timeout_minutes);
    model.strategy = Some(Strategy {
        matrix: Some(Matrix::Axes(Axes {
            include: Some(OrExpression::Expression(expression(&format!("fromJSON({output})")))),
            ..Axes::default()
        })),
        fail_fast: OrExpression::Literal(false),
        max_parallel: None,
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
    let title = format!("{verb} {} (${{{{ matrix.stack }}}})", environment.name);
    let mut model = draft.job(title, timeout_minutes);
    model.runs_on = Some(Runner { group: None, labels: target.runner.clone() });
    model.environment = Some(reading_environment(environment));
    let entries = target.stacks.iter().filter_map(|stack| json!(stack).as_object().cloned());
    model.strategy = Some(Strategy {
        matrix: Some(Matrix::Axes(Axes {
            include: Some(OrExpression::Literal(entries.map(|entry| entry.into_iter().collect()).collect())),
            ..Axes::default()
        })),
        fail_fast: OrExpression::Literal(false),
        max_parallel: None,
    });
    model.env = state_env(terraform, target);
    model
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
    let lock = match terraform.lock {
        Lock::S3 => "s3",
        Lock::DynamoDb => "dynamodb",
        Lock::Both => "both",
    };
    let command = match terraform.tool {
        Tool::Terraform => "terraform",
        Tool::OpenTofu => "tofu",
    };
    let environment = target.environment.as_str();
    let (bucket, key, table) = (
        expression("matrix.backend.bucket"),
        expression("matrix.backend.key"),
        expression("matrix.backend.dynamodb_table"),
    );
    let (stack, directory) = (expression("matrix.stack"), expression("matrix.directory"));
    let mut env: Vec<(&str, &str)> = vec![
        ("TF_COMMAND", command),
        ("ENVIRONMENT", environment),
        ("STACK", &stack),
        ("STACK_DIRECTORY", &directory),
        ("TF_STATE_BUCKET", &bucket),
        ("TF_STATE_KEY", &key),
        ("TF_LOCK_MODE", lock),
    ];
    if terraform.lock != Lock::S3 {
        env.push(("TF_LOCK_TABLE", &table));
    }
    env.push(("EXPECTED_ACCOUNT_ID", &target.account_id));
    env.extend([("AWS_RETRY_MODE", "standard"), ("AWS_MAX_ATTEMPTS", "5"), ("AWS_PAGER", "")]);
    env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
