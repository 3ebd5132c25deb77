//! The sources of the examples, without what pyfleet has written there: `init` proposes what their manifests have, but
//! for what no source tells, and for what a manifest leaves out on purpose.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_yaml::Value;

use super::{initialised, raised};
use crate::repo::Repo;
use crate::tool;

/// What an example's manifest has and `init` does not propose (`-`), or the other way round (`+`), and why.
const DIFFERENCES: &[(&str, &[&str], &str)] = &[
    (
        "sandbox-broker",
        &["+ workflow check-state", "+ workflow test-oidc", "+ workflow tf-drift", "+ workflow tf"],
        "its documents ask for five workflows; its state could be looked at and changed by hand, too",
    ),
    (
        "sandbox-broker",
        &[
            "+ workflow metrics",
            "+ workflow pipeline",
            "+ stage test",
            "+ stage image",
            "+ stage terraform",
            "+ stage deploy",
            "+ stage summary",
        ],
        "nothing starts a deployment by itself there: the pipeline is what a later level offers",
    ),
    (
        "inventory-manager",
        &["+ workflow test", "+ workflow terraform", "+ workflow build"],
        "at levels 1 and 2 nothing may write, so that pull requests are checked by workflows of their own",
    ),
    (
        "inventory-manager",
        &["+ workflow check-state", "+ workflow test-oidc", "+ workflow tf-drift", "+ workflow deploy"],
        "each is a step on the way to the pipeline, and the example is past it",
    ),
    (
        "inventory-manager",
        &["- stage security"],
        "no settings of a linter are in the sources: init leaves `security` switched off",
    ),
    (
        "experience-showcase",
        &["+ workflow test", "+ workflow build"],
        "at levels 1 and 2 nothing may write, so that pull requests are checked by workflows of their own",
    ),
    (
        "experience-showcase",
        &["+ workflow test-oidc", "+ workflow metrics"],
        "its documents do not ask for them, and its roles and runs can be looked at as any other's",
    ),
    (
        "golden-image",
        &["+ workflow test", "+ workflow terraform"],
        "at level 1 nothing may write, so that pull requests are checked by workflows of their own",
    ),
    ("golden-image", &["- stage smoke"], "which hosts its script asks is not in the sources"),
];

/// Every example's name.
pub(super) fn names() -> Vec<String> {
    let examples = fs::read_dir(tool::repository().join("examples")).unwrap();
    let mut names: Vec<String> = examples
        .map(|example| example.unwrap())
        .filter(|example| example.path().join("pyfleet.yml").is_file())
        .map(|example| example.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    names
}

/// A repository with an example's sources.
pub(super) fn sources(name: &str) -> Repo {
    let repo = Repo::new();
    let config = format!("[remote \"origin\"]\n\turl = git@github.com:acme/{name}.git\n");
    repo.write(".git/config", config).write(".git/HEAD", "ref: refs/heads/main\n");
    let example = tool::repository().join("examples").join(name);
    copy(&example, &example, &repo);
    repo
}

fn copy(root: &Path, directory: &Path, repo: &Repo) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        match name {
            ".github" | "pyfleet.yml" | "pyfleet.lock" => {}
            _ if path.is_dir() => copy(root, &path, repo),
            _ => {
                repo.write(name, fs::read(&path).unwrap());
            }
        }
    }
}

#[test]
fn what_is_proposed_is_what_the_examples_have() {
    for name in names() {
        let repo = sources(&name);
        initialised(&repo);
        let proposed = raised(&repo.read("pyfleet.yml"), 5);
        let example = tool::repository().join("examples").join(&name).join("pyfleet.yml");
        let (had, has) = (facts(&fs::read_to_string(example).unwrap()), facts(&proposed));
        let missing = had.difference(&has).map(|fact| format!("- {fact}"));
        let more = has.difference(&had).map(|fact| format!("+ {fact}"));
        let found: BTreeSet<String> = missing.chain(more).collect();
        let known: BTreeSet<String> = DIFFERENCES
            .iter()
            .filter(|(example, ..)| *example == name)
            .flat_map(|(_, facts, why)| facts.iter().filter(|_| !why.is_empty()).map(ToString::to_string))
            .collect();
        assert_eq!(found, known, "{name}:\n{proposed}");
    }
}

/// The kinds of workflows, the stages of pipelines, and everything that is worked on.
fn facts(manifest: &str) -> BTreeSet<String> {
    let manifest: Value = serde_yaml::from_str(manifest).unwrap();
    let mut facts = BTreeSet::new();
    for (name, workflow) in entries(&manifest["workflows"]) {
        facts.insert(format!("workflow {}", workflow["kind"].as_str().unwrap_or(&name)));
        stages(&workflow["stages"], &mut facts);
    }
    let terraform = &manifest["terraform"];
    let directory = terraform["directory"].as_str().map(ToOwned::to_owned);
    facts.extend(directory.map(|directory| format!("stack in {directory}")));
    for (name, stack) in entries(&terraform["stacks"]) {
        match stack["cdktf"]["directory"].as_str() {
            Some(program) => {
                let locks = stack["cdktf"]["lock-files"].as_str().unwrap();
                let awaits: Vec<String> = items(&stack["awaits"]);
                facts.insert(format!(
                    "CDKTF's stack {name} in {program}, locks in {locks}, awaits {awaits:?}"
                ));
            }
            None => {
                facts.insert(format!("stack in {}", stack["directory"].as_str().unwrap()));
            }
        }
    }
    for (_, service) in entries(&manifest["services"]) {
        if !service["ecs"].is_null() {
            let definition = service["ecs"]["task-definition"].as_str().unwrap_or("what runs");
            facts.insert(format!("a service on ECS, by {definition}"));
        }
        let eks = &service["eks"];
        if let Some(namespace) = eks["namespace"].as_str() {
            let files: Vec<Vec<String>> = ["configs", "databases", "manifests", "ingress"]
                .iter()
                .map(|key| items(&eks[*key]))
                .collect();
            let secrets: Vec<String> = entries(&eks["secrets"])
                .into_iter()
                .flat_map(|(name, keys)| {
                    entries(&keys).into_iter().map(move |(key, _)| format!("{name}/{key}"))
                })
                .collect();
            facts.insert(format!("a service on EKS in {namespace}, by {files:?}, with {secrets:?}"));
        }
    }
    if let Some(template) = manifest["packer"]["template"].as_str() {
        let sources = items(&manifest["packer"]["sources"]);
        let variable = manifest["packer"]["output-variable"].as_str().unwrap();
        facts.insert(format!("an image by {template} and {sources:?}, to {variable}"));
    }
    if let Some(playbook) = manifest["ansible"]["playbook"].as_str() {
        let directory = manifest["ansible"]["directory"].as_str().unwrap();
        let outputs = ["inventory-output", "known-hosts-output"].map(|key| &manifest["ansible"][key]);
        facts.insert(format!("{playbook} in {directory}, by {:?}", outputs.map(Value::as_str)));
    }
    facts
}

fn stages(node: &Value, facts: &mut BTreeSet<String>) {
    for stage in node.as_sequence().into_iter().flatten() {
        match stage {
            Value::String(name) => {
                facts.insert(format!("stage {name}"));
            }
            other => {
                for (name, below) in entries(other) {
                    if name == "parallel" {
                        stages(&below, facts);
                    } else {
                        facts.insert(format!("stage {name}"));
                    }
                }
            }
        }
    }
}

fn entries(node: &Value) -> Vec<(String, Value)> {
    let entries = node.as_mapping().into_iter().flatten();
    entries.map(|(name, value)| (name.as_str().unwrap().to_owned(), value.clone())).collect()
}

fn items(node: &Value) -> Vec<String> {
    node.as_sequence().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}
