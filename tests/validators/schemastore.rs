//! SchemaStore's schema of workflows, which editors check against, as check-jsonschema carries it.

use std::path::Path;

use serde_json::Value;

use super::{Defect, Validator, run, workflows};
use crate::tool;

pub(super) const VALIDATOR: Validator = Validator {
    name: "schemastore",
    findings,
    planted: &[
        Defect {
            file: "workflows/clean.yml",
            replace: "cancel-in-progress: true",
            with: "cancel-in-progres: true",
            says: "clean.yml: $.concurrency: ",
        },
        Defect {
            file: "workflows/clean.yml",
            replace: "contents: read",
            with: "contents: all",
            says: "$.jobs.build.permissions.contents: 'all' is not one of",
        },
    ],
};

fn findings(directory: &Path) -> Option<Vec<String>> {
    let mut command = tool::find("check-jsonschema")?.command();
    command.args(["--builtin-schema", "vendor.github-workflows", "--output-format", "json"]);
    let (output, stdout, stderr) = run(command.args(workflows(directory)));
    let verdict: Value = serde_json::from_str(&stdout).unwrap_or_default();
    let mut said: Vec<_> = ["errors", "parse_errors"]
        .iter()
        .flat_map(|kind| verdict[kind].as_array().cloned().unwrap_or_default())
        .map(|error| describe(&error, directory))
        .collect();
    if said.is_empty() && !output.status.success() {
        said.push(format!("{}: {stderr}", output.status));
    }
    Some(said)
}

/// Of the branches of a `oneOf`, the one that came closest says what is wrong.
fn describe(error: &Value, directory: &Path) -> String {
    let file = Path::new(error["filename"].as_str().unwrap_or_default());
    let closest = error.get("best_deep_match").unwrap_or(error);
    let text = |key: &str| closest[key].as_str().unwrap_or_default();
    format!(
        "{}: {}: {}",
        file.strip_prefix(directory).unwrap_or(file).display(),
        text("path"),
        text("message")
    )
}
