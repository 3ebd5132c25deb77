//! What services run on: one target a file.

pub(super) mod ecs;
pub(super) mod eks;

use std::collections::BTreeMap;

pub use self::ecs::{EcsTarget, ecr_host};
pub use self::eks::EksTarget;

use super::environment::Health;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::Slug;

/// A service in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// On Amazon ECS.
    Ecs(EcsTarget),
    /// On Kubernetes, which Amazon EKS runs.
    Eks(EksTarget),
}

impl Target {
    /// The environment.
    #[must_use]
    pub const fn environment(&self) -> &Slug {
        match self {
            Self::Ecs(target) => &target.environment,
            Self::Eks(target) => &target.environment,
        }
    }

    /// The account that it runs in.
    #[must_use]
    pub fn account_id(&self) -> &str {
        match self {
            Self::Ecs(target) => &target.account_id,
            Self::Eks(target) => &target.account_id,
        }
    }

    /// The region that it runs in.
    #[must_use]
    pub fn region(&self) -> &str {
        match self {
            Self::Ecs(target) => &target.region,
            Self::Eks(target) => &target.region,
        }
    }

    /// How to see that it works, where that is known.
    #[must_use]
    pub const fn health(&self) -> Option<&Health> {
        match self {
            Self::Ecs(target) => target.health.as_ref(),
            Self::Eks(target) => target.health.as_ref(),
        }
    }

    /// Minutes that its deployment may take with everything that follows a bad one. A job that its limit strikes counts
    /// as cancelled, and nothing would be put back.
    #[must_use]
    pub fn deploy_minutes(&self) -> u16 {
        match self {
            Self::Ecs(target) => target.deploy_minutes(),
            Self::Eks(target) => target.deploy_minutes(),
        }
    }

    /// What it is on AWS, which no other service may be: the kind, the account, the region, and its names there.
    fn key(&self) -> [&str; 6] {
        match self {
            Self::Ecs(own) => ["ecs", &own.account_id, &own.region, &own.cluster, "", &own.service],
            Self::Eks(own) => {
                ["eks", &own.account_id, &own.region, &own.cluster, &own.namespace, &own.deployment]
            }
        }
    }
}

/// Two hours of credentials are the most there is, and five minutes of them are kept in reserve.
const LONGEST_MINUTES: u16 = 115;

/// Refuses so many attempts that the credentials would end before a bad deployment was put back.
pub(super) fn check_minutes(target: &Target, attempts: &Path, findings: &mut Diagnostics) {
    let minutes = target.deploy_minutes();
    // What is out of all bounds is a finding of its own.
    let is_counted = target.health().is_some_and(|health| (1..=100).contains(&health.attempts));
    if is_counted && minutes > LONGEST_MINUTES {
        findings.push_once(
            Diagnostic::error(
                "invalid-value",
                attempts.clone(),
                format!(
                    "a deployment that is put back looks at the health twice: with so many attempts it may take {minutes} minutes, and credentials last for {LONGEST_MINUTES}"
                ),
            )
            .with_help(format!("ask at most {} times", most_attempts(target))),
        );
    }
}

fn most_attempts(target: &Target) -> u16 {
    let fits = |attempts: &u16| {
        let mut target = target.clone();
        let health = match &mut target {
            Target::Ecs(own) => &mut own.health,
            Target::Eks(own) => &mut own.health,
        };
        if let Some(health) = health {
            health.attempts = *attempts;
        }
        target.deploy_minutes() <= LONGEST_MINUTES
    };
    (1..=100).rev().find(fits).unwrap_or(1)
}

/// Every service in every environment is one of its own: a deployment of one would replace what runs as the other.
pub(super) fn check_apart<'a>(
    targets: impl Iterator<Item = (&'a Slug, &'a Target)>,
    findings: &mut Diagnostics,
) {
    let mut seen: BTreeMap<[&str; 6], (&Slug, &Slug)> = BTreeMap::new();
    for (name, target) in targets {
        let Some((other, environment)) = seen.insert(target.key(), (name, target.environment())) else {
            continue;
        };
        let (key, what, names) = match target {
            Target::Ecs(_) => ("ecs", "service of ECS", "`cluster` or `service`, or name another service"),
            Target::Eks(_) => {
                ("eks", "Deployment of Kubernetes", "`cluster` or `namespace`, or name another `deployment`")
            }
        };
        findings.push(
            Diagnostic::error(
                "service-shared",
                Place::key(Path::of(["services", name.as_str(), key])),
                format!(
                    "`{name}` in `{}` is the same {what} as `{other}` in `{environment}`: a deployment of one would replace the other",
                    target.environment()
                ),
            )
            .with_help(format!("put `{{environment}}` into {names}")),
        );
    }
}
