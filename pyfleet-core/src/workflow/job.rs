//! One job: steps on a runner, or a call of a reusable workflow.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::concurrency::Concurrency;
use super::container::Container;
use super::environment::Environment;
use super::matrix::Strategy;
use super::permission::Permissions;
use super::step::Step;
use super::uses::Uses;
use super::value::{
    Forms, OrExpression, inserted, is_default, no_list, one_or_many, optional_text, text_map, texts,
    write_texts,
};
use crate::diagnostic::Path;
use crate::expression::{embedded, opens_in};

/// A job. One with [`Job::uses`] calls a workflow and has neither runner nor steps.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Job {
    /// What GitHub shows, and what required checks are called.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub name: Option<String>,
    /// The jobs that must have ended before.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    pub needs: Vec<String>,
    /// Whether it runs; `success()` where it is missing.
    #[serde(rename = "if", deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub condition: Option<String>,
    /// What its token may do; the workflow's where it is missing.
    #[serde(skip_serializing_if = "is_default")]
    pub permissions: Option<Permissions>,
    /// Where it runs.
    #[serde(skip_serializing_if = "is_default")]
    pub runs_on: Option<Runner>,
    /// The environment it deploys to.
    #[serde(skip_serializing_if = "is_default")]
    pub environment: Option<Environment>,
    /// What it waits for beside its needs.
    #[serde(skip_serializing_if = "is_default")]
    pub concurrency: Option<Concurrency>,
    /// The combinations it runs in.
    #[serde(skip_serializing_if = "is_default")]
    pub strategy: Option<Strategy>,
    /// How long it may take; GitHub's default is 360 minutes.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_minutes: Option<OrExpression<u64>>,
    /// How long it may take to end when it is cancelled.
    #[serde(skip_serializing_if = "is_default")]
    pub cancel_timeout_minutes: Option<OrExpression<u64>>,
    /// Whether the run goes on when it fails.
    #[serde(skip_serializing_if = "is_default")]
    pub continue_on_error: Option<OrExpression<bool>>,
    /// The image its steps run in.
    #[serde(skip_serializing_if = "is_default")]
    pub container: Option<Container>,
    /// The images that run beside it.
    #[serde(
        deserialize_with = "services",
        serialize_with = "write_services",
        skip_serializing_if = "is_default"
    )]
    pub services: IndexMap<String, Container>,
    /// What its steps say by default.
    #[serde(skip_serializing_if = "is_default")]
    pub defaults: Option<Defaults>,
    /// Its environment variables.
    #[serde(deserialize_with = "texts", serialize_with = "write_texts", skip_serializing_if = "is_default")]
    pub env: IndexMap<String, String>,
    /// What the jobs that need it can read.
    #[serde(deserialize_with = "texts", serialize_with = "write_texts", skip_serializing_if = "is_default")]
    pub outputs: IndexMap<String, String>,
    /// The image to save afterwards.
    #[serde(skip_serializing_if = "is_default")]
    pub snapshot: Option<Value>,
    /// The reusable workflow.
    #[serde(skip_serializing_if = "is_default")]
    pub uses: Option<Uses>,
    /// The reusable workflow's inputs.
    #[serde(deserialize_with = "texts", serialize_with = "write_texts", skip_serializing_if = "is_default")]
    pub with: IndexMap<String, String>,
    /// The reusable workflow's secrets.
    #[serde(skip_serializing_if = "is_default")]
    pub secrets: Option<PassedSecrets>,
    /// What it does.
    #[serde(skip_serializing_if = "is_default")]
    pub steps: Vec<Step>,
}

impl Job {
    /// Every step with its place, those that run in parallel after the step that holds them.
    #[must_use]
    pub fn steps_at(&self, job: &Path) -> Vec<(Path, &Step)> {
        let mut found = Vec::new();
        collect_steps(&self.steps, &job.key("steps"), &mut found);
        found
    }

    /// What a text of this job can be when it runs: itself without expressions, the matrix's values where
    /// it is one read of the matrix, and none where the file does not decide.
    ///
    /// ```
    /// use pyfleet_core::workflow::Job;
    ///
    /// let job: Job = serde_json::from_str(r#"{"strategy": {"matrix": {"os": ["a", "b"]}}}"#).unwrap();
    /// assert_eq!(job.values_of("x"), Some(vec!["x".to_owned()]));
    /// assert_eq!(job.values_of("${{ matrix.os }}"), Some(vec!["a".to_owned(), "b".to_owned()]));
    /// assert_eq!(job.values_of("x-${{ matrix.os }}"), None);
    /// ```
    #[must_use]
    pub fn values_of(&self, text: &str) -> Option<Vec<String>> {
        if !opens_in(text) {
            return Some(vec![text.to_owned()]);
        }
        let (found, _) = embedded(text);
        let [only] = found.as_slice() else { return None };
        let access = only.expression.as_context().filter(|_| only.span == (0..text.len()))?;
        let name = access.name(0).filter(|_| access.is_within(&["matrix"]) && access.selected.len() == 1)?;
        self.strategy.as_ref()?.matrix.as_ref()?.texts(name)
    }
}

fn collect_steps<'a>(steps: &'a [Step], place: &Path, found: &mut Vec<(Path, &'a Step)>) {
    for (position, step) in steps.iter().enumerate() {
        let place = place.index(position);
        let below = (!step.parallel.is_empty()).then(|| place.key("parallel"));
        found.push((place, step));
        if let Some(below) = below {
            collect_steps(&step.parallel, &below, found);
        }
    }
}

/// `defaults:` of a workflow or a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// For steps that run scripts.
    #[serde(skip_serializing_if = "is_default")]
    pub run: RunDefaults,
}

/// What steps that run scripts say by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunDefaults {
    /// The expression that computes all of it.
    pub computed: Option<String>,
    /// What runs the script.
    pub shell: Option<String>,
    /// Where the script runs.
    pub working_directory: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RunDefaultsMap {
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    shell: Option<String>,
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    working_directory: Option<String>,
}

impl Serialize for RunDefaults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.clone() {
            Self { computed: Some(expression), .. } => serializer.serialize_str(&expression),
            Self { computed: None, shell, working_directory } => {
                RunDefaultsMap { shell, working_directory }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for RunDefaults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Forms::<RunDefaultsMap>::deserialize(deserializer)? {
            Forms::Text(expression) => Ok(Self { computed: Some(expression), ..Self::default() }),
            Forms::List(_) => Err(no_list("a map with `shell` or `working-directory`")),
            Forms::Map(RunDefaultsMap { shell, working_directory }) => {
                Ok(Self { computed: None, shell, working_directory })
            }
        }
    }
}

/// `runs-on:`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runner {
    /// The group, where one is named.
    pub group: Option<String>,
    /// The labels, all of which a runner must have.
    pub labels: Vec<String>,
}

impl Runner {
    /// A runner with one label.
    pub fn label(label: impl Into<String>) -> Self {
        Self { group: None, labels: vec![label.into()] }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RunnerMap {
    #[serde(default, deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    group: Option<String>,
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    labels: Vec<String>,
}

impl Serialize for Runner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.group, self.labels.as_slice()) {
            (None, [label]) => serializer.serialize_str(label),
            (None, labels) => labels.serialize(serializer),
            (group, labels) => {
                RunnerMap { group: group.clone(), labels: labels.to_vec() }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Runner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Forms::<RunnerMap>::deserialize(deserializer)? {
            Forms::Text(label) => Self::label(label),
            Forms::List(labels) => Self { group: None, labels },
            Forms::Map(RunnerMap { group, labels }) => Self { group, labels },
        })
    }
}

/// `secrets:` of a job that calls a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassedSecrets {
    /// All that the caller has.
    Inherit,
    /// The listed ones.
    Listed(IndexMap<String, String>),
}

impl Serialize for PassedSecrets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inherit => serializer.serialize_str("inherit"),
            Self::Listed(secrets) => secrets.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PassedSecrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = PassedSecrets;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of secrets, or `inherit`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<PassedSecrets, E> {
                match text {
                    "inherit" => Ok(PassedSecrets::Inherit),
                    other => Err(E::unknown_variant(other, &["inherit"])),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PassedSecrets, A::Error> {
                text_map(map).map(PassedSecrets::Listed)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// `services:`, which an expression may compute.
fn services<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IndexMap<String, Container>, D::Error> {
    match Forms::<IndexMap<String, Container>>::deserialize(deserializer)? {
        Forms::Text(image) => Ok(inserted(Container { image, ..Container::default() })),
        Forms::List(_) => Err(no_list("a map of containers, or an expression")),
        Forms::Map(services) => Ok(services),
    }
}

fn write_services<S: Serializer>(
    services: &IndexMap<String, Container>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match services.get(super::INSERT) {
        Some(computed) if services.len() == 1 => serializer.serialize_str(&computed.image),
        _ => services.serialize(serializer),
    }
}
