//! What a pipeline asks of a service on Kubernetes.

use std::collections::BTreeSet;

use serde::Serialize;

use super::own::Own;
use crate::survey::kubernetes::{File, Object};

/// What a pipeline asks of the service: behind its load balancer, or at its address.
#[derive(Serialize, Clone)]
pub(in super::super::super) struct Check {
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

/// The path of the readiness probe, asked where the outside would ask.
pub(super) fn of(files: &[&File], deployment: &Own<'_>, name: &str) -> Option<Check> {
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
