//! Services on Amazon EKS, from plain manifests of Kubernetes.

use std::collections::{BTreeMap, BTreeSet};

use pyfleet_core::manifest::{GitHubName, KubernetesName, SecretKey};
use pyfleet_core::secret::secrets_in;
use serde::Serialize;

use super::super::images::Image;
use super::super::names::Names;
use super::Service;
use crate::report::count;
use crate::survey::kubernetes::{Container, File, Object};
use crate::survey::tree::{below, directory_of, name_of};
use crate::survey::{Notes, Survey};

/// As many are proposed.
const MOST: usize = 20;
/// As many workloads are looked at.
const WORKLOADS: usize = 200;
/// As many files of one group.
const FILES: usize = 50;
/// As many keys of Secrets.
const KEYS: usize = 30;

/// Images that others make, by the last part of their names: nobody builds them here.
const OTHERS: &[&str] = &[
    "cassandra",
    "elasticsearch",
    "etcd",
    "influxdb",
    "kafka",
    "mariadb",
    "memcached",
    "minio",
    "mongo",
    "mongodb",
    "mysql",
    "nats",
    "nginx",
    "opensearch",
    "postgres",
    "postgresql",
    "rabbitmq",
    "redis",
    "traefik",
    "valkey",
    "zookeeper",
];

/// Kinds that belong to the whole cluster: a deployment's role has rights in one namespace.
const OF_THE_CLUSTER: &[&str] = &[
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

#[derive(Serialize)]
pub(super) struct Eks {
    /// Nothing where no manifest names one.
    namespace: Option<String>,
    configs: Vec<String>,
    secrets: Vec<HeldSecret>,
    databases: Vec<String>,
    manifests: Vec<String>,
    ingress: Vec<String>,
    /// Nothing where it is the service's name.
    deployment: Option<String>,
    /// Nothing where it is the Deployment's name.
    container: Option<String>,
    #[serde(skip)]
    check: Option<Check>,
}

impl Eks {
    pub(super) fn check(&self) -> Option<&Check> {
        self.check.as_ref()
    }
}

/// A Secret of Kubernetes, and the secrets of GitHub that hold its values.
#[derive(Serialize)]
struct HeldSecret {
    name: String,
    keys: Vec<HeldKey>,
}

#[derive(Serialize)]
struct HeldKey {
    key: String,
    held: String,
}

/// What a pipeline asks of the service: behind its load balancer, or at its address.
#[derive(Serialize, Clone)]
pub(in super::super) struct Check {
    service: String,
    /// The Service that has the load balancer.
    object: Option<String>,
    scheme: &'static str,
    /// Nothing where it is the scheme's own.
    port: Option<u16>,
    path: String,
    /// Instead: the address that an Ingress answers at.
    url: Option<String>,
    because: &'static str,
}

/// A Deployment that runs an image of this repository.
struct Own<'s> {
    file: &'s File,
    object: &'s Object,
    container: &'s Container,
    name: &'s str,
    image: usize,
}

pub(super) fn propose(
    survey: &Survey,
    images: &mut [Image],
    names: &mut Names,
    notes: &mut Notes,
) -> Vec<Service> {
    report_writers(survey, notes);
    let own = own(survey, images, notes);
    let mut services = Vec::new();
    for deployment in &own {
        if services.len() == MOST {
            notes.add(format!("only the first {MOST} Deployments are services"));
            break;
        }
        let name = names.take(deployment.name, "service");
        let image = &mut images[deployment.image];
        image.push_to(&deployment.container.image, &deployment.file.path, notes);
        services.push(Service {
            image: image.name().to_owned(),
            ecs: None,
            eks: Some(eks(survey, &own, deployment, &name, notes)),
            is_awaited: false,
            name,
        });
    }
    services
}

/// What writes manifests is not run.
fn report_writers(survey: &Survey, notes: &mut Notes) {
    for (directory, writer) in survey.kubernetes.writers.iter().take(5) {
        let command = match *writer {
            "Kustomize" => format!("kubectl kustomize {directory}"),
            _ => format!("helm template {directory}"),
        };
        notes.add(format!(
            "`{directory}` is {writer}, which pyfleet does not run: `{command}` writes plain manifests, which a service with `eks` names"
        ));
    }
}

/// Deployments that run an image which is built here: by the image's name, or because there is no doubt.
fn own<'s>(survey: &'s Survey, images: &[Image], notes: &mut Notes) -> Vec<Own<'s>> {
    let workloads: Vec<(&File, &Object)> = survey
        .kubernetes
        .files
        .iter()
        .flat_map(|file| file.objects.iter().map(move |object| (file, object)))
        .filter(|(_, object)| !object.containers.is_empty())
        .collect();
    let is_called = |image: &Image, container: &Container| {
        let last = name_of(&container.image);
        !last.is_empty()
            && (image.repository() == container.image
                || last == image.name()
                || last == name_of(image.repository()))
    };
    let by_name = |container: &Container| images.iter().position(|image| is_called(image, container));
    let is_others = |container: &Container| OTHERS.contains(&name_of(&container.image));
    let mut found: Vec<(&File, &Object, &Container, usize)> = Vec::new();
    for (file, object) in workloads.iter().take(WORKLOADS) {
        let named = object.containers.iter().find_map(|container| Some((container, by_name(container)?)));
        found.extend(named.map(|(container, image)| (*file, *object, container, image)));
    }
    if found.is_empty() && images.len() == 1 {
        let mut left = workloads.iter().filter_map(|(file, object)| match object.containers.as_slice() {
            [only] if object.kind == "Deployment" && !is_others(only) => Some((*file, *object, only, 0)),
            _ => None,
        });
        if let (Some(only), None) = (left.next(), left.next()) {
            found.push(only);
        }
    }
    let mut own = Vec::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut doubtful: BTreeSet<&str> = BTreeSet::new();
    for (file, object, container, image) in found {
        let path = &file.path;
        let Some(name) = object.name.as_deref() else {
            notes.add(format!("a {} in `{path}` has no plain name, and was left out", object.kind));
            continue;
        };
        if object.kind != "Deployment" {
            notes.add(format!(
                "`{name}` in `{path}` is a {}: a service with `eks` is a Deployment, and its image stays as the file has it",
                object.kind
            ));
            continue;
        }
        if let Some(first) = seen.insert(name, path) {
            notes.add(format!(
                "the Deployment `{name}` stands in `{first}` and in `{path}`, and was left out: a service with `eks` can have `{{environment}}` in the names of its files"
            ));
            doubtful.insert(name);
        }
        own.push(Own { file, object, container, name, image });
    }
    own.retain(|deployment| !doubtful.contains(deployment.name));
    for deployment in &own {
        let others = own.iter().filter(|other| other.file.path == deployment.file.path);
        if others.count() > 1 {
            notes.add(format!(
                "`{}` holds several Deployments of this repository's images, and was left out: each needs a file of its own, because only one of them gets its new image",
                deployment.file.path
            ));
            doubtful.insert(deployment.name);
        }
        if !is_file(&deployment.file.path) {
            notes.add(unnameable(&deployment.file.path));
            doubtful.insert(deployment.name);
        }
    }
    own.retain(|deployment| !doubtful.contains(deployment.name));
    if own.is_empty() && !workloads.is_empty() && doubtful.is_empty() {
        let (file, _) = workloads[0];
        notes.add(match images {
            [] => format!(
                "{} of Kubernetes, such as `{}`: no image is built here that they could run, so that no service is proposed",
                count(workloads.len(), "workload"),
                file.path
            ),
            _ => "which workload of Kubernetes runs an image of this repository is not known, so that no service is proposed: a container's image is named as in `images`".to_owned(),
        });
    }
    own
}

fn unnameable(path: &str) -> String {
    format!("`{path}` was left out: a service names files in letters, digits, dots, dashes and underscores")
}

/// A path as a service names its files.
fn is_file(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte))
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Configs,
    Databases,
    Manifests,
    Ingress,
}

fn eks(survey: &Survey, own: &[Own<'_>], deployment: &Own<'_>, name: &str, notes: &mut Notes) -> Eks {
    let namespace = deployment.object.namespace.clone();
    let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    let files = files(survey, own, deployment);
    for file in &files {
        if !is_taken(file, deployment, notes) {
            continue;
        }
        let group = group(file, deployment);
        let paths = groups.entry(group).or_default();
        if paths.len() < FILES {
            paths.push(file.path.clone());
        } else if file.path == deployment.file.path {
            paths.pop();
            paths.push(file.path.clone());
        } else {
            notes.add(format!("only the first {FILES} files of a kind are in a service"));
        }
    }
    let mut of = |group: Group| groups.remove(&group).unwrap_or_default();
    let container = deployment.container.name.clone().filter(|container| container != deployment.name);
    Eks {
        configs: of(Group::Configs),
        databases: of(Group::Databases),
        manifests: of(Group::Manifests),
        ingress: of(Group::Ingress),
        secrets: secrets(&files, notes),
        deployment: (deployment.name != name).then(|| deployment.name.to_owned()),
        container,
        check: check(&files, deployment, name),
        namespace,
    }
}

/// The first directory of a path: manifests of one system lie below one.
fn top(path: &str) -> &str {
    path.split_once('/').map_or(".", |(top, _)| top)
}

/// The files of a Deployment: those below its own directory, as far up as no other Deployment of ours lies, and those
/// that lie in nobody's.
fn files<'s>(survey: &'s Survey, own: &[Own<'_>], deployment: &Own<'_>) -> Vec<&'s File> {
    let root = root(own, deployment);
    let others: Vec<&str> =
        own.iter().map(|other| self::root(own, other)).filter(|other| *other != root).collect();
    let is_anothers =
        |file: &File| own.iter().any(|other| other.file.path == file.path && other.name != deployment.name);
    let is_its = |file: &&File| {
        !is_anothers(file)
            && top(&file.path) == top(&deployment.file.path)
            && (below(root, &file.path).is_some()
                || others.iter().all(|other| below(other, &file.path).is_none()))
    };
    survey.kubernetes.files.iter().filter(is_its).collect()
}

/// The highest directory that a Deployment has to itself, or shares with those beside it.
fn root<'d>(own: &[Own<'_>], deployment: &Own<'d>) -> &'d str {
    let mut root = directory_of(&deployment.file.path);
    loop {
        let above = directory_of(root);
        let is_shared = |other: &Own<'_>| {
            below(above, &other.file.path).is_some() && below(root, &other.file.path).is_none()
        };
        if above == "." || own.iter().any(is_shared) {
            return root;
        }
        root = above;
    }
}

/// Whether a deployment of the service applies a file.
fn is_taken(file: &File, deployment: &Own<'_>, notes: &mut Notes) -> bool {
    let path = &file.path;
    let is_its = *path == deployment.file.path;
    let has = |kinds: &[&str]| file.objects.iter().any(|object| kinds.contains(&object.kind.as_str()));
    let is_only = |kinds: &[&str]| file.objects.iter().all(|object| kinds.contains(&object.kind.as_str()));
    if !is_its && is_only(OF_THE_CLUSTER) {
        notes.add(format!(
            "`{path}` was left out: what is in it belongs to the whole cluster, and a deployment has rights in one namespace, which it makes where it may"
        ));
        return false;
    }
    if has(OF_THE_CLUSTER) {
        notes.add(format!(
            "`{path}` holds what belongs to the whole cluster beside other things: move that elsewhere, because a deployment has rights in one namespace"
        ));
    }
    if has(&["Secret"]) {
        let fate = if is_only(&["Secret"]) && !is_its { "was left out" } else { "holds a Secret" };
        notes.add(format!(
            "`{path}` {fate}: values of Secrets belong into secrets of GitHub, which `secrets` of the service names; those that were committed are known"
        ));
        if is_only(&["Secret"]) && !is_its {
            return false;
        }
    }
    let namespaces: BTreeSet<&str> =
        file.objects.iter().filter_map(|object| object.namespace.as_deref()).collect();
    let is_elsewhere = |namespace: &&str| deployment.object.namespace.as_deref() != Some(*namespace);
    if let Some(other) = namespaces.iter().find(|namespace| is_elsewhere(namespace)).filter(|_| !is_its) {
        notes.add(format!(
            "`{path}` was left out: it lies in the namespace `{other}`, and `{}` does not",
            deployment.name
        ));
        return false;
    }
    if !is_file(path) {
        notes.add(unnameable(path));
        return false;
    }
    true
}

/// What has to be there first, what has to be ready, the service itself, and who is let in.
fn group(file: &File, deployment: &Own<'_>) -> Group {
    let has = |kinds: &[&str]| file.objects.iter().any(|object| kinds.contains(&object.kind.as_str()));
    if file.path == deployment.file.path {
        Group::Manifests
    } else if has(&["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]) {
        Group::Databases
    } else if has(&["Ingress", "Gateway", "HTTPRoute", "GRPCRoute", "VirtualService", "IngressRoute"]) {
        Group::Ingress
    } else if has(&["Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Job", "CronJob"]) {
        Group::Manifests
    } else {
        Group::Configs
    }
}

/// Secrets of Kubernetes that containers read key by key, unless something else makes them.
fn secrets(files: &[&File], notes: &mut Notes) -> Vec<HeldSecret> {
    let objects = || files.iter().flat_map(|file| &file.objects);
    let is_made = |name: &str| {
        let makes = |object: &Object| {
            matches!(object.kind.as_str(), "SealedSecret" | "ExternalSecret" | "SecretProviderClass")
                && object.name.as_deref() == Some(name)
        };
        objects().any(makes)
    };
    let containers = || objects().flat_map(|object| &object.containers);
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, key) in containers().flat_map(|container| &container.secret_keys).take(KEYS) {
        let is_right = KubernetesName::try_from(name.clone()).is_ok()
            && SecretKey::try_from(key.clone()).is_ok()
            && secrets_in(name).is_empty()
            && secrets_in(key).is_empty();
        if is_right && !is_made(name) {
            keys.entry(name).or_default().insert(key);
        }
    }
    for name in containers().flat_map(|container| &container.whole_secrets).take(KEYS) {
        let is_plain = KubernetesName::try_from(name.clone()).is_ok() && secrets_in(name).is_empty();
        if is_plain && !is_made(name) && !keys.contains_key(name.as_str()) {
            notes.add(format!(
                "the Secret `{name}` of Kubernetes is read as a whole: which keys it has, `secrets` of the service has to say"
            ));
        }
    }
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for (name, keys) in keys {
        let mut held = Vec::new();
        for key in keys {
            let short = held_name(key).filter(|short| taken.insert(short.clone()));
            let long = || held_name(&format!("{name}_{key}")).filter(|long| taken.insert(long.clone()));
            match short.or_else(long) {
                Some(secret) => held.push(HeldKey { key: key.to_owned(), held: secret }),
                None => notes.add(format!("the key `{key}` of the Secret `{name}` was left out: no secret of GitHub can have its name")),
            }
        }
        if !held.is_empty() {
            found.push(HeldSecret { name: name.to_owned(), keys: held });
        }
    }
    found
}

/// The name of a secret of GitHub for a key.
fn held_name(key: &str) -> Option<String> {
    let name: String = key
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' })
        .collect();
    GitHubName::try_from(name.clone()).ok().map(|_| name)
}

/// The path of the readiness probe, asked where the outside would ask.
fn check(files: &[&File], deployment: &Own<'_>, name: &str) -> Option<Check> {
    let (path, because) = match &deployment.container.readiness {
        Some(path) => (path.clone(), "the readiness probe's path"),
        None => ("/".to_owned(), "no readiness probe asks for a path"),
    };
    let objects: Vec<&Object> = files.iter().flat_map(|file| &file.objects).collect();
    let selects = |object: &&&Object| {
        !object.labels.is_empty()
            && object.namespace == deployment.object.namespace
            && object.labels.iter().all(|(key, value)| deployment.object.labels.get(key) == Some(value))
    };
    let balanced = objects.iter().filter(|object| object.kind == "Service").filter(selects);
    let mut balanced = balanced.filter_map(|object| Some((object.name.as_deref()?, object.balanced_port?)));
    let is_name = |text: &str| text.starts_with(|first: char| first.is_ascii_lowercase());
    if let Some((object, port)) = balanced.find(|(object, _)| is_name(object)) {
        let scheme = if matches!(port, 443 | 8443) { "https" } else { "http" };
        return Some(Check {
            service: name.to_owned(),
            object: Some(object.to_owned()).filter(|object| object != deployment.name),
            scheme,
            port: Some(port).filter(|port| !matches!(port, 80 | 443)),
            path,
            url: None,
            because,
        });
    }
    let behind = objects.iter().filter(|object| object.kind == "Service").filter(selects);
    let behind: BTreeSet<&str> = behind.filter_map(|object| object.name.as_deref()).collect();
    let (ingress, host) = objects
        .iter()
        .filter(|object| object.namespace == deployment.object.namespace)
        .flat_map(|object| object.hosts.iter().map(move |(host, service)| (object, host, service)))
        .find(|(.., service)| behind.contains(service.as_str()))
        .map(|(object, host, _)| (object, host))?;
    let scheme = if ingress.is_encrypted { "https" } else { "http" };
    Some(Check {
        service: name.to_owned(),
        object: None,
        scheme,
        port: None,
        url: Some(format!("{scheme}://{host}{path}")),
        path,
        because,
    })
}
