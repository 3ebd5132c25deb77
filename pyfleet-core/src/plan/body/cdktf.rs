//! The contexts of jobs that work on stacks which CDKTF synthesises.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Credentials, ImageRepository, TerraformScan};
use crate::manifest::Slug;

/// Synthesises the stacks of an environment that are written with CDKTF.
#[derive(Debug, Clone, Serialize)]
pub struct CdktfSynth {
    /// The environment.
    pub environment: String,
    /// The images by the variable that names them, each by its digest.
    pub images: BTreeMap<String, String>,
    /// How what is synthesised is scanned.
    pub scan: TerraformScan,
}

/// Waits for the deployment of a service on Amazon ECS that an apply has started.
#[derive(Debug, Clone, Serialize)]
pub struct EcsAwait {
    /// The service's name in the manifest.
    #[serde(skip)]
    pub name: Slug,
    /// The role that reads.
    pub credentials: Credentials,
    /// The cluster.
    pub cluster: String,
    /// The service in it.
    pub service: String,
    /// The container that runs the image.
    pub container: String,
    /// The image's repository.
    pub image: ImageRepository,
    /// The job that pushed the image.
    pub push: String,
}
