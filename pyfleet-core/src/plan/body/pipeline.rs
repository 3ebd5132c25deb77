//! The contexts of a pipeline's own jobs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::manifest::Targets;

/// Decides which environments a run works on.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PipelineGuard {
    /// What may be worked on, by environment, in promotion order.
    pub targets: Vec<Json>,
    /// Whether a person may ask for another golden image.
    pub golden_image: bool,
}

/// Looks whether the commit is still the newest of its branch.
#[derive(Debug, Clone, Serialize)]
pub struct NewestCommit {}

/// Measures how deliveries went.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Metrics {
    /// The files of workflows whose runs deliver.
    pub deliveries: Vec<String>,
    /// The files of workflows whose runs take something back.
    pub rollbacks: Vec<String>,
    /// What is compared with.
    pub targets: Targets,
    /// Days that the figures are kept.
    pub artifact_days: u16,
}

/// Writes down what became of every stage.
#[derive(Debug, Clone, Serialize)]
pub struct PipelineSummary {
    /// The stages, in order, those of an environment once for each.
    pub stages: Vec<SummarisedStage>,
    /// The images, with the jobs that pushed them.
    pub images: BTreeMap<String, String>,
}

/// A stage in a summary.
#[derive(Debug, Clone, Serialize)]
pub struct SummarisedStage {
    /// Its name.
    pub stage: String,
    /// The environment; nothing for what every run does.
    pub environment: Option<String>,
    /// When it runs, in words, where it is limited.
    pub only: Option<String>,
    /// The condition behind these words.
    pub limit: Option<String>,
    /// Its jobs.
    pub jobs: Vec<String>,
}
