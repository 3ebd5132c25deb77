//! The members of the contexts that are the same in every workflow (GitHub docs, "Contexts reference", and what
//! runners were seen to hold beside it).

use std::sync::LazyLock;

use super::Context;
use super::types::{Object, Type};

/// The type of a context where nothing else is known of the workflow.
#[must_use]
pub fn context(context: Context) -> Type {
    match context {
        Context::Github => GITHUB.clone(),
        Context::Runner => RUNNER.clone(),
        Context::Job => JOB.clone(),
        Context::Strategy => STRATEGY.clone(),
        Context::Env | Context::Vars | Context::Secrets => TEXTS.clone(),
        Context::Needs | Context::Jobs => JOBS.clone(),
        Context::Steps => STEPS.clone(),
        Context::Matrix | Context::Inputs => ANYTHING.clone(),
    }
}

/// Names and texts.
pub static TEXTS: LazyLock<Type> = LazyLock::new(|| Type::map_of(Type::String));

/// An object of which nothing is known.
pub static ANYTHING: LazyLock<Type> = LazyLock::new(|| Type::map_of(Type::Any));

static JOBS: LazyLock<Type> = LazyLock::new(|| Type::map_of(of_job(TEXTS.clone())));

static STEPS: LazyLock<Type> = LazyLock::new(|| Type::map_of(STEP.clone()));

/// What `steps` holds of a step of which nothing else is known.
pub static STEP: LazyLock<Type> = LazyLock::new(|| of_step(TEXTS.clone()));

/// What `needs` and `jobs` hold of one job.
#[must_use]
pub fn of_job(outputs: Type) -> Type {
    Type::strict([("result", Type::String), ("outputs", outputs)])
}

/// What `steps` holds of one step.
#[must_use]
pub fn of_step(outputs: Type) -> Type {
    Type::strict([("outputs", outputs), ("outcome", Type::String), ("conclusion", Type::String)])
}

/// The members of `github` that are texts.
const GITHUB_TEXTS: &[&str] = &[
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "action_status",
    "actor",
    "actor_id",
    "api_url",
    "artifact_cache_size_limit",
    "base_ref",
    "env",
    "event_name",
    "event_path",
    "graphql_url",
    "head_ref",
    "job",
    "job_workflow_sha",
    "output",
    "path",
    "ref",
    "ref_name",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "repositoryUrl",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "secret_source",
    "server_url",
    "sha",
    "state",
    "step_summary",
    "token",
    "triggering_actor",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "workspace",
];

/// `github` with an event of the given type.
#[must_use]
pub fn github(event: Type) -> Type {
    let texts = GITHUB_TEXTS.iter().map(|name| (*name, Type::String));
    Type::strict(texts.chain([("ref_protected", Type::Boolean), ("event", event)]))
}

static GITHUB: LazyLock<Type> = LazyLock::new(|| github(ANYTHING.clone()));

static RUNNER: LazyLock<Type> = LazyLock::new(|| {
    const TEXTS: &[&str] = &["arch", "debug", "environment", "name", "os", "temp", "tool_cache", "workspace"];
    Type::strict(TEXTS.iter().map(|name| (*name, Type::String)))
});

static JOB: LazyLock<Type> = LazyLock::new(|| {
    let container = Type::strict([("id", Type::String), ("network", Type::String)]);
    let ports = Type::map_of(Type::String);
    let service = Type::strict([("id", Type::String), ("network", Type::String), ("ports", ports)]);
    Type::strict([
        ("check_run_id", Type::Number),
        ("container", container),
        ("services", Type::map_of(service)),
        ("status", Type::String),
        ("workflow_ref", Type::String),
        ("workflow_sha", Type::String),
        ("workflow_repository", Type::String),
        ("workflow_file_path", Type::String),
    ])
});

static STRATEGY: LazyLock<Type> = LazyLock::new(|| {
    Type::Object(Object::strict([
        ("fail-fast", Type::Boolean),
        ("job-index", Type::Number),
        ("job-total", Type::Number),
        ("max-parallel", Type::Number),
    ]))
});
