//! The manifests under `tests/manifests/`: together they use every key there is, and each is right.

use std::collections::BTreeSet;
use std::fs;

use pyfleet_gen::{Exit, Streams, run};
use serde_json::Value as Json;

use crate::schemas::schema;
use crate::tool::repository;

/// The manifests by name, with their text.
fn manifests() -> Vec<(String, String)> {
    let directory = repository().join("tests/manifests");
    let mut manifests: Vec<(String, String)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    manifests.sort();
    manifests
}

/// What they render is clean to every tool that judges the examples.
#[test]
fn each_render_is_clean_to_every_validator() {
    for (name, text) in manifests() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("pyfleet.yml"), text).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        let root = directory.path().to_str().unwrap();
        assert_eq!(run(["pyfleet-gen", "-C", root, "render"], &mut streams), Exit::Clean, "{name}");
        assert_eq!(crate::validators::findings(directory.path()), [""; 0], "{name}");
    }
}

/// Neither an error nor a warning, but that a tool is archived: whoever uses it is always told.
#[test]
fn each_is_right_and_renders() {
    for (name, text) in manifests() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("pyfleet.yml"), text).unwrap();
        fs::create_dir_all(root.join(".github/workflows")).unwrap();
        for command in ["validate", "render", "check"] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
            let exit = run(["pyfleet-gen", "-C", root.to_str().unwrap(), command], &mut streams);
            let said = String::from_utf8_lossy(&err);
            let other =
                said.split("\n\n").filter(|one| !one.is_empty() && !one.starts_with("warning[archived]"));
            assert_eq!((exit, other.collect::<Vec<_>>()), (Exit::Clean, vec![]), "{name}: {command}");
        }
        let written = fs::read_dir(root.join(".github/workflows")).unwrap().count();
        assert!(written > 0, "{name} renders nothing");
    }
}

#[test]
fn ten_lines_are_enough() {
    let text = fs::read_to_string(repository().join("tests/manifests/ten-lines.yml")).unwrap();
    assert_eq!(text.lines().count(), 10);
}

/// Whoever adds a key shows how it is used.
#[test]
fn together_they_use_every_key() {
    let schema = schema();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let mut used = BTreeSet::new();
    for (name, text) in manifests() {
        let manifest: Json = serde_yaml::from_str(&text).unwrap();
        let mistakes: Vec<String> = validator.iter_errors(&manifest).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{name}: {mistakes:#?}");
        collect_used(&schema, "", &schema, &manifest, &mut used);
    }
    let mut known = BTreeSet::new();
    collect_known("", &schema, &mut known);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        collect_known(name, definition, &mut known);
    }
    let unused: Vec<_> = known.difference(&used).collect();
    assert!(unused.is_empty(), "no manifest under tests/manifests/ uses {unused:?}");
    assert!(known.len() > 100, "{} keys", known.len());
    println!("{} keys", known.len());
}

/// The keys of a definition, in whichever of its forms, as `Definition.key`.
fn collect_known(name: &str, definition: &Json, known: &mut BTreeSet<String>) {
    known.extend(keys(definition).map(|(key, _)| format!("{name}.{key}")));
    for form in forms(definition) {
        collect_known(name, form, known);
    }
}

/// The keys that a value uses, by the definition that they belong to.
fn collect_used(schema: &Json, name: &str, definition: &Json, value: &Json, used: &mut BTreeSet<String>) {
    if let Some(reference) = definition["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return collect_used(schema, name, &schema["definitions"][name], value, used);
    }
    for form in forms(definition) {
        collect_used(schema, name, form, value, used);
    }
    for item in value.as_array().into_iter().flatten() {
        collect_used(schema, name, &definition["items"], item, used);
    }
    let patterns =
        definition["patternProperties"].as_object().into_iter().flat_map(|patterns| patterns.values());
    let others: Vec<&Json> = patterns.chain([&definition["additionalProperties"]]).collect();
    for (key, below) in value.as_object().into_iter().flatten() {
        match keys(definition).find(|(known, _)| *known == key) {
            Some((_, definition)) => {
                used.insert(format!("{name}.{key}"));
                collect_used(schema, name, definition, below, used);
            }
            None => others.iter().for_each(|other| collect_used(schema, name, other, below, used)),
        }
    }
}

fn keys(definition: &Json) -> impl Iterator<Item = (&String, &Json)> {
    definition["properties"].as_object().into_iter().flatten()
}

fn forms(definition: &Json) -> impl Iterator<Item = &Json> {
    ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|key| definition[key].as_array().into_iter().flatten())
}

/// A file that is left to its owner needs no kind, and is not removed for want of one.
#[test]
fn an_ejected_file_stays() {
    let text = fs::read_to_string(repository().join("tests/manifests/tests.yml")).unwrap();
    let rendered =
        text.replace("release: { ejected: true }", "release: { kind: test, on: { manual: true } }");
    // The waivers of the other two workflows do not cover this one.
    let rendered = rendered.replace("pytest tests/integration || true", "pytest tests/integration");
    let rendered = rendered.split("waivers:").next().unwrap().to_owned();
    assert!(text.contains("release: { ejected: true }"));
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let file = root.join(".github/workflows/release.yml");
    let mut before = None;
    for manifest in [rendered, text] {
        fs::write(root.join("pyfleet.yml"), manifest).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        let exit = run(["pyfleet-gen", "-C", root.to_str().unwrap(), "render"], &mut streams);
        assert_eq!(exit, Exit::Clean, "{}", String::from_utf8_lossy(&err));
        let now = fs::read_to_string(&file).unwrap();
        assert_eq!(*before.get_or_insert_with(|| now.clone()), now);
    }
}
