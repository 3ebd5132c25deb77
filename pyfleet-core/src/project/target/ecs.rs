//! A service of Amazon ECS in one environment, with all that a job needs to know to deploy it.

use super::super::environment::{Environment, Health};
use super::super::service::Filler;
use super::super::{partition, role};
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

    /// Minutes that its deployment may take with everything that follows a bad one: two looks at the health, and the
    /// way back between them. A job that its limit strikes counts as cancelled, and nothing would be put back.
    #[must_use]
    pub fn deploy_minutes(&self) -> u16 {
        SET_UP_MINUTES + DEPLOY_MINUTES + ROLLBACK_MINUTES + 2 * self.health_minutes()
    }

    /// Minutes that a rollback may take, with a look at the health.
    #[must_use]
    pub fn rollback_minutes(&self) -> u16 {
        SET_UP_MINUTES + ROLLBACK_MINUTES + self.health_minutes()
    }

    fn health_minutes(&self) -> u16 {
        self.health.as_ref().map_or(0, Health::minutes)
    }
}

/// The host of an account's registry in a region
/// ([Amazon ECR: registries](https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html)).
#[must_use]
pub fn ecr_host(account_id: &str, region: &str) -> String {
    let domain = if partition(region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("{account_id}.dkr.ecr.{region}.{domain}")
}

/// What a job does beside waiting: the checkout, the role, the answers of AWS.
const SET_UP_MINUTES: u16 = 10;
/// How long ecs-deploy.sh follows a deployment.
const DEPLOY_MINUTES: u16 = 20;
/// How long ecs-rollback.sh follows the way back.
const ROLLBACK_MINUTES: u16 = 15;
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

#[cfg(test)]
mod tests {
    use super::super::{Target, most_attempts};
    use super::{EcsTarget, Health};

    fn asked(attempts: Option<u16>) -> EcsTarget {
        let health = attempts.map(|attempts| Health {
            url: "https://example.com".to_owned(),
            expect_status: 200,
            attempts,
        });
        EcsTarget {
            environment: "dev".to_owned().try_into().unwrap(),
            account_id: "111111111111".to_owned(),
            region: "eu-central-1".to_owned(),
            cluster: "c".to_owned(),
            service: "s".to_owned(),
            container: "s".to_owned(),
            task_definition: None,
            task_role: None,
            execution_role: None,
            health,
        }
    }

    #[test]
    fn a_job_has_time_for_two_looks_and_the_way_back() {
        // 10 requests of 10 s, and 3 + 6 + 12 + 24 + 5 * 30 s between them: 295 s. 40: 1495 s.
        for (attempts, deploy, rollback) in
            [(None, 45, 25), (Some(1), 47, 26), (Some(10), 55, 30), (Some(40), 95, 50), (Some(55), 115, 60)]
        {
            let target = asked(attempts);
            assert_eq!(
                (target.deploy_minutes(), target.rollback_minutes()),
                (deploy, rollback),
                "{attempts:?}"
            );
        }
        assert!(asked(Some(100)).rollback_minutes() <= 115);
        assert_eq!(most_attempts(&Target::Ecs(asked(Some(100)))), 55);
    }
}
