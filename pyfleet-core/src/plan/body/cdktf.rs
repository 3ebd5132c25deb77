//! The contexts of jobs that work on stacks which CDKTF synthesises.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::{Credentials, ImageRepository, TerraformScan};
use crate::manifest::Slug;

/// Synthesises the stacks of an environment that are written with CDKTF.
#[derive(Debug, Clone, Serialize)]
pub struct CdktfSynth {
    /// The environment.
    pub environment: String,
    /// The version of Node, where it is one for all stacks; otherwise each entry of the matrix has its own.
    pub node: Option<String>,
    /// The images by the variable that names them, each by its digest.
    pub images: BTreeMap<String, String>,
    /// How what is synthesised is scanned; nothing where it is not going to be applied.
    pub scan: Option<TerraformScan>,
}

/// Says with which images the stacks of an environment were applied last.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecordedImages {
    /// The artifact of what is known already.
    pub results: String,
    /// The role that reads.
    pub credentials: Credentials,
    /// The variables by which the program is handed images.
    pub images: Vec<String>,
    /// The stacks, with all that is needed to synthesise and to plan them.
    pub stacks: Vec<Json>,
    /// Days that results are kept.
    pub artifact_days: u16,
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
