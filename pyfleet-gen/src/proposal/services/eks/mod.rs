//! Services on Amazon EKS, from plain manifests of Kubernetes.

mod check;
mod files;
mod own;
mod secrets;

use std::collections::BTreeMap;

use serde::Serialize;

pub(in super::super) use self::check::Check;
use self::files::Group;
use self::own::Own;
use self::secrets::{HeldSecret, Taken};
use super::super::images::Image;
use super::super::names::Names;
use super::Service;
use crate::survey::kubernetes::File;
use crate::survey::{Notes, Survey};

/// As many are proposed.
const MOST: usize = 20;
/// As many files of one group.
const FILES: usize = 50;

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

pub(super) fn propose(
    survey: &Survey,
    images: &mut [Image],
    names: &mut Names,
    notes: &mut Notes,
) -> Vec<Service> {
    report_writers(survey, notes);
    let (own, left) = own::find(survey, images, notes);
    let mut taken = Taken::new();
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
            eks: Some(eks(&files::of(survey, &own, &left, deployment), deployment, &name, &mut taken, notes)),
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

fn eks(files: &[&File], deployment: &Own<'_>, name: &str, taken: &mut Taken, notes: &mut Notes) -> Eks {
    let namespace = deployment.object.namespace.clone();
    let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    for file in files {
        if !files::is_taken(file, deployment, notes) {
            continue;
        }
        let group = files::group(file, deployment);
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
        secrets: secrets::of(files, namespace.as_deref(), taken, notes),
        deployment: (deployment.name != name).then(|| deployment.name.to_owned()),
        container,
        check: check::of(files, deployment, name),
        namespace,
    }
}
