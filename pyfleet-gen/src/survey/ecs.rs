//! ECS: task definitions in JSON.

use serde_json::Value;

use super::tree::Tree;
use super::{Later, Notes};

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Later> {
    let mut found = Vec::new();
    for path in tree.files().filter(|path| path.ends_with(".json")) {
        // Most JSON is something else: only a name that says so is worth reading.
        let name = path.to_ascii_lowercase();
        if !["task-definition", "task_definition", "taskdefinition", "taskdef", "task-def"]
            .iter()
            .any(|own| name.contains(own))
        {
            continue;
        }
        let Some(text) = tree.read(path, notes) else { continue };
        let Ok(definition) = serde_json::from_str::<Value>(&text) else {
            notes.add(format!("`{path}` is not JSON, and was left out"));
            continue;
        };
        if let Some(containers) = definition.get("containerDefinitions").and_then(Value::as_array) {
            let family = definition.get("family").and_then(Value::as_str).unwrap_or("without a family");
            let text = format!("{family}, {}", crate::report::count(containers.len(), "container"));
            found.push(Later::new("ECS", path, text, "deployments to ECS"));
        }
    }
    found
}
