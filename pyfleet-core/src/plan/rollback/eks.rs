//! Deployments on Amazon EKS are put back to an earlier revision.

use serde_json::json;

use super::super::body::{Body, EksLook, EksRollback, Verify};
use super::super::credentials::credentials;
use super::super::draft::Draft;
use super::super::eks;
use super::Targets;
use super::service::{self, LOOK_MINUTES, Services, Work};
use crate::manifest::{AwsRole, Slug};
use crate::project::{EksTarget, Environment, Project, Target};

const KIND: &str = "eks";

/// The services of an environment.
fn services<'a>(
    project: &'a Project,
    environment: &Environment,
) -> impl Iterator<Item = (&'a Slug, &'a Target, &'a EksTarget)> {
    service::in_environment(project, environment).filter_map(|(name, target)| match target {
        Target::Eks(own) => Some((name, target, own)),
        Target::Ecs(_) => None,
    })
}

/// What can be put back in an environment.
pub(super) fn targets(project: &Project, environment: &Environment) -> Targets {
    services(project, environment)
        .map(|(name, _, target)| {
            let entry = json!({
                "service": name.as_str(),
                "cluster": target.cluster,
                "namespace": target.namespace,
                "deployment": target.deployment,
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
    let look = || EksLook {
        services: names.clone(),
        credentials: credentials(project, target, AwsRole::Plan, LOOK_MINUTES),
        cluster: eks::chosen_cluster(),
    };
    let body = |work: Work| match work {
        Work::List => Body::EksList(look()),
        Work::Resolve => Body::EksResolve(look()),
        Work::GoBack { resolve, approval } => Body::EksRollback(EksRollback {
            services: names.clone(),
            credentials: credentials(project, target, AwsRole::Deploy, minutes),
            cluster: eks::chosen_cluster(),
            resolve,
            approval,
            verifies: services(project, environment).any(|(.., own)| own.health.is_some()),
        }),
    };
    service::add(draft, environment, is_approved, &Services { kind: KIND, target, minutes, body: &body });
}
