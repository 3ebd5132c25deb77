//! One step of a job.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::uses::Uses;
use super::value::{OrExpression, is_default, one_or_many, optional_text, texts, write_texts};

/// A step: an action with inputs, a script, or one of the forms of 2026 that steer other steps.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Step {
    /// What later expressions call it.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub id: Option<String>,
    /// What the log calls it.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub name: Option<String>,
    /// Whether it runs; `success()` where it is missing.
    #[serde(rename = "if", deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub condition: Option<String>,
    /// The action.
    #[serde(skip_serializing_if = "is_default")]
    pub uses: Option<Uses>,
    /// The action's inputs, whose names GitHub compares without regard to case.
    #[serde(deserialize_with = "texts", serialize_with = "write_texts", skip_serializing_if = "is_default")]
    pub with: IndexMap<String, String>,
    /// The script.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub run: Option<String>,
    /// What runs the script.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub shell: Option<String>,
    /// Where the script runs.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub working_directory: Option<String>,
    /// Its environment variables.
    #[serde(deserialize_with = "texts", serialize_with = "write_texts", skip_serializing_if = "is_default")]
    pub env: IndexMap<String, String>,
    /// Whether the job goes on when it fails.
    #[serde(skip_serializing_if = "is_default")]
    pub continue_on_error: Option<OrExpression<bool>>,
    /// How long it may take.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_minutes: Option<OrExpression<u64>>,
    /// Whether the next step starts before it has ended.
    #[serde(skip_serializing_if = "is_default")]
    pub background: Option<bool>,
    /// Waits for background steps, by id.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    pub wait: Vec<String>,
    /// Waits for all background steps.
    #[serde(deserialize_with = "present", skip_serializing_if = "is_default")]
    pub wait_all: Option<Value>,
    /// Cancels a background step, by id.
    #[serde(deserialize_with = "optional_text", skip_serializing_if = "is_default")]
    pub cancel: Option<String>,
    /// Steps that run at the same time.
    #[serde(skip_serializing_if = "is_default")]
    pub parallel: Vec<Self>,
}

/// Keeps a null apart from a key that is missing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Step {
    /// An input of the action by its name, without regard to case, as GitHub finds it.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&str> {
        self.with.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether this uses the action with the given slug.
    #[must_use]
    pub fn is_action(&self, slug: &str) -> bool {
        self.uses.as_ref().is_some_and(|uses| uses.is_action(slug))
    }
}
