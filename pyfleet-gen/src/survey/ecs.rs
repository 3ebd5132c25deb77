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
    /// The running task's role: its name, or its ARN where a name alone would be another role.
    pub(crate) task_role: Option<String>,
    /// The role that pulls the image, likewise.
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
        let mut role = |key: &str| {
            let text = definition.get(key).and_then(Value::as_str)?;
            let role = role(text);
            if role.is_none() {
                notes.add(format!("`{key}` in `{path}` names no role of IAM, and was left out"));
            }
            role
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

/// A role as the manifest takes it. A name is one at the root of the environment's account: a role with a path keeps
/// its ARN ([IAM: identifiers](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)).
fn role(text: &str) -> Option<String> {
    let is_made_of = |text: &str, other: &[u8]| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || other.contains(&byte))
    };
    let path = match text.strip_prefix("arn:") {
        None => text,
        Some(arn) => {
            let (partition, arn) = arn.split_once(":iam::")?;
            let (account, path) = arn.split_once(":role/")?;
            let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            (matches!(partition, "aws" | "aws-cn" | "aws-us-gov") && is_account).then_some(path)?
        }
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_role = (1..=64).contains(&name.len())
        && path.len() <= 576
        && is_made_of(path, b"_+=,.@-/")
        && pyfleet_core::secret::secrets_in(text).is_empty();
    match (is_role, name == path) {
        (true, true) => Some(name.to_owned()),
        (true, false) if path != text => Some(text.to_owned()),
        _ => None,
    }
}

/// A name as ECS takes it.
fn name(text: &str) -> Option<String> {
    let is_name = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        && pyfleet_core::secret::secrets_in(text).is_empty();
    is_name.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::role;

    #[test]
    fn a_role_stays_the_one_that_it_is() {
        for (text, kept) in [
            ("shopTask", Some("shopTask")),
            ("shop+task=a,b.c@d", Some("shop+task=a,b.c@d")),
            ("arn:aws:iam::123456789012:role/shopTask", Some("shopTask")),
            (
                "arn:aws:iam::123456789012:role/service/shopTask",
                Some("arn:aws:iam::123456789012:role/service/shopTask"),
            ),
            ("service/shopTask", None),
            ("arn:aws:iam::12:role/shopTask", None),
            ("arn:aws:iam::123456789012:user/shop", None),
            ("arn:aws:iam::123456789012:role/service/", None),
            ("${TASK_ROLE}", None),
            ("", None),
        ] {
            assert_eq!(role(text).as_deref(), kept, "{text}");
        }
    }
}
