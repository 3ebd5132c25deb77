use serde_json::Value;

use crate::schemas::schema;
use crate::tool;

/// `docs/manifest.md` is written from the schema; `PYFLEET_UPDATE=1 cargo test` rewrites it.
#[test]
fn the_reference_of_the_manifest_is_written_from_the_schema() {
    const REFERENCE: &str = "docs/manifest.md";
    let path = tool::repository().join(REFERENCE);
    let written = reference(&schema());
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let pinned = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        pinned == written,
        "{REFERENCE} is not what the schema says: rewrite it with PYFLEET_UPDATE=1 cargo test schema"
    );
}

/// One table a mapping, in the order in which they are reached from the root.
fn reference(schema: &Value) -> String {
    let mut text = String::from(
        "# The manifest\n\nEvery key of `pyfleet.yml`, written from the types; do not edit. Required keys are bold. A value that GitHub \
         holds is `{ secret: NAME }` or `{ variable: NAME }`; literal text never holds `${{`.\n",
    );
    let mut waiting = vec![("pyfleet.yml".to_owned(), schema.clone())];
    let mut seen = Vec::new();
    while let Some((name, mapping)) = (!waiting.is_empty()).then(|| waiting.remove(0)) {
        if seen.contains(&name) {
            continue;
        }
        let required: Vec<&str> =
            mapping["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut rows = String::new();
        for variant in std::iter::once(&mapping).chain(mapping["oneOf"].as_array().into_iter().flatten()) {
            for (key, property) in variant["properties"].as_object().into_iter().flatten() {
                let (kind, below) = kind(property);
                let key = if required.contains(&key.as_str()) {
                    format!("**`{key}`**")
                } else {
                    format!("`{key}`")
                };
                let description = property["description"]
                    .as_str()
                    .unwrap_or_default()
                    .replace('\n', " ")
                    .replace('|', "\\|");
                rows.push_str(&format!("| {key} | {kind} | {description} |\n"));
                waiting.extend(
                    below.into_iter().map(|name| (name.clone(), schema["definitions"][&name].clone())),
                );
            }
        }
        if !rows.is_empty() {
            let description = mapping["description"].as_str().unwrap_or_default();
            text.push_str(&format!(
                "\n## {name}\n\n{description}\n\n| key | value | what it says |\n|---|---|---|\n{rows}"
            ));
        } else if let Some(values) = values(&mapping) {
            text.push_str(&format!(
                "\n## {name}\n\n{}\n\n{values}",
                mapping["description"].as_str().unwrap_or_default()
            ));
        } else if let Some(says) = mapping["description"].as_str() {
            text.push_str(&format!("\n## {name}\n\n{}.\n", says.trim_end_matches('.')));
        }
        seen.push(name);
    }
    text
}

/// The values of an enumeration, each with its meaning.
fn values(mapping: &Value) -> Option<String> {
    let variants = mapping["oneOf"].as_array()?;
    let line = |variant: &Value| {
        let name = variant["const"].as_str().or_else(|| variant["enum"][0].as_str())?;
        Some(format!(
            "- `{name}`: {}\n",
            variant["description"].as_str().unwrap_or_default().replace('\n', " ")
        ))
    };
    variants.iter().map(line).collect()
}

/// What a key holds, in words, and the definitions that say more.
fn kind(property: &Value) -> (String, Vec<String>) {
    if let Some(reference) = property["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
        return (format!("[{name}](#{})", name.to_lowercase()), vec![name]);
    }
    for key in ["allOf", "anyOf"] {
        if let Some(choices) = property[key].as_array() {
            let (words, below): (Vec<_>, Vec<_>) = choices.iter().map(kind).unzip();
            return (words.join(" or "), below.concat());
        }
    }
    if let Some(value) = property.get("const") {
        return (format!("`{value}`"), Vec::new());
    }
    match property["type"].as_str() {
        Some("array") => {
            let (items, below) = kind(&property["items"]);
            (format!("list of {items}"), below)
        }
        Some("object") if property["additionalProperties"].is_object() => {
            let (values, below) = kind(&property["additionalProperties"]);
            (format!("name → {values}"), below)
        }
        Some("object") if property["patternProperties"].is_object() => {
            let below =
                property["patternProperties"].as_object().into_iter().flatten().map(|(_, value)| kind(value));
            let (words, below): (Vec<_>, Vec<_>) = below.unzip();
            (format!("name → {}", words.join(" or ")), below.concat())
        }
        Some("object") => ("mapping".to_owned(), Vec::new()),
        Some(kind) => (kind.to_owned(), Vec::new()),
        None => ("any".to_owned(), Vec::new()),
    }
}
