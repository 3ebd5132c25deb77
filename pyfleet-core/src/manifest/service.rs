//! What is deployed, and where it runs.

use std::collections::BTreeMap;

use super::environment::Health;
use super::name::{Slug, checked_string};
use super::path::RelativePath;
use super::value::Secret;

/// One service.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// What it runs; one of `images`. On ECS it comes from an Amazon ECR registry, on EKS from any.
    pub image: Slug,
    /// How to see that it works; the address may hold `{environment}`. Default: the environment's.
    pub health: Option<Health>,
    /// Where it runs: Amazon ECS. A service has this or `eks`.
    pub ecs: Option<Ecs>,
    /// Where it runs: Kubernetes on Amazon EKS. A service has this or `ecs`.
    pub eks: Option<Eks>,
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

/// A Deployment on a Kubernetes cluster of Amazon EKS, with all that is applied beside it: first the namespace, then
/// `configs`, `secrets`, `databases`, `manifests`, `ingress`. Names may hold `{environment}`, `{account-id}`, `{region}`,
/// `{project}` and `{service}`, and so may the paths of files.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Eks {
    /// The cluster's name.
    pub cluster: String,
    /// The namespace that everything lies in.
    pub namespace: String,
    /// Files with what the others need: ConfigMaps, service accounts, volumes.
    #[serde(default)]
    pub configs: Vec<String>,
    /// Kubernetes Secrets, and for each of their keys the secret of GitHub that holds its value.
    #[serde(default)]
    pub secrets: BTreeMap<KubernetesName, BTreeMap<SecretKey, Secret>>,
    /// Files with what has to be ready before the service begins: each workload in them is waited for.
    #[serde(default)]
    pub databases: Vec<String>,
    /// Files with the service itself; one of them has its Deployment, which gets the image by its digest.
    #[serde(default)]
    pub manifests: Vec<String>,
    /// Files that are applied once the service is ready: who is let in.
    #[serde(default)]
    pub ingress: Vec<String>,
    /// The Deployment's name. Default: the service's name here.
    pub deployment: Option<String>,
    /// The container that runs the image. Default: the Deployment's name.
    pub container: Option<String>,
    /// Whether a deployment that fails is put back to the revision before; the run fails all the same. Default: false,
    /// what failed stays to be looked at.
    pub auto_rollback: Option<bool>,
}

checked_string! {
    /// The name of an object of Kubernetes: a DNS subdomain
    /// ([Kubernetes: names](https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)).
    KubernetesName, pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$", max: 253,
    check: |text| text.split('.').all(|part| !part.is_empty()
        && !part.starts_with('-') && !part.ends_with('-')
        && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))),
    says: "a name in Kubernetes is lower-case letters, digits, dashes and dots, and begins and ends with a letter or digit"
}

checked_string! {
    /// A key of a Kubernetes Secret.
    SecretKey, pattern: "^(?!\\.\\.?$)[A-Za-z0-9._-]+$", max: 253,
    check: |text| !matches!(text, "" | "." | "..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')),
    says: "a key of a Kubernetes Secret is letters, digits, dots, dashes and underscores"
}
