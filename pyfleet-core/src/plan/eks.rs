//! Jobs that deploy a service to Kubernetes on Amazon EKS, for every kind of workflow that does.
//!
//! Order is what makes such a deployment safe: what others need comes first, what serves comes once it is ready, and who
//! is let in comes last. The image is put into the Deployment before anything is applied: what the file names never runs.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::body::{Body, Cluster, EksDeploy, ImageRepository, Verify};
use super::condition::expression;
use super::credentials::{credentials, identity};
use super::draft::{Draft, NewJob};
use super::environment_jobs::{READ, aws_env, deployed_to, one_change_of};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, Slug};
use crate::project::{EksTarget, Environment, Project, defaults};
use crate::workflow::Runner;

/// A service that is deployed to one environment.
pub(super) struct Deployment<'a> {
    pub(super) project: &'a Project,
    pub(super) environment: &'a Environment,
    pub(super) name: &'a Slug,
    pub(super) target: &'a EksTarget,
    pub(super) image: ImageRepository,
    /// The job whose output `digest` says which image.
    pub(super) push: String,
    /// The job that waited for the reviewers, where there are any.
    pub(super) approval: Option<String>,
    /// The job that compared the commit with the newest of its branch, where one does.
    pub(super) newest: Option<String>,
}

impl Deployment<'_> {
    /// The job that deploys it. Who adds it says behind what it stands: behind the push at least, and the approval.
    pub(super) fn job(&self, draft: &Draft<'_>) -> NewJob {
        let Self { project, environment, name, target, .. } = *self;
        let minutes = target.deploy_minutes();
        let mut model = draft.job(format!("deploy {} ({name})", environment.name), minutes);
        model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
        model.env = aws_env();
        model.needs = std::iter::once(self.push.clone()).chain(self.approval.clone()).collect();
        model.environment = Some(deployed_to(environment));
        model.concurrency = Some(one_change_of(environment, &format!("service-{name}")));
        model.outputs = outputs(target.auto_rollback);
        let (secrets, held) = secrets(target);
        NewJob {
            id: Slug::join(&[&"deploy", &environment.name, name]),
            model,
            permissions: READ,
            because: "",
            identity: Some(identity(target, AwsRole::Deploy)),
            body: Body::EksDeploy(EksDeploy {
                name: name.clone(),
                credentials: credentials(project, target, AwsRole::Deploy, minutes),
                cluster: cluster(target),
                namespace: target.namespace.clone(),
                deployment: target.deployment.clone(),
                container: target.container.clone(),
                image: self.image.clone(),
                configs: target.configs.clone(),
                databases: target.databases.clone(),
                manifests: target.manifests.clone(),
                ingress: target.ingress.clone(),
                secrets,
                held,
                auto_rollback: target.auto_rollback,
                push: self.push.clone(),
                approval: self.approval.clone(),
                newest: self.newest.clone(),
                verify: target.health.as_ref().map(Verify::from),
                verify_minutes: target.health.as_ref().map(|health| health.minutes() + 1),
            }),
            origin: Path::of(["services", name.as_str()]),
        }
    }
}

/// What jobs say of a deployment: as one to Amazon ECS does, so that one summary reads both.
fn outputs(is_put_back: bool) -> IndexMap<String, String> {
    let deployed =
        ["previous", "revision", "state"].map(|name| (name, format!("steps.deploy.outputs.{name}")));
    let back = [
        (
            "rolled_back",
            "steps.rollback.outputs.state == 'completed' && steps.rollback.outputs.revision || ''",
        ),
        (
            "rollback",
            "steps.rollback.outputs.state || (steps.rollback.outcome == 'failure' && 'unknown' || '')",
        ),
        ("live", "steps.rollback.outputs.live"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    deployed
        .into_iter()
        .chain(back.into_iter().filter(|_| is_put_back))
        .map(|(name, value)| (name.to_owned(), expression(&value)))
        .collect()
}

/// How kubectl gets to a target's cluster.
fn cluster(target: &EksTarget) -> Cluster {
    Cluster { cluster: target.cluster.clone(), ..chosen_cluster() }
}

/// The same, for the one target that a job's matrix has.
pub(super) fn chosen_cluster() -> Cluster {
    Cluster {
        cluster: expression("matrix.cluster"),
        kubectl_version: defaults::KUBECTL_VERSION,
        kubectl_sha256: defaults::KUBECTL_SHA256,
    }
}

/// For each key of each Kubernetes Secret the environment variable that holds its value, and these variables.
fn secrets(target: &EksTarget) -> (BTreeMap<String, BTreeMap<String, String>>, BTreeMap<String, String>) {
    let variable = |held: &String| format!("SECRET_{held}");
    let named = |keys: &BTreeMap<String, String>| {
        keys.iter().map(|(key, held)| (key.clone(), variable(held))).collect()
    };
    let held = target.secrets.values().flat_map(BTreeMap::values);
    (
        target.secrets.iter().map(|(name, keys)| (name.clone(), named(keys))).collect(),
        held.map(|held| (variable(held), expression(&format!("secrets.{held}")))).collect(),
    )
}
