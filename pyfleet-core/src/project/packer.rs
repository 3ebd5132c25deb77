//! A golden image as it is meant, and what Ansible makes of the machines.

use std::collections::BTreeMap;

use super::environment::Environment;
use super::terraform::VariableValue;
use super::{defaults, placeholder, within};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, Kind, Manifest, Reference, RelativePath, Slug, Value, VariableName};

/// A golden image that Packer builds.
#[derive(Debug, Clone)]
pub struct Packer {
    /// The template.
    pub template: String,
    /// The directory that the template lies in.
    pub directory: String,
    /// Packer's exact version.
    pub version: String,
    /// The SHA-256 of its archive, where the manifest knows it.
    pub sha256: Option<String>,
    /// The environment whose runner and secrets the build has.
    pub environment: Slug,
    /// Values of the template's variables.
    pub variables: BTreeMap<String, VariableValue>,
    /// The stack whose plan gets the image.
    pub stack: Slug,
    /// The stack's variable that takes the image's id.
    pub output_variable: String,
    /// Software that the image has to say it holds, sorted.
    pub expect: Vec<String>,
    /// What the image is made of: its template's directory, and what the manifest names, sorted.
    pub sources: Vec<String>,
    /// Minutes that the build may take.
    pub timeout_minutes: u16,
}

/// What Ansible makes of the machines that Terraform made.
#[derive(Debug, Clone)]
pub struct Ansible {
    /// Where it runs.
    pub directory: String,
    /// The playbook, relative to the directory.
    pub playbook: String,
    /// The exact version of ansible-core.
    pub version: String,
    /// The stack whose outputs name the machines.
    pub stack: Slug,
    /// The output that holds the inventory.
    pub inventory_output: String,
    /// Where the machines' host keys are.
    pub known_hosts: KnownHosts,
    /// The secret that holds the private key.
    pub ssh_key: String,
    /// Software that every machine has to have, sorted.
    pub expect: Vec<String>,
}

/// Where host keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownHosts {
    /// In an output of the stack.
    Output(String),
    /// In a file of the repository.
    File(String),
}

pub(super) fn resolve(
    manifest: &Manifest,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> (Option<Packer>, Option<Ansible>) {
    let stack = manifest.packer.as_ref().map(|packer| {
        let path = Path::of(["packer"]);
        (packer, stack(manifest, packer.stack.as_ref(), &path, findings))
    });
    let image_stack = stack.as_ref().and_then(|(_, stack)| stack.clone());
    let packer = stack.and_then(|(packer, stack)| image(manifest, packer, stack, environments, findings));
    let ansible = manifest
        .ansible
        .as_ref()
        .and_then(|ansible| configuration(manifest, ansible, image_stack.as_ref(), findings));
    (packer, ansible)
}

fn image(
    manifest: &Manifest,
    written: &manifest::Packer,
    stack: Option<Slug>,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> Option<Packer> {
    let path = Path::of(["packer"]);
    let template = written.template.normal();
    if ![".pkr.hcl", ".pkr.json"].iter().any(|end| template.ends_with(end)) {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("template"),
                "a template is a file that Packer reads as one",
            )
            .with_help("name a file that ends in `.pkr.hcl`"),
        );
    }
    if written.version.parts() < [1, 7].as_slice() {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("version"),
                "Packer installs plugins since version 1.7.0",
            )
            .with_help("use a newer version: its releases are on https://releases.hashicorp.com/packer/"),
        );
    }
    if !environments.iter().any(|environment| environment.name == written.environment) {
        let known: Vec<String> =
            environments.iter().map(|environment| format!("`{}`", environment.name)).collect();
        findings.push(
            Diagnostic::error(
                "unknown-reference",
                path.key("environment"),
                "there is no environment of this name",
            )
            .with_help(if known.is_empty() {
                "declare it under `environments`: it fixes the runner and the secrets of the build".to_owned()
            } else {
                format!("there is {}", known.join(", "))
            }),
        );
    }
    if written.output_variable.as_str().contains('-') {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("output-variable"),
                "the id reaches Terraform through an environment variable, whose name can hold no dash",
            )
            .with_help("rename the variable in the stack, with an underscore"),
        );
    }
    check_variable(manifest, &written.output_variable, findings);
    check_plans(manifest, findings);
    let directory = template.rsplit_once('/').map_or(".", |(directory, _)| directory);
    let mut sources: Vec<String> = written.sources.iter().map(|path| path.normal().to_owned()).collect();
    // At the root everything would be a source.
    sources.push(if directory == "." { template } else { directory }.to_owned());
    sources.sort_unstable();
    sources.dedup();
    let timeout_minutes = within(
        written.timeout_minutes.unwrap_or(defaults::PACKER_MINUTES),
        1..=360,
        &path.key("timeout-minutes"),
        "GitHub stops a hosted job after 360 minutes",
        findings,
    );
    Some(Packer {
        template: template.to_owned(),
        directory: directory.to_owned(),
        version: written.version.to_string(),
        sha256: written.sha256.as_ref().map(ToString::to_string),
        environment: written.environment.clone(),
        variables: variables(manifest, written, findings),
        stack: stack?,
        output_variable: written.output_variable.to_string(),
        expect: sorted(&written.expect),
        sources,
        timeout_minutes,
    })
}

/// Nothing else may set the variable that takes the image.
fn check_variable(manifest: &Manifest, variable: &VariableName, findings: &mut Diagnostics) {
    for (name, stack) in manifest.terraform.iter().flat_map(|terraform| &terraform.stacks) {
        if stack.variables.contains_key(variable) {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(
                        Path::of(["terraform", "stacks", name.as_str(), "variables"]).key(variable.as_str()),
                    ),
                    "the golden image sets this variable",
                )
                .with_help("take it out: the pipeline hands over the image that it has chosen"),
            );
        }
    }
}

/// A pipeline chooses the image, and drift is told by the one that is on record: another plan would go back to the
/// variable's default.
fn check_plans(manifest: &Manifest, findings: &mut Diagnostics) {
    for (name, workflow) in &manifest.workflows {
        let kind = workflow.kind_of(name);
        let plans = matches!(kind, Some(Kind::CheckState | Kind::Tf | Kind::TfAuto));
        if plans && workflow.disposition() == manifest::Disposition::Rendered {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(Path::of(["workflows", name.as_str()])),
                    "it would plan without the golden image's id, and so put the machines back to another image",
                )
                .with_help("plan and apply by a workflow of kind `pipeline` with the stage `golden-image`, and set `enabled: false` here"),
            );
        }
    }
}

fn variables(
    manifest: &Manifest,
    written: &manifest::Packer,
    findings: &mut Diagnostics,
) -> BTreeMap<String, VariableValue> {
    let values = [("project", manifest.project.as_str()), ("environment", written.environment.as_str())];
    let mut variables = BTreeMap::new();
    for (name, value) in &written.variables {
        let path = Path::of(["packer", "variables"]).key(name.as_str());
        if name.as_str().contains('-') {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path.clone()),
                    "its value reaches Packer through an environment variable, whose name can hold no dash",
                )
                .with_help("rename the variable in the template, with an underscore"),
            );
        }
        if name.as_str() == "version" {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path.clone()),
                    "the build sets this variable itself",
                )
                .with_help("take it out: it is the time of the build and its commit"),
            );
        }
        let value = match value {
            Value::Held { list: true, .. } => {
                findings.push(
                    Diagnostic::error(
                        "invalid-value",
                        path,
                        "Packer takes the text as it is, and splits nothing",
                    )
                    .with_help(
                        "take `as: list` out, and write the text as Packer reads a list: [\"a\", \"b\"]",
                    ),
                );
                continue;
            }
            Value::Held { reference: Reference::Variable(held), .. } => {
                VariableValue::Held { variable: held.to_string(), form: None }
            }
            Value::Held { reference: Reference::Secret(held), .. } => {
                VariableValue::Secret { secret: held.to_string(), form: None }
            }
            Value::Literal(serde_json::Value::String(text)) => match placeholder::fill(text, &values) {
                Ok(text) => VariableValue::Literal(serde_json::Value::String(text)),
                Err(reason) => {
                    findings.push(Diagnostic::error("unknown-placeholder", path, reason));
                    continue;
                }
            },
            Value::Literal(literal) => VariableValue::Literal(literal.clone()),
        };
        variables.insert(name.to_string(), value);
    }
    variables
}

fn configuration(
    manifest: &Manifest,
    written: &manifest::Ansible,
    image_stack: Option<&Slug>,
    findings: &mut Diagnostics,
) -> Option<Ansible> {
    let path = Path::of(["ansible"]);
    if ![".yml", ".yaml"].iter().any(|end| written.playbook.normal().ends_with(end)) {
        findings.push(
            Diagnostic::error("invalid-value", path.key("playbook"), "a playbook is a YAML file")
                .with_help("name a file that ends in `.yml`, relative to `directory`"),
        );
    }
    let known_hosts = match (&written.known_hosts_output, &written.known_hosts) {
        (Some(output), None) => Some(KnownHosts::Output(output.to_string())),
        (None, Some(file)) => Some(KnownHosts::File(file.normal().to_owned())),
        (Some(_), Some(_)) => {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path.key("known-hosts")),
                    "the host keys come from one place",
                )
                .with_help("take `known-hosts` or `known-hosts-output` out"),
            );
            None
        }
        (None, None) => {
            findings.push(
                Diagnostic::error("missing-key", Place::key(path.clone()), "host keys are always checked, and nothing says which the machines have")
                    .with_help("as in `known-hosts-output: ansible_known_hosts`, an output of the stack, or `known-hosts: ansible/known_hosts`, a file"),
            );
            None
        }
    };
    let stack = match (&written.stack, image_stack) {
        (None, Some(stack)) => Some(stack.clone()),
        (wanted, _) => stack(manifest, wanted.as_ref(), &path, findings),
    };
    let expect = written.expect.as_ref().or_else(|| manifest.packer.as_ref().map(|packer| &packer.expect));
    Some(Ansible {
        directory: written.directory.normal().to_owned(),
        playbook: written.playbook.normal().to_owned(),
        version: written.version.to_string(),
        stack: stack?,
        inventory_output: written.inventory_output.to_string(),
        known_hosts: known_hosts?,
        ssh_key: written.ssh_key.secret.to_string(),
        expect: expect.map(|expect| sorted(expect)).unwrap_or_default(),
    })
}

/// The stack that is meant: the only one, or the one that is named.
fn stack(
    manifest: &Manifest,
    wanted: Option<&Slug>,
    path: &Path,
    findings: &mut Diagnostics,
) -> Option<Slug> {
    let Some(terraform) = &manifest.terraform else {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                "it works on a stack of `terraform`, and there is none",
            )
            .with_help("declare `terraform`, with `directory` or `stacks`"),
        );
        return None;
    };
    let only = terraform.directory.as_ref().map(|_: &RelativePath| manifest.project.clone());
    let stacks: Vec<Slug> = only.into_iter().chain(terraform.stacks.keys().cloned()).collect();
    let list = || stacks.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (wanted, stacks.as_slice()) {
        (Some(wanted), _) if stacks.contains(wanted) => Some(wanted.clone()),
        (Some(_), _) => {
            findings.push(
                Diagnostic::error("unknown-reference", path.key("stack"), "there is no stack of this name")
                    .with_help(format!("there is {}", list())),
            );
            None
        }
        (None, [stack]) => Some(stack.clone()),
        // That there is none is said elsewhere.
        (None, []) => None,
        (None, _) => {
            findings.push(
                Diagnostic::error(
                    "missing-key",
                    Place::key(path.clone()),
                    "there are several stacks, and `stack` does not say which is meant",
                )
                .with_help(format!("name one of {}", list())),
            );
            None
        }
    }
}

fn sorted(names: &[manifest::SoftwareName]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names.dedup();
    names
}
