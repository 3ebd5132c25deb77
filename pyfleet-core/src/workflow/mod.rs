//! The GitHub Actions workflow language as plain types, one noun a file.
//!
//! Two workflows that mean the same are equal: `on: push` is `on: {push: null}`, `needs: a` is
//! `needs: [a]`, a group alone is a concurrency map. Maps compare without order. The types carry no
//! places; a finding names a path, and the document that the workflow was read from knows where that is.
//!
//! The language is that of GitHub's language service (`workflow-v1.0.json`, August 2026). A new key is
//! one field; a new event is one line in `trigger.rs`.

mod available;
mod calls;
mod concurrency;
mod container;
mod cron;
mod environment;
mod expressions;
mod grammar;
mod graph;
mod inputs;
mod job;
mod matrix;
mod pattern;
mod permission;
mod rest;
mod step;
mod structure;
mod trigger;
mod uses;
mod value;

#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use available::available;
pub use calls::{Called, Calls, DefaultPermissions};
pub use concurrency::{Concurrency, Queue};
pub use container::{Container, Credentials};
pub use environment::Environment;
pub use expressions::{Placed, Stands, expressions};
#[cfg(feature = "schema")]
pub use grammar::schema;
pub use graph::Graph;
pub use job::{Defaults, Job, PassedSecrets, RunDefaults, Runner};
pub use matrix::{Axes, Matrix, Strategy};
pub use pattern::{Pattern, lets_through};
pub use permission::{Level, Permissions, Scope};
pub use rest::{Rest, rest};
pub use step::Step;
pub use trigger::{
    Dispatch, Input, InputKind, MergeGroup, Output, PullRequest, Push, Schedule, Secret, Triggers,
    WorkflowCall, WorkflowRun,
};
pub use uses::Uses;
pub use value::{INSERT, OrExpression, Scalar};

use crate::diagnostic::{Diagnostics, Path};
use crate::source::Source;
use crate::yaml::decode::decode;
use crate::yaml::tree::Document;
use crate::yaml::write::to_string;
use value::{is_default, optional_text, texts, write_texts};

/// The workflow that a text is, with the document it was read from, and what GitHub would refuse in it:
/// YAML, keys and their values, keys that exclude each other, expressions that are none or that name what their place
/// does not have.
///
/// There is a workflow only where YAML, keys and values are right; every finding has its span.
///
/// ```
/// use pyfleet_core::source::Source;
/// use pyfleet_core::workflow;
///
/// let text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    name: ${{ 1 + }}\n    steps: [{run: make}]\n";
/// let (read, findings) = workflow::parse(Source::new("ci.yml", text));
/// assert!(read.unwrap().0.jobs.contains_key("a"));
/// assert_eq!(findings.iter().next().unwrap().code, "expression");
/// ```
#[must_use]
pub fn parse(source: Source) -> (Option<(Workflow, Document)>, Diagnostics) {
    let (parsed, findings) = read(source);
    (parsed.map(|parsed| (parsed.workflow, parsed.document)), findings)
}

/// A workflow that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What it means.
    pub workflow: Workflow,
    /// How it is written.
    pub document: Document,
    /// Its expressions, in the order of the text.
    pub expressions: Vec<Placed>,
}

/// As [`parse`], with the expressions: for whoever goes on to look at them, as the rules do.
#[must_use]
pub fn read(source: Source) -> (Option<Parsed>, Diagnostics) {
    let document = match Document::parse_workflow(source) {
        Ok(document) => document,
        Err(findings) => return (None, findings),
    };
    let mut findings = grammar::mistakes(&document);
    let is_grammatical = !findings.has_errors();
    let (expressions, mistakes) = expressions::read(&document);
    findings.extend(mistakes);
    let workflow = match decode::<Workflow>(&document.root) {
        // What is wrong is said already.
        _ if !is_grammatical => None,
        Ok(workflow) => {
            findings.extend(structure::mistakes(&workflow, &document));
            findings.extend(inputs::mistakes(&workflow, &document));
            findings.extend(cron::mistakes(&workflow));
            Some(workflow)
        }
        Err(structure) => {
            findings.extend(structure);
            None
        }
    };
    document.locate(&mut findings);
    (workflow.map(|workflow| Parsed { workflow, document, expressions }), findings)
}

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
    #[serde(
        default,
        deserialize_with = "texts",
        serialize_with = "write_texts",
        skip_serializing_if = "is_default"
    )]
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
    /// The workflow as a file: what [`parse`] reads as the same workflow again.
    ///
    /// # Errors
    ///
    /// None for a workflow that was parsed. One that was built may hold data of other events that JSON cannot say.
    ///
    /// ```
    /// use pyfleet_core::source::Source;
    /// use pyfleet_core::workflow::{self, Job, Level, Permissions, Push, Runner, Scope, Step, Triggers, Workflow};
    ///
    /// let build = Job {
    ///     permissions: Some(Permissions::of([(Scope::Contents, Level::Read)])),
    ///     runs_on: Some(Runner::label("ubuntu-24.04")),
    ///     steps: vec![Step { run: Some("make\nmake test\n".to_owned()), ..Step::default() }],
    ///     ..Job::default()
    /// };
    /// let built = Workflow {
    ///     name: Some("CI".to_owned()),
    ///     on: Triggers { push: Some(Push::default()), ..Triggers::default() },
    ///     permissions: Some(Permissions::none()),
    ///     jobs: [("build".to_owned(), build)].into(),
    ///     ..Workflow::default()
    /// };
    /// let text = built.to_yaml()?;
    /// assert_eq!(text, "\
    /// name: CI
    /// on:
    ///   push:
    /// permissions: {}
    /// jobs:
    ///   build:
    ///     permissions:
    ///       contents: read
    ///     runs-on: ubuntu-24.04
    ///     steps:
    ///       - run: |
    ///           make
    ///           make test
    /// ");
    /// let (read, findings) = workflow::parse(Source::new("ci.yml", text));
    /// assert!(findings.is_empty() && read.unwrap().0 == built);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn to_yaml(&self) -> Result<String, serde_json::Error> {
        to_string(self)
    }

    /// The same workflow without any job's steps: what a plan decides, and is compared with.
    #[must_use]
    pub fn without_steps(&self) -> Self {
        let mut without = self.clone();
        for job in without.jobs.values_mut() {
            job.steps.clear();
        }
        without
    }

    /// Every job with its place and id.
    pub fn jobs_at(&self) -> impl Iterator<Item = (Path, &str, &Job)> {
        self.jobs.iter().map(|(id, job)| (Path::of(["jobs", id]), id.as_str(), job))
    }

    /// Every step of every job with its place.
    pub fn steps_at(&self) -> impl Iterator<Item = (Path, &Step)> {
        self.jobs_at().flat_map(|(path, _, job)| job.steps_at(&path))
    }

    /// What the token of a job may do: its own block, else the workflow's. None means what the
    /// repository's settings say.
    #[must_use]
    pub fn permissions_of<'a>(&'a self, job: &'a Job) -> Option<&'a Permissions> {
        job.permissions.as_ref().or(self.permissions.as_ref())
    }
}
