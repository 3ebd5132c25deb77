//! Where an image is kept for an environment, and what lets a job in there.

use indexmap::IndexMap;

use super::Identity;
use super::Permission;
use super::body::{Credentials, ImageLookup, ImageRepository, Login, MovingTags};
use super::condition::expression;
use super::credentials::{Place, credentials, identity};
use super::draft::CHECK_OUT;
use super::environment_jobs::{READ, aws_env};
use crate::manifest::{AwsRole, Ecr, Registry};
use crate::project::{Environment, Image, Project, defaults, ecr_host};
use crate::workflow::{Level, Scope};

const READ_PACKAGES: &[Permission] = &[
    CHECK_OUT,
    Permission { scope: Scope::Packages, level: Level::Read, because: "see whether the commit has an image" },
];
const WRITE_PACKAGES: &[Permission] =
    &[CHECK_OUT, Permission { scope: Scope::Packages, level: Level::Write, because: "push the image" }];

/// The way of jobs to an image's registry.
pub(super) struct Access<'a> {
    /// Where the image lies in it.
    pub(super) image: ImageRepository,
    /// The registry; that of the account where none is named.
    registry: Registry,
    /// The account, where the registry is its own.
    place: Option<Place<'a>>,
}

impl<'a> Access<'a> {
    /// The way to an image, for an environment: in Amazon ECR each account keeps its own.
    pub(super) fn of(image: &Image, environment: &'a Environment) -> Self {
        let registry = image.registry.clone().unwrap_or(Registry::Ecr(Ecr::default()));
        let place = Place::of(environment).filter(|_| matches!(registry, Registry::Ecr(_)));
        let host = match &registry {
            Registry::DockerHub(_) => "docker.io".to_owned(),
            Registry::Ghcr(_) => "ghcr.io".to_owned(),
            // An environment without an account deploys nothing.
            Registry::Ecr(_) => {
                place.map(|place| ecr_host(place.account_id, place.region)).unwrap_or_default()
            }
        };
        let is_made = matches!(&registry, Registry::Ecr(own) if own.create_repository.unwrap_or(defaults::CREATE_REPOSITORY));
        let image = ImageRepository {
            create: is_made && place.is_some(),
            registry: host,
            registry_id: place.map(|place| place.account_id.to_owned()),
            repository: image.repository.clone(),
        };
        Self { image, registry, place }
    }

    /// The way to where an environment keeps an image; nothing where the image is only built.
    pub(super) fn kept(image: &Image, environment: &'a Environment) -> Option<Self> {
        let access = Self::of(image, environment);
        let is_kept = match image.registry.as_ref()? {
            Registry::Ecr(_) => access.is_on_aws(),
            Registry::DockerHub(_) | Registry::Ghcr(_) => true,
        };
        is_kept.then_some(access)
    }

    /// Whether a role of the environment opens it.
    pub(super) const fn is_on_aws(&self) -> bool {
        self.place.is_some()
    }

    /// The environment variables of a job that goes there.
    pub(super) fn env(&self) -> IndexMap<String, String> {
        if self.is_on_aws() { aws_env() } else { IndexMap::new() }
    }

    /// The identity of a job that goes there, where it needs one.
    pub(super) fn identity(&self, purpose: AwsRole) -> Option<Identity> {
        self.place.map(|place| identity(place, purpose))
    }

    /// The credentials of that identity.
    pub(super) fn credentials(
        &self,
        project: &Project,
        purpose: AwsRole,
        minutes: u16,
    ) -> Option<Credentials> {
        self.place.map(|place| credentials(project, place, purpose, minutes))
    }

    /// Who pushes there, where no role of AWS does.
    pub(super) fn login(&self) -> Option<Login> {
        match &self.registry {
            Registry::DockerHub(held) => Some(Login {
                username: expression(&format!("secrets.{}", held.username.secret)),
                password: expression(&format!("secrets.{}", held.password.secret)),
            }),
            Registry::Ghcr(_) => {
                Some(Login { username: expression("github.actor"), password: expression("github.token") })
            }
            Registry::Ecr(_) => None,
        }
    }

    /// Looks for the commit's image. The password of Docker Hub opens more than that: only the job that pushes has it.
    pub(super) fn lookup(self, project: &Project, minutes: u16) -> ImageLookup {
        ImageLookup {
            credentials: self.credentials(project, AwsRole::Plan, minutes),
            login: self.login().filter(|_| matches!(self.registry, Registry::Ghcr(_))),
            image: self.image,
        }
    }

    /// What a job may do that looks.
    pub(super) const fn reading(&self) -> &'static [Permission] {
        match self.registry {
            Registry::DockerHub(_) => &[CHECK_OUT],
            Registry::Ghcr(_) => READ_PACKAGES,
            Registry::Ecr(_) => READ,
        }
    }

    /// What a job may do that pushes.
    pub(super) const fn pushing(&self) -> &'static [Permission] {
        match self.registry {
            Registry::DockerHub(_) => &[CHECK_OUT],
            Registry::Ghcr(_) => WRITE_PACKAGES,
            Registry::Ecr(_) => READ,
        }
    }
}

/// The tags of an image that move.
pub(super) fn moving_tags(project: &Project, image: &Image) -> MovingTags {
    MovingTags {
        branch: image.tags_branch,
        latest: image.tags_latest.then(|| project.default_branch.clone()),
    }
}

/// An image without its digest.
pub(super) fn reference(image: &ImageRepository) -> String {
    format!("{}/{}", image.registry, image.repository)
}
