//! Images as they are meant.

use super::defaults;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{Manifest, Registry, RelativePath, Severity, Slug, Tag};
use std::collections::BTreeMap;

/// One container image.
#[derive(Debug, Clone)]
pub struct Image {
    /// The build context.
    pub directory: RelativePath,
    /// The Dockerfile, relative to the repository's root.
    pub dockerfile: String,
    /// What it is built for.
    pub platform: String,
    /// Where it is pushed; nothing where it is only built.
    pub registry: Option<Registry>,
    /// Its repository in the registry.
    pub repository: String,
    /// Whether the branch's name is a further tag, which moves.
    pub tags_branch: bool,
    /// Whether `latest` is one, on the default branch.
    pub tags_latest: bool,
    /// The lowest severity of a vulnerability that stops it.
    pub minimum_severity: Severity,
    /// The largest size in bytes.
    pub max_size: Option<u64>,
    /// Whether its user must not be root.
    pub non_root: bool,
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> BTreeMap<Slug, Image> {
    let mut images = BTreeMap::new();
    for (name, written) in &manifest.images {
        let path = Path::of(["images", name.as_str()]);
        if let Some(registry) = &written.registry
            && !manifest.registries.contains_key(registry)
        {
            let known: Vec<String> = manifest.registries.keys().map(|name| format!("`{name}`")).collect();
            findings.push(
                Diagnostic::error(
                    "unknown-reference",
                    path.key("registry"),
                    "there is no registry of this name",
                )
                .with_help(if known.is_empty() {
                    "declare it under `registries`".to_owned()
                } else {
                    format!("there is {}", known.join(", "))
                }),
            );
        }
        if written.tags.as_ref().is_some_and(|tags| tags.contains(&Tag::Latest)) {
            findings.push(
                Diagnostic::warning(
                    "container-mutable-tag",
                    path.key("tags"),
                    "`latest` is another image from one push to the next; what is deployed is addressed by digest",
                )
                .with_help("leave it out"),
            );
        }
        let platforms = written.platforms.as_deref().unwrap_or_default();
        if platforms.len() > 1 || platforms.iter().any(|platform| platform.as_str() != defaults::PLATFORM) {
            findings.push(
                Diagnostic::error(
                    "not-built",
                    path.key("platforms"),
                    "images of other platforms than linux/amd64 are designed, but nothing builds them yet",
                )
                .with_help("take the others out"),
            );
        }
        if written.platforms.as_ref().is_some_and(Vec::is_empty) {
            findings.push(Diagnostic::error(
                "invalid-value",
                path.key("platforms"),
                "an image is built for some platform",
            ));
        }
        let directory = written.directory.clone().unwrap_or_else(RelativePath::root);
        let dockerfile = written.dockerfile.as_ref().map_or(defaults::DOCKERFILE, RelativePath::normal);
        images.insert(
            name.clone(),
            Image {
                dockerfile: directory.join(dockerfile),
                directory,
                platform: platforms
                    .first()
                    .map_or_else(|| defaults::PLATFORM.to_owned(), ToString::to_string),
                registry: written.registry.as_ref().and_then(|name| manifest.registries.get(name)).cloned(),
                repository: written.repository.to_string(),
                tags_branch: written.tags.as_ref().is_some_and(|tags| tags.contains(&Tag::Branch)),
                tags_latest: written.tags.as_ref().is_some_and(|tags| tags.contains(&Tag::Latest)),
                minimum_severity: written
                    .scan
                    .as_ref()
                    .and_then(|scan| scan.minimum_severity)
                    .unwrap_or(defaults::IMAGE_SEVERITY),
                max_size: written.max_size.as_ref().map(crate::manifest::ByteSize::bytes),
                non_root: written.require.non_root.unwrap_or(defaults::NON_ROOT),
            },
        );
    }
    images
}
