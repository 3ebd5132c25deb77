//! A golden image that Packer builds.

use pyfleet_core::manifest::{GitHubName, RelativePath, VariableName};
use pyfleet_core::secret::secrets_in;
use serde::Serialize;

use super::{Guesses, Said, plain, terraform};
use crate::survey::packer::Template;
use crate::survey::terraform::Stack;
use crate::survey::{Notes, Survey};

/// The last release of each line of Packer.
const PACKER: &[&str] = &["1.11.2", "1.12.0", "1.10.3", "1.9.5", "1.8.7", "1.7.10"];

/// Names of variables that take an image, the likeliest first.
const IMAGES: &[&str] = &[
    "template_id",
    "image_id",
    "ami_id",
    "golden_image_id",
    "template",
    "golden_image",
    "image",
    "ami",
    "template_name",
    "image_name",
    "vm_template",
];

/// Builders whose hypervisor stands in somebody's own house.
const ON_PREMISES: &[&str] = &["hyperv", "nutanix", "proxmox", "vsphere", "vmware", "xenserver"];

#[derive(Serialize)]
pub(super) struct Packer {
    template: String,
    version: Said,
    environment: String,
    variables: Vec<Variable>,
    /// Which stack gets the image, where there are several.
    stack: Option<String>,
    output_variable: Said,
    sources: Vec<String>,
    /// What builds it in somebody's own house.
    pub(super) on_premises: Option<String>,
    /// Playbooks that the build runs itself.
    #[serde(skip)]
    pub(super) playbooks: Vec<String>,
    /// The directory of the stack, and its variable.
    #[serde(skip)]
    pub(super) takes: (String, String),
}

#[derive(Serialize)]
struct Variable {
    name: String,
    is_secret: bool,
    held: String,
}

impl Packer {
    /// Names the stack that gets the image, where there are several.
    pub(super) fn settle(&mut self, stacks: &terraform::Terraform) {
        self.stack = stacks.name_of(&self.takes.0);
    }
}

/// Nothing where no stack would start from the image.
pub(super) fn propose(
    survey: &Survey,
    environments: &[String],
    guesses: &mut Guesses,
    notes: &mut Notes,
) -> Option<Packer> {
    let (template, others) = survey.packer.split_first()?;
    let path = &template.path;
    let Some((stack, variable)) = taker(&survey.terraform.stacks) else {
        notes.add(format!(
            "`{path}` was left out: `packer` hands its image to a stack of Terraform, and there is none"
        ));
        return None;
    };
    for other in others.iter().take(5) {
        notes.add(format!(
            "`{}` was left out: a manifest has one golden image, and it is that of `{path}`",
            other.path
        ));
    }
    report(template, notes);
    let output_variable = match variable {
        Some(name) => guesses.say(
            "packer.output-variable",
            name,
            &format!("a variable of `{}` is named so", stack.directory),
        ),
        None => guesses.say(
            "packer.output-variable",
            IMAGES[0],
            &format!(
                "no variable of `{}` is named as one that takes an image: declare it there",
                stack.directory
            ),
        ),
    };
    let (version, because) = terraform::version_of(PACKER, template.required_version.as_deref());
    let environment = environments.first()?.clone();
    let builders = template.builders.iter();
    let on_premises =
        builders.clone().find(|name| ON_PREMISES.iter().any(|start| name.starts_with(start))).cloned();
    if let Some(builder) = builders.clone().find(|name| name.starts_with("amazon-")) {
        notes.add(format!(
            "`{builder}` needs credentials of AWS, and the build has no role: `packer.variables` hands them over from secrets of the environment `{environment}`"
        ));
    }
    Some(Packer {
        template: path.clone(),
        version: guesses.say("packer.version", &version, &because),
        variables: variables(template, notes),
        stack: None,
        takes: (stack.directory.clone(), output_variable.value.clone()),
        output_variable,
        sources: template.sources.iter().filter(|path| is_path(path)).cloned().collect(),
        on_premises,
        playbooks: template.playbooks.clone(),
        environment,
    })
}

/// The stack that has a variable for an image, and that variable; the first stack where none has.
fn taker(stacks: &[Stack]) -> Option<(&Stack, Option<&str>)> {
    let has =
        |stack: &Stack, name: &str| stack.variables.iter().chain(&stack.defaulted).any(|own| own == name);
    for name in IMAGES {
        if let Some(stack) = stacks.iter().find(|stack| has(stack, name)) {
            return Some((stack, Some(*name)));
        }
    }
    Some((stacks.first()?, None))
}

fn report(template: &Template, notes: &mut Notes) {
    let path = &template.path;
    if !template.has_manifest {
        notes.add(format!(
            "`{path}` does not write packer-manifest.json, which says what was built: add `post-processor \"manifest\" {{ output = \"packer-manifest.json\" }}` to its `build`"
        ));
    }
    if template.beside > 0 {
        notes.add(format!(
            "Packer is given `{path}` alone: what the other files of its directory declare belongs into it"
        ));
    }
}

fn variables(template: &Template, notes: &mut Notes) -> Vec<Variable> {
    let mut variables = Vec::new();
    for (name, is_secret) in &template.variables {
        // The build sets this one itself.
        if name == "version" {
            continue;
        }
        let held = held_name(name);
        match held {
            Some(held) if VariableName::try_from(name.clone()).is_ok() && !name.contains('-') => {
                variables.push(Variable { name: name.clone(), is_secret: *is_secret, held });
            }
            _ => notes.add(format!(
                "the variable `{}` of `{}` was left out: no environment variable can have its name",
                plain(name),
                template.path
            )),
        }
    }
    variables
}

fn held_name(name: &str) -> Option<String> {
    let held = name.to_ascii_uppercase();
    let is_right = GitHubName::try_from(held.clone()).is_ok() && secrets_in(name).is_empty();
    is_right.then_some(held)
}

fn is_path(path: &str) -> bool {
    RelativePath::try_from(path.to_owned()).is_ok()
}
