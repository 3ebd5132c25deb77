//! ECS: task definitions in JSON
//! ([AWS: task definition parameters](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html)).

use serde_json::Value;

use super::Notes;
use super::tree::Tree;

/// One task definition.
pub(crate) struct TaskDefinition {
    /// Its path.
    pub(crate) path: String,
    /// Its family, where it is a plain name.
    pub(crate) family: Option<String>,
    /// Its containers, where their names are plain.
    pub(crate) containers: Vec<String>,
    /// The name of the running task's role.
    pub(crate) task_role: Option<String>,
    /// The name of the role that pulls the image.
    pub(crate) execution_role: Option<String>,
}

/// What files of task definitions are called: most JSON is something else, and not worth reading.
const NAMES: &[&str] = &["task-definition", "task_definition", "taskdefinition", "taskdef", "task-def"];

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<TaskDefinition> {
    let mut found = Vec::new();
    for path in tree.files().filter(|path| path.ends_with(".json")) {
        let lower = path.to_ascii_lowercase();
        if !NAMES.iter().any(|name| lower.contains(name)) {
            continue;
        }
        let Some(text) = tree.read(path, notes) else { continue };
        let Ok(definition) = serde_json::from_str::<Value>(&text) else {
            notes.add(format!("`{path}` is not JSON, and was left out"));
            continue;
        };
        let Some(containers) = definition.get("containerDefinitions").and_then(Value::as_array) else {
            continue;
        };
        let role = |key: &str| {
            let role = definition.get(key).and_then(Value::as_str)?;
            name(role.rsplit_once(":role/").map_or(role, |(_, path)| path.rsplit('/').next().unwrap_or(path)))
        };
        found.push(TaskDefinition {
            path: path.to_owned(),
            family: definition.get("family").and_then(Value::as_str).and_then(name),
            containers: containers.iter().filter_map(|it| name(it.get("name")?.as_str()?)).collect(),
            task_role: role("taskRoleArn"),
            execution_role: role("executionRoleArn"),
        });
    }
    found
}

/// A name as ECS and IAM both take it.
fn name(text: &str) -> Option<String> {
    let is_name = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        && pyfleet_core::secret::secrets_in(text).is_empty();
    is_name.then(|| text.to_owned())
}
