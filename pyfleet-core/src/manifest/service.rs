//! What is deployed, and where it runs.

use super::environment::Health;
use super::name::Slug;
use super::path::RelativePath;

/// One service.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// What it runs; one of `images`, in an Amazon ECR registry.
    pub image: Slug,
    /// How to see that it works; the address may hold `{environment}`. Default: the environment's.
    pub health: Option<Health>,
    /// Where it runs: Amazon ECS.
    pub ecs: Option<Ecs>,
}

/// A service of Amazon ECS that exists already: deployments change its task definition, and nothing else of it. Names
/// may hold `{environment}`, `{account-id}`, `{region}`, `{project}` and `{service}`.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ecs {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name in the cluster. Default: its name here.
    pub service: Option<String>,
    /// The container that runs the image. Default: the service's name here.
    pub container: Option<String>,
    /// The task definition's file in the repository. Default: the task definition that runs, with the new image.
    pub task_definition: Option<RelativePath>,
    /// The role of the running task, by name or ARN. Default: as the task definition says; only roles that are named
    /// here may be handed on.
    pub task_role: Option<String>,
    /// The role that pulls the image and writes logs, by name or ARN. Default: as the task definition says; only roles
    /// that are named here may be handed on.
    pub execution_role: Option<String>,
}
