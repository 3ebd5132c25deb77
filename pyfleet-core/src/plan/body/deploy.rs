//! The contexts of jobs that build, push and deploy images, and take deployments back.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::{Credentials, Verify};
use crate::manifest::{Slug, Window};

/// Compares what was typed with what is allowed.
#[derive(Debug, Clone, Serialize)]
pub struct DeployGuard {
    /// What may be deployed to, by environment.
    pub targets: BTreeMap<String, Json>,
    /// What has to be typed.
    pub phrase: String,
}

/// Compares what was typed with what can be rolled back.
#[derive(Debug, Clone, Serialize)]
pub struct RollbackGuard {
    /// What may be rolled back, by environment.
    pub targets: BTreeMap<String, Json>,
    /// What has to be typed.
    pub phrase: String,
}

/// Asks what was deployed, over the network.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Smoke {
    /// The services on Kubernetes that are asked.
    #[serde(skip)]
    pub services: Vec<Slug>,
    /// The role that reads where they are, where any is.
    pub credentials: Option<Credentials>,
    /// How kubectl gets to their cluster.
    pub cluster: Option<Cluster>,
    /// The environment.
    pub environment: String,
    /// Days that results are kept.
    pub artifact_days: u16,
}

/// Asks what was deployed, by a command of the repository.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SmokeCommand {
    /// The environment.
    pub environment: String,
    /// Days that results are kept.
    pub artifact_days: u16,
}

/// Waits for the reviewers of an environment.
#[derive(Debug, Clone, Serialize)]
pub struct DeployApproval {
    /// What they agree to.
    pub title: String,
    /// The environment.
    pub environment: String,
    /// When it may be changed, where that is limited.
    pub window: Option<Window>,
}

/// A repository of images.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageRepository {
    /// The registry's host.
    pub registry: String,
    /// The account whose registry it is, where it is one of Amazon ECR.
    pub registry_id: Option<String>,
    /// Its name in the registry.
    pub repository: String,
    /// Whether it is made where it is missing.
    pub create: bool,
}

/// Who is let in by a registry that knows no role of AWS, as expressions.
#[derive(Debug, Clone, Serialize)]
pub struct Login {
    /// The user's name.
    pub username: String,
    /// The password or token.
    pub password: String,
}

/// Looks whether the commit has an image already.
#[derive(Debug, Clone, Serialize)]
pub struct ImageLookup {
    /// The role that reads, in Amazon ECR.
    pub credentials: Option<Credentials>,
    /// Who reads elsewhere; nothing for anybody.
    pub login: Option<Login>,
    /// Where it looks.
    pub image: ImageRepository,
}

/// Builds the image that is deployed, as an archive.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuildArchive {
    /// The build context.
    pub context: String,
    /// The Dockerfile, from the repository's root.
    pub dockerfile: String,
    /// What it is built for.
    pub platform: String,
    /// What it is called on the runner.
    pub reference: String,
    /// The artifact that hands it on.
    pub artifact: String,
    /// The largest size in bytes.
    pub max_size: Option<u64>,
    /// Whether its user must not be root.
    pub non_root: bool,
}

/// Pushes the image that was built and scanned.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImagePush {
    /// The role that pushes to Amazon ECR.
    pub credentials: Option<Credentials>,
    /// Who pushes elsewhere.
    pub login: Option<Login>,
    /// Where to.
    pub image: ImageRepository,
    /// Tags that move.
    pub moving: MovingTags,
    /// The artifact that holds it.
    pub artifact: String,
    /// The job that looked whether it is there already.
    pub lookup: String,
    /// The job that built it otherwise.
    pub build: String,
    /// The job that waited for the reviewers, where there are any.
    pub approval: Option<String>,
    /// The job that compared the commit with the newest of its branch, where one does.
    pub newest: Option<String>,
}

/// Tags that move from one image to the next: what is deployed is never found by them.
#[derive(Debug, Clone, Serialize)]
pub struct MovingTags {
    /// Whether the branch's name is one.
    pub branch: bool,
    /// The branch whose image is `latest`, where one is.
    pub latest: Option<String>,
}

/// Deploys one service to Amazon ECS.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EcsDeploy {
    /// The service's name in the manifest.
    #[serde(skip)]
    pub name: Slug,
    /// The role that deploys.
    pub credentials: Credentials,
    /// The cluster.
    pub cluster: String,
    /// The service in it.
    pub service: String,
    /// The container that gets the image.
    pub container: String,
    /// The task definition's file; nothing for the one that runs.
    pub task_definition: Option<String>,
    /// The role of the task.
    pub task_role: Option<String>,
    /// The role that starts the task.
    pub execution_role: Option<String>,
    /// The image's repository.
    pub image: ImageRepository,
    /// The job that pushed the image.
    pub push: String,
    /// The job that waited for the reviewers, where there are any.
    pub approval: Option<String>,
    /// The job that compared the commit with the newest of its branch, where one does.
    pub newest: Option<String>,
    /// How to see that it works.
    pub verify: Option<Verify>,
    /// Minutes after which looking has surely come to an end.
    pub verify_minutes: Option<u16>,
}

/// kubectl, and the cluster that it talks to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cluster {
    /// The cluster's name.
    pub cluster: String,
    /// The version of kubectl.
    pub kubectl_version: &'static str,
    /// The SHA-256 of its binary.
    pub kubectl_sha256: &'static str,
}

/// Deploys one service to Kubernetes on Amazon EKS.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EksDeploy {
    /// The service's name in the manifest.
    #[serde(skip)]
    pub name: Slug,
    /// The role that deploys.
    pub credentials: Credentials,
    /// The cluster.
    pub cluster: Cluster,
    /// The namespace in it.
    pub namespace: String,
    /// The Deployment that gets the image.
    pub deployment: String,
    /// The container in it.
    pub container: String,
    /// The image's repository.
    pub image: ImageRepository,
    /// Files with what the others need.
    pub configs: Vec<String>,
    /// Files with what has to be ready before.
    pub databases: Vec<String>,
    /// Files with the service itself.
    pub manifests: Vec<String>,
    /// Files that are applied once it is ready.
    pub ingress: Vec<String>,
    /// Kubernetes Secrets: for each key of each, the environment variable that holds its value.
    pub secrets: BTreeMap<String, BTreeMap<String, String>>,
    /// These variables, with the expressions that yield their values.
    pub held: BTreeMap<String, String>,
    /// Whether it is put back where it fails.
    pub auto_rollback: bool,
    /// The job that pushed the image.
    pub push: String,
    /// The job that waited for the reviewers, where there are any.
    pub approval: Option<String>,
    /// The job that compared the commit with the newest of its branch, where one does.
    pub newest: Option<String>,
    /// How to see that it works.
    pub verify: Option<Verify>,
    /// Minutes after which looking has surely come to an end.
    pub verify_minutes: Option<u16>,
}

/// Puts one ECS service back to an earlier revision.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EcsRollback {
    /// The services that can be chosen.
    #[serde(skip)]
    pub services: Vec<Slug>,
    /// The role that deploys.
    pub credentials: Credentials,
    /// The job that knows what is gone back to, and from.
    pub resolve: String,
    /// The job that waited for the reviewers, where there are any.
    pub approval: Option<String>,
    /// Whether a service can be asked for its health.
    pub verifies: bool,
}

/// Looks at the revisions of one ECS service.
#[derive(Debug, Clone, Serialize)]
pub struct EcsLook {
    /// The services that can be chosen.
    #[serde(skip)]
    pub services: Vec<Slug>,
    /// The role that reads.
    pub credentials: Credentials,
}

/// Puts one Deployment on Amazon EKS back to an earlier revision.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EksRollback {
    /// The services that can be chosen.
    #[serde(skip)]
    pub services: Vec<Slug>,
    /// The role that deploys.
    pub credentials: Credentials,
    /// The cluster.
    pub cluster: Cluster,
    /// The job that knows what is gone back to, and from.
    pub resolve: String,
    /// The job that waited for the reviewers, where there are any.
    pub approval: Option<String>,
    /// Whether a service can be asked for its health.
    pub verifies: bool,
}

/// Looks at the revisions of one Deployment on Amazon EKS.
#[derive(Debug, Clone, Serialize)]
pub struct EksLook {
    /// The services that can be chosen.
    #[serde(skip)]
    pub services: Vec<Slug>,
    /// The role that reads.
    pub credentials: Credentials,
    /// The cluster.
    pub cluster: Cluster,
}

/// Writes down what became of a deployment.
#[derive(Debug, Clone, Serialize)]
pub struct DeploySummary {
    /// The environment.
    pub environment: String,
    /// The services, with the jobs that know what became of them.
    pub services: Vec<SummarisedService>,
}

/// One service in a summary.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SummarisedService {
    /// Its name in the manifest.
    pub name: String,
    /// The image, without its digest.
    pub image: String,
    /// The job that pushed the image.
    pub push: String,
    /// The job that deployed it.
    pub deploy: String,
    /// Whether that job puts it back where it fails.
    pub goes_back: bool,
}
