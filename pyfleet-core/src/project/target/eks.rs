//! A Deployment on a cluster of Amazon EKS in one environment, with all that a job needs to know to deploy it.

use std::collections::BTreeMap;

use super::super::environment::{Environment, Health};
use super::super::partition;
use super::super::service::Filler;
use crate::manifest::{self, RelativePath, Slug};

/// One service in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EksTarget {
    /// The environment.
    pub environment: Slug,
    /// The account that the cluster runs in.
    pub account_id: String,
    /// Its region.
    pub region: String,
    /// The cluster's name.
    pub cluster: String,
    /// The namespace that everything lies in.
    pub namespace: String,
    /// Files with what the others need.
    pub configs: Vec<String>,
    /// Kubernetes Secrets: for each of their keys the secret of GitHub that holds its value.
    pub secrets: BTreeMap<String, BTreeMap<String, String>>,
    /// Files with what has to be ready before the service begins.
    pub databases: Vec<String>,
    /// Files with the service itself.
    pub manifests: Vec<String>,
    /// Files that are applied once the service is ready.
    pub ingress: Vec<String>,
    /// The Deployment's name.
    pub deployment: String,
    /// The container that runs the image.
    pub container: String,
    /// Whether a deployment that fails is put back.
    pub auto_rollback: bool,
    /// How to see that it works, where that is known.
    pub health: Option<Health>,
}

impl EksTarget {
    /// The cluster's ARN.
    #[must_use]
    pub fn cluster_arn(&self) -> String {
        format!(
            "arn:{}:eks:{}:{}:cluster/{}",
            partition(&self.region),
            self.region,
            self.account_id,
            self.cluster
        )
    }

    /// Minutes that its deployment may take: what it needs, itself, and where it is put back, that too; with a look at
    /// the health after each.
    #[must_use]
    pub fn deploy_minutes(&self) -> u16 {
        let back = if self.auto_rollback { ROLLBACK_MINUTES + self.health_minutes() } else { 0 };
        SET_UP_MINUTES + DATABASE_MINUTES + DEPLOY_MINUTES + self.health_minutes() + back
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

/// What a job does beside waiting: the checkout, the role, kubectl, the answers of the cluster, what it shows of a
/// failure.
const SET_UP_MINUTES: u16 = 10;
/// How long eks-deploy.sh waits for what the service needs.
const DATABASE_MINUTES: u16 = 10;
/// How long it follows the service's own rollout.
const DEPLOY_MINUTES: u16 = 10;
/// How long eks-rollback.sh follows the way back.
const ROLLBACK_MINUTES: u16 = 10;

/// A service in an environment that has an account; nothing where something about it is wrong.
pub(in super::super) fn resolve(
    name: &Slug,
    written: &manifest::Eks,
    environment: &Environment,
    (account_id, region): (&str, &str),
    health: Option<Health>,
    filler: &mut Filler<'_>,
) -> Option<EksTarget> {
    if written.manifests.is_empty() {
        filler.refuse("manifests", "the service's own files are missing: one of them holds its Deployment");
    }
    let cluster = filler.fill("cluster", &written.cluster, is_cluster, CLUSTER);
    let namespace = filler.fill("namespace", &written.namespace, is_label, LABEL);
    let deployment = match &written.deployment {
        Some(text) => filler.fill("deployment", text, is_label, LABEL),
        None => Some(name.to_string()),
    };
    let container = match &written.container {
        Some(text) => filler.fill("container", text, is_label, LABEL),
        None => deployment.clone(),
    };
    let mut files = |key: &str, files: &[String]| -> Option<Vec<String>> {
        let filled: Vec<Option<String>> = files
            .iter()
            .enumerate()
            .map(|(index, file)| filler.fill_item(key, index, file, is_file, FILE))
            .collect();
        filled.into_iter().collect()
    };
    let (configs, databases) = (files("configs", &written.configs), files("databases", &written.databases));
    let (manifests, ingress) = (files("manifests", &written.manifests), files("ingress", &written.ingress));
    let secrets = written.secrets.iter().map(|(name, keys)| {
        let keys = keys.iter().map(|(key, held)| (key.to_string(), held.secret.to_string()));
        (name.to_string(), keys.collect())
    });
    Some(EksTarget {
        environment: environment.name.clone(),
        account_id: account_id.to_owned(),
        region: region.to_owned(),
        cluster: cluster?,
        namespace: namespace?,
        configs: configs?,
        secrets: secrets.collect(),
        databases: databases?,
        manifests: manifests?,
        ingress: ingress?,
        deployment: deployment?,
        container: container?,
        auto_rollback: written.auto_rollback.unwrap_or_default(),
        health,
    })
}

const CLUSTER: &str = "a cluster of EKS is named by 1 to 100 letters, digits, dashes and underscores, and begins with a letter or digit";
const LABEL: &str = "it is named by at most 63 lower-case letters, digits and dashes, and begins and ends with a letter or digit";
const FILE: &str =
    "a file is named by its path in the repository, in letters, digits, dots, dashes and underscores";

/// ([EKS: CreateCluster](https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html)).
fn is_cluster(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A DNS label, which namespaces and containers are named by
/// ([Kubernetes: names](https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)).
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// A file in the repository: nothing else would be a word of its own in a list of them.
fn is_file(text: &str) -> bool {
    RelativePath::try_from(text.to_owned()).is_ok_and(|path| path.as_str() != "." && !text.ends_with('/'))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte))
}
