//! Kubernetes: manifests, Helm charts and Kustomize.

use std::collections::BTreeMap;

use super::tree::{Tree, directory_of, name_of};
use super::{Later, Notes};
use crate::report::count;

/// As many YAML files are looked into.
const FILES: usize = 2_000;

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Later> {
    let mut manifests: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let yaml = tree
        .files()
        .filter(|path| (path.ends_with(".yml") || path.ends_with(".yaml")) && !path.starts_with(".github/"));
    for (number, path) in yaml.enumerate() {
        if number == FILES {
            notes.add(format!("only the first {FILES} YAML files were looked into for Kubernetes"));
            break;
        }
        match name_of(path) {
            "Chart.yaml" => {
                found.push(Later::new(
                    "Kubernetes",
                    directory_of(path),
                    "a Helm chart",
                    "a service with `eks`, which `deploy` and pipelines deploy",
                ));
            }
            "kustomization.yaml" | "kustomization.yml" => {
                let directory = directory_of(path);
                found.push(Later::new(
                    "Kubernetes",
                    directory,
                    "Kustomize",
                    "a service with `eks`, which `deploy` and pipelines deploy",
                ));
            }
            _ => {
                // A template of a chart is no YAML yet; what a manifest has in common with it is in its lines.
                let Some(text) = tree.read(path, notes) else { continue };
                let has = |key: &str| text.lines().any(|line| line.starts_with(key));
                if has("apiVersion:") && has("kind:") {
                    *manifests.entry(directory_of(path)).or_default() += 1;
                }
            }
        }
    }
    for (directory, number) in manifests {
        let text = count(number, "manifest");
        found.push(Later::new(
            "Kubernetes",
            directory,
            text,
            "a service with `eks`, which `deploy` and pipelines deploy",
        ));
    }
    found
}
