//! A Kubernetes cluster on the emulated EKS, and the pinned kubectl.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Aws;
use crate::tool;

/// One cluster; its API answers as `eks.py` says.
#[derive(Clone)]
pub(crate) struct Kubernetes {
    aws: Aws,
    kubectl: PathBuf,
}

/// What its API was asked.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Asked {
    /// The role's name, or `administrator`.
    pub(crate) who: String,
    /// `get`, `list`, `watch`, `create`, `patch`.
    pub(crate) verb: String,
    /// `deployments/web`.
    pub(crate) what: String,
    /// Whether nothing was to be kept of it.
    pub(crate) dry: bool,
    /// What was sent.
    pub(crate) body: Value,
}

impl Kubernetes {
    /// A cluster without any namespace, or `None` after the calling test has been reported as not run.
    #[track_caller]
    pub(crate) fn start(aws: &Aws, cluster: &str) -> Option<Self> {
        let kubectl = tool::find("kubectl")?.path().to_owned();
        let (role, network) =
            (format!("arn:aws:iam::{}:role/cluster", super::ACCOUNT), "subnetIds=subnet-1,subnet-2");
        let names = ["--name", cluster, "--role-arn", &role, "--resources-vpc-config", network];
        aws.cli(&[&["eks", "create-cluster"], &names[..]].concat());
        Some(Self { aws: aws.clone(), kubectl })
    }

    /// The pinned kubectl.
    pub(crate) fn kubectl(&self) -> &std::path::Path {
        &self.kubectl
    }

    fn ask(&self, mut command: Value) -> Value {
        command["do"] = "kubernetes".into();
        self.aws.ask(&command)
    }

    /// Makes a namespace, as whoever administers the cluster.
    pub(crate) fn namespace(&self, name: &str) {
        self.ask(json!({"what": "namespace", "name": name}));
    }

    /// Images with this in their name never become ready.
    pub(crate) fn breaks(&self, parts: &[&str]) {
        self.ask(json!({"what": "set", "values": {"broken": parts}}));
    }

    /// Lets roles in: `view`, `edit` or `admin`, by name.
    pub(crate) fn lets_in(&self, access: &[(&str, &str)]) {
        let access: BTreeMap<_, _> = access.iter().copied().collect();
        self.ask(json!({"what": "set", "values": {"access": access}}));
    }

    /// What the administrator, a script without a role, may do: `none`, `view`, `edit` or `admin`.
    pub(crate) fn administrator(&self, right: &str) {
        self.ask(json!({"what": "set", "values": {"administrator": right}}));
    }

    /// What was asked so far, in its order.
    pub(crate) fn journal(&self) -> Vec<Asked> {
        serde_json::from_value(self.ask(json!({"what": "journal"}))).unwrap()
    }

    /// What was changed so far, in its order: `secrets/app`.
    pub(crate) fn changed(&self) -> Vec<String> {
        let journal = self.journal().into_iter();
        journal
            .filter(|asked| !asked.dry && ["create", "patch", "delete"].contains(&&*asked.verb))
            .map(|asked| asked.what)
            .collect()
    }

    pub(crate) fn forget(&self) {
        self.ask(json!({"what": "forget"}));
    }

    /// An object, by kind and name.
    #[track_caller]
    pub(crate) fn object(&self, kind: &str, name: &str) -> Value {
        let objects = self.ask(json!({"what": "objects"}));
        let mut objects = objects.as_array().unwrap().iter();
        let found = objects.find(|own| own["kind"] == kind && own["metadata"]["name"] == name);
        found.unwrap_or_else(|| panic!("there is no {kind} {name}")).clone()
    }

    /// The number of a Deployment's revision, and the image of its first container.
    #[track_caller]
    pub(crate) fn live(&self, deployment: &str) -> (u32, String) {
        let found = self.object("Deployment", deployment);
        let revision = &found["metadata"]["annotations"]["deployment.kubernetes.io/revision"];
        let image = &found["spec"]["template"]["spec"]["containers"][0]["image"];
        (revision.as_str().unwrap().parse().unwrap(), image.as_str().unwrap().to_owned())
    }
}
