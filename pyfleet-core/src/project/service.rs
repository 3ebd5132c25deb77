//! Services as they are meant: what each runs, and where.

use std::collections::BTreeMap;

use super::environment::{self, Environment, Health};
use super::placeholder;
use super::role;
use super::target::{self, Target, ecs, eks};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, AwsRole, Kind, Manifest, Registry, SafetyLevel, Slug, Tag};

/// One service.
#[derive(Debug, Clone)]
pub struct Service {
    /// The image that it runs.
    pub image: Slug,
    /// Where it runs, in promotion order: the environments that may be changed.
    pub targets: Vec<Target>,
}

pub(super) fn resolve(
    manifest: &Manifest,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> BTreeMap<Slug, Service> {
    let is_deployed = manifest.deploys() || manifest.renders(Kind::Rollback) || manifest.awaits();
    let mut services = BTreeMap::new();
    for (name, written) in &manifest.services {
        let path = Path::of(["services", name.as_str()]);
        check_image(manifest, name, written, &path, findings);
        check_targets(written, &path, findings);
        let mut targets = Vec::new();
        for environment in environments.iter().filter(|environment| environment.level >= SafetyLevel::WRITES)
        {
            if written.ecs.is_none() && written.eks.is_none() {
                continue;
            }
            let (Some(account_id), Some(region)) = (&environment.account_id, &environment.region) else {
                if is_deployed {
                    findings.push_once(no_account(environment));
                }
                continue;
            };
            let values = [
                ("environment", environment.name.as_str()),
                ("account-id", account_id.as_str()),
                ("region", region.as_str()),
                ("project", manifest.project.as_str()),
                ("service", name.as_str()),
            ];
            let mut filler = Filler { path: path.key("health"), values: &values, findings };
            let health = health(written, environment, &mut filler);
            let place = (account_id.as_str(), region.as_str());
            let target = if let Some(ecs) = &written.ecs {
                filler.path = path.key("ecs");
                ecs::resolve(name, ecs, environment, place, health, &mut filler).map(Target::Ecs)
            } else if let Some(eks) = &written.eks {
                filler.path = path.key("eks");
                eks::resolve(name, eks, environment, place, health, &mut filler).map(Target::Eks)
            } else {
                None
            };
            if let Some(target) = target.as_ref().filter(|_| manifest.deploys()) {
                let asked = match &written.health {
                    Some(_) => path.clone(),
                    None => Path::of(["environments", environment.name.as_str()]),
                };
                target::check_minutes(target, &asked.key("health").key("attempts"), findings);
            }
            targets.extend(target);
        }
        services.insert(name.clone(), Service { image: written.image.clone(), targets });
    }
    let targets =
        services.iter().flat_map(|(name, service)| service.targets.iter().map(move |target| (name, target)));
    target::check_apart(targets, findings);
    for environment in environments.iter().filter(|_| is_deployed && !services.is_empty()) {
        for purpose in [AwsRole::Deploy, AwsRole::Plan] {
            if let Some(role) = environment.roles.get(&purpose) {
                role::check_name(role, purpose, &environment.name, findings);
            }
        }
    }
    services
}

/// Fills in the placeholders of one section, and refuses what the result must not be.
pub(super) struct Filler<'a> {
    /// Where the section stands.
    path: Path,
    /// What the placeholders stand for.
    values: &'a [(&'a str, &'a str)],
    findings: &'a mut Diagnostics,
}

impl Filler<'_> {
    /// The text of a key; nothing where it is wrong, which is reported once for all environments.
    pub(super) fn fill(
        &mut self,
        key: &str,
        text: &str,
        is_right: impl Fn(&str) -> bool,
        says: &str,
    ) -> Option<String> {
        self.fill_at(&self.path.key(key), text, is_right, says)
    }

    /// As [`Filler::fill`], for one item of a list.
    pub(super) fn fill_item(
        &mut self,
        key: &str,
        index: usize,
        text: &str,
        is_right: impl Fn(&str) -> bool,
        says: &str,
    ) -> Option<String> {
        self.fill_at(&self.path.key(key).index(index), text, is_right, says)
    }

    /// Refuses a section that lacks a key.
    pub(super) fn refuse(&mut self, key: &str, says: &str) {
        self.findings.push_once(
            Diagnostic::error("missing-key", Place::key(self.path.clone()), says)
                .with_help(format!("name them under `{key}`")),
        );
    }

    fn fill_at(
        &mut self,
        path: &Path,
        text: &str,
        is_right: impl Fn(&str) -> bool,
        says: &str,
    ) -> Option<String> {
        let path = path.clone();
        match placeholder::fill(text, self.values) {
            Err(reason) => self.findings.push_once(Diagnostic::error("unknown-placeholder", path, reason)),
            Ok(filled) if is_right(&filled) => return Some(filled),
            Ok(_) => self.findings.push_once(Diagnostic::error("invalid-value", path, says)),
        }
        None
    }
}

/// How to see that the service works: what it says itself, or its environment.
fn health(written: &manifest::Service, environment: &Environment, filler: &mut Filler<'_>) -> Option<Health> {
    let Some(asked) = &written.health else { return environment.health.clone() };
    environment::check_numbers(asked, &filler.path, filler.findings);
    let url = filler.fill("url", &asked.url, environment::is_address, environment::ADDRESS)?;
    Some(Health::of(asked, url))
}

fn no_account(environment: &Environment) -> Diagnostic {
    Diagnostic::error(
        "missing-key",
        Place::key(Path::of(["environments", environment.name.as_str()])),
        "a deployment assumes a role, and the environment has no AWS account or region",
    )
    .with_help("set `aws.account-id` and `aws.region`, for all environments or for this one")
}

/// A service runs on one thing.
fn check_targets(written: &manifest::Service, path: &Path, findings: &mut Diagnostics) {
    match (&written.ecs, &written.eks) {
        (None, None) => findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                "a service runs somewhere, and `ecs` or `eks` is missing",
            )
            .with_help("name the service of Amazon ECS: `ecs: { cluster: NAME }`")
            .with_help("or the Deployment on Amazon EKS: `eks: { cluster: NAME, namespace: NAME, manifests: [FILE] }`"),
        ),
        (Some(_), Some(_)) => findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(path.key("eks")),
                "a service runs on one thing, and this one names `ecs` and `eks`",
            )
            .with_help("declare two services of the same image"),
        ),
        _ => {}
    }
}

/// An image that the service can run: it is pushed somewhere, to Amazon ECR for ECS, and under names there that never
/// mean another one.
fn check_image(
    manifest: &Manifest,
    name: &Slug,
    written: &manifest::Service,
    path: &Path,
    findings: &mut Diagnostics,
) {
    let Some(image) = manifest.images.get(&written.image) else {
        let known: Vec<String> = manifest.images.keys().map(|name| format!("`{name}`")).collect();
        findings.push(
            Diagnostic::error("unknown-reference", path.key("image"), "there is no image of this name")
                .with_help(if known.is_empty() {
                    "declare it under `images`".to_owned()
                } else {
                    format!("there is {}", known.join(", "))
                }),
        );
        return;
    };
    let place = Path::of(["images", written.image.as_str()]);
    let registry = image.registry.as_ref().map(|registry| manifest.registries.get(registry));
    let at = match &image.registry {
        Some(_) => Place::value(place.key("registry")),
        None => Place::key(place.clone()),
    };
    // A registry that is not declared is a finding of its own.
    if written.ecs.is_some() && !matches!(registry, Some(Some(Registry::Ecr(_)) | None)) {
        findings.push_once(
            Diagnostic::error(
                "missing-key",
                at,
                format!("`{name}` runs this image on ECS, and it is not pushed to Amazon ECR"),
            )
            .with_help("declare `registries: { aws: { ecr: {} } }`, and set `registry: aws`"),
        );
    } else if written.eks.is_some() && registry.is_none() {
        findings.push_once(
            Diagnostic::error(
                "missing-key",
                at,
                format!("`{name}` runs this image on EKS, and it is not pushed anywhere"),
            )
            .with_help("declare one under `registries`, and name it in `registry`"),
        );
    }
    let moves = |tag: &&Tag| matches!(tag, Tag::Branch | Tag::Latest);
    let is_ecr = matches!(registry, Some(Some(Registry::Ecr(_))));
    if is_ecr && image.tags.as_deref().unwrap_or_default().iter().any(|tag| moves(&tag)) {
        findings.push_once(
            Diagnostic::error(
                "not-built",
                place.key("tags"),
                "tags that move are designed, but nothing pushes them to Amazon ECR yet: a deployment pushes the commit and the version",
            )
            .with_help("take `branch` and `latest` out"),
        );
    }
}
