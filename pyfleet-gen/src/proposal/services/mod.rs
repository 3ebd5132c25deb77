//! Services: what is deployed, and where it runs.

mod ecs;
mod eks;

use serde::Serialize;

use self::ecs::Ecs;
use self::eks::Eks;
use super::images::Image;
use super::names::Names;
use crate::survey::{Notes, Survey};

pub(super) use self::eks::Check;

#[derive(Serialize)]
pub(super) struct Service {
    name: String,
    image: String,
    ecs: Option<Ecs>,
    eks: Option<Eks>,
    /// Whether a stack of CDKTF deploys it itself.
    is_awaited: bool,
}

impl Service {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited
    }

    /// What a pipeline can ask of it once it is deployed.
    pub(super) fn check(&self) -> Option<&Check> {
        self.eks.as_ref().and_then(Eks::check)
    }
}

/// What the sources say is deployed; the images get the registries that they are deployed from.
pub(super) fn propose(survey: &Survey, images: &mut [Image], notes: &mut Notes) -> Vec<Service> {
    let mut names = Names::default();
    let mut services = ecs::propose(survey, images, &mut names, notes);
    services.extend(eks::propose(survey, images, &mut names, notes));
    services
}

/// One service on ECS for each image, which a stack of CDKTF deploys.
pub(super) fn awaited(images: &mut [Image]) -> Vec<Service> {
    let service = |image: &mut Image| {
        image.push_to_ecr();
        Service {
            name: image.name().to_owned(),
            image: image.name().to_owned(),
            ecs: Some(Ecs::default()),
            eks: None,
            is_awaited: true,
        }
    };
    images.iter_mut().take(ecs::MOST).map(service).collect()
}
