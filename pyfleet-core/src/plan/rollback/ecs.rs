//! Services of Amazon ECS are put back to an earlier revision of their task definition.

use serde_json::json;

use super::super::body::{Body, EcsLook, EcsRollback, Verify};
use super::super::credentials::credentials;
use super::super::draft::Draft;
use super::Targets;
use super::service::{self, LOOK_MINUTES, Services, Work};
use crate::manifest::{AwsRole, Slug};
use crate::project::{EcsTarget, Environment, Project, Target};

const KIND: &str = "ecs";

/// The services of an environment.
fn services<'a>(
    project: &'a Project,
    environment: &Environment,
) -> impl Iterator<Item = (&'a Slug, &'a Target, &'a EcsTarget)> {
    service::in_environment(project, environment).filter_map(|(name, target)| match target {
        Target::Ecs(own) => Some((name, target, own)),
        Target::Eks(_) => None,
    })
}

/// What can be put back in an environment.
pub(super) fn targets(project: &Project, environment: &Environment) -> Targets {
    services(project, environment)
        .map(|(name, _, target)| {
            let entry = json!({
                "service": name.as_str(),
                "cluster": target.cluster,
                "ecs-service": target.service,
                "health": target.health.as_ref().map(Verify::from),
            });
            (format!("{KIND}/{name}"), entry)
        })
        .collect()
}

/// The jobs of one environment.
pub(super) fn add(project: &Project, draft: &mut Draft<'_>, environment: &Environment, is_approved: bool) {
    let names: Vec<Slug> = services(project, environment).map(|(name, ..)| name.clone()).collect();
    let Some((_, target, _)) = services(project, environment).next() else { return };
    let minutes =
        services(project, environment).map(|(.., own)| own.rollback_minutes()).max().unwrap_or_default();
    let look = || EcsLook {
        services: names.clone(),
        credentials: credentials(project, target, AwsRole::Plan, LOOK_MINUTES),
    };
    let body = |work: Work| match work {
        Work::List => Body::EcsList(look()),
        Work::Resolve => Body::EcsResolve(look()),
        Work::GoBack { resolve, approval } => Body::EcsRollback(EcsRollback {
            services: names.clone(),
            credentials: credentials(project, target, AwsRole::Deploy, minutes),
            resolve,
            approval,
            verifies: services(project, environment).any(|(.., own)| own.health.is_some()),
        }),
    };
    service::add(draft, environment, is_approved, &Services { kind: KIND, target, minutes, body: &body });
}
