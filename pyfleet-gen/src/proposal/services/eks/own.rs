//! Which Deployments are this repository's own.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::images::Image;
use super::files::{is_file, unnameable};
use crate::report::count;
use crate::survey::kubernetes::{Container, File, Object};
use crate::survey::tree::name_of;
use crate::survey::{Notes, Survey};

/// As many workloads are looked at.
const WORKLOADS: usize = 200;

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

/// A Deployment that runs an image of this repository.
pub(super) struct Own<'s> {
    pub(super) file: &'s File,
    pub(super) object: &'s Object,
    pub(super) container: &'s Container,
    pub(super) name: &'s str,
    /// Which of the images it runs.
    pub(super) image: usize,
}

/// Deployments that run an image which is built here: by the image's name, or because there is no doubt. And files with
/// such Deployments that no service is made of.
pub(super) fn find<'s>(
    survey: &'s Survey,
    images: &[Image],
    notes: &mut Notes,
) -> (Vec<Own<'s>>, BTreeSet<&'s str>) {
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
    let mut left = doubtful_files(&own, &doubtful);
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
    left.extend(doubtful_files(&own, &doubtful));
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
    (own, left)
}

fn doubtful_files<'s>(own: &[Own<'s>], doubtful: &BTreeSet<&str>) -> BTreeSet<&'s str> {
    let doubtful = own.iter().filter(|deployment| doubtful.contains(deployment.name));
    doubtful.map(|deployment| deployment.file.path.as_str()).collect()
}
