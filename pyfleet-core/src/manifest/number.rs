//! Numbers that mean another number than they say.

use crate::diagnostic::{Diagnostic, Diagnostics, Path};
use crate::yaml::tree::{Node, Number, Value};

/// Finds numbers among the values of variables that would reach Terraform or Packer as another text: `1.10`
/// as 1.1, `010` as 10, `1e2` as 100.
pub(super) fn check(root: &Node, findings: &mut Diagnostics) {
    let stacks = root.get("terraform").and_then(|terraform| terraform.get("stacks"));
    for (name, stack) in stacks.map(Node::entries).unwrap_or_default() {
        let path = Path::of(["terraform", "stacks", name.as_str().unwrap_or_default(), "variables"]);
        if let Some(variables) = stack.get("variables") {
            walk(variables, "Terraform", &path, findings);
        }
    }
    if let Some(variables) = root.get("packer").and_then(|packer| packer.get("variables")) {
        walk(variables, "Packer", &Path::of(["packer", "variables"]), findings);
    }
}

fn walk(node: &Node, tool: &str, path: &Path, findings: &mut Diagnostics) {
    match &node.value {
        Value::Number(number) if !is_as_written(number) => findings.push(
            Diagnostic::error(
                "ambiguous-number",
                path.clone(),
                format!("{tool} would get another text than this: YAML reads 1.10 as 1.1, and 010 as 10"),
            )
            .with_help("put it in quotes, or write the number as it is meant"),
        ),
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, tool, &path.index(index), findings);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                walk(value, tool, &path.key(key.as_str().unwrap_or_default()), findings);
            }
        }
        _ => {}
    }
}

fn is_as_written(number: &Number) -> bool {
    let text = number.as_integer().map_or_else(
        || serde_json::Number::from_f64(number.value()).map(|number| number.to_string()).unwrap_or_default(),
        |integer| integer.to_string(),
    );
    text == number.text()
}
