//! The GitHub Actions workflow language as plain types, one noun a file.
//!
//! Two workflows that mean the same are equal: `on: push` is `on: {push: null}`, `needs: a` is
//! `needs: [a]`, a group alone is a concurrency map. Maps compare without order. The types carry no
//! places; a finding names a path, and the document that the workflow was read from knows where that is.
//!
//! The language is that of GitHub's language service (`workflow-v1.0.json`, August 2026). A new key is
//! one field; a new event is one line in `trigger.rs`.

mod concurrency;
mod container;
mod environment;
mod graph;
mod job;
mod matrix;
mod permission;
mod step;
mod trigger;
mod uses;
mod value;

#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use concurrency::{Concurrency, Queue};
pub use container::{Container, Credentials};
pub use environment::Environment;
pub use graph::Graph;
pub use job::{Defaults, Job, PassedSecrets, RunDefaults, Runner};
pub use matrix::{Axes, Matrix, Strategy};
pub use permission::{Level, Permissions, Scope};
pub use step::Step;
pub use trigger::{
    Dispatch, Input, InputKind, MergeGroup, Output, PullRequest, Push, Schedule, Secret, Triggers,
    WorkflowCall, WorkflowRun,
};
pub use uses::Uses;
pub use value::{OrExpression, Scalar};

use value::{is_default, optional_text, texts};

/// A workflow file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workflow {
    /// What GitHub shows.
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub description: Option<String>,
    /// What GitHub shows for one run; may hold expressions.
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub run_name: Option<String>,
    /// What starts it.
    pub on: Triggers,
    /// What the token of jobs without their own block may do.
    #[serde(default, skip_serializing_if = "is_default")]
    pub permissions: Option<Permissions>,
    /// Environment variables of every job.
    #[serde(default, deserialize_with = "texts", skip_serializing_if = "is_default")]
    pub env: IndexMap<String, String>,
    /// What steps that run scripts say by default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: Option<Defaults>,
    /// Which runs wait for each other.
    #[serde(default, skip_serializing_if = "is_default")]
    pub concurrency: Option<Concurrency>,
    /// The jobs by their ids.
    pub jobs: IndexMap<String, Job>,
}

impl Workflow {
    /// The same workflow without any job's steps: what a plan decides, and is compared with.
    #[must_use]
    pub fn without_steps(&self) -> Self {
        let mut without = self.clone();
        for job in without.jobs.values_mut() {
            job.steps.clear();
        }
        without
    }

    /// What the token of a job may do: its own block, else the workflow's. None means what the
    /// repository's settings say.
    #[must_use]
    pub fn permissions_of<'a>(&'a self, job: &'a Job) -> Option<&'a Permissions> {
        job.permissions.as_ref().or(self.permissions.as_ref())
    }
}
