//! What configures the machines that Terraform made.

use serde::Serialize;

use super::packer::Packer;
use super::terraform::Terraform;
use super::{Guesses, Said};
use crate::survey::terraform::Stack;
use crate::survey::tree::{below, directory_of, name_of};
use crate::survey::{Notes, Survey};

/// What a playbook is called that configures everything, the likeliest first.
const NAMES: &[&str] = &["site", "post-deploy", "configure", "deploy", "main", "playbook", "provision"];

/// The version of ansible-core where nothing says which.
const VERSION: &str = "2.18.6";

#[derive(Serialize)]
pub(super) struct Ansible {
    directory: String,
    playbook: String,
    version: Said,
    /// Which stack names the machines, where there are several and none gets the image.
    stack: Option<String>,
    inventory_output: Said,
    known_hosts_output: Option<Said>,
    known_hosts: Option<String>,
}

pub(super) fn propose(
    survey: &Survey,
    terraform: Option<&Terraform>,
    packer: Option<&Packer>,
    guesses: &mut Guesses,
    notes: &mut Notes,
) -> Option<Ansible> {
    let seen = &survey.ansible;
    let is_of_the_image = |path: &String| packer.is_some_and(|packer| packer.playbooks.contains(path));
    let mut playbooks: Vec<&String> = seen.playbooks.iter().filter(|path| !is_of_the_image(path)).collect();
    playbooks.sort_by_key(|path| (rank(path), path.matches('/').count(), path.to_string()));
    let Some((playbook, others)) = playbooks.split_first() else {
        if let Some(directory) = seen.roles.first() {
            notes.add(format!(
                "`{directory}` has roles, and no playbook outside of an image's build runs them: `ansible` needs a playbook"
            ));
        }
        return None;
    };
    let Some(terraform) = terraform else {
        notes.add(format!(
            "`{playbook}` was left out: `ansible` configures the machines that a stack of Terraform names, and there is none"
        ));
        return None;
    };
    if !others.is_empty() {
        let others: Vec<String> = others.iter().take(5).map(|path| format!("`{path}`")).collect();
        guesses.say("ansible.playbook", playbook, &format!("beside {}", others.join(", ")));
    }
    let stack = stack(survey, packer)?;
    let directory = directory(survey, playbook);
    let (version, because) = seen.version.as_ref().map_or_else(
        || (VERSION.to_owned(), "nothing says which".to_owned()),
        |(version, file)| (version.clone(), file.clone()),
    );
    let inventory_output =
        output(stack, "inventory", "ansible_inventory", guesses, "ansible.inventory-output");
    let known_hosts = seen.known_hosts.iter().find(|path| below(&directory, path).is_some());
    let has_output =
        stack.outputs.iter().any(|name| name.contains("known_hosts") || name.contains("host_keys"));
    let (known_hosts, known_hosts_output) = match known_hosts {
        Some(file) if !has_output => (Some(file.clone()), None),
        _ => (
            None,
            Some(output(stack, "known_hosts", "ansible_known_hosts", guesses, "ansible.known-hosts-output")),
        ),
    };
    Some(Ansible {
        playbook: below(&directory, playbook).unwrap_or(playbook).to_owned(),
        version: guesses.say("ansible.version", &version, &because),
        // The stack that gets the image is the default.
        stack: terraform.name_of(&stack.directory).filter(|_| packer.is_none()),
        inventory_output,
        known_hosts_output,
        known_hosts,
        directory,
    })
}

/// Names of environments and of what everything else runs come first; shallow ones before deep ones.
fn rank(path: &str) -> usize {
    let stem = name_of(path).split('.').next().unwrap_or_default();
    NAMES.iter().position(|name| *name == stem).unwrap_or(NAMES.len())
}

/// The stack that gets the image, or that has an inventory, or the first.
fn stack<'s>(survey: &'s Survey, packer: Option<&Packer>) -> Option<&'s Stack> {
    let stacks = &survey.terraform.stacks;
    let of_image = packer.and_then(|packer| stacks.iter().find(|stack| stack.directory == packer.takes.0));
    let has_inventory = |stack: &&Stack| stack.outputs.iter().any(|name| name.contains("inventory"));
    of_image.or_else(|| stacks.iter().find(has_inventory)).or_else(|| stacks.first())
}

/// Where Ansible runs: where its settings are, or above `playbooks`.
fn directory(survey: &Survey, playbook: &str) -> String {
    let own = directory_of(playbook);
    let configured =
        survey.ansible.configured.iter().filter(|directory| below(directory, playbook).is_some());
    match configured.max_by_key(|directory| directory.len()) {
        Some(directory) => directory.clone(),
        None if name_of(own) == "playbooks" => directory_of(own).to_owned(),
        None => own.to_owned(),
    }
}

/// An output whose name holds a word; a usual one, to be declared, where there is none.
fn output(stack: &Stack, word: &str, usual: &str, guesses: &mut Guesses, key: &str) -> Said {
    match stack.outputs.iter().find(|name| name.contains(word)) {
        Some(name) => guesses.say(key, name, &format!("an output of `{}` is named so", stack.directory)),
        None => guesses.say(
            key,
            usual,
            &format!("`{}` has no output of such a name: declare it there", stack.directory),
        ),
    }
}
