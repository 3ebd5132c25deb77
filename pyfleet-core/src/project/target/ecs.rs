//! A service of Amazon ECS in one environment, with all that a job needs to know to deploy it.

use std::collections::BTreeMap;

use super::super::environment::{Environment, Health};
use super::super::service::Filler;
use super::super::{partition, role};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, RelativePath, Slug};

/// One service in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcsTarget {
    /// The environment.
    pub environment: Slug,
    /// The account that it runs in, and that keeps its image.
    pub account_id: String,
    /// The region of both.
    pub region: String,
    /// The cluster's name.
    pub cluster: String,
    /// The service's name in the cluster.
    pub service: String,
    /// The container that runs the image.
    pub container: String,
    /// The task definition's file; nothing where the one that runs is taken.
    pub task_definition: Option<String>,
    /// The ARN of the role of the running task, where it is named.
    pub task_role: Option<String>,
    /// The ARN of the role that pulls the image and writes logs, where it is named.
    pub execution_role: Option<String>,
    /// How to see that it works, where that is known.
    pub health: Option<Health>,
}

impl EcsTarget {
    /// The ARN of something in its account and region.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", partition(&self.region), self.region, self.account_id)
    }

    /// The host of the account's registry
    /// ([Amazon ECR: registries](https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html)).
    #[must_use]
    pub fn registry(&self) -> String {
        let domain = if partition(&self.region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("{}.dkr.ecr.{}.{domain}", self.account_id, self.region)
    }
}

/// A service in an environment that has an account; nothing where something about it is wrong.
pub(in super::super) fn resolve(
    name: &Slug,
    written: &manifest::Ecs,
    environment: &Environment,
    (account_id, region): (&str, &str),
    health: Option<Health>,
    filler: &mut Filler<'_>,
) -> Option<EcsTarget> {
    let cluster = filler.fill("cluster", &written.cluster, is_name, NAME);
    let mut named = |key: &str, text: &Option<String>| match text {
        Some(text) => filler.fill(key, text, is_name, NAME),
        None => Some(name.to_string()),
    };
    let (service, container) = (named("service", &written.service), named("container", &written.container));
    let mut role = |key: &str, text: &Option<String>| match text {
        None => Some(None),
        Some(text) => {
            let is_role = |text: &str| role::is_role_arn(text, Some(account_id)) || is_role_name(text);
            let filled = filler.fill(key, text, is_role, ROLE)?;
            Some(Some(if filled.starts_with("arn:") {
                filled
            } else {
                format!("arn:{}:iam::{account_id}:role/{filled}", partition(region))
            }))
        }
    };
    let (task_role, execution_role) =
        (role("task-role", &written.task_role), role("execution-role", &written.execution_role));
    Some(EcsTarget {
        environment: environment.name.clone(),
        account_id: account_id.to_owned(),
        region: region.to_owned(),
        cluster: cluster?,
        service: service?,
        container: container?,
        task_definition: written.task_definition.as_ref().map(RelativePath::normal).map(str::to_owned),
        task_role: task_role?,
        execution_role: execution_role?,
        health,
    })
}

const NAME: &str = "a name in ECS is 1 to 255 letters, digits, underscores and dashes";
const ROLE: &str = "a role is a name, or the ARN of a role in the environment's account";

/// What ECS calls clusters, services and containers
/// ([ECS: CreateService](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html)).
fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// ([IAM: CreateRole](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html)).
fn is_role_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

/// Every service in every environment is one of its own: a deployment of one would replace what runs as the other.
pub(in super::super) fn check_apart<'a>(
    targets: impl Iterator<Item = (&'a Slug, &'a EcsTarget)>,
    findings: &mut Diagnostics,
) {
    let mut seen: BTreeMap<[&str; 4], (&Slug, &Slug)> = BTreeMap::new();
    for (name, target) in targets {
        let key = [&target.account_id, &target.region, &target.cluster, &target.service].map(String::as_str);
        let Some((other, environment)) = seen.insert(key, (name, &target.environment)) else { continue };
        findings.push(
            Diagnostic::error(
                "service-shared",
                Place::key(Path::of(["services", name.as_str(), "ecs"])),
                format!(
                    "`{name}` in `{}` is the same service of ECS as `{other}` in `{environment}`: a deployment of one would replace the other",
                    target.environment
                ),
            )
            .with_help("put `{environment}` into `cluster` or `service`, or name another service"),
        );
    }
}
