use std::path::Path;

use pyfleet_core::manifest::Manifest;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::tool;

const PINNED: &str = "schemas/pyfleet.schema.json";
const WORKFLOW: &str = "schemas/workflow.schema.json";

/// The schema is written from the types; `PYFLEET_UPDATE=1 cargo test` rewrites the file.
#[test]
fn the_manifest_schema_is_written_from_the_types() {
    let path = tool::repository().join(PINNED);
    let written = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let pinned = std::fs::read_to_string(&path).unwrap();
    assert!(
        pinned == written,
        "{PINNED} is not what the types say: rewrite it with PYFLEET_UPDATE=1 cargo test schema"
    );
}

/// The schema of workflows is written from the table that the reader reads them by.
#[test]
fn the_workflow_schema_is_written_from_the_grammar() {
    let path = tool::repository().join(WORKFLOW);
    let written = format!("{}\n", serde_json::to_string_pretty(&pyfleet_core::workflow::schema()).unwrap());
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let pinned = std::fs::read_to_string(&path).unwrap();
    assert!(
        pinned == written,
        "{WORKFLOW} is not what the grammar says: rewrite it with PYFLEET_UPDATE=1 cargo test schema"
    );
}

/// Every workflow of the corpus that the reader accepts is valid by the schema, and what the reader refuses is not.
#[test]
fn workflow_schema_and_reader_agree() {
    let Some(data) = tool::data() else { return };
    let validator = jsonschema::draft7::new(&pyfleet_core::workflow::schema()).unwrap();
    let (mut valid, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(data.join("corpus/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let source = pyfleet_core::source::Source::new(path.display().to_string(), text);
        let Ok(document) = pyfleet_core::yaml::tree::Document::parse_workflow(source.clone()) else {
            continue;
        };
        let json: Value = pyfleet_core::yaml::decode::decode(&document.root).unwrap();
        let is_read = !pyfleet_core::workflow::parse(source).1.has_errors();
        let errors: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        valid += usize::from(errors.is_empty());
        if is_read != errors.is_empty() {
            wrong.push(format!("{}: read {is_read}, {errors:?}", path.display()));
        }
    }
    assert!(valid > 600 && wrong.is_empty(), "{valid} valid\n{}", wrong.join("\n"));
}

/// An editor shows a description for every key, and knows every key that the reader knows.
#[test]
fn every_key_is_described() {
    let mut missing = Vec::new();
    collect_undescribed(&schema(), "", &mut missing);
    assert!(missing.is_empty(), "keys without a description: {missing:#?}");
}

/// What the reader accepts, the schema accepts; what the reader refuses in form, the schema refuses.
#[test]
fn schema_and_reader_agree() {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    let valid =
        std::fs::read_to_string(tool::repository().join("examples/sandbox-broker/pyfleet.yml")).unwrap();
    let as_json = |text: &str| serde_yaml::from_str::<Value>(text).unwrap();
    assert_eq!(
        validator.iter_errors(&as_json(&valid)).map(|error| error.to_string()).collect::<Vec<_>>(),
        [""; 0]
    );
    // Each of these replaces one line of the example by one that is wrong in form.
    for (line, wrong) in [
        ("version: 1", "version: 2"),
        ("project: sandbox-broker", "project: Sandbox"),
        ("safety-level: 4", "safety-level: 6"),
        ("  visibility: private", "  visibility: secret"),
        ("  repository: igor-racic/Sandbox-API-Broker", "  repository: no-owner"),
        ("  account-id: \"905418046272\"", "  account-id: 905418046272"),
        ("  version: \"1.11.4\"", "  version: 1.11"),
        ("  directory: terraform", "  directory: ../terraform"),
        ("  pull-request-plan: all", "  pull-request-plan: everything"),
        ("    python: \"3.11\"", "    python: 3.11"),
        ("    comment: true", "    comment: yes please"),
        ("    max-size: 500MB", "    max-size: 500"),
        ("  test: {}", "  test: { knid: test }"),
        ("  deploy: {}", "  deploy: { confirm: $(id) }"),
        ("  rollback: {}", "  rollback: { approval: everybody }"),
        ("      task-definition: task-definition.json", "      task-definition: ../task-definition.json"),
        ("      cluster: sandbox-broker-cluster", "      clutser: sandbox-broker-cluster"),
    ] {
        assert!(valid.contains(line), "{line}");
        let text = valid.replacen(line, wrong, 1);
        assert!(!validator.is_valid(&as_json(&text)), "the schema accepts: {wrong}");
        let source = pyfleet_core::source::Source::new("pyfleet.yml", text);
        assert!(pyfleet_core::manifest::parse(source).2.has_errors(), "the reader accepts: {wrong}");
    }
}

pub(crate) fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Manifest>().to_value();
    simplify(&mut schema);
    let object = schema.as_object_mut().unwrap();
    object.insert("$id".to_owned(), "https://pyfleet.dev/schemas/pyfleet.schema.json".into());
    schema
}

/// Formats that JSON Schema does not know are left out, and an optional key is absent, not null.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(entries) => {
            if entries.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint"))
            {
                entries.remove("format");
            }
            if let Some(Value::Array(types)) = entries.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    entries.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(choices)) = entries.get_mut("anyOf") {
                choices.retain(|choice| choice != &serde_json::json!({ "type": "null" }));
                if let [one] = choices.as_mut_slice() {
                    let one = one.take();
                    entries.remove("anyOf");
                    // In draft 7 nothing beside `$ref` counts: a description needs it wrapped.
                    entries.insert("allOf".to_owned(), Value::Array(vec![one]));
                }
            }
            // The one key of a variant is described by the variant.
            let description = entries.get("description").cloned();
            if let (Some(description), Some(Value::Object(properties))) =
                (description, entries.get_mut("properties"))
                && let [(_, Value::Object(only))] = properties.iter_mut().collect::<Vec<_>>().as_mut_slice()
            {
                only.entry("description").or_insert(description);
            }
            entries.values_mut().for_each(simplify);
        }
        _ => {}
    }
}

fn collect_undescribed(schema: &Value, at: &str, missing: &mut Vec<String>) {
    let Value::Object(entries) = schema else { return };
    if let Some(Value::Object(properties)) = entries.get("properties") {
        for (name, property) in properties {
            let described = property.get("description").is_some();
            let is_reference = matches!(name.as_str(), "secret" | "variable" | "as");
            if !described && !is_reference {
                missing.push(format!("{at}/{name}"));
            }
        }
    }
    for (name, below) in entries {
        collect_undescribed(below, &format!("{at}/{name}"), missing);
        if let Value::Array(items) = below {
            items.iter().for_each(|item| collect_undescribed(item, &format!("{at}/{name}"), missing));
        }
    }
}

#[test]
fn the_command_prints_the_pinned_schema() {
    assert_eq!(
        pyfleet_schemas::MANIFEST,
        std::fs::read_to_string(tool::repository().join(Path::new(PINNED))).unwrap()
    );
}
