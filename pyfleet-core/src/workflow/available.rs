//! Which contexts and functions the keys of a workflow allow: the facts of GitHub's grammar
//! (`workflow-v1.0.json`, the `context` of each definition; a definition adds to what its parent allows).

use crate::diagnostic::{Path, Segment};
use crate::expression::{Available, Context};

const WORKFLOW: Available = Available::of(&[Context::Github, Context::Inputs, Context::Vars]);
const BEFORE_MATRIX: Available = WORKFLOW.and(&[Context::Needs]);
const JOB: Available = BEFORE_MATRIX.and(&[Context::Strategy, Context::Matrix]);
const WITH_SECRETS: Available = JOB.and(&[Context::Secrets]);
const ON_RUNNER: Available = JOB.and(&[Context::Steps, Context::Job, Context::Runner, Context::Env]);
const ON_RUNNER_WITH_SECRETS: Available = ON_RUNNER.and(&[Context::Secrets]);
const STEP: Available = ON_RUNNER_WITH_SECRETS.and_hash_files();
const STEP_CONDITION: Available = ON_RUNNER.and_hash_files().and_status_of_steps();

/// What an expression may name at a path: in the value there, or in the key that leads to it.
///
/// ```
/// use pyfleet_core::diagnostic::Path;
/// use pyfleet_core::expression::Context;
/// use pyfleet_core::workflow::available;
///
/// let condition = available(&Path::of(["jobs", "build", "if"]), false);
/// assert!(condition.has(Context::Needs) && !condition.has(Context::Secrets));
/// assert!(available(&Path::of(["jobs", "build", "permissions"]), false).is_nothing());
/// ```
#[must_use]
pub fn available(path: &Path, is_key: bool) -> Available {
    let segments = path.segments();
    match (key(segments, 0), key(segments, 1)) {
        ("run-name", _) if segments.len() == 1 => WORKFLOW,
        ("concurrency", _) => of_key(segments.len() > 1 || !is_key, WORKFLOW),
        ("env", _) => of_key(segments.len() > 1 || !is_key, WORKFLOW.and(&[Context::Secrets])),
        ("on", "workflow_call") if !is_key => match (key(segments, 2), key(segments, 4), segments.len()) {
            ("inputs", "default", 5) => WORKFLOW,
            ("outputs", "value", 5) => WORKFLOW.and(&[Context::Jobs]),
            _ => Available::NOTHING,
        },
        ("jobs", _) => of_job(segments.get(2..).unwrap_or_default(), is_key),
        _ => Available::NOTHING,
    }
}

const fn of_key(stands: bool, available: Available) -> Available {
    if stands { available } else { Available::NOTHING }
}

fn key(segments: &[Segment], position: usize) -> &str {
    match segments.get(position) {
        Some(Segment::Key(key)) => key,
        _ => "",
    }
}

/// Below `jobs.<job_id>`. A key may hold an expression where its map allows contexts, whatever its value allows.
fn of_job(below: &[Segment], is_key: bool) -> Available {
    let inside = !is_key || below.len() > 1;
    let deep = !is_key || below.len() > 2;
    match (key(below, 0), key(below, 1)) {
        ("if", _) => of_key(inside, BEFORE_MATRIX.and_status_of_jobs()),
        ("strategy", _) => of_key(inside, BEFORE_MATRIX),
        ("environment", "url") if !is_key => ON_RUNNER,
        (
            "name"
            | "runs-on"
            | "environment"
            | "timeout-minutes"
            | "cancel-timeout-minutes"
            | "continue-on-error"
            | "concurrency",
            _,
        ) => of_key(inside, JOB),
        ("container", _) => of_key(inside, of_container(&below[1..], is_key)),
        ("services", _) => of_key(inside, of_container(below.get(2..).unwrap_or_default(), is_key)),
        ("snapshot", "if") if !is_key => JOB,
        ("env", _) => of_key(inside, WITH_SECRETS),
        ("with", _) if !is_key && below.len() > 1 => JOB,
        ("secrets", _) if !is_key && below.len() > 1 => WITH_SECRETS,
        ("outputs", _) if !is_key && below.len() > 1 => ON_RUNNER_WITH_SECRETS,
        ("defaults", "run") => of_key(deep, JOB.and(&[Context::Env])),
        ("steps", _) => of_step(below.get(2..).unwrap_or_default(), is_key),
        _ => Available::NOTHING,
    }
}

/// Below `container` or a service.
fn of_container(below: &[Segment], is_key: bool) -> Available {
    match key(below, 0) {
        "credentials" if !is_key || below.len() > 1 => WITH_SECRETS.and(&[Context::Env]),
        "env" if !is_key && below.len() > 1 => ON_RUNNER_WITH_SECRETS,
        _ => JOB,
    }
}

/// Below `steps[*]`, and below the steps that run in parallel.
fn of_step(below: &[Segment], is_key: bool) -> Available {
    match key(below, 0) {
        "if" if !is_key => STEP_CONDITION,
        "name" | "run" | "timeout-minutes" | "continue-on-error" | "working-directory" if !is_key => STEP,
        "env" | "with" if !is_key || below.len() > 1 => STEP,
        "parallel" => of_step(below.get(2..).unwrap_or_default(), is_key),
        _ => Available::NOTHING,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Map, Value};

    use super::*;
    use crate::expression::Function;
    use crate::reference_data;

    /// Walks GitHub's grammar, and asks of every path that it knows what it allows.
    struct Grammar {
        definitions: Map<String, Value>,
        found: BTreeMap<(Vec<String>, bool), BTreeSet<String>>,
    }

    impl Grammar {
        fn walk(&mut self, name: &str, path: &[String], allowed: &BTreeSet<String>) {
            let Some(definition) = self.definitions.get(name).cloned() else {
                // The types that the grammar does not define: `string`, and `any`, which ends a path here.
                self.found.entry((path.to_vec(), false)).or_default().extend(allowed.clone());
                return;
            };
            if path.len() > 9 {
                return;
            }
            let own = definition["context"].as_array().into_iter().flatten();
            let mut allowed = allowed.clone();
            allowed.extend(own.map(|own| own.as_str().unwrap().to_owned()));
            for one in definition["one-of"].as_array().into_iter().flatten() {
                self.walk(one.as_str().unwrap(), path, &allowed);
            }
            let deeper = |key: &str| [path, &[key.to_owned()]].concat();
            if let Some(mapping) = definition.get("mapping") {
                // What the map itself can be, and what the keys in it can be.
                self.found.entry((path.to_vec(), false)).or_default().extend(allowed.clone());
                self.found.entry((deeper("x"), true)).or_default().extend(allowed.clone());
                for (key, property) in mapping["properties"].as_object().into_iter().flatten() {
                    let name = property.as_str().or_else(|| property["type"].as_str()).unwrap();
                    self.walk(name, &deeper(key), &allowed);
                }
                if let Some(name) = mapping["loose-value-type"].as_str() {
                    self.walk(name, &deeper("x"), &allowed);
                }
            } else if let Some(sequence) = definition.get("sequence") {
                self.found.entry((path.to_vec(), false)).or_default().extend(allowed.clone());
                self.walk(sequence["item-type"].as_str().unwrap(), &deeper("0"), &allowed);
            } else if definition.get("one-of").is_none() {
                self.found.entry((path.to_vec(), false)).or_default().extend(allowed);
            }
        }
    }

    fn names(available: Available) -> BTreeSet<String> {
        let functions = Function::ALL.into_iter().filter_map(|function| {
            let arguments = available.arguments_of(function)?;
            let is_special = function.is_status() || function == Function::HashFiles;
            let most = if arguments.1 == usize::MAX { "MAX".to_owned() } else { arguments.1.to_string() };
            is_special.then(|| format!("{}({},{most})", function.name(), arguments.0))
        });
        available.contexts().map(|context| context.name().to_owned()).chain(functions).collect()
    }

    fn path(keys: &[String]) -> Path {
        let segment = |key: &String| if key == "0" { Segment::Index(0) } else { Segment::from(key.as_str()) };
        Path::of(keys.iter().map(segment))
    }

    #[test]
    fn agrees_with_githubs_grammar() {
        let Some(data) = reference_data::folder() else { return };
        let text = reference_data::text(data.join("languageservices/workflow-v1.0.json"));
        let Value::Object(mut grammar) = serde_json::from_str(&text).unwrap() else { panic!() };
        let Some(Value::Object(definitions)) = grammar.remove("definitions") else { panic!() };
        let mut grammar = Grammar { definitions, found: BTreeMap::new() };
        grammar.walk("workflow-root-strict", &[], &BTreeSet::new());
        assert!(grammar.found.len() > 400, "{}", grammar.found.len());
        let mut differ = Vec::new();
        for ((keys, is_key), expected) in grammar.found {
            // `on` and its events allow nothing, however they are written.
            let found = names(available(&path(&keys), is_key));
            if found != expected {
                differ.push(format!("{} {is_key}: {found:?}, not {expected:?}", keys.join(".")));
            }
        }
        assert!(differ.is_empty(), "{}", differ.join("\n"));
    }

    /// actionlint's own table, in the words of GitHub's documentation.
    #[test]
    fn agrees_with_actionlints_table() {
        let Some(data) = reference_data::folder() else { return };
        let table = reference_data::text(data.join("actionlint/availability.tsv"));
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [key, contexts, functions] = cells.as_slice() else { panic!("{line}") };
            let key = key.replace(".steps.", ".steps.0.");
            let leaf = match key.rsplit('.').next() {
                Some("env" | "with" | "run" | "credentials") if !key.ends_with("steps.0.run") => ".x",
                _ => "",
            };
            let keys: Vec<String> = format!("{key}{leaf}").split('.').map(ToOwned::to_owned).collect();
            let found = names(available(&path(&keys), false));
            let expected: BTreeSet<String> = contexts.split(',').map(ToOwned::to_owned).collect();
            let (called, mut read): (BTreeSet<_>, BTreeSet<_>) =
                found.into_iter().partition(|name| name.contains('('));
            // The documentation leaves out what the grammar takes here, before any step has run.
            if key.ends_with("env.<env_id>") && key != "jobs.<job_id>.env" {
                read.remove("steps");
            }
            assert_eq!(read, expected, "{line}");
            let called: BTreeSet<String> =
                called.iter().map(|name| name.split('(').next().unwrap().to_lowercase()).collect();
            let expected: BTreeSet<String> =
                functions.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
            assert_eq!(called, expected, "{line}");
        }
    }
}
