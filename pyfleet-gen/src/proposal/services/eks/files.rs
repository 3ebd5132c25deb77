//! The files of a service, and the order that they are applied in.

use std::collections::BTreeSet;

use super::own::Own;
use crate::survey::kubernetes::File;
use crate::survey::tree::{below, directory_of};
use crate::survey::{Notes, Survey};

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

/// When a file is applied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Configs,
    Databases,
    Manifests,
    Ingress,
}

pub(super) fn unnameable(path: &str) -> String {
    format!("`{path}` was left out: a service names files in letters, digits, dots, dashes and underscores")
}

/// A path as a service names its files.
pub(super) fn is_file(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte))
}

/// The first directory of a path: manifests of one system lie below one.
fn top(path: &str) -> &str {
    path.split_once('/').map_or(".", |(top, _)| top)
}

/// The files of a Deployment: those below its own directory, as far up as no other Deployment of ours lies, and those
/// that lie in nobody's.
pub(super) fn of<'s>(
    survey: &'s Survey,
    own: &[Own<'_>],
    left: &BTreeSet<&str>,
    deployment: &Own<'_>,
) -> Vec<&'s File> {
    let root = root(own, deployment);
    let others: Vec<&str> =
        own.iter().map(|other| self::root(own, other)).filter(|other| *other != root).collect();
    let is_anothers =
        |file: &File| own.iter().any(|other| other.file.path == file.path && other.name != deployment.name);
    let is_its = |file: &&File| {
        !is_anothers(file)
            && !left.contains(file.path.as_str())
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
pub(super) fn is_taken(file: &File, deployment: &Own<'_>, notes: &mut Notes) -> bool {
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
pub(super) fn group(file: &File, deployment: &Own<'_>) -> Group {
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
