//! The contexts of a pipeline's own jobs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

/// Decides which environments a run works on.
#[derive(Debug, Clone, Serialize)]
pub struct PipelineGuard {
    /// What may be worked on, by environment, in promotion order.
    pub targets: Vec<Json>,
}

/// Looks whether the commit is still the newest of its branch.
#[derive(Debug, Clone, Serialize)]
pub struct NewestCommit {}

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
