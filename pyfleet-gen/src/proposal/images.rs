//! Images, from Dockerfiles.

use pyfleet_core::manifest::ImageRepository;
use serde::Serialize;

use super::names::{Names, slug};
use super::{Guesses, plain};
use crate::survey::tree::{below, directory_of, name_of};
use crate::survey::{Notes, Survey};

/// As many are proposed.
const MOST: usize = 30;

#[derive(Serialize)]
pub(super) struct Image {
    name: String,
    /// The build context; nothing for the root.
    directory: Option<String>,
    /// Nothing where it is `Dockerfile` in the context.
    dockerfile: Option<String>,
    repository: String,
    because: String,
    /// Where it is pushed; nothing where it is only built.
    registry: Option<Registry>,
    note: Option<String>,
}

/// Where images are pushed.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Registry {
    /// Amazon ECR.
    Aws,
    /// GitHub's own.
    Github,
    /// Docker Hub.
    Hub,
}

impl Image {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    pub(super) fn registry(&self) -> Option<Registry> {
        self.registry
    }

    /// Has it pushed to Amazon ECR, from which alone ECS takes images.
    pub(super) fn push_to_ecr(&mut self) {
        self.registry = Some(Registry::Aws);
    }

    /// Has it pushed where a manifest of Kubernetes takes it from, as far as that can be told and ECS lets it.
    pub(super) fn push_to(&mut self, image: &str, path: &str, notes: &mut Notes) {
        let (host, place) = match image.split_once('/') {
            Some((host, place)) if host.contains(['.', ':']) || host == "localhost" => (host, place),
            _ => ("docker.io", image),
        };
        let registry = match host {
            // A name without an owner is one of Docker's own images, or a stand-in.
            "docker.io" | "index.docker.io" if place.contains('/') => Registry::Hub,
            "ghcr.io" => Registry::Github,
            host if host.contains(".dkr.ecr.") => Registry::Aws,
            "docker.io" | "index.docker.io" => {
                self.registry = self.registry.or(Some(Registry::Aws));
                return;
            }
            host => {
                notes.add(format!(
                    "`{path}` takes its image from {}, where pyfleet pushes nothing: Amazon ECR stands in the manifest, and GitHub's registry and Docker Hub can",
                    plain(host)
                ));
                self.registry = self.registry.or(Some(Registry::Aws));
                return;
            }
        };
        if self.registry.is_some_and(|known| known != registry) {
            return;
        }
        self.registry = Some(registry);
        if let Ok(place) = ImageRepository::try_from(place.to_owned()) {
            self.repository = place.to_string();
            self.because = format!("{path} names it");
        }
    }
}

pub(super) fn propose(survey: &Survey, project: &str, repository: &str, notes: &mut Notes) -> Vec<Image> {
    let mut names = Names::default();
    let mut images = Vec::new();
    if survey.images.len() > MOST {
        notes.add(format!("only the first {MOST} Dockerfiles are images"));
    }
    for file in survey.images.iter().take(MOST) {
        let own = name_of(&file.path);
        let word = own.strip_prefix("Dockerfile.").or_else(|| own.strip_suffix(".Dockerfile"));
        let name = match (word, directory_of(&file.path)) {
            (Some(word), _) => names.take(word, "app"),
            (None, ".") => names.take(project, "app"),
            (None, directory) => names.take(directory, "app"),
        };
        let dockerfile = below(&file.context, &file.path).filter(|path| *path != "Dockerfile");
        let lower = repository.to_ascii_lowercase();
        let place = if survey.images.len() == 1 { lower } else { format!("{lower}/{name}") };
        let place = ImageRepository::try_from(place).map_or_else(|_| name.clone(), |place| place.to_string());
        if file.platform.as_deref().is_some_and(|platform| platform != "linux/amd64") {
            notes.add(format!(
                "`{}` is for {}: images are built for linux/amd64 alone so far",
                file.path,
                plain(file.platform.as_deref().unwrap_or_default())
            ));
        }
        let note = file.is_root().then(|| {
            "its last stage sets no user but root: the build stops there unless the base image sets one, or \
             `require: { non-root: false }` accepts it"
                .to_owned()
        });
        images.push(Image {
            directory: (file.context != ".").then(|| file.context.clone()),
            dockerfile: dockerfile.map(str::to_owned),
            repository: if slug(&place).is_some() { place } else { name.clone() },
            because: "the repository's own name".to_owned(),
            registry: None,
            note,
            name,
        });
    }
    images
}

/// Says where images go, once it is settled.
pub(super) fn say(images: &[Image], guesses: &mut Guesses) {
    for image in images {
        guesses.say(&format!("images.{}.repository", image.name), &image.repository, &image.because);
    }
}
