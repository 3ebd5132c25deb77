//! Input variables and the files that hold them: placeholders filled in, references kept.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::super::placeholder;
use super::stack::climb;
use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::manifest::{self, Reference, RelativePath, Slug, Value};

/// A value of an input variable.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum VariableValue {
    /// A variable that GitHub holds; the text, or a list split at commas.
    Held {
        /// Its name.
        variable: String,
        /// `list` where the text is split.
        #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
        form: Option<&'static str>,
    },
    /// A secret that GitHub holds; the text, or a list split at commas.
    Secret {
        /// Its name.
        secret: String,
        /// `list` where the text is split.
        #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
        form: Option<&'static str>,
    },
    /// A literal.
    Literal(Json),
}

/// Fills in a text; a placeholder that is not known is a finding.
pub(super) fn fill(
    text: &str,
    path: &Path,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<String> {
    placeholder::fill(text, values)
        .map_err(|reason| findings.push_once(Diagnostic::error("unknown-placeholder", path.clone(), reason)))
        .ok()
}

/// Variable files, relative to the stack's directory.
pub(super) fn var_files(
    name: &Slug,
    stack: &manifest::Stack,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<Vec<String>> {
    let path = Path::of(["terraform", "stacks", name.as_str(), "var-files"]);
    let mut files = Vec::with_capacity(stack.var_files.len());
    for (index, file) in stack.var_files.iter().enumerate() {
        let filled = fill(file, &path.index(index), values, findings);
        let is_inside = |file: &String| {
            let down = file.trim_start_matches("../");
            RelativePath::try_from(down.to_owned()).is_ok()
                && down != "."
                && stack.directory.as_ref().is_none_or(|own| climb(own, file).is_some())
        };
        if filled.as_ref().is_some_and(|file| !is_inside(file)) {
            findings.push_once(Diagnostic::error(
                "invalid-value",
                path.index(index),
                "a variable file is relative to the stack's directory and stays inside the repository",
            ));
        }
        files.push(filled);
    }
    files.into_iter().collect()
}

/// Values of input variables.
pub(super) fn variables(
    name: &Slug,
    stack: &manifest::Stack,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<BTreeMap<String, VariableValue>> {
    let path = Path::of(["terraform", "stacks", name.as_str(), "variables"]);
    let mut variables = BTreeMap::new();
    for (variable, value) in &stack.variables {
        let value = match value {
            Value::Held { reference: Reference::Variable(held), list } => {
                Some(VariableValue::Held { variable: held.to_string(), form: list.then_some("list") })
            }
            Value::Held { reference: Reference::Secret(held), list } => {
                Some(VariableValue::Secret { secret: held.to_string(), form: list.then_some("list") })
            }
            Value::Literal(literal) => {
                fill_all(literal, &path.key(variable.as_str()), values, findings).map(VariableValue::Literal)
            }
        };
        variables.insert(variable.to_string(), value);
    }
    variables.into_iter().map(|(name, value)| Some((name, value?))).collect()
}

/// Fills in every text of a literal, however deep it stands.
fn fill_all(
    literal: &Json,
    path: &Path,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<Json> {
    Some(match literal {
        Json::String(text) => Json::String(fill(text, path, values, findings)?),
        Json::Array(items) => {
            let filled: Option<Vec<Json>> = items
                .iter()
                .enumerate()
                .map(|(index, item)| fill_all(item, &path.index(index), values, findings))
                .collect();
            Json::Array(filled?)
        }
        Json::Object(entries) => {
            // Sorted: the order of the manifest's keys means nothing.
            let sorted: BTreeMap<&String, &Json> = entries.iter().collect();
            let filled: Option<serde_json::Map<String, Json>> = sorted
                .into_iter()
                .map(|(key, value)| Some((key.clone(), fill_all(value, &path.key(key), values, findings)?)))
                .collect();
            Json::Object(filled?)
        }
        other => other.clone(),
    })
}
