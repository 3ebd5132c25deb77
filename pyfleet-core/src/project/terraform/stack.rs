//! What has to hold for stacks, and what changes them.

use indexmap::IndexMap;

use super::super::environment::Environment;
use super::super::placeholder;
use super::backend::settings;
use super::variable::{var_files, variables};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, Manifest, RelativePath, Slug, Value};

/// The longest text of a stack's variables in bytes: a job hands it over as one environment variable, of which
/// Linux takes 131,072 bytes, and GitHub indents it.
const VARIABLES: usize = 64 * 1024;

pub(super) fn check_size(stacks: &IndexMap<Slug, manifest::Stack>, findings: &mut Diagnostics) {
    for (name, stack) in stacks {
        let literals = stack.variables.values().map(|value| match value {
            Value::Literal(json) => json.to_string().len(),
            Value::Held { .. } => 0,
        });
        if literals.sum::<usize>() > VARIABLES {
            findings.push(
                Diagnostic::error(
                    "platform-limits",
                    Place::key(Path::of(["terraform", "stacks", name.as_str(), "variables"])),
                    format!(
                        "the variables of a stack have at most {VARIABLES} bytes: Linux refuses longer ones"
                    ),
                )
                .with_help("move them into a file under `var-files`"),
            );
        }
    }
}

pub(super) fn check_environments(
    stacks: &IndexMap<Slug, manifest::Stack>,
    environments: &[Environment],
    findings: &mut Diagnostics,
) {
    for (name, stack) in stacks {
        let path = Path::of(["terraform", "stacks", name.as_str(), "environments"]);
        let Some(own) = &stack.environments else { continue };
        if own.is_empty() {
            findings.push(
                Diagnostic::error("invalid-value", path.clone(), "the stack is in no environment")
                    .with_help("name one, or take `environments` out: then it is in all of them"),
            );
        }
        for (index, wanted) in own.iter().enumerate() {
            if !environments.iter().any(|environment| environment.name == *wanted) {
                let known = environments.iter().map(|environment| &environment.name);
                findings.push(
                    Diagnostic::error(
                        "unknown-reference",
                        path.index(index),
                        "there is no environment of this name",
                    )
                    .with_help(list_of(known, "environments")),
                );
            }
        }
    }
}

pub(super) fn check_dependencies(stacks: &IndexMap<Slug, manifest::Stack>, findings: &mut Diagnostics) {
    for (name, stack) in stacks {
        for (index, needed) in stack.depends_on.iter().enumerate() {
            if !stacks.contains_key(needed) {
                let path = Path::of(["terraform", "stacks", name.as_str(), "depends-on"]).index(index);
                findings.push(
                    Diagnostic::error("unknown-reference", path, "there is no stack of this name")
                        .with_help(list_of(stacks.keys(), "terraform.stacks")),
                );
            }
        }
    }
    let waits_for_itself = |name: &Slug| stacks[name].depends_on.contains(name);
    for name in stacks.keys().filter(|name| waits_for_itself(name)) {
        let path = Path::of(["terraform", "stacks", name.as_str(), "depends-on"]);
        findings.push(
            Diagnostic::error("needs-dag", path, "the stack waits for itself").with_help("take its name out"),
        );
    }
    let mut waiting: Vec<&Slug> = stacks.keys().filter(|name| !waits_for_itself(name)).collect();
    loop {
        let ready = |name: &&Slug| !stacks[*name].depends_on.iter().any(|needed| waiting.contains(&needed));
        let rest: Vec<&Slug> = waiting.iter().copied().filter(|name| !ready(name)).collect();
        if rest.len() == waiting.len() {
            break;
        }
        waiting = rest;
    }
    if let Some(name) = waiting.first() {
        findings.push(
            Diagnostic::error(
                "needs-dag",
                Path::of(["terraform", "stacks", name.as_str(), "depends-on"]),
                "these stacks wait for each other, so that none can be the first",
            )
            .with_help(format!("take one `depends-on` out of the circle: {}", names_of(waiting.into_iter()))),
        );
    }
}

/// Fills in every text for every environment, whether it is planned or not: what is accepted at level 1 is
/// what is planned at level 3. Where an environment, an account or a region is not declared, another stands in.
pub(super) fn check_texts(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environments: &[Environment],
    stacks: &IndexMap<Slug, manifest::Stack>,
    findings: &mut Diagnostics,
) {
    let known: Vec<Option<&Environment>> = environments.iter().map(Some).collect();
    let known = if known.is_empty() { vec![None] } else { known };
    for environment in known {
        for (name, stack) in stacks {
            if environment.is_some_and(|environment| !stack.is_in(&environment.name)) {
                continue;
            }
            let values = placeholders(manifest, environment, name);
            if let Some(backend) = &written.backend {
                let [.., (_, region), _] = values;
                settings(backend, region, &values, findings);
            }
            var_files(name, stack, &values, findings);
            variables(name, stack, &values, findings);
        }
    }
}

/// What placeholders stand for in an environment; where it, its account or its region is not declared, another
/// stands in.
pub(super) fn placeholders<'a>(
    manifest: &'a Manifest,
    environment: Option<&'a Environment>,
    stack: &'a Slug,
) -> [(&'static str, &'a str); 5] {
    let account = environment.and_then(|environment| environment.account_id.as_ref());
    let region = environment.and_then(|environment| environment.region.as_deref());
    [
        ("environment", environment.map_or("production", |environment| environment.name.as_str())),
        ("stack", stack.as_str()),
        ("account-id", account.map_or("123456789012", |account| account.as_str())),
        ("region", region.unwrap_or("eu-central-1")),
        ("project", manifest.project.as_str()),
    ]
}

/// Variable files outside of the stack's directory, for every environment: a change there changes the stack.
pub(super) fn outside_var_files(stack: &manifest::Stack, environments: &[Environment]) -> Vec<String> {
    let mut files = Vec::new();
    for file in stack.var_files.iter().filter(|file| file.starts_with("../")) {
        for environment in environments {
            let filled = placeholder::fill(file, &[("environment", environment.name.as_str())]);
            files.extend(filled.ok().zip(stack.directory.as_ref()).and_then(|(file, own)| climb(own, &file)));
        }
    }
    files.sort_unstable();
    files.dedup();
    files
}

/// `../x` seen from a directory, as a path from the repository's root; nothing where it leaves the repository.
pub(super) fn climb(directory: &RelativePath, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.normal().split('/').filter(|part| *part != ".").collect();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn list_of<'a>(names: impl Iterator<Item = &'a Slug>, section: &str) -> String {
    let names = names_of(names);
    if names.is_empty() { format!("declare it under `{section}`") } else { format!("there is {names}") }
}

fn names_of<'a>(names: impl Iterator<Item = &'a Slug>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
